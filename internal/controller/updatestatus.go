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
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/cluster"
	"github.com/example/app-operator/internal/contention"
	"github.com/example/app-operator/internal/expectations"
	"github.com/example/app-operator/internal/metrics"
	"github.com/example/app-operator/internal/outcome"
	"github.com/example/app-operator/internal/plan"
	"github.com/example/app-operator/internal/status"
)

// report writes the status that follows from the reconcile, records a transition as an event, and maps the
// outcome to what the work queue does next.
func (r *ApplicationReconciler) report(
	ctx context.Context, app *v1.Application, record *appRecord, seen status.Observed, err error,
) (reconcile.Result, error) {
	if errors.Is(ctx.Err(), context.Canceled) {
		// The process is about to end. What is left to do, the next leader does; what failed now says nothing.
		return reconcile.Result{}, nil
	}
	if ctx.Err() != nil { // the reconcile took too long, and the status has to say so
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), reportTimeout)
		defer cancel()
	}
	before := app.Status
	seen.Now = metav1.Now()
	seen.Contended, _ = record.contention.Report(seen.Now.Time)
	next := status.Of(app, seen, err)
	record.rollout.Observe(before, next, revisionOf(seen.Deployment), seen.Now.Time)
	end := func(err error) (reconcile.Result, error) {
		result, err := resultOf(errors.Join(err, seen.Refused))
		if err != nil || ctx.Err() != nil { // it is tried again sooner than that
			return result, err
		}
		_, contended := record.contention.Report(time.Now())
		return atLatest(result, status.Expires(app, seen, next), contended, record.config.wait(time.Now())), nil
	}
	if equality.Semantic.DeepEqual(before, next) {
		record.progress = time.Time{}
		return end(err)
	}
	if wait := r.statusDelay(app, record, next); wait > 0 {
		return end(errors.Join(err, &outcome.Waiting{Reason: v1.ReasonRollingOut, After: wait}))
	}
	return end(errors.Join(err, r.writeStatus(ctx, app, record, next, err)))
}

// writeStatus writes a status that is not the present one, and records the transition.
func (r *ApplicationReconciler) writeStatus(
	ctx context.Context, app *v1.Application, record *appRecord, next v1.ApplicationStatus, err error,
) error {
	before := app.Status
	hash, failed := statusHash(next)
	if failed != nil {
		return failed
	}
	write := func() error {
		app.Status = next
		return r.updateStatus(ctx, app)
	}
	if hash == record.status { // it has been so, until somebody else wrote it
		failed = record.contention.Do(contention.Subject{Kind: metrics.KindApplication, Name: app.Name, Field: contention.Whole}, write)
	} else {
		failed = write()
	}
	switch {
	case failed == nil:
		record.progress, record.status = time.Time{}, hash
		r.recordTransition(ctx, app, before, next)
		countConflicts(before, next, err)
		return nil
	case apierrors.IsConflict(failed), apierrors.IsNotFound(failed):
		// The cache is behind the API server; the event that it lacks calls the next reconcile.
		logf.FromContext(ctx).V(1).Info("Left the status to the next reconcile", "why", failed.Error())
		return &outcome.Waiting{Reason: v1.ReasonRollingOut, After: expectations.Timeout}
	default:
		return failed
	}
}

// identityOf returns what of an Application is written beside its status, and who it is.
func identityOf(app *v1.Application) *metav1.PartialObjectMetadata {
	identity := cluster.MetadataOf(v1.GroupVersion.WithKind("Application"))
	cluster.CopyIdentity(identity, app)
	identity.Finalizers = app.Finalizers
	return identity
}

// updateStatus writes the Application's status, unless the Application has changed, and takes over its new version. The
// answer to an update is the whole object; to that of one that is too large, the metadata is asked for instead.
func (r *ApplicationReconciler) updateStatus(ctx context.Context, app *v1.Application) error {
	if !app.Oversized {
		before := app.ResourceVersion
		err := r.Client.Status().Update(ctx, app)
		if err == nil && app.ResourceVersion != before { // else the server had it already
			r.wrote(app, app.ResourceVersion)
		}
		return err
	}
	patch, err := json.Marshal([]map[string]any{
		{"op": "replace", "path": "/metadata/resourceVersion", "value": app.ResourceVersion},
		{"op": "add", "path": "/status", "value": app.Status},
	})
	if err != nil {
		return fmt.Errorf("encode the status: %w", err)
	}
	written := identityOf(app)
	if err := r.Client.Status().Patch(ctx, written, client.RawPatch(types.JSONPatchType, patch)); err != nil {
		return err
	}
	r.wrote(app, written.ResourceVersion)
	return nil
}

// wrote records a write of the Application's own object, after which it has this resource version.
func (r *ApplicationReconciler) wrote(app *v1.Application, resourceVersion string) {
	app.ResourceVersion = resourceVersion
	r.expectations.Wrote(client.ObjectKeyFromObject(app), metrics.KindApplication, resourceVersion)
}

