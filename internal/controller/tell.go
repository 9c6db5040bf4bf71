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

package controller

import (
	"context"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	v1 "github.com/example/app-operator/api/v1"
)

// maxNote is the most that the API server takes as an event's note, in bytes (kubernetes
// pkg/apis/core/validation, NoteLengthLimit).
const maxNote = 1024

// recordTransition logs and records what has changed between two statuses: an event for each change of what Ready means,
// and one for each new fault beside it. A fault is told once, wherever it is seen first.
func (r *ApplicationReconciler) recordTransition(
	ctx context.Context, app *v1.Application, before, after v1.ApplicationStatus,
) {
	ready := meta.FindStatusCondition(after.Conditions, v1.ConditionReady)
	if conditionChanged(before, *ready) {
		// The message is for those who may read the Application: it may quote what its pods have said.
		logf.FromContext(ctx).Info("Status changed", "ready", ready.Status, "reason", ready.Reason)
		if !faultAlreadyReported(before, ready.Reason) {
			kind := corev1.EventTypeNormal
			if ready.Status == metav1.ConditionFalse || faultAlreadyReported(after, ready.Reason) {
				kind = corev1.EventTypeWarning
			}
			r.event(app, kind, *ready)
		}
	}
	degraded := meta.FindStatusCondition(after.Conditions, v1.ConditionDegraded)
	if degraded.Status == metav1.ConditionTrue && degraded.Reason != ready.Reason && conditionChanged(before, *degraded) {
		r.event(app, corev1.EventTypeWarning, *degraded)
	}
}

// conditionChanged reports whether a condition's status or reason is not what it was.
func conditionChanged(before v1.ApplicationStatus, now metav1.Condition) bool {
	was := meta.FindStatusCondition(before.Conditions, now.Type)
	return was == nil || was.Status != now.Status || was.Reason != now.Reason
}

// faultAlreadyReported reports whether the status tells of a fault for this reason.
func faultAlreadyReported(status v1.ApplicationStatus, reason string) bool {
	was := meta.FindStatusCondition(status.Conditions, v1.ConditionDegraded)
	return was != nil && was.Status == metav1.ConditionTrue && was.Reason == reason
}

// event records what a condition says, as an event of the kind Normal or Warning.
func (r *ApplicationReconciler) event(app *v1.Application, kind string, condition metav1.Condition) {
	note := condition.Message
	if len(note) > maxNote {
		note = strings.ToValidUTF8(note[:maxNote], "")
	}
	r.Recorder.Eventf(app, nil, kind, condition.Reason, "Reconcile", "%s", note)
}
