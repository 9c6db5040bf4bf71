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
	"fmt"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	gomegatypes "github.com/onsi/gomega/types"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/test/controlplane"
)

// everything returns an Application that has an object of each kind that stays, claims apart.
func everything(namespace string) *v1.Application {
	app := complete(namespace, "web")
	app.Spec.Files = inline("").Spec.Files
	return app
}

// owned returns the objects that are the Application's and are not expendable, by kind and name.
func owned(ctx context.Context, app *v1.Application) map[string]client.Object {
	GinkgoHelper()
	found := map[string]client.Object{}
	for i := range children.Table {
		row := &children.Table[i]
		if row.Expendable {
			continue
		}
		list := row.NewList()
		Expect(k8s.List(ctx, list, client.InNamespace(app.Namespace))).To(Succeed())
		Expect(meta.EachListItem(list, func(item runtime.Object) error {
			if object := item.(client.Object); row.Owns(app, object) {
				found[row.Kind+" "+object.GetName()] = object
			}
			return nil
		})).To(Succeed())
	}
	return found
}

// uidsOf returns the UIDs of pods, which say whether any was replaced.
func uidsOf(ctx context.Context, app *v1.Application) []types.UID {
	GinkgoHelper()
	pods, err := podsOf(ctx, app)
	Expect(err).NotTo(HaveOccurred())
	uids := make([]types.UID, 0, len(pods))
	for _, pod := range pods {
		uids = append(uids, pod.UID)
	}
	slices.Sort(uids)
	return uids
}

// beMarked matches an object that is the Application's without an owner reference.
func beMarked(app *v1.Application) gomegatypes.GomegaMatcher {
	return SatisfyAll(
		WithTransform(client.Object.GetOwnerReferences, BeEmpty()),
		WithTransform(client.Object.GetAnnotations, HaveKeyWithValue(v1.AnnotationOwner, app.Name+"/"+string(app.UID))))
}

// beNobodys matches an object that nothing says of that it is, or was, an Application's, but for its labels.
func beNobodys() gomegatypes.GomegaMatcher {
	return SatisfyAll(
		WithTransform(client.Object.GetDeletionTimestamp, BeNil()),
		WithTransform(client.Object.GetOwnerReferences, BeEmpty()),
		WithTransform(client.Object.GetAnnotations, Not(HaveKey(v1.AnnotationOwner))),
		WithTransform(client.Object.GetManagedFields, Not(ContainElement(HaveField("Manager", HavePrefix("app-operator"))))))
}

// stay expects that the Application goes, and that these objects of its stay, and its pods.
func stay(ctx context.Context, app *v1.Application, objects map[string]client.Object, pods []types.UID) {
	GinkgoHelper()
	Eventually(gone(ctx, app)).Should(Satisfy(apierrors.IsNotFound))
	for name, before := range objects {
		uid := before.GetUID()
		Expect(get(ctx, before)).To(SatisfyAll(WithTransform(client.Object.GetUID, Equal(uid)), beNobodys()), name)
	}
	Expect(uidsOf(ctx, app)).To(Equal(pods))
	Expect(get(ctx, deploymentOf(app))).To(HaveField("Status.AvailableReplicas", BeEquivalentTo(2)))
}

