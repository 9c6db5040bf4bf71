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
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"
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
			for _, object := range olmV1(t, "bundle", `{"watchNamespace": "`+served+`"}`) {
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
	for _, object := range olmV1(t, "bundle", `{"watchNamespace": "`+olmServed+`"}`) {
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

// TestOLMv1Installer wants the account of config/olm-v1 to have the rights to each object of the bundle, and those that it gives users.
func TestOLMv1Installer(t *testing.T) {
	t.Parallel()
	granted := installerRules(t)
	resources := map[string]string{
		"ServiceAccount": "serviceaccounts", "Deployment": "deployments", "PodDisruptionBudget": "poddisruptionbudgets", "Role": "roles",
		"RoleBinding": "rolebindings", "ClusterRole": "clusterroles", "CustomResourceDefinition": "customresourcedefinitions",
	}
	for _, object := range olmV1(t, "bundle", `{"watchNamespace": "`+olmServed+`"}`) {
		group, resource := object.GroupVersionKind().Group, resources[object.GetKind()]
		for _, verb := range []string{"create", "get", "update", "patch", "delete"} {
			if !allowed(append(granted[object.GetNamespace()], granted[""]...), verb, group, resource, object.GetName()) {
				t.Errorf("it may not %s %s %s in %q", verb, object.GetKind(), object.GetName(), object.GetNamespace())
			}
		}
		for _, verb := range []string{"list", "watch"} {
			if !allowed(granted[""], verb, group, resource, "") {
				t.Errorf("it may not %s %s in all namespaces", verb, resource)
			}
		}
		if object.GetKind() != "ClusterRole" {
			continue
		}
		var role rbacv1.ClusterRole
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &role); err != nil {
			t.Fatal(err)
		}
		for _, rule := range role.Rules {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					if !allowed(granted[""], verb, rule.APIGroups[0], resource, "") {
						t.Errorf("it may not %s %s, and so not give that right as %s does", verb, resource, role.Name)
					}
				}
			}
		}
	}
}

// installerRules returns what config/olm-v1 allows in each namespace, and under no name in all of them.
func installerRules(t *testing.T) map[string][]rbacv1.PolicyRule {
	t.Helper()
	shipped, err := os.ReadFile(filepath.Join(root, "config", "olm-v1", "installer.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	rules := map[string][]rbacv1.PolicyRule{}
	for document := range bytes.SplitSeq(shipped, []byte("\n---\n")) {
		var role rbacv1.Role // a ClusterRole has the same fields, and no namespace
		if err := yaml.Unmarshal(document, &role); err != nil {
			t.Fatal(err)
		}
		rules[role.Namespace] = append(rules[role.Namespace], role.Rules...)
	}
	return rules
}

// allowed reports whether the rules allow it. A right that is bound to names says nothing of objects without one.
func allowed(rules []rbacv1.PolicyRule, verb, group, resource, name string) bool {
	if verb == "create" {
		name = ""
	}
	return slices.ContainsFunc(rules, func(rule rbacv1.PolicyRule) bool {
		return slices.Contains(rule.APIGroups, group) && slices.Contains(rule.Resources, resource) && slices.Contains(rule.Verbs, verb) &&
			(len(rule.ResourceNames) == 0 || slices.Contains(rule.ResourceNames, name))
	})
}

// olmV1 returns the objects that OLM v1 makes of a bundle with this configuration.
func olmV1(t *testing.T, bundle, config string) []*unstructured.Unstructured {
	t.Helper()
	rendered := run(t, shell(t, root, filepath.Join(bin(), "olm-v1"), bundle, olmHome, config))
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
