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
	"math/rand/v2"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	v1 "github.com/example/app-operator/api/v1"
)

// existingAccount is a ServiceAccount that is no Application's.
const existingAccount = "existing"

// childKind is one of the kinds of objects that an Application may have one of.
type childKind struct {
	kind string
	// object is an empty object of the kind.
	object client.Object
	// suffix is what the object's name has after the Application's.
	suffix string
	// fill makes an object somebody's own.
	fill func(client.Object)
	// harm changes something that the operator has decided.
	harm func(client.Object)
	// on asks for the child, in a spec with a port, and off takes that back; both are nil where there is no choice.
	on, off func(*v1.ApplicationSpec)
}

// childKinds are all of them, in the order in which the operator makes them.
var childKinds = []childKind{
	{
		kind: "ServiceAccount", object: &corev1.ServiceAccount{},
		fill: func(client.Object) {},
		harm: func(o client.Object) { o.(*corev1.ServiceAccount).AutomountServiceAccountToken = new(true) },
		on:   func(spec *v1.ApplicationSpec) { spec.ServiceAccount = nil },
		off: func(spec *v1.ApplicationSpec) {
			spec.ServiceAccount = &v1.ServiceAccountSpec{Name: existingAccount}
		},
	},
	{
		kind: "NetworkPolicy", object: &networkingv1.NetworkPolicy{},
		fill: func(o client.Object) { o.(*networkingv1.NetworkPolicy).Spec.PodSelector = *strangersPods() },
		harm: func(o client.Object) {
			o.(*networkingv1.NetworkPolicy).Spec.Egress = []networkingv1.NetworkPolicyEgressRule{{}}
		},
		on:  func(spec *v1.ApplicationSpec) { spec.NetworkPolicy = &v1.NetworkPolicySpec{} },
		off: func(spec *v1.ApplicationSpec) { spec.NetworkPolicy = nil },
	},
	{
		kind: "Deployment", object: &appsv1.Deployment{},
		fill: func(o client.Object) {
			o.(*appsv1.Deployment).Spec = strangersDeployment("").(*appsv1.Deployment).Spec
		},
		harm: func(o client.Object) { o.(*appsv1.Deployment).Spec.Template.Spec.Containers[0].Image = "nginx:hacked" },
	},
	{
		kind: "CronJob", object: &batchv1.CronJob{}, suffix: "-nightly",
		fill: func(o client.Object) { o.(*batchv1.CronJob).Spec = strangersCronJob() },
		harm: func(o client.Object) { o.(*batchv1.CronJob).Spec.Schedule = "@monthly" },
		on: func(spec *v1.ApplicationSpec) {
			spec.Schedules = []v1.Schedule{{Name: "nightly", Schedule: "@yearly", Command: []string{"clean-up"}}}
		},
		off: func(spec *v1.ApplicationSpec) { spec.Schedules = nil },
	},
	{
		kind: "Service", object: &corev1.Service{},
		fill: func(o client.Object) { o.(*corev1.Service).Spec.Ports = []corev1.ServicePort{{Port: 1}} },
		harm: func(o client.Object) { o.(*corev1.Service).Spec.Selector = strangersPods().MatchLabels },
		on:   func(spec *v1.ApplicationSpec) { spec.Port = new(int32(8080)) },
		off: func(spec *v1.ApplicationSpec) { // with all that needs the port
			spec.Port, spec.Ingress, spec.HTTPRoute, spec.Monitoring = nil, nil, nil, nil
		},
	},
	{
		kind: "HorizontalPodAutoscaler", object: &autoscalingv2.HorizontalPodAutoscaler{},
		fill: func(o client.Object) {
			o.(*autoscalingv2.HorizontalPodAutoscaler).Spec = autoscalingv2.HorizontalPodAutoscalerSpec{
				ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "strangers"},
				MaxReplicas:    1,
			}
		},
		harm: func(o client.Object) { o.(*autoscalingv2.HorizontalPodAutoscaler).Spec.MaxReplicas = 99 },
		// As many as spec.replicas, so that it makes no difference to what else is desired.
		on: func(spec *v1.ApplicationSpec) {
			spec.Autoscaling = &v1.AutoscalingSpec{MinReplicas: spec.Replicas, MaxReplicas: *spec.Replicas}
		},
		off: func(spec *v1.ApplicationSpec) { spec.Autoscaling = nil },
	},
	{
		kind: "PodDisruptionBudget", object: &policyv1.PodDisruptionBudget{},
		fill: func(o client.Object) { o.(*policyv1.PodDisruptionBudget).Spec.Selector = strangersPods() },
		harm: func(o client.Object) {
			o.(*policyv1.PodDisruptionBudget).Spec.MaxUnavailable = new(intstr.FromInt32(0))
		},
		on: func(spec *v1.ApplicationSpec) { spec.DisruptionBudget = nil },
		off: func(spec *v1.ApplicationSpec) {
			spec.DisruptionBudget = &v1.DisruptionBudgetSpec{Enabled: new(false)}
		},
	},
	{
		kind: "Ingress", object: &networkingv1.Ingress{},
		fill: func(o client.Object) {
			o.(*networkingv1.Ingress).Spec.DefaultBackend = &networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{
				Name: "strangers", Port: networkingv1.ServiceBackendPort{Number: 1},
			}}
		},
		harm: func(o client.Object) { o.(*networkingv1.Ingress).Spec.Rules[0].Host = "elsewhere.example.com" },
		on:   func(spec *v1.ApplicationSpec) { spec.Ingress = &v1.IngressSpec{Host: "web.example.com"} },
		off:  func(spec *v1.ApplicationSpec) { spec.Ingress = nil },
	},
	{
		kind: "HTTPRoute", object: &gatewayv1.HTTPRoute{},
		fill: func(o client.Object) {
			o.(*gatewayv1.HTTPRoute).Spec.Hostnames = []gatewayv1.Hostname{"strangers.example.com"}
		},
		harm: func(o client.Object) { o.(*gatewayv1.HTTPRoute).Spec.ParentRefs[0].Name = "elsewhere" },
		on: func(spec *v1.ApplicationSpec) {
			spec.HTTPRoute = &v1.HTTPRouteSpec{ParentRefs: []v1.ParentReference{{Name: "public"}}}
		},
		off: func(spec *v1.ApplicationSpec) { spec.HTTPRoute = nil },
	},
	{
		kind: "ServiceMonitor", object: &monitoringv1.ServiceMonitor{},
		fill: func(o client.Object) {
			o.(*monitoringv1.ServiceMonitor).Spec = monitoringv1.ServiceMonitorSpec{
				Selector: *strangersPods(), Endpoints: []monitoringv1.Endpoint{{Port: "strange"}},
			}
		},
		harm: func(o client.Object) { o.(*monitoringv1.ServiceMonitor).Spec.Endpoints[0].Path = "/elsewhere" },
		on:   func(spec *v1.ApplicationSpec) { spec.Monitoring = &v1.MonitoringSpec{} },
		off:  func(spec *v1.ApplicationSpec) { spec.Monitoring = nil },
	},
}

