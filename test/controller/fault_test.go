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
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	nodev1 "k8s.io/api/node/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/test/controlplane"
)

var _ = Describe("A fault", func() {
	var namespace string
	var running *runningOperator
	var app *v1.Application

	BeforeEach(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		running = startOperator(ctx, namespace)
		app = web(namespace)
	})

	// The kubelet's part is played by hand, in its own words: there is no kubelet here.
	DescribeTable("of a container reaches the status in the kubelet's words",
		func(ctx SpecContext, state corev1.ContainerStatus, reason string, words ...string) {
			app.Spec.PodMetadata = &v1.PodMetadata{Labels: map[string]string{controlplane.Unmanaged: "true"}}
			Expect(k8s.Create(ctx, app)).To(Succeed())
			pod := breakPods(ctx, app, state)
			words = append(words, "pod "+pod, "container web")
			Eventually(fresh(ctx, app)).Should(SatisfyAll(
				haveCondition(v1.ConditionReady, metav1.ConditionFalse, reason, words...),
				haveCondition(v1.ConditionDegraded, metav1.ConditionTrue, reason, words...),
				haveCondition(v1.ConditionProgressing, metav1.ConditionFalse, reason),
				haveCondition(v1.ConditionAvailable, metav1.ConditionFalse, reason)))
			expectWarning(ctx, app, reason)

			By("healing when the pods do")
			healPods(ctx, app)
			Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(),
				haveCondition(v1.ConditionDegraded, metav1.ConditionFalse, v1.ReasonRolloutComplete)))
		},
		Entry("that cannot pull its image", waiting("ErrImagePull",
			`failed to pull and unpack image "docker.io/library/nginx:nope": not found`),
			v1.ReasonImagePullFailed, "docker.io/library/nginx:nope", "not found"),
		Entry("that backs off pulling its image", waiting("ImagePullBackOff",
			`Back-off pulling image "nginx:nope": ErrImagePull: no such host`),
			v1.ReasonImagePullFailed, "no such host"),
		Entry("that crashes again and again", corev1.ContainerStatus{
			RestartCount: 3,
			State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{
				Reason: "CrashLoopBackOff", Message: "back-off 40s restarting failed container=web",
			}},
			LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
				ExitCode: 3, Reason: "Error", Message: "no database",
			}},
		}, v1.ReasonCrashLooping, "exit code 3", "no database"),
		Entry("whose Secret is missing", waiting("CreateContainerConfigError", `secret "db" not found`),
			v1.ReasonReferenceMissing, `secret "db" not found`),
		Entry("that must not be root", waiting("CreateContainerConfigError",
			"container has runAsNonRoot and image will run as root"), v1.ReasonInvalidSpec, "runAsNonRoot"),
	)

	It("of a container is told to who may read the Application, on one line, and not in the operator's log", func(ctx SpecContext) {
		app.Spec.PodMetadata = &v1.PodMetadata{Labels: map[string]string{controlplane.Unmanaged: "true"}}
		Expect(k8s.Create(ctx, app)).To(Succeed())
		crashed := corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			ExitCode: 1, Reason: "Error", Message: "\x1b[31mpassword=\u202ehunter2\x1b[0m\n  Ready   True",
		}}
		breakPods(ctx, app, corev1.ContainerStatus{RestartCount: 3, State: crashed, LastTerminationState: crashed})
		Eventually(fresh(ctx, app)).Should(haveCondition(
			v1.ConditionReady, metav1.ConditionFalse, v1.ReasonCrashLooping, ": password=hunter2   Ready   True"))
		expectWarning(ctx, app, v1.ReasonCrashLooping)
		Expect(running.log()).To(SatisfyAll(ContainSubstring(v1.ReasonCrashLooping), Not(ContainSubstring("hunter2"))))
	})

	It("of a container that was killed for want of memory, and serves again, is told with its limit", func(ctx SpecContext) {
		app.Spec.Resources = &v1.ResourceRequirements{Limits: v1.ResourceList{corev1.ResourceMemory: resource.MustParse("64Mi")}}
		app.Spec.PodMetadata = &v1.PodMetadata{Labels: map[string]string{controlplane.Unmanaged: "true"}}
		Expect(k8s.Create(ctx, app)).To(Succeed())
		now := time.Now()
		healthy := corev1.ContainerStatus{
			Ready: true, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(now)}},
		}
		runPods(ctx, app, healthy)
		Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), haveCondition(v1.ConditionDegraded, metav1.ConditionFalse, v1.ReasonRolloutComplete)))

		killed := healthy
		killed.RestartCount = 1
		killed.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{
			ExitCode: 137, Reason: "OOMKilled", StartedAt: metav1.NewTime(now.Add(-time.Minute)), FinishedAt: metav1.NewTime(now),
		}
		runPods(ctx, app, killed) // it was ready again before the kubelet reported
		Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), haveCondition(v1.ConditionDegraded, metav1.ConditionTrue, v1.ReasonOOMKilled,
			"exit code 137 (OOMKilled)", "raise spec.resources.limits.memory, which is 64Mi")))
		expectWarning(ctx, app, v1.ReasonOOMKilled)

		By("until it is long ago")
		killed.LastTerminationState.Terminated.FinishedAt = metav1.NewTime(now.Add(-time.Hour))
		runPods(ctx, app, killed)
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionDegraded, metav1.ConditionFalse, v1.ReasonRolloutComplete))
	})

	It("of a container that crashes again and again is not over when it runs, but when it has run for a while", func(ctx SpecContext) {
		app.Spec.PodMetadata = &v1.PodMetadata{Labels: map[string]string{controlplane.Unmanaged: "true"}}
		Expect(k8s.Create(ctx, app)).To(Succeed())
		crashed := corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 1, Reason: "Error", Message: "no database"}}
		breakPods(ctx, app, corev1.ContainerStatus{RestartCount: 3, State: crashed, LastTerminationState: crashed})
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonCrashLooping, "no database"))

		By("running, as a container without a readiness probe does between two crashes")
		running := func(since time.Duration) corev1.ContainerStatus {
			return corev1.ContainerStatus{
				RestartCount: 4, Ready: true, LastTerminationState: crashed, State: corev1.ContainerState{
					Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(time.Now().Add(-since))},
				},
			}
		}
		runPods(ctx, app, running(-time.Hour)) // not for long, whenever the next lines look at it
		Eventually(fresh(ctx, deploymentOf(app))).Should(HaveField("Status.AvailableReplicas", BeEquivalentTo(2)))
		Eventually(fresh(ctx, app)).Should(HaveField("Status.ReplicaSummary", "2/2"))
		Consistently(fresh(ctx, app), 2*time.Second).Should(
			haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonCrashLooping, "no database"))

		By("and having run for long enough")
		runPods(ctx, app, running(time.Hour))
		Eventually(fresh(ctx, app)).Should(beReady())
	})

	It("of pods that do not get ready again after a rollout is told at its deadline, and heals", func(ctx SpecContext) {
		app.Spec.Rollout = &v1.RolloutSpec{ProgressDeadlineSeconds: new(int32(5))}
		createReady(ctx, app)
		pods, err := podsOf(ctx, app)
		Expect(err).NotTo(HaveOccurred())
		ready := func(value corev1.ConditionStatus) { // as a kubelet reports what a probe says
			Eventually(func(g Gomega) {
				pod, err := get(ctx, &pods[0])
				g.Expect(err).NotTo(HaveOccurred())
				for i := range pod.Status.Conditions {
					if kind := pod.Status.Conditions[i].Type; kind == corev1.PodReady || kind == corev1.ContainersReady {
						pod.Status.Conditions[i].Status = value
						pod.Status.Conditions[i].LastTransitionTime = metav1.Now()
					}
				}
				pod.Status.ContainerStatuses[0].Ready = value == corev1.ConditionTrue
				g.Expect(k8s.Status().Update(ctx, pod)).To(Succeed())
			}).Should(Succeed())
		}
		ready(corev1.ConditionFalse)
		Eventually(fresh(ctx, app)).Should(SatisfyAll(
			haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonPodsNotReady, "pod web-", "container web", "readiness probe fails"),
			haveCondition(v1.ConditionDegraded, metav1.ConditionTrue, v1.ReasonPodsNotReady),
			haveCondition(v1.ConditionStalled, metav1.ConditionTrue, v1.ReasonPodsNotReady)))
		expectWarning(ctx, app, v1.ReasonPodsNotReady)
		running.rest(ctx)
		ready(corev1.ConditionTrue)
		Eventually(fresh(ctx, app)).Should(beReady())
	})

	It("of an old pod that cannot end, where no two may run, is told at the deadline", func(ctx SpecContext) {
		app.Spec.Replicas = new(int32(1))
		app.Spec.Rollout = &v1.RolloutSpec{Strategy: appsv1.RecreateDeploymentStrategyType, ProgressDeadlineSeconds: new(int32(5))}
		app.Spec.Shutdown = &v1.ShutdownSpec{GracePeriodSeconds: new(int64(1))}
		createReady(ctx, app)
		pods, err := podsOf(ctx, app)
		Expect(err).NotTo(HaveOccurred())
		held := &pods[0]
		edit(ctx, held, func(pod *corev1.Pod) { pod.Finalizers = []string{"apps.example.com/test"} })
		edit(ctx, app, func(app *v1.Application) { app.Spec.Image = "nginx:1.30" })
		Eventually(fresh(ctx, app)).Should(
			haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonProgressDeadlineExceeded, held.Name, "should have ended"))
		edit(ctx, held, func(pod *corev1.Pod) { pod.Finalizers = nil })
		Eventually(fresh(ctx, app)).Should(beReady())
	})

	It("of the old pods does not hide that new ones are on their way", func(ctx SpecContext) {
		app.Spec.PodMetadata = &v1.PodMetadata{Labels: map[string]string{controlplane.Unmanaged: "true"}}
		Expect(k8s.Create(ctx, app)).To(Succeed())
		breakPods(ctx, app, waiting("ErrImagePull", "not found"))
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonImagePullFailed))
		edit(ctx, app, func(app *v1.Application) { app.Spec.Image = "nginx:1.30" })
		Eventually(fresh(ctx, app)).Should(SatisfyAll(
			haveCondition(v1.ConditionReady, metav1.ConditionUnknown, v1.ReasonRollingOut),
			haveCondition(v1.ConditionDegraded, metav1.ConditionTrue, v1.ReasonImagePullFailed)))
	})

	It("of scheduling reaches the status in the scheduler's words", func(ctx SpecContext) {
		app.Spec.Resources = &v1.ResourceRequirements{Requests: v1.ResourceList{
			corev1.ResourceCPU: resource.MustParse("1000"),
		}}
		Expect(k8s.Create(ctx, app)).To(Succeed())
		Eventually(fresh(ctx, app)).Should(
			haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonUnschedulable, "pod web-", "Insufficient cpu"))
		edit(ctx, app, func(app *v1.Application) { app.Spec.Resources = nil })
		Eventually(fresh(ctx, app)).Should(beReady())
	})

	It("of quota reaches the status, and heals when there is room", func(ctx SpecContext) {
		quota := limitPods(ctx, namespace, 0)
		Expect(k8s.Create(ctx, app)).To(Succeed())
		Eventually(fresh(ctx, app)).Should(
			haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonQuotaExceeded, "exceeded quota: small"))
		Expect(k8s.Delete(ctx, quota)).To(Succeed())
		// A new revision makes the ReplicaSet's controller try at once.
		edit(ctx, app, func(app *v1.Application) { app.Spec.Image = "nginx:1.30" })
		Eventually(fresh(ctx, app)).Should(beReady())
	})

	It("of admission reaches the status", func(ctx SpecContext) {
		restrictPods(ctx, namespace)
		Expect(k8s.Create(ctx, app)).To(Succeed())
		Eventually(fresh(ctx, app)).Should(
			haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonAdmissionDenied, "violates PodSecurity"))
		edit(ctx, app, func(app *v1.Application) {
			app.Spec.Security = &v1.SecuritySpec{Profile: v1.SecurityProfileRestricted, RunAsUser: new(int64(101))}
		})
		Eventually(fresh(ctx, app)).Should(beReady())
	})

	It("of the spec that only the API server finds reaches the status", func(ctx SpecContext) {
		app.Spec.Resources = &v1.ResourceRequirements{
			Requests: v1.ResourceList{corev1.ResourceCPU: resource.MustParse("2")},
			Limits:   v1.ResourceList{corev1.ResourceCPU: resource.MustParse("1")},
		}
		Expect(k8s.Create(ctx, app)).To(Succeed())
		Eventually(fresh(ctx, app)).Should(SatisfyAll(
			haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonInvalidSpec, "must be less than or equal to cpu limit"),
			haveCondition(v1.ConditionProgressing, metav1.ConditionFalse, v1.ReasonInvalidSpec)))
		edit(ctx, app, func(app *v1.Application) { app.Spec.Resources = nil })
		Eventually(fresh(ctx, app)).Should(beReady())
	})

	It("of the spec is told with the fields that the user wrote", func(ctx SpecContext) {
		tooMuch := corev1.ResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("2")},
			Limits:   corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1")},
		}
		app.Spec.Resources = &v1.ResourceRequirements{
			Requests: v1.ResourceList{corev1.ResourceCPU: resource.MustParse("2")},
			Limits:   v1.ResourceList{corev1.ResourceCPU: resource.MustParse("1")},
		}
		app.Spec.Sidecars = []corev1.Container{{Name: "proxy"}}
		app.Spec.InitContainers = []corev1.Container{{Name: "migrate", Image: "migrate:1", Resources: tooMuch}}
		app.Spec.Files = []v1.File{
			{MountPath: "/a", VolumeSource: v1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
			{MountPath: "/b", VolumeSource: v1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
				LocalObjectReference: corev1.LocalObjectReference{Name: "b"}, Optional: new(true),
				Items: []corev1.KeyToPath{{Key: "b", Path: "../b"}},
			}}},
		}
		app.Spec.Scheduling = &v1.SchedulingSpec{Affinity: &corev1.Affinity{PodAffinity: &corev1.PodAffinity{
			PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{{
				Weight: 50, PodAffinityTerm: corev1.PodAffinityTerm{TopologyKey: "no zone"},
			}},
		}}}
		app.Spec.Autoscaling = &v1.AutoscalingSpec{MaxReplicas: 3, Metrics: []autoscalingv2.MetricSpec{{Type: "Nothing"}}}
		Expect(k8s.Create(ctx, app)).To(Succeed())
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonInvalidSpec,
			"spec.sidecars[0].image: Required value",
			"spec.initContainers[0].resources.requests: Invalid value",
			" spec.resources.requests: Invalid value",
			"spec.files[1].configMap.items[0].path: Invalid value",
			"spec.scheduling.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.topologyKey: Invalid value"))
		Expect(conditionOf(app, v1.ConditionReady).Message).NotTo(ContainSubstring("spec.template"))

		By("also where another object is made of it")
		edit(ctx, app, func(app *v1.Application) {
			app.Spec.Resources, app.Spec.Scheduling = nil, nil
			app.Spec.Sidecars, app.Spec.InitContainers, app.Spec.Files = nil, nil, nil
		})
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonInvalidSpec,
			"HorizontalPodAutoscaler", "spec.autoscaling.metrics[0]"))
	})

	It("of the spec that is none of a child's spec reaches the status too", func(ctx SpecContext) {
		createReady(ctx, app)
		edit(ctx, app, func(app *v1.Application) {
			app.Spec.Service = &v1.ServiceSpec{Annotations: map[string]string{"not a key": "x"}}
		})
		Eventually(fresh(ctx, app)).Should(
			haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonInvalidSpec, "spec.service.annotations", "not a key"))
		edit(ctx, app, func(app *v1.Application) { app.Spec.Service.Annotations = map[string]string{"a-key": "x"} })
		Eventually(fresh(ctx, app)).Should(beReady())
		Expect(get(ctx, serviceOf(app))).To(HaveField("Annotations", HaveKeyWithValue("a-key", "x")))
	})

	It("of an admission policy reaches the status in its words, and does not keep the operator busy", func(ctx SpecContext) {
		refuse(ctx, namespace, "'no Deployment with ' + string(object.spec.replicas) + ' pods'")
		Eventually(func() error { // until the policy is in force
			return k8s.Create(ctx, strangersDeployment(namespace), client.DryRunAll)
		}).Should(MatchError(ContainSubstring("no Deployment with 1 pods")))
		Expect(k8s.Create(ctx, app)).To(Succeed())
		Eventually(fresh(ctx, app)).Should(SatisfyAll(
			haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonAdmissionDenied, "no Deployment with 2 pods"),
			haveCondition(v1.ConditionProgressing, metav1.ConditionTrue, v1.ReasonAdmissionDenied)))
		passes := running.reconciles(ctx)
		Consistently(func() float64 { return running.reconciles(ctx) }, 3*time.Second).Should(BeNumerically("<", passes+10))
	})

	It("of a missing ServiceAccount heals the moment it appears", func(ctx SpecContext) {
		app.Spec.ServiceAccount = &v1.ServiceAccountSpec{Name: "builder"}
		Expect(k8s.Create(ctx, app)).To(Succeed())
		Eventually(fresh(ctx, app)).Should(haveCondition(
			v1.ConditionReady, metav1.ConditionFalse, v1.ReasonReferenceMissing, "ServiceAccount builder", "create it"))
		Expect(podsOf(ctx, app)).To(BeEmpty())
		Expect(k8s.Create(ctx, &corev1.ServiceAccount{
			ObjectMeta: metav1.ObjectMeta{Name: "builder", Namespace: namespace},
		})).To(Succeed())
		Eventually(fresh(ctx, app)).Should(beReady())
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(app), accountOf(app))).NotTo(Succeed(), "none is made beside it")
	})

	DescribeTable("of what only the API server can see is named, and heals when it appears",
		func(ctx SpecContext, refer func(*v1.SchedulingSpec, string), object func(string) client.Object, words string) {
			name := "later-" + namespace
			app.Spec.Scheduling = &v1.SchedulingSpec{}
			refer(app.Spec.Scheduling, name)
			Expect(k8s.Create(ctx, app)).To(Succeed())
			Eventually(fresh(ctx, app)).Should(SatisfyAll(
				haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonReferenceMissing, name, words),
				haveCondition(v1.ConditionDegraded, metav1.ConditionTrue, v1.ReasonReferenceMissing)))
			Expect(k8s.Create(ctx, object(name))).To(Succeed())
			DeferCleanup(func(ctx SpecContext) { Expect(k8s.Delete(ctx, object(name))).To(Succeed()) })
			Eventually(fresh(ctx, app)).Should(beReady())
		},
		Entry("a PriorityClass", func(scheduling *v1.SchedulingSpec, name string) { scheduling.PriorityClassName = name },
			func(name string) client.Object {
				return &schedulingv1.PriorityClass{ObjectMeta: metav1.ObjectMeta{Name: name}, Value: 1}
			}, "spec.scheduling.priorityClassName"),
		Entry("a RuntimeClass", func(scheduling *v1.SchedulingSpec, name string) { scheduling.RuntimeClassName = &name },
			func(name string) client.Object {
				return &nodev1.RuntimeClass{ObjectMeta: metav1.ObjectMeta{Name: name}, Handler: "runc"}
			}, "spec.scheduling.runtimeClassName"),
	)

	It("of a missing ServiceAccount does not keep an application from being suspended", func(ctx SpecContext) {
		createReady(ctx, app)
		edit(ctx, app, func(app *v1.Application) {
			app.Spec.ServiceAccount = &v1.ServiceAccountSpec{Name: "absent"}
			app.Spec.Suspend = true
		})
		Eventually(fresh(ctx, deploymentOf(app))).Should(HaveField("Spec.Replicas", HaveValue(BeEquivalentTo(0))))
	})

	It("of a missing ServiceAccount takes none away from the pods that run", func(ctx SpecContext) {
		createReady(ctx, app)
		edit(ctx, app, func(app *v1.Application) { app.Spec.ServiceAccount = &v1.ServiceAccountSpec{Name: "builder"} })
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonReferenceMissing))
		Expect(get(ctx, accountOf(app))).To(HaveField("DeletionTimestamp", BeNil()))

		By("not even while the new pods are on their way")
		edit(ctx, app, func(app *v1.Application) {
			app.Spec.PodMetadata = &v1.PodMetadata{Labels: map[string]string{controlplane.Unmanaged: "true"}}
		})
		Expect(k8s.Create(ctx, &corev1.ServiceAccount{
			ObjectMeta: metav1.ObjectMeta{Name: "builder", Namespace: namespace},
		})).To(Succeed())
		Eventually(fresh(ctx, app)).Should(SatisfyAll(
			haveCondition(v1.ConditionReady, metav1.ConditionUnknown, v1.ReasonRollingOut),
			HaveField("Status.UpdatedReplicas", BeEquivalentTo(1))))
		Expect(get(ctx, accountOf(app))).To(HaveField("DeletionTimestamp", BeNil()))

		By("but when they serve")
		healPods(ctx, app)
		Eventually(fresh(ctx, app)).Should(beReady())
		Eventually(func() error { _, err := get(ctx, accountOf(app)); return err }).Should(Satisfy(apierrors.IsNotFound))
	})
})

