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

package v1

import (
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// AutoscalingSpec lets a HorizontalPodAutoscaler decide how many pods run.
//
// +kubebuilder:validation:XValidation:rule="self.maxReplicas >= self.minReplicas",fieldPath=".maxReplicas",message="maxReplicas must be at least minReplicas; set it to minReplicas or above"
type AutoscalingSpec struct {
	// minReplicas is the least number of pods.
	// +optional
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=1
	MinReplicas *int32 `json:"minReplicas,omitempty"`

	// maxReplicas is the largest number of pods.
	// +required
	// +kubebuilder:validation:Minimum=1
	MaxReplicas int32 `json:"maxReplicas"`

	// targetCPUUtilizationPercentage is the mean use of CPU, in percent of resources.requests, that is aimed at. Where no
	// metric at all is named, it is 80.
	// +optional
	// +kubebuilder:validation:Minimum=1
	TargetCPUUtilizationPercentage *int32 `json:"targetCPUUtilizationPercentage,omitempty"`

	// targetMemoryUtilizationPercentage is the mean use of memory, in percent of resources.requests, that is aimed at.
	// +optional
	// +kubebuilder:validation:Minimum=1
	TargetMemoryUtilizationPercentage *int32 `json:"targetMemoryUtilizationPercentage,omitempty"`

	// metrics are further ones, in the form of autoscaling/v2. The metric that asks for most pods wins.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	Metrics []autoscalingv2.MetricSpec `json:"metrics,omitempty"`

	// behavior says how fast the number of pods may change, in the form of autoscaling/v2.
	// +optional
	Behavior *autoscalingv2.HorizontalPodAutoscalerBehavior `json:"behavior,omitempty"`
}

// AutoscaledStatus remembers an autoscaler's decision, beyond the Deployment and the autoscaler.
type AutoscaledStatus struct {
	// replicas is how many pods the autoscaler has asked for last.
	// +kubebuilder:validation:Minimum=0
	Replicas int32 `json:"replicas"`

	// overridden is the spec.replicas that is not in force because of it.
	// +kubebuilder:validation:Minimum=0
	Overridden int32 `json:"overridden"`

	// kept says that the autoscaler is gone, and that replicas stays in force until spec.replicas is changed.
	// +optional
	Kept bool `json:"kept,omitempty"`
}

// DisruptionBudgetSpec says how many pods may be evicted at a time, for example while nodes are drained. The
// PodDisruptionBudget exists only while more than one pod is desired; pods that are not ready may always be evicted.
//
// +kubebuilder:validation:XValidation:rule="!has(self.maxUnavailable) || !has(self.minAvailable)",fieldPath=".minAvailable",message="minAvailable and maxUnavailable exclude each other; give one of the two"
type DisruptionBudgetSpec struct {
	// enabled says whether there is a budget at all.
	// +optional
	// +kubebuilder:default=true
	Enabled *bool `json:"enabled,omitempty"`

	// maxUnavailable is how many pods may be missing: a number, or a share of the desired ones. Where neither it nor
	// minAvailable is given, it is 1.
	// +optional
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:XValidation:rule="type(self) == int ? self >= 0 : self.size() <= 4 && self.matches('^(100|[1-9]?[0-9])%$')",message="it is a number of pods, or a share of them up to 100%; correct it"
	MaxUnavailable *intstr.IntOrString `json:"maxUnavailable,omitempty"`

	// minAvailable is how many pods must be left: a number, or a share of the desired ones. As many as are desired would
	// keep nodes from being drained.
	// +optional
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:XValidation:rule="type(self) == int ? self >= 0 : self.size() <= 4 && self.matches('^(100|[1-9]?[0-9])%$')",message="it is a number of pods, or a share of them up to 100%; correct it"
	MinAvailable *intstr.IntOrString `json:"minAvailable,omitempty"`
}
