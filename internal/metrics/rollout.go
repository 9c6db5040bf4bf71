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

package metrics

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/example/app-operator/api/v1"
)

// Rollout measures the rollouts of one Application. Its clock is what Observe is given. The zero value is ready.
type Rollout struct {
	// revision is that of the last complete rollout, as the Deployment's controller counts them.
	revision string
	// began is when the rollout in progress began; zero when there is none, or none that is known.
	began time.Time
}

// Observe follows the Application from one status to the next, and measures each rollout of new pods that gets complete. The
// revision is that of the Deployment, "" if there is none. What makes no new pods, such as another size, is no rollout; and what
// waited for somebody to act before this process began is not measured.
func (r *Rollout) Observe(before, after v1.ApplicationStatus, revision string, now time.Time) {
	ready := meta.FindStatusCondition(after.Conditions, v1.ConditionReady)
	if ready.Status == metav1.ConditionTrue && revision != "" {
		began := r.began
		r.began = time.Time{}
		if ready.Reason != v1.ReasonRolloutComplete { // no pods are desired, or nothing is written
			return
		}
		if !began.IsZero() && revision != r.revision {
			rolloutTook(now.Sub(began))
		}
		r.revision = revision
		return
	}
	was := meta.FindStatusCondition(before.Conditions, v1.ConditionProgressing)
	is := meta.FindStatusCondition(after.Conditions, v1.ConditionProgressing)
	if is.Status != metav1.ConditionTrue {
		return
	}
	started := was == nil || was.Status != metav1.ConditionTrue
	switch {
	case r.began.IsZero() && !started: // before this process
		r.began = is.LastTransitionTime.Time
	case r.began.IsZero(), started && before.ObservedGeneration != after.ObservedGeneration:
		r.began = now // or somebody has acted
	}
}
