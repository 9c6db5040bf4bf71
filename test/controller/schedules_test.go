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
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/status"
	"github.com/example/app-operator/test/controlplane"
)

var _ = Describe("A schedule", takesLong, func() {
	var namespace string
	var running *runningOperator

	BeforeEach(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		running = startOperator(ctx, namespace)
	})

	It("that runs changes nothing of what serves, and is one write of the status for each run", func(ctx SpecContext) {
		app := web(namespace)
		app.Spec.Autoscaling = &v1.AutoscalingSpec{MinReplicas: new(int32(2)), MaxReplicas: 4}
		app.Spec.Resources = &v1.ResourceRequirements{Requests: v1.ResourceList{corev1.ResourceCPU: resource.MustParse("10m")}}
		app.Spec.Schedules = []v1.Schedule{{Name: "often", Schedule: "@every 4s", Suspend: true, SuccessfulJobsHistoryLimit: new(int32(100))}}
		createReady(ctx, app)
		tellAutoscalers(ctx, app)
		Eventually(endpointsOf(ctx, app)).Should(HaveLen(2))
		endpoints, err := endpointsOf(ctx, app)()
		Expect(err).NotTo(HaveOccurred())
		_, err = get(ctx, app)
		Expect(err).NotTo(HaveOccurred())
		deployment, err := get(ctx, deploymentOf(app))
		Expect(err).NotTo(HaveOccurred())
		autoscaler, err := get(ctx, autoscalerOf(app))
		Expect(err).NotTo(HaveOccurred())
		before := app.Status.DeepCopy()

		By("running several times") // on a slow machine so often that the operator does not rest in between
		running.rest(ctx)
		writes := len(running.statusWrites())
		edit(ctx, app, func(app *v1.Application) { app.Spec.Schedules[0].Suspend = false })
		Eventually(fresh(ctx, app)).Should(beReady())
		Eventually(func() int { return len(endedJobs(ctx, app)) }).WithTimeout(recovery).Should(BeNumerically(">=", 3))
		edit(ctx, app, func(app *v1.Application) { app.Spec.Schedules[0].Suspend = true })
		Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), HaveField("Status.Schedules",
			ConsistOf(SatisfyAll(HaveField("LastScheduleTime", Not(BeNil())), HaveField("LastSuccessfulTime", Not(BeNil())))))))
		running.rest(ctx)
		ended := len(endedJobs(ctx, app))
		Expect(len(running.statusWrites())-writes).To(BeNumerically("<=", ended+2), "%d runs, the end of a suspension, and another", ended)

		By("leaving all else as it was")
		Expect(endpointsOf(ctx, app)()).To(Equal(endpoints))
		after, err := get(ctx, deploymentOf(app))
		Expect(err).NotTo(HaveOccurred())
		Expect(after.Generation).To(Equal(deployment.Generation))
		Expect(after.Status.Replicas).To(Equal(deployment.Status.Replicas))
		scaled, err := get(ctx, autoscalerOf(app))
		Expect(err).NotTo(HaveOccurred())
		Expect(scaled.Generation).To(Equal(autoscaler.Generation))
		Expect(scaled.Status.DesiredReplicas).To(Equal(autoscaler.Status.DesiredReplicas))
		Expect(app.Status.Replicas).To(Equal(before.Replicas))
		Expect(app.Status.ReplicaSummary).To(Equal(before.ReplicaSummary))

		By("with pods that nothing selects which selects the application's")
		selector, err := labels.Parse(app.Status.Selector)
		Expect(err).NotTo(HaveOccurred())
		pods := &corev1.PodList{}
		Expect(k8s.List(ctx, pods, client.InNamespace(namespace), client.MatchingLabels{"apps.example.com/application": app.Name})).To(Succeed())
		Expect(pods.Items).NotTo(BeEmpty())
		for _, pod := range pods.Items {
			Expect(selector.Matches(labels.Set(pod.Labels))).To(BeFalse())
			Expect(pod.Labels).NotTo(HaveKey("app.kubernetes.io/instance"))
		}
	})

	It("whose last run has failed is Degraded with the pod's last words, serves on, and is cured by the next run", func(ctx SpecContext) {
		app := scheduled(namespace)
		app.Spec.Schedules[0].BackoffLimit = new(int32(0))
		createReady(ctx, app)
		runByHand(ctx, app, "first")
		finishRun(ctx, app, "first", 3, "\x1b[31mpassword=hunter2\x1b[0m\n")
		Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(),
			haveCondition(v1.ConditionDegraded, metav1.ConditionTrue, v1.ReasonScheduleFailed,
				"the last run of schedule nightly has failed: Job first: pod first-", "container worker: ended with exit code 3 (Error): password=hunter2"),
			haveCondition(v1.ConditionProgressing, metav1.ConditionFalse, v1.ReasonRolloutComplete),
			lackConditions(v1.ConditionStalled, v1.ConditionReconciling)))
		expectWarning(ctx, app, v1.ReasonScheduleFailed)
		Expect(running.log()).NotTo(ContainSubstring("hunter2"))

		By("resting, and reading the pods no more")
		running.rest(ctx)
		asked := len(running.podLists())
		running.expectCalm(ctx, namespace, 3*time.Second)
		Expect(running.podLists()).To(HaveLen(asked))

		By("succeeding the next time")
		time.Sleep(time.Second) // the API server tells of creation in whole seconds
		runByHand(ctx, app, "second")
		Consistently(fresh(ctx, app), time.Second).Should(haveCondition(v1.ConditionDegraded, metav1.ConditionTrue, v1.ReasonScheduleFailed))
		finishRun(ctx, app, "second", 0, "")
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionDegraded, metav1.ConditionFalse, v1.ReasonRolloutComplete))
		Eventually(fresh(ctx, app)).Should(HaveField("Status.Schedules", ConsistOf(HaveField("LastSuccessfulTime", Not(BeNil())))))

		By("failing again, which is over when the Job is deleted")
		time.Sleep(time.Second)
		runByHand(ctx, app, "third")
		finishRun(ctx, app, "third", 1, "")
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionDegraded, metav1.ConditionTrue, v1.ReasonScheduleFailed, "Job third"))
		Expect(k8s.Delete(ctx, job(app, "third"), client.PropagationPolicy(metav1.DeletePropagationBackground))).To(Succeed())
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionDegraded, metav1.ConditionFalse, v1.ReasonRolloutComplete))
	})

	It("whose run cannot start is Degraded with the cause, until it can", func(ctx SpecContext) {
		app := scheduled(namespace)
		app.Spec.Schedules[0].Resources = &v1.ResourceRequirements{Requests: v1.ResourceList{corev1.ResourceMemory: resource.MustParse("1Pi")}}
		createReady(ctx, app)
		runByHand(ctx, app, "large")
		Eventually(fresh(ctx, app)).WithTimeout(2 * limit).Should(SatisfyAll(beReady(), // its pod is given two minutes
			haveCondition(v1.ConditionDegraded, metav1.ConditionTrue, v1.ReasonScheduleFailed,
				"a run of schedule nightly cannot do its work: Job large: pod large-", "Insufficient memory")))

		Eventually(func(g Gomega) {
			pod, err := podOf(ctx, app, "large")
			g.Expect(err).NotTo(HaveOccurred())
			pod.Status.Phase, pod.Status.Conditions = corev1.PodRunning, nil
			g.Expect(k8s.Status().Update(ctx, pod)).To(Succeed())
		}).Should(Succeed())
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionDegraded, metav1.ConditionFalse, v1.ReasonRolloutComplete))
	})

	It("is run by kubectl create job", func(ctx SpecContext) {
		app := web(namespace)
		app.Spec.Schedules = []v1.Schedule{{Name: "nightly", Schedule: "@yearly", Command: []string{"clean-up"}}}
		createReady(ctx, app)
		kubectl(ctx, "create", "job", "now", "-n", namespace, "--from=cronjob/web-nightly")
		Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), HaveField("Status.Schedules", ConsistOf(SatisfyAll(
			HaveField("Name", "nightly"), HaveField("LastSuccessfulTime", Not(BeNil())))))))
	})

	It("that is removed lets its run end, under the NetworkPolicy", func(ctx SpecContext) {
		app := scheduled(namespace)
		app.Spec.NetworkPolicy = &v1.NetworkPolicySpec{}
		createReady(ctx, app)
		policy := &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Name: "worker-jobs", Namespace: namespace}}
		Eventually(fresh(ctx, policy)).Should(HaveField("Spec.PodSelector.MatchLabels",
			Equal(map[string]string{"apps.example.com/application": "worker"})))
		runByHand(ctx, app, "long")
		edit(ctx, app, func(app *v1.Application) { app.Spec.Schedules = nil })
		Eventually(fresh(ctx, cronJobOf(app))).Should(HaveField("Spec.Suspend", HaveValue(BeTrue())))
		Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), HaveField("Status.Schedules", BeEmpty())))
		Consistently(func(g Gomega) {
			_, err := get(ctx, cronJobOf(app))
			g.Expect(err).NotTo(HaveOccurred())
			_, err = get(ctx, policy)
			g.Expect(err).NotTo(HaveOccurred())
			pod, err := podOf(ctx, app, "long")
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(pod.DeletionTimestamp).To(BeNil())
		}, 3*time.Second, 200*time.Millisecond).Should(Succeed())

		finishRun(ctx, app, "long", 0, "")
		Eventually(gone(ctx, cronJobOf(app))).Should(Satisfy(apierrors.IsNotFound))
		Eventually(gone(ctx, policy)).Should(Satisfy(apierrors.IsNotFound))
	})

	It("that is removed goes with an Application that is let go of, and its run ends by itself", func(ctx SpecContext) {
		app := scheduled(namespace)
		app.Spec.DeletionPolicy = v1.DeletionPolicyOrphan
		createReady(ctx, app)
		runByHand(ctx, app, "long")
		edit(ctx, app, func(app *v1.Application) { app.Spec.Schedules = nil })
		Eventually(fresh(ctx, cronJobOf(app))).Should(HaveField("Spec.Suspend", HaveValue(BeTrue())))
		Expect(k8s.Delete(ctx, app)).To(Succeed())
		Eventually(gone(ctx, app)).Should(Satisfy(apierrors.IsNotFound))
		Eventually(gone(ctx, cronJobOf(app))).Should(Satisfy(apierrors.IsNotFound))
		Expect(get(ctx, job(app, "long"))).To(SatisfyAll(
			HaveField("OwnerReferences", BeEmpty()), HaveField("DeletionTimestamp", BeNil())))
		Expect(podOf(ctx, app, "long")).To(HaveField("DeletionTimestamp", BeNil()))
		Expect(get(ctx, deploymentOf(app))).To(beNobodys())
	})

	It("that is removed while it does not run goes, and comes back", func(ctx SpecContext) {
		app := scheduled(namespace)
		createReady(ctx, app)
		schedules := app.Spec.Schedules
		for range 2 {
			edit(ctx, app, func(app *v1.Application) { app.Spec.Schedules = nil })
			Eventually(gone(ctx, cronJobOf(app))).Should(Satisfy(apierrors.IsNotFound))
			edit(ctx, app, func(app *v1.Application) { app.Spec.Schedules = schedules })
			Eventually(fresh(ctx, cronJobOf(app))).Should(HaveField("Spec.Suspend", HaveValue(BeFalse())))
			Eventually(fresh(ctx, app)).Should(beReady())
		}
		Expect(running.counters(ctx, "app_operator_drift_repairs_total")).NotTo(HaveKey("CronJob"))
	})

	It("starts no run while its Application is suspended, and is left alone while it is paused", func(ctx SpecContext) {
		app := scheduled(namespace)
		createReady(ctx, app)
		edit(ctx, app, func(app *v1.Application) { app.Spec.Suspend = true })
		Eventually(fresh(ctx, cronJobOf(app))).Should(HaveField("Spec.Suspend", HaveValue(BeTrue())))
		edit(ctx, app, func(app *v1.Application) { app.Spec.Suspend = false })
		Eventually(fresh(ctx, cronJobOf(app))).Should(HaveField("Spec.Suspend", HaveValue(BeFalse())))
		edit(ctx, app, func(app *v1.Application) { app.Spec.Paused, app.Spec.Schedules = true, nil })
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonPaused))
		Expect(get(ctx, cronJobOf(app))).To(HaveField("Spec.Suspend", HaveValue(BeFalse())))
	})

	It("ends with an Application that is drained, its pods gracefully and first", func(ctx SpecContext) {
		app := scheduled(namespace)
		app.Spec.DeletionPolicy = v1.DeletionPolicyDrain
		createReady(ctx, app)
		runByHand(ctx, app, "long")
		pod, err := podOf(ctx, app, "long")
		Expect(err).NotTo(HaveOccurred())
		hold := func(pod *corev1.Pod) { pod.Finalizers = append(pod.Finalizers, "apps.example.com/test") }
		edit(ctx, pod, hold)
		Expect(k8s.Delete(ctx, app)).To(Succeed())
		Eventually(fresh(ctx, pod)).Should(HaveField("DeletionTimestamp", Not(BeNil())))
		Consistently(fresh(ctx, app), 2*time.Second).Should(HaveField("DeletionTimestamp", Not(BeNil())))
		edit(ctx, pod, func(pod *corev1.Pod) { pod.Finalizers = nil })
		Eventually(gone(ctx, app)).Should(Satisfy(apierrors.IsNotFound))
		Eventually(gone(ctx, cronJobOf(app))).Should(Satisfy(apierrors.IsNotFound))
	})

	It("of a time zone that is not known is told so, and holds up no other", func(ctx SpecContext) {
		app := scheduled(namespace)
		app.Spec.Schedules = append(app.Spec.Schedules, v1.Schedule{Name: "base", Schedule: "@daily", TimeZone: "Mars/Base"},
			v1.Schedule{Name: "weekly", Schedule: "@weekly"})
		Expect(k8s.Create(ctx, app)).To(Succeed())
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonInvalidSpec,
			`spec.schedules[base].timeZone: Invalid value: "Mars/Base"`))
		for _, name := range []string{"worker-nightly", "worker-weekly"} {
			Eventually(fresh(ctx, &batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace}})).
				Should(HaveField("Spec.Schedule", Not(BeEmpty())))
		}
	})

	It("does not take the CronJob of another Application", func(ctx SpecContext) {
		first, second := scheduled(namespace), scheduled(namespace)
		first.Name, first.Spec.Schedules[0].Name = "a", "b-c"
		second.Name, second.Spec.Schedules[0].Name = "a-b", "c"
		createReady(ctx, first)
		Expect(k8s.Create(ctx, second)).To(Succeed())
		Eventually(fresh(ctx, second)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonChildConflict,
			"CronJob a-b-c exists and is not this Application's, so it is left alone; give the schedule another name, remove it"))
		Expect(get(ctx, first)).To(beReady())
		Expect(k8s.Delete(ctx, first)).To(Succeed())
		Eventually(fresh(ctx, second)).Should(beReady())
	})

	It("waits for what its pods refer to, and keeps its pods until then", func(ctx SpecContext) {
		app := scheduled(namespace)
		app.Spec.EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{
			LocalObjectReference: corev1.LocalObjectReference{Name: "db"},
		}}}
		app.Spec.Replicas = new(int32(0))
		Expect(k8s.Create(ctx, app)).To(Succeed())
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonReferenceMissing, "Secret db"))
		Consistently(gone(ctx, cronJobOf(app)), time.Second).Should(Satisfy(apierrors.IsNotFound))
		Expect(k8s.Create(ctx, secret(namespace, "db"))).To(Succeed())
		Eventually(fresh(ctx, app)).Should(beReady())
		Expect(get(ctx, cronJobOf(app))).To(HaveField("Spec.Schedule", "@yearly"))

		By("being moved, with pods as they are, while another one is missing")
		edit(ctx, app, func(app *v1.Application) {
			app.Spec.EnvFrom[0].SecretRef.Name, app.Spec.Schedules[0].Schedule = "other", "@monthly"
		})
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonReferenceMissing, "Secret other"))
		Eventually(fresh(ctx, cronJobOf(app))).Should(HaveField("Spec.Schedule", "@monthly"))
		live, err := get(ctx, cronJobOf(app))
		Expect(err).NotTo(HaveOccurred())
		Expect(live.Spec.JobTemplate.Spec.Template.Spec.Containers[0].EnvFrom[0].SecretRef.Name).To(Equal("db"))
	})
})

