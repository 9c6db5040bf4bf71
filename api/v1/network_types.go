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
	"k8s.io/apimachinery/pkg/util/intstr"
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

	// port number, in the container and, without servicePort, in the Service.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port"`

	// servicePort is where the Service serves port. Unset, it is the same number.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	ServicePort *int32 `json:"servicePort,omitempty"`

	// nodePort is where each node serves the port, with a Service of type NodePort or LoadBalancer. Unset, Kubernetes chooses
	// one, and keeps it.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	NodePort *int32 `json:"nodePort,omitempty"`

	// protocol of the port. Unset, it is TCP.
	// +optional
	// +kubebuilder:validation:Enum=TCP;UDP;SCTP
	Protocol corev1.Protocol `json:"protocol,omitempty"`

	// appProtocol is a hint for proxies and meshes, as in a Service: an IANA service name such as https, or a
	// prefixed name such as kubernetes.io/h2c.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^([a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?$')",message="an appProtocol is a name of at most 63 letters, digits, '-', '_' and '.', which a DNS name and a slash may come before, for example https or kubernetes.io/h2c; correct it"
	AppProtocol *string `json:"appProtocol,omitempty"`
}

// ServiceSpec shapes the application's Service, in the terms of Kubernetes. What is not given is Kubernetes' own default, and
// others may set it.
//
// +kubebuilder:validation:XValidation:rule="!has(self.nodePort) || self.type != 'ClusterIP'",fieldPath=".nodePort",reason=FieldValueForbidden,message="nodes serve a port only for the types NodePort and LoadBalancer; set spec.service.type, or remove nodePort"
// +kubebuilder:validation:XValidation:rule="!has(self.externalTrafficPolicy) || self.type != 'ClusterIP'",fieldPath=".externalTrafficPolicy",reason=FieldValueForbidden,message="traffic comes from outside only for the types NodePort and LoadBalancer; set spec.service.type, or remove externalTrafficPolicy"
// +kubebuilder:validation:XValidation:rule="!has(self.loadBalancerClass) || self.type == 'LoadBalancer'",fieldPath=".loadBalancerClass",reason=FieldValueForbidden,message="only the type LoadBalancer has a class; set spec.service.type to LoadBalancer, or remove loadBalancerClass"
// +kubebuilder:validation:XValidation:rule="!has(self.loadBalancerSourceRanges) || self.loadBalancerSourceRanges.size() == 0 || self.type == 'LoadBalancer'",fieldPath=".loadBalancerSourceRanges",reason=FieldValueForbidden,message="only the type LoadBalancer has source ranges; set spec.service.type to LoadBalancer, or remove loadBalancerSourceRanges"
// +kubebuilder:validation:XValidation:rule="self.type != 'LoadBalancer' || oldSelf.type != 'LoadBalancer' || (has(self.loadBalancerClass) ? has(oldSelf.loadBalancerClass) && self.loadBalancerClass == oldSelf.loadBalancerClass : !has(oldSelf.loadBalancerClass))",fieldPath=".loadBalancerClass",message="the class of a load balancer cannot change while there is one; set spec.service.type to ClusterIP first, and then give the type LoadBalancer with the other class"
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

	// nodePort is where each node serves spec.port, with the types NodePort and LoadBalancer. Unset, Kubernetes chooses one, and
	// keeps it.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	NodePort *int32 `json:"nodePort,omitempty"`

	// externalTrafficPolicy says where traffic from outside is sent, with the types NodePort and LoadBalancer: Cluster is to any
	// pod, Local to pods of the node that it has reached, which then see the client's address. Unset, it is Cluster.
	// +optional
	// +kubebuilder:validation:Enum=Cluster;Local
	ExternalTrafficPolicy corev1.ServiceExternalTrafficPolicy `json:"externalTrafficPolicy,omitempty"`

	// internalTrafficPolicy says where traffic from within the cluster is sent: Cluster is to any pod, Local to pods of the
	// client's own node. Unset, it is Cluster.
	// +optional
	// +kubebuilder:validation:Enum=Cluster;Local
	InternalTrafficPolicy corev1.ServiceInternalTrafficPolicy `json:"internalTrafficPolicy,omitempty"`

	// sessionAffinity ClientIP sends a client to the same pod for three hours after its last request. Unset, it is None.
	// +optional
	// +kubebuilder:validation:Enum=None;ClientIP
	SessionAffinity corev1.ServiceAffinity `json:"sessionAffinity,omitempty"`

	// loadBalancerClass is who provides the load balancer, with the type LoadBalancer. Unset, the cluster's default does. It
	// cannot change as long as the type is LoadBalancer.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^([a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?$')",message="a class is a name of at most 63 letters, digits, '-', '_' and '.', which a DNS name and a slash may come before, for example example.com/internal; correct it"
	LoadBalancerClass *string `json:"loadBalancerClass,omitempty"`

	// loadBalancerSourceRanges are the addresses that the load balancer lets in, with the type LoadBalancer, where its provider
	// can do that. Unset, it lets in all.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=64
	// +kubebuilder:validation:items:XValidation:rule="isCIDR(self) && string(cidr(self).masked()) == self.lowerAscii()",message="a source range is the first address of a network and the length of its prefix, for example 10.0.0.0/8 or 2001:db8::/32; correct it, and write it in its shortest form"
	LoadBalancerSourceRanges []string `json:"loadBalancerSourceRanges,omitempty"`

	// annotations of the Service, for example for a cloud's load balancer.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	Annotations map[string]string `json:"annotations,omitempty"`
}

