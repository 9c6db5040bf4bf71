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

package v1

import (
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
)

// AdditionalPort is one further port of an application.
type AdditionalPort struct {
	// name of the port, in the container and in the Service: lower-case letters, digits and '-', at most 15
	// characters, at least one of them a letter.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=15
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([a-z0-9-]*[a-z0-9])?$') && self.matches('[a-z]') && !self.contains('--')",message="a port name is made of lower-case letters, digits and single '-' between them, with at least one letter, for example metrics or grpc-2; choose such a name"
	Name string `json:"name"`

	// port number, in the container and in the Service.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port"`

	// protocol of the port. Unset, it is TCP.
	// +optional
	// +kubebuilder:validation:Enum=TCP;UDP;SCTP
	Protocol corev1.Protocol `json:"protocol,omitempty"`

	// appProtocol is a hint for proxies and meshes, as in a Service: an IANA service name such as https, or a
	// prefixed name such as kubernetes.io/h2c.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	AppProtocol *string `json:"appProtocol,omitempty"`
}

// ServiceSpec shapes the application's Service.
type ServiceSpec struct {
	// type of the Service.
	// +optional
	// +kubebuilder:default=ClusterIP
	// +kubebuilder:validation:Enum=ClusterIP;NodePort;LoadBalancer
	Type corev1.ServiceType `json:"type,omitempty"`

	// port on which the Service serves spec.port. Unset, it is the same number.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port *int32 `json:"port,omitempty"`

	// annotations of the Service, for example for a cloud's load balancer.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	Annotations map[string]string `json:"annotations,omitempty"`
}

// IngressSpec exposes spec.port through an Ingress.
type IngressSpec struct {
	// host is the name that clients ask for, such as shop.example.com, or *.example.com for all names below it.
	// Unset, the Ingress takes the requests for every host.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^([*][.])?[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')",message="a host is a DNS name in lower-case letters, digits, '-' and '.', which may start with '*.', without scheme and port; correct the host"
	Host string `json:"host,omitempty"`

	// path is which requests of the host are taken.
	// +optional
	// +kubebuilder:default=/
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="self.startsWith('/')",message="a path starts with a slash; give it one"
	Path string `json:"path,omitempty"`

	// pathType says how path is compared: Prefix by its parts between slashes, Exact as a whole,
	// ImplementationSpecific as the ingress controller likes.
	// +optional
	// +kubebuilder:default=Prefix
	// +kubebuilder:validation:Enum=Prefix;Exact;ImplementationSpecific
	PathType networkingv1.PathType `json:"pathType,omitempty"`

	// className is the name of the IngressClass. Unset, the cluster's default class is used.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')",message="no IngressClass can have this name: names are lower-case letters, digits, '-' and '.', starting and ending with a letter or digit; correct the name"
	ClassName string `json:"className,omitempty"`

	// tlsSecretName is the name of the Secret with the certificate for host. It may be made later, for example by
	// cert-manager. Set, the application's URL is https.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')",message="no Secret can have this name: names are lower-case letters, digits, '-' and '.', starting and ending with a letter or digit; correct the name"
	TLSSecretName string `json:"tlsSecretName,omitempty"`

	// annotations of the Ingress, for example for the ingress controller or cert-manager.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	Annotations map[string]string `json:"annotations,omitempty"`
}

// HTTPRouteSpec exposes spec.port through a Gateway.
type HTTPRouteSpec struct {
	// parentRefs are the Gateways, or their listeners, that the route is attached to.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:XValidation:rule="self.all(p, self.exists_one(q, q.name == p.name && (has(q.kind) ? q.kind : 'Gateway') == (has(p.kind) ? p.kind : 'Gateway') && (has(q.__namespace__) ? q.__namespace__ : '') == (has(p.__namespace__) ? p.__namespace__ : '') && !(has(q.sectionName) == has(p.sectionName) && has(q.port) == has(p.port) && ((has(p.sectionName) && q.sectionName != p.sectionName) || (has(p.port) && q.port != p.port)))))",message="a parent may be given again only for another listener; give each of its entries another sectionName or port, or remove the repeated one"
	ParentRefs []ParentReference `json:"parentRefs"`

	// hostnames are the names that clients ask for. Unset, they are those of the listeners.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^([*][.])?[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')",message="a host name is made of lower-case letters, digits, '-' and '.', may start with '*.', and has neither scheme nor port; correct the name"
	Hostnames []string `json:"hostnames,omitempty"`

	// path is which requests are taken: those whose path is this one or below it.
	// +optional
	// +kubebuilder:default=/
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="self.startsWith('/')",message="a path starts with a slash; give it one"
	Path string `json:"path,omitempty"`
}

