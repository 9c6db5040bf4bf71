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
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Application is one workload that runs, is served and is kept as described: from its short spec the operator
// makes and maintains a Deployment, a Service and their companions, and its status says how they fare.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=applications,scope=Namespaced,shortName=app,categories=all
// +kubebuilder:subresource:status
// +kubebuilder:subresource:scale:specpath=.spec.replicas,statuspath=.status.replicas,selectorpath=.status.selector
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`,description="True when this generation is rolled out and available."
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,description="Why the application is ready or not."
// +kubebuilder:printcolumn:name="Replicas",type=string,JSONPath=`.status.replicaSummary`,description="Ready and wanted pods."
// +kubebuilder:printcolumn:name="URL",type=string,JSONPath=`.status.url`,description="Where the application is served."
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Image",type=string,priority=1,JSONPath=`.spec.image`,description="The wanted container image."
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 63 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",fieldPath=".metadata",reason=FieldValueInvalid,message="metadata.name must be a DNS-1035 label, because the Service bears it: lower-case letters, digits and '-', starting with a letter, ending with a letter or digit, at most 63 characters; choose another name"
type Application struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object metadata. The name must be a DNS-1035 label of at most 63 characters:
	// every object made for the application bears it.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty,omitzero"`

	// spec is what should run.
	// +required
	Spec ApplicationSpec `json:"spec"`

	// status is what runs, as last seen. It is written by the operator alone.
	// +optional
	Status ApplicationStatus `json:"status,omitempty,omitzero"`
}

// ApplicationList is a list of Applications.
//
// +kubebuilder:object:root=true
type ApplicationList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitempty,omitzero"`
	Items           []Application `json:"items"`
}

