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

package main

import (
	"reflect"
	"testing"
)

func TestDisplayName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"image":                          "Image",
		"imagePullPolicy":                "Image Pull Policy",
		"targetCPUUtilizationPercentage": "Target CPU Utilization Percentage",
		"tlsSecretName":                  "TLS Secret Name",
		"httpGet":                        "HTTP Get",
		"runAsUser":                      "Run As User",
		"podIP":                          "Pod IP",
		"url":                            "URL",
		"apiVersion":                     "API Version",
	} {
		if got := displayName(name); got != want {
			t.Errorf("%s is shown as %q, want %q", name, got, want)
		}
	}
}

func TestHints(t *testing.T) {
	t.Parallel()
	text := object{"type": "string"}
	for path, test := range map[string]struct {
		property object
		want     []any
	}{
		"spec.image":                     {text, []any{widget + "text"}},
		"spec.replicas":                  {object{"type": "integer"}, []any{widget + "podCount"}},
		"spec.suspend":                   {object{"type": "boolean"}, []any{widget + "booleanSwitch", widget + "advanced"}},
		"spec.service.type":              {object{"type": "string", "enum": []any{"A", "B"}}, []any{widget + "select:A", widget + "select:B", widget + "fieldGroup:service"}},
		"spec.sidecars[0].resources":     {object{"type": "object"}, []any{widget + "resourceRequirements", widget + "arrayFieldGroup:sidecars"}},
		"spec.files[0].configMap.name":   {text, []any{reference + "ConfigMap", widget + "arrayFieldGroup:files"}},
		"spec.probes.liveness.grpc.port": {object{"x-kubernetes-int-or-string": true}, []any{widget + "text", widget + "fieldGroup:probes"}},
		"status.url":                     {text, []any{"urn:alm:descriptor:org.w3:link"}},
		"status.conditions":              {object{"type": "array"}, []any{"urn:alm:descriptor:io.kubernetes.conditions"}},
	} {
		if got := hints(path, test.property); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s gets %v, want %v", path, got, test.want)
		}
	}
}

func TestFields(t *testing.T) {
	t.Parallel()
	type inner struct {
		Value string `json:"value"`
	}
	type embedded struct {
		Second []inner `json:"second"`
	}
	type outer struct {
		First    string `json:"first"`
		embedded `json:",inline"`
	}
	property := object{"properties": object{
		"second": object{"description": "two", "type": "array", "items": object{"properties": object{
			"value": object{"description": "a value\non two lines", "type": "string"},
		}}},
		"first":   object{"description": "one", "type": "string"},
		"another": object{"description": "not in Go", "type": "string"},
	}}
	found := fields("status", property, reflect.TypeFor[outer]())
	var got []string
	for _, descriptor := range found {
		got = append(got, descriptor.(object)["path"].(string)+": "+descriptor.(object)["description"].(string))
	}
	want := []string{"first: one", "second: two", "second[0].value: a value on two lines", "another: not in Go"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}

	silent := object{"properties": object{"silent": object{"properties": object{"below": object{"description": "three"}}}}}
	if found := fields("status", silent, nil); len(found) > 0 {
		t.Errorf("a field that nobody describes gets %v", found)
	}
}

func TestShortestFirst(t *testing.T) {
	t.Parallel()
	got, err := shortestFirst(`[{"a": "long"}, {"b": 1}, {"c": "longer"}]`)
	if err != nil {
		t.Fatal(err)
	}
	want := "[\n  {\n    \"b\": 1\n  },\n  {\n    \"a\": \"long\"\n  },\n  {\n    \"c\": \"longer\"\n  }\n]"
	if got != want {
		t.Errorf("got %s", got)
	}
	if _, err := shortestFirst("[]"); err == nil {
		t.Error("no example is no error")
	}
}
