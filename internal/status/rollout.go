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
	"regexp"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/outcome"
	"github.com/example/app-operator/internal/resources"
)

// evaluateRollout judges what the Deployment and its pods say, taking everything as applied.
func evaluateRollout(app *v1.Application, seen Observed) evaluation {
	deployment := seen.Deployment
	if deployment == nil {
		return progressing(app, seen, "Waiting for the Deployment to appear")
	}
	waitsFor, found := missing(deployment), currentFault(seen)
	if found == nil && waitsFor != "" {
		found = deploymentFault(app, seen)
	}
	switch {
	case seen.DeploymentBehind, deployment.Status.ObservedGeneration < deployment.Generation &&
		(seen.DeploymentWritten || !scalingUp(app, deployment) && !isTold(app, found)):
		return progressing(app, seen, "Waiting for the Deployment's controller")
	case waitsFor == "":
		return evaluateComplete(app, seen)
	case desiredPods(deployment) == 0: // what is wrong with pods that are to end does not matter any more
		return progressing(app, Observed{}, waitsFor)
	case scalingUp(app, deployment):
		now := evaluateComplete(app, seen)
		now.degraded = found
		return now
	case found != nil:
		return stalled(found.Reason, found.Message)
	default:
		if trouble := passingTrouble(deployment); trouble != "" {
			waitsFor += "; " + trouble
		}
		return progressing(app, seen, waitsFor)
	}
}

// isTold reports whether the status tells of the fault in this generation already. Who scales a Deployment cures nothing by it.
func isTold(app *v1.Application, fault *PodFault) bool {
	ready := meta.FindStatusCondition(app.Status.Conditions, v1.ConditionReady)
	return fault != nil && ready != nil && ready.Status == metav1.ConditionFalse && ready.Reason == fault.Reason &&
		ready.ObservedGeneration == app.Generation
}

func evaluateComplete(app *v1.Application, seen Observed) evaluation {
	now := evaluation{ready: metav1.ConditionTrue, complete: true}
	if app.Spec.Suspend {
		now.reason = v1.ReasonSuspended
		now.message = "Suspended: no pods run; set spec.suspend to false to bring them back"
		return now
	}
	now.reason = v1.ReasonRolloutComplete
	now.message = "All desired pods run this spec and are available"
	switch {
	case resources.Keeping(resources.Inputs{Application: app, Live: resources.LiveFrom(seen.Deployment)}):
		now.message = "The pods run this spec and are available; an autoscaler has left so many, and they stay until spec.replicas is changed"
	case resources.Autoscaled(app):
		now.message = "The pods run this spec and are available; an autoscaler decides how many are desired"
		if !scalingActive(seen.Autoscaler) {
			now.message += neededRequests(app)
		}
		now.message += atMaximum(app, seen)
	}
	return now
}

// scalingUp reports whether all that is missing are pods that an autoscaler has asked for since this generation was Ready: no
// fewer are available than were, or than are still desired. A load that comes and goes is no news of the rollout.
func scalingUp(app *v1.Application, deployment *appsv1.Deployment) bool {
	if !resources.Autoscaled(app) || deployment.Status.Replicas > deployment.Status.UpdatedReplicas {
		return false
	}
	ready := meta.FindStatusCondition(app.Status.Conditions, v1.ConditionReady)
	return ready != nil && ready.Status == metav1.ConditionTrue && ready.ObservedGeneration == app.Generation &&
		deployment.Status.AvailableReplicas >= min(app.Status.AvailableReplicas, desiredPods(deployment))
}

// progressing is the verdict when nobody has to act. A fault of an older revision's pods is told, since serving
// may suffer from it.
func progressing(app *v1.Application, seen Observed, message string) evaluation {
	now := evaluation{
		ready: metav1.ConditionUnknown, progressing: true, reason: v1.ReasonRollingOut, message: message,
	}
	if app.Spec.Suspend {
		now.reason = v1.ReasonSuspended
	}
	if len(seen.PodFaults) > 0 && !app.Spec.Suspend {
		now.degraded = &seen.PodFaults[0]
	}
	return now
}

