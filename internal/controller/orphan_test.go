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

package controller

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/example/app-operator/internal/children"
)

func TestGivenToKubectl(t *testing.T) {
	entry := func(manager string, operation metav1.ManagedFieldsOperationType, subresource string) metav1.ManagedFieldsEntry {
		return metav1.ManagedFieldsEntry{Manager: manager, Operation: operation, APIVersion: "v1", Subresource: subresource}
	}
	const apply, update = metav1.ManagedFieldsOperationApply, metav1.ManagedFieldsOperationUpdate
	given, others := entry("kubectl", apply, ""), entry("kube-controller-manager", update, "status")
	for what, test := range map[string]struct{ is, want []metav1.ManagedFieldsEntry }{
		"applied": {
			[]metav1.ManagedFieldsEntry{entry(children.FieldOwner, apply, ""), others}, []metav1.ManagedFieldsEntry{given, others},
		},
		"written otherwise, too": {
			[]metav1.ManagedFieldsEntry{entry(children.FieldOwner, update, ""), entry(children.HandOverManager, update, ""), entry(children.FieldOwner, apply, "")},
			[]metav1.ManagedFieldsEntry{given},
		},
		"applied by kubectl as well": {
			[]metav1.ManagedFieldsEntry{given, entry(children.FieldOwner, apply, ""), others}, []metav1.ManagedFieldsEntry{given, others},
		},
		"edited by kubectl as well": {
			[]metav1.ManagedFieldsEntry{entry("kubectl", update, ""), entry(children.FieldOwner, apply, "")},
			[]metav1.ManagedFieldsEntry{entry("kubectl", update, ""), given},
		},
	} {
		if diff := cmp.Diff(test.want, givenToKubectl(test.is)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
}
