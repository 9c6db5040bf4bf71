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

package status

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	v1 "github.com/example/app-operator/api/v1"
)

// writtenBy is what the cache keeps of the managed fields of an object that the operator has last changed then.
func writtenBy(at metav1.Time) []metav1.ManagedFieldsEntry {
	return []metav1.ManagedFieldsEntry{{Manager: "app-operator", Operation: metav1.ManagedFieldsOperationApply, Time: &at}}
}

// routed asks for a route at two parents.
func routed(app *v1.Application) {
	app.Spec.Port = new(int32(8080))
	app.Spec.HTTPRoute = &v1.HTTPRouteSpec{ParentRefs: []v1.ParentReference{
		{Name: "public", Namespace: new("gateways"), SectionName: new("https")}, {Name: "internal"},
	}}
}

// newRoute returns the route of routed, of generation 2 and written at the start, with these answers.
func newRoute(answers ...gatewayv1.RouteParentStatus) *gatewayv1.HTTPRoute {
	route := &gatewayv1.HTTPRoute{ObjectMeta: metav1.ObjectMeta{Name: "my-app", Namespace: "shop", Generation: 2, ManagedFields: writtenBy(start)}}
	route.Spec.ParentRefs = []gatewayv1.ParentReference{
		{Name: "public", Namespace: new(gatewayv1.Namespace("gateways")), SectionName: new(gatewayv1.SectionName("https"))},
		{Group: new(gatewayv1.Group(gatewayv1.GroupName)), Kind: new(gatewayv1.Kind("Gateway")), Name: "internal"},
	}
	route.Status.Parents = answers
	return route
}

// public and internal are what is said of the parents, of which a controller may spell out what the spec leaves out.
func public(conditions ...metav1.Condition) gatewayv1.RouteParentStatus {
	return gatewayv1.RouteParentStatus{ParentRef: newRoute().Spec.ParentRefs[0], Conditions: conditions}
}

func internal(conditions ...metav1.Condition) gatewayv1.RouteParentStatus {
	return gatewayv1.RouteParentStatus{
		ParentRef: gatewayv1.ParentReference{Name: "internal", Namespace: new(gatewayv1.Namespace("shop"))}, Conditions: conditions,
	}
}

func says(kind gatewayv1.RouteConditionType, status metav1.ConditionStatus, generation int64, reason string) metav1.Condition {
	return metav1.Condition{Type: string(kind), Status: status, ObservedGeneration: generation, Reason: reason, Message: "because"}
}

// TestRoutesThatNobodyServes follows Applications whose route is refused, or which nobody answers for.
func TestRoutesThatNobodyServes(t *testing.T) {
	const (
		accepted = gatewayv1.RouteConditionAccepted
		resolved = gatewayv1.RouteConditionResolvedRefs
		partial  = gatewayv1.RouteConditionPartiallyInvalid
		refused  = "HTTPRoute my-app: Gateway public, listener https, in namespace gateways does not accept it: NotAllowedByListeners: because"
		silent   = "HTTPRoute my-app: no controller has answered for Gateway internal; correct spec.httpRoute.parentRefs, or have it created"
	)
	yes, no := says(accepted, metav1.ConditionTrue, 2, "Accepted"), says(accepted, metav1.ConditionFalse, 2, "NotAllowedByListeners")
	type pass struct {
		at      int
		route   *gatewayv1.HTTPRoute
		message string // of Degraded; "" while nothing is told
		expires int    // 0 for never
	}
	written := newRoute(public(yes))
	written.ManagedFields = writtenBy(at(300))
	for name, passes := range map[string][]pass{
		"both accept it":              {{0, newRoute(public(yes), internal(yes)), "", 0}, {900, newRoute(public(yes), internal(yes)), "", 0}},
		"one refuses it":              {{0, newRoute(public(no), internal(yes)), refused, 0}, {1, newRoute(public(yes), internal(yes)), "", 0}},
		"an older one was refused":    {{0, newRoute(public(says(accepted, metav1.ConditionFalse, 1, "No")), internal(yes)), "", 120}},
		"a generation is not told of": {{0, newRoute(public(says(accepted, metav1.ConditionTrue, 0, "Accepted")), internal(yes)), "", 0}},
		"it is not decided yet":       {{0, newRoute(public(says(accepted, metav1.ConditionUnknown, 2, "Pending")), internal(yes)), "", 120}},
		"a reference is not resolved": {{
			0, newRoute(public(yes, says(resolved, metav1.ConditionFalse, 2, "BackendNotFound")), internal(yes)),
			"HTTPRoute my-app: Gateway public, listener https, in namespace gateways cannot use what it refers to: BackendNotFound: because", 0,
		}},
		"a part is invalid": {{
			0, newRoute(public(yes), internal(yes, says(partial, metav1.ConditionTrue, 2, "UnsupportedValue"))),
			"HTTPRoute my-app: Gateway internal accepts only a part of it: UnsupportedValue: because", 0,
		}},
		"conditions of others say nothing": {{0, newRoute(public(yes, says("example.com/Programmed", metav1.ConditionFalse, 2, "No")), internal(yes)), "", 0}},
		"nobody answers for one": {
			{0, newRoute(public(yes)), "", 120},
			{119, newRoute(public(yes)), "", 120},
			{120, newRoute(public(yes)), silent, 0},
			{310, written, silent, 420}, // told on, whatever else is applied
			{320, newRoute(public(yes), internal(yes)), "", 0},
			{330, written, "", 420},
		},
		"one refuses it, nobody answers for the other": {
			{0, newRoute(public(no)), refused, 120}, {120, newRoute(public(no)), refused + "; " + silent, 0},
		},
		"it is not there yet": {{0, nil, "", 0}},
	} {
		t.Run(name, func(t *testing.T) {
			app := newApplication(routed)
			for _, pass := range passes {
				seen := Observed{Now: at(pass.at), Deployment: newDeployment(3), HTTPRoute: pass.route}
				app.Status = Of(app, seen, nil)
				expectExposure(t, app, seen, pass.message, pass.expires)
			}
			app.Spec.HTTPRoute = nil // while the route is still there
			seen := Observed{Now: at(900), Deployment: newDeployment(3), HTTPRoute: newRoute(public(no))}
			app.Status = Of(app, seen, nil)
			expectExposure(t, app, seen, "", 0)
		})
	}
}

