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
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	gomegatypes "github.com/onsi/gomega/types"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/uuid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
)

// One operator for all: each spec has Applications and objects of its own.
var _ = Describe("What an Application refers to", Ordered, ContinueOnFailure, func() {
	var namespace string
	number := 0

	BeforeAll(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		startOperator(ctx, namespace)
	})

	numbered := func() *v1.Application {
		app := web(namespace)
		number++
		app.Name = fmt.Sprintf("web-%d", number)
		return app
	}
	running := SatisfyAll(beReady(), haveCondition(v1.ConditionDegraded, metav1.ConditionFalse, v1.ReasonRolloutComplete))
	// There is no storage here, and that is the next thing to be told.
	lackingStorage := haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonUnschedulable, "PersistentVolumeClaim")

	DescribeTable("is named while it is missing, keeps pods from being made, and is enough when it appears",
		func(ctx SpecContext, refer func(*v1.ApplicationSpec, string), kind string, healed gomegatypes.GomegaMatcher) {
			app := numbered()
			missing := app.Name + "-needs"
			refer(&app.Spec, missing)
			Expect(k8s.Create(ctx, app)).To(Succeed())
			words := []string{kind + " " + missing, "does not exist", "create it"}
			Eventually(fresh(ctx, app)).Should(SatisfyAll(
				haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonReferenceMissing, words...),
				haveCondition(v1.ConditionProgressing, metav1.ConditionFalse, v1.ReasonReferenceMissing),
				haveCondition(v1.ConditionDegraded, metav1.ConditionTrue, v1.ReasonReferenceMissing, words...)))
			// The status is a reconcile's last word: that pass has made no Deployment.
			Expect(k8s.Get(ctx, client.ObjectKeyFromObject(app), deploymentOf(app))).To(Satisfy(apierrors.IsNotFound))
			Expect(podsOf(ctx, app)).To(BeEmpty())

			createReferences(ctx, app)
			Eventually(fresh(ctx, app)).Should(healed)
			Expect(app.Generation).To(BeEquivalentTo(1), "nobody has touched the Application")
		},
		Entry("a ConfigMap of env", func(spec *v1.ApplicationSpec, name string) {
			spec.Env = []corev1.EnvVar{fromConfigMap(name, nil)}
		}, "ConfigMap", running),
		Entry("a Secret of env", func(spec *v1.ApplicationSpec, name string) {
			spec.Env = []corev1.EnvVar{fromSecret(name, nil)}
		}, "Secret", running),
		Entry("a ConfigMap of envFrom", func(spec *v1.ApplicationSpec, name string) {
			spec.EnvFrom = []corev1.EnvFromSource{allOfConfigMap(name, nil)}
		}, "ConfigMap", running),
		Entry("a Secret of envFrom", func(spec *v1.ApplicationSpec, name string) {
			spec.EnvFrom = []corev1.EnvFromSource{allOfSecret(name, nil)}
		}, "Secret", running),
		Entry("a ConfigMap of files", func(spec *v1.ApplicationSpec, name string) {
			spec.Files = []v1.File{configMapFile(name, nil)}
		}, "ConfigMap", running),
		Entry("a Secret of files", func(spec *v1.ApplicationSpec, name string) {
			spec.Files = []v1.File{secretFile(name, nil)}
		}, "Secret", running),
		Entry("a claim of files", func(spec *v1.ApplicationSpec, name string) {
			spec.Files = []v1.File{{
				MountPath:    "/data",
				VolumeSource: v1.VolumeSource{PersistentVolumeClaim: &v1.ClaimSource{ClaimName: name}},
			}}
		}, "PersistentVolumeClaim", lackingStorage),
		Entry("a Secret of an init container's env", func(spec *v1.ApplicationSpec, name string) {
			spec.InitContainers = []corev1.Container{{Name: "init", Image: "init:1", Env: []corev1.EnvVar{fromSecret(name, nil)}}}
		}, "Secret", running),
		Entry("a ConfigMap of a sidecar's envFrom", func(spec *v1.ApplicationSpec, name string) {
			spec.Sidecars = []corev1.Container{{
				Name: "sidecar", Image: "sidecar:1", EnvFrom: []corev1.EnvFromSource{allOfConfigMap(name, nil)},
			}}
		}, "ConfigMap", running),
		Entry("a pull secret", func(spec *v1.ApplicationSpec, name string) {
			spec.ImagePullSecrets = []string{name}
		}, "Secret", running),
	)

	It("is named all at once, and then what is left", func(ctx SpecContext) {
		app := numbered()
		app.Spec.Env = []corev1.EnvVar{fromConfigMap("both", nil)}
		app.Spec.ImagePullSecrets = []string{"both"}
		Expect(k8s.Create(ctx, app)).To(Succeed())
		Eventually(fresh(ctx, app)).Should(haveCondition(
			v1.ConditionReady, metav1.ConditionFalse, v1.ReasonReferenceMissing, "ConfigMap both, Secret both"))
		Expect(k8s.Create(ctx, configMap(namespace, "both"))).To(Succeed())
		Eventually(fresh(ctx, app)).Should(SatisfyAll(
			haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonReferenceMissing, "Secret both"),
			Not(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonReferenceMissing, "ConfigMap both"))))
		Expect(k8s.Create(ctx, secret(namespace, "both"))).To(Succeed())
		Eventually(fresh(ctx, app)).Should(running)
	})

	It("need not be there where it is optional", func(ctx SpecContext) {
		app := numbered()
		app.Spec.Env = []corev1.EnvVar{fromConfigMap("absent-1", new(true)), {Name: "B", ValueFrom: fromSecret("absent-1", new(true)).ValueFrom}}
		app.Spec.EnvFrom = []corev1.EnvFromSource{allOfConfigMap("absent-2", new(true)), allOfSecret("absent-2", new(true))}
		app.Spec.Files = []v1.File{configMapFile("absent-3", new(true)), secretFile("absent-3", new(true))}
		createReady(ctx, app)
		Expect(app.Status.ReplicaSummary).To(Equal("2/2"))
	})

	It("does not keep the pods that run from being scaled, nor anything else from being changed", func(ctx SpecContext) {
		app := numbered()
		app.Spec.ImagePullSecrets = []string{app.Name + "-pull"}
		createReferences(ctx, app)
		createReady(ctx, app)
		deployment, err := get(ctx, deploymentOf(app))
		Expect(err).NotTo(HaveOccurred())
		template := deployment.Spec.Template

		By("which refer to it")
		Expect(k8s.Delete(ctx, secret(namespace, app.Name+"-pull"))).To(Succeed())
		missing := haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonReferenceMissing, "Secret "+app.Name+"-pull")
		Eventually(fresh(ctx, app)).Should(missing)
		edit(ctx, app, func(app *v1.Application) { app.Spec.Replicas = new(int32(3)) })
		Eventually(fresh(ctx, app)).Should(SatisfyAll(missing, HaveField("Status.ReplicaSummary", "3/3")))

		By("or would refer to it")
		edit(ctx, app, func(app *v1.Application) {
			app.Spec.ImagePullSecrets = nil
			app.Spec.Image = "nginx:1.30"
			app.Spec.EnvFrom = []corev1.EnvFromSource{allOfConfigMap(app.Name+"-env", nil)}
			app.Spec.Replicas = new(int32(4))
			app.Spec.Rollout = &v1.RolloutSpec{MinReadySeconds: 1}
			app.Spec.Service = &v1.ServiceSpec{Port: new(int32(80))}
		})
		Eventually(fresh(ctx, app)).Should(SatisfyAll(
			haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonReferenceMissing, "ConfigMap "+app.Name+"-env"),
			HaveField("Status.ReplicaSummary", "4/4")))
		Expect(get(ctx, deploymentOf(app))).To(SatisfyAll(
			HaveField("Spec.MinReadySeconds", BeEquivalentTo(1)), HaveField("Spec.Template", template)))
		Eventually(fresh(ctx, serviceOf(app))).Should(HaveField("Spec.Ports", ContainElement(HaveField("Port", BeEquivalentTo(80)))))

		By("also by an autoscaler, and back")
		edit(ctx, app, func(app *v1.Application) {
			app.Spec.Autoscaling = &v1.AutoscalingSpec{MinReplicas: new(int32(2)), MaxReplicas: 6}
		})
		Eventually(fresh(ctx, autoscalerOf(app))).Should(HaveField("Spec.MaxReplicas", BeEquivalentTo(6)))
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonReferenceMissing))
		Expect(get(ctx, deploymentOf(app))).To(HaveField("Spec.Replicas", HaveValue(BeEquivalentTo(4))))
		edit(ctx, app, func(app *v1.Application) {
			app.Spec.Autoscaling, app.Spec.Replicas = nil, new(int32(1))
		})
		Eventually(fresh(ctx, app)).Should(HaveField("Status.ReplicaSummary", "1/1"))

		By("but new pods are made when it is there")
		createReferences(ctx, app)
		Eventually(fresh(ctx, app)).Should(running)
		Expect(get(ctx, deploymentOf(app))).To(HaveField("Spec.Template.Spec.Containers", ConsistOf(SatisfyAll(
			HaveField("Image", "nginx:1.30"), HaveField("EnvFrom", HaveLen(1))))))
	})

	It("keeps pods from being started where none run", func(ctx SpecContext) {
		app := numbered()
		app.Spec.Suspend = true
		app.Spec.EnvFrom = []corev1.EnvFromSource{allOfSecret(app.Name+"-later", nil)}
		Expect(k8s.Create(ctx, app)).To(Succeed())
		Eventually(fresh(ctx, deploymentOf(app))).Should(HaveField("Spec.Replicas", HaveValue(BeEquivalentTo(0))))
		edit(ctx, app, func(app *v1.Application) { app.Spec.Suspend = false })
		Eventually(fresh(ctx, app)).Should(haveCondition(
			v1.ConditionReady, metav1.ConditionFalse, v1.ReasonReferenceMissing, "Secret "+app.Name+"-later"))
		Expect(get(ctx, deploymentOf(app))).To(HaveField("Spec.Replicas", HaveValue(BeEquivalentTo(0))))
		createReferences(ctx, app)
		Eventually(fresh(ctx, app)).Should(running)
	})

	It("may disappear under pods that run: they stay, and nothing is rolled out until it is back", func(ctx SpecContext) {
		app := numbered()
		app.Spec.EnvFrom = []corev1.EnvFromSource{allOfSecret("leaving", nil)}
		createReferences(ctx, app)
		createReady(ctx, app)
		before := revisionOf(ctx, Default, app)

		Expect(k8s.Delete(ctx, secret(namespace, "leaving"))).To(Succeed())
		missing := haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonReferenceMissing, "Secret leaving")
		Eventually(fresh(ctx, app)).Should(SatisfyAll(missing,
			haveCondition(v1.ConditionAvailable, metav1.ConditionTrue, v1.ReasonReferenceMissing),
			HaveField("Status.ReplicaSummary", "2/2")))
		edit(ctx, app, func(app *v1.Application) { app.Spec.Image = "nginx:1.30" })
		Eventually(fresh(ctx, app)).Should(missing)
		Expect(revisionOf(ctx, Default, app)).To(Equal(before))

		createReferences(ctx, app)
		Eventually(fresh(ctx, app)).Should(SatisfyAll(running, HaveField("Status.Image", "nginx:1.30")))
	})
})

