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

package resources

import (
	"cmp"
	"encoding/json"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/client-go/applyconfigurations"
	"k8s.io/client-go/kubernetes/scheme"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
)

// What follows does to a configuration what an API server does. It was compared with a real one, of Kubernetes 1.36:
// for each golden case, the same fields are owned.

// applied returns the object that the API server would hold after the configuration was applied to nothing.
func applied(t *testing.T, builder builder, config runtime.ApplyConfiguration) object {
	t.Helper()
	live := asObject(t, builder, config)
	sent := &unstructured.Unstructured{}
	if err := json.Unmarshal([]byte(text(t, config)), &sent.Object); err != nil {
		t.Fatal(err)
	}
	typedConfig, err := typeConverter(builder.kind).ObjectToTyped(sent)
	if err != nil {
		t.Fatalf("%s does not fit the schema: %v", builder.kind, err)
	}
	set, err := typedConfig.ToFieldSet()
	if err != nil {
		t.Fatal(err)
	}
	fields, err := set.Difference(nobodys).ToJSON()
	if err != nil {
		t.Fatal(err)
	}
	entry := metav1.ManagedFieldsEntry{
		Manager: manager, Operation: metav1.ManagedFieldsOperationApply,
		APIVersion: sent.GetAPIVersion(), FieldsType: "FieldsV1", FieldsV1: &metav1.FieldsV1{},
	}
	entry.FieldsV1.SetRawBytes(fields)
	live.SetManagedFields([]metav1.ManagedFieldsEntry{entry})
	serverDefaults(live)
	return live
}

// nobodys are the fields that no manager owns.
var nobodys = fieldpath.NewSet(
	fieldpath.MakePathOrDie("apiVersion"), fieldpath.MakePathOrDie("kind"), fieldpath.MakePathOrDie("metadata"),
	fieldpath.MakePathOrDie("metadata", "name"), fieldpath.MakePathOrDie("metadata", "namespace"),
)

// typeConverter returns what knows how many owners the values of a kind may have.
func typeConverter(kind string) managedfields.TypeConverter {
	switch kind {
	case "HTTPRoute", "ServiceMonitor":
		return customTypeConverter{kind}
	default:
		return applyconfigurations.NewTypeConverter(scheme.Scheme)
	}
}

// customTypeConverter is about kinds that come with a CustomResourceDefinition.
type customTypeConverter struct{ kind string }

func (c customTypeConverter) ObjectToTyped(object runtime.Object, options ...typed.ValidationOptions) (*typed.TypedValue, error) {
	return customTypes.Type(c.kind).FromUnstructured(object.(*unstructured.Unstructured).Object, options...)
}

func (customTypeConverter) TypedToObject(value *typed.TypedValue) (runtime.Object, error) {
	return &unstructured.Unstructured{Object: value.AsValue().Unstructured().(map[string]any)}, nil
}

// customTypes are what an API server makes of the CustomResourceDefinitions of Gateway API 1.6 and Prometheus Operator
// 0.95, as far as we set their fields: all lists have one owner as a whole, and so has a LabelSelector.
var customTypes = func() *typed.Parser {
	parser, err := typed.NewParser(`types:
- name: HTTPRoute
  map:
    fields:
    - {name: apiVersion, type: {scalar: string}}
    - {name: kind, type: {scalar: string}}
    - {name: metadata, type: {namedType: ObjectMeta}}
    - name: spec
      type:
        map:
          fields:
          - {name: parentRefs, type: {namedType: atomicList}}
          - {name: hostnames, type: {namedType: atomicList}}
          - {name: rules, type: {namedType: atomicList}}
- name: ServiceMonitor
  map:
    fields:
    - {name: apiVersion, type: {scalar: string}}
    - {name: kind, type: {scalar: string}}
    - {name: metadata, type: {namedType: ObjectMeta}}
    - name: spec
      type:
        map:
          fields:
          - {name: selector, type: {namedType: __untyped_atomic_}}
          - {name: endpoints, type: {namedType: atomicList}}
- name: ObjectMeta
  map:
    fields:
    - {name: name, type: {scalar: string}}
    - {name: namespace, type: {scalar: string}}
    - name: labels
      type: {map: {elementType: {scalar: string}}}
    - name: annotations
      type: {map: {elementType: {scalar: string}}}
    - name: ownerReferences
      type:
        list: {elementType: {namedType: ownerReference}, elementRelationship: associative, keys: [uid]}
- name: ownerReference
  map:
    elementType: {scalar: untyped}
    elementRelationship: atomic
- name: atomicList
  list: {elementType: {namedType: __untyped_atomic_}, elementRelationship: atomic}
- name: __untyped_atomic_
  scalar: untyped
  list: {elementType: {namedType: __untyped_atomic_}, elementRelationship: atomic}
  map: {elementType: {namedType: __untyped_atomic_}, elementRelationship: atomic}
`)
	if err != nil {
		panic(err)
	}
	return parser
}()

