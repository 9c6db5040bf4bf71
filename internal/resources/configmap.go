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

package resources

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"maps"
	"slices"

	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	v1 "github.com/example/app-operator/api/v1"
)

// annotationContentHash is where a ConfigMap has what its content is. The operator caches no content of ConfigMaps, and compares
// this instead.
const annotationContentHash = "apps.example.com/content-hash"

// ConfigMap returns one ConfigMap for each volume whose files are in the spec.
func ConfigMap(in Inputs) ([]*corev1ac.ConfigMapApplyConfiguration, error) {
	var configs []*corev1ac.ConfigMapApplyConfiguration
	app := in.ofPods().Application
	for name, inline := range inlineFiles(in) {
		configs = append(configs, corev1ac.ConfigMap(ownedName(app, name), app.Namespace).
			WithLabels(objectLabels(app)).
			WithAnnotations(objectAnnotations(app)).
			WithAnnotations(map[string]string{annotationContentHash: filesHash(inline)}).
			WithAnnotations(ownerMark(app)).
			WithOwnerReferences(owners(app)...).
			WithData(inline))
	}
	return configs, nil
}

// inlineFiles returns the files that are in the spec, by the names of their volumes: those of the wanted pods, and, while the release
// command of other pods runs, those of its own.
func inlineFiles(in Inputs) iter.Seq2[string, map[string]string] {
	return func(yield func(string, map[string]string) bool) {
		for i, app := range in.Running() {
			for _, source := range sourcesOf(app) {
				name := source.name
				if i > 0 {
					name = releaseVolume(name)
				}
				if source.Inline != nil && !yield(name, source.Inline) {
					return
				}
			}
		}
	}
}

// ConfigMapNames returns the names of the ConfigMaps.
func ConfigMapNames(in Inputs) []string {
	var names []string
	for name := range inlineFiles(in) {
		names = append(names, ownedName(in.Application, name))
	}
	return names
}

// ConfigMapFields names the fields of the ConfigMap of this name.
func ConfigMapFields(app *v1.Application, name string) FieldNames {
	for _, source := range sourcesOf(app) {
		if source.Inline != nil && (name == ownedName(app, source.name) || name == ownedName(app, releaseVolume(source.name))) {
			return append(objectFields(), FieldNames{
				{"metadata.name", source.field + source.nameField},
				{"data", source.field + ".inline*"},
			}...)
		}
	}
	return nil
}

// RefersToConfigMap reports whether the Application refers to a ConfigMap of this name as to one that is not made for it.
func RefersToConfigMap(in Inputs, name string) bool {
	return slices.ContainsFunc(in.Running(), func(app *v1.Application) bool {
		return slices.ContainsFunc(References(app), func(need Need) bool { return need.Reference == Reference{KindConfigMap, name} })
	})
}

// InlineHash returns what stands for all files that are in the spec, or "" if there are none.
func InlineHash(app *v1.Application) string {
	content := map[string]string{}
	for _, source := range sourcesOf(app) {
		if source.Inline != nil {
			content[source.name] = filesHash(source.Inline)
		}
	}
	if len(content) == 0 {
		return ""
	}
	return filesHash(content)
}

// filesHash stands for files: their names and what is in them.
func filesHash(files map[string]string) string {
	sum := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		_, _ = fmt.Fprintf(sum, "%d:%s%d:%s", len(name), name, len(files[name]), files[name]) // never fails
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}
