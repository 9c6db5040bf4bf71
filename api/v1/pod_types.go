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
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// ResourceRequirements are the container's requests and limits, in the form of core/v1. Quote a fraction, or give it in
// thousandths: cpu: "0.5" or 500m, and not 0.5.
type ResourceRequirements struct {
	// limits are the most that the container may use. Quote a fraction: cpu: "0.5", or 500m.
	// +optional
	Limits ResourceList `json:"limits,omitempty"`

	// requests are what a node must have free for the container. Unset for a resource, they are its limits. Quote a
	// fraction: cpu: "0.5", or 500m.
	// +optional
	Requests ResourceList `json:"requests,omitempty"`
}

// ResourceList is how much of each resource.
//
// +kubebuilder:validation:MaxProperties=12
type ResourceList map[corev1.ResourceName]resource.Quantity

// PodMetadata has labels and annotations of the pods beside the operator's own.
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

// ObjectMetadata has labels and annotations of every object that is made for the application, beside the operator's own.
type ObjectMetadata struct {
	// labels of the objects, for example app.kubernetes.io/part-of. The keys app.kubernetes.io/name, app.kubernetes.io/instance,
	// app.kubernetes.io/managed-by and those below apps.example.com/ are the operator's, and pod-template-hash is the Deployment's.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, !(k in ['app.kubernetes.io/name', 'app.kubernetes.io/instance', 'app.kubernetes.io/managed-by', 'pod-template-hash']) && !k.startsWith('apps.example.com/'))",message="app.kubernetes.io/name, app.kubernetes.io/instance, app.kubernetes.io/managed-by, pod-template-hash and keys below apps.example.com/ are reserved; use another key"
	Labels map[string]string `json:"labels,omitempty"`

	// annotations of the objects. Those that a part of the spec gives to its own object win over them. Keys below
	// apps.example.com/ are the operator's.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
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
// +kubebuilder:validation:XValidation:rule="self.profile != 'Restricted' || !has(self.capabilities) || !has(self.capabilities.add) || self.capabilities.add.all(c, c == 'NET_BIND_SERVICE')",fieldPath=".capabilities.add",message="profile Restricted allows no capability but NET_BIND_SERVICE; remove the others, or choose profile Baseline"
// +kubebuilder:validation:XValidation:rule="self.profile != 'Restricted' || !has(self.capabilities) || !has(self.capabilities.drop) || self.capabilities.drop.size() == 0 || 'ALL' in self.capabilities.drop",fieldPath=".capabilities.drop",message="profile Restricted drops ALL capabilities; remove drop, or give ALL in it"
// +kubebuilder:validation:XValidation:rule="self.profile != 'Restricted' || !has(self.runAsUser) || self.runAsUser != 0",fieldPath=".runAsUser",message="0 is root, which profile Restricted forbids; choose another user id, or profile Baseline"
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

	// fsGroupChangePolicy says when the volumes are given to fsGroup: Always, or OnRootMismatch, which spares large volumes that
	// are its already. Unset, it is Always.
	// +optional
	// +kubebuilder:validation:Enum=Always;OnRootMismatch
	FSGroupChangePolicy *corev1.PodFSGroupChangePolicy `json:"fsGroupChangePolicy,omitempty"`

	// supplementalGroups are group ids that the containers' processes have beside their primary one.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:Minimum=0
	// +kubebuilder:validation:items:Maximum=2147483647
	SupplementalGroups []int64 `json:"supplementalGroups,omitempty"`

	// hostUsers says whether the pods share the users of their node. false gives each pod a user namespace, so that its root
	// has no rights on the node; the node has to support it. Unset, it is true.
	// +optional
	HostUsers *bool `json:"hostUsers,omitempty"`

	// capabilities of the container, beside those that the container runtime gives it.
	// +optional
	Capabilities *Capabilities `json:"capabilities,omitempty"`

	// readOnlyRootFilesystem keeps the container from writing to its own image.
	// +optional
	ReadOnlyRootFilesystem *bool `json:"readOnlyRootFilesystem,omitempty"`
}