var _ = Describe("A change of the configuration", Ordered, ContinueOnFailure, takesLong, func() {
	var namespace string
	var running *runningOperator
	var app *v1.Application

	BeforeAll(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		running = startOperator(ctx, namespace)
		app = configured(namespace, "web")
		createReferences(ctx, app)
		createReady(ctx, app)
	})

	// rolls makes sure that the change replaces all pods by pods of another configuration.
	rolls := func(ctx SpecContext, change func()) {
		GinkgoHelper()
		before := revisionOf(ctx, Default, app)
		change()
		Eventually(func(g Gomega) {
			after := revisionOf(ctx, g, app)
			g.Expect(after.Config).NotTo(BeElementOf("", before.Config))
			g.Expect(after.Sets).To(HaveLen(1))
			g.Expect(after.Sets).NotTo(Equal(before.Sets))
			g.Expect(after.Pods).To(HaveLen(2))
			g.Expect(after.Pods).NotTo(ContainElement(BeElementOf(before.Pods)))
		}).Should(Succeed())
		Eventually(fresh(ctx, app)).Should(beReady())
	}

	DescribeTable("replaces the pods if they are to be restarted",
		func(ctx SpecContext, object func(namespace, name string) client.Object, name string, change func(client.Object)) {
			rolls(ctx, func() { edit(ctx, object(namespace, name), change) })
		},
		Entry("in a ConfigMap of env", configMap, "web-env", setContent),
		Entry("in a Secret of envFrom", secret, "web-env-from", setContent),
		Entry("in a ConfigMap of files", configMap, "web-files", setContent),
		Entry("in a ConfigMap's binary data", configMap, "web-files", func(o client.Object) {
			o.(*corev1.ConfigMap).BinaryData = map[string][]byte{"binary": {0xff}}
		}),
		Entry("in a Secret of files", secret, "web-files", setContent),
		Entry("in a Secret of an init container", secret, "web-init", setContent),
		Entry("in a Secret of a sidecar", secret, "web-sidecar", setContent),
	)

	It("makes one rollout together with others that follow at once", func(ctx SpecContext) {
		const settles = 3 * time.Second
		before, asked := rolloutsOf(ctx, app), len(running.requests())
		rolls(ctx, func() {
			for range 10 {
				edit(ctx, configMap(namespace, "web-env"), setContent)
				edit(ctx, secret(namespace, "web-env-from"), setContent)
			}
		})
		running.rest(ctx)
		heard := slices.DeleteFunc(running.requests()[asked:], func(r request) bool { // the operator reads what it hears of
			return r.Verb != "get" || r.ObjectRef.Resource != "configmaps" && r.ObjectRef.Resource != "secrets"
		})
		took := slices.MaxFunc(heard, byArrival).RequestReceivedTimestamp.Sub(slices.MinFunc(heard, byArrival).RequestReceivedTimestamp)
		Expect(rolloutsOf(ctx, app)-before).To(BeNumerically("<=", 1+int(took/settles)), "the changes took %s", took)
	})

	It("makes one rollout together with a new revision that has waited for what it refers to", func(ctx SpecContext) {
		waiting := configured(namespace, "waiting")
		createReferences(ctx, waiting)
		createReady(ctx, waiting)
		before := rolloutsOf(ctx, waiting)
		edit(ctx, waiting, func(app *v1.Application) {
			app.Spec.Image = "nginx:1.30"
			app.Spec.EnvFrom = append(app.Spec.EnvFrom, allOfSecret("comes-late", nil))
		})
		Eventually(fresh(ctx, waiting)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonReferenceMissing, "comes-late"))
		Expect(k8s.Create(ctx, secret(namespace, "comes-late"))).To(Succeed())
		Eventually(fresh(ctx, waiting)).Should(SatisfyAll(beReady(), HaveField("Status.Image", "nginx:1.30")))
		running.expectCalm(ctx, namespace, 10*time.Second) // longer than a change has to settle
		Expect(rolloutsOf(ctx, waiting) - before).To(Equal(1))
	})

	It("is not a change of labels and annotations", func(ctx SpecContext) {
		before := revisionOf(ctx, Default, app)
		running.rest(ctx)
		for _, object := range []client.Object{configMap(namespace, "web-env"), secret(namespace, "web-env-from")} {
			running.afterPasses(ctx, 1, func() { edit(ctx, object, mark) })
		}
		Expect(revisionOf(ctx, Default, app)).To(Equal(before))
		Expect(get(ctx, app)).To(beReady())
	})

	// Of a Secret it is one: its UID is part of the hash, so that nobody can try guesses of its content out.
	It("is not that a ConfigMap is made anew with the same content", func(ctx SpecContext) {
		before := revisionOf(ctx, Default, app)
		old, err := get(ctx, configMap(namespace, "web-env"))
		Expect(err).NotTo(HaveOccurred())
		Expect(k8s.Delete(ctx, old)).To(Succeed())
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonReferenceMissing))
		again := configMap(namespace, "web-env").(*corev1.ConfigMap)
		again.Data = old.(*corev1.ConfigMap).Data
		Expect(k8s.Create(ctx, again)).To(Succeed())
		Eventually(fresh(ctx, app)).Should(beReady())
		Expect(revisionOf(ctx, Default, app)).To(Equal(before))
	})

	It("is that an optional object goes, and again that it appears", func(ctx SpecContext) {
		before := revisionOf(ctx, Default, app)
		optional := configMap(namespace, "web-optional")
		rolls(ctx, func() { Expect(k8s.Delete(ctx, optional)).To(Succeed()) })
		rolls(ctx, func() { Expect(k8s.Create(ctx, configMap(namespace, optional.GetName()))).To(Succeed()) })
		after := revisionOf(ctx, Default, app)
		Expect(after.Config).To(Equal(before.Config))
		Expect(after.Sets).To(Equal(before.Sets))
	})

	It("means nothing without restartOnConfigChange, or where nobody refers to it: no pass, no new pods", func(ctx SpecContext) {
		plain := configured(namespace, "plain")
		plain.Spec.Rollout = nil
		createReferences(ctx, plain)
		createReady(ctx, plain)
		before := revisionOf(ctx, Default, plain)
		running.undisturbed(ctx, func() {
			for _, name := range []string{"plain-env", "plain-files"} {
				edit(ctx, configMap(namespace, name), setContent)
			}
			for _, name := range []string{"plain-env-from", "plain-files", "plain-init", "plain-sidecar"} {
				edit(ctx, secret(namespace, name), setContent)
			}
			for _, nobodys := range []client.Object{configMap(namespace, "nobodys"), secret(namespace, "nobodys")} {
				Expect(k8s.Create(ctx, nobodys)).To(Succeed())
				edit(ctx, nobodys, setContent)
				Expect(k8s.Delete(ctx, nobodys)).To(Succeed())
			}
		}, configMap(namespace, "web-env"), secret(namespace, "web-env-from"))
		Expect(revisionOf(ctx, Default, plain)).To(Equal(before))
		Expect(running.reads()).NotTo(HaveKey(ContainSubstring("/plain-")))
		Expect(running.reads()).NotTo(HaveKey(ContainSubstring("/nobodys")))
	})

	DescribeTable("is read once", func(ctx SpecContext, name string, count int) {
		var apps []*v1.Application
		for i := range count {
			one := configured(namespace, name)
			createReferences(ctx, one)
			one.Name = fmt.Sprintf("%s-%d", name, i)
			apps = append(apps, one)
			createReady(ctx, one)
		}
		running.rest(ctx)
		expectReads := func(versions int) {
			GinkgoHelper()
			Expect(running.reads()).To(SatisfyAll(
				HaveKeyWithValue("secrets/"+name+"-env-from", versions), HaveKeyWithValue("configmaps/"+name+"-files", versions)))
		}
		expectReads(1)
		for i, change := range []func(client.Object){setContent, setContent, mark} {
			running.afterPasses(ctx, count, func() {
				edit(ctx, secret(namespace, name+"-env-from"), change)
				edit(ctx, configMap(namespace, name+"-files"), change)
			})
			for _, one := range apps {
				Eventually(fresh(ctx, one)).Should(beReady())
				Eventually(func(g Gomega) { // each waits for itself until the change has settled
					g.Expect(revisionOf(ctx, g, one).Config).To(Equal(revisionOf(ctx, g, apps[0]).Config))
				}).Should(Succeed())
			}
			expectReads(2 + i)
		}
		// A pass for another reason reads nothing.
		running.afterPasses(ctx, 1, func() { edit(ctx, client.Object(apps[0]), mark) })
		expectReads(4)
	},
		Entry("by one Application that it concerns", "single", 1),
		Entry("by many Applications that it concerns at once", "shared", 5),
	)
})

