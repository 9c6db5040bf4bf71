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
	"net/http"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/test/controlplane"
)

// The kubelet's part is played by hand for the pods that fail.
var _ = Describe("A revision", func() {
	var namespace string
	var running *runningOperator

	BeforeEach(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		running = startOperator(ctx, namespace)
	})

	It("is made for other pods and for nothing else, is written once, and comes back with its pods", func(ctx SpecContext) {
		app := web(namespace)
		createReady(ctx, app)
		first := app.Status.CurrentRevision
		Expect(first).To(HavePrefix("web-"))
		Expect(app.Status.UpdateRevision).To(Equal(first))
		edit(ctx, app, func(app *v1.Application) {
			app.Spec.Replicas, app.Spec.Service = new(int32(1)), &v1.ServiceSpec{Port: new(int32(80))}
		})
		edit(ctx, app, func(app *v1.Application) { app.Spec.Image = "nginx:1.30" })
		Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), haveRevisions(Not(Equal(first)))))
		second := app.Status.CurrentRevision
		edit(ctx, app, func(app *v1.Application) { app.Spec.Image = "nginx:1.29" })
		Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), haveRevisions(Equal(first))))
		running.rest(ctx)

		revisions := revisionsOf(ctx, app)
		Expect(revisions).To(HaveLen(2))
		Expect(revisions[first].Revision).To(BeNumerically(">", revisions[second].Revision))
		for _, revision := range revisions {
			Expect(metav1.IsControlledBy(revision, app)).To(BeTrue())
			Expect(revision.Labels).To(Equal(map[string]string{"apps.example.com/application": "web"}))
		}
		Expect(running.writesOf("controllerrevisions")).To(HaveLen(3), "two made, and one numbered anew")

		By("keeping no more than are asked for")
		edit(ctx, app, func(app *v1.Application) { app.Spec.Rollout = &v1.RolloutSpec{RevisionHistoryLimit: new(int32(1))} })
		for _, image := range []string{"nginx:1.31", "nginx:1.32", "nginx:1.33"} {
			edit(ctx, app, func(app *v1.Application) { app.Spec.Image = image })
			Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), HaveField("Status.Image", image)))
		}
		Eventually(func() map[string]*appsv1.ControllerRevision { return revisionsOf(ctx, app) }).Should(HaveLen(2))
	})

	It("that somebody deletes is made again if the spec asks for it, and is otherwise named no more", func(ctx SpecContext) {
		app := web(namespace)
		createReady(ctx, app)
		first := app.Status.CurrentRevision
		remove := func(name string) {
			GinkgoHelper()
			Expect(k8s.Delete(ctx, &appsv1.ControllerRevision{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace}})).To(Succeed())
		}
		edit(ctx, app, func(app *v1.Application) { app.Spec.Replicas, app.Spec.Image = new(int32(0)), "nginx:1.30" })
		Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), HaveField("Status.CurrentRevision", first), HaveField("Status.UpdateRevision", Not(Equal(first)))))
		second := app.Status.UpdateRevision

		remove(first)
		Eventually(fresh(ctx, app)).Should(SatisfyAll(HaveField("Status.CurrentRevision", ""), beReady()))
		remove(second)
		Eventually(func() map[string]*appsv1.ControllerRevision { return revisionsOf(ctx, app) }).Should(SatisfyAll(HaveLen(1), HaveKey(second)))

		By("being paused")
		edit(ctx, app, func(app *v1.Application) { app.Spec.Replicas = new(int32(1)) })
		Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), haveRevisions(Equal(second))))
		edit(ctx, app, func(app *v1.Application) { app.Spec.Replicas, app.Spec.Image = new(int32(0)), "nginx:1.31" })
		Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), HaveField("Status.CurrentRevision", second)))
		edit(ctx, app, func(app *v1.Application) { app.Spec.Paused = true })
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionTrue, v1.ReasonPaused))
		remove(second)
		Eventually(fresh(ctx, app)).Should(HaveField("Status.CurrentRevision", ""))
	})

	DescribeTable("that fails is undone, once, and for as long as the spec asks for it", func(ctx SpecContext, fail func(context.Context, *v1.Application), words ...string) {
		app := web(namespace)
		app.Spec.Rollout = &v1.RolloutSpec{OnFailure: v1.FailurePolicyRollback, FailAfterSeconds: new(int32(3))}
		createReady(ctx, app)
		good := app.Status.CurrentRevision
		before, err := podsOf(ctx, app)
		Expect(err).NotTo(HaveOccurred())

		By("rolling out pods that fail")
		edit(ctx, app, func(app *v1.Application) {
			app.Spec.Image, app.Spec.PodMetadata = "nginx:bad", &v1.PodMetadata{Labels: map[string]string{controlplane.Unmanaged: "true"}}
			if fail == nil { // else a slow machine would be at the deadline first
				app.Spec.Rollout.ProgressDeadlineSeconds = new(int32(5))
			}
		})
		if fail != nil {
			fail(ctx, app)
		}
		words = append(words, good, "nginx:1.29")
		rolledBack := SatisfyAll(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonRolledBack, words...),
			haveCondition(v1.ConditionDegraded, metav1.ConditionTrue, v1.ReasonRolledBack, words...),
			haveCondition(v1.ConditionAvailable, metav1.ConditionTrue, v1.ReasonRolledBack),
			haveCondition(v1.ConditionStalled, metav1.ConditionTrue, v1.ReasonRolledBack),
			HaveField("Status.CurrentRevision", good), HaveField("Status.UpdateRevision", Not(Equal(good))), HaveField("Status.Image", "nginx:1.29"))
		Eventually(fresh(ctx, app)).Should(rolledBack)
		expectWarning(ctx, app, v1.ReasonRolledBack)
		Eventually(podNames(ctx, app)).Should(ConsistOf(before[0].Name, before[1].Name), "the old pods have run all the time")
		running.rest(ctx)

		By("staying so, whatever happens")
		edit(ctx, deploymentOf(app), func(deployment *appsv1.Deployment) { deployment.Spec.Template.Spec.Containers[0].Image = "nginx:bad" })
		Eventually(func() (string, error) {
			deployment, err := get(ctx, deploymentOf(app))
			return deployment.Spec.Template.Spec.Containers[0].Image, err
		}).Should(Equal("nginx:1.29"))
		edit(ctx, app, func(app *v1.Application) { app.Spec.Replicas = new(int32(3)) })
		Eventually(fresh(ctx, app)).Should(SatisfyAll(rolledBack, HaveField("Status.ReadyReplicas", BeNumerically("==", 3)),
			HaveField("Status.ObservedGeneration", app.Generation)))
		running.rest(ctx)
		writes := len(running.writesOf("deployments"))
		Expect(running.Kill()).To(Succeed())
		running = startBuild(ctx, binary, namespace, "restarted")
		Eventually(running.passes).WithContext(ctx).Should(BeNumerically(">=", 1))
		running.rest(ctx)
		Eventually(fresh(ctx, app)).Should(rolledBack)
		Expect(running.writesOf("deployments")).To(HaveLen(writes))

		By("until the spec asks for other pods")
		edit(ctx, app, func(app *v1.Application) {
			app.Spec.Image, app.Spec.PodMetadata, app.Spec.Rollout.ProgressDeadlineSeconds = "nginx:1.30", nil, nil
		})
		Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), haveRevisions(Not(Equal(good))), HaveField("Status.Image", "nginx:1.30")))
	},
		Entry("with pods that crash", func(ctx context.Context, app *v1.Application) {
			breakNewPods(ctx, app, corev1.ContainerStatus{
				RestartCount: 3, State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: "back-off 40s"}},
				LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 7, Reason: "Error", Message: "no database"}},
			})
		}, v1.ReasonCrashLooping, "no database"),
		Entry("with an image that is not there", func(ctx context.Context, app *v1.Application) {
			breakNewPods(ctx, app, waiting("ImagePullBackOff", `Back-off pulling image "nginx:bad": ErrImagePull: not found`))
		}, v1.ReasonImagePullFailed, "not found"),
		Entry("with pods that never get ready", nil, v1.ReasonProgressDeadlineExceeded),
	)

	It("that was rolled back says so beside what is missing for the pods that run", func(ctx SpecContext) {
		app := web(namespace)
		app.Spec.Rollout = &v1.RolloutSpec{OnFailure: v1.FailurePolicyRollback, FailAfterSeconds: new(int32(1))}
		app.Spec.EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "old"}}}}
		createReferences(ctx, app)
		createReady(ctx, app)
		edit(ctx, app, func(app *v1.Application) {
			app.Spec.EnvFrom = nil
			app.Spec.Image, app.Spec.PodMetadata = "nginx:bad", &v1.PodMetadata{Labels: map[string]string{controlplane.Unmanaged: "true"}}
		})
		breakNewPods(ctx, app, waiting("ImagePullBackOff", "not found"))
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonRolledBack))
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "old", Namespace: namespace}}
		Expect(k8s.Delete(ctx, secret)).To(Succeed())
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonReferenceMissing, "Secret old", "not found"))
		Expect(k8s.Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "old", Namespace: namespace}})).To(Succeed())
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonRolledBack))
	})
})