// Capabilities are what the container's root may do of what root may do.
type Capabilities struct {
	// add are the capabilities that the container gets. Profile Restricted allows NET_BIND_SERVICE alone; a namespace that
	// enforces the baseline standard admits few others.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=63
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^[A-Z][A-Z0-9_]*$') && !self.startsWith('CAP_')",message="a capability is written in capital letters and without CAP_, for example NET_BIND_SERVICE; correct it"
	Add []string `json:"add,omitempty"`

	// drop are the capabilities that the container loses; ALL is all of them. Unset, profile Restricted drops ALL.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=63
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^[A-Z][A-Z0-9_]*$') && !self.startsWith('CAP_')",message="a capability is written in capital letters and without CAP_, for example NET_RAW, or ALL; correct it"
	Drop []string `json:"drop,omitempty"`
}

// ServiceAccountSpec is the account that the pods run as.
//
// +kubebuilder:validation:XValidation:rule="!has(self.name) || !has(self.annotations)",fieldPath=".annotations",reason=FieldValueForbidden,message="annotations are for a ServiceAccount that the operator creates, and name refers to an existing one; remove one of the two"
type ServiceAccountSpec struct {
	// name of an existing ServiceAccount in this namespace. Unset, one is made for the application and has
	// its name.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')",message="no ServiceAccount can have this name: names are lower-case letters, digits, '-' and '.', starting and ending with a letter or digit; correct the name, or leave it out to have a ServiceAccount made"
	Name string `json:"name,omitempty"`

	// annotations of the ServiceAccount made for the application, for example for a cloud's workload identity.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	Annotations map[string]string `json:"annotations,omitempty"`

	// automountToken mounts the ServiceAccount's token into the pods, for applications that call the
	// Kubernetes API.
	// +optional
	AutomountToken bool `json:"automountToken,omitempty"`
}

// ProbesSpec says how the kubelet finds out the state of the container.
//
// +kubebuilder:validation:XValidation:rule="!has(self.liveness) || !has(self.liveness.successThreshold) || self.liveness.successThreshold == 1",fieldPath=".liveness.successThreshold",message="successThreshold of a liveness probe must be 1; remove it or set it to 1"
// +kubebuilder:validation:XValidation:rule="!has(self.startup) || !has(self.startup.successThreshold) || self.startup.successThreshold == 1",fieldPath=".startup.successThreshold",message="successThreshold of a startup probe must be 1; remove it or set it to 1"
type ProbesSpec struct {
	// liveness restarts the container when it fails.
	// +optional
	Liveness *Probe `json:"liveness,omitempty"`

	// readiness keeps requests away while it fails.
	// +optional
	Readiness *Probe `json:"readiness,omitempty"`

	// startup holds the other probes back until it has succeeded once.
	// +optional
	Startup *Probe `json:"startup,omitempty"`
}