// configured returns an Application whose pods are configured in every way there is, and restarted when that changes.
func configured(namespace, name string) *v1.Application {
	app := web(namespace)
	app.Name = name
	app.Spec.Rollout = &v1.RolloutSpec{RestartOnConfigChange: true}
	optional := fromConfigMap(name+"-optional", new(true))
	optional.Name = "OPTIONAL"
	app.Spec.Env = []corev1.EnvVar{fromConfigMap(name+"-env", nil), optional}
	app.Spec.EnvFrom = []corev1.EnvFromSource{allOfSecret(name+"-env-from", nil)}
	app.Spec.Files = []v1.File{configMapFile(name+"-files", nil), secretFile(name+"-files", nil)}
	app.Spec.InitContainers = []corev1.Container{{Name: "init", Image: "init:1", Env: []corev1.EnvVar{fromSecret(name+"-init", nil)}}}
	app.Spec.Sidecars = []corev1.Container{{
		Name: "sidecar", Image: "sidecar:1", EnvFrom: []corev1.EnvFromSource{allOfSecret(name+"-sidecar", nil)},
	}}
	return app
}

func fromConfigMap(name string, optional *bool) corev1.EnvVar {
	return corev1.EnvVar{Name: "CONFIG", ValueFrom: &corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: name}, Key: "key", Optional: optional,
	}}}
}

