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

package takeover

import (
	"encoding/json"
	"fmt"
	"maps"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/children"
)

// server are the fields of metadata that the API server writes.
var server = []string{"managedFields", "resourceVersion", "generation", "creationTimestamp", "uid", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds"}

// Remember returns what AnnotationBefore says of an object.
func Remember(object *unstructured.Unstructured) (string, error) {
	before := object.DeepCopy()
	delete(before.Object, "status")
	for _, field := range server {
		unstructured.RemoveNestedField(before.Object, "metadata", field)
	}
	annotations := maps.Clone(before.GetAnnotations())
	for _, own := range []string{AnnotationBefore, v1.AnnotationAdopt} {
		delete(annotations, own)
	}
	before.SetAnnotations(annotations)
	if len(annotations) == 0 {
		unstructured.RemoveNestedField(before.Object, "metadata", "annotations")
	}
	text, err := json.Marshal(before.Object)
	if err != nil {
		return "", fmt.Errorf("remember %s %s: %w", object.GetKind(), object.GetName(), err)
	}
	return string(text), nil
}

// Recall returns the object that AnnotationBefore remembers.
func Recall(on metav1.Object) (*unstructured.Unstructured, error) {
	before := &unstructured.Unstructured{}
	if err := json.Unmarshal([]byte(on.GetAnnotations()[AnnotationBefore]), &before.Object); err != nil {
		return nil, fmt.Errorf("the annotation %s of %s cannot be read: %w", AnnotationBefore, on.GetName(), err)
	}
	return before, nil
}

// AsBefore returns an object as it was, nobody's and given to nobody. It is the same object: what the API server and controllers have written
// stays.
func AsBefore(live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	before, err := Recall(live)
	if err != nil {
		return nil, err
	}
	for _, field := range server {
		if value, found, _ := unstructured.NestedFieldCopy(live.Object, "metadata", field); found {
			if err := unstructured.SetNestedField(before.Object, value, "metadata", field); err != nil {
				return nil, err
			}
		}
	}
	if status, found := live.Object["status"]; found {
		before.Object["status"] = status
	}
	before.SetFinalizers(live.GetFinalizers())
	if live.GetKind() == "PersistentVolumeClaim" { // which can grow and not shrink
		before.Object["spec"] = live.Object["spec"]
	}
	var others []metav1.ManagedFieldsEntry
	for _, entry := range live.GetManagedFields() {
		if entry.Manager != children.FieldOwner {
			others = append(others, entry)
		}
	}
	before.SetManagedFields(others)
	return before, nil
}

// CopyOf returns a NetworkPolicy as it was under another name, for the pods of the Deployment.
func CopyOf(policy *unstructured.Unstructured, deployment string) (*unstructured.Unstructured, error) {
	if policy.GetAnnotations()[AnnotationBefore] != "" {
		before, err := Recall(policy)
		if err != nil {
			return nil, err
		}
		before.SetNamespace(policy.GetNamespace())
		policy = before
	}
	made := &unstructured.Unstructured{Object: map[string]any{"spec": policy.DeepCopy().Object["spec"]}}
	made.SetAPIVersion(policy.GetAPIVersion())
	made.SetKind(policy.GetKind())
	made.SetNamespace(policy.GetNamespace())
	made.SetName(CopyName(policy.GetName()))
	made.SetAnnotations(map[string]string{AnnotationCopy: deployment})
	return made, nil
}

// CopyName returns the name of the copy of a NetworkPolicy.
func CopyName(name string) string { return name + "-before-take-over" }
