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
	"slices"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/test/controlplane"
)

// The EndpointSlice controller of the control plane is the judge: it says which pods the Service reaches, and where.
var _ = Describe("A change of ports", func() {
	var running *runningOperator
	var app *v1.Application

	only := func(name string, number int32) func(*v1.Application) {
		return func(app *v1.Application) {
			app.Spec.Port, app.Spec.Service = nil, nil
			app.Spec.AdditionalPorts = []v1.AdditionalPort{{Name: name, Port: number}}
		}
	}
	main := func(number, served int32) func(*v1.Application) {
		return func(app *v1.Application) {
			app.Spec.AdditionalPorts = nil
			app.Spec.Port, app.Spec.Service = new(number), &v1.ServiceSpec{Port: new(served)}
		}
	}

	named := func(name string, number int32) func(*v1.Application) {
		return func(app *v1.Application) {
			app.Spec.AdditionalPorts, app.Spec.Service = nil, nil
			app.Spec.Port, app.Spec.PortName = &number, name
		}
	}

	both := func(port int32, name string, number int32, protocol corev1.Protocol) func(*v1.Application) {
		return func(app *v1.Application) {
			app.Spec.Port, app.Spec.Service = &port, nil
			app.Spec.AdditionalPorts = []v1.AdditionalPort{{Name: name, Port: number, Protocol: protocol}}
		}
	}

	DescribeTable("leaves the old pods in the Service for as long as no new one is ready",
		func(ctx SpecContext, service string, steps ...func(*v1.Application)) {
			app = web(newNamespace(ctx))
			running = startOperator(ctx, app.Namespace)
			steps[0](app)
			createReady(ctx, app)
			judge := watchEndpoints(ctx, app)
			old := judge.ready()
			Expect(old).To(HaveLen(2))
			first, err := describedPorts(ctx, app)()
			Expect(err).NotTo(HaveOccurred())

			for i, step := range steps[1:] {
				By(fmt.Sprintf("beginning change %d, whose pods never become ready", i+1))
				edit(ctx, app, func(app *v1.Application) {
					step(app)
					app.Spec.PodMetadata = &v1.PodMetadata{
						Labels:      map[string]string{controlplane.Unmanaged: "true"},
						Annotations: map[string]string{"change": fmt.Sprint(i)},
					}
				})
				Eventually(fresh(ctx, deploymentOf(app))).Should(SatisfyAll(
					HaveField("Spec.Template.Annotations", HaveKeyWithValue("change", fmt.Sprint(i))), beObserved()))
				Eventually(podsFor(ctx, app)).Should(ContainElement(SatisfyAll(
					HaveField("Annotations", HaveKeyWithValue("change", fmt.Sprint(i))),
					HaveField("Spec.NodeName", Not(BeEmpty())))))
				Eventually(judge.ready).Should(ConsistOf(old))
			}
			Expect(replicaSetsOf(ctx, app)).To(HaveLen(len(steps)), "one for each change")
			Expect(running.Kill()).To(Succeed())
			startBuild(ctx, binary, app.Namespace, "restarted")
			Eventually(fresh(ctx, app)).Should(haveCondition(v1.ConditionReady, "Unknown", v1.ReasonRollingOut))
			Expect(judge.ready()).To(ConsistOf(old))

			By("letting new pods become ready")
			edit(ctx, app, func(app *v1.Application) { app.Spec.PodMetadata = nil })
			Eventually(fresh(ctx, app)).Should(beReady())
			Eventually(describedPorts(ctx, app)).Should(Equal(service))
			if service == first { // it is back where it was
				Eventually(judge.ready).Should(ConsistOf(old))
			} else {
				Eventually(judge.ready).Should(SatisfyAll(HaveLen(2), Not(ContainElement(BeElementOf(old)))))
			}
			Expect(judge.complaints()).To(BeEmpty())

			Expect(len(replicaSetsOf(ctx, app))).To(BeNumerically("<=", len(steps)+1), "no rollout for the ports alone")
		},
		Entry("an additional port becomes the main one", "http 8080/TCP->http", only("web", 8080), main(8080, 8080)),
		Entry("the main port becomes an additional one", "web 8080/TCP->web", main(8080, 80), only("web", 8080)),
		Entry("another name", "api 8080/TCP->api", only("web", 8080), only("api", 8080)),
		Entry("another number", "web 9090/TCP->web", only("web", 8080), only("web", 9090)),
		Entry("another name and number behind the same port of the Service", "http 8080/TCP->web", only("web", 8080), main(80, 8080)),
		Entry("another name and number for all", "api 9090/TCP->web", only("web", 8080), only("api", 9090)),
		Entry("two names, one after the other", "last 8080/TCP->last", only("web", 8080), only("api", 8080), only("last", 8080)),
		Entry("a name, then a number", "api 9090/TCP->web", only("web", 8080), only("api", 8080), only("api", 9090)),
		Entry("two numbers that change places", "http 9090/TCP->http, web 8080/TCP->web", both(8080, "web", 9090, "TCP"), both(9090, "web", 8080, "TCP")),
		Entry("two names at once", "api 8080/TCP->api, last 9090/TCP->last", both(8080, "web", 9090, "TCP"), func(app *v1.Application) {
			app.Spec.Port = nil
			app.Spec.AdditionalPorts = []v1.AdditionalPort{{Name: "api", Port: 8080}, {Name: "last", Port: 9090}}
		}),
		Entry("another protocol, of one port", "http 8080/TCP->http, dns 53/UDP->dns", both(8080, "dns", 53, "TCP"), both(8080, "dns", 53, "UDP")),
		Entry("a name for the main port", "redis 8080/TCP->redis", named("", 8080), named("redis", 8080)),
		Entry("another name of the main port, and none", "http 8080/TCP->http", named("redis", 8080), named("cache", 8080), named("", 8080)),
		Entry("another name and number of the main port", "cache 9090/TCP->redis", named("redis", 8080), named("cache", 9090)),
		Entry("a name for the main port that an additional one had", "web 8080/TCP->web, http 9090/TCP->http",
			both(8080, "web", 9090, "TCP"), func(app *v1.Application) {
				app.Spec.PortName, app.Spec.AdditionalPorts = "web", []v1.AdditionalPort{{Name: "http", Port: 9090}}
			}),
		Entry("another name and back", "web 8080/TCP->web", only("web", 8080), main(8080, 8080), only("web", 8080)),
	)
})

