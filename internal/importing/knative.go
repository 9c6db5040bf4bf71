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
	"maps"
	"slices"
	"strconv"
	"strings"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	v1 "github.com/example/app-operator/api/v1"
)

// knativeScaling are annotations of a revision's template.
const knativeScaling = "autoscaling.knative.dev/"

// readKnative reads a Service of Knative: its template is that of pods.
func readKnative(s *session, doc *document) {
	dropDefaults(doc.left, under("spec.template", podDefaults))
	doc.original = generic(doc.left).(map[string]any) //nolint:forcetypeassert // an object stays one
	template := doc.root().in("spec", "template")
	w := newForeign(s, doc, template.in("spec"), part{})
	w.template = template
	if !w.chooseServing() {
		return
	}
	w.remarkKnative(doc.root().in("metadata"))
	w.identify()
	w.readKnativePorts()
	w.readKnativeScaling(template.in("metadata"))
	w.remarkKnative(template.in("metadata"))
	template.in("metadata").remark("name", "revisions are named by the operator; kubectl get controllerrevisions shows them")
	w.readPodMetadata(template.in("metadata"))
	w.readMain()
	if w.app.Spec.Probes == nil {
		w.pod.note("", nil, "Knative asks the port by TCP before it sends requests; here that is the readiness probe")
		w.probes().Readiness = &v1.Probe{TCPSocket: &v1.TCPSocketProbe{}}
	}
	w.pod.dropIf("containerConcurrency", 0)
	w.pod.dropIf("timeoutSeconds", 300)
	if template.has("metadata") && len(template.in("metadata").fields) == 0 {
		template.drop("metadata")
	}
	w.readSecurity()
	w.readOtherContainers()
	w.readVolumes()
	w.readScheduling()
	w.readAccount()
	if value, ok := take[bool](w.pod, "enableServiceLinks"); ok {
		w.app.Spec.EnableServiceLinks = &value
	}
	doc.root().in("spec").dropIf("traffic", []any{map[string]any{"latestRevision": true, "percent": 100}})
	w.exposeKnative()
	w.keepRest()
	w.finishScaling()
}

// remarkKnative takes what only Knative reads.
func (w *workload) remarkKnative(metadata part) {
	annotations := metadata.in("annotations")
	for _, key := range slices.Sorted(maps.Keys(annotations.fields)) {
		if domain, _, _ := strings.Cut(key, "/"); strings.HasSuffix(domain, "knative.dev") {
			annotations.remark(key, "it is for Knative; see spec.autoscaling.behavior for how fast pods come and go, and spec.rollout for how they are replaced")
		}
	}
	if metadata.has("annotations") && len(annotations.fields) == 0 {
		metadata.drop("annotations")
	}
}

// chooseServing chooses the container that serves: the one with a port.
func (w *workload) chooseServing() bool {
	containers := w.pod.list("containers")
	if len(containers) == 0 {
		w.fail(w.doc, "spec.template.spec.containers", errNoContainer)
		return false
	}
	serving := slices.IndexFunc(containers, func(container part) bool { return container.has("ports") })
	w.main = containers[max(serving, 0)]
	w.mainName = w.main.peek("name")
	if w.mainName != "" && w.mainName != w.app.Name {
		w.main.note("name", w.mainName, "the application's own container is named like the Application, "+w.app.Name)
	}
	w.main.drop("name")
	return true
}

// readKnativePorts reads the one port. Without it, it is 8080.
func (w *workload) readKnativePorts() {
	ports := w.containerPorts(w.main)
	if len(ports) == 0 {
		ports = []*portEntry{{number: 8080, protocol: corev1.ProtocolTCP, within: w.main}}
		w.main.note("ports", nil, "it is not set, and 8080 there; correct spec.port if the program listens elsewhere")
	}
	for _, port := range ports {
		port.served, port.hasService = 80, true
		if port.name == "h2c" || port.name == "http1" {
			if port.name == "h2c" {
				port.appProtocol = new("kubernetes.io/h2c")
			}
			port.name, port.containerName = "", ""
		}
		w.ports = append(w.ports, port)
	}
	w.finishPorts()
	if !slices.ContainsFunc(w.main.list("env"), func(item part) bool { return item.peek("name") == "PORT" }) {
		w.app.Spec.Env = append(w.app.Spec.Env, corev1.EnvVar{Name: "PORT", Value: strconv.Itoa(int(w.ports[0].number))})
		w.main.note("env", nil, "Knative sets the variable PORT, and here it is in spec.env; remove it if the program does not read it")
	}
}

