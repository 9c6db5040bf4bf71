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
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	kstatus "github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/outcome"
)

// The class of each reason of Ready, for kstatus.
const (
	atOnce    = "Stalled"
	inTime    = "Reconciling, then Stalled"
	onItsWay  = "Reconciling"
	noneOfIt  = "-"
	notReadys = "not a reason of Ready"
)

// classes has every reason. A new one has to be put into a class here and in kstatus.go.
var classes = map[string]string{
	v1.ReasonRolloutComplete: noneOfIt, v1.ReasonSuspended: noneOfIt, v1.ReasonPaused: noneOfIt,
	v1.ReasonRollingOut: onItsWay, v1.ReasonDraining: onItsWay, v1.ReasonReleasing: onItsWay,
	v1.ReasonInvalidSpec: atOnce, v1.ReasonAdmissionDenied: atOnce, v1.ReasonChildConflict: atOnce,
	v1.ReasonAPINotInstalled: atOnce, v1.ReasonProgressDeadlineExceeded: atOnce, v1.ReasonPodsNotReady: atOnce,
	v1.ReasonReleaseFailed: atOnce, v1.ReasonRolledBack: atOnce,
	v1.ReasonAutoscalingFailed: notReadys, v1.ReasonExposureFailed: notReadys, v1.ReasonScheduleFailed: notReadys,
	v1.ReasonOOMKilled: notReadys, v1.ReasonContainerRestarted: notReadys,
	v1.ReasonReferenceMissing: inTime, v1.ReasonImagePullFailed: inTime, v1.ReasonCrashLooping: inTime,
	v1.ReasonUnschedulable: inTime, v1.ReasonQuotaExceeded: inTime, v1.ReasonReconcileFailed: inTime,
	v1.ReasonFieldManagerConflict: inTime,
}

func TestEveryReasonHasAClass(t *testing.T) {
	for reason := range declaredReasons(t) {
		class, ok := classes[reason]
		if !ok {
			t.Errorf("the reason %s has no class", reason)
		}
		if class == notReadys {
			continue
		}
		if (class == atOnce) != failsAtOnce[reason] || (class == inTime) != mayHeal[reason] || (class == onItsWay) != onTheWay[reason] {
			t.Errorf("%s: kstatus.go has another class than %s", reason, class)
		}
	}
}

// start is when the tests of time begin.
var start = metav1.NewTime(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC))

func at(seconds int) metav1.Time {
	return metav1.NewTime(start.Add(time.Duration(seconds) * time.Second))
}

// kstatusOf returns what kstatus says of the Application with this status.
func kstatusOf(t testing.TB, app *v1.Application, status v1.ApplicationStatus) kstatus.Status {
	t.Helper()
	app = app.DeepCopy()
	app.Status = status
	result, err := kstatus.Compute(unstructuredOf(t, app))
	if err != nil {
		t.Fatal(err)
	}
	return result.Status
}

// unstructuredOf returns the Application as tools that do not know its type have it.
func unstructuredOf(t testing.TB, app *v1.Application) *unstructured.Unstructured {
	t.Helper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(app)
	if err != nil {
		t.Fatal(err)
	}
	object := &unstructured.Unstructured{Object: content}
	object.SetGroupVersionKind(v1.GroupVersion.WithKind("Application"))
	return object
}

// reconciliation returns which of the two conditions of kstatus is there, and its reason.
func reconciliation(t testing.TB, got v1.ApplicationStatus) string {
	t.Helper()
	var found []string
	for _, kind := range []string{v1.ConditionReconciling, v1.ConditionStalled} {
		if condition := meta.FindStatusCondition(got.Conditions, kind); condition != nil {
			found = append(found, kind+" "+condition.Reason)
			if condition.Status != metav1.ConditionTrue {
				t.Errorf("%s is there and %s", kind, condition.Status)
			}
		}
	}
	return strings.Join(found, ", ")
}