// Probe is one question that the kubelet asks again and again.
//
// +kubebuilder:validation:XValidation:rule="[has(self.httpGet), has(self.tcpSocket), has(self.grpc), has(self.exec)].filter(given, given).size() == 1",message="a probe has exactly one of httpGet, tcpSocket, grpc and exec; give one of them",fieldPath=".httpGet"
type Probe struct {
	// httpGet succeeds with an answer of 200 to 399.
	// +optional
	HTTPGet *HTTPGetProbe `json:"httpGet,omitempty"`

	// tcpSocket succeeds when a connection opens.
	// +optional
	TCPSocket *TCPSocketProbe `json:"tcpSocket,omitempty"`

	// grpc asks the standard gRPC health service.
	// +optional
	GRPC *GRPCProbe `json:"grpc,omitempty"`

	// exec succeeds when a command in the container ends with 0.
	// +optional
	Exec *ExecProbe `json:"exec,omitempty"`

	// initialDelaySeconds is how long after the container's start the first question comes. Kubernetes' default is 0.
	// +optional
	// +kubebuilder:validation:Minimum=0
	InitialDelaySeconds *int32 `json:"initialDelaySeconds,omitempty"`

	// periodSeconds is the time between two questions. Kubernetes' default is 10.
	// +optional
	// +kubebuilder:validation:Minimum=1
	PeriodSeconds *int32 `json:"periodSeconds,omitempty"`

	// timeoutSeconds is how long an answer may take. Kubernetes' default is 1.
	// +optional
	// +kubebuilder:validation:Minimum=1
	TimeoutSeconds *int32 `json:"timeoutSeconds,omitempty"`

	// successThreshold is how many successes in a row end a failure. Kubernetes' default is 1.
	// +optional
	// +kubebuilder:validation:Minimum=1
	SuccessThreshold *int32 `json:"successThreshold,omitempty"`

	// failureThreshold is how many failures in a row count as one. Kubernetes' default is 3.
	// +optional
	// +kubebuilder:validation:Minimum=1
	FailureThreshold *int32 `json:"failureThreshold,omitempty"`
}

// HTTPGetProbe is a request over HTTP, of a probe or of preStop.
type HTTPGetProbe struct {
	// path of the request. Kubernetes' default is /.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Path string `json:"path,omitempty"`

	// port by number or name. Unset, it is spec.port.
	// +optional
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:XValidation:rule="type(self) == int ? self >= 1 && self <= 65535 : self.size() <= 15 && self.matches('^[a-z0-9]([a-z0-9-]*[a-z0-9])?$') && self.matches('[a-z]') && !self.contains('--')",message="a port is a number from 1 to 65535 or the name of one of the container's ports; correct it"
	Port *intstr.IntOrString `json:"port,omitempty"`

	// scheme of the request. Kubernetes' default is HTTP; of HTTPS, the certificate is not checked.
	// +optional
	// +kubebuilder:validation:Enum=HTTP;HTTPS
	Scheme corev1.URIScheme `json:"scheme,omitempty"`

	// httpHeaders of the request.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	HTTPHeaders []corev1.HTTPHeader `json:"httpHeaders,omitempty"`
}

// TCPSocketProbe is a connection over TCP.
type TCPSocketProbe struct {
	// port by number or name. Unset, it is spec.port.
	// +optional
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:XValidation:rule="type(self) == int ? self >= 1 && self <= 65535 : self.size() <= 15 && self.matches('^[a-z0-9]([a-z0-9-]*[a-z0-9])?$') && self.matches('[a-z]') && !self.contains('--')",message="a port is a number from 1 to 65535 or the name of one of the container's ports; correct it"
	Port *intstr.IntOrString `json:"port,omitempty"`
}

// GRPCProbe is a request to the standard gRPC health service.
type GRPCProbe struct {
	// port by number. Unset, it is spec.port.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port *int32 `json:"port,omitempty"`

	// service is the name to ask for. Unset, it is the server as a whole.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Service *string `json:"service,omitempty"`
}

// ExecProbe is a command in the container, of a probe or of preStop.
type ExecProbe struct {
	// command and its arguments. It is not run in a shell.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=1024
	// +kubebuilder:validation:items:MaxLength=131072
	Command []string `json:"command"`
}

