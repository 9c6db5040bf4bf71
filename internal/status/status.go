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

// Package status says how an Application fares: a pure function from what was observed of its objects and how
// the reconcile ended to an ApplicationStatus.
//
// It reads no cluster, clock or environment and never changes its input; a linter rule holds that. Its messages
// are the same whenever the situation is the same: they have no counters and no times, or each reconcile would write
// the status again.
package status

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/outcome"
	"github.com/example/app-operator/internal/resources"
	"github.com/example/app-operator/internal/revisions"
)

// Observed is what was seen of an Application's objects. Objects that are not the Application's are not in it.
type Observed struct {
	// Now is when it was seen.
	Now metav1.Time
	// Deployment as cached, or nil.
	Deployment *appsv1.Deployment
	// DeploymentBehind says that the API server has a newer generation of the Deployment than the one in
	// Deployment: it speaks of the past.
	DeploymentBehind bool
	// DeploymentWritten says that the generation in Deployment is that of the operator's last write.
	DeploymentWritten bool
	// Service as cached, or nil.
	Service *corev1.Service
	// Ingress as cached, or nil.
	Ingress *networkingv1.Ingress
	// HTTPRoute as cached, or nil.
	HTTPRoute *gatewayv1.HTTPRoute
	// PodFaults are the faults of the pods, oldest pod first.
	PodFaults []PodFault
	// Unready are the pods of the newest revision that are not ready, oldest pod first.
	Unready []UnreadyPod
	// Release is what keeps the release command that is waited for from running, or, without a reason, how its last attempt has
	// failed. Nil for nothing.
	Release *PodFault
	// Due is when what was seen may be out of date although nothing happens; zero for never. LookAgain sets it.
	Due metav1.Time
	// Restarts are the unusual restarts of the pods' containers, oldest pod first.
	Restarts []Restart
	// NewAvailable says that a pod of the newest revision is ready and has no fault.
	NewAvailable bool
	// Decision is which pods are wanted, and Image what these run.
	Decision revisions.Decision
	Image    string
	// Autoscaler as cached, or nil where there is none or none that decides.
	Autoscaler *autoscalingv2.HorizontalPodAutoscaler
	// Schedules are what was seen of spec.schedules, by their names.
	Schedules map[string]Schedule
	// Ending says what keeps a pod that should have ended by now; "" when there is none.
	Ending string
	// Ended says how the oldest of the newest revision's pods that have ended was ended by its node; "" when there is none.
	Ended string
	// Pending says that something differs from what is desired and was left so, because of spec.paused.
	Pending bool
	// Refused is what the API server has refused of objects that serve as they are; nil for nothing.
	Refused error
	// Contended says who undoes the operator's repairs again and again; "" when nobody does.
	Contended string
	// WaitsFor is what has to happen next while the Application is being drained, as in "its last pod to end".
	WaitsFor string
}

// maxMessage bounds a condition's message, in bytes. The API refuses a status with a message beyond 32768
// characters, and nobody would learn why; a person needs fewer.
const maxMessage = 4096

// Of returns the status of the Application after a reconcile that saw seen and ended with err. The conditions'
// transition times are kept from the Application's present status wherever a condition keeps its value.
func Of(app *v1.Application, seen Observed, err error) v1.ApplicationStatus {
	now := evaluate(app, seen, err)
	if now.degraded == nil {
		now.degraded = lesserFault(app, seen)
	}
	next := *app.Status.DeepCopy()
	next.ObservedGeneration = app.Generation
	next.Selector = resources.Selector(app.Name)
	if !app.Oversized { // of which the ports are not known
		next.URL = outcome.OneLine(url(app, seen))
	}
	count(&next, app, seen.Deployment)
	next.Schedules = schedulesStatus(app, seen)
	next.Autoscaled = resources.AutoscaledStatus(resources.Inputs{
		Application: app, Live: resources.LiveFrom(seen.Deployment),
	})
	if seen.Decision.Update != "" { // else nothing was decided
		next.UpdateRevision, next.CurrentRevision = seen.Decision.Update, seen.Decision.Current
	}
	if now.running && err == nil && !seen.Pending {
		next.CurrentRevision = cmp.Or(seen.Decision.Want, next.CurrentRevision)
	}
	switch {
	case now.complete && !keepsEarlier(seen):
		next.Image = outcome.OneLine(app.Spec.Image)
	case now.running && err == nil && !seen.Pending: // other pods than the spec's
		next.Image = outcome.OneLine(cmp.Or(seen.Image, next.Image))
	}
	for _, condition := range conditions(now, seen) {
		condition.ObservedGeneration = app.Generation
		condition.Message = outcome.Shorten(outcome.OneLine(condition.Message), maxMessage)
		if was := meta.FindStatusCondition(next.Conditions, condition.Type); was != nil && sameMeaning(*was, condition) {
			condition.Message = was.Message
		}
		meta.SetStatusCondition(&next.Conditions, condition)
	}
	setReconciling(app, &next, seen.Now)
	return next
}

