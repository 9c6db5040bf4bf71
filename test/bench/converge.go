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
	"maps"
	"slices"
	"time"
)

// converge creates all Applications at once, while the operator runs, and notes how long it takes until they are what
// they should be, and what the operator asked of the API server for it.
func (r *round) converge(ctx context.Context) error {
	seen, err := r.watch(ctx)
	if err != nil {
		return err
	}
	before, err := r.auditor.count(r.operator.User)
	if err != nil {
		return err
	}
	cpuBefore, err := r.operator.cpu()
	if err != nil {
		return err
	}
	workBefore, err := r.operator.work(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	err = inParallel(ctx, r.applications, func(ctx context.Context, i int) error {
		return r.k8s.Create(ctx, application(nameOf(i)))
	})
	if err != nil {
		return err
	}
	created := time.Since(began)
	took, err := seen.times(ctx, r.applications, began, seen.ready)
	if err != nil {
		return err
	}
	cpu, err := r.operator.cpu()
	if err != nil {
		return err
	}
	if err := r.operator.untilQuiet(ctx); err != nil {
		return err
	}
	after, err := r.auditor.count(r.operator.User)
	if err != nil {
		return err
	}
	r.addTimesOf(created, took)
	r.add("CPU", "the operator, until all are Ready", "ms per Application", (cpu-cpuBefore)*1000/float64(r.applications), nil)
	work, err := r.operator.work(ctx)
	if err != nil {
		return err
	}
	each := float64(r.applications)
	r.add("work", "reconciles, until all are Ready", "per Application", (work.passes-workBefore.passes)/each, nil)
	r.add("work", "allocated, until all are Ready", "KiB per Application", (work.allocated-workBefore.allocated)/1024/each, nil)
	r.addRequests(after.since(before))
	return nil
}

// addTimesOf notes how long the convergence took, beside the floor.
func (r *round) addTimesOf(created time.Duration, took times) {
	beside := func(value float64) *Yardstick { return &Yardstick{Name: "floor", Value: value} }
	const measure = "converge"
	r.add(measure, "all Applications created", "s", created.Seconds(), nil)
	r.add(measure, "half of the Deployments exist", "s", took.halfDeployed, beside(r.floor.halfDeployed))
	r.add(measure, "all Deployments exist", "s", took.deployed, beside(r.floor.deployed))
	r.add(measure, "all children exist", "s", took.children, beside(r.floor.children))
	r.add(measure, "all are Ready", "s", took.ready, beside(r.floor.ready))
	r.add("share", "median Deployment exists, of the time for all children", "%", 100*took.halfDeployed/took.children,
		&Yardstick{Name: "floor", Value: 100 * r.floor.halfDeployed / r.floor.children})
}

// addRequests notes what the operator asked for, per Application, beside what the bare client asked for.
func (r *round) addRequests(asked counts) {
	each := func(count int) float64 { return float64(count) / float64(r.applications) }
	const measure, unit = "requests", "per Application"
	for _, what := range slices.Sorted(maps.Keys(asked)) {
		r.add(measure, what, unit, each(asked[what]), &Yardstick{Name: "floor", Value: each(r.floor.requests[what])})
	}
	r.add(measure, "all writes", unit, each(asked.writes()), &Yardstick{Name: "floor", Value: each(r.floor.requests.writes())})
	r.add(measure, "all reads", unit, each(asked.reads()), &Yardstick{Name: "floor", Value: 0})
}
