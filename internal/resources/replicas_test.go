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

package resources

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/example/app-operator/api/v1"
)

// replicasTest is an Application, its Deployment and what the status remembers of an autoscaler, and what follows.
type replicasTest struct {
	name string
	spec v1.ApplicationSpec
	// gone says that the Application is being deleted.
	gone bool
	// live is the Deployment; nil when there is none.
	live *LiveDeployment
	// was is what the status remembers, and now what it is to remember.
	was, now *v1.AutoscaledStatus
	// desired is how many pods should run.
	desired int32
	// unsaid says that the Deployment does not say how many.
	unsaid bool
}

// pods returns what a Deployment of this size says.
func pods(replicas int32) *LiveDeployment { return &LiveDeployment{Replicas: replicas} }

func spec(replicas int32) v1.ApplicationSpec {
	return v1.ApplicationSpec{Replicas: new(replicas)}
}

func suspended(spec v1.ApplicationSpec) v1.ApplicationSpec {
	spec.Suspend = true
	return spec
}

func paused(spec v1.ApplicationSpec) v1.ApplicationSpec {
	spec.Paused = true
	return spec
}

// autoscaled is between two and six replicas.
func autoscaled(spec v1.ApplicationSpec) v1.ApplicationSpec {
	spec.Autoscaling = &v1.AutoscalingSpec{MinReplicas: new(int32(2)), MaxReplicas: 6}
	return spec
}

func asked(replicas, overridden int32) *v1.AutoscaledStatus {
	return &v1.AutoscaledStatus{Replicas: replicas, Overridden: overridden}
}

// kept is five pods.
func kept(overridden int32) *v1.AutoscaledStatus {
	return &v1.AutoscaledStatus{Replicas: 5, Overridden: overridden, Kept: true}
}

// withoutAutoscaler are Applications that have never had one.
var withoutAutoscaler = []replicasTest{
	{name: "as many as asked for", spec: spec(3), desired: 3},
	{name: "none when none are asked for", spec: spec(0), desired: 0},
	{name: "one when nothing is said", desired: 1},
	{name: "none while suspended", spec: suspended(spec(3)), desired: 0},
	{name: "none while suspended, when nothing is said", spec: suspended(v1.ApplicationSpec{}), desired: 0},
	{name: "none while being deleted", spec: spec(3), gone: true, desired: 0},
	{name: "a pause changes nothing", spec: paused(spec(3)), desired: 3},
	{name: "the Deployment is scaled back", spec: spec(3), live: pods(5), desired: 3},
	{name: "as many as asked for when resumed", spec: spec(3), live: pods(0), desired: 3},
}

// withAutoscaler are Applications that have one now.
var withAutoscaler = []replicasTest{
	{name: "it starts from spec.replicas", spec: autoscaled(spec(3)), desired: 3},
	{name: "it starts from one when nothing is said", spec: v1.ApplicationSpec{
		Autoscaling: &v1.AutoscalingSpec{MaxReplicas: 6},
	}, desired: 1},
	{name: "it starts at its least", spec: autoscaled(spec(0)), desired: 2},
	{name: "it starts at its most", spec: autoscaled(spec(9)), desired: 6},
	{name: "it starts from no pods", spec: autoscaled(spec(3)), live: pods(0), desired: 3},
	{
		name: "it takes over what runs", spec: autoscaled(spec(3)),
		live: pods(5), desired: 5, unsaid: true, now: asked(5, 3),
	},
	{
		name: "it takes over even what is beyond its bounds", spec: autoscaled(spec(3)),
		live: pods(9), desired: 9, unsaid: true, now: asked(9, 3),
	},
	{
		name: "it decides", spec: autoscaled(spec(3)),
		live: pods(4), was: asked(5, 3), desired: 4, unsaid: true, now: asked(4, 3),
	},
	{
		name: "it overrides whatever spec.replicas becomes", spec: autoscaled(spec(5)),
		live: pods(4), was: asked(4, 3), desired: 4, unsaid: true, now: asked(4, 5),
	},
	{
		name: "the Deployment was deleted", spec: autoscaled(spec(1)), was: asked(5, 1), desired: 5, now: asked(5, 1),
	},
	{
		name: "the Deployment was deleted, and it may not ask for so many any more",
		spec: autoscaled(spec(1)), was: asked(9, 1), desired: 6, now: asked(9, 1),
	},
	{
		name: "somebody has scaled the Deployment to nothing", spec: autoscaled(spec(1)),
		live: pods(0), was: asked(5, 1), desired: 5, now: asked(5, 1),
	},
	{
		name: "turned on again, it decides and nothing is kept", spec: autoscaled(spec(3)),
		live: pods(4), was: kept(3), desired: 4, unsaid: true, now: asked(4, 3),
	},
	{
		name: "turned on again without a Deployment", spec: autoscaled(spec(3)), was: kept(3), desired: 5, now: asked(5, 3),
	},
	{
		name: "none while suspended", spec: suspended(autoscaled(spec(3))),
		live: pods(4), was: asked(4, 3), desired: 0, now: asked(4, 3),
	},
	{
		name: "what it has asked for outlives a suspension", spec: suspended(autoscaled(spec(3))),
		live: pods(0), was: asked(4, 3), desired: 0, now: asked(4, 3),
	},
	{
		name: "and the Deployment's deletion during one", spec: suspended(autoscaled(spec(3))),
		was: asked(4, 3), desired: 0, now: asked(4, 3),
	},
	{
		name: "and what somebody makes of the Deployment", spec: suspended(autoscaled(spec(3))),
		live: pods(1), was: asked(4, 3), desired: 0, now: asked(4, 3),
	},
	{
		name: "none while being deleted", spec: autoscaled(spec(3)), gone: true,
		live: pods(4), was: asked(4, 3), desired: 0, now: asked(4, 3),
	},
	{
		name: "paused, it goes on deciding", spec: paused(autoscaled(spec(3))),
		live: pods(6), was: asked(4, 3), desired: 6, unsaid: true, now: asked(6, 3),
	},
	{
		name: "paused, and the Deployment was deleted", spec: paused(autoscaled(spec(3))),
		was: asked(4, 3), desired: 4, now: asked(4, 3),
	},
	{
		name: "asked for during a pause, it does not decide yet", spec: paused(autoscaled(spec(3))),
		live: pods(3), desired: 3, unsaid: true,
	},
}

