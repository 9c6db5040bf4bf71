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

	"k8s.io/utils/ptr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	gatewayv1ac "sigs.k8s.io/gateway-api/applyconfiguration/apis/v1"

	v1 "github.com/example/app-operator/api/v1"
)

// HTTPRoute returns the route to the Service's main port, or nil where none is desired. The lists of a route have one
// owner as a whole, so the defaults of its CRD are filled in here.
func HTTPRoute(in Inputs) (*gatewayv1ac.HTTPRouteApplyConfiguration, error) {
	app := in.Application
	route := app.Spec.HTTPRoute
	if route == nil || app.Spec.Port == nil {
		return nil, nil
	}
	spec := gatewayv1ac.HTTPRouteSpec().WithRules(gatewayv1ac.HTTPRouteRule().
		WithMatches(gatewayv1ac.HTTPRouteMatch().WithPath(gatewayv1ac.HTTPPathMatch().
			WithType(gatewayv1.PathMatchPathPrefix).
			WithValue(cmp.Or(route.Path, "/")))).
		WithBackendRefs(gatewayv1ac.HTTPBackendRef().
			WithGroup("").
			WithKind("Service").
			WithName(gatewayv1.ObjectName(app.Name)).
			WithPort(mainServicePort(app)).
			WithWeight(1)))
	for _, parent := range route.ParentRefs {
		spec.WithParentRefs(parentReference(parent))
	}
	for _, name := range route.Hostnames {
		spec.WithHostnames(gatewayv1.Hostname(name))
	}
	return gatewayv1ac.HTTPRoute(app.Name, app.Namespace).
		WithLabels(objectLabels(app)).
		WithAnnotations(objectAnnotations(app)).
		WithAnnotations(route.Annotations).
		WithAnnotations(ownerMark(app)).
		WithOwnerReferences(owners(app)...).
		WithSpec(spec), nil
}

func parentReference(parent v1.ParentReference) *gatewayv1ac.ParentReferenceApplyConfiguration {
	config := gatewayv1ac.ParentReference().
		WithGroup(gatewayv1.Group(ptr.Deref(parent.Group, gatewayv1.GroupName))).
		WithKind(gatewayv1.Kind(ptr.Deref(parent.Kind, "Gateway"))).
		WithName(gatewayv1.ObjectName(parent.Name))
	if parent.Namespace != nil {
		config.WithNamespace(gatewayv1.Namespace(*parent.Namespace))
	}
	if parent.SectionName != nil {
		config.WithSectionName(gatewayv1.SectionName(*parent.SectionName))
	}
	if parent.Port != nil {
		config.WithPort(*parent.Port)
	}
	return config
}
