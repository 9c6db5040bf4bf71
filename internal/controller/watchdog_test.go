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

package controller

import (
	"sync"
	"testing"
	"time"
)

// clock is a clock that is set by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(by)
}

func newClock() *clock { return &clock{now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)} }

func TestHealthz(t *testing.T) {
	clock := newClock()
	reconciler := &ApplicationReconciler{watchdog: watchdog{now: clock.read}}
	check := func(when string, healthy bool) {
		t.Helper()
		if err := reconciler.Healthz(nil); (err == nil) != healthy {
			t.Errorf("%s: %v, want healthy: %v", when, err, healthy)
		}
	}
	check("before any pass", true)
	leaveFirst := reconciler.watchdog.enter()
	check("at the start of a pass", true)
	clock.advance(stuckAfter)
	check("at the limit", true)
	leaveSecond := reconciler.watchdog.enter()
	clock.advance(time.Second)
	check("past the limit", false)
	const want = "a reconcile has been running for 5m1s, longer than 5m0s"
	if err := reconciler.Healthz(nil); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	leaveFirst()
	check("after the long pass has ended, during another", true)
	clock.advance(stuckAfter)
	check("when the other is long, too", false)
	leaveSecond()
	check("after all have ended", true)
	clock.advance(24 * time.Hour)
	check("a day without a pass", true)
}

func TestWatchdogIsNotToldOfAnEndTwice(t *testing.T) {
	clock := newClock()
	dog := watchdog{now: clock.read}
	leave := dog.enter()
	leave()
	dog.enter()
	clock.advance(time.Minute)
	leave()
	if got := dog.longest(); got != time.Minute {
		t.Errorf("longest = %s, want the second pass's minute", got)
	}
}

func TestWatchdogReadsTheClockOfTheMachine(t *testing.T) {
	var dog watchdog
	dog.enter()
	if got := dog.longest(); got < 0 || got > time.Hour {
		t.Errorf("longest = %s", got)
	}
	dog.mu.Lock()
	defer dog.mu.Unlock()
	if since := time.Since(dog.entered[1]); since < 0 || since > time.Hour {
		t.Errorf("entered %s ago", since)
	}
}

// TestWatchdogIsSharedByAllWorkers is for the race detector.
func TestWatchdogIsSharedByAllWorkers(t *testing.T) {
	clock := newClock()
	reconciler := &ApplicationReconciler{watchdog: watchdog{now: clock.read}}
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for range 100 {
				leave := reconciler.watchdog.enter()
				clock.advance(time.Millisecond)
				if err := reconciler.Healthz(nil); err != nil {
					t.Error(err)
				}
				leave()
			}
		})
	}
	workers.Wait()
	if len(reconciler.watchdog.entered) != 0 {
		t.Errorf("%d passes have not ended", len(reconciler.watchdog.entered))
	}
}
