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
)

const (
	// patience is how long the demo waits for what should happen within a second or two; the machine may be busy.
	patience = 2 * time.Minute

	askInterval = 20 * time.Millisecond
)

// unmetError says what should have happened and what happened instead.
type unmetError struct{ expected, seen string }

func (e *unmetError) Error() string { return fmt.Sprintf("expected: %s; seen: %s", e.expected, e.seen) }

func unmet(expected, seen string, args ...any) error {
	return &unmetError{expected: expected, seen: fmt.Sprintf(seen, args...)}
}

// until asks again and again until the answer is nil. It gives up when the limit is over, with the last answer as
// what was seen, and when an operator has ended that should run.
func (d *demo) until(ctx context.Context, limit time.Duration, expected string, ask func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	ticker := time.NewTicker(askInterval)
	defer ticker.Stop()
	var seen error
	for {
		err := ask(limited)
		if err == nil {
			return nil
		}
		if seen == nil || !errors.Is(err, context.DeadlineExceeded) {
			seen = err
		}
		for _, running := range d.operators {
			if running.Ended() && !running.stopped {
				return unmet(expected, "%s ended by itself (%v)", running.Name, running.Err())
			}
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-limited.Done():
			return unmet(fmt.Sprintf("%s within %s", expected, limit), "%v", seen)
		case <-ticker.C:
		}
	}
}
