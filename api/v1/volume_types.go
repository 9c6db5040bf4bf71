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
)

// VolumeSource is what a volume is made of: exactly one of these.
//
// +kubebuilder:validation:XValidation:rule="!has(self.configMap) || (has(self.configMap.name) && self.configMap.name.size() > 0)",fieldPath=".configMap",message="name is required; give the name of the ConfigMap"
// +kubebuilder:validation:XValidation:rule="!has(self.secret) || (has(self.secret.secretName) && self.secret.secretName.size() > 0)",fieldPath=".secret",message="secretName is required; give the name of the Secret"
// +kubebuilder:validation:XValidation:rule="!has(self.projected) || (has(self.projected.sources) && self.projected.sources.all(s, [has(s.secret), has(s.configMap), has(s.downwardAPI), has(s.serviceAccountToken), has(s.clusterTrustBundle), has(s.podCertificate)].filter(given, given).size() == 1))",fieldPath=".projected",message="each of the sources has exactly one of secret, configMap, downwardAPI, serviceAccountToken, clusterTrustBundle and podCertificate; give one of them"
// +kubebuilder:validation:XValidation:rule="!has(self.projected) || !has(self.projected.sources) || self.projected.sources.all(s, (!has(s.secret) || (has(s.secret.name) && s.secret.name.size() > 0)) && (!has(s.configMap) || (has(s.configMap.name) && s.configMap.name.size() > 0)))",fieldPath=".projected",message="name of a projected secret or configMap is required; give the name of the object"
// +kubebuilder:validation:XValidation:rule="!has(self.csi) || (self.csi.driver.size() > 0 && (!has(self.csi.nodePublishSecretRef) || (has(self.csi.nodePublishSecretRef.name) && self.csi.nodePublishSecretRef.name.size() > 0)))",fieldPath=".csi",message="driver, and name of a nodePublishSecretRef, are required; give the names of the CSI driver and of the Secret"
// +kubebuilder:validation:XValidation:rule="!has(self.downwardAPI) || (has(self.downwardAPI.items) && self.downwardAPI.items.all(i, has(i.fieldRef) != (has(i.resourceFieldRef) && has(i.resourceFieldRef.containerName) && i.resourceFieldRef.containerName.size() > 0)))",fieldPath=".downwardAPI",message="each of the items has exactly one of fieldRef and resourceFieldRef with a containerName; correct them (the application's own container has the application's name)"
// +kubebuilder:validation:XValidation:rule="!has(self.ephemeral) || (has(self.ephemeral.volumeClaimTemplate) && has(self.ephemeral.volumeClaimTemplate.spec.accessModes) && self.ephemeral.volumeClaimTemplate.spec.accessModes.size() > 0 && has(self.ephemeral.volumeClaimTemplate.spec.resources) && has(self.ephemeral.volumeClaimTemplate.spec.resources.requests) && self.ephemeral.volumeClaimTemplate.spec.resources.requests.size() > 0)",fieldPath=".ephemeral",message="volumeClaimTemplate requires spec.accessModes and spec.resources.requests.storage; give both"
type VolumeSource struct {
	// inline has the files themselves: their names and what is in them. A ConfigMap is made of them. With
	// rollout.restartOnConfigChange, a change of them restarts the pods; otherwise the files of running pods follow it within
	// about a minute, except where they are mounted by subPath.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="self.size() > 0",message="inline without files is no volume; give at least one file, or use emptyDir"
	// +kubebuilder:validation:XValidation:rule="self.all(name, name.size() <= 253 && name.matches('^[-._a-zA-Z0-9]+$') && name != '.' && !name.startsWith('..'))",message="a file's name is at most 253 letters, digits, '-', '_' and '.', and does not start with '..'; correct the name, and give a folder as mountPath"
	Inline map[string]string `json:"inline,omitempty"`

	// configMap whose keys are the files.
	// +optional
	ConfigMap *corev1.ConfigMapVolumeSource `json:"configMap,omitempty"`

	// secret whose keys are the files.
	// +optional
	Secret *corev1.SecretVolumeSource `json:"secret,omitempty"`

	// emptyDir is a folder that lives as long as the pod.
	// +optional
	EmptyDir *corev1.EmptyDirVolumeSource `json:"emptyDir,omitempty"`

	// persistentVolumeClaim is an existing claim, or one that is made for the application.
	// +optional
	PersistentVolumeClaim *ClaimSource `json:"persistentVolumeClaim,omitempty"`

	// projected puts several sources into one folder.
	// +optional
	Projected *corev1.ProjectedVolumeSource `json:"projected,omitempty"`

	// csi is a volume that a CSI driver makes for each pod, for example of an external store of secrets.
	// +optional
	CSI *corev1.CSIVolumeSource `json:"csi,omitempty"`

	// downwardAPI has the pod's own labels, annotations and resources as files.
	// +optional
	DownwardAPI *corev1.DownwardAPIVolumeSource `json:"downwardAPI,omitempty"`

	// ephemeral is a volume of a storage class that lives as long as the pod.
	// +optional
	Ephemeral *corev1.EphemeralVolumeSource `json:"ephemeral,omitempty"`
}

