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

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/example/app-operator/internal/outcome"
)

// UnreadyPod is a pod of the newest revision that does not serve. Most will before long.
type UnreadyPod struct {
	// Since is since when it has not been ready; zero if that is not known.
	Since metav1.Time
	// Message names the pod and what it waits for, in the kubelet's or the scheduler's own words where there are any.
	Message string
}

// UnreadyOf returns what is known of a pod that is not ready, or nil for one that is, that is ending or that has ended.
func UnreadyOf(pod *corev1.Pod) *UnreadyPod {
	if pod.DeletionTimestamp != nil || pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded {
		return nil
	}
	ready := podCondition(pod, corev1.PodReady)
	switch {
	case ready != nil && ready.Status == corev1.ConditionTrue:
		return nil
	case ready != nil:
		return &UnreadyPod{Since: ready.LastTransitionTime, Message: unreadyMessage(pod)}
	case pod.Status.Phase != corev1.PodRunning:
		return &UnreadyPod{Since: pod.CreationTimestamp, Message: unreadyMessage(pod)}
	case slices.ContainsFunc(pod.Status.ContainerStatuses, isUnready):
		return &UnreadyPod{Message: unreadyMessage(pod)}
	default:
		return nil
	}
}

// unreadyMessage says what an unready pod waits for. Volumes and networks that cannot be had, and probes that fail, the
// kubelet tells of in events alone.
func unreadyMessage(pod *corev1.Pod) string {
	if scheduled := unmetCondition(pod, corev1.PodScheduled); scheduled != nil {
		return fmt.Sprintf("pod %s: %s: %s", pod.Name, scheduled.Reason, scheduled.Message)
	}
	if at := slices.IndexFunc(pod.Status.InitContainerStatuses, isUnready); at >= 0 {
		container := pod.Status.InitContainerStatuses[at]
		return fmt.Sprintf("pod %s, container %s: %s", pod.Name, container.Name,
			unreadyContainer(pod, container, "it runs, and what comes after it waits"))
	}
	if at := slices.IndexFunc(pod.Status.ContainerStatuses, isUnready); at >= 0 {
		container := pod.Status.ContainerStatuses[at]
		words := "it runs, and its readiness probe fails"
		if !ptr.Deref(container.Started, true) {
			words = "it runs, and its startup probe has not succeeded"
		}
		return fmt.Sprintf("pod %s, container %s: %s", pod.Name, container.Name, unreadyContainer(pod, container, words))
	}
	ready, containers := unmetCondition(pod, corev1.PodReady), unmetCondition(pod, corev1.ContainersReady)
	switch {
	case pod.Spec.NodeName == "":
		return fmt.Sprintf("pod %s: no scheduler has found a node for it", pod.Name)
	case ready == nil:
		return fmt.Sprintf("pod %s: node %s has not started it; the node may be down", pod.Name, pod.Spec.NodeName)
	case ready.Message != "":
		return fmt.Sprintf("pod %s: %s: %s", pod.Name, ready.Reason, ready.Message)
	case containers != nil && containers.Message != "":
		return fmt.Sprintf("pod %s: %s: %s", pod.Name, containers.Reason, containers.Message)
	default: // as the node controller has it when a kubelet does not report any more
		return fmt.Sprintf("pod %s: its containers were ready when node %s last reported; the node may be down", pod.Name, pod.Spec.NodeName)
	}
}

func isUnready(container corev1.ContainerStatus) bool { return !container.Ready }

// unreadyContainer says why a container is not ready, and of one that runs what it is given.
func unreadyContainer(pod *corev1.Pod, container corev1.ContainerStatus, running string) string {
	const tellsMore = "kubectl describe pod tells more"
	state := container.State
	switch {
	case state.Running != nil:
		return running + "; " + tellsMore
	case state.Terminated != nil:
		return fmt.Sprintf("it ended with exit code %d; %s", state.Terminated.ExitCode, tellsMore)
	case state.Waiting == nil:
		return tellsMore
	case state.Waiting.Message != "":
		return state.Waiting.Reason + ": " + state.Waiting.Message
	case unmetCondition(pod, corev1.PodReadyToStartContainers) != nil:
		return state.Waiting.Reason + ": its volumes or its network are not ready; " + tellsMore
	default:
		return state.Waiting.Reason + "; " + tellsMore
	}
}

// EndingOf returns what keeps a pod that should have ended by now, or "".
func EndingOf(pod *corev1.Pod, now metav1.Time) string {
	if pod.DeletionTimestamp == nil || !pod.DeletionTimestamp.Before(&now) {
		return ""
	}
	return fmt.Sprintf("pod %s should have ended and has not; node %s may be down, or a finalizer holds it",
		pod.Name, cmp.Or(pod.Spec.NodeName, "(none)"))
}

// EndOfPod says how its node has ended a pod that was to run on, as by an eviction, or why it has not let it run at all; "" for any other.
// Its ReplicaSet makes another one, which may end likewise. There may be hundreds, and of those that are unready there is but the next.
func EndOfPod(pod *corev1.Pod) string {
	if pod.Status.Phase != corev1.PodFailed || pod.DeletionTimestamp != nil || pod.Status.Reason == "" {
		return ""
	}
	return fmt.Sprintf("pod %s has ended: %s", pod.Name, nodesWords(pod))
}

// nodesWords returns why a node has ended a pod.
func nodesWords(pod *corev1.Pod) string {
	words := pod.Status.Reason
	if message := strings.TrimSpace(pod.Status.Message); message != "" {
		words += ": " + message
	}
	return outcome.Shorten(words, maxWords)
}

func podCondition(pod *corev1.Pod, kind corev1.PodConditionType) *corev1.PodCondition {
	for i := range pod.Status.Conditions {
		if pod.Status.Conditions[i].Type == kind {
			return &pod.Status.Conditions[i]
		}
	}
	return nil
}

// unmetCondition returns the condition of the type if there is one that is not True.
func unmetCondition(pod *corev1.Pod, kind corev1.PodConditionType) *corev1.PodCondition {
	if found := podCondition(pod, kind); found != nil && found.Status != corev1.ConditionTrue {
		return found
	}
	return nil
}
