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
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/example/app-operator/api/v1"
)

// autoscaled gives the Application an autoscaler that keeps at least two pods.
func autoscaled(app *v1.Application) {
	app.Spec.Autoscaling = &v1.AutoscalingSpec{MinReplicas: new(int32(2)), MaxReplicas: 10}
}

// wasReady makes the Application's last status be Ready for this generation.
func wasReady(app *v1.Application) {
	app.Status.AvailableReplicas = 3
	app.Status.Conditions = []metav1.Condition{{
		Type: v1.ConditionReady, Status: metav1.ConditionTrue, Reason: v1.ReasonRolloutComplete, ObservedGeneration: app.Generation,
	}}
}

// TestAnAutoscalersDecisionIsNoNews holds that an application that was Ready stays so while pods are added, and in no
// other case.
func TestAnAutoscalersDecisionIsNoNews(t *testing.T) {
	notLookedAt := func(d *appsv1.Deployment) { d.Status.ObservedGeneration-- }
	older := func(app *v1.Application) { app.Status.Conditions[0].ObservedGeneration-- }
	tests := []struct {
		name string
		app  *v1.Application
		seen Observed
		// statuses are those of Ready|Progressing|Available|Degraded.
		statuses string
	}{
		{
			name: "pods are being added", app: newApplication(autoscaled, wasReady),
			seen: Observed{Deployment: newDeployment(5, unavailable, counters(5, 5, 3, 3))}, statuses: "True|False|True|False",
		},
		{
			name: "the Deployment's controller has not begun", app: newApplication(autoscaled, wasReady),
			seen: Observed{Deployment: newDeployment(5, counters(3, 3, 3, 3), notLookedAt)}, statuses: "True|False|True|False",
		},
		{
			name: "pods are being taken away", app: newApplication(autoscaled, wasReady),
			seen: Observed{Deployment: newDeployment(3, counters(5, 5, 5, 5))}, statuses: "True|False|True|False",
		},
		{
			name: "a quota allows no more", app: newApplication(autoscaled, wasReady),
			seen:     Observed{Deployment: newDeployment(5, unavailable, refused(podIsForbidden+"exceeded quota: small"), counters(3, 3, 3, 3))},
			statuses: "True|False|True|True",
		},
		{
			name: "an added pod is faulty", app: newApplication(autoscaled, wasReady),
			seen: Observed{
				Deployment: newDeployment(5, unavailable, counters(5, 5, 3, 3)), PodFaults: []PodFault{currentFaultOfPod},
			}, statuses: "True|False|True|True",
		},
		{
			name: "fewer than before are left", app: newApplication(autoscaled, wasReady),
			seen: Observed{Deployment: newDeployment(5, unavailable, counters(5, 5, 2, 2))}, statuses: "Unknown|True|False|False",
		},
		{
			name: "fewer than before are left, and why is known", app: newApplication(autoscaled, wasReady),
			seen: Observed{
				Deployment: newDeployment(5, unavailable, counters(5, 5, 2, 2)), PodFaults: []PodFault{currentFaultOfPod},
			}, statuses: "False|False|False|True",
		},
		{
			name: "old pods are left", app: newApplication(autoscaled, wasReady),
			seen: Observed{Deployment: newDeployment(5, counters(6, 4, 6, 6))}, statuses: "Unknown|True|True|False",
		},
		{
			name: "it was not Ready yet", app: newApplication(autoscaled),
			seen: Observed{Deployment: newDeployment(5, unavailable, counters(5, 5, 3, 3))}, statuses: "Unknown|True|False|False",
		},
		{
			name: "it was Ready for an older generation", app: newApplication(autoscaled, wasReady, older),
			seen: Observed{Deployment: newDeployment(5, unavailable, counters(5, 5, 3, 3))}, statuses: "Unknown|True|False|False",
		},
		{
			name: "this pass has written the Deployment", app: newApplication(autoscaled, wasReady),
			seen: Observed{Deployment: newDeployment(5, notLookedAt), DeploymentWritten: true}, statuses: "Unknown|True|True|False",
		},
		{
			name: "it has no autoscaler", app: newApplication(wasReady),
			seen: Observed{Deployment: newDeployment(5, unavailable, counters(5, 5, 3, 3))}, statuses: "Unknown|True|False|False",
		},
		{
			name: "it is suspended", app: newApplication(autoscaled, wasReady, suspended),
			seen: Observed{Deployment: newDeployment(0, counters(3, 3, 3, 3))}, statuses: "Unknown|True|True|False",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := statuses(Of(test.app, test.seen, nil)); got != test.statuses {
				t.Errorf("got %s, want %s", got, test.statuses)
			}
		})
	}
}

