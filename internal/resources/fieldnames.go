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
	"fmt"
	"regexp"
	"strings"

	"k8s.io/utils/ptr"

	v1 "github.com/example/app-operator/api/v1"
)

// FieldNames say what the fields of a child are called in the Application that it is made for, so that a refusal of the child can
// be told in the user's words.
type FieldNames []fieldName

// fieldName is the name of one field. A name in the Application that ends with * is one below which all names are the same, and
// one that ends with ! is not that of anything below. Of any other, what is below is a part that has no name in the Application.
type fieldName struct{ child, application string }

// named adds names of what is below a field of the child and one of the Application.
func (n FieldNames) named(child, application string, names ...fieldName) FieldNames {
	for _, name := range names {
		n = append(n, fieldName{child + name.child, application + name.application})
	}
	return n
}

// item adds the names of what is below an item of a list. The API server may tell it by its index or by its key.
func (n FieldNames) item(list string, index int, key, application string, names ...fieldName) FieldNames {
	n = n.named(fmt.Sprintf("%s[%d]", list, index), application, names...)
	if key != "" {
		n = n.named(list+"["+key+"]", application, names...)
	}
	return n
}

// of returns the name in the Application of a field of the child, or "" if it has none: by the name that says most.
func (n FieldNames) of(path string) string {
	var best fieldName
	for _, name := range n {
		rest, below := strings.CutPrefix(path, name.child)
		if !below || rest != "" && rest[0] != '.' && rest[0] != '[' {
			continue
		}
		if len(name.child) >= len(best.child) && (rest == "" || !strings.HasSuffix(name.application, "!")) {
			best = name
		}
	}
	if same, all := strings.CutSuffix(best.application, "*"); all {
		return same + path[len(best.child):]
	}
	return strings.TrimSuffix(best.application, "!")
}

// fieldPath finds what is quoted, which is left as it is, and the paths of fields in the forms in which API servers and policies
// write them: spec.ports[0].name, .spec.ports[port=80,protocol="TCP"].name and /spec/ports/0/name.
var fieldPath = regexp.MustCompile(`"(?:[^"\\]|\\.)*"` +
	`|(^|[\s(\[{,;:=])(\.?\b(?:spec|metadata)(?:\.[A-Za-z][\w-]*|\[[^\]]*\])+|/(?:spec|metadata)(?:/[\w.~-]*[\w~-])+/?)`)

// InUsersWords returns what is said about a child with its fields called as the Application calls them. A field that has no name
// there is said to be the owner's.
func (n FieldNames) InUsersWords(words, owner string) string {
	return fieldPath.ReplaceAllStringFunc(words, func(found string) string {
		if strings.HasPrefix(found, `"`) {
			return found
		}
		at := strings.IndexAny(found, "./sm")
		path := canonical(found[at:])
		if name := n.of(path); name != "" {
			return found[:at] + name
		}
		return found[:at] + owner + "'s " + path
	})
}

var index = regexp.MustCompile(`^\d+$`)

// canonical returns the path of a field as the API server's validation writes it.
func canonical(path string) string {
	if !strings.HasPrefix(path, "/") {
		return strings.TrimPrefix(path, ".")
	}
	var dotted strings.Builder
	for part := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		switch {
		case index.MatchString(part), strings.ContainsAny(part, "./"):
			dotted.WriteString("[" + part + "]")
		case dotted.Len() > 0:
			dotted.WriteString("." + part)
		default:
			dotted.WriteString(part)
		}
	}
	return dotted.String()
}

// keyed returns the key of a list's item as the API server writes it.
func keyed(field, value string) string { return fmt.Sprintf("%s=%q", field, value) }

// objectFields names the fields that every object has.
func objectFields() FieldNames { return annotatedFields(nil, "") }

// annotatedFields is objectFields for a kind that has annotations of its own in the Application. Where it has some, they are to
// blame: what is wrong with those of all objects is told of the first object already.
func annotatedFields(own map[string]string, field string) FieldNames {
	if len(own) == 0 {
		field = "spec.objectMetadata.annotations"
	}
	return FieldNames{
		{"metadata.name", "metadata.name"},
		{"metadata.labels", "spec.objectMetadata.labels*"},
		{"metadata.annotations", field + "*"},
	}
}

// ServiceAccountFields names the fields of the ServiceAccount.
func ServiceAccountFields(app *v1.Application) FieldNames {
	account := ptr.Deref(app.Spec.ServiceAccount, v1.ServiceAccountSpec{})
	return append(annotatedFields(account.Annotations, "spec.serviceAccount.annotations"),
		fieldName{"automountServiceAccountToken", "spec.serviceAccount.automountToken"})
}

