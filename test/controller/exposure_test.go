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
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	networkingv1 "k8s.io/api/networking/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	v1 "github.com/example/app-operator/api/v1"
)

var _ = Describe("Exposure", func() {
	var namespace string
	var app *v1.Application

	BeforeEach(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		startOperator(ctx, namespace)
		app = web(namespace)
	})

	It("is told in status.url: by Ingress, HTTPRoute or Service", func(ctx SpecContext) {
		createReady(ctx, app)
		haveURL := func(url string) {
			Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), HaveField("Status.URL", url)))
		}
		haveURL("http://web." + namespace + ".svc:8080")
		edit(ctx, app, func(app *v1.Application) {
			app.Spec.HTTPRoute = &v1.HTTPRouteSpec{
				ParentRefs: []v1.ParentReference{{Name: "public", SectionName: new("https")}},
				Hostnames:  []string{"*.example.com", "web.example.com"}, Path: "/shop",
			}
		})
		haveURL("https://web.example.com/shop")
		edit(ctx, app, func(app *v1.Application) { app.Spec.Ingress = &v1.IngressSpec{Host: "shop.example.com"} })
		haveURL("http://shop.example.com")
		edit(ctx, app, func(app *v1.Application) { app.Spec.Ingress.TLSSecretName = "certificate-to-come" })
		haveURL("https://shop.example.com")
		edit(ctx, app, func(app *v1.Application) {
			app.Spec.Ingress.TLSSecretName, app.Spec.Ingress.TLS = "", v1.IngressTLSControllerDefault
			app.Spec.Ingress.Host = "*.example.com"
			app.Spec.Ingress.AdditionalRules = []v1.IngressRule{{Path: "/a"}, {Host: "api.example.com", Path: "/v1"}}
		})
		haveURL("https://api.example.com/v1")
		edit(ctx, app, func(app *v1.Application) { app.Spec.Ingress.TLS = "" })
		haveURL("http://api.example.com/v1")
		edit(ctx, app, func(app *v1.Application) { app.Spec.Ingress, app.Spec.HTTPRoute = nil, nil })
		haveURL("http://web." + namespace + ".svc:8080")
	})

	It("by an Ingress for any host is told once the load balancer has an address", func(ctx SpecContext) {
		app.Spec.Ingress = &v1.IngressSpec{}
		createReady(ctx, app)
		Expect(app.Status.URL).To(Equal("http://web." + namespace + ".svc:8080"))
		ingress := ingressOf(app)
		Eventually(func(g Gomega) {
			g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(ingress), ingress)).To(Succeed())
			ingress.Status.LoadBalancer.Ingress = []networkingv1.IngressLoadBalancerIngress{{IP: "2001:db8::7"}}
			g.Expect(k8s.Status().Update(ctx, ingress)).To(Succeed())
		}).Should(Succeed())
		Eventually(fresh(ctx, app)).Should(HaveField("Status.URL", "http://[2001:db8::7]"))
	})

	It("by an HTTPRoute that its Gateway does not accept is told, until it does", func(ctx SpecContext) {
		app.Spec.HTTPRoute = &v1.HTTPRouteSpec{ParentRefs: []v1.ParentReference{{Name: "public"}}}
		createReady(ctx, app)
		answerRoute(ctx, app, metav1.ConditionFalse, gatewayv1.RouteReasonNotAllowedByListeners)
		Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), haveCondition(v1.ConditionDegraded, metav1.ConditionTrue, v1.ReasonExposureFailed,
			"HTTPRoute web: Gateway public does not accept it: NotAllowedByListeners: said by the controller")))
		answerRoute(ctx, app, metav1.ConditionTrue, gatewayv1.RouteReasonAccepted)
		Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), haveCondition(v1.ConditionDegraded, metav1.ConditionFalse, v1.ReasonRolloutComplete)))

		By("having asked a Gateway that is not there, for long")
		edit(ctx, app, func(app *v1.Application) { app.Spec.HTTPRoute.ParentRefs[0].Name = "pubilc" })
		Eventually(fresh(ctx, routeOf(app))).Should(HaveField("Spec.ParentRefs", ConsistOf(HaveField("Name", BeEquivalentTo("pubilc")))))
		long := metav1.NewTime(time.Now().Add(-time.Hour))
		edit(ctx, routeOf(app), func(route *gatewayv1.HTTPRoute) {
			for i := range route.ManagedFields {
				route.ManagedFields[i].Time = &long
			}
			metav1.SetMetaDataAnnotation(&route.ObjectMeta, "a-person", "was here") // or the API server keeps the times that it has
		})
		Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), haveCondition(v1.ConditionDegraded, metav1.ConditionTrue, v1.ReasonExposureFailed,
			"no controller has answered for Gateway pubilc")))
	})
})

