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
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestARemedyFitsHowAReleaseHasFailed holds that nobody is sent to look for what a command has waited for that has succeeded.
func TestARemedyFitsHowAReleaseHasFailed(t *testing.T) {
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "web-release-1"}, Status: batchv1.JobStatus{Conditions: []batchv1.JobCondition{{
		Type: batchv1.JobFailed, Status: corev1.ConditionTrue, Reason: "BackoffLimitExceeded", Message: "Job has reached the specified backoff limit",
	}}}}
	const late, kept = "pod a: DeadlineExceeded: too long", "; container web had succeeded before, and container proxy, which does not end with it, ran on"
	for words, want := range map[string]string{
		"":          "Job web-release-1: BackoffLimitExceeded: Job has reached the specified backoff limit",
		late:        "Job web-release-1: " + late + "; find out what it waited for, or raise spec.release.activeDeadlineSeconds",
		late + kept: "Job web-release-1: " + late + kept + "; have that one end with the command, as a native sidecar does, or not be injected",
		"pod a: no": "Job web-release-1: pod a: no",
	} {
		if got := (releasePods{}).failedRelease(job, words); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
