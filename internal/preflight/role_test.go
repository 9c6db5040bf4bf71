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

package preflight

import (
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/yaml"

	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/cluster"
)

// TestRole compares the Role with the table of children and with what else is read and written: nothing may be missing,
// and nothing may be granted beyond it. The suite in test/controller compares it with what is really used.
func TestRole(t *testing.T) {
	desired := sets.New[string]()
	grant := func(resource schema.GroupResource, verbs ...string) {
		for _, verb := range verbs {
			desired.Insert(verb + " " + resource.String())
		}
	}
	scheme, err := cluster.NewScheme()
	if err != nil {
		t.Fatal(err)
	}
	for _, child := range children.Table {
		resource := child.OptionalAPI.GroupResource()
		if !child.Optional() {
			kind, err := apiutil.GVKForObject(child.Object, scheme)
			if err != nil {
				t.Fatal(err)
			}
			plural, _ := meta.UnsafeGuessKindToResource(kind)
			resource = plural.GroupResource()
		}
		grant(resource, "list", "watch", "create", "patch")
		if child.Kind != "Deployment" && !child.Retained { // which is always desired
			grant(resource, "delete")
		}
	}
	apps := func(resource string) schema.GroupResource {
		return schema.GroupResource{Group: "apps.example.com", Resource: resource}
	}
	grant(apps("applications"), "list", "watch", "patch")
	grant(apps("applications/status"), "update", "patch") // of one that is too large, a patch
	grant(apps("applications/finalizers"), "update")      // where OwnerReferencesPermissionEnforcement is on
	grant(schema.GroupResource{Resource: "pods"}, "list", "watch")
	grant(schema.GroupResource{Group: "apps", Resource: "replicasets"}, "list", "watch")
	grant(schema.GroupResource{Group: "apps", Resource: "controllerrevisions"}, "get") // of one that is gone back to
	for _, resource := range []string{"configmaps", "secrets"} {
		grant(schema.GroupResource{Resource: resource}, "get", "list", "watch")
	}
	grant(schema.GroupResource{Group: "events.k8s.io", Resource: "events"}, "create")
	if diff := cmp.Diff(sets.List(desired), sets.List(granted(t))); diff != "" {
		t.Errorf("config/rbac/role.yaml (-needed +granted):\n%s", diff)
	}
}

// granted returns what the Role allows, as "verb resource.group".
func granted(t *testing.T) sets.Set[string] {
	t.Helper()
	content, err := os.ReadFile("../../config/rbac/role.yaml")
	if err != nil {
		t.Fatal(err)
	}
	role := &rbacv1.Role{}
	if err := yaml.UnmarshalStrict(content, role); err != nil {
		t.Fatal(err)
	}
	if role.Kind != "Role" {
		t.Fatalf("it is a %s", role.Kind)
	}
	all := sets.New[string]()
	for _, rule := range role.Rules {
		if len(rule.ResourceNames) > 0 || len(rule.NonResourceURLs) > 0 || slices.Contains(rule.Resources, "*") {
			t.Errorf("a rule that this test does not understand: %v", rule)
		}
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					all.Insert(verb + " " + schema.GroupResource{Group: group, Resource: resource}.String())
				}
			}
		}
	}
	return all
}