func strangersPods() *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{"stranger": "yes"}}
}

func strangersCronJob() batchv1.CronJobSpec {
	return batchv1.CronJobSpec{Schedule: "@yearly", JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{
		Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyNever, Containers: []corev1.Container{{Name: "strange", Image: "strange"}},
		}},
	}}}
}

// named returns an empty object of the kind, to be read, that an Application of this name would have.
func (k childKind) named(namespace, name string) client.Object {
	object := k.object.DeepCopyObject().(client.Object)
	object.SetNamespace(namespace)
	object.SetName(name + k.suffix)
	return object
}

// strangers returns somebody's own object of the kind, to be made.
func (k childKind) strangers(namespace, name string) client.Object {
	object := k.named(namespace, name)
	object.SetAnnotations(map[string]string{"a-person": "was here"})
	k.fill(object)
	return object
}

// complete returns an Application that has every child.
func complete(namespace, name string) *v1.Application {
	app := web(namespace)
	app.Name = name
	for _, kind := range childKinds {
		if kind.on != nil {
			kind.on(&app.Spec)
		}
	}
	return app
}

// decided returns of an object what its users decide: all but the status and what the API server keeps the books with.
func decided(object client.Object) map[string]any {
	GinkgoHelper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	Expect(err).NotTo(HaveOccurred())
	delete(content, "status")
	metadata := content["metadata"].(map[string]any)
	for _, books := range []string{"creationTimestamp", "generation", "managedFields", "resourceVersion", "uid"} {
		delete(metadata, books)
	}
	annotations, _ := metadata["annotations"].(map[string]any)
	delete(annotations, "deployment.kubernetes.io/revision")
	if spec, ok := content["spec"].(map[string]any); ok { // a Service's, which differ when it is made again
		delete(spec, "clusterIP")
		delete(spec, "clusterIPs")
	}
	return content
}

// entries returns a table's line for each kind that is asked for.
func entries(asked func(childKind) bool) []TableEntry {
	var all []TableEntry
	for _, kind := range childKinds {
		if asked(kind) {
			all = append(all, Entry(kind.kind, kind))
		}
	}
	return all
}

func anyKind(childKind) bool            { return true }
func choosableKind(kind childKind) bool { return kind.off != nil }

