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

package e2e_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
)

// failingRollout is an Application that is asked for pods, or a release command, that fail.
type failingRollout struct {
	name string
	// prepare edits what works, and fail makes it fail.
	prepare, fail func(*v1.ApplicationSpec)
	reason        string
	words         []string
	// gap says that requests fail while pods are replaced, whatever the operator does.
	gap bool

	app   *v1.Application
	guest *visitor
	// early is how many requests failed before its node's proxy had heard of the new Service.
	early int
	// good is the revision that works, and pods are its pods.
	good string
	pods []string
}

// failAfterSeconds is how long pods may crash, and deadlineSeconds how long a rollout may stand still.
const (
	failAfterSeconds = 10
	deadlineSeconds  = 30
)

func crash(spec *v1.ApplicationSpec) { spec.Args = []string{"no-such-command"} }

func failingRollouts() []*failingRollout {
	return []*failingRollout{
		{name: "crash", fail: crash, reason: v1.ReasonRolledBack, words: []string{v1.ReasonCrashLooping, "no-such-command"}},
		{
			name: "image", fail: func(spec *v1.ApplicationSpec) { spec.Image = missing() }, reason: v1.ReasonRolledBack,
			words: []string{v1.ReasonImagePullFailed, "not found"},
		},
		{ // it listens elsewhere
			name: "unready", fail: func(spec *v1.ApplicationSpec) {
				spec.Env = []corev1.EnvVar{{Name: "PORT", Value: "81"}}
				spec.Rollout.ProgressDeadlineSeconds = new(int32(deadlineSeconds)) // of others, a busy node may need longer
			},
			reason: v1.ReasonRolledBack, words: []string{v1.ReasonProgressDeadlineExceeded},
		},
		{
			name: "migration", prepare: func(spec *v1.ApplicationSpec) { spec.Release = &v1.ReleaseSpec{Args: []string{"nothing"}} },
			fail:   func(spec *v1.ApplicationSpec) { spec.Release.Args = []string{"no-such-migration"} },
			reason: v1.ReasonReleaseFailed, words: []string{"no-such-migration"},
		},
		{
			name: "hanging-migration", prepare: func(spec *v1.ApplicationSpec) { spec.Release = &v1.ReleaseSpec{Args: []string{"nothing"}} },
			fail: func(spec *v1.ApplicationSpec) {
				spec.Release.Args, spec.Release.ActiveDeadlineSeconds = []string{"poll", "http://localhost"}, new(int64(deadlineSeconds))
			},
			reason: v1.ReasonReleaseFailed, words: []string{"DeadlineExceeded"},
		},
		{
			name: "autoscaled", prepare: func(spec *v1.ApplicationSpec) {
				spec.Autoscaling = &v1.AutoscalingSpec{MinReplicas: new(int32(2)), MaxReplicas: 3}
				spec.Resources = &v1.ResourceRequirements{Requests: v1.ResourceList{corev1.ResourceCPU: resource.MustParse("1m")}}
			},
			fail: crash, reason: v1.ReasonRolledBack, words: []string{v1.ReasonCrashLooping},
		},
		{
			name: "recreate", prepare: func(spec *v1.ApplicationSpec) { spec.Rollout.Strategy = appsv1.RecreateDeploymentStrategyType },
			fail: crash, reason: v1.ReasonRolledBack, words: []string{v1.ReasonCrashLooping}, gap: true,
		},
	}
}

