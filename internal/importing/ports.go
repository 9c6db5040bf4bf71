/*
Copyright 2026 The app-operator authors.

Licensed under the Apache License, Version 2.0 (the "License");
you may not use this file except in compliance with the License.
You may obtain a copy of the License at

    http://www.apache.org/licenses/LICENSE-2.0

Unless required by applicable law or agreed to in writing, software
distributed under the License is distributed on an "AS IS" BASIS,
WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
See the License for the specific language governing permissions and
limitations under the License.
*/

package importing

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/resources"
)

// portEntry is a port of the Application.
type portEntry struct {
	// name is the Service port's or the container port's, and served where the Service serves it.
	name           string
	number, served int32
	protocol       corev1.Protocol
	nodePort       *int32
	appProtocol    *string
	// serviceName and containerName are as it was called.
	serviceName, containerName string
	hasService                 bool
	// within is where it is in the source.
	within part
}

var portName = regexp.MustCompile(`^[a-z0-9]([a-z0-9]|-[a-z0-9])*$`)

// canName reports whether a port can have the name.
func canName(name string) bool {
	return len(name) <= 15 && portName.MatchString(name) && regexp.MustCompile(`[a-z]`).MatchString(name)
}

// chooseService decides which Service becomes the Application's.
func (w *workload) chooseService() {
	var all []*document
	for _, doc := range w.docs {
		selector := doc.root().in("spec").fields["selector"]
		if w.isNear(doc, "Service") && w.selects(map[string]any{"matchLabels": selector}) {
			all = append(all, doc)
		}
	}
	rank := func(doc *document) int {
		switch {
		case doc.name == w.options.Name:
			return 0
		case doc.root().in("spec").peek("clusterIP") == corev1.ClusterIPNone:
			return 3
		case doc.name == w.doc.name:
			return 1
		default:
			return 2
		}
	}
	slices.SortStableFunc(all, func(a, b *document) int { return cmp.Compare(rank(a), rank(b)) })
	if len(all) == 0 {
		return
	}
	w.service = all[0]
}

// keepService says what becomes of a Service that is not the Application's.
func (w *workload) keepService(doc *document) {
	selector := doc.root().in("spec").fields["selector"]
	wrapped := map[string]any{"matchLabels": selector}
	if !w.selects(wrapped) {
		doc.keep("it is no part of the Application; keep it if it is needed")
		return
	}
	doc.keep("an Application has one Service; keep this one as an object of its own" + w.reselectNote(wrapped))
}

// readPorts reads the ports of the container and of the Service.
func (w *workload) readPorts() {
	containers := w.containerPorts(w.main)
	if w.service != nil {
		for _, port := range w.service.root().in("spec").list("ports") {
			w.addServicePort(port, containers)
		}
	}
	for _, port := range containers {
		if !slices.ContainsFunc(w.ports, func(entry *portEntry) bool { return entry.number == port.number && entry.protocol == port.protocol }) {
			w.addUnserved(port)
		}
	}
	w.moveMainPort()
	w.namePorts()
	w.setPorts()
}

// addUnserved adds a port of the container that the Service does not serve. An Application's Service serves each of its ports, which must
// not open to the outside what was not open.
func (w *workload) addUnserved(port *portEntry) {
	taken := slices.ContainsFunc(w.ports, func(entry *portEntry) bool { return entry.served == port.number && entry.protocol == port.protocol })
	switch {
	case w.service != nil && (taken || w.serviceType() != corev1.ServiceTypeClusterIP):
		w.inside = append(w.inside, port)
		port.within.note("", port.number, "the Service does not serve this port, and an Application's Service serves each of its ports, so it is left out; "+
			"the program listens there all the same, and what asks for it by a name, such as a PodMonitor, has to ask for its number")
		return
	case w.service != nil:
		port.within.note("", port.number, "the Service has not served this port, and an Application's Service serves each of its ports; "+
			"remove it from spec.additionalPorts if it is not to be served: the program listens there all the same")
	}
	port.served = port.number
	w.ports = append(w.ports, port)
}

