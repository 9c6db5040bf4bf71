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
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	v1 "github.com/example/app-operator/api/v1"
)

// AnnotationPortNames remembers, on a Service that was taken over, the names of its ports that are not the spec's, as
// "80/TCP=web,443/TCP=". Without it they get the spec's names.
const AnnotationPortNames = "apps.example.com/port-names"

// WithService returns the inputs with what the Application's Service says of its ports. A port whose name was kept is told under the
// name that it has in the spec, by which ports are known to all else.
func (in Inputs) WithService(service *corev1.Service) Inputs {
	in.PortNames = parsePortNames(service.Annotations[AnnotationPortNames])
	in.ServicePorts = slices.Clone(service.Spec.Ports)
	for _, desired := range specPorts(in.Application) {
		kept, ok := in.PortNames[portKey(desired.served, desired.protocol)]
		for i := range in.ServicePorts {
			live := &in.ServicePorts[i]
			if ok && live.Port == desired.served && protocolOf(live.Protocol) == desired.protocol && live.Name == kept {
				live.Name = desired.name
			}
		}
	}
	return in
}

// KeepingPortNames returns the inputs by which the Service keeps the names that its ports have.
func (in Inputs) KeepingPortNames(live []corev1.ServicePort) Inputs {
	in.PortNames = map[string]string{}
	for _, port := range live {
		in.PortNames[portKey(port.Port, protocolOf(port.Protocol))] = port.Name
	}
	return in
}

// servedNames returns the names of the Service's ports by those that they have in the spec, and which of them are kept, as
// AnnotationPortNames has them.
func servedNames(in Inputs) (names map[string]string, kept string) {
	ports := specPorts(in.Application)
	names = make(map[string]string, len(ports))
	for _, port := range ports {
		names[port.name] = port.name
	}
	var entries []string
	for _, port := range ports {
		key := portKey(port.served, port.protocol)
		name, ok := in.PortNames[key]
		if !ok || name == port.name || !canBeNamed(name, ports, names) {
			continue
		}
		names[port.name] = name
		entries = append(entries, key+"="+name)
	}
	return names, strings.Join(entries, ",")
}

// canBeNamed reports whether a port may have this name, where the others have theirs. A Service with one port need not name it.
func canBeNamed(name string, ports []port, names map[string]string) bool {
	if name == "" {
		return len(ports) == 1
	}
	taken := slices.Collect(maps.Values(names))
	return len(validation.IsDNS1123Label(name)) == 0 && !slices.Contains(taken, name)
}

// parsePortNames reads what the annotation says. What is wrong in it is left out.
func parsePortNames(annotation string) map[string]string {
	names := map[string]string{}
	for entry := range strings.SplitSeq(annotation, ",") {
		if key, name, ok := strings.Cut(entry, "="); ok {
			names[key] = name
		}
	}
	return names
}

func portKey(number int32, protocol corev1.Protocol) string {
	return fmt.Sprintf("%d/%s", number, protocol)
}

// ServedName returns what the Service calls the port that has this name in the spec.
func ServedName(app *v1.Application, service *corev1.Service, name string) string {
	names, _ := servedNames(Inputs{Application: app}.WithService(service))
	if served, ok := names[name]; ok {
		return served
	}
	return name
}

// LiveClaimOf returns what a claim says of itself that is to be made the Application's.
func LiveClaimOf(claim *corev1.PersistentVolumeClaim) *LiveClaim {
	return &LiveClaim{Size: claim.Spec.Resources.Requests[corev1.ResourceStorage], AccessModes: claim.Spec.AccessModes}
}

// WithClaim returns the inputs with one more claim that was made for the Application.
func (in Inputs) WithClaim(name string, claim *LiveClaim) Inputs {
	claims := maps.Clone(in.Claims)
	if claims == nil {
		claims = map[string]*LiveClaim{}
	}
	claims[name] = claim
	in.Claims = claims
	return in
}
