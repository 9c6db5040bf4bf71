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
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	autoscalingv2ac "k8s.io/client-go/applyconfigurations/autoscaling/v2"

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
		WithLabels(Labels(app.Name)).
		WithOwnerReferences(owner(app)).
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
		if *rules.config, err = as[autoscalingv2ac.HPAScalingRulesApplyConfiguration](rules.of); err != nil {
			return nil, err
		}
	}
	if config.ScaleUp == nil && config.ScaleDown == nil {
		return nil, nil
	}
	return config, nil
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
	more, err := asList[autoscalingv2ac.MetricSpecApplyConfiguration](autoscaling.Metrics)
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
