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

package resources

import (
	"cmp"
	"maps"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	batchv1ac "k8s.io/client-go/applyconfigurations/batch/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/utils/ptr"

	v1 "github.com/example/app-operator/api/v1"
)

// LabelSchedule names the schedule of a Job and its pods. Beside it they have LabelApplication, and none of the labels by which the
// application's pods are selected: no traffic may reach them, and nobody may count them as replicas.
const LabelSchedule = "apps.example.com/schedule"

// Kubernetes' own defaults. They are set, so that an edit of them is drift.
const (
	backoffLimit               = 6
	successfulJobsHistoryLimit = 3
	failedJobsHistoryLimit     = 1
)

// CronJob returns a CronJob for each schedule.
func CronJob(in Inputs) ([]*batchv1ac.CronJobApplyConfiguration, error) {
	app := in.ofPods().Application
	configs := make([]*batchv1ac.CronJobApplyConfiguration, 0, len(app.Spec.Schedules))
	for i := range app.Spec.Schedules {
		job, err := scheduledJob(app, &app.Spec.Schedules[i])
		if err != nil {
			return nil, err
		}
		configs = append(configs, batchv1ac.CronJob(CronJobName(app, app.Spec.Schedules[i].Name), app.Namespace).
			WithLabels(objectLabels(app)).
			WithAnnotations(objectAnnotations(app)).
			WithAnnotations(ownerMark(app)).
			WithOwnerReferences(owners(app)...).
			WithSpec(cronJobSpec(app, &app.Spec.Schedules[i]).WithJobTemplate(job)))
	}
	return configs, nil
}

// CronJobNames returns the names of the CronJobs.
func CronJobNames(in Inputs) []string {
	names := make([]string, 0, len(in.Application.Spec.Schedules))
	for i := range in.Application.Spec.Schedules {
		names = append(names, CronJobName(in.Application, in.Application.Spec.Schedules[i].Name))
	}
	return names
}

// CronJobName returns the name of a schedule's CronJob.
func CronJobName(app *v1.Application, schedule string) string { return app.Name + "-" + schedule }

// scheduleOf returns the schedule whose CronJob has this name, or nil.
func scheduleOf(app *v1.Application, cronJob string) *v1.Schedule {
	for i := range app.Spec.Schedules {
		if CronJobName(app, app.Spec.Schedules[i].Name) == cronJob {
			return &app.Spec.Schedules[i]
		}
	}
	return nil
}

// RunsSchedules reports whether any schedule of the Application is to start runs.
func RunsSchedules(in Inputs) bool {
	return slices.ContainsFunc(in.Application.Spec.Schedules, func(schedule v1.Schedule) bool {
		return !startsNone(in.Application, &schedule)
	})
}

// startsNone reports whether a schedule is to start no runs.
func startsNone(app *v1.Application, schedule *v1.Schedule) bool {
	return schedule.Suspend || app.Spec.Suspend || app.DeletionTimestamp != nil
}

func cronJobSpec(app *v1.Application, schedule *v1.Schedule) *batchv1ac.CronJobSpecApplyConfiguration {
	spec := batchv1ac.CronJobSpec().
		WithSchedule(schedule.Schedule).
		WithConcurrencyPolicy(cmp.Or(schedule.ConcurrencyPolicy, batchv1.AllowConcurrent)).
		WithSuspend(startsNone(app, schedule)).
		WithSuccessfulJobsHistoryLimit(ptr.Deref(schedule.SuccessfulJobsHistoryLimit, successfulJobsHistoryLimit)).
		WithFailedJobsHistoryLimit(ptr.Deref(schedule.FailedJobsHistoryLimit, failedJobsHistoryLimit))
	if schedule.TimeZone != "" {
		spec.WithTimeZone(schedule.TimeZone)
	}
	spec.StartingDeadlineSeconds = ptrCopy(schedule.StartingDeadlineSeconds)
	return spec
}