// refuse makes the API server refuse the namespace's Deployments, with a message by this CEL expression.
func refuse(ctx context.Context, namespace, message string) {
	GinkgoHelper()
	policy := &admissionregistrationv1.ValidatingAdmissionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: "refuse-" + namespace},
		Spec: admissionregistrationv1.ValidatingAdmissionPolicySpec{
			MatchConstraints: &admissionregistrationv1.MatchResources{
				NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: namespace}},
				ResourceRules: []admissionregistrationv1.NamedRuleWithOperations{{
					RuleWithOperations: admissionregistrationv1.RuleWithOperations{
						Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.OperationAll},
						Rule: admissionregistrationv1.Rule{
							APIGroups: []string{"apps"}, APIVersions: []string{"v1"}, Resources: []string{"deployments"},
						},
					},
				}},
			},
			Validations: []admissionregistrationv1.Validation{{Expression: "false", MessageExpression: message}},
		},
	}
	Expect(k8s.Create(ctx, policy)).To(Succeed())
	DeferCleanup(func(ctx SpecContext) { Expect(k8s.Delete(ctx, policy)).To(Succeed()) })
	binding := &admissionregistrationv1.ValidatingAdmissionPolicyBinding{
		ObjectMeta: metav1.ObjectMeta{Name: policy.Name},
		Spec: admissionregistrationv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName:        policy.Name,
			ValidationActions: []admissionregistrationv1.ValidationAction{admissionregistrationv1.Deny},
		},
	}
	Expect(k8s.Create(ctx, binding)).To(Succeed())
	DeferCleanup(func(ctx SpecContext) { Expect(k8s.Delete(ctx, binding)).To(Succeed()) })
}