var _ = Describe("A release command", func() {
	var namespace string
	var running *runningOperator
	var app *v1.Application

	BeforeEach(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		running = startOperator(ctx, namespace)
		app = web(namespace)
		app.Spec.Release = &v1.ReleaseSpec{Command: []string{"migrate"}}
	})
	// byHand makes the new pods be left to the spec, those of the release command, too.
	byHand := func(image string) func(*v1.Application) {
		return func(app *v1.Application) {
			app.Spec.Image, app.Spec.PodMetadata = image, &v1.PodMetadata{Labels: map[string]string{controlplane.Unmanaged: "true"}}
		}
	}

	It("runs before the first pods, once for each revision", func(ctx SpecContext) {
		byHand("nginx:1.29")(app)
		Expect(k8s.Create(ctx, app)).To(Succeed())
		Eventually(fresh(ctx, app)).Should(SatisfyAll(haveCondition(v1.ConditionReady, metav1.ConditionUnknown, v1.ReasonReleasing, "web-release-"),
			haveCondition(v1.ConditionReconciling, metav1.ConditionTrue, v1.ReasonReleasing)))
		first := releaseOf(ctx, app)
		running.rest(ctx)
		Expect(podNames(ctx, app)()).To(BeEmpty())
		Expect(first.Spec.Template.Spec.Containers[0].Command).To(Equal([]string{"migrate"}))
		finishRun(ctx, app, first.Name, 0, "")
		Eventually(podNames(ctx, app)).Should(HaveLen(2))
		edit(ctx, app, func(app *v1.Application) { app.Spec.PodMetadata = nil })
		Eventually(fresh(ctx, app)).Should(beReady())
		second := releaseOf(ctx, app)
		Expect(second.Name).NotTo(Equal(first.Name))

		By("not running again where no pods change, nor when it is gone, nor for pods that had it")
		edit(ctx, app, func(app *v1.Application) { app.Spec.Replicas = new(int32(1)) })
		Expect(k8s.Delete(ctx, second, client.PropagationPolicy(metav1.DeletePropagationBackground))).To(Succeed())
		Eventually(gone(ctx, second)).Should(MatchError(ContainSubstring("not found")))
		edit(ctx, app, func(app *v1.Application) { app.Spec.Release.Args = []string{"--all"} })
		Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), HaveField("Status.ObservedGeneration", app.Generation)))
		writes := len(running.writesOf("controllerrevisions"))
		Expect(writes).To(Equal(4), "two made, and two released")
		Expect(running.Kill()).To(Succeed())
		running = startBuild(ctx, binary, namespace, "restarted")
		Eventually(running.passes).WithContext(ctx).Should(BeNumerically(">=", 1))
		running.rest(ctx)
		Expect(releasesOf(ctx, app)).To(BeEmpty())
		Expect(running.writesOf("controllerrevisions")).To(HaveLen(writes))
	})

	It("that fails leaves what runs, with its words, until it is another", func(ctx SpecContext) {
		createReady(ctx, app)
		good := app.Status.CurrentRevision
		before, err := podNames(ctx, app)()
		Expect(err).NotTo(HaveOccurred())
		edit(ctx, app, byHand("nginx:1.30"))
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionUnknown, v1.ReasonReleasing))
		failing := releaseOf(ctx, app)
		finishRun(ctx, app, failing.Name, 3, "no such table")
		failed := SatisfyAll(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonReleaseFailed, "no such table", good),
			haveCondition(v1.ConditionStalled, metav1.ConditionTrue, v1.ReasonReleaseFailed),
			haveCondition(v1.ConditionAvailable, metav1.ConditionTrue, v1.ReasonReleaseFailed), HaveField("Status.CurrentRevision", good))
		Eventually(fresh(ctx, app)).Should(failed)
		expectWarning(ctx, app, v1.ReasonReleaseFailed)
		running.rest(ctx)
		Expect(podNames(ctx, app)()).To(Equal(before))
		Expect(k8s.Delete(ctx, failing, client.PropagationPolicy(metav1.DeletePropagationBackground))).To(Succeed())
		Eventually(gone(ctx, failing)).Should(MatchError(ContainSubstring("not found")))
		running.rest(ctx)
		Expect(fresh(ctx, app)()).To(failed)
		Expect(releasesOf(ctx, app)).To(BeEmpty())

		By("running the corrected command")
		edit(ctx, app, func(app *v1.Application) { app.Spec.Release.Args = []string{"--create-tables"} })
		Eventually(func() []batchv1.Job { return releasesOf(ctx, app) }).Should(HaveLen(1))
		finishRun(ctx, app, releaseOf(ctx, app).Name, 0, "")
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionUnknown, v1.ReasonRollingOut))
	})

	It("that cannot run is a fault, and so is the cause when its time is over", func(ctx SpecContext) {
		byHand("nginx:bad")(app)
		app.Spec.Release.ActiveDeadlineSeconds, app.Spec.Shutdown = new(int64(600)), &v1.ShutdownSpec{GracePeriodSeconds: new(int64(0))}
		Expect(k8s.Create(ctx, app)).To(Succeed())
		job := releaseOf(ctx, app)
		setReleasePod := func(job string, state corev1.ContainerState) {
			Eventually(func(g Gomega) {
				pod, err := podOf(ctx, app, job)
				g.Expect(err).NotTo(HaveOccurred())
				pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: app.Name, Image: app.Spec.Image, State: state}}
				g.Expect(k8s.Status().Update(ctx, pod)).To(Succeed())
			}).Should(Succeed())
		}
		setReleasePod(job.Name, waiting("ImagePullBackOff", `Back-off pulling image "nginx:bad": ErrImagePull: no such image`).State)
		Eventually(fresh(ctx, app)).Should(SatisfyAll(
			haveCondition(v1.ConditionReady, metav1.ConditionUnknown, v1.ReasonReleasing, job.Name, "no such image"),
			haveCondition(v1.ConditionDegraded, metav1.ConditionTrue, v1.ReasonImagePullFailed, "no such image")))
		expectWarning(ctx, app, v1.ReasonImagePullFailed)
		running.rest(ctx)
		// Its time is over once all that has been seen. The Job's controller deletes the pod, which has never run.
		edit(ctx, job, func(job *batchv1.Job) { job.Spec.ActiveDeadlineSeconds = new(int64(1)) })
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonReleaseFailed,
			"DeadlineExceeded", "no such image", "spec.release.activeDeadlineSeconds", "or another release command"))

		By("and is waited for by the next one, which says how to go on")
		edit(ctx, app, func(app *v1.Application) {
			app.Spec.Release.Args, app.Spec.Release.ActiveDeadlineSeconds = []string{"now"}, nil
		})
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionUnknown, v1.ReasonReleasing))
		job = releaseOf(ctx, app)
		setReleasePod(job.Name, waiting("ErrImagePull", "no such image").State)
		edit(ctx, app, func(app *v1.Application) { app.Spec.Image, app.Spec.PodMetadata = "nginx:1.30", nil })
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionUnknown, v1.ReasonReleasing,
			"an earlier release command", job.Name, "no such image", "to go on without it, delete that Job"))
		Expect(k8s.Delete(ctx, job, client.PropagationPolicy(metav1.DeletePropagationBackground))).To(Succeed())
		Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), haveCondition(v1.ConditionDegraded, metav1.ConditionFalse, v1.ReasonRolloutComplete)))
	})

	It("whose pods are refused says so, and goes on when they are not", func(ctx SpecContext) {
		quota := limitPods(ctx, namespace, 0)
		Expect(k8s.Create(ctx, app)).To(Succeed())
		job := releaseOf(ctx, app)
		words := "kubectl describe job -n " + namespace + " " + job.Name
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionUnknown, v1.ReasonReleasing, "has no pod", words))
		Expect(k8s.Delete(ctx, quota)).To(Succeed())
		Eventually(fresh(ctx, app)).Should(beReady())
	})

	It("that is suspended says so", func(ctx SpecContext) {
		byHand("nginx:1.29")(app)
		Expect(k8s.Create(ctx, app)).To(Succeed())
		job := releaseOf(ctx, app)
		edit(ctx, job, func(job *batchv1.Job) { job.Spec.Suspend = new(true) })
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionUnknown, v1.ReasonReleasing, "it is suspended"))
		edit(ctx, job, func(job *batchv1.Job) { job.Spec.Suspend = new(false) })
		Eventually(fresh(ctx, app)).Should(SatisfyAll(haveCondition(v1.ConditionReady, metav1.ConditionUnknown, v1.ReasonReleasing),
			Not(haveCondition(v1.ConditionReady, metav1.ConditionUnknown, v1.ReasonReleasing, "it is suspended"))))
	})

	It("ends before the next one begins, and what lies between is left out", func(ctx SpecContext) {
		createReady(ctx, app)
		edit(ctx, app, byHand("nginx:1.30"))
		Eventually(func() []batchv1.Job { return releasesOf(ctx, app) }).Should(ContainElement(HaveField("Status.Active", BeNumerically("==", 1))))
		first := activeRelease(ctx, app)
		edit(ctx, app, byHand("nginx:1.31"))
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionUnknown, v1.ReasonReleasing, "an earlier release command", first))
		edit(ctx, app, func(app *v1.Application) { app.Spec.Image, app.Spec.PodMetadata = "nginx:1.32", nil })
		Eventually(fresh(ctx, app)).Should(SatisfyAll(haveCondition(v1.ConditionReady, metav1.ConditionUnknown, v1.ReasonReleasing, first),
			HaveField("Status.ObservedGeneration", app.Generation)))
		Expect(activeRelease(ctx, app)).To(Equal(first))
		finishRun(ctx, app, first, 0, "")
		Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), HaveField("Status.Image", "nginx:1.32")))
		Eventually(releasesOf).WithContext(ctx).WithArguments(app).Should(HaveLen(1), "that of nginx:1.31 was never run, and the others' are removed")
	})

	It("waits while the Application is suspended, and for what its pods refer to", func(ctx SpecContext) {
		app.Spec.Suspend = true
		app.Spec.EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "db"}}}}
		Expect(k8s.Create(ctx, app)).To(Succeed())
		running.rest(ctx)
		Expect(releasesOf(ctx, app)).To(BeEmpty())
		edit(ctx, app, func(app *v1.Application) { app.Spec.Suspend = false })
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonReferenceMissing, "Secret db"))
		Expect(releasesOf(ctx, app)).To(BeEmpty())
		createReferences(ctx, app)
		Eventually(fresh(ctx, app)).Should(beReady())
		Expect(releasesOf(ctx, app)).To(HaveLen(1))
	})
})