// serverDefaults fills in what the API server fills in: within values that have one owner as a whole, so that the
// defaults end up in what we own, and beside what we say, which must not.
func serverDefaults(live object) {
	switch live := live.(type) {
	case *appsv1.Deployment:
		defaultTo(&live.Spec.Replicas, 1)
		defaultPod(&live.Spec.Template.Spec)
	case *corev1.Service:
		defaultService(&live.Spec)
	case *autoscalingv2.HorizontalPodAutoscaler:
		if behavior := live.Spec.Behavior; behavior != nil {
			behavior.ScaleUp = defaultRules(behavior.ScaleUp)
			behavior.ScaleDown = defaultRules(behavior.ScaleDown)
		}
	case *gatewayv1.HTTPRoute:
		defaultRoute(&live.Spec)
	}
}

func defaultService(service *corev1.ServiceSpec) {
	service.ClusterIP, service.ClusterIPs = "10.96.0.10", []string{"10.96.0.10"}
	service.SessionAffinity = cmp.Or(service.SessionAffinity, corev1.ServiceAffinityNone)
	if service.SessionAffinity == corev1.ServiceAffinityClientIP {
		service.SessionAffinityConfig = &corev1.SessionAffinityConfig{ClientIP: &corev1.ClientIPConfig{TimeoutSeconds: new(int32(10800))}}
	}
	defaultTo(&service.InternalTrafficPolicy, corev1.ServiceInternalTrafficPolicyCluster)
	if service.Type == corev1.ServiceTypeClusterIP {
		return
	}
	service.ExternalTrafficPolicy = cmp.Or(service.ExternalTrafficPolicy, corev1.ServiceExternalTrafficPolicyCluster)
	for i := range service.Ports {
		service.Ports[i].NodePort = cmp.Or(service.Ports[i].NodePort, int32(30000+i))
	}
	if service.Type == corev1.ServiceTypeLoadBalancer {
		defaultTo(&service.AllocateLoadBalancerNodePorts, true)
	}
}

// defaultTo sets what is not set.
func defaultTo[T any](field **T, value T) {
	if *field == nil {
		*field = &value
	}
}

func defaultPod(pod *corev1.PodSpec) {
	pod.RestartPolicy = corev1.RestartPolicyAlways
	pod.DNSPolicy = corev1.DNSClusterFirst
	pod.SchedulerName = corev1.DefaultSchedulerName
	for _, containers := range [][]corev1.Container{pod.InitContainers, pod.Containers} {
		for i := range containers {
			defaultContainer(&containers[i])
		}
	}
	for i := range pod.Volumes {
		if configMap := pod.Volumes[i].ConfigMap; configMap != nil {
			defaultTo(&configMap.DefaultMode, corev1.ConfigMapVolumeSourceDefaultMode)
		}
		if secret := pod.Volumes[i].Secret; secret != nil {
			defaultTo(&secret.DefaultMode, corev1.SecretVolumeSourceDefaultMode)
		}
	}
}