// TestReconcilingUntilStalled follows one Application through its faults.
func TestReconcilingUntilStalled(t *testing.T) {
	missing := &outcome.Waiting{Reason: v1.ReasonReferenceMissing, Message: "Secret db does not exist"}
	quota := &outcome.Waiting{Reason: v1.ReasonQuotaExceeded, Message: "exceeded quota", After: time.Minute}
	invalid := &outcome.Invalid{Reason: v1.ReasonInvalidSpec, Message: "no"}
	rolling := &outcome.Waiting{Reason: v1.ReasonRollingOut, Message: "Waiting for pods"}
	type pass struct {
		at         int
		generation int64
		err        error
		want       string
		kstatus    kstatus.Status
		// expires is when another pass is due; 0 is never.
		expires int
	}
	for name, passes := range map[string][]pass{
		"a Secret that comes late": {
			{0, 1, rolling, "Reconciling RollingOut", kstatus.InProgressStatus, 0},
			{500, 1, missing, "Reconciling ReferenceMissing", kstatus.InProgressStatus, 620},
			{619, 1, missing, "Reconciling ReferenceMissing", kstatus.InProgressStatus, 620},
			{619, 1, nil, "", kstatus.CurrentStatus, 0},
		},
		"a Secret that never comes": {
			{0, 1, missing, "Reconciling ReferenceMissing", kstatus.InProgressStatus, 120},
			{120, 1, missing, "Stalled ReferenceMissing", kstatus.FailedStatus, 0},
			{900, 1, missing, "Stalled ReferenceMissing", kstatus.FailedStatus, 0},
			{901, 1, rolling, "Reconciling RollingOut", kstatus.InProgressStatus, 0},
			{902, 1, nil, "", kstatus.CurrentStatus, 0},
		},
		"another fault does not begin anew": {
			{0, 1, missing, "Reconciling ReferenceMissing", kstatus.InProgressStatus, 120},
			{100, 1, quota, "Reconciling QuotaExceeded", kstatus.InProgressStatus, 120},
			{121, 1, quota, "Stalled QuotaExceeded", kstatus.FailedStatus, 0},
			{122, 1, missing, "Stalled ReferenceMissing", kstatus.FailedStatus, 0},
		},
		"another generation does": {
			{0, 1, missing, "Reconciling ReferenceMissing", kstatus.InProgressStatus, 120},
			{100, 2, missing, "Reconciling ReferenceMissing", kstatus.InProgressStatus, 220},
			{220, 2, missing, "Stalled ReferenceMissing", kstatus.FailedStatus, 0},
			{230, 3, missing, "Reconciling ReferenceMissing", kstatus.InProgressStatus, 350},
		},
		"at once": {
			{0, 1, invalid, "Stalled InvalidSpec", kstatus.FailedStatus, 0},
			{10, 2, invalid, "Stalled InvalidSpec", kstatus.FailedStatus, 0},
			{20, 3, rolling, "Reconciling RollingOut", kstatus.InProgressStatus, 0},
		},
		"a failing API server": {
			{0, 1, rolling, "Reconciling RollingOut", kstatus.InProgressStatus, 0},
			{10, 1, reconcileError(t, "transient"), "Reconciling ReconcileFailed", kstatus.InProgressStatus, 130},
			{140, 1, reconcileError(t, "transient"), "Stalled ReconcileFailed", kstatus.FailedStatus, 0},
		},
	} {
		t.Run(name, func(t *testing.T) {
			app := newApplication()
			for _, pass := range passes {
				app.Generation = pass.generation
				seen := observed(t, "complete", "no faults")
				seen.Now = at(pass.at)
				app.Status = Of(app, seen, pass.err)
				if got := reconciliation(t, app.Status); got != pass.want {
					t.Errorf("after %d s: %q, want %q", pass.at, got, pass.want)
				}
				if got := kstatusOf(t, app, app.Status); got != pass.kstatus {
					t.Errorf("after %d s kstatus says %s, want %s", pass.at, got, pass.kstatus)
				}
				want := metav1.Time{}
				if pass.expires > 0 {
					want = at(pass.expires)
				}
				if got := Expires(app, seen, app.Status); !got.Equal(&want) {
					t.Errorf("after %d s the status expires at %s, want %s", pass.at, got, want)
				}
			}
		})
	}
}

// TestFailAfterSeconds holds that the spec decides how long a fault may last, until another generation says something else.
func TestFailAfterSeconds(t *testing.T) {
	missing := &outcome.Waiting{Reason: v1.ReasonReferenceMissing, Message: "Secret db does not exist"}
	app := newApplication()
	for _, pass := range []struct {
		at        int
		failAfter *int32
		want      string
		expires   int
	}{
		{0, new(int32(600)), "Reconciling ReferenceMissing", 600},
		{599, new(int32(600)), "Reconciling ReferenceMissing", 600},
		{600, new(int32(600)), "Stalled ReferenceMissing", 0},
		{601, nil, "Reconciling ReferenceMissing", 601 + failAfterSeconds},
		{602, new(int32(1)), "Reconciling ReferenceMissing", 603},
		{603, new(int32(1)), "Stalled ReferenceMissing", 0},
	} {
		rollout := &v1.RolloutSpec{FailAfterSeconds: pass.failAfter}
		if !equality.Semantic.DeepEqual(rollout, app.Spec.Rollout) {
			app.Spec.Rollout = rollout
			app.Generation++
		}
		seen := observed(t, "complete", "no faults")
		seen.Now = at(pass.at)
		app.Status = Of(app, seen, missing)
		if got := reconciliation(t, app.Status); got != pass.want {
			t.Errorf("after %d s: %q, want %q", pass.at, got, pass.want)
		}
		want := metav1.Time{}
		if pass.expires > 0 {
			want = at(pass.expires)
		}
		if got := Expires(app, seen, app.Status); !got.Equal(&want) {
			t.Errorf("after %d s the status expires at %s, want %s", pass.at, got, want)
		}
	}
}

