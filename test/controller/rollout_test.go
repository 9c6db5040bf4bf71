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
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/test/controlplane"
)

var _ = Describe("A rollout", func() {
	var namespace string
	var running *runningOperator
	var app *v1.Application

	BeforeEach(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		running = startOperator(ctx, namespace)
		app = web(namespace)
	})

	It("changes its strategy there and back", func(ctx SpecContext) {
		createReady(ctx, app)
		for _, strategy := range []appsv1.DeploymentStrategyType{
			appsv1.RecreateDeploymentStrategyType, appsv1.RollingUpdateDeploymentStrategyType, appsv1.RecreateDeploymentStrategyType,
		} {
			edit(ctx, app, func(app *v1.Application) { app.Spec.Rollout = &v1.RolloutSpec{Strategy: strategy} })
			Eventually(fresh(ctx, app)).Should(beReady())
			Expect(get(ctx, deploymentOf(app))).To(HaveField("Spec.Strategy.Type", strategy))
		}
		running.rest(ctx)
		writes := len(running.writes())
		edit(ctx, app, func(app *v1.Application) { metav1.SetMetaDataAnnotation(&app.ObjectMeta, "a-person", "was here") })
		running.rest(ctx)
		Expect(running.writesAfter(writes)()).To(BeEmpty())
	})

	It("gives back what it does not say any more", func(ctx SpecContext) {
		app.Spec.Rollout = &v1.RolloutSpec{MinReadySeconds: 1, RevisionHistoryLimit: new(int32(0)), ProgressDeadlineSeconds: new(int32(30))}
		app.Spec.Shutdown = &v1.ShutdownSpec{GracePeriodSeconds: new(int64(5)), PreStopSleepSeconds: 2}
		createReady(ctx, app)
		edit(ctx, app, func(app *v1.Application) { app.Spec.Rollout, app.Spec.Shutdown = nil, nil })
		Eventually(fresh(ctx, app)).Should(beReady())
		Expect(get(ctx, deploymentOf(app))).To(SatisfyAll(
			HaveField("Spec.MinReadySeconds", BeZero()),
			HaveField("Spec.RevisionHistoryLimit", HaveValue(BeEquivalentTo(3))),
			HaveField("Spec.ProgressDeadlineSeconds", HaveValue(BeEquivalentTo(600))),
			HaveField("Spec.Template.Spec.TerminationGracePeriodSeconds", HaveValue(BeEquivalentTo(30))),
			HaveField("Spec.Template.Spec.Containers", HaveExactElements(HaveField("Lifecycle", BeNil())))))
	})

	It("that stands still for longer than its deadline is told, and ends well all the same", func(ctx SpecContext) {
		app.Spec.Rollout = &v1.RolloutSpec{ProgressDeadlineSeconds: new(int32(1))}
		app.Spec.PodMetadata = &v1.PodMetadata{Labels: map[string]string{controlplane.Unmanaged: "true"}}
		Expect(k8s.Create(ctx, app)).To(Succeed())
		Eventually(fresh(ctx, app)).Should(SatisfyAll(
			haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonProgressDeadlineExceeded),
			haveCondition(v1.ConditionDegraded, metav1.ConditionTrue, v1.ReasonProgressDeadlineExceeded)))
		expectWarning(ctx, app, v1.ReasonProgressDeadlineExceeded)
		healPods(ctx, app)
		Eventually(fresh(ctx, app)).Should(beReady())
	})

	It("by Recreate is not Ready until the new pods serve", func(ctx SpecContext) {
		app.Spec.Rollout = &v1.RolloutSpec{Strategy: appsv1.RecreateDeploymentStrategyType}
		createReady(ctx, app)
		edit(ctx, app, func(app *v1.Application) {
			app.Spec.PodMetadata = &v1.PodMetadata{Labels: map[string]string{controlplane.Unmanaged: "true"}}
		})
		Eventually(fresh(ctx, app)).Should(SatisfyAll(
			haveCondition(v1.ConditionReady, metav1.ConditionUnknown, v1.ReasonRollingOut),
			haveCondition(v1.ConditionAvailable, metav1.ConditionFalse, v1.ReasonRollingOut)))
		healPods(ctx, app)
		Eventually(fresh(ctx, app)).Should(beReady())
	})
})
