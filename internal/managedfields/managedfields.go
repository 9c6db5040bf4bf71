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

// Package managedfields tells, from an object's managed fields, whether a server-side apply would change it. It is pure: it
// reads objects that may be the cache's, changes none of them, and talks to nobody.
//
// The generated Extract functions of client-go tell the same, but by way of the schema of all kinds, which takes megabytes
// and a good part of a second to be read, and of a copy of what is owned, for each look (decision 0019).
package managedfields

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/value"
)

// Fields are the fields of an object that a field manager has applied.
type Fields struct{ set *fieldpath.Set }

// Of returns the fields of the object that the manager has applied; none if it has not. Fields of subresources, and what the
// manager has written otherwise, do not count.
func Of(object metav1.Object, manager string) (Fields, error) {
	for _, entry := range object.GetManagedFields() {
		if appliedBy(entry, manager) {
			set, err := fieldsOf(entry)
			return Fields{set: set}, err
		}
	}
	return Fields{set: &fieldpath.Set{}}, nil
}

// WrittenAt returns when the manager has last changed the object, or the zero time.
func WrittenAt(object metav1.Object, manager string) metav1.Time {
	var last metav1.Time
	for _, entry := range object.GetManagedFields() {
		if entry.Manager == manager && entry.Time != nil && last.Before(entry.Time) {
			last = *entry.Time
		}
	}
	return last
}

// appliedBy reports whether the entry holds what the manager has applied.
func appliedBy(entry metav1.ManagedFieldsEntry, manager string) bool {
	return entry.Manager == manager && entry.Operation == metav1.ManagedFieldsOperationApply && entry.Subresource == ""
}

// fieldsOf returns the fields of one manager.
func fieldsOf(entry metav1.ManagedFieldsEntry) (*fieldpath.Set, error) {
	set := &fieldpath.Set{}
	if entry.FieldsV1 == nil {
		return set, nil
	}
	if err := set.FromJSON(entry.FieldsV1.GetRawReader()); err != nil {
		return set, fmt.Errorf("decode the managed fields of %s: %w", entry.Manager, err)
	}
	return set, nil
}

// Has reports whether the field at this path, such as "spec", "replicas", is owned.
func (f Fields) Has(path ...string) bool {
	elements := make(fieldpath.Path, 0, len(path))
	for i := range path {
		elements = append(elements, fieldpath.PathElement{FieldName: &path[i]})
	}
	return f.set.Has(elements)
}

// Matches reports whether exactly the fields of an apply configuration are owned, and have in the live object the values that
// they have there; a zero value may also be absent. Both are structs as Kubernetes' types are, or pointers to such, or decoded JSON.
func (f Fields) Matches(desired, live any) (bool, error) {
	d, err := valueOf(desired)
	if err != nil {
		return false, err
	}
	l, err := valueOf(live)
	if err != nil {
		return false, err
	}
	return hold(f.set, d, l, identity), nil
}

// Sets reports whether an apply configuration has the field at this path, such as "spec", "replicas".
func Sets(config any, path ...string) (bool, error) {
	field, err := valueOf(config)
	if err != nil {
		return false, err
	}
	for _, name := range path {
		if !field.IsMap() {
			return false, nil
		}
		var ok bool
		if field, ok = field.AsMap().Get(name); !ok {
			return false, nil
		}
	}
	return true, nil
}

func valueOf(object any) (value.Value, error) {
	if content, ok := object.(map[string]any); ok {
		return value.NewValueInterface(content), nil
	}
	v, err := value.NewValueReflect(object)
	if err != nil {
		return nil, fmt.Errorf("read %T: %w", object, err)
	}
	return v, nil
}

// unowned are fields that every apply configuration has and nobody owns, by the field that they are in.
type unowned struct {
	names  []string
	within map[string]unowned
}

// identity says which object it is (kubernetes apimachinery pkg/util/managedfields/internal/stripmeta.go).
var identity = unowned{
	names:  []string{"apiVersion", "kind"},
	within: map[string]unowned{"metadata": {names: []string{"name", "namespace"}}},
}

