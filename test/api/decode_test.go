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
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/example/app-operator/api/v1"
)

// class is a kind of value of which the API server can hold more than a Go client can decode. One stored object
// with such a value would hide every Application from the operator, because no list could be read any more.
type class struct {
	name string
	has  func(path string, at *property) bool
	// sane is taken wherever the class is, and shows that nothing else stands in the way. Empty, there is no such.
	sane string
	// refused are never taken, and never decoded here: some would take a client minutes.
	refused []string
	// odd may be refused or taken. What is taken can be decoded.
	odd []string
}

var classes = []class{
	{
		name: "int32",
		has:  func(_ string, at *property) bool { return at.Type == "integer" && at.Format == "int32" },
		sane: "1",
		refused: []string{
			"2147483648", "-2147483649", "3000000000", "4294967297", "3000000000.0", "1e10", "9223372036854775808",
			"99999999999999999999", "1e300", "1.5", `"1"`, "true",
		},
		odd: []string{"2147483647", "-2147483648", "2147483647.0", "5.0", "1e3", "-0.0"},
	},
	{
		name: "int64",
		has:  func(_ string, at *property) bool { return at.Type == "integer" && at.Format == "int64" },
		sane: "1",
		refused: []string{
			"9223372036854775808", "-9223372036854775809", "99999999999999999999", "1e19", "1e300", "1.5", `"1"`,
		},
		odd: []string{
			"9223372036854775807", "-9223372036854775808", "9223372036854775807.0", "-9223372036854775808.0",
			"9007199254740993.0", "1e18", "5.0", "-0.0",
		},
	},
	{
		name: "int or text",
		has:  func(_ string, at *property) bool { return at.IntOrString && !at.isQuantity() },
		sane: "1",
		refused: []string{
			"2147483648", "-2147483649", "3000000000", "4294967297", "3000000000.0", "1e10", "9223372036854775808",
			"99999999999999999999", "1e300", "1.5", "true", "[]", "{}",
		},
		odd: []string{"2147483647", "-2147483648", "2147483647.0", "5.0", "1e3", "-0.0", `""`, `"a"`, `"1e1.5"`},
	},
	{
		name: "quantity",
		has:  func(_ string, at *property) bool { return at.isQuantity() },
		sane: `"1"`,
		refused: []string{
			`""`, `"lots"`, `"1KiB"`, `"1e1.5"`, `"1e10"`, `"1E-10"`, `"12345678901234567890"`, `"1.1234567890"`,
			`"1e"`, `" 1"`, `"1\n"`, `"1e2147483648"`, `"1e-2147483648"`, "1.5", "true",
		},
		odd: []string{
			"9223372036854775807", "12345678901234567890", "-12345678901234567890", "1e21", "1e300", "-1", "5.0", "-0.0",
			`"999999999999999999Ei"`, `"999999999999999999.999999999E"`, `"999999999999999999e9"`, `".000000001n"`,
			`"1."`, `"+1"`, `"-.1e-9"`, `"000000000000000001"`,
		},
	},
	{
		name:    "boolean",
		has:     func(_ string, at *property) bool { return at.Type == "boolean" },
		sane:    "true",
		refused: []string{"1", `"true"`},
	},
	{
		name: "item",
		has: func(path string, _ *property) bool {
			return strings.HasSuffix(path, "[*]") || strings.HasSuffix(path, ".*")
		},
		odd: []string{"null"},
	},
}

// neighbours are what a field needs beside it, where a rule asks for more than the schema's required fields.
var neighbours = map[string]tree{
	"spec":                                                         {"port": 80, "service": tree{"type": "LoadBalancer"}, "volumes": []any{tree{"name": "a", "emptyDir": tree{}}}},
	"spec.files[*]":                                                {"mountPath": "/b"},
	"spec.files[*].configMap":                                      {"name": "a"},
	"spec.files[*].secret":                                         {"secretName": "a"},
	"spec.files[*].persistentVolumeClaim":                          {"claimName": "a"},
	"spec.files[*].projected":                                      {"sources": []any{tree{"secret": tree{"name": "a"}}}},
	"spec.files[*].projected.sources[*].configMap":                 {"name": "a"},
	"spec.files[*].projected.sources[*].secret":                    {"name": "a"},
	"spec.files[*].csi.nodePublishSecretRef":                       {"name": "a"},
	"spec.files[*].downwardAPI":                                    {"items": []any{}},
	"spec.files[*].downwardAPI.items[*].resourceFieldRef":          {"containerName": "a"},
	"spec.files[*].ephemeral.volumeClaimTemplate.spec":             {"accessModes": []any{"a"}, "resources": tree{"requests": tree{"storage": 1}}},
	"spec.files[*].ephemeral.volumeClaimTemplate.spec.resources":   {"requests": tree{"storage": 1}},
	"spec.volumes[*].configMap":                                    {"name": "a"},
	"spec.volumes[*].secret":                                       {"secretName": "a"},
	"spec.volumes[*].persistentVolumeClaim":                        {"claimName": "a"},
	"spec.volumes[*].projected":                                    {"sources": []any{tree{"secret": tree{"name": "a"}}}},
	"spec.volumes[*].projected.sources[*].configMap":               {"name": "a"},
	"spec.volumes[*].projected.sources[*].secret":                  {"name": "a"},
	"spec.volumes[*].csi.nodePublishSecretRef":                     {"name": "a"},
	"spec.volumes[*].downwardAPI":                                  {"items": []any{}},
	"spec.volumes[*].downwardAPI.items[*].resourceFieldRef":        {"containerName": "a"},
	"spec.volumes[*].ephemeral.volumeClaimTemplate.spec":           {"accessModes": []any{"a"}, "resources": tree{"requests": tree{"storage": 1}}},
	"spec.volumes[*].ephemeral.volumeClaimTemplate.spec.resources": {"requests": tree{"storage": 1}},
	"spec.service":                                                 {"type": "LoadBalancer"},
	"spec.schedules[*]":                                            {"schedule": "@daily"},
	"spec.release":                                                 {"args": []any{"migrate"}},
	"spec.networkPolicy.ingressFrom[*].ports[*]":                   {"port": 1},
	"spec.networkPolicy.egressTo[*].ports[*]":                      {"port": 1},
}

