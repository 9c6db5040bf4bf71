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
	"regexp"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	eventsv1 "k8s.io/api/events/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/resources"
)

// adoptableKinds are those of childKinds that can be taken over, and ConfigMaps.
func adoptableKinds() []childKind {
	kinds := slices.DeleteFunc(slices.Clone(childKinds), func(kind childKind) bool {
		return kind.kind == "Deployment" || kind.kind == "CronJob"
	})
	return append(kinds, childKind{
		kind: "ConfigMap", object: &corev1.ConfigMap{}, suffix: "-config",
		fill: func(o client.Object) { o.(*corev1.ConfigMap).Data = map[string]string{"web.conf": "theirs"} },
		on:   func(spec *v1.ApplicationSpec) { spec.Files = inline("").Spec.Files },
	})
}

// consent gives an object to the Application of this name, as whoever may write the object does.
func consent(ctx context.Context, object client.Object, to string) {
	GinkgoHelper()
	edit(ctx, object, func(object client.Object) {
		annotations := object.GetAnnotations()
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[v1.AnnotationAdopt] = to
		if to == "" {
			delete(annotations, v1.AnnotationAdopt)
		}
		object.SetAnnotations(annotations)
	})
}

// slow has the Application's pods not be available before hurry is called.
func slow(app *v1.Application) *v1.Application {
	app.Spec.Rollout = &v1.RolloutSpec{MinReadySeconds: 300}
	return app
}

func hurry(ctx context.Context, app *v1.Application) {
	GinkgoHelper()
	edit(ctx, app, func(app *v1.Application) { app.Spec.Rollout = nil })
}

// eventsAbout returns the notes of events about the Application with this reason.
func eventsAbout(ctx context.Context, app *v1.Application, reason string) func() ([]string, error) {
	return func() ([]string, error) {
		events := &eventsv1.EventList{}
		err := k8s.List(ctx, events, client.InNamespace(app.Namespace))
		var notes []string
		for _, event := range events.Items {
			if event.Reason == reason && event.Regarding.UID == app.UID {
				notes = append(notes, event.Note)
			}
		}
		return notes, err
	}
}

// One operator for all: each spec has an Application of its own.
var _ = Describe("An object that is given to an Application", Ordered, ContinueOnFailure, func() {
	var namespace string
	var running *runningOperator

	BeforeAll(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		running = startOperator(ctx, namespace)
	})

	DescribeTable("is taken over as it is, and goes with it", func(ctx SpecContext, kind childKind) {
		name := "given-" + strings.ToLower(kind.kind)
		theirs, app := kind.strangers(namespace, name), complete(namespace, name)
		kind.on(&app.Spec)
		Expect(k8s.Create(ctx, theirs)).To(Succeed())
		uid := theirs.GetUID()
		counted := running.counters(ctx, "app_operator_adoptions_total")[kind.kind]
		Expect(k8s.Create(ctx, app)).To(Succeed())
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonChildConflict, "kubectl annotate"))
		running.expectUntouched(ctx, theirs.DeepCopyObject().(client.Object))

		By("doing what the message says")
		message := conditionOf(app, v1.ConditionReady).Message
		command := regexp.MustCompile(`run kubectl ([^;]+);`).FindStringSubmatch(message)
		Expect(command).To(HaveLen(2), message)
		kubectl(ctx, strings.Fields(command[1])...)
		Eventually(fresh(ctx, app)).Should(beReady())
		Expect(get(ctx, theirs)).To(SatisfyAll(
			HaveField("ObjectMeta.UID", uid), HaveField("ObjectMeta.Annotations", HaveKeyWithValue("a-person", "was here")),
			WithTransform(func(o client.Object) bool { return metav1.IsControlledBy(o, app) }, BeTrue()),
			HaveField("ObjectMeta.Labels", HaveKeyWithValue(resources.LabelManagedBy, resources.ManagedBy))))
		Eventually(eventsAbout(ctx, app, v1.EventAdopted)).Should(ConsistOf(SatisfyAll(
			HavePrefix("Took over "+kind.kind+" "+theirs.GetName()), ContainSubstring("deleted when the Application is"))))
		Expect(running.counters(ctx, "app_operator_adoptions_total")[kind.kind]).To(Equal(counted + 1))
		Expect(running.log()).To(ContainSubstring(`"Adopted"`))

		By("doing nothing more, whatever becomes of the annotation")
		running.rest(ctx)
		writes := len(running.writes())
		consent(ctx, theirs, "")
		consent(ctx, theirs, "another")
		running.rest(ctx)
		Expect(running.writesButStatuses(writes)()).To(BeEmpty())

		By("repairing and deleting it as any other")
		if kind.harm != nil {
			edit(ctx, theirs, kind.harm)
			Eventually(running.writesButStatuses(writes)).ShouldNot(BeEmpty())
		}
		Expect(k8s.Delete(ctx, app)).To(Succeed())
		Eventually(gone(ctx, theirs)).Should(Satisfy(apierrors.IsNotFound))
	}, func() (all []TableEntry) {
		for _, kind := range adoptableKinds() {
			all = append(all, Entry(kind.kind, kind))
		}
		return all
	}())
})

