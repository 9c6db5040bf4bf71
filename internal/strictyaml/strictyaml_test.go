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

package strictyaml

import (
	"strings"
	"testing"
)

func TestToJSON(t *testing.T) {
	for document, want := range map[string]string{
		"a: 1\nb: {c: yes}\n": `{"a":1,"b":{"c":true}}`,
		"base: &base {a: 1, b: 2}\nown:\n  <<: *base\n  a: 3\n": `{"base":{"a":1,"b":2},"own":{"a":3,"b":2}}`,
		"# nothing\n": "null",
	} {
		if got, err := ToJSON([]byte(document)); err != nil || string(got) != want {
			t.Errorf("%q: %s, %v; want %s", document, got, err, want)
		}
	}
	for document, want := range map[string]string{
		"a: 1\na: 2\n":         `line 2: key "a" already set in map`,
		"a: {b: 1,\n  b: 1}\n": `line 2: key "b" already set in map`,
		"a: [1\n":              "line 1",
		"a: *nobody\n":         "unknown anchor",
		"base: &base {a: 1}\nown:\n  <<: *base\n  a: 3\n  a: 4\n": `key "a" already set in map`,
	} {
		if got, err := ToJSON([]byte(document)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %s, %v; want %s", document, got, err, want)
		}
	}
}
