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
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/resources"
)

// everybody are the peers that a rule without peers means.
func everybody() []networkingv1.NetworkPolicyPeer {
	return []networkingv1.NetworkPolicyPeer{
		{NamespaceSelector: &metav1.LabelSelector{}}, {IPBlock: &networkingv1.IPBlock{CIDR: "0.0.0.0/0"}}, {IPBlock: &networkingv1.IPBlock{CIDR: "::/0"}},
	}
}

// readNetworkPolicy reads a policy of these pods. Several of them are one: what any of them allows is allowed.
func (w *workload) readNetworkPolicy(doc *document) {
	spec := doc.root().in("spec")
	if w.ownedByApplication(doc) && doc.name == w.app.Name+"-jobs" {
		doc.forget() // the operator makes it of the other
		return
	}
	if !w.isAbout(doc, spec.fields["podSelector"]) {
		return
	}
	w.policySelectors = append(w.policySelectors, spec.fields["podSelector"])
	w.plainCompanion(doc)
	spec.drop("podSelector")
	types := mustList[networkingv1.PolicyType](spec, "policyTypes")
	if len(types) == 0 {
		types = append(types, networkingv1.PolicyTypeIngress)
		if spec.has("egress") {
			types = append(types, networkingv1.PolicyTypeEgress)
		}
	}
	policy := w.app.Spec.NetworkPolicy
	if policy == nil {
		policy = &v1.NetworkPolicySpec{Ingress: v1.NetworkUnrestricted, Egress: v1.NetworkUnrestricted}
		w.app.Spec.NetworkPolicy = policy
	}
	if slices.Contains(types, networkingv1.PolicyTypeIngress) && policy.Ingress != "everybody" {
		policy.Ingress = ""
		w.readIngressRules(spec, policy)
	}
	if slices.Contains(types, networkingv1.PolicyTypeEgress) && policy.Egress != "everybody" {
		policy.Egress = ""
		w.readEgressRules(spec, policy)
	}
	for _, direction := range []string{"ingress", "egress"} {
		if list, ok := spec.fields[direction].([]any); ok && len(list) == 0 {
			spec.drop(direction) // nobody
		}
	}
}

// isAbout reports whether a policy or a budget is about these pods alone, as far as one can see: it has their Deployment's or Service's
// selector, or one that asks for more than the Deployment's, or the name of one of the two.
func (w *workload) isAbout(doc *document, selector any) bool {
	if !w.selects(selector) {
		return false
	}
	own, _ := w.doc.original["spec"].(map[string]any)
	if narrows(selector, own["selector"]) || doc.name == w.doc.name || doc.name == w.app.Name {
		return true
	}
	if w.service == nil {
		return false
	}
	spec, _ := w.service.original["spec"].(map[string]any)
	return same(selector, map[string]any{"matchLabels": spec["selector"]})
}

// narrows reports whether a selector asks for all that another one asks for.
func narrows(selector, other any) bool {
	if same(selector, other) {
		return true
	}
	given, _, err := decode[metav1.LabelSelector](selector)
	of, _, otherErr := decode[metav1.LabelSelector](other)
	if err != nil || otherErr != nil || len(of.MatchLabels) == 0 || len(of.MatchExpressions) > 0 {
		return false
	}
	for key, value := range of.MatchLabels {
		if found, ok := given.MatchLabels[key]; !ok || found != value {
			return false
		}
	}
	return true
}

func (w *workload) readIngressRules(spec part, policy *v1.NetworkPolicySpec) {
	for _, rule := range spec.list("ingress") {
		parsed, ok := whole[networkingv1.NetworkPolicyIngressRule](rule)
		if !ok {
			continue
		}
		if len(parsed.From)+len(parsed.Ports) == 0 {
			policy.Ingress, policy.IngressFrom = "everybody", nil
			spec.drop("ingress")
			return
		}
		for i := range parsed.Ports {
			if port := parsed.Ports[i].Port; port != nil && port.Type == intstr.String {
				parsed.Ports[i].Port = new(w.portNamed(port.StrVal))
			}
		}
		policy.IngressFrom = append(policy.IngressFrom, w.peers(rule, "from", parsed.From, parsed.Ports)...)
	}
	spec.drop("ingress")
}