var _ = Describe("A rollout that fails", Label(groupRollouts), Ordered, func() {
	const namespace, clients = "e2e-rollouts", "e2e-rollouts-clients"
	all := failingRollouts()

	BeforeAll(func(ctx SpecContext) {
		createNamespace(ctx, clients, nil)
		deployFor(ctx, namespace, nil)
		each(all, func(f *failingRollout) { f.start(ctx, namespace, clients) })
	}, NodeTimeout(specLimit))

	It("is undone under a client, stays so, and the next one goes through", func(ctx SpecContext) {
		failTogether(ctx, all, "1", func() {})
	}, SpecTimeout(specLimit))

	It("is undone while the leader and another replica are killed", func(ctx SpecContext) {
		failTogether(ctx, all, "2", func() {
			pods, err := operatorPodsIn(ctx, namespace)
			Expect(err).NotTo(HaveOccurred())
			holder := run(ctx, "kubectl", "get", "lease/"+leaseName, "--namespace", namespace, "--output", "jsonpath={.spec.holderIdentity}")
			slices.SortFunc(pods, func(a, b corev1.Pod) int { // the leader first
				return strings.Compare(fmt.Sprint(!strings.Contains(holder, a.Name)), fmt.Sprint(!strings.Contains(holder, b.Name)))
			})
			for i := range pods[:2] {
				Expect(k8s.Delete(ctx, &pods[i], client.GracePeriodSeconds(0))).To(Succeed())
			}
		})
	}, SpecTimeout(specLimit))
})

// each does the same for all of them at once.
func each(all []*failingRollout, do func(*failingRollout)) {
	var workers sync.WaitGroup
	for _, f := range all {
		workers.Go(func() {
			defer GinkgoRecover()
			do(f)
		})
	}
	workers.Wait()
}

// start makes the Application as it works, and a client.
func (f *failingRollout) start(ctx context.Context, namespace, clients string) {
	GinkgoHelper()
	f.app = webApplication(namespace, 2)
	f.app.Name = f.name
	f.app.Spec.Probes = &v1.ProbesSpec{Readiness: &v1.Probe{HTTPGet: &v1.HTTPGetProbe{Port: new(intstr.FromInt32(80))}, PeriodSeconds: new(int32(1))}}
	f.app.Spec.Shutdown = &v1.ShutdownSpec{PreStopSleepSeconds: 5}
	f.app.Spec.Rollout = &v1.RolloutSpec{OnFailure: v1.FailurePolicyRollback, FailAfterSeconds: new(int32(failAfterSeconds))}
	if f.prepare != nil {
		f.prepare(&f.app.Spec)
	}
	Expect(k8s.Create(ctx, f.app)).To(Succeed())
	Eventually(fresh(f.app)).WithContext(ctx).Should(beReady())
	f.guest = startClient(ctx, clients, f.name, f.app.Status.URL)
	Eventually(f.guest.names).WithContext(ctx).ShouldNot(BeEmpty())
	failures, err := f.guest.failures(ctx)
	Expect(err).NotTo(HaveOccurred())
	f.early = len(failures)
}