var _ = Describe("The policy Orphan", func() {
	var namespace string
	var app *v1.Application
	var running *runningOperator

	BeforeEach(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		running = startOperator(ctx, namespace)
		app = everything(namespace)
		app.Spec.DeletionPolicy = v1.DeletionPolicyOrphan
	})

	DescribeTable("keeps an object of every kind, and the pods", func(ctx SpecContext, how metav1.DeletionPropagation) {
		createReady(ctx, app)
		Expect(app.Finalizers).To(ConsistOf(v1.Finalizer))
		objects, pods, kinds := owned(ctx, app), uidsOf(ctx, app), sets.New[string]()
		for name, object := range objects {
			Expect(object).To(beMarked(app), name)
			kinds.Insert(strings.Fields(name)[0])
		}
		for i := range children.Table {
			if row := &children.Table[i]; !row.Expendable && !row.Retained {
				Expect(kinds).To(HaveKey(row.Kind))
			}
		}
		Expect(k8s.Delete(ctx, app, client.PropagationPolicy(how))).To(Succeed())
		stay(ctx, app, objects, pods)
		Eventually(eventsAbout(ctx, app, v1.EventOrphaned)).Should(ConsistOf(SatisfyAll(
			ContainSubstring("Deployment web"), ContainSubstring("CronJob web-nightly"), ContainSubstring("are nobody's"))))
		Expect(running.log()).To(ContainSubstring("The Application goes, and its objects stay"))
		if how != metav1.DeletePropagationOrphan {
			Eventually(func() ([]appsv1.ControllerRevision, error) {
				list := &appsv1.ControllerRevisionList{}
				return list.Items, k8s.List(ctx, list, client.InNamespace(namespace))
			}).Should(BeEmpty(), "they mean nothing without it")
		}
		running.rest(ctx)
		Expect(running.errors()).To(BeEmpty())
	},
		Entry("in the background", metav1.DeletePropagationBackground),
		Entry("in the foreground", metav1.DeletePropagationForeground),
		Entry("with --cascade=orphan", metav1.DeletePropagationOrphan))

	It("comes and goes, and touches no pod", func(ctx SpecContext) {
		app.Spec.DeletionPolicy = v1.DeletionPolicyDelete
		createReady(ctx, app)
		objects, pods := owned(ctx, app), uidsOf(ctx, app)
		for _, policy := range []v1.DeletionPolicy{v1.DeletionPolicyOrphan, v1.DeletionPolicyDrain, v1.DeletionPolicyOrphan, v1.DeletionPolicyDelete} {
			edit(ctx, app, func(app *v1.Application) { app.Spec.DeletionPolicy = policy })
			Eventually(fresh(ctx, app)).Should(beReady())
			running.rest(ctx)
			for name, object := range objects {
				is := beMarked(app)
				if policy != v1.DeletionPolicyOrphan {
					is = SatisfyAll(
						WithTransform(func(o client.Object) bool { return metav1.IsControlledBy(o, app) }, BeTrue()),
						WithTransform(client.Object.GetAnnotations, Not(HaveKey(v1.AnnotationOwner))))
				}
				uid := object.GetUID()
				Expect(get(ctx, object)).To(SatisfyAll(WithTransform(client.Object.GetUID, Equal(uid)), is), "%s with %s", name, policy)
			}
			Expect(rolloutsOf(ctx, app)).To(Equal(1))
			Expect(uidsOf(ctx, app)).To(Equal(pods))
		}
		Expect(get(ctx, app)).To(HaveField("Finalizers", BeEmpty()))
	})

	It("repairs, makes anew and removes as any other", func(ctx SpecContext) {
		createReady(ctx, app)
		Expect(k8s.Delete(ctx, serviceOf(app))).To(Succeed())
		Eventually(fresh(ctx, serviceOf(app))).Should(beMarked(app))
		for name, object := range owned(ctx, app) {
			if name == "NetworkPolicy web-jobs" || strings.HasPrefix(name, "ConfigMap") {
				continue
			}
			at := slices.IndexFunc(childKinds, func(kind childKind) bool { return kind.kind == strings.Fields(name)[0] })
			harmed := childKinds[at].object.DeepCopyObject().(client.Object)
			harmed.SetNamespace(namespace)
			harmed.SetName(object.GetName())
			was, err := get(ctx, harmed)
			Expect(err).NotTo(HaveOccurred())
			before := decided(was.DeepCopyObject().(client.Object))
			edit(ctx, harmed, childKinds[at].harm)
			Eventually(func() (map[string]any, error) {
				now, err := get(ctx, harmed)
				return decided(now.DeepCopyObject().(client.Object)), err
			}).Should(Equal(before), name)
		}
		edit(ctx, app, func(app *v1.Application) { app.Spec.Ingress, app.Spec.Schedules = nil, nil })
		Eventually(gone(ctx, ingressOf(app))).Should(Satisfy(apierrors.IsNotFound))
		Eventually(func() map[string]client.Object { return owned(ctx, app) }).ShouldNot(Or(HaveKey("CronJob web-nightly"), HaveKey("NetworkPolicy web-jobs")))
		Eventually(fresh(ctx, app)).Should(beReady())
	})

	It("takes off an owner reference that somebody else has put on as well", func(ctx SpecContext) {
		app.Spec.DeletionPolicy = v1.DeletionPolicyDelete
		createReady(ctx, app)
		service, err := get(ctx, serviceOf(app))
		Expect(err).NotTo(HaveOccurred())
		theirs := &corev1.Service{
			TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: service.Name, OwnerReferences: service.OwnerReferences},
		}
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(theirs)
		Expect(err).NotTo(HaveOccurred())
		delete(content, "spec")
		delete(content, "status")
		Expect(k8s.Apply(ctx, client.ApplyConfigurationFromUnstructured(&unstructured.Unstructured{Object: content}),
			client.FieldOwner("somebody"), client.ForceOwnership)).To(Succeed())
		edit(ctx, app, func(app *v1.Application) { app.Spec.DeletionPolicy = v1.DeletionPolicyOrphan })
		Eventually(fresh(ctx, serviceOf(app))).Should(beMarked(app))
	})

	It("keeps everything although the deletion came before the operator had seen it", func(ctx SpecContext) {
		app.Spec.DeletionPolicy = v1.DeletionPolicyDrain // or nothing would hold the Application back
		createReady(ctx, app)
		objects, pods := owned(ctx, app), uidsOf(ctx, app)
		Expect(running.Kill()).To(Succeed())
		edit(ctx, app, func(app *v1.Application) { app.Spec.DeletionPolicy = v1.DeletionPolicyOrphan })
		Expect(k8s.Delete(ctx, app)).To(Succeed())
		startBuild(ctx, binary, namespace, "again")
		stay(ctx, app, objects, pods)
	})

	It("in the foreground keeps nothing of which the operator has not seen it yet", func(ctx SpecContext) {
		app.Spec.DeletionPolicy = v1.DeletionPolicyDrain
		createReady(ctx, app)
		Expect(running.Kill()).To(Succeed())
		edit(ctx, app, func(app *v1.Application) { app.Spec.DeletionPolicy = v1.DeletionPolicyOrphan })
		Expect(k8s.Delete(ctx, app, client.PropagationPolicy(metav1.DeletePropagationForeground))).To(Succeed())
		Eventually(gone(ctx, serviceOf(app))).Should(Satisfy(apierrors.IsNotFound), "as docs/guide.md says")
		startBuild(ctx, binary, namespace, "again")
		Eventually(gone(ctx, app)).Should(Satisfy(apierrors.IsNotFound))
	})

	DescribeTable("is gone through with by the next operator", func(ctx SpecContext, how metav1.DeletionPropagation) {
		createReady(ctx, app)
		objects, pods := owned(ctx, app), uidsOf(ctx, app)
		Expect(running.Kill()).To(Succeed())
		Expect(k8s.Delete(ctx, app, client.PropagationPolicy(how))).To(Succeed())
		edit(ctx, serviceOf(app), func(service *corev1.Service) { // as if it had been let go of already
			delete(service.Annotations, v1.AnnotationOwner)
			for i := range service.ManagedFields {
				service.ManagedFields[i].Manager = "kubectl"
			}
		})
		Expect(get(ctx, app)).To(HaveField("Finalizers", ContainElement(v1.Finalizer)))
		startBuild(ctx, binary, namespace, "again")
		stay(ctx, app, objects, pods)
	},
		Entry("in the background", metav1.DeletePropagationBackground),
		Entry("in the foreground", metav1.DeletePropagationForeground))

	DescribeTable("keeps everything", func(ctx SpecContext, prepare func(ctx SpecContext)) {
		createReady(ctx, app)
		objects, pods := owned(ctx, app), uidsOf(ctx, app)
		prepare(ctx)
		Expect(k8s.Delete(ctx, app, client.PropagationPolicy(metav1.DeletePropagationForeground))).To(Succeed())
		stay(ctx, app, objects, pods)
	},
		Entry("while it is paused", func(ctx SpecContext) {
			edit(ctx, app, func(app *v1.Application) { app.Spec.Paused = true })
			Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionTrue, v1.ReasonPaused))
		}),
		Entry("with a spec that the API server refuses", func(ctx SpecContext) {
			edit(ctx, app, func(app *v1.Application) { app.Spec.Env = []corev1.EnvVar{{Name: "not=valid", Value: "x"}} })
			Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonInvalidSpec))
		}),
		Entry("with a reference to what is missing", func(ctx SpecContext) {
			edit(ctx, app, func(app *v1.Application) {
				app.Spec.EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "nowhere"}}}}
			})
			Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonReferenceMissing))
		}))

	It("leaves what the next Application of the name takes by consent alone, and the pods run on", func(ctx SpecContext) {
		createReady(ctx, app)
		objects, pods := owned(ctx, app), uidsOf(ctx, app)
		Expect(k8s.Delete(ctx, app)).To(Succeed())
		stay(ctx, app, objects, pods)

		again := everything(namespace)
		Expect(k8s.Create(ctx, again)).To(Succeed())
		Eventually(fresh(ctx, again)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonChildConflict, v1.AnnotationAdopt))
		running.rest(ctx)
		for name, object := range objects {
			Expect(get(ctx, object)).To(beNobodys(), name)
		}

		By("giving what can be given, and letting go of what makes pods")
		for name, object := range objects {
			if children.Of(strings.Fields(name)[0]).Adoption != 0 {
				Expect(k8s.Patch(ctx, object, client.RawPatch(types.MergePatchType, fmt.Appendf(nil,
					`{"metadata":{"annotations":{%q:%q}}}`, v1.AnnotationAdopt, again.Name)))).To(Succeed())
				continue
			}
			Expect(k8s.Delete(ctx, object, client.PropagationPolicy(metav1.DeletePropagationOrphan))).To(Succeed())
		}
		Eventually(fresh(ctx, again)).Should(beReady())
		Expect(uidsOf(ctx, again)).To(Equal(pods))
		for name, object := range objects {
			uid := object.GetUID()
			if children.Of(strings.Fields(name)[0]).Adoption == 0 {
				continue
			}
			Expect(get(ctx, object)).To(SatisfyAll(WithTransform(client.Object.GetUID, Equal(uid)),
				WithTransform(func(o client.Object) bool { return metav1.IsControlledBy(o, again) }, BeTrue())), name)
		}
	})

	It("of an earlier Application marks nothing as a later one's, and a mark on another name means nothing", func(ctx SpecContext) {
		service, kind := serviceOf(app), childKinds[4]
		kind.fill(service)
		service.Annotations = map[string]string{v1.AnnotationOwner: "web/an-earlier-one"}
		Expect(k8s.Create(ctx, service)).To(Succeed())
		Expect(k8s.Create(ctx, app)).To(Succeed())
		Eventually(fresh(ctx, app)).Should(haveCondition(
			v1.ConditionReady, metav1.ConditionFalse, v1.ReasonChildConflict, "Service web exists", "kubectl annotate"))
		mark := map[string]string{v1.AnnotationOwner: app.Name + "/" + string(app.UID)}
		stranger := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "website", Annotations: mark}}
		other := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "web-copy", Annotations: mark}}
		kind.fill(other)
		for _, object := range []client.Object{stranger, other} {
			Expect(k8s.Create(ctx, object)).To(Succeed())
		}
		running.expectUntouched(ctx, service.DeepCopy())
		consent(ctx, service, app.Name) // the mark of the past is in nobody's way
		Eventually(fresh(ctx, app)).Should(beReady())
		Expect(get(ctx, service)).To(beMarked(app))
		running.rest(ctx)
		running.expectUntouched(ctx, stranger)
		running.expectUntouched(ctx, other)
	})

	It("has a release command that runs go on in the background, and one that has ended go", func(ctx SpecContext) {
		app = web(namespace)
		app.Spec.DeletionPolicy, app.Spec.Release = v1.DeletionPolicyOrphan, &v1.ReleaseSpec{Command: []string{"migrate"}}
		createReady(ctx, app)
		ended := releaseOf(ctx, app)
		Expect(ended.OwnerReferences).To(HaveLen(1))
		objects, pods := owned(ctx, app), uidsOf(ctx, app)
		edit(ctx, app, func(app *v1.Application) {
			app.Spec.Image, app.Spec.PodMetadata = "nginx:1.30", &v1.PodMetadata{Labels: map[string]string{controlplane.Unmanaged: "true"}}
		})
		runs := releaseOf(ctx, app)
		Eventually(fresh(ctx, runs)).Should(HaveField("Status.Active", BeEquivalentTo(1)))
		Expect(k8s.Delete(ctx, app)).To(Succeed())
		stay(ctx, app, objects, pods)
		Eventually(gone(ctx, ended)).Should(Satisfy(apierrors.IsNotFound))
		Expect(get(ctx, runs)).To(beNobodys())
		finishRun(ctx, app, runs.Name, 0, "")
		Eventually(fresh(ctx, runs)).Should(HaveField("Status.Succeeded", BeEquivalentTo(1)))
	})

	It("keeps claims, as any other", func(ctx SpecContext) {
		class := storageClass(ctx, namespace, false)
		app = web(namespace)
		app.Spec.Replicas, app.Spec.DeletionPolicy = new(int32(1)), v1.DeletionPolicyOrphan
		app.Spec.Rollout = &v1.RolloutSpec{Strategy: appsv1.RecreateDeploymentStrategyType}
		app.Spec.Files = []v1.File{{MountPath: "/data", VolumeSource: v1.VolumeSource{
			PersistentVolumeClaim: &v1.ClaimSource{Size: "1Gi", StorageClassName: &class},
		}}}
		Expect(k8s.Create(ctx, app)).To(Succeed())
		claim := claimOf(app)
		Eventually(fresh(ctx, claim)).Should(HaveField("Annotations", Not(HaveKey(v1.AnnotationOwner))))
		bind(ctx, claim)
		Eventually(fresh(ctx, app)).Should(beReady())
		pods := uidsOf(ctx, app)
		Expect(k8s.Delete(ctx, app, client.PropagationPolicy(metav1.DeletePropagationForeground))).To(Succeed())
		Eventually(gone(ctx, app)).Should(Satisfy(apierrors.IsNotFound))
		Expect(get(ctx, claim)).To(HaveField("DeletionTimestamp", BeNil()))
		Expect(uidsOf(ctx, app)).To(Equal(pods))
		Eventually(eventsAbout(ctx, app, v1.EventOrphaned)).Should(ConsistOf(ContainSubstring("PersistentVolumeClaim " + claim.Name)))
	})
})
