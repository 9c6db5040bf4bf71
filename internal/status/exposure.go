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
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/managedfields"
	"github.com/example/app-operator/internal/outcome"
	"github.com/example/app-operator/internal/resources"
)

// answerSeconds is how long an HTTPRoute may be without an answer of its parent, and a load balancer without an address, before that is a
// fault. It is the time that a failing autoscaler has.
const answerSeconds = failAfterSeconds

// pending is what nobody has answered for yet, and since when.
type pending struct {
	message string
	since   metav1.Time
}

// exposureFault returns the fault of an Application that is not served where the spec asks for it, or nil. A parent that refuses the
// HTTPRoute has decided; one that says nothing, as one that does not exist, and a load balancer without an address are given time, and
// once told of, they stay so whatever else is applied. An Ingress has nothing to judge it by: many controllers write no status.
func exposureFault(app *v1.Application, seen Observed) *PodFault {
	faults := refusals(routeOf(app, seen))
	degraded := meta.FindStatusCondition(app.Status.Conditions, v1.ConditionDegraded)
	for _, each := range pendingExposure(app, seen) {
		due := addSeconds(each.since, answerSeconds)
		if !seen.Now.Before(&due) || degraded != nil && strings.Contains(degraded.Message, each.message) {
			faults = append(faults, each.message)
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return &PodFault{Reason: v1.ReasonExposureFailed, Message: strings.Join(faults, "; ")}
}

// exposureDue returns when the next of what is pending becomes a fault; the zero time if none does.
func exposureDue(app *v1.Application, seen Observed) metav1.Time {
	var due metav1.Time
	for _, each := range pendingExposure(app, seen) {
		due = earlier(due, ifAhead(addSeconds(each.since, answerSeconds), seen.Now))
	}
	return due
}

// routeOf returns the Application's HTTPRoute if the spec asks for one.
func routeOf(app *v1.Application, seen Observed) *gatewayv1.HTTPRoute {
	if app.Spec.HTTPRoute == nil || app.DeletionTimestamp != nil {
		return nil
	}
	return seen.HTTPRoute
}

// pendingExposure returns what nobody has answered for yet.
func pendingExposure(app *v1.Application, seen Observed) []pending {
	var all []pending
	if route := routeOf(app, seen); route != nil {
		for _, parent := range route.Spec.ParentRefs {
			if !slices.ContainsFunc(answersOf(route, parent), isVerdict) {
				all = append(all, pending{since: writtenAt(route), message: fmt.Sprintf("HTTPRoute %s: no controller has answered for %s; "+
					"correct spec.httpRoute.parentRefs, or have it created", route.Name, nameOf(parent))})
			}
		}
	}
	if service := seen.Service; isBalanced(app) && service != nil && service.Spec.Type == corev1.ServiceTypeLoadBalancer &&
		len(service.Status.LoadBalancer.Ingress) == 0 {
		all = append(all, pending{since: writtenAt(service), message: fmt.Sprintf("Service %s: its load balancer has no address; "+
			"its events may say why, and a cluster may have nobody who provides load balancers", service.Name)})
	}
	return all
}

func isBalanced(app *v1.Application) bool {
	return app.DeletionTimestamp == nil && app.Spec.Service != nil && app.Spec.Service.Type == corev1.ServiceTypeLoadBalancer
}

// writtenAt returns when the operator has last changed an object.
func writtenAt(object metav1.Object) metav1.Time {
	if last := managedfields.WrittenAt(object, resources.FieldOwner); !last.IsZero() {
		return last
	}
	return object.GetCreationTimestamp()
}

// refusals says which parents refuse an HTTPRoute, or a part of it, in their controllers' words.
func refusals(route *gatewayv1.HTTPRoute) []string {
	if route == nil {
		return nil
	}
	var all []string
	for _, parent := range route.Spec.ParentRefs {
		for _, answer := range answersOf(route, parent) {
			if verb := refuses(answer); verb != "" {
				all = append(all, fmt.Sprintf("HTTPRoute %s: %s %s: %s", route.Name, nameOf(parent), verb,
					strings.Trim(answer.Reason+": "+outcome.Shorten(answer.Message, maxWords), ": ")))
			}
		}
	}
	return all
}

// refuses says what a condition refuses of an HTTPRoute, or returns "".
func refuses(answer metav1.Condition) string {
	switch {
	case answer.Type == string(gatewayv1.RouteConditionAccepted) && answer.Status == metav1.ConditionFalse:
		return "does not accept it"
	case answer.Type == string(gatewayv1.RouteConditionResolvedRefs) && answer.Status == metav1.ConditionFalse:
		return "cannot use what it refers to"
	case answer.Type == string(gatewayv1.RouteConditionPartiallyInvalid) && answer.Status == metav1.ConditionTrue:
		return "accepts only a part of it"
	default:
		return ""
	}
}

// isVerdict reports whether a condition says that its HTTPRoute is accepted or not.
func isVerdict(answer metav1.Condition) bool {
	return answer.Type == string(gatewayv1.RouteConditionAccepted) && answer.Status != metav1.ConditionUnknown
}

// IsJudged reports whether anything follows from a condition of this type of an HTTPRoute.
func IsJudged(conditionType string) bool {
	return slices.Contains([]string{
		string(gatewayv1.RouteConditionAccepted), string(gatewayv1.RouteConditionResolvedRefs), string(gatewayv1.RouteConditionPartiallyInvalid),
	}, conditionType)
}

// answersOf returns what is said of a parent of this generation of the HTTPRoute. A controller that says of no generation speaks of
// the present one.
func answersOf(route *gatewayv1.HTTPRoute, parent gatewayv1.ParentReference) []metav1.Condition {
	var answers []metav1.Condition
	for _, said := range route.Status.Parents {
		if !sameParent(said.ParentRef, parent, route.Namespace) {
			continue
		}
		for _, condition := range said.Conditions {
			if condition.ObservedGeneration == 0 || condition.ObservedGeneration >= route.Generation {
				answers = append(answers, condition)
			}
		}
	}
	return answers
}

// sameParent reports whether both refer to the same part of the same parent. What is left out has the API's defaults.
func sameParent(a, b gatewayv1.ParentReference, namespace string) bool {
	of := func(ref gatewayv1.ParentReference) [6]string {
		return [6]string{
			string(ptr.Deref(ref.Group, gatewayv1.GroupName)), string(ptr.Deref(ref.Kind, "Gateway")), string(ref.Name),
			cmp.Or(string(ptr.Deref(ref.Namespace, "")), namespace), string(ptr.Deref(ref.SectionName, "")), fmt.Sprint(ptr.Deref(ref.Port, 0)),
		}
	}
	return of(a) == of(b)
}

// nameOf names a parent in a sentence.
func nameOf(parent gatewayv1.ParentReference) string {
	name := fmt.Sprintf("%s %s", ptr.Deref(parent.Kind, "Gateway"), parent.Name)
	if parent.SectionName != nil {
		name += ", listener " + string(*parent.SectionName) + ","
	}
	if parent.Namespace != nil {
		name += " in namespace " + string(*parent.Namespace)
	}
	return name
}
