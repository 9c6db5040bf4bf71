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

package api

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// property is a part of the CRD's schema. It lists every keyword that the schema uses: decoding is strict, so that
// a keyword that is new to these tests fails them instead of going untested.
type property struct {
	Type                 string               `json:"type"`
	Format               string               `json:"format"`
	Description          string               `json:"description"`
	Default              any                  `json:"default"`
	Enum                 []string             `json:"enum"`
	Minimum              *int64               `json:"minimum"`
	Maximum              *int64               `json:"maximum"`
	MinLength            *int64               `json:"minLength"`
	MaxLength            *int64               `json:"maxLength"`
	MinItems             *int64               `json:"minItems"`
	MaxItems             *int64               `json:"maxItems"`
	MaxProperties        *int64               `json:"maxProperties"`
	Pattern              string               `json:"pattern"`
	Required             []string             `json:"required"`
	Properties           map[string]*property `json:"properties"`
	Items                *property            `json:"items"`
	AdditionalProperties *property            `json:"additionalProperties"`
	AnyOf                []property           `json:"anyOf"`
	IntOrString          bool                 `json:"x-kubernetes-int-or-string"`
	ListType             string               `json:"x-kubernetes-list-type"`
	ListMapKeys          []string             `json:"x-kubernetes-list-map-keys"`
	MapType              string               `json:"x-kubernetes-map-type"`
	Rules                []rule               `json:"x-kubernetes-validations"`
}

// isQuantity reports whether the property is one of Kubernetes' quantities.
func (p *property) isQuantity() bool { return p.IntOrString && strings.Contains(p.Pattern, "KMGTPE") }

type rule struct {
	Rule      string `json:"rule"`
	Message   string `json:"message"`
	FieldPath string `json:"fieldPath"`
	Reason    string `json:"reason"`
}

// isAboutUpdates reports whether the rule compares what is with what was: a new object has nothing to fear from it.
func (r rule) isAboutUpdates() bool { return strings.Contains(r.Rule, "oldSelf") }

// definition is what these tests read of the CRD.
type definition struct {
	Spec struct {
		Versions []struct {
			Schema struct {
				OpenAPIV3Schema tree `json:"openAPIV3Schema"`
			} `json:"schema"`
		} `json:"versions"`
	} `json:"spec"`
}

func loadSchema(t *testing.T) *property {
	t.Helper()
	var crd definition
	if err := yaml.Unmarshal(readFile(t, crdFile), &crd); err != nil {
		t.Fatal(err)
	}
	if len(crd.Spec.Versions) != 1 {
		t.Fatalf("%d versions, want 1", len(crd.Spec.Versions))
	}
	data, err := yaml.Marshal(crd.Spec.Versions[0].Schema.OpenAPIV3Schema)
	if err != nil {
		t.Fatal(err)
	}
	root := &property{}
	if err := yaml.UnmarshalStrict(data, root); err != nil {
		t.Fatalf("the schema uses a keyword that is not tested yet: %v", err)
	}
	return root
}

// kubernetesTypes are the fields whose types are Kubernetes' own. What is below them is not ours to test, except
// that a client can decode it: see decode_test.go.
var kubernetesTypes = []string{
	"spec.env[*]",
	"spec.envFrom[*]",
	"spec.initContainers[*]",
	"spec.sidecars[*]",
	"spec.files[*].configMap",
	"spec.files[*].secret",
	"spec.files[*].emptyDir",
	"spec.files[*].projected",
	"spec.files[*].csi",
	"spec.files[*].downwardAPI",
	"spec.files[*].ephemeral",
	"spec.volumes[*].configMap",
	"spec.volumes[*].secret",
	"spec.volumes[*].emptyDir",
	"spec.volumes[*].projected",
	"spec.volumes[*].csi",
	"spec.volumes[*].downwardAPI",
	"spec.volumes[*].ephemeral",
	"spec.probes.liveness.httpGet.httpHeaders[*]",
	"spec.probes.readiness.httpGet.httpHeaders[*]",
	"spec.probes.startup.httpGet.httpHeaders[*]",
	"spec.shutdown.preStop.httpGet.httpHeaders[*]",
	"spec.scheduling.affinity",
	"spec.scheduling.tolerations[*]",
	"spec.scheduling.topologySpreadConstraints[*]",
	"spec.autoscaling.metrics[*]",
	"spec.autoscaling.behavior",
}

func isKubernetesType(path string) bool {
	return slices.Contains(kubernetesTypes, path)
}

func isBelowKubernetesType(path string) bool {
	return slices.ContainsFunc(kubernetesTypes, func(above string) bool {
		return strings.HasPrefix(path, above+".") || strings.HasPrefix(path, above+"[")
	})
}