// TestTheGuideTellsWhatFollowsFromAReason compares the guide's table with all statuses that can be.
func TestTheGuideTellsWhatFollowsFromAReason(t *testing.T) {
	const title = "| Reason of `Ready` | `Ready` | `Progressing` | `Available` | `Degraded` | For kstatus | kstatus says | Argo CD says |\n|---|---|---|---|---|---|---|---|\n"
	guide, err := os.ReadFile("../../docs/guide.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(guide), title)
	if !found {
		t.Fatalf("the guide has no table with the title\n%s", title)
	}
	table, _, _ = strings.Cut(table, "\n\n")
	if diff := cmp.Diff(reasonRows(t), strings.Split(table, "\n")); diff != "" {
		t.Errorf("-program +guide:\n%s", diff)
	}
}

// reasonRows returns a row for each reason of Ready, in the order of its class.
func reasonRows(t *testing.T) []string {
	t.Helper()
	seen := map[string]map[string]map[string]bool{} // by reason and column, what has been seen in it
	add := func(reason, column, value string) {
		if seen[reason] == nil {
			seen[reason] = map[string]map[string]bool{}
		}
		if seen[reason][column] == nil {
			seen[reason][column] = map[string]bool{}
		}
		seen[reason][column][value] = true
	}
	argoCD := newArgoCD(t)
	for _, each := range slices.Concat(everySituation(t), faultyPods(t), lesserFaults(t), waits(t)) {
		if each.app.DeletionTimestamp != nil && each.err != nil { // as without, but for kstatus it is Terminating
			continue
		}
		for _, seconds := range []int{0, failAfterSeconds} {
			each.seen.Now = at(seconds)
			got := Of(each.app, each.seen, each.err)
			each.app.Status.Conditions = got.Conditions
			reason := condition(t, got, v1.ConditionReady).Reason
			for _, kind := range conditionTypes {
				add(reason, kind, string(condition(t, got, kind).Status))
			}
			add(reason, "kstatus", string(kstatusOf(t, each.app, got)))
			health, _ := argoCD.says(t, each.app, got)
			add(reason, "Argo CD", health)
		}
	}
	var rows []string
	for _, class := range []string{noneOfIt, onItsWay, inTime, atOnce} {
		var ofClass []string
		for reason, columns := range seen {
			if classes[reason] != class {
				continue
			}
			cells := []string{"`" + reason + "`"}
			for _, kind := range conditionTypes {
				cells = append(cells, joined(columns[kind], "True", "False", "Unknown"))
			}
			said := joined(columns["kstatus"], "Current", "InProgress", "Failed", "Terminating")
			health := joined(columns["Argo CD"], "Healthy", "Suspended", "Progressing", "Degraded")
			ofClass = append(ofClass, "| "+strings.Join(append(cells, class, said, health), " | ")+" |")
		}
		slices.Sort(ofClass)
		rows = append(rows, ofClass...)
	}
	return rows
}

// lesserFaults returns the situations of Applications with a fault that keeps no pod from serving.
func lesserFaults(t *testing.T) []situation {
	t.Helper()
	serving := situation{app: newApplication(), seen: observed(t, "complete", "no faults")}
	atRest := situation{app: newApplication(suspended), seen: observed(t, "at zero", "no faults")}
	serving.seen.Contended, atRest.seen.Contended = "somebody undoes it", "somebody undoes it"
	return []situation{serving, atRest}
}

// waits returns the situations in which a reconcile could not do all it should, and is tried again after a while.
func waits(t *testing.T) []situation {
	t.Helper()
	var all []situation
	for _, reason := range []string{v1.ReasonInvalidSpec, v1.ReasonQuotaExceeded, v1.ReasonReferenceMissing, v1.ReasonCrashLooping} {
		all = append(all, situation{
			app: newApplication(), seen: observed(t, "complete", "no faults"), err: &outcome.Waiting{Reason: reason, Message: "no", After: time.Minute},
		})
	}
	return all
}

// joined returns those of the words that are in the set.
func joined(set map[string]bool, words ...string) string {
	return strings.Join(slices.DeleteFunc(words, func(word string) bool { return !set[word] }), ", ")
}

// faultyPods returns the situations of pods that have each fault there is, or that cannot be made or do not become ready.
func faultyPods(t *testing.T) []situation {
	t.Helper()
	reasons := map[string]bool{
		v1.ReasonQuotaExceeded: true, v1.ReasonAdmissionDenied: true, v1.ReasonProgressDeadlineExceeded: true,
		v1.ReasonPodsNotReady: true,
	}
	for _, pod := range readPods(t) {
		if found := FaultOf(pod, later); found != nil {
			reasons[found.Reason] = true
		}
	}
	var all []situation
	for reason := range reasons {
		for _, deployment := range []string{"few new pods", "unavailable pods", "fresh"} {
			seen := observed(t, deployment, "no faults")
			seen.PodFaults = []PodFault{{Reason: reason, Message: "pod new: no", Current: true}}
			all = append(all, situation{name: reason, app: newApplication(), seen: seen})
		}
	}
	return all
}
