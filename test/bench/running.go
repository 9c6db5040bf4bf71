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
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/example/app-operator/test/controlplane"
	"github.com/example/app-operator/test/operator"
)

const (
	home = namespace + "-system"
	// shareOfLimit is what of its memory limit the operator tells Go to keep to.
	shareOfLimit = 0.9
	// glance is how often the operator's metrics are looked at where something is waited for that is to be timed, and
	// inspection where it is not: to tell of thousands of Applications takes the operator its time.
	glance, inspection = 100 * time.Millisecond, time.Second
)

// running is the operator as manifests run it: it is elected, and keeps to the memory limit.
type running struct {
	*operator.Replica
	home *operator.Home
	pod  string
}

// start starts the operator, with nothing to do yet.
func (r *round) start(ctx context.Context) error {
	if err := r.makeNamespace(ctx, home); err != nil {
		return err
	}
	// The kubelet is played as long as the control plane lives, which is longer than this step.
	lifetime := context.WithoutCancel(ctx)
	place, err := operator.NewHome(lifetime, r.cluster, r.k8s, home, namespace, r.operatorPath)
	if err != nil {
		return err
	}
	place.Setenv(fmt.Sprintf("GOMEMLIMIT=%d", int64(r.memoryLimit()*shareOfLimit*mebibyte)), "PROFILES="+r.profilesOf())
	r.operator = &running{home: place}
	if err := r.startReplica(ctx, "manager-1"); err != nil {
		return err
	}
	if err := r.operator.untilElected(ctx); err != nil {
		return err
	}
	return r.addFootprint(ctx, atStart)
}

// memoryLimit returns the container's memory limit, in MiB: that of the manifests in config, which is for up to 1,000
// Applications.
func (b *bench) memoryLimit() float64 {
	if b.applications <= 1000 {
		return 128
	}
	return 256
}

// startReplica starts a replica and takes it for the operator.
func (r *round) startReplica(ctx context.Context, name string) error {
	replica, err := r.operator.home.Start(ctx, name)
	if err != nil {
		return err
	}
	r.operator.Replica, r.operator.pod = replica, name
	return nil
}

// lastWords returns what the operator has logged last, if there is one.
func (o *running) lastWords() string {
	if o == nil || o.Replica == nil {
		return ""
	}
	return fmt.Sprintf("\nThe last lines of %s:\n%s", o.LogFile(), controlplane.Tail(o.LogFile(), 5))
}

func (o *running) untilElected(ctx context.Context) error {
	return until(ctx, glance, "the operator to be elected", func() (bool, error) { return o.Leads(ctx) })
}

// until asks now and then, and returns when the answer is yes. The error says what was waited for.
func until(ctx context.Context, every time.Duration, what string, ask func() (bool, error)) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		yes, err := ask()
		if yes || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited for %s: %w", what, context.Cause(ctx))
		case <-ticker.C:
		}
	}
}

// sums returns metrics by name, each the sum over its labels; what is not there yet is 0.
func (o *running) sums(ctx context.Context) (func(name string) float64, error) {
	families, err := o.Metrics(ctx)
	if err != nil {
		return nil, err
	}
	return func(name string) float64 {
		var sum float64
		for _, metric := range families[name].GetMetric() {
			sum += metric.GetCounter().GetValue() + metric.GetGauge().GetValue()
		}
		return sum
	}, nil
}

// busy is how far the operator is with its work.
type busy struct {
	passes  float64
	waiting float64 // or being worked on
}

func (o *running) busy(ctx context.Context) (busy, error) {
	sum, err := o.sums(ctx)
	if err != nil {
		return busy{}, err
	}
	return busy{
		passes:  sum("controller_runtime_reconcile_total"),
		waiting: sum("workqueue_depth") + sum("controller_runtime_active_workers"),
	}, nil
}

// work is what the operator has done since it started, in figures that no other load of the machine moves.
type work struct{ passes, allocated float64 }

func (o *running) work(ctx context.Context) (work, error) {
	sum, err := o.sums(ctx)
	if err != nil {
		return work{}, err
	}
	return work{passes: sum("controller_runtime_reconcile_total"), allocated: sum("go_memstats_alloc_bytes_total")}, nil
}

// untilQuiet returns when the operator has had nothing to do for a while.
func (o *running) untilQuiet(ctx context.Context) error {
	const quiet = 3 * time.Second
	last, since := math.Inf(-1), time.Now()
	return until(ctx, inspection, "the operator to have nothing to do", func() (bool, error) {
		now, err := o.busy(ctx)
		if err != nil {
			return false, err
		}
		if now.passes != last || now.waiting > 0 {
			last, since = now.passes, time.Now()
		}
		return time.Since(since) > quiet, nil
	})
}

// memory returns the process's resident memory now and at its highest, in MiB.
func (o *running) memory() (resident, peak float64, err error) {
	path := fmt.Sprintf("/proc/%d/status", o.PID())
	for name, to := range map[string]*float64{"VmRSS": &resident, "VmHWM": &peak} {
		text, err := field(path, name)
		if err != nil {
			return 0, 0, err
		}
		kib, err := strconv.ParseFloat(strings.TrimSuffix(text, " kB"), 64)
		if err != nil {
			return 0, 0, fmt.Errorf("%s: %w", path, err)
		}
		*to = kib / 1024
	}
	return resident, peak, nil
}

// ticks is how many of the kernel's ticks a second has, wherever Go runs.
const ticks = 100

// cpu returns the CPU seconds that the process has used so far.
func (o *running) cpu() (float64, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", o.PID()))
	if err != nil {
		return 0, err
	}
	// The name in brackets may hold anything; after it come the state and 10 numbers, then the times.
	_, rest, _ := strings.Cut(string(content), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat: %q", o.PID(), content)
	}
	var sum float64
	for _, text := range fields[11:13] {
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return 0, err
		}
		sum += value / ticks
	}
	return sum, nil
}
