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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/managedfields"
	"github.com/example/app-operator/internal/outcome"
	"github.com/example/app-operator/internal/resources"
	"github.com/example/app-operator/internal/status"
)

// step is one write that a pass has to make.
type step struct {
	child child
	// live is the object as cached; nil when there is none yet.
	live client.Object
	// config is what to apply; without one, live is deleted.
	config configuration
	// desired is the configuration's fingerprint.
	desired uint64
	// handsOver says that we own a field of which config says nothing any more, and that must not simply go (see handedOver).
	handsOver bool
	// unwanted is what the object has and must not have.
	unwanted []managedfields.Addition
	// again says that a child that is not there has been made before, as it is desired now.
	again bool
	// repairs says that the child was as config wants it before somebody else changed or deleted it.
	repairs bool
	// dispute counts the repairs of what the step repairs, and repeated deletions; nil for any other write.
	dispute *dispute
	// foreign says that somebody else has applied the child under the operator's own field manager.
	foreign bool
}

func (s step) deletes() bool { return s.config.ApplyConfiguration == nil }

// takesATurn reports whether the step has to wait for its turn. What has had one, and serves or was deleted by mistake, has not.
func (s step) takesATurn() bool { return s.child.throttled && s.live == nil && !s.again }

// plan returns the writes that bring every child to what is desired: none if all is as it should be. Where a
// child cannot be had, the error says why, and the others are planned all the same.
func (r *ApplicationReconciler) plan(ctx context.Context, app *v1.Application, in inputs) ([]step, error) {
	var steps []step
	var blocked, contended []error
	for _, child := range inOrder(in.Inputs) {
		if child.gated && len(blocked) > 0 && resources.DesiredReplicas(in.Inputs) > 0 {
			continue
		}
		next, err := r.planChild(ctx, app, in, child)
		if isContention(err) { // what somebody else insists on does not hold up the other children
			contended = append(contended, err)
			continue
		}
		if err != nil {
			blocked = append(blocked, err)
		}
		if next != nil {
			steps = append(steps, *next)
		}
	}
	if len(in.missing) > 0 {
		blocked = slices.Insert(blocked, 0, error(&outcome.Waiting{
			Reason: v1.ReasonReferenceMissing,
			Message: fmt.Sprintf("%s does not exist in this namespace; create it, or change the spec",
				strings.Join(in.missing, ", ")),
		}))
	}
	early := func(step step) bool { return step.child.prunedAfterRollout && step.deletes() }
	blocked = append(blocked, contended...)
	if !slices.ContainsFunc(steps, early) {
		return steps, errors.Join(blocked...)
	}
	settled, err := r.settled(ctx, app, steps)
	if err != nil {
		blocked = append(blocked, err)
	}
	if !settled || len(blocked) > 0 {
		steps = slices.DeleteFunc(steps, early)
	}
	return steps, errors.Join(blocked...)
}

// inOrder returns the children in the order in which they are planned and written: that of the table, except that a Service
// which is to target other ports of the pods is written before the pods are replaced. If it cannot be, they stay.
func inOrder(in resources.Inputs) []child {
	if !resources.Retargets(in) {
		return children
	}
	service := slices.IndexFunc(children, func(child child) bool { return child.kind == "Service" })
	deployment := slices.IndexFunc(children, func(child child) bool { return child.gated })
	ordered := slices.Delete(slices.Clone(children), service, service+1)
	return slices.Insert(ordered, deployment, children[service])
}

// settled reports whether, the planned steps aside, all pods are of what is desired, so that what only older pods used
// may go. What the cache shows of a Deployment that was just written is the past.
func (r *ApplicationReconciler) settled(ctx context.Context, app *v1.Application, steps []step) (bool, error) {
	for _, step := range steps {
		if step.child.gated {
			return false, nil
		}
	}
	if r.memory.of(app).awaits("Deployment") > 0 {
		return false, nil
	}
	deployment := &appsv1.Deployment{}
	found, err := r.getControlled(ctx, app, deployment)
	if err != nil {
		return false, err
	}
	if !found {
		return true, nil
	}
	if !status.RolledOut(deployment) {
		return false, nil
	}
	pods, err := r.pods(ctx, client.ObjectKeyFromObject(app))
	if err != nil {
		return false, err
	}
	newest, all, err := r.replicaSets(ctx, deployment)
	return !slices.ContainsFunc(pods, func(pod corev1.Pod) bool {
		by := metav1.GetControllerOf(&pod).UID
		return by != newest && all[by]
	}), err
}