// expectExposure complains unless the status says this of what is not served, and expires then.
func expectExposure(t *testing.T, app *v1.Application, seen Observed, message string, expires int) {
	t.Helper()
	if ready := condition(t, app.Status, v1.ConditionReady); ready.Status != metav1.ConditionTrue {
		t.Errorf("at %s Ready is %s: %s", seen.Now, ready.Status, ready.Message)
	}
	degraded := condition(t, app.Status, v1.ConditionDegraded)
	if message == "" && degraded.Status != metav1.ConditionFalse ||
		message != "" && (degraded.Reason != v1.ReasonExposureFailed || degraded.Message != message) {
		t.Errorf("at %s Degraded is %s %s: %s\nwant %q", seen.Now, degraded.Status, degraded.Reason, degraded.Message, message)
	}
	want := metav1.Time{}
	if expires > 0 {
		want = at(expires)
	}
	if got := Expires(app, seen, app.Status); !got.Equal(&want) {
		t.Errorf("at %s the status expires at %s, want %s", seen.Now, got, want)
	}
}

// TestLoadBalancersWithoutAddress follows an Application whose load balancer takes its time.
func TestLoadBalancersWithoutAddress(t *testing.T) {
	const silent = "Service my-app: its load balancer has no address; its events may say why, and a cluster may have nobody who provides load balancers"
	app := newApplication(func(app *v1.Application) {
		app.Spec.Port = new(int32(8080))
		app.Spec.Service = &v1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer}
	})
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "my-app", Namespace: "shop", CreationTimestamp: start}}
	pass := func(seconds int, message string, expires int) {
		t.Helper()
		seen := Observed{Now: at(seconds), Deployment: newDeployment(3), Service: service.DeepCopy()}
		app.Status = Of(app, seen, nil)
		expectExposure(t, app, seen, message, expires)
	}
	pass(0, "", 0) // not one yet
	service.Spec.Type = corev1.ServiceTypeLoadBalancer
	service.ManagedFields = writtenBy(at(10))
	pass(10, "", 130)
	pass(130, silent, 0)
	service.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "192.0.2.1"}}
	pass(140, "", 0)
	service.Status.LoadBalancer.Ingress = nil
	pass(150, silent, 0)
	app.Spec.Service.Type = corev1.ServiceTypeClusterIP
	pass(160, "", 0)
}

// TestLongAnswersAreCut holds that what a Gateway's controller says is bounded, whatever it says.
func TestLongAnswersAreCut(t *testing.T) {
	long := says(gatewayv1.RouteConditionAccepted, metav1.ConditionFalse, 2, "No")
	long.Message = strings.Repeat("a\n", 20000)
	app := newApplication(routed)
	got := Of(app, Observed{Now: start, Deployment: newDeployment(3), HTTPRoute: newRoute(public(long))}, nil)
	if message := condition(t, got, v1.ConditionDegraded).Message; len(message) > 1000 || strings.Contains(message, "\n") {
		t.Errorf("%d bytes: %q", len(message), message)
	}
}
