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
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/revisions"
)

// situation is one combination of all that a status follows from.
type situation struct {
	name string
	app  *v1.Application
	seen Observed
	err  error
}

// everySituation returns all combinations of switches, outcomes, Deployments and pods.
func everySituation(t testing.TB) []situation {
	t.Helper()
	switches := []struct {
		name  string
		edits []func(*v1.Application)
	}{
		{name: "running"},
		{name: "suspended", edits: []func(*v1.Application){suspended}},
		{name: "paused", edits: []func(*v1.Application){paused}},
		{name: "paused, suspended", edits: []func(*v1.Application){paused, suspended}},
		{name: "deleted", edits: []func(*v1.Application){beingDeleted}},
		{name: "deleted, suspended", edits: []func(*v1.Application){beingDeleted, suspended}},
		{name: "deleted, paused", edits: []func(*v1.Application){beingDeleted, paused}},
		{name: "deleted, paused, suspended", edits: []func(*v1.Application){beingDeleted, paused, suspended}},
	}
	var all []situation
	for _, set := range switches {
		for _, end := range outcomes {
			for _, deployment := range deployments {
				for _, pods := range podFaults {
					for _, pending := range []bool{false, true} {
						for phase, decision := range decisions {
							if phase > 0 && pods.name != "both" {
								continue
							}
							seen := observed(t, deployment.name, pods.name)
							seen.Pending, seen.Decision, seen.Image = pending, decision, "nginx:1"
							all = append(all, situation{
								name: strings.Join([]string{
									set.name, end.name, deployment.name, pods.name, "pending " + strconv.FormatBool(pending), decision.Words,
								}, " / "),
								app: newApplication(set.edits...), seen: seen, err: end.err,
							})
						}
					}
				}
			}
		}
	}
	return all
}

// TestContract holds what the API promises of every status, in every situation.
func TestContract(t *testing.T) {
	reasons := declaredReasons(t)
	var last v1.ApplicationStatus
	for _, situation := range everySituation(t) {
		situation.app.Status.Conditions = last.Conditions
		app, seen := situation.app.DeepCopy(), situation.seen
		seen.Deployment = seen.Deployment.DeepCopy()
		got := Of(app, seen, situation.err)
		complaints := complaintsAbout(situation, got, reasons)
		if diff := difference(situation.app, app); diff != "" {
			complaints = append(complaints, "the Application was changed (-before +after):\n"+diff)
		}
		if diff := difference(situation.seen, seen); diff != "" {
			complaints = append(complaints, "what was observed was changed (-before +after):\n"+diff)
		}
		// The times of a status that is looked at again are in the past.
		for i := range got.Conditions {
			got.Conditions[i].LastTransitionTime = metav1.NewTime(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC))
		}
		app.Status, last = got, *got.DeepCopy()
		if diff := difference(got, Of(app, seen, situation.err)); diff != "" {
			complaints = append(complaints, "the same again gives another status (-first +second):\n"+diff)
		}
		if len(complaints) > 0 {
			t.Fatalf("%s:\n%s", situation.name, strings.Join(complaints, "\n"))
		}
	}
}

// difference is cmp.Diff, and quick where there is none.
func difference(before, after any) string {
	if reflect.DeepEqual(before, after) {
		return ""
	}
	return cmp.Diff(before, after)
}

var reasonFormat = regexp.MustCompile(`^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$`)

