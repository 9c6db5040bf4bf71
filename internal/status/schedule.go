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

package status

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/outcome"
)

// Schedule is what was seen of one of spec.schedules.
type Schedule struct {
	// CronJob as cached, or nil.
	CronJob *batchv1.CronJob
	// LastRun is the newest of its Jobs that have ended, or nil.
	LastRun *batchv1.Job
	// SuccessKept says that there still is a Job of it that has succeeded.
	SuccessKept bool
	// LastWords is how the pods of a LastRun that has failed have ended; "" where that is not known.
	LastWords string
	// Active is the oldest of its runs that go on and may run, or nil, and Stuck what has kept that from its work for long; "" for nothing.
	Active *batchv1.Job
	Stuck  string
}

// EndOf returns the condition by which a Job has ended, or nil.
func EndOf(job *batchv1.Job) *batchv1.JobCondition {
	for i := range job.Status.Conditions {
		condition := &job.Status.Conditions[i]
		if condition.Status == corev1.ConditionTrue && (condition.Type == batchv1.JobComplete || condition.Type == batchv1.JobFailed) {
			return condition
		}
	}
	return nil
}

// Failed reports whether a Job has failed.
func Failed(job *batchv1.Job) bool {
	end := EndOf(job)
	return end != nil && end.Type == batchv1.JobFailed
}

// LastRunOf returns the newest of the Jobs of the CronJob that have ended, or nil. One that the CronJob still counts as active
// is left out: its controller is about to tell of its end, and both are to be told at once.
func LastRunOf(cronJob *batchv1.CronJob, jobs []*batchv1.Job) *batchv1.Job {
	var last *batchv1.Job
	for _, job := range jobs {
		if !isRunOf(cronJob, job) || EndOf(job) == nil || isActive(cronJob, job) {
			continue
		}
		if last == nil || cmp.Or(last.CreationTimestamp.Compare(job.CreationTimestamp.Time), cmp.Compare(last.Name, job.Name)) < 0 {
			last = job
		}
	}
	return last
}

// OldestActive returns the oldest of the Jobs of the CronJob that have not ended and are not suspended, or nil.
func OldestActive(cronJob *batchv1.CronJob, jobs []*batchv1.Job) *batchv1.Job {
	var oldest *batchv1.Job
	for _, job := range jobs {
		if !isRunOf(cronJob, job) || EndOf(job) != nil || ptr.Deref(job.Spec.Suspend, false) {
			continue
		}
		if oldest == nil || cmp.Or(job.CreationTimestamp.Compare(oldest.CreationTimestamp.Time), cmp.Compare(job.Name, oldest.Name)) < 0 {
			oldest = job
		}
	}
	return oldest
}

// StuckRun returns what keeps a Job's pods from their work, or "", and whether one of them is at work. Those that have failed are the past:
// the Job makes another, or ends.
func StuckRun(job *batchv1.Job, pods []corev1.Pod) (words string, works bool) {
	if len(pods) == 0 {
		return noPod(job), false
	}
	for i := range pods {
		switch pods[i].Status.Phase {
		case corev1.PodRunning, corev1.PodSucceeded:
			return "", true
		default:
			if fault := FaultOf(&pods[i], metav1.Time{}); fault != nil {
				words = fault.Message
			}
		}
	}
	return words, false
}

// KeepsSuccess reports whether one of the Jobs is a run of the CronJob that has succeeded.
func KeepsSuccess(cronJob *batchv1.CronJob, jobs []*batchv1.Job) bool {
	return slices.ContainsFunc(jobs, func(job *batchv1.Job) bool {
		end := EndOf(job)
		return isRunOf(cronJob, job) && end != nil && end.Type == batchv1.JobComplete
	})
}

func isRunOf(cronJob *batchv1.CronJob, job *batchv1.Job) bool {
	by := metav1.GetControllerOf(job)
	return by != nil && by.UID == cronJob.UID
}

func isActive(cronJob *batchv1.CronJob, job *batchv1.Job) bool {
	return slices.ContainsFunc(cronJob.Status.Active, func(active corev1.ObjectReference) bool { return active.UID == job.UID })
}

// LastWordsOf returns how the newest of the pods that have failed has ended, or "" if none has. How the containers of a pod have ended
// that its node has ended, for it has run for too long or was evicted, says nothing.
func LastWordsOf(pods []corev1.Pod) string {
	var last *corev1.Pod
	for i := range pods {
		pod := &pods[i]
		if pod.Status.Phase == corev1.PodFailed && (last == nil || last.CreationTimestamp.Before(&pod.CreationTimestamp)) {
			last = pod
		}
	}
	if last == nil {
		return ""
	}
	if last.Status.Reason != "" {
		return fmt.Sprintf("pod %s: %s", last.Name, nodesWords(last)) + outlasted(last)
	}
	for _, container := range slices.Concat(last.Status.ContainerStatuses, last.Status.InitContainerStatuses) {
		if ended := container.State.Terminated; ended != nil && ended.ExitCode != 0 && !isSidecar(last, container.Name) {
			return fmt.Sprintf("pod %s, container %s: %s", last.Name, container.Name, endingWords(ended))
		}
	}
	if last.Status.Message != "" {
		return fmt.Sprintf("pod %s: %s", last.Name, outcome.Shorten(last.Status.Message, maxWords))
	}
	return ""
}

// deadlineOfPod is the reason that the kubelet gives of a pod that has run for too long (kubernetes pkg/kubelet/active_deadline.go).
const deadlineOfPod = "DeadlineExceeded"

