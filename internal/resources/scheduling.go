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
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/utils/ptr"

	v1 "github.com/example/app-operator/api/v1"
)

// addScheduling says where the pods may run.
func addScheduling(spec *corev1ac.PodSpecApplyConfiguration, app *v1.Application) error {
	scheduling := ptr.Deref(app.Spec.Scheduling, v1.SchedulingSpec{})
	tolerations, err := toApplyConfigs[corev1ac.TolerationApplyConfiguration](scheduling.Tolerations)
	if err != nil {
		return err
	}
	constraints, err := spread(Labels(app.Name), scheduling.TopologySpreadConstraints)
	if err != nil {
		return err
	}
	if scheduling.Affinity != nil {
		if spec.Affinity, err = toApplyConfig[corev1ac.AffinityApplyConfiguration](scheduling.Affinity); err != nil {
			return err
		}
	}
	if len(constraints) == 0 {
		// Over hosts where that is possible, whatever the number of replicas: a template that depended on it would restart the first
		// pod when the second one comes.
		constraints = append(constraints, corev1ac.TopologySpreadConstraint().
			WithMaxSkew(1).
			WithTopologyKey(corev1.LabelHostname).
			WithWhenUnsatisfiable(corev1.ScheduleAnyway).
			WithLabelSelector(metav1ac.LabelSelector().WithMatchLabels(Labels(app.Name))).
			WithMatchLabelKeys(appsv1.DefaultDeploymentUniqueLabelKey)) // each revision by itself
	}
	spec.WithNodeSelector(scheduling.NodeSelector).
		WithTolerations(tolerations...).
		WithTopologySpreadConstraints(constraints...)
	if scheduling.PriorityClassName != "" {
		spec.WithPriorityClassName(scheduling.PriorityClassName)
	}
	spec.RuntimeClassName = ptrCopy(scheduling.RuntimeClassName)
	return nil
}

// spread returns the user's constraints, each about the pods with these labels if it does not say about which.
func spread(
	labels map[string]string, constraints []corev1.TopologySpreadConstraint,
) ([]*corev1ac.TopologySpreadConstraintApplyConfiguration, error) {
	configs, err := toApplyConfigs[corev1ac.TopologySpreadConstraintApplyConfiguration](constraints)
	if err != nil {
		return nil, err
	}
	for _, config := range configs {
		if config.LabelSelector == nil {
			config.WithLabelSelector(metav1ac.LabelSelector().WithMatchLabels(labels))
		}
	}
	return configs, nil
}

// sharesNode reports whether the pods mount a claim that maybe one node at a time can mount. Of a claim that is not made, the modes are not
// known.
func sharesNode(app *v1.Application) bool {
	return slices.ContainsFunc(sourcesOf(app), func(source namedSource) bool {
		claim := source.PersistentVolumeClaim
		return claim != nil && !slices.Contains(claim.AccessModes, corev1.ReadWriteMany)
	})
}

// preferNodeOf has a Job's pod prefer a node of the application's pods, beside what the user prefers: on another one it may wait for the
// volume of a claim until its deadline.
func preferNodeOf(spec *corev1ac.PodSpecApplyConfiguration, app *v1.Application) {
	if spec.Affinity == nil {
		spec.WithAffinity(corev1ac.Affinity())
	}
	if spec.Affinity.PodAffinity == nil {
		spec.Affinity.WithPodAffinity(corev1ac.PodAffinity())
	}
	spec.Affinity.PodAffinity.WithPreferredDuringSchedulingIgnoredDuringExecution(corev1ac.WeightedPodAffinityTerm().
		WithWeight(maxAffinityWeight).
		WithPodAffinityTerm(corev1ac.PodAffinityTerm().
			WithLabelSelector(metav1ac.LabelSelector().WithMatchLabels(Labels(app.Name))).
			WithTopologyKey(corev1.LabelHostname)))
}

// maxAffinityWeight is the most that a preference for a node can weigh.
const maxAffinityWeight = 100
