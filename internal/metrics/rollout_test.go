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
	"fmt"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/example/app-operator/api/v1"
)

// rollouts returns how many rollouts have been measured, and how long they took together.
func rollouts(t *testing.T) (uint64, float64) {
	t.Helper()
	var metric dto.Metric
	if err := rolloutDuration.Write(&metric); err != nil {
		t.Fatal(err)
	}
	return metric.GetHistogram().GetSampleCount(), metric.GetHistogram().GetSampleSum()
}

// glance is an Application's status, in short: "generation Ready reason Progressing revision". Before it, "1h" says that the
// Application has borne the status for an hour when this process first sees it.
type glance string

func (g glance) parse(t *testing.T) (next v1.ApplicationStatus, revision string, old bool) {
	t.Helper()
	text, old := strings.CutPrefix(string(g), "1h ")
	var ready, progressing metav1.ConditionStatus
	var reason string
	if _, err := fmt.Sscan(text, &next.ObservedGeneration, &ready, &reason, &progressing, &revision); err != nil {
		t.Fatalf("%s: %v", g, err)
	}
	since := metav1.Now()
	if old {
		since = metav1.NewTime(since.Add(-time.Hour))
	}
	for kind, value := range map[string]metav1.ConditionStatus{v1.ConditionReady: ready, v1.ConditionProgressing: progressing} {
		next.Conditions = append(next.Conditions,
			metav1.Condition{Type: kind, Status: value, Reason: reason, LastTransitionTime: since})
	}
	return next, revision, old
}

func TestTimeRollout(t *testing.T) {
	const (
		rolling  = "1 Unknown RollingOut True 1"
		complete = "1 True RolloutComplete False 1"
		stuck    = "2 False ImagePullFailed False 2"
	)
	tests := []struct {
		name     string
		glances  []glance
		measured uint64
		// hours is how long they took together.
		hours int
	}{
		{"the first", []glance{rolling, rolling, complete, complete}, 1, 0},
		{"of a new spec", []glance{rolling, complete, "2 Unknown RollingOut True 1", "2 Unknown RollingOut True 2", "2 True RolloutComplete False 2"}, 2, 0},
		{"without another spec", []glance{rolling, complete, "1 Unknown RollingOut True 2", "1 True RolloutComplete False 2"}, 2, 0},
		{"that is none: a pod was lost", []glance{rolling, complete, rolling, complete}, 1, 0},
		{"that is none: another size", []glance{rolling, complete, "2 Unknown RollingOut True 1", "2 True RolloutComplete False 1"}, 1, 0},
		{"that is not complete", []glance{rolling, rolling}, 0, 0},
		{"that was complete before this process", []glance{"1h " + complete, complete}, 0, 0},
		{"after what was complete before this process", []glance{"1h " + complete, "2 Unknown RollingOut True 2", "2 True RolloutComplete False 2"}, 1, 0},
		{"that began before this process", []glance{"1h " + rolling, complete}, 1, 1},
		{"that was stuck before this process", []glance{"1h " + stuck, "2 True RolloutComplete False 2"}, 0, 0},
		{
			"that was stuck and heals by itself", []glance{
				"1h 2 Unknown RollingOut True 2", stuck, "2 Unknown RollingOut True 2", "2 True RolloutComplete False 2",
			}, 1, 1,
		},
		{
			"that was stuck and is helped by another spec", []glance{
				"1h 2 Unknown RollingOut True 2", stuck, "3 Unknown RollingOut True 2", "3 True RolloutComplete False 3",
			}, 1, 0,
		},
		{
			"into a suspension and out of it", []glance{
				rolling, complete, "2 Unknown Suspended True 1", "2 True Suspended False 1",
				"3 Unknown RollingOut True 1", "3 True RolloutComplete False 1",
			}, 1, 0,
		},
		{"that a pause hides", []glance{rolling, "2 True Paused False 1", "3 True RolloutComplete False 1"}, 0, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var rollout Rollout
			var before v1.ApplicationStatus
			count, sum := rollouts(t)
			for _, glance := range test.glances {
				next, revision, old := glance.parse(t)
				if old {
					before = next
				}
				rollout.Observe(before, next, revision, time.Now())
				before = next
			}
			now, took := rollouts(t)
			if now-count != test.measured {
				t.Errorf("%d rollouts were measured, want %d", now-count, test.measured)
			}
			if hours := int((took - sum) / 3600); hours != test.hours {
				t.Errorf("they took %.1f s, want %d hours", took-sum, test.hours)
			}
		})
	}
}

func TestTimeRolloutBeforeThereIsADeployment(t *testing.T) {
	var rollout Rollout
	next, _, _ := glance("1 Unknown RollingOut True 0").parse(t)
	rollout.Observe(v1.ApplicationStatus{}, next, "", time.Now())
	if rollout.began.IsZero() {
		t.Error("a rollout begins before there is a Deployment")
	}
}
