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

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/resources"
)

// inline returns an Application with a file in its spec.
func inline(namespace string) *v1.Application {
	app := web(namespace)
	app.Spec.Files = []v1.File{{
		MountPath: "/etc/web", Name: "config", VolumeSource: v1.VolumeSource{Inline: map[string]string{"web.conf": "a = 1", "empty": ""}},
	}}
	return app
}

func configMapOf(app *v1.Application) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: app.Name + "-config", Namespace: app.Namespace}}
}

func claimOf(app *v1.Application) *corev1.PersistentVolumeClaim {
	return &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Name: app.Name + "-data", Namespace: app.Namespace}}
}

var _ = Describe("Files in the spec", func() {
	var namespace string
	var running *runningOperator

	BeforeEach(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		running = startOperator(ctx, namespace)
	})

	It("are a ConfigMap, which is kept right, and then nothing is written", func(ctx SpecContext) {
		app := inline(namespace)
		createReady(ctx, app)
		config := configMapOf(app)
		Expect(get(ctx, config)).To(HaveField("Data", Equal(map[string]string{"web.conf": "a = 1", "empty": ""})))
		uid := config.UID

		for what, harm := range map[string]func(*corev1.ConfigMap){
			"a text":           func(config *corev1.ConfigMap) { config.Data["web.conf"] = "a = 2" },
			"an empty text":    func(config *corev1.ConfigMap) { config.Data["empty"] = "no more" },
			"a text removed":   func(config *corev1.ConfigMap) { delete(config.Data, "web.conf") },
			"all removed":      func(config *corev1.ConfigMap) { config.Data = nil },
			"labels":           func(config *corev1.ConfigMap) { config.Labels = nil },
			"the content hash": func(config *corev1.ConfigMap) { config.Annotations = nil },
		} {
			By("putting right " + what)
			edit(ctx, config, harm)
			Eventually(fresh(ctx, config)).Should(SatisfyAll(
				HaveField("Data", Equal(map[string]string{"web.conf": "a = 1", "empty": ""})),
				HaveField("Labels", Equal(resources.Labels(app.Name))), HaveField("Annotations", HaveLen(1))), what)
		}
		Expect(config.UID).To(Equal(uid))
		Expect(k8s.Delete(ctx, config)).To(Succeed())
		Eventually(func() error { return k8s.Get(ctx, client.ObjectKeyFromObject(config), config) }).Should(Succeed())

		running.rest(ctx)
		writes := len(running.writes())
		edit(ctx, app, func(app *v1.Application) { metav1.SetMetaDataAnnotation(&app.ObjectMeta, "a-person", "was here") })
		edit(ctx, config, func(config *corev1.ConfigMap) { config.Annotations["theirs"] = "1" })
		running.rest(ctx)
		Expect(running.writesAfter(writes)()).To(BeEmpty())
		Expect(rolloutsOf(ctx, app)).To(Equal(1))
	})

	It("are had by env of the container too, and by whoever mounts the volume, without being missed", func(ctx SpecContext) {
		app := inline(namespace)
		app.Spec.Env = []corev1.EnvVar{fromConfigMap("web-env", nil)}
		app.Spec.Env[0].ValueFrom.ConfigMapKeyRef.Key = "MODE"
		app.Spec.Volumes = []v1.Volume{{Name: "env", VolumeSource: v1.VolumeSource{Inline: map[string]string{"MODE": "live"}}}}
		app.Spec.Sidecars = []corev1.Container{{Name: "side", Image: "side:1", VolumeMounts: []corev1.VolumeMount{
			{Name: "config", MountPath: "/a"}, {Name: "env", MountPath: "/b"},
		}}}
		createReady(ctx, app)
		Expect(rolloutsOf(ctx, app)).To(Equal(1))
	})

	It("restart the pods where that is asked for, and not elsewhere", func(ctx SpecContext) {
		app := inline(namespace)
		createReady(ctx, app)
		edit(ctx, app, func(app *v1.Application) { app.Spec.Files[0].Inline["web.conf"] = "a = 2" })
		Eventually(fresh(ctx, configMapOf(app))).Should(HaveField("Data", HaveKeyWithValue("web.conf", "a = 2")))
		Eventually(fresh(ctx, app)).Should(beReady())
		Expect(rolloutsOf(ctx, app)).To(Equal(1))

		edit(ctx, app, func(app *v1.Application) { app.Spec.Rollout = &v1.RolloutSpec{RestartOnConfigChange: true} })
		Eventually(func() int { return rolloutsOf(ctx, app) }).Should(Equal(2))
		Eventually(fresh(ctx, app)).Should(beReady())
		edit(ctx, app, func(app *v1.Application) { app.Spec.Files[0].Inline["web.conf"] = "a = 3" })
		Eventually(func() int { return rolloutsOf(ctx, app) }).Should(Equal(3))
		Eventually(fresh(ctx, app)).Should(beReady())
	})

	It("go after the last pod that reads them, and take nobody's place", func(ctx SpecContext) {
		app := inline(namespace)
		theirs := configMapOf(app)
		theirs.Data = map[string]string{"theirs": "1"}
		Expect(k8s.Create(ctx, theirs)).To(Succeed())
		Expect(k8s.Create(ctx, app)).To(Succeed())
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonChildConflict, "ConfigMap web-config"))
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(app), deploymentOf(app))).To(Satisfy(apierrors.IsNotFound))
		Expect(get(ctx, theirs)).To(SatisfyAll(HaveField("Data", HaveLen(1)), HaveField("Labels", BeEmpty())))
		Expect(k8s.Delete(ctx, theirs)).To(Succeed())
		Eventually(fresh(ctx, app)).Should(beReady())

		By("keeping one that the spec refers to, and deleting it when it does not")
		edit(ctx, app, func(app *v1.Application) {
			app.Spec.Files[0].Inline = nil
			app.Spec.Files[0].ConfigMap = &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: theirs.Name}}
		})
		Eventually(fresh(ctx, app)).Should(beReady())
		running.rest(ctx)
		Expect(get(ctx, theirs)).To(HaveField("Data", HaveKey("web.conf")))
		edit(ctx, app, func(app *v1.Application) { app.Spec.Files = nil })
		Eventually(fresh(ctx, app)).Should(beReady())
		Eventually(func() error {
			_, err := get(ctx, configMapOf(app))
			return err
		}).Should(Satisfy(apierrors.IsNotFound))
	})
})

