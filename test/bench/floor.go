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

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/resources"
	"github.com/example/app-operator/internal/revisions"
	"github.com/example/app-operator/internal/status"
	"github.com/example/app-operator/test/bench/rig"
)

// bareUser is whom the API server takes the bare client for.
const bareUser = "bare-client"

// floor is what the API server can take on this machine.
type floor struct {
	name string
	// make is what the bare client does for an Application.
	make func(s *stage, ctx context.Context, bare client.Client, name string) error
	times
	requests counts
	// latency is how long one Deployment takes, among all others, from its apply to a watch's telling of it; edit the
	// same of a change.
	latency, edit []time.Duration
}

// bare returns the floor of a client that does no more than it takes; empty without yardsticks.
func (r *round) bare() *floor {
	if len(r.floors) == 0 {
		return &floor{}
	}
	return r.floors[0]
}

// measureFloor measures a bare client that makes the Applications, so many at a time as there are workers, while the same
// controllers and nodes work beside it.
func (b *bench) measureFloor(ctx context.Context, f *floor) error {
	s, err := b.startStage(ctx)
	if err != nil {
		return err
	}
	err = b.step(ctx, f.name, func(ctx context.Context) error { return s.measureFloor(ctx, b.applications, f) })
	return errors.Join(err, s.stop())
}

func (s *stage) measureFloor(ctx context.Context, count int, f *floor) error {
	config, err := s.cluster.User(bareUser, "system:masters")
	if err != nil {
		return err
	}
	bare, err := rig.NewClient(config)
	if err != nil {
		return err
	}
	seen, err := s.watch(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	err = rig.InParallel(ctx, count, func(ctx context.Context, i int) error { return f.make(s, ctx, bare, nameOf(i)) })
	if err != nil {
		return err
	}
	if f.times, err = seen.times(ctx, count, began, seen.available); err != nil {
		return err
	}
	if f.requests, err = s.auditor.count(bareUser); err != nil {
		return err
	}
	f.latency, f.edit, err = s.bareLatency(ctx, bare)
	return err
}

// makeByHand does what it takes to have an Application, without an operator: it makes it, applies its children, and
// writes its status once.
func (s *stage) makeByHand(ctx context.Context, bare client.Client, name string) error {
	app := application(name)
	if err := s.k8s.Create(ctx, app); err != nil {
		return err
	}
	if err := applyChildren(ctx, bare, resources.Inputs{Application: app}); err != nil {
		return err
	}
	before := app.DeepCopy()
	app.Status = status.Of(app, status.Observed{}, nil)
	return bare.Status().Patch(ctx, app, client.MergeFrom(before))
}

// makeAsTheOperator sends what the operator sends until an Application is Ready, one after the other: it waits for nothing, and
// decides nothing.
func (s *stage) makeAsTheOperator(ctx context.Context, bare client.Client, name string) error {
	app := application(name)
	if err := s.k8s.Create(ctx, app); err != nil {
		return err
	}
	in, err := withRevision(app)
	if err != nil {
		return err
	}
	applied, err := resources.ControllerRevision(in)
	if err != nil {
		return err
	}
	for _, config := range applied {
		if err := bare.Apply(ctx, config, client.FieldOwner(bareUser)); err != nil {
			return fmt.Errorf("apply the revision: %w", err)
		}
	}
	if err := applyChildren(ctx, bare, in); err != nil {
		return err
	}
	app.Status = status.Of(app, status.Observed{}, nil)
	if err := bare.Status().Update(ctx, app); err != nil {
		return err
	}
	const reason = v1.ReasonRolloutComplete
	app.Status.ReadyReplicas, app.Status.AvailableReplicas = 1, 1
	meta.SetStatusCondition(&app.Status.Conditions, metav1.Condition{
		Type: v1.ConditionReady, Status: metav1.ConditionTrue, Reason: reason, ObservedGeneration: app.Generation,
	})
	if err := bare.Status().Update(ctx, app); err != nil {
		return err
	}
	return bare.Create(ctx, &eventsv1.Event{
		ObjectMeta: metav1.ObjectMeta{Name: name + ".complete", Namespace: namespace}, EventTime: metav1.NowMicro(),
		ReportingController: bareUser, ReportingInstance: bareUser, Type: corev1.EventTypeNormal, Reason: reason, Action: "Reconcile",
		Regarding: corev1.ObjectReference{
			APIVersion: v1.GroupVersion.String(), Kind: "Application", Namespace: namespace, Name: name, UID: app.UID,
		},
	})
}

// withRevision returns the inputs of an Application that has not been reconciled yet.
func withRevision(app *v1.Application) (resources.Inputs, error) {
	in := resources.Inputs{Application: app}
	revision, err := revisions.Of(app)
	if err != nil {
		return in, err
	}
	decision := revisions.Decide(revisions.Facts{App: app.Name, Update: revision.Hash})
	in.Update = resources.Update{
		Name: decision.Update, Hash: revision.Hash, Data: revision.Data, Record: decision.Records[decision.Update],
	}
	in.Revision = decision.Update
	return in, nil
}

// applyChildren applies the ServiceAccount, the Deployment and the Service.
func applyChildren(ctx context.Context, bare client.Client, in resources.Inputs) error {
	for _, build := range []func(resources.Inputs) (runtime.ApplyConfiguration, error){
		built(resources.ServiceAccount), built(resources.Deployment), built(resources.Service),
	} {
		config, err := build(in)
		if err != nil {
			return err
		}
		if err := bare.Apply(ctx, config, client.FieldOwner(bareUser)); err != nil {
			return fmt.Errorf("apply by hand: %w", err)
		}
	}
	return nil
}

// built gives builders of different kinds one type.
func built[C runtime.ApplyConfiguration](
	build func(resources.Inputs) (C, error),
) func(resources.Inputs) (runtime.ApplyConfiguration, error) {
	return func(in resources.Inputs) (runtime.ApplyConfiguration, error) { return build(in) }
}