// containerPorts takes the ports of a container.
func (w *workload) containerPorts(container part) []*portEntry {
	var all []*portEntry
	for _, port := range container.list("ports") {
		parsed, ok := whole[corev1.ContainerPort](port)
		if !ok {
			continue
		}
		entry := &portEntry{
			name: parsed.Name, containerName: parsed.Name, number: parsed.ContainerPort, protocol: cmp.Or(parsed.Protocol, corev1.ProtocolTCP), within: port,
		}
		if parsed.HostPort != 0 {
			port.note("hostPort", parsed.HostPort, "ports of the node are not served; set spec.service.type to NodePort or LoadBalancer")
		}
		if parsed.HostIP != "" {
			port.note("hostIP", parsed.HostIP, "ports of the node are not served; remove it")
		}
		all = append(all, entry)
	}
	return all
}

// addServicePort takes a port of the Service, and finds what it leads to.
func (w *workload) addServicePort(port part, containers []*portEntry) {
	within := part{port.doc, port.path, nil}
	parsed, ok := whole[corev1.ServicePort](port)
	if !ok {
		return
	}
	entry := &portEntry{
		name: parsed.Name, serviceName: parsed.Name, hasService: true, served: parsed.Port, protocol: cmp.Or(parsed.Protocol, corev1.ProtocolTCP),
		appProtocol: parsed.AppProtocol, within: within,
	}
	given := w.serviceType()
	chosen := port.doc.live && given == corev1.ServiceTypeLoadBalancer // by Kubernetes
	if parsed.NodePort != 0 && !chosen && given != corev1.ServiceTypeClusterIP {
		entry.nodePort = &parsed.NodePort
	}
	if !w.findTarget(entry, parsed, containers) {
		return
	}
	if slices.ContainsFunc(w.ports, func(other *portEntry) bool { return other.number == entry.number && other.protocol == entry.protocol }) {
		within.note("", parsed.Port, fmt.Sprintf("another port of the Service leads to %d as well, and an Application serves each of its ports once; "+
			"keep a Service of your own for it, or have clients use the other port", entry.number))
		return
	}
	w.ports = append(w.ports, entry)
}

// findTarget finds the container's port that a port of the Service leads to.
func (w *workload) findTarget(entry *portEntry, port corev1.ServicePort, containers []*portEntry) bool {
	entry.number = port.Port
	if port.TargetPort.Type == intstr.Int {
		entry.number = cmp.Or(port.TargetPort.IntVal, port.Port)
	}
	for _, target := range slices.Concat(containers, w.portsOfOthers()) {
		byName := port.TargetPort.Type == intstr.String && target.containerName == port.TargetPort.StrVal
		byNumber := port.TargetPort.Type == intstr.Int && target.number == entry.number
		if target.protocol == entry.protocol && (byName || byNumber) {
			entry.number, entry.containerName = target.number, target.containerName
			entry.name = cmp.Or(entry.name, target.containerName)
			return true
		}
	}
	if port.TargetPort.Type == intstr.String && port.TargetPort.StrVal != "" {
		entry.within.note("", port.TargetPort.StrVal, "no container has a port of this name; give the port that the program listens on in spec.port")
		return false
	}
	return true
}

// portsOfOthers returns the ports of the other containers, which share the pod's address.
func (w *workload) portsOfOthers() []*portEntry {
	var all []*portEntry
	for _, list := range []string{"containers", "initContainers"} {
		for _, container := range w.pod.list(list) {
			for _, port := range container.list("ports") {
				parsed, _, err := decode[corev1.ContainerPort](port.fields)
				if err == nil {
					all = append(all, &portEntry{
						name: parsed.Name, containerName: parsed.Name, number: parsed.ContainerPort, protocol: cmp.Or(parsed.Protocol, corev1.ProtocolTCP),
					})
				}
			}
		}
	}
	return all
}

// moveMainPort moves what is to be spec.port to the front: what an HTTPRoute or an Ingress leads to, or the first port.
func (w *workload) moveMainPort() {
	at := slices.IndexFunc(w.ports, func(entry *portEntry) bool { return entry.protocol == corev1.ProtocolTCP })
	if w.service != nil {
		for _, backend := range w.backends() {
			if found := w.servedPort(backend); found != nil && found.protocol == corev1.ProtocolTCP {
				at = slices.Index(w.ports, found)
				break
			}
		}
	}
	if at > 0 {
		main := w.ports[at]
		w.ports = slices.Insert(slices.Delete(w.ports, at, at+1), 0, main)
	}
}

