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
	"errors"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/resources"
)

// becomesSidecar says what becomes of a container that ran beside the application's own.
const becomesSidecar = "it is a sidecar in spec.sidecars: it starts before the init containers and the application's container, and ends after them"

var errNoContainer = errors.New("there is no container; give one")

// readPodMetadata reads the labels and annotations of the pods.
func (w *workload) readPodMetadata(metadata part) {
	restarts := false
	for key := range stringMap(metadata.fields["annotations"]) {
		restarts = restarts || key == operatorPrefix+"config-hash"
	}
	metadata.drop("name", "namespace")
	labels, annotations := w.labels(metadata), w.annotations(metadata)
	if len(labels)+len(annotations) > 0 {
		w.app.Spec.PodMetadata = &v1.PodMetadata{Labels: orNil(labels), Annotations: orNil(annotations)}
	}
	if restarts {
		w.rollout().RestartOnConfigChange = true
	}
	for _, key := range slices.Sorted(maps.Keys(annotations)) {
		if strings.HasPrefix(key, "checksum/") {
			metadata.note("annotations["+key+"]", nil, "spec.rollout.restartOnConfigChange does what a checksum does; set it, and remove this annotation")
		}
	}
}

// readMain reads the container that runs the image.
func (w *workload) readMain() {
	spec, main := &w.app.Spec, w.main
	spec.Image = main.text("image")
	if policy, ok := take[corev1.PullPolicy](main, "imagePullPolicy"); ok && policy != resources.PullPolicy(spec.Image) {
		spec.ImagePullPolicy = policy
	}
	spec.Command, _ = take[[]string](main, "command")
	spec.Args, _ = take[[]string](main, "args")
	w.readEnv()
	spec.EnvFrom, _ = take[[]corev1.EnvFromSource](main, "envFrom")
	w.readResources()
	w.readProbes()
	w.readShutdown()
	main.dropIf("terminationMessagePolicy", string(corev1.TerminationMessageFallbackToLogsOnError))
	main.dropIf("terminationMessagePolicy", string(corev1.TerminationMessageReadFile)) // the log's end is told beside it
	for _, of := range mustList[corev1.LocalObjectReference](w.pod, "imagePullSecrets") {
		spec.ImagePullSecrets = append(spec.ImagePullSecrets, of.Name)
	}
}

// mustList takes a list, or nothing.
func mustList[T any](p part, name string) []T {
	list, _ := take[[]T](p, name)
	return list
}

// readEnv reads the variables.
func (w *workload) readEnv() {
	seen := map[string]part{}
	for _, item := range w.main.list("env") {
		if item.in("valueFrom").has("fileKeyRef") {
			item.note("", nil, "variables from files are not supported; use configMapKeyRef or secretKeyRef")
			item.empty()
			continue
		}
		variable, ok := whole[corev1.EnvVar](item)
		if !ok || variable.Name == "" {
			continue
		}
		if earlier, ok := seen[variable.Name]; ok {
			earlier.note("", nil, "the variable "+variable.Name+" is given again, and the last one counts; remove this one")
			w.removeVariable(variable.Name)
		}
		seen[variable.Name] = item
		if from := variable.ValueFrom; from != nil && from.ResourceFieldRef != nil && from.ResourceFieldRef.ContainerName == w.mainName {
			from.ResourceFieldRef.ContainerName = w.app.Name
		}
		w.app.Spec.Env = append(w.app.Spec.Env, variable)
	}
}

func (w *workload) removeVariable(name string) {
	env := w.app.Spec.Env[:0]
	for _, variable := range w.app.Spec.Env {
		if variable.Name != name {
			env = append(env, variable)
		}
	}
	w.app.Spec.Env = env
}

func (w *workload) readResources() {
	of := w.main.in("resources")
	var all v1.ResourceRequirements
	all.Requests, _ = take[v1.ResourceList](of, "requests")
	all.Limits, _ = take[v1.ResourceList](of, "limits")
	if len(all.Requests)+len(all.Limits) > 0 {
		w.app.Spec.Resources = &all
	}
	if len(of.fields) == 0 {
		w.main.drop("resources")
	}
}

// readOtherContainers reads sidecars and init containers. The containers beside the main one become sidecars.
func (w *workload) readOtherContainers() {
	seenInit := false
	for _, item := range w.pod.list("initContainers") {
		isSidecar := item.peek("restartPolicy") == string(corev1.ContainerRestartPolicyAlways)
		container, ok := w.otherContainer(item)
		switch {
		case !ok:
		case isSidecar:
			if seenInit {
				item.note("", container.Name, "sidecars start before the init containers; this one started after some of them")
			}
			container.RestartPolicy = nil
			w.app.Spec.Sidecars = append(w.app.Spec.Sidecars, container)
		default:
			seenInit = true
			w.app.Spec.InitContainers = append(w.app.Spec.InitContainers, container)
		}
	}
	w.readSidecars("containers")
}

