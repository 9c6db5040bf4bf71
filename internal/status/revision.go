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
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/revisions"
)

// FailsRollout reports whether new pods that have a fault for this reason, and have it for long enough, have failed.
func FailsRollout(reason string) bool {
	return reason == v1.ReasonCrashLooping || reason == v1.ReasonImagePullFailed
}

// RolloutFault returns what the rollout of a Deployment may fail of, or nil: its progress deadline has passed, or a new pod crashes or
// cannot have its image, and no new pod is available.
func RolloutFault(seen Observed) *revisions.Fault {
	deployment := seen.Deployment
	if deployment == nil || deployment.Status.ObservedGeneration < deployment.Generation || desiredPods(deployment) == 0 {
		return nil
	}
	progressing := deploymentCondition(deployment, appsv1.DeploymentProgressing)
	if progressing != nil && progressing.Reason == deadlineExceeded && missing(deployment) != "" {
		late := deadlineFault(seen)
		if found := currentFault(seen); found != nil {
			late = found
		}
		return &revisions.Fault{Words: words(late), Final: true, At: progressing.LastUpdateTime}
	}
	for i := range seen.PodFaults {
		if found := &seen.PodFaults[i]; found.Current && FailsRollout(found.Reason) && !seen.NewAvailable {
			return &revisions.Fault{Words: words(found)}
		}
	}
	return nil
}

func words(of *PodFault) string { return of.Reason + ": " + of.Message }

// isUndone reports whether other pods than those of the spec are wanted because these have failed.
func isUndone(seen Observed) bool {
	return seen.Decision.Phase == revisions.RolledBack || seen.Decision.Phase == revisions.ReleaseFailed
}

// keepsEarlier reports whether the pods of another revision than the spec's are wanted.
func keepsEarlier(seen Observed) bool {
	return seen.Decision.Want != "" && seen.Decision.Want != seen.Decision.Update
}

// evaluateRevision judges the rollout of the pods that are wanted by whether they are the spec's.
func evaluateRevision(rollout evaluation, seen Observed) evaluation {
	rollout.running = rollout.complete && seen.Deployment != nil && desiredPods(seen.Deployment) > 0
	decision := seen.Decision
	var now evaluation
	switch decision.Phase {
	case revisions.Releasing:
		now = releasing(rollout, seen)
	case revisions.ReleaseFailed:
		now = stalled(v1.ReasonReleaseFailed, fmt.Sprintf("the release command of revision %s has failed, and its pods are not rolled out: %s%s",
			decision.Update, decision.Words, instead(rollout, seen)))
	case revisions.RolledBack:
		now = stalled(v1.ReasonRolledBack, fmt.Sprintf("the rollout of revision %s has failed: %s%s", decision.Update, decision.Words,
			instead(rollout, seen)))
	default:
		if rollout.reason == v1.ReasonSuspended && keepsEarlier(seen) {
			rollout.message += fmt.Sprintf("; the release command of revision %s is run then, before its pods", decision.Update)
		}
		return rollout
	}
	now.running = rollout.running
	return now
}

// releasing judges the wait for a release command. One that cannot be run is a fault, whose end the Job's own deadline is.
func releasing(rollout evaluation, seen Observed) evaluation {
	now := evaluation{
		ready: metav1.ConditionUnknown, progressing: true, reason: v1.ReasonReleasing, degraded: rollout.degraded,
		message: fmt.Sprintf("Releasing revision %s: %s", seen.Decision.Update, seen.Decision.Words),
	}
	if fault := seen.Release; fault != nil {
		now.message += ": " + fault.Message
		if fault.Reason != "" {
			now.degraded = fault
		}
	}
	return now
}

// ReleaseFault returns what keeps the pods of a release command from running or, without a reason, how the last of them has failed;
// nil for neither.
func ReleaseFault(pods []corev1.Pod) *PodFault {
	for i := range pods {
		if fault := FaultOf(&pods[i], metav1.Time{}); fault != nil {
			return fault
		}
	}
	if words := LastWordsOf(pods); words != "" {
		return &PodFault{Message: "an attempt has failed: " + words}
	}
	return nil
}

// podlessSeconds is how long the Job of a release command may be without a pod before that is told. Its controller makes one within
// moments, and says in events alone why it could not.
const podlessSeconds = 10

// Podless returns what keeps the Job of a release command that has had no pod yet, or nil, and if time may change that, when.
func Podless(job *batchv1.Job, now metav1.Time) (fault *PodFault, due metav1.Time) {
	if ptr.Deref(job.Spec.Suspend, false) {
		return &PodFault{Message: "it is suspended, and runs when whoever has suspended it lets it run"}, metav1.Time{}
	}
	if due = ifAhead(addSeconds(job.CreationTimestamp, podlessSeconds), now); !due.IsZero() {
		return nil, due
	}
	return &PodFault{Message: noPod(job)}, metav1.Time{}
}

// noPod says where to find out why a Job has no pod.
func noPod(job *batchv1.Job) string {
	return fmt.Sprintf("it has no pod, which a quota or an admission rule may refuse; kubectl describe job -n %s %s has the cause among the events",
		job.Namespace, job.Name)
}

// instead says what runs while the pods of the spec do not.
func instead(rollout evaluation, seen Observed) string {
	what := "what ran before runs on"
	switch {
	case seen.Deployment == nil:
		what = "no pods run"
	case desiredPods(seen.Deployment) == 0:
		what = "no pods are desired"
	case seen.Decision.Want != "":
		what = fmt.Sprintf("the pods of revision %s, image %s, run instead", seen.Decision.Want, seen.Image)
	}
	what = "; " + what + ", until the spec asks for other pods"
	if seen.Decision.Phase == revisions.ReleaseFailed {
		what += " or another release command"
	}
	if seen.Deployment != nil && !rollout.complete {
		what += "; these are on their way: " + rollout.message
	}
	return what
}
