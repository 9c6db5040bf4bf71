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
	"fmt"
	"net/http"
	"sync"
	"time"
)

// stuckAfter is how long a pass may take before the process counts as stuck. A pass's requests are cut off by
// the manager's ReconciliationTimeout well before.
const stuckAfter = 5 * time.Minute

// watchdog knows how long the passes under way have taken. Its zero value is ready.
type watchdog struct {
	mu      sync.Mutex
	serial  uint64
	entered map[uint64]time.Time
	// now is the clock; nil means time.Now.
	now func() time.Time
}

// enter notes that a pass begins and returns the function that notes its end.
func (w *watchdog) enter() (leave func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.entered == nil {
		w.entered = map[uint64]time.Time{}
	}
	w.serial++
	serial := w.serial
	w.entered[serial] = w.time()
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.entered, serial)
	}
}

// longest returns how long the longest pass under way has taken.
func (w *watchdog) longest() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	var longest time.Duration
	for _, since := range w.entered {
		longest = max(longest, w.time().Sub(since))
	}
	return longest
}

func (w *watchdog) time() time.Time {
	if w.now != nil {
		return w.now()
	}
	return time.Now()
}

// Healthz is a liveness check: it fails when a pass hangs, which only a restart can cure.
func (r *ApplicationReconciler) Healthz(*http.Request) error {
	if longest := r.watchdog.longest(); longest > stuckAfter {
		return fmt.Errorf("a reconcile has been running for %s, longer than %s", longest.Round(time.Second), stuckAfter)
	}
	return nil
}
