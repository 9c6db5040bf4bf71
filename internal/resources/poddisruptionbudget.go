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
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	policyv1ac "k8s.io/client-go/applyconfigurations/policy/v1"
	"k8s.io/utils/ptr"

	v1 "github.com/example/app-operator/api/v1"
)

// PodDisruptionBudget returns the budget for evictions, or nil where none is desired: of a single pod it would keep
// nodes from being drained, and of none it would be pointless. Pods that are not ready may always be evicted, since a
// crash loop must not hold up a drain either.
func PodDisruptionBudget(in Inputs) (*policyv1ac.PodDisruptionBudgetApplyConfiguration, error) {
	app := in.Application
	budget := ptr.Deref(app.Spec.DisruptionBudget, v1.DisruptionBudgetSpec{})
	if !ptr.Deref(budget.Enabled, true) || DesiredReplicas(in) <= 1 {
		return nil, nil
	}
	spec := policyv1ac.PodDisruptionBudgetSpec().
		WithSelector(metav1ac.LabelSelector().WithMatchLabels(Labels(app.Name))).
		WithUnhealthyPodEvictionPolicy(policyv1.AlwaysAllow)
	if budget.MinAvailable != nil {
		spec.WithMinAvailable(*budget.MinAvailable)
	} else {
		spec.WithMaxUnavailable(ptr.Deref(budget.MaxUnavailable, intstr.FromInt32(1)))
	}
	return policyv1ac.PodDisruptionBudget(app.Name, app.Namespace).
		WithLabels(objectLabels(app)).
		WithAnnotations(objectAnnotations(app)).
		WithAnnotations(ownerMark(app)).
		WithOwnerReferences(owners(app)...).
		WithSpec(spec), nil
}