// NetworkPolicyFields names the fields of the NetworkPolicy.
func NetworkPolicyFields(app *v1.Application) FieldNames {
	names := objectFields()
	policy := app.Spec.NetworkPolicy
	if policy == nil {
		return names
	}
	peer := []fieldName{
		{"", ""},
		{".ipBlock", ".cidr"},
		{".podSelector", ".podLabels"},
		{".podSelector.matchLabels", ".podLabels*"},
		{".namespaceSelector", ".namespaceLabels"},
		{".namespaceSelector.matchLabels", ".namespaceLabels*"},
	}
	types := 0
	for _, direction := range []struct{ set, field string }{
		{string(policy.Ingress), "spec.networkPolicy.ingress"}, {string(policy.Egress), "spec.networkPolicy.egress"},
	} {
		if direction.set != string(v1.NetworkUnrestricted) {
			names = append(names, fieldName{fmt.Sprintf("spec.policyTypes[%d]", types), direction.field})
			types++
		}
	}
	names = append(names, peerFields("spec.ingress", 0, "from", "spec.networkPolicy.ingressFrom", policy.IngressFrom, peer)...)
	// After the rule for DNS.
	return append(names, peerFields("spec.egress", 1, "to", "spec.networkPolicy.egressTo", policy.EgressTo, peer)...)
}

// peerFields names the fields of the peers, of which those without ports are in one rule, and each of the others in its own.
func peerFields(rules string, first int, list, field string, of []v1.NetworkPeer, peer []fieldName) FieldNames {
	var names FieldNames
	next, together := first, 0
	if toAll, _ := peersByPorts(of); len(toAll) > 0 {
		next++
	}
	for i := range of {
		own := fmt.Sprintf("%s[%d]", field, i)
		if len(of[i].Ports) == 0 {
			names = names.item(fmt.Sprintf("%s[%d].%s", rules, first, list), together, "", own, peer...)
			together++
			continue
		}
		rule := fmt.Sprintf("%s[%d]", rules, next)
		names = append(names, fieldName{rule, own}, fieldName{rule + ".ports", own + ".ports*"})
		names = names.item(rule+"."+list, 0, "", own, peer...)
		next++
	}
	return names
}

// ServiceFields names the fields of the Service.
func ServiceFields(app *v1.Application) FieldNames {
	service := ptr.Deref(app.Spec.Service, v1.ServiceSpec{})
	names := append(annotatedFields(service.Annotations, "spec.service.annotations"), FieldNames{
		{"spec.type", "spec.service.type"},
		{"spec.externalTrafficPolicy", "spec.service.externalTrafficPolicy"},
		{"spec.internalTrafficPolicy", "spec.service.internalTrafficPolicy"},
		{"spec.sessionAffinity", "spec.service.sessionAffinity"},
		{"spec.loadBalancerClass", "spec.service.loadBalancerClass"},
		{"spec.loadBalancerSourceRanges", "spec.service.loadBalancerSourceRanges*"},
		// The API server's own spelling.
		{"spec.LoadBalancerSourceRanges", "spec.service.loadBalancerSourceRanges*"},
		{"spec.ports", "spec.additionalPorts!"},
	}...)
	i := 0
	if app.Spec.Port != nil {
		key := fmt.Sprintf("port=%d,protocol=%q", mainServicePort(app), "TCP")
		names = names.item("spec.ports", i, key, "", fieldName{"", "spec.port"}, fieldName{".port", servicePortName(app)},
			fieldName{".name", "spec.portName"}, fieldName{".appProtocol", "spec.appProtocol"}, fieldName{".nodePort", "spec.service.nodePort"})
		i++
	}
	for j, port := range app.Spec.AdditionalPorts {
		served, servedBy := port.Port, ".port"
		if port.ServicePort != nil {
			served, servedBy = *port.ServicePort, ".servicePort"
		}
		key := fmt.Sprintf("port=%d,protocol=%q", served, protocolOf(port.Protocol))
		names = names.item("spec.ports", i+j, key, fmt.Sprintf("spec.additionalPorts[%d]", j), fieldName{"", ""},
			fieldName{".name", ".name"}, fieldName{".port", servedBy}, fieldName{".targetPort", ".port"},
			fieldName{".protocol", ".protocol"}, fieldName{".appProtocol", ".appProtocol"}, fieldName{".nodePort", ".nodePort"})
	}
	return names
}

// servicePortName returns the field that says where the Service serves spec.port.
func servicePortName(app *v1.Application) string {
	if app.Spec.Service != nil && app.Spec.Service.Port != nil {
		return "spec.service.port"
	}
	return "spec.port"
}