// restrictPods has the namespace take restricted pods only.
func restrictPods(ctx context.Context, namespace string) {
	GinkgoHelper()
	edit(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, func(n *corev1.Namespace) {
		metav1.SetMetaDataLabel(&n.ObjectMeta, "pod-security.kubernetes.io/enforce", "restricted")
	})
	Eventually(func() error { // until it is in force
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{GenerateName: "plain-", Namespace: namespace}}
		pod.Spec.Containers = []corev1.Container{{Name: "c", Image: "c"}}
		return k8s.Create(ctx, pod, client.DryRunAll)
	}).Should(MatchError(ContainSubstring("violates PodSecurity")))
}

// limitPods has the namespace take so many pods at most, and returns the quota that says so.
func limitPods(ctx context.Context, namespace string, most int64) *corev1.ResourceQuota {
	GinkgoHelper()
	quota := &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Name: "small", Namespace: namespace},
		Spec: corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{
			corev1.ResourcePods: *resource.NewQuantity(most, resource.DecimalSI),
		}},
	}
	Expect(k8s.Create(ctx, quota)).To(Succeed())
	Eventually(fresh(ctx, quota)).Should(HaveField("Status.Hard", Not(BeEmpty()))) // until it is in force
	return quota
}

// waiting returns the status of a container that waits.
func waiting(reason, message string) corev1.ContainerStatus {
	return corev1.ContainerStatus{State: corev1.ContainerState{
		Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message},
	}}
}

