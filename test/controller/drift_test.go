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

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	gomegatypes "github.com/onsi/gomega/types"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
)

var _ = Describe("Drift", func() {
	var app *v1.Application

	BeforeEach(func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		startOperator(ctx, namespace)
		app = web(namespace)
		createReady(ctx, app)
	})

	// Every specs' edit is one that a person or another controller might make.
	DescribeTable("is put right", func(ctx SpecContext, child func(*v1.Application) client.Object, change func(client.Object)) {
		before, err := get(ctx, child(app))
		Expect(err).NotTo(HaveOccurred())
		desired := intent(before)
		edit(ctx, child(app), change)
		Eventually(func(g Gomega) {
			now, err := get(ctx, child(app))
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(intent(now)).To(Equal(desired))
		}).Should(Succeed())
		Eventually(fresh(ctx, app)).Should(beReady())
	},
		Entry("of the Deployment's replicas", theDeployment, func(o client.Object) {
			o.(*appsv1.Deployment).Spec.Replicas = new(int32(7))
		}),
		Entry("of the Deployment's image", theDeployment, func(o client.Object) {
			o.(*appsv1.Deployment).Spec.Template.Spec.Containers[0].Image = "nginx:hacked"
		}),
		Entry("of the Deployment's security context", theDeployment, func(o client.Object) {
			o.(*appsv1.Deployment).Spec.Template.Spec.Containers[0].SecurityContext.AllowPrivilegeEscalation = new(true)
		}),
		Entry("by a pause of the Deployment's rollout", theDeployment, func(o client.Object) {
			o.(*appsv1.Deployment).Spec.Paused = true
		}),
		Entry("of the Deployment's progress deadline", theDeployment, func(o client.Object) {
			o.(*appsv1.Deployment).Spec.ProgressDeadlineSeconds = new(int32(5))
		}),
		Entry("of the Deployment's labels", theDeployment, removeLabels),
		Entry("of the Deployment's owner", theDeployment, func(o client.Object) {
			o.GetOwnerReferences()[0].BlockOwnerDeletion = new(false)
		}),
		Entry("of the Service's port", theService, func(o client.Object) {
			o.(*corev1.Service).Spec.Ports[0].Port = 9999
		}),
		Entry("of the container's port", theDeployment, func(o client.Object) {
			o.(*appsv1.Deployment).Spec.Template.Spec.Containers[0].Ports[0].ContainerPort = 9999
		}),
		Entry("of the Service's selector", theService, func(o client.Object) {
			o.(*corev1.Service).Spec.Selector["app.kubernetes.io/instance"] = "somebody-else"
		}),
		Entry("of the Service's type", theService, func(o client.Object) {
			o.(*corev1.Service).Spec.Type = corev1.ServiceTypeNodePort
		}),
		Entry("of the Service's labels", theService, removeLabels),
		Entry("of the ServiceAccount's token", theAccount, func(o client.Object) {
			o.(*corev1.ServiceAccount).AutomountServiceAccountToken = new(true)
		}),
		Entry("of the ServiceAccount's labels", theAccount, removeLabels),
	)

	DescribeTable("by deletion is put right", func(ctx SpecContext, child func(*v1.Application) client.Object) {
		before, err := get(ctx, child(app))
		Expect(err).NotTo(HaveOccurred())
		Expect(k8s.Delete(ctx, before)).To(Succeed())
		Eventually(func(g Gomega) {
			now, err := get(ctx, child(app))
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(now.GetUID()).NotTo(Equal(before.GetUID()))
			g.Expect(intent(now)).To(Equal(intent(before)))
		}).Should(Succeed())
		Eventually(fresh(ctx, app)).Should(beReady())
	},
		Entry("of the Deployment", theDeployment),
		Entry("of the Service", theService),
		Entry("of the ServiceAccount", theAccount),
	)

	It("that opens a NetworkPolicy which lets nobody in is closed again", func(ctx SpecContext) {
		edit(ctx, app, func(app *v1.Application) { app.Spec.NetworkPolicy = &v1.NetworkPolicySpec{} })
		policy := &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Name: app.Name, Namespace: app.Namespace}}
		Eventually(fresh(ctx, policy)).Should(HaveField("Spec.PolicyTypes", HaveLen(2)))
		for range 2 {
			edit(ctx, policy, func(policy *networkingv1.NetworkPolicy) {
				policy.Spec.Ingress = []networkingv1.NetworkPolicyIngressRule{{}}
			})
			Eventually(fresh(ctx, policy)).Should(HaveField("Spec.Ingress", BeEmpty()))
		}
		edit(ctx, app, func(app *v1.Application) {
			app.Spec.NetworkPolicy.IngressFrom = []v1.NetworkPeer{{PodLabels: map[string]string{}}}
		})
		Eventually(fresh(ctx, policy)).Should(HaveField("Spec.Ingress", HaveLen(1)))
		edit(ctx, app, func(app *v1.Application) { app.Spec.NetworkPolicy.IngressFrom = nil })
		Eventually(fresh(ctx, policy)).Should(HaveField("Spec.Ingress", BeEmpty()))
	})

	It("is told in an event, with the fields and who has changed them, and without values", func(ctx SpecContext) {
		edit(ctx, app, func(app *v1.Application) { app.Spec.Env = []corev1.EnvVar{{Name: "A", Value: "1"}} })
		Eventually(fresh(ctx, app)).Should(beReady())
		told := eventsAbout(ctx, app, v1.EventDriftRepaired)
		Expect(told()).To(BeEmpty(), "nobody else has changed anything")

		const remedy = "; what is to stay belongs in the spec of the Application"
		image := client.RawPatch(types.StrategicMergePatchType,
			[]byte(`{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"hostile:1","env":[{"name":"A","value":"secret"}]}]}}}}`))
		Expect(k8s.Patch(ctx, deploymentOf(app), image, client.FieldOwner("kubectl-set"))).To(Succeed())
		changed := `Put back what "kubectl-set" had changed of Deployment web: .spec.template.spec.containers[name="web"].env[name="A"].value, ` +
			`.spec.template.spec.containers[name="web"].image` + remedy
		Eventually(told).Should(ConsistOf(changed))

		Expect(k8s.Delete(ctx, serviceOf(app))).To(Succeed())
		deleted := "Created Service web again, which somebody had deleted" + remedy
		Eventually(told).Should(ConsistOf(changed, deleted))

		removed := client.RawPatch(types.JSONPatchType, []byte(`[{"op":"remove","path":"/metadata/labels/app.kubernetes.io~1name"}]`))
		Expect(k8s.Patch(ctx, accountOf(app), removed)).To(Succeed())
		Eventually(told).Should(ConsistOf(changed, deleted,
			"Put back what somebody had changed of ServiceAccount web: .metadata.labels.app.kubernetes.io/name"+remedy))
	})

	It("of fields that the operator has no opinion on is left alone", func(ctx SpecContext) {
		edit(ctx, theDeployment(app), func(o client.Object) {
			metav1.SetMetaDataAnnotation(&o.(*appsv1.Deployment).ObjectMeta, "a-person", "was here")
			metav1.SetMetaDataAnnotation(&o.(*appsv1.Deployment).Spec.Template.ObjectMeta, "kubectl.kubernetes.io/restartedAt", "now")
		})
		edit(ctx, app, func(app *v1.Application) { app.Spec.Replicas = new(int32(3)) })
		Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), HaveField("Status.ReplicaSummary", "3/3")))
		deployment, err := get(ctx, deploymentOf(app))
		Expect(err).NotTo(HaveOccurred())
		Expect(deployment.Annotations).To(HaveKeyWithValue("a-person", "was here"))
		Expect(deployment.Spec.Template.Annotations).To(HaveKey("kubectl.kubernetes.io/restartedAt"))
	})

	It("of a list's key does not make the repaired item outlive its wish", func(ctx SpecContext) {
		edit(ctx, serviceOf(app), func(service *corev1.Service) { service.Spec.Ports[0].Port = 9999 })
		Eventually(fresh(ctx, serviceOf(app))).Should(HaveField("Spec.Ports", ConsistOf(HaveField("Port", BeEquivalentTo(8080)))))
		edit(ctx, app, func(app *v1.Application) {
			app.Spec.Port = nil
			app.Spec.AdditionalPorts = []v1.AdditionalPort{{Name: "grpc", Port: 9090}}
		})
		Eventually(fresh(ctx, serviceOf(app))).Should(HaveField("Spec.Ports", ConsistOf(HaveField("Port", BeEquivalentTo(9090)))))
	})

	It("of a list's key does not outlive its wish although others write all the time", func(ctx SpecContext) {
		busy, stop := context.WithCancel(ctx)
		defer stop()
		go func() { // as the Deployment's controller does, whose writes meet the operator's
			for i := 0; busy.Err() == nil; i++ {
				patch := fmt.Sprintf(`{"metadata":{"annotations":{"busy":"%d"}}}`, i)
				_ = k8s.Patch(busy, deploymentOf(app), client.RawPatch(types.MergePatchType, []byte(patch)))
			}
		}()
		edit(ctx, theDeployment(app), func(o client.Object) {
			container := &o.(*appsv1.Deployment).Spec.Template.Spec.Containers[0]
			container.Ports = append(container.Ports, corev1.ContainerPort{Name: "metrics", ContainerPort: 9090})
		})
		edit(ctx, app, func(app *v1.Application) {
			app.Spec.AdditionalPorts = []v1.AdditionalPort{{Name: "metrics", Port: 9191}}
			app.Spec.Env = []corev1.EnvVar{{Name: "A", Value: "1"}}
		})
		ports := func(numbers ...int32) gomegatypes.GomegaMatcher {
			var all []any
			for _, number := range numbers {
				all = append(all, HaveField("ContainerPort", number))
			}
			return HaveField("Spec.Template.Spec.Containers", ConsistOf(HaveField("Ports", ConsistOf(all...))))
		}
		Eventually(fresh(ctx, deploymentOf(app))).Should(ports(8080, 9191))
		edit(ctx, app, func(app *v1.Application) { app.Spec.AdditionalPorts, app.Spec.Env = nil, nil })
		Eventually(fresh(ctx, deploymentOf(app))).Should(SatisfyAll(ports(8080),
			HaveField("Spec.Template.Spec.Containers", ConsistOf(HaveField("Env", BeEmpty())))))
		stop()
		Eventually(fresh(ctx, app)).Should(beReady())
	})

	It("of a field that the spec has given up is removed", func(ctx SpecContext) {
		edit(ctx, app, func(app *v1.Application) {
			app.Spec.Env = []corev1.EnvVar{{Name: "A", Value: "1"}, {Name: "B", Value: "2"}}
			app.Spec.Service = &v1.ServiceSpec{Annotations: map[string]string{"example.com/a": "b"}}
		})
		Eventually(fresh(ctx, serviceOf(app))).Should(HaveField("Annotations", HaveKey("example.com/a")))
		edit(ctx, app, func(app *v1.Application) {
			app.Spec.Env = app.Spec.Env[:1]
			app.Spec.Service = nil
		})
		Eventually(fresh(ctx, serviceOf(app))).Should(HaveField("Annotations", Not(HaveKey("example.com/a"))))
		Eventually(fresh(ctx, deploymentOf(app))).Should(HaveField("Spec.Template.Spec.Containers",
			ConsistOf(HaveField("Env", ConsistOf(HaveField("Name", "A"))))))
	})
})

