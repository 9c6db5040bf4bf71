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
	"strings"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	v1 "github.com/example/app-operator/api/v1"
)

// readAutoscaler reads the autoscaler of the Deployment.
func (w *workload) readAutoscaler(doc *document) {
	spec := doc.root().in("spec")
	target := spec.in("scaleTargetRef")
	if target.peek("kind") != "Deployment" || !strings.HasPrefix(target.peek("apiVersion"), "apps/") || target.peek("name") != w.doc.name {
		return
	}
	if by := controllerOf(doc); by != "" {
		w.leaveScalingTo(by, doc)
		return
	}
	if w.app.Spec.Autoscaling != nil {
		doc.keep("a Deployment can have one autoscaler, and this is the second one; remove it")
		return
	}
	w.plainCompanion(doc)
	spec.drop("scaleTargetRef")
	scaling := &v1.AutoscalingSpec{}
	if least, ok := take[int32](spec, "minReplicas"); ok && least != 1 {
		if least == 0 {
			spec.note("minReplicas", 0, "an Application's autoscaler keeps at least one pod; use KEDA to have none")
		} else {
			scaling.MinReplicas = &least
		}
	}
	scaling.MaxReplicas, _ = take[int32](spec, "maxReplicas")
	w.readMetrics(spec, scaling)
	if behavior, ok := take[autoscalingv2.HorizontalPodAutoscalerBehavior](spec, "behavior"); ok {
		scaling.Behavior = &behavior
	}
	w.app.Spec.Autoscaling = scaling
}

// leaveScalingTo says how the maker of an autoscaler, such as KEDA's ScaledObject, scales the Application.
func (w *workload) leaveScalingTo(by string, doc *document) {
	doc.keep(by + " makes it again and again: have that scale the Application, by the apiVersion apps.example.com/v1 and the kind Application in " +
		"its scaleTargetRef")
	if replicas := w.app.Spec.Replicas; replicas != nil {
		w.doc.root().in("spec").note("replicas", *replicas, "it is left out, since "+by+" decides it")
		w.app.Spec.Replicas = nil
	}
}

// controllerOf returns the kind and the name of whoever makes an object, or "".
func controllerOf(doc *document) string {
	for _, owner := range doc.root().in("metadata").list("ownerReferences") {
		if owner.fields["controller"] == true {
			return owner.peek("kind") + " " + owner.peek("name")
		}
	}
	return ""
}

// readMetrics reads what is aimed at: of CPU and memory first, if they come first.
func (w *workload) readMetrics(spec part, scaling *v1.AutoscalingSpec) {
	if cpu, ok := take[int32](spec, "targetCPUUtilizationPercentage"); ok { // autoscaling/v1
		scaling.TargetCPUUtilizationPercentage = &cpu
	}
	metrics := mustList[autoscalingv2.MetricSpec](spec, "metrics")
	for _, of := range []struct {
		resource corev1.ResourceName
		to       **int32
	}{{corev1.ResourceCPU, &scaling.TargetCPUUtilizationPercentage}, {corev1.ResourceMemory, &scaling.TargetMemoryUtilizationPercentage}} {
		if *of.to == nil && len(metrics) > 0 && isUtilization(metrics[0], of.resource) {
			*of.to = metrics[0].Resource.Target.AverageUtilization
			metrics = metrics[1:]
		}
	}
	for i := range metrics {
		if of := metrics[i].ContainerResource; of != nil && of.Container == w.mainName {
			of.Container = w.app.Name
		}
		if of := metrics[i].Object; of != nil && w.service != nil && of.DescribedObject.Kind == "Service" && of.DescribedObject.Name == w.service.name {
			of.DescribedObject.Name = w.app.Name
		}
	}
	scaling.Metrics = metrics
}

// isUtilization reports whether a metric is how much of a resource's requests is used.
func isUtilization(metric autoscalingv2.MetricSpec, of corev1.ResourceName) bool {
	return metric.Type == autoscalingv2.ResourceMetricSourceType && metric.Resource != nil && metric.Resource.Name == of &&
		metric.Resource.Target.Type == autoscalingv2.UtilizationMetricType
}

// readBudget reads the budget for evictions.
func (w *workload) readBudget(doc *document) {
	spec := doc.root().in("spec")
	switch selector := spec.fields["selector"]; {
	case !w.selects(selector):
		return
	case !w.isAbout(doc, selector):
		w.sharedBudgets = append(w.sharedBudgets, doc)
		return
	}
	if w.app.Spec.DisruptionBudget != nil {
		doc.keep("an Application has one PodDisruptionBudget, and two that find the same pods keep them from being evicted at all; remove it")
		return
	}
	w.plainCompanion(doc)
	spec.drop("selector")
	budget := &v1.DisruptionBudgetSpec{}
	if least, ok := take[intstr.IntOrString](spec, "minAvailable"); ok {
		budget.MinAvailable = &least
	}
	if most, ok := take[intstr.IntOrString](spec, "maxUnavailable"); ok && most != intstr.FromInt32(1) {
		budget.MaxUnavailable = &most
	}
	spec.drop("unhealthyPodEvictionPolicy") // pods that are not ready may always be evicted
	w.app.Spec.DisruptionBudget = budget
}

// keepBudget has a budget that other pods may have too stay an object of its own. No pod is evicted that two budgets find.
func (w *workload) keepBudget(doc *document) {
	const shared = "its selector is not the Deployment's, so it may find pods of others too, and stays an object of its own"
	own := w.app.Spec.DisruptionBudget
	key := w.changedLabel(doc.root().in("spec").fields["selector"])
	switch {
	case key != "":
		doc.keep(shared + "; it finds these no longer, by " + key + ", which is " + w.newLabel(key) + " from now on, and they have spec.disruptionBudget")
	case own != nil && own.Enabled == nil:
		doc.keep(shared + "; two that find the same pods keep them from being evicted at all, so its selector has to leave these pods out, " +
			"or set spec.disruptionBudget.enabled: false")
	default:
		w.app.Spec.DisruptionBudget = &v1.DisruptionBudgetSpec{Enabled: new(false)}
		doc.keep(shared + "; two that find the same pods keep them from being evicted at all, so spec.disruptionBudget.enabled is false. For a budget " +
			"of the Application's own, have its selector leave these pods out, and remove that")
	}
}

// finishScaling says what follows from several objects together.
func (w *workload) finishScaling() {
	spec := &w.app.Spec
	switch replicas := ptr.Deref(spec.Replicas, 1); {
	case spec.Autoscaling != nil && spec.Replicas != nil && replicas == 0:
		spec.Suspend, spec.Replicas = true, nil // an autoscaler leaves a Deployment of no pods alone
	case replicas == 1 && spec.Autoscaling == nil:
		spec.Replicas = nil
	}
	for _, doc := range w.sharedBudgets {
		w.keepBudget(doc)
	}
	if budget := spec.DisruptionBudget; budget == nil && w.operators {
		if ptr.Deref(spec.Replicas, 1) > 1 || spec.Autoscaling != nil && !spec.Suspend {
			spec.DisruptionBudget = &v1.DisruptionBudgetSpec{Enabled: new(false)}
		}
	} else if budget != nil && same(budget, v1.DisruptionBudgetSpec{}) {
		spec.DisruptionBudget = nil
	}
}
