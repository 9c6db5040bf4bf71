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

package managedfields

import (
	"encoding/json"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestPatch(t *testing.T) {
	entry := func(manager, subresource, fields string) metav1.ManagedFieldsEntry {
		return metav1.ManagedFieldsEntry{Manager: manager, Subresource: subresource, FieldsV1: metav1.NewFieldsV1(fields)}
	}
	us, they, more := entry("us", "", `{"f:a":{}}`), entry("they", "", `{"f:b":{}}`), entry("us", "", `{"f:a":{},"f:b":{}}`)
	status, other := entry("they", "status", `{"f:s":{}}`), entry("they", "status", `{"f:t":{}}`)
	type entries = []metav1.ManagedFieldsEntry
	for what, test := range map[string]struct {
		now, next entries
		want      []string // operations and paths, after the test of the UID
	}{
		"the same":             {entries{us, they}, entries{us, they}, nil},
		"another status":       {entries{us, status}, entries{us, other}, nil},
		"a status that is new": {entries{us, status}, entries{us}, nil},
		"one more, one less": {entries{us, status, they}, entries{more}, []string{
			"test /metadata/managedFields/2", "remove /metadata/managedFields/2",
			"test /metadata/managedFields/0", "replace /metadata/managedFields/0",
		}},
		"a new one":        {entries{they}, entries{they, us}, []string{"add /metadata/managedFields/-"}},
		"the first of all": {nil, entries{us}, []string{"add /metadata/managedFields"}},
	} {
		patch, err := Patch("1", test.now, test.next)
		if err != nil {
			t.Fatal(err)
		}
		var operations []operation
		if patch != nil {
			if err := json.Unmarshal(patch, &operations); err != nil {
				t.Fatal(err)
			}
			operations = operations[1:]
		}
		var got []string
		for _, operation := range operations {
			got = append(got, operation.Op+" "+operation.Path)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", what, got, test.want)
		}
	}
}
