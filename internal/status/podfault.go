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
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/outcome"
)

// PodFault is a fault that a person should look at.
type PodFault struct {
	// Reason is a condition reason of package v1.
	Reason string
	// Message names the pod, the container and the kubelet's or the scheduler's own words.
	Message string
	// Current says that the pod is of the Deployment's newest revision.
	Current bool
}

// maxWords bounds what is quoted of a container's last words, in bytes.
const maxWords = 512

// OlderPod compares two pods by their age, the older one first, and those of one second by their names: what is told of pods does not
// wander from one to another.
func OlderPod(a, b corev1.Pod) int {
	return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
}

// FaultOf returns what keeps the pod from serving and will not pass by itself, or nil. A pod that is ending or has
// ended, such as one that was evicted, has no fault: its ReplicaSet makes another.
//
// A container that has crashed again and again and was started after since counts as crashing still, although it runs:
// nothing but time tells a cured one from one that will crash the next moment.
func FaultOf(pod *corev1.Pod, since metav1.Time) *PodFault {
	if pod.DeletionTimestamp != nil || pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded {
		return nil
	}
	for _, container := range pod.Status.InitContainerStatuses {
		if found := containerFault(pod.Name, container, since); found != nil {
			return found
		}
	}
	for _, container := range pod.Status.ContainerStatuses {
		if found := containerFault(pod.Name, container, since); found != nil {
			return found
		}
	}
	return schedulingFault(pod)
}

func schedulingFault(pod *corev1.Pod) *PodFault {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse &&
			condition.Reason == corev1.PodReasonUnschedulable {
			reason := v1.ReasonUnschedulable
			if outcome.MissingKind(condition.Message) != "" {
				reason = v1.ReasonReferenceMissing
			}
			return &PodFault{
				Reason:  reason,
				Message: fmt.Sprintf("pod %s: %s", pod.Name, condition.Message),
			}
		}
	}
	return nil
}

// containerFault judges one container. The waiting reasons are the kubelet's (kubernetes
// pkg/kubelet/images/types.go and pkg/kubelet/kuberuntime).
func containerFault(pod string, container corev1.ContainerStatus, since metav1.Time) *PodFault {
	if waiting := container.State.Waiting; waiting != nil {
		switch waiting.Reason {
		case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError",
			"RegistryUnavailable", "SignatureValidationFailed":
			return inContainer(v1.ReasonImagePullFailed, pod, container.Name, pullWords(waiting))
		case "CreateContainerConfigError":
			if catchesUp(waiting.Message) {
				return nil
			}
			return inContainer(reasonOfConfigError(waiting.Message), pod, container.Name, waiting.Message)
		case "CrashLoopBackOff":
			return inContainer(v1.ReasonCrashLooping, pod, container.Name, lastWords(container))
		case "RunContainerError":
			if container.LastTerminationState.Terminated != nil { // the runtime's words, as during the back-off
				return inContainer(v1.ReasonCrashLooping, pod, container.Name, lastWords(container))
			}
			return inContainer(v1.ReasonCrashLooping, pod, container.Name, waiting.Reason+": "+waiting.Message)
		case "CreateContainerError", "PostStartHookError":
			return inContainer(v1.ReasonCrashLooping, pod, container.Name, waiting.Reason+": "+waiting.Message)
		}
		return nil
	}
	if crashedAgain(container, since) {
		return inContainer(v1.ReasonCrashLooping, pod, container.Name, lastWords(container))
	}
	return nil
}

// crashedAgain recognises a crash loop between its back-offs, so that the status does not flicker: the container
// has ended before and has ended again, or has ended twice, and is not ready or has only just been started. How it ended
// does not matter: a pod's containers are not meant to end, and an init container that is done is ready.
func crashedAgain(container corev1.ContainerStatus, since metav1.Time) bool {
	if container.LastTerminationState.Terminated == nil {
		return false
	}
	if running := container.State.Running; running != nil && container.RestartCount >= 2 && since.Before(&running.StartedAt) {
		return true
	}
	return !container.Ready && (container.State.Terminated != nil || container.RestartCount >= 2)
}

func inContainer(reason, pod, container, words string) *PodFault {
	return &PodFault{Reason: reason, Message: fmt.Sprintf("pod %s, container %s: %s", pod, container, words)}
}

// catchesUp reports whether a kubelet says that it does not know yet what a container is configured by, as after its own start: its caches
// of ConfigMaps, Secrets and Services catch up by themselves (kubernetes pkg/kubelet/kubelet_pods.go).
func catchesUp(message string) bool {
	return strings.Contains(message, "failed to sync") || strings.Contains(message, "services have not yet been read at least once")
}

// reasonOfConfigError tells a reference to something absent from other trouble with a container's
// configuration, such as an image that insists on being root.
func reasonOfConfigError(message string) string {
	if strings.Contains(message, "not found") || strings.Contains(message, "couldn't find key") ||
		strings.Contains(message, "references non-existent") {
		return v1.ReasonReferenceMissing
	}
	return v1.ReasonInvalidSpec
}

// backOffPulling is what the kubelet puts before the error while it waits to pull again (kubernetes
// pkg/kubelet/images/image_manager.go).
var backOffPulling = regexp.MustCompile(
	`^Back-off pulling image "[^"]*": (ErrImagePull|RegistryUnavailable|SignatureValidationFailed): `)

// pullWords returns the same words while the kubelet tries and while it backs off.
func pullWords(waiting *corev1.ContainerStateWaiting) string {
	if waiting.Message == "" {
		return waiting.Reason
	}
	return outcome.NormalizeMessage(backOffPulling.ReplaceAllString(waiting.Message, ""))
}

// lastWords tells how a crashing container ended last, without the back-off's growing time.
func lastWords(container corev1.ContainerStatus) string {
	ended := container.State.Terminated
	if ended == nil {
		ended = container.LastTerminationState.Terminated
	}
	if ended == nil {
		return "CrashLoopBackOff"
	}
	return "CrashLoopBackOff: " + endingWords(ended)
}

// endingWords tells how a container ended, and what it said last.
func endingWords(ended *corev1.ContainerStateTerminated) string {
	words := fmt.Sprintf("ended with exit code %d", ended.ExitCode)
	if ended.Reason != "" {
		words += " (" + ended.Reason + ")"
	}
	if message := strings.TrimSpace(ended.Message); message != "" {
		words += ": " + outcome.Shorten(message, maxWords)
	}
	return words
}