// afterAutoscaler are Applications that have none any more.
var afterAutoscaler = []replicasTest{
	{
		name: "what was kept comes back after a suspension", spec: spec(3),
		live: pods(0), was: kept(3), desired: 5, now: kept(3),
	},
	{
		name: "taken away during a suspension, what it had asked for comes back", spec: spec(3),
		live: pods(0), was: asked(5, 3), desired: 5, now: kept(3),
	},
	{name: "nothing is not worth keeping", spec: spec(3), live: pods(0), was: asked(0, 3), desired: 3},
	{name: "what runs is kept", spec: spec(3), live: pods(5), was: asked(4, 3), desired: 5, now: kept(3)},
	{name: "what runs is kept when nothing is said", live: pods(5), was: asked(5, 1), desired: 5, now: kept(1)},
	{
		name: "what ran is kept although somebody scales the Deployment", spec: spec(3),
		live: pods(7), was: kept(3), desired: 5, now: kept(3),
	},
	{
		name: "what ran is kept although somebody deletes the Deployment", spec: spec(3),
		was: kept(3), desired: 5, now: kept(3),
	},
	{
		name: "even if that happens together with the end of the autoscaler", spec: spec(3),
		was: asked(5, 3), desired: 5, now: kept(3),
	},
	{name: "until spec.replicas is another one", spec: spec(4), live: pods(5), was: kept(3), desired: 4},
	{
		name: "even if spec.replicas changes together with the end of the autoscaler", spec: spec(4),
		live: pods(5), was: asked(5, 3), desired: 4,
	},
	{
		name: "none while suspended", spec: suspended(spec(3)),
		live: pods(5), was: kept(3), desired: 0, now: kept(3),
	},
	{
		name: "none while suspended, from the end of the autoscaler on", spec: suspended(spec(3)),
		live: pods(5), was: asked(5, 3), desired: 0, now: kept(3),
	},
	{
		name: "none while being deleted", spec: spec(3), gone: true,
		live: pods(5), was: kept(3), desired: 0, now: kept(3),
	},
	{
		name: "during a pause it is still there, and decides", spec: paused(spec(3)),
		live: pods(6), was: asked(4, 3), desired: 6, now: asked(6, 3),
	},
	{
		name: "during a pause spec.replicas does not take over yet", spec: paused(spec(4)),
		live: pods(5), was: kept(3), desired: 4, now: kept(3),
	},
}

