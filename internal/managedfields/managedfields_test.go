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
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/example/app-operator/internal/managedfields"
)

// What Hold finds on the objects that the operator builds, package resources compares with Kubernetes' own functions.

const fields = `{"f:spec":{"f:replicas":{},"f:list":{"k:{\"name\":\"a\"}":{".":{},"f:name":{},"f:value":{}},
	"k:{\"name\":\"b\"}":{".":{},"f:name":{}}},"f:set":{"v:1":{},"v:\"x\"":{}},"f:whole":{}}}`

func TestHold(t *testing.T) {
	const desired = `{"apiVersion":"v1","kind":"Thing","metadata":{"name":"web","namespace":"apps"},
		"spec":{"replicas":2,"list":[{"name":"a","value":1},{"name":"b"}],"set":["x",1],"whole":{"k":["v"]}}}`
	for what, test := range map[string]struct {
		live string
		want bool
	}{
		"as desired":       {`{"replicas":2,"list":[{"name":"a","value":1},{"name":"b"}],"set":["x",1],"whole":{"k":["v"]}}`, true},
		"others beside us": {`{"other":1,"replicas":2,"list":[{"name":"c"},{"name":"a","value":1,"more":2},{"name":"d"},{"name":"b"}],"set":["y","x",1],"whole":{"k":["v"]}}`, true},
		"another order":    {`{"replicas":2,"list":[{"name":"b"},{"name":"a","value":1}],"set":["x",1],"whole":{"k":["v"]}}`, false},
		"another value":    {`{"replicas":3,"list":[{"name":"a","value":1},{"name":"b"}],"set":["x",1],"whole":{"k":["v"]}}`, false},
		"another item":     {`{"replicas":2,"list":[{"name":"a","value":2},{"name":"b"}],"set":["x",1],"whole":{"k":["v"]}}`, false},
		"an item gone":     {`{"replicas":2,"list":[{"name":"a","value":1}],"set":["x",1],"whole":{"k":["v"]}}`, false},
		"an element gone":  {`{"replicas":2,"list":[{"name":"a","value":1},{"name":"b"}],"set":["x"],"whole":{"k":["v"]}}`, false},
		"more in a whole":  {`{"replicas":2,"list":[{"name":"a","value":1},{"name":"b"}],"set":["x",1],"whole":{"k":["v"],"l":1}}`, false},
		"no list any more": {`{"replicas":2,"list":"none","set":["x",1],"whole":{"k":["v"]}}`, false},
		"no items":         {`{"replicas":2,"list":["a","b"],"set":["x",1],"whole":{"k":["v"]}}`, false},
		"gone":             {`{}`, false},
	} {
		live := decoded(t, `{"kind":"Thing","metadata":{"name":"web","uid":"1"},"spec":`+test.live+`}`)
		if got, err := of(t, fields).Matches(decoded(t, desired), live); err != nil || got != test.want {
			t.Errorf("%s: %v, want %v; error %v", what, got, test.want, err)
		}
	}
}

func TestHoldWhatIsOwned(t *testing.T) {
	live := decoded(t, `{"spec":{"replicas":2,"paused":true}}`)
	for what, test := range map[string]struct {
		fields, desired string
		want            bool
	}{
		"the same":      {`{"f:spec":{"f:replicas":{}}}`, `{"spec":{"replicas":2}}`, true},
		"more is owned": {`{"f:spec":{"f:replicas":{},"f:paused":{}}}`, `{"spec":{"replicas":2}}`, false},
		"more desired":  {`{"f:spec":{"f:replicas":{}}}`, `{"spec":{"replicas":2,"paused":true}}`, false},
		"a zero that is not stored": {
			`{"f:spec":{"f:replicas":{},"f:text":{},"f:flag":{},"f:number":{},"f:list":{}}}`,
			`{"spec":{"replicas":2,"text":"","flag":false,"number":0,"list":[]}}`, true,
		},
		"a zero that is not owned": {`{"f:spec":{"f:replicas":{}}}`, `{"spec":{"replicas":2,"text":""}}`, false},
		"a zero that is not zero":  {`{"f:spec":{"f:replicas":{},"f:paused":{}}}`, `{"spec":{"replicas":2,"paused":false}}`, false},
		"what is gone":             {`{"f:spec":{"f:replicas":{},"f:gone":{}}}`, `{"spec":{"replicas":2,"gone":1}}`, false},
		"nothing owned":            {`{}`, `{"spec":{"replicas":2}}`, false},
		"none of both":             {`{}`, `{"kind":"Thing"}`, true},
		"not a field":              {`{"f:spec":{"v:1":{}}}`, `{"spec":{"replicas":2}}`, false},
	} {
		if got, err := of(t, test.fields).Matches(decoded(t, test.desired), live); err != nil || got != test.want {
			t.Errorf("%s: %v, want %v; error %v", what, got, test.want, err)
		}
	}
}

