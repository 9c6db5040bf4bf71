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
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/outcome"
)

// TestAfterAFailedPass is the table of what follows from how a reconcile ended. Available follows from the Deployment.
func TestAfterAFailedPass(t *testing.T) {
	const noDetail = "a request to the API server failed; the operator's log has the details"
	rows := []struct {
		outcome string
		// statuses are those of Ready|Progressing|Degraded.
		statuses        string
		reason, message string
	}{
		{"conflict", "False|False|True", v1.ReasonChildConflict, "Service my-app is not this Application's"},
		{"invalid", "False|False|True", v1.ReasonInvalidSpec, "the API server refused it"},
		{"reference missing", "False|False|True", v1.ReasonReferenceMissing, "ServiceAccount builder is missing"},
		{"denied", "False|True|True", v1.ReasonAdmissionDenied, "no"},
		{"contended", "False|True|True", v1.ReasonFieldManagerConflict, "somebody keeps changing it"},
		{"API missing", "False|True|True", v1.ReasonAPINotInstalled, "HTTPRoute is asked for"},
		{"rolling out", "Unknown|True|False", v1.ReasonRollingOut, "Waiting for the Service to be gone"},
		{"rolling out, soon", "Unknown|True|False", v1.ReasonRollingOut, "somebody else was quicker"},
		{"transient", "Unknown|True|True", v1.ReasonReconcileFailed, noDetail},
		{"joined", "False|False|True", v1.ReasonInvalidSpec, "the API server refused it"},
	}
	if len(rows) != len(outcomes)-1 {
		t.Errorf("%d rows for %d outcomes other than success", len(rows), len(outcomes)-1)
	}
	applications := map[string]*v1.Application{
		"": newApplication(), ", paused": newApplication(paused), ", suspended": newApplication(suspended),
		", being deleted": newApplication(beingDeleted), ", all at once": newApplication(paused, suspended, beingDeleted),
	}
	for _, want := range rows {
		for suffix, app := range applications {
			t.Run(want.outcome+suffix, func(t *testing.T) {
				for deployment, available := range map[string]string{"complete": "True", "unavailable pods": "False", "absent": "Unknown"} {
					got := Of(app, observed(t, deployment, "no faults"), reconcileError(t, want.outcome))
					parts := strings.Split(want.statuses, "|")
					row{
						deployment: deployment, statuses: strings.Join([]string{parts[0], parts[1], available, parts[2]}, "|"),
						reason: want.reason, message: want.message, degraded: want.reason,
					}.check(t, got)
					if got.Image != "nginx:1" {
						t.Errorf("status.image moved to %s", got.Image)
					}
				}
			})
		}
	}
}

// TestAFailedPassStillTellsOfThePods is about a reconcile that only waits, while pods crash.
func TestAFailedPassStillTellsOfThePods(t *testing.T) {
	got := Of(newApplication(), observed(t, "unavailable pods", "an old fault"), reconcileError(t, "rolling out"))
	degraded := condition(t, got, v1.ConditionDegraded)
	if degraded.Status != "True" || degraded.Reason != oldFault.Reason || degraded.Message != oldFault.Message {
		t.Errorf("Degraded = %+v, want the fault of the pod", degraded)
	}
}

// TestWhatWaitsForPodsIsToldAfterThem is about an object that is taken over once the pods are available: why they are not is what a
// person has to know first.
func TestWhatWaitsForPodsIsToldAfterThem(t *testing.T) {
	waits := &outcome.Waiting{Reason: v1.ReasonRollingOut, ForPods: true, Message: "Service web is taken over later"}
	for pods, want := range map[string]string{
		"no faults":       "Unknown RollingOut: " + newPods + "; Service web is taken over later",
		"a current fault": "False " + v1.ReasonImagePullFailed + ": " + faultWords + "; Service web is taken over later",
	} {
		ready := condition(t, Of(newApplication(), observed(t, "few new pods", pods), waits), v1.ConditionReady)
		if got := fmt.Sprintf("%s %s: %s", ready.Status, ready.Reason, ready.Message); got != want {
			t.Errorf("%s: got %q, want %q", pods, got, want)
		}
	}
	ready := condition(t, Of(newApplication(), observed(t, "complete", "no faults"), waits), v1.ConditionReady)
	if ready.Status != "Unknown" || ready.Message != waits.Message {
		t.Errorf("Ready = %+v while it is not taken over", ready)
	}
}

