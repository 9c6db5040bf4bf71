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
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/outcome"
)

var (
	invalid      = &outcome.Invalid{Reason: v1.ReasonInvalidSpec, Message: "spec.image: Required value"}
	watched      = &outcome.Waiting{Reason: v1.ReasonReferenceMissing, Message: "ServiceAccount builder is missing"}
	soon         = &outcome.Waiting{Reason: v1.ReasonRollingOut, Message: "somebody else has written", After: time.Second}
	later        = &outcome.Waiting{Reason: v1.ReasonQuotaExceeded, Message: "exceeded quota: small", After: outcome.RetryDenied}
	errTransient = errors.New("connection refused")
)

// wrapped puts an error behind two layers of text, as a caller may.
func wrapped(err error) error { return fmt.Errorf("sync: %w", fmt.Errorf("apply Service: %w", err)) }

// hollow is an error that unwraps to a list without errors.
type hollow struct{}

func (hollow) Error() string   { return "hollow" }
func (hollow) Unwrap() []error { return nil }

func TestResultOf(t *testing.T) {
	tests := []struct {
		name  string
		err   error
		retry bool
		after time.Duration
	}{
		{name: "success is the end", err: nil},
		{name: "an empty join is success", err: errors.Join(nil, nil)},
		{name: "what is invalid is not tried again", err: invalid},
		{name: "what is waited for without a time is left to a watch", err: watched},
		{name: "what is waited for with a time is looked at then", err: later, after: outcome.RetryDenied},
		{name: "what is transient is tried again", err: errTransient, retry: true},
		{name: "a context's end is transient", err: context.DeadlineExceeded, retry: true},

		{name: "an invalid outcome is seen through wrapping", err: wrapped(invalid)},
		{name: "a watched one is seen through wrapping", err: wrapped(watched)},
		{name: "a timed one is seen through wrapping", err: wrapped(later), after: outcome.RetryDenied},

		{name: "a join of one is that one", err: errors.Join(nil, later, nil), after: outcome.RetryDenied},
		{name: "the soonest time counts", err: errors.Join(later, soon, watched), after: time.Second},
		{name: "the soonest time counts in any order", err: errors.Join(soon, later), after: time.Second},
		{name: "a time is kept beside something invalid", err: errors.Join(invalid, later), after: outcome.RetryDenied},
		{name: "something invalid beside something watched is not tried again", err: errors.Join(watched, invalid)},
		{name: "something transient beside something invalid is tried again", err: errors.Join(invalid, errTransient), retry: true},
		{name: "something transient beside something timed is tried again", err: errors.Join(later, errTransient), retry: true},
		{name: "something transient beside something watched is tried again", err: errors.Join(watched, errTransient), retry: true},

		{
			name: "joins in joins are one join", err: errors.Join(errors.Join(watched, errors.Join(later)), errors.Join(soon)),
			after: time.Second,
		},
		{
			name: "something transient deep in a join is tried again",
			err:  errors.Join(errors.Join(invalid, errors.Join(watched, errTransient))), retry: true,
		},
		{name: "something transient in a wrapped join is tried again", err: wrapped(errors.Join(watched, errTransient)), retry: true},
		{
			name: "something transient in a join of wrapped joins is tried again",
			err:  errors.Join(later, wrapped(errors.Join(invalid, wrapped(errors.Join(watched, errTransient))))), retry: true,
		},
		{
			name: "the soonest time in a wrapped join counts",
			err:  wrapped(errors.Join(later, wrapped(soon))), after: time.Second,
		},
		{name: "an error that says it is a join of nothing is tried again", err: hollow{}, retry: true},
		{name: "two wrapped in one are one join", err: fmt.Errorf("%w, and %w", watched, errTransient), retry: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			result, err := resultOf(test.err)
			if (err != nil) != test.retry {
				t.Errorf("error = %v, want one: %v", err, test.retry)
			}
			if diff := cmp.Diff(reconcile.Result{RequeueAfter: test.after}, result); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
			if err != nil && !errors.Is(err, test.err) {
				t.Errorf("the error returned, %v, hides the cause", err)
			}
			for _, other := range []error{invalid, watched, soon, later} {
				if err != nil && strings.Contains(err.Error(), other.Error()) {
					t.Errorf("the error returned, %v, says what the status says", err)
				}
			}
		})
	}
}

// TestARefusalOnItsWayToTheQueue follows a refusal through the wrapping of a caller to the work queue.
func TestARefusalOnItsWayToTheQueue(t *testing.T) {
	refusal := apierrors.NewForbidden(services, "web", errors.New("exceeded quota: small, requested: services=1"))
	result, err := resultOf(errors.Join(nil, fmt.Errorf("apply: %w", outcome.FromAPI(refusal, "Service"))))
	if err != nil || result.RequeueAfter != outcome.RetryDenied {
		t.Errorf("got %v, %v; want to look again after %s", result, err, outcome.RetryDenied)
	}
}