// beObserved matches a Deployment whose controller has seen its last change.
func beObserved() types.GomegaMatcher {
	return WithTransform(func(deployment *appsv1.Deployment) bool {
		return deployment.Status.ObservedGeneration == deployment.Generation
	}, BeTrue())
}

func podsFor(ctx context.Context, app *v1.Application) func() ([]corev1.Pod, error) {
	return func() ([]corev1.Pod, error) { return podsOf(ctx, app) }
}

func replicaSetsOf(ctx context.Context, app *v1.Application) []appsv1.ReplicaSet {
	GinkgoHelper()
	list := &appsv1.ReplicaSetList{}
	Expect(k8s.List(ctx, list, client.InNamespace(app.Namespace))).To(Succeed())
	return list.Items
}

// describedPorts returns a function, to be polled, that says what the Service's ports are: "http 80/TCP->8080".
func describedPorts(ctx context.Context, app *v1.Application) func() (string, error) {
	return func() (string, error) {
		service, err := get(ctx, serviceOf(app))
		var all []string
		for _, port := range service.Spec.Ports {
			all = append(all, fmt.Sprintf("%s %d/%s->%s", port.Name, port.Port, port.Protocol, port.TargetPort.String()))
		}
		return strings.Join(all, ", "), err
	}
}

// endpointsJudge follows what the EndpointSlices of a Service say.
type endpointsJudge struct {
	ctx context.Context
	app *v1.Application

	mu     sync.Mutex
	slices map[string]*discoveryv1.EndpointSlice
	// numbers are the container ports of the pods that were seen, by the pods' and the ports' names.
	numbers map[string]map[string]string
	wrong   []string
}

