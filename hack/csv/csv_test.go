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

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/example/app-operator/api/v1"
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
		"spec.image":               {text, nil},
		"spec.replicas":            {object{"type": "integer"}, []any{widget + "podCount"}},
		"spec.suspend":             {object{"type": "boolean"}, []any{widget + "booleanSwitch", widget + "advanced"}},
		"spec.service.type":        {object{"type": "string", "enum": []any{"A", "B"}}, []any{widget + "select:A", widget + "select:B"}},
		"spec.serviceAccount.name": {text, []any{reference + "ServiceAccount"}},
		"status.url":               {text, []any{"urn:alm:descriptor:org.w3:link"}},
		"status.conditions":        {object{"type": "array"}, []any{"urn:alm:descriptor:io.kubernetes.conditions"}},
	} {
		if got := hints(path, test.property); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s gets %v, want %v", path, got, test.want)
		}
	}
}

func TestFields(t *testing.T) {
	t.Parallel()
	type embedded struct {
		Second []v1.RolloutSpec `json:"second"`
	}
	type outer struct {
		First    string `json:"first"`
		embedded `json:",inline"`
		Third    *v1.RolloutSpec `json:"third"`
		Fourth   metav1.Time     `json:"fourth"`
	}
	below := object{"properties": object{
		"value": object{"description": "below", "type": "object", "properties": object{"deep": object{"description": "deep"}}},
	}}
	described := object{"description": "described\non two lines", "properties": below["properties"]}
	property := object{"properties": object{
		"second":  object{"description": "two", "type": "array", "items": below},
		"first":   object{"description": "one", "type": "string"},
		"third":   described,
		"fourth":  described,
		"another": object{"description": "not in Go", "type": "string"},
	}}
	found := fields("status", property, reflect.TypeFor[outer]())
	var got []string
	for _, descriptor := range found {
		description, _ := descriptor.(object)["description"].(string)
		got = append(got, descriptor.(object)["path"].(string)+": "+description)
	}
	want := []string{
		"first: one", "second: two", "third: described on two lines", "third.value: ", "fourth: described on two lines", "another: not in Go",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}

	silent := object{"properties": object{"silent": object{"properties": object{"below": object{"description": "three"}}}}}
	if found := fields("status", silent, nil); len(found) > 0 {
		t.Errorf("a field that nobody describes gets %v", found)
	}
}

func TestRestrictedFirst(t *testing.T) {
	t.Parallel()
	const open, long, short = `{"spec":{}}`, `{"spec":{"image":"long","security":{"profile":"Restricted"}}}`, `{"spec":{"security":{"profile":"Restricted"}}}`
	all, first, err := restrictedFirst("[ " + open + ",\n" + long + ", " + short + "]")
	if err != nil {
		t.Fatal(err)
	}
	if want := "[" + short + "," + open + "," + long + "]"; all != want || first != short {
		t.Errorf("got %s and %s", all, first)
	}
	const user = `{"spec":{"security":{"profile":"Restricted","runAsUser":101}}}`
	for _, none := range []string{"[]", "[" + open + "]", "[" + user + "]", "{"} {
		if _, _, err := restrictedFirst(none); err == nil {
			t.Errorf("%s is no error", none)
		}
	}
}

func TestLinkToRelease(t *testing.T) {
	t.Parallel()
	spec := object{
		"description": "see [a](https://h/o/n/blob/main/a.md) and [b](https://h/o/n/tree/main/b)",
		"links":       []any{object{"name": "c", "url": "https://h/o/n/blob/main/c.md"}, object{"name": "source", "url": "https://h/o/n"}},
	}
	linkToRelease(spec, "1.2.3")
	want := object{
		"description": "see [a](https://h/o/n/blob/v1.2.3/a.md) and [b](https://h/o/n/tree/v1.2.3/b)",
		"links":       []any{object{"name": "c", "url": "https://h/o/n/blob/v1.2.3/c.md"}, object{"name": "source", "url": "https://h/o/n"}},
	}
	if !reflect.DeepEqual(spec, want) {
		t.Errorf("got %v", spec)
	}
}