// IngressTLS says whose certificate an Ingress serves.
type IngressTLS string

// Whose certificate an Ingress serves.
const (
	// IngressTLSSecret is that of the Secret in tlsSecretName.
	IngressTLSSecret IngressTLS = "Secret"
	// IngressTLSControllerDefault is that which the ingress controller has for all.
	IngressTLSControllerDefault IngressTLS = "ControllerDefault"
)

// IngressSpec exposes spec.port, and others, through an Ingress.
//
// +kubebuilder:validation:XValidation:rule="!has(self.tls) || (self.tls == 'Secret') == has(self.tlsSecretName)",fieldPath=".tls",message="tls Secret goes with tlsSecretName, and ControllerDefault without it; set tlsSecretName or remove it, or remove tls"
// +kubebuilder:validation:XValidation:rule="!has(self.additionalRules) || [has(self.host) ? self.host : '*'].all(main, self.additionalRules.all(r, self.additionalRules.exists_one(q, (has(q.path) ? q.path : '/') == (has(r.path) ? r.path : '/') && (has(q.host) ? q.host : main) == (has(r.host) ? r.host : main)) && ((has(r.path) ? r.path : '/') != self.path || (has(r.host) ? r.host : main) != main)))",fieldPath=".additionalRules",message="a path of a host leads to one port, and a rule without host or path has spec.ingress.host and /; remove the repeated rule, or give it another host or path"
// +kubebuilder:validation:XValidation:rule="self.path.startsWith('/') && (self.pathType == 'ImplementationSpecific' || !self.path.matches('//|/[.][.]?(/|$)|%2[Ff]'))",fieldPath=".path",message="a path starts with a slash and, unless ImplementationSpecific, has no //, %2f, or part . or ..; correct it"
type IngressSpec struct {
	// host is the name that clients ask for, such as shop.example.com, or *.example.com for all names below it.
	// Unset, the Ingress takes the requests for every host.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches(r'^([*][.])?(\\b[-a-z0-9]+\\b[.])*\\b[-0-9]*[a-z][-a-z0-9]*\\b$')",message="a host is a DNS name in lower-case letters, digits, '-' and '.', which may start with '*.', not an address, scheme or port; correct it"
	Host string `json:"host,omitempty"`

	// path is which requests of the host are taken.
	// +optional
	// +kubebuilder:default=/
	// +kubebuilder:validation:MaxLength=1024
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

	// tls says whose certificate is served for all hosts: that of tlsSecretName, or the one that the ingress controller has for all.
	// Unset, it is Secret where tlsSecretName is set. Set, the application's URL is https.
	// +optional
	// +kubebuilder:validation:Enum=Secret;ControllerDefault
	TLS IngressTLS `json:"tls,omitempty"`

	// tlsSecretName is the name of the Secret with the certificate for all hosts. It may be made later, for example by
	// cert-manager. Set, the application's URL is https.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')",message="no Secret can have this name: names are lower-case letters, digits, '-' and '.', starting and ending with a letter or digit; correct the name"
	TLSSecretName string `json:"tlsSecretName,omitempty"`

	// additionalRules are further hosts, paths and ports.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=32
	AdditionalRules []IngressRule `json:"additionalRules,omitempty"`

	// annotations of the Ingress, for example for the ingress controller or cert-manager.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	Annotations map[string]string `json:"annotations,omitempty"`
}

