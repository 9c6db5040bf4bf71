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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Application describes one workload: from its short spec the operator makes and maintains a Deployment, a Service
// and their companions, and reports in its status.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=applications,scope=Namespaced,shortName=appl,categories=all
// +kubebuilder:subresource:status
// +kubebuilder:subresource:scale:specpath=.spec.replicas,statuspath=.status.replicas,selectorpath=.status.selector
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`,description="True when this generation is rolled out and available."
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,description="Why the application is ready or not."
// +kubebuilder:printcolumn:name="Replicas",type=string,JSONPath=`.status.replicaSummary`,description="Ready and desired pods."
// +kubebuilder:printcolumn:name="URL",type=string,JSONPath=`.status.url`,description="Where the application is served."
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Image",type=string,priority=1,JSONPath=`.spec.image`,description="The desired container image."
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 63 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",fieldPath=".metadata",message="metadata.name must be a DNS-1035 label, because the Service has the same name: lower-case letters, digits and '-', starting with a letter, ending with a letter or digit, at most 63 characters; choose another name"
// +kubebuilder:validation:XValidation:rule="!has(self.spec.initContainers) || self.spec.initContainers.all(c, c.name != self.metadata.name)",fieldPath=".spec.initContainers",message="the application's container has the Application's name; give the init container another name"
// +kubebuilder:validation:XValidation:rule="!has(self.spec.sidecars) || self.spec.sidecars.all(c, c.name != self.metadata.name)",fieldPath=".spec.sidecars",message="the application's container has the Application's name; give the sidecar another name"
// +kubebuilder:validation:XValidation:rule="!has(self.spec.schedules) || self.spec.schedules.all(s, self.metadata.name.size() + s.name.size() < 52)",fieldPath=".spec.schedules",message="the CronJob of a schedule is named after the Application, a '-' and the schedule, and such a name has 52 characters at most; give the schedule or the Application a shorter name"
type Application struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object metadata. The name must be a DNS-1035 label of at most 63 characters:
	// every object made for the application has it.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty,omitzero"`

	// spec is what should run.
	// +required
	Spec ApplicationSpec `json:"spec"`

	// status is what runs, as last seen. Only the operator writes it. Until then it has observedGeneration -1, so
	// that no tool takes the application for done.
	// +optional
	// +kubebuilder:default:={"observedGeneration":-1}
	Status ApplicationStatus `json:"status,omitempty,omitzero"`

	// Oversized says that the operator has found the object too large to be kept in memory, and that the spec is not all
	// of it. It is never in the API.
	Oversized bool `json:"-"`
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
// +kubebuilder:validation:XValidation:rule="!has(self.port) || !has(self.additionalPorts) || self.additionalPorts.all(p, p.name != (has(self.portName) ? self.portName : 'http'))",fieldPath=".additionalPorts",message="the name of spec.port, which is spec.portName, or http without it, belongs to no other port; give the additional port another name"
// +kubebuilder:validation:XValidation:rule="has(self.port) || !has(self.portName)",fieldPath=".portName",message="spec.portName requires spec.port; set spec.port, or remove spec.portName"
// +kubebuilder:validation:XValidation:rule="has(self.port) || !has(self.appProtocol)",fieldPath=".appProtocol",message="spec.appProtocol requires spec.port; set spec.port, or remove spec.appProtocol"
// +kubebuilder:validation:XValidation:rule="!has(self.additionalPorts) || self.additionalPorts.all(p, self.additionalPorts.exists_one(q, q.port == p.port && (has(q.protocol) ? q.protocol : 'TCP') == (has(p.protocol) ? p.protocol : 'TCP')) && !(has(self.port) && (!has(p.protocol) || p.protocol == 'TCP') && p.port == self.port))",fieldPath=".additionalPorts",message="each port may be used once per protocol, and spec.port is TCP; remove the repeated port"
// +kubebuilder:validation:XValidation:rule="!has(self.service) || has(self.port) || (has(self.additionalPorts) && self.additionalPorts.size() > 0)",fieldPath=".service",message="spec.service requires a port; set spec.port or spec.additionalPorts, or remove spec.service"
// +kubebuilder:validation:XValidation:rule="!has(self.service) || !has(self.service.port) || has(self.port)",fieldPath=".service.port",message="spec.service.port requires spec.port; set spec.port, or remove spec.service.port"
// +kubebuilder:validation:XValidation:rule="!has(self.additionalPorts) || self.additionalPorts.all(p, !has(p.servicePort) || (self.additionalPorts.exists_one(q, (has(q.servicePort) ? q.servicePort : q.port) == p.servicePort && (has(q.protocol) ? q.protocol : 'TCP') == (has(p.protocol) ? p.protocol : 'TCP')) && !(has(self.port) && !(has(self.service) && has(self.service.port)) && p.servicePort == self.port && (!has(p.protocol) || p.protocol == 'TCP'))))",fieldPath=".additionalPorts",message="the Service serves each port once per protocol, and spec.port is TCP; choose another servicePort"
// +kubebuilder:validation:XValidation:rule="!has(self.port) || !has(self.service) || !has(self.service.port) || !has(self.additionalPorts) || self.additionalPorts.all(p, (has(p.protocol) && p.protocol != 'TCP') || (has(p.servicePort) ? p.servicePort : p.port) != self.service.port)",fieldPath=".service.port",message="the Service already serves this TCP port for spec.additionalPorts; choose another port"
// +kubebuilder:validation:XValidation:rule="!has(self.service) || !has(self.service.nodePort) || has(self.port)",fieldPath=".service.nodePort",message="spec.service.nodePort requires spec.port; set spec.port, or remove spec.service.nodePort"
// +kubebuilder:validation:XValidation:rule="!has(self.additionalPorts) || (has(self.service) && self.service.type != 'ClusterIP') || self.additionalPorts.all(p, !has(p.nodePort))",fieldPath=".additionalPorts",reason=FieldValueForbidden,message="nodes serve a port only for a Service of type NodePort or LoadBalancer; set spec.service.type, or remove nodePort"
// +kubebuilder:validation:XValidation:rule="!has(self.additionalPorts) || self.additionalPorts.all(p, !has(p.nodePort) || (self.additionalPorts.exists_one(q, has(q.nodePort) && q.nodePort == p.nodePort && (has(q.protocol) ? q.protocol : 'TCP') == (has(p.protocol) ? p.protocol : 'TCP')) && !(has(self.service) && has(self.service.nodePort) && self.service.nodePort == p.nodePort && (!has(p.protocol) || p.protocol == 'TCP'))))",fieldPath=".additionalPorts",message="a node serves each port once per protocol, and spec.port is TCP; choose another nodePort"
// +kubebuilder:validation:XValidation:rule="has(self.port) || !has(self.ingress)",fieldPath=".ingress",message="spec.ingress requires spec.port; set spec.port, or remove spec.ingress"
// +kubebuilder:validation:XValidation:rule="has(self.port) || !has(self.httpRoute)",fieldPath=".httpRoute",message="spec.httpRoute requires spec.port; set spec.port, or remove spec.httpRoute"
// +kubebuilder:validation:XValidation:rule="!has(self.monitoring) || (has(self.port) && (self.monitoring.port == 'http' || (has(self.portName) && self.monitoring.port == self.portName))) || (has(self.additionalPorts) && self.additionalPorts.exists(p, p.name == self.monitoring.port))",fieldPath=".monitoring.port",message="there is no port of this name; give one of spec.additionalPorts, or set spec.port, and give http or its spec.portName"
// +kubebuilder:validation:XValidation:rule="!has(self.ingress) || !has(self.ingress.additionalRules) || self.ingress.additionalRules.all(r, !has(r.port) || r.port == (has(self.portName) ? self.portName : 'http') || (has(self.additionalPorts) && self.additionalPorts.exists(p, p.name == r.port && (!has(p.protocol) || p.protocol == 'TCP'))))",fieldPath=".ingress.additionalRules",message="there is no TCP port of this name; give one of spec.additionalPorts, or spec.portName, which is http if it is not set, or remove port"
// +kubebuilder:validation:XValidation:rule="has(self.port) || !has(self.probes) || ((has(self.probes.liveness) ? [dyn(self.probes.liveness)] : []) + (has(self.probes.readiness) ? [dyn(self.probes.readiness)] : []) + (has(self.probes.startup) ? [dyn(self.probes.startup)] : [])).all(p, has(p.exec) || (has(p.httpGet) && has(p.httpGet.port)) || (has(p.tcpSocket) && has(p.tcpSocket.port)) || (has(p.grpc) && has(p.grpc.port)))",fieldPath=".probes",message="a probe without a port requires spec.port; set spec.port, or give each probe its own port"
// +kubebuilder:validation:XValidation:rule="!has(self.probes) || ((has(self.probes.liveness) ? [dyn(self.probes.liveness)] : []) + (has(self.probes.readiness) ? [dyn(self.probes.readiness)] : []) + (has(self.probes.startup) ? [dyn(self.probes.startup)] : [])).all(p, (((has(p.httpGet) && has(p.httpGet.port)) ? [dyn(p.httpGet.port)] : []) + ((has(p.tcpSocket) && has(p.tcpSocket.port)) ? [dyn(p.tcpSocket.port)] : [])).all(port, type(port) == int || (has(self.port) && port == (has(self.portName) ? self.portName : 'http')) || (has(self.additionalPorts) && self.additionalPorts.exists(a, a.name == port))))",fieldPath=".probes",message="the container has no port of this name; give one of spec.additionalPorts, or set spec.port and give its spec.portName, which is http if it is not set, or give a number"
// +kubebuilder:validation:XValidation:rule="has(self.port) || !has(self.shutdown) || !has(self.shutdown.preStop) || !has(self.shutdown.preStop.httpGet) || has(self.shutdown.preStop.httpGet.port)",fieldPath=".shutdown.preStop",message="a request without a port requires spec.port; set spec.port, or give preStop.httpGet its own port"
// +kubebuilder:validation:XValidation:rule="!has(self.shutdown) || !has(self.shutdown.preStop) || !has(self.shutdown.preStop.httpGet) || !has(self.shutdown.preStop.httpGet.port) || type(self.shutdown.preStop.httpGet.port) == int || (has(self.port) && self.shutdown.preStop.httpGet.port == (has(self.portName) ? self.portName : 'http')) || (has(self.additionalPorts) && self.additionalPorts.exists(a, a.name == self.shutdown.preStop.httpGet.port))",fieldPath=".shutdown.preStop",message="the container has no port of this name; give one of spec.additionalPorts, or set spec.port and give its spec.portName, which is http if it is not set, or give a number"
// +kubebuilder:validation:XValidation:rule="!has(self.initContainers) || !has(self.sidecars) || self.initContainers.all(c, !self.sidecars.exists(s, s.name == c.name))",fieldPath=".sidecars",message="an init container has the same name; give the sidecar another name"
// +kubebuilder:validation:XValidation:rule="!has(self.files) || [self.files.map(f, has(f.name) ? '/' : f.mountPath.replace('-', '.').replace('/', '-'))].all(paths, self.files.all(f, !has(f.name) || !(('-' + f.name) in paths)))",fieldPath=".files",message="a file without a name has a volume of this name, made of its mountPath; choose another name"
// +kubebuilder:validation:XValidation:rule="!has(self.volumes) || [has(self.files) ? self.files.map(f, has(f.name) ? '-' + f.name : f.mountPath.replace('-', '.').replace('/', '-')) : []].all(names, self.volumes.all(v, !(('-' + v.name) in names)))",fieldPath=".volumes",message="a volume of spec.files has this name; choose another name, or mount that one"
// +kubebuilder:validation:XValidation:rule="!has(self.sidecars) || [(has(self.files) ? self.files.map(f, has(f.name) ? '-' + f.name : f.mountPath.replace('-', '.').replace('/', '-')) : []) + (has(self.volumes) ? self.volumes.map(v, '-' + v.name) : [])].all(names, self.sidecars.all(c, (!has(c.volumeMounts) || c.volumeMounts.all(m, ('-' + m.name) in names || m.name.matches('-([0-9a-f]{8}|-[0-9a-f]{40})$'))) && (!has(c.volumeDevices) || c.volumeDevices.all(m, ('-' + m.name) in names || m.name.matches('-([0-9a-f]{8}|-[0-9a-f]{40})$')))))",fieldPath=".sidecars",message="a sidecar mounts a volume that is not there; give it in spec.volumes or spec.files, or correct the name"
// +kubebuilder:validation:XValidation:rule="!has(self.initContainers) || [(has(self.files) ? self.files.map(f, has(f.name) ? '-' + f.name : f.mountPath.replace('-', '.').replace('/', '-')) : []) + (has(self.volumes) ? self.volumes.map(v, '-' + v.name) : [])].all(names, self.initContainers.all(c, (!has(c.volumeMounts) || c.volumeMounts.all(m, ('-' + m.name) in names || m.name.matches('-([0-9a-f]{8}|-[0-9a-f]{40})$'))) && (!has(c.volumeDevices) || c.volumeDevices.all(m, ('-' + m.name) in names || m.name.matches('-([0-9a-f]{8}|-[0-9a-f]{40})$')))))",fieldPath=".initContainers",message="an init container mounts a volume that is not there; give it in spec.volumes or spec.files, or correct the name"
// +kubebuilder:validation:XValidation:rule="!has(self.files) || (has(self.rollout) && has(self.rollout.strategy) && self.rollout.strategy == 'Recreate' && (!has(self.replicas) || self.replicas <= 1) && !has(self.autoscaling)) || !self.files.exists(f, has(f.persistentVolumeClaim) && has(f.persistentVolumeClaim.size) && !(has(f.persistentVolumeClaim.accessModes) && 'ReadWriteMany' in f.persistentVolumeClaim.accessModes))",fieldPath=".files",message="a claim that is made without accessMode ReadWriteMany is for one pod at a time; set rollout.strategy to Recreate and replicas to at most 1 and remove autoscaling, or set accessModes to [ReadWriteMany] where the storage class has that"
// +kubebuilder:validation:XValidation:rule="!has(self.volumes) || (has(self.rollout) && has(self.rollout.strategy) && self.rollout.strategy == 'Recreate' && (!has(self.replicas) || self.replicas <= 1) && !has(self.autoscaling)) || !self.volumes.exists(f, has(f.persistentVolumeClaim) && has(f.persistentVolumeClaim.size) && !(has(f.persistentVolumeClaim.accessModes) && 'ReadWriteMany' in f.persistentVolumeClaim.accessModes))",fieldPath=".volumes",message="a claim that is made without accessMode ReadWriteMany is for one pod at a time; set rollout.strategy to Recreate and replicas to at most 1 and remove autoscaling, or set accessModes to [ReadWriteMany] where the storage class has that"
// +kubebuilder:validation:XValidation:rule="!has(self.files) || !has(self.release) && (!has(self.schedules) || self.schedules.size() == 0) || !self.files.exists(f, has(f.persistentVolumeClaim) && has(f.persistentVolumeClaim.accessModes) && 'ReadWriteOncePod' in f.persistentVolumeClaim.accessModes)",fieldPath=".files",message="a claim of ReadWriteOncePod is for one pod, and release and schedules have pods of their own, which would wait for it; set accessModes to [ReadWriteOnce], or remove release and schedules"
// +kubebuilder:validation:XValidation:rule="!has(self.volumes) || !has(self.release) && (!has(self.schedules) || self.schedules.size() == 0) || !self.volumes.exists(f, has(f.persistentVolumeClaim) && has(f.persistentVolumeClaim.accessModes) && 'ReadWriteOncePod' in f.persistentVolumeClaim.accessModes)",fieldPath=".volumes",message="a claim of ReadWriteOncePod is for one pod, and release and schedules have pods of their own, which would wait for it; set accessModes to [ReadWriteOnce], or remove release and schedules"
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
	// +kubebuilder:validation:MaxItems=1024
	// +kubebuilder:validation:items:MaxLength=131072
	Command []string `json:"command,omitempty"`

	// args replaces the image's default arguments.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=1024
	// +kubebuilder:validation:items:MaxLength=131072
	Args []string `json:"args,omitempty"`

	// replicas is how many pods are desired. With autoscaling it is only where the autoscaler starts.
	// +optional
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=0
	Replicas *int32 `json:"replicas,omitempty"`

	// port is the TCP port the application listens on, and by default the one its Service serves. Without port and
	// additionalPorts the application is a worker: it has no Service.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port *int32 `json:"port,omitempty"`

	// portName is the name of port, in the container and in the Service, for example redis: probes, ingress rules and meshes go by
	// it. Unset, it is http.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=15
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([a-z0-9-]*[a-z0-9])?$') && self.matches('[a-z]') && !self.contains('--')",message="a port name is made of lower-case letters, digits and single '-' between them, with at least one letter, for example redis or grpc-2; choose such a name"
	PortName string `json:"portName,omitempty"`

	// appProtocol is a hint for proxies and meshes about what port speaks, as in a Service: an IANA service name such as redis, or
	// a prefixed name such as kubernetes.io/h2c.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^([a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?$')",message="an appProtocol is a name of at most 63 letters, digits, '-', '_' and '.', which a DNS name and a slash may come before, for example https or kubernetes.io/h2c; correct it"
	AppProtocol *string `json:"appProtocol,omitempty"`

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
	// +kubebuilder:validation:MaxItems=1000
	// +kubebuilder:validation:XValidation:rule="self.all(e, !has(e.value) || !has(e.valueFrom))",message="a variable has either value or valueFrom; remove one of the two"
	// +kubebuilder:validation:XValidation:rule="self.all(e, !has(e.valueFrom) || !has(e.valueFrom.fileKeyRef))",message="fileKeyRef is not supported; use configMapKeyRef or secretKeyRef"
	Env []corev1.EnvVar `json:"env,omitempty"`

	// envFrom takes environment variables from whole ConfigMaps and Secrets; env wins over them.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	EnvFrom []corev1.EnvFromSource `json:"envFrom,omitempty"`

	// files are mounted into the container.
	// +optional
	// +listType=map
	// +listMapKey=mountPath
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:XValidation:rule="self.all(f, !has(f.name) || self.exists_one(g, has(g.name) && g.name == f.name && [has(g.inline), has(g.configMap), has(g.secret), has(g.emptyDir), has(g.persistentVolumeClaim), has(g.projected), has(g.csi), has(g.downwardAPI), has(g.ephemeral)].exists(given, given)))",message="of the files with one name exactly one has a source, and the others mount the same volume; give it there and remove it from the others, or give another name"
	Files []File `json:"files,omitempty"`

	// volumes are for initContainers and sidecars, which mount them by name, and the volumes of files too.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=32
	Volumes []Volume `json:"volumes,omitempty"`

	// resources are the container's requests and limits. Quote a fraction: cpu: "0.5", or 500m.
	// +optional
	Resources *ResourceRequirements `json:"resources,omitempty"`

	// probes tell the kubelet the state of the container. Without any, a container that runs counts as ready.
	// +optional
	Probes *ProbesSpec `json:"probes,omitempty"`

	// initContainers run one after the other before the container starts, and after the sidecars have started. The
	// security profile holds for them too, where they do not say otherwise.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=10
	// +kubebuilder:validation:XValidation:rule="self.all(c, !has(c.restartPolicy) || c.restartPolicy != 'Always')",message="a container with restartPolicy Always is a sidecar; give it in spec.sidecars"
	InitContainers []corev1.Container `json:"initContainers,omitempty"`

	// sidecars start before the initContainers, run as long as the container, and end after it: they are restartable init
	// containers. The security profile holds for them too, where they do not say otherwise.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=10
	// +kubebuilder:validation:XValidation:rule="self.all(c, !has(c.restartPolicy) || c.restartPolicy == 'Always')",message="a sidecar's restartPolicy is Always; remove it, or give the container in spec.initContainers"
	Sidecars []corev1.Container `json:"sidecars,omitempty"`

	// rollout says how a new revision replaces the old one.
	// +optional
	Rollout *RolloutSpec `json:"rollout,omitempty"`

	// shutdown says how a pod ends.
	// +optional
	Shutdown *ShutdownSpec `json:"shutdown,omitempty"`

	// autoscaling lets a HorizontalPodAutoscaler decide how many pods run; replicas is then only where it starts.
	// Without it again, what runs stays until replicas is changed.
	// +optional
	Autoscaling *AutoscalingSpec `json:"autoscaling,omitempty"`

	// disruptionBudget bounds how many pods may be evicted at a time. Without it, one at a time may.
	// +optional
	DisruptionBudget *DisruptionBudgetSpec `json:"disruptionBudget,omitempty"`

	// ingress exposes port outside the cluster through an Ingress.
	// +optional
	Ingress *IngressSpec `json:"ingress,omitempty"`

	// httpRoute exposes port through a Gateway, where the cluster has the Gateway API.
	// +optional
	HTTPRoute *HTTPRouteSpec `json:"httpRoute,omitempty"`

	// networkPolicy says who may connect to the pods, and where they may connect to; {} allows only DNS. Without it, the
	// application adds no restriction.
	// +optional
	NetworkPolicy *NetworkPolicySpec `json:"networkPolicy,omitempty"`

	// podMetadata adds labels and annotations to the pods, and to nothing else.
	// +optional
	PodMetadata *PodMetadata `json:"podMetadata,omitempty"`

	// objectMetadata adds labels and annotations to every object that is made for the application, and never to its pods: a
	// change of it restarts nothing.
	// +optional
	ObjectMetadata *ObjectMetadata `json:"objectMetadata,omitempty"`

	// security is what the pods are allowed to do, named after the Pod Security Standards.
	// +optional
	Security *SecuritySpec `json:"security,omitempty"`

	// serviceAccount is the account that the pods run as. Without it, a ServiceAccount of the application's name is made,
	// and its token is not mounted.
	// +optional
	ServiceAccount *ServiceAccountSpec `json:"serviceAccount,omitempty"`

	// monitoring has the application's metrics read by Prometheus, where the cluster has the Prometheus Operator.
	// +optional
	Monitoring *MonitoringSpec `json:"monitoring,omitempty"`

	// enableServiceLinks says whether the containers get environment variables for each Service of the namespace. Unset, Kubernetes
	// decides, which means yes.
	// +optional
	EnableServiceLinks *bool `json:"enableServiceLinks,omitempty"`

	// scheduling says where the pods run.
	// +optional
	Scheduling *SchedulingSpec `json:"scheduling,omitempty"`

	// schedules are commands that run at given times, each in pods of its own with the application's image, env, files,
	// security, serviceAccount and scheduling.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=32
	Schedules []Schedule `json:"schedules,omitempty"`

	// release is a command that has to succeed before new pods are rolled out, for example a database migration.
	// +optional
	Release *ReleaseSpec `json:"release,omitempty"`

	// suspend takes the application down to zero pods and keeps everything else; no schedule or release starts a run. Resuming brings
	// back the desired number.
	// +optional
	Suspend bool `json:"suspend,omitempty"`

	// paused makes the operator leave the application's objects as they are, whatever happens to them or to
	// this spec, until paused is false again. It does not hold up the application's deletion.
	// +optional
	Paused bool `json:"paused,omitempty"`

	// deletionPolicy says how the application goes. Delete leaves the clean-up to Kubernetes' garbage collection. Drain waits
	// until its last pod has ended gracefully; in the foreground, which is Argo CD's default, Kubernetes deletes everything at the
	// same time. Orphan leaves what was made for it where it is; set it, and wait until it is Ready, before you delete the
	// application.
	// +optional
	// +kubebuilder:default=Delete
	// +kubebuilder:validation:Enum=Delete;Drain;Orphan
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`
}

// DeletionPolicy says how an application goes.
type DeletionPolicy string

// The deletion policies.
const (
	// DeletionPolicyDelete needs no finalizer: owner references lead the garbage collector.
	DeletionPolicyDelete DeletionPolicy = "Delete"
	// DeletionPolicyDrain scales to zero and waits for the last pod before the Application goes. It needs a deletion in
	// the background: in the foreground, which is Argo CD's default, Kubernetes deletes everything at the same time.
	DeletionPolicyDrain DeletionPolicy = "Drain"
	// DeletionPolicyOrphan leaves all that was made for the Application where it is, however that is deleted: as long as the policy is
	// set, an annotation says whose the objects are, and no owner reference leads the garbage collector.
	DeletionPolicyOrphan DeletionPolicy = "Orphan"
)

// AnnotationAdopt is the annotation by which whoever may write an object that is nobody's gives it to the Application that the
// annotation names.
const AnnotationAdopt = "apps.example.com/adopt"

// AnnotationOwner is the annotation by which an object belongs to an Application of the policy Orphan, as NAME/UID. It means nothing
// on an object that has a controller.
const AnnotationOwner = "apps.example.com/owner"

// Finalizer holds an Application with deletionPolicy Drain back until its last pod has ended, and one with Orphan until nothing says any
// more that its objects are its.
const Finalizer = "apps.example.com/finalizer"

// ApplicationStatus is what runs, as last seen.
type ApplicationStatus struct {
	// observedGeneration is the generation of the spec that this status speaks of; -1 before the operator's first look.
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

	// replicaSummary is ready and desired pods as text, as kubectl get shows them: 2/3.
	// +optional
	ReplicaSummary string `json:"replicaSummary,omitempty"`

	// autoscaled is what an autoscaler has made of the number of pods. It is absent when there was none, and when
	// spec.replicas has been changed since the autoscaler was taken away.
	// +optional
	Autoscaled *AutoscaledStatus `json:"autoscaled,omitempty"`

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

	// currentRevision is the ControllerRevision of the pods that were last Ready.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	CurrentRevision string `json:"currentRevision,omitempty"`

	// updateRevision is the ControllerRevision of the pods that the spec asks for.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	UpdateRevision string `json:"updateRevision,omitempty"`

	// schedules are how the schedules have fared, in the order of spec.schedules.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=32
	Schedules []ScheduleStatus `json:"schedules,omitempty"`

	// conditions are Ready, Progressing, Available and Degraded, and for kstatus, while they are True, Reconciling or
	// Stalled.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}
