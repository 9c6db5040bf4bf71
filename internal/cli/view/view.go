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

// Package view says of an Application, in words for a terminal, how it fares, what belongs to it, and why it is not well.
//
// It is given all that was read, and the time. It sends nothing, reads no clock and no environment, and returns the same text for the
// same facts.
package view

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/cli-runtime/pkg/printers"

	v1 "github.com/example/app-operator/api/v1"
)

// Facts are what was read of an Application.
type Facts struct {
	Now         time.Time
	Application *v1.Application
	Deployment  *appsv1.Deployment
	// Pods are those of the Deployment, the oldest first.
	Pods []corev1.Pod
	// Objects are those that belong to the Application, or should.
	Objects []Object
	// Events are those of the Application and of its objects, the oldest first.
	Events []corev1.Event
	// Blocked says why objects cannot be had.
	Blocked []string
	// Unseen says what could not be read, and why.
	Unseen []string
	// Unbound are the claims that pods wait for.
	Unbound []Claim
	// Operators are those that were found, where the Application has no status of its own.
	Operators []Operator
}

// Object is one that belongs to the Application, or should.
type Object struct {
	Kind  string `json:"kind"`
	Name  string `json:"name"`
	State State  `json:"state"`
}

// State says how an object compares with what is wanted.
type State string

// The states.
const (
	AsWanted  State = "as wanted"
	Differs   State = "differs"
	Missing   State = "missing"
	NotWanted State = "to be deleted"
)

// Summary is the status as programs read it.
type Summary struct {
	Name       string             `json:"name"`
	Namespace  string             `json:"namespace"`
	Verdict    Verdict            `json:"verdict"`
	Reason     string             `json:"reason,omitempty"`
	Message    string             `json:"message,omitempty"`
	URL        string             `json:"url,omitempty"`
	Image      string             `json:"image"`
	Revision   string             `json:"revision,omitempty"`
	Replicas   string             `json:"replicas,omitempty"`
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	Pods       []Pod              `json:"pods,omitempty"`
	Objects    []Object           `json:"objects,omitempty"`
	Unseen     []string           `json:"unseen,omitempty"`
}

// Pod is one of the Application's.
type Pod struct {
	Name     string `json:"name"`
	Ready    string `json:"ready"`
	State    string `json:"state"`
	Restarts int32  `json:"restarts"`
	Age      string `json:"age"`
	Node     string `json:"node,omitempty"`
	Image    string `json:"image,omitempty"`
}

// Verdict is how an Application fares, in a word.
type Verdict string

// The verdicts.
const (
	Ready    Verdict = "ready"
	OnItsWay Verdict = "on its way"
	NotReady Verdict = "not ready"
	Degraded Verdict = "ready, with a fault"
	Unserved Verdict = "not looked at"
)

// Well reports whether nobody has to act.
func (v Verdict) Well() bool { return v == Ready || v == OnItsWay }

// VerdictOf returns how an Application fares by its conditions, and the condition that says so; nil for one that has none.
func VerdictOf(app *v1.Application) (Verdict, *metav1.Condition) {
	ready := meta.FindStatusCondition(app.Status.Conditions, v1.ConditionReady)
	if ready == nil {
		return Unserved, nil
	}
	if app.Status.ObservedGeneration < app.Generation {
		return OnItsWay, &metav1.Condition{Reason: v1.ReasonRollingOut, Message: "Waiting for the operator to look at the last change of the spec"}
	}
	degraded := meta.FindStatusCondition(app.Status.Conditions, v1.ConditionDegraded)
	switch {
	case ready.Status == metav1.ConditionFalse && ready.Reason != v1.ReasonSuspended && ready.Reason != v1.ReasonPaused:
		return NotReady, ready
	case degraded != nil && degraded.Status == metav1.ConditionTrue:
		if ready.Status == metav1.ConditionTrue {
			return Degraded, degraded
		}
		return NotReady, degraded
	case ready.Status == metav1.ConditionTrue:
		return Ready, ready
	default:
		return OnItsWay, ready
	}
}

// Settled reports whether nothing will be done until something changes, or somebody has to act, although the operator tries again.
func Settled(app *v1.Application) bool {
	conditions := app.Status.Conditions
	return app.Status.ObservedGeneration == app.Generation &&
		(meta.IsStatusConditionFalse(conditions, v1.ConditionProgressing) || meta.IsStatusConditionFalse(conditions, v1.ConditionReady))
}

