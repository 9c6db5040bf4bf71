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
	"time"
)

// restTime is how long the operator is watched while nothing happens.
const restTime = time.Minute

// rest notes what the operator does while there is nothing to do.
func (r *round) rest(ctx context.Context) error { return r.restWith(ctx, "") }

// restWith notes it, and in the names of the figures with what.
func (r *round) restWith(ctx context.Context, what string) error {
	before, err := r.auditor.count(r.operator.User)
	if err != nil {
		return err
	}
	cpuBefore, err := r.operator.CPU()
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(restTime):
	}
	cpu, err := r.operator.CPU()
	if err != nil {
		return err
	}
	after, err := r.auditor.count(r.operator.User)
	if err != nil {
		return err
	}
	asked := after.since(before)
	none := Yardstick{Name: "nothing", Value: 0}
	const measure = "rest"
	r.add(measure, "writes"+what, "per minute", float64(asked.writes()), none)
	r.add(measure, "reads"+what, "per minute", float64(asked.reads()), none)
	r.add(measure, "watches begun again"+what, "per minute", float64(asked.sum("watch")))
	r.add("rest CPU", "the operator"+what, "% of a core", 100*(cpu-cpuBefore)/restTime.Seconds(), Yardstick{Name: "goal", Value: 0.5})
	return r.addFootprint(ctx, "after a minute of rest"+what)
}
