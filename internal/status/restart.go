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
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/example/app-operator/api/v1"
)

const (
	// restartToldSeconds is how long a restart is told of.
	restartToldSeconds = 60 * 60
	// settledSeconds is how long a container must have run for its end to be unusual. Many end early once or twice, while what
	// they need is not there yet.
	settledSeconds = 10 * 60
)

// outOfMemory and endedWithError are why a container has ended, in the words of container runtimes (containerd
// internal/cri/server/helpers.go). The end of a machine has others, and is no fault of the container.
const (
	outOfMemory    = "OOMKilled"
	endedWithError = "Error"
)

// Restart is an unusual end of a container that was started again.
type Restart struct {
	// Reason is a condition reason of package v1.
	Reason string
	// Pod and Container are their names.
	Pod, Container string
	// Words say how the container ended.
	Words string
	// Ended is when.
	Ended metav1.Time
}

// RestartOf returns the first unusual restart of one of the pod's containers: the container was killed for want of memory, or had
// run for ten minutes when it failed. It returns nil if there was none, and for a pod that is ending or has ended.
func RestartOf(pod *corev1.Pod) *Restart {
	if pod.DeletionTimestamp != nil || pod.Status.Phase != corev1.PodRunning {
		return nil
	}
	for _, containers := range [][]corev1.ContainerStatus{pod.Status.ContainerStatuses, pod.Status.InitContainerStatuses} {
		for i := range containers {
			if found := restartOf(pod.Name, &containers[i]); found != nil {
				return found
			}
		}
	}
	return nil
}

func restartOf(pod string, container *corev1.ContainerStatus) *Restart {
	ended := container.LastTerminationState.Terminated
	if ended == nil || container.State.Running == nil {
		return nil
	}
	found := &Restart{Pod: pod, Container: container.Name, Words: endingWords(ended), Ended: ended.FinishedAt}
	switch {
	case ended.Reason == outOfMemory:
		found.Reason = v1.ReasonOOMKilled
	case ended.Reason == endedWithError && ended.FinishedAt.Unix()-ended.StartedAt.Unix() >= settledSeconds:
		found.Reason = v1.ReasonContainerRestarted
	default:
		return nil
	}
	return found
}

// until returns when the restart is not told of any more.
func (r *Restart) until() metav1.Time { return addSeconds(r.Ended, restartToldSeconds) }

// restartFault returns the fault of the first container that was restarted within the last hour, one that lacked memory before
// others, or nil.
func restartFault(app *v1.Application, seen Observed) *PodFault {
	var first *Restart
	for i := range seen.Restarts {
		restart := &seen.Restarts[i]
		until := restart.until()
		if seen.Now.Before(&until) && (first == nil || first.Reason != v1.ReasonOOMKilled && restart.Reason == v1.ReasonOOMKilled) {
			first = restart
		}
	}
	if first == nil {
		return nil
	}
	message := fmt.Sprintf("pod %s, container %s: it was started again after it had %s", first.Pod, first.Container, first.Words)
	if first.Reason == v1.ReasonOOMKilled {
		message += "; " + memoryAdvice(app, first.Container)
	}
	return &PodFault{Reason: first.Reason, Message: message}
}

// memoryAdvice says what to do about a container that needs more memory than it gets. A LimitRange, which the operator does not
// see, may have set the limit.
func memoryAdvice(app *v1.Application, container string) string {
	field, limits := limitsOf(app, container)
	limit, ok := limits[corev1.ResourceMemory]
	if !ok {
		return field + " is not set: a LimitRange sets it, or its node has run out of memory; set it, with a request of as much"
	}
	return fmt.Sprintf("raise %s, which is %s, or find what needs so much", field, limit.String())
}

// limitsOf returns the path of a container's memory limit in the spec, and its limits.
func limitsOf(app *v1.Application, container string) (string, corev1.ResourceList) {
	const limit = "resources.limits.memory"
	for _, list := range []struct {
		field      string
		containers []corev1.Container
	}{{"sidecars", app.Spec.Sidecars}, {"initContainers", app.Spec.InitContainers}} {
		at := slices.IndexFunc(list.containers, func(c corev1.Container) bool { return c.Name == container })
		if at >= 0 {
			return fmt.Sprintf("spec.%s[%d].%s", list.field, at, limit), list.containers[at].Resources.Limits
		}
	}
	if app.Spec.Resources == nil {
		return "spec." + limit, nil
	}
	return "spec." + limit, corev1.ResourceList(app.Spec.Resources.Limits)
}

// nextRestartForgotten returns when the first of the restarts that are told of is not any more; the zero time for none.
func nextRestartForgotten(seen Observed) metav1.Time {
	var next metav1.Time
	for i := range seen.Restarts {
		next = earlier(next, ifAhead(seen.Restarts[i].until(), seen.Now))
	}
	return next
}
