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
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/contention"
	"github.com/example/app-operator/internal/metrics"
	"github.com/example/app-operator/internal/outcome"
	"github.com/example/app-operator/internal/plan"
	"github.com/example/app-operator/internal/status"
)

// ensureFinalizer adds or removes the finalizer, so that the Application has it exactly while its deletionPolicy is Drain or Orphan.
func (r *ApplicationReconciler) ensureFinalizer(ctx context.Context, app *v1.Application, record *appRecord) error {
	before := app.DeepCopy()
	changed := false
	if app.Spec.DeletionPolicy == v1.DeletionPolicyDrain || app.Spec.DeletionPolicy == v1.DeletionPolicyOrphan {
		changed = controllerutil.AddFinalizer(app, v1.Finalizer)
	} else {
		changed = controllerutil.RemoveFinalizer(app, v1.Finalizer)
	}
	if !changed {
		return nil
	}
	err := record.contention.Do(contention.Subject{Kind: metrics.KindApplication, Name: app.Name, Field: contention.Finalizer}, func() error {
		return r.patchFinalizers(ctx, app, before)
	})
	if contention.IsPostponed(err) { // which holds up nothing else; the status tells of it
		before.DeepCopyInto(app)
		return nil
	}
	return err
}

// patchFinalizers writes app's finalizers, unless the Application has changed since before. Nothing else of the Application is
// sent or asked for: the rest of what is cached may not be all there is.
func (r *ApplicationReconciler) patchFinalizers(ctx context.Context, app, before *v1.Application) error {
	patch := client.MergeFromWithOptions(identityOf(before), client.MergeFromWithOptimisticLock{})
	written := identityOf(app)
	if err := r.Client.Patch(ctx, written, patch); err != nil {
		return outcome.FromAPI(client.IgnoreNotFound(err), "the Application's finalizers")
	}
	r.wrote(app, written.ResourceVersion)
	return nil
}

// finalize lets an Application that is being deleted go: at once, or, with deletionPolicy Drain, when its last pod
// has ended, or, with Orphan, when nothing says any more that its objects are its. Nothing is made any more; what is left behind, the
// garbage collector takes. A pause does not hold it up: an Application must always be deletable.
func (r *ApplicationReconciler) finalize(
	ctx context.Context, app *v1.Application, record *appRecord, s *snapshot, err error,
) (reconcile.Result, error) {
	seen := s.observed(record.lastApplied)
	if err != nil {
		return r.report(ctx, app, record, seen, err)
	}
	if !controllerutil.ContainsFinalizer(app, v1.Finalizer) {
		// Somebody else holds it back. The garbage collector does the rest; the status must not go on praising what was.
		return r.report(ctx, app, record, seen, nil)
	}
	if record.letGo { // the cache does not show it yet
		return reconcile.Result{}, nil
	}
	if drains(app) {
		var due metav1.Time
		seen.WaitsFor, due, err = r.scaleDown(ctx, record, s)
		if seen.WaitsFor != "" || err != nil {
			seen.LookAgain(due)
			return r.report(ctx, app, record, seen, err)
		}
	}
	if orphans(app) {
		if err := r.orphan(ctx, record, s); err != nil {
			return r.report(ctx, app, record, seen, err)
		}
	}
	before := app.DeepCopy()
	controllerutil.RemoveFinalizer(app, v1.Finalizer)
	if err := r.patchFinalizers(ctx, app, before); err != nil {
		return resultOf(err)
	}
	record.letGo = true
	r.reportOrphaned(ctx, app, record)
	logf.FromContext(ctx).Info("Let go of the Application", "deletionPolicy", app.Spec.DeletionPolicy)
	return reconcile.Result{}, nil
}

// drains reports whether the pods end before the Application goes. Whoever deletes it with --cascade=orphan wants
// everything to stay: the garbage collector takes the owner references off, and then this finalizer of its own.
func drains(app *v1.Application) bool {
	return app.Spec.DeletionPolicy == v1.DeletionPolicyDrain &&
		!controllerutil.ContainsFinalizer(app, metav1.FinalizerOrphanDependents)
}

// scaleDown deletes what sends requests to the pods, then what decides how many there are, and scales the Deployment to zero. It
// returns what is waited for, "" when the last pod has ended, and when there is more to say of that although nothing happens.
func (r *ApplicationReconciler) scaleDown(ctx context.Context, record *appRecord, s *snapshot) (string, metav1.Time, error) {
	app := s.Application
	for _, phase := range []children.DrainPhase{children.DrainTraffic, children.DrainReplicas} {
		if left, err := r.deleteBeforeDrain(ctx, record, s, phase); left != "" || err != nil {
			return left, metav1.Time{}, err
		}
	}
	lastPod, due := s.lastPod(time.Now())
	if deployment := s.deployment; deployment != nil && deployment.DeletionTimestamp == nil {
		if ptr.Deref(deployment.Spec.Replicas, 1) != 0 {
			subject := contention.Subject{Kind: children.Deployment, Name: app.Name, Field: contention.ScaleDown}
			return lastPod, due, record.contention.Do(subject, func() error { return r.scaleToZero(ctx, app, deployment) })
		}
		if !status.RolledOut(deployment) {
			return lastPod, due, nil
		}
	}
	if slices.ContainsFunc(s.pods, func(pod corev1.Pod) bool { return !hasEnded(&pod) }) {
		return lastPod, due, nil
	}
	return "", metav1.Time{}, nil
}