// scheduled returns an Application without pods of its own, whose schedule's pods are left to the spec.
func scheduled(namespace string) *v1.Application {
	app := worker(namespace)
	app.Spec.Replicas = new(int32(0))
	app.Spec.PodMetadata = &v1.PodMetadata{Labels: map[string]string{controlplane.Unmanaged: "true"}}
	app.Spec.Schedules = []v1.Schedule{{Name: "nightly", Schedule: "@yearly", Command: []string{"clean-up"}}}
	return app
}

func cronJobOf(app *v1.Application) *batchv1.CronJob {
	return &batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{Name: app.Name + "-nightly", Namespace: app.Namespace}}
}

func job(app *v1.Application, name string) *batchv1.Job {
	return &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: app.Namespace}}
}

// runByHand starts a run as the CronJob's controller does, and waits for the pod.
func runByHand(ctx context.Context, app *v1.Application, name string) {
	GinkgoHelper()
	run := job(app, name)
	Eventually(func(g Gomega) {
		from, err := get(ctx, cronJobOf(app))
		g.Expect(err).NotTo(HaveOccurred())
		run.Labels = from.Spec.JobTemplate.Labels
		run.OwnerReferences = []metav1.OwnerReference{{
			APIVersion: "batch/v1", Kind: "CronJob", Name: from.Name, UID: from.UID, Controller: new(true), BlockOwnerDeletion: new(true),
		}}
		run.Spec = from.Spec.JobTemplate.Spec
		g.Expect(k8s.Create(ctx, run)).To(Succeed())
	}).Should(Succeed())
	Eventually(func() error {
		_, err := podOf(ctx, app, name)
		return err
	}).Should(Succeed())
}

