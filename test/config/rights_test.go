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

package config

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/sets"
)

var update = flag.Bool("update", false, "write the tables of docs/operations/rights.md")

// everywhere is the place of a right that a ClusterRoleBinding grants.
const everywhere = "*"

// right is one verb on one kind of resource in one place.
type right struct {
	place, group, resource, name, verb string
}

// granted returns what the operator's ServiceAccount may do once these objects are applied, beside what every
// ServiceAccount may.
func granted(t *testing.T, objects []*unstructured.Unstructured) sets.Set[right] {
	t.Helper()
	rules := map[string][]rbacv1.PolicyRule{}
	for _, role := range ofKind[rbacv1.Role](t, objects, "Role") {
		rules["Role "+role.Namespace+"/"+role.Name] = role.Rules
	}
	for _, role := range ofKind[rbacv1.ClusterRole](t, objects, "ClusterRole") {
		rules["ClusterRole "+role.Name] = role.Rules
	}
	all := sets.New[right]()
	grant := func(place, binding, role string) {
		found, ok := rules[role]
		if !ok {
			t.Errorf("the binding %s is to %s, which is not among the manifests", binding, role)
		}
		for _, rule := range found {
			if len(rule.NonResourceURLs) > 0 {
				t.Errorf("%s: the operator asks for no URLs: %v", role, rule)
			}
			all = all.Union(expand(place, rule))
		}
	}
	for _, binding := range ofKind[rbacv1.RoleBinding](t, objects, "RoleBinding") {
		role := "ClusterRole " + binding.RoleRef.Name
		if binding.RoleRef.Kind == "Role" {
			role = "Role " + binding.Namespace + "/" + binding.RoleRef.Name
		}
		wantOperator(t, binding.Name, binding.Subjects)
		grant(binding.Namespace, binding.Name, role)
	}
	for _, binding := range ofKind[rbacv1.ClusterRoleBinding](t, objects, "ClusterRoleBinding") {
		wantOperator(t, binding.Name, binding.Subjects)
		grant(everywhere, binding.Name, "ClusterRole "+binding.RoleRef.Name)
	}
	return all
}

func wantOperator(t *testing.T, binding string, subjects []rbacv1.Subject) {
	t.Helper()
	want := rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Name: name, Namespace: home}
	if len(subjects) != 1 || subjects[0] != want {
		t.Errorf("the subjects of %s are %v, want %v", binding, subjects, want)
	}
}

// expand takes a rule apart.
func expand(place string, rule rbacv1.PolicyRule) sets.Set[right] {
	names := rule.ResourceNames
	if len(names) == 0 {
		names = []string{""}
	}
	all := sets.New[right]()
	for _, group := range rule.APIGroups {
		for _, resource := range rule.Resources {
			for _, name := range names {
				for _, verb := range rule.Verbs {
					all.Insert(right{place, group, resource, name, verb})
				}
			}
		}
	}
	return all
}

// TestRights holds what each install grants to what may be granted at all.
func TestRights(t *testing.T) {
	mayBeClusterWide := map[string]bool{"all-namespaces": true, "+metrics-secure": true}
	for _, install := range installs(t) {
		t.Run(install.name, func(t *testing.T) {
			_, objects := build(t, install.dir)
			clusterWide := false
			for one := range granted(t, objects) {
				clusterWide = clusterWide || one.place == everywhere
				if one.place == everywhere && !mayBeClusterWide[install.name] {
					t.Errorf("a right over the cluster: %v", one)
				}
				for _, part := range []string{one.group, one.resource, one.name, one.verb} {
					if strings.Contains(part, "*") {
						t.Errorf("a right without bounds: %v", one)
					}
				}
				if slices.Contains([]string{"bind", "escalate", "impersonate"}, one.verb) {
					t.Errorf("a right to get more rights: %v", one)
				}
			}
			if mayBeClusterWide[install.name] && !clusterWide {
				t.Error("no right over the cluster: either the manifests or this test is out of date")
			}
		})
	}
}

// TestRightsOfAllInstalls holds the installs to each other: what is granted for Applications differs in where alone.
func TestRightsOfAllInstalls(t *testing.T) {
	var want sets.Set[right]
	for _, install := range installs(t) {
		if install.component() != "" {
			continue
		}
		_, objects := build(t, install.dir)
		got := sets.New[right]()
		for one := range granted(t, objects) {
			one.place = ""
			got.Insert(one)
		}
		if want == nil {
			want = got
		} else if diff := want.SymmetricDifference(got); diff.Len() > 0 {
			t.Errorf("%s and config/default do not agree on: %v", install.name, diff.UnsortedList())
		}
	}
}

