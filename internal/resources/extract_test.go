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

package resources

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/typed"

	"github.com/example/app-operator/internal/managedfields"
)

// valuesOfField is for how many values of a field each change is tried.
const valuesOfField = 8

// TestDriftIsSeen compares package ownership with the generated functions that extract what a manager owns, on every object
// that is built and on each of these with one value changed, one taken away, or a list turned around.
func TestDriftIsSeen(t *testing.T) {
	seen := map[bool]int{}
	compared := map[string]bool{} // many samples share most of their values
	tried := map[string]int{}     // and nearly all of their fields
	for _, name := range cases(t) {
		configs := buildAll(t, readInputs(t, name))
		for heading, builder := range configs.inOrder {
			if builder.kind == "ControllerRevision" { // once one exists, it is not applied again
				continue
			}
			config := configs[heading]
			live := applied(t, builder, config)
			content := tree(t, live).(map[string]any)
			for done, changed := range edits(content) {
				what, field := builder.kind+done.String(), builder.kind+done.field()
				if compared[what] || tried[field] == valuesOfField {
					continue
				}
				compared[what] = true
				tried[field]++
				edited := builder.empty()
				if json.Unmarshal([]byte(text(t, changed)), edited) != nil {
					continue // an object that the API server would not take
				}
				edited.SetManagedFields(live.GetManagedFields())
				want, err := same(t, builder, config, edited)
				if err != nil {
					continue // it has no such object either
				}
				got, err := holds(config, edited)
				if err != nil || got != want {
					t.Errorf("%s of %s, %s: as desired %v, want %v; error %v", builder.kind, name, done, got, want, err)
				}
				seen[want]++
			}
		}
	}
	if seen[true] < 300 || seen[false] < 2000 {
		t.Errorf("compared %d objects that are as desired and %d that are not", seen[true], seen[false])
	}
}

// TestAnotherWishIsSeen is the same where what is desired has changed, not the object.
func TestAnotherWishIsSeen(t *testing.T) {
	all := map[string][]runtime.ApplyConfiguration{}
	for _, name := range cases(t) {
		for heading, config := range buildAll(t, readInputs(t, name)) {
			kind := kindOf(heading)
			all[kind] = append(all[kind], config)
		}
	}
	for _, builder := range builders {
		for i, before := range all[builder.kind] {
			live := applied(t, builder, before)
			for j := i + 1; j < min(i+4, len(all[builder.kind])); j++ { // of all pairs enough
				after := all[builder.kind][j]
				want, err := same(t, builder, after, live)
				if err != nil {
					t.Fatal(err)
				}
				if nameOf(t, after) != nameOf(t, before) {
					continue // nobody compares an object with one of another name
				}
				got, err := holds(after, live)
				if err != nil || got != want {
					t.Errorf("%s %d, desired as %d: as desired %v, want %v; error %v", builder.kind, i, j, got, want, err)
				}
			}
		}
	}
}

// same tells by what the generated functions do whether an object is as it is desired.
func same(t *testing.T, builder builder, config runtime.ApplyConfiguration, live object) (bool, error) {
	t.Helper()
	owned, err := extract(t, builder, config, live)
	return equality.Semantic.DeepEqual(config, owned), err
}

// extract does what the generated functions do, on an object that has also those fields of the configuration that are zero:
// Kubernetes' types drop them.
func extract(t *testing.T, builder builder, config runtime.ApplyConfiguration, live object) (runtime.ApplyConfiguration, error) {
	t.Helper()
	content := tree(t, live).(map[string]any)
	fillZeros(content, tree(t, config))
	sent := tree(t, config).(map[string]any)
	content["apiVersion"], content["kind"] = sent["apiVersion"], sent["kind"]
	delete(content, "status")
	delete(content["metadata"].(map[string]any), "managedFields")
	object, err := typeConverter(builder.kind).ObjectToTyped(&unstructured.Unstructured{Object: content}, typed.AllowDuplicates)
	if err != nil {
		return nil, err
	}
	set := &fieldpath.Set{}
	if err := set.FromJSON(live.GetManagedFields()[0].FieldsV1.GetRawReader()); err != nil {
		return nil, err
	}
	owned := object.ExtractItems(set.Leaves(), typed.WithAppendKeyFields()).AsValue().Unstructured().(map[string]any)
	owned["apiVersion"], owned["kind"] = sent["apiVersion"], sent["kind"]
	metadata, ok := owned["metadata"].(map[string]any)
	if !ok {
		metadata = map[string]any{}
		owned["metadata"] = metadata
	}
	metadata["name"], metadata["namespace"] = live.GetName(), live.GetNamespace()
	extracted := builder.config()
	return extracted, json.Unmarshal([]byte(text(t, owned)), extracted)
}

