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

package importing

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/resources"
)

// readScheduling reads where the pods run.
func (w *workload) readScheduling() {
	var scheduling v1.SchedulingSpec
	scheduling.NodeSelector, _ = take[map[string]string](w.pod, "nodeSelector")
	scheduling.Tolerations, _ = take[[]corev1.Toleration](w.pod, "tolerations")
	if affinity, ok := take[corev1.Affinity](w.pod, "affinity"); ok && !same(affinity, corev1.Affinity{}) {
		w.reselectAffinity(&affinity)
		scheduling.Affinity = &affinity
	}
	w.pod.dropIf("topologySpreadConstraints", w.defaultSpread())
	for i, constraint := range mustList[corev1.TopologySpreadConstraint](w.pod, "topologySpreadConstraints") {
		if w.isOwnSelector(constraint.LabelSelector) {
			constraint.LabelSelector = nil // means the application's pods
		}
		w.reselect(constraint.LabelSelector)
		for _, other := range scheduling.TopologySpreadConstraints {
			if other.TopologyKey == constraint.TopologyKey && other.WhenUnsatisfiable == constraint.WhenUnsatisfiable {
				w.pod.note(fmt.Sprintf("topologySpreadConstraints[%d]", i), constraint.TopologyKey,
					"there is another constraint of this key; give one of the two")
			}
		}
		scheduling.TopologySpreadConstraints = append(scheduling.TopologySpreadConstraints, constraint)
	}
	scheduling.PriorityClassName = w.pod.text("priorityClassName")
	if class := w.pod.text("runtimeClassName"); class != "" {
		scheduling.RuntimeClassName = &class
	}
	if !same(scheduling, v1.SchedulingSpec{}) {
		w.app.Spec.Scheduling = &scheduling
	}
}

// defaultSpread returns the constraints that each Application has which gives none.
func (w *workload) defaultSpread() any {
	return []any{map[string]any{
		"maxSkew": 1, "topologyKey": corev1.LabelHostname, "whenUnsatisfiable": string(corev1.ScheduleAnyway),
		"labelSelector": map[string]any{"matchLabels": resources.Labels(w.app.Name)}, "matchLabelKeys": []any{"pod-template-hash"},
	}}
}

// isOwnSelector reports whether a selector is the Deployment's own.
func (w *workload) isOwnSelector(selector *metav1.LabelSelector) bool {
	own, _ := w.doc.original["spec"].(map[string]any)
	return selector != nil && (same(selector, own["selector"]) || same(selector.MatchLabels, resources.Labels(w.app.Name)))
}

// reselect has a selector that finds the pods find them by the labels that they have from now on.
func (w *workload) reselect(selector *metav1.LabelSelector) {
	if selector == nil || !w.selects(selector) {
		return
	}
	for key := range selector.MatchLabels {
		if reserved(key) && key != "pod-template-hash" {
			selector.MatchLabels[key] = w.newLabel(key)
		}
	}
	for i, expression := range selector.MatchExpressions {
		if reserved(expression.Key) && expression.Operator == metav1.LabelSelectorOpIn {
			selector.MatchExpressions[i].Values = []string{w.newLabel(expression.Key)}
		}
	}
}

func (w *workload) reselectAffinity(affinity *corev1.Affinity) {
	var terms []corev1.PodAffinityTerm
	if of := affinity.PodAffinity; of != nil {
		terms = append(terms, of.RequiredDuringSchedulingIgnoredDuringExecution...)
		for _, weighted := range of.PreferredDuringSchedulingIgnoredDuringExecution {
			terms = append(terms, weighted.PodAffinityTerm)
		}
	}
	if of := affinity.PodAntiAffinity; of != nil {
		terms = append(terms, of.RequiredDuringSchedulingIgnoredDuringExecution...)
		for _, weighted := range of.PreferredDuringSchedulingIgnoredDuringExecution {
			terms = append(terms, weighted.PodAffinityTerm)
		}
	}
	for _, term := range terms {
		w.reselect(term.LabelSelector)
	}
}

func (w *workload) rollout() *v1.RolloutSpec {
	if w.app.Spec.Rollout == nil {
		w.app.Spec.Rollout = &v1.RolloutSpec{}
	}
	return w.app.Spec.Rollout
}

// readRollout reads how the Deployment is rolled out. Kubernetes' defaults for what may be unavailable and for the history are left to
// the Application's own, except where the operator has made the Deployment.
func (w *workload) readRollout() {
	spec := w.doc.root().in("spec")
	if replicas, ok := take[int32](spec, "replicas"); ok {
		w.app.Spec.Replicas = &replicas
	}
	w.readStrategy(spec)
	if seconds, ok := take[int32](spec, "minReadySeconds"); ok {
		w.rollout().MinReadySeconds = seconds
	}
	if seconds, ok := take[int32](spec, "progressDeadlineSeconds"); ok {
		w.rollout().ProgressDeadlineSeconds = &seconds
	}
	if limit, ok := take[int32](spec, "revisionHistoryLimit"); ok && limit != 3 && (limit != 10 || w.operators) {
		w.rollout().RevisionHistoryLimit = &limit
	}
	if same(w.app.Spec.Rollout, v1.RolloutSpec{}) {
		w.app.Spec.Rollout = nil
	}
}

// readStrategy reads how pods are replaced.
func (w *workload) readStrategy(spec part) {
	strategy := spec.in("strategy")
	w.readStrategyType(strategy)
	if surge, ok := take[intstr.IntOrString](strategy.in("rollingUpdate"), "maxSurge"); ok {
		w.rollout().MaxSurge = &surge
	}
	if unavailable, ok := take[intstr.IntOrString](strategy.in("rollingUpdate"), "maxUnavailable"); ok {
		w.rollout().MaxUnavailable = &unavailable
		if unavailable.String() == "0" || unavailable.String() == "25%" && !w.operators {
			w.rollout().MaxUnavailable = nil
		}
	}
	if rollout := w.app.Spec.Rollout; rollout != nil && rollout.MaxSurge != nil && rollout.MaxUnavailable == nil {
		if surge := rollout.MaxSurge.String(); surge == "0" || surge == "0%" { // then pods have to go before others come
			rollout.MaxUnavailable = new(intstr.FromString("25%"))
		}
	}
	if spec.has("strategy") && len(strategy.fields) == 0 {
		spec.drop("strategy")
	}
}