var _ = Describe("A claim that is made for an Application", func() {
	var namespace string
	var running *runningOperator

	BeforeEach(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		running = startOperator(ctx, namespace)
	})

	database := func(class string) *v1.Application {
		app := web(namespace)
		app.Name, app.Spec.Replicas = "db", new(int32(1))
		app.Spec.Rollout = &v1.RolloutSpec{Strategy: appsv1.RecreateDeploymentStrategyType}
		app.Spec.Files = []v1.File{{MountPath: "/data", VolumeSource: v1.VolumeSource{
			PersistentVolumeClaim: &v1.ClaimSource{Size: "1Gi", StorageClassName: &class},
		}}}
		return app
	}
	gone := func(ctx SpecContext, object client.Object) func() error {
		return func() error { _, err := get(ctx, object); return err }
	}
	size := func(claim *corev1.PersistentVolumeClaim) string {
		return claim.Spec.Resources.Requests.Storage().String()
	}

	It("outlives it, and is taken up by the next one of its name", func(ctx SpecContext) {
		app, claim := database(storageClass(ctx, namespace, false)), &corev1.PersistentVolumeClaim{}
		Expect(k8s.Create(ctx, app)).To(Succeed())
		claim = claimOf(app)
		Eventually(gone(ctx, claim)).Should(Succeed())
		Expect(claim.OwnerReferences).To(BeEmpty())
		Expect(claim.Labels).To(Equal(map[string]string{resources.LabelApplication: "db"}))
		Expect(claim.Annotations).To(HaveKeyWithValue("argocd.argoproj.io/sync-options", "Prune=false"))
		bind(ctx, claim)
		Eventually(fresh(ctx, app)).Should(beReady())
		uid := claim.UID

		running.rest(ctx)
		writes := len(running.writes())
		edit(ctx, app, func(app *v1.Application) { metav1.SetMetaDataAnnotation(&app.ObjectMeta, "a-person", "was here") })
		running.rest(ctx)
		Expect(running.writesAfter(writes)()).To(BeEmpty())

		By("leaving the file out, and taking it up again")
		edit(ctx, app, func(app *v1.Application) { app.Spec.Files = nil })
		Eventually(fresh(ctx, app)).Should(beReady())
		Expect(get(ctx, claim)).To(HaveField("DeletionTimestamp", BeNil()))
		edit(ctx, app, func(app *v1.Application) { app.Spec.Files = database(*claim.Spec.StorageClassName).Spec.Files })
		Eventually(fresh(ctx, app)).Should(beReady())

		for _, policy := range []v1.DeletionPolicy{v1.DeletionPolicyDelete, v1.DeletionPolicyDrain} {
			By("deleting the Application by " + string(policy))
			edit(ctx, app, func(app *v1.Application) { app.Spec.DeletionPolicy = policy })
			Eventually(fresh(ctx, app)).Should(beReady())
			Expect(k8s.Delete(ctx, app)).To(Succeed())
			Eventually(gone(ctx, app)).Should(Satisfy(apierrors.IsNotFound))
			Eventually(gone(ctx, deploymentOf(app))).Should(Satisfy(apierrors.IsNotFound))
			Expect(get(ctx, claim)).To(SatisfyAll(HaveField("DeletionTimestamp", BeNil()), HaveField("UID", uid)))
			events := &eventsv1.EventList{}
			Eventually(func() ([]eventsv1.Event, error) {
				return events.Items, k8s.List(ctx, events, client.InNamespace(namespace))
			}).Should(ContainElement(SatisfyAll(HaveField("Reason", v1.EventRetained), HaveField("Regarding.UID", app.UID),
				HaveField("Note", ContainSubstring("PersistentVolumeClaim db-data")))))

			// Of another class and smaller: what is there stays as it is.
			app = database("another")
			app.Spec.Files[0].PersistentVolumeClaim.Size = "512Mi"
			createReady(ctx, app)
			Expect(get(ctx, claim)).To(SatisfyAll(HaveField("UID", uid), WithTransform(size, Equal("1Gi"))))
		}
	})

	It("grows where its class allows it, and elsewhere holds nothing up", func(ctx SpecContext) {
		refusals.Insert(namespace)
		app := database(storageClass(ctx, namespace, true))
		other := database(storageClass(ctx, namespace, false))
		other.Name = "fixed"
		for _, app := range []*v1.Application{app, other} {
			Expect(k8s.Create(ctx, app)).To(Succeed())
			claim := claimOf(app)
			Eventually(gone(ctx, claim)).Should(Succeed())
			bind(ctx, claim)
			Eventually(fresh(ctx, app)).Should(beReady())
			edit(ctx, app, func(app *v1.Application) {
				app.Spec.Files[0].PersistentVolumeClaim.Size = "2Gi"
				app.Spec.Image = "nginx:1.30"
			})
		}
		Eventually(fresh(ctx, claimOf(app))).Should(WithTransform(size, Equal("2Gi")))
		Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), haveCondition(v1.ConditionDegraded, metav1.ConditionFalse, v1.ReasonRolloutComplete)))

		Eventually(fresh(ctx, other)).Should(SatisfyAll(beReady(), HaveField("Status.Image", "nginx:1.30"),
			haveCondition(v1.ConditionDegraded, metav1.ConditionTrue, v1.ReasonAdmissionDenied, "PersistentVolumeClaim")))
		Expect(get(ctx, claimOf(other))).To(WithTransform(size, Equal("1Gi")))

		By("keeping what somebody else has given it more")
		edit(ctx, claimOf(app), func(claim *corev1.PersistentVolumeClaim) {
			claim.Spec.Resources.Requests[corev1.ResourceStorage] = resource.MustParse("3Gi")
		})
		running.rest(ctx)
		Expect(get(ctx, claimOf(app))).To(WithTransform(size, Equal("3Gi")))
		Expect(get(ctx, app)).To(beReady())
	})

	It("is not another's, and is had once it is labelled", func(ctx SpecContext) {
		refusals.Insert(namespace)
		app := database(storageClass(ctx, namespace, false))
		theirs := claimOf(app)
		theirs.Spec.AccessModes = []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}
		theirs.Spec.StorageClassName = app.Spec.Files[0].PersistentVolumeClaim.StorageClassName
		theirs.Spec.Resources.Requests = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Mi")}
		Expect(k8s.Create(ctx, theirs)).To(Succeed())
		bind(ctx, theirs)
		Expect(k8s.Create(ctx, app)).To(Succeed())
		Eventually(fresh(ctx, app)).Should(haveCondition(
			v1.ConditionReady, metav1.ConditionFalse, v1.ReasonChildConflict, "PersistentVolumeClaim db-data", v1.AnnotationAdopt))
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(app), deploymentOf(app))).To(Satisfy(apierrors.IsNotFound))
		Expect(get(ctx, theirs)).To(HaveField("Labels", BeEmpty()))

		edit(ctx, theirs, func(claim *corev1.PersistentVolumeClaim) {
			claim.Labels = map[string]string{resources.LabelApplication: app.Name}
		})
		// It cannot grow, and serves as it is.
		Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), haveCondition(v1.ConditionDegraded, metav1.ConditionTrue, v1.ReasonAdmissionDenied)))
	})

	It("that somebody deletes while pods use it is a fault, and is made again when they have ended", func(ctx SpecContext) {
		app := database(storageClass(ctx, namespace, false))
		Expect(k8s.Create(ctx, app)).To(Succeed())
		claim := claimOf(app)
		Eventually(gone(ctx, claim)).Should(Succeed())
		bind(ctx, claim)
		Eventually(fresh(ctx, app)).Should(beReady())
		uid := claim.UID
		edit(ctx, claim, func(claim *corev1.PersistentVolumeClaim) { // as Kubernetes does with one that is in use
			claim.Finalizers = []string{"example.com/in-use"}
		})
		Expect(k8s.Delete(ctx, claim)).To(Succeed())
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonReferenceMissing,
			"PersistentVolumeClaim db-data is being deleted", "spec.suspend"))
		edit(ctx, app, func(app *v1.Application) { app.Spec.Suspend = true })
		Eventually(fresh(ctx, deploymentOf(app))).Should(HaveField("Spec.Replicas", HaveValue(BeZero())))
		edit(ctx, claim, func(claim *corev1.PersistentVolumeClaim) { claim.Finalizers = nil })
		Eventually(fresh(ctx, claim)).Should(HaveField("UID", Not(Equal(uid))))
		bind(ctx, claim)
		edit(ctx, app, func(app *v1.Application) { app.Spec.Suspend = false })
		Eventually(fresh(ctx, app)).Should(beReady())
	})

	It("is left alone while the Application is paused, and made while it is suspended", func(ctx SpecContext) {
		app := database(storageClass(ctx, namespace, false))
		app.Spec.Paused, app.Spec.Suspend = true, true
		Expect(k8s.Create(ctx, app)).To(Succeed())
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonPaused))
		Expect(gone(ctx, claimOf(app))()).To(Satisfy(apierrors.IsNotFound))
		edit(ctx, app, func(app *v1.Application) { app.Spec.Paused = false })
		Eventually(gone(ctx, claimOf(app))).Should(Succeed())
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionTrue, v1.ReasonSuspended))
	})
})