func TestReplicas(t *testing.T) {
	for when, tests := range map[string][]replicasTest{
		"without an autoscaler": withoutAutoscaler, "with an autoscaler": withAutoscaler, "after an autoscaler": afterAutoscaler,
	} {
		for _, test := range tests {
			t.Run(when+"/"+test.name, func(t *testing.T) {
				in := Inputs{Application: &v1.Application{Spec: test.spec}, Live: test.live}
				in.Application.Status.Autoscaled = test.was
				if test.gone {
					in.Application.DeletionTimestamp = new(metav1.Now())
				}
				if got := DesiredReplicas(in); got != test.desired {
					t.Errorf("WantedReplicas = %d, want %d", got, test.desired)
				}
				said := &test.desired
				if test.unsaid {
					said = nil
				}
				if diff := cmp.Diff(said, deploymentOf(t, in).Spec.Replicas); diff != "" {
					t.Errorf("the Deployment's replicas (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(test.now, AutoscaledStatus(in)); diff != "" {
					t.Errorf("what the status remembers (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// TestReplicasThroughTheLifeOfAnApplication follows an Application through its life: what each reconcile writes is
// what the next one finds.
func TestReplicasThroughTheLifeOfAnApplication(t *testing.T) {
	in := Inputs{Application: &v1.Application{}}
	for _, step := range []struct {
		name string
		spec v1.ApplicationSpec
		// asked is what the autoscaler or somebody else has made of the Deployment before; 0 is nothing.
		asked, want int32
	}{
		{name: "created", spec: spec(3), want: 3},
		{name: "autoscaled", spec: autoscaled(spec(3)), want: 3},
		{name: "the autoscaler asks for more", spec: autoscaled(spec(3)), asked: 5, want: 5},
		{name: "suspended", spec: suspended(autoscaled(spec(3))), want: 0},
		{name: "resumed", spec: autoscaled(spec(3)), want: 5},
		{name: "suspended again", spec: suspended(autoscaled(spec(3))), want: 0},
		{name: "the autoscaler goes meanwhile", spec: suspended(spec(3)), want: 0},
		{name: "and what it had asked for comes back", spec: spec(3), want: 5},
		{name: "autoscaled after that", spec: autoscaled(spec(3)), want: 5},
		{name: "the autoscaler asks for more again", spec: autoscaled(spec(3)), asked: 6, want: 6},
		{name: "the autoscaler goes", spec: spec(3), want: 6},
		{name: "scaled by hand", spec: spec(3), asked: 1, want: 6},
		{name: "autoscaled again", spec: autoscaled(spec(3)), want: 6},
		{name: "the autoscaler asks for less", spec: autoscaled(spec(3)), asked: 2, want: 2},
		{name: "the autoscaler goes again", spec: spec(3), want: 2},
		{name: "scaled", spec: spec(4), want: 4},
		{name: "scaled to what the autoscaler once overrode", spec: spec(3), want: 3},
	} {
		in.Application.Spec = step.spec
		if step.asked > 0 {
			in.Live = pods(step.asked)
		}
		for pass := range 3 {
			if got := DesiredReplicas(in); got != step.want {
				t.Fatalf("%s, pass %d: %d desired, not %d", step.name, pass, got, step.want)
			}
			in = afterwards(t, in)
		}
	}
}

// afterwards returns the inputs of the next reconcile, once the inputs' Deployment is applied. Replicas that we give up are handed
// over: they stay what they are.
func afterwards(t *testing.T, in Inputs) Inputs {
	t.Helper()
	config := deploymentOf(t, in)
	deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: *config.Name}}
	if err := json.Unmarshal([]byte(text(t, config.Spec.Template)), &deployment.Spec.Template); err != nil {
		t.Fatal(err)
	}
	deployment.Spec.Replicas = config.Spec.Replicas
	if deployment.Spec.Replicas == nil {
		deployment.Spec.Replicas = new(in.Live.Replicas)
	}
	next := copyOf(in)
	next.Live = LiveFrom(deployment)
	next.Application.Status.Autoscaled = AutoscaledStatus(in)
	return next
}

func TestLiveFrom(t *testing.T) {
	if got := LiveFrom(nil); got != nil {
		t.Errorf("without a Deployment: %v", got)
	}
	for _, test := range []struct {
		says *int32
		want int32
	}{{nil, 1}, {new(int32(0)), 0}, {new(int32(5)), 5}} {
		if got := LiveFrom(&appsv1.Deployment{Spec: appsv1.DeploymentSpec{Replicas: test.says}}); got.Replicas != test.want {
			t.Errorf("%d, want %d", got.Replicas, test.want)
		}
	}
}

func TestAutoscaled(t *testing.T) {
	tests := []struct {
		name string
		app  v1.Application
		want bool
	}{
		{name: "without an autoscaler", app: v1.Application{Spec: spec(3)}},
		{name: "with an autoscaler", app: v1.Application{Spec: autoscaled(spec(3))}, want: true},
		{name: "suspended", app: v1.Application{Spec: suspended(autoscaled(spec(3)))}},
		{name: "being deleted", app: v1.Application{
			ObjectMeta: metav1.ObjectMeta{DeletionTimestamp: new(metav1.Now())}, Spec: autoscaled(spec(3)),
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := Autoscaled(&test.app); got != test.want {
				t.Errorf("Autoscaled = %v, want %v", got, test.want)
			}
		})
	}
}
