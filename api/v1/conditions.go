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

// The condition types that every Application has. Each is present after the operator's first look, carries the
// generation it speaks of, and changes only when its meaning changes.
const (
	// ConditionReady is True when this generation is applied, fully rolled out and available; False when
	// somebody has to act, and reason and message say what; Unknown while it is on its way.
	ConditionReady = "Ready"

	// ConditionProgressing is True while the application is not there yet and the operator will come back by
	// itself; False when it is settled: nothing will be done until something changes.
	ConditionProgressing = "Progressing"

	// ConditionAvailable is True while the Deployment has its minimum of available pods, or none are desired;
	// False when it has fewer; Unknown while nothing has been seen of it.
	ConditionAvailable = "Available"

	// ConditionDegraded is True when there is a fault that a person should look at, although serving may go
	// on; False when none is seen.
	ConditionDegraded = "Degraded"
)

// Two more condition types, by which kstatus, and with it Flux, Helm and kpt, judge any object. Each is present only
// while it is True, and there is never more than one of them. Their reason and message are those of Ready.
const (
	// ConditionReconciling is there while the application is on its way, or has a fault that may heal by itself and has
	// not had it for long. Its transition time is since when, for this generation, it has been on its way or has had a
	// fault.
	ConditionReconciling = "Reconciling"

	// ConditionStalled is there while the application has a fault that does not heal by itself, or that has not healed
	// within two minutes.
	ConditionStalled = "Stalled"
)

// The reasons of the conditions, and of the events that tell of their changes.
const (
	// ReasonRolloutComplete means that what is desired runs.
	ReasonRolloutComplete = "RolloutComplete"
	// ReasonRollingOut means that what is desired is on its way.
	ReasonRollingOut = "RollingOut"
	// ReasonSuspended means that zero pods are desired because of spec.suspend.
	ReasonSuspended = "Suspended"
	// ReasonPaused means that the operator changes nothing because of spec.paused.
	ReasonPaused = "Paused"
	// ReasonDraining means that the Application is being deleted.
	ReasonDraining = "Draining"
	// ReasonInvalidSpec means that the API server or the kubelet refused what the spec asks for.
	ReasonInvalidSpec = "InvalidSpec"
	// ReasonChildConflict means that an object of the name that the application needs is not the
	// application's. It is never changed or deleted.
	ReasonChildConflict = "ChildConflict"
	// ReasonFieldManagerConflict means that another client undoes the operator's repairs again and again. Repairs are
	// made after growing pauses.
	ReasonFieldManagerConflict = "FieldManagerConflict"
	// ReasonReferenceMissing means that a Secret, ConfigMap, ServiceAccount, claim, PriorityClass or RuntimeClass that the
	// spec names is not there.
	ReasonReferenceMissing = "ReferenceMissing"
	// ReasonImagePullFailed means that a container image could not be pulled.
	ReasonImagePullFailed = "ImagePullFailed"
	// ReasonCrashLooping means that a container ends again and again, or cannot be started.
	ReasonCrashLooping = "CrashLooping"
	// ReasonUnschedulable means that no node takes a pod.
	ReasonUnschedulable = "Unschedulable"
	// ReasonQuotaExceeded means that a ResourceQuota does not allow what is desired.
	ReasonQuotaExceeded = "QuotaExceeded"
	// ReasonAdmissionDenied means that an admission rule of the cluster refused what is desired.
	ReasonAdmissionDenied = "AdmissionDenied"
	// ReasonProgressDeadlineExceeded means that a rollout has not moved for its progress deadline.
	ReasonProgressDeadlineExceeded = "ProgressDeadlineExceeded"
	// ReasonPodsNotReady means that pods of a rollout that was complete have not been ready for longer than its progress
	// deadline.
	ReasonPodsNotReady = "PodsNotReady"
	// ReasonReleasing means that the release command of a new revision runs, and that its pods wait for it.
	ReasonReleasing = "Releasing"
	// ReasonReleaseFailed means that the release command of a new revision has failed: its pods are not rolled out, and what ran
	// before runs on.
	ReasonReleaseFailed = "ReleaseFailed"
	// ReasonRolledBack means that the rollout of the spec's pods has failed, and that those that were last Ready run instead.
	ReasonRolledBack = "RolledBack"
	// ReasonAutoscalingFailed means that the autoscaler does not work, for example because a container requests no CPU or
	// nobody serves the metric. It is a reason of Degraded alone: the pods run.
	ReasonAutoscalingFailed = "AutoscalingFailed"
	// ReasonExposureFailed means that a parent does not accept the HTTPRoute, or that for two minutes nobody has answered for it, or the
	// load balancer has had no address. It is a reason of Degraded alone: the pods run.
	ReasonExposureFailed = "ExposureFailed"
	// ReasonOOMKilled means that a container ran out of memory within the last hour, and runs again. It is a reason
	// of Degraded alone: the pods run.
	ReasonOOMKilled = "OOMKilled"
	// ReasonContainerRestarted means that a container that had run for ten minutes has failed within the last hour, and runs
	// again. It is a reason of Degraded alone: the pods run.
	ReasonContainerRestarted = "ContainerRestarted"
	// ReasonScheduleFailed means that the last run of a schedule has failed, or that the pod of a run cannot start. It is a reason of
	// Degraded alone: the pods run.
	ReasonScheduleFailed = "ScheduleFailed"
	// ReasonAPINotInstalled means that the spec asks for an HTTPRoute or a ServiceMonitor, and that the cluster does
	// not serve such objects.
	ReasonAPINotInstalled = "APINotInstalled"
	// ReasonReconcileFailed means that the operator's own requests fail; it goes on trying.
	ReasonReconcileFailed = "ReconcileFailed"
)

// EventAdopted is the reason of the event that says that an object which was somebody else's belongs to the Application now.
const EventAdopted = "Adopted"

// EventDriftRepaired is the reason of the event that says that the operator has put back what somebody else had changed of one of the
// Application's objects, or has deleted.
const EventDriftRepaired = "DriftRepaired"

// EventOrphaned is the reason of the event that says what stays of an Application that goes by the policy Orphan.
const EventOrphaned = "Orphaned"

// EventRetained is the reason of the event that says which claims stay of an Application that is gone.
const EventRetained = "ClaimsRetained"
