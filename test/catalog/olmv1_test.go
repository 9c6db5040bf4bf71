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

package catalog

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// OLM v1 installs the operator in the one namespace, to serve it or the other.
const (
	olmHome   = "app-operator-system"
	olmServed = "app-namespace"
)

// TestOLMv1 has the renderer of OLM v1 say what it would install, in the two modes that it knows.
func TestOLMv1(t *testing.T) {
	t.Parallel()
	for mode, served := range map[string]string{"OwnNamespace": olmHome, "SingleNamespace": olmServed} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			found := map[string]string{}
			for _, object := range olmV1(t, `{"watchNamespace": "`+served+`"}`) {
				kind := object.GetKind()
				if before, ok := found[kind]; ok && before != object.GetNamespace() {
					t.Errorf("there are objects of the kind %s in %s and in %s", kind, before, object.GetNamespace())
				}
				found[kind] = object.GetNamespace()
				if kind == "Deployment" {
					wantWatched(t, object, served)
				}
			}
			want := map[string]string{
				"ServiceAccount": olmHome, "Deployment": olmHome, "PodDisruptionBudget": olmHome,
				// The operator finds its Lease there: the rights to it are nowhere else.
				"Role": served, "RoleBinding": served,
				// Without these, tenants could not write Applications.
				"ClusterRole": "", "CustomResourceDefinition": "",
			}
			if !maps.Equal(found, want) {
				t.Errorf("it installs %v, want %v", found, want)
			}
		})
	}
}

// TestOLMv1Roles wants the one Role to have the rights to the Lease where it is then.
func TestOLMv1Roles(t *testing.T) {
	t.Parallel()
	for _, object := range olmV1(t, `{"watchNamespace": "`+olmServed+`"}`) {
		if object.GetKind() != "Role" {
			continue
		}
		if rules := string(must(object.MarshalJSON())); !strings.Contains(rules, `"app-operator-leader-served"`) {
			t.Errorf("the Role lacks the Lease of the namespace that is served: %s", rules)
		}
	}
}

// TestOLMv1Refuses what docs/install.md says that it refuses.
func TestOLMv1Refuses(t *testing.T) {
	t.Parallel()
	for config, want := range map[string]string{
		`{}`:                        `required field "watchNamespace" is missing`,
		`{"watchNamespace": "a,b"}`: "watchNamespace",
		`{"watchNamespace": ["a"]}`: "watchNamespace",
	} {
		said, err := shell(t, root, filepath.Join(bin(), "olm-v1"), "bundle", olmHome, config).CombinedOutput()
		if err == nil || !strings.Contains(string(said), want) {
			t.Errorf("%s: %v\n%s", config, err, said)
		}
	}
}

// olmV1 returns the objects that OLM v1 makes of the bundle with this configuration.
func olmV1(t *testing.T, config string) []*unstructured.Unstructured {
	t.Helper()
	rendered := run(t, shell(t, root, filepath.Join(bin(), "olm-v1"), "bundle", olmHome, config))
	var contents []map[string]any
	if err := json.Unmarshal([]byte(rendered), &contents); err != nil {
		t.Fatal(err)
	}
	objects := make([]*unstructured.Unstructured, 0, len(contents))
	for _, content := range contents {
		objects = append(objects, &unstructured.Unstructured{Object: content})
	}
	return objects
}

// wantWatched wants the pods to be told which namespace they serve, by the annotation that WATCH_NAMESPACE is taken from.
func wantWatched(t *testing.T, object *unstructured.Unstructured, namespace string) {
	t.Helper()
	var deployment appsv1.Deployment
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &deployment); err != nil {
		t.Fatal(err)
	}
	pod := deployment.Spec.Template
	if pod.Annotations["olm.targetNamespaces"] != namespace {
		t.Errorf("the pods are told to serve %q, want %s", pod.Annotations["olm.targetNamespaces"], namespace)
	}
	for _, variable := range pod.Spec.Containers[0].Env {
		if variable.Name == "WATCH_NAMESPACE" && variable.ValueFrom.FieldRef.FieldPath == "metadata.annotations['olm.targetNamespaces']" {
			return
		}
	}
	t.Error("WATCH_NAMESPACE is not that annotation")
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