// planChild returns the write that one child needs, or nil.
func (r *ApplicationReconciler) planChild(
	ctx context.Context, app *v1.Application, in inputs, child child,
) (*step, error) {
	config, err := child.build(in.Inputs)
	if err != nil {
		return nil, fmt.Errorf("build %s: %w", child.kind, err)
	}
	desired := config.ApplyConfiguration != nil
	if child.optional() && !desired && !r.optional.watched(child.kind) {
		return nil, nil
	}
	if child.optional() {
		if err := r.optional.ensureWatched(ctx, child); err != nil {
			return nil, err
		}
	}
	version := r.sights.newest(child.kind, app.Namespace) // before the read, which then shows no less
	live, err := r.live(ctx, app, child)
	if err != nil {
		return nil, err
	}
	if !desired {
		r.memory.of(app).forget(child.kind)
		return r.pace(app, planPrune(app, child, live))
	}
	if live != nil {
		version = live.GetResourceVersion()
	}
	if in.holdBack(child) {
		if held, err := keepPods(app, config, live); !held || err != nil {
			return nil, err
		}
	}
	next, err := r.planWanted(app, child, live, version, config)
	if err != nil {
		return nil, err
	}
	return r.pace(app, next)
}

// pace returns a planned write, or an error if it is a repair that somebody else has undone so often that it has to wait.
func (r *ApplicationReconciler) pace(app *v1.Application, next *step) (*step, error) {
	if next == nil || !next.repairs && !next.deletes() {
		return next, nil
	}
	known, now := r.memory.of(app), time.Now()
	at := contended{kind: next.child.kind, field: whole}
	switch {
	case next.deletes():
		at.field = deletion
	case next.live != nil:
		at.field, _ = ownEntry(next.live)
		next.foreign = known.right[next.child.kind].wasOverwritten(*next)
	}
	next.dispute = known.contention.of(at, now)
	if next.foreign {
		next.dispute.who = otherInstallation
	}
	if err := next.dispute.paced(next.child.kind, app.Name, now); err != nil {
		return nil, err
	}
	return next, nil
}

// planWanted returns the write that one child needs to become what is desired, or nil. The version is the child's, or, if
// there is none, the newest of the kind that the cache has shown in the namespace.
func (r *ApplicationReconciler) planWanted(
	app *v1.Application, child child, live client.Object, version string, config configuration,
) (*step, error) {
	known := r.memory.of(app)
	sum, err := desiredHash(config)
	if err != nil {
		return nil, err
	}
	onItsWay := known.onItsWay(child.kind, version) != nil
	switch {
	case onItsWay && known.hasBeen(child.kind, sum):
		return nil, nil
	case onItsWay: // the next write is planned by what there is
		return nil, &outcome.Waiting{
			Reason:  v1.ReasonRollingOut,
			Message: fmt.Sprintf("Waiting to see the last change of %s before it is changed again", child.kind),
			After:   known.awaits(child.kind),
		}
	case live == nil:
		return &step{
			child: child, config: config, desired: sum,
			again: known.hasBeen(child.kind, sum), repairs: known.wasRight(child.kind, sum, version),
		}, nil
	case !metav1.IsControlledBy(live, app):
		return nil, conflictError(app, child, live)
	case live.GetDeletionTimestamp() != nil:
		return nil, &outcome.Waiting{
			Reason:  v1.ReasonRollingOut,
			Message: fmt.Sprintf("Waiting for %s %s, which is being deleted, to be gone", child.kind, live.GetName()),
		}
	case known.isStillRight(child.kind, sum, live):
		return nil, nil
	}
	next, err := planUpdate(child, live, config)
	switch {
	case err != nil:
		return nil, err
	case next == nil:
		known.isRight(child.kind, sum, live)
	default:
		next.desired = sum
		next.repairs = known.wasRight(child.kind, sum, version)
	}
	return next, nil
}

