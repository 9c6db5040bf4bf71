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
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/example/app-operator/api/v1"
)

// failAfterSeconds is how long a fault that may heal by itself is Reconciling before it is Stalled, unless the spec says
// otherwise. To Helm and Argo CD a stalled object has failed for good, and the Secret that another operator is about to make, or
// the node that an autoscaler is about to add, should have come by then.
const failAfterSeconds = 120

// FailAfterSeconds returns how long that is for the Application.
func FailAfterSeconds(app *v1.Application) int64 {
	if rollout := app.Spec.Rollout; rollout != nil && rollout.FailAfterSeconds != nil {
		return int64(*rollout.FailAfterSeconds)
	}
	return failAfterSeconds
}

// The classes of Ready's reasons, by what kstatus is to make of them. TestEveryReasonHasAClass holds that none is left out.
var (
	// failsAtOnce are the reasons that last until somebody acts.
	failsAtOnce = map[string]bool{
		v1.ReasonInvalidSpec: true, v1.ReasonAdmissionDenied: true, v1.ReasonChildConflict: true,
		v1.ReasonAPINotInstalled: true, v1.ReasonProgressDeadlineExceeded: true, v1.ReasonPodsNotReady: true,
		v1.ReasonReleaseFailed: true, v1.ReasonRolledBack: true,
	}
	// mayHeal are the reasons of faults that may heal by themselves.
	mayHeal = map[string]bool{
		v1.ReasonReferenceMissing: true, v1.ReasonImagePullFailed: true, v1.ReasonCrashLooping: true,
		v1.ReasonUnschedulable: true, v1.ReasonQuotaExceeded: true, v1.ReasonReconcileFailed: true,
		v1.ReasonFieldManagerConflict: true,
	}
	// onTheWay are the reasons of what nobody has to act upon.
	onTheWay = map[string]bool{v1.ReasonRollingOut: true, v1.ReasonDraining: true, v1.ReasonReleasing: true}
)

// setReconciling makes the conditions Reconciling and Stalled follow from Ready, of which only one may be there, and only
// while it is True.
func setReconciling(app *v1.Application, next *v1.ApplicationStatus, now metav1.Time) {
	ready := meta.FindStatusCondition(next.Conditions, v1.ConditionReady)
	reconciling, since := reconcilingSince(next.Conditions, *ready)
	stalled := failsAtOnce[ready.Reason] || mayHeal[ready.Reason] &&
		(stalledBefore(next.Conditions, *ready) || reconciling && !now.Time.Before(addSeconds(since, FailAfterSeconds(app)).Time))
	switch {
	case ready.Status == metav1.ConditionTrue:
		removeConditions(next, v1.ConditionReconciling, v1.ConditionStalled)
	case stalled:
		removeConditions(next, v1.ConditionReconciling)
		meta.SetStatusCondition(&next.Conditions, as(v1.ConditionStalled, *ready, now))
	case mayHeal[ready.Reason], onTheWay[ready.Reason]:
		removeConditions(next, v1.ConditionStalled)
		if !reconciling {
			removeConditions(next, v1.ConditionReconciling) // or its time would stay
			since = now
		}
		meta.SetStatusCondition(&next.Conditions, as(v1.ConditionReconciling, *ready, since))
	default:
		removeConditions(next, v1.ConditionReconciling, v1.ConditionStalled)
	}
}

// reconcilingSince reports whether the conditions say Reconciling of the generation that Ready speaks of, and for a reason
// of the same class, and since when. A new generation gets its time again, and so does a fault after a rollout of any
// length.
func reconcilingSince(conditions []metav1.Condition, ready metav1.Condition) (bool, metav1.Time) {
	was := meta.FindStatusCondition(conditions, v1.ConditionReconciling)
	if was == nil || was.ObservedGeneration != ready.ObservedGeneration || mayHeal[was.Reason] != mayHeal[ready.Reason] {
		return false, metav1.Time{}
	}
	return true, was.LastTransitionTime
}

// stalledBefore reports whether the conditions say Stalled of the generation that Ready speaks of. A fault that follows
// upon another does not give a failed application hope again.
func stalledBefore(conditions []metav1.Condition, ready metav1.Condition) bool {
	was := meta.FindStatusCondition(conditions, v1.ConditionStalled)
	return was != nil && was.ObservedGeneration == ready.ObservedGeneration
}

// as returns a condition that is True for the same reason as Ready is not.
func as(kind string, ready metav1.Condition, since metav1.Time) metav1.Condition {
	ready.Type = kind
	ready.Status = metav1.ConditionTrue
	ready.LastTransitionTime = since
	return ready
}

func removeConditions(status *v1.ApplicationStatus, kinds ...string) {
	for _, kind := range kinds {
		meta.RemoveStatusCondition(&status.Conditions, kind)
	}
}

// Expires returns when the status that follows from what was seen changes although nothing happens: when a fault that might
// have healed has not, or when pods have been missing, an autoscaler has not worked, or nobody has answered for a route, for too long, or
// when a restart is long ago. It returns the zero time for a status that lasts.
func Expires(app *v1.Application, seen Observed, next v1.ApplicationStatus) metav1.Time {
	var expires metav1.Time
	reconciling := meta.FindStatusCondition(next.Conditions, v1.ConditionReconciling)
	if reconciling != nil && mayHeal[reconciling.Reason] {
		expires = addSeconds(reconciling.LastTransitionTime, FailAfterSeconds(app))
	}
	if failing := failingAutoscaler(seen.Autoscaler); failing != nil && !autoscalerTold(next) {
		expires = earlier(expires, ifAhead(autoscalerDue(next, *failing), seen.Now))
	}
	expires = earlier(expires, seen.Decision.At)
	expires = earlier(expires, seen.Due)
	expires = earlier(expires, nextRestartForgotten(seen))
	expires = earlier(expires, ifAhead(maximumDue(app, seen.Autoscaler), seen.Now))
	expires = earlier(expires, exposureDue(app, seen))
	if seen.Deployment == nil {
		return expires
	}
	if since := overdueSince(app, seen); !since.IsZero() {
		expires = earlier(expires, ifAhead(deadlineOf(seen.Deployment, since), seen.Now))
	}
	return expires
}

// LookAgain notes that what was seen may be out of date from a time on, which may have come since; the zero time is never.
func (seen *Observed) LookAgain(at metav1.Time) { seen.Due = earlier(seen.Due, at) }

// earlier returns the earlier of two times that are known.
func earlier(a, b metav1.Time) metav1.Time {
	if a.IsZero() || !b.IsZero() && b.Before(&a) {
		return b
	}
	return a
}

// ifAhead returns a time that is still to come, and otherwise the zero time.
func ifAhead(due, now metav1.Time) metav1.Time {
	if now.Before(&due) {
		return due
	}
	return metav1.Time{}
}

// addSeconds returns the time so many seconds after another, in whole seconds, as times are stored.
func addSeconds(to metav1.Time, seconds int64) metav1.Time {
	return metav1.Unix(to.Unix()+seconds, 0)
}