// failTogether has all of them fail, disturbs, waits until each is back, and asks for what works again.
func failTogether(ctx context.Context, all []*failingRollout, round string, disturb func()) {
	GinkgoHelper()
	var report sync.Map
	each(all, func(f *failingRollout) {
		Expect(fresh(f.app)(ctx)).To(beReady())
		f.good, f.pods = f.app.Status.CurrentRevision, f.podNames(ctx)
		before := f.app.DeepCopy()
		f.fail(&f.app.Spec)
		f.app.Spec.PodMetadata = &v1.PodMetadata{Annotations: map[string]string{"round": round}}
		Expect(k8s.Patch(ctx, f.app, client.MergeFrom(before))).To(Succeed())
	})
	began := time.Now()
	Eventually(func(g Gomega) { // some of them have failed by now, and none for long enough
		app, err := fresh(all[1].app)(ctx)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(app).To(haveReady(metav1.ConditionFalse, v1.ReasonImagePullFailed))
	}).WithContext(ctx).Should(Succeed())
	disturb()
	each(all, func(f *failingRollout) {
		Eventually(fresh(f.app)).WithContext(ctx).Should(haveReady(metav1.ConditionFalse, f.reason, append(f.words, f.good)...))
		told := time.Since(began)
		Eventually(f.back).WithContext(ctx).Should(BeTrue(), "only pods of %s", f.good)
		report.Store(f.name, fmt.Sprintf("told after %s, only the old pods after %s", told.Round(time.Second), time.Since(began).Round(time.Second)))
	})

	calm, err := time.ParseDuration(setting("E2E_CALM", "20s"))
	Expect(err).NotTo(HaveOccurred())
	By("changing nothing for " + calm.String())
	states := map[string]string{}
	for _, f := range all {
		states[f.name] = f.state(ctx)
	}
	Consistently(func(g Gomega) {
		for _, f := range all {
			g.Expect(f.state(ctx)).To(Equal(states[f.name]), f.name)
		}
	}).WithContext(ctx).WithTimeout(calm).WithPolling(2 * time.Second).Should(Succeed())

	By("rolling out what works")
	each(all, func(f *failingRollout) {
		began := time.Now()
		before := f.app.DeepCopy()
		f.app.Spec.Args, f.app.Spec.Env, f.app.Spec.Image = nil, nil, images.Web
		f.app.Spec.PodMetadata = &v1.PodMetadata{Annotations: map[string]string{"round": round + ", mended"}}
		f.app.Spec.Rollout.ProgressDeadlineSeconds = nil
		if f.app.Spec.Release != nil {
			f.app.Spec.Release.Args, f.app.Spec.Release.ActiveDeadlineSeconds = []string{"nothing"}, nil
		}
		Expect(k8s.Patch(ctx, f.app, client.MergeFrom(before))).To(Succeed())
		Eventually(fresh(f.app)).WithContext(ctx).Should(SatisfyAll(beReady(), HaveField("Status.CurrentRevision", Not(Equal(f.good)))))
		failures, err := f.guest.failures(ctx)
		Expect(err).NotTo(HaveOccurred())
		failures = failures[f.early:]
		said, _ := report.Load(f.name)
		AddReportEntry(f.name, fmt.Sprintf("round %s: %s; the next one Ready after %s; of %d requests so far %d failed", round, said,
			time.Since(began).Round(time.Second), f.guest.answers(ctx)+len(failures), len(failures)))
		if !f.gap {
			Expect(failures).To(BeEmpty(), f.name)
		}
	})
}

// podNames returns the names of the Application's pods that are not going.
func (f *failingRollout) podNames(ctx context.Context) []string {
	GinkgoHelper()
	pods, err := podsOf(ctx, f.app)
	Expect(err).NotTo(HaveOccurred())
	var names []string
	for _, pod := range pods {
		if pod.DeletionTimestamp == nil {
			names = append(names, pod.Name)
		}
	}
	slices.Sort(names)
	return names
}

// back reports whether the only pods are those that have worked all the time, or, since Recreate has ended them, as many that work.
func (f *failingRollout) back(ctx context.Context) bool {
	GinkgoHelper()
	if !f.gap {
		return slices.Equal(f.podNames(ctx), f.pods)
	}
	pods, err := podsOf(ctx, f.app)
	Expect(err).NotTo(HaveOccurred())
	return len(pods) == len(f.pods) && !slices.ContainsFunc(pods, func(pod corev1.Pod) bool { return !works(pod) })
}

// works reports whether the pod is Ready, and is to stay.
func works(pod corev1.Pod) bool {
	return pod.DeletionTimestamp == nil && isReady(&pod)
}

// state returns what changes when anything is rolled out.
func (f *failingRollout) state(ctx context.Context) string {
	GinkgoHelper()
	deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: f.name, Namespace: f.app.Namespace}}
	Expect(k8s.Get(ctx, client.ObjectKeyFromObject(deployment), deployment)).To(Succeed())
	app, err := fresh(f.app)(ctx)
	Expect(err).NotTo(HaveOccurred())
	return fmt.Sprintf("generation %d, revisions %s and %s, pods %v", deployment.Generation, app.Status.CurrentRevision, app.Status.UpdateRevision, f.podNames(ctx))
}