func TestHoldReadsPointersOnly(t *testing.T) {
	for what, pair := range map[string][2]any{
		"desired": {appsv1.Deployment{}, &appsv1.Deployment{}}, "live": {&appsv1.Deployment{}, appsv1.Deployment{}},
	} {
		if _, err := of(t, fields).Matches(pair[0], pair[1]); err == nil {
			t.Errorf("%s: a struct that is no pointer was read", what)
		}
	}
}

func TestOf(t *testing.T) {
	apply := metav1.ManagedFieldsOperationApply
	for what, test := range map[string]struct {
		entry metav1.ManagedFieldsEntry
		want  bool
	}{
		"applied by us":     {metav1.ManagedFieldsEntry{Manager: "us", Operation: apply}, true},
		"applied by others": {metav1.ManagedFieldsEntry{Manager: "they", Operation: apply}, false},
		"updated by us":     {metav1.ManagedFieldsEntry{Manager: "us", Operation: metav1.ManagedFieldsOperationUpdate}, false},
		"of a subresource":  {metav1.ManagedFieldsEntry{Manager: "us", Operation: apply, Subresource: "status"}, false},
	} {
		test.entry.FieldsV1 = &metav1.FieldsV1{}
		test.entry.FieldsV1.SetRawBytes([]byte(fields))
		owned, err := managedfields.Of(&metav1.ObjectMeta{ManagedFields: []metav1.ManagedFieldsEntry{test.entry}}, "us")
		if err != nil || owned.Has("spec", "replicas") != test.want {
			t.Errorf("%s: owned %v, want %v; error %v", what, owned.Has("spec", "replicas"), test.want, err)
		}
		if owned.Has("spec", "paused") {
			t.Errorf("%s: what nobody has applied is owned", what)
		}
	}
	empty := metav1.ManagedFieldsEntry{Manager: "us", Operation: apply}
	if owned, err := managedfields.Of(&metav1.ObjectMeta{ManagedFields: []metav1.ManagedFieldsEntry{empty}}, "us"); err != nil || owned.Has("spec") {
		t.Errorf("without fields: owned %v, error %v", owned, err)
	}
	empty.FieldsV1 = &metav1.FieldsV1{}
	empty.FieldsV1.SetRawBytes([]byte("?"))
	if _, err := managedfields.Of(&metav1.ObjectMeta{ManagedFields: []metav1.ManagedFieldsEntry{empty}}, "us"); err == nil {
		t.Error("fields that cannot be read were")
	}
}

// TestLost holds that fields are named which others have taken, and no values.
func TestLost(t *testing.T) {
	const desired = `{"apiVersion":"v1","kind":"Thing","metadata":{"name":"web","namespace":"apps"},
		"spec":{"replicas":2,"list":[{"name":"a","value":"secret"},{"name":"b"}],"set":["x",1],"whole":{"k":["v"]}}}`
	for what, test := range map[string]struct {
		fields string
		want   string
	}{
		"all is owned":  {fields, "[]"},
		"a field":       {strings.Replace(fields, `"f:replicas":{},`, "", 1), "[.spec.replicas]"},
		"of an item":    {strings.Replace(fields, `,"f:value":{}`, "", 1), `[.spec.list[name="a"].value]`},
		"an item":       {strings.Replace(fields, `"k:{\"name\":\"b\"}":{".":{},"f:name":{}}`, `"k:{\"name\":\"c\"}":{".":{}}`, 1), `[.spec.list[name="b"]]`},
		"a bare value":  {strings.Replace(fields, `,"v:\"x\"":{}`, "", 1), "[.spec.set]"},
		"two":           {`{"f:spec":{"f:list":{"k:{\"name\":\"a\"}":{".":{},"f:name":{},"f:value":{}}},"f:set":{"v:1":{},"v:\"x\"":{}},"f:whole":{}}}`, `[.spec.list[name="b"] .spec.replicas]`},
		"all":           {`{}`, "[.spec]"},
		"more is owned": {strings.Replace(fields, `"f:replicas"`, `"f:more":{},"f:replicas"`, 1), "[]"},
	} {
		got, err := of(t, test.fields).Lost(decoded(t, desired))
		if err != nil || fmt.Sprint(got) != test.want {
			t.Errorf("%s: %v, want %v; error %v", what, got, test.want, err)
		}
	}
}

func of(t testing.TB, text string) managedfields.Fields {
	t.Helper()
	entry := metav1.ManagedFieldsEntry{
		Manager: "us", Operation: metav1.ManagedFieldsOperationApply, FieldsV1: &metav1.FieldsV1{},
	}
	entry.FieldsV1.SetRawBytes([]byte(text))
	owned, err := managedfields.Of(&metav1.ObjectMeta{ManagedFields: []metav1.ManagedFieldsEntry{entry}}, "us")
	if err != nil {
		t.Fatal(err)
	}
	return owned
}

func decoded(t *testing.T, text string) map[string]any {
	t.Helper()
	content := map[string]any{}
	if err := json.Unmarshal([]byte(text), &content); err != nil {
		t.Fatal(err)
	}
	return content
}