// ClaimSource is a PersistentVolumeClaim: an existing one by its name, or one of a size that is made for the application.
//
// +kubebuilder:validation:XValidation:rule="(has(self.claimName) && self.claimName.size() > 0) != has(self.size)",fieldPath=".claimName",message="exactly one of claimName, of a claim that exists, and size, of one that is made, is required; give one of them"
// +kubebuilder:validation:XValidation:rule="has(self.size) || (!has(self.storageClassName) && !has(self.accessModes))",fieldPath=".size",message="storageClassName and accessModes are for a claim that is made; give size, or remove them"
type ClaimSource struct {
	// claimName is the name of an existing claim in this namespace.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	ClaimName string `json:"claimName,omitempty"`

	// readOnly keeps all containers from writing to the volume.
	// +optional
	ReadOnly bool `json:"readOnly,omitempty"`

	// size has a claim made of this size, for example 10Gi, named after the application and the volume. It grows with size where
	// its storage class allows that, and is never deleted. Without accessMode ReadWriteMany it requires rollout.strategy Recreate,
	// at most one replica and no autoscaling.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^[+]?([0-9]{1,18}([.][0-9]{0,9})?|[.][0-9]{1,9})([KMGTPE]i|[kMGTPE]|[eE][+]?[0-9])?$') && quantity(self).isGreaterThan(quantity('0'))",message="a claim's size is a quantity above 0 such as 10Gi or 500Mi; correct it"
	Size string `json:"size,omitempty"`

	// storageClassName is the storage class of a claim that is made. Unset, it is the cluster's default class; empty, none. It
	// cannot be changed.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self == '' || self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')",message="no StorageClass can have this name: names are lower-case letters, digits, '-' and '.', starting and ending with a letter or digit; correct the name"
	StorageClassName *string `json:"storageClassName,omitempty"`

	// accessModes of a claim that is made. Unset, it is ReadWriteOnce. They cannot be changed.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=4
	// +kubebuilder:validation:items:Enum=ReadWriteOnce;ReadOnlyMany;ReadWriteMany;ReadWriteOncePod
	// +kubebuilder:validation:XValidation:rule="!('ReadWriteOncePod' in self) || self.size() == 1",message="ReadWriteOncePod excludes all other modes; remove them, or remove it"
	AccessModes []corev1.PersistentVolumeAccessMode `json:"accessModes,omitempty"`
}