// missing returns what the rollout still waits for, or "" when it is complete. The rules are those of kubectl
// rollout status, and in addition every desired pod must be available.
func missing(deployment *appsv1.Deployment) string {
	desired := desiredPods(deployment)
	have := deployment.Status
	switch {
	case have.UpdatedReplicas < desired:
		return "Waiting for new pods to be made"
	case have.Replicas > have.UpdatedReplicas:
		return "Waiting for old pods to end"
	case have.Replicas > desired:
		return "Waiting for surplus pods to end"
	case have.AvailableReplicas < desired:
		return "Waiting for pods to become available"
	default:
		return ""
	}
}

// desiredPods returns how many pods the Deployment asks for.
func desiredPods(deployment *appsv1.Deployment) int32 {
	if deployment.Spec.Replicas == nil {
		return 1
	}
	return *deployment.Spec.Replicas
}

// currentFault returns the first fault of a pod of the newest revision, or nil.
func currentFault(seen Observed) *PodFault {
	for i := range seen.PodFaults {
		if seen.PodFaults[i].Current {
			return &seen.PodFaults[i]
		}
	}
	return nil
}

// deploymentFault returns what keeps the Deployment from making pods or from getting on, or nil. What only delays it is none until the
// deadline has passed.
func deploymentFault(app *v1.Application, seen Observed) *PodFault {
	deployment := seen.Deployment
	if failure := replicaFailure(deployment); failure != nil && !passes(failure.Message) {
		words := ofRefusedPod.ReplaceAllString(failure.Message, "")
		return &PodFault{
			Reason:  reasonOfRefusal(failure.Message),
			Message: troubleOf(failure) + resources.PodFields(app).InUsersWords(words, "the pod") + remedy(app, words),
		}
	}
	progressing := deploymentCondition(deployment, appsv1.DeploymentProgressing)
	if progressing != nil && progressing.Reason == deadlineExceeded {
		return deadlineFault(seen)
	}
	return lateFault(app, seen)
}

// replicaFailure returns why pods cannot be made or deleted, or nil.
func replicaFailure(deployment *appsv1.Deployment) *appsv1.DeploymentCondition {
	failure := deploymentCondition(deployment, appsv1.DeploymentReplicaFailure)
	if failure == nil || failure.Status != corev1.ConditionTrue {
		return nil
	}
	return failure
}

func troubleOf(failure *appsv1.DeploymentCondition) string {
	if failure.Reason == failedDelete {
		return "a pod cannot be deleted: "
	}
	return "a pod cannot be made: "
}

// passes reports whether a request for a pod has failed of what passes by itself, since the ReplicaSet's controller tries again: an API
// server or a webhook that does not answer, or a quota that is counted for many pods at the same time.
func passes(message string) bool {
	return !ofRefusedPod.MatchString(message) && !outcome.IsDenied(message) && !outcome.IsQuotaMessage(message) &&
		outcome.MissingKind(message) == ""
}

// passingTrouble says what delays pods without being a fault of them, or returns "".
func passingTrouble(deployment *appsv1.Deployment) string {
	failure := replicaFailure(deployment)
	if failure == nil || !passes(failure.Message) {
		return ""
	}
	return troubleOf(failure) + outcome.NormalizeMessage(failure.Message)
}

// overdueSince returns since when pods have been missing from a rollout that was complete, or from one that its
// controller does not time: that of a Deployment that waits for the pods of an older revision to end. The zero time is
// for none.
func overdueSince(app *v1.Application, seen Observed) metav1.Time {
	deployment := seen.Deployment
	progressing := deploymentCondition(deployment, appsv1.DeploymentProgressing)
	if progressing == nil || progressing.Reason != rolloutWasComplete || missing(deployment) == "" {
		return metav1.Time{}
	}
	var since metav1.Time
	for _, pod := range seen.Unready {
		since = earlier(since, pod.Since)
	}
	available := deploymentCondition(deployment, appsv1.DeploymentAvailable)
	if available != nil && available.Status == corev1.ConditionFalse && !scalingUp(app, deployment) {
		since = earlier(since, available.LastTransitionTime) // also where pods come and go, and none lives that long
	}
	return since
}

// rolloutWasComplete is the reason that the Deployment's controller gives from when a rollout is complete until the next
// one makes pods (kubernetes pkg/controller/deployment/util NewRSAvailableReason). It does not watch the deadline then.
const rolloutWasComplete = "NewReplicaSetAvailable"

// deadlineOf returns when pods that have been missing since then are a fault, by the Deployment's own deadline.
func deadlineOf(deployment *appsv1.Deployment, since metav1.Time) metav1.Time {
	return addSeconds(since, int64(ptr.Deref(deployment.Spec.ProgressDeadlineSeconds, defaultDeadlineSeconds)))
}