// choices are what a rule asks for where one of several objects has to be given, and the field is none of them.
var choices = map[string]string{
	"spec.files[*]":                        "emptyDir",
	"spec.volumes[*]":                      "emptyDir",
	"spec.files[*].downwardAPI.items[*]":   "fieldRef",
	"spec.volumes[*].downwardAPI.items[*]": "fieldRef",
	"spec.probes.liveness":                 "tcpSocket",
	"spec.probes.readiness":                "tcpSocket",
	"spec.probes.startup":                  "tcpSocket",
	"spec.networkPolicy.ingressFrom[*]":    "podLabels",
	"spec.networkPolicy.egressTo[*]":       "podLabels",
}

// neverTaken is what a rule forbids, whatever its value.
const neverTaken = "spec.env[*].valueFrom.fileKeyRef"

// TestStoredValuesCanBeDecoded sends each field, those of Kubernetes' own types included, every value of its class.
func TestStoredValuesCanBeDecoded(t *testing.T) {
	space := namespace(t, "")
	root := loadSchema(t)
	seen := map[string]int{}
	visitAll("spec", root.Properties["spec"], func(path string, at *property) {
		for _, class := range classes {
			if !class.has(path, at) || strings.HasPrefix(path, neverTaken) {
				continue
			}
			seen[class.name]++
			t.Run(path, func(t *testing.T) { class.try(t, root, space, path, at) })
		}
	})
	for _, class := range classes {
		if seen[class.name] == 0 {
			t.Errorf("no field of class %s", class.name)
		}
	}
	t.Logf("fields: %v", seen)
}

func (c class) try(t *testing.T, root *property, space, path string, at *property) {
	t.Helper()
	if sane := c.sane; sane != "" {
		if at.Minimum != nil && *at.Minimum > 1 {
			sane = fmt.Sprint(*at.Minimum)
		}
		if _, err := dryRun(t, space, around(root, path, sane)); err != nil {
			t.Errorf("%s: %v", sane, err)
		}
	}
	for _, value := range c.refused {
		if _, err := dryRun(t, space, around(root, path, value)); err == nil {
			t.Errorf("%s is accepted", value)
		}
	}
	for _, value := range c.odd {
		stored, err := dryRun(t, space, around(root, path, value))
		if err != nil {
			continue
		}
		if err := json.Unmarshal(stored, &v1.Application{}); err != nil {
			t.Errorf("%s is accepted, and no client can decode it: %v", value, err)
		}
	}
}

// dryRun asks the API server what it would store of a manifest in JSON.
func dryRun(t *testing.T, space string, object any) ([]byte, error) {
	t.Helper()
	body, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := cluster.raw.Post().
		AbsPath("apis", v1.GroupVersion.Group, v1.GroupVersion.Version, "namespaces", space, "applications").
		Param("fieldValidation", metav1.FieldValidationStrict).
		Param("dryRun", metav1.DryRunAll).
		SetHeader("Content-Type", "application/json").
		SetHeader("Accept", "application/json").
		Body(body).
		Do(t.Context()).Raw()
	if err != nil {
		return nil, asStatus(stored, err)
	}
	return stored, nil
}

// around makes the smallest Application that has this value, in JSON, at the path.
func around(root *property, path, value string) tree {
	steps := strings.Split(strings.ReplaceAll(path, "[*]", ".[]"), ".")
	return tree{
		"apiVersion": v1.GroupVersion.String(), "kind": "Application", "metadata": tree{"name": "my-app"},
		"spec": wrap("spec", root.Properties["spec"], steps[1:], value),
	}
}

func wrap(path string, at *property, steps []string, value string) any {
	if len(steps) == 0 {
		return json.RawMessage(value)
	}
	switch step := steps[0]; step {
	case "[]":
		return []any{wrap(path+"[*]", at.Items, steps[1:], value)}
	case "*":
		return tree{"a": wrap(join(path, step), at.AdditionalProperties, steps[1:], value)}
	default:
		object := least(path, at).(tree)
		if choice, ok := choices[path]; ok && at.Properties[step].Type != "object" {
			object[choice] = least(join(path, choice), at.Properties[choice])
		}
		object[step] = wrap(join(path, step), at.Properties[step], steps[1:], value)
		return object
	}
}

// least is the least that the property takes.
func least(path string, at *property) any {
	switch {
	case len(at.Enum) > 0:
		return at.Enum[0]
	case at.Type == "object":
		object := tree{}
		for _, name := range at.Required {
			object[name] = least(join(path, name), at.Properties[name])
		}
		maps.Copy(object, neighbours[path])
		return object
	case at.Type == "array":
		return []any{least(path+"[*]", at.Items)}
	case at.Type == "integer":
		return 1
	default:
		return "a"
	}
}