// haveRevisions matches an Application whose revisions are the same, and this.
func haveRevisions(matcher types.GomegaMatcher) types.GomegaMatcher {
	return SatisfyAll(HaveField("Status.CurrentRevision", matcher), HaveField("Status.UpdateRevision", matcher),
		WithTransform(func(app *v1.Application) bool { return app.Status.CurrentRevision == app.Status.UpdateRevision }, BeTrue()))
}

// revisionsOf returns the Application's ControllerRevisions by their names.
func revisionsOf(ctx context.Context, app *v1.Application) map[string]*appsv1.ControllerRevision {
	GinkgoHelper()
	list := &appsv1.ControllerRevisionList{}
	Expect(k8s.List(ctx, list, client.InNamespace(app.Namespace))).To(Succeed())
	all := map[string]*appsv1.ControllerRevision{}
	for i := range list.Items {
		all[list.Items[i].Name] = &list.Items[i]
	}
	return all
}

// releasesOf returns the Jobs of the Application's release commands.
func releasesOf(ctx context.Context, app *v1.Application) []batchv1.Job {
	GinkgoHelper()
	list := &batchv1.JobList{}
	Expect(k8s.List(ctx, list, client.InNamespace(app.Namespace), client.HasLabels{"apps.example.com/revision"})).To(Succeed())
	return slices.DeleteFunc(list.Items, func(job batchv1.Job) bool { return job.DeletionTimestamp != nil })
}

