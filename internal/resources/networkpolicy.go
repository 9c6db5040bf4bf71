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
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	networkingv1ac "k8s.io/client-go/applyconfigurations/networking/v1"

	v1 "github.com/example/app-operator/api/v1"
)

// dnsPorts are where names are asked for: at Services and node-local caches, and at the pods of OpenShift's DNS, which
// some network plugins compare instead.
var dnsPorts = []int32{53, 5353}

// NetworkPolicy returns the policies that let only the listed peers talk to the pods and the pods to the listed peers: one for
// the application's pods, and one with the same rules for those of its Jobs. There are none where none is asked for.
func NetworkPolicy(in Inputs) ([]*networkingv1ac.NetworkPolicyApplyConfiguration, error) {
	policy := networkPolicy(in)
	if policy == nil {
		return nil, nil
	}
	if !hasJobs(in) {
		return []*networkingv1ac.NetworkPolicyApplyConfiguration{policy}, nil
	}
	jobs := networkPolicy(in).WithName(jobsPolicyName(in.Application))
	jobs.Spec.WithPodSelector(metav1ac.LabelSelector().WithMatchLabels(map[string]string{LabelApplication: in.Application.Name}))
	return []*networkingv1ac.NetworkPolicyApplyConfiguration{policy, jobs}, nil
}

// jobsPolicyName returns the name of the policy of the Application's Jobs.
func jobsPolicyName(app *v1.Application) string { return app.Name + "-jobs" }

// hasJobs reports whether the Application has Jobs, or is to have some.
func hasJobs(in Inputs) bool {
	return in.JobsRemain || len(in.Application.Spec.Schedules) > 0 || in.Application.Spec.Release != nil
}

// NetworkPolicyNames returns the names of the policies.
func NetworkPolicyNames(in Inputs) []string {
	app := in.Application
	policy := app.Spec.NetworkPolicy
	switch {
	case policy == nil, policy.Ingress == v1.NetworkUnrestricted && policy.Egress == v1.NetworkUnrestricted:
		return nil
	case !hasJobs(in):
		return []string{app.Name}
	default:
		return []string{app.Name, jobsPolicyName(app)}
	}
}

// networkPolicy returns the policy for the application's pods, or nil.
func networkPolicy(in Inputs) *networkingv1ac.NetworkPolicyApplyConfiguration {
	app := in.Application
	policy := app.Spec.NetworkPolicy
	if policy == nil {
		return nil
	}
	spec := networkingv1ac.NetworkPolicySpec().
		WithPodSelector(metav1ac.LabelSelector().WithMatchLabels(Labels(app.Name)))
	if policy.Ingress != v1.NetworkUnrestricted {
		spec.WithPolicyTypes(networkingv1.PolicyTypeIngress).WithIngress(ingressFrom(in)...)
	}
	if policy.Egress != v1.NetworkUnrestricted {
		spec.WithPolicyTypes(networkingv1.PolicyTypeEgress).WithEgress(toDNS()).WithEgress(egressTo(policy.EgressTo)...)
	}
	if len(spec.PolicyTypes) == 0 { // without types, it would restrict what gets in
		return nil
	}
	return networkingv1ac.NetworkPolicy(app.Name, app.Namespace).
		WithLabels(objectLabels(app)).
		WithAnnotations(objectAnnotations(app)).
		WithAnnotations(ownerMark(app)).
		WithOwnerReferences(owners(app)...).
		WithSpec(spec)
}

func toDNS() *networkingv1ac.NetworkPolicyEgressRuleApplyConfiguration {
	rule := networkingv1ac.NetworkPolicyEgressRule()
	for _, port := range dnsPorts {
		for _, protocol := range []corev1.Protocol{corev1.ProtocolUDP, corev1.ProtocolTCP} {
			rule.WithPorts(networkingv1ac.NetworkPolicyPort().WithProtocol(protocol).WithPort(intstr.FromInt32(port)))
		}
	}
	return rule
}

// ingressFrom returns a rule for the peers that may connect to all ports, if there are any, and one for each of the others: without
// peers, a rule would let in everybody.
func ingressFrom(in Inputs) []*networkingv1ac.NetworkPolicyIngressRuleApplyConfiguration {
	var rules []*networkingv1ac.NetworkPolicyIngressRuleApplyConfiguration
	toAll, toSome := peersByPorts(in.Application.Spec.NetworkPolicy.IngressFrom)
	if len(toAll) > 0 {
		rules = append(rules, networkingv1ac.NetworkPolicyIngressRule().WithFrom(peers(toAll)...))
	}
	ports := portsOf(in)
	for _, peer := range toSome {
		rule := networkingv1ac.NetworkPolicyIngressRule().WithFrom(peers([]v1.NetworkPeer{peer})...)
		for _, port := range peer.Ports {
			if port.Port == nil || port.Port.Type != intstr.String {
				rule.WithPorts(policyPort(port))
				continue
			}
			// The pods may have another name for the port than the spec (decision 0024).
			for _, name := range namesInPods(in, ports, port.Port.StrVal) {
				rule.WithPorts(policyPort(port).WithPort(intstr.FromString(name)))
			}
		}
		rules = append(rules, rule)
	}
	return rules
}

// egressTo is ingressFrom for the other direction. The names of ports are those of others' pods.
func egressTo(of []v1.NetworkPeer) []*networkingv1ac.NetworkPolicyEgressRuleApplyConfiguration {
	var rules []*networkingv1ac.NetworkPolicyEgressRuleApplyConfiguration
	toAll, toSome := peersByPorts(of)
	if len(toAll) > 0 {
		rules = append(rules, networkingv1ac.NetworkPolicyEgressRule().WithTo(peers(toAll)...))
	}
	for _, peer := range toSome {
		rule := networkingv1ac.NetworkPolicyEgressRule().WithTo(peers([]v1.NetworkPeer{peer})...)
		for _, port := range peer.Ports {
			rule.WithPorts(policyPort(port))
		}
		rules = append(rules, rule)
	}
	return rules
}

// peersByPorts returns the peers for which all ports are meant, and those for which some are.
func peersByPorts(of []v1.NetworkPeer) (all, some []v1.NetworkPeer) {
	for _, peer := range of {
		if len(peer.Ports) == 0 {
			all = append(all, peer)
		} else {
			some = append(some, peer)
		}
	}
	return all, some
}

// policyPort returns a port of a rule. The lists of a policy have one owner as a whole, so Kubernetes' default is filled in.
func policyPort(port v1.NetworkPort) *networkingv1ac.NetworkPolicyPortApplyConfiguration {
	config := networkingv1ac.NetworkPolicyPort().WithProtocol(protocolOf(port.Protocol))
	config.Port = ptrCopy(port.Port)
	config.EndPort = ptrCopy(port.EndPort)
	return config
}

func peers(of []v1.NetworkPeer) []*networkingv1ac.NetworkPolicyPeerApplyConfiguration {
	configs := make([]*networkingv1ac.NetworkPolicyPeerApplyConfiguration, 0, len(of))
	for _, peer := range of {
		config := networkingv1ac.NetworkPolicyPeer()
		if peer.CIDR != "" {
			config.WithIPBlock(networkingv1ac.IPBlock().WithCIDR(peer.CIDR))
		}
		if peer.PodLabels != nil { // empty labels are all pods
			config.WithPodSelector(metav1ac.LabelSelector().WithMatchLabels(peer.PodLabels))
		}
		if peer.NamespaceLabels != nil {
			config.WithNamespaceSelector(metav1ac.LabelSelector().WithMatchLabels(peer.NamespaceLabels))
		}
		configs = append(configs, config)
	}
	return configs
}
