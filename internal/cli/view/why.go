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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/example/app-operator/api/v1"
)

// Operator is one that was found in the cluster.
type Operator struct {
	Namespace, Name string
	// Serves are the namespaces whose Applications it serves; none for all.
	Serves []string
	// Unknown says that they could not be told.
	Unknown bool
	Ready   int32
}

// OperatorOf returns what a Deployment of the operator says of the namespaces that it serves.
func OperatorOf(deployment *appsv1.Deployment) Operator {
	operator := Operator{Namespace: deployment.Namespace, Name: deployment.Name, Ready: deployment.Status.ReadyReplicas, Unknown: true}
	for _, container := range deployment.Spec.Template.Spec.Containers {
		for _, variable := range container.Env {
			if variable.Name != "WATCH_NAMESPACE" {
				continue
			}
			operator.fromVariable(variable, deployment.Spec.Template.Annotations)
		}
		for _, arg := range container.Args { // a flag wins over the variable
			if value, ok := strings.CutPrefix(arg, "--namespace="); ok {
				operator.serve(value)
			}
		}
	}
	return operator
}

func (o *Operator) fromVariable(variable corev1.EnvVar, annotations map[string]string) {
	if variable.ValueFrom == nil || variable.ValueFrom.FieldRef == nil {
		if variable.Value != "" {
			o.serve(variable.Value)
		}
		return
	}
	path := variable.ValueFrom.FieldRef.FieldPath
	if path == "metadata.namespace" {
		o.serve(o.Namespace)
		return
	}
	key := strings.TrimSuffix(strings.TrimPrefix(path, "metadata.annotations['"), "']")
	if value, ok := annotations[key]; ok {
		o.serve(value)
	}
}

func (o *Operator) serve(namespaces string) {
	o.Unknown, o.Serves = false, nil
	if namespaces == "" {
		return
	}
	for name := range strings.SplitSeq(namespaces, ",") {
		o.Serves = append(o.Serves, strings.TrimSpace(name))
	}
}

// serves reports whether the operator serves a namespace, as far as is known.
func (o *Operator) serves(namespace string) bool {
	return !o.Unknown && (len(o.Serves) == 0 || slices.Contains(o.Serves, namespace))
}

// Unserved returns why no operator would look at an Application of the namespace that was read, with what to do, or "". What could not be
// seen is no reason.
func (f *Facts) Unserved() string {
	namespace := f.Application.Namespace
	if len(f.Unseen) > 0 || slices.ContainsFunc(f.Operators, func(o Operator) bool { return o.Unknown || o.serves(namespace) && o.Ready > 0 }) {
		return ""
	}
	var words strings.Builder
	fmt.Fprintf(&words, "no operator that runs serves namespace %s\n", namespace)
	writeOperators(&words, f)
	if f.installable() {
		next(&words, []string{installCommand(f)})
	}
	return strings.TrimSpace(words.String())
}

// String returns where the operator is and what it serves.
func (o *Operator) String() string {
	served := "the namespaces " + strings.Join(o.Serves, ", ")
	switch {
	case o.Unknown:
		served = "namespaces that its Deployment does not name"
	case len(o.Serves) == 0:
		served = "all namespaces"
	case len(o.Serves) == 1:
		served = "the namespace " + o.Serves[0]
	}
	return fmt.Sprintf("deployment/%s in %s serves %s; %d of its pods are ready", o.Name, o.Namespace, served, o.Ready)
}

// lookTime is within which an operator that serves an Application has looked at it.
const lookTime = 10 * time.Second

