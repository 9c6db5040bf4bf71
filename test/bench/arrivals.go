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
	"fmt"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// arrivals are when objects of a namespace first were as a condition wants them, as a watch tells.
type arrivals struct {
	mu      sync.Mutex
	times   map[string]time.Time
	changed chan struct{} // closed at the next arrival
}

// condition is what an arrival is: an object's being there, for example.
type condition func(client.Object) bool

func exists(client.Object) bool { return true }

// watchArrivals watches the objects of a kind, until ctx ends, and returns for each condition the arrivals.
func watchArrivals(
	ctx context.Context, k8s client.WithWatch, namespace string, list client.ObjectList, conditions ...condition,
) ([]*arrivals, error) {
	events, err := k8s.Watch(ctx, list, client.InNamespace(namespace))
	if err != nil {
		return nil, fmt.Errorf("watch %T: %w", list, err)
	}
	all := make([]*arrivals, 0, len(conditions))
	for range conditions {
		all = append(all, &arrivals{times: map[string]time.Time{}, changed: make(chan struct{})})
	}
	go func() {
		for ctx.Err() == nil {
			for event := range events.ResultChan() {
				note(event, conditions, all)
			}
			// The API server ends a watch now and then. Another one begins with all that there is.
			if again, err := k8s.Watch(ctx, list, client.InNamespace(namespace)); err == nil {
				events = again
			}
		}
	}()
	return all, nil
}

// note notes for which of the conditions an event is an arrival.
func note(event watch.Event, conditions []condition, all []*arrivals) {
	object, ok := event.Object.(client.Object)
	if !ok || event.Type != watch.Added && event.Type != watch.Modified {
		return
	}
	for i, holds := range conditions {
		if holds(object) {
			all[i].add(object.GetName(), time.Now())
		}
	}
}

// add notes the first arrival of a name.
func (a *arrivals) add(name string, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, known := a.times[name]; known {
		return
	}
	a.times[name] = at
	close(a.changed)
	a.changed = make(chan struct{})
}

// wait returns when the object of the name arrived, once it has.
func (a *arrivals) wait(ctx context.Context, name string) (time.Time, error) {
	var at time.Time
	err := a.until(ctx, func() bool {
		var found bool
		at, found = a.times[name]
		return found
	})
	if err != nil {
		return at, fmt.Errorf("%s has not arrived: %w", name, err)
	}
	return at, nil
}

// all returns how long after began each of so many objects arrived, the first one first, once they have.
func (a *arrivals) all(ctx context.Context, count int, began time.Time) ([]time.Duration, error) {
	var took []time.Duration
	err := a.until(ctx, func() bool { return len(a.times) >= count })
	a.mu.Lock()
	defer a.mu.Unlock()
	if err != nil {
		return nil, fmt.Errorf("%d of %d have arrived: %w", len(a.times), count, err)
	}
	for _, at := range a.times {
		took = append(took, at.Sub(began))
	}
	slices.Sort(took)
	return took, nil
}

// until returns when the condition, which is asked after each arrival, holds.
func (a *arrivals) until(ctx context.Context, holds func() bool) error {
	for {
		a.mu.Lock()
		held, changed := holds(), a.changed
		a.mu.Unlock()
		if held {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
