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

package resources

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	v1 "github.com/example/app-operator/api/v1"
)

// DefaultPortName is what spec.port is called where spec.portName says nothing.
const DefaultPortName = "http"

// MainPortName returns the name of spec.port, in the container and in the Service.
func MainPortName(app *v1.Application) string { return cmp.Or(app.Spec.PortName, DefaultPortName) }

// port is one of an Application's ports: in the spec, in the container and in the Service.
type port struct {
	// name is the Service port's, and the container port's too unless older pods have another name for it.
	name     string
	protocol corev1.Protocol
	// number is the container port's.
	number int32
	// served is where the Service serves it.
	served int32
	// nodePort is where each node serves it; nil if Kubernetes is to choose.
	nodePort    *int32
	appProtocol *string
	// main says that it is spec.port.
	main bool
	// containerName is the container port's name.
	containerName string
	// target is what the Service's port targets.
	target intstr.IntOrString
}

// portsOf returns the Application's ports, spec.port first, so that the Service reaches all pods that there are and the new
// ones (decision 0024).
//
// A Service has one targetPort for all pods. The name is best, since each pod may have a number of its own for it. Where older
// pods lack the name, the number does, as long as all have the same. Where both are new, the new pods keep the older name.
func portsOf(in Inputs) []port {
	ports := specPorts(in.Application)
	for i := range ports {
		ports[i].containerName = containerName(in, ports, i)
	}
	for i, desired := range ports {
		ports[i].target = intstr.FromString(desired.containerName)
		if desired.containerName == desired.name {
			ports[i].target = choose(in, ports, i, ports[i].target, intstr.FromInt32(desired.number))
		}
	}
	return ports
}

// specPorts returns the ports as the spec has them.
func specPorts(app *v1.Application) []port {
	var ports []port
	if app.Spec.Port != nil {
		main := port{
			name: MainPortName(app), protocol: corev1.ProtocolTCP, number: *app.Spec.Port, served: mainServicePort(app),
			appProtocol: app.Spec.AppProtocol, main: true,
		}
		if app.Spec.Service != nil {
			main.nodePort = app.Spec.Service.NodePort
		}
		ports = append(ports, main)
	}
	for _, additional := range app.Spec.AdditionalPorts {
		ports = append(ports, port{
			name: additional.Name, protocol: protocolOf(additional.Protocol), number: additional.Port,
			served: ptr.Deref(additional.ServicePort, additional.Port), nodePort: additional.NodePort,
			appProtocol: additional.AppProtocol,
		})
	}
	return ports
}

// mainServicePort returns where the Service serves spec.port, which must be set.
func mainServicePort(app *v1.Application) int32 {
	if app.Spec.Service != nil && app.Spec.Service.Port != nil {
		return *app.Spec.Service.Port
	}
	return *app.Spec.Port
}

// protocolOf returns the protocol of a port: the one that is given, or TCP.
func protocolOf(given corev1.Protocol) corev1.Protocol { return cmp.Or(given, corev1.ProtocolTCP) }

// specPort returns the port that the spec calls so, or nil if it has none.
func specPort(app *v1.Application, name string) *port {
	ports := specPorts(app)
	at := slices.IndexFunc(ports, func(port port) bool { return port.name == name })
	if at < 0 {
		return nil
	}
	return &ports[at]
}

// Retargets reports whether a port that the Service serves already is to target another port of the pods. The Service then has
// to be written before the pods are replaced.
func Retargets(in Inputs) bool {
	return slices.ContainsFunc(portsOf(in), func(desired port) bool {
		return slices.ContainsFunc(in.ServicePorts, func(live corev1.ServicePort) bool {
			return live.Protocol == desired.protocol && (live.Name == desired.name || live.Port == desired.served) &&
				live.TargetPort != desired.target
		})
	})
}

