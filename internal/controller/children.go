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

package controller

import (
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/resources"
)

// children is the one table of what belongs to an Application, in the order in which it is applied. The watches,
// the cache, applying and pruning follow from it, and tests compare the Role with it. Every child bears its
// Application's name.
var children = []child{
	childOf("ServiceAccount", &corev1.ServiceAccount{}, resources.ServiceAccount, resources.ServiceAccountFields).afterRollout(),
	// Before the pods that it protects.
	childOf("NetworkPolicy", &networkingv1.NetworkPolicy{}, resources.NetworkPolicy, resources.NetworkPolicyFields).
		without(resources.NotInNetworkPolicy),
	childOf("Deployment", &appsv1.Deployment{}, resources.Deployment, resources.DeploymentFields).gatedByOthers().
		without(resources.NotInDeployment).handingOver(sizeHandOver),
	childOf("Service", &corev1.Service{}, resources.Service, resources.ServiceFields).throttle(),
	childOf("HorizontalPodAutoscaler", &autoscalingv2.HorizontalPodAutoscaler{}, resources.HorizontalPodAutoscaler,
		resources.HorizontalPodAutoscalerFields).inDrainPhase(DrainReplicas),
	childOf("PodDisruptionBudget", &policyv1.PodDisruptionBudget{}, resources.PodDisruptionBudget,
		resources.PodDisruptionBudgetFields),
	childOf("Ingress", &networkingv1.Ingress{}, resources.Ingress, resources.IngressFields).inDrainPhase(DrainTraffic).
		handingOver(classHandOver),
	childOf("HTTPRoute", &gatewayv1.HTTPRoute{}, resources.HTTPRoute, resources.HTTPRouteFields).
		inDrainPhase(DrainTraffic).optionalAs(schema.GroupVersion(gatewayv1.GroupVersion).WithResource("httproutes")),
	childOf("ServiceMonitor", emptyServiceMonitor(), resources.ServiceMonitor, resources.ServiceMonitorFields).
		optionalAs(resources.ServiceMonitorKind.GroupVersion().WithResource("servicemonitors")),
}

// emptyServiceMonitor returns an object that any ServiceMonitor can be decoded into. The CRD lets values through that the
// Go type cannot hold, and one of them would keep the cache, and with it the operator, from starting (decision 0010).
func emptyServiceMonitor() *unstructured.Unstructured {
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(resources.ServiceMonitorKind)
	return object
}

// drainPhase is when a child is withdrawn from an Application that is drained, before its pods end. Zero is
// not at all: the garbage collector takes it.
type drainPhase int

const (
	// DrainTraffic comes first: nobody is to be sent to the pods any more.
	DrainTraffic drainPhase = iota + 1
	// DrainReplicas comes second: nobody but us is to decide how many pods run.
	DrainReplicas
)

// child is a kind of object that an Application may have one of.
type child struct {
	kind string
	// object is an empty object of the kind, never written to.
	object client.Object
	// gated says that the child is left as it is while anything above it in the table is amiss: pods must not run as somebody
	// else's ServiceAccount, for example. While anything is missing that the spec refers to, no new pods are rolled out, and
	// what else there is to change is changed. Where no pods are desired, nothing holds it back.
	gated bool
	// prunedAfterRollout says that running pods use the child: when it is no longer desired, it goes after the last pod that
	// does, or their tokens would die under them.
	prunedAfterRollout bool
	// throttled says that the API server makes such objects one at a time: an Application that gets one waits for its turn,
	// after its pods have been asked for, and not with a worker that others need.
	throttled bool
	// drainPhase says when the child is withdrawn if the Application is drained.
	drainPhase drainPhase
	// optionalAPI is where a cluster serves the kind that need not serve it; empty for kinds that every cluster has.
	optionalAPI schema.GroupVersionResource
	// handedOver is a field that does not simply go when the configuration stops setting it; nil if there is none.
	handedOver *handedOver
	// build returns what the object should be, or nil if it must not exist.
	build func(resources.Inputs) (configuration, error)
	// fields says what the child's fields are called in the Application, for a refusal to be told in the user's words.
	fields func(*v1.Application) resources.FieldNames
}

// configuration is an apply configuration together with what the operator needs to know of it. It is applied
// once and then dropped: the client overwrites it with the API server's answer.
type configuration struct {
	runtime.ApplyConfiguration
	// onlyIf makes the API server refuse to apply it to any object but the one of this UID, in this version.
	onlyIf func(uid types.UID, version string)
	// unwanted is what the object must not have. It is set where that is no value to apply: a field that is absent has no owner,
	// and that somebody sets it takes nothing from anybody.
	unwanted []fieldpath.Path
}

// applyConfiguration is what the generated apply configurations have in common.
type applyConfiguration[C, P any] interface {
	*C
	runtime.ApplyConfiguration
	WithUID(types.UID) P
	WithResourceVersion(string) P
}

// childOf ties a kind to its builder.
func childOf[C any, P interface {
	applyConfiguration[C, P]
}](
	kind string, object client.Object, build func(resources.Inputs) (P, error), fields func(*v1.Application) resources.FieldNames,
) child {
	return child{kind: kind, object: object, fields: fields, build: func(in resources.Inputs) (configuration, error) {
		config, err := build(in)
		if err != nil || config == nil { // a nil pointer must not hide in the interface
			return configuration{}, err
		}
		return configuration{ApplyConfiguration: config, onlyIf: func(uid types.UID, version string) {
			config.WithUID(uid)
			config.WithResourceVersion(version)
		}}, nil
	}}
}

func (c child) gatedByOthers() child {
	c.gated = true
	return c
}

func (c child) afterRollout() child {
	c.prunedAfterRollout = true
	return c
}

func (c child) throttle() child {
	c.throttled = true
	return c
}

func (c child) inDrainPhase(when drainPhase) child {
	c.drainPhase = when
	return c
}

func (c child) handingOver(field handedOver) child {
	c.handedOver = &field
	return c
}

// without says what the object must not have, although the configuration cannot say so.
func (c child) without(paths func(resources.Inputs) []fieldpath.Path) child {
	build := c.build
	c.build = func(in resources.Inputs) (configuration, error) {
		config, err := build(in)
		if err == nil && config.ApplyConfiguration != nil {
			config.unwanted = paths(in)
		}
		return config, err
	}
	return c
}

func (c child) optionalAs(api schema.GroupVersionResource) child {
	c.optionalAPI = api
	return c
}

// optional reports whether a cluster may be without the kind.
func (c child) optional() bool { return !c.optionalAPI.Empty() }

// empty returns a new object of the child's kind to read into.
func (c child) empty() client.Object {
	return c.object.DeepCopyObject().(client.Object)
}
