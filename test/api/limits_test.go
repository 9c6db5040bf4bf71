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
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// limitsFile lists every field with what the schema demands of it.
const limitsFile = "testdata/limits.txt"

var update = flag.Bool("update", false, "write testdata/limits.txt from the CRD")

// TestLimitsAreKept compares the schema with the limits that were decided for it. What was released never changes: OLM
// refuses an upgrade to a CRD with a default, an enum, a minimum or a maximum that its predecessor has not, objects
// that are stored would be refused at their next edit, and what is applied from files would mean something else. A new
// field gets its limits with the release that brings it. See docs/decisions/0021-bounds.md.
func TestLimitsAreKept(t *testing.T) {
	got := limitsOf(t)
	if *update {
		if err := os.WriteFile(limitsFile, []byte(strings.Join(got, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	kept := strings.Split(strings.TrimSpace(string(readFile(t, limitsFile))), "\n")
	if diff := cmp.Diff(kept, got); diff != "" {
		t.Errorf("The limits of the schema have changed (-kept +schema). Of a field that was released they may not. Where "+
			"the field is new, or nothing has been released: go test ./test/api -run %s -update\n%s", t.Name(), diff)
	}
}

// limitsOf lists the fields below spec and status, each on a line with what the schema demands of it.
func limitsOf(t *testing.T) []string {
	t.Helper()
	var lines []string
	visitBounded(t, func(path string, at *property) {
		words := []string{path, typeOf(at)}
		say := func(name string, value any, given bool) {
			if given {
				words = append(words, fmt.Sprintf("%s=%v", name, value))
			}
		}
		number := func(name string, value *int64) {
			if value != nil {
				say(name, *value, true)
			}
		}
		say("default", plain(at.Default), at.Default != nil)
		say("enum", strings.Join(at.Enum, "|"), len(at.Enum) > 0)
		say("format", at.Format, at.Format != "")
		number("minimum", at.Minimum)
		number("maximum", at.Maximum)
		number("minLength", at.MinLength)
		number("maxLength", at.MaxLength)
		number("minItems", at.MinItems)
		number("maxItems", at.MaxItems)
		number("maxProperties", at.MaxProperties)
		say("pattern", at.Pattern, at.Pattern != "")
		say("required", strings.Join(slices.Sorted(slices.Values(at.Required)), ","), len(at.Required) > 0)
		say("list", strings.Join(append([]string{at.ListType}, at.ListMapKeys...), ","), at.ListType != "")
		say("map", at.MapType, at.MapType != "")
		lines = append(lines, strings.Join(words, " "))
	})
	return lines
}

func typeOf(at *property) string {
	if at.IntOrString {
		return "int-or-string"
	}
	return at.Type
}
