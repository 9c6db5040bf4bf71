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

package v1

import (
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Schedule is a command that runs at given times in a pod like the application's, by a CronJob of the name NAME-<name>. No
// traffic reaches such pods, and they do not count as replicas.
type Schedule struct {
	// name of the schedule. Its CronJob is named NAME-<name>, which may have 52 characters at most.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=50
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",message="the name of a schedule is lower-case letters, digits and '-', starting and ending with a letter or digit; correct the name"
	Name string `json:"name"`

	// schedule is when it runs: minute, hour, day of the month, month and day of the week, as in 30 2 * * 1-5, or one of @yearly,
	// @monthly, @weekly, @daily and @hourly.
	// +required
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="self.matches('^(([*?]|0?[0-9]|[1-5][0-9])([-,]([*?]|0?[0-9]|[1-5][0-9])|/[0-9]+)* +([*?]|0?[0-9]|1[0-9]|2[0-3])([-,]([*?]|0?[0-9]|1[0-9]|2[0-3])|/[0-9]+)* +([*?]|0?[1-9]|[12][0-9]|3[01])([-,]([*?]|0?[1-9]|[12][0-9]|3[01])|/[0-9]+)* +([*?]|0?[1-9]|1[0-2]|(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec))([-,]([*?]|0?[1-9]|1[0-2]|(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec))|/[0-9]+)* +([*?]|0?[0-6]|(?i:sun|mon|tue|wed|thu|fri|sat))([-,]([*?]|0?[0-6]|(?i:sun|mon|tue|wed|thu|fri|sat))|/[0-9]+)*|@(yearly|annually|monthly|weekly|daily|midnight|hourly)|@every ([0-9]+[hms])+)$')",message="a schedule is five fields, as in 30 2 * * 1-5: minute 0-59, hour 0-23, day of the month 1-31, month 1-12 or jan-dec, and day of the week 0-6 or sun-sat, where Sunday is 0; or it is @yearly, @monthly, @weekly, @daily or @hourly; correct it, and give a time zone in timeZone"
	Schedule string `json:"schedule"`

	// timeZone that the schedule is in, as in Europe/Oslo. Unset, it is that of the cluster's controller manager, mostly UTC.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="!self.matches('^(?i:local)$')",message="Local is not a time zone by itself; give one of the IANA time zone database, as in Europe/Oslo, or remove it"
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9._+][A-Za-z0-9._+-]{0,13}(/[A-Za-z0-9._+][A-Za-z0-9._+-]{0,13})*$')",message="no time zone has such a name; give one of the IANA time zone database, as in Europe/Oslo, or remove it"
	TimeZone string `json:"timeZone,omitempty"`

	// command replaces the image's entrypoint; the application's own command does not count here. It is not run in a shell.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=1024
	// +kubebuilder:validation:items:MaxLength=131072
	Command []string `json:"command,omitempty"`

	// args replaces the image's default arguments; the application's own args do not count here.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=1024
	// +kubebuilder:validation:items:MaxLength=131072
	Args []string `json:"args,omitempty"`

	// concurrencyPolicy says what happens when a run is due while another one has not ended: Allow starts it beside the other,
	// Forbid leaves it out, Replace ends the other. Unset, it is Kubernetes' own default: Allow.
	// +optional
	// +kubebuilder:validation:Enum=Allow;Forbid;Replace
	ConcurrencyPolicy batchv1.ConcurrencyPolicy `json:"concurrencyPolicy,omitempty"`

	// startingDeadlineSeconds is how late a run may start that could not start in time; later, it is left out. Unset, there is
	// no limit.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=2147483647
	StartingDeadlineSeconds *int64 `json:"startingDeadlineSeconds,omitempty"`

	// activeDeadlineSeconds is how long a run may take, all attempts together; one that takes longer is ended and has failed.
	// Unset, there is no limit.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=2147483647
	ActiveDeadlineSeconds *int64 `json:"activeDeadlineSeconds,omitempty"`

	// backoffLimit is how many times a run is tried again, each time in a new pod, before it has failed. Unset, it is
	// Kubernetes' own default: 6.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2147483647
	BackoffLimit *int32 `json:"backoffLimit,omitempty"`

	// suspend starts no more runs until it is false again. A run that has started goes on.
	// +optional
	Suspend bool `json:"suspend,omitempty"`

	// resources are the requests and limits of a run's container. Unset, they are the application's. Quote a fraction:
	// cpu: "0.5", or 500m.
	// +optional
	Resources *ResourceRequirements `json:"resources,omitempty"`

	// successfulJobsHistoryLimit is how many runs are kept that have succeeded. Unset, it is Kubernetes' own default: 3.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	SuccessfulJobsHistoryLimit *int32 `json:"successfulJobsHistoryLimit,omitempty"`

	// failedJobsHistoryLimit is how many runs are kept that have failed. Unset, it is Kubernetes' own default: 1. With 0, the
	// status cannot say why a run has failed.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	FailedJobsHistoryLimit *int32 `json:"failedJobsHistoryLimit,omitempty"`
}

// ScheduleStatus is when a schedule has run. It is updated when a run has ended.
type ScheduleStatus struct {
	// name of the schedule.
	// +required
	// +kubebuilder:validation:MaxLength=50
	Name string `json:"name"`

	// lastScheduleTime is when the last run was due.
	// +optional
	LastScheduleTime *metav1.Time `json:"lastScheduleTime,omitempty"`

	// lastSuccessfulTime is the end of the last run that has succeeded.
	// +optional
	LastSuccessfulTime *metav1.Time `json:"lastSuccessfulTime,omitempty"`
}