// lesserFault returns the most urgent of the faults that keep no pod from serving, or nil.
func lesserFault(app *v1.Application, seen Observed) *PodFault {
	if seen.Refused != nil {
		if refusal := evaluateFailure(seen.Refused).degraded; refusal != nil {
			return refusal
		}
	}
	if seen.Contended != "" {
		return &PodFault{Reason: v1.ReasonFieldManagerConflict, Message: seen.Contended}
	}
	if app.DeletionTimestamp != nil {
		return nil
	}
	return cmp.Or(exposureFault(app, seen), restartFault(app, seen), scheduleFault(app, seen))
}

// sameMeaning reports whether a refusal says what the last one said, but for numbers. An admission webhook may put a
// time or a request's id into its words; since a changed status calls for a reconcile, and the reconcile for a new refusal, that
// would be an endless loop.
func sameMeaning(was, now metav1.Condition) bool {
	switch now.Reason {
	case v1.ReasonAdmissionDenied, v1.ReasonReconcileFailed:
		return was.Reason == now.Reason && was.Status == now.Status && was.ObservedGeneration == now.ObservedGeneration &&
			outcome.WithoutNumbers(was.Message) == outcome.WithoutNumbers(now.Message)
	default:
		return false
	}
}

// count sets the numbers of pods.
func count(next *v1.ApplicationStatus, app *v1.Application, deployment *appsv1.Deployment) {
	next.Replicas, next.ReadyReplicas, next.UpdatedReplicas, next.AvailableReplicas = 0, 0, 0, 0
	if deployment != nil {
		next.Replicas = deployment.Status.Replicas
		next.ReadyReplicas = deployment.Status.ReadyReplicas
		next.UpdatedReplicas = deployment.Status.UpdatedReplicas
		next.AvailableReplicas = deployment.Status.AvailableReplicas
	}
	desired := resources.DesiredReplicas(resources.Inputs{Application: app, Live: resources.LiveFrom(deployment)})
	next.ReplicaSummary = fmt.Sprintf("%d/%d", next.ReadyReplicas, desired)
}

// evaluation is the judgement from which the conditions follow.
type evaluation struct {
	ready       metav1.ConditionStatus
	progressing bool
	reason      string
	message     string
	// degraded is the fault that a person should look at; nil when there is none.
	degraded *PodFault
	// complete says that this generation is applied, fully rolled out and available.
	complete bool
	// running says that the pods that are wanted, of whatever revision, are fully rolled out and available, and that there are some.
	running bool
}

// evaluate weighs, in this order: deletion, the reconcile's own failure, a pause, the rollout.
func evaluate(app *v1.Application, seen Observed, err error) evaluation {
	if app.DeletionTimestamp != nil && err == nil {
		return evaluation{
			ready: metav1.ConditionUnknown, progressing: true, reason: v1.ReasonDraining, message: deleting(app, seen),
		}
	}
	rollout := evaluateRevision(evaluateRollout(app, seen), seen)
	if rollout.degraded == nil {
		rollout.degraded = autoscalerFault(app, seen, rollout)
	}
	if waits := waitsForPods(err); waits != "" && !rollout.complete {
		rollout.message += "; " + waits
		return rollout
	}
	if err != nil {
		failed := evaluateFailure(err)
		if failed.degraded == nil {
			failed.degraded = rollout.degraded
		}
		if failed.ready != metav1.ConditionUnknown && isUndone(seen) { // both have to be told
			failed.message += "; " + rollout.message
		}
		return failed
	}
	if app.Spec.Paused {
		return evaluatePaused(rollout, seen.Pending)
	}
	return rollout
}

// waitsForPods returns what the reconcile has left undone until the pods are available, if that is the gravest it has to say.
func waitsForPods(err error) string {
	if waiting, ok := errors.AsType[*outcome.Waiting](outcome.MostSevere(err)); ok && waiting.ForPods {
		return waiting.Message
	}
	return ""
}