// Summarize returns the status as programs read it.
func Summarize(f *Facts) Summary {
	app := f.Application
	verdict, condition := VerdictOf(app)
	summary := Summary{
		Name: app.Name, Namespace: app.Namespace, Verdict: verdict, URL: app.Status.URL, Image: app.Spec.Image,
		Revision: cmp.Or(app.Status.CurrentRevision, app.Status.UpdateRevision), Replicas: app.Status.ReplicaSummary,
		Conditions: app.Status.Conditions, Objects: f.Objects, Unseen: f.Unseen,
	}
	if condition != nil {
		summary.Reason, summary.Message = condition.Reason, condition.Message
	}
	for i := range f.Pods {
		summary.Pods = append(summary.Pods, podOf(&f.Pods[i], app.Name, f.Now))
	}
	return summary
}

// podOf returns what is shown of a pod.
func podOf(pod *corev1.Pod, app string, now time.Time) Pod {
	shown := Pod{Name: pod.Name, State: string(pod.Status.Phase), Age: age(pod.CreationTimestamp, now), Node: pod.Spec.NodeName}
	for _, container := range pod.Spec.Containers {
		if container.Name == app {
			shown.Image = container.Image
		}
	}
	ready := 0
	for _, container := range pod.Status.ContainerStatuses {
		shown.Restarts += container.RestartCount
		if container.Ready {
			ready++
		}
		if waiting := container.State.Waiting; waiting != nil && waiting.Reason != "" {
			shown.State = waiting.Reason
		}
		if ended := container.State.Terminated; ended != nil {
			shown.State = fmt.Sprintf("ended with exit code %d", ended.ExitCode)
		}
	}
	shown.Ready = fmt.Sprintf("%d/%d", ready, len(pod.Spec.Containers))
	if pod.DeletionTimestamp != nil {
		shown.State = "Terminating"
	}
	return shown
}

func age(since metav1.Time, now time.Time) string {
	if since.IsZero() {
		return "unknown"
	}
	return duration.HumanDuration(now.Sub(since.Time))
}

// Detail is how much is shown.
type Detail int

// The details.
const (
	Short Detail = iota
	Wide
)

// mostEvents is how many events the status shows: the last ones.
const mostEvents = 5

// Status writes the status on one screen.
func Status(out io.Writer, f *Facts, detail Detail) {
	s := Summarize(f)
	fmt.Fprintf(out, "%s in %s is %s", s.Name, s.Namespace, s.Verdict)
	if s.Reason != "" && s.Reason != v1.ReasonRolloutComplete {
		fmt.Fprintf(out, ": %s", s.Reason)
	}
	fmt.Fprintln(out)
	if s.Message != "" {
		fmt.Fprintf(out, "  %s\n", s.Message)
	}
	if s.Verdict == Unserved {
		fmt.Fprintf(out, "  No operator has looked at it yet: kubectl app why %s -n %s\n", s.Name, s.Namespace)
	}
	fmt.Fprintln(out)
	table := printers.GetNewTabWriter(out)
	for _, row := range [][2]string{
		{"URL", s.URL}, {"Image", s.Image}, {"Revision", s.Revision}, {"Replicas", replicas(f)},
	} {
		if row[1] != "" {
			fmt.Fprintf(table, "%s\t%s\n", row[0], row[1])
		}
	}
	_ = table.Flush()
	writeConditions(out, f, detail)
	writePods(out, s.Pods, detail)
	writeObjects(out, f)
	writeEvents(out, f)
}

// replicas returns how many pods there are, with a bar while they are replaced.
func replicas(f *Facts) string {
	app := f.Application
	words := app.Status.ReplicaSummary
	if words == "" {
		return ""
	}
	words += " ready"
	if f.Deployment == nil || f.Deployment.Spec.Replicas == nil || *f.Deployment.Spec.Replicas == 0 || Settled(app) {
		return words
	}
	const width = 20
	wanted := *f.Deployment.Spec.Replicas
	done := min(f.Deployment.Status.UpdatedReplicas, f.Deployment.Status.AvailableReplicas, wanted)
	filled := int(done) * width / int(wanted)
	return fmt.Sprintf("%s  [%s%s] %d of %d new pods available", words, strings.Repeat("#", filled), strings.Repeat(".", width-filled), done, wanted)
}

// plain are the conditions in plain words, by type and status.
var plain = map[string]map[metav1.ConditionStatus]string{
	v1.ConditionReady: {
		metav1.ConditionTrue: "is rolled out and available", metav1.ConditionFalse: "somebody has to act", metav1.ConditionUnknown: "is on its way",
	},
	v1.ConditionProgressing: {metav1.ConditionTrue: "is not there yet; the operator comes back", metav1.ConditionFalse: "is settled"},
	v1.ConditionAvailable: {
		metav1.ConditionTrue: "enough pods serve", metav1.ConditionFalse: "fewer pods than the minimum serve", metav1.ConditionUnknown: "nothing has been seen yet",
	},
	v1.ConditionDegraded: {metav1.ConditionTrue: "there is a fault", metav1.ConditionFalse: "no fault is seen"},
}

