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
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
)

var _ = Describe("What the spec sets to zero, false or nothing", Ordered, ContinueOnFailure, func() {
	var app *v1.Application

	BeforeAll(func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		startOperator(ctx, namespace)
		app = web(namespace)
		empty := []corev1.EnvVar{{Name: "A", Value: "1"}, {Name: "DEBUG", Value: ""}}
		mounts := []corev1.VolumeMount{{Name: "data", MountPath: "/data"}}
		app.Spec.Env = empty
		app.Spec.Files = []v1.File{{MountPath: "/data", VolumeSource: v1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
		app.Spec.Probes = &v1.ProbesSpec{Readiness: &v1.Probe{TCPSocket: &v1.TCPSocketProbe{}, InitialDelaySeconds: new(int32(0))}}
		app.Spec.Rollout = &v1.RolloutSpec{MaxSurge: new(intstr.FromInt32(1)), MaxUnavailable: new(intstr.FromInt32(0))}
		app.Spec.Shutdown = &v1.ShutdownSpec{GracePeriodSeconds: new(int64(0))}
		app.Spec.Sidecars = []corev1.Container{{
			Name: "proxy", Image: "proxy:1", Env: empty, VolumeMounts: mounts,
			ReadinessProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(1)}}},
		}}
		app.Spec.InitContainers = []corev1.Container{{Name: "migrate", Image: "migrate:1", Env: empty, VolumeMounts: mounts}}
		Expect(k8s.Create(ctx, app)).To(Succeed())
		Expect(k8s.Patch(ctx, app, client.RawPatch(types.MergePatchType, []byte(`{"spec":{"command":[],"args":[]}}`)))).To(Succeed())
		Eventually(fresh(ctx, app)).Should(beReady())
	})

	DescribeTable("is put back", func(ctx SpecContext, change func(*appsv1.DeploymentSpec, *corev1.PodSpec)) {
		before, err := get(ctx, deploymentOf(app))
		Expect(err).NotTo(HaveOccurred())
		edit(ctx, deploymentOf(app), func(deployment *appsv1.Deployment) {
			change(&deployment.Spec, &deployment.Spec.Template.Spec)
		})
		Eventually(fresh(ctx, deploymentOf(app))).Should(HaveField("Spec", before.Spec))
	},
		Entry("a variable", func(_ *appsv1.DeploymentSpec, pod *corev1.PodSpec) { pod.Containers[0].Env[1].Value = "1" }),
		Entry("a variable that gets a source", func(_ *appsv1.DeploymentSpec, pod *corev1.PodSpec) {
			pod.Containers[0].Env[1].ValueFrom = &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"}}
		}),
		Entry("a sidecar's variable", func(_ *appsv1.DeploymentSpec, pod *corev1.PodSpec) { pod.InitContainers[0].Env[1].Value = "1" }),
		Entry("an init container's variable", func(_ *appsv1.DeploymentSpec, pod *corev1.PodSpec) { pod.InitContainers[1].Env[1].Value = "1" }),
		Entry("a mount", func(_ *appsv1.DeploymentSpec, pod *corev1.PodSpec) { pod.Containers[0].VolumeMounts[0].ReadOnly = true }),
		Entry("a part of a volume", func(_ *appsv1.DeploymentSpec, pod *corev1.PodSpec) { pod.Containers[0].VolumeMounts[0].SubPath = "a" }),
		Entry("a sidecar's mount", func(_ *appsv1.DeploymentSpec, pod *corev1.PodSpec) {
			pod.InitContainers[0].VolumeMounts[0].ReadOnly = true
		}),
		Entry("a volume's medium", func(_ *appsv1.DeploymentSpec, pod *corev1.PodSpec) {
			pod.Volumes[0].EmptyDir.Medium = corev1.StorageMediumMemory
		}),
		Entry("a probe's delay", func(_ *appsv1.DeploymentSpec, pod *corev1.PodSpec) {
			pod.Containers[0].ReadinessProbe.InitialDelaySeconds = 30
		}),
		Entry("the delay of a sidecar's probe", func(_ *appsv1.DeploymentSpec, pod *corev1.PodSpec) {
			pod.InitContainers[0].ReadinessProbe.InitialDelaySeconds = 30
		}),
		Entry("a sidecar's terminal", func(_ *appsv1.DeploymentSpec, pod *corev1.PodSpec) {
			pod.InitContainers[0].Stdin, pod.InitContainers[0].StdinOnce, pod.InitContainers[0].TTY = true, true, true
		}),
		Entry("a sidecar's folder", func(_ *appsv1.DeploymentSpec, pod *corev1.PodSpec) { pod.InitContainers[0].WorkingDir = "/a" }),
		Entry("the command", func(_ *appsv1.DeploymentSpec, pod *corev1.PodSpec) { pod.Containers[0].Command = []string{"sleep"} }),
		Entry("the arguments", func(_ *appsv1.DeploymentSpec, pod *corev1.PodSpec) { pod.Containers[0].Args = []string{"1"} }),
		Entry("how long a pod has to be ready", func(spec *appsv1.DeploymentSpec, _ *corev1.PodSpec) { spec.MinReadySeconds = 5 }),
		Entry("how many pods may be missing", func(spec *appsv1.DeploymentSpec, _ *corev1.PodSpec) {
			spec.Strategy.RollingUpdate.MaxUnavailable = new(intstr.FromInt32(1))
		}),
		Entry("a pause", func(spec *appsv1.DeploymentSpec, _ *corev1.PodSpec) { spec.Paused = true }),
	)

	It("is put back where a hook is to be absent, and another hook stays", func(ctx SpecContext) {
		edit(ctx, deploymentOf(app), func(deployment *appsv1.Deployment) {
			pod := &deployment.Spec.Template.Spec
			pod.TerminationGracePeriodSeconds = new(int64(60))
			pod.Containers[0].Lifecycle = &corev1.Lifecycle{
				PostStart: &corev1.LifecycleHandler{Exec: &corev1.ExecAction{Command: []string{"true"}}},
				PreStop:   &corev1.LifecycleHandler{Sleep: &corev1.SleepAction{Seconds: 5}},
			}
		})
		Eventually(fresh(ctx, deploymentOf(app))).Should(ofThePod(SatisfyAll(
			HaveField("TerminationGracePeriodSeconds", HaveValue(BeZero())),
			HaveField("Containers", ConsistOf(HaveField("Lifecycle", HaveValue(SatisfyAll(
				HaveField("PreStop", BeNil()), HaveField("PostStart", Not(BeNil()))))))))))
	})

	It("is no reason to write once it is there", func(ctx SpecContext) {
		edit(ctx, deploymentOf(app), func(deployment *appsv1.Deployment) {
			metav1.SetMetaDataAnnotation(&deployment.ObjectMeta, "theirs", "1")
		})
		Eventually(fresh(ctx, app)).Should(beReady())
		written := func() []metav1.ManagedFieldsEntry { // the status, which may still follow what was done before, apart
			deployment, err := get(ctx, deploymentOf(app))
			Expect(err).NotTo(HaveOccurred())
			return slices.DeleteFunc(deployment.ManagedFields, func(entry metav1.ManagedFieldsEntry) bool { return entry.Subresource != "" })
		}
		before := written()
		edit(ctx, app, func(app *v1.Application) {
			app.Spec.Service = &v1.ServiceSpec{Annotations: map[string]string{"example.com/a": "b"}}
		})
		Eventually(fresh(ctx, serviceOf(app))).Should(HaveField("Annotations", HaveKey("example.com/a")))
		Expect(written()).To(Equal(before))
	})
})

