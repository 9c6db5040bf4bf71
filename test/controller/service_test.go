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

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apitypes "k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/test/controlplane"
)

// The static node ports that these specs ask for: Kubernetes gives none of them to a Service that asks for any.
const (
	nodePortA = int32(30020 + iota)
	nodePortB
	nodePortC
	nodePortD
)

// The API server is the judge of what becomes of a Service's fields when others change.
var _ = Describe("The Service", takesLong, func() {
	var running *runningOperator
	var app *v1.Application

	BeforeEach(func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		running = startOperator(ctx, namespace)
		app = web(namespace)
	})

	// becomes changes the Application, and holds that the Service becomes so, and that the operator rests then.
	becomes := func(ctx SpecContext, change func(*v1.ServiceSpec), matchers ...types.GomegaMatcher) *corev1.Service {
		GinkgoHelper()
		edit(ctx, app, func(app *v1.Application) {
			if app.Spec.Service == nil {
				app.Spec.Service = &v1.ServiceSpec{}
			}
			change(app.Spec.Service)
		})
		Eventually(fresh(ctx, serviceOf(app))).Should(SatisfyAll(matchers...))
		Eventually(fresh(ctx, app)).Should(beReady())
		running.rest(ctx)
		service, err := get(ctx, serviceOf(app))
		Expect(err).NotTo(HaveOccurred())
		Expect(service).To(SatisfyAll(matchers...))
		passes, writes := running.reconciles(ctx), len(running.writes())
		edit(ctx, app, func(app *v1.Application) {
			metav1.SetMetaDataAnnotation(&app.ObjectMeta, "a-person", service.ResourceVersion)
		})
		Eventually(func() float64 { return running.reconciles(ctx) }).Should(BeNumerically(">", passes))
		running.rest(ctx)
		Expect(running.writesButStatuses(writes)()).To(BeEmpty())
		return service
	}

	It("goes through the types and back, and keeps what Kubernetes keeps", func(ctx SpecContext) {
		createReady(ctx, app)
		first, err := get(ctx, serviceOf(app))
		Expect(err).NotTo(HaveOccurred())
		same := SatisfyAll(HaveField("UID", first.UID), HaveField("Spec.ClusterIP", first.Spec.ClusterIP))

		By("a port that Kubernetes chooses, kept from one type to the other")
		chosen := becomes(ctx, func(service *v1.ServiceSpec) { service.Type = corev1.ServiceTypeNodePort },
			same, HaveField("Spec.Type", corev1.ServiceTypeNodePort), HaveField("Spec.Ports", ConsistOf(HaveField("NodePort", Not(BeZero())))),
			HaveField("Spec.ExternalTrafficPolicy", corev1.ServiceExternalTrafficPolicyCluster)).Spec.Ports[0].NodePort
		becomes(ctx, func(service *v1.ServiceSpec) { service.Type = corev1.ServiceTypeLoadBalancer },
			same, HaveField("Spec.Type", corev1.ServiceTypeLoadBalancer), haveNodePort(chosen),
			HaveField("Spec.AllocateLoadBalancerNodePorts", HaveValue(BeTrue())))

		By("back, with all that only the other types have")
		becomes(ctx, func(service *v1.ServiceSpec) { service.Type = corev1.ServiceTypeClusterIP }, same, beInside())

		By("all that a load balancer may be told")
		full := becomes(ctx, func(service *v1.ServiceSpec) {
			*service = v1.ServiceSpec{
				Type: corev1.ServiceTypeLoadBalancer, NodePort: new(nodePortA), ExternalTrafficPolicy: corev1.ServiceExternalTrafficPolicyLocal,
				InternalTrafficPolicy: corev1.ServiceInternalTrafficPolicyLocal, SessionAffinity: corev1.ServiceAffinityClientIP,
				LoadBalancerClass: new("example.com/internal"), LoadBalancerSourceRanges: []string{"10.0.0.0/8"},
			}
		}, same, haveNodePort(nodePortA), HaveField("Spec.ExternalTrafficPolicy", corev1.ServiceExternalTrafficPolicyLocal),
			HaveField("Spec.HealthCheckNodePort", Not(BeZero())), HaveField("Spec.SessionAffinity", corev1.ServiceAffinityClientIP),
			HaveField("Spec.SessionAffinityConfig", Not(BeNil())), HaveField("Spec.LoadBalancerClass", HaveValue(Equal("example.com/internal"))),
			HaveField("Spec.LoadBalancerSourceRanges", ConsistOf("10.0.0.0/8")))

		By("another port of the Service, at the same port of the nodes")
		becomes(ctx, func(service *v1.ServiceSpec) { service.Port = new(int32(80)) }, same, haveNodePort(nodePortA),
			HaveField("Spec.Ports", ConsistOf(HaveField("Port", BeEquivalentTo(80)))), HaveField("Spec.HealthCheckNodePort", full.Spec.HealthCheckNodePort))

		By("straight back to the least")
		becomes(ctx, func(service *v1.ServiceSpec) { *service = v1.ServiceSpec{} }, same, beInside())

		By("another class, now that there was no load balancer in between")
		becomes(ctx, func(service *v1.ServiceSpec) {
			service.Type, service.LoadBalancerClass = corev1.ServiceTypeLoadBalancer, new("example.com/external")
		}, same, HaveField("Spec.LoadBalancerClass", HaveValue(Equal("example.com/external"))))
		becomes(ctx, func(service *v1.ServiceSpec) {
			*service = v1.ServiceSpec{Type: corev1.ServiceTypeNodePort, NodePort: new(nodePortA)}
		},
			same, haveNodePort(nodePortA), HaveField("Spec.LoadBalancerClass", BeNil()))
		edit(ctx, app, func(app *v1.Application) { app.Spec.Service = nil })
		Eventually(fresh(ctx, serviceOf(app))).Should(SatisfyAll(same, beInside()))
	})

	It("has Kubernetes' own values again for what is given up", func(ctx SpecContext) {
		app.Spec.Service = &v1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer}
		createReady(ctx, app)
		for name, field := range map[string]struct {
			set, change, remove func(*v1.ServiceSpec)
			isSet, changed, own types.GomegaMatcher
		}{
			"externalTrafficPolicy": {
				func(s *v1.ServiceSpec) { s.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyLocal },
				func(s *v1.ServiceSpec) { s.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyCluster },
				func(s *v1.ServiceSpec) { s.ExternalTrafficPolicy = "" },
				SatisfyAll(HaveField("Spec.ExternalTrafficPolicy", corev1.ServiceExternalTrafficPolicyLocal), HaveField("Spec.HealthCheckNodePort", Not(BeZero()))),
				SatisfyAll(HaveField("Spec.ExternalTrafficPolicy", corev1.ServiceExternalTrafficPolicyCluster), HaveField("Spec.HealthCheckNodePort", BeZero())),
				HaveField("Spec.ExternalTrafficPolicy", corev1.ServiceExternalTrafficPolicyCluster),
			},
			"internalTrafficPolicy": {
				func(s *v1.ServiceSpec) { s.InternalTrafficPolicy = corev1.ServiceInternalTrafficPolicyCluster },
				func(s *v1.ServiceSpec) { s.InternalTrafficPolicy = corev1.ServiceInternalTrafficPolicyLocal },
				func(s *v1.ServiceSpec) { s.InternalTrafficPolicy = "" },
				HaveField("Spec.InternalTrafficPolicy", HaveValue(Equal(corev1.ServiceInternalTrafficPolicyCluster))),
				HaveField("Spec.InternalTrafficPolicy", HaveValue(Equal(corev1.ServiceInternalTrafficPolicyLocal))),
				HaveField("Spec.InternalTrafficPolicy", HaveValue(Equal(corev1.ServiceInternalTrafficPolicyCluster))),
			},
			"sessionAffinity": {
				func(s *v1.ServiceSpec) { s.SessionAffinity = corev1.ServiceAffinityNone },
				func(s *v1.ServiceSpec) { s.SessionAffinity = corev1.ServiceAffinityClientIP },
				func(s *v1.ServiceSpec) { s.SessionAffinity = "" },
				HaveField("Spec.SessionAffinity", corev1.ServiceAffinityNone),
				SatisfyAll(HaveField("Spec.SessionAffinity", corev1.ServiceAffinityClientIP), HaveField("Spec.SessionAffinityConfig", Not(BeNil()))),
				SatisfyAll(HaveField("Spec.SessionAffinity", corev1.ServiceAffinityNone), HaveField("Spec.SessionAffinityConfig", BeNil())),
			},
			"loadBalancerSourceRanges": {
				func(s *v1.ServiceSpec) { s.LoadBalancerSourceRanges = []string{"10.0.0.0/8"} },
				func(s *v1.ServiceSpec) { s.LoadBalancerSourceRanges = []string{"2001:db8::/32", "10.0.0.0/8"} },
				func(s *v1.ServiceSpec) { s.LoadBalancerSourceRanges = nil },
				HaveField("Spec.LoadBalancerSourceRanges", Equal([]string{"10.0.0.0/8"})),
				HaveField("Spec.LoadBalancerSourceRanges", Equal([]string{"2001:db8::/32", "10.0.0.0/8"})),
				HaveField("Spec.LoadBalancerSourceRanges", BeEmpty()),
			},
			"nodePort": { // of which Kubernetes keeps the last
				func(s *v1.ServiceSpec) { s.NodePort = new(nodePortB) },
				func(s *v1.ServiceSpec) { s.NodePort = new(nodePortC) },
				func(s *v1.ServiceSpec) { s.NodePort = nil },
				haveNodePort(nodePortB), haveNodePort(nodePortC), haveNodePort(nodePortC),
			},
		} {
			By(name)
			becomes(ctx, field.set, field.isSet)
			becomes(ctx, field.change, field.changed)
			becomes(ctx, field.remove, field.own)
		}
	})

	It("gives one port's node port to another", func(ctx SpecContext) {
		app.Spec.Service = &v1.ServiceSpec{Type: corev1.ServiceTypeNodePort}
		app.Spec.AdditionalPorts = []v1.AdditionalPort{{Name: "admin", Port: 9090, ServicePort: new(int32(90))}}
		createReady(ctx, app)
		chosen, err := get(ctx, serviceOf(app))
		Expect(err).NotTo(HaveOccurred())
		edit(ctx, app, func(app *v1.Application) { app.Spec.AdditionalPorts[0].NodePort = &chosen.Spec.Ports[0].NodePort })
		Eventually(fresh(ctx, serviceOf(app))).Should(HaveField("Spec.Ports", ConsistOf(
			SatisfyAll(HaveField("Port", BeEquivalentTo(8080)), HaveField("NodePort", SatisfyAll(Not(BeZero()), Not(Equal(chosen.Spec.Ports[0].NodePort))))),
			SatisfyAll(HaveField("Port", BeEquivalentTo(90)), HaveField("NodePort", chosen.Spec.Ports[0].NodePort)))))
		Eventually(fresh(ctx, app)).Should(beReady())
	})

	It("waits for a node port that another Service has, and says so in the user's words", func(ctx SpecContext) {
		others := &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Name: "others", Namespace: app.Namespace},
			Spec:       corev1.ServiceSpec{Type: corev1.ServiceTypeNodePort, Ports: []corev1.ServicePort{{Port: 1, NodePort: nodePortD}}},
		}
		Expect(k8s.Create(ctx, others)).To(Succeed())
		app.Spec.Service = &v1.ServiceSpec{Type: corev1.ServiceTypeNodePort, NodePort: new(nodePortD)}
		Expect(k8s.Create(ctx, app)).To(Succeed())
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonInvalidSpec,
			"spec.service.nodePort", "provided port is already allocated; choose another"))
		Expect(k8s.Delete(ctx, others)).To(Succeed())
		Eventually(fresh(ctx, app)).WithTimeout(2 * limit).Should(beReady())
		Expect(get(ctx, serviceOf(app))).To(haveNodePort(nodePortD))
	})

	It("leaves what the Application does not say to others", func(ctx SpecContext) {
		app.Spec.Service = &v1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer}
		createReady(ctx, app)
		edit(ctx, serviceOf(app), func(service *corev1.Service) {
			service.Spec.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyLocal
			service.Spec.SessionAffinity = corev1.ServiceAffinityClientIP
		})
		theirs := SatisfyAll(HaveField("Spec.ExternalTrafficPolicy", corev1.ServiceExternalTrafficPolicyLocal),
			HaveField("Spec.SessionAffinity", corev1.ServiceAffinityClientIP))
		becomes(ctx, func(service *v1.ServiceSpec) { service.Port = new(int32(80)) }, theirs, HaveField("Spec.Ports", ConsistOf(HaveField("Port", BeEquivalentTo(80)))))

		By("until it says it")
		becomes(ctx, func(service *v1.ServiceSpec) { service.SessionAffinity = corev1.ServiceAffinityNone },
			HaveField("Spec.ExternalTrafficPolicy", corev1.ServiceExternalTrafficPolicyLocal), HaveField("Spec.SessionAffinity", corev1.ServiceAffinityNone))

		By("or that there is to be nothing")
		ranges := func(service *corev1.Service) { service.Spec.LoadBalancerSourceRanges = []string{"10.0.0.0/8"} }
		edit(ctx, serviceOf(app), ranges)
		running.rest(ctx)
		Expect(get(ctx, serviceOf(app))).To(HaveField("Spec.LoadBalancerSourceRanges", HaveLen(1)))
		Expect(k8s.Patch(ctx, app, client.RawPatch(apitypes.MergePatchType, []byte(`{"spec":{"service":{"loadBalancerSourceRanges":[]}}}`)))).To(Succeed())
		Eventually(fresh(ctx, serviceOf(app))).Should(HaveField("Spec.LoadBalancerSourceRanges", BeEmpty()))
		edit(ctx, serviceOf(app), ranges)
		Eventually(fresh(ctx, serviceOf(app))).Should(HaveField("Spec.LoadBalancerSourceRanges", BeEmpty()))

		By("or has a type that cannot have it")
		becomes(ctx, func(service *v1.ServiceSpec) { service.Type = corev1.ServiceTypeClusterIP }, beInside())
	})

	It("is not renamed by a protocol, and only the main port by its name", func(ctx SpecContext) {
		app.Spec.AdditionalPorts = []v1.AdditionalPort{{Name: "admin", Port: 9090}}
		app.Spec.Service = &v1.ServiceSpec{Type: corev1.ServiceTypeNodePort}
		app.Spec.Monitoring = &v1.MonitoringSpec{}
		createReady(ctx, app)
		before, err := get(ctx, serviceOf(app))
		Expect(err).NotTo(HaveOccurred())
		revision := func() int64 {
			deployment, err := get(ctx, deploymentOf(app))
			Expect(err).NotTo(HaveOccurred())
			return deployment.Generation
		}
		template := revision()

		edit(ctx, app, func(app *v1.Application) { app.Spec.AppProtocol = new("redis") })
		Eventually(fresh(ctx, serviceOf(app))).Should(HaveField("Spec.Ports", ConsistOf(
			SatisfyAll(HaveField("Name", "http"), HaveField("AppProtocol", HaveValue(Equal("redis"))), HaveField("NodePort", before.Spec.Ports[0].NodePort)),
			SatisfyAll(HaveField("Name", "admin"), HaveField("AppProtocol", BeNil())))))
		Eventually(fresh(ctx, app)).Should(SatisfyAll(beReady(), HaveField("Status.URL", "tcp://web."+app.Namespace+".svc:8080")))
		Expect(revision()).To(Equal(template), "no pod is replaced for it")

		edit(ctx, app, func(app *v1.Application) { app.Spec.PortName = "redis" })
		Eventually(fresh(ctx, serviceOf(app))).Should(HaveField("Spec.Ports", ConsistOf(
			SatisfyAll(HaveField("Name", "redis"), HaveField("TargetPort.StrVal", "redis"), HaveField("NodePort", before.Spec.Ports[0].NodePort)),
			HaveField("Name", "admin"))))
		Eventually(fresh(ctx, app)).Should(beReady())
		Eventually(monitoredPort(ctx, app)).Should(Equal("redis"))

		edit(ctx, app, func(app *v1.Application) { app.Spec.PortName, app.Spec.AppProtocol = "", nil })
		Eventually(fresh(ctx, serviceOf(app))).Should(HaveField("Spec.Ports", ConsistOf(
			SatisfyAll(HaveField("Name", "http"), HaveField("AppProtocol", BeNil()), HaveField("TargetPort.StrVal", "http"),
				HaveField("NodePort", before.Spec.Ports[0].NodePort)),
			HaveField("Name", "admin"))))
		Eventually(monitoredPort(ctx, app)).Should(Equal("http"))
	})
})