func (w *workload) readEgressRules(spec part, policy *v1.NetworkPolicySpec) {
	for _, rule := range spec.list("egress") {
		parsed, ok := whole[networkingv1.NetworkPolicyEgressRule](rule)
		if !ok || isDNS(parsed.Ports) {
			continue // names may be asked for in any case
		}
		if len(parsed.To)+len(parsed.Ports) == 0 {
			policy.Egress, policy.EgressTo = "everybody", nil
			spec.drop("egress")
			return
		}
		policy.EgressTo = append(policy.EgressTo, w.peers(rule, "to", parsed.To, parsed.Ports)...)
	}
	spec.drop("egress")
}

// isDNS reports whether ports are those at which names are asked for, and no others.
func isDNS(ports []networkingv1.NetworkPolicyPort) bool {
	return len(ports) > 0 && !slices.ContainsFunc(ports, func(port networkingv1.NetworkPolicyPort) bool {
		protocol := ptr.Deref(port.Protocol, corev1.ProtocolTCP)
		return protocol != corev1.ProtocolTCP && protocol != corev1.ProtocolUDP || port.Port == nil || port.EndPort != nil || port.Port.IntVal != 53 && port.Port.IntVal != 5353
	})
}

// peers returns the peers of a rule with its ports.
func (w *workload) peers(rule part, name string, peers []networkingv1.NetworkPolicyPeer, ports []networkingv1.NetworkPolicyPort) []v1.NetworkPeer {
	allowed := make([]v1.NetworkPort, 0, len(ports))
	for _, port := range ports {
		next := v1.NetworkPort{Port: port.Port, EndPort: port.EndPort}
		if port.Protocol != nil && *port.Protocol != corev1.ProtocolTCP {
			next.Protocol = *port.Protocol
		}
		allowed = append(allowed, next)
	}
	if len(peers) == 0 {
		peers = everybody()
	}
	var all []v1.NetworkPeer
	for _, peer := range peers {
		next, why := networkPeer(peer)
		if why != "" {
			rule.note(name, peer, why+"; nothing is allowed for it here, so give the Application's policy another peer, or keep a NetworkPolicy of your own for it")
			continue
		}
		if len(allowed) > 0 {
			next.Ports = allowed
		}
		all = append(all, next)
	}
	return all
}

// networkPeer returns a peer, or why there is no such peer.
func networkPeer(of networkingv1.NetworkPolicyPeer) (v1.NetworkPeer, string) {
	peer := v1.NetworkPeer{}
	if of.IPBlock != nil {
		if len(of.IPBlock.Except) > 0 {
			return peer, "a range of addresses has no exceptions"
		}
		peer.CIDR = network(of.IPBlock.CIDR)
		return peer, ""
	}
	for _, selector := range []*metav1.LabelSelector{of.PodSelector, of.NamespaceSelector} {
		if selector != nil && len(selector.MatchExpressions) > 0 {
			return peer, "a peer is found by labels that it has, and not by expressions"
		}
	}
	if of.PodSelector != nil {
		peer.PodLabels = orEmpty(of.PodSelector.MatchLabels)
	}
	if of.NamespaceSelector != nil {
		peer.NamespaceLabels = orEmpty(of.NamespaceSelector.MatchLabels)
	}
	return peer, ""
}

// network returns a range of addresses by its first one. Kubernetes takes any of them.
func network(cidr string) string {
	prefix, err := netip.ParsePrefix(strings.TrimSpace(cidr))
	if err != nil {
		return cidr
	}
	return prefix.Masked().String()
}

func orEmpty(labels map[string]string) map[string]string {
	if labels == nil {
		return map[string]string{}
	}
	return labels
}