// givenUpClass is the spec that makes a default class, which is every Ingress's.
func givenUpClass() {
	AfterAll(func() { expectNoRefusals() })

	It("has the class of a new one: the cluster's default, or none", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		startOperator(ctx, namespace)
		app := web(namespace)
		app.Spec.Ingress = &v1.IngressSpec{Host: "shop.example.com", ClassName: "special"}
		Expect(k8s.Create(ctx, app)).To(Succeed())
		ingress := &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Name: app.Name, Namespace: namespace}}
		class := func(matcher OmegaMatcher) {
			Eventually(fresh(ctx, ingress)).Should(HaveField("Spec.IngressClassName", matcher))
		}
		class(HaveValue(Equal("special")))
		uid := ingress.UID

		By("giving it up where there is no default")
		edit(ctx, app, func(app *v1.Application) { app.Spec.Ingress.ClassName = "" })
		class(BeNil())
		edit(ctx, app, func(app *v1.Application) { app.Spec.Ingress.ClassName = "special" })
		class(HaveValue(Equal("special")))

		By("giving it up where there is one")
		standard := &networkingv1.IngressClass{
			ObjectMeta: metav1.ObjectMeta{
				Name: "standard", Annotations: map[string]string{networkingv1.AnnotationIsDefaultIngressClass: "true"},
			},
			Spec: networkingv1.IngressClassSpec{Controller: "example.com/controller"},
		}
		Expect(k8s.Create(ctx, standard)).To(Succeed())
		DeferCleanup(func(ctx SpecContext) { Expect(client.IgnoreNotFound(k8s.Delete(ctx, standard))).To(Succeed()) })
		Eventually(func(g Gomega) { // until the API server's admission knows the class
			fresh := &networkingv1.Ingress{
				ObjectMeta: metav1.ObjectMeta{GenerateName: "new-", Namespace: namespace}, Spec: ingress.Spec,
			}
			fresh.Spec.IngressClassName = nil
			g.Expect(k8s.Create(ctx, fresh, client.DryRunAll)).To(Succeed())
			g.Expect(fresh.Spec.IngressClassName).To(HaveValue(Equal("standard")))
		}).Should(Succeed())
		edit(ctx, app, func(app *v1.Application) { app.Spec.Ingress.ClassName = "" })
		class(HaveValue(Equal("standard")))
		edit(ctx, app, func(app *v1.Application) { app.Spec.Ingress.Host = "www.example.com" })
		Eventually(fresh(ctx, ingress)).Should(HaveField("Spec.Rules", ConsistOf(HaveField("Host", "www.example.com"))))
		class(HaveValue(Equal("standard")))
		edit(ctx, app, func(app *v1.Application) { app.Spec.Ingress.ClassName = "special" })
		class(HaveValue(Equal("special")))
		Expect(ingress.UID).To(Equal(uid))
	})
}