// lastPod says that the last pod is waited for, and names one that should have ended long before. It returns when the first of the others
// should have; zero for never.
func (s *snapshot) lastPod(now time.Time) (waitsFor string, due metav1.Time) {
	waitsFor = "its last pod to end"
	for i := range s.pods {
		pod := &s.pods[i]
		if pod.DeletionTimestamp == nil || hasEnded(pod) {
			continue
		}
		overdue := metav1.NewTime(pod.DeletionTimestamp.Add(endGracePeriod))
		if ending := status.EndingOf(pod, metav1.NewTime(now.Add(-endGracePeriod))); ending != "" {
			return waitsFor + ": " + ending, metav1.Time{}
		}
		if due.IsZero() || overdue.Before(&due) {
			due = overdue
		}
	}
	return waitsFor, due
}

// deleteBeforeDrain deletes the children of this phase of a drain. It returns what still exists and has to be gone before the
// next phase, or "".
func (r *ApplicationReconciler) deleteBeforeDrain(
	ctx context.Context, record *appRecord, s *snapshot, phase children.DrainPhase,
) (string, error) {
	app := s.Application
	var left []string
	var failed []error
	for i := range children.Table {
		child := &children.Table[i]
		if child.DrainPhase != phase {
			continue
		}
		if why := s.unread(child); why != nil {
			failed = append(failed, why)
			continue
		}
		for _, live := range s.Live[child.Kind] {
			if !child.Owns(app, live) {
				continue
			}
			left = append(left, child.Kind+" to be gone"+status.Held(live))
			if live.GetDeletionTimestamp() == nil {
				_, err := r.applyStep(ctx, app, record, plan.Delete(child, live, record.lastApplied))
				failed = append(failed, err)
			}
		}
	}
	return strings.Join(left, ", and "), errors.Join(failed...)
}

// scaleToZero scales a Deployment to zero. It is a plain patch of the one field, which no invalid spec can hinder.
func (r *ApplicationReconciler) scaleToZero(ctx context.Context, app *v1.Application, deployment *appsv1.Deployment) error {
	before := deployment.DeepCopy()
	after := deployment.DeepCopy()
	after.Spec.Replicas = new(int32(0))
	err := r.Client.Patch(ctx, after, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return outcome.FromAPI(err, children.Deployment)
	}
	r.expectations.Wrote(client.ObjectKeyFromObject(app), children.Deployment, after.ResourceVersion)
	logf.FromContext(ctx).Info("Scaled to zero", "child", children.Deployment)
	return nil
}

// kubectl is the field manager of kubectl apply --server-side.
const kubectl = "kubectl"

// orphans reports whether an Application is being deleted and all that was made for it is to stay.
func orphans(app *v1.Application) bool {
	return app.DeletionTimestamp != nil && app.Spec.DeletionPolicy == v1.DeletionPolicyOrphan
}

// orphan has the Application's objects be nobody's, and notes which stay. The garbage collector takes what is expendable: that has an
// owner reference. Where the deletion came before the others had lost theirs, they lose it here.
func (r *ApplicationReconciler) orphan(ctx context.Context, record *appRecord, s *snapshot) error {
	app := s.Application
	for i := range children.Table {
		child := &children.Table[i]
		if why := s.unread(child); why != nil {
			return why
		}
		for _, live := range s.Live[child.Kind] {
			if !child.Owns(app, live) || live.GetDeletionTimestamp() != nil || isExpendable(child, live) {
				continue
			}
			if isRetiring(child, s, live) { // what it has started ends by itself
				if err := r.remove(ctx, child, live, client.PropagationPolicy(metav1.DeletePropagationOrphan)); err != nil {
					return err
				}
				continue
			}
			if !child.Retained {
				if err := r.letGoOf(ctx, app, child, live); err != nil {
					return outcome.FromAPI(err, child.Kind)
				}
			}
			if name := child.Kind + " " + live.GetName(); !slices.Contains(record.orphaned, name) {
				record.orphaned = append(record.orphaned, name)
			}
		}
	}
	return nil
}

// isExpendable reports whether an object means nothing without its Application: it may go with it.
func isExpendable(child *children.Child, live children.Object) bool {
	if !child.Expendable || child.Retire == nil {
		return child.Expendable
	}
	_, deletable, err := child.Retire(live, false)
	return deletable && err == nil
}

