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
	"encoding/json"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	gomegatypes "github.com/onsi/gomega/types"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
)

// blocked is a child that the API server refuses to change, because of what somebody has added to it.
type blocked struct {
	// spec is what the Application wants at first.
	spec func(*v1.ApplicationSpec)
	// child is what is edited.
	child func(*v1.Application) client.Object
	// additions are harmless: they stay. Each is a strategic merge patch.
	additions []string
	// edit is what stands in the way, as a strategic merge patch, or as a change where that cannot say it.
	edit   string
	change func(client.Object)
	// next is a change of the spec that the edit stands in the way of; nil if the edit is drift already.
	next func(*v1.ApplicationSpec)
	// undone matches the child once it is as desired; it also holds that the additions are there.
	undone gomegatypes.GomegaMatcher
}

var _ = Describe("What somebody has added to a child", Ordered, ContinueOnFailure, func() {
	var namespace string

	BeforeAll(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		startOperator(ctx, namespace)
	})

	DescribeTable("goes if it keeps the child from being written, and only then", func(ctx SpecContext, name string, test blocked) {
		app := web(namespace)
		app.Name = name
		if test.spec != nil {
			test.spec(&app.Spec)
		}
		Expect(k8s.Create(ctx, app)).To(Succeed())
		child := test.child(app)
		Eventually(fresh(ctx, child)).ShouldNot(BeNil())
		for _, addition := range append(test.additions, test.edit) {
			if addition != "" {
				patch := client.RawPatch(types.StrategicMergePatchType, []byte(strings.ReplaceAll(addition, "NAME", name)))
				Expect(k8s.Patch(ctx, child, patch, client.FieldOwner("a-person"))).To(Succeed())
			}
		}
		if test.change != nil {
			edit(ctx, child, test.change)
		}
		if test.next != nil {
			edit(ctx, app, func(app *v1.Application) { test.next(&app.Spec) })
		}
		Eventually(fresh(ctx, child)).Should(test.undone)
		edit(ctx, app, func(app *v1.Application) { app.Spec.Image = "nginx:1.30" })
		Eventually(fresh(ctx, deploymentOf(app))).Should(HaveField("Spec.Template.Spec.Containers",
			ContainElement(HaveField("Image", "nginx:1.30"))))
		Expect(get(ctx, child)).To(test.undone)
		Eventually(fresh(ctx, app)).Should(SatisfyAny(beReady(),
			haveCondition(v1.ConditionReady, metav1.ConditionUnknown, v1.ReasonRollingOut)))
		Expect(k8s.Delete(ctx, app)).To(Succeed())
	},
		Entry("another strategy", "strategy", blocked{
			spec: func(spec *v1.ApplicationSpec) {
				spec.Rollout = &v1.RolloutSpec{Strategy: appsv1.RecreateDeploymentStrategyType}
			},
			child:  theDeployment,
			edit:   `{"spec":{"strategy":{"type":"RollingUpdate"}}}`,
			undone: HaveField("Spec.Strategy", Equal(appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType})),
		}),
		Entry("another handler of a probe", "probe", blocked{
			spec: func(spec *v1.ApplicationSpec) {
				spec.Probes = &v1.ProbesSpec{Readiness: &v1.Probe{TCPSocket: &v1.TCPSocketProbe{}}}
			},
			child:     theDeployment,
			additions: []string{ofContainer(`{"readinessProbe":{"periodSeconds":7}}`)},
			edit:      ofContainer(`{"readinessProbe":{"tcpSocket":null,"httpGet":{"path":"/","port":80}}}`),
			undone: ofTheContainer(HaveField("ReadinessProbe", SatisfyAll(
				HaveField("HTTPGet", BeNil()), HaveField("TCPSocket", Not(BeNil())), HaveField("PeriodSeconds", BeEquivalentTo(7))))),
		}),
		Entry("a variable's source beside its value", "value", blocked{
			spec: func(spec *v1.ApplicationSpec) {
				spec.Env = []corev1.EnvVar{{Name: "A", Value: "1"}, {Name: "EMPTY"}}
			},
			child:     theDeployment,
			additions: []string{ofContainer(`{"env":[{"name":"THEIRS","value":"2"}]}`)},
			edit: ofContainer(`{"env":[{"name":"A","value":null,"valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}},
				{"name":"EMPTY","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}}]}`),
			undone: ofTheContainer(HaveField("Env", ConsistOf(corev1.EnvVar{Name: "A", Value: "1"}, corev1.EnvVar{Name: "EMPTY"},
				corev1.EnvVar{Name: "THEIRS", Value: "2"}))),
		}),
		Entry("a variable's value beside its source", "source", blocked{
			spec: func(spec *v1.ApplicationSpec) {
				spec.Env = []corev1.EnvVar{{Name: "A", ValueFrom: &corev1.EnvVarSource{
					FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"},
				}}}
			},
			child:  theDeployment,
			edit:   ofContainer(`{"env":[{"name":"A","value":"1","valueFrom":null}]}`),
			undone: ofTheContainer(HaveField("Env", ConsistOf(SatisfyAll(HaveField("Value", ""), HaveField("ValueFrom.FieldRef.FieldPath", "metadata.name"))))),
		}),
		Entry("another source of a volume", "volume", blocked{
			spec: func(spec *v1.ApplicationSpec) {
				spec.Files = []v1.File{{MountPath: "/data", VolumeSource: v1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
			},
			child:     theDeployment,
			additions: []string{ofPod(`{"volumes":[{"name":"theirs","emptyDir":{}}]}`)},
			edit:      ofPod(`{"volumes":[{"name":"data","emptyDir":null,"configMap":{"name":"c"}}]}`),
			undone: ofThePod(HaveField("Volumes", ConsistOf(HaveField("Name", "theirs"),
				SatisfyAll(HaveField("EmptyDir", Not(BeNil())), HaveField("ConfigMap", BeNil()))))),
		}),
		Entry("a volume of the name that the spec needs", "volume-name", blocked{
			child: theDeployment,
			edit:  ofPod(`{"volumes":[{"name":"data","configMap":{"name":"c"}},{"name":"theirs","emptyDir":{}}]}`),
			next: func(spec *v1.ApplicationSpec) {
				spec.Files = []v1.File{{MountPath: "/data", VolumeSource: v1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
			},
			undone: ofThePod(HaveField("Volumes", ConsistOf(HaveField("Name", "theirs"),
				SatisfyAll(HaveField("EmptyDir", Not(BeNil())), HaveField("ConfigMap", BeNil()))))),
		}),
		Entry("another hook", "hook", blocked{
			spec:  func(spec *v1.ApplicationSpec) { spec.Shutdown = &v1.ShutdownSpec{PreStopSleepSeconds: 5} },
			child: theDeployment,
			edit:  ofContainer(`{"lifecycle":{"postStart":{"exec":{"command":["true"]}},"preStop":{"sleep":null,"exec":{"command":["true"]}}}}`),
			undone: ofTheContainer(HaveField("Lifecycle", SatisfyAll(HaveField("PostStart", Not(BeNil())),
				HaveField("PreStop", Equal(&corev1.LifecycleHandler{Sleep: &corev1.SleepAction{Seconds: 5}}))))),
		}),
		Entry("another number of a port, in the container", "port", blocked{
			child: theDeployment,
			additions: []string{
				ofPod(`{"nodeSelector":{"kubernetes.io/os":"linux"},"containers":[{"name":"theirs","image":"theirs:1","ports":[{"containerPort":7}]}]}`),
				`{"metadata":{"annotations":{"theirs":"1"}},"spec":{"template":{"metadata":{"annotations":{"theirs":"1"}}}}}`,
				ofContainer(`{"env":[{"name":"THEIRS","value":"2"}],"ports":[{"name":"theirs","containerPort":9000,"protocol":"TCP"}]}`),
			},
			change: func(o client.Object) {
				pod := &o.(*appsv1.Deployment).Spec.Template.Spec
				for i := range pod.Containers {
					for j := range pod.Containers[i].Ports {
						if pod.Containers[i].Ports[j].ContainerPort > 1000 {
							pod.Containers[i].Ports[j].ContainerPort += 1000
						}
					}
				}
			},
			undone: SatisfyAll(
				ofThePod(SatisfyAll(HaveField("NodeSelector", HaveLen(1)), HaveField("Containers", ConsistOf(
					HaveField("Image", "theirs:1"),
					SatisfyAll(HaveField("Env", HaveLen(1)), HaveField("Ports", ConsistOf(
						HaveField("ContainerPort", BeEquivalentTo(8080)),
						SatisfyAll(HaveField("Name", "theirs"), HaveField("ContainerPort", BeNumerically(">", 9000)))))))))),
				HaveField("Annotations", HaveKey("theirs")), HaveField("Spec.Template.Annotations", HaveKey("theirs"))),
		}),
		Entry("less than is requested", "limits", blocked{
			spec: func(spec *v1.ApplicationSpec) {
				spec.Resources = &v1.ResourceRequirements{Requests: v1.ResourceList{"cpu": resource.MustParse("100m")}}
			},
			child:     theDeployment,
			additions: []string{ofContainer(`{"resources":{"limits":{"memory":"1Gi"}}}`)},
			edit:      ofContainer(`{"resources":{"limits":{"cpu":"50m"},"requests":{"cpu":"50m"}}}`),
			undone: ofTheContainer(HaveField("Resources", SatisfyAll(HaveField("Limits", SatisfyAll(HaveLen(1), HaveKey(corev1.ResourceMemory))),
				HaveField("Requests", HaveKeyWithValue(corev1.ResourceCPU, resource.MustParse("100m")))))),
		}),
		Entry("privileges", "privileges", blocked{
			child: theDeployment,
			edit:  ofContainer(`{"securityContext":{"privileged":true,"readOnlyRootFilesystem":true,"allowPrivilegeEscalation":true}}`),
			undone: ofTheContainer(HaveField("SecurityContext", Equal(&corev1.SecurityContext{
				AllowPrivilegeEscalation: new(false), ReadOnlyRootFilesystem: new(true),
			}))),
		}),
		Entry("another operating system", "windows", blocked{
			child: theDeployment,
			edit: ofPod(`{"os":{"name":"windows"},"hostname":"theirs","securityContext":null,
				"containers":[{"name":"NAME","securityContext":null}]}`),
			undone: ofThePod(SatisfyAll(HaveField("OS", BeNil()), HaveField("Hostname", "theirs"),
				HaveField("SecurityContext.SeccompProfile", Not(BeNil())))),
		}),
		Entry("a mount of a volume that the spec gives up", "mount", blocked{
			spec: func(spec *v1.ApplicationSpec) {
				spec.Files = []v1.File{{MountPath: "/data", VolumeSource: v1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
			},
			child: theDeployment,
			edit: ofPod(`{"containers":[{"name":"theirs","image":"theirs:1","volumeMounts":[{"name":"data","mountPath":"/d"},
				{"name":"own","mountPath":"/own"}]}],"volumes":[{"name":"own","emptyDir":{}}]}`),
			next: func(spec *v1.ApplicationSpec) { spec.Files = nil },
			undone: ofThePod(SatisfyAll(HaveField("Volumes", ConsistOf(HaveField("Name", "own"))), HaveField("Containers", ConsistOf(
				HaveField("Name", "mount"),
				SatisfyAll(HaveField("Image", "theirs:1"), HaveField("VolumeMounts", ConsistOf(HaveField("Name", "own")))))))),
		}),
		Entry("a hook that takes longer than a pod has", "grace", blocked{
			child:  theDeployment,
			edit:   ofPod(`{"containers":[{"name":"theirs","image":"theirs:1","lifecycle":{"preStop":{"sleep":{"seconds":25}}}}]}`),
			next:   func(spec *v1.ApplicationSpec) { spec.Shutdown = &v1.ShutdownSpec{GracePeriodSeconds: new(int64(10))} },
			undone: ofThePod(SatisfyAll(HaveField("TerminationGracePeriodSeconds", HaveValue(BeEquivalentTo(10))), HaveField("Containers", ContainElement(SatisfyAll(HaveField("Image", "theirs:1"), HaveField("Lifecycle", Or(BeNil(), HaveField("PreStop", BeNil())))))))),
		}),
		Entry("a container of the name that the spec needs", "container-name", blocked{
			child: theDeployment,
			edit:  ofPod(`{"containers":[{"name":"proxy","image":"theirs:1"},{"name":"theirs","image":"theirs:1"}]}`),
			next:  func(spec *v1.ApplicationSpec) { spec.Sidecars = []corev1.Container{{Name: "proxy", Image: "proxy:1"}} },
			undone: ofThePod(SatisfyAll(HaveField("InitContainers", ConsistOf(HaveField("Image", "proxy:1"))),
				HaveField("Containers", ConsistOf(HaveField("Name", "container-name"), HaveField("Name", "theirs"))))),
		}),
		Entry("the host's network", "host", blocked{
			// One pod, lest the new ones wait for the ports that old ones have on all nodes.
			spec:   func(spec *v1.ApplicationSpec) { spec.Replicas = new(int32(1)) },
			child:  theDeployment,
			edit:   ofPod(`{"hostNetwork":true}`),
			next:   func(spec *v1.ApplicationSpec) { spec.Port = new(int32(8081)) },
			undone: SatisfyAll(ofThePod(HaveField("HostNetwork", true)), ofTheContainer(HaveField("Ports", ConsistOf(HaveField("ContainerPort", BeEquivalentTo(8081)))))),
		}),
		Entry("another number of a port, in the Service", "service-port", blocked{
			child:     theService,
			additions: []string{`{"metadata":{"annotations":{"theirs":"1"}},"spec":{"sessionAffinity":"ClientIP","ports":[{"name":"theirs","port":9090,"protocol":"TCP"}]}}`},
			change: func(o client.Object) {
				for i := range o.(*corev1.Service).Spec.Ports {
					o.(*corev1.Service).Spec.Ports[i].Port += 1000
				}
			},
			undone: SatisfyAll(HaveField("Annotations", HaveKey("theirs")), HaveField("Spec.SessionAffinity", corev1.ServiceAffinityClientIP),
				HaveField("Spec.Ports", ConsistOf(SatisfyAll(HaveField("Name", "http"), HaveField("Port", BeEquivalentTo(8080))),
					HaveField("Name", "theirs")))),
		}),
		Entry("a port of the name that the spec needs", "port-name", blocked{
			child: theService,
			edit:  `{"spec":{"ports":[{"name":"theirs","port":9090,"protocol":"TCP"},{"name":"grpc","port":9091,"protocol":"TCP"}]}}`,
			next:  func(spec *v1.ApplicationSpec) { spec.AdditionalPorts = []v1.AdditionalPort{{Name: "grpc", Port: 9000}} },
			undone: HaveField("Spec.Ports", ConsistOf(HaveField("Name", "http"), HaveField("Name", "theirs"),
				SatisfyAll(HaveField("Name", "grpc"), HaveField("Port", BeEquivalentTo(9000))))),
		}),
		Entry("another type of Service with all that belongs to it", "type", blocked{
			child:     theService,
			additions: []string{`{"spec":{"publishNotReadyAddresses":true}}`},
			edit: `{"spec":{"type":"LoadBalancer","loadBalancerSourceRanges":["10.0.0.0/8"],"loadBalancerClass":"example.com/class",
				"externalTrafficPolicy":"Local","allocateLoadBalancerNodePorts":false,"loadBalancerIP":"10.1.1.1"}}`,
			undone: HaveField("Spec", SatisfyAll(HaveField("Type", corev1.ServiceTypeClusterIP), HaveField("PublishNotReadyAddresses", true),
				HaveField("LoadBalancerSourceRanges", BeEmpty()), HaveField("LoadBalancerClass", BeNil()))),
		}),
		Entry("what only another type of Service may have", "ranges", blocked{
			spec:      func(spec *v1.ApplicationSpec) { spec.Service = &v1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer} },
			child:     theService,
			additions: []string{`{"spec":{"publishNotReadyAddresses":true}}`},
			edit:      `{"spec":{"loadBalancerSourceRanges":["10.0.0.0/8"],"externalTrafficPolicy":"Local"}}`,
			next:      func(spec *v1.ApplicationSpec) { spec.Service.Type = corev1.ServiceTypeClusterIP },
			undone: HaveField("Spec", SatisfyAll(HaveField("Type", corev1.ServiceTypeClusterIP),
				HaveField("LoadBalancerSourceRanges", BeEmpty()), HaveField("PublishNotReadyAddresses", true))),
		}),
		Entry("a name outside the cluster", "external", blocked{
			child:  theService,
			edit:   `{"spec":{"type":"ExternalName","externalName":"example.com","clusterIP":null,"clusterIPs":null}}`,
			undone: HaveField("Spec", SatisfyAll(HaveField("Type", corev1.ServiceTypeClusterIP), HaveField("ClusterIP", Not(BeEmpty())))),
		}),
		Entry("annotations beside which the spec's have no room", "annotations", blocked{
			child: theService,
			edit:  `{"metadata":{"annotations":{"small":"1","huge":"` + strings.Repeat("x", 220<<10) + `"}}}`,
			next: func(spec *v1.ApplicationSpec) {
				spec.Service = &v1.ServiceSpec{Annotations: map[string]string{"example.com/ours": strings.Repeat("y", 60<<10)}}
			},
			undone: HaveField("Annotations", SatisfyAll(HaveKey("small"), HaveKey("example.com/ours"), Not(HaveKey("huge")))),
		}),
		Entry("a least number of pods beside the most that may be missing", "min-available", blocked{
			child:     theBudget,
			additions: []string{`{"metadata":{"labels":{"theirs":"1"}}}`},
			edit:      `{"spec":{"maxUnavailable":null,"minAvailable":3}}`,
			undone: SatisfyAll(HaveField("Labels", HaveKey("theirs")), HaveField("Spec", SatisfyAll(
				HaveField("MinAvailable", BeNil()), HaveField("MaxUnavailable", HaveValue(Equal(intstr.FromInt32(1))))))),
		}),
		Entry("the most that may be missing beside a least number of pods", "max-unavailable", blocked{
			spec: func(spec *v1.ApplicationSpec) {
				spec.DisruptionBudget = &v1.DisruptionBudgetSpec{MinAvailable: new(intstr.FromInt32(1))}
			},
			child: theBudget,
			edit:  `{"spec":{"maxUnavailable":3,"minAvailable":null}}`,
			undone: HaveField("Spec", SatisfyAll(
				HaveField("MaxUnavailable", BeNil()), HaveField("MinAvailable", HaveValue(Equal(intstr.FromInt32(1)))))),
		}),
	)

	It("is not looked through again while the refusal stays the same", func(ctx SpecContext) {
		app := web(namespace)
		app.Name = "refused"
		Expect(k8s.Create(ctx, app)).To(Succeed())
		Eventually(fresh(ctx, deploymentOf(app))).ShouldNot(BeNil())
		edit(ctx, app, func(app *v1.Application) {
			app.Spec.Sidecars = []corev1.Container{{Name: "broken", Image: "x:1", VolumeMounts: []corev1.VolumeMount{{Name: "missing-0123abcd", MountPath: "/x"}}}}
		})
		Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonInvalidSpec))
		deployment, err := get(ctx, deploymentOf(app))
		Expect(err).NotTo(HaveOccurred())
		generation := deployment.Generation
		edit(ctx, app, func(app *v1.Application) { app.Spec.Sidecars = nil })
		Eventually(fresh(ctx, app)).Should(beReady())
		deployment, err = get(ctx, deploymentOf(app))
		Expect(err).NotTo(HaveOccurred())
		Expect(deployment.Generation).To(Equal(generation))
		Expect(owners(deployment)).NotTo(ContainElement(ContainSubstring("dnsPolicy")))
	})
})

// owners returns the fields that the operator owns.
func owners(object client.Object) []string {
	var fields []string
	for _, entry := range object.GetManagedFields() {
		if entry.Manager == "app-operator" {
			content, _ := json.Marshal(entry.FieldsV1)
			fields = append(fields, string(content))
		}
	}
	return fields
}

func ofPod(patch string) string { return `{"spec":{"template":{"spec":` + patch + `}}}` }

// ofContainer returns a strategic merge patch of the Application's container.
func ofContainer(patch string) string {
	return ofPod(`{"containers":[{"name":"NAME",` + strings.TrimPrefix(patch, "{") + `]}`)
}

func ofThePod(matcher gomegatypes.GomegaMatcher) gomegatypes.GomegaMatcher {
	return HaveField("Spec.Template.Spec", matcher)
}

// ofTheContainer matches a Deployment one of whose containers matches.
func ofTheContainer(matcher gomegatypes.GomegaMatcher) gomegatypes.GomegaMatcher {
	return HaveField("Spec.Template.Spec.Containers", ContainElement(matcher))
}

func theBudget(app *v1.Application) client.Object {
	return &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Name: app.Name, Namespace: app.Namespace}}
}
