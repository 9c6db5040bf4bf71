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

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/example/app-operator/api/v1"
)

// inactive returns an autoscaler that cannot work since then, for this reason.
func inactive(since metav1.Time, reason string) *autoscalingv2.HorizontalPodAutoscaler {
	return &autoscalingv2.HorizontalPodAutoscaler{Status: autoscalingv2.HorizontalPodAutoscalerStatus{
		Conditions: []autoscalingv2.HorizontalPodAutoscalerCondition{
			{Type: autoscalingv2.AbleToScale, Status: corev1.ConditionTrue},
			{
				Type: autoscalingv2.ScalingActive, Status: corev1.ConditionFalse, LastTransitionTime: since, Reason: reason,
				Message: "failed to get cpu utilization: missing request for cpu in container my-app",
			},
		},
	}}
}

func active() *autoscalingv2.HorizontalPodAutoscaler {
	return &autoscalingv2.HorizontalPodAutoscaler{Status: autoscalingv2.HorizontalPodAutoscalerStatus{
		Conditions: []autoscalingv2.HorizontalPodAutoscalerCondition{{Type: autoscalingv2.ScalingActive, Status: corev1.ConditionTrue}},
	}}
}

// TestAutoscalersThatDoNotWork follows Applications whose autoscaler says that it cannot work, as each does until there are
// metrics of its pods.
func TestAutoscalersThatDoNotWork(t *testing.T) {
	const failed = v1.ReasonAutoscalingFailed
	unable := inactive(start, "")
	unable.Status.Conditions = []autoscalingv2.HorizontalPodAutoscalerCondition{{
		Type: autoscalingv2.AbleToScale, Status: corev1.ConditionFalse, LastTransitionTime: start, Reason: "FailedGetScale", Message: "no",
	}}
	type pass struct {
		at         int
		deployment *appsv1.Deployment
		autoscaler *autoscalingv2.HorizontalPodAutoscaler
		// degraded is the reason of Degraded while it is True; expires is when another pass is due, 0 for never.
		degraded string
		expires  int
	}
	rolling := newDeployment(3, counters(4, 1, 3, 3))
	for name, passes := range map[string][]pass{
		"it works":                 {{0, newDeployment(3), active(), "", 0}, {900, newDeployment(3), active(), "", 0}},
		"its metrics come in time": {{0, newDeployment(3), inactive(start, ""), "", 120}, {60, newDeployment(3), active(), "", 0}},
		"it never works": {
			{0, newDeployment(3), inactive(start, ""), "", 120},
			{119, newDeployment(3), inactive(start, ""), "", 120},
			{120, newDeployment(3), inactive(start, ""), failed, 0},
			{130, rolling, inactive(start, ""), failed, 0}, // not told again after each rollout
			{140, newDeployment(3), inactive(start, ""), failed, 0},
			{150, newDeployment(3), active(), "", 0},
		},
		"its time begins when the pods are ready": {
			{0, rolling, inactive(start, ""), "", 0},
			{600, newDeployment(3), inactive(start, ""), "", 720},
			{720, newDeployment(3), inactive(start, ""), failed, 0},
		},
		"it stops working": {
			{0, newDeployment(3), active(), "", 0},
			{600, newDeployment(3), inactive(at(600), ""), "", 720},
			{720, newDeployment(3), inactive(at(600), ""), failed, 0},
		},
		"it cannot scale": {{0, newDeployment(3), unable, "", 120}, {120, newDeployment(3), unable, failed, 0}},
		"nothing is desired of it": {
			{0, newDeployment(3), inactive(start, scalingDisabled), "", 0}, {900, newDeployment(3), inactive(start, scalingDisabled), "", 0},
		},
	} {
		t.Run(name, func(t *testing.T) {
			app := newApplication(autoscaled)
			for _, pass := range passes {
				seen := Observed{Now: at(pass.at), Deployment: pass.deployment, Autoscaler: pass.autoscaler}
				app.Status = Of(app, seen, nil)
				ready := meta.FindStatusCondition(app.Status.Conditions, v1.ConditionReady)
				if ready.LastTransitionTime.Unix() > at(100000).Unix() { // the tests' clock is not the machine's
					ready.LastTransitionTime = at(pass.at)
				}
				degraded := condition(t, app.Status, v1.ConditionDegraded)
				if (degraded.Status == metav1.ConditionTrue) != (pass.degraded != "") || pass.degraded != "" && degraded.Reason != pass.degraded {
					t.Errorf("after %d s Degraded is %s %s, want %q", pass.at, degraded.Status, degraded.Reason, pass.degraded)
				}
				want := metav1.Time{}
				if pass.expires > 0 {
					want = at(pass.expires)
				}
				if got := Expires(app, seen, app.Status); !got.Equal(&want) {
					t.Errorf("after %d s the status expires at %s, want %s", pass.at, got, want)
				}
				if reason := ready.Reason; reason == failed {
					t.Errorf("after %d s Ready has the reason %s", pass.at, reason)
				}
			}
		})
	}
}