func TestReplicaSummaryFollowsTheAutoscaler(t *testing.T) {
	deployment := newDeployment(7)
	for name, test := range map[string]struct {
		app  *v1.Application
		want string
	}{
		"as many as it asks for":         {newApplication(autoscaled), "7/7"},
		"as many as replicas asks for":   {newApplication(), "7/3"},
		"none are desired in suspension": {newApplication(autoscaled, suspended), "7/0"},
	} {
		if got := Of(test.app, Observed{Deployment: deployment}, nil).ReplicaSummary; got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
	left := newApplication()
	left.Status.Autoscaled = &v1.AutoscaledStatus{Replicas: 7, Overridden: 3}
	got := Of(left, Observed{Deployment: deployment}, nil)
	if got.ReplicaSummary != "7/7" {
		t.Errorf("what an autoscaler has left is desired: got %s", got.ReplicaSummary)
	}
	if diff := cmp.Diff(&v1.AutoscaledStatus{Replicas: 7, Overridden: 3, Kept: true}, got.Autoscaled); diff != "" {
		t.Errorf("what the status remembers (-want +got):\n%s", diff)
	}
}

func TestADrainSaysWhatItWaitsFor(t *testing.T) {
	for waitsFor, want := range map[string]string{
		"":                   "Being deleted",
		"Ingress to be gone": "Being deleted; waiting for Ingress to be gone",
	} {
		got := Of(newApplication(beingDeleted), Observed{Deployment: newDeployment(3), WaitsFor: waitsFor}, nil)
		if message := condition(t, got, v1.ConditionReady).Message; message != want {
			t.Errorf("got %q, want %q", message, want)
		}
	}
}

// TestADeletionSaysWhoHoldsItUp holds that only others' finalizers are named, and only while the operator waits for nothing itself.
func TestADeletionSaysWhoHoldsItUp(t *testing.T) {
	const held = "Being deleted; it stays until whoever has put these finalizers on it takes them off: example.com/a, example.com/b"
	for what, test := range map[string]struct {
		finalizers     []string
		waitsFor, want string
	}{
		"others'":                 {[]string{"example.com/a", "example.com/b"}, "", held},
		"others', and its own":    {[]string{"example.com/a", v1.Finalizer, "example.com/b"}, "", held},
		"its own":                 {[]string{v1.Finalizer}, "", "Being deleted"},
		"the garbage collector's": {[]string{metav1.FinalizerDeleteDependents}, "", "Being deleted"},
		"others', during a drain": {[]string{"example.com/a", v1.Finalizer}, "its last pod to end", "Being deleted; waiting for its last pod to end"},
	} {
		app := newApplication(beingDeleted)
		app.Finalizers = test.finalizers
		got := Of(app, Observed{Deployment: newDeployment(3), WaitsFor: test.waitsFor}, nil)
		if message := condition(t, got, v1.ConditionReady).Message; message != test.want {
			t.Errorf("%s: got %q, want %q", what, message, test.want)
		}
	}
}

func TestADrainInTheForegroundSaysThatItsOrderIsNotKept(t *testing.T) {
	told := func(policy v1.DeletionPolicy, finalizers ...string) bool {
		app := newApplication(beingDeleted)
		app.Spec.DeletionPolicy, app.Finalizers = policy, finalizers
		got := Of(app, Observed{Deployment: newDeployment(3)}, nil)
		return strings.Contains(condition(t, got, v1.ConditionReady).Message, "needs --cascade=background")
	}
	if !told(v1.DeletionPolicyDrain, v1.Finalizer, metav1.FinalizerDeleteDependents) {
		t.Error("it is not told")
	}
	if told(v1.DeletionPolicyDrain, v1.Finalizer) || told(v1.DeletionPolicyDelete, metav1.FinalizerDeleteDependents) {
		t.Error("it is told where the order is kept, or none was asked for")
	}
}
