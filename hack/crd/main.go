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

// Command crd completes the CustomResourceDefinition that controller-gen has written, in place:
//
//   - It bounds every text, list, map and number that no marker can reach: see bounds.go. Some values the API server
//     would store and no Go client could decode: one object with such a value would hide every Application of its
//     namespace from the operator.
//   - It adds the rules about Kubernetes' own types: see rules.go.
//   - It takes the defaults out of the items of lists: kubectl apply compares a list as a whole, and would find a
//     difference each time.
//   - It shortens the descriptions of Kubernetes' own types, which are most of the file: kubectl apply keeps a copy
//     of what it applies in an annotation of at most 256 KiB. kubectl explain pod.spec has them in full.
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"sigs.k8s.io/yaml"
)

// Quantities that Go decodes, and quickly: `1e1.5` fails, and `1e2147483648` takes minutes.
const (
	looseQuantity = `^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))` +
		`(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$`
	quantity = `^[+-]?([0-9]{1,18}([.][0-9]{0,9})?|[.][0-9]{1,9})([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9])?$`
)

// shortened are the fields of Kubernetes' own types, and down to which level their fields keep a description.
var shortened = map[string]int{
	"apiVersion": 0,
	"kind":       0,

	"spec.env[]":            1,
	"spec.envFrom[]":        1,
	"spec.initContainers[]": 1,
	"spec.sidecars[]":       1,

	"spec.files[].configMap":   1,
	"spec.files[].secret":      1,
	"spec.files[].emptyDir":    1,
	"spec.files[].projected":   1,
	"spec.files[].csi":         1,
	"spec.files[].downwardAPI": 1,
	"spec.files[].ephemeral":   1,

	// As in files, where they are explained: see referToFiles.
	"spec.volumes[].inline":                0,
	"spec.volumes[].configMap":             1,
	"spec.volumes[].secret":                1,
	"spec.volumes[].persistentVolumeClaim": 1,
	"spec.volumes[].emptyDir":              1,
	"spec.volumes[].projected":             1,
	"spec.volumes[].csi":                   1,
	"spec.volumes[].downwardAPI":           1,
	"spec.volumes[].ephemeral":             1,

	"spec.scheduling.affinity":                    1,
	"spec.scheduling.tolerations[]":               1,
	"spec.scheduling.topologySpreadConstraints[]": 1,

	"spec.autoscaling.metrics[]": 1,
	"spec.autoscaling.behavior":  1,

	"status.conditions[]": 1,
}

func main() {
	if len(os.Args) != 2 {
		fail(errors.New("usage: crd FILE"))
	}
	if err := complete(os.Args[1]); err != nil {
		fail(fmt.Errorf("complete %s: %w", os.Args[1], err))
	}
}

func fail(err error) {
	_, _ = fmt.Fprintln(os.Stderr, "crd:", err)
	os.Exit(1)
}

func complete(path string) error {
	data, err := os.ReadFile(path) //nolint:gosec // the file that the caller names
	if err != nil {
		return err
	}
	var crd map[string]any
	if err := yaml.Unmarshal(data, &crd); err != nil {
		return err
	}
	spec, _ := crd["spec"].(map[string]any)
	versions, _ := spec["versions"].([]any)
	if len(versions) == 0 {
		return errors.New("it has no versions")
	}
	missed := len(shortened)
	bounds := &bounder{used: map[string]bool{}}
	ruled := 0
	for _, version := range versions {
		schema, _ := version.(map[string]any)["schema"].(map[string]any)
		root, ok := schema["openAPIV3Schema"].(map[string]any)
		if !ok {
			return errors.New("a version has no schema")
		}
		visit("", root, func(path string, property map[string]any) {
			if strings.HasPrefix(path, "spec.") || strings.HasPrefix(path, "status.") {
				bounds.bound(path, property)
			}
			dropDefaults(path, property)
			keepLabels(path, property)
			ruled += addRules(path, property)
			if levels, ok := shortened[path]; ok {
				missed--
				shorten(property, levels)
				referToFiles(path, property)
			}
		})
	}
	if err := bounds.check(); err != nil {
		return err
	}
	if ruled != len(rulesAt) {
		return fmt.Errorf("rules were added at %d places instead of %d; correct the list in hack/crd/rules.go", ruled, len(rulesAt))
	}
	if missed != 0 {
		return fmt.Errorf("%d of the fields to shorten were not found; correct the list in hack/crd", missed)
	}
	data, err = yaml.Marshal(crd)
	if err != nil {
		return err
	}
	return os.WriteFile(path, append([]byte("---\n"), data...), 0o644) //nolint:gosec // a source file
}

// visit calls see for the property and all below it. Items of lists are path[], values of maps are path.*.
func visit(path string, property map[string]any, see func(string, map[string]any)) {
	see(path, property)
	if properties, ok := property["properties"].(map[string]any); ok {
		for name, below := range properties {
			visit(strings.TrimPrefix(path+"."+name, "."), below.(map[string]any), see)
		}
	}
	if items, ok := property["items"].(map[string]any); ok {
		visit(path+"[]", items, see)
	}
	if values, ok := property["additionalProperties"].(map[string]any); ok {
		visit(path+".*", values, see)
	}
}

// dropDefaults takes away a default within the items of a list. Where it was part of the list's key, which must have a
// value, the list becomes one value, and a rule keeps its items apart.
func dropDefaults(path string, property map[string]any) {
	if strings.Contains(path, "[]") {
		delete(property, "default")
	}
	names, _ := property["x-kubernetes-list-map-keys"].([]any)
	items, _ := property["items"].(map[string]any)
	fields, _ := items["properties"].(map[string]any)
	for _, name := range names {
		if _, ok := fields[name.(string)].(map[string]any)["default"]; ok {
			property["x-kubernetes-list-type"] = "atomic"
			delete(property, "x-kubernetes-list-map-keys")
			return
		}
	}
}

// keepLabels leaves the metadata of a claim's template with what Kubernetes takes there: labels and annotations.
func keepLabels(path string, property map[string]any) {
	if !strings.HasSuffix(path, "volumeClaimTemplate.metadata") {
		return
	}
	fields, _ := property["properties"].(map[string]any)
	for name := range fields {
		if name != "labels" && name != "annotations" {
			delete(fields, name)
		}
	}
}

// shorten cuts the descriptions of the fields below the property to their first sentence, and takes them away more
// than so many levels below.
func shorten(property map[string]any, levels int) {
	if description, ok := property["description"].(string); ok {
		property["description"] = firstSentence(description)
		if levels < 0 {
			delete(property, "description")
		}
	}
	if properties, ok := property["properties"].(map[string]any); ok {
		for _, below := range properties {
			shorten(below.(map[string]any), levels-1)
		}
	}
	for _, key := range []string{"items", "additionalProperties"} {
		if below, ok := property[key].(map[string]any); ok {
			shorten(below, levels)
		}
	}
}

// referToFiles has the fields of a volume's source say that they are those of a file's.
func referToFiles(path string, property map[string]any) {
	if !strings.HasPrefix(path, "spec.volumes[].") {
		return
	}
	fields, _ := property["properties"].(map[string]any)
	for _, field := range fields {
		if field := field.(map[string]any); field["description"] != nil {
			field["description"] = "As in spec.files."
		}
	}
}

// firstSentence returns the text up to the first full stop before a space, on one line.
func firstSentence(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if end := strings.Index(text, ". "); end >= 0 {
		return text[:end+1]
	}
	return text
}
