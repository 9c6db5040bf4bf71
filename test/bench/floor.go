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

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/example/app-operator/internal/resources"
	"github.com/example/app-operator/internal/status"
)

// bareUser is whom the API server takes the bare client for.
const bareUser = "bare-client"

// floor is what the API server can take on this machine.
type floor struct {
	times
	requests counts
	// latency is how long one Deployment takes, among all others, from its apply to a watch's telling of it; edit the
	// same of a change.
	latency, edit []time.Duration
}

// floor measures a bare client that makes the Applications and sends what the operator would, so many at a time as there
// are workers, while the same controllers and nodes work beside it.
func (b *bench) floor(ctx context.Context) (floor, error) {
	var f floor
	s, err := b.startStage(ctx)
	if err != nil {
		return f, err
	}
	err = b.step(ctx, "the floor", func(ctx context.Context) error { return s.measureFloor(ctx, b.applications, &f) })
	return f, errors.Join(err, s.stop())
}

func (s *stage) measureFloor(ctx context.Context, count int, f *floor) error {
	config, err := s.cluster.User(bareUser, "system:masters")
	if err != nil {
		return err
	}
	bare, err := newClient(config)
	if err != nil {
		return err
	}
	seen, err := s.watch(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	err = inParallel(ctx, count, func(ctx context.Context, i int) error { return s.makeByHand(ctx, bare, nameOf(i)) })
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
	in := resources.Inputs{Application: app}
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
	before := app.DeepCopy()
	app.Status = status.Of(app, status.Observed{}, nil)
	return bare.Status().Patch(ctx, app, client.MergeFrom(before))
}

// built gives builders of different kinds one type.
func built[C runtime.ApplyConfiguration](
	build func(resources.Inputs) (C, error),
) func(resources.Inputs) (runtime.ApplyConfiguration, error) {
	return func(in resources.Inputs) (runtime.ApplyConfiguration, error) { return build(in) }
}
