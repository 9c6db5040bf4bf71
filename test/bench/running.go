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
	"strconv"
	"strings"
	"time"

	"github.com/example/app-operator/test/bench/rig"
	"github.com/example/app-operator/test/controlplane"
	"github.com/example/app-operator/test/operator"
)

const (
	home = namespace + "-system"
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
	const pod = "manager-1"
	place, replica, err := rig.StartOperator(ctx, r.cluster, r.k8s, home, namespace, r.operatorPath, pod,
		rig.GoLimit(r.memoryLimit()), "PROFILES="+r.profilesOf())
	r.operator = &running{Replica: replica, home: place, pod: pod}
	if err != nil {
		return err
	}
	return r.addFootprint(ctx, atStart)
}

// memoryLimit returns the container's memory limit, in MiB: that of the manifests in config, which is for up to 1,000
// Applications.
func (b *bench) memoryLimit() int {
	if b.applications <= 1000 {
		return rig.MemoryLimit
	}
	return 2 * rig.MemoryLimit
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

// busy is how far the operator is with its work.
type busy struct {
	passes  float64
	waiting float64 // or being worked on
}

func (o *running) busy(ctx context.Context) (busy, error) {
	sum, err := o.Sums(ctx)
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
	sum, err := o.Sums(ctx)
	if err != nil {
		return work{}, err
	}
	return work{passes: sum("controller_runtime_reconcile_total"), allocated: sum("go_memstats_alloc_bytes_total")}, nil
}

// untilQuiet returns when the operator has had nothing to do for a while.
func (o *running) untilQuiet(ctx context.Context) error {
	const quiet = 3 * time.Second
	last, since := math.Inf(-1), time.Now()
	return operator.Until(ctx, inspection, "the operator to have nothing to do", func() (bool, error) {
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
		text, err := rig.Field(path, name)
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