func fromSecret(name string, optional *bool) corev1.EnvVar {
	return corev1.EnvVar{Name: "SECRET", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: name}, Key: "key", Optional: optional,
	}}}
}

func allOfConfigMap(name string, optional *bool) corev1.EnvFromSource {
	return corev1.EnvFromSource{ConfigMapRef: &corev1.ConfigMapEnvSource{
		LocalObjectReference: corev1.LocalObjectReference{Name: name}, Optional: optional,
	}}
}

func allOfSecret(name string, optional *bool) corev1.EnvFromSource {
	return corev1.EnvFromSource{SecretRef: &corev1.SecretEnvSource{
		LocalObjectReference: corev1.LocalObjectReference{Name: name}, Optional: optional,
	}}
}

func configMapFile(name string, optional *bool) v1.File {
	return v1.File{MountPath: "/etc/config", VolumeSource: v1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
		LocalObjectReference: corev1.LocalObjectReference{Name: name}, Optional: optional,
	}}}
}

func secretFile(name string, optional *bool) v1.File {
	return v1.File{MountPath: "/etc/secret", VolumeSource: v1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: name, Optional: optional}}}
}

func configMap(namespace, name string) client.Object {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace}}
}

func secret(namespace, name string) client.Object {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace}}
}

// setContent gives a ConfigMap or Secret a content that it has never had.
func setContent(object client.Object) {
	content := string(uuid.NewUUID())
	switch object := object.(type) {
	case *corev1.ConfigMap:
		object.Data = map[string]string{"key": content}
	case *corev1.Secret:
		object.Data = map[string][]byte{"key": []byte(content)}
	}
}

