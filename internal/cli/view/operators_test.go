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

package view

import (
	"bytes"
	"strings"
	"testing"
)

// TestWhyNamesTheOperators holds that whoever is not served learns which operators there are, and is not told to install a second one
// beside one that was installed in another way.
func TestWhyNamesTheOperators(t *testing.T) {
	const installs, asks = "kubectl app install generate", "ask whoever has installed an operator"
	for name, test := range map[string]struct {
		operators []Operator
		unseen    []string
		has, not  []string
	}{
		"none":     {has: []string{"there is no operator in the cluster", installs}},
		"unseen":   {unseen: []string{"operators in all namespaces"}, has: []string{"not seen: operators", installs}, not: []string{"there is no operator in the cluster"}},
		"its own":  {operators: []Operator{{Namespace: Home, Name: "a", Serves: []string{"x"}, Ready: 1}}, has: []string{"serves the namespace x", "--watch-namespace x,shop"}},
		"by other": {operators: []Operator{{Namespace: "operators", Name: "a", Serves: []string{"x"}, Ready: 1}}, has: []string{"serves the namespace x", asks}, not: []string{installs}},
	} {
		app := application(1)
		app.Status.Conditions = nil
		f := &Facts{Application: app, Operators: test.operators, Unseen: test.unseen}
		var out bytes.Buffer
		Why(&out, f)
		for _, words := range test.has {
			if !strings.Contains(out.String(), words) {
				t.Errorf("%s: no %q in\n%s", name, words, &out)
			}
		}
		for _, words := range test.not {
			if strings.Contains(out.String(), words) || strings.Contains(f.Unserved(), words) {
				t.Errorf("%s: %q in\n%s\nor in\n%s", name, words, &out, f.Unserved())
			}
		}
	}
}
