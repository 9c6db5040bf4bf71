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
	"strconv"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
)

// lots returns environment variables of so many KiB together.
func lots(kib int) []corev1.EnvVar {
	var all []corev1.EnvVar
	for i := range kib {
		all = append(all, corev1.EnvVar{Name: "LONG_" + strconv.Itoa(i), Value: strings.Repeat("x", 1000)})
	}
	return all
}

var _ = Describe("An Application that is too large", func() {
	var namespace string
	var app *v1.Application
	tooLarge := haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonInvalidSpec, "larger than 256 KiB", "ConfigMaps")

	BeforeEach(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		startOperator(ctx, namespace)
		app = web(namespace)
	})

	It("says so, leaves its objects as they are, and is served again when it is small", func(ctx SpecContext) {
		createReady(ctx, app)
		before, err := get(ctx, deploymentOf(app))
		Expect(err).NotTo(HaveOccurred())
		edit(ctx, app, func(app *v1.Application) {
			app.Spec.Env = lots(400)
			app.Spec.Image = "nginx:1.30"
			app.Spec.DeletionPolicy = v1.DeletionPolicyDrain
		})
		Eventually(fresh(ctx, app)).Should(SatisfyAll(tooLarge,
			haveCondition(v1.ConditionAvailable, metav1.ConditionTrue, v1.ReasonInvalidSpec),
			haveCondition(v1.ConditionDegraded, metav1.ConditionTrue, v1.ReasonInvalidSpec),
			HaveField("Finalizers", ConsistOf(v1.Finalizer)),
			HaveField("Status.URL", "http://web."+namespace+".svc:8080"),
			HaveField("Status.ReplicaSummary", "2/2")))
		Expect(app.Spec.Env).To(HaveLen(400))
		after, err := get(ctx, deploymentOf(app))
		Expect(err).NotTo(HaveOccurred())
		Expect(after.Generation).To(Equal(before.Generation))

		other := worker(namespace)
		createReady(ctx, other)

		edit(ctx, app, func(app *v1.Application) { app.Spec.Env = lots(1) })
		Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), HaveField("Status.Image", "nginx:1.30")))
	})

	It("is let go, by Drain too", func(ctx SpecContext) {
		app.Spec.DeletionPolicy = v1.DeletionPolicyDrain
		createReady(ctx, app)
		edit(ctx, app, func(app *v1.Application) { app.Spec.Env = lots(400) })
		Eventually(fresh(ctx, app)).Should(tooLarge)
		Expect(k8s.Delete(ctx, app)).To(Succeed())
		for _, object := range []client.Object{app, deploymentOf(app), serviceOf(app)} {
			Eventually(func() error { _, err := get(ctx, object); return err }).Should(Satisfy(apierrors.IsNotFound))
		}
	})

	It("is measured without its annotations, and keeps them and all other metadata of its user through every write", func(ctx SpecContext) {
		app.Labels = map[string]string{"team": "shop"}
		app.Annotations = map[string]string{
			"example.com/note": strings.Repeat("x", 200<<10), "kubectl.kubernetes.io/last-applied-configuration": "{}\n",
		}
		app.Finalizers = []string{"example.com/hold"}
		app.Spec.Env = lots(100)
		labels, annotations := app.Labels, app.Annotations
		createReady(ctx, app)
		untouched := SatisfyAll(HaveField("Labels", labels), HaveField("Annotations", annotations))
		Expect(app).To(untouched)

		edit(ctx, app, func(app *v1.Application) { app.Spec.DeletionPolicy = v1.DeletionPolicyDrain })
		Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), untouched,
			HaveField("Finalizers", ConsistOf(v1.Finalizer, "example.com/hold"))))
		edit(ctx, app, func(app *v1.Application) { app.Spec.Env = lots(400) })
		Eventually(fresh(ctx, app)).Should(SatisfyAll(tooLarge, untouched))
		edit(ctx, app, func(app *v1.Application) { app.Spec.DeletionPolicy = v1.DeletionPolicyDelete })
		Eventually(fresh(ctx, app)).Should(SatisfyAll(tooLarge, untouched, HaveField("Finalizers", ConsistOf("example.com/hold"))))
		Expect(app.Spec.Env).To(HaveLen(400))
		edit(ctx, app, func(app *v1.Application) { app.Finalizers, app.Spec.Env = nil, nil })
		Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), untouched))
	})
})