// visit calls see for the property and for all below it, except for what is below Kubernetes' own types.
func visit(path string, at *property, see func(path string, at *property)) {
	visitAll(path, at, func(path string, at *property) {
		if !isBelowKubernetesType(path) {
			see(path, at)
		}
	})
}

// visitAll calls see for the property and for all below it, in a fixed order. List items are path[*], map values
// path.*.
func visitAll(path string, at *property, see func(path string, at *property)) {
	see(path, at)
	for _, name := range sortedKeys(at.Properties) {
		visitAll(join(path, name), at.Properties[name], see)
	}
	if at.Items != nil {
		visitAll(path+"[*]", at.Items, see)
	}
	if at.AdditionalProperties != nil {
		visitAll(join(path, "*"), at.AdditionalProperties, see)
	}
}

func join(path, name string) string {
	return strings.TrimPrefix(path+"."+name, ".")
}

// visitSpec visits what a user may write: the spec, and the rules of the object as a whole.
func visitSpec(t *testing.T, see func(path string, at *property)) {
	t.Helper()
	root := loadSchema(t)
	see("", &property{Required: root.Required, Rules: root.Rules})
	visit("spec", root.Properties["spec"], see)
}

// refusal is what the API server says of a value that the schema forbids: at which field, and in which words.
type refusal struct{ field, text string }

func (r refusal) String() string { return r.field + ": … " + r.text }

// isIn reports whether one of the messages is this refusal. List indices in them are [*].
func (r refusal) isIn(messages []string) bool {
	// The API server shows a map's key where the schema has a star.
	field := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(r.field), `\.\*`, `\.[^:]+`) + ": ")
	return slices.ContainsFunc(messages, func(message string) bool {
		return field.MatchString(message) && strings.Contains(message, r.text)
	})
}

// refusals lists what the API server says of all that the property forbids, its bounds aside: see TestEveryBoundHolds.
func refusals(path string, at *property) []refusal {
	var all []refusal
	add := func(field, format string, args ...any) {
		all = append(all, refusal{field, fmt.Sprintf(format, args...)})
	}
	limit := func(format string, limit *int64) {
		if limit != nil {
			add(path, format, *limit)
		}
	}
	for _, name := range at.Required {
		add(join(path, name), "Required value")
	}
	if len(at.Enum) > 0 {
		add(path, "Unsupported value: ")
	}
	limit("in body should be at least %d chars long", at.MinLength)
	limit("in body should have at least %d items", at.MinItems)
	if at.Pattern != "" {
		add(path, "in body should match '%s'", at.Pattern)
	}
	if at.ListType == "map" || at.ListType == "set" {
		add(path+"[*]", "Duplicate value: ")
	}
	for _, rule := range at.Rules {
		if !rule.isAboutUpdates() {
			add(strings.TrimPrefix(path+rule.FieldPath, "."), "%s", rule.Message)
		}
	}
	return all
}

// edges lists the values that are just allowed, each of which has to be accepted by some test, bounds aside.
func edges(path string, at *property) []string {
	var facts []string
	add := func(kind string, limit *int64) {
		if limit != nil {
			facts = append(facts, fmt.Sprintf("%s %s %d", path, kind, *limit))
		}
	}
	add("has length", at.MinLength)
	add("has size", at.MinItems)
	// A quantity is both, too, but its numbers and texts are Kubernetes' own.
	if at.IntOrString && !at.isQuantity() {
		facts = append(facts, path+" is a number", path+" is text")
	}
	for _, value := range at.Enum {
		facts = append(facts, fmt.Sprintf("%s is %s", path, value))
	}
	return facts
}

// facts lists what a manifest shows of each of its fields, in the words of edges.
func facts(path string, value any, note func(fact string)) {
	switch value := value.(type) {
	case tree:
		note(path + " is given")
		note(fmt.Sprintf("%s has size %d", path, len(value)))
		for name, below := range value {
			facts(join(path, name), below, note)
		}
	case []any:
		note(path + " is given")
		note(fmt.Sprintf("%s has size %d", path, len(value)))
		for _, item := range value {
			facts(path+"[*]", item, note)
		}
	case string:
		note(path + " is given")
		note(path + " is text")
		note(path + " is " + value)
		note(fmt.Sprintf("%s has length %d", path, len(value)))
	case float64:
		note(path + " is given")
		note(path + " is a number")
		note(path + " is " + plain(value))
	case bool:
		note(path + " is given")
		note(path + " is " + plain(value))
	}
}

func plain(value any) string {
	if number, ok := value.(float64); ok {
		return fmt.Sprintf("%.0f", number)
	}
	return fmt.Sprint(value)
}
