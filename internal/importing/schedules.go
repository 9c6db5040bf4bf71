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
	"regexp"
	"slices"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/resources"
)

// templateOfJobs returns what the pods of a schedule have of the Deployment's, before anything is taken out of it.
func (w *workload) templateOfJobs() map[string]any {
	spec := runtime.DeepCopyJSON(w.pod.fields)
	metadata, _ := w.template.fields["metadata"].(map[string]any)
	return map[string]any{"spec": spec, "metadata": runtime.DeepCopyJSON(metadata)}
}

// readCronJob makes a schedule of a CronJob of the same image.
func (w *workload) readCronJob(doc *document, template map[string]any) {
	spec := doc.root().in("spec")
	job := spec.in("jobTemplate", "spec")
	containers := job.in("template", "spec").list("containers")
	if len(containers) == 0 || repository(containers[0].peek("image")) != repository(w.app.Spec.Image) {
		return
	}
	if len(containers) > 1 {
		doc.keep("a schedule has one container; keep it as an object of its own")
		return
	}
	container := containers[0]
	name := w.scheduleName(doc.name)
	if w.app.Name+"-"+name != doc.name && !w.ownedByApplication(doc) {
		doc.root().note("metadata.name", doc.name, "the CronJob of a schedule has the Application's name before its own: it is "+w.app.Name+"-"+name)
	}
	schedule := v1.Schedule{Name: name, Schedule: strings.Join(strings.Fields(spec.text("schedule")), " "), TimeZone: spec.text("timeZone")}
	if zone, fields, _ := strings.Cut(schedule.Schedule, " "); strings.HasPrefix(strings.TrimPrefix(zone, "CRON_"), "TZ=") {
		_, schedule.TimeZone, _ = strings.Cut(zone, "=")
		schedule.Schedule = fields
	}
	w.readRuns(spec, job, &schedule)
	schedule.Command = mustList[string](container, "command")
	schedule.Args = mustList[string](container, "args")
	schedule.Resources = w.ownResources(container)
	if image := container.text("image"); image != w.app.Spec.Image {
		container.note("image", image, "a schedule runs the application's image, "+w.app.Spec.Image)
	}
	w.noteGains(job.in("template"))
	w.plainCompanion(doc)
	w.dropOwnLabels(spec.in("jobTemplate", "metadata"))
	w.readPodsOfRuns(job.in("template"), template)
	w.app.Spec.Schedules = append(w.app.Spec.Schedules, schedule)
}

// notInSchedule is what the name of a schedule does not have.
var notInSchedule = regexp.MustCompile(`[^-a-z0-9]+`)

// maxCronJobName is how long the name of a CronJob may be.
const maxCronJobName = 52

// scheduleName returns the name of the schedule that a CronJob of the name becomes, which no other has.
func (w *workload) scheduleName(of string) string {
	free := max(maxCronJobName-len(w.app.Name)-1, 2)
	short := func(name string, length int) string {
		return strings.Trim(name[:min(len(name), length)], "-")
	}
	plain := short(strings.Trim(notInSchedule.ReplaceAllString(strings.TrimPrefix(of, w.app.Name+"-"), "-"), "-"), free)
	name := plain
	for number := 2; slices.ContainsFunc(w.app.Spec.Schedules, func(other v1.Schedule) bool { return other.Name == name }); number++ {
		suffix := fmt.Sprintf("-%d", number)
		name = short(plain, free-len(suffix)) + suffix
	}
	return name
}

// readRuns reads when and how often it runs.
func (w *workload) readRuns(spec, job part, schedule *v1.Schedule) {
	schedule.ConcurrencyPolicy, _ = take[batchv1.ConcurrencyPolicy](spec, "concurrencyPolicy")
	schedule.Suspend, _ = take[bool](spec, "suspend")
	for _, of := range []struct {
		in   part
		name string
		to   **int64
	}{
		{spec, "startingDeadlineSeconds", &schedule.StartingDeadlineSeconds}, {job, "activeDeadlineSeconds", &schedule.ActiveDeadlineSeconds},
	} {
		if value, ok := take[int64](of.in, of.name); ok {
			*of.to = &value
		}
	}
	for _, of := range []struct {
		in   part
		name string
		to   **int32
	}{
		{job, "backoffLimit", &schedule.BackoffLimit},
		{spec, "successfulJobsHistoryLimit", &schedule.SuccessfulJobsHistoryLimit},
		{spec, "failedJobsHistoryLimit", &schedule.FailedJobsHistoryLimit},
	} {
		if value, ok := take[int32](of.in, of.name); ok {
			*of.to = &value
		}
	}
}

