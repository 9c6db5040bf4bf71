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

package managedfields_test

import (
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/example/app-operator/internal/managedfields"
)

const (
	ours = `{"f:spec":{"f:list":{"k:{\"name\":\"a\"}":{".":{},"f:name":{},"f:ports":{"k:{\"port\":1}":{".":{},"f:port":{}}}}},"f:type":{}}}`
	// They have added an item of the list, with a list inside, and fields beside ours.
	theirs = `{"f:metadata":{"f:labels":{"f:theirs":{}},"f:finalizers":{"v:\"x\"":{}}},
		"f:spec":{"f:bounds":{"f:max":{},"f:min":{}},"f:list":{"k:{\"name\":\"b\"}":{".":{},"f:hook":{"f:sleep":{}},"f:name":{},
		"f:ports":{"k:{\"port\":2}":{".":{},"f:port":{}}}}}}}`
	wantedSpec = `{"kind":"Thing","metadata":{"labels":{}},"spec":{"type":"A","list":[{"name":"a","ports":[{"port":1}]}]}}`
	liveSpec   = `{"kind":"Thing","metadata":{"labels":{"theirs":"1"},"finalizers":["x"]},"status":{"x":1},
		"spec":{"type":"A","bounds":{"max":1,"min":0},"filled":"in","list":[
		{"name":"b","hook":{"sleep":1},"ports":[{"port":2}]},{"name":"a","more":2,"ports":[{"port":1},{"port":3}]}]}}`
)

func TestAdditions(t *testing.T) {
	for what, test := range map[string]struct {
		complaints, want []string
	}{
		"where nothing is complained of": {nil, []string{
			`.metadata.labels.theirs`, `.spec.bounds.max`, `.spec.bounds.min`, `.spec.bounds`, `.spec.list[name="b"]`,
			`.spec.filled`, `.spec.list[name="a"].more`, `.spec.list[name="a"].ports[port=3]`,
		}},
		"what shares a path with a complaint comes first": {[]string{"spec.bounds"}, []string{
			`.spec.bounds.max`, `.spec.bounds.min`, `.spec.bounds`, `.spec.list[name="b"]`,
		}},
		"an item is taken apart by a complaint of what is inside": {[]string{"spec.list[0].hook.sleep"}, []string{
			`.spec.list[name="b"].hook.sleep`, `.spec.list[name="b"].hook`, `.spec.list[name="b"].ports[port=2]`, `.spec.list[name="b"]`,
		}},
		"a list in an item is taken apart too": {[]string{"spec.list[1].ports[0].port"}, []string{
			`.spec.list[name="b"].ports[port=2]`, `.spec.list[name="a"].ports[port=3]`,
		}},
	} {
		additions, err := managedfields.Additions(decoded(t, wantedSpec), decoded(t, liveSpec), managedBy(ours), test.complaints)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, addition := range additions {
			got = append(got, addition.String())
		}
		if !slices.Equal(got[:min(len(got), len(test.want))], test.want) {
			t.Errorf("%s:\n%s\nwant first\n%s", what, strings.Join(got, "\n"), strings.Join(test.want, "\n"))
		}
	}
}

func TestTake(t *testing.T) {
	live := decoded(t, liveSpec)
	additions, err := managedfields.Additions(decoded(t, wantedSpec), live, managedBy(ours), nil)
	if err != nil {
		t.Fatal(err)
	}
	additions = slices.DeleteFunc(additions, func(a managedfields.Addition) bool {
		return a.String() != ".spec.bounds" && a.String() != `.spec.list[name="b"]` && a.String() != ".spec.filled"
	})
	for what, before := range map[string][]metav1.ManagedFieldsEntry{
		"from others": managedBy(ours), "by who owns nothing yet": managedBy(""),
	} {
		after, err := managedfields.Take(before, "us", "v1", additions)
		if err != nil || len(after) != 2 {
			t.Fatalf("%s: %d entries, error %v", what, len(after), err)
		}
		for _, entry := range after {
			fields := entry.FieldsV1.GetRawString()
			mine := entry.Manager == "us"
			if strings.Contains(fields, "bounds") != mine || strings.Contains(fields, `\"b\"`) != mine || strings.Contains(fields, "filled") != mine {
				t.Errorf("%s: %s owns %s", what, entry.Manager, fields)
			}
			if strings.Contains(fields, "f:theirs") == mine {
				t.Errorf("%s: %s owns %s, although it was not taken", what, entry.Manager, fields)
			}
		}
	}
}

func TestExisting(t *testing.T) {
	item := fieldpath.KeyByFields("name", "b")
	paths := []fieldpath.Path{
		fieldpath.MakePathOrDie("spec", "type"), fieldpath.MakePathOrDie("spec", "gone"), fieldpath.MakePathOrDie("spec", "bounds", "min"),
		fieldpath.MakePathOrDie("spec", "list", item, "hook", "sleep"), fieldpath.MakePathOrDie("spec", "list", item, "gone"),
	}
	found, err := managedfields.Existing(decoded(t, liveSpec), paths)
	if err != nil || len(found) != 2 || found[0].String() != ".spec.type" || found[1].String() != `.spec.list[name="b"].hook.sleep` {
		t.Errorf("found %v, error %v", found, err)
	}
}

func TestSets(t *testing.T) {
	for path, want := range map[string]bool{"spec": true, "spec.type": true, "spec.gone": false, "spec.type.more": false, "gone.type": false} {
		if got, err := managedfields.Sets(decoded(t, wantedSpec), strings.Split(path, ".")...); got != want || err != nil {
			t.Errorf("sets %s: %v, want %v; error %v", path, got, want, err)
		}
	}
}

// managedBy returns what we have applied and what they have written; "" is nothing.
func managedBy(ours string) []metav1.ManagedFieldsEntry {
	var entries []metav1.ManagedFieldsEntry
	for _, entry := range []struct {
		manager, fields string
		operation       metav1.ManagedFieldsOperationType
	}{{"us", ours, metav1.ManagedFieldsOperationApply}, {"they", theirs, metav1.ManagedFieldsOperationUpdate}} {
		if entry.fields != "" {
			entries = append(entries, metav1.ManagedFieldsEntry{
				Manager: entry.manager, Operation: entry.operation, APIVersion: "v1", FieldsV1: metav1.NewFieldsV1(entry.fields),
			})
		}
	}
	return entries
}