// breakPods plays a kubelet that reports the state for the Application's pods, and returns the oldest pod's name.
func breakPods(ctx context.Context, app *v1.Application, state corev1.ContainerStatus) string {
	GinkgoHelper()
	state.Name, state.Image = app.Name, app.Spec.Image
	var oldest string
	Eventually(func(g Gomega) {
		pods, err := podsOf(ctx, app)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(pods).To(HaveLen(int(*app.Spec.Replicas)))
		first := pods[0]
		for i := range pods {
			if pods[i].CreationTimestamp.Before(&first.CreationTimestamp) ||
				pods[i].CreationTimestamp.Equal(&first.CreationTimestamp) && pods[i].Name < first.Name {
				first = pods[i]
			}
			pods[i].Status.ContainerStatuses = []corev1.ContainerStatus{state}
			g.Expect(k8s.Status().Update(ctx, &pods[i])).To(Succeed())
		}
		oldest = first.Name
	}).Should(Succeed())
	return oldest
}

// runPods makes the containers of the Application's pods run in this state, in which they count as ready.
func runPods(ctx context.Context, app *v1.Application, state corev1.ContainerStatus) {
	GinkgoHelper()
	state.Name, state.Image = app.Name, app.Spec.Image
	Eventually(func(g Gomega) {
		pods, err := podsOf(ctx, app)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(pods).To(HaveLen(int(*app.Spec.Replicas)))
		for i := range pods {
			pods[i].Status.Phase = corev1.PodRunning
			pods[i].Status.ContainerStatuses = []corev1.ContainerStatus{state}
			pods[i].Status.Conditions = []corev1.PodCondition{{
				Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.Now(),
			}}
			g.Expect(k8s.Status().Update(ctx, &pods[i])).To(Succeed())
		}
	}).Should(Succeed())
}

// healPods hands the pods to the nodes that play the kubelet.
func healPods(ctx context.Context, app *v1.Application) {
	GinkgoHelper()
	edit(ctx, app, func(app *v1.Application) { app.Spec.PodMetadata = nil })
}

// expectWarning waits for the event that tells of the fault.
func expectWarning(ctx context.Context, app *v1.Application, reason string) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		list := &eventsv1.EventList{}
		g.Expect(k8s.List(ctx, list, client.InNamespace(app.Namespace))).To(Succeed())
		g.Expect(list.Items).To(ContainElement(SatisfyAll(
			HaveField("Regarding.UID", app.UID), HaveField("Type", corev1.EventTypeWarning), HaveField("Reason", reason))))
	}).Should(Succeed())
}
