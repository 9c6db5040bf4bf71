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

// Package controller makes the cluster match its Applications. It is the only package that reads and writes them and their
// objects: it reads a snapshot, has the pure packages plan and status decide, and writes what they say. Reconcile is the path
// of one Application, from top to bottom.
package controller

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/cluster"
	"github.com/example/app-operator/internal/expectations"
	"github.com/example/app-operator/internal/outcome"
	"github.com/example/app-operator/internal/plan"
	"github.com/example/app-operator/internal/status"
)

// ApplicationReconciler creates and maintains the objects of Applications. New makes one; SetupWithManager fills in what is
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
	// OnError, if set, hears of the outcome of each reconcile, with the Application's namespace.
	OnError func(namespace string, err error)
	// MaxConcurrentReconciles is how many Applications are reconciled at a time; 0 means 1.
	MaxConcurrentReconciles int

	expectations *expectations.Store
	records      records
	optional     optionalAPIs
	configs      configHashes
	queue        queue
}

// New returns a reconciler for Applications in these namespaces, or in all if there are none.
func New(namespaces []string) *ApplicationReconciler {
	r := &ApplicationReconciler{expectations: expectations.NewStore(len(namespaces) == 0), configs: newConfigHashes()}
	r.queue.services.addFirst = r.queue.addFirst
	return r
}

// Reconcile makes one Application's objects as its spec says, and writes its status, once and only if it has changed. It does
// nothing until the cache shows the earlier applies and the last writes of the status and the finalizers: the event that shows them
// calls it again. Deletes are not waited for: to delete an object twice does no harm.
func (r *ApplicationReconciler) Reconcile(ctx context.Context, request reconcile.Request) (result reconcile.Result, err error) {
	if wait := r.expectations.Pending(request.NamespacedName); wait > 0 {
		return reconcile.Result{RequeueAfter: wait, Priority: new(usual)}, nil
	}
	r.expectations.Begin(request.NamespacedName)
	defer func() { r.end(request.NamespacedName, result) }()
	defer r.queue.services.begin(request.NamespacedName)()
	app := &v1.Application{}
	err = r.Client.Get(ctx, request.NamespacedName, app)
	if apierrors.IsNotFound(err) {
		r.reportRetained(ctx, request.NamespacedName)
		r.expectations.Clear(request.NamespacedName)
		r.records.clear(request.NamespacedName)
		r.queue.services.leave(request.NamespacedName)
		return reconcile.Result{}, nil
	}
	if err != nil {
		return reconcile.Result{}, fmt.Errorf("read the Application: %w", err)
	}
	result, err = r.reconcile(ctx, app)
	if r.OnError != nil {
		r.OnError(app.Namespace, err)
	}
	// The priority with which an Application came to be reconciled is not that of its next time: else one that was called
	// up would be ahead for ever, and one that was listed at the start behind.
	result.Priority = new(usual)
	return result, err
}

// reconcile reads, plans, writes, and reports. The Application is a copy of the cached one.
func (r *ApplicationReconciler) reconcile(ctx context.Context, app *v1.Application) (reconcile.Result, error) {
	record := r.records.of(app)
	defer r.records.measure(record)
	s, err := r.snapshot(ctx, app, record)
	if err == nil {
		record.lastApplied.TakeStock(app, &s.Snapshot)
	}
	if app.DeletionTimestamp != nil {
		return r.finalize(ctx, app, record, s, err)
	}
	seen := s.observed(record.lastApplied)
	if err == nil {
		err = r.sync(ctx, app, record, s, &seen)
	}
	return r.report(ctx, app, record, seen, errors.Join(err, stillCrashing(app, seen)))
}

// sync makes the objects as desired, and notes in what is seen of them what the snapshot does not show.
func (r *ApplicationReconciler) sync(
	ctx context.Context, app *v1.Application, record *appRecord, s *snapshot, seen *status.Observed,
) error {
	// Also while paused: the finalizer is not one of the application's objects, and a deletion is not paused.
	if err := r.ensureFinalizer(ctx, app, record); err != nil {
		return err
	}
	if app.Oversized {
		return oversized()
	}
	if app.Spec.Paused {
		seen.Pending = differs(record, s)
		return nil
	}
	steps, blocked := plan.For(app, &s.Snapshot, record.lastApplied)
	wrote, refused, err := r.apply(ctx, app, record, steps)
	seen.Refused = refused
	s.outdate(seen, wrote)
	return errors.Join(blocked, err)
}

// differs reports whether anything would be written if the Application were not paused. Something that is missing holds back pods that
// differ; it makes none of them differ.
func differs(record *appRecord, s *snapshot) bool {
	unhindered := s.Snapshot
	unhindered.Missing = nil
	steps, blocked := plan.For(s.Application, &unhindered, record.lastApplied)
	return len(steps) > 0 || blocked != nil || s.decision.Want != s.decision.Update
}

// end records that a reconcile of the Application has ended, and calls the next one if what was seen meanwhile needs one. What can wait
// is left to the reconcile that is due anyway, if that is soon.
func (r *ApplicationReconciler) end(app client.ObjectKey, result reconcile.Result) {
	call, called := r.expectations.End(app)
	switch {
	case !called:
	case call == expectations.AtOnce:
		r.queue.add(app)
	case result.RequeueAfter == 0 || result.RequeueAfter > progressDebounce:
		r.queue.addLater(app)
	}
}

// stillCrashing returns what to wait for when a pod has crashed again and again and all pods run, but not yet for
// crashLoopGracePeriod; otherwise nil.
func stillCrashing(app *v1.Application, seen status.Observed) error {
	if seen.Deployment == nil || seen.DeploymentBehind || app.Spec.Paused || !status.RolledOut(seen.Deployment) {
		return nil
	}
	for _, found := range seen.PodFaults {
		if found.Current && found.Reason == v1.ReasonCrashLooping {
			return &outcome.Waiting{Reason: found.Reason, Message: found.Message, After: crashLoopGracePeriod}
		}
	}
	return nil
}

// oversized is why nothing is made of an Application that is too large.
func oversized() error {
	return &outcome.Invalid{Reason: v1.ReasonInvalidSpec, Message: fmt.Sprintf("the Application is larger than %d KiB, annotations "+
		"and managed fields aside, and what is made for it stays as it is; make it smaller, for example by moving long values "+
		"into ConfigMaps", cluster.MaxApplicationBytes>>10)}
}