// fillZeros sets in an object what a configuration sets to zero and the object does not have.
func fillZeros(object, config any) {
	switch config := config.(type) {
	case map[string]any:
		object, ok := object.(map[string]any)
		if !ok {
			return
		}
		for name, value := range config {
			_, has := object[name]
			switch {
			case name == "valueFrom" || name == "parentRefs": // these have one owner as a whole
			case has:
				fillZeros(object[name], value)
			case isZero(value):
				object[name] = value
			}
		}
	case []any:
		items, ok := object.([]any)
		if !ok {
			return
		}
		for _, desired := range config {
			for _, item := range items {
				if sameItem(desired, item) {
					fillZeros(item, desired)
				}
			}
		}
	}
}

func isZero(value any) bool { return value == "" || value == false || value == float64(0) }

// sameItem reports whether two items of a list have the same key, by the keys of those lists that have zeros in them.
func sameItem(a, b any) bool {
	first, ok := a.(map[string]any)
	second, okay := b.(map[string]any)
	if !ok || !okay {
		return false
	}
	for _, key := range []string{"mountPath", "name"} {
		if first[key] != nil {
			return first[key] == second[key]
		}
	}
	return false
}

func holds(config runtime.ApplyConfiguration, live object) (bool, error) {
	owned, err := managedfields.Of(live, manager)
	if err != nil {
		return false, err
	}
	if untyped, ok := live.(*unstructured.Unstructured); ok {
		return owned.Matches(config, untyped.Object)
	}
	return owned.Matches(config, live)
}

func nameOf(t *testing.T, config runtime.ApplyConfiguration) string {
	t.Helper()
	metadata := tree(t, config).(map[string]any)["metadata"].(map[string]any)
	return fmt.Sprint(metadata["namespace"], "/", metadata["name"])
}

// change is what was done to the value at a path.
type change struct {
	what, path string
	value      any
}

func (e change) String() string { return fmt.Sprint(e.what, " ", e.path, " ", e.value) }

var indices = regexp.MustCompile(`\[\d+\]`)

// field returns the change without the value, wherever in a list it is.
func (e change) field() string { return e.what + " " + indices.ReplaceAllString(e.path, "[]") }

// edits yields the content with one value changed or missing, for each value at any depth, and with each list turned
// around. Which object it is stays as it is. What is yielded holds until the next.
func edits(content map[string]any) func(yield func(change, map[string]any) bool) {
	return func(yield func(change, map[string]any) bool) {
		emit := func(done change) bool { return yield(done, content) }
		if !emit(change{"unchanged", "", content}) {
			return
		}
		for _, top := range slices.Sorted(maps.Keys(content)) {
			switch top {
			case "apiVersion", "kind", "status":
			case "metadata":
				metadata := content[top].(map[string]any)
				for _, name := range []string{"labels", "annotations", "ownerReferences", "finalizers"} {
					if value, ok := metadata[name]; ok && !editField(metadata, name, value, name, emit) {
						return
					}
				}
			default:
				if !editField(content, top, content[top], top, emit) {
					return
				}
			}
		}
	}
}

func editField(parent map[string]any, name string, value any, path string, emit func(change) bool) bool {
	delete(parent, name)
	ok := emit(change{"without", path, value})
	parent[name] = value
	return ok && editValue(value, path, func(other any) { parent[name] = other }, emit)
}

func editValue(value any, path string, set func(any), emit func(change) bool) bool {
	defer set(value)
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			if !editField(value, name, value[name], path+"."+name, emit) {
				return false
			}
		}
		return true
	case []any:
		turned := slices.Clone(value)
		slices.Reverse(turned)
		set(turned)
		if !emit(change{"turned around", path, turned}) {
			return false
		}
		set(value)
		for i, item := range value {
			if !editValue(item, fmt.Sprintf("%s[%d]", path, i), func(other any) { value[i] = other }, emit) {
				return false
			}
		}
		return true
	case string:
		set(value + "x")
	case float64:
		set(value + 1)
	case bool:
		set(!value)
	}
	return emit(change{"another than", path, value})
}