// HorizontalPodAutoscalerFields names the fields of the HorizontalPodAutoscaler.
func HorizontalPodAutoscalerFields(app *v1.Application) FieldNames {
	names := append(objectFields(), FieldNames{
		{"spec.minReplicas", "spec.autoscaling.minReplicas"},
		{"spec.maxReplicas", "spec.autoscaling.maxReplicas"},
		{"spec.metrics", "spec.autoscaling.metrics!"},
		{"spec.behavior", "spec.autoscaling.behavior*"},
	}...)
	autoscaling := app.Spec.Autoscaling
	if autoscaling == nil {
		return names
	}
	i := 0
	cpu, memory := autoscaling.TargetCPUUtilizationPercentage, autoscaling.TargetMemoryUtilizationPercentage
	if cpu != nil || memory == nil && len(autoscaling.Metrics) == 0 {
		names = names.item("spec.metrics", i, "", "spec.autoscaling.targetCPUUtilizationPercentage", fieldName{})
		i++
	}
	if memory != nil {
		names = names.item("spec.metrics", i, "", "spec.autoscaling.targetMemoryUtilizationPercentage", fieldName{})
		i++
	}
	for j := range autoscaling.Metrics {
		names = names.item("spec.metrics", i+j, "", fmt.Sprintf("spec.autoscaling.metrics[%d]*", j), fieldName{})
	}
	return names
}

// PodDisruptionBudgetFields names the fields of the PodDisruptionBudget.
func PodDisruptionBudgetFields(*v1.Application) FieldNames {
	return append(objectFields(), FieldNames{
		{"spec.maxUnavailable", "spec.disruptionBudget.maxUnavailable"},
		{"spec.minAvailable", "spec.disruptionBudget.minAvailable"},
	}...)
}

// IngressFields names the fields of the Ingress.
func IngressFields(app *v1.Application) FieldNames {
	of := ptr.Deref(app.Spec.Ingress, v1.IngressSpec{})
	names := append(annotatedFields(of.Annotations, "spec.ingress.annotations"), FieldNames{
		{"spec.ingressClassName", "spec.ingress.className"},
		{"spec.tls", "spec.ingress.tls"},
		{"spec.tls[0].secretName", "spec.ingress.tlsSecretName"},
		{"spec.tls[0].hosts", "spec.ingress.host"},
	}...)
	ingress := app.Spec.Ingress
	if ingress == nil {
		return names
	}
	hosts, paths := map[string]int{}, map[string]int{} // which rule is a host's, and how many paths it has
	secured := 0
	add := func(host, field, port string) {
		if _, known := hosts[host]; !known {
			hosts[host] = len(hosts)
			names = append(names, fieldName{fmt.Sprintf("spec.rules[%d].host", hosts[host]), field + ".host"})
			if host != "" {
				names = append(names, fieldName{fmt.Sprintf("spec.tls[0].hosts[%d]", secured), field + ".host"})
				secured++
			}
		}
		names = names.item(fmt.Sprintf("spec.rules[%d].http.paths", hosts[host]), paths[host], "", "", fieldName{"", field},
			fieldName{".path", field + ".path"}, fieldName{".pathType", field + ".pathType"}, fieldName{".backend", port})
		paths[host]++
	}
	add(ingress.Host, "spec.ingress", "spec.port")
	for i, rule := range ingress.AdditionalRules {
		field := fmt.Sprintf("spec.ingress.additionalRules[%d]", i)
		add(cmp.Or(rule.Host, ingress.Host), field, field+".port")
	}
	return names
}

// HTTPRouteFields names the fields of the HTTPRoute.
func HTTPRouteFields(app *v1.Application) FieldNames {
	route := ptr.Deref(app.Spec.HTTPRoute, v1.HTTPRouteSpec{})
	return append(annotatedFields(route.Annotations, "spec.httpRoute.annotations"), FieldNames{
		{"spec.parentRefs", "spec.httpRoute.parentRefs*"},
		{"spec.hostnames", "spec.httpRoute.hostnames*"},
		{"spec.rules[0].matches[0].path", "spec.httpRoute.path"},
		{"spec.rules[0].backendRefs[0].port", servicePortName(app)},
	}...)
}

// ServiceMonitorFields names the fields of the ServiceMonitor.
func ServiceMonitorFields(app *v1.Application) FieldNames {
	names := objectFields()
	if monitoring := app.Spec.Monitoring; monitoring != nil && len(monitoring.Labels) > 0 {
		names = append(names, fieldName{"metadata.labels", "spec.monitoring.labels*"})
	}
	return append(names, FieldNames{
		{"spec.endpoints[0].scheme", "spec.monitoring.scheme"},
		{"spec.endpoints[0].port", "spec.monitoring.port"},
		{"spec.endpoints[0].path", "spec.monitoring.path"},
		{"spec.endpoints[0].interval", "spec.monitoring.interval"},
	}...)
}