// ParentReference names a Gateway, in the form of the Gateway API.
type ParentReference struct {
	// group of the parent. It is gateway.networking.k8s.io, also where it is unset.
	// +optional
	// +kubebuilder:validation:Enum=gateway.networking.k8s.io
	Group *string `json:"group,omitempty"`

	// kind of the parent: Gateway, or ListenerSet. Unset, it is Gateway.
	// +optional
	// +kubebuilder:validation:Enum=Gateway;ListenerSet
	Kind *string `json:"kind,omitempty"`

	// namespace of the parent. Unset, it is the application's.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Namespace *string `json:"namespace,omitempty"`

	// name of the parent.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`

	// sectionName is the name of one of the Gateway's listeners. Unset, all of them are meant.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	SectionName *string `json:"sectionName,omitempty"`

	// port is the port of the listeners that are meant. Unset, all of them are.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port *int32 `json:"port,omitempty"`
}

// NetworkPolicySpec says who may connect to the pods, and where they may connect to. Nobody else may, except that the pods
// may ask for names (DNS) anywhere.
type NetworkPolicySpec struct {
	// ingressFrom is who may open connections to the pods. Empty, nobody may.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	IngressFrom []NetworkPeer `json:"ingressFrom,omitempty"`

	// egressTo is where the pods may connect to, DNS aside. Empty is nowhere.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	EgressTo []NetworkPeer `json:"egressTo,omitempty"`
}

// NetworkPeer is who is at the other end: pods by their labels, or addresses.
//
// +kubebuilder:validation:XValidation:rule="has(self.cidr) != (has(self.podLabels) || has(self.namespaceLabels))",message="a peer is either pods, by podLabels or namespaceLabels or both, or addresses, by cidr; give one of the two and remove the other",fieldPath=".cidr",reason=FieldValueInvalid
type NetworkPeer struct {
	// podLabels are labels that the pods must have; {} is all pods. Without namespaceLabels they are those of this namespace.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	PodLabels map[string]string `json:"podLabels,omitzero"`

	// namespaceLabels are labels that the pods' namespaces must have; {} is all namespaces. Without podLabels all their pods are
	// meant.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	NamespaceLabels map[string]string `json:"namespaceLabels,omitzero"`

	// cidr is a range of addresses, such as 10.0.0.0/8 or 2001:db8::/32.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="isCIDR(self) && string(cidr(self).masked()) == self.lowerAscii()",message="a cidr is the first address of a network and the length of its prefix, for example 10.0.0.0/8 or 2001:db8::/32; correct it, and write it in its shortest form"
	CIDR string `json:"cidr,omitempty"`
}

// MonitoringSpec has the application's metrics read by Prometheus.
type MonitoringSpec struct {
	// path of the metrics.
	// +optional
	// +kubebuilder:default=/metrics
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="self.startsWith('/')",message="a path starts with a slash; give it one"
	Path string `json:"path,omitempty"`

	// port is the name of the port that serves the metrics: http, which is spec.port, or one of spec.additionalPorts.
	// +optional
	// +kubebuilder:default=http
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=15
	Port string `json:"port,omitempty"`

	// interval between two reads, such as 30s or 1m30s, and at least 5s.
	// +optional
	// +kubebuilder:default="30s"
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=23
	// +kubebuilder:validation:XValidation:rule="self != '' && self.matches('^([0-9]{1,4}h)?([0-9]{1,4}m)?([0-9]{1,5}s)?([0-9]{1,5}ms)?$') && duration(self) >= duration('5s')",message="an interval is a time of at least 5s, for example 30s or 1m30s; correct it"
	Interval string `json:"interval,omitempty"`
}
