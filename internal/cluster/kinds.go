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

package cluster

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/resources"
)

// ReadKinds returns an object of each kind that the controller reads beside Applications, whatever the cluster.
func ReadKinds() []client.Object {
	var kinds []client.Object
	for _, child := range children.Table {
		if !child.Optional() {
			kinds = append(kinds, child.Object)
		}
	}
	kinds = append(kinds, referencedKinds()...)
	return append(kinds, &corev1.Pod{}, ReplicaSetMetadata())
}

// referencedKinds returns an object of each kind that Applications refer to and that is no child's.
func referencedKinds() []client.Object {
	return []client.Object{ReferencedKind(resources.KindSecret)}
}

// ReferencedKind returns an empty object of a kind that Applications refer to. Of a kind that is no child's, only metadata is read.
func ReferencedKind(kind string) client.Object {
	for i := range children.Table {
		if children.Table[i].Kind == kind {
			return children.Table[i].New()
		}
	}
	return MetadataOf(corev1.SchemeGroupVersion.WithKind(kind))
}

// ReplicaSetMetadata returns an empty ReplicaSet of which only the metadata is read.
func ReplicaSetMetadata() *metav1.PartialObjectMetadata {
	return MetadataOf(appsv1.SchemeGroupVersion.WithKind("ReplicaSet"))
}

// MetadataOf returns an empty object of the kind of which only the metadata is read.
func MetadataOf(kind schema.GroupVersionKind) *metav1.PartialObjectMetadata {
	object := &metav1.PartialObjectMetadata{}
	object.SetGroupVersionKind(kind)
	return object
}

// CopyIdentity copies what says which object it is, who controls it, and whether it is going.
func CopyIdentity(to, from metav1.Object) {
	to.SetNamespace(from.GetNamespace())
	to.SetName(from.GetName())
	to.SetUID(from.GetUID())
	to.SetResourceVersion(from.GetResourceVersion())
	to.SetCreationTimestamp(from.GetCreationTimestamp())
	to.SetDeletionTimestamp(from.GetDeletionTimestamp())
	to.SetOwnerReferences(nil)
	if by := metav1.GetControllerOf(from); by != nil {
		to.SetOwnerReferences([]metav1.OwnerReference{*by})
	}
}

// RevisionAnnotation is where the Deployment's controller numbers ReplicaSets (kubernetes
// pkg/controller/deployment/util RevisionAnnotation).
const RevisionAnnotation = "deployment.kubernetes.io/revision"