// RolloutSpec says how a new revision replaces the old one.
//
// +kubebuilder:validation:XValidation:rule="self.strategy == 'Recreate' || !(self.maxSurge in [dyn(0), dyn('0%')]) || !(self.maxUnavailable in [dyn(0), dyn('0%')])",fieldPath=".maxUnavailable",message="maxSurge and maxUnavailable cannot both be 0; set one of them above zero"
// +kubebuilder:validation:XValidation:rule="self.minReadySeconds < self.progressDeadlineSeconds",fieldPath=".progressDeadlineSeconds",message="progressDeadlineSeconds must be greater than minReadySeconds; set it above minReadySeconds"
type RolloutSpec struct {
	// strategy is RollingUpdate, which replaces pods one by one, or Recreate, which ends all old pods before it starts
	// new ones.
	// +optional
	// +kubebuilder:default=RollingUpdate
	// +kubebuilder:validation:Enum=RollingUpdate;Recreate
	Strategy appsv1.DeploymentStrategyType `json:"strategy,omitempty"`

	// maxSurge is how many pods above the desired number a rolling update may run: a number, or a share of it. Recreate
	// ignores it.
	// +optional
	// +kubebuilder:default="25%"
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:XValidation:rule="type(self) == int ? self >= 0 : self.size() <= 6 && self.matches('^(0|[1-9][0-9]*)%$')",message="it is a number of pods, or a share of them such as 25%; correct it"
	MaxSurge *intstr.IntOrString `json:"maxSurge,omitempty"`

	// maxUnavailable is how many pods below the desired number a rolling update may have available: a number, or a share
	// of it. Recreate ignores it.
	// +optional
	// +kubebuilder:default=0
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:XValidation:rule="type(self) == int ? self >= 0 : self.size() <= 4 && self.matches('^(100|[1-9]?[0-9])%$')",message="it is a number of pods, or a share of them up to 100%; correct it"
	MaxUnavailable *intstr.IntOrString `json:"maxUnavailable,omitempty"`

	// minReadySeconds is how long a pod must be ready before it counts as available.
	// +optional
	// +kubebuilder:default=0
	// +kubebuilder:validation:Minimum=0
	MinReadySeconds int32 `json:"minReadySeconds,omitempty"`

	// progressDeadlineSeconds is how long a rollout may stand still before it counts as failed.
	// +optional
	// +kubebuilder:default=600
	// +kubebuilder:validation:Minimum=1
	ProgressDeadlineSeconds *int32 `json:"progressDeadlineSeconds,omitempty"`

	// failAfterSeconds is how long a fault may last that may heal by itself, such as a missing Secret, before the condition Stalled
	// tells those who wait, such as Helm and Argo CD, that it has failed. Unset, it is 120.
	// +optional
	// +kubebuilder:validation:Minimum=1
	FailAfterSeconds *int32 `json:"failAfterSeconds,omitempty"`

	// onFailure is what is done when a rollout stands still for progressDeadlineSeconds, or its pods crash, or cannot have their image,
	// for failAfterSeconds: Report, which unset means, or Rollback to the pods that were last Ready.
	// +optional
	// +kubebuilder:validation:Enum=Report;Rollback
	OnFailure FailurePolicy `json:"onFailure,omitempty"`

	// revisionHistoryLimit is how many old ReplicaSets and earlier revisions are kept.
	// +optional
	// +kubebuilder:default=3
	// +kubebuilder:validation:Minimum=0
	RevisionHistoryLimit *int32 `json:"revisionHistoryLimit,omitempty"`

	// restartOnConfigChange replaces the pods when the content of a ConfigMap or Secret changes that env, envFrom or
	// files refer to, in the container, initContainers or sidecars.
	// +optional
	RestartOnConfigChange bool `json:"restartOnConfigChange,omitempty"`
}

// FailurePolicy is what is done about a rollout that has failed.
type FailurePolicy string

// The failure policies.
const (
	// FailurePolicyReport only reports the failure.
	FailurePolicyReport FailurePolicy = "Report"
	// FailurePolicyRollback brings back the pods that were last Ready.
	FailurePolicyRollback FailurePolicy = "Rollback"
)