// statusDelay returns for how long the status that follows from a reconcile is held back, because it tells of nothing but progress
// and another reconcile may say more; 0 if it is to be written now. The progress of an Application that waits for its Service is
// written when it has a slot: that it waits, its status says already.
func (r *ApplicationReconciler) statusDelay(app *v1.Application, record *appRecord, next v1.ApplicationStatus) time.Duration {
	if !isProgress(app.Status, next) {
		record.progress = time.Time{}
		return 0
	}
	waits, others := r.queue.services.waits(client.ObjectKeyFromObject(app))
	if waits {
		record.progress = time.Time{} // the time begins with the slot
		return progressDebounceWhileBusy
	}
	if record.progress.IsZero() {
		record.progress = time.Now()
	}
	held := time.Since(record.progress)
	switch busy := others || r.queue.busy(); {
	case held < progressDebounce:
		return progressDebounce - held
	case busy && held < progressDebounceWhileBusy:
		return min(busyRetry, progressDebounceWhileBusy-held)
	}
	return 0
}

// isProgress reports whether a status differs from the one before by no more than a rollout's getting on: nobody waits for
// it, and nobody has to act.
func isProgress(before, after v1.ApplicationStatus) bool {
	if before.ObservedGeneration != after.ObservedGeneration || before.Image != after.Image ||
		before.UpdateRevision != after.UpdateRevision || before.CurrentRevision != after.CurrentRevision ||
		!equality.Semantic.DeepEqual(before.Autoscaled, after.Autoscaled) { // it may be all that is left of the decision
		return false
	}
	for _, now := range after.Conditions {
		was := meta.FindStatusCondition(before.Conditions, now.Type)
		switch {
		case was == nil:
			return false
		case now.Type == v1.ConditionReady && (now.Status != metav1.ConditionUnknown || now.Reason != v1.ReasonRollingOut):
			return false
		case now.Type == v1.ConditionAvailable && was.Status != metav1.ConditionTrue:
			continue // it can only have become better, or is still unknown
		case was.Status != now.Status || was.Reason != now.Reason:
			return false
		}
	}
	return true
}

// maxNote is the most that the API server takes as an event's note, in bytes (kubernetes
// pkg/apis/core/validation, NoteLengthLimit).
const maxNote = 1024

// recordTransition logs and records what has changed between two statuses: an event for each change of what Ready means, unless it
// only says that a rollout is on its way, and one for each new fault beside it. A fault is told once, wherever it is seen first.
func (r *ApplicationReconciler) recordTransition(
	ctx context.Context, app *v1.Application, before, after v1.ApplicationStatus,
) {
	ready := meta.FindStatusCondition(after.Conditions, v1.ConditionReady)
	if conditionChanged(before, *ready) {
		// The message is for those who may read the Application: it may quote what its pods have said.
		logf.FromContext(ctx).Info("Status changed", "ready", ready.Status, "reason", ready.Reason)
		if ready.Reason != v1.ReasonRollingOut && !faultAlreadyReported(before, ready.Reason) {
			kind := corev1.EventTypeNormal
			if ready.Status == metav1.ConditionFalse || faultAlreadyReported(after, ready.Reason) {
				kind = corev1.EventTypeWarning
			}
			r.event(app, kind, ready.Reason, ready.Message)
		}
	}
	degraded := meta.FindStatusCondition(after.Conditions, v1.ConditionDegraded)
	if degraded.Status == metav1.ConditionTrue && degraded.Reason != ready.Reason && conditionChanged(before, *degraded) {
		r.event(app, corev1.EventTypeWarning, degraded.Reason, degraded.Message)
	}
}

// conditionChanged reports whether a condition's status or reason is not what it was.
func conditionChanged(before v1.ApplicationStatus, now metav1.Condition) bool {
	was := meta.FindStatusCondition(before.Conditions, now.Type)
	return was == nil || was.Status != now.Status || was.Reason != now.Reason
}

// faultAlreadyReported reports whether the status tells of a fault for this reason.
func faultAlreadyReported(in v1.ApplicationStatus, reason string) bool {
	was := meta.FindStatusCondition(in.Conditions, v1.ConditionDegraded)
	return was != nil && was.Status == metav1.ConditionTrue && was.Reason == reason
}

// countConflicts counts what is in the Application's way, once its status has come to say so.
func countConflicts(before, after v1.ApplicationStatus, err error) {
	ready := meta.FindStatusCondition(after.Conditions, v1.ConditionReady)
	if ready.Reason != v1.ReasonChildConflict || !conditionChanged(before, *ready) {
		return
	}
	for _, leaf := range outcome.Flatten(err) {
		if found, ok := errors.AsType[*plan.ConflictError](leaf); ok {
			metrics.ConflictFound(found.Kind)
		}
	}
}

// event records an event of the kind Normal or Warning. Its note is cut to what the API server takes.
func (r *ApplicationReconciler) event(app *v1.Application, kind, reason, note string) {
	if len(note) > maxNote {
		note = strings.ToValidUTF8(note[:maxNote], "")
	}
	r.Recorder.Eventf(app, nil, kind, reason, "Reconcile", "%s", note)
}

// statusHash stands for all that a status says. The times of transitions follow from what was there before.
func statusHash(of v1.ApplicationStatus) (uint64, error) {
	of = *of.DeepCopy()
	for i := range of.Conditions {
		of.Conditions[i].LastTransitionTime = metav1.Time{}
	}
	content, err := json.Marshal(of)
	if err != nil {
		return 0, fmt.Errorf("encode a status: %w", err)
	}
	return plan.Hash(content), nil
}

// revisionOf returns which of its revisions the Deployment is, as its controller counts them.
func revisionOf(deployment *appsv1.Deployment) string {
	if deployment == nil {
		return ""
	}
	return deployment.Annotations[cluster.RevisionAnnotation]
}
