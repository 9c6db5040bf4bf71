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

// replicasTest is an Application and its Deployment, and what follows for the size of both.
type replicasTest struct {
	name string
	spec v1.ApplicationSpec
	// gone says that the Application is being deleted.
	gone bool
	live *LiveDeployment
	// wanted is how many pods should run.
	wanted int32
	// unsaid says that the Deployment does not say how many.
	unsaid bool
	// annotations of the Deployment.
	annotations map[string]string
}

func spec(replicas int32) v1.ApplicationSpec {
	return v1.ApplicationSpec{Replicas: new(replicas)}
}

func suspended(spec v1.ApplicationSpec) v1.ApplicationSpec {
	spec.Suspend = true
	return spec
}

// autoscaled is between two and six replicas.
func autoscaled(spec v1.ApplicationSpec) v1.ApplicationSpec {
	spec.Autoscaling = &v1.AutoscalingSpec{MinReplicas: new(int32(2)), MaxReplicas: 6}
	return spec
}

func overridden(replicas string) map[string]string {
	return map[string]string{annotationOverridden: replicas}
}

func kept(replicas, instead string) map[string]string {
	return map[string]string{annotationOverridden: replicas, annotationKept: instead}
}

// withoutAutoscaler are Applications that have never had one.
var withoutAutoscaler = []replicasTest{
	{name: "as many as asked for", spec: spec(3), wanted: 3},
	{name: "none when none are asked for", spec: spec(0), wanted: 0},
	{name: "one when nothing is said", wanted: 1},
	{name: "none while suspended", spec: suspended(spec(3)), wanted: 0},
	{name: "none while suspended, when nothing is said", spec: suspended(v1.ApplicationSpec{}), wanted: 0},
	{name: "none while being deleted", spec: spec(3), gone: true, wanted: 0},
	{name: "a pause changes nothing", spec: v1.ApplicationSpec{Replicas: new(int32(3)), Paused: true}, wanted: 3},
	{name: "the Deployment is scaled back", spec: spec(3), live: &LiveDeployment{Replicas: 5}, wanted: 3},
	{name: "as many as asked for when resumed", spec: spec(3), live: &LiveDeployment{}, wanted: 3},
	{
		name: "what is kept instead of nothing counts for nothing", spec: spec(3),
		live: &LiveDeployment{Replicas: 5, Kept: new(int32(4))}, wanted: 3,
	},
}

// withAutoscaler are Applications that have one now.
var withAutoscaler = []replicasTest{
	{name: "it starts from spec.replicas", spec: autoscaled(spec(3)), wanted: 3, annotations: overridden("3")},
	{name: "it starts from one when nothing is said", spec: v1.ApplicationSpec{
		Autoscaling: &v1.AutoscalingSpec{MaxReplicas: 6},
	}, wanted: 1, annotations: overridden("1")},
	{name: "it starts at its least", spec: autoscaled(spec(0)), wanted: 2, annotations: overridden("0")},
	{name: "it starts at its most", spec: autoscaled(spec(9)), wanted: 6, annotations: overridden("9")},
	{
		name: "it starts again from no pods", spec: autoscaled(spec(3)),
		live: &LiveDeployment{Overridden: new(int32(3))}, wanted: 3, annotations: overridden("3"),
	},
	{
		name: "it takes over what runs", spec: autoscaled(spec(3)),
		live: &LiveDeployment{Replicas: 5}, wanted: 5, unsaid: true, annotations: overridden("3"),
	},
	{
		name: "it takes over even what is beyond its bounds", spec: autoscaled(spec(3)),
		live: &LiveDeployment{Replicas: 9}, wanted: 9, unsaid: true, annotations: overridden("3"),
	},
	{
		name: "it decides", spec: autoscaled(spec(3)),
		live: &LiveDeployment{Replicas: 4, Overridden: new(int32(3))}, wanted: 4, unsaid: true, annotations: overridden("3"),
	},
	{
		name: "it overrides whatever spec.replicas becomes", spec: autoscaled(spec(5)),
		live: &LiveDeployment{Replicas: 4, Overridden: new(int32(3))}, wanted: 4, unsaid: true, annotations: overridden("5"),
	},
	{
		name: "turned on again, it decides and nothing is kept", spec: autoscaled(spec(3)),
		live:   &LiveDeployment{Replicas: 4, Overridden: new(int32(3)), Kept: new(int32(4))},
		wanted: 4, unsaid: true, annotations: overridden("3"),
	},
	{
		name: "none while suspended", spec: suspended(autoscaled(spec(3))),
		live: &LiveDeployment{Replicas: 4, Overridden: new(int32(3))}, wanted: 0,
	},
	{
		name: "none while being deleted", spec: autoscaled(spec(3)), gone: true,
		live: &LiveDeployment{Replicas: 4, Overridden: new(int32(3))}, wanted: 0,
	},
}

