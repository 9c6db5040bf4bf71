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

package status_test

import (
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/outcome"
	"github.com/example/app-operator/internal/status"
)

// TestTheSameRefusalKeepsItsWords guards against an endless loop: a changed status calls for a reconcile, the reconcile for a new
// refusal, and the new refusal for a changed status.
func TestTheSameRefusalKeepsItsWords(t *testing.T) {
	const first = `denied the request: quota of 3, at 2026-11-22T17:20:36Z, request 3f8b2c9e-5a71-beef-dead-6f1f0a7d2e10`
	for name, test := range map[string]struct {
		reason, next string
		generation   int64
		kept         bool
	}{
		"with other numbers, times and identifiers": {
			reason: v1.ReasonAdmissionDenied, kept: true, generation: 1,
			next: `denied the request: quota of 4, at 2026-11-22T17:21:06Z, request deadbeef-aaaa-bbbb-cccc-ddddeeeeffff`,
		},
		"but not other words": {reason: v1.ReasonAdmissionDenied, next: "denied the request: label team is missing", generation: 1},
		"and not for another generation": {
			reason: v1.ReasonAdmissionDenied, generation: 2,
			next: `denied the request: quota of 4, at 2026-11-22T17:21:06Z, request deadbeef-aaaa-bbbb-cccc-ddddeeeeffff`,
		},
		"and not for another reason": {reason: v1.ReasonQuotaExceeded, next: first, generation: 1},
	} {
		t.Run(name, func(t *testing.T) {
			app := &v1.Application{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "apps", Generation: 1}}
			refusal := &outcome.Waiting{Reason: v1.ReasonAdmissionDenied, Message: first, After: outcome.RetryDenied}
			app.Status = status.Of(app, status.Observed{}, refusal)
			app.Generation = test.generation
			refusal = &outcome.Waiting{Reason: test.reason, Message: test.next, After: outcome.RetryDenied}
			want := test.next
			if test.kept {
				want = first
			}
			next := status.Of(app, status.Observed{}, refusal)
			for _, kind := range []string{v1.ConditionReady, v1.ConditionDegraded, v1.ConditionProgressing} {
				if got := meta.FindStatusCondition(next.Conditions, kind).Message; got != want {
					t.Errorf("%s says %q, want %q", kind, got, want)
				}
			}
		})
	}
}