// ranOn is how a pod is told of that would have succeeded, but for a container which has kept it.
const ranOn = ", which does not end with it, ran on"

// RanOn reports whether these are the last words of a pod that would have succeeded, but for a container which has kept it.
func RanOn(words string) bool { return strings.HasSuffix(words, ranOn) }

// outlasted says which container of a pod that has run for too long had succeeded in time, and which has kept the pod, as a sidecar does
// that a webhook has injected as a plain container; "" where that is not why. Who ends by himself ends before the deadline.
func outlasted(pod *corev1.Pod) string {
	if pod.Status.Reason != deadlineOfPod || pod.Status.StartTime == nil || pod.Spec.ActiveDeadlineSeconds == nil {
		return ""
	}
	deadline := addSeconds(*pod.Status.StartTime, *pod.Spec.ActiveDeadlineSeconds)
	done, lasting := "", ""
	for i := range pod.Status.ContainerStatuses {
		container := &pod.Status.ContainerStatuses[i]
		ended := container.State.Terminated
		switch {
		case ended == nil || !ended.FinishedAt.Before(&deadline):
			lasting = cmp.Or(lasting, container.Name)
		case ended.ExitCode == 0:
			done = cmp.Or(done, container.Name)
		}
	}
	if done == "" || lasting == "" {
		return ""
	}
	return fmt.Sprintf("; container %s had succeeded before, and container %s%s", done, lasting, ranOn)
}

// isSidecar reports whether the container is one that is ended when the others have: how does not matter.
func isSidecar(pod *corev1.Pod, name string) bool {
	return slices.ContainsFunc(pod.Spec.InitContainers, func(container corev1.Container) bool {
		return container.Name == name && ptr.Deref(container.RestartPolicy, "") == corev1.ContainerRestartPolicyAlways
	})
}

// scheduleFault returns the fault of the schedules whose last run has failed, or whose present one cannot do its work; nil for none.
func scheduleFault(app *v1.Application, seen Observed) *PodFault {
	var faults []string
	for i := range app.Spec.Schedules {
		name := app.Spec.Schedules[i].Name
		if words := failedRun(&app.Spec.Schedules[i], seen.Schedules[name]); words != "" {
			faults = append(faults, fmt.Sprintf("the last run of schedule %s has failed: %s", name, words))
		}
		if now := seen.Schedules[name]; now.Active != nil && now.Stuck != "" {
			faults = append(faults, fmt.Sprintf("a run of schedule %s cannot do its work: Job %s: %s", name, now.Active.Name, now.Stuck))
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return &PodFault{Reason: v1.ReasonScheduleFailed, Message: strings.Join(faults, "; ")}
}

// failedRun says how the last run of a schedule has failed, or returns "" if it has not.
func failedRun(spec *v1.Schedule, seen Schedule) string {
	if seen.CronJob == nil {
		return ""
	}
	if seen.LastRun != nil && Failed(seen.LastRun) && !succeededSince(seen) {
		end := EndOf(seen.LastRun)
		words := seen.LastWords
		if words == "" {
			words = outcome.Shorten(strings.Trim(end.Reason+": "+end.Message, ": "), maxWords)
		}
		return fmt.Sprintf("Job %s: %s", seen.LastRun.Name, words)
	}
	// Without failed Jobs that are kept there is nothing but the times to go by.
	status := seen.CronJob.Status
	if ptr.Deref(spec.FailedJobsHistoryLimit, 1) == 0 && len(status.Active) == 0 && status.LastScheduleTime != nil &&
		(status.LastSuccessfulTime == nil || status.LastSuccessfulTime.Before(status.LastScheduleTime)) {
		return "its Job is gone; set failedJobsHistoryLimit to 1 or more to see why"
	}
	return ""
}

// succeededSince reports whether a run has succeeded after the last that is kept has failed. Of those that succeed, none may be kept, or
// somebody has deleted their Jobs. If there still is one, it may be that which has succeeded, and may have begun before the other.
func succeededSince(seen Schedule) bool {
	return !seen.SuccessKept && seen.CronJob.Status.LastSuccessfulTime != nil &&
		EndOf(seen.LastRun).LastTransitionTime.Before(seen.CronJob.Status.LastSuccessfulTime)
}

// schedulesStatus returns how the schedules have fared. What is told of one changes when a run has ended, and not when it starts:
// each run is one write of the status. What a CronJob that was made again does not know is as it was.
func schedulesStatus(app *v1.Application, seen Observed) []v1.ScheduleStatus {
	if app.Oversized { // of which the schedules are not known
		return app.Status.Schedules
	}
	var all []v1.ScheduleStatus
	for i := range app.Spec.Schedules {
		name := app.Spec.Schedules[i].Name
		now := v1.ScheduleStatus{Name: name}
		if at := slices.IndexFunc(app.Status.Schedules, func(was v1.ScheduleStatus) bool { return was.Name == name }); at >= 0 {
			now = *app.Status.Schedules[at].DeepCopy()
		}
		cronJob := seen.Schedules[name].CronJob
		if cronJob != nil && (len(cronJob.Status.Active) == 0 || !cronJob.Status.LastSuccessfulTime.Equal(now.LastSuccessfulTime)) {
			now.LastScheduleTime = cmp.Or(cronJob.Status.LastScheduleTime, now.LastScheduleTime).DeepCopy()
			now.LastSuccessfulTime = cmp.Or(cronJob.Status.LastSuccessfulTime, now.LastSuccessfulTime).DeepCopy()
		}
		all = append(all, now)
	}
	return all
}