// readSidecars makes sidecars of the containers that run beside the main one.
func (w *workload) readSidecars(list string) {
	for _, item := range w.pod.list(list) {
		if item.path == w.main.path {
			continue
		}
		name := item.peek("name")
		if container, ok := w.otherContainer(item); ok {
			item.note("", name, becomesSidecar)
			const waits = "the application's container starts only after it: where it waits for what that one serves, the pod never starts, so remove it"
			if container.StartupProbe != nil {
				item.note("startupProbe", generic(container.StartupProbe), waits)
			}
			if hooks := container.Lifecycle; hooks != nil && hooks.PostStart != nil {
				item.note("lifecycle.postStart", generic(hooks.PostStart), waits)
			}
			w.app.Spec.Sidecars = append(w.app.Spec.Sidecars, container)
		}
	}
	w.pod.dropEmpty(list)
}

// otherContainer takes a container as it is, without what the operator sets anyway.
func (w *workload) otherContainer(item part) (corev1.Container, bool) {
	w.dropUnknownMounts(item)
	item.dropIf("terminationMessagePolicy", string(corev1.TerminationMessageFallbackToLogsOnError))
	item.dropIf("terminationMessagePolicy", string(corev1.TerminationMessageReadFile))
	security := item.in("securityContext")
	if !security.has("privileged") {
		security.dropIf("allowPrivilegeEscalation", false)
	}
	if w.restricted() && same(security.in("capabilities").fields, map[string]any{"drop": []any{"ALL"}}) {
		security.drop("capabilities")
	}
	if security.fields != nil && len(security.fields) == 0 {
		item.drop("securityContext")
	}
	container, ok := whole[corev1.Container](item)
	if container.Name == w.app.Name {
		item.note("name", container.Name, "the application's own container has this name; it is called "+container.Name+"-2 here")
		container.Name += "-2"
	}
	if container.ImagePullPolicy == resources.PullPolicy(container.Image) {
		container.ImagePullPolicy = ""
	}
	for _, variable := range container.Env {
		if from := variable.ValueFrom; from != nil && from.ResourceFieldRef != nil && from.ResourceFieldRef.ContainerName == w.mainName {
			from.ResourceFieldRef.ContainerName = w.app.Name
		}
	}
	return container, ok
}

// readAccount reads as whom the pods run. The account's own object is read later.
func (w *workload) readAccount() {
	name := w.pod.text("serviceAccountName")
	w.pod.dropIf("serviceAccount", name) // an older name of the same
	if name == "" {
		name = w.pod.text("serviceAccount")
	}
	automount, said := take[bool](w.pod, "automountServiceAccountToken")
	made := false
	var account v1.ServiceAccountSpec
	for _, doc := range w.docs {
		if doc.kind == "ServiceAccount" && doc.name == name {
			made = name == w.app.Name
			if value, ok := doc.root().fields["automountServiceAccountToken"].(bool); ok && !said {
				automount, said = value, true
			}
		}
	}
	if name != "" && name != "default" {
		w.accountName = name
		account.AutomountToken = automount || !said
		if !made {
			account.Name = name
		}
	} else {
		account.AutomountToken = said && automount
	}
	if !same(account, v1.ServiceAccountSpec{}) {
		w.app.Spec.ServiceAccount = &account
	}
}

// readServiceAccount reads the account that is made for the Application. Another one stays what it is; the pull Secrets of the one
// that the pods had are given.
func (w *workload) readServiceAccount(doc *document) {
	account := w.app.Spec.ServiceAccount
	mine := doc.name == w.app.Name && (account == nil || account.Name == "")
	usesDefault := doc.name == "default" && (account == nil || account.Name == "") && !mine
	if !mine && !usesDefault {
		return
	}
	root := doc.root()
	for _, of := range mustList[corev1.LocalObjectReference](root, "imagePullSecrets") {
		w.app.Spec.ImagePullSecrets = appendNew(w.app.Spec.ImagePullSecrets, of.Name)
	}
	if usesDefault {
		doc.keep("it stays what it is: the pods have an account of their own, which gets its pull Secrets and no rights; name this one in " +
			"spec.serviceAccount.name if the program needs its rights")
		return
	}
	annotations := w.companion(doc)
	root.drop("automountServiceAccountToken", "secrets")
	if len(annotations) > 0 {
		if w.app.Spec.ServiceAccount == nil {
			w.app.Spec.ServiceAccount = &v1.ServiceAccountSpec{}
		}
		w.app.Spec.ServiceAccount.Annotations = maps.Clone(annotations)
	}
}

func appendNew(list []string, value string) []string {
	if slices.Contains(list, value) {
		return list
	}
	return append(list, value)
}