// Why writes why an Application is as it is, and what to do next. It reports whether all is well.
func Why(out io.Writer, f *Facts) bool {
	app := f.Application
	verdict, condition := VerdictOf(app)
	if verdict == Unserved {
		whyUnserved(out, f)
		return false
	}
	if app.Status.ObservedGeneration < app.Generation {
		what := "the last change of the spec"
		if app.DeletionTimestamp != nil {
			what = "its deletion"
		}
		fmt.Fprintf(out, "%s in %s: the operator has not looked at %s (generation %d, seen is %d).\n",
			app.Name, app.Namespace, what, app.Generation, app.Status.ObservedGeneration)
		if unserved := f.Unserved(); unserved != "" {
			fmt.Fprintln(out, strings.ToUpper(unserved[:1])+unserved[1:])
			return false
		}
		writeOperators(out, f)
		next(out, []string{"kubectl app status " + app.Name + " -n " + app.Namespace + " --watch"})
		return !slices.ContainsFunc(f.Operators, func(o Operator) bool { return o.serves(app.Namespace) && o.Ready == 0 })
	}
	advice := adviceOn(condition)
	if verdict == Ready && advice.Do == "" {
		fmt.Fprintf(out, "Nothing is wrong: %s in %s is ready, %s\n", app.Name, app.Namespace,
			strings.TrimSuffix(app.Status.ReplicaSummary+" pods, "+app.Status.URL, ", "))
		writeRepaired(out, f)
		return true
	}
	fmt.Fprintf(out, "%s in %s is %s: %s\n", app.Name, app.Namespace, verdict, condition.Reason)
	if condition.Message != "" {
		fmt.Fprintf(out, "  %s\n", condition.Message)
	}
	for _, blocked := range f.Blocked {
		if !strings.Contains(condition.Message, blocked) {
			fmt.Fprintf(out, "  %s\n", blocked)
		}
	}
	for _, words := range f.claimWords(condition.Message) {
		fmt.Fprintf(out, "  %s\n", words)
	}
	late := ""
	if verdict == OnItsWay {
		late = writeLate(out, f)
	}
	if advice.Do != "" {
		fmt.Fprintf(out, "\nWhat to do:%s\n", spaced(advice.Do))
	}
	commands := advice.commands(app, condition.Message)
	if late != "" {
		commands = append(commands, "kubectl describe pod "+late+" -n "+app.Namespace)
	}
	next(out, commands)
	return verdict.Well()
}

// spaced returns what stands after a colon: a list begins with a line of its own.
func spaced(words string) string {
	if strings.HasPrefix(words, "\n") {
		return words
	}
	return " " + words
}

// adviceOn returns what to do about what a condition says.
func adviceOn(condition *metav1.Condition) Advice {
	advice := Advices[condition.Reason]
	if condition.Reason != v1.ReasonUnschedulable {
		return advice
	}
	if found := hindrancesIn(condition.Message); found.Do != "" {
		return Advice{Do: found.Do, Next: append([]string{pod}, found.Next...)}
	}
	return advice
}

// mostLate is how many pods are named that are not ready.
const mostLate = 3

// writeLate writes what is known of pods that are not ready, and the last warning about each. It returns the name of one that has a
// warning, or "".
func writeLate(out io.Writer, f *Facts) string {
	named, late := 0, ""
	for i := range f.Pods {
		pod := podOf(&f.Pods[i], f.Application.Name, f.Now)
		ready, of, _ := strings.Cut(pod.Ready, "/")
		if ready == of || f.Pods[i].DeletionTimestamp != nil || named == mostLate {
			continue
		}
		named++
		fmt.Fprintf(out, "  pod %s: %s, %s ready\n", pod.Name, pod.State, pod.Ready)
		for j := len(f.Events) - 1; j >= 0; j-- {
			event := &f.Events[j]
			if event.Type == corev1.EventTypeWarning && event.InvolvedObject.Kind == "Pod" && event.InvolvedObject.Name == pod.Name {
				fmt.Fprintf(out, "    %s: %s\n", event.Reason, strings.TrimSpace(event.Message))
				late = cmp.Or(late, pod.Name)
				break
			}
		}
	}
	return late
}

