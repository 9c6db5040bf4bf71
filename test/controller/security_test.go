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
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/example/app-operator/api/v1"
)

var _ = Describe("A namespace that enforces the restricted standard", func() {
	It("admits profile Restricted with all that goes with it", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		edit(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, func(n *corev1.Namespace) {
			metav1.SetMetaDataLabel(&n.ObjectMeta, "pod-security.kubernetes.io/enforce", "restricted")
		})
		startOperator(ctx, namespace)
		app := web(namespace)
		app.Spec.Security = &v1.SecuritySpec{
			Profile: v1.SecurityProfileRestricted, RunAsUser: new(int64(101)), FSGroup: new(int64(101)),
			FSGroupChangePolicy: new(corev1.FSGroupChangeOnRootMismatch), SupplementalGroups: []int64{3000}, HostUsers: new(false),
			Capabilities: &v1.Capabilities{Add: []string{"NET_BIND_SERVICE"}},
		}
		app.Spec.EnableServiceLinks = new(false)
		app.Spec.Shutdown = &v1.ShutdownSpec{PreStop: &v1.PreStopHook{HTTPGet: &v1.HTTPGetProbe{Path: "/drain"}}}
		app.Spec.Sidecars = []corev1.Container{{Name: "proxy", Image: "proxy:1"}}
		app.Spec.InitContainers = []corev1.Container{{Name: "wait", Image: "wait:1"}}
		createReady(ctx, app)

		edit(ctx, app, func(app *v1.Application) {
			app.Spec.Security.Profile, app.Spec.Security.Capabilities.Add = v1.SecurityProfileBaseline, []string{"NET_ADMIN"}
		})
		Eventually(fresh(ctx, app)).Should(
			haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonAdmissionDenied, "violates PodSecurity"))
	})
})
