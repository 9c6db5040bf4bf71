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
	"slices"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/value"
)

// Lost returns the paths, in order, of the fields of an apply configuration that are not owned: whoever changes or removes a field takes
// it from its owner. There are no values in them but the keys by which list items are told apart; of a list of bare values, there is the
// path of the list.
func (f Fields) Lost(desired any) ([]string, error) {
	d, err := valueOf(desired)
	if err != nil {
		return nil, err
	}
	var found []string
	lost(nil, f.set, d, identity, &found)
	slices.Sort(found)
	return slices.Compact(found), nil
}

func lost(path fieldpath.Path, owned *fieldpath.Set, desired value.Value, except unowned, found *[]string) {
	switch {
	case desired.IsMap():
		desired.AsMap().Iterate(func(name string, field value.Value) bool {
			if !slices.Contains(except.names, name) {
				lostElement(path, fieldpath.PathElement{FieldName: &name}, owned, field, except.within[name], found)
			}
			return true
		})
	case desired.IsList():
		names := keyNames(owned)
		for i := range desired.AsList().Length() {
			item := desired.AsList().At(i)
			element, ok := elementOf(item, names)
			switch {
			case !ok:
			case element.Key != nil:
				lostElement(path, element, owned, item, unowned{}, found)
			case !owned.Members.Has(element):
				*found = append(*found, path.String())
			}
		}
	}
}

// lostElement is for one element of the configuration: what of it is not owned, or all of it.
func lostElement(
	path fieldpath.Path, element fieldpath.PathElement, owned *fieldpath.Set, desired value.Value, except unowned, found *[]string,
) {
	path = append(slices.Clip(path), element)
	below, inside := owned.Children.Get(element)
	switch {
	case inside:
		lost(path, below, desired, except, found)
	case owned.Members.Has(element), desired.IsMap() && ownable(desired.AsMap(), except) == 0:
	default:
		*found = append(*found, path.String())
	}
}
