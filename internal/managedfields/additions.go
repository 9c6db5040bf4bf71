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
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/value"
)

// Addition is a field, a list item or a map entry of an object that an apply configuration does not have, with all that is
// below it. Somebody else has set it, or the API server has filled it in.
type Addition struct {
	path fieldpath.Path
	live value.Value
	// owned are the fields below it that somebody owns, and byAnybody reports whether there are any, or it is owned itself.
	owned     *fieldpath.Set
	byAnybody bool
}

// String returns the path, such as .spec.ports[port=9999,protocol="TCP"].
func (a Addition) String() string { return a.path.String() }

// Additions returns what the live object has beside the apply configuration. Both are structs as Kubernetes' types are, or
// pointers to such, or decoded JSON. The managed fields are those of the live object, of all managers: they tell by which keys
// the items of a list are told apart. A list or a structure that has one owner as a whole is compared no further. Of the
// metadata, labels and annotations count; the status does not.
//
// What comes first is likeliest to be what the API server complains of, in fields such as spec.ports[1].name: it shares most
// of its path with one of them, and somebody owns it. What may go in parts comes in parts, and then as a whole: a port of a
// container, and then the container.
func Additions(desired, live any, managed []metav1.ManagedFieldsEntry, complaints []string) ([]Addition, error) {
	d, err := valueOf(desired)
	if err != nil {
		return nil, err
	}
	l, err := valueOf(live)
	if err != nil {
		return nil, err
	}
	owned := &fieldpath.Set{}
	for _, entry := range managed {
		set, err := fieldsOf(entry)
		if err != nil {
			return nil, err
		}
		owned = owned.Union(set)
	}
	var found []Addition
	additions(nil, owned, d, l, &found)
	found = slices.DeleteFunc(found, func(a Addition) bool { return !removable(a.path) })
	fields := make([][]string, 0, len(complaints))
	for _, complaint := range complaints {
		fields = append(fields, fieldNamesOf(complaint))
	}
	sortByPath(found)
	var all []Addition
	for _, addition := range found {
		all = append(all, split(addition, fields)...)
	}
	rank(all, fields)
	return all, nil
}

// removable reports whether a field can be what keeps a configuration from being applied.
func removable(path fieldpath.Path) bool {
	names := fieldNames(path)
	switch names[0] {
	case "apiVersion", "kind", "status":
		return false
	case "metadata":
		return len(names) > 1 && (names[1] == "labels" || names[1] == "annotations")
	default:
		return true
	}
}

func additions(path fieldpath.Path, owned *fieldpath.Set, desired, live value.Value, found *[]Addition) {
	switch {
	case desired.IsMap() && live.IsMap():
		fields := desired.AsMap()
		live.AsMap().Iterate(func(name string, l value.Value) bool {
			element := fieldpath.PathElement{FieldName: &name}
			d, ok := fields.Get(name)
			addition(path, element, owned, d, ok, l, found)
			return true
		})
	case desired.IsList() && live.IsList():
		names := keyNames(owned)
		if names == nil { // it has one owner as a whole
			return
		}
		desiredItems, list := newItems(desired.AsList()), live.AsList()
		for i := range list.Length() {
			element, ok := elementOf(list.At(i), names)
			if !ok {
				continue
			}
			_, d := desiredItems.find(element)
			addition(path, element, owned, d, d != nil, list.At(i), found)
		}
	}
}

// addition is for one element of the live object.
func addition(
	path fieldpath.Path, element fieldpath.PathElement, owned *fieldpath.Set, desired value.Value, isDesired bool,
	live value.Value, found *[]Addition,
) {
	below, inside := owned.Children.Get(element)
	switch path := append(slices.Clip(path), element); {
	case !isDesired:
		*found = append(*found, newAddition(path, owned, live))
	case inside:
		additions(path, below, desired, live, found)
	default:
		additions(path, &fieldpath.Set{}, desired, live, found)
	}
}