var _ = Describe("An object that is given to an Application", Ordered, ContinueOnFailure, func() {
	var namespace string
	var running *runningOperator

	BeforeAll(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		running = startOperator(ctx, namespace)
	})

	It("and sends requests to pods waits until those of the Application are available", func(ctx SpecContext) {
		app := slow(complete(namespace, "busy"))
		var theirs []client.Object
		for _, kind := range adoptableKinds() {
			if kind.kind != "ServiceAccount" && kind.kind != "NetworkPolicy" && kind.kind != "ConfigMap" {
				object := kind.strangers(namespace, app.Name)
				object.SetAnnotations(map[string]string{v1.AnnotationAdopt: app.Name})
				if service, ok := object.(*corev1.Service); ok {
					service.Spec.Selector = strangersPods().MatchLabels
				}
				Expect(k8s.Create(ctx, object)).To(Succeed())
				theirs = append(theirs, object)
			}
		}
		Expect(k8s.Create(ctx, app)).To(Succeed())
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionUnknown, v1.ReasonRollingOut,
			"pods are available", "taken over when all pods are available"))
		Eventually(fresh(ctx, deploymentOf(app))).Should(HaveField("Status.ReadyReplicas", BeEquivalentTo(*app.Spec.Replicas)))
		running.rest(ctx)
		for _, object := range theirs {
			running.expectUntouched(ctx, object.DeepCopyObject().(client.Object))
		}

		hurry(ctx, app)
		Eventually(fresh(ctx, app)).Should(beReady())
		var order []string // what leads to the Service comes after it
		for _, request := range running.writes() {
			if request.ObjectRef.Name == app.Name && request.ObjectRef.Subresource == "" {
				order = append(order, request.ObjectRef.Resource)
			}
		}
		service := slices.Index(order, "services")
		for _, after := range []string{"ingresses", "httproutes", "servicemonitors"} {
			Expect(slices.Index(order, after)).To(BeNumerically(">", service), after)
		}
		Expect(get(ctx, serviceOf(app))).To(HaveField("Spec.Selector", Equal(resources.Labels(app.Name))))
		autoscaler := &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: serviceOf(app).ObjectMeta}
		Expect(get(ctx, autoscaler)).To(HaveField("Spec.ScaleTargetRef.Name", app.Name))
		Expect(get(ctx, &policyv1.PodDisruptionBudget{ObjectMeta: serviceOf(app).ObjectMeta})).To(HaveField(
			"Spec.Selector.MatchLabels", Equal(resources.Labels(app.Name))))
		ingress := &networkingv1.Ingress{ObjectMeta: serviceOf(app).ObjectMeta}
		Expect(get(ctx, ingress)).To(HaveField("Spec.Rules", HaveLen(1)))

		// Its autoscaler becomes a fault after two minutes, while the next specs may be counting what is written.
		Expect(k8s.Delete(ctx, app)).To(Succeed())
		Eventually(gone(ctx, app)).Should(Satisfy(apierrors.IsNotFound))
	})

	It("lets a Deployment's pods serve until those of the Application do", func(ctx SpecContext) {
		labels := map[string]string{"app": "moved"}
		named := metav1.ObjectMeta{Name: "moved", Namespace: namespace}
		deployment := &appsv1.Deployment{ObjectMeta: named, Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(2)), Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{Containers: []corev1.Container{{
					Name: "web", Image: "nginx:1.29", Ports: []corev1.ContainerPort{{Name: "web", ContainerPort: 8080}},
				}}},
			},
		}}
		service := &corev1.Service{ObjectMeta: named, Spec: corev1.ServiceSpec{
			Selector: labels, Ports: []corev1.ServicePort{{Name: "web", Port: 80, TargetPort: intstr.FromString("web")}},
		}}
		Expect(k8s.Create(ctx, deployment)).To(Succeed())
		Expect(k8s.Create(ctx, service)).To(Succeed())
		serving := func() (pods []string, err error) {
			slices := &discoveryv1.EndpointSliceList{}
			err = k8s.List(ctx, slices, client.InNamespace(namespace), client.MatchingLabels{discoveryv1.LabelServiceName: named.Name})
			for _, slice := range slices.Items {
				for _, endpoint := range slice.Endpoints {
					if ptr.Deref(endpoint.Conditions.Ready, false) && len(slice.Ports) > 0 {
						pods = append(pods, endpoint.TargetRef.Name)
					}
				}
			}
			return pods, err
		}
		Eventually(serving).Should(HaveLen(2))

		kubectl(ctx, "delete", "deployment", named.Name, "-n", namespace, "--cascade=orphan")
		kubectl(ctx, "annotate", "service", named.Name, "-n", namespace, v1.AnnotationAdopt+"="+named.Name)
		app := web(namespace)
		app.Name, app.Spec.Service = named.Name, &v1.ServiceSpec{Port: new(int32(80))}
		app.Spec.Scheduling = &v1.SchedulingSpec{NodeSelector: map[string]string{"there-is": "none"}}
		Expect(k8s.Create(ctx, app)).To(Succeed())
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonUnschedulable,
			"nodes are available", "; Service moved is taken over when all pods are available"))
		running.rest(ctx)
		Expect(serving()).To(HaveLen(2))
		edit(ctx, app, func(app *v1.Application) { app.Spec.Scheduling = nil })
		Eventually(func(g Gomega) {
			pods, err := serving()
			g.Expect(err).NotTo(HaveOccurred())
			if len(pods) == 0 {
				StopTrying("nothing serves").Now()
			}
			g.Expect(get(ctx, app)).To(beReady())
		}).WithPolling(10 * time.Millisecond).Should(Succeed())
		newPods, err := podsOf(ctx, app)
		Expect(err).NotTo(HaveOccurred())
		Expect(newPods).To(HaveLen(2))
		Eventually(serving).Should(ConsistOf(newPods[0].Name, newPods[1].Name))
		Expect(get(ctx, service)).To(HaveField("Spec.Ports", ConsistOf(HaveField("Name", "web"))))

		kubectl(ctx, "delete", "replicaset", "-n", namespace, "-l", "app=moved")
		running.rest(ctx)
		Expect(get(ctx, app)).To(beReady())
	})

	It("and was a Service keeps its addresses, its node ports, and the names of its ports", func(ctx SpecContext) {
		theirs := &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{
				Name: "shop", Namespace: namespace,
				Labels:      map[string]string{"app": "shop"},
				Annotations: map[string]string{"example.com/pool": "east", v1.AnnotationAdopt: "shop"},
			},
			Spec: corev1.ServiceSpec{
				Type: corev1.ServiceTypeNodePort, Selector: map[string]string{"app": "shop"},
				Ports: []corev1.ServicePort{
					{Name: "web", Port: 80, TargetPort: intstr.FromInt32(3000)},
					{Name: "status", Port: 9090, TargetPort: intstr.FromInt32(9090)},
					{Name: "old", Port: 7070},
				},
			},
		}
		Expect(k8s.Create(ctx, theirs)).To(Succeed())
		before := theirs.DeepCopy()
		app := web(namespace)
		app.Name = "shop"
		app.Spec.Service = &v1.ServiceSpec{Type: corev1.ServiceTypeNodePort, Port: new(int32(80))}
		app.Spec.AdditionalPorts = []v1.AdditionalPort{{Name: "admin", Port: 9090}}
		app.Spec.Monitoring = &v1.MonitoringSpec{}
		createReady(ctx, app)

		kept := SatisfyAll(
			HaveField("UID", before.UID), HaveField("Spec.ClusterIPs", before.Spec.ClusterIPs),
			HaveField("Labels", HaveKeyWithValue("app", "shop")), HaveField("Annotations", HaveKeyWithValue("example.com/pool", "east")),
			HaveField("Spec.Selector", Equal(resources.Labels("shop"))),
			HaveField("Spec.Ports", ConsistOf(
				SatisfyAll(HaveField("Name", "web"), HaveField("Port", BeEquivalentTo(80)), HaveField("NodePort", before.Spec.Ports[0].NodePort),
					HaveField("TargetPort", intstr.FromString("http"))),
				SatisfyAll(HaveField("Name", "status"), HaveField("Port", BeEquivalentTo(9090)), HaveField("NodePort", before.Spec.Ports[1].NodePort),
					HaveField("TargetPort", intstr.FromString("admin"))),
				SatisfyAll(HaveField("Name", "old"), HaveField("Port", BeEquivalentTo(7070)), HaveField("NodePort", before.Spec.Ports[2].NodePort)))))
		Expect(get(ctx, theirs)).To(kept)
		Expect(app.Status.URL).To(Equal("http://shop." + namespace + ".svc"))
		monitor := &monitoringv1.ServiceMonitor{ObjectMeta: metav1.ObjectMeta{Name: "shop", Namespace: namespace}}
		Eventually(fresh(ctx, monitor)).Should(HaveField("Spec.Endpoints", ConsistOf(HaveField("Port", "web"))))

		By("keeping them afterwards, as what it has decided")
		running.rest(ctx)
		writes := len(running.writes())
		edit(ctx, app, func(app *v1.Application) { metav1.SetMetaDataAnnotation(&app.ObjectMeta, "a-person", "was here") })
		running.rest(ctx)
		Expect(running.writesAfter(writes)()).To(BeEmpty())
		edit(ctx, theirs, func(service *corev1.Service) { service.Spec.Ports[0].Name = "mistake" })
		Eventually(fresh(ctx, theirs)).Should(kept)
		Expect(rolloutsOf(ctx, app)).To(Equal(1))

		By("giving them the spec's names when the annotation is taken off that remembers them")
		edit(ctx, theirs, func(service *corev1.Service) { delete(service.Annotations, resources.AnnotationPortNames) })
		Eventually(fresh(ctx, theirs)).Should(HaveField("Spec.Ports", ContainElements(HaveField("Name", "http"), HaveField("Name", "admin"))))
		Eventually(fresh(ctx, monitor)).Should(HaveField("Spec.Endpoints", ConsistOf(HaveField("Port", "http"))))
		Eventually(fresh(ctx, app)).Should(beReady())
	})

	It("and was an unnamed port of a Service stays unnamed", func(ctx SpecContext) {
		theirs := strangersService(namespace).(*corev1.Service)
		theirs.Name, theirs.Spec.Ports[0].Port = "unnamed", 8080
		theirs.Annotations = map[string]string{v1.AnnotationAdopt: theirs.Name}
		Expect(k8s.Create(ctx, theirs)).To(Succeed())
		app := web(namespace)
		app.Name = theirs.Name
		createReady(ctx, app)
		Expect(get(ctx, theirs)).To(HaveField("Spec.Ports", ConsistOf(SatisfyAll(
			HaveField("Name", ""), HaveField("TargetPort", intstr.FromString("http"))))))
		running.rest(ctx)
		writes := len(running.writes())
		edit(ctx, app, func(app *v1.Application) { metav1.SetMetaDataAnnotation(&app.ObjectMeta, "a-person", "was here") })
		running.rest(ctx)
		Expect(running.writesAfter(writes)()).To(BeEmpty())
	})
})