// releaseOf waits for the Job of the release command that the Application's revision has, and for its pod if it is left to the spec.
func releaseOf(ctx context.Context, app *v1.Application) *batchv1.Job {
	GinkgoHelper()
	var found *batchv1.Job
	Eventually(func(g Gomega) {
		now, err := get(ctx, app)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(now.Status.ObservedGeneration).To(Equal(now.Generation))
		for _, job := range releasesOf(ctx, now) {
			if strings.HasSuffix(now.Status.UpdateRevision, "-"+job.Labels["apps.example.com/revision"]) {
				found = &job
			}
		}
		g.Expect(found).NotTo(BeNil())
	}).Should(Succeed())
	return found
}

// activeRelease returns the name of the only Job of a release command that has a pod.
func activeRelease(ctx context.Context, app *v1.Application) string {
	GinkgoHelper()
	active := slices.DeleteFunc(releasesOf(ctx, app), func(job batchv1.Job) bool { return job.Status.Active == 0 })
	Expect(active).To(HaveLen(1))
	return active[0].Name
}

// podNames returns a function, to be polled, that lists the names of the Application's pods that are not going.
func podNames(ctx context.Context, app *v1.Application) func() ([]string, error) {
	return func() ([]string, error) {
		pods, err := podsOf(ctx, app)
		var names []string
		for _, pod := range pods {
			if pod.DeletionTimestamp == nil {
				names = append(names, pod.Name)
			}
		}
		slices.Sort(names)
		return names, err
	}
}

// breakNewPods plays a kubelet that reports the state for the pods that run the Application's present image.
func breakNewPods(ctx context.Context, app *v1.Application, state corev1.ContainerStatus) {
	GinkgoHelper()
	state.Name, state.Image = app.Name, app.Spec.Image
	Eventually(func(g Gomega) {
		pods, err := podsOf(ctx, app)
		g.Expect(err).NotTo(HaveOccurred())
		broken := 0
		for i := range pods {
			if pods[i].Spec.Containers[0].Image == app.Spec.Image {
				pods[i].Status.ContainerStatuses = []corev1.ContainerStatus{state}
				g.Expect(k8s.Status().Update(ctx, &pods[i])).To(Succeed())
				broken++
			}
		}
		g.Expect(broken).To(BeNumerically(">", 0))
	}).Should(Succeed())
}

// writesOf returns what the operator has written of this resource. What the API server had no time for was sent again.
func (o *runningOperator) writesOf(plural string) []request {
	GinkgoHelper()
	return slices.DeleteFunc(slices.Clone(o.writes()), func(r request) bool {
		return r.ObjectRef.Resource != plural || r.ResponseStatus.Code >= http.StatusMultipleChoices
	})
}