// holdBack reports whether something is missing that new pods of the child would need.
func (in inputs) holdBack(child child) bool {
	return child.gated && len(in.missing) > 0 && resources.DesiredReplicas(in.Inputs) > 0
}

// keepPods makes the configuration of the Deployment want pods like those that run, and no others: what they refer to is missing.
// How many there are, and how they are replaced, may change. It returns false if no pods run that could be kept.
func keepPods(app *v1.Application, config configuration, live client.Object) (bool, error) {
	deployment, ok := live.(*appsv1.Deployment)
	if !ok || !metav1.IsControlledBy(deployment, app) || ptr.Deref(deployment.Spec.Replicas, 1) == 0 {
		return false, nil
	}
	ours, err := appsv1ac.ExtractDeployment(deployment, FieldOwner)
	if err != nil {
		return false, fmt.Errorf("read the pod template that is ours: %w", err)
	}
	if ours.Spec == nil || ours.Spec.Template == nil {
		return false, nil
	}
	config.ApplyConfiguration.(*appsv1ac.DeploymentApplyConfiguration).Spec.Template = ours.Spec.Template
	return true, nil
}

// planPrune returns the deletion of a child that is not desired, or nil if there is none, if it is not ours, or if it is
// going already. An account that was made for the application, and is now asked for by name, stays.
func planPrune(app *v1.Application, child child, live client.Object) *step {
	if live == nil || !metav1.IsControlledBy(live, app) || live.GetDeletionTimestamp() != nil {
		return nil
	}
	if child.prunedAfterRollout && live.GetName() == resources.ReferencedServiceAccount(app) {
		return nil
	}
	return &step{child: child, live: live}
}

// planUpdate returns the write that makes a live child what is desired, or nil if it is.
func planUpdate(child child, live client.Object, config configuration) (*step, error) {
	owned, err := managedfields.Of(live, FieldOwner)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", child.kind, err)
	}
	same, err := owned.Matches(config.ApplyConfiguration, readable(live))
	if err != nil {
		return nil, fmt.Errorf("compare %s with what is desired: %w", child.kind, err)
	}
	unwanted, err := managedfields.Existing(readable(live), config.unwanted)
	if err != nil {
		return nil, fmt.Errorf("look for what %s must not have: %w", child.kind, err)
	}
	if same && len(unwanted) == 0 {
		return nil, nil
	}
	next := &step{child: child, live: live, config: config, unwanted: unwanted}
	if child.handedOver != nil && owned.Has("spec", child.handedOver.field) {
		kept, err := managedfields.Sets(config.ApplyConfiguration, "spec", child.handedOver.field)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", child.kind, err)
		}
		next.handsOver = !kept
	}
	return next, nil
}

// readable returns what there is to read of an object.
func readable(live client.Object) any {
	if untyped, ok := live.(*unstructured.Unstructured); ok {
		return untyped.Object
	}
	return live
}

// live returns the object of the child's kind that bears the Application's name, whoever's it is, or nil. It shares memory
// with the cache and must not be changed.
func (r *ApplicationReconciler) live(ctx context.Context, app *v1.Application, child child) (client.Object, error) {
	object := child.empty()
	err := r.Client.Get(ctx, client.ObjectKeyFromObject(app), object, client.UnsafeDisableDeepCopy)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", child.kind, err)
	}
	return object, nil
}

// conflictError says what it means that an object of the name we need is not the Application's. It is never changed.
func conflictError(app *v1.Application, child child, live client.Object) error {
	if by := metav1.GetControllerOf(live); by != nil && isApplication(*by) && by.Name == app.Name {
		return &outcome.Waiting{
			Reason: v1.ReasonRollingOut,
			Message: fmt.Sprintf("Waiting for %s %s of an earlier Application of this name to be garbage-collected",
				child.kind, live.GetName()),
		}
	}
	remedy := "remove it, or give the Application another name"
	if _, ok := live.(*corev1.ServiceAccount); ok {
		remedy = "to run the pods as it, name it in spec.serviceAccount.name; otherwise " + remedy
	}
	return &conflict{kind: child.kind, Invalid: &outcome.Invalid{
		Reason: v1.ReasonChildConflict,
		Message: fmt.Sprintf("%s %s exists and is not this Application's, so it is left alone; %s",
			child.kind, live.GetName(), remedy),
	}}
}
