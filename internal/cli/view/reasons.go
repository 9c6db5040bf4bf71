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
	"regexp"
	"slices"
	"strings"

	v1 "github.com/example/app-operator/api/v1"
)

// Advice is what to do about a reason of a condition.
type Advice struct {
	// Do is what the guide's table says of it; a test compares the two. Empty for a reason about which there is nothing to do.
	Do string
	// Next are commands that show more or cure it. NAME and NAMESPACE stand for what they are run for, POD and OBJECT for what the
	// condition's message names.
	Next []string
}

// What many reasons have in common.
const (
	pod    = "kubectl describe pod POD -n NAMESPACE"
	logs   = "kubectl app logs NAME -n NAMESPACE"
	edit   = "kubectl edit appl NAME -n NAMESPACE"
	differ = "kubectl app diff NAME -n NAMESPACE"
	events = "kubectl app events NAME -n NAMESPACE"
)

// Advices has what to do about each reason.
var Advices = map[string]Advice{
	v1.ReasonRolloutComplete: {},
	v1.ReasonRollingOut:      {"wait", []string{"kubectl app status NAME -n NAMESPACE --watch"}},
	v1.ReasonReleasing:       {"wait; the message names the Job", []string{"kubectl get jobs -n NAMESPACE -l apps.example.com/application=NAME"}},
	v1.ReasonSuspended:       {"remove suspend to resume", []string{"kubectl app resume NAME -n NAMESPACE"}},
	v1.ReasonPaused:          {"remove paused to go on", []string{differ, "kubectl app unpause NAME -n NAMESPACE"}},
	v1.ReasonDraining:        {"wait; the message says for what", []string{"kubectl get pods -n NAMESPACE -l app.kubernetes.io/instance=NAME"}},
	v1.ReasonInvalidSpec:     {"correct what the message names", []string{edit}},
	v1.ReasonChildConflict:   {"rename the Application, remove the object, or have it taken over", []string{differ}},
	v1.ReasonFieldManagerConflict: {
		"stop the client that the message names, or ask for the change in the spec; an autoscaler has to scale the Application instead of its Deployment",
		[]string{differ, "kubectl get OBJECT -n NAMESPACE -o yaml --show-managed-fields"},
	},
	v1.ReasonReferenceMissing: {"create it, or correct the name", []string{"kubectl get secrets,configmaps,serviceaccounts,pvc -n NAMESPACE", edit}},
	v1.ReasonImagePullFailed:  {"correct the image or its pull Secrets", []string{pod, edit}},
	v1.ReasonCrashLooping: {
		"the message has the end of its log; kubectl logs --previous has the rest", []string{logs + " --previous"},
	},
	v1.ReasonUnschedulable: {
		"lower the requests, relax scheduling, or add nodes; if the message names a claim that is not bound, see kubectl describe pvc and its StorageClass",
		[]string{pod, "kubectl describe pvc -n NAMESPACE"},
	},
	v1.ReasonQuotaExceeded:            {"lower the requests, or have the quota raised", []string{"kubectl describe resourcequota -n NAMESPACE", edit}},
	v1.ReasonAdmissionDenied:          {"do what the message asks, for example profile: Restricted", []string{edit}},
	v1.ReasonProgressDeadlineExceeded: {"look at the pod that the message names", []string{pod, logs}},
	v1.ReasonReleaseFailed: {
		"correct the fault; the message has the end of the log", []string{"kubectl logs -n NAMESPACE -l apps.example.com/application=NAME --tail=-1 --prefix"},
	},
	v1.ReasonRolledBack: {
		"the message says what has failed; correct it, or try again", []string{"kubectl app history NAME -n NAMESPACE", edit},
	},
	v1.ReasonPodsNotReady: {"look at the pod that the message names, its probes and its node", []string{pod, logs}},
	v1.EventRetained: {
		"delete what is not needed any more: kubectl get pvc -l apps.example.com/application=NAME has all of them",
		[]string{"kubectl get pvc -n NAMESPACE -l apps.example.com/application=NAME"},
	},
	v1.ReasonAutoscalingFailed: {
		"set the requests that the message names, or have the metrics served", []string{"kubectl describe hpa NAME -n NAMESPACE"},
	},
	v1.ReasonExposureFailed: {
		"correct what the message names, or have the Gateway let the route in, or the load balancer provided",
		[]string{"kubectl describe OBJECT -n NAMESPACE", edit},
	},
	v1.ReasonOOMKilled: {
		"raise the limit that the message names, or find what needs so much", []string{"kubectl top pod -n NAMESPACE --containers", edit},
	},
	v1.ReasonContainerRestarted: {
		"the message has the end of its log; kubectl logs --previous has the rest", []string{logs + " --previous"},
	},
	v1.ReasonScheduleFailed: {
		"correct what the message says; it is over when a later run succeeds, the pod starts, or the Job is deleted",
		[]string{"kubectl get jobs -n NAMESPACE -l apps.example.com/application=NAME"},
	},
	v1.ReasonAPINotInstalled: {"have its CRD installed, which the operator notices by itself, or remove the field", []string{edit}},
	v1.ReasonReconcileFailed: {"if it lasts, ask those who run the operator", []string{events}},
}

// What a condition's message may name, and how it is found there: "Service my-app: ..." is about that Service.
var named = map[string]*regexp.Regexp{
	"POD":    regexp.MustCompile(`\bpod ([a-z0-9][-a-z0-9.]*[a-z0-9])`),
	"OBJECT": regexp.MustCompile(`^([A-Z][A-Za-z]* [a-z0-9][-a-z0-9.]*): `),
}

// commands returns the next commands for an Application. One that needs what the message does not name is left out.
func (a Advice) commands(app *v1.Application, message string) []string {
	words := []string{"NAMESPACE", app.Namespace, "NAME", app.Name}
	var unknown []string
	for word, expression := range named {
		if found := expression.FindStringSubmatch(message); found != nil {
			words = append(words, word, strings.ToLower(found[1])) // kubectl knows a kind by its name in small letters
			continue
		}
		unknown = append(unknown, word)
	}
	fill := strings.NewReplacer(words...)
	var commands []string
	for _, command := range a.Next {
		if !slices.ContainsFunc(unknown, func(word string) bool { return strings.Contains(command, word) }) {
			commands = append(commands, fill.Replace(command))
		}
	}
	return commands
}