// IngressRule is one further rule of the application's Ingress.
//
// +kubebuilder:validation:XValidation:rule="!has(self.path) || self.path.startsWith('/') && (has(self.pathType) && self.pathType == 'ImplementationSpecific' || !self.path.matches('//|/[.][.]?(/|$)|%2[Ff]'))",fieldPath=".path",message="a path starts with a slash and, unless ImplementationSpecific, has no //, %2f, or part . or ..; correct it"
type IngressRule struct {
	// host is the name that clients ask for. Unset, it is spec.ingress.host.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches(r'^([*][.])?(\\b[-a-z0-9]+\\b[.])*\\b[-0-9]*[a-z][-a-z0-9]*\\b$')",message="a host is a DNS name in lower-case letters, digits, '-' and '.', which may start with '*.', not an address, scheme or port; correct it"
	Host string `json:"host,omitempty"`

	// path is which requests of the host are taken. Unset, it is /.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Path string `json:"path,omitempty"`

	// pathType says how path is compared: Prefix by its parts between slashes, Exact as a whole, ImplementationSpecific as the
	// ingress controller likes. Unset, it is Prefix.
	// +optional
	// +kubebuilder:validation:Enum=Prefix;Exact;ImplementationSpecific
	PathType networkingv1.PathType `json:"pathType,omitempty"`

	// port is the name of the port that gets the requests: that of spec.port, or one of spec.additionalPorts. Unset, it is spec.port.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=15
	Port string `json:"port,omitempty"`
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
	// +kubebuilder:validation:items:XValidation:rule="self.matches(r'^([*][.])?(\\b[-a-z0-9]+\\b[.])*\\b[-0-9]*[a-z][-a-z0-9]*\\b$')",message="a host name is made of lower-case letters, digits, '-' and '.', may start with '*.', and is no address, scheme or port; correct it"
	Hostnames []string `json:"hostnames,omitempty"`

	// path is which requests are taken: those whose path is this one or below it.
	// +optional
	// +kubebuilder:default=/
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="self.matches('^/([!$&-;=@-Z_a-z~]|%[0-9A-Fa-f]{2})*$') && !self.matches('//|/[.][.]?(/|$)|%2[Ff]')",message="a path starts with a slash, has no //, %2f, or part . or .., and no character that URLs escape; correct it"
	Path string `json:"path,omitempty"`

	// annotations of the HTTPRoute, for example for external-dns.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	Annotations map[string]string `json:"annotations,omitempty"`
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

// NetworkDirection says what a policy does about connections of one direction.
type NetworkDirection string

// What a policy does about connections of one direction.
const (
	// NetworkRestricted allows only the peers that are listed.
	NetworkRestricted NetworkDirection = "Restricted"
	// NetworkUnrestricted leaves the direction alone.
	NetworkUnrestricted NetworkDirection = "Unrestricted"
)

// NetworkPolicySpec says who may connect to the pods, and where they may connect to. Besides, only DNS is allowed.
//
// +kubebuilder:validation:XValidation:rule="!has(self.ingress) || self.ingress != 'Unrestricted' || !has(self.ingressFrom) || self.ingressFrom.size() == 0",fieldPath=".ingressFrom",reason=FieldValueForbidden,message="everybody may connect to the pods while ingress is Unrestricted; remove ingressFrom, or set ingress to Restricted"
// +kubebuilder:validation:XValidation:rule="!has(self.egress) || self.egress != 'Unrestricted' || !has(self.egressTo) || self.egressTo.size() == 0",fieldPath=".egressTo",reason=FieldValueForbidden,message="the pods may connect to everything while egress is Unrestricted; remove egressTo, or set egress to Restricted"
// +kubebuilder:validation:XValidation:rule="!has(self.ingress) || !has(self.egress) || self.ingress != 'Unrestricted' || self.egress != 'Unrestricted'",fieldPath=".egress",message="a policy that restricts neither direction says nothing; set one of the two to Restricted, or remove spec.networkPolicy"
type NetworkPolicySpec struct {
	// ingress says whether the policy is about connections to the pods: Unrestricted leaves them alone. Unset, it is Restricted.
	// +optional
	// +kubebuilder:validation:Enum=Restricted;Unrestricted
	Ingress NetworkDirection `json:"ingress,omitempty"`

	// egress says whether the policy is about connections that the pods open: Unrestricted leaves them alone. Unset, it is
	// Restricted.
	// +optional
	// +kubebuilder:validation:Enum=Restricted;Unrestricted
	Egress NetworkDirection `json:"egress,omitempty"`

	// ingressFrom is who may open connections to the pods. Empty, no peer may.
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
// +kubebuilder:validation:XValidation:rule="has(self.cidr) != (has(self.podLabels) || has(self.namespaceLabels))",message="a peer is either pods, by podLabels or namespaceLabels or both, or addresses, by cidr; give one of the two and remove the other",fieldPath=".cidr"
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

	// ports are those at which connections to the pods arrive, or to which the pods open them. Unset, all ports are meant.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	Ports []NetworkPort `json:"ports,omitempty"`
}

// NetworkPort is a port, or a range of them, of the pods that are connected to.
//
// +kubebuilder:validation:XValidation:rule="!has(self.endPort) || (has(self.port) && type(self.port) == int && self.endPort >= self.port)",fieldPath=".endPort",message="endPort is the end of a range that begins with port; set port to a number that is not above it, or remove endPort"
type NetworkPort struct {
	// port is the number of the port, or its name in the pods that are connected to. Unset, all ports of the protocol are meant.
	// +optional
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:Pattern=`^([a-z0-9]-?)*[a-z](-?[a-z0-9])*$`
	Port *intstr.IntOrString `json:"port,omitempty"`

	// endPort is the last of a range of ports that begins with port.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	EndPort *int32 `json:"endPort,omitempty"`

	// protocol of the port. Unset, it is TCP.
	// +optional
	// +kubebuilder:validation:Enum=TCP;UDP;SCTP
	Protocol corev1.Protocol `json:"protocol,omitempty"`
}

// MonitoringSpec has the application's metrics read by Prometheus.
type MonitoringSpec struct {
	// path of the metrics.
	// +optional
	// +kubebuilder:default=/metrics
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="self.startsWith('/')",message="a path starts with a slash; give it one"
	Path string `json:"path,omitempty"`

	// port is the name of the port that serves the metrics: that of spec.port, or one of spec.additionalPorts. http is spec.port,
	// whatever portName calls it, unless an additional port has that name.
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

	// scheme by which the metrics are read. Unset, it is http.
	// +optional
	// +kubebuilder:validation:Enum=http;https
	Scheme string `json:"scheme,omitempty"`

	// labels of the ServiceMonitor, by which a Prometheus may select it. The keys app.kubernetes.io/name,
	// app.kubernetes.io/instance, app.kubernetes.io/managed-by and those below apps.example.com/ are the operator's.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, !(k in ['app.kubernetes.io/name', 'app.kubernetes.io/instance', 'app.kubernetes.io/managed-by']) && !k.startsWith('apps.example.com/'))",message="app.kubernetes.io/name, app.kubernetes.io/instance, app.kubernetes.io/managed-by and keys below apps.example.com/ are reserved; use another key"
	Labels map[string]string `json:"labels,omitempty"`
}
