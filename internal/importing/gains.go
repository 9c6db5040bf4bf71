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
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	v1 "github.com/example/app-operator/api/v1"
)

// noteGains says in one remark what the pods of a CronJob or a hook get from the Application that they had not.
func (w *workload) noteGains(of part) {
	if w.ownedByApplication(of.doc) {
		return
	}
	pod := of.in("spec")
	container := pod.list("containers")[0]
	var gains []string
	for _, gained := range []struct {
		field string
		names []string
	}{
		{"spec.security", w.gainedSecurity(pod, container)},
		{"spec.initContainers", missing(pod.list("initContainers"), w.app.Spec.InitContainers, containerName)},
		{"spec.sidecars", missing(pod.list("initContainers"), w.app.Spec.Sidecars, containerName)},
		{"spec.files", w.gainedFiles(container)},
		{"spec.env", missing(container.list("env"), w.app.Spec.Env, func(of corev1.EnvVar) string { return of.Name })},
		{"spec.envFrom", gainedSources(container.list("envFrom"), w.app.Spec.EnvFrom)},
		{"spec.serviceAccount", w.gainedAccount(pod)},
		{"spec.scheduling", w.gainedPlaces(pod)},
		{"spec.podMetadata.labels", w.gainedLabels(of)},
		{"spec.networkPolicy", w.gainedPolicy(of)},
	} {
		if len(gained.names) > 0 {
			gains = append(gains, gained.field+" ("+strings.Join(gained.names, ", ")+")")
		}
	}
	if len(gains) > 0 {
		of.note("spec", nil, "its pods get from the Application what they had not: "+strings.Join(gains, ", ")+
			"; if it is to run without, keep it as an object of its own")
	}
}

func containerName(of corev1.Container) string { return of.Name }

// missing returns the names that no item of a list has.
func missing[T any](list []part, wanted []T, nameOf func(T) string) []string {
	var names []string
	for _, one := range wanted {
		name := nameOf(one)
		if !slices.ContainsFunc(list, func(item part) bool { return item.peek("name") == name }) {
			names = append(names, name)
		}
	}
	return names
}

// gainedSecurity returns what of spec.security neither the pod nor the container says.
func (w *workload) gainedSecurity(pod, container part) []string {
	var gains []string
	given, _ := generic(w.app.Spec.Security).(map[string]any)
	all, own := pod.in("securityContext"), container.in("securityContext")
	for _, name := range slices.Sorted(maps.Keys(given)) {
		had := all.has(name) || own.has(name) || given[name] == false
		switch name {
		case "profile":
			nonRoot, said := own.fields["runAsNonRoot"]
			if !said {
				nonRoot = all.fields["runAsNonRoot"]
			}
			had = nonRoot == true || !w.restricted()
		case "hostUsers":
			had = pod.has(name)
		}
		if !had {
			gains = append(gains, name+": "+strings.Trim(short(given[name]), `"`))
		}
	}
	return gains
}

// gainedFiles returns the files that the container does not mount.
func (w *workload) gainedFiles(container part) []string {
	had := map[string]bool{}
	for _, mount := range container.list("volumeMounts") {
		had[mount.peek("mountPath")] = true
	}
	claims := map[string]bool{}
	var gains []string
	for i := range w.app.Spec.Files {
		file := &w.app.Spec.Files[i]
		isClaim := file.PersistentVolumeClaim != nil || file.Ephemeral != nil || file.Name != "" && claims[file.Name]
		claims[file.Name] = isClaim
		switch {
		case had[file.MountPath]:
		case isClaim:
			gains = append(gains, file.MountPath+" of a claim")
		default:
			gains = append(gains, file.MountPath)
		}
	}
	return gains
}

// gainedSources returns the ConfigMaps and Secrets of variables that are not in a list.
func gainedSources(list []part, wanted []corev1.EnvFromSource) []string {
	var names []string
	for _, one := range wanted {
		if slices.ContainsFunc(list, func(item part) bool { return same(item.fields, one) }) {
			continue
		}
		if one.SecretRef != nil {
			names = append(names, "Secret "+one.SecretRef.Name)
		}
		if one.ConfigMapRef != nil {
			names = append(names, "ConfigMap "+one.ConfigMapRef.Name)
		}
	}
	return names
}

// gainedAccount returns the ServiceAccount, where the pod names none, or that its token is not mounted. The token of the ServiceAccount
// default is never mounted.
func (w *workload) gainedAccount(pod part) []string {
	of := w.app.Spec.ServiceAccount
	name := pod.peek("serviceAccountName")
	switch {
	case name == "" && pod.peek("serviceAccount") != "": // an older name of the same
		return nil
	case name == "" || name == "default":
		if w.accountName == "" {
			return nil
		}
		return []string{w.accountName}
	case name == w.accountName && (of == nil || !of.AutomountToken) && w.mountsToken(pod, name):
		return []string{"automountToken: false"}
	}
	return nil
}

// mountsToken reports whether the token of a ServiceAccount is mounted in a pod.
func (w *workload) mountsToken(pod part, account string) bool {
	if mount, said := pod.fields["automountServiceAccountToken"].(bool); said {
		return mount
	}
	for _, doc := range w.docs {
		if mount, said := doc.original["automountServiceAccountToken"].(bool); said && doc.kind == "ServiceAccount" && doc.name == account {
			return mount
		}
	}
	return true
}

// gainedPlaces returns what of spec.scheduling the pod does not say.
func (w *workload) gainedPlaces(pod part) []string {
	var gains []string
	given, _ := generic(w.app.Spec.Scheduling).(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !pod.has(name) {
			gains = append(gains, name)
		}
	}
	return gains
}

// gainedLabels returns the labels by which others find the pods from now on.
func (w *workload) gainedLabels(of part) []string {
	var gains []string
	if metadata := w.app.Spec.PodMetadata; metadata != nil {
		for _, key := range slices.Sorted(maps.Keys(metadata.Labels)) {
			if !of.in("metadata", "labels").has(key) {
				gains = append(gains, key)
			}
		}
	}
	return gains
}

// gainedPolicy returns the directions that a policy bounds, if one of those that it is made of did not find the pods.
func (w *workload) gainedPolicy(of part) []string {
	run := &workload{podLabels: stringMap(of.in("metadata").fields["labels"])}
	if !slices.ContainsFunc(w.policySelectors, func(selector any) bool { return !run.selects(selector) }) {
		return nil
	}
	var gains []string
	if policy := w.app.Spec.NetworkPolicy; policy != nil && restricts(policy.Ingress) {
		gains = append(gains, "ingress")
	}
	if policy := w.app.Spec.NetworkPolicy; policy != nil && restricts(policy.Egress) {
		gains = append(gains, "egress")
	}
	return gains
}

// restricts reports whether a policy says something of a direction.
func restricts(direction v1.NetworkDirection) bool {
	return direction != v1.NetworkUnrestricted && direction != "everybody"
}