// afterAutoscaler are Applications that have none any more.
var afterAutoscaler = []replicasTest{
	{
		name: "what was kept comes back after a suspension", spec: spec(3),
		live: &LiveDeployment{Replicas: 0, Overridden: new(int32(3)), Kept: new(int32(5))}, wanted: 5, annotations: kept("3", "5"),
	},
	{
		name: "nothing is not worth keeping", spec: spec(3),
		live: &LiveDeployment{Replicas: 0, Overridden: new(int32(3))}, wanted: 3,
	},
	{
		name: "what runs is kept", spec: spec(3),
		live: &LiveDeployment{Replicas: 5, Overridden: new(int32(3))}, wanted: 5, annotations: kept("3", "5"),
	},
	{
		name: "what runs is kept when nothing is said",
		live: &LiveDeployment{Replicas: 5, Overridden: new(int32(1))}, wanted: 5, annotations: kept("1", "5"),
	},
	{
		name: "what ran is kept although somebody scales the Deployment", spec: spec(3),
		live:   &LiveDeployment{Replicas: 7, Overridden: new(int32(3)), Kept: new(int32(5))},
		wanted: 5, annotations: kept("3", "5"),
	},
	{
		name: "until spec.replicas is another one", spec: spec(4),
		live: &LiveDeployment{Replicas: 5, Overridden: new(int32(3)), Kept: new(int32(5))}, wanted: 4,
	},
	{
		name: "even if that happens together with the end of the autoscaler", spec: spec(4),
		live: &LiveDeployment{Replicas: 5, Overridden: new(int32(3))}, wanted: 4,
	},
	{
		name: "none while suspended", spec: suspended(spec(3)),
		live: &LiveDeployment{Replicas: 5, Overridden: new(int32(3)), Kept: new(int32(5))}, wanted: 0, annotations: kept("3", "5"),
	},
	{
		name: "none while being deleted", spec: spec(3), gone: true,
		live: &LiveDeployment{Replicas: 5, Overridden: new(int32(3)), Kept: new(int32(5))}, wanted: 0, annotations: kept("3", "5"),
	},
}

func TestReplicas(t *testing.T) {
	for when, tests := range map[string][]replicasTest{
		"without an autoscaler": withoutAutoscaler, "with an autoscaler": withAutoscaler, "after an autoscaler": afterAutoscaler,
	} {
		for _, test := range tests {
			t.Run(when+"/"+test.name, func(t *testing.T) {
				in := Inputs{Application: &v1.Application{Spec: test.spec}, Live: test.live}
				if test.gone {
					in.Application.DeletionTimestamp = new(metav1.Now())
				}
				if got := WantedReplicas(in); got != test.wanted {
					t.Errorf("WantedReplicas = %d, want %d", got, test.wanted)
				}
				said := &test.wanted
				if test.unsaid {
					said = nil
				}
				deployment := deploymentOf(t, in)
				if diff := cmp.Diff(said, deployment.Spec.Replicas); diff != "" {
					t.Errorf("the Deployment's replicas (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(test.annotations, deployment.Annotations); diff != "" {
					t.Errorf("the Deployment's annotations (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// TestReplicasThroughTheLifeOfAnApplication follows an Application through its life: what each pass writes is
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
		{name: "resumed", spec: autoscaled(spec(3)), want: 3},
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
			in.Live.Replicas = step.asked
		}
		for pass := range 3 {
			if got := WantedReplicas(in); got != step.want {
				t.Fatalf("%s, pass %d: %d wanted, not %d", step.name, pass, got, step.want)
			}
			in.Live = afterwards(t, in)
		}
	}
}

// afterwards returns what is read of the Deployment once the inputs' Deployment is applied. Replicas that we give
// up are handed over: they stay what they are.
func afterwards(t *testing.T, in Inputs) *LiveDeployment {
	t.Helper()
	config := deploymentOf(t, in)
	deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: *config.Name, Annotations: config.Annotations}}
	if err := json.Unmarshal([]byte(text(t, config.Spec.Template)), &deployment.Spec.Template); err != nil {
		t.Fatal(err)
	}
	deployment.Spec.Replicas = config.Spec.Replicas
	if deployment.Spec.Replicas == nil {
		deployment.Spec.Replicas = new(in.Live.Replicas)
	}
	return LiveFrom(deployment)
}

func TestLiveFrom(t *testing.T) {
	tests := []struct {
		name        string
		replicas    *int32
		annotations map[string]string
		want        LiveDeployment
	}{
		{name: "one when it does not say", want: LiveDeployment{Replicas: 1}},
		{name: "as many as it says", replicas: new(int32(5)), want: LiveDeployment{Replicas: 5}},
		{name: "none", replicas: new(int32(0)), want: LiveDeployment{}},
		{
			name: "what is remembered", replicas: new(int32(5)), annotations: kept("0", "4"),
			want: LiveDeployment{Replicas: 5, Overridden: new(int32(0)), Kept: new(int32(4))},
		},
		{
			name: "nonsense is nothing", replicas: new(int32(5)), annotations: kept("three", ""),
			want: LiveDeployment{Replicas: 5},
		},
		{
			name: "nor is less than none", replicas: new(int32(5)), annotations: kept("-1", "-2147483648"),
			want: LiveDeployment{Replicas: 5},
		},
		{
			name: "nor what no replicas can be", replicas: new(int32(5)), annotations: kept("2147483648", "1.5"),
			want: LiveDeployment{Replicas: 5},
		},
		{
			name: "the most there can be", replicas: new(int32(5)), annotations: kept(" 1", "2147483647"),
			want: LiveDeployment{Replicas: 5, Kept: new(int32(2147483647))},
		},
		{
			name: "other annotations", replicas: new(int32(5)), annotations: map[string]string{"example.com/replicas-kept": "4"},
			want: LiveDeployment{Replicas: 5},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Annotations: test.annotations}}
			deployment.Spec.Replicas = test.replicas
			if diff := cmp.Diff(&test.want, LiveFrom(deployment)); diff != "" {
				t.Errorf("LiveFrom (-want +got):\n%s", diff)
			}
		})
	}
	if got := LiveFrom(nil); got != nil {
		t.Errorf("LiveFrom(nil) = %v, want nil", got)
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
