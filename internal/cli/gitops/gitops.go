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

// Package gitops finds the tool that keeps an object as it is written elsewhere, and that will undo a change made in the cluster.
//
// It goes by labels, annotations and field managers alone; it reads nothing else.
package gitops

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// marks are the labels and annotations that tools leave on what they own.
var marks = []struct{ key, tool string }{
	{"argocd.argoproj.io/tracking-id", "Argo CD"},
	{"argocd.argoproj.io/instance", "Argo CD"},
	{"kustomize.toolkit.fluxcd.io/name", "Flux"},
	{"helm.toolkit.fluxcd.io/name", "Flux"},
	{"meta.helm.sh/release-name", "Helm"},
}

// managers are the field managers of tools.
var managers = map[string]string{
	"argocd-controller": "Argo CD", "argocd-application-controller": "Argo CD",
	"kustomize-controller": "Flux", "helm-controller": "Flux", "helm": "Helm",
}

// Owner returns the tool that owns an object and what it is called there, such as "Flux (shop)", or "" if none is known to.
func Owner(object metav1.Object) string {
	for _, mark := range marks {
		for _, on := range []map[string]string{object.GetAnnotations(), object.GetLabels()} {
			if value := on[mark.key]; value != "" {
				name, _, _ := strings.Cut(value, ":")
				return fmt.Sprintf("%s (%s)", mark.tool, name)
			}
		}
	}
	for _, entry := range object.GetManagedFields() {
		if tool := managers[entry.Manager]; tool != "" {
			return tool
		}
	}
	return ""
}

// Sets reports whether a tool has set the field, such as spec and replicas.
func Sets(object metav1.Object, path ...string) bool {
	elements := make([]any, 0, len(path))
	for _, name := range path {
		elements = append(elements, name)
	}
	at := fieldpath.MakePathOrDie(elements...)
	for _, entry := range object.GetManagedFields() {
		set := fieldpath.Set{}
		if managers[entry.Manager] == "" || entry.FieldsV1 == nil || set.FromJSON(entry.FieldsV1.GetRawReader()) != nil {
			continue
		}
		if set.Has(at) || !set.WithPrefix(at[0]).Empty() && len(path) == 1 {
			return true
		}
	}
	return false
}

// Warning returns what to say before a field of an object is changed, or "" if nobody is known to undo it.
func Warning(object metav1.Object, path ...string) string {
	owner := Owner(object)
	if owner == "" {
		return ""
	}
	field := strings.Join(path, ".")
	if Sets(object, path...) {
		return fmt.Sprintf("%s sets %s, and will undo this; make the change where it is written", owner, field)
	}
	return fmt.Sprintf("%s owns this object, and may undo a change of %s; make the change where it is written", owner, field)
}