// storageClass makes a class without a provisioner, and returns its name.
func storageClass(ctx context.Context, namespace string, expands bool) string {
	GinkgoHelper()
	class := &storagev1.StorageClass{
		ObjectMeta:  metav1.ObjectMeta{GenerateName: namespace + "-"},
		Provisioner: "example.com/none", AllowVolumeExpansion: &expands,
	}
	Expect(k8s.Create(ctx, class)).To(Succeed())
	DeferCleanup(func(ctx SpecContext) { Expect(k8s.Delete(ctx, class)).To(Succeed()) })
	return class.Name
}

// bind makes a volume for the claim and binds the two, as a provisioner and Kubernetes' binder do.
func bind(ctx context.Context, claim *corev1.PersistentVolumeClaim) {
	GinkgoHelper()
	volume := &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{GenerateName: claim.Namespace + "-" + claim.Name + "-"},
		Spec: corev1.PersistentVolumeSpec{
			Capacity:         corev1.ResourceList{corev1.ResourceStorage: *claim.Spec.Resources.Requests.Storage()},
			AccessModes:      claim.Spec.AccessModes,
			StorageClassName: *claim.Spec.StorageClassName,
			ClaimRef: &corev1.ObjectReference{
				APIVersion: "v1", Kind: "PersistentVolumeClaim", Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID,
			},
			PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimRetain,
			PersistentVolumeSource:        corev1.PersistentVolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/nowhere"}},
		},
	}
	Expect(k8s.Create(ctx, volume)).To(Succeed())
	DeferCleanup(func(ctx SpecContext) { Expect(client.IgnoreNotFound(k8s.Delete(ctx, volume))).To(Succeed()) })
	edit(ctx, claim, func(claim *corev1.PersistentVolumeClaim) {
		claim.Spec.VolumeName = volume.Name
		metav1.SetMetaDataAnnotation(&claim.ObjectMeta, "pv.kubernetes.io/bind-completed", "yes")
	})
	Eventually(func() error {
		if _, err := get(ctx, claim); err != nil {
			return err
		}
		claim.Status.Phase, claim.Status.Capacity, claim.Status.AccessModes = corev1.ClaimBound, volume.Spec.Capacity, claim.Spec.AccessModes
		return k8s.Status().Update(ctx, claim)
	}).Should(Succeed())
	Eventually(func() error {
		if _, err := get(ctx, volume); err != nil {
			return err
		}
		volume.Status.Phase = corev1.VolumeBound
		return k8s.Status().Update(ctx, volume)
	}).Should(Succeed())
}