// PortsSettled reports whether the Deployment and the Service have the Application's ports as they stay. If the pods are all of
// the Deployment's template, nobody has to ask what ports they have.
func PortsSettled(in Inputs) bool {
	var live []corev1.ContainerPort
	if in.Live != nil {
		live = in.Live.Ports
	}
	for _, desired := range portsOf(in) {
		has := find(live, desired.target, desired.protocol)
		if desired.target.Type != intstr.String || has == nil || has.ContainerPort != desired.number {
			return false
		}
		if !slices.ContainsFunc(in.ServicePorts, func(served corev1.ServicePort) bool {
			return served.Name == desired.name && served.Protocol == desired.protocol && served.TargetPort == desired.target
		}) {
			return false
		}
	}
	return true
}

// containerName returns the name of the i-th port in the container. What the Deployment has stays, or each reconcile would restart
// the pods.
func containerName(in Inputs, ports []port, i int) string {
	desired := ports[i]
	switch live := liveName(in, desired); {
	case live == desired.name:
		return live
	case live != "" && !taken(ports, i, live) && !renamed(in, desired, live):
		return live
	}
	candidates := []intstr.IntOrString{intstr.FromString(desired.name), intstr.FromInt32(desired.number)}
	for _, pod := range in.PodPorts {
		if older := predecessor(in, ports, i, pod); older != nil && !taken(ports, i, older.Name) {
			candidates = append(candidates, intstr.FromString(older.Name))
		}
	}
	return cmp.Or(choose(in, ports, i, candidates...).StrVal, desired.name)
}

// liveName returns the name that the Deployment has for the port's number, or "".
func liveName(in Inputs, desired port) string {
	if in.Live == nil {
		return ""
	}
	if live := find(in.Live.Ports, intstr.FromInt32(desired.number), desired.protocol); live != nil {
		return live.Name
	}
	return ""
}

// renamed reports whether the port is to have its own name in the container, in place of that which older pods have: the spec
// has just given it another name, for which the Service may target the number already, or another image replaces the pods anyway.
func renamed(in Inputs, desired port, live string) bool {
	if in.Live.Image != in.Application.Spec.Image {
		return true
	}
	byName, byNumber := intstr.FromString(live), intstr.FromInt32(desired.number)
	return slices.ContainsFunc(in.ServicePorts, func(served corev1.ServicePort) bool {
		return served.Protocol == desired.protocol &&
			(served.TargetPort == byNumber || served.TargetPort == byName && served.Name != desired.name)
	})
}

// taken reports whether another port than the i-th has the name in the spec, or was given it in the container.
func taken(ports []port, i int, name string) bool {
	for j, other := range ports {
		if j != i && (other.name == name || other.containerName == name) {
			return true
		}
	}
	return false
}

// choose returns the first of the candidates by which a Service reaches the i-th port in all pods. If there is none, the newest
// pods do not count: the oldest are those that have served all the time.
func choose(in Inputs, ports []port, i int, candidates ...intstr.IntOrString) intstr.IntOrString {
	for count := len(in.PodPorts); count > 0; count-- {
		for _, candidate := range candidates {
			if !slices.ContainsFunc(in.PodPorts[:count], func(pod []corev1.ContainerPort) bool {
				return !reaches(in, ports, i, candidate, pod)
			}) {
				return candidate
			}
		}
	}
	return candidates[0]
}

// reaches reports whether a Service that has the target reaches what the pod has for the i-th port, and nothing in a pod that
// has nothing for it.
func reaches(in Inputs, ports []port, i int, target intstr.IntOrString, pod []corev1.ContainerPort) bool {
	number := target.IntVal // is asked for in every pod, whatever it listens on
	if target.Type == intstr.String {
		number = 0
		if named := find(pod, target, ports[i].protocol); named != nil {
			number = named.ContainerPort
		}
	}
	older := predecessor(in, ports, i, pod)
	return older == nil && number == 0 || older != nil && number == older.ContainerPort
}

// predecessor returns the pod's port that is for the same as the i-th port, or nil: what the Service's port of the name
// targets, or what its port of the number does, on which clients rely; else what has the name or the number in the pod, or is
// the only one left.
func predecessor(in Inputs, ports []port, i int, pod []corev1.ContainerPort) *corev1.ContainerPort {
	desired := ports[i]
	if older := byServiceName(in, desired, pod); older != nil {
		return older
	}
	for _, served := range in.ServicePorts {
		if served.Port == desired.served && served.Protocol == desired.protocol {
			if older := find(pod, served.TargetPort, served.Protocol); older != nil {
				return older
			}
		}
	}
	free := unclaimed(in, ports, i, pod)
	for _, key := range []intstr.IntOrString{intstr.FromString(desired.name), intstr.FromInt32(desired.number)} {
		if older := find(free, key, desired.protocol); older != nil {
			return older
		}
	}
	return onlyOneLeft(ports, i, pod, free)
}