// podOf returns the pod of a Job.
func podOf(ctx context.Context, app *v1.Application, job string) (*corev1.Pod, error) {
	pods := &corev1.PodList{}
	if err := k8s.List(ctx, pods, client.InNamespace(app.Namespace), client.MatchingLabels{batchv1.JobNameLabel: job}); err != nil {
		return nil, err
	}
	if len(pods.Items) == 0 {
		return nil, apierrors.NewNotFound(corev1.Resource("pods"), job)
	}
	return &pods.Items[0], nil
}

// finishRun ends the pod of a Job as a kubelet would, with what the container has said last.
func finishRun(ctx context.Context, app *v1.Application, job string, exitCode int32, said string) {
	GinkgoHelper()
	phase, reason := corev1.PodSucceeded, "Completed"
	if exitCode != 0 {
		phase, reason = corev1.PodFailed, "Error"
	}
	Eventually(func(g Gomega) {
		pod, err := podOf(ctx, app, job)
		g.Expect(err).NotTo(HaveOccurred())
		pod.Status.Phase = phase
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{{
			Name: app.Name, Image: app.Spec.Image, State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
				ExitCode: exitCode, Reason: reason, Message: said, StartedAt: metav1.Now(), FinishedAt: metav1.Now(),
			}},
		}}
		g.Expect(k8s.Status().Update(ctx, pod)).To(Succeed())
	}).Should(Succeed())
}