// ReleaseSpec is a command that runs once for each new revision of the pods, by a Job like them, before they are rolled out. Until
// it has succeeded, what runs goes on.
//
// +kubebuilder:validation:XValidation:rule="(has(self.command) && self.command.size() > 0) || (has(self.args) && self.args.size() > 0)",fieldPath=".command",message="a release is a command of its own; give command or args",reason=FieldValueRequired
type ReleaseSpec struct {
	// command replaces the image's entrypoint. It is not run in a shell.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=1024
	// +kubebuilder:validation:items:MaxLength=131072
	Command []string `json:"command,omitempty"`

	// args replaces the image's default arguments.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=1024
	// +kubebuilder:validation:items:MaxLength=131072
	Args []string `json:"args,omitempty"`

	// activeDeadlineSeconds is how long all attempts may take together. Unset, it is 600.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=2147483647
	ActiveDeadlineSeconds *int64 `json:"activeDeadlineSeconds,omitempty"`

	// backoffLimit is how many times it is tried again. Unset, it is 0.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2147483647
	BackoffLimit *int32 `json:"backoffLimit,omitempty"`

	// resources are its requests and limits. Unset, they are the application's.
	// +optional
	Resources *ResourceRequirements `json:"resources,omitempty"`
}

// ShutdownSpec says how a pod ends.
//
// +kubebuilder:validation:XValidation:rule="!has(self.preStop) || self.preStopSleepSeconds == 0",fieldPath=".preStop",message="a container has one preStop hook; remove preStop or preStopSleepSeconds"
// +kubebuilder:validation:XValidation:rule="!has(self.preStop) || self.gracePeriodSeconds > 0",fieldPath=".gracePeriodSeconds",message="with gracePeriodSeconds 0 the pod is killed before preStop has run; set gracePeriodSeconds above 0, or remove preStop"
// +kubebuilder:validation:XValidation:rule="self.preStopSleepSeconds == 0 || self.preStopSleepSeconds < self.gracePeriodSeconds",fieldPath=".preStopSleepSeconds",message="preStopSleepSeconds must be less than gracePeriodSeconds; set gracePeriodSeconds above it"
type ShutdownSpec struct {
	// gracePeriodSeconds is how long a pod has to end before it is killed.
	// +optional
	// +kubebuilder:default=30
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2147483647
	GracePeriodSeconds *int64 `json:"gracePeriodSeconds,omitempty"`

	// preStopSleepSeconds is how long the container goes on serving before the signal to end, until no proxy sends it
	// requests any more.
	// +optional
	// +kubebuilder:default=0
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2147483647
	PreStopSleepSeconds int64 `json:"preStopSleepSeconds,omitempty"`

	// preStop runs before the signal to end, instead of a sleep. Its time is part of gracePeriodSeconds.
	// +optional
	PreStop *PreStopHook `json:"preStop,omitempty"`
}

// PreStopHook is a command or a request that prepares the container for its end.
//
// +kubebuilder:validation:XValidation:rule="has(self.exec) != has(self.httpGet)",fieldPath=".exec",message="preStop is either exec or httpGet; give one of the two and remove the other"
type PreStopHook struct {
	// exec is a command in the container.
	// +optional
	Exec *ExecProbe `json:"exec,omitempty"`

	// httpGet is a request to the container.
	// +optional
	HTTPGet *HTTPGetProbe `json:"httpGet,omitempty"`
}

// SchedulingSpec says where the pods run.
type SchedulingSpec struct {
	// nodeSelector are labels that the nodes must have.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`

	// tolerations let the pods run on nodes with these taints.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`

	// affinity of the pods to nodes and other pods.
	// +optional
	Affinity *corev1.Affinity `json:"affinity,omitempty"`

	// topologySpreadConstraints spread the pods over nodes or zones. Unset, the pods are spread over hosts where that is
	// possible. A constraint without labelSelector is about this application's pods.
	// +optional
	// +listType=map
	// +listMapKey=topologyKey
	// +listMapKey=whenUnsatisfiable
	// +kubebuilder:validation:MaxItems=16
	TopologySpreadConstraints []corev1.TopologySpreadConstraint `json:"topologySpreadConstraints,omitempty"`

	// priorityClassName is the name of the pods' PriorityClass.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	PriorityClassName string `json:"priorityClassName,omitempty"`

	// runtimeClassName is the name of the pods' RuntimeClass.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	RuntimeClassName *string `json:"runtimeClassName,omitempty"`
}
