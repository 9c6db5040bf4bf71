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

// NetworkPolicy returns the policy that lets only the listed peers talk to the pods and the pods to the listed peers,
// or nil where none is asked for.
func NetworkPolicy(in Inputs) (*networkingv1ac.NetworkPolicyApplyConfiguration, error) {
	app := in.Application
	policy := app.Spec.NetworkPolicy
	if policy == nil {
		return nil, nil
	}
	spec := networkingv1ac.NetworkPolicySpec().
		WithPodSelector(metav1ac.LabelSelector().WithMatchLabels(Labels(app.Name))).
		WithPolicyTypes(networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress).
		WithEgress(toDNS())
	if len(policy.IngressFrom) > 0 { // a rule without peers would let in everybody
		spec.WithIngress(networkingv1ac.NetworkPolicyIngressRule().WithFrom(peers(policy.IngressFrom)...))
	}
	if len(policy.EgressTo) > 0 {
		spec.WithEgress(networkingv1ac.NetworkPolicyEgressRule().WithTo(peers(policy.EgressTo)...))
	}
	return networkingv1ac.NetworkPolicy(app.Name, app.Namespace).
		WithLabels(objectLabels(app)).
		WithAnnotations(objectAnnotations(app)).
		WithOwnerReferences(owner(app)).
		WithSpec(spec), nil
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