// whyUnserved says why an Application has no status.
func whyUnserved(out io.Writer, f *Facts) {
	app := f.Application
	for i := range f.Operators {
		operator := &f.Operators[i]
		if !operator.serves(app.Namespace) {
			continue
		}
		switch {
		case operator.Ready == 0:
			fmt.Fprintf(out, "%s in %s has no status: the operator that serves this namespace does not run.\n", app.Name, app.Namespace)
			writeOperators(out, f)
			next(out, []string{
				fmt.Sprintf("kubectl describe deployment %s -n %s", operator.Name, operator.Namespace),
				fmt.Sprintf("kubectl logs deployment/%s -n %s", operator.Name, operator.Namespace),
			})
		case f.Now.Sub(app.CreationTimestamp.Time) < lookTime:
			fmt.Fprintf(out, "%s in %s has no status yet: it was created a moment ago.\n", app.Name, app.Namespace)
			next(out, []string{"kubectl app status " + app.Name + " -n " + app.Namespace + " --watch"})
		default:
			fmt.Fprintf(out, "%s in %s has no status, although an operator serves this namespace.\n", app.Name, app.Namespace)
			writeOperators(out, f)
			next(out, []string{fmt.Sprintf("kubectl logs deployment/%s -n %s", operator.Name, operator.Namespace)})
		}
		return
	}
	fmt.Fprintf(out, "%s in %s has no status: no operator serves this namespace", app.Name, app.Namespace)
	if len(f.Unseen) > 0 {
		fmt.Fprint(out, ", as far as you may see")
	}
	fmt.Fprintln(out, ".")
	writeOperators(out, f)
	if len(f.Operators) == 0 && len(f.Unseen) == 0 {
		fmt.Fprintln(out, "  there is no operator in the cluster")
	}
	for _, unseen := range f.Unseen {
		fmt.Fprintf(out, "  not seen: %s\n", unseen)
	}
	if !f.installable() {
		fmt.Fprintln(out, "\nWhat to do: ask whoever has installed an operator to have it serve this namespace too, or move the Application to one that is served")
		return
	}
	fmt.Fprintln(out, "\nWhat to do: have this namespace served, or move the Application to one that is")
	next(out, []string{installCommand(f)})
}

// installable reports whether the operator's own manifests are what has the namespace served: no operator was installed in another way.
func (f *Facts) installable() bool {
	return len(f.Operators) == 0 || slices.ContainsFunc(f.Operators, func(o Operator) bool { return o.Namespace == Home })
}

// installCommand returns what has the namespace served.
func installCommand(f *Facts) string {
	return "kubectl app install generate --watch-namespace " + strings.Join(toServe(f), ",") + " | kubectl apply --server-side -f -"
}

// Home is the namespace in which the operator's own manifests put it.
const Home = "app-operator-system"

// toServe returns the namespaces that an installation by the operator's own manifests has to serve: those that it serves already, too.
func toServe(f *Facts) []string {
	var names []string
	for _, operator := range f.Operators {
		if operator.Namespace == Home {
			names = append(names, operator.Serves...)
		}
	}
	return append(names, f.Application.Namespace)
}

func writeOperators(out io.Writer, f *Facts) {
	for i := range f.Operators {
		fmt.Fprintf(out, "  %s\n", &f.Operators[i])
	}
}

func next(out io.Writer, commands []string) {
	for i, command := range commands {
		if i == 0 {
			fmt.Fprintln(out, "Next:")
		}
		fmt.Fprintf(out, "  %s\n", command)
	}
}

// Tree writes what belongs to an Application, down to the pods.
func Tree(out io.Writer, f *Facts) {
	app := f.Application
	verdict, _ := VerdictOf(app)
	fmt.Fprintf(out, "Application/%s: %s\n", app.Name, verdict)
	for i, object := range f.Objects {
		branch, below := "├── ", "│   "
		if i == len(f.Objects)-1 {
			branch, below = "└── ", "    "
		}
		fmt.Fprintf(out, "%s%s/%s: %s\n", branch, object.Kind, object.Name, object.State)
		if object.Kind == "Deployment" {
			treeOfPods(out, f, below)
		}
	}
}

func treeOfPods(out io.Writer, f *Facts, below string) {
	for i := range f.Pods {
		branch := "├── "
		if i == len(f.Pods)-1 {
			branch = "└── "
		}
		pod := podOf(&f.Pods[i], f.Application.Name, f.Now)
		fmt.Fprintf(out, "%s%sPod/%s: %s, %s ready, %d restarts\n", below, branch, pod.Name, pod.State, pod.Ready, pod.Restarts)
	}
}