// optionalAPI are the specs that take a CRD away from the cluster, and bring it back.
func optionalAPI() {
	var namespace string
	var app *v1.Application

	AfterAll(func() { expectNoRefusals() })

	BeforeEach(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		app = web(namespace)
		app.Spec.HTTPRoute = &v1.HTTPRouteSpec{ParentRefs: []v1.ParentReference{{Name: "public"}}}
	})

	It("that goes is missed, and used again when it is back", func(ctx SpecContext) {
		startOperator(ctx, namespace)
		createReady(ctx, app)
		Expect(get(ctx, routeOf(app))).NotTo(BeNil())
		without := worker(namespace)
		createReady(ctx, without)

		refusals.Insert(namespace) // while the CRD goes
		restore := removeCRD(ctx)
		Eventually(fresh(ctx, app)).Should(SatisfyAll(
			haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonAPINotInstalled, "HTTPRoute", "gateway.networking.k8s.io"),
			haveCondition(v1.ConditionAvailable, metav1.ConditionTrue, v1.ReasonAPINotInstalled),
			HaveField("Status.ReadyReplicas", BeEquivalentTo(2))))
		Expect(get(ctx, without)).To(beReady(), "who does not ask for it does not miss it")

		restore(ctx)
		Eventually(fresh(ctx, app)).Should(beReady())
		route, err := get(ctx, routeOf(app))
		Expect(err).NotTo(HaveOccurred())

		By("watching it again")
		Expect(k8s.Delete(ctx, route)).To(Succeed())
		Eventually(fresh(ctx, routeOf(app))).Should(HaveField("UID", Not(Equal(route.UID))))
	})

	It("that is absent at the start does not keep anybody from starting, and is used when it comes", func(ctx SpecContext) {
		restore := removeCRD(ctx)
		running := startOperator(ctx, namespace)
		Expect(k8s.Create(ctx, app)).To(Succeed())
		Eventually(fresh(ctx, app)).Should(SatisfyAll(
			haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonAPINotInstalled, "have its CRD installed"),
			haveCondition(v1.ConditionProgressing, metav1.ConditionTrue, v1.ReasonAPINotInstalled),
			HaveField("Status.ReadyReplicas", BeEquivalentTo(2))))

		By("or not asked for any more")
		edit(ctx, app, func(app *v1.Application) { app.Spec.HTTPRoute = nil })
		Eventually(fresh(ctx, app)).Should(beReady())
		edit(ctx, app, func(app *v1.Application) {
			app.Spec.HTTPRoute = &v1.HTTPRouteSpec{ParentRefs: []v1.ParentReference{{Name: "public"}}}
		})
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonAPINotInstalled))

		restore(ctx)
		Eventually(fresh(ctx, app)).Should(beReady())
		Expect(get(ctx, routeOf(app))).To(HaveField("OwnerReferences", HaveLen(1)))
		Expect(running.errors()).To(BeEmpty())
	})
}

// answerRoute plays a Gateway's controller. Without an answer, a route becomes a fault after two minutes, while somebody may be counting.
func answerRoute(ctx context.Context, app *v1.Application, accepted metav1.ConditionStatus, reason gatewayv1.RouteConditionReason) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		route, err := get(ctx, routeOf(app))
		g.Expect(err).NotTo(HaveOccurred())
		route.Status.Parents = nil
		for _, parent := range route.Spec.ParentRefs {
			route.Status.Parents = append(route.Status.Parents, gatewayv1.RouteParentStatus{
				ParentRef: parent, ControllerName: "example.com/gateway",
				Conditions: []metav1.Condition{{
					Type: string(gatewayv1.RouteConditionAccepted), Status: accepted, Reason: string(reason), Message: "said by the controller",
					ObservedGeneration: route.Generation, LastTransitionTime: metav1.Now(),
				}},
			})
		}
		g.Expect(k8s.Status().Update(ctx, route)).To(Succeed())
	}).Should(Succeed())
}

func ingressOf(app *v1.Application) *networkingv1.Ingress {
	return &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Name: app.Name, Namespace: app.Namespace}}
}

func routeOf(app *v1.Application) *gatewayv1.HTTPRoute {
	return &gatewayv1.HTTPRoute{ObjectMeta: metav1.ObjectMeta{Name: app.Name, Namespace: app.Namespace}}
}

// removeCRD takes HTTPRoutes away from the cluster and returns what brings them back.
func removeCRD(ctx SpecContext) func(context.Context) {
	GinkgoHelper()
	crd := &apiextensionsv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: "httproutes.gateway.networking.k8s.io"}}
	Expect(k8s.Get(ctx, client.ObjectKeyFromObject(crd), crd)).To(Succeed())
	again := crd.DeepCopy()
	again.ObjectMeta = metav1.ObjectMeta{Name: crd.Name, Annotations: crd.Annotations, Labels: crd.Labels}
	again.Status = apiextensionsv1.CustomResourceDefinitionStatus{}
	restore := func(ctx context.Context) {
		GinkgoHelper()
		Expect(client.IgnoreAlreadyExists(k8s.Create(ctx, again.DeepCopy()))).To(Succeed())
		Eventually(fresh(ctx, crd)).Should(HaveField("Status.Conditions", ContainElement(SatisfyAll(
			HaveField("Type", apiextensionsv1.Established), HaveField("Status", apiextensionsv1.ConditionTrue)))))
	}
	DeferCleanup(restore)
	Expect(k8s.Delete(ctx, crd)).To(Succeed())
	Eventually(func() error { _, err := get(ctx, crd); return err }).Should(Satisfy(apierrors.IsNotFound))
	return restore
}