func writeConditions(out io.Writer, f *Facts, detail Detail) {
	if len(f.Application.Status.Conditions) == 0 {
		return
	}
	fmt.Fprintln(out)
	table := printers.GetNewTabWriter(out)
	for _, kind := range []string{v1.ConditionReady, v1.ConditionProgressing, v1.ConditionAvailable, v1.ConditionDegraded} {
		condition := meta.FindStatusCondition(f.Application.Status.Conditions, kind)
		if condition == nil {
			continue
		}
		words := plain[kind][condition.Status]
		if kind == v1.ConditionProgressing && condition.Status == metav1.ConditionTrue &&
			meta.IsStatusConditionFalse(f.Application.Status.Conditions, v1.ConditionReady) {
			words = "is not there yet; the operator notices when somebody has acted"
		}
		fmt.Fprintf(table, "%s\t%s\t%s", kind, condition.Status, words)
		if detail == Wide {
			fmt.Fprintf(table, "\t%s\t%s", age(condition.LastTransitionTime, f.Now), condition.Reason)
		}
		fmt.Fprintln(table)
	}
	_ = table.Flush()
}

// mostPods is how many pods one screen shows: those that do not run before the others.
const mostPods = 20

func writePods(out io.Writer, pods []Pod, detail Detail) {
	if len(pods) == 0 {
		return
	}
	if more := len(pods) - mostPods; detail == Short && more > 0 {
		running := func(pod Pod) int { return strings.Count(pod.State, "Running") }
		pods = slices.SortedStableFunc(slices.Values(pods), func(a, b Pod) int { return cmp.Compare(running(a), running(b)) })[:mostPods]
		defer fmt.Fprintf(out, "and %d more pods, which -o wide shows\n", more)
	}
	fmt.Fprintln(out)
	table := printers.GetNewTabWriter(out)
	fmt.Fprint(table, "POD\tREADY\tSTATE\tRESTARTS\tAGE")
	if detail == Wide {
		fmt.Fprint(table, "\tNODE\tIMAGE")
	}
	fmt.Fprintln(table)
	for _, pod := range pods {
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s", pod.Name, pod.Ready, pod.State, pod.Restarts, pod.Age)
		if detail == Wide {
			fmt.Fprintf(table, "\t%s\t%s", pod.Node, pod.Image)
		}
		fmt.Fprintln(table)
	}
	_ = table.Flush()
}

func writeObjects(out io.Writer, f *Facts) {
	if len(f.Objects) > 0 {
		fmt.Fprintln(out)
		table := printers.GetNewTabWriter(out)
		fmt.Fprintln(table, "OBJECT\tSTATE")
		for _, object := range f.Objects {
			fmt.Fprintf(table, "%s/%s\t%s\n", object.Kind, object.Name, object.State)
		}
		_ = table.Flush()
	}
	for _, blocked := range f.Blocked {
		fmt.Fprintf(out, "blocked: %s\n", blocked)
	}
	for _, unseen := range f.Unseen {
		fmt.Fprintf(out, "not seen: %s\n", unseen)
	}
}

func writeEvents(out io.Writer, f *Facts) {
	if len(f.Events) == 0 {
		return
	}
	fmt.Fprintln(out)
	Events(out, f.Events[max(0, len(f.Events)-mostEvents):], f.Now)
}

// Events writes events as a table.
func Events(out io.Writer, events []corev1.Event, now time.Time) {
	table := printers.GetNewTabWriter(out)
	fmt.Fprintln(table, "AGE\tTYPE\tREASON\tOBJECT\tMESSAGE")
	for i := range events {
		event := &events[i]
		fmt.Fprintf(table, "%s\t%s\t%s\t%s/%s\t%s\n", age(EventTime(event), now), event.Type, event.Reason,
			event.InvolvedObject.Kind, event.InvolvedObject.Name, strings.TrimSpace(event.Message))
	}
	_ = table.Flush()
}

// EventTime returns when an event was last seen.
func EventTime(event *corev1.Event) metav1.Time {
	switch {
	case event.Series != nil:
		return metav1.Time(event.Series.LastObservedTime)
	case !event.LastTimestamp.IsZero():
		return event.LastTimestamp
	case !event.EventTime.IsZero():
		return metav1.Time(event.EventTime)
	default:
		return event.CreationTimestamp
	}
}
