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

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/resources"
	"github.com/example/app-operator/internal/status"
)

// readSchedules reads how the schedules fare: from the cache their CronJobs and Jobs, and from the API server, once for each
// last run that has failed, how its pods have ended, and of a run that goes on for long, whether they can do their work. They are not cached.
func (r *ApplicationReconciler) readSchedules(ctx context.Context, s *snapshot, record *appRecord) {
	app := s.Application
	ours := map[types.UID]bool{}
	for _, cronJob := range s.Live[children.CronJob] {
		if children.Of(children.CronJob).Owns(app, cronJob) {
			ours[cronJob.GetUID()] = true
		}
	}
	if len(ours) == 0 {
		record.lastWords, record.runs = nil, nil
		return
	}
	s.JobsRemain, s.Scheduled = true, map[types.UID]bool{}
	jobs := make([]*batchv1.Job, 0, len(s.Live[children.Job]))
	for _, object := range s.Live[children.Job] {
		job := object.(*batchv1.Job)
		jobs = append(jobs, job)
		by := metav1.GetControllerOf(job)
		if by != nil && ours[by.UID] && status.EndOf(job) == nil {
			s.Scheduled[by.UID], s.PodsUpdated = true, false
		}
	}
	s.seen.Schedules = map[string]status.Schedule{}
	for i := range app.Spec.Schedules {
		name := app.Spec.Schedules[i].Name
		cronJob, ok := s.Find(children.CronJob, resources.CronJobName(app, name)).(*batchv1.CronJob)
		if ok && ours[cronJob.UID] {
			s.seen.Schedules[name] = status.Schedule{
				CronJob: cronJob, LastRun: status.LastRunOf(cronJob, jobs), SuccessKept: status.KeepsSuccess(cronJob, jobs),
				Active: status.OldestActive(cronJob, jobs),
			}
		}
	}
	r.readLastWords(ctx, s, record)
	r.readStuckRuns(ctx, s, record)
}

// readLastWords reads how the pods of the last runs that have failed have ended.
func (r *ApplicationReconciler) readLastWords(ctx context.Context, s *snapshot, record *appRecord) {
	was := record.lastWords
	record.lastWords = nil
	if s.Application.DeletionTimestamp != nil {
		return
	}
	for name, schedule := range s.seen.Schedules {
		job := schedule.LastRun
		if job == nil || !status.Failed(job) {
			continue
		}
		words, known := was[job.UID]
		if !known {
			pods, err := r.podsOf(ctx, job)
			if err != nil { // the next reconcile tries again
				logf.FromContext(ctx).Error(err, "Could not read the pods of a failed Job", "job", job.Name)
				continue
			}
			words = status.LastWordsOf(pods)
		}
		if record.lastWords == nil {
			record.lastWords = map[types.UID]string{}
		}
		record.lastWords[job.UID] = words
		schedule.LastWords = words
		s.seen.Schedules[name] = schedule
	}
}

// activeRun is what is known of a run that goes on.
type activeRun struct {
	// stuck is what keeps its pods from their work; "" for nothing.
	stuck string
	// due is when its pods are to be read; zero for never again, since one of them was at work.
	due metav1.Time
}

// readStuckRuns reads the pods of each schedule's oldest run if that goes on for long. Without a deadline of its own, and there is none by
// default, one that cannot start is there for ever, and with the concurrency policy Forbid it is the last one.
func (r *ApplicationReconciler) readStuckRuns(ctx context.Context, s *snapshot, record *appRecord) {
	was := record.runs
	record.runs = nil
	if s.Application.DeletionTimestamp != nil {
		return
	}
	for name, schedule := range s.seen.Schedules {
		job := schedule.Active
		if job == nil {
			continue
		}
		run, known := was[job.UID]
		if !known {
			run.due = metav1.NewTime(job.CreationTimestamp.Add(stuckAfter))
		}
		if now := metav1.Now(); !run.due.IsZero() && !now.Before(&run.due) {
			run = r.readActiveRun(ctx, job, metav1.NewTime(now.Add(stuckRetry)))
		}
		if record.runs == nil {
			record.runs = map[types.UID]activeRun{}
		}
		record.runs[job.UID] = run
		schedule.Stuck = run.stuck
		s.seen.Schedules[name] = schedule
		s.seen.LookAgain(run.due)
	}
}

// readActiveRun reads the pods of a run that goes on. Unless one of them is at work, they are to be read again at the time that is given.
func (r *ApplicationReconciler) readActiveRun(ctx context.Context, job *batchv1.Job, again metav1.Time) activeRun {
	pods, err := r.podsOf(ctx, job)
	if err != nil {
		logf.FromContext(ctx).Error(err, "Could not read the pods of a Job that goes on", "job", job.Name)
		return activeRun{due: again}
	}
	words, works := status.StuckRun(job, pods)
	if works {
		return activeRun{}
	}
	return activeRun{stuck: words, due: again}
}

// maxJobPods is how many pods of a Job are read: one that is tried again more often is not looked through.
const maxJobPods = 10

// podsOf reads the pods of a Job.
func (r *ApplicationReconciler) podsOf(ctx context.Context, job *batchv1.Job) ([]corev1.Pod, error) {
	pods := &corev1.PodList{}
	err := r.Reader.List(ctx, pods, client.InNamespace(job.Namespace), client.Limit(maxJobPods),
		client.MatchingLabels{batchv1.ControllerUidLabel: string(job.UID)})
	return pods.Items, err
}