// hold reports whether the elements of the set, and no others, are in desired, each with the value that it has in live.
func hold(set *fieldpath.Set, desired, live value.Value, except unowned) bool {
	switch {
	case desired.IsMap() && live.IsMap():
		return holdFields(set, desired.AsMap(), live.AsMap(), except)
	case desired.IsList() && live.IsList():
		return holdItems(set, desired.AsList(), live.AsList())
	default:
		return false
	}
}

func holdFields(set *fieldpath.Set, desired, live value.Map, except unowned) bool {
	left := ownable(desired, except)
	for _, element := range elements(set) {
		if element.FieldName == nil {
			return false
		}
		name := *element.FieldName
		d, ok := desired.Get(name)
		if !ok {
			return false
		}
		if l, ok := live.Get(name); ok {
			if !holdElement(set, element, d, l, except.within[name]) {
				return false
			}
		} else if !isZero(d) {
			return false
		}
		left--
	}
	return left == 0
}

// isZero reports whether a value is one that most fields are stored without: "", false, 0 and an empty list. Where such
// a field is absent and still owned, it has its zero value: whoever sets or removes it takes it from its owner.
func isZero(v value.Value) bool {
	switch {
	case v.IsString():
		return v.AsString() == ""
	case v.IsBool():
		return !v.AsBool()
	case v.IsInt():
		return v.AsInt() == 0
	case v.IsFloat():
		return v.AsFloat() == 0
	case v.IsList():
		return v.AsList().Length() == 0
	default:
		return false
	}
}

// ownable returns how many of the fields somebody can own.
func ownable(fields value.Map, except unowned) int {
	count := fields.Length()
	for _, name := range except.names {
		if fields.Has(name) {
			count--
		}
	}
	for name, within := range except.within {
		if field, ok := fields.Get(name); ok && field.IsMap() && ownable(field.AsMap(), within) == 0 {
			count--
		}
	}
	return count
}

// holdItems is for lists whose items have owners of their own. Items of others may be among ours, whose order counts.
func holdItems(set *fieldpath.Set, desired, live value.List) bool {
	desiredItems, liveItems := newItems(desired), newItems(live)
	held := make([]int, desired.Length()) // where in the live list each desired item is
	count := 0
	for _, element := range elements(set) {
		at, d := desiredItems.find(element)
		where, l := liveItems.find(element)
		if d == nil || l == nil || !holdElement(set, element, d, l, unowned{}) {
			return false
		}
		held[at] = where
		count++
	}
	if count != len(held) {
		return false
	}
	for i := 1; i < len(held); i++ {
		if held[i-1] >= held[i] {
			return false
		}
	}
	return true
}

// holdElement is for one element: what is owned below it, or all of it.
func holdElement(set *fieldpath.Set, element fieldpath.PathElement, desired, live value.Value, except unowned) bool {
	if below, ok := set.Children.Get(element); ok {
		return hold(below, desired, live, except)
	}
	return equal(desired, live)
}

// equal compares whole values. As long as they are structs, package value takes lists of different types for different.
func equal(a, b value.Value) bool {
	if a.IsList() || a.IsMap() {
		a, b = value.NewValueInterface(a.Unstructured()), value.NewValueInterface(b.Unstructured())
	}
	return value.Equals(a, b)
}

// elements returns each element of the set once, whether it is owned or something below it.
func elements(set *fieldpath.Set) []fieldpath.PathElement {
	all := make([]fieldpath.PathElement, 0, set.Members.Size())
	set.Members.Iterate(func(element fieldpath.PathElement) { all = append(all, element) })
	set.Children.Iterate(func(element fieldpath.PathElement) {
		if !set.Members.Has(element) {
			all = append(all, element)
		}
	})
	return all
}

// AppliedBy returns the encoded fields of the object that the manager has applied, and when it last changed them; nothing if it
// has not.
func AppliedBy(object metav1.Object, manager string) (fields []byte, at metav1.Time) {
	for _, entry := range object.GetManagedFields() {
		if !appliedBy(entry, manager) {
			continue
		}
		if entry.Time != nil {
			at = *entry.Time
		}
		if entry.FieldsV1 != nil {
			fields = entry.FieldsV1.GetRawBytes()
		}
	}
	return fields, at
}
