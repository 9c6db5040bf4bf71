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
	"strconv"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// operation is one of a JSON patch.
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value,omitempty"`
}

// Patch returns the JSON patch that turns the managed fields into the next ones, or nil if they are the same. It
// fails if somebody has changed one of the entries it touches. A resource version would make it fail whenever anybody has
// changed anything, as a Deployment's controller does all the time.
func Patch(uid types.UID, now, next []metav1.ManagedFieldsEntry) ([]byte, error) {
	const fields = "/metadata/managedFields"
	operations := []operation{{"test", "/metadata/uid", uid}}
	ofStatus := func(entry metav1.ManagedFieldsEntry) bool { return entry.Subresource == "status" }
	next = slices.DeleteFunc(slices.Clone(next), ofStatus)
	if len(now) == 0 && len(next) > 0 {
		operations = append(operations, operation{"add", fields, next})
		return json.Marshal(operations)
	}
	at := func(i int) string { return fields + "/" + strconv.Itoa(i) }
	for i := range slices.Backward(now) { // from the end, so that a removal moves none that is still to come
		entry := findEntry(next, now[i])
		switch {
		case ofStatus(now[i]):
		case entry == nil:
			operations = append(operations, operation{"test", at(i), now[i]}, operation{Op: "remove", Path: at(i)})
		case !equality.Semantic.DeepEqual(entry.FieldsV1, now[i].FieldsV1):
			operations = append(operations, operation{"test", at(i), now[i]}, operation{"replace", at(i), entry})
		}
	}
	for i := range next {
		if findEntry(now, next[i]) == nil {
			operations = append(operations, operation{"add", fields + "/-", next[i]})
		}
	}
	if len(operations) == 1 {
		return nil, nil
	}
	return json.Marshal(operations)
}

// findEntry returns the entry of the same manager, operation, version and subresource, or nil.
func findEntry(entries []metav1.ManagedFieldsEntry, like metav1.ManagedFieldsEntry) *metav1.ManagedFieldsEntry {
	at := slices.IndexFunc(entries, func(entry metav1.ManagedFieldsEntry) bool {
		return entry.Manager == like.Manager && entry.Operation == like.Operation &&
			entry.APIVersion == like.APIVersion && entry.Subresource == like.Subresource
	})
	if at < 0 {
		return nil
	}
	return &entries[at]
}