func TestWhilePaused(t *testing.T) {
	const (
		differs = "Paused, and what runs differs from this spec; set spec.paused to false to have it applied"
		isSo    = "Paused; what runs is as this spec wants it"
	)
	tests := []struct {
		row
		// pending says that the reconcile found something to change.
		pending bool
		image   string
	}{
		{row{"complete", "no faults", "True|False|True|False", v1.ReasonPaused, isSo, ""}, false, "nginx:2"},
		{row{"complete", "no faults", "False|False|True|False", v1.ReasonPaused, differs, ""}, true, "nginx:1"},
		{row{"at zero", "no faults", "True|False|True|False", v1.ReasonPaused, isSo, ""}, false, "nginx:2"},
		{row{"absent", "no faults", "False|False|Unknown|False", v1.ReasonPaused, differs, ""}, true, "nginx:1"},
		{row{"few new pods", "no faults", "Unknown|False|True|False", v1.ReasonPaused, "Paused; " + newPods, ""}, false, "nginx:1"},
		{row{"few new pods", "an old fault", "Unknown|False|True|True", v1.ReasonPaused, "Paused; " + newPods, oldFault.Reason}, false, "nginx:1"},
		{row{"few new pods", "a current fault", "False|False|True|True", v1.ReasonPaused, "Paused; " + faultWords, v1.ReasonImagePullFailed}, false, "nginx:1"},
		{row{"few new pods", "a current fault", "False|False|True|True", v1.ReasonPaused, differs, v1.ReasonImagePullFailed}, true, "nginx:1"},
		{row{"past deadline", "no faults", "False|False|False|True", v1.ReasonPaused, "Paused; " + lateWords, v1.ReasonProgressDeadlineExceeded}, false, "nginx:1"},
		{row{"not looked at", "no faults", "Unknown|False|True|False", v1.ReasonPaused, "Paused; " + itsTurn, ""}, false, "nginx:1"},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%s, %s, pending %v", test.deployment, test.pods, test.pending), func(t *testing.T) {
			seen := observed(t, test.deployment, test.pods)
			seen.Pending = test.pending
			got := Of(newApplication(paused), seen, nil)
			test.check(t, got)
			if got.Image != test.image {
				t.Errorf("status.image = %s, want %s", got.Image, test.image)
			}
		})
	}
}

func TestWhileBeingDeleted(t *testing.T) {
	for _, deployment := range deployments {
		for _, pods := range podFaults {
			for name, app := range map[string]*v1.Application{
				"": newApplication(beingDeleted), ", paused and suspended": newApplication(beingDeleted, paused, suspended),
			} {
				t.Run(deployment.name+", "+pods.name+name, func(t *testing.T) {
					got := Of(app, observed(t, deployment.name, pods.name), nil)
					available := string(condition(t, got, v1.ConditionAvailable).Status)
					row{
						statuses: "Unknown|True|" + available + "|False",
						reason:   v1.ReasonDraining, message: "Being deleted",
					}.check(t, got)
					if _, desired, _ := strings.Cut(got.ReplicaSummary, "/"); desired != "0" {
						t.Errorf("replicaSummary = %s, want no pods desired", got.ReplicaSummary)
					}
				})
			}
		}
	}
}