// newAddition returns the addition at the path, of which the last element is owned as the set of its parent says.
func newAddition(path fieldpath.Path, owned *fieldpath.Set, live value.Value) Addition {
	element := path[len(path)-1]
	below, inside := owned.Children.Get(element)
	if !inside {
		below = &fieldpath.Set{}
	}
	return Addition{path: path, live: value.NewValueInterface(live.Unstructured()), owned: below, byAnybody: inside || owned.Members.Has(element)}
}

// split returns the parts of an addition that may go alone, and then the addition: the entries of a map, or, if something is
// complained of deeper inside of a list item than one of its own fields, what the item is made of.
func split(whole Addition, complaints [][]string) []Addition {
	key := whole.path[len(whole.path)-1].Key
	if key == nil {
		return append(fieldsIn(whole, nil), whole)
	}
	names := fieldNames(whole.path)
	if !slices.ContainsFunc(complaints, func(field []string) bool {
		return len(field) >= len(names)+2 && commonPrefix(field, names) == len(names)
	}) {
		return []Addition{whole}
	}
	var parts []Addition
	for _, field := range fieldsIn(whole, *key) {
		if keyNames(field.owned) == nil {
			parts = append(parts, append(fieldsIn(field, nil), field)...)
			continue
		}
		var items []Addition
		additions(field.path, field.owned, value.NewValueInterface([]any{}), field.live, &items)
		for _, item := range items {
			parts = append(parts, split(item, complaints)...)
		}
	}
	return append(parts, whole)
}

// fieldsIn returns the fields inside of an addition that have owners of their own, without those of the key.
func fieldsIn(whole Addition, key value.FieldList) []Addition {
	var parts []Addition
	if !whole.live.IsMap() || whole.owned.Empty() {
		return nil
	}
	whole.live.AsMap().Iterate(func(name string, live value.Value) bool {
		if !slices.ContainsFunc(key, func(field value.Field) bool { return field.Name == name }) {
			path := append(slices.Clip(whole.path), fieldpath.PathElement{FieldName: &name})
			parts = append(parts, newAddition(path, whole.owned, live))
		}
		return true
	})
	sortByPath(parts)
	return parts
}

func sortByPath(additions []Addition) {
	slices.SortFunc(additions, func(a, b Addition) int { return a.path.Compare(b.path) })
}

// Existing returns those of the paths at which an object has anything but a zero value.
func Existing(live any, paths []fieldpath.Path) ([]Addition, error) {
	if len(paths) == 0 {
		return nil, nil
	}
	l, err := valueOf(live)
	if err != nil {
		return nil, err
	}
	var found []Addition
	existing(nil, fieldpath.NewSet(paths...), l, &found)
	return found, nil
}

func existing(path fieldpath.Path, set *fieldpath.Set, live value.Value, found *[]Addition) {
	var list items
	if live.IsList() {
		list = newItems(live.AsList())
	}
	for _, element := range elements(set) {
		var at value.Value
		switch {
		case element.FieldName != nil && live.IsMap():
			at, _ = live.AsMap().Get(*element.FieldName)
		case live.IsList():
			_, at = list.find(element)
		}
		if at == nil {
			continue
		}
		path := append(slices.Clip(path), element)
		if set.Members.Has(element) && !isZero(at) {
			*found = append(*found, Addition{path: path})
		}
		if below, ok := set.Children.Get(element); ok {
			existing(path, below, at, found)
		}
	}
}

// keyNames returns the names of the fields by which the items of a list are told apart, as its owners know them; empty, but
// not nil, if the items themselves are.
func keyNames(owned *fieldpath.Set) []string {
	for _, element := range elements(owned) {
		switch {
		case element.Key != nil:
			names := make([]string, 0, len(*element.Key))
			for _, field := range *element.Key {
				names = append(names, field.Name)
			}
			return names
		case element.Value != nil:
			return []string{}
		}
	}
	return nil
}