// deleting says what an Application waits for that is being deleted, and that it is not in the order that was asked for if
// Kubernetes deletes the objects by itself.
func deleting(app *v1.Application, seen Observed) string {
	message := "Being deleted"
	if seen.WaitsFor != "" {
		message += "; waiting for " + seen.WaitsFor
	} else {
		message += Held(app)
	}
	if app.Spec.DeletionPolicy == v1.DeletionPolicyDrain && slices.Contains(app.Finalizers, metav1.FinalizerDeleteDependents) {
		message += "; this is a deletion in the foreground, so Kubernetes deletes everything at the same time, " +
			"and not in the order of spec.deletionPolicy Drain, which needs --cascade=background"
	}
	return message
}

// evaluateFailure judges a reconcile that could not do all it should.
func evaluateFailure(err error) evaluation {
	gravest := outcome.MostSevere(err)
	if invalid, ok := errors.AsType[*outcome.Invalid](gravest); ok {
		return stalled(invalid.Reason, invalid.Message)
	}
	if waiting, ok := errors.AsType[*outcome.Waiting](gravest); ok {
		if waiting.Reason == v1.ReasonRollingOut {
			return evaluation{
				ready: metav1.ConditionUnknown, progressing: true, reason: waiting.Reason, message: waiting.Message,
			}
		}
		now := stalled(waiting.Reason, waiting.Message)
		now.progressing = waiting.After > 0
		return now
	}
	message := outcome.UserMessage(gravest)
	return evaluation{
		ready: metav1.ConditionUnknown, progressing: true, reason: v1.ReasonReconcileFailed, message: message,
		degraded: &PodFault{Reason: v1.ReasonReconcileFailed, Message: message},
	}
}

// stalled is the verdict when somebody has to act.
func stalled(reason, message string) evaluation {
	return evaluation{
		ready: metav1.ConditionFalse, reason: reason, message: message,
		degraded: &PodFault{Reason: reason, Message: message},
	}
}

// evaluatePaused is the rollout's, except that nothing is on its way any more, and that the reason says why.
func evaluatePaused(rollout evaluation, pending bool) evaluation {
	now := rollout
	now.progressing = false
	now.reason = v1.ReasonPaused
	switch {
	case pending:
		now.ready = metav1.ConditionFalse
		now.complete = false
		now.message = "Paused, and what runs differs from this spec; set spec.paused to false to have it applied"
	case rollout.complete:
		now.message = "Paused; what runs is as this spec wants it"
	default:
		now.message = "Paused; " + rollout.message
	}
	return now
}

// conditions spells a verdict out.
func conditions(now evaluation, seen Observed) []metav1.Condition {
	progressing := metav1.ConditionFalse
	if now.progressing {
		progressing = metav1.ConditionTrue
	}
	degraded := metav1.Condition{
		Type: v1.ConditionDegraded, Status: metav1.ConditionFalse, Reason: now.reason, Message: "No fault seen",
	}
	if now.degraded != nil {
		degraded.Status = metav1.ConditionTrue
		degraded.Reason = now.degraded.Reason
		degraded.Message = now.degraded.Message
	}
	return []metav1.Condition{
		{Type: v1.ConditionReady, Status: now.ready, Reason: now.reason, Message: now.message},
		{Type: v1.ConditionProgressing, Status: progressing, Reason: now.reason, Message: now.message},
		availableCondition(now, seen.Deployment),
		degraded,
	}
}

// availableCondition follows the Deployment's own condition, which knows how many pods may be missing during
// a rollout.
func availableCondition(now evaluation, deployment *appsv1.Deployment) metav1.Condition {
	available := metav1.Condition{Type: v1.ConditionAvailable, Reason: now.reason}
	switch {
	case deployment == nil:
		available.Status = metav1.ConditionUnknown
		available.Message = "No Deployment seen yet"
	case desiredPods(deployment) == 0:
		available.Status = metav1.ConditionTrue
		available.Message = "No pods are desired"
	case now.complete:
		available.Status = metav1.ConditionTrue
		available.Message = enoughAvailable
	default:
		available.Status, available.Message = fromDeployment(deployment)
	}
	return available
}

const enoughAvailable = "The Deployment has its minimum of available pods"

func fromDeployment(deployment *appsv1.Deployment) (metav1.ConditionStatus, string) {
	condition := deploymentCondition(deployment, appsv1.DeploymentAvailable)
	switch {
	case missing(deployment) == "", condition != nil && condition.Status == corev1.ConditionTrue:
		return metav1.ConditionTrue, enoughAvailable
	case condition == nil:
		return metav1.ConditionUnknown, "The Deployment does not say yet"
	default:
		return metav1.ConditionFalse, "The Deployment has fewer available pods than its minimum"
	}
}