// scheduledJob returns the template of a schedule's Jobs.
func scheduledJob(app *v1.Application, schedule *v1.Schedule) (*batchv1ac.JobTemplateSpecApplyConfiguration, error) {
	template, err := jobPods(scheduledApplication(app, schedule), jobLabels(app, schedule))
	if err != nil {
		return nil, err
	}
	spec := batchv1ac.JobSpec().
		WithBackoffLimit(ptr.Deref(schedule.BackoffLimit, backoffLimit)).
		WithTemplate(template)
	spec.ActiveDeadlineSeconds = ptrCopy(schedule.ActiveDeadlineSeconds)
	return batchv1ac.JobTemplateSpec().WithLabels(jobLabels(app, schedule)).WithSpec(spec), nil
}

// conditionServes is the readiness gate of the pods of Jobs. Nobody ever sets the condition: these pods serve nothing, and have the user's
// labels, so that a Service of somebody else's may select them. A pod that is never Ready gets no requests from it.
const conditionServes corev1.PodConditionType = "apps.example.com/serves"

// jobPods returns the template of the pods of a Job with these labels, for an Application as a Job runs it. A pod that has failed is left
// as it is, and another one is made: a container that is restarted in its pod would be deleted, and its last words with it, when the Job
// has failed.
func jobPods(app *v1.Application, labels map[string]string) (*corev1ac.PodTemplateSpecApplyConfiguration, error) {
	template, err := podTemplate(Inputs{Application: app})
	if err != nil {
		return nil, err
	}
	template.Labels = podMetadataLabels(app)
	template.WithLabels(labels)
	template.Spec.WithRestartPolicy(corev1.RestartPolicyNever).
		WithReadinessGates(corev1ac.PodReadinessGate().WithConditionType(conditionServes))
	constraints, err := spread(labels, ptr.Deref(app.Spec.Scheduling, v1.SchedulingSpec{}).TopologySpreadConstraints)
	if err != nil {
		return nil, err
	}
	template.Spec.TopologySpreadConstraints = nil
	template.Spec.WithTopologySpreadConstraints(constraints...)
	if sharesNode(app) {
		preferNodeOf(template.Spec, app)
	}
	return template, nil
}

// scheduledApplication returns the Application as a schedule's pods run it.
func scheduledApplication(app *v1.Application, schedule *v1.Schedule) *v1.Application {
	return jobApplication(app, schedule.Command, schedule.Args, schedule.Resources)
}

// jobApplication returns the Application as the pods of a Job run it: with another command, other resources if there are any, and
// without what is for serving. It shares memory with the Application.
func jobApplication(app *v1.Application, command, args []string, resources *v1.ResourceRequirements) *v1.Application {
	run := &v1.Application{ObjectMeta: app.ObjectMeta, Spec: app.Spec}
	run.Spec.Command, run.Spec.Args = command, args
	run.Spec.Port, run.Spec.AdditionalPorts, run.Spec.Probes = nil, nil, nil
	if resources != nil {
		run.Spec.Resources = resources
	}
	if shutdown := app.Spec.Shutdown; shutdown != nil { // nobody sends requests that were to be waited for
		run.Spec.Shutdown = &v1.ShutdownSpec{GracePeriodSeconds: shutdown.GracePeriodSeconds}
	}
	return run
}

// jobLabels returns the labels of a schedule's Jobs and, beside the user's, of their pods.
func jobLabels(app *v1.Application, schedule *v1.Schedule) map[string]string {
	return map[string]string{LabelApplication: app.Name, LabelSchedule: schedule.Name}
}

// podMetadataLabels returns the user's labels of pods, without those by which the application's pods are selected: an Application
// may be older than the rule that reserves them.
func podMetadataLabels(app *v1.Application) map[string]string {
	if app.Spec.PodMetadata == nil {
		return nil
	}
	labels := maps.Clone(app.Spec.PodMetadata.Labels)
	for key := range Labels(app.Name) {
		delete(labels, key)
	}
	return labels
}