// endedJobs returns the Jobs of the Application that have ended.
func endedJobs(ctx context.Context, app *v1.Application) []batchv1.Job {
	GinkgoHelper()
	jobs := &batchv1.JobList{}
	Expect(k8s.List(ctx, jobs, client.InNamespace(app.Namespace))).To(Succeed())
	var ended []batchv1.Job
	for i := range jobs.Items {
		if status.EndOf(&jobs.Items[i]) != nil {
			ended = append(ended, jobs.Items[i])
		}
	}
	return ended
}

// endpointsOf returns a function, to be polled, that reads the addresses at which the Application is served, and in which
// versions of which EndpointSlices they are.
func endpointsOf(ctx context.Context, app *v1.Application) func() (map[string]string, error) {
	return func() (map[string]string, error) {
		slices := &discoveryv1.EndpointSliceList{}
		err := k8s.List(ctx, slices, client.InNamespace(app.Namespace), client.MatchingLabels{discoveryv1.LabelServiceName: app.Name})
		all := map[string]string{}
		for _, slice := range slices.Items {
			for _, endpoint := range slice.Endpoints {
				if ptr.Deref(endpoint.Conditions.Ready, true) {
					all[endpoint.Addresses[0]] = slice.Name + " " + slice.ResourceVersion
				}
			}
		}
		return all, err
	}
}

// podLists returns how the operator has listed pods so far.
func (o *runningOperator) podLists() []request {
	GinkgoHelper()
	return slices.DeleteFunc(o.requests(), func(r request) bool { return r.Verb != "list" || r.ObjectRef.Resource != "pods" })
}

// statusWrites returns the operator's writes of statuses so far.
func (o *runningOperator) statusWrites() []request {
	GinkgoHelper()
	var all []request
	for _, request := range o.writes() {
		if request.ObjectRef.Subresource == "status" {
			all = append(all, request)
		}
	}
	return all
}

// gone returns a function, to be polled, whose error says whether the object is not there.
func gone(ctx context.Context, object client.Object) func() error {
	return func() error { _, err := get(ctx, object); return err }
}