var _ = Describe("An object that is not the Application's", func() {
	var namespace string

	BeforeEach(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		startOperator(ctx, namespace)
	})

	DescribeTable("is never touched, and named in the status", func(ctx SpecContext, stranger func(string) client.Object, name string) {
		theirs := stranger(namespace)
		Expect(k8s.Create(ctx, theirs)).To(Succeed())
		app := web(namespace)
		Expect(k8s.Create(ctx, app)).To(Succeed())
		Eventually(fresh(ctx, app)).Should(SatisfyAll(
			haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonChildConflict, name+" web", "remove it"),
			haveCondition(v1.ConditionProgressing, metav1.ConditionFalse, v1.ReasonChildConflict),
			haveCondition(v1.ConditionDegraded, metav1.ConditionTrue, v1.ReasonChildConflict)))

		By("trying again when the Application is edited")
		edit(ctx, app, func(app *v1.Application) { app.Spec.Replicas = new(int32(3)) })
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonChildConflict))
		Expect(ours(ctx, theirs)).To(BeFalse())

		By("healing when it goes")
		Expect(k8s.Delete(ctx, theirs)).To(Succeed())
		Eventually(fresh(ctx, app)).Should(beReady())
	},
		Entry("a Deployment", strangersDeployment, "Deployment"),
		Entry("a Service", strangersService, "Service"),
		Entry("a ServiceAccount", strangersAccount, "ServiceAccount"),
	)

	It("does not get the Application's pods as its ServiceAccount's", func(ctx SpecContext) {
		Expect(k8s.Create(ctx, strangersAccount(namespace))).To(Succeed())
		app := web(namespace)
		Expect(k8s.Create(ctx, app)).To(Succeed())
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonChildConflict))
		Expect(client.IgnoreNotFound(k8s.Get(ctx, client.ObjectKeyFromObject(app), deploymentOf(app)))).To(Succeed())
		Expect(podsOf(ctx, app)).To(BeEmpty())
	})

	It("is not deleted when its kind is not desired", func(ctx SpecContext) {
		theirs := strangersService(namespace)
		Expect(k8s.Create(ctx, theirs)).To(Succeed())
		app := web(namespace)
		app.Spec.Port = nil
		createReady(ctx, app)
		Expect(ours(ctx, theirs)).To(BeFalse())
	})
})

