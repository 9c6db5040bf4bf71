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

// Package controller makes the cluster match its Applications. It is the only package of the operator's core
// that talks to the API server: it reads (from the cache), has the pure packages resources and status think, and
// writes. The path of one Application is Reconcile, read from top to bottom.
package controller

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/lru"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/metrics"
	"github.com/example/app-operator/internal/outcome"
	"github.com/example/app-operator/internal/status"
)

// FieldOwner is the field manager under which the operator owns what it applies. It must never change: fields
// owned under another name would stay behind.
const FieldOwner = "app-operator"

// reportTimeout is what the status write of a pass that took too long gets.
const reportTimeout = 10 * time.Second

// ApplicationReconciler makes and maintains the objects of Applications. SetupWithManager fills in what is
// unset.
type ApplicationReconciler struct {
	// Client reads from the manager's cache and writes to the API server.
	Client client.Client
	// Reader reads the contents of ConfigMaps and Secrets from the API server.
	Reader client.Reader
	// Recorder writes events about Applications.
	Recorder events.EventRecorder
	// Leads reports whether this process leads now: one of several replicas serves metrics of Applications. Unset means that
	// it does once it is elected.
	Leads func() bool
	// MaxConcurrentReconciles is how many Applications are worked on at a time; 0 means 1.
	MaxConcurrentReconciles int

	watchdog watchdog
	optional optionalAPIs
	turns    turns
	// contents remembers, by kind and name, what the contents of referenced objects hash to.
	contents *lru.Cache
	// reads keeps several workers from reading the same content at once.
	reads singleflight.Group
	// memory is what is known of the past beyond the status.
	memory memory
	// sights are how far the caches have come.
	sights sights
	// namespaces are those that are served, unless all are.
	namespaces namespaces
	// queue is where Applications wait for a pass, once the controller has started.
	queue atomic.Pointer[queue]
}

type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// Reconcile brings one Application's objects to what its spec wants and writes its status, once and only if it
// changed. It is called with a copy of the cached Application.
func (r *ApplicationReconciler) Reconcile(ctx context.Context, app *v1.Application) (reconcile.Result, error) {
	defer r.watchdog.enter()()
	result, err := r.pass(ctx, app)
	r.namespaces.doubt(app.Namespace, err)
	return result, err
}

func (r *ApplicationReconciler) pass(ctx context.Context, app *v1.Application) (reconcile.Result, error) {
	if app.DeletionTimestamp != nil {
		return r.finalize(ctx, app)
	}
	version := app.ResourceVersion
	seen, err := r.sync(ctx, app)
	result, err := r.report(ctx, app, seen, err)
	wait := r.memory.of(app).looksAgain(app, version, time.Now()) // nearly always an event brings the next pass sooner
	if err == nil && ctx.Err() == nil && wait > 0 && (result.RequeueAfter == 0 || result.RequeueAfter > wait) {
		result.RequeueAfter = wait
	}
	return result, err
}

// sync reads, thinks, writes, and reads again what came of it.
func (r *ApplicationReconciler) sync(ctx context.Context, app *v1.Application) (status.Observed, error) {
	pending, err := r.act(ctx, app)
	seen, unseen := r.observe(ctx, app)
	seen.Pending = pending
	return seen, errors.Join(err, unseen, stillCrashing(app, seen))
}

// act brings the children to what is desired. It returns whether it left anything as it is because of a pause.
func (r *ApplicationReconciler) act(ctx context.Context, app *v1.Application) (bool, error) {
	// Also while paused: the finalizer is not one of the application's objects, and a deletion is not paused.
	if err := r.ensureFinalizer(ctx, app); err != nil {
		return false, err
	}
	if app.Oversized {
		return false, oversized()
	}
	in, err := r.inputs(ctx, app)
	if err != nil {
		return false, err
	}
	steps, blocked := r.plan(ctx, app, in)
	if app.Spec.Paused {
		return len(steps) > 0 || blocked != nil, nil
	}
	return false, errors.Join(blocked, r.apply(ctx, app, steps))
}

// report writes the status that follows from the pass, tells of a change in an event, and maps the pass's
// outcome to what the work queue does next.
func (r *ApplicationReconciler) report(
	ctx context.Context, app *v1.Application, seen status.Observed, err error,
) (reconcile.Result, error) {
	if errors.Is(ctx.Err(), context.Canceled) {
		// The process is about to end. What is left to do, the next leader does; what failed now says nothing.
		return reconcile.Result{}, nil
	}
	if ctx.Err() != nil { // the pass took too long, and its status has to say so
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), reportTimeout)
		defer cancel()
	}
	known, before := r.memory.of(app), app.Status
	seen.Now = metav1.Now()
	seen.Contended, _ = known.contention.present(app.Name, seen.Now.Time)
	next := status.Of(app, seen, err)
	r.timeRollout(app, next, seen)
	end := func(err error) (reconcile.Result, error) {
		result, err := outcome.Result(err)
		if err != nil { // it is tried again sooner than that
			return result, err
		}
		return noLaterThan(status.Expires(app, seen, next), result), nil
	}
	if equality.Semantic.DeepEqual(before, next) {
		known.news = time.Time{}
		return end(err)
	}
	if known.statusWrite.awaits(app.ResourceVersion) > 0 {
		// The cache does not show the last write yet, and the API server would refuse another. What it lacks is on its way.
		return end(err)
	}
	if wait := r.holdBack(app, next); wait > 0 {
		return end(errors.Join(err, &outcome.Waiting{Reason: v1.ReasonRollingOut, After: wait}))
	}
	return end(errors.Join(err, r.writeStatus(ctx, app, next, err)))
}

// writeStatus writes a status that is not the present one, and tells of what has changed.
func (r *ApplicationReconciler) writeStatus(
	ctx context.Context, app *v1.Application, next v1.ApplicationStatus, err error,
) error {
	known, before, outdated := r.memory.of(app), app.Status, app.ResourceVersion
	sum, failed := statusHash(next)
	if failed != nil {
		return failed
	}
	write := func() error {
		app.Status = next
		return r.updateStatus(ctx, app)
	}
	if sum == known.status { // it has been so, until somebody else wrote it
		failed = known.contention.paced(contended{kind: metrics.KindApplication, field: whole}, app.Name, write)
	} else {
		failed = write()
	}
	switch {
	case failed == nil:
		known.news = time.Time{}
		known.status = sum
		if app.ResourceVersion != outdated { // else the server had it already, and has nothing newer to show
			known.statusWrite.made(outdated)
		}
		r.recordTransition(ctx, app, before, next)
		countConflicts(before, next, err)
		return nil
	case apierrors.IsConflict(failed), apierrors.IsNotFound(failed):
		// The cache is behind the API server; what it lacks is on its way and brings us back.
		known.statusWrite.made(outdated)
		logf.FromContext(ctx).V(1).Info("Left the status to the next pass", "why", failed.Error())
		return nil
	default:
		return failed
	}
}

// noLaterThan makes a pass come no later than the status expires. The zero time is never.
func noLaterThan(expires metav1.Time, result reconcile.Result) reconcile.Result {
	if wait := max(time.Until(expires.Time), time.Millisecond); !expires.IsZero() && (result.RequeueAfter == 0 || wait < result.RequeueAfter) {
		result.RequeueAfter = wait
	}
	return result
}