// defaultDeadlineSeconds is Kubernetes' own default.
const defaultDeadlineSeconds = 600

// lateFault returns the fault of pods that have been missing for longer than the deadline, or nil.
func lateFault(app *v1.Application, seen Observed) *PodFault {
	since := overdueSince(app, seen)
	if since.IsZero() || seen.Now.Time.Before(deadlineOf(seen.Deployment, since).Time) {
		return nil
	}
	if len(seen.Unready) == 0 && seen.Ending != "" {
		return deadlineFault(seen)
	}
	return &PodFault{
		Reason:  v1.ReasonPodsNotReady,
		Message: "pods have not been ready for longer than rollout.progressDeadlineSeconds; " + waitsFor(seen),
	}
}

// deadlineFault is the fault of a rollout that has stood still for its deadline.
func deadlineFault(seen Observed) *PodFault {
	return &PodFault{
		Reason:  v1.ReasonProgressDeadlineExceeded,
		Message: "the rollout has not moved for its progress deadline; " + waitsFor(seen),
	}
}

// waitsFor says what the first of the unready pods waits for, or why there is none, or what to look at where nothing is known of any. Where
// pods end, each new one is unready for a moment.
func waitsFor(seen Observed) string {
	trouble := passingTrouble(seen.Deployment)
	switch {
	case len(seen.Unready) > 0 && seen.Ended != "":
		return seen.Unready[0].Message + "; " + seen.Ended
	case len(seen.Unready) > 0:
		return seen.Unready[0].Message
	case seen.Ended != "":
		return seen.Ended
	case seen.Ending != "":
		return seen.Ending
	case trouble != "":
		return trouble
	default:
		return "look at the pods' logs and readiness"
	}
}

// remedy returns what to do about a refusal, where the words that tell it do not say so, or speak of the pod's fields and the
// Application has a shorter one.
func remedy(app *v1.Application, words string) string {
	switch kind := outcome.MissingKind(words); {
	case kind == "PriorityClass":
		return "; have it created, or change spec.scheduling.priorityClassName"
	case kind == "RuntimeClass":
		return "; have it created, or change spec.scheduling.runtimeClassName"
	case kind == "serviceaccount" && resources.ReferencedServiceAccount(app) != "":
		return "; create it, or change spec.serviceAccount.name"
	}
	restricted := app.Spec.Security != nil && app.Spec.Security.Profile == v1.SecurityProfileRestricted
	if restricted || !strings.Contains(words, `violates PodSecurity "restricted`) {
		return ""
	}
	return "; set spec.security.profile to Restricted"
}

// deadlineExceeded is the reason that the Deployment's controller gives (kubernetes
// pkg/controller/deployment/util TimedOutReason).
const deadlineExceeded = "ProgressDeadlineExceeded"

// failedDelete is the reason that the ReplicaSet's controller gives when it cannot delete a pod (kubernetes
// pkg/controller/replicaset).
const failedDelete = "FailedDelete"

// ofRefusedPod is how the API server begins when it refuses a pod. The pod's name is another on every try.
var ofRefusedPod = regexp.MustCompile(`^(pods|Pod) "[^"]*" is (forbidden|invalid): `)

// reasonOfRefusal says why the API server refused a pod.
func reasonOfRefusal(message string) string {
	switch {
	case outcome.IsQuotaMessage(message):
		return v1.ReasonQuotaExceeded
	case outcome.MissingKind(message) != "":
		return v1.ReasonReferenceMissing
	case strings.HasPrefix(message, "Pod ") && strings.Contains(message, " is invalid: "):
		return v1.ReasonInvalidSpec
	default:
		return v1.ReasonAdmissionDenied
	}
}

func deploymentCondition(
	deployment *appsv1.Deployment, kind appsv1.DeploymentConditionType,
) *appsv1.DeploymentCondition {
	for i := range deployment.Status.Conditions {
		if deployment.Status.Conditions[i].Type == kind {
			return &deployment.Status.Conditions[i]
		}
	}
	return nil
}

// RolledOut reports whether the Deployment's controller has done all that the Deployment asks for, and every
// desired pod is available.
func RolledOut(deployment *appsv1.Deployment) bool {
	return deployment.Status.ObservedGeneration >= deployment.Generation && missing(deployment) == ""
}