var _ = Describe("The NetworkPolicy", func() {
	It("is about the directions and ports that the Application says, and no others", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		running := startOperator(ctx, namespace)
		app := web(namespace)
		frontend := v1.NetworkPeer{PodLabels: map[string]string{"app": "frontend"}}
		app.Spec.NetworkPolicy = &v1.NetworkPolicySpec{IngressFrom: []v1.NetworkPeer{frontend}}
		createReady(ctx, app)
		policy := &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Name: app.Name, Namespace: namespace}}
		becomes := func(change func(*v1.NetworkPolicySpec), matchers ...types.GomegaMatcher) {
			GinkgoHelper()
			edit(ctx, app, func(app *v1.Application) { change(app.Spec.NetworkPolicy) })
			Eventually(fresh(ctx, policy)).Should(SatisfyAll(matchers...))
			running.rest(ctx)
			Expect(get(ctx, policy)).To(SatisfyAll(matchers...))
		}
		ingress := HaveField("Spec.PolicyTypes", ConsistOf(networkingv1.PolicyTypeIngress))
		egress := HaveField("Spec.PolicyTypes", ConsistOf(networkingv1.PolicyTypeEgress))

		becomes(func(policy *v1.NetworkPolicySpec) {
			policy.IngressFrom[0].Ports = []v1.NetworkPort{{Port: new(intstr.FromString("http"))}, {Port: new(intstr.FromInt32(9000)), EndPort: new(int32(9010))}}
		}, HaveField("Spec.Ingress", ConsistOf(HaveField("Ports", HaveLen(2)))))
		becomes(func(policy *v1.NetworkPolicySpec) { policy.Egress = v1.NetworkUnrestricted }, ingress, HaveField("Spec.Egress", BeEmpty()))
		becomes(func(policy *v1.NetworkPolicySpec) {
			policy.Ingress, policy.Egress, policy.IngressFrom = v1.NetworkUnrestricted, "", nil
		}, egress, HaveField("Spec.Ingress", BeEmpty()), HaveField("Spec.Egress", HaveLen(1)))

		By("letting nobody in again, whatever somebody has added meanwhile")
		edit(ctx, policy, func(policy *networkingv1.NetworkPolicy) {
			policy.Spec.Ingress = []networkingv1.NetworkPolicyIngressRule{{}}
		})
		running.rest(ctx)
		becomes(func(policy *v1.NetworkPolicySpec) { policy.Ingress = v1.NetworkRestricted },
			HaveField("Spec.PolicyTypes", HaveLen(2)), HaveField("Spec.Ingress", BeEmpty()))
		Eventually(fresh(ctx, app)).Should(beReady())
	})

	It("lets peers reach a port by its name in old pods as well as in new ones", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		startOperator(ctx, namespace)
		app := web(namespace)
		named := func(name string) *v1.NetworkPolicySpec {
			return &v1.NetworkPolicySpec{IngressFrom: []v1.NetworkPeer{{
				PodLabels: map[string]string{"app": "frontend"}, Ports: []v1.NetworkPort{{Port: new(intstr.FromString(name))}},
			}}}
		}
		app.Spec.NetworkPolicy = named("http")
		createReady(ctx, app)
		edit(ctx, app, func(app *v1.Application) {
			app.Spec.PortName, app.Spec.NetworkPolicy = "web", named("web")
			app.Spec.PodMetadata = &v1.PodMetadata{Labels: map[string]string{controlplane.Unmanaged: "true"}} // they never become ready
		})
		policy := &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Name: app.Name, Namespace: namespace}}
		letsIn := func(names ...any) types.GomegaMatcher {
			return HaveField("Spec.Ingress", ConsistOf(HaveField("Ports", WithTransform(func(ports []networkingv1.NetworkPolicyPort) []string {
				var all []string
				for _, port := range ports {
					all = append(all, port.Port.String())
				}
				return all
			}, ConsistOf(names...)))))
		}
		Eventually(fresh(ctx, policy)).Should(letsIn("web", "http"))
		edit(ctx, app, func(app *v1.Application) { app.Spec.PodMetadata = nil })
		Eventually(fresh(ctx, app)).Should(beReady())
		Eventually(fresh(ctx, policy)).Should(letsIn("web"))
	})
})