func theDeployment(app *v1.Application) client.Object { return deploymentOf(app) }
func theService(app *v1.Application) client.Object    { return serviceOf(app) }
func theAccount(app *v1.Application) client.Object    { return accountOf(app) }

func removeLabels(o client.Object) { o.SetLabels(nil) }

// intent is what of a child the operator decides, the spec as a whole included, since nobody else has touched it.
func intent(object client.Object) any {
	owners := object.GetOwnerReferences()
	switch child := object.(type) {
	case *appsv1.Deployment:
		return []any{child.Labels, owners, child.Spec}
	case *corev1.Service:
		spec := child.Spec.DeepCopy()
		spec.ClusterIP, spec.ClusterIPs = "", nil
		return []any{child.Labels, owners, *spec}
	case *corev1.ServiceAccount:
		return []any{child.Labels, owners, child.AutomountServiceAccountToken}
	default:
		panic("unknown child")
	}
}

// ours reports whether the operator has left any trace on the object since it was made, or has replaced it.
func ours(ctx context.Context, object client.Object) (bool, error) {
	uid := object.GetUID()
	if err := k8s.Get(ctx, client.ObjectKeyFromObject(object), object); err != nil {
		return false, err
	}
	traces := object.GetUID() != uid || len(object.GetOwnerReferences()) > 0 || len(object.GetLabels()) > 0
	for _, entry := range object.GetManagedFields() {
		traces = traces || entry.Manager == "app-operator"
	}
	return traces, nil
}

func strangersDeployment(namespace string) client.Object {
	labels := map[string]string{"stranger": "yes"}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: namespace},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "stranger:1"}}},
			},
		},
	}
}

func strangersService(namespace string) client.Object {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: namespace},
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 1}}},
	}
}

func strangersAccount(namespace string) client.Object {
	return &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: namespace}}
}
