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
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gstruct"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var _ = Describe("The scope", func() {
	It("is the namespaces that were given, and nothing is asked of any other", func(ctx SpecContext) {
		first, second, foreign := newNamespace(ctx), newNamespace(ctx), newNamespace(ctx)
		grantRole(ctx, second, first)
		running := startOperator(ctx, first, "--namespace="+first+","+second)
		outside := web(foreign)
		Expect(k8s.Create(ctx, outside)).To(Succeed())
		for _, namespace := range []string{first, second} {
			createReady(ctx, web(namespace))
		}
		Expect(get(ctx, outside)).To(HaveField("Status", gstruct.MatchFields(gstruct.IgnoreExtras, gstruct.Fields{
			"Conditions": BeEmpty(), "ObservedGeneration": BeEquivalentTo(-1), // the schema's default
		})))
		for _, request := range running.requests() {
			if request.ObjectRef.Resource == "" || request.asksOwnRights() {
				continue // discovery, and what the operator asks of its own rights
			}
			Expect(request.ObjectRef.Namespace).To(BeElementOf(first, second), "%s", request)
		}
	})

	It("gets a namespace back that is deleted and made anew, and serves the other one meanwhile", func(ctx SpecContext) {
		first, second := newNamespace(ctx), newNamespace(ctx)
		grantRole(ctx, second, first)
		startOperator(ctx, first, "--namespace="+first+","+second)
		createReady(ctx, web(second))
		refusals.Insert(second)
		object := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: second}}
		Expect(k8s.Delete(ctx, object)).To(Succeed())
		Eventually(func() error { _, err := get(ctx, object); return err }).Should(Satisfy(apierrors.IsNotFound))
		createReady(ctx, web(first))
		Expect(k8s.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: second}})).To(Succeed())
		grantRole(ctx, second, first)
		createReady(ctx, web(second))
	})

	It("leaves two operators side by side to their own", func(ctx SpecContext) {
		first, second := newNamespace(ctx), newNamespace(ctx)
		startOperator(ctx, first)
		startOperator(ctx, second)
		for _, namespace := range []string{first, second} {
			app := web(namespace)
			createReady(ctx, app)
			Expect(app.Status.URL).To(ContainSubstring(namespace))
		}
	})
})