// One operator for all: each spec has an Application of its own.
var _ = Describe("An object in the place of an Application's", Ordered, ContinueOnFailure, func() {
	var namespace string
	var running *runningOperator

	BeforeAll(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		running = startOperator(ctx, namespace)
		Expect(k8s.Create(ctx, childKinds[0].strangers(namespace, existingAccount))).To(Succeed())
	})

	DescribeTable("stays as it is, is named in the status, and is replaced when it goes", func(ctx SpecContext, kind childKind) {
		name := "taken-" + strings.ToLower(kind.kind)
		theirs, app := kind.strangers(namespace, name), complete(namespace, name)
		Expect(k8s.Create(ctx, theirs)).To(Succeed())
		before := theirs.DeepCopyObject().(client.Object)
		Expect(k8s.Create(ctx, app)).To(Succeed())
		conflict := SatisfyAll(
			haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonChildConflict, kind.kind+" "+name+kind.suffix+" exists"),
			haveCondition(v1.ConditionProgressing, metav1.ConditionFalse, v1.ReasonChildConflict),
			haveCondition(v1.ConditionDegraded, metav1.ConditionTrue, v1.ReasonChildConflict))
		Eventually(fresh(ctx, app)).Should(conflict)
		running.expectUntouched(ctx, before)
		if kind.kind == "Deployment" { // which an autoscaler would change in the operator's place
			_, err := get(ctx, autoscalerOf(app))
			Expect(err).To(Satisfy(apierrors.IsNotFound))
		}

		if kind.off != nil {
			By("not being deleted where none is desired")
			edit(ctx, app, func(app *v1.Application) { kind.off(&app.Spec) })
			Eventually(fresh(ctx, app)).Should(beReady())
			running.expectUntouched(ctx, before)
			edit(ctx, app, func(app *v1.Application) { app.Spec = complete(namespace, name).Spec })
			Eventually(fresh(ctx, app)).Should(conflict)
			running.expectUntouched(ctx, before)
		}

		By("making ours when it goes")
		Expect(k8s.Delete(ctx, theirs)).To(Succeed())
		Eventually(fresh(ctx, app)).Should(beReady())
		ours, err := get(ctx, kind.named(namespace, name))
		Expect(err).NotTo(HaveOccurred())
		Expect(metav1.IsControlledBy(ours, app)).To(BeTrue())
	}, entries(anyKind))
})

// expectUntouched makes sure that the object is what it was, byte for byte but for what Kubernetes' own controllers write,
// and that the operator has not even tried to change it.
func (o *runningOperator) expectUntouched(ctx context.Context, before client.Object) {
	GinkgoHelper()
	now, err := get(ctx, before.DeepCopyObject().(client.Object))
	Expect(err).NotTo(HaveOccurred())
	Expect(now.GetUID()).To(Equal(before.GetUID()))
	Expect(decided(now)).To(Equal(decided(before)))
	Expect(now.GetManagedFields()).NotTo(ContainElement(HaveField("Manager", "app-operator")))
	switch before.(type) {
	case *appsv1.Deployment, *batchv1.CronJob, *autoscalingv2.HorizontalPodAutoscaler, *policyv1.PodDisruptionBudget:
	default: // no controller writes to it
		Expect(now.GetResourceVersion()).To(Equal(before.GetResourceVersion()))
	}
	kind, err := k8s.GroupVersionKindFor(before)
	Expect(err).NotTo(HaveOccurred())
	plural, _ := meta.UnsafeGuessKindToResource(kind)
	for _, request := range o.writes() {
		target := request.ObjectRef
		Expect(target.Resource == plural.Resource && target.Name == before.GetName()).To(BeFalse(), "%s", request)
	}
}