func defaultContainer(container *corev1.Container) {
	defaultVariables(container.Env)
	defaultPorts(container.Ports)
	round(container.Resources)
	container.TerminationMessagePath = cmp.Or(container.TerminationMessagePath, corev1.TerminationMessagePathDefault)
	container.TerminationMessagePolicy = cmp.Or(container.TerminationMessagePolicy, corev1.TerminationMessageReadFile)
	container.ImagePullPolicy = cmp.Or(container.ImagePullPolicy, corev1.PullIfNotPresent)
	for _, probe := range []*corev1.Probe{container.LivenessProbe, container.ReadinessProbe, container.StartupProbe} {
		if probe != nil {
			defaultProbe(probe)
		}
	}
	if hook := container.Lifecycle; hook != nil && hook.PreStop != nil && hook.PreStop.HTTPGet != nil {
		hook.PreStop.HTTPGet.Scheme = cmp.Or(hook.PreStop.HTTPGet.Scheme, corev1.URISchemeHTTP)
	}
}

func defaultProbe(probe *corev1.Probe) {
	for field, value := range map[*int32]int32{
		&probe.TimeoutSeconds: 1, &probe.PeriodSeconds: 10, &probe.SuccessThreshold: 1, &probe.FailureThreshold: 3,
	} {
		*field = cmp.Or(*field, value)
	}
	if get := probe.HTTPGet; get != nil {
		get.Path = cmp.Or(get.Path, "/")
		get.Scheme = cmp.Or(get.Scheme, corev1.URISchemeHTTP)
	}
	if probe.GRPC != nil {
		defaultTo(&probe.GRPC.Service, "")
	}
}

func defaultVariables(env []corev1.EnvVar) {
	for i := range env {
		from := env[i].ValueFrom
		if from != nil && from.FieldRef != nil && from.FieldRef.APIVersion == "" {
			from.FieldRef.APIVersion = "v1"
		}
		if from != nil && from.FileKeyRef != nil {
			defaultTo(&from.FileKeyRef.Optional, false)
		}
	}
}

func defaultPorts(ports []corev1.ContainerPort) {
	for i := range ports {
		ports[i].Protocol = cmp.Or(ports[i].Protocol, corev1.ProtocolTCP)
	}
}

// round takes quantities to thousandths, in which Kubernetes counts.
func round(resources corev1.ResourceRequirements) {
	for _, list := range []corev1.ResourceList{resources.Limits, resources.Requests} {
		for name, quantity := range list {
			quantity.RoundUp(resource.Milli)
			list[name] = quantity
		}
	}
}

// defaultRules fills in how fast an autoscaler may be; the API server's numbers differ between up and down.
func defaultRules(rules *autoscalingv2.HPAScalingRules) *autoscalingv2.HPAScalingRules {
	if rules == nil {
		rules = &autoscalingv2.HPAScalingRules{}
	}
	defaultTo(&rules.SelectPolicy, autoscalingv2.MaxChangePolicySelect)
	if len(rules.Policies) == 0 {
		rules.Policies = []autoscalingv2.HPAScalingPolicy{
			{Type: autoscalingv2.PercentScalingPolicy, Value: 100, PeriodSeconds: 15},
		}
	}
	return rules
}

func defaultRoute(route *gatewayv1.HTTPRouteSpec) {
	for i := range route.ParentRefs {
		defaultTo(&route.ParentRefs[i].Group, gatewayv1.GroupName)
		defaultTo(&route.ParentRefs[i].Kind, "Gateway")
	}
	for i := range route.Rules {
		rule := &route.Rules[i]
		if len(rule.Matches) == 0 {
			rule.Matches = []gatewayv1.HTTPRouteMatch{{}}
		}
		for j := range rule.Matches {
			defaultTo(&rule.Matches[j].Path, gatewayv1.HTTPPathMatch{})
			defaultTo(&rule.Matches[j].Path.Type, gatewayv1.PathMatchPathPrefix)
			defaultTo(&rule.Matches[j].Path.Value, "/")
		}
		for j := range rule.BackendRefs {
			defaultTo(&rule.BackendRefs[j].Group, "")
			defaultTo(&rule.BackendRefs[j].Kind, "Service")
			defaultTo(&rule.BackendRefs[j].Weight, 1)
		}
	}
}
