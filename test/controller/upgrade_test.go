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
	"maps"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/children"
)

var _ = Describe("Another process of the operator", func() {
	It("leaves all pods, and all that it has not to change, as they are: after a crash, a restart, and as another version",
		func(ctx SpecContext) {
			namespace := newNamespace(ctx)
			running := startOperator(ctx, namespace)
			apps := []*v1.Application{
				sample("smallest.yaml", namespace), everyField(namespace), complete(namespace, "complete"),
				configured(namespace, "configured"), worker(namespace),
			}
			for _, app := range apps {
				createReferences(ctx, app)
				Expect(k8s.Create(ctx, app)).To(Succeed())
			}
			for _, app := range apps {
				Eventually(fresh(ctx, app)).Should(beReady(), app.Name)
			}
			tellAutoscalers(ctx, apps...)
			running.rest(ctx)
			before, writes := makings(ctx, apps), len(running.changes())

			expectUnchanged := func() {
				GinkgoHelper()
				Eventually(running.passes).WithContext(ctx).Should(BeNumerically(">=", len(apps)))
				running.rest(ctx)
				Expect(running.changes()[writes:]).To(BeEmpty())
				Expect(makings(ctx, apps)).To(Equal(before))
			}
			By("crashing")
			Expect(running.Kill()).To(Succeed())
			running = startBuild(ctx, binary, namespace, "after-a-crash")
			expectUnchanged()

			By("ending in order")
			Expect(running.Signal(syscall.SIGTERM)).To(Succeed())
			Eventually(running.Done()).Should(BeClosed())
			running = startBuild(ctx, binary, namespace, "restarted")
			expectUnchanged()

			By("being upgraded")
			other, err := otherBuild()
			Expect(err).NotTo(HaveOccurred())
			Expect(running.Kill()).To(Succeed())
			running = startBuild(ctx, other, namespace, "upgraded")
			Expect(running.log()).To(ContainSubstring(otherVersion))
			expectUnchanged()

			By("working on")
			edit(ctx, apps[0], func(app *v1.Application) { app.Spec.Image = "nginx:1.30" })
			Eventually(fresh(ctx, apps[0])).Should(SatisfyAll(beReady(), HaveField("Status.Image", "nginx:1.30")))
		})
})

// everyField returns an Application with every part of the spec.
func everyField(namespace string) *v1.Application {
	GinkgoHelper()
	golden := readApplication(filepath.Join("..", "..", "internal", "resources", "testdata", "every-field", "application.yaml"))
	app := &v1.Application{ObjectMeta: metav1.ObjectMeta{Name: golden.Name, Namespace: namespace}, Spec: golden.Spec}
	Expect(app.Spec.Rollout.RestartOnConfigChange).To(BeTrue())
	app.Spec.Rollout.MinReadySeconds = 1
	app.Spec.Paused = false
	app.Spec.DeletionPolicy = v1.DeletionPolicyDelete
	return app
}

// making is what the operator has made of an Application, and what has become of that.
type making struct {
	Generation int64
	Template   corev1.PodTemplateSpec
	Revision   revision
}

func makings(ctx context.Context, apps []*v1.Application) map[string]making {
	GinkgoHelper()
	all := map[string]making{}
	for _, app := range apps {
		deployment, err := get(ctx, deploymentOf(app))
		Expect(err).NotTo(HaveOccurred())
		all[app.Name] = making{deployment.Generation, deployment.Spec.Template, revisionOf(ctx, Default, app)}
		Expect(all[app.Name].Revision.Sets).To(HaveLen(1))
		Expect(all[app.Name].Revision.Pods).NotTo(BeEmpty())
	}
	return all
}

// changes returns what the operator has asked the API server to change so far: the writes but for the questions about
// its own rights.
func (o *runningOperator) changes() []request {
	GinkgoHelper()
	return slices.DeleteFunc(o.writes(), request.asksOwnRights)
}

// rest waits until the operator has nothing to do for a second, and returns how many passes it has made.
func (o *runningOperator) rest(ctx context.Context) float64 {
	GinkgoHelper()
	const passes, active, waiting = "controller_runtime_reconcile_total", "controller_runtime_active_workers", "workqueue_depth"
	var last float64
	Eventually(func() error {
		before, err := o.passes(ctx)
		if err != nil {
			return err
		}
		// Between two looks nothing goes unseen: passes are counted.
		return consistently(time.Second, 250*time.Millisecond, func() bool {
			now, err := o.gauges(ctx, passes, active, waiting)
			last = now[passes]
			return err == nil && last == before && now[active] == 0 && now[waiting] == 0
		})
	}).Should(Succeed())
	return last
}

// expectCalm holds that the operator makes no pass and no write for so long, without a reason. A slow machine's controllers may still have
// one to give when it has rested: while they write, the period begins anew.
func (o *runningOperator) expectCalm(ctx context.Context, namespace string, period time.Duration) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		passes, writes, versions := o.rest(ctx), len(o.writes()), versionsIn(ctx, namespace)
		err := consistently(period, time.Second, func() bool {
			now, err := o.passes(ctx)
			return err == nil && now == passes && len(o.writes()) == writes
		})
		if err == nil {
			return
		}
		if now := versionsIn(ctx, namespace); maps.Equal(now, versions) || len(o.writes()) > writes {
			StopTrying("the operator does not rest").Attach("writes", o.writesAfter(writes)()).Now()
		}
		g.Expect(err).NotTo(HaveOccurred())
	}).WithTimeout(recovery).Should(Succeed())
}

// versionsIn returns the versions of the objects of the children's kinds, and of pods, that are in the namespace.
func versionsIn(ctx context.Context, namespace string) map[string]string {
	GinkgoHelper()
	lists := []client.ObjectList{&corev1.PodList{}, &v1.ApplicationList{}}
	for i := range children.Table {
		lists = append(lists, children.Table[i].NewList())
	}
	versions := map[string]string{}
	for _, list := range lists {
		Expect(k8s.List(ctx, list, client.InNamespace(namespace))).To(Succeed())
		Expect(meta.EachListItem(list, func(item runtime.Object) error {
			object := item.(client.Object)
			versions[fmt.Sprintf("%T %s", object, object.GetName())] = object.GetResourceVersion()
			return nil
		})).To(Succeed())
	}
	return versions
}

// revision is what runs of an Application.
type revision struct {
	// Config is the mark of the configuration that the pods have.
	Config string
	// Sets are the names of the ReplicaSets that have pods, and Pods the pods' UIDs.
	Sets, Pods []string
}

// revisionOf returns what runs of the Application.
func revisionOf(ctx context.Context, g Gomega, app *v1.Application) revision {
	GinkgoHelper()
	deployment, err := get(ctx, deploymentOf(app))
	g.Expect(err).NotTo(HaveOccurred())
	now := revision{Config: deployment.Spec.Template.Annotations["apps.example.com/config-hash"]}
	sets := &appsv1.ReplicaSetList{}
	g.Expect(k8s.List(ctx, sets, client.InNamespace(app.Namespace), client.MatchingLabels(deployment.Spec.Selector.MatchLabels))).To(Succeed())
	for _, set := range sets.Items {
		if set.Status.Replicas > 0 {
			now.Sets = append(now.Sets, set.Name)
		}
	}
	pods, err := podsOf(ctx, app)
	g.Expect(err).NotTo(HaveOccurred())
	for _, pod := range pods {
		now.Pods = append(now.Pods, string(pod.UID))
	}
	slices.Sort(now.Sets)
	slices.Sort(now.Pods)
	return now
}