const rightsPage = "docs/operations/rights.md"

// TestRightsPage holds the tables of the page to the manifests.
func TestRightsPage(t *testing.T) {
	file := filepath.Join(root, filepath.FromSlash(rightsPage))
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	whole := fill(t, string(page), "installs", installsTable(t))
	whole = fill(t, whole, "components", componentsTable(t))
	if bytes.Equal(page, []byte(whole)) {
		return
	}
	if !*update {
		t.Fatalf("%s does not say what the manifests grant. Remedy: go test ./test/config -run TestRightsPage -update", rightsPage)
	}
	if err := os.WriteFile(file, []byte(whole), 0o644); err != nil {
		t.Fatal(err)
	}
}

// fill puts a table between the marks that name it.
func fill(t *testing.T, page, mark, table string) string {
	t.Helper()
	begin, end := "<!-- "+mark+": generated -->\n", "<!-- "+mark+": end -->\n"
	before, rest, ok := strings.Cut(page, begin)
	_, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s lacks %s or %s", rightsPage, strings.TrimSpace(begin), strings.TrimSpace(end))
	}
	return before + begin + table + end + after
}

// installsTable has a row for all resources with the same rights, and a column for each install, which says where.
func installsTable(t *testing.T) string {
	t.Helper()
	head, line := "| Resources | API group | Verbs |", "|---|---|---|"
	places := map[right][]string{} // of each right, wherever it is: a cell for each install
	columns := 0
	for _, install := range installs(t) {
		if install.component() != "" {
			continue
		}
		head += " " + install.name + " |"
		line += "---|"
		_, objects := build(t, install.dir)
		where := map[right]sets.Set[string]{}
		for one := range granted(t, objects) {
			place := placeInWords(one.place)
			one.place = ""
			where[one] = where[one].Union(sets.New(place))
		}
		for one, cells := range where {
			for len(places[one]) < columns { // what the installs before this one do not grant
				places[one] = append(places[one], "")
			}
			places[one] = append(places[one], strings.Join(sets.List(cells), ", "))
		}
		columns++
	}
	for one, cells := range places { // and those after it
		places[one] = append(cells, make([]string, columns-len(cells))...)
	}
	return head + "\n" + line + "\n" + rows(places, "")
}

func componentsTable(t *testing.T) string {
	t.Helper()
	_, objects := build(t, installs(t)[0].dir)
	plain := granted(t, objects)
	table := "| Component | Resources | API group | Verbs | Where |\n|---|---|---|---|---|\n"
	for _, install := range installs(t) {
		if install.component() == "" {
			continue
		}
		_, objects := build(t, install.dir)
		with := granted(t, objects)
		if missing := plain.Difference(with); missing.Len() > 0 {
			t.Errorf("%s takes rights away: %v", install.name, missing.UnsortedList())
		}
		places := map[right][]string{}
		for one := range with.Difference(plain) {
			place := placeInWords(one.place)
			one.place = ""
			places[one] = append(places[one], place)
		}
		if len(places) == 0 {
			table += "| `" + install.component() + "` | nothing | | | |\n"
		}
		table += rows(places, "| `"+install.component()+"` ")
	}
	return table
}

func placeInWords(place string) string {
	if place == everywhere {
		return "the cluster"
	}
	return "`" + place + "`"
}

// rows writes a row for all rights that differ in the verb and the resource alone.
func rows(places map[right][]string, first string) string {
	type key struct{ group, name, verbs, where string }
	verbs := map[right]sets.Set[string]{} // by everything but the verb, with the cells for the place
	for one, cells := range places {
		verb := one.verb
		one.verb, one.place = "", strings.Join(cells, " | ")
		verbs[one] = verbs[one].Union(sets.New(verb))
	}
	resources := map[key][]string{}
	for one, of := range verbs {
		at := key{one.group, one.name, strings.Join(sets.List(of), ", "), one.place}
		resources[at] = append(resources[at], "`"+one.resource+"`")
	}
	keys := slices.SortedFunc(maps.Keys(resources), func(a, b key) int {
		return cmp.Or(cmp.Compare(a.where, b.where), cmp.Compare(a.group, b.group), cmp.Compare(a.name, b.name), cmp.Compare(a.verbs, b.verbs))
	})
	var b strings.Builder
	for _, at := range keys {
		slices.Sort(resources[at])
		named, group := "", "core"
		if at.name != "" {
			named = " `" + at.name + "`"
		}
		if at.group != "" {
			group = "`" + at.group + "`"
		}
		fmt.Fprintf(&b, "%s| %s%s | %s | %s | %s |\n", first, strings.Join(resources[at], ", "), named, group, at.verbs, at.where)
	}
	return b.String()
}
