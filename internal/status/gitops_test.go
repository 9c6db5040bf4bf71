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

package status

import (
	"flag"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/runtime/cel"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	v1 "github.com/example/app-operator/api/v1"
)

var update = flag.Bool("update", false, "write testdata/states.yaml from the statuses that can be")

const statesFile = "testdata/states.yaml"

// state is a status that differs from all others in its reason or in what a tool makes of it. test/gitops gives each to Helm.
type state struct {
	Reason     string             `json:"reason"`
	Ready      string             `json:"ready"`
	Kstatus    string             `json:"kstatus"`
	ArgoCD     string             `json:"argoCD"`
	Conditions []metav1.Condition `json:"conditions"`
}

func (s state) key() string {
	return strings.Join([]string{s.Reason, s.Ready, s.Kstatus, s.ArgoCD}, " ")
}

// states returns one for each reason of Ready and each that tools make of it, in an order that stays.
func states(t *testing.T) []state {
	t.Helper()
	statesOnce.Do(func() { statesFound = findStates(t) })
	return statesFound
}

// It takes long, and several tests need it.
var (
	statesOnce  sync.Once
	statesFound []state
)

func findStates(t *testing.T) []state {
	t.Helper()
	argoCD := newArgoCD(t)
	found := map[string]state{}
	for _, each := range append(everySituation(t), faultyPods(t)...) {
		if each.app.DeletionTimestamp != nil && each.err != nil {
			continue
		}
		for _, seconds := range []int{0, failAfterSeconds} {
			each.seen.Now = at(seconds)
			got := Of(each.app, each.seen, each.err)
			each.app.Status.Conditions = got.Conditions
			ready := condition(t, got, v1.ConditionReady)
			health, _ := argoCD.says(t, each.app, got)
			one := state{
				Reason: ready.Reason, Ready: string(ready.Status), Kstatus: string(kstatusOf(t, each.app, got)), ArgoCD: health,
				Conditions: withoutMessages(got.Conditions),
			}
			if _, ok := found[one.key()]; !ok {
				found[one.key()] = one
			}
		}
	}
	var all []state
	for _, one := range found {
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b state) int { return strings.Compare(a.key(), b.key()) })
	return all
}

// withoutMessages leaves out what differs between situations that no tool tells apart.
func withoutMessages(conditions []metav1.Condition) []metav1.Condition {
	plain := slices.Clone(conditions)
	for i := range plain {
		plain[i].Message, plain[i].LastTransitionTime = "", start
	}
	return plain
}

// TestEveryStateIsGivenToTools holds that the states that test/gitops tries are those that can be, and that each reason is among
// them: one that is declared and never seen is an error.
func TestEveryStateIsGivenToTools(t *testing.T) {
	all := states(t)
	missing := declaredReasons(t)
	for _, one := range all {
		delete(missing, one.Reason)
	}
	for reason := range missing {
		if classes[reason] != notReadys {
			t.Errorf("no situation has Ready with the reason %s. Remedy: one in situations_test.go, or the class %q", reason, notReadys)
		}
	}
	want, err := yaml.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(statesFile, want, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(statesFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("-program +%s; write it with go test ./internal/status -update, then go test ./test/gitops -update:\n%s", statesFile, diff)
	}
}

// TestFluxExpressions holds what docs/gitops.md says of its expressions: Flux judges by them as it does by kstatus, but for a fault
// that may heal, at which it gives up at once, and an Application that is paused.
func TestFluxExpressions(t *testing.T) {
	page, err := os.ReadFile("../../docs/gitops.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(page), "healthCheckExprs:\n")
	if !found {
		t.Fatal("docs/gitops.md has no healthCheckExprs")
	}
	text, _, _ = strings.Cut(text, "```")
	var checks []kustomize.CustomHealthCheck
	if err := yaml.UnmarshalStrict([]byte(text), &checks); err != nil || len(checks) != 1 {
		t.Fatalf("%v in %s", err, text)
	}
	if checks[0].APIVersion != v1.GroupVersion.String() || checks[0].Kind != "Application" {
		t.Errorf("the expressions are for %s %s", checks[0].APIVersion, checks[0].Kind)
	}
	evaluator, err := cel.NewStatusEvaluator(&checks[0].HealthCheckExpressions)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range states(t) {
		app := newApplication()
		app.Status = v1.ApplicationStatus{ObservedGeneration: app.Generation, Conditions: one.Conditions}
		result, err := evaluator.Evaluate(t.Context(), unstructuredOf(t, app))
		if err != nil {
			t.Fatalf("%s: %v", one.key(), err)
		}
		want := one.Kstatus
		switch {
		case classes[one.Reason] == inTime && one.Ready == "False":
			want = "Failed"
		case one.Reason == v1.ReasonPaused:
			want = "Current"
		case one.Reason == v1.ReasonDraining: // Flux does not judge what is being deleted
			want = "InProgress"
		}
		if string(result.Status) != want {
			t.Errorf("of %s the expressions say %s, want %s", one.key(), result.Status, want)
		}
	}
}
