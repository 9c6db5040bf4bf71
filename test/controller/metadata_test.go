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
	"maps"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
)

var _ = Describe("Labels and annotations of the objects", func() {
	const theirs = "example.com/theirs"

	var (
		app  *v1.Application
		pods []string
	)

	BeforeEach(func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		startOperator(ctx, namespace)
		app = web(namespace)
		app.Spec.NetworkPolicy = &v1.NetworkPolicySpec{}
		app.Spec.Ingress = &v1.IngressSpec{Host: "web.example.com"}
		app.Spec.Autoscaling = &v1.AutoscalingSpec{MinReplicas: new(int32(2)), MaxReplicas: 3}
		createReady(ctx, app)
		pods = namesOfPods(ctx, app)
		for _, object := range ownedBy(ctx, app) {
			edit(ctx, object, func(object client.Object) {
				object.SetLabels(with(object.GetLabels(), theirs, "kept"))
				object.SetAnnotations(with(object.GetAnnotations(), theirs, "kept"))
			})
		}
	})

	// all holds for every object of the Application, and that others' labels are there.
	all := func(ctx context.Context, labels, annotations map[string]string) func(Gomega) {
		return func(g Gomega) {
			objects := ownedBy(ctx, app)
			g.Expect(len(objects)).To(BeNumerically(">=", 6))
			for _, object := range objects {
				for key, value := range labels {
					g.Expect(object.GetLabels()).To(HaveKeyWithValue(key, value), "%T", object)
				}
				operators := 3
				if _, is := object.(*appsv1.Deployment); is {
					operators++ // its revision
				}
				g.Expect(object.GetLabels()).To(HaveLen(len(labels)+operators+1), "%T: the labels of the operator, and theirs", object)
				g.Expect(object.GetLabels()).To(HaveKeyWithValue(theirs, "kept"), "%T", object)
				for key, value := range annotations {
					g.Expect(object.GetAnnotations()).To(HaveKeyWithValue(key, value), "%T", object)
				}
				g.Expect(object.GetAnnotations()).To(HaveKeyWithValue(theirs, "kept"), "%T", object)
			}
		}
	}

	It("come, change and go without a restart, and leave those of others", func(ctx SpecContext) {
		for _, metadata := range []v1.ObjectMetadata{
			{Labels: map[string]string{"app.kubernetes.io/part-of": "shop", "a": "1"}, Annotations: map[string]string{"example.com/a": "1"}},
			{Labels: map[string]string{"app.kubernetes.io/part-of": "store"}, Annotations: map[string]string{"example.com/a": "2", "example.com/b": ""}},
			{},
		} {
			edit(ctx, app, func(app *v1.Application) { app.Spec.ObjectMetadata = &metadata })
			Eventually(all(ctx, metadata.Labels, metadata.Annotations)).Should(Succeed())
		}
		for _, object := range ownedBy(ctx, app) {
			Expect(object.GetAnnotations()).NotTo(HaveKey("example.com/a"), "%T", object)
		}
		Eventually(fresh(ctx, app)).Should(beReady())
		Expect(namesOfPods(ctx, app)).To(Equal(pods))
		Expect(app.Status.UpdatedReplicas).To(BeEquivalentTo(2))
	})

	It("that somebody changes or takes away are repaired", func(ctx SpecContext) {
		wants := v1.ObjectMetadata{Labels: map[string]string{"a": "1"}, Annotations: map[string]string{"example.com/a": "1"}}
		edit(ctx, app, func(app *v1.Application) { app.Spec.ObjectMetadata = &wants })
		Eventually(all(ctx, wants.Labels, wants.Annotations)).Should(Succeed())
		for _, object := range ownedBy(ctx, app) {
			edit(ctx, object, func(object client.Object) {
				object.SetLabels(with(object.GetLabels(), "a", "other"))
				annotations := object.GetAnnotations()
				delete(annotations, "example.com/a")
				object.SetAnnotations(annotations)
			})
		}
		Eventually(all(ctx, wants.Labels, wants.Annotations)).Should(Succeed())
	})

	It("that the API server refuses are told in the user's words", func(ctx SpecContext) {
		edit(ctx, app, func(app *v1.Application) {
			app.Spec.ObjectMetadata = &v1.ObjectMetadata{Labels: map[string]string{"a": "not a value!"}}
		})
		Eventually(fresh(ctx, app)).Should(
			haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonInvalidSpec, "spec.objectMetadata.labels"))
		edit(ctx, app, func(app *v1.Application) {
			app.Spec.ObjectMetadata = &v1.ObjectMetadata{Annotations: map[string]string{"not a key!": "a"}}
		})
		Eventually(fresh(ctx, app)).Should(
			haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonInvalidSpec, "spec.objectMetadata.annotations"))
	})
})

// ownedBy returns the Application's objects, of those kinds that it has.
func ownedBy(ctx context.Context, app *v1.Application) []client.Object {
	GinkgoHelper()
	var objects []client.Object
	for _, kind := range childKinds {
		object := kind.named(app.Namespace, app.Name)
		err := k8s.Get(ctx, client.ObjectKeyFromObject(object), object)
		Expect(client.IgnoreNotFound(err)).To(Succeed())
		if err == nil {
			objects = append(objects, object)
		}
	}
	return objects
}

// namesOfPods returns the names of the Application's pods, in order.
func namesOfPods(ctx context.Context, app *v1.Application) []string {
	GinkgoHelper()
	pods, err := podsOf(ctx, app)
	Expect(err).NotTo(HaveOccurred())
	var names []string
	for _, pod := range pods {
		names = append(names, pod.Name)
	}
	slices.Sort(names)
	return names
}

// with returns the map with one more entry.
func with(entries map[string]string, key, value string) map[string]string {
	all := maps.Clone(entries)
	if all == nil {
		all = map[string]string{}
	}
	all[key] = value
	return all
}