// ApplicationSpec is what should run. Only image is required.
//
// +kubebuilder:validation:XValidation:rule="!has(self.port) || !has(self.additionalPorts) || self.additionalPorts.all(p, p.name != 'http')",fieldPath=".additionalPorts",reason=FieldValueInvalid,message="the name http belongs to spec.port; give the additional port another name"
// +kubebuilder:validation:XValidation:rule="!has(self.additionalPorts) || self.additionalPorts.all(p, self.additionalPorts.exists_one(q, q.port == p.port && q.protocol == p.protocol) && !(has(self.port) && p.protocol == 'TCP' && p.port == self.port))",fieldPath=".additionalPorts",reason=FieldValueInvalid,message="each port may be used once per protocol, and spec.port is TCP; remove the repeated port"
// +kubebuilder:validation:XValidation:rule="!has(self.service) || has(self.port) || (has(self.additionalPorts) && self.additionalPorts.size() > 0)",fieldPath=".service",reason=FieldValueInvalid,message="a Service needs a port to serve; set spec.port or spec.additionalPorts, or remove spec.service"
// +kubebuilder:validation:XValidation:rule="!has(self.service) || !has(self.service.port) || has(self.port)",fieldPath=".service.port",reason=FieldValueInvalid,message="it is where the Service serves spec.port, which is not set; set spec.port, or remove spec.service.port"
// +kubebuilder:validation:XValidation:rule="!has(self.port) || !has(self.service) || !has(self.service.port) || !has(self.additionalPorts) || self.additionalPorts.all(p, p.protocol != 'TCP' || p.port != self.service.port)",fieldPath=".service.port",reason=FieldValueInvalid,message="the Service already serves this TCP port for spec.additionalPorts; choose another port"
type ApplicationSpec struct {
	// image is the container image to run, as a container runtime understands it, for example nginx:1.29
	// or registry.example.com/team/app@sha256:....
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Image string `json:"image"`

	// imagePullPolicy says when the image is pulled. Unset, Kubernetes decides by the tag: Always for latest,
	// otherwise IfNotPresent.
	// +optional
	// +kubebuilder:validation:Enum=Always;IfNotPresent;Never
	ImagePullPolicy corev1.PullPolicy `json:"imagePullPolicy,omitempty"`

	// imagePullSecrets are the names of Secrets in this namespace that hold registry credentials.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')",message="no Secret can have this name: names are lower-case letters, digits, '-' and '.', starting and ending with a letter or digit; correct the name"
	ImagePullSecrets []string `json:"imagePullSecrets,omitempty"`

	// command replaces the image's entrypoint. It is not run in a shell.
	// +optional
	// +listType=atomic
	Command []string `json:"command,omitempty"`

	// args replaces the image's default arguments.
	// +optional
	// +listType=atomic
	Args []string `json:"args,omitempty"`

	// replicas is how many pods are wanted.
	// +optional
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=0
	Replicas *int32 `json:"replicas,omitempty"`

	// port is the TCP port the application listens on, and by default the one its Service serves. The port is
	// named http. Without port and additionalPorts the application is a worker: it has no Service.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port *int32 `json:"port,omitempty"`

	// additionalPorts are further ports that the application listens on and its Service serves.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=16
	AdditionalPorts []AdditionalPort `json:"additionalPorts,omitempty"`

	// service shapes the Service. Without it, the Service is of type ClusterIP and serves port.
	// +optional
	Service *ServiceSpec `json:"service,omitempty"`

	// env are environment variables of the container.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:XValidation:rule="self.all(e, !has(e.value) || !has(e.valueFrom))",message="a variable has either value or valueFrom; remove one of the two"
	// +kubebuilder:validation:XValidation:rule="self.all(e, !has(e.valueFrom) || !has(e.valueFrom.fileKeyRef))",message="fileKeyRef is not supported; use configMapKeyRef or secretKeyRef"
	// +kubebuilder:validation:XValidation:rule="self.all(e, !has(e.valueFrom) || !has(e.valueFrom.resourceFieldRef) || !has(e.valueFrom.resourceFieldRef.divisor) || e.valueFrom.resourceFieldRef.divisor == 1 || e.valueFrom.resourceFieldRef.divisor.size() <= 3)",message="a divisor has at most three characters, for example 1m or 1Mi; use such a divisor"
	Env []corev1.EnvVar `json:"env,omitempty"`

	// envFrom takes environment variables from whole ConfigMaps and Secrets; env wins over them.
	// +optional
	// +listType=atomic
	EnvFrom []corev1.EnvFromSource `json:"envFrom,omitempty"`

	// resources are the container's requests and limits.
	// +optional
	Resources *ResourceRequirements `json:"resources,omitempty"`

	// podMetadata adds labels and annotations to the pods, and to nothing else.
	// +optional
	PodMetadata *PodMetadata `json:"podMetadata,omitempty"`

	// security is what the pods are allowed to do, named after the Pod Security Standards.
	// +optional
	Security *SecuritySpec `json:"security,omitempty"`

	// serviceAccount says as whom the pods run. Without it, a ServiceAccount of the application's name is made,
	// and its token is not mounted.
	// +optional
	ServiceAccount *ServiceAccountSpec `json:"serviceAccount,omitempty"`

	// suspend takes the application down to zero pods and keeps everything else. Resuming brings back the
	// wanted number.
	// +optional
	Suspend bool `json:"suspend,omitempty"`

	// paused makes the operator leave the application's objects as they are, whatever happens to them or to
	// this spec, until paused is false again. It does not hold up the application's deletion.
	// +optional
	Paused bool `json:"paused,omitempty"`

	// deletionPolicy says how the application goes. Delete leaves the clean-up to Kubernetes' garbage
	// collection. Drain holds the application back until its last pod has ended gracefully.
	// +optional
	// +kubebuilder:default=Delete
	// +kubebuilder:validation:Enum=Delete;Drain
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`
}

// ResourceRequirements are the container's requests and limits, in the form of core/v1.
type ResourceRequirements struct {
	// limits are the most that the container may use.
	// +optional
	Limits ResourceList `json:"limits,omitempty"`

	// requests are what a node must have free for the container. Unset for a resource, they are its limits.
	// +optional
	Requests ResourceList `json:"requests,omitempty"`
}

// ResourceList is how much of each resource. The rule is there because the schema of a quantity lets exponents
// through that no client can decode: one such object would hide all Applications of its namespace.
//
// +kubebuilder:validation:MaxProperties=12
// +kubebuilder:validation:XValidation:rule="self.all(k, type(self[k]) == int || (self[k].size() <= 24 && !self[k].matches('[eE]..')))",message="a quantity has at most 24 characters, and an exponent of one digit; write it in another unit, for example 500m, 2Gi or 129e6"
type ResourceList map[corev1.ResourceName]resource.Quantity

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

	// protocol of the port.
	// +optional
	// +kubebuilder:default=TCP
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
	Annotations map[string]string `json:"annotations,omitempty"`
}

// PodMetadata is what the pods bear beside the operator's own labels.
type PodMetadata struct {
	// labels of the pods. The keys app.kubernetes.io/name, app.kubernetes.io/instance,
	// app.kubernetes.io/managed-by and those below apps.example.com/ are the operator's, and pod-template-hash
	// is the Deployment's.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="self.all(k, !(k in ['app.kubernetes.io/name', 'app.kubernetes.io/instance', 'app.kubernetes.io/managed-by', 'pod-template-hash']) && !k.startsWith('apps.example.com/'))",message="app.kubernetes.io/name, app.kubernetes.io/instance, app.kubernetes.io/managed-by, pod-template-hash and keys below apps.example.com/ are reserved; use another key"
	Labels map[string]string `json:"labels,omitempty"`

	// annotations of the pods. Keys below apps.example.com/ are the operator's.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('apps.example.com/'))",message="keys below apps.example.com/ are reserved; use another key"
	Annotations map[string]string `json:"annotations,omitempty"`
}

// SecurityProfile is a Pod Security Standard that the pods keep to.
type SecurityProfile string

// The security profiles.
const (
	// SecurityProfileBaseline runs stock images, as root if they ask for it, without privilege escalation and
	// under the container runtime's default seccomp profile.
	SecurityProfileBaseline SecurityProfile = "Baseline"
	// SecurityProfileRestricted is admitted by a namespace that enforces the restricted standard: as Baseline,
	// and not as root, with all capabilities dropped.
	SecurityProfileRestricted SecurityProfile = "Restricted"
)

// SecuritySpec is what the pods are allowed to do.
//
// +kubebuilder:validation:XValidation:rule="self.profile != 'Restricted' || !has(self.runAsUser) || self.runAsUser != 0",fieldPath=".runAsUser",reason=FieldValueInvalid,message="0 is root, which profile Restricted forbids; choose another user id, or profile Baseline"
type SecuritySpec struct {
	// profile is Baseline, which runs stock images, or Restricted, which a namespace that enforces the
	// restricted Pod Security Standard admits.
	// +optional
	// +kubebuilder:default=Baseline
	// +kubebuilder:validation:Enum=Baseline;Restricted
	Profile SecurityProfile `json:"profile,omitempty"`

	// runAsUser is the user id the container runs as. Unset, the image decides.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2147483647
	RunAsUser *int64 `json:"runAsUser,omitempty"`

	// runAsGroup is the primary group id the container runs as. Unset, the image decides.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2147483647
	RunAsGroup *int64 `json:"runAsGroup,omitempty"`

	// fsGroup is the group id that owns the pod's volumes.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2147483647
	FSGroup *int64 `json:"fsGroup,omitempty"`

	// readOnlyRootFilesystem keeps the container from writing to its own image.
	// +optional
	ReadOnlyRootFilesystem *bool `json:"readOnlyRootFilesystem,omitempty"`
}

// ServiceAccountSpec says as whom the pods run.
//
// +kubebuilder:validation:XValidation:rule="!has(self.name) || !has(self.annotations)",fieldPath=".annotations",reason=FieldValueForbidden,message="they are for the ServiceAccount that the operator makes, and name chooses an existing one; remove annotations or name"
type ServiceAccountSpec struct {
	// name of an existing ServiceAccount in this namespace. Unset, one is made for the application and bears
	// its name.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')",message="no ServiceAccount can have this name: names are lower-case letters, digits, '-' and '.', starting and ending with a letter or digit; correct the name, or leave it out to have a ServiceAccount made"
	Name string `json:"name,omitempty"`

	// annotations of the ServiceAccount made for the application, for example for a cloud's workload identity.
	// +optional
	Annotations map[string]string `json:"annotations,omitempty"`

	// automountToken mounts the ServiceAccount's token into the pods, for applications that call the
	// Kubernetes API.
	// +optional
	AutomountToken bool `json:"automountToken,omitempty"`
}

// DeletionPolicy says how an application goes.
type DeletionPolicy string

// The deletion policies.
const (
	// DeletionPolicyDelete needs no finalizer: owner references lead the garbage collector.
	DeletionPolicyDelete DeletionPolicy = "Delete"
	// DeletionPolicyDrain scales to zero and waits for the last pod before the Application goes.
	DeletionPolicyDrain DeletionPolicy = "Drain"
)

// Finalizer holds an Application with deletionPolicy Drain back until its last pod has ended.
const Finalizer = "apps.example.com/finalizer"

// ApplicationStatus is what runs, as last seen.
type ApplicationStatus struct {
	// observedGeneration is the generation of the spec that this status speaks of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// replicas is how many pods there are.
	// +optional
	Replicas int32 `json:"replicas"`

	// readyReplicas is how many pods are ready.
	// +optional
	ReadyReplicas int32 `json:"readyReplicas"`

	// updatedReplicas is how many pods are of the newest revision.
	// +optional
	UpdatedReplicas int32 `json:"updatedReplicas"`

	// availableReplicas is how many pods have been ready for long enough to count.
	// +optional
	AvailableReplicas int32 `json:"availableReplicas"`

	// replicaSummary is ready and wanted pods as text, as kubectl get shows them: 2/3.
	// +optional
	ReplicaSummary string `json:"replicaSummary,omitempty"`

	// selector finds the pods, in the form of kubectl get pods --selector.
	// +optional
	Selector string `json:"selector,omitempty"`

	// url is where the application is served: its external address if there is one, otherwise the Service's
	// name in the cluster.
	// +optional
	URL string `json:"url,omitempty"`

	// image is the image that was last fully rolled out.
	// +optional
	Image string `json:"image,omitempty"`

	// conditions are Ready, Progressing, Available and Degraded.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}
