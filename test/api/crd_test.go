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
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

const (
	// maxSize keeps the CRD, of which Kubernetes' own types are the larger part, from growing unseen. All annotations of
	// an object may have 256 KiB together, and kubectl apply keeps the whole CRD in one.
	maxSize = 200_000
)

// TestCRDIsSmallEnoughToApply applies the CRD as kubectl apply does by default.
func TestCRDIsSmallEnoughToApply(t *testing.T) {
	// A first apply warns that it was created otherwise.
	for _, want := range []string{" configured", " unchanged"} {
		if shown := mustKubectl(t, "apply", "-f", crdFile); !strings.Contains(shown, want) {
			t.Errorf("%q is missing in: %s", want, shown)
		}
	}
	applied := &unstructured.Unstructured{}
	if err := json.Unmarshal([]byte(mustKubectl(t, "get", "-o", "json", "-f", crdFile)), applied); err != nil {
		t.Fatal(err)
	}
	size := len(applied.GetAnnotations()["kubectl.kubernetes.io/last-applied-configuration"])
	if size == 0 || size >= maxSize {
		t.Errorf("the CRD takes %d bytes of annotation, want less than %d", size, maxSize)
	}
	t.Logf("the CRD takes %d bytes of annotation, of %d", size, maxSize)
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
		"singular": "application", "shortNames": []any{"appl"}, "categories": []any{"all"},
	}
	names, _, _ := unstructured.NestedMap(crd.Object, "spec", "names")
	if diff := cmp.Diff(wantNames, names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

// TestOldestKubernetesIsTested holds what the documents promise to what make test-api runs.
func TestOldestKubernetesIsTested(t *testing.T) {
	promised := regexp.MustCompile(`Kubernetes (1\.\d+) or later`).FindStringSubmatch(string(readFile(t, "../../README.md")))
	if promised == nil {
		t.Fatal("README.md names no oldest Kubernetes")
	}
	for file, want := range map[string]string{
		"../../docs/install.md": "Kubernetes has to be " + promised[1] + " or later",
		"../../config/manifests/bases/app-operator.clusterserviceversion.yaml": "minKubeVersion: " + promised[1] + ".0",
		"../../Makefile": "OLDEST_APISERVER := kube-apiserver-" + promised[1],
		"../../tools/kubernetes-" + promised[1] + "/go.mod": "k8s.io/kubernetes v" + promised[1] + ".",
	} {
		if !strings.Contains(string(readFile(t, file)), want) {
			t.Errorf("%s does not say %q", file, want)
		}
	}
	version := mustKubectl(t, "version")
	got, server := strings.Contains(version, "Server Version: v"+promised[1]+"."), os.Getenv("API_SERVER")
	if server == "" && got || server == "kube-apiserver-"+promised[1] && !got {
		t.Errorf("with API_SERVER=%q, Kubernetes %s is served: %t: %s", os.Getenv("API_SERVER"), promised[1], got, version)
	}
}
