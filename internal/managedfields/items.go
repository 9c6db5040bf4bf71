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
	"math"
	"strconv"
	"strings"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/value"
)

// items finds the items of a list by key or by value. The list is read once for each set of key fields, not once for
// each item: a list of n items takes n steps, not n².
type items struct {
	list value.List
	// indexes holds, by the names of the key fields, the position of each item by its key. Values have no names.
	indexes map[string]map[string]int
}

func newItems(list value.List) items {
	return items{list: list, indexes: map[string]map[string]int{}}
}

// find returns the position of the first item that the element names, and the item; nil if there is none.
func (i items) find(element fieldpath.PathElement) (int, value.Value) {
	var names []string
	var desired string
	ok := true
	switch {
	case element.Key != nil:
		for _, field := range *element.Key {
			names = append(names, field.Name)
		}
		desired, ok = keyOf(names, func(at int) (value.Value, bool) { return (*element.Key)[at].Value, true })
	case element.Value != nil:
		desired, ok = textOf(*element.Value)
	default:
		return 0, nil
	}
	if !ok {
		return 0, nil
	}
	at, found := i.index(names)[desired]
	if !found {
		return 0, nil
	}
	return at, i.list.At(at)
}

// index returns the position of each item by the values of these fields, or by the item's own value without names.
func (i items) index(names []string) map[string]int {
	all := strings.Join(names, ",")
	index, known := i.indexes[all]
	if known {
		return index
	}
	index = make(map[string]int, i.list.Length())
	for at := range i.list.Length() {
		key, ok := keyOfItem(i.list.At(at), names)
		if _, taken := index[key]; ok && !taken {
			index[key] = at
		}
	}
	i.indexes[all] = index
	return index
}

func keyOfItem(item value.Value, names []string) (string, bool) {
	if len(names) == 0 {
		return textOf(item)
	}
	if !item.IsMap() {
		return "", false
	}
	fields := item.AsMap()
	return keyOf(names, func(at int) (value.Value, bool) { return fields.Get(names[at]) })
}

// keyOf joins the values of key fields. It reports false if one is missing or is not a scalar.
func keyOf(names []string, get func(at int) (value.Value, bool)) (string, bool) {
	var key strings.Builder
	for at := range names {
		field, ok := get(at)
		if !ok {
			return "", false
		}
		text, ok := textOf(field)
		if !ok {
			return "", false
		}
		key.WriteString(text)
		key.WriteByte(',')
	}
	return key.String(), true
}

// textOf returns a text that two scalars share exactly if they are equal: decoded JSON has a float where a struct has an
// integer. It reports false for lists and maps, which no key or set holds.
func textOf(scalar value.Value) (string, bool) {
	switch {
	case scalar.IsNull():
		return "null", true
	case scalar.IsString():
		return strconv.Quote(scalar.AsString()), true
	case scalar.IsBool():
		return strconv.FormatBool(scalar.AsBool()), true
	case scalar.IsInt():
		return strconv.FormatInt(scalar.AsInt(), 10), true
	case scalar.IsFloat():
		number := scalar.AsFloat()
		if number == math.Trunc(number) && math.Abs(number) < 1<<63 {
			return strconv.FormatInt(int64(number), 10), true
		}
		return strconv.FormatFloat(number, 'g', -1, 64), true
	default:
		return "", false
	}
}