// TestMissingRequestsAreNamed holds that what an autoscaler lacks is said in the spec's words, at once and when it has failed.
func TestMissingRequestsAreNamed(t *testing.T) {
	const needs = "it needs spec.resources.requests.cpu, unless a LimitRange sets the request"
	app := newApplication(autoscaled)
	app.Spec.Resources = nil
	seen := Observed{Now: start, Deployment: newDeployment(3), Autoscaler: inactive(start, "FailedGetResourceMetric")}
	app.Status = Of(app, seen, nil)
	if ready := condition(t, app.Status, v1.ConditionReady); ready.Status != metav1.ConditionTrue || !strings.Contains(ready.Message, needs) {
		t.Errorf("Ready is %s: %s", ready.Status, ready.Message)
	}
	meta.FindStatusCondition(app.Status.Conditions, v1.ConditionReady).LastTransitionTime = start
	seen.Now = at(failAfterSeconds)
	degraded := condition(t, Of(app, seen, nil), v1.ConditionDegraded)
	if !strings.Contains(degraded.Message, "missing request for cpu in container my-app; "+needs) {
		t.Errorf("Degraded: %s", degraded.Message)
	}
	seen.Autoscaler = active()
	if ready := condition(t, Of(app, seen, nil), v1.ConditionReady); strings.Contains(ready.Message, "needs") {
		t.Errorf("although it works: %s", ready.Message)
	}
}

// TestAnAutoscalerAtItsMaximumIsToldOfAfterAWhile holds that a recommendation is given to an Application that lacks pods for long,
// and that it is no fault.
func TestAnAutoscalerAtItsMaximumIsToldOfAfterAWhile(t *testing.T) {
	const advice = "; it has wanted more than spec.autoscaling.maxReplicas allows, which is 5, for over 15 minutes: raise that, or spec.resources"
	limited := func(reason string, scaled *metav1.Time) *autoscalingv2.HorizontalPodAutoscaler {
		autoscaler := active()
		autoscaler.Status.LastScaleTime = scaled
		autoscaler.Status.Conditions = append(autoscaler.Status.Conditions, autoscalingv2.HorizontalPodAutoscalerCondition{
			Type: autoscalingv2.ScalingLimited, Status: corev1.ConditionTrue, Reason: reason, LastTransitionTime: start,
		})
		return autoscaler
	}
	upTo := func(minimum, maximum int32) func(*v1.Application) {
		return func(app *v1.Application) {
			app.Spec.Autoscaling = &v1.AutoscalingSpec{MinReplicas: new(minimum), MaxReplicas: maximum}
		}
	}
	for _, test := range []struct {
		name       string
		edit       func(*v1.Application)
		autoscaler *autoscalingv2.HorizontalPodAutoscaler
		at         int
		told       bool
		expires    int
	}{
		{"it is new", upTo(2, 5), limited("TooManyReplicas", nil), 899, false, 900},
		{"it lasts", upTo(2, 5), limited("TooManyReplicas", nil), 900, true, 0},
		{"it has scaled since", upTo(2, 5), limited("TooManyReplicas", new(at(600))), 900, false, 1500},
		{"it has scaled before", upTo(2, 5), limited("TooManyReplicas", new(at(-60))), 900, true, 0},
		{"it is at its minimum", upTo(2, 5), limited("TooFewReplicas", nil), 9000, false, 0},
		{"there is nothing to choose", upTo(5, 5), limited("TooManyReplicas", nil), 9000, false, 0},
		{"within its range", upTo(2, 5), active(), 9000, false, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			app := newApplication(test.edit)
			seen := Observed{Now: at(test.at), Deployment: newDeployment(3), Autoscaler: test.autoscaler}
			app.Status = Of(app, seen, nil)
			ready, degraded := condition(t, app.Status, v1.ConditionReady), condition(t, app.Status, v1.ConditionDegraded)
			if ready.Status != metav1.ConditionTrue || degraded.Status == metav1.ConditionTrue || strings.HasSuffix(ready.Message, advice) != test.told {
				t.Errorf("Ready is %s, Degraded %s: %s", ready.Status, degraded.Status, ready.Message)
			}
			want := metav1.Time{}
			if test.expires > 0 {
				want = at(test.expires)
			}
			if got := Expires(app, seen, app.Status); !got.Equal(&want) {
				t.Errorf("the status expires at %s, want %s", got, want)
			}
		})
	}
}
