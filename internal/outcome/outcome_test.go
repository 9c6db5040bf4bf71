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
	"errors"
	"fmt"
	"testing"
	"time"

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