var _ = Describe("An object that is given to an Application", Ordered, ContinueOnFailure, func() {
	var namespace string
	var running *runningOperator

	BeforeAll(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		running = startOperator(ctx, namespace)
	})

	It("is left alone when it is taken back before", func(ctx SpecContext) {
		app := slow(web(namespace))
		app.Name = "undecided"
		theirs := strangersService(namespace)
		theirs.SetName(app.Name)
		theirs.SetAnnotations(map[string]string{v1.AnnotationAdopt: app.Name})
		Expect(k8s.Create(ctx, theirs)).To(Succeed())
		Expect(k8s.Create(ctx, app)).To(Succeed())
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionUnknown, v1.ReasonRollingOut, "taken over"))
		consent(ctx, theirs, "")
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonChildConflict, "Service undecided"))
		before := theirs.DeepCopyObject().(client.Object)
		hurry(ctx, app)
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionAvailable, metav1.ConditionTrue, v1.ReasonChildConflict))
		running.expectUntouched(ctx, before)

		By("being given to another one, which there is not")
		consent(ctx, theirs, "undecide")
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonChildConflict, "gives it to Application undecide;"))
		By("being given by a value that is no name")
		consent(ctx, theirs, "Undecided; rm -rf")
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonChildConflict, "so it is left alone; to have it"))
		running.expectUntouched(ctx, theirs.DeepCopyObject().(client.Object))
		By("being given in the end")
		consent(ctx, theirs, app.Name)
		Eventually(fresh(ctx, app)).Should(beReady())
	})

	It("waits for the Application, and for its pods where none are desired", func(ctx SpecContext) {
		theirs := strangersService(namespace)
		theirs.SetName("later")
		theirs.SetAnnotations(map[string]string{v1.AnnotationAdopt: "later"})
		Expect(k8s.Create(ctx, theirs)).To(Succeed())
		running.rest(ctx)
		running.expectUntouched(ctx, theirs.DeepCopyObject().(client.Object))
		app := web(namespace)
		app.Name, app.Spec.Suspend = "later", true
		Expect(k8s.Create(ctx, app)).To(Succeed())
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonChildConflict, "end the suspension"))
		running.expectUntouched(ctx, theirs.DeepCopyObject().(client.Object))
		edit(ctx, app, func(app *v1.Application) { app.Spec.Suspend, app.Spec.Paused = false, true })
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonPaused))
		running.expectUntouched(ctx, theirs.DeepCopyObject().(client.Object))
		edit(ctx, app, func(app *v1.Application) { app.Spec.Paused = false })
		Eventually(fresh(ctx, app)).Should(beReady())
		Expect(get(ctx, serviceOf(app))).To(WithTransform(func(o client.Object) bool { return metav1.IsControlledBy(o, app) }, BeTrue()))
	})

	It("is had by the one of two Applications that it names, and never by both", func(ctx SpecContext) {
		first, second := inline(namespace), inline(namespace)
		first.Name, first.Spec.Files[0].Name = "two", "b-config"
		second.Name = "two-b"
		theirs := configMapOf(second)
		theirs.Annotations = map[string]string{v1.AnnotationAdopt: second.Name}
		Expect(k8s.Create(ctx, theirs)).To(Succeed())
		Expect(k8s.Create(ctx, first)).To(Succeed())
		Eventually(fresh(ctx, first)).Should(haveCondition(
			v1.ConditionReady, metav1.ConditionFalse, v1.ReasonChildConflict, "gives it to Application two-b"))
		createReady(ctx, second)
		consent(ctx, theirs, first.Name) // too late
		edit(ctx, first, func(app *v1.Application) { app.Spec.Replicas = new(int32(1)) })
		Eventually(fresh(ctx, first)).Should(SatisfyAll(
			haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonChildConflict, "so it is left alone; to mount it"),
			HaveField("Status.ObservedGeneration", first.Generation)))
		Expect(get(ctx, theirs)).To(WithTransform(func(o client.Object) bool { return metav1.IsControlledBy(o, second) }, BeTrue()))
	})

	It("is not taken from what controls it, nor is a Deployment, nor anything by a label", func(ctx SpecContext) {
		app := complete(namespace, "greedy")
		app.Spec.Files = inline("").Spec.Files
		var theirs []client.Object
		owner := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "owner", Namespace: namespace}, Spec: strangersDeployment("").(*appsv1.Deployment).Spec}
		Expect(k8s.Create(ctx, owner)).To(Succeed())
		for _, kind := range append(adoptableKinds(), childKinds[2]) {
			object := kind.strangers(namespace, app.Name)
			object.SetLabels(map[string]string{v1.AnnotationAdopt: app.Name})
			if kind.kind == "Deployment" {
				object.SetLabels(nil)
			} else {
				object.SetOwnerReferences([]metav1.OwnerReference{*metav1.NewControllerRef(owner, appsv1.SchemeGroupVersion.WithKind("Deployment"))})
			}
			object.SetAnnotations(map[string]string{v1.AnnotationAdopt: app.Name})
			if kind.kind == "ServiceAccount" { // nobody's, by a label
				object.SetOwnerReferences(nil)
				object.SetAnnotations(nil)
			}
			Expect(k8s.Create(ctx, object)).To(Succeed())
			theirs = append(theirs, object)
		}
		Expect(k8s.Create(ctx, app)).To(Succeed())
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonChildConflict))
		running.rest(ctx)
		for _, object := range theirs {
			running.expectUntouched(ctx, object.DeepCopyObject().(client.Object))
		}
		Expect(k8s.Delete(ctx, app)).To(Succeed())
	})

	It("lets go of what keeps it from being applied", func(ctx SpecContext) {
		service := &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Name: "budget", Namespace: namespace, Annotations: map[string]string{v1.AnnotationAdopt: "budget"}},
			Spec: corev1.ServiceSpec{Selector: strangersPods().MatchLabels, Ports: []corev1.ServicePort{
				{Name: "http", Port: 80}, {Name: "grpc", Port: 9000},
			}},
		}
		Expect(k8s.Create(ctx, service)).To(Succeed())
		theirs := &policyv1.PodDisruptionBudget{
			ObjectMeta: metav1.ObjectMeta{Name: "budget", Namespace: namespace, Annotations: map[string]string{v1.AnnotationAdopt: "budget"}},
			Spec:       policyv1.PodDisruptionBudgetSpec{Selector: strangersPods(), MinAvailable: new(intstr.FromInt32(1))},
		}
		Expect(k8s.Create(ctx, theirs)).To(Succeed())
		app := web(namespace)
		app.Name = "budget"
		createReady(ctx, app)
		Expect(get(ctx, theirs)).To(SatisfyAll(
			HaveField("Spec.MinAvailable", BeNil()), HaveField("Spec.MaxUnavailable", Not(BeNil())),
			WithTransform(func(o client.Object) bool { return metav1.IsControlledBy(o, app) }, BeTrue())))
		Expect(get(ctx, service)).To(HaveField("Spec.Ports", ConsistOf( // of two with one name, the spec's stays
			SatisfyAll(HaveField("Name", "http"), HaveField("Port", BeEquivalentTo(8080))),
			SatisfyAll(HaveField("Name", "grpc"), HaveField("Port", BeEquivalentTo(9000))))))
	})

	It("and was a claim keeps what cannot be changed, and stays when the Application goes", func(ctx SpecContext) {
		class := storageClass(ctx, namespace, false)
		app := web(namespace)
		app.Name, app.Spec.Replicas = "db", new(int32(1))
		app.Spec.Rollout = &v1.RolloutSpec{Strategy: appsv1.RecreateDeploymentStrategyType}
		app.Spec.Files = []v1.File{{MountPath: "/data", VolumeSource: v1.VolumeSource{
			PersistentVolumeClaim: &v1.ClaimSource{Size: "1Gi", StorageClassName: &class},
		}}}
		theirs := claimOf(app)
		theirs.Annotations = map[string]string{v1.AnnotationAdopt: app.Name}
		theirs.Spec.AccessModes = []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOncePod}
		theirs.Spec.StorageClassName = &class
		theirs.Spec.Resources.Requests = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("5Gi")}
		Expect(k8s.Create(ctx, theirs)).To(Succeed())
		uid := theirs.UID
		bind(ctx, theirs)
		createReady(ctx, app)
		Eventually(eventsAbout(ctx, app, v1.EventAdopted)).Should(ConsistOf(ContainSubstring("it stays when the Application is deleted")))
		Expect(k8s.Delete(ctx, app)).To(Succeed())
		Eventually(gone(ctx, app)).Should(Satisfy(apierrors.IsNotFound))
		Expect(get(ctx, theirs)).To(SatisfyAll(
			HaveField("UID", uid), HaveField("DeletionTimestamp", BeNil()), HaveField("OwnerReferences", BeEmpty()),
			HaveField("Labels", HaveKeyWithValue(resources.LabelApplication, app.Name)), HaveField("Spec.AccessModes", theirs.Spec.AccessModes)))
	})
})
