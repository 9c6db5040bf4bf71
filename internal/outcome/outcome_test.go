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

package outcome

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	v1 "github.com/example/app-operator/api/v1"
)

var (
	invalid      = &Invalid{Reason: v1.ReasonInvalidSpec, Message: "spec.image: Required value"}
	conflict     = &Invalid{Reason: v1.ReasonChildConflict, Message: "Service my-app is not ours"}
	watched      = &Waiting{Reason: v1.ReasonReferenceMissing, Message: "ServiceAccount builder is missing"}
	soon         = &Waiting{Reason: v1.ReasonRollingOut, Message: "somebody else has written", After: time.Second}
	later        = &Waiting{Reason: v1.ReasonQuotaExceeded, Message: "exceeded quota: small", After: RetryDenied}
	errTransient = errors.New("connection refused")
)

// wrapped puts an error behind two layers of text, as a caller may.
func wrapped(err error) error { return fmt.Errorf("sync: %w", fmt.Errorf("apply Service: %w", err)) }

// hollow is an error that unwraps to a list without errors.
type hollow struct{}

func (hollow) Error() string   { return "hollow" }
func (hollow) Unwrap() []error { return nil }

func TestResult(t *testing.T) {
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
		{name: "what is waited for with a time is looked at then", err: later, after: RetryDenied},
		{name: "what is transient is tried again", err: errTransient, retry: true},
		{name: "a context's end is transient", err: context.DeadlineExceeded, retry: true},

		{name: "an invalid outcome is seen through wrapping", err: wrapped(invalid)},
		{name: "a watched one is seen through wrapping", err: wrapped(watched)},
		{name: "a timed one is seen through wrapping", err: wrapped(later), after: RetryDenied},

		{name: "a join of one is that one", err: errors.Join(nil, later, nil), after: RetryDenied},
		{name: "the soonest time counts", err: errors.Join(later, soon, watched), after: time.Second},
		{name: "the soonest time counts in any order", err: errors.Join(soon, later), after: time.Second},
		{name: "a time is kept beside something invalid", err: errors.Join(invalid, later), after: RetryDenied},
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
			result, err := Result(test.err)
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

func TestGravest(t *testing.T) {
	other := errors.New("another transient error")
	tests := []struct {
		name string
		err  error
		want error
	}{
		{name: "of nothing is nothing", err: nil, want: nil},
		{name: "of one is that one", err: errTransient, want: errTransient},
		{name: "what is invalid comes first", err: errors.Join(errTransient, watched, invalid), want: invalid},
		{name: "what is waited for comes before what is transient", err: errors.Join(errTransient, later), want: later},
		{name: "the first of two invalid ones", err: errors.Join(later, conflict, invalid), want: conflict},
		{name: "the first of two that are waited for", err: errors.Join(errTransient, soon, later), want: soon},
		{name: "of a join of nothing is that join", err: hollow{}, want: hollow{}},
		{name: "the first of two transient ones", err: errors.Join(errTransient, other), want: errTransient},
		{name: "in joins in joins", err: errors.Join(errors.Join(errTransient, later), errors.Join(watched, errors.Join(invalid))), want: invalid},
		{name: "in a wrapped join", err: wrapped(errors.Join(errTransient, watched, wrapped(invalid))), want: invalid},
		{name: "in a join of wrapped joins", err: errors.Join(soon, wrapped(errors.Join(errTransient, conflict))), want: conflict},
		{name: "in a wrapped join without anything invalid", err: wrapped(errors.Join(errTransient, later)), want: later},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := MostSevere(test.err)
			if (got == nil) != (test.want == nil) || !errors.Is(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
			for _, one := range []error{invalid, conflict, watched, soon, later, errTransient, other} {
				if test.want != nil && one != test.want && errors.Is(got, one) { //nolint:errorlint // the very same
					t.Errorf("got %v, which holds %v as well", got, one)
				}
			}
		})
	}
}

// TestGravestKeepsItsKind is about the status, which reads reason and message of what Gravest returns.
func TestGravestKeepsItsKind(t *testing.T) {
	err := errors.Join(errTransient, wrapped(errors.Join(later, wrapped(invalid))))
	got, ok := errors.AsType[*Invalid](MostSevere(err))
	if !ok || got != invalid {
		t.Errorf("got %#v, want the Invalid itself", got)
	}
}

func TestErrorSaysReasonAndMessage(t *testing.T) {
	if got, want := invalid.Error(), "InvalidSpec: spec.image: Required value"; got != want {
		t.Errorf("Invalid: %q, want %q", got, want)
	}
	if got, want := later.Error(), "QuotaExceeded: exceeded quota: small"; got != want {
		t.Errorf("Waiting: %q, want %q", got, want)
	}
}
