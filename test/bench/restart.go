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
	"syscall"
	"time"

	"github.com/example/app-operator/test/operator"
)

// restart ends the operator, starts it again, and notes how soon it has looked at all Applications.
func (r *round) restart(ctx context.Context) error {
	if err := r.end(ctx, r.operator); err != nil {
		return err
	}
	if err := r.operator.Remove(ctx); err != nil {
		return err
	}
	began := time.Now()
	if err := r.startReplica(ctx, "manager-2"); err != nil {
		return err
	}
	if err := r.addStart(ctx, "restart", r.operator, began); err != nil {
		return err
	}
	return r.addFootprint(ctx, "after a restart")
}

// takeover has a standby take over from a leader that is told to end, and notes how soon it has looked at all.
func (r *round) takeover(ctx context.Context) error {
	replica, err := r.operator.home.Start(ctx, "manager-3")
	if err != nil {
		return err
	}
	standby := &running{Replica: replica, home: r.operator.home}
	err = operator.Until(ctx, inspection, "the standby to have all Applications in its queue", func() (bool, error) {
		now, err := standby.busy(ctx)
		return now.waiting >= float64(r.applications), err
	})
	if err != nil {
		return err
	}
	began := time.Now()
	if err := r.operator.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return r.addStart(ctx, "takeover", standby, began)
}

// addStart notes when the operator made its first pass and when it had looked at all Applications, and what it wrote by
// then and until it rests.
func (r *round) addStart(ctx context.Context, measure string, started *running, began time.Time) error {
	var first, all time.Duration
	err := operator.Until(ctx, glance, "all Applications to be looked at", func() (bool, error) {
		now, err := started.busy(ctx)
		if first == 0 && now.passes > 0 {
			first = time.Since(began)
		}
		all = time.Since(began)
		return now.passes >= float64(r.applications) && now.waiting == 0, err
	})
	if err != nil {
		return err
	}
	if err := started.untilQuiet(ctx); err != nil {
		return err
	}
	asked, err := r.auditor.count(started.User)
	if err != nil {
		return err
	}
	beside := Yardstick{Name: "bare lists", Value: r.lists.took.Seconds()}
	r.add(measure, "first pass", "s", first.Seconds(), beside)
	r.add(measure, "all Applications looked at", "s", all.Seconds(), beside)
	r.add("writes at a start", measure, "count", float64(asked.writes()), Yardstick{Name: "nothing", Value: 0})
	return nil
}

// end tells the operator to end, and waits for that.
func (r *round) end(ctx context.Context, o *running) error {
	if err := o.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-o.Done():
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waited for the operator to end: %w", context.Cause(ctx))
	}
}