// finishNetworkPolicy says which directions are left alone.
func (w *workload) finishNetworkPolicy() {
	policy := w.app.Spec.NetworkPolicy
	if policy == nil {
		return
	}
	for _, direction := range []*v1.NetworkDirection{&policy.Ingress, &policy.Egress} {
		if *direction == "everybody" {
			*direction = v1.NetworkUnrestricted
		}
	}
	if policy.Ingress == v1.NetworkUnrestricted && policy.Egress == v1.NetworkUnrestricted {
		w.app.Spec.NetworkPolicy = nil
	}
}

// readMonitor reads the ServiceMonitor of the Service, if it is one that an Application can have. Otherwise it stays what it is.
func (w *workload) readMonitor(doc *document) {
	spec := doc.root().in("spec")
	if w.service == nil || !w.selectsService(spec.fields["selector"]) {
		return
	}
	endpoints := spec.list("endpoints")
	keep := func(why string) {
		doc.keep(why + "; keep it as an object of its own. It has to find the Service by labels, and those of spec.objectMetadata.labels are the Service's too")
	}
	if len(endpoints) != 1 || w.app.Spec.Monitoring != nil {
		keep("spec.monitoring is one endpoint")
		return
	}
	endpoint := endpoints[0]
	for _, name := range slices.Sorted(maps.Keys(endpoint.fields)) {
		if !slices.Contains([]string{"port", "path", "interval", "scheme"}, name) {
			keep("spec.monitoring has no " + name)
			return
		}
	}
	if interval, err := time.ParseDuration(endpoint.peek("interval")); err == nil && interval < minInterval {
		keep("spec.monitoring asks every " + minInterval.String() + " at most")
		return
	}
	spec.in("namespaceSelector").dropIf("matchNames", []any{w.app.Namespace})
	for _, name := range slices.Sorted(maps.Keys(spec.fields)) {
		value := spec.fields[name]
		empty := name == "namespaceSelector" && len(spec.in(name).fields) == 0
		if name != "selector" && name != "endpoints" && !empty {
			keep("spec.monitoring has no " + name + " (" + short(value) + ")")
			return
		}
	}
	w.readEndpoint(endpoint, doc)
	doc.root().drop("spec")
}

// minInterval is the shortest of spec.monitoring.
const minInterval = 5 * time.Second

// readEndpoint takes what a ServiceMonitor says that an Application can say.
func (w *workload) readEndpoint(endpoint part, doc *document) {
	monitoring := &v1.MonitoringSpec{Path: endpoint.text("path"), Interval: endpoint.text("interval"), Scheme: strings.ToLower(endpoint.text("scheme"))}
	port := endpoint.text("port")
	at := slices.IndexFunc(w.ports, func(entry *portEntry) bool { return entry.hasService && entry.serviceName == port })
	if at >= 0 {
		monitoring.Port = w.ports[at].name
	} else {
		endpoint.note("port", port, "the Service has no port of this name, and nothing was read; spec.monitoring reads its main port")
	}
	if monitoring.Path != "" && !strings.HasPrefix(monitoring.Path, "/") {
		monitoring.Path = "/" + monitoring.Path
	}
	if monitoring.Path == "/metrics" {
		monitoring.Path = ""
	}
	if monitoring.Interval == "30s" {
		monitoring.Interval = ""
	}
	if monitoring.Port == resources.DefaultPortName {
		monitoring.Port = ""
	}
	w.ownObject(doc)
	metadata := doc.root().in("metadata")
	labels := w.labels(metadata)
	for key, value := range labels {
		if common := w.app.Spec.ObjectMetadata; common != nil && common.Labels[key] == value {
			delete(labels, key)
		}
	}
	monitoring.Labels = orNil(labels)
	annotations := w.ownAnnotations(metadata)
	for _, key := range slices.Sorted(maps.Keys(annotations)) {
		metadata.note("annotations["+key+"]", annotations[key], "a ServiceMonitor has the annotations of spec.objectMetadata.annotations")
	}
	w.app.Spec.Monitoring = monitoring
}

// selectsService reports whether a selector finds the Service.
func (w *workload) selectsService(selector any) bool {
	metadata, _ := w.service.original["metadata"].(map[string]any)
	found := &workload{podLabels: stringMap(metadata["labels"])}
	return found.selects(selector)
}