// ownResources takes what a run needs. It is nil where that is what the application needs.
func (w *workload) ownResources(container part) *v1.ResourceRequirements {
	of := container.in("resources")
	own := v1.ResourceRequirements{}
	own.Requests, _ = take[v1.ResourceList](of, "requests")
	own.Limits, _ = take[v1.ResourceList](of, "limits")
	if of.fields != nil && len(of.fields) == 0 {
		container.drop("resources")
	}
	if same(own, ptr.Deref(w.app.Spec.Resources, v1.ResourceRequirements{})) {
		return nil
	}
	return &own
}

// readPodsOfRuns takes what the runs' pods have in common with the application's, which is what they get.
func (w *workload) readPodsOfRuns(of part, template map[string]any) {
	pod := of.in("spec")
	w.dropOwnConstraints(of)
	w.dropOwnLabels(of.in("metadata"))
	dropOwnGate(pod)
	dropOwnAffinity(pod)
	pod.dropIf("restartPolicy", string(corev1.RestartPolicyNever))
	container := pod.list("containers")[0]
	container.drop("name")
	container.dropIf("imagePullPolicy", string(resources.PullPolicy(w.app.Spec.Image)))
	container.dropIf("terminationMessagePolicy", string(corev1.TerminationMessageReadFile))
	spec, _ := template["spec"].(map[string]any)
	containers, _ := spec["containers"].([]any)
	for i, item := range containers {
		if main, ok := item.(map[string]any); ok && w.main.path == fmt.Sprintf("%s[%d]", w.pod.pathOf("containers"), i) {
			subtract(container.fields, main)
		}
	}
	subtract(pod.fields, without(spec, "containers"))
	metadata, _ := template["metadata"].(map[string]any)
	subtract(of.in("metadata").fields, metadata)
}

// dropOwnLabels takes the labels of the operator.
func (w *workload) dropOwnLabels(metadata part) {
	labels := metadata.in("labels")
	for key := range labels.fields {
		if strings.HasPrefix(key, operatorPrefix) {
			labels.drop(key)
		}
	}
	if labels.fields != nil && len(labels.fields) == 0 {
		metadata.drop("labels")
	}
}

// dropOwnGate takes what keeps the operator's own runs from being Ready.
func dropOwnGate(pod part) {
	for _, gate := range pod.list("readinessGates") {
		if strings.HasPrefix(gate.peek("conditionType"), operatorPrefix) {
			gate.empty()
		}
	}
	pod.dropEmpty("readinessGates")
}

// dropOwnAffinity takes what has the operator's own runs prefer the node of the application's pods.
func dropOwnAffinity(pod part) {
	const preferred = "preferredDuringSchedulingIgnoredDuringExecution"
	for _, term := range pod.in("affinity", "podAffinity").list(preferred) {
		labels := term.in("podAffinityTerm", "labelSelector", "matchLabels")
		if labels.peek(resources.LabelManagedBy) == resources.ManagedBy {
			term.empty()
		}
	}
}

// dropOwnConstraints takes constraints that are the application's, about the pods of the runs instead.
func (w *workload) dropOwnConstraints(of part) {
	if w.app.Spec.Scheduling == nil {
		return
	}
	for _, item := range of.in("spec").list("topologySpreadConstraints") {
		constraint := without(item.fields, "")
		if onlyReserved(item.in("labelSelector").fields) {
			delete(constraint, "labelSelector")
		}
		for _, own := range w.app.Spec.Scheduling.TopologySpreadConstraints {
			if same(own, constraint) {
				item.empty()
			}
		}
	}
}

// onlyReserved reports whether a selector asks for the operator's own labels alone.
func onlyReserved(selector map[string]any) bool {
	labels := stringMap(selector["matchLabels"])
	for key := range labels {
		if !strings.HasPrefix(key, operatorPrefix) {
			return false
		}
	}
	return len(labels) > 0 && len(selector) == 1
}

// subtract takes out of a value what another has as well.
func subtract(of, other map[string]any) {
	for name, value := range of {
		known, ok := other[name]
		if !ok {
			continue
		}
		if same(value, known) {
			delete(of, name)
			continue
		}
		fields, isObject := value.(map[string]any)
		knownFields, _ := known.(map[string]any)
		if isObject {
			if subtract(fields, knownFields); len(fields) == 0 {
				delete(of, name)
			}
			continue
		}
		if items, isList := value.([]any); isList {
			knownItems, _ := known.([]any)
			subtractItems(items, knownItems)
		}
	}
}

// subtractItems empties the items of a list that another list has as well.
func subtractItems(items, known []any) {
	for _, item := range items {
		for _, other := range known {
			if fields, ok := item.(map[string]any); ok && same(item, other) {
				clear(fields)
			}
		}
	}
}

// repository returns an image without its tag and digest.
func repository(image string) string {
	image, _, _ = strings.Cut(image, "@")
	if at := strings.LastIndex(image, ":"); at > strings.LastIndex(image, "/") {
		return image[:at]
	}
	return image
}
