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
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/example/app-operator/internal/revisions"
	"github.com/example/app-operator/internal/status"
)

// releasePods is what the pods of a release command suffer from. It outlives them: a Job that takes too long ends without them.
type releasePods struct {
	job types.UID
	// had says that it has had a pod since it may run.
	had   bool
	fault *status.PodFault
}

// readReleasePods finds what keeps the release command that is waited for from running, or how its last attempt has failed.
func (r *ApplicationReconciler) readReleasePods(ctx context.Context, s *snapshot, record *appRecord, jobs []*batchv1.Job) error {
	at := slices.IndexFunc(jobs, func(job *batchv1.Job) bool { return status.EndOf(job) == nil })
	if s.decision.Phase != revisions.Releasing || at < 0 {
		return nil
	}
	job, list := jobs[at], &corev1.PodList{}
	if err := r.Client.List(ctx, list, client.InNamespace(job.Namespace), client.MatchingFields{byApplication: s.Application.Name},
		client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("list the pods of a release command: %w", err)
	}
	pods := slices.DeleteFunc(list.Items, func(pod corev1.Pod) bool {
		return !metav1.IsControlledBy(&pod, job) || pod.DeletionTimestamp != nil // of which no fault is known any more
	})
	if len(pods) > 0 || record.release.job != job.UID {
		record.release = releasePods{job: job.UID, had: len(pods) > 0, fault: status.ReleaseFault(pods)}
	}
	if ptr.Deref(job.Spec.Suspend, false) { // which ends its pods
		record.release.had = false
	}
	if !record.release.had {
		var due metav1.Time
		record.release.fault, due = status.Podless(job, metav1.Now())
		s.seen.LookAgain(due)
	}
	if record.release.fault == nil {
		return nil
	}
	fault := *record.release.fault
	if job.Name != s.decision.ReleaseJob {
		fault.Message += "; to go on without it, delete that Job"
	}
	s.seen.Release = &fault
	return nil
}

// failedRelease says how a Job has ended: in the words of its pods, or else in its own and those of what its pods had suffered from.
func (known releasePods) failedRelease(job *batchv1.Job, podWords string) string {
	end := status.EndOf(job)
	words := podWords
	if words == "" {
		words = strings.Trim(end.Reason+": "+end.Message, ": ")
		if known.job == job.UID && known.fault != nil {
			words += "; " + known.fault.Message
		}
	}
	switch {
	case status.RanOn(podWords):
		words += "; have that one end with the command, as a native sidecar does, or not be injected"
	case strings.Contains(cmp.Or(podWords, end.Reason), batchv1.JobReasonDeadlineExceeded):
		words += "; find out what it waited for, or raise spec.release.activeDeadlineSeconds"
	}
	return fmt.Sprintf("Job %s: %s", job.Name, words)
}