// elementOf returns what names the item in its list, and whether it has all that this takes. It shares nothing with the item.
func elementOf(item value.Value, names []string) (fieldpath.PathElement, bool) {
	if len(names) == 0 {
		own := value.NewValueInterface(item.Unstructured())
		return fieldpath.PathElement{Value: &own}, true
	}
	if !item.IsMap() {
		return fieldpath.PathElement{}, false
	}
	key := make(value.FieldList, 0, len(names))
	for _, name := range names {
		field, ok := item.AsMap().Get(name)
		if !ok {
			return fieldpath.PathElement{}, false
		}
		key = append(key, value.Field{Name: name, Value: value.NewValueInterface(field.Unstructured())})
	}
	key.Sort()
	return fieldpath.PathElement{Key: &key}, true
}

// rank sorts additions by how likely they are to be what is complained of.
func rank(additions []Addition, complaints [][]string) {
	shared := func(a Addition) int {
		names, longest := fieldNames(a.path), 0
		for _, field := range complaints {
			longest = max(longest, commonPrefix(names, field))
		}
		return longest
	}
	slices.SortStableFunc(additions, func(a, b Addition) int {
		switch order := shared(b) - shared(a); {
		case order != 0:
			return order
		case a.byAnybody && !b.byAnybody:
			return -1
		case b.byAnybody && !a.byAnybody:
			return 1
		default:
			return 0
		}
	})
}

// fieldNames returns the names of the fields on a path, without the keys of list items.
func fieldNames(path fieldpath.Path) []string {
	var names []string
	for _, element := range path {
		if element.FieldName != nil {
			names = append(names, *element.FieldName)
		}
	}
	return names
}

// fieldNamesOf returns the names of the fields on a path as validation writes it, without indexes and keys.
func fieldNamesOf(text string) []string {
	var names []string
	for text != "" {
		name, rest := text, ""
		if end := strings.IndexAny(text, ".["); end >= 0 {
			name, rest = text[:end], text[end+1:]
			if text[end] == '[' {
				_, rest, _ = strings.Cut(rest, "]")
			}
		}
		if name != "" {
			names = append(names, name)
		}
		text = rest
	}
	return names
}

func commonPrefix(a, b []string) int {
	length := 0
	for length < min(len(a), len(b)) && a[length] == b[length] {
		length++
	}
	return length
}

// Take returns the managed fields of an object, with the additions made the manager's: an apply of its that does not have them
// takes them away. They are what the API server would have stored if the manager had applied them, and nobody else had.
func Take(managed []metav1.ManagedFieldsEntry, manager, apiVersion string, additions []Addition) ([]metav1.ManagedFieldsEntry, error) {
	taken := fieldpath.NewSet()
	for _, addition := range additions {
		taken.Insert(addition.path)
	}
	var result []metav1.ManagedFieldsEntry
	given := false
	for _, entry := range managed {
		set, err := fieldsOf(entry)
		if err != nil {
			return nil, err
		}
		switch {
		case appliedBy(entry, manager):
			set, given = set.Union(taken), true
		case entry.Subresource == "status":
			result = append(result, entry)
			continue
		default:
			before := set
			if set = before.RecursiveDifference(taken); set.Equals(before) {
				result = append(result, entry)
				continue
			}
		}
		if set.Empty() {
			continue
		}
		if entry.FieldsV1, err = encode(set); err != nil {
			return nil, err
		}
		result = append(result, entry)
	}
	if given {
		return result, nil
	}
	ours := metav1.ManagedFieldsEntry{
		Manager: manager, Operation: metav1.ManagedFieldsOperationApply, APIVersion: apiVersion, FieldsType: "FieldsV1",
	}
	var err error
	ours.FieldsV1, err = encode(taken)
	return append(result, ours), err
}

func encode(set *fieldpath.Set) (*metav1.FieldsV1, error) {
	content, err := set.ToJSON()
	if err != nil {
		return nil, fmt.Errorf("encode managed fields: %w", err)
	}
	fields := &metav1.FieldsV1{}
	fields.SetRawBytes(content)
	return fields, nil
}