// File is a file or folder that is mounted into the container. Its volume has the given name, or one that is made of
// mountPath, so that initContainers and sidecars can mount it too: /var/cache is var-cache. Where a mountPath is made of
// anything but lower-case letters, digits and slashes, that name ends with a hash.
//
// +kubebuilder:validation:XValidation:rule="[[has(self.inline), has(self.configMap), has(self.secret), has(self.emptyDir), has(self.persistentVolumeClaim), has(self.projected), has(self.csi), has(self.downwardAPI), has(self.ephemeral)].filter(given, given).size()].all(n, n == 1 || (n == 0 && has(self.name)))",fieldPath=".mountPath",message="exactly one of inline, configMap, secret, emptyDir, persistentVolumeClaim, projected, csi, downwardAPI and ephemeral is required; give one of them, or only the name of a volume of spec.files to mount it here too"
// +kubebuilder:validation:XValidation:rule="!has(self.persistentVolumeClaim) || !has(oldSelf.persistentVolumeClaim) || (has(self.name) ? self.name : '/') != (has(oldSelf.name) ? oldSelf.name : '/') || !has(self.persistentVolumeClaim.size) || !has(oldSelf.persistentVolumeClaim.size) || !isQuantity(self.persistentVolumeClaim.size) || !isQuantity(oldSelf.persistentVolumeClaim.size) || quantity(self.persistentVolumeClaim.size).compareTo(quantity(oldSelf.persistentVolumeClaim.size)) >= 0",fieldPath=".persistentVolumeClaim.size",message="a claim cannot shrink; set size to at least what it was, or give the volume another name, which makes a new claim"
// +kubebuilder:validation:XValidation:rule="!has(self.persistentVolumeClaim) || !has(oldSelf.persistentVolumeClaim) || (has(self.name) ? self.name : '/') != (has(oldSelf.name) ? oldSelf.name : '/') || [[self.persistentVolumeClaim, oldSelf.persistentVolumeClaim]].all(c, c.exists(x, !has(x.size)) || (c.map(x, has(x.storageClassName) ? [x.storageClassName] : []).all(v, v == (has(c[1].storageClassName) ? [c[1].storageClassName] : [])) && c.map(x, has(x.accessModes) ? x.accessModes : ['ReadWriteOnce']).all(v, v == (has(c[1].accessModes) ? c[1].accessModes : ['ReadWriteOnce']))))",fieldPath=".persistentVolumeClaim",message="storageClassName and accessModes of a claim that was made cannot be changed; set them back, or give the volume another name, which makes a new claim"
// +kubebuilder:validation:XValidation:rule="!has(self.inline) || !has(self.subPath) || self.subPath in self.inline",fieldPath=".subPath",message="inline has no file of this name; correct subPath, or remove it"
type File struct {
	// mountPath is where in the container. With subPath it is a file or folder of the volume, otherwise the volume's
	// root.
	// +required
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="self.startsWith('/') && !self.contains(':')",message="a mountPath is absolute and contains no colon; correct it, for example to /etc/app"
	MountPath string `json:"mountPath"`

	// name of the volume. Another entry of the same name and without a source mounts the same volume at its own mountPath.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",message="a volume's name is lower-case letters, digits and '-', starting and ending with a letter or digit; correct the name"
	Name string `json:"name,omitempty"`

	// readOnly keeps the container from writing there. ConfigMaps and Secrets are always read only.
	// +optional
	ReadOnly bool `json:"readOnly,omitempty"`

	// subPath is the path within the volume that is mounted. What is mounted by subPath does not follow later changes of
	// a ConfigMap or Secret.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="!self.startsWith('/') && !self.split('/').exists(part, part == '..')",message="a subPath is relative and stays within the volume; remove the leading slash and any '..'"
	SubPath string `json:"subPath,omitempty"`

	VolumeSource `json:",inline"`
}

// Volume is one that only initContainers and sidecars mount.
//
// +kubebuilder:validation:XValidation:rule="[has(self.inline), has(self.configMap), has(self.secret), has(self.emptyDir), has(self.persistentVolumeClaim), has(self.projected), has(self.csi), has(self.downwardAPI), has(self.ephemeral)].filter(given, given).size() == 1",fieldPath=".name",message="exactly one of inline, configMap, secret, emptyDir, persistentVolumeClaim, projected, csi, downwardAPI and ephemeral is required; give one of them"
// +kubebuilder:validation:XValidation:rule="!has(self.persistentVolumeClaim) || !has(oldSelf.persistentVolumeClaim) || !has(self.persistentVolumeClaim.size) || !has(oldSelf.persistentVolumeClaim.size) || !isQuantity(self.persistentVolumeClaim.size) || !isQuantity(oldSelf.persistentVolumeClaim.size) || quantity(self.persistentVolumeClaim.size).compareTo(quantity(oldSelf.persistentVolumeClaim.size)) >= 0",fieldPath=".persistentVolumeClaim.size",message="a claim cannot shrink; set size to at least what it was, or give the volume another name, which makes a new claim"
// +kubebuilder:validation:XValidation:rule="!has(self.persistentVolumeClaim) || !has(oldSelf.persistentVolumeClaim) || [[self.persistentVolumeClaim, oldSelf.persistentVolumeClaim]].all(c, c.exists(x, !has(x.size)) || (c.map(x, has(x.storageClassName) ? [x.storageClassName] : []).all(v, v == (has(c[1].storageClassName) ? [c[1].storageClassName] : [])) && c.map(x, has(x.accessModes) ? x.accessModes : ['ReadWriteOnce']).all(v, v == (has(c[1].accessModes) ? c[1].accessModes : ['ReadWriteOnce']))))",fieldPath=".persistentVolumeClaim",message="storageClassName and accessModes of a claim that was made cannot be changed; set them back, or give the volume another name, which makes a new claim"
type Volume struct {
	// name by which initContainers and sidecars mount it.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",message="a volume's name is lower-case letters, digits and '-', starting and ending with a letter or digit; correct the name"
	Name string `json:"name"`

	VolumeSource `json:",inline"`
}
