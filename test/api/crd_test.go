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

package api

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// maxAppliedSize leaves room below the 262144 bytes that all annotations of an object may have together: kubectl
// apply keeps the whole CRD in one.
const maxAppliedSize = 250_000

// TestCRDIsSmallEnoughToApply applies the CRD as kubectl apply does by default.
func TestCRDIsSmallEnoughToApply(t *testing.T) {
	shown := mustKubectl(t, "apply", "--dry-run=server", "-o", "json", "-f", crdFile)
	// A warning about the missing annotation may come first.
	for shown != "" && shown[0] != '{' {
		_, shown, _ = strings.Cut(shown, "\n")
	}
	applied := &unstructured.Unstructured{}
	if err := json.Unmarshal([]byte(shown), applied); err != nil {
		t.Fatalf("%v in:\n%s", err, shown)
	}
	size := len(applied.GetAnnotations()["kubectl.kubernetes.io/last-applied-configuration"])
	if size == 0 || size > maxAppliedSize {
		t.Errorf("the CRD takes %d bytes of annotation, want 1 to %d", size, maxAppliedSize)
	}
	t.Logf("the CRD takes %d bytes of annotation, of %d", size, maxAppliedSize)
}

// TestCRDIsAccepted reads back what the API server thinks of the CRD: every rule within its budget of CEL cost,
// or it would not be there; a structural schema; and one version, served and stored.
func TestCRDIsAccepted(t *testing.T) {
	crd := &unstructured.Unstructured{}
	crd.SetGroupVersionKind(schema.GroupVersionKind{
		Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition",
	})
	name := types.NamespacedName{Name: "applications.apps.example.com"}
	if err := cluster.client.Get(t.Context(), name, crd); err != nil {
		t.Fatal(err)
	}
	conditions, _, _ := unstructured.NestedSlice(crd.Object, "status", "conditions")
	got := map[string]string{}
	for _, condition := range conditions {
		condition := condition.(tree)
		got[condition["type"].(string)] = condition["status"].(string)
	}
	// NonStructuralSchema would be a third one.
	if diff := cmp.Diff(map[string]string{"NamesAccepted": "True", "Established": "True"}, got); diff != "" {
		t.Errorf("conditions (-want +got):\n%s", diff)
	}
	versions, _, _ := unstructured.NestedSlice(crd.Object, "spec", "versions")
	if len(versions) != 1 {
		t.Fatalf("%d versions, want 1", len(versions))
	}
	version := versions[0].(tree)
	if version["name"] != "v1" || version["served"] != true || version["storage"] != true {
		t.Errorf("version %v, served %v, stored %v", version["name"], version["served"], version["storage"])
	}
	stored, _, _ := unstructured.NestedStringSlice(crd.Object, "status", "storedVersions")
	if diff := cmp.Diff([]string{"v1"}, stored); diff != "" {
		t.Errorf("stored versions (-want +got):\n%s", diff)
	}
	if preserve, _, _ := unstructured.NestedBool(crd.Object, "spec", "preserveUnknownFields"); preserve {
		t.Error("unknown fields are preserved")
	}
	wantNames := tree{
		"kind": "Application", "listKind": "ApplicationList", "plural": "applications",
		"singular": "application", "shortNames": []any{"app"}, "categories": []any{"all"},
	}
	names, _, _ := unstructured.NestedMap(crd.Object, "spec", "names")
	if diff := cmp.Diff(wantNames, names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}
