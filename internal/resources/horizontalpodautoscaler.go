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
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	autoscalingv2ac "k8s.io/client-go/applyconfigurations/autoscaling/v2"
	"k8s.io/utils/ptr"

	v1 "github.com/example/app-operator/api/v1"
)

// targetCPUUtilizationPercentage is what is aimed at where no metric is named, by the API contract.
const targetCPUUtilizationPercentage = 80

// HorizontalPodAutoscaler returns the autoscaler, or nil where there is none. It stays while the application is
// suspended: it leaves a Deployment of no pods alone.
func HorizontalPodAutoscaler(in Inputs) (*autoscalingv2ac.HorizontalPodAutoscalerApplyConfiguration, error) {
	app := in.Application
	autoscaling := app.Spec.Autoscaling
	if autoscaling == nil {
		return nil, nil
	}
	metrics, err := metrics(autoscaling)
	if err != nil {
		return nil, err
	}
	spec := autoscalingv2ac.HorizontalPodAutoscalerSpec().
		WithScaleTargetRef(autoscalingv2ac.CrossVersionObjectReference().
			WithAPIVersion(appsv1.SchemeGroupVersion.String()).
			WithKind("Deployment").
			WithName(app.Name)).
		WithMinReplicas(minReplicas(autoscaling)).
		WithMaxReplicas(autoscaling.MaxReplicas).
		WithMetrics(metrics...)
	if spec.Behavior, err = behavior(autoscaling.Behavior); err != nil {
		return nil, err
	}
	return autoscalingv2ac.HorizontalPodAutoscaler(app.Name, app.Namespace).
		WithLabels(objectLabels(app)).
		WithAnnotations(objectAnnotations(app)).
		WithAnnotations(ownerMark(app)).
		WithOwnerReferences(owners(app)...).
		WithSpec(spec), nil
}

// behavior returns the user's behavior. Rules that say nothing are left out: the API server fills them with defaults, and
// those are not ours.
func behavior(
	of *autoscalingv2.HorizontalPodAutoscalerBehavior,
) (*autoscalingv2ac.HorizontalPodAutoscalerBehaviorApplyConfiguration, error) {
	if of == nil {
		return nil, nil
	}
	config := &autoscalingv2ac.HorizontalPodAutoscalerBehaviorApplyConfiguration{}
	for _, rules := range []struct {
		of     *autoscalingv2.HPAScalingRules
		config **autoscalingv2ac.HPAScalingRulesApplyConfiguration
	}{{of.ScaleUp, &config.ScaleUp}, {of.ScaleDown, &config.ScaleDown}} {
		if rules.of == nil || equality.Semantic.DeepEqual(*rules.of, autoscalingv2.HPAScalingRules{}) {
			continue
		}
		var err error
		if *rules.config, err = toApplyConfig[autoscalingv2ac.HPAScalingRulesApplyConfiguration](rules.of); err != nil {
			return nil, err
		}
	}
	if config.ScaleUp == nil && config.ScaleDown == nil {
		return nil, nil
	}
	return config, nil
}

// MissingRequests returns the requests, as fields of the spec, that the autoscaler's targets are percentages of and that the
// spec does not set. The autoscaler needs them of each container and sidecar. What has a limit and no request, requests as
// much.
func MissingRequests(app *v1.Application) []string {
	if app.Spec.Autoscaling == nil {
		return nil
	}
	var missing []string
	for _, need := range neededRequests(app.Spec.Autoscaling) {
		of := ptr.Deref(app.Spec.Resources, v1.ResourceRequirements{})
		if need.isOf(app.Name) && !sets(need.resource, of.Requests, of.Limits) {
			missing = append(missing, fmt.Sprintf("spec.resources.requests.%s", need.resource))
		}
		for i, sidecar := range app.Spec.Sidecars {
			if need.isOf(sidecar.Name) && !sets(need.resource, sidecar.Resources.Requests, sidecar.Resources.Limits) {
				missing = append(missing, fmt.Sprintf("spec.sidecars[%d].resources.requests.%s", i, need.resource))
			}
		}
	}
	slices.Sort(missing)
	return slices.Compact(missing)
}

// requestNeed is a resource that a container has to request; without a name, each container has to.
type requestNeed struct {
	resource  corev1.ResourceName
	container string
}

func (n requestNeed) isOf(container string) bool {
	return n.container == "" || n.container == container
}

// neededRequests returns what the targets are percentages of.
func neededRequests(autoscaling *v1.AutoscalingSpec) []requestNeed {
	var needs []requestNeed
	if autoscaling.TargetMemoryUtilizationPercentage != nil {
		needs = append(needs, requestNeed{resource: corev1.ResourceMemory})
	}
	if autoscaling.TargetCPUUtilizationPercentage != nil || len(needs)+len(autoscaling.Metrics) == 0 {
		needs = append(needs, requestNeed{resource: corev1.ResourceCPU})
	}
	for _, metric := range autoscaling.Metrics {
		if of := metric.Resource; of != nil && of.Target.Type == autoscalingv2.UtilizationMetricType {
			needs = append(needs, requestNeed{resource: of.Name})
		}
		if of := metric.ContainerResource; of != nil && of.Target.Type == autoscalingv2.UtilizationMetricType {
			needs = append(needs, requestNeed{resource: of.Name, container: of.Container})
		}
	}
	return needs
}

// sets reports whether any of the lists has the resource.
func sets[L ~map[corev1.ResourceName]Q, Q any](of corev1.ResourceName, lists ...L) bool {
	return slices.ContainsFunc(lists, func(list L) bool { _, ok := list[of]; return ok })
}

func metrics(autoscaling *v1.AutoscalingSpec) ([]*autoscalingv2ac.MetricSpecApplyConfiguration, error) {
	cpu, memory := autoscaling.TargetCPUUtilizationPercentage, autoscaling.TargetMemoryUtilizationPercentage
	if cpu == nil && memory == nil && len(autoscaling.Metrics) == 0 {
		cpu = new(int32(targetCPUUtilizationPercentage))
	}
	var metrics []*autoscalingv2ac.MetricSpecApplyConfiguration
	if cpu != nil {
		metrics = append(metrics, utilization(corev1.ResourceCPU, *cpu))
	}
	if memory != nil {
		metrics = append(metrics, utilization(corev1.ResourceMemory, *memory))
	}
	more, err := toApplyConfigs[autoscalingv2ac.MetricSpecApplyConfiguration](autoscaling.Metrics)
	return append(metrics, more...), err
}

func utilization(of corev1.ResourceName, percent int32) *autoscalingv2ac.MetricSpecApplyConfiguration {
	return autoscalingv2ac.MetricSpec().
		WithType(autoscalingv2.ResourceMetricSourceType).
		WithResource(autoscalingv2ac.ResourceMetricSource().
			WithName(of).
			WithTarget(autoscalingv2ac.MetricTarget().
				WithType(autoscalingv2.UtilizationMetricType).
				WithAverageUtilization(percent)))
}
