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
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/example/app-operator/api/v1"
)

// restarted returns a container that runs again after it had run for so many seconds.
func restarted(reason string, code int32, seconds int) corev1.ContainerStatus {
	return corev1.ContainerStatus{
		Name: "my-app", Ready: true, RestartCount: 1,
		State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: at(seconds)}},
		LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			Reason: reason, ExitCode: code, StartedAt: start, FinishedAt: at(seconds),
		}},
	}
}

func runningPod(containers ...corev1.ContainerStatus) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "my-app-1"},
		Status:     corev1.PodStatus{Phase: corev1.PodRunning, ContainerStatuses: containers},
	}
}

// TestRestartOf says which ends of a container that runs again are unusual.
func TestRestartOf(t *testing.T) {
	waiting := restarted("OOMKilled", 137, 60)
	waiting.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}}
	ending, ended := runningPod(restarted("OOMKilled", 137, 60)), runningPod(restarted("OOMKilled", 137, 60))
	ending.DeletionTimestamp = new(start)
	ended.Status.Phase = corev1.PodFailed
	sidecar := runningPod()
	sidecar.Status.InitContainerStatuses = []corev1.ContainerStatus{restarted("Error", 1, 700)}
	for name, test := range map[string]struct {
		pod  *corev1.Pod
		want string
	}{
		"never restarted":                   {runningPod(corev1.ContainerStatus{State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}), ""},
		"killed for want of memory":         {runningPod(restarted("OOMKilled", 137, 60)), v1.ReasonOOMKilled},
		"killed in the second container":    {runningPod(restarted("Completed", 0, 60), restarted("OOMKilled", 137, 60)), v1.ReasonOOMKilled},
		"failed after it had run for long":  {runningPod(restarted("Error", 1, 600)), v1.ReasonContainerRestarted},
		"a sidecar failed":                  {sidecar, v1.ReasonContainerRestarted},
		"failed while it waited for others": {runningPod(restarted("Error", 1, 599)), ""},
		"ended as it wanted to":             {runningPod(restarted("Completed", 0, 6000)), ""},
		"its node was lost and came back":   {runningPod(restarted("Unknown", 255, 6000)), ""},
		"it waits, which is a fault":        {runningPod(waiting), ""},
		"a pod that is ending":              {ending, ""},
		"a pod that has ended":              {ended, ""},
	} {
		got := ""
		if found := RestartOf(test.pod); found != nil {
			got = found.Reason
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// TestRestartsAreToldForAnHour follows an Application that serves all the while.
func TestRestartsAreToldForAnHour(t *testing.T) {
	crashed := *RestartOf(runningPod(restarted("Error", 3, 900)))
	killed := *RestartOf(runningPod(restarted("OOMKilled", 137, 1000)))
	killed.Pod = "my-app-2"
	for _, test := range []struct {
		name     string
		at       int
		restarts []Restart
		reason   string
		expires  int
	}{
		{"none", 900, nil, "", 0},
		{"one", 900, []Restart{crashed}, v1.ReasonContainerRestarted, 4500},
		{"memory comes first", 1000, []Restart{crashed, killed}, v1.ReasonOOMKilled, 4500},
		{"the other is over", 4500, []Restart{crashed, killed}, v1.ReasonOOMKilled, 4600},
		{"all are over", 4600, []Restart{crashed, killed}, "", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			app := newApplication()
			seen := Observed{Now: at(test.at), Deployment: newDeployment(3), Restarts: test.restarts}
			app.Status = Of(app, seen, nil)
			if ready := condition(t, app.Status, v1.ConditionReady); ready.Status != metav1.ConditionTrue {
				t.Errorf("Ready is %s: %s", ready.Status, ready.Message)
			}
			degraded := condition(t, app.Status, v1.ConditionDegraded)
			if (degraded.Status == metav1.ConditionTrue) != (test.reason != "") || test.reason != "" && degraded.Reason != test.reason {
				t.Errorf("Degraded is %s %s, want %q", degraded.Status, degraded.Reason, test.reason)
			}
			want := metav1.Time{}
			if test.expires > 0 {
				want = at(test.expires)
			}
			if got := Expires(app, seen, app.Status); !got.Equal(&want) {
				t.Errorf("expires at %s, want %s", got, want)
			}
		})
	}
	if deleted := condition(t, Of(newApplication(beingDeleted), Observed{
		Now: at(900), Deployment: newDeployment(3), Restarts: []Restart{crashed},
	}, nil), v1.ConditionDegraded); deleted.Status == metav1.ConditionTrue {
		t.Errorf("of an Application that is being deleted: %s", deleted.Message)
	}
}

// TestMemoryAdvice names the field that limits the container that was killed.
func TestMemoryAdvice(t *testing.T) {
	limited := corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("64Mi")}
	app := newApplication(func(app *v1.Application) {
		app.Spec.Resources = &v1.ResourceRequirements{Limits: v1.ResourceList(limited)}
		app.Spec.Sidecars = []corev1.Container{{Name: "log"}, {Name: "proxy", Resources: corev1.ResourceRequirements{Limits: limited}}}
		app.Spec.InitContainers = []corev1.Container{{Name: "fetch", Resources: corev1.ResourceRequirements{Limits: limited}}}
	})
	const unset = " is not set: a LimitRange sets it, or its node has run out of memory; set it, with a request of as much"
	for container, want := range map[string]string{
		"my-app": "raise spec.resources.limits.memory, which is 64Mi, or find what needs so much",
		"proxy":  "raise spec.sidecars[1].resources.limits.memory, which is 64Mi, or find what needs so much",
		"fetch":  "raise spec.initContainers[0].resources.limits.memory, which is 64Mi, or find what needs so much",
		"log":    "spec.sidecars[0].resources.limits.memory" + unset,
	} {
		killed := RestartOf(runningPod(restarted("OOMKilled", 137, 60)))
		killed.Container = container
		degraded := condition(t, Of(app, Observed{Now: at(60), Deployment: newDeployment(3), Restarts: []Restart{*killed}}, nil), v1.ConditionDegraded)
		if want := "pod my-app-1, container " + container + ": it was started again after it had ended with exit code 137 (OOMKilled); " + want; degraded.Message != want {
			t.Errorf("%s:\n got %s\nwant %s", container, degraded.Message, want)
		}
	}
	app.Spec.Resources = nil
	if got, want := memoryAdvice(app, "my-app"), "spec.resources.limits.memory"+unset; got != want {
		t.Errorf("without resources:\n got %s\nwant %s", got, want)
	}
}
