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
	"fmt"
	"slices"
	"strings"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/resources"
)

// autoscalerFault returns why the autoscaler does not work, or nil. It has as much time as any fault that may heal by itself,
// from when the pods were ready: until there are metrics of them, every autoscaler says that it cannot work. What has been
// told stays until the autoscaler works, also during a rollout.
func autoscalerFault(app *v1.Application, seen Observed, rollout evaluation) *PodFault {
	failing := failingAutoscaler(seen.Autoscaler)
	if failing == nil {
		return nil
	}
	if !autoscalerTold(app.Status) {
		due := autoscalerDue(app.Status, *failing)
		if !rollout.complete || due.IsZero() || seen.Now.Before(&due) {
			return nil
		}
	}
	return &PodFault{
		Reason:  v1.ReasonAutoscalingFailed,
		Message: "spec.autoscaling does not work: " + failing.Message + neededRequests(app),
	}
}

// autoscalerTold reports whether the status says that the autoscaler does not work.
func autoscalerTold(status v1.ApplicationStatus) bool {
	degraded := meta.FindStatusCondition(status.Conditions, v1.ConditionDegraded)
	return degraded != nil && degraded.Reason == v1.ReasonAutoscalingFailed
}

// autoscalerDue returns when a failing autoscaler is a fault of an Application that has been Ready as its status says; the zero
// time for one that is not Ready.
func autoscalerDue(status v1.ApplicationStatus, failing autoscalingv2.HorizontalPodAutoscalerCondition) metav1.Time {
	ready := meta.FindStatusCondition(status.Conditions, v1.ConditionReady)
	if ready == nil || ready.Status != metav1.ConditionTrue {
		return metav1.Time{}
	}
	since := ready.LastTransitionTime
	if since.Before(&failing.LastTransitionTime) {
		since = failing.LastTransitionTime
	}
	return addSeconds(since, failAfterSeconds)
}

// scalingDisabled is the reason that the autoscaler's controller gives where no pods are desired (kubernetes
// pkg/controller/podautoscaler).
const scalingDisabled = "ScalingDisabled"

// failingAutoscaler returns the condition by which the autoscaler does not work, or nil.
func failingAutoscaler(autoscaler *autoscalingv2.HorizontalPodAutoscaler) *autoscalingv2.HorizontalPodAutoscalerCondition {
	if autoscaler == nil {
		return nil
	}
	for i := range autoscaler.Status.Conditions {
		if found := &autoscaler.Status.Conditions[i]; found.Status == corev1.ConditionFalse && found.Reason != scalingDisabled {
			return found
		}
	}
	return nil
}

// scalingActive reports whether the autoscaler says that it works.
func scalingActive(autoscaler *autoscalingv2.HorizontalPodAutoscaler) bool {
	if autoscaler == nil {
		return false
	}
	for _, found := range autoscaler.Status.Conditions {
		if found.Type == autoscalingv2.ScalingActive {
			return found.Status == corev1.ConditionTrue
		}
	}
	return false
}

// IsAtMaximum reports whether an autoscaler says by the condition that it wants more pods than it may have (kubernetes
// pkg/controller/podautoscaler).
func IsAtMaximum(condition autoscalingv2.HorizontalPodAutoscalerCondition) bool {
	return condition.Type == autoscalingv2.ScalingLimited && condition.Status == corev1.ConditionTrue && condition.Reason == "TooManyReplicas"
}

// maximumToldSeconds is how long an autoscaler has to want more pods than it may have until that is said.
const maximumToldSeconds = 15 * 60

// maximumDue returns when it is said that the autoscaler wants more pods than it may have; the zero time if it does not, or if
// there is nothing to choose from. The condition's time is also that of other limits, so the last time it scaled counts too.
func maximumDue(app *v1.Application, autoscaler *autoscalingv2.HorizontalPodAutoscaler) metav1.Time {
	spec := app.Spec.Autoscaling
	if autoscaler == nil || spec == nil || ptr.Deref(spec.MinReplicas, 1) >= spec.MaxReplicas {
		return metav1.Time{}
	}
	at := slices.IndexFunc(autoscaler.Status.Conditions, IsAtMaximum)
	if at < 0 {
		return metav1.Time{}
	}
	since := autoscaler.Status.Conditions[at].LastTransitionTime
	if scaled := autoscaler.Status.LastScaleTime; scaled != nil && since.Before(scaled) {
		since = *scaled
	}
	return addSeconds(since, maximumToldSeconds)
}

// atMaximum recommends what to do about an autoscaler that has wanted more pods than it may have for long, or returns "".
func atMaximum(app *v1.Application, seen Observed) string {
	due := maximumDue(app, seen.Autoscaler)
	if due.IsZero() || seen.Now.Before(&due) {
		return ""
	}
	return fmt.Sprintf("; it has wanted more than spec.autoscaling.maxReplicas allows, which is %d, for over %d minutes: "+
		"raise that, or spec.resources", app.Spec.Autoscaling.MaxReplicas, maximumToldSeconds/60)
}

// neededRequests says which requests the autoscaler needs that the spec does not set, or "". A LimitRange, which the operator
// does not see, may set them.
func neededRequests(app *v1.Application) string {
	missing := resources.MissingRequests(app)
	if len(missing) == 0 {
		return ""
	}
	return "; it needs " + strings.Join(missing, ", ") + ", unless a LimitRange sets the request"
}
