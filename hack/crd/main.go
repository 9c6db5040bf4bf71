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
//   - It bounds the values that the API server would store and no Go client could decode. One object with such a
//     value would hide every Application of its namespace from the operator.
//   - It bounds the names of the user's own containers, which are DNS labels, so that a rule may compare them.
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

// maxLabel is the longest that a DNS label may be.
const maxLabel = 63

// maxInt32 is the largest number that an IntOrString of Go holds.
const maxInt32 = 1<<31 - 1

// labels are DNS labels (RFC 1123) of Kubernetes' own types.
var labels = map[string]bool{"spec.initContainers[].name": true, "spec.sidecars[].name": true}

// shortened are the fields of Kubernetes' own types, and down to which level their fields keep a description.
var shortened = map[string]int{
	"spec.env[]":            4,
	"spec.envFrom[]":        4,
	"spec.initContainers[]": 1,
	"spec.sidecars[]":       1,

	"spec.files[].configMap":             4,
	"spec.files[].secret":                4,
	"spec.files[].emptyDir":              4,
	"spec.files[].persistentVolumeClaim": 3,

	"spec.scheduling.affinity":                    4,
	"spec.scheduling.tolerations[]":               4,
	"spec.scheduling.topologySpreadConstraints[]": 3,

	"spec.autoscaling.metrics[]": 3,
	"spec.autoscaling.behavior":  4,
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
	for _, version := range versions {
		schema, _ := version.(map[string]any)["schema"].(map[string]any)
		root, ok := schema["openAPIV3Schema"].(map[string]any)
		if !ok {
			return errors.New("a version has no schema")
		}
		visit("", root, func(path string, property map[string]any) {
			bound(property)
			if labels[path] {
				property["maxLength"] = maxLabel
			}
			if levels, ok := shortened[path]; ok {
				missed--
				shorten(property, levels)
			}
		})
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

// bound keeps values out that Go clients cannot decode.
func bound(property map[string]any) {
	if property["x-kubernetes-int-or-string"] != true {
		return
	}
	switch property["pattern"] {
	case looseQuantity:
		property["pattern"] = quantity
	case nil:
		property["maximum"] = maxInt32
		property["minimum"] = -maxInt32
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

// firstSentence returns the text up to the first full stop before a space, on one line.
func firstSentence(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if end := strings.Index(text, ". "); end >= 0 {
		return text[:end+1]
	}
	return text
}
