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
	"errors"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/example/app-operator/internal/outcome"
)

// resultOf is the one mapping of the outcome of a reconcile to what the work queue is told. A transient error anywhere in err
// outranks the others, so that the reconcile is tried again.
//
// What is returned as an error is logged, so it says only what is transient: the rest stands in the status, and may quote what
// the operator's log has no business to hold, such as the last words of a crashing container.
func resultOf(err error) (reconcile.Result, error) {
	var after time.Duration
	var retried []error
	for _, leaf := range outcome.Flatten(err) {
		if waiting, ok := errors.AsType[*outcome.Waiting](leaf); ok {
			if waiting.After > 0 && (after == 0 || waiting.After < after) {
				after = waiting.After
			}
			continue
		}
		if _, ok := errors.AsType[*outcome.Invalid](leaf); !ok {
			retried = append(retried, leaf)
		}
	}
	if len(retried) > 0 {
		return reconcile.Result{}, &transient{error: errors.Join(retried...), whole: err}
	}
	// What is Invalid is told in the status. To the work queue it is no error: the operator did what it could.
	return reconcile.Result{RequeueAfter: after}, nil
}

// transient is an error of a reconcile that is tried again.
type transient struct {
	error
	whole error
}

// Unwrap returns all that the reconcile fell short of.
func (t *transient) Unwrap() error { return t.whole }

// atLatest makes the next reconcile come no later than at this time, and after these durations; zero is never.
func atLatest(result reconcile.Result, at metav1.Time, after ...time.Duration) reconcile.Result {
	if !at.IsZero() {
		after = append(after, max(time.Until(at.Time), time.Millisecond))
	}
	for _, wait := range after {
		if wait > 0 && (result.RequeueAfter == 0 || wait < result.RequeueAfter) {
			result.RequeueAfter = wait
		}
	}
	return result
}
