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

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/example/app-operator/api/v1"
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

// TestWhyTellsOfAnOperatorThatIsGone is about Applications that were served once, and whose last change nobody looks at.
func TestWhyTellsOfAnOperatorThatIsGone(t *testing.T) {
	serving := Operator{Namespace: "operators", Name: "a", Serves: []string{"shop"}, Ready: 1}
	for name, test := range map[string]struct {
		operators []Operator
		deleted   bool
		has       []string
		well      bool
	}{
		"it is removed":           {has: []string{"has not looked at the last change of the spec", "o operator that runs serves namespace shop"}},
		"it serves another":       {operators: []Operator{{Namespace: "operators", Name: "a", Serves: []string{"x"}, Ready: 1}}, has: []string{"serves the namespace x"}},
		"a deletion":              {deleted: true, has: []string{"has not looked at its deletion", "o operator that runs serves namespace shop"}},
		"it has not come to look": {operators: []Operator{serving}, has: []string{"has not looked at the last change of the spec", "--watch"}, well: true},
	} {
		app := application(1)
		app.Namespace, app.Generation, app.Status.ObservedGeneration = "shop", 4, 3
		app.Status.Conditions = []metav1.Condition{{Type: v1.ConditionReady, Status: metav1.ConditionTrue, Reason: v1.ReasonRolloutComplete}}
		if test.deleted {
			app.DeletionTimestamp = &metav1.Time{}
		}
		var out bytes.Buffer
		if well := Why(&out, &Facts{Application: app, Operators: test.operators}); well != test.well {
			t.Errorf("%s: well is %t", name, well)
		}
		for _, words := range test.has {
			if !strings.Contains(out.String(), words) {
				t.Errorf("%s: no %q in\n%s", name, words, &out)
			}
		}
	}
}

// TestSettled holds that nobody waits for what somebody has to act upon, although the operator tries again.
func TestSettled(t *testing.T) {
	for name, test := range map[string]struct {
		ready, progressing metav1.ConditionStatus
		generation         int64
		want               bool
	}{
		"ready":           {metav1.ConditionTrue, metav1.ConditionFalse, 1, true},
		"on its way":      {metav1.ConditionUnknown, metav1.ConditionTrue, 1, false},
		"failed":          {metav1.ConditionFalse, metav1.ConditionFalse, 1, true},
		"tried again":     {metav1.ConditionFalse, metav1.ConditionTrue, 1, true},
		"not looked at":   {metav1.ConditionFalse, metav1.ConditionTrue, 2, false},
		"paused half way": {metav1.ConditionUnknown, metav1.ConditionFalse, 1, true},
	} {
		app := application(1)
		app.Generation, app.Status.ObservedGeneration = test.generation, 1
		app.Status.Conditions = []metav1.Condition{{Type: v1.ConditionReady, Status: test.ready}, {Type: v1.ConditionProgressing, Status: test.progressing}}
		if got := Settled(app); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