// mark changes an object's labels and annotations, and nothing else.
func mark(object client.Object) {
	value := string(uuid.NewUUID())
	object.SetLabels(map[string]string{"a-person": value})
	object.SetAnnotations(map[string]string{"a-person": value})
}

// afterPasses makes a change, while the operator rests, that calls for at least so many passes, and returns when it rests
// again.
func (o *runningOperator) afterPasses(ctx context.Context, atLeast int, change func()) {
	GinkgoHelper()
	before, err := o.passes(ctx)
	Expect(err).NotTo(HaveOccurred())
	change()
	Eventually(o.passes).WithContext(ctx).Should(BeNumerically(">=", before+float64(atLeast)))
	o.rest(ctx)
}

// undisturbed makes sure that the operator makes no pass because of the change. marked are a ConfigMap and a Secret that
// it does make one for when they change: the events of a kind come in order, so it has seen all others when it has seen
// theirs.
func (o *runningOperator) undisturbed(ctx context.Context, change func(), marked ...client.Object) {
	GinkgoHelper()
	before := o.rest(ctx)
	change()
	for _, object := range marked {
		before++
		edit(ctx, object, mark)
		Eventually(o.passes).WithContext(ctx).Should(BeNumerically(">=", before))
	}
	Expect(o.rest(ctx)).To(Equal(before))
}

// reads returns how often the operator has read each ConfigMap and Secret, by resource and name.
func (o *runningOperator) reads() map[string]int {
	GinkgoHelper()
	reads := map[string]int{}
	for _, request := range o.requests() {
		if request.Verb == "get" && (request.ObjectRef.Resource == "secrets" || request.ObjectRef.Resource == "configmaps") {
			reads[request.ObjectRef.Resource+"/"+request.ObjectRef.Name]++
		}
	}
	return reads
}

// rolloutsOf returns how many rollouts the Deployment has had.
func rolloutsOf(ctx context.Context, app *v1.Application) int {
	GinkgoHelper()
	deployment, err := get(ctx, deploymentOf(app))
	Expect(err).NotTo(HaveOccurred())
	count, err := strconv.Atoi(deployment.Annotations["deployment.kubernetes.io/revision"])
	Expect(err).NotTo(HaveOccurred())
	return count
}