// isRetiring reports whether an object is not desired any more, and is there until what it has started has ended.
func isRetiring(child *children.Child, s *snapshot, live children.Object) bool {
	return child.Retire != nil && !child.Expendable && !slices.Contains(child.Names(s.Inputs), live.GetName())
}

// letGoOf has an object be nobody's: it loses its owner reference and its mark, and what the operator has applied of it becomes kubectl's.
// So whoever applies it next with kubectl meets no conflict with an operator that is out of it, and can take away what was applied.
func (r *ApplicationReconciler) letGoOf(ctx context.Context, app *v1.Application, child *children.Child, live children.Object) error {
	for attempt := 1; ; attempt++ {
		now := child.New()
		err := readChild(ctx, r.Client, live, now)
		if err != nil || !child.Owns(app, now) {
			return client.IgnoreNotFound(err)
		}
		before := now.DeepCopyObject().(client.Object)
		now.SetOwnerReferences(slices.DeleteFunc(now.GetOwnerReferences(), func(by metav1.OwnerReference) bool { return by.UID == app.UID }))
		annotations := now.GetAnnotations()
		delete(annotations, v1.AnnotationOwner)
		now.SetAnnotations(annotations)
		now.SetManagedFields(givenToKubectl(now.GetManagedFields()))
		err = r.Client.Patch(ctx, now, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
		if !apierrors.IsConflict(err) || attempt == maxAttempts {
			return client.IgnoreNotFound(err)
		}
	}
}

// givenToKubectl returns the managed fields with kubectl in the operator's place. An object that kubectl has applied as well is its own
// already.
func givenToKubectl(entries []metav1.ManagedFieldsEntry) []metav1.ManagedFieldsEntry {
	applies := func(manager string) func(metav1.ManagedFieldsEntry) bool {
		return func(entry metav1.ManagedFieldsEntry) bool {
			return entry.Manager == manager && entry.Operation == metav1.ManagedFieldsOperationApply && entry.Subresource == ""
		}
	}
	taken := slices.ContainsFunc(entries, applies(kubectl))
	next := make([]metav1.ManagedFieldsEntry, 0, len(entries))
	for _, entry := range entries {
		switch {
		case applies(children.FieldOwner)(entry) && !taken:
			entry.Manager = kubectl
		case entry.Manager == children.FieldOwner || entry.Manager == children.HandOverManager:
			continue
		}
		next = append(next, entry)
	}
	return next
}

// reportOrphaned says what stays of an Application that was let go of.
func (r *ApplicationReconciler) reportOrphaned(ctx context.Context, app *v1.Application, record *appRecord) {
	if len(record.orphaned) == 0 {
		return
	}
	r.event(app, corev1.EventTypeNormal, v1.EventOrphaned, fmt.Sprintf(
		"The Application goes, and these stay and are nobody's: %s", strings.Join(record.orphaned, ", ")))
	logf.FromContext(ctx).Info("The Application goes, and its objects stay", "objects", len(record.orphaned))
}

// reportRetained says, once, what stays of an Application that is gone. Nothing is said of one that this process has not known.
func (r *ApplicationReconciler) reportRetained(ctx context.Context, app types.NamespacedName) {
	uid, ok := r.records.uidOf(app)
	if !ok {
		return
	}
	var left []string
	for i := range children.Table {
		if child := &children.Table[i]; child.Retained {
			left = append(left, r.namesOf(ctx, app, child)...)
		}
	}
	if len(left) == 0 {
		return
	}
	gone := &v1.Application{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1.GroupVersion.String(), Kind: "Application"},
		ObjectMeta: metav1.ObjectMeta{Namespace: app.Namespace, Name: app.Name, UID: uid},
	}
	r.event(gone, corev1.EventTypeNormal, v1.EventRetained, fmt.Sprintf(
		"Kept %s; delete what is not needed any more, or have an Application of the same name take it up again", strings.Join(left, ", ")))
	logf.FromContext(ctx).Info("The Application is gone, and its claims stay", "claims", len(left))
}

// namesOf returns kind and name of each of the Application's objects of the kind.
func (r *ApplicationReconciler) namesOf(ctx context.Context, app types.NamespacedName, child *children.Child) []string {
	list := child.NewList()
	if err := r.Client.List(ctx, list, client.InNamespace(app.Namespace), client.MatchingFields{byApplication: app.Name},
		client.UnsafeDisableDeepCopy); err != nil {
		logf.FromContext(ctx).Error(err, "Could not list what stays of an Application", "kind", child.Kind)
		return nil
	}
	var names []string
	_ = meta.EachListItem(list, func(object runtime.Object) error { // it returns what the function does
		if left := object.(children.Object); left.GetDeletionTimestamp() == nil {
			names = append(names, child.Kind+" "+left.GetName())
		}
		return nil
	})
	slices.Sort(names)
	return names
}
