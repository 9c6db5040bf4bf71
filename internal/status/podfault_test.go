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
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	v1 "github.com/example/app-operator/api/v1"
)

// TestFaultOf judges the pods of testdata/pods, whose statuses are in the kubelet's and the scheduler's own words.
func TestFaultOf(t *testing.T) {
	const (
		notFound = `rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:nope": ` +
			`failed to resolve reference "docker.io/library/nginx:nope": docker.io/library/nginx:nope: not found`
		unavailable = "image pull failed for registry.example.com/shop:1 because the registry is unavailable: " +
			"dial tcp 192.0.2.1:443: connect: connection refused"
		unsigned = "image pull failed for registry.example.com/shop:1 because the signature validation failed: no valid signature"
		noSuch   = "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: " +
			`unable to start container process: error during container init: exec: "/nope": stat /nope: no such file or directory: unknown`
	)
	in := func(container, reason, words string) *PodFault {
		return &PodFault{Reason: reason, Message: "pod my-app-5d9c7b6f4-x2x7k, container " + container + ": " + words}
	}
	pull := func(words string) *PodFault { return in("my-app", v1.ReasonImagePullFailed, words) }
	crash := func(words string) *PodFault { return in("my-app", v1.ReasonCrashLooping, words) }
	config := func(reason, words string) *PodFault { return in("my-app", reason, words) }

	wants := map[string]*PodFault{
		// The message is the same while the kubelet tries and while it waits.
		"pull-not-found":                     pull(notFound),
		"pull-not-found-back-off":            pull(notFound),
		"pull-registry-unavailable":          pull(unavailable),
		"pull-registry-unavailable-back-off": pull(unavailable),
		"pull-signature":                     pull(unsigned),
		"pull-signature-back-off":            pull(unsigned),
		"pull-back-off-of-old-kubelet":       pull(`Back-off pulling image "nginx:nope"`),
		"pull-without-words":                 pull("ErrImagePull"),
		"image-name-invalid":                 pull(`Failed to apply default image tag "nginx::nope": couldn't parse image name "nginx::nope": invalid reference format`),
		"image-never-pulled":                 pull(`Container image "nginx:nope" is not present with pull policy of Never`),
		"image-inspect":                      pull(`Failed to inspect image "nginx:nope": rpc error: code = Unknown desc = Error response from daemon: unable to inspect`),

		// The message is the same all through a crash loop; the back-off's growing time is not in it.
		"crash-second":               crash("CrashLoopBackOff: ended with exit code 1 (Error)"),
		"crash-back-off-10s":         crash("CrashLoopBackOff: ended with exit code 1 (Error)"),
		"crash-back-off-5m":          crash("CrashLoopBackOff: ended with exit code 1 (Error)"),
		"crash-again-and-runs":       crash("CrashLoopBackOff: ended with exit code 1 (Error)"),
		"crash-oom":                  crash("CrashLoopBackOff: ended with exit code 137 (OOMKilled)"),
		"crash-with-last-words":      crash("CrashLoopBackOff: ended with exit code 2 (Error): panic: no DATABASE_URL\n\ngoroutine 1 [running]:"),
		"crash-without-trace":        crash("CrashLoopBackOff"),
		"ends-well-second":           crash("CrashLoopBackOff: ended with exit code 0 (Completed)"),
		"ends-well-back-off":         crash("CrashLoopBackOff: ended with exit code 0 (Completed)"),
		"ends-well-again-and-runs":   crash("CrashLoopBackOff: ended with exit code 0 (Completed)"),
		"start-error":                crash("CrashLoopBackOff: ended with exit code 128 (StartError): " + noSuch),
		"start-error-back-off":       crash("CrashLoopBackOff: ended with exit code 128 (StartError): " + noSuch),
		"start-error-without-trace":  crash("RunContainerError: " + noSuch),
		"create-error":               crash("CreateContainerError: failed to generate container spec: failed to generate spec: no command specified"),
		"create-error-after-a-crash": crash("CreateContainerError: context deadline exceeded"),
		"post-start-hook":            crash("PostStartHookError: Exec lifecycle hook ([/nope]) for Container failed"),

		"config-secret-missing":     config(v1.ReasonReferenceMissing, `secret "credentials" not found`),
		"config-configmap-missing":  config(v1.ReasonReferenceMissing, `configmap "settings" not found`),
		"config-key-missing":        config(v1.ReasonReferenceMissing, "couldn't find key log-level in ConfigMap shop/settings"),
		"config-secret-key-missing": config(v1.ReasonReferenceMissing, "couldn't find key password in Secret shop/credentials"),
		"config-run-as-root": config(v1.ReasonInvalidSpec, `container has runAsNonRoot and image will run as root `+
			`(pod: "my-app-5d9c7b6f4-x2x7k_shop(0b1f6b0e-7c0e-4a53-8a4c-3f0f3a1f8d11)", container: my-app)`),
		"config-user-by-name": config(v1.ReasonInvalidSpec, `container has runAsNonRoot and image has non-numeric user (nginx), `+
			`cannot verify user is non-root (pod: "my-app-5d9c7b6f4-x2x7k_shop(0b1f6b0e-7c0e-4a53-8a4c-3f0f3a1f8d11)", container: my-app)`),

		"init-pull":      in("migrate", v1.ReasonImagePullFailed, notFound),
		"init-crash":     in("migrate", v1.ReasonCrashLooping, "CrashLoopBackOff: ended with exit code 3 (Error)"),
		"two-containers": in("proxy", v1.ReasonCrashLooping, "CrashLoopBackOff: ended with exit code 1 (Error)"),

		"unschedulable": {
			Reason: v1.ReasonUnschedulable,
			Message: "pod my-app-5d9c7b6f4-x2x7k: 0/3 nodes are available: 3 Insufficient cpu. preemption: " +
				"0/3 nodes are available: 3 No preemption victims found for incoming pod.",
		},

		// It is on its way, or it was a single mishap.
		"pending": nil, "scheduling-gated": nil, "creating": nil, "initializing": nil, "running": nil, "running-not-ready": nil,
		"crash-first": nil, "crash-recovered": nil, "crash-recovering": nil, "crash-again-and-is-ready": nil, "ends-well-first": nil,
		"config-unread": nil, "config-services-unread": nil,
		"init-running": nil, "init-recovered": nil, "init-done-twice": nil,
		// It is not coming back, and its ReplicaSet makes another.
		"deleted-crashing": nil, "deleted-unschedulable": nil,
		"evicted-after-crashes": nil, "succeeded-after-crashes": nil, "failed-while-waiting": nil,
	}
	pods := readPods(t)
	for name := range wants {
		if pods[name] == nil {
			t.Errorf("there is no testdata/pods/%s.yaml", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(pods)) {
		t.Run(name, func(t *testing.T) {
			pod := pods[name]
			want, judged := wants[name]
			if !judged {
				t.Fatal("this test does not say what to expect of the pod")
			}
			before := pod.DeepCopy()
			if diff := cmp.Diff(want, FaultOf(pod, later)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if diff := cmp.Diff(before, pod); diff != "" {
				t.Errorf("the pod was changed (-before +after):\n%s", diff)
			}
		})
	}
}

func TestLongLastWordsAreCutAtACharacter(t *testing.T) {
	tests := []struct {
		name, words, want string
	}{
		{name: "short ones are kept", words: strings.Repeat("a", maxWords), want: strings.Repeat("a", maxWords)},
		{name: "long ones are cut", words: strings.Repeat("a", maxWords+1), want: strings.Repeat("a", maxWords) + " ..."},
		{
			name: "a character of three bytes across the border is left out", words: strings.Repeat("a", maxWords-1) + "€" + "b",
			want: strings.Repeat("a", maxWords-1) + " ...",
		},
		{
			name: "a character of three bytes before the border stays", words: strings.Repeat("a", maxWords-3) + "€" + "b",
			want: strings.Repeat("a", maxWords-3) + "€ ...",
		},
		{name: "white space around them is left out", words: "\n out of luck \n", want: "out of luck"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			pod := readPods(t)["crash-with-last-words"]
			pod.Status.ContainerStatuses[0].LastTerminationState.Terminated.Message = test.words
			const start = "pod my-app-5d9c7b6f4-x2x7k, container my-app: CrashLoopBackOff: ended with exit code 2 (Error): "
			got := FaultOf(pod, later).Message
			if diff := cmp.Diff(start+test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if !utf8.ValidString(got) {
				t.Error("the message is not valid UTF-8")
			}
		})
	}
}

// readPods returns the pods of testdata/pods by their file's name.
func readPods(t testing.TB) map[string]*corev1.Pod {
	t.Helper()
	paths, err := filepath.Glob("testdata/pods/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no pods in testdata: %v", err)
	}
	pods := map[string]*corev1.Pod{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		pod := &corev1.Pod{}
		if err := yaml.UnmarshalStrict(data, pod); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		pods[strings.TrimSuffix(filepath.Base(path), ".yaml")] = pod
	}
	return pods
}

// later is after everything in these tests: no container counts as just started.
var later = metav1.NewTime(time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC))

func TestACrashLoopIsNotOverWhenTheContainerRuns(t *testing.T) {
	started := metav1.NewTime(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC))
	before, after := metav1.NewTime(started.Add(-time.Minute)), metav1.NewTime(started.Add(time.Minute))
	pod := func(restarts int32, ready bool) *corev1.Pod {
		return &corev1.Pod{Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{
			Name: "my-app", RestartCount: restarts, Ready: ready,
			State:                corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: started}},
			LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 1}},
		}}}}
	}
	for name, test := range map[string]struct {
		pod   *corev1.Pod
		since metav1.Time
		want  bool
	}{
		"just started, and called ready":      {pod(3, true), before, true},
		"just started, and not ready":         {pod(3, false), before, true},
		"runs for long enough":                {pod(3, true), after, false},
		"runs for long enough, and not ready": {pod(3, false), after, true},
		"was restarted once":                  {pod(1, true), before, false},
	} {
		if got := FaultOf(test.pod, test.since) != nil; got != test.want {
			t.Errorf("%s: a fault: %v, want %v", name, got, test.want)
		}
	}
}
