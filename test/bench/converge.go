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

	"github.com/example/app-operator/test/bench/rig"
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
	cpuBefore, managerBefore, err := r.cpu()
	if err != nil {
		return err
	}
	workBefore, err := r.operator.work(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	err = rig.InParallel(ctx, r.applications, func(ctx context.Context, i int) error {
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
	cpu, manager, err := r.cpu()
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
	work, err := r.operator.work(ctx)
	if err != nil {
		return err
	}
	each := float64(r.applications)
	r.add("CPU", "the operator, until all are Ready", "ms per Application", (cpu-cpuBefore)*1000/each,
		Yardstick{Name: "kube-controller-manager", Value: (manager - managerBefore) * 1000 / each})
	r.add("work", "reconciles, until all are Ready", "per Application", (work.passes-workBefore.passes)/each)
	r.add("work", "allocated, until all are Ready", "KiB per Application", (work.allocated-workBefore.allocated)/1024/each)
	r.addRequests(after.since(before))
	return nil
}

// cpu returns the CPU seconds that the operator and kube-controller-manager have used so far.
func (r *round) cpu() (ours, manager float64, err error) {
	if ours, err = r.operator.CPU(); err != nil {
		return 0, 0, err
	}
	manager, err = r.cluster.ControllerManager().CPU()
	return ours, manager, err
}

// addTimesOf notes how long the convergence took, beside the floors.
func (r *round) addTimesOf(created time.Duration, took times) {
	beside := func(of func(times) float64) []Yardstick {
		yardsticks := make([]Yardstick, 0, len(r.floors))
		for _, f := range r.floors {
			yardsticks = append(yardsticks, Yardstick{Name: f.name, Value: of(f.times)})
		}
		return yardsticks
	}
	const measure = "converge"
	r.add(measure, "all Applications created", "s", created.Seconds())
	for _, part := range []struct {
		name string
		of   func(times) float64
	}{
		{"half of the Deployments exist", func(t times) float64 { return t.halfDeployed }},
		{"all Deployments exist", func(t times) float64 { return t.deployed }},
		{"all children exist", func(t times) float64 { return t.children }},
		{"all are Ready", func(t times) float64 { return t.ready }},
	} {
		r.add(measure, part.name, "s", part.of(took), beside(part.of)...)
	}
	share := func(t times) float64 { return 100 * t.halfDeployed / t.children }
	r.add("share", "median Deployment exists, of the time for all children", "%", share(took), beside(share)...)
}

// addRequests notes what the operator asked for, per Application, beside what the bare clients asked for.
func (r *round) addRequests(asked counts) {
	add := func(what string, of func(counts) int) {
		each := func(c counts) float64 { return float64(of(c)) / float64(r.applications) }
		var beside []Yardstick
		for _, f := range r.floors {
			beside = append(beside, Yardstick{Name: f.name, Value: each(f.requests)})
		}
		r.add("requests", what, "per Application", each(asked), beside...)
	}
	for _, what := range slices.Sorted(maps.Keys(asked)) {
		add(what, func(c counts) int { return c[what] })
	}
	add("all writes", counts.writes)
	add("all reads", counts.reads)
}
