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
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/metrics"
	"github.com/example/app-operator/internal/outcome"
	"github.com/example/app-operator/internal/status"
)

// ensureFinalizer makes an Application bear the finalizer exactly while its deletionPolicy is Drain.
func (r *ApplicationReconciler) ensureFinalizer(ctx context.Context, app *v1.Application) error {
	before := app.DeepCopy()
	changed := false
	if app.Spec.DeletionPolicy == v1.DeletionPolicyDrain {
		changed = controllerutil.AddFinalizer(app, v1.Finalizer)
	} else {
		changed = controllerutil.RemoveFinalizer(app, v1.Finalizer)
	}
	if !changed {
		return nil
	}
	err := r.memory.of(app).contention.paced(contended{kind: metrics.KindApplication, field: finalizer}, app.Name, func() error {
		return r.patchFinalizers(ctx, app, before)
	})
	if isContention(err) { // which holds up nothing else; the status tells of it
		before.DeepCopyInto(app)
		return nil
	}
	return err
}

// patchFinalizers writes app's finalizers, unless the Application has changed since before. While the cache shows the version
// from which they were written last, they are as they should be, and the API server would refuse another write. Nothing else
// of the Application is sent or asked for: the rest of what is cached may not be all there is.
func (r *ApplicationReconciler) patchFinalizers(ctx context.Context, app, before *v1.Application) error {
	known := r.memory.of(app)
	if known.finalizerWrite.awaits(before.ResourceVersion) > 0 {
		return nil
	}
	patch := client.MergeFromWithOptions(identityOf(before), client.MergeFromWithOptimisticLock{})
	written := identityOf(app)
	if err := r.Client.Patch(ctx, written, patch); err != nil {
		return outcome.FromAPI(client.IgnoreNotFound(err), "the Application's finalizers")
	}
	app.ResourceVersion = written.ResourceVersion
	known.finalizerWrite.made(before.ResourceVersion)
	return nil
}

// finalize lets an Application that is being deleted go: at once, or, with deletionPolicy Drain, when its last pod
// has ended. Nothing is made any more; what is left behind, the garbage collector takes. A pause does not hold
// it up: an Application must always be deletable.
func (r *ApplicationReconciler) finalize(ctx context.Context, app *v1.Application) (reconcile.Result, error) {
	if !controllerutil.ContainsFinalizer(app, v1.Finalizer) {
		// Somebody else holds it back. The garbage collector does the rest; the status must not go on praising what was.
		seen, err := r.observe(ctx, app)
		return r.report(ctx, app, seen, err)
	}
	if drains(app) {
		seen, drained, err := r.scaleDown(ctx, app)
		if !drained || err != nil {
			return r.report(ctx, app, seen, err)
		}
	}
	before := app.DeepCopy()
	controllerutil.RemoveFinalizer(app, v1.Finalizer)
	if err := r.patchFinalizers(ctx, app, before); err != nil {
		return outcome.Result(err)
	}
	logf.FromContext(ctx).Info("Let go of the Application", "deletionPolicy", app.Spec.DeletionPolicy)
	return reconcile.Result{}, nil
}

// drains reports whether the pods end before the Application goes. Whoever deletes it with --cascade=orphan wants
// everything to stay: the garbage collector takes the owner references off, and then this finalizer of its own.
func drains(app *v1.Application) bool {
	return app.Spec.DeletionPolicy == v1.DeletionPolicyDrain &&
		!controllerutil.ContainsFinalizer(app, metav1.FinalizerOrphanDependents)
}

// scaleDown withdraws what sends requests to the pods, then what decides how many there are, takes the Deployment to
// zero, and returns what was seen, and whether the last pod has ended.
func (r *ApplicationReconciler) scaleDown(ctx context.Context, app *v1.Application) (status.Observed, bool, error) {
	seen, err := r.observe(ctx, app)
	if err != nil {
		return seen, false, err
	}
	for _, when := range []drainPhase{DrainTraffic, DrainReplicas} {
		if seen.WaitsFor, err = r.deleteBeforeDrain(ctx, app, when); seen.WaitsFor != "" || err != nil {
			return seen, false, err
		}
	}
	seen.WaitsFor = "its last pod to end"
	if deployment := seen.Deployment; deployment != nil && deployment.DeletionTimestamp == nil {
		if ptr.Deref(deployment.Spec.Replicas, 1) != 0 {
			return seen, false, r.memory.of(app).contention.paced(contended{kind: "Deployment", field: scaleDown}, app.Name,
				func() error { return r.scaleToZero(ctx, deployment) })
		}
		if !status.RolledOut(deployment) {
			return seen, false, nil
		}
	}
	running, err := r.hasRunningPods(ctx, app, seen.Deployment)
	return seen, !running && err == nil, err
}

// deleteBeforeDrain deletes the children that are withdrawn at this point of a drain. It returns what is still there and has to
// be gone before the next point, or "".
func (r *ApplicationReconciler) deleteBeforeDrain(ctx context.Context, app *v1.Application, when drainPhase) (string, error) {
	var left []string
	var failed []error
	for _, child := range children {
		if child.drainPhase != when || child.optional() && !r.optional.watched(child.kind) {
			continue
		}
		live, err := r.live(ctx, app, child)
		if err != nil {
			return "", err
		}
		if live == nil || !metav1.IsControlledBy(live, app) {
			continue
		}
		left = append(left, child.kind+" to be gone")
		if live.GetDeletionTimestamp() == nil {
			failed = append(failed, r.removePaced(ctx, app, child, live))
		}
	}
	return strings.Join(left, ", "), errors.Join(failed...)
}

// removePaced deletes a child, unless it has been made again so often that its deletion has to wait.
func (r *ApplicationReconciler) removePaced(ctx context.Context, app *v1.Application, child child, live client.Object) error {
	next, err := r.pace(app, &step{child: child, live: live})
	if err != nil {
		return err
	}
	if err := r.remove(ctx, child, live); err != nil {
		return err
	}
	next.dispute.wrote(*next, time.Now())
	return nil
}

// hasRunningPods reports whether a pod of the Deployment still runs. Pods of a ReplicaSet that is not known to be the
// Deployment's hold nothing up: anybody can make a pod with these labels.
func (r *ApplicationReconciler) hasRunningPods(
	ctx context.Context, app *v1.Application, deployment *appsv1.Deployment,
) (bool, error) {
	if deployment == nil {
		return false, nil
	}
	pods, err := r.pods(ctx, client.ObjectKeyFromObject(app))
	if err != nil {
		return false, err
	}
	_, sets, err := r.replicaSets(ctx, deployment)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(pods, func(pod corev1.Pod) bool {
		ended := pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
		return !ended && sets[metav1.GetControllerOf(&pod).UID]
	}), nil
}

// scaleToZero scales a Deployment to zero. It is a plain patch of the one field, which no invalid spec can hinder.
func (r *ApplicationReconciler) scaleToZero(ctx context.Context, deployment *appsv1.Deployment) error {
	before := deployment.DeepCopy()
	after := deployment.DeepCopy()
	after.Spec.Replicas = new(int32(0))
	err := r.Client.Patch(ctx, after, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
	if client.IgnoreNotFound(err) != nil {
		return outcome.FromAPI(err, "Deployment")
	}
	logf.FromContext(ctx).Info("Scaled to zero", "child", "Deployment")
	return nil
}