// byServiceName returns the pod's port that the Service's port of this name targets, or nil.
func byServiceName(in Inputs, desired port, pod []corev1.ContainerPort) *corev1.ContainerPort {
	for _, served := range in.ServicePorts {
		if served.Name == desired.name && served.Protocol == desired.protocol {
			return find(pod, served.TargetPort, served.Protocol)
		}
	}
	return nil
}

// unclaimed returns the pod's ports that are for no other port than the i-th.
func unclaimed(in Inputs, ports []port, i int, pod []corev1.ContainerPort) []corev1.ContainerPort {
	var free []corev1.ContainerPort
	for _, candidate := range pod {
		claimed := false
		for j, other := range ports {
			older := byServiceName(in, other, pod)
			claimed = claimed || j != i && older != nil && older.Name == candidate.Name
		}
		if !claimed {
			free = append(free, candidate)
		}
	}
	return free
}

// onlyOneLeft returns the free port of a pod if it is the only one that is not desired any more, the i-th is the only one that
// the pod has not, and one of the two is all there is or the main port: it has moved. Otherwise it returns nil: a port that
// goes and one that comes have nothing to do with each other.
func onlyOneLeft(ports []port, i int, pod, free []corev1.ContainerPort) *corev1.ContainerPort {
	desired := ports[i]
	for j, other := range ports {
		if j != i && other.protocol == desired.protocol && !has(pod, other) {
			return nil
		}
	}
	left := slices.DeleteFunc(free, func(candidate corev1.ContainerPort) bool {
		return candidate.Protocol != desired.protocol || slices.ContainsFunc(ports, func(other port) bool {
			return other.name == candidate.Name || other.number == candidate.ContainerPort && other.protocol == candidate.Protocol
		})
	})
	if len(left) != 1 {
		return nil
	}
	if !isMain(ports, desired, left[0].Name) && (len(pod) > 1 || len(ports) > 1) {
		return nil
	}
	return &left[0]
}

// isMain reports whether a desired port is the main one, or the older port of the name in a pod was. Where there is no main port
// any more, only its usual name tells.
func isMain(ports []port, desired port, older string) bool {
	if ports[0].main {
		return desired.main
	}
	return desired.name == DefaultPortName || older == DefaultPortName
}

// has reports whether the pod has a port of the name or the number.
func has(pod []corev1.ContainerPort, desired port) bool {
	return find(pod, intstr.FromString(desired.name), desired.protocol) != nil ||
		find(pod, intstr.FromInt32(desired.number), desired.protocol) != nil
}

// find returns the port of the name or number, or nil.
func find(pod []corev1.ContainerPort, key intstr.IntOrString, protocol corev1.Protocol) *corev1.ContainerPort {
	for i, candidate := range pod {
		if candidate.Protocol != protocol {
			continue
		}
		if key.Type == intstr.String && candidate.Name == key.StrVal || key.Type == intstr.Int && candidate.ContainerPort == key.IntVal {
			return &pod[i]
		}
	}
	return nil
}

// namesInPods returns the names by which pods know what the spec calls so: the new ones, and those that there are.
func namesInPods(in Inputs, ports []port, name string) []string {
	at := slices.IndexFunc(ports, func(port port) bool { return port.name == name })
	if at < 0 {
		return []string{name}
	}
	names := []string{ports[at].containerName}
	for _, pod := range in.PodPorts {
		if older := predecessor(in, ports, at, pod); older != nil && older.Name != "" && !slices.Contains(names, older.Name) {
			names = append(names, older.Name)
		}
	}
	return names
}

// portNamed returns the name by which the container knows what the spec calls so: a probe may ask there.
func portNamed(ports []port, name string) string {
	for _, port := range ports {
		if port.name == name {
			return port.containerName
		}
	}
	return name
}