func haveNodePort(number int32) types.GomegaMatcher {
	return HaveField("Spec.Ports", ConsistOf(HaveField("NodePort", number)))
}

// beInside matches a Service that is served inside the cluster alone, with nothing left of another type.
func beInside() types.GomegaMatcher {
	return SatisfyAll(HaveField("Spec.Type", corev1.ServiceTypeClusterIP), HaveField("Spec.Ports", HaveEach(HaveField("NodePort", BeZero()))),
		HaveField("Spec.ExternalTrafficPolicy", BeEmpty()), HaveField("Spec.HealthCheckNodePort", BeZero()),
		HaveField("Spec.LoadBalancerClass", BeNil()), HaveField("Spec.LoadBalancerSourceRanges", BeEmpty()),
		HaveField("Spec.AllocateLoadBalancerNodePorts", BeNil()), HaveField("Spec.SessionAffinity", corev1.ServiceAffinityNone),
		HaveField("Spec.SessionAffinityConfig", BeNil()))
}

// monitoredPort returns a function, to be polled, that says which port of the Service Prometheus reads.
func monitoredPort(ctx context.Context, app *v1.Application) func() (string, error) {
	return func() (string, error) {
		monitor := &monitoringv1.ServiceMonitor{}
		if err := k8s.Get(ctx, client.ObjectKeyFromObject(app), monitor); err != nil {
			return "", err
		}
		return monitor.Spec.Endpoints[0].Port, nil
	}
}
