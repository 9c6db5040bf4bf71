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

package api

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// unbounded are the integers that count generations, which the API server itself hands out.
var unbounded = []string{"status.observedGeneration", "status.conditions[*].observedGeneration"}

// TestEveryFieldIsBounded holds the whole schema, Kubernetes' own types included, to having a most of everything: one
// Application without bounds costs the operator whatever its author likes, and OLM lets no bound be added later.
func TestEveryFieldIsBounded(t *testing.T) {
	visited := 0
	visitBounded(t, func(path string, at *property) {
		visited++
		var missing []string
		need := func(of string, there bool) {
			if !there {
				missing = append(missing, of)
			}
		}
		switch {
		case at.IntOrString:
			// Ours have a rule that says how long they may be, and quantities a pattern.
			need("maxLength", at.MaxLength != nil || at.Pattern != "" || len(at.Rules) > 0)
			need("minimum or maximum", at.Minimum != nil && at.Maximum != nil || at.Pattern != "")
		case at.Type == "string":
			need("maxLength", at.MaxLength != nil || len(at.Enum) > 0 || at.Format == "date-time")
		case at.Type == "array":
			need("maxItems", at.MaxItems != nil)
		case at.Type == "integer":
			need("minimum", at.Minimum != nil || slices.Contains(unbounded, path))
			need("maximum", at.Maximum != nil || slices.Contains(unbounded, path))
		case at.AdditionalProperties != nil:
			need("maxProperties", at.MaxProperties != nil)
		}
		if len(missing) > 0 {
			t.Errorf("%s has no %s", path, strings.Join(missing, " and no "))
		}
	})
	if visited < 500 {
		t.Errorf("visited only %d properties", visited)
	}
}

// TestNoDefaultWithinLists keeps kubectl apply from writing each time that it is run: it compares a list of the
// manifest with the stored one as a whole, in which the default then is a difference.
func TestNoDefaultWithinLists(t *testing.T) {
	visitBounded(t, func(path string, at *property) {
		if strings.Contains(path, "[*]") && at.Default != nil {
			t.Errorf("%s has the default %q; keep it in memory", path, plain(at.Default))
		}
	})
}

func visitBounded(t *testing.T, see func(path string, at *property)) {
	t.Helper()
	root := loadSchema(t)
	visitAll("spec", root.Properties["spec"], see)
	visitAll("status", root.Properties["status"], see)
}

// boundRefusal is in what the API server says of a bound, and not in what a rule says.
var boundRefusal = regexp.MustCompile(`in body should be (greater|less) than or equal to|Too (long|many)|must have at most`)

// TestEveryBoundHolds sends each field of the spec a value beyond its bound, which has to be refused there, and one at
// its bound, which may be refused by a rule only.
func TestEveryBoundHolds(t *testing.T) {
	space := namespace(t, "")
	root := loadSchema(t)
	held := 0
	visitAll("spec", root.Properties["spec"], func(path string, at *property) {
		if strings.HasPrefix(path, neverTaken) {
			return
		}
		bounds := boundsOf(path, at)
		if len(bounds) == 0 {
			return
		}
		t.Run(path, func(t *testing.T) {
			for _, bound := range bounds {
				held++
				if err := boundError(t, space, root, path, bound.at); err != nil {
					t.Errorf("%s itself is refused: %v", bound.name, err)
				}
				if err := boundError(t, space, root, path, bound.beyond); err == nil {
					t.Errorf("beyond %s is accepted", bound.name)
				}
			}
		})
	})
	if held < 500 {
		t.Errorf("tried only %d bounds", held)
	}
	t.Logf("tried %d bounds", held)
}

// boundError returns what the API server says of a bound at this path or below it.
func boundError(t *testing.T, space string, root *property, path, value string) error {
	t.Helper()
	_, err := dryRun(t, space, around(root, path, value))
	if err == nil {
		return nil
	}
	index := regexp.MustCompile(`\[\d+\]`)
	key, _, _ := strings.Cut(path, ".*")
	for _, message := range messagesOf(err) {
		if strings.HasPrefix(index.ReplaceAllString(message, "[*]"), key) && boundRefusal.MatchString(message) {
			return fmt.Errorf("%.200s", message)
		}
	}
	return nil
}

// bound is a limit of a property: a value in JSON at the limit, and one beyond it.
type bound struct{ name, at, beyond string }

// boundsOf lists the bounds of a property's size and number.
func boundsOf(path string, at *property) []bound {
	var bounds []bound
	if most := at.MaxLength; most != nil {
		bounds = append(bounds, bound{fmt.Sprintf("maxLength %d", *most), letters(*most), letters(*most + 1)})
	}
	if most := at.Maximum; most != nil {
		bounds = append(bounds, bound{fmt.Sprintf("maximum %d", *most), fmt.Sprint(*most), fmt.Sprint(*most + 1)})
	}
	if least := at.Minimum; least != nil {
		bounds = append(bounds, bound{fmt.Sprintf("minimum %d", *least), fmt.Sprint(*least), fmt.Sprint(*least - 1)})
	}
	if most := at.MaxItems; most != nil {
		bounds = append(bounds, bound{fmt.Sprintf("maxItems %d", *most), items(path, at, *most), items(path, at, *most+1)})
	}
	if most := at.MaxProperties; most != nil {
		bounds = append(bounds, bound{fmt.Sprintf("maxProperties %d", *most), entries(*most), entries(*most + 1)})
	}
	return bounds
}

func letters(count int64) string { return `"` + strings.Repeat("a", int(count)) + `"` }

// items is a list of so many items, which differ in their keys.
func items(path string, at *property, count int64) string {
	list := make([]any, count)
	for i := range list {
		list[i] = least(path+"[*]", at.Items)
		if object, ok := list[i].(tree); ok {
			for _, key := range at.ListMapKeys {
				object[key] = numbered(at.Items.Properties[key], object[key], i)
			}
		} else {
			list[i] = numbered(at.Items, list[i], i)
		}
	}
	data, err := json.Marshal(list)
	if err != nil {
		panic(err)
	}
	return string(data)
}

// numbered is another value for each number.
func numbered(of *property, value any, number int) any {
	switch {
	case len(of.Enum) > 0:
		return value
	case of.Type == "integer":
		return number
	default:
		return fmt.Sprintf("%v%d", value, number)
	}
}

// entries is a map of so many texts, which are quantities, too.
func entries(count int64) string {
	object := tree{}
	for i := range count {
		object[fmt.Sprintf("a%d", i)] = "1"
	}
	data, err := json.Marshal(object)
	if err != nil {
		panic(err)
	}
	return string(data)
}