func TestAvailable(t *testing.T) {
	none := newDeployment(3)
	none.Status.Conditions = nil
	byDefault := newDeployment(1)
	byDefault.Spec.Replicas = nil
	rolling := newDeployment(3, counters(3, 1, 2, 2))
	silent := newDeployment(3, counters(3, 1, 2, 2))
	silent.Status.Conditions = nil
	tests := []struct {
		name, status, message string
		seen                  Observed
	}{
		{"no Deployment", "Unknown", "No Deployment seen yet", Observed{}},
		{"no pods desired", "True", "No pods are desired", Observed{Deployment: newDeployment(0)}},
		{"one pod desired, by default", "True", "The Deployment has its minimum of available pods", Observed{Deployment: byDefault}},
		{"enough of them during a rollout", "True", "The Deployment has its minimum of available pods", Observed{Deployment: rolling}},
		{"too few", "False", "The Deployment has fewer available pods than its minimum", observed(t, "unavailable pods", "no faults")},
		{"a Deployment that does not say", "Unknown", "The Deployment does not say yet", Observed{Deployment: silent}},
		{"a Deployment that does not say, but counts them all", "True", "The Deployment has its minimum of available pods", Observed{Deployment: none}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := condition(t, Of(newApplication(), test.seen, nil), v1.ConditionAvailable)
			if diff := cmp.Diff([]string{test.status, test.message}, []string{string(got.Status), got.Message}); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestCounters(t *testing.T) {
	tests := []struct {
		name string
		app  *v1.Application
		seen Observed
		want v1.ApplicationStatus
	}{
		{
			name: "in the middle of a rollout", app: newApplication(), seen: Observed{Deployment: newDeployment(3, counters(5, 4, 3, 2))},
			want: v1.ApplicationStatus{Replicas: 5, UpdatedReplicas: 4, ReadyReplicas: 3, AvailableReplicas: 2, ReplicaSummary: "3/3"},
		},
		{name: "without a Deployment there are none", app: newApplication(), want: v1.ApplicationStatus{ReplicaSummary: "0/3"}},
		{
			name: "while suspended none are desired", app: newApplication(suspended), seen: Observed{Deployment: newDeployment(0, counters(2, 2, 2, 2))},
			want: v1.ApplicationStatus{Replicas: 2, UpdatedReplicas: 2, ReadyReplicas: 2, AvailableReplicas: 2, ReplicaSummary: "2/0"},
		},
		{
			name: "one is desired by default", app: newApplication(func(app *v1.Application) { app.Spec.Replicas = nil }),
			seen: Observed{Deployment: newDeployment(1)},
			want: v1.ApplicationStatus{Replicas: 1, UpdatedReplicas: 1, ReadyReplicas: 1, AvailableReplicas: 1, ReplicaSummary: "1/1"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.app.Status.Replicas, test.app.Status.ReadyReplicas = 9, 9
			test.app.Status.UpdatedReplicas, test.app.Status.AvailableReplicas = 9, 9
			got := Of(test.app, test.seen, nil)
			got = v1.ApplicationStatus{
				Replicas: got.Replicas, UpdatedReplicas: got.UpdatedReplicas, ReadyReplicas: got.ReadyReplicas,
				AvailableReplicas: got.AvailableReplicas, ReplicaSummary: got.ReplicaSummary,
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestImageIsWhatIsRolledOut follows an application through a new image.
func TestImageIsWhatIsRolledOut(t *testing.T) {
	app := newApplication(func(app *v1.Application) { app.Status = v1.ApplicationStatus{} })
	for _, pass := range []struct {
		deployment, outcome, want string
	}{
		{"absent", "success", ""},
		{"fresh", "success", ""},
		{"complete", "transient", ""},
		{"complete", "success", "nginx:2"},
		{"behind", "success", "nginx:2"},
		{"few new pods", "success", "nginx:2"},
		{"over quota", "success", "nginx:2"},
		{"complete", "denied", "nginx:2"},
		{"complete", "success", "nginx:3"},
	} {
		if pass.deployment == "behind" {
			app.Spec.Image = "nginx:3"
		}
		app.Status = Of(app, observed(t, pass.deployment, "no faults"), reconcileError(t, pass.outcome))
		if app.Status.Image != pass.want {
			t.Errorf("Deployment %s, outcome %s: status.image = %q, want %q", pass.deployment, pass.outcome, app.Status.Image, pass.want)
		}
	}
}

// TestTransitionTimesMoveWithTheStatusAlone is about lastTransitionTime.
func TestTransitionTimesMoveWithTheStatusAlone(t *testing.T) {
	long := metav1.NewTime(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC))
	app := newApplication()
	app.Status = Of(app, observed(t, "few new pods", "no faults"), nil)
	for i := range app.Status.Conditions {
		app.Status.Conditions[i].LastTransitionTime = long
	}
	app.Generation++
	next := Of(app, observed(t, "unavailable pods", "no faults"), nil)
	for kind, moved := range map[string]bool{
		v1.ConditionReady: false, v1.ConditionProgressing: false, v1.ConditionAvailable: true, v1.ConditionDegraded: false,
	} {
		found := condition(t, next, kind)
		if found.LastTransitionTime.Equal(&long) == moved {
			t.Errorf("%s: the transition time moved: %v, want %v", kind, !moved, moved)
		}
		if found.ObservedGeneration != app.Generation {
			t.Errorf("%s: observedGeneration = %d, want %d", kind, found.ObservedGeneration, app.Generation)
		}
	}
}

// TestLongMessagesAreCut is about the API's limit for a condition's message: a status beyond it would be refused,
// and nobody would ever learn why.
func TestLongMessagesAreCut(t *testing.T) {
	long := "€" + strings.Repeat("spec.template.spec.containers[0].env[0].name: Invalid value; €", 1000)
	for name, got := range map[string]v1.ApplicationStatus{
		"of the API server": Of(newApplication(), Observed{}, &outcome.Invalid{Reason: v1.ReasonInvalidSpec, Message: long}),
		"of the kubelet": Of(newApplication(), Observed{
			Deployment: newDeployment(3, unavailable), PodFaults: []PodFault{{Reason: v1.ReasonImagePullFailed, Message: long, Current: true}},
		}, nil),
		"of a Deployment": Of(newApplication(), Observed{Deployment: newDeployment(3, refused(podIsForbidden+long))}, nil),
		"while paused": Of(newApplication(paused), Observed{
			Deployment: newDeployment(3, unavailable), PodFaults: []PodFault{{Reason: v1.ReasonImagePullFailed, Message: long, Current: true}},
		}, nil),
	} {
		t.Run(name, func(t *testing.T) {
			for _, kind := range []string{v1.ConditionReady, v1.ConditionDegraded} {
				message := condition(t, got, kind).Message
				if length := utf8.RuneCountInString(message); length > 32768 || length < 1000 {
					t.Errorf("%s: the message has %d characters", kind, length)
				}
				if !utf8.ValidString(message) || !strings.HasSuffix(message, " ...") {
					t.Errorf("%s: the message is not cut at a character, or does not say so: %q", kind, message[len(message)-20:])
				}
			}
		})
	}
}

func TestSelectorFindsThePods(t *testing.T) {
	const want = "app.kubernetes.io/instance=my-app,app.kubernetes.io/managed-by=app-operator,app.kubernetes.io/name=my-app"
	if got := Of(newApplication(), Observed{}, errors.New("even now")).Selector; got != want {
		t.Errorf("selector = %q, want %q", got, want)
	}
}

func TestURLFollowsTheService(t *testing.T) {
	app := newApplication(func(app *v1.Application) {
		app.Status.URL = "http://before"
		app.Spec.Port = new(int32(80))
	})
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "my-app", Namespace: "shop"}}
	service.Spec.Ports = []corev1.ServicePort{{Name: "http", Port: 80, Protocol: corev1.ProtocolTCP}}
	if got := Of(app, Observed{Service: service}, nil).URL; got != "http://my-app.shop.svc" {
		t.Errorf("url = %q", got)
	}
	if got := Of(app, Observed{}, nil).URL; got != "" {
		t.Errorf("url = %q without a Service", got)
	}
}

// TestWhatOthersSayIsPlain holds that neither a container's last words nor a webhook's can pass for more than they are where
// the status is shown.
func TestWhatOthersSayIsPlain(t *testing.T) {
	const said = "\x1b[31mfatal\x1b[0m:\n  Ready\u202e\u200b\x00\xff\r\n"
	deployment := newDeployment(2, unavailable)
	for name, test := range map[string]struct {
		seen Observed
		err  error
	}{
		"of a pod":      {seen: Observed{Deployment: deployment, PodFaults: []PodFault{{v1.ReasonCrashLooping, "pod a: " + said, true}}}},
		"of an old pod": {seen: Observed{Deployment: deployment, PodFaults: []PodFault{{v1.ReasonCrashLooping, "pod a: " + said, false}}}},
		"of a webhook":  {err: &outcome.Waiting{Reason: v1.ReasonAdmissionDenied, Message: "pod a: " + said}},
		"of the API":    {err: &outcome.Invalid{Reason: v1.ReasonInvalidSpec, Message: "pod a: " + said}},
	} {
		t.Run(name, func(t *testing.T) {
			got := Of(newApplication(), test.seen, test.err)
			if words := condition(t, got, v1.ConditionDegraded).Message; words != "pod a: fatal:   Ready" {
				t.Errorf("Degraded says %q", words)
			}
			for _, condition := range got.Conditions {
				if strings.ContainsFunc(condition.Message, func(r rune) bool { return !unicode.IsPrint(r) }) {
					t.Errorf("%s says %q", condition.Type, condition.Message)
				}
			}
		})
	}
	app := newApplication(func(app *v1.Application) { app.Spec.Image = "nginx\x1b[31m" })
	complete := newDeployment(2, counters(2, 2, 2, 2))
	if got := Of(app, Observed{Deployment: complete}, nil).Image; got != "nginx" {
		t.Errorf("the image is %q", got)
	}
}

// TestWhatIsRefusedBesideIsTold holds that what holds up nothing is told, and that Ready does not depend on it.
func TestWhatIsRefusedBesideIsTold(t *testing.T) {
	refused := &outcome.Waiting{Reason: v1.ReasonAdmissionDenied, Message: "it cannot grow"}
	now := Of(newApplication(), Observed{Deployment: newDeployment(3), Refused: refused}, nil)
	if degraded := condition(t, now, v1.ConditionDegraded); degraded.Reason != refused.Reason || degraded.Message != refused.Message {
		t.Errorf("Degraded is %s: %s", degraded.Reason, degraded.Message)
	}
	if ready := condition(t, now, v1.ConditionReady); ready.Status != metav1.ConditionTrue {
		t.Errorf("Ready is %s", ready.Status)
	}
}

// TestWhoUndoesRepairsIsTold holds that somebody is told of a dispute between two repairs too, unless there is worse to tell.
func TestWhoUndoesRepairsIsTold(t *testing.T) {
	seen := Observed{Deployment: newDeployment(3), Contended: `"hostile" keeps changing it`}
	now := Of(newApplication(), seen, nil)
	degraded := condition(t, now, v1.ConditionDegraded)
	if degraded.Reason != v1.ReasonFieldManagerConflict || degraded.Message != seen.Contended {
		t.Errorf("Degraded is %s: %s", degraded.Reason, degraded.Message)
	}
	if ready := condition(t, now, v1.ConditionReady); ready.Status != metav1.ConditionTrue {
		t.Errorf("Ready is %s while the pods run this spec", ready.Status)
	}
	err := &outcome.Invalid{Reason: v1.ReasonInvalidSpec, Message: "no"}
	if degraded := condition(t, Of(newApplication(), seen, err), v1.ConditionDegraded); degraded.Reason != v1.ReasonInvalidSpec {
		t.Errorf("Degraded is %s, and what keeps the spec from being applied is not told", degraded.Reason)
	}
}