// complaintsAbout returns how a status breaks its contract.
func complaintsAbout(in situation, got v1.ApplicationStatus, reasons map[string]bool) []string {
	var complaints []string
	holds := func(promise bool, otherwise string) {
		if !promise {
			complaints = append(complaints, otherwise)
		}
	}
	byType := map[string]metav1.Condition{}
	for _, found := range got.Conditions {
		byType[found.Type] = found
		holds(found.ObservedGeneration == in.app.Generation, found.Type+" does not bear the generation")
		holds(reasons[found.Reason], found.Type+" has an undeclared reason: "+found.Reason)
		holds(reasonFormat.MatchString(found.Reason), found.Type+" has a malformed reason: "+found.Reason)
		holds(found.Message != "", found.Type+" has no message")
		holds(!found.LastTransitionTime.IsZero(), found.Type+" has no transition time")
	}
	_, reconciling := byType[v1.ConditionReconciling]
	_, stalled := byType[v1.ConditionStalled]
	holds(!reconciling || !stalled, "both Reconciling and Stalled are there")
	delete(byType, v1.ConditionReconciling)
	delete(byType, v1.ConditionStalled)
	types := slices.Sorted(maps.Keys(byType))
	holds(slices.Equal(types, slices.Sorted(slices.Values(conditionTypes))),
		"the conditions beside Reconciling and Stalled are "+strings.Join(types, ", "))
	holds(got.ObservedGeneration == in.app.Generation, "the status does not bear the generation")

	ready, progressing := byType[v1.ConditionReady], byType[v1.ConditionProgressing].Status
	available, degraded := byType[v1.ConditionAvailable].Status, byType[v1.ConditionDegraded].Status
	holds(progressing != metav1.ConditionUnknown, "Progressing is Unknown")
	holds(degraded != metav1.ConditionUnknown, "Degraded is Unknown")
	holds((available == metav1.ConditionUnknown) == (in.seen.Deployment == nil || in.seen.Deployment.Status.Conditions == nil),
		"Available is Unknown where there is a Deployment that says, or known where there is none")
	paused := in.app.Spec.Paused && in.err == nil && in.app.DeletionTimestamp == nil
	switch ready.Status {
	case metav1.ConditionTrue:
		complaints = append(complaints, complaintsAboutReady(in, got)...)
		holds(progressing == metav1.ConditionFalse, "Ready is True while Progressing is not False")
		holds(available == metav1.ConditionTrue, "Ready is True while Available is not")
		holds(degraded == metav1.ConditionFalse, "Ready is True while Degraded is not False")
		holds(!reconciling && !stalled, "Ready is True, and Reconciling or Stalled is there")
	case metav1.ConditionFalse:
		holds(reconciling || stalled || paused, "Ready is False, and neither Reconciling nor Stalled is there")
		holds(degraded == metav1.ConditionTrue || paused, "somebody has to act, and Degraded does not say why")
		holds(got.Image == in.app.Status.Image, "the image moved before the rollout was complete")
	case metav1.ConditionUnknown:
		holds(progressing == metav1.ConditionTrue || paused, "Ready is Unknown and nothing is on its way")
		holds(got.Image == in.app.Status.Image, "the image moved before the rollout was complete")
	}
	unreleased := in.seen.Decision.Phase != revisions.Settled
	holds(!unreleased || ready.Status != metav1.ConditionTrue, "Ready is True, and the pods are not those of the spec")
	holds(!unreleased || got.CurrentRevision != got.UpdateRevision, "what has not been rolled out was Ready")
	holds(!paused || ready.Reason == v1.ReasonPaused && progressing == metav1.ConditionFalse, "a pause does not show")
	holds(in.app.DeletionTimestamp == nil || ready.Status != metav1.ConditionTrue, "what is being deleted is Ready")
	return complaints
}

// complaintsAboutReady returns how a status is Ready without being it. kubectl wait rests on this.
func complaintsAboutReady(in situation, got v1.ApplicationStatus) []string {
	deployment := in.seen.Deployment
	switch {
	case in.err != nil:
		return []string{"Ready is True after a pass that failed"}
	case deployment == nil || in.seen.DeploymentBehind || deployment.Status.ObservedGeneration < deployment.Generation:
		return []string{"Ready is True by a Deployment that speaks of the past"}
	case in.app.Spec.Paused && in.seen.Pending:
		return []string{"Ready is True although what runs is not what is desired"}
	case got.AvailableReplicas < *deployment.Spec.Replicas || got.UpdatedReplicas < *deployment.Spec.Replicas || got.Replicas > got.UpdatedReplicas:
		return []string{"Ready is True before the new pods serve alone"}
	case got.Image != in.app.Spec.Image && !keepsEarlier(in.seen):
		return []string{"Ready is True and the image is not the spec's"}
	}
	return nil
}

