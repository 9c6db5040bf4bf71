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

package controller_test

import (
	"context"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/test/controlplane"
)

// A person who sees nothing but this command's output must learn what is wrong and where. What the kubelet says is played
// by hand, as docs/guide.md has it from a real one.
var _ = Describe("kubectl describe appl tells why it is broken", func() {
	var namespace string
	var app *v1.Application

	BeforeEach(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		startOperator(ctx, namespace)
		app = web(namespace)
	})

	tells := func(ctx SpecContext, reason string, words ...string) {
		GinkgoHelper()
		matchers := []types.GomegaMatcher{ContainSubstring("Reason: " + reason), MatchRegexp("Events: .* Warning " + reason)}
		for _, part := range words {
			matchers = append(matchers, ContainSubstring(part))
		}
		Eventually(func() string { // columns and line breaks aside
			return strings.Join(strings.Fields(kubectl(ctx, "describe", "appl/web", "-n", namespace)), " ")
		}).Should(SatisfyAll(matchers...))
	}
	unmanaged := func(ctx SpecContext) {
		app.Spec.PodMetadata = &v1.PodMetadata{Labels: map[string]string{controlplane.Unmanaged: "true"}}
		Expect(k8s.Create(ctx, app)).To(Succeed())
	}

	It("by a wrong image name", func(ctx SpecContext) {
		unmanaged(ctx)
		breakPods(ctx, app, waiting("ImagePullBackOff", `Back-off pulling image "nginx:1.92": ErrImagePull: rpc error: code = NotFound `+
			`desc = failed to pull and unpack image "docker.io/library/nginx:1.92": not found`))
		tells(ctx, v1.ReasonImagePullFailed, "pod web-", "container web", `"docker.io/library/nginx:1.92": not found`)
	})

	It("by a crashing command", func(ctx SpecContext) {
		unmanaged(ctx)
		breakPods(ctx, app, corev1.ContainerStatus{
			RestartCount: 3,
			State:        corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}},
			LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
				ExitCode: 1, Reason: "Error",
			}},
		})
		tells(ctx, v1.ReasonCrashLooping, "pod web-", "container web", "ended with exit code 1")
	})

	It("by a missing Secret", func(ctx SpecContext) {
		app.Spec.EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{
			LocalObjectReference: corev1.LocalObjectReference{Name: "database"},
		}}}
		Expect(k8s.Create(ctx, app)).To(Succeed())
		tells(ctx, v1.ReasonReferenceMissing, "Secret database", "create it, or change the spec")
	})

	It("by a request that no node has", func(ctx SpecContext) {
		app.Spec.Resources = &v1.ResourceRequirements{Requests: v1.ResourceList{corev1.ResourceCPU: resource.MustParse("1000")}}
		Expect(k8s.Create(ctx, app)).To(Succeed())
		tells(ctx, v1.ReasonUnschedulable, "pod web-", "Insufficient cpu")
	})

	It("by an exceeded quota", func(ctx SpecContext) {
		limitPods(ctx, namespace, 1)
		Expect(k8s.Create(ctx, app)).To(Succeed())
		tells(ctx, v1.ReasonQuotaExceeded, "a pod cannot be made", "exceeded quota: small", "limited: pods=1")
	})

	It("by a name conflict", func(ctx SpecContext) {
		Expect(k8s.Create(ctx, &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: namespace},
			Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}},
		})).To(Succeed())
		Expect(k8s.Create(ctx, app)).To(Succeed())
		tells(ctx, v1.ReasonChildConflict, "Service web exists and is not this Application's", "give the Application another name")
	})

	It("by an admission denial", func(ctx SpecContext) {
		restrictPods(ctx, namespace)
		Expect(k8s.Create(ctx, app)).To(Succeed())
		tells(ctx, v1.ReasonAdmissionDenied, "a pod cannot be made", "violates PodSecurity", "runAsNonRoot")
	})

	It("by a rollout that was undone", func(ctx SpecContext) {
		app.Spec.Rollout = &v1.RolloutSpec{OnFailure: v1.FailurePolicyRollback, FailAfterSeconds: new(int32(1))}
		createReady(ctx, app)
		edit(ctx, app, func(app *v1.Application) {
			app.Spec.Image, app.Spec.PodMetadata = "nginx:1.92", &v1.PodMetadata{Labels: map[string]string{controlplane.Unmanaged: "true"}}
		})
		breakNewPods(ctx, app, corev1.ContainerStatus{
			RestartCount: 3,
			State:        corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}},
			LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
				ExitCode: 1, Reason: "Error", Message: "no such column",
			}},
		})
		tells(ctx, v1.ReasonRolledBack, "the rollout of revision "+updateRevision(ctx, app)+" has failed: CrashLooping: pod web-", "no such column",
			"the pods of revision "+app.Status.CurrentRevision+", image nginx:1.29, run instead, until the spec asks for other pods")
	})

	It("by a release command that has failed", func(ctx SpecContext) {
		app.Spec.Release = &v1.ReleaseSpec{Command: []string{"migrate"}}
		createReady(ctx, app)
		edit(ctx, app, func(app *v1.Application) {
			app.Spec.Image, app.Spec.PodMetadata = "nginx:1.92", &v1.PodMetadata{Labels: map[string]string{controlplane.Unmanaged: "true"}}
		})
		revision := updateRevision(ctx, app)
		failing := releaseOf(ctx, app)
		finishRun(ctx, app, failing.Name, 3, "no such table")
		tells(ctx, v1.ReasonReleaseFailed, "the release command of revision "+revision+" has failed", "Job "+failing.Name,
			"ended with exit code 3 (Error): no such table", "image nginx:1.29, run instead")
	})
})

// updateRevision waits until the operator has looked at the Application's spec, and returns the revision that it asks for.
func updateRevision(ctx context.Context, app *v1.Application) string {
	GinkgoHelper()
	Eventually(fresh(ctx, app)).Should(HaveField("Status.ObservedGeneration", app.Generation))
	return app.Status.UpdateRevision
}