// watchEndpoints follows the EndpointSlices until the spec ends.
func watchEndpoints(ctx SpecContext, app *v1.Application) *endpointsJudge {
	GinkgoHelper()
	judge := &endpointsJudge{
		ctx: ctx, app: app, slices: map[string]*discoveryv1.EndpointSlice{}, numbers: map[string]map[string]string{},
	}
	Eventually(func() (int, error) {
		list := &discoveryv1.EndpointSliceList{}
		err := k8s.List(ctx, list, client.InNamespace(app.Namespace))
		for i := range list.Items {
			judge.slices[list.Items[i].Name] = &list.Items[i]
		}
		return len(judge.ready()), err
	}).Should(Equal(2))
	watching, err := client.NewWithWatch(cluster.Config(), client.Options{Scheme: k8s.Scheme()})
	Expect(err).NotTo(HaveOccurred())
	// From the beginning: what is there comes first.
	events, err := watching.Watch(ctx, &discoveryv1.EndpointSliceList{}, client.InNamespace(app.Namespace))
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(events.Stop)
	go func() {
		for event := range events.ResultChan() {
			judge.follow(event)
		}
	}()
	return judge
}

func (j *endpointsJudge) follow(event watch.Event) {
	slice, ok := event.Object.(*discoveryv1.EndpointSlice)
	if !ok {
		return
	}
	j.mu.Lock()
	if event.Type == watch.Deleted {
		delete(j.slices, slice.Name)
	} else {
		j.slices[slice.Name] = slice
	}
	j.mu.Unlock()
	if len(j.ready()) == 0 {
		j.mu.Lock()
		j.wrong = append(j.wrong, fmt.Sprintf("nobody is reached after %s of %s", event.Type, slice.Name))
		j.mu.Unlock()
	}
}

// ready returns the names of the ready pods that are reached at a port of theirs, in order.
func (j *endpointsJudge) ready() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var names []string
	for _, slice := range j.slices {
		for _, endpoint := range slice.Endpoints {
			if endpoint.Conditions.Ready == nil || !*endpoint.Conditions.Ready || endpoint.TargetRef == nil {
				continue
			}
			for _, port := range slice.Ports {
				name := endpoint.TargetRef.Name
				if reached := fmt.Sprintf("%d/%s", *port.Port, *port.Protocol); j.isWrong(name, *port.Name, reached) {
					j.wrong = append(j.wrong, fmt.Sprintf("%s of pod %s is reached at %s", *port.Name, name, reached))
				} else if !slices.Contains(names, name) {
					names = append(names, name)
				}
			}
		}
	}
	slices.Sort(names)
	return names
}

// isWrong reports whether a pod is reached where it does not listen, or where it listens for another port of the Service: what
// has the name in the pod is what is meant.
func (j *endpointsJudge) isWrong(pod, port, reached string) bool {
	if _, known := j.numbers[pod]; !known {
		found := &corev1.Pod{}
		if k8s.Get(j.ctx, client.ObjectKey{Namespace: j.app.Namespace, Name: pod}, found) != nil {
			return false // it is gone
		}
		j.numbers[pod] = map[string]string{}
		for _, listens := range found.Spec.Containers[0].Ports {
			j.numbers[pod][listens.Name] = fmt.Sprintf("%d/%s", listens.ContainerPort, listens.Protocol)
		}
	}
	if named, ok := j.numbers[pod][port]; ok {
		return named != reached
	}
	return !slices.Contains(slices.Collect(maps.Values(j.numbers[pod])), reached)
}

func (j *endpointsJudge) complaints() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.wrong
}