// TestEveryReasonOccurs holds that the API declares no reason that is never given.
func TestEveryReasonOccurs(t *testing.T) {
	missing := declaredReasons(t)
	for _, situation := range everySituation(t) {
		for _, found := range Of(situation.app, situation.seen, situation.err).Conditions {
			delete(missing, found.Reason)
		}
	}
	for _, pod := range readPods(t) {
		if found := FaultOf(pod, later); found != nil {
			if !declaredReasons(t)[found.Reason] {
				t.Errorf("the reason %s is not declared", found.Reason)
			}
			delete(missing, found.Reason)
		}
	}
	told := newApplication(autoscaled)
	told.Status = Of(told, Observed{Deployment: newDeployment(3)}, nil)
	unscaled := Observed{Now: metav1.NewTime(time.Now().Add(time.Hour)), Deployment: newDeployment(3), Autoscaler: inactive(start, "")}
	delete(missing, condition(t, Of(told, unscaled, nil), v1.ConditionDegraded).Reason)
	failed := Of(newApplication(withSchedules("nightly")), Observed{Deployment: newDeployment(3), Schedules: map[string]Schedule{
		"nightly": {CronJob: newCronJob("nightly"), LastRun: newJob("nightly", 1, batchv1.JobFailed)},
	}}, nil)
	delete(missing, condition(t, failed, v1.ConditionDegraded).Reason)
	unrouted := Observed{Now: at(failAfterSeconds), Deployment: newDeployment(3), HTTPRoute: newRoute()}
	delete(missing, condition(t, Of(newApplication(routed), unrouted, nil), v1.ConditionDegraded).Reason)
	for _, ended := range []string{"OOMKilled", "Error"} {
		restarts := []Restart{*RestartOf(runningPod(restarted(ended, 137, 600)))}
		delete(missing, condition(t, Of(newApplication(), Observed{Now: at(600), Deployment: newDeployment(3), Restarts: restarts}, nil), v1.ConditionDegraded).Reason)
	}
	for reason := range missing {
		t.Errorf("no situation gives the reason %s", reason)
	}
}

// declaredReasons returns the values of the constants Reason... of the API's conditions.go.
func declaredReasons(t testing.TB) map[string]bool {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../api/v1/conditions.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	reasons := map[string]bool{}
	ast.Inspect(file, func(node ast.Node) bool {
		if spec, ok := node.(*ast.ValueSpec); ok && strings.HasPrefix(spec.Names[0].Name, "Reason") {
			value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			reasons[value] = true
		}
		return true
	})
	if len(reasons) < 10 {
		t.Fatalf("found only %d reasons", len(reasons))
	}
	return reasons
}

// TestMessagesHaveNoCounters holds that the same situation with other numbers, names or times of what comes and
// goes is told in the same words, so that the status is not written on each step of a rollout.
func TestMessagesHaveNoCounters(t *testing.T) {
	failed := func(pod string) func(*appsv1.Deployment) {
		return func(deployment *appsv1.Deployment) {
			refused(`pods "my-app-5d9c7b6f4-` + pod + `" is forbidden: no`)(deployment)
		}
	}
	pods := readPods(t)
	crashing := func(name string) Observed {
		return Observed{Deployment: newDeployment(3, unavailable), PodFaults: []PodFault{*FaultOf(pods[name], later)}}
	}
	tests := []struct {
		name          string
		first, second Observed
	}{
		{
			"new pods are made",
			Observed{Deployment: newDeployment(3, counters(3, 1, 3, 3))},
			Observed{Deployment: newDeployment(30, counters(30, 17, 29, 28))},
		},
		{
			"old pods end",
			Observed{Deployment: newDeployment(3, counters(4, 3, 4, 4))},
			Observed{Deployment: newDeployment(30, counters(37, 30, 36, 35))},
		},
		{
			"surplus pods end",
			Observed{Deployment: newDeployment(3, counters(4, 4, 4, 4))},
			Observed{Deployment: newDeployment(30, counters(37, 37, 36, 35))},
		},
		{
			"pods become available",
			Observed{Deployment: newDeployment(3, counters(3, 3, 1, 0))},
			Observed{Deployment: newDeployment(30, counters(30, 30, 20, 10))},
		},
		{"all is done", Observed{Deployment: newDeployment(3)}, Observed{Deployment: newDeployment(30)}},
		{
			"it is past its deadline",
			Observed{Deployment: newDeployment(3, unavailable, pastDeadline)},
			Observed{Deployment: newDeployment(30, unavailable, pastDeadline)},
		},
		{
			"a pod cannot be made",
			Observed{Deployment: newDeployment(3, failed("x2x7k"))},
			Observed{Deployment: newDeployment(3, failed("9z8qv"))},
		},
		{"an image is not found", crashing("pull-not-found"), crashing("pull-not-found-back-off")},
		{"a container crashes", crashing("crash-back-off-10s"), crashing("crash-back-off-5m")},
		{"a container crashes and runs", crashing("crash-back-off-10s"), crashing("crash-again-and-runs")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			first, second := Of(newApplication(), test.first, nil), Of(newApplication(), test.second, nil)
			for _, status := range []*v1.ApplicationStatus{&first, &second} {
				for i := range status.Conditions {
					status.Conditions[i].LastTransitionTime = metav1.Time{}
				}
			}
			if diff := cmp.Diff(first.Conditions, second.Conditions); diff != "" {
				t.Errorf("the conditions differ (-first +second):\n%s", diff)
			}
		})
	}
}