var _ = Describe("A child", Ordered, ContinueOnFailure, func() {
	var namespace string
	var running *runningOperator
	var app *v1.Application

	BeforeAll(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		running = startOperator(ctx, namespace)
		for _, kind := range childKinds { // others' objects, which nothing here may touch
			Expect(k8s.Create(ctx, kind.strangers(namespace, existingAccount))).To(Succeed())
		}
		app = complete(namespace, "web")
		createReady(ctx, app)
	})

	It("of every kind is there, and the operator rests: no pass, no write", func(ctx SpecContext) {
		ours, _ := census(ctx, Default, app)
		Expect(ours).To(Equal(wantedOf(app, nil)))
		answerRoute(ctx, app, metav1.ConditionTrue, gatewayv1.RouteReasonAccepted)
		tellAutoscalers(ctx, app)
		running.expectCalm(ctx, namespace, 10*time.Second)
	})

	DescribeTable("is put right after an edit, without its labels, and after its deletion",
		func(ctx SpecContext, kind childKind) {
			live := func() (client.Object, error) { return get(ctx, kind.named(namespace, app.Name)) }
			before, err := live()
			Expect(err).NotTo(HaveOccurred())
			asBefore := WithTransform(decided, Equal(decided(before)))
			for _, change := range []func(client.Object){kind.harm, removeLabels} {
				edit(ctx, kind.named(namespace, app.Name), func(o client.Object) {
					change(o)
					Expect(o).NotTo(asBefore, "the change changes nothing")
				})
				Eventually(live).Should(asBefore)
			}
			Expect(k8s.Delete(ctx, before)).To(Succeed())
			Eventually(live).Should(SatisfyAll(WithTransform(client.Object.GetUID, Not(Equal(before.GetUID()))), asBefore))
			Eventually(fresh(ctx, app)).Should(beReady())
		}, entries(anyKind))

	DescribeTable("goes when it is not desired any more, and comes back", func(ctx SpecContext, kind childKind) {
		for _, off := range []sets.Set[string]{sets.New(kind.kind), nil} {
			edit(ctx, app, func(app *v1.Application) { app.Spec = without(off).Spec })
			Eventually(fresh(ctx, app)).Should(beReady())
			Eventually(func(g Gomega) {
				ours, _ := census(ctx, g, app)
				g.Expect(ours).To(Equal(wantedOf(app, off)))
			}).Should(Succeed())
		}
	}, entries(choosableKind))

	It("is there exactly while it is desired, whatever is switched on and off in whatever order", func(ctx SpecContext) {
		random := rand.New(rand.NewPCG(uint64(GinkgoRandomSeed()), 0)) // a failure is repeated by its seed
		toggled := complete(namespace, "toggled")
		createReady(ctx, toggled)
		_, others := census(ctx, Default, toggled)
		Expect(others).To(HaveKey("Ingress web"), "another Application's")
		off := sets.New[string]()
		for step := range 25 {
			for range 1 + random.IntN(4) {
				kind := childKinds[random.IntN(len(childKinds))]
				switch {
				case kind.off == nil:
					continue
				case off.Has(kind.kind):
					off.Delete(kind.kind)
				default:
					off.Insert(kind.kind)
				}
				edit(ctx, toggled, func(app *v1.Application) { app.Spec = without(off).Spec })
				if random.IntN(2) == 0 { // sometimes the next change meets one that is half done
					Eventually(fresh(ctx, toggled)).Should(beReady())
				}
			}
			By(fmt.Sprintf("step %d: without %q", step, sets.List(off)))
			Eventually(fresh(ctx, toggled)).Should(beReady())
			Eventually(func(g Gomega) {
				ours, _ := census(ctx, g, toggled)
				g.Expect(ours).To(Equal(wantedOf(toggled, off)))
			}).Should(Succeed())
			_, now := census(ctx, Default, toggled)
			Expect(now).To(Equal(others))
		}
	})
})

// without returns an Application that has every child but those of these kinds, and those that need them.
func without(off sets.Set[string]) *v1.Application {
	app := complete("", "")
	for _, kind := range childKinds {
		if off.Has(kind.kind) {
			kind.off(&app.Spec)
		}
	}
	return app
}

// wantedOf returns the children, by kind and name, of an Application that is made without these kinds.
func wantedOf(app *v1.Application, off sets.Set[string]) sets.Set[string] {
	desired := sets.New[string]()
	for _, kind := range childKinds {
		desired.Insert(kind.kind + " " + app.Name + kind.suffix)
	}
	absent := off.Clone()
	if off.Has("Service") {
		absent.Insert("Ingress", "HTTPRoute", "ServiceMonitor")
	}
	for _, kind := range childKinds {
		if absent.Has(kind.kind) {
			desired.Delete(kind.kind + " " + app.Name + kind.suffix)
		}
	}
	if !absent.HasAny("NetworkPolicy", "CronJob") {
		desired.Insert("NetworkPolicy " + app.Name + "-jobs")
	}
	return desired
}

// census returns the objects of the children's kinds in the Application's namespace, by kind and name: those that the
// Application controls, and of the others what their users decide.
func census(ctx context.Context, g Gomega, app *v1.Application) (sets.Set[string], map[string]any) {
	GinkgoHelper()
	ours, others := sets.New[string](), map[string]any{}
	for _, kind := range childKinds {
		gvk, err := k8s.GroupVersionKindFor(kind.object)
		g.Expect(err).NotTo(HaveOccurred())
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(gvk)
		g.Expect(k8s.List(ctx, list, client.InNamespace(app.Namespace))).To(Succeed())
		for i := range list.Items {
			object := &list.Items[i]
			if name := kind.kind + " " + object.GetName(); metav1.IsControlledBy(object, app) {
				ours.Insert(name)
			} else {
				others[name] = decided(object)
			}
		}
	}
	return ours, others
}