// servedPort returns the port that the Service has by number or name, or nil.
func (w *workload) servedPort(port intstr.IntOrString) *portEntry {
	for _, entry := range w.ports {
		if entry.hasService && (port.Type == intstr.Int && entry.served == port.IntVal || port.Type == intstr.String && entry.serviceName == port.StrVal) {
			return entry
		}
	}
	return nil
}

// hasMain reports whether there is a spec.port.
func (w *workload) hasMain() bool {
	return len(w.ports) > 0 && w.ports[0].protocol == corev1.ProtocolTCP
}

// namePorts gives each port a name that no other has.
func (w *workload) namePorts() {
	names := map[string]bool{}
	for i, entry := range w.ports {
		given := entry.name
		if i == 0 && w.hasMain() {
			entry.name = cmp.Or(entry.name, resources.DefaultPortName)
		}
		number := fmt.Sprintf("port-%d", entry.number)
		for _, name := range []string{entry.name, entry.containerName, number, number + "-" + strings.ToLower(string(entry.protocol))} {
			if entry.name = name; canName(name) && !names[name] {
				break
			}
		}
		names[entry.name] = true
		switch {
		case given != "" && given != entry.name:
			entry.within.note("name", given, "the port is called "+entry.name+": names have at most 15 letters, digits and '-', and no two ports have one")
		case given == "" && (i > 0 || !w.hasMain()):
			entry.within.note("", nil, fmt.Sprintf("port %d has no name, which an additional port needs; it is called %s", entry.number, entry.name))
		case entry.containerName != "" && entry.containerName != entry.name:
			entry.within.note("", nil, "the container's port "+entry.containerName+" is called "+entry.name+", as the Service calls it")
		}
	}
}

// setPorts sets the ports of the Application.
func (w *workload) setPorts() {
	spec := &w.app.Spec
	for i, entry := range w.ports {
		if i == 0 && w.hasMain() {
			spec.Port, spec.AppProtocol = &entry.number, entry.appProtocol
			if entry.name != resources.DefaultPortName {
				spec.PortName = entry.name
			}
			if entry.served != entry.number || entry.nodePort != nil {
				service := w.specService()
				service.NodePort = entry.nodePort
				if entry.served != entry.number {
					service.Port = &entry.served
				}
			}
			continue
		}
		port := v1.AdditionalPort{Name: entry.name, Port: entry.number, NodePort: entry.nodePort, AppProtocol: entry.appProtocol}
		if entry.served != entry.number {
			port.ServicePort = &entry.served
		}
		if entry.protocol != corev1.ProtocolTCP {
			port.Protocol = entry.protocol
		}
		spec.AdditionalPorts = append(spec.AdditionalPorts, port)
	}
}

// specService returns spec.service, which is made if there is none.
func (w *workload) specService() *v1.ServiceSpec {
	if w.app.Spec.Service == nil {
		w.app.Spec.Service = &v1.ServiceSpec{}
	}
	return w.app.Spec.Service
}

// portNamed returns the port of the container that was called so: its name in the Application, or its number if it has none there.
func (w *workload) portNamed(name string) intstr.IntOrString {
	for _, entry := range w.inside {
		if entry.containerName == name {
			return intstr.FromInt32(entry.number)
		}
	}
	return intstr.FromString(w.newPortName(name))
}

// newPortName returns what a port of the container is called in the Application.
func (w *workload) newPortName(name string) string {
	for _, entry := range w.ports {
		if entry.containerName == name {
			return entry.name
		}
	}
	return name
}

// isMainPort reports whether a probe's or a hook's port is spec.port by its name, which is also where they ask that give no port.
func (w *workload) isMainPort(name string) bool { return w.hasMain() && w.ports[0].name == name }

// portNumber returns the number of a port that is called so, or 0.
func (w *workload) portNumber(name string) int32 {
	for _, entry := range w.ports {
		if entry.name == name {
			return entry.number
		}
	}
	return 0
}
