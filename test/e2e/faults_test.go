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

package e2e_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
)

// missing is an image that no registry has.
func missing() string { return registry + "/no-such-image:v1" }

var _ = Describe("An Application that cannot run", Label(groupFaults), Ordered, func() {
	const namespace = "e2e-faults"

	BeforeAll(func(ctx SpecContext) {
		deployFor(ctx, namespace, nil)
	}, NodeTimeout(specLimit))

	// Each is broken by something, which its status names, in the words of whoever refuses; cured, it becomes Ready.
	DescribeTable("says why, and is Ready once that is cured", func(
		ctx SpecContext, name string, breakIt func(*v1.Application), blocker client.Object, reason string, words func() []string, cure func(*v1.Application),
	) {
		if blocker != nil {
			Expect(k8s.Create(ctx, blocker)).To(Succeed())
		}
		app := webApplication(namespace, 1)
		app.Name = name
		breakIt(app)
		Expect(k8s.Create(ctx, app)).To(Succeed())
		Eventually(fresh(app)).WithContext(ctx).Should(haveReady(metav1.ConditionFalse, reason, words()...))
		AddReportEntry(reason, run(ctx, "kubectl", "get", "appl/"+name, "--namespace", namespace,
			"--output", `jsonpath={.status.conditions[?(@.type=="Ready")].message}`))

		if blocker != nil {
			Expect(k8s.Delete(ctx, blocker)).To(Succeed())
		}
		before := app.DeepCopy()
		cure(app)
		Expect(k8s.Patch(ctx, app, client.MergeFrom(before))).To(Succeed())
		Eventually(fresh(app)).WithContext(ctx).Should(beReady())
		Expect(k8s.Delete(ctx, app)).To(Succeed())
	},
		Entry("an image that does not exist", SpecTimeout(specLimit), "pull",
			func(app *v1.Application) { app.Spec.Image = missing() },
			nil, v1.ReasonImagePullFailed,
			func() []string { return []string{"pod pull-", "container pull: ", missing(), "not found"} },
			func(app *v1.Application) { app.Spec.Image = images.Web },
		),
		Entry("a container that ends at once, again and again", SpecTimeout(specLimit), "crash",
			func(app *v1.Application) { app.Spec.Args = []string{"no-such-command"} },
			nil, v1.ReasonCrashLooping,
			func() []string {
				return []string{"pod crash-", "container crash: ", "ended with exit code 1", `unknown arguments ["no-such-command"]`}
			},
			func(app *v1.Application) { app.Spec.Args = nil },
		),
		Entry("a Secret that is missing", SpecTimeout(specLimit), "secret",
			func(app *v1.Application) { app.Spec.Env = []corev1.EnvVar{fromSecret("no-such-secret", "token")} },
			nil, v1.ReasonReferenceMissing,
			func() []string { return []string{"Secret", "no-such-secret"} },
			func(app *v1.Application) { app.Spec.Env = nil },
		),
		Entry("a key that its Secret lacks", SpecTimeout(specLimit), "key",
			func(app *v1.Application) { app.Spec.Env = []corev1.EnvVar{fromSecret("secret-without", "token")} },
			&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "secret-without", Namespace: namespace}}, v1.ReasonReferenceMissing,
			func() []string {
				return []string{"pod key-", "container key: ", "couldn't find key token in Secret " + namespace + "/secret-without"}
			},
			func(app *v1.Application) { app.Spec.Env = nil },
		),
		Entry("a node that does not exist", SpecTimeout(specLimit), "node",
			func(app *v1.Application) {
				app.Spec.Scheduling = &v1.SchedulingSpec{NodeSelector: map[string]string{"no-such-label": "true"}}
			},
			nil, v1.ReasonUnschedulable,
			func() []string {
				return []string{"pod node-", "nodes are available", "didn't match Pod's node affinity/selector"}
			},
			func(app *v1.Application) { app.Spec.Scheduling = nil },
		),
		Entry("a quota", SpecTimeout(specLimit), "quota",
			func(*v1.Application) {},
			&corev1.ResourceQuota{
				ObjectMeta: metav1.ObjectMeta{Name: "no-more-pods", Namespace: namespace},
				Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{corev1.ResourcePods: resource.MustParse("0")}},
			}, v1.ReasonQuotaExceeded,
			func() []string { return []string{"exceeded quota: no-more-pods"} },
			func(*v1.Application) {},
		),
	)

	It("is told of a container that is killed for want of memory, and serves again", func(ctx SpecContext) {
		app := webApplication(namespace, 1)
		app.Name = "memory"
		app.Spec.Resources = &v1.ResourceRequirements{Limits: v1.ResourceList{corev1.ResourceMemory: resource.MustParse("64Mi")}}
		Expect(k8s.Create(ctx, app)).To(Succeed())
		Eventually(fresh(app)).WithContext(ctx).Should(beReady())
		Expect(fresh(app)(ctx)).NotTo(haveFault(v1.ReasonOOMKilled))

		greedy := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: "greedy", Namespace: namespace},
			Spec: corev1.PodSpec{Containers: []corev1.Container{{
				Name: "client", Image: images.Web, Args: []string{"poll", app.Status.URL + "/hoard"},
			}}},
		}
		Expect(k8s.Create(ctx, greedy)).To(Succeed())
		Eventually(func(g Gomega) {
			pods, err := podsOf(ctx, app)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(pods).To(ContainElement(HaveField("Status.ContainerStatuses", ContainElement(HaveField("RestartCount", BeNumerically(">", 0))))))
		}).WithContext(ctx).Should(Succeed())
		Expect(k8s.Delete(ctx, greedy, client.GracePeriodSeconds(0))).To(Succeed())

		Eventually(fresh(app)).WithContext(ctx).Should(And(beReady(), haveFault(v1.ReasonOOMKilled,
			"pod memory-", "container memory: ", "(OOMKilled)", "raise spec.resources.limits.memory, which is 64Mi")))
		AddReportEntry(v1.ReasonOOMKilled, run(ctx, "kubectl", "get", "appl/memory", "--namespace", namespace,
			"--output", `jsonpath={.status.conditions[?(@.type=="Degraded")].message}`))
	}, SpecTimeout(specLimit))
})

// fromSecret returns a variable from the key of a Secret.
func fromSecret(name, key string) corev1.EnvVar {
	return corev1.EnvVar{Name: "TOKEN", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: name}, Key: key,
	}}}
}
