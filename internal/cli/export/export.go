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

// Package export makes plain manifests of the objects of an Application, which apply without the operator.
//
// It is given the objects as they are, changes none of them, and sends nothing.
package export

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	v1 "github.com/example/app-operator/api/v1"
)

// written are the annotations that controllers and kubectl write.
var written = []string{
	v1.AnnotationOwner,
	"kubectl.kubernetes.io/last-applied-configuration", "deployment.kubernetes.io/revision",
	"pv.kubernetes.io/bind-completed", "pv.kubernetes.io/bound-by-controller", "volume.kubernetes.io/storage-provisioner",
	"volume.beta.kubernetes.io/storage-provisioner", "volume.kubernetes.io/selected-node",
}

// given are the fields that Kubernetes gives an object of a kind, and that another one would get anew.
var given = map[string][][]string{
	"Service":               {{"spec", "clusterIP"}, {"spec", "clusterIPs"}, {"spec", "healthCheckNodePort"}},
	"PersistentVolumeClaim": {{"spec", "volumeName"}},
}

// Plain returns an object without its status, its owner, and what Kubernetes has given it. Names, labels and selectors stay.
func Plain(object *unstructured.Unstructured) *unstructured.Unstructured {
	plain := object.DeepCopy()
	delete(plain.Object, "status")
	for _, field := range []string{"managedFields", "resourceVersion", "generation", "creationTimestamp", "uid", "selfLink"} {
		unstructured.RemoveNestedField(plain.Object, "metadata", field)
	}
	plain.SetOwnerReferences(slices.DeleteFunc(plain.GetOwnerReferences(), func(owner metav1.OwnerReference) bool { return owner.Kind == "Application" }))
	annotations := plain.GetAnnotations()
	for _, key := range written {
		delete(annotations, key)
	}
	plain.SetAnnotations(annotations)
	if len(annotations) == 0 {
		unstructured.RemoveNestedField(plain.Object, "metadata", "annotations")
	}
	if len(plain.GetOwnerReferences()) == 0 {
		unstructured.RemoveNestedField(plain.Object, "metadata", "ownerReferences")
	}
	if ip, _, _ := unstructured.NestedString(plain.Object, "spec", "clusterIP"); ip == "None" {
		return plain // without an address on purpose
	}
	for _, path := range given[plain.GetKind()] {
		unstructured.RemoveNestedField(plain.Object, path...)
	}
	return plain
}