// readKnativeScaling reads how many pods run.
func (w *workload) readKnativeScaling(metadata part) {
	annotations := metadata.in("annotations")
	get := func(name string) (int32, bool) {
		for _, key := range []string{knativeScaling + name, knativeScaling + camel(name)} {
			if annotations.has(key) {
				return annotations.number(key)
			}
		}
		return 0, false
	}
	least, _ := get("min-scale")
	most, bounded := get("max-scale")
	switch {
	case least == 0:
		annotations.note(knativeScaling+"min-scale", nil, "Knative goes down to no pod without requests, and an Application keeps one; KEDA's HTTP add-on goes to none")
		least = 1
		fallthrough
	case bounded && most > 0:
		w.replicasBetween(least, max(most, least))
	default:
		w.app.Spec.Replicas = &least
		annotations.note(knativeScaling+"max-scale", nil, "without it there is no bound; give spec.autoscaling.maxReplicas, or there are spec.replicas pods")
	}
	if initial, ok := get("initial-scale"); ok {
		w.app.Spec.Replicas = &initial
	}
	target, aimed := get("target")
	metric := annotations.text(knativeScaling + "metric")
	annotations.dropIf(knativeScaling+"class", "hpa.autoscaling.knative.dev")
	switch {
	case w.app.Spec.Autoscaling == nil:
	case metric == "cpu" && aimed:
		w.scaling().TargetCPUUtilizationPercentage = &target
	case metric == "memory" && aimed:
		annotations.note(knativeScaling+"target", target, "it is mebibytes there; it is the mean of each pod here")
		w.scaling().Metrics = []autoscalingv2.MetricSpec{memoryTarget(target)}
	default:
		annotations.note(knativeScaling+"metric", metric, fmt.Sprintf("pods are scaled by CPU, 80%% of its request, and not by requests (%d); give spec.resources.requests.cpu, "+
			"and test the bounds again, or use KEDA", target))
	}
	if len(annotations.fields) == 0 {
		metadata.drop("annotations")
	}
}

// camel returns the older spelling of an annotation.
func camel(name string) string {
	text, upper := "", false
	for _, letter := range name {
		switch {
		case letter == '-':
			upper = true
			continue
		case upper:
			letter -= 'a' - 'A'
		}
		upper = false
		text += string(letter)
	}
	return text
}

// exposeKnative says how it is reached.
func (w *workload) exposeKnative() {
	labels := w.doc.root().in("metadata")
	visibility := "networking.knative.dev/visibility"
	original, _ := w.doc.original["metadata"].(map[string]any)
	if stringMap(original["labels"])[visibility] == "cluster-local" {
		if common := w.app.Spec.ObjectMetadata; common != nil {
			delete(common.Labels, visibility)
			if len(common.Labels)+len(common.Annotations) == 0 {
				w.app.Spec.ObjectMetadata = nil
			}
		}
		return
	}
	labels.note("name", w.doc.name, "a Service of Knative is reached from outside at once; an Application is with spec.ingress or spec.httpRoute: give the host")
}

// memoryTarget is a mean use of memory of so many mebibytes.
func memoryTarget(mebibytes int32) autoscalingv2.MetricSpec {
	quantity := resource.NewQuantity(int64(mebibytes)<<20, resource.BinarySI)
	return autoscalingv2.MetricSpec{Type: autoscalingv2.ResourceMetricSourceType, Resource: &autoscalingv2.ResourceMetricSource{
		Name: corev1.ResourceMemory, Target: autoscalingv2.MetricTarget{Type: autoscalingv2.AverageValueMetricType, AverageValue: quantity},
	}}
}
