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

package docs

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

// fieldPages are the pages that call fields of an Application by their whole path, and show whole Applications.
var fieldPages = []string{"docs/coming-from.md", "docs/beyond.md", "docs/autoscalers.md", "docs/import.md"}

var (
	// specPath is a field's path in code, as in `spec.files[].name`, with or without a value after it.
	specPath  = regexp.MustCompile("`(spec(?:\\.[A-Za-z]+(?:\\[\\])?)+)[:`]")
	yamlBlock = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")
)

// TestFieldsOnPagesExist holds each path of a field that a page quotes against the CRD.
func TestFieldsOnPagesExist(t *testing.T) {
	schema := specOf(t)
	for _, page := range fieldPages {
		found := specPath.FindAllStringSubmatch(string(read(t, page)), -1)
		if len(found) == 0 {
			t.Errorf("found no field on %s", page)
		}
		missing := map[string]bool{}
		for _, match := range found {
			path := strings.Split(strings.ReplaceAll(match[1], "[]", ""), ".")[1:]
			if !hasField(schema, path) && !missing[match[1]] {
				missing[match[1]] = true
				t.Errorf("%s: an Application has no field %s", page, match[1])
			}
		}
	}
}

// TestApplicationsInDocumentsAreValid holds the Applications that pages and examples show against the CRD.
func TestApplicationsInDocumentsAreValid(t *testing.T) {
	schema := specOf(t)
	shown := map[string]string{}
	for _, page := range fieldPages {
		for _, block := range yamlBlock.FindAllStringSubmatch(string(read(t, page)), -1) {
			shown[page] += "\n---\n" + block[1]
		}
	}
	examples, err := filepath.Glob(filepath.Join(root, "docs/examples/*/*.yaml"))
	if err != nil || len(examples) == 0 {
		t.Fatalf("no examples (%v)", err)
	}
	for _, file := range examples {
		name, err := filepath.Rel(root, file)
		if err != nil {
			t.Fatal(err)
		}
		shown[name] = string(read(t, name))
	}
	applications := 0
	for where, text := range shown {
		for document := range strings.SplitSeq(text, "\n---\n") {
			object := map[string]any{}
			if err := yaml.Unmarshal([]byte(document), &object); err != nil {
				t.Errorf("%s: %v in\n%s", where, err, document)
				continue
			}
			if object["kind"] == "Application" && object["apiVersion"] == "apps.example.com/v1" {
				applications++
				unknownFields(schema, object["spec"], "spec", func(path string) { t.Errorf("%s: an Application has no field %s", where, path) })
			}
		}
	}
	if applications < 5 {
		t.Errorf("found only %d Applications", applications)
	}
}

// specOf returns the schema of an Application's spec.
func specOf(t *testing.T) *apiextensionsv1.JSONSchemaProps {
	t.Helper()
	crd := &apiextensionsv1.CustomResourceDefinition{}
	if err := yaml.Unmarshal(read(t, "config/crd/bases/apps.example.com_applications.yaml"), crd); err != nil {
		t.Fatal(err)
	}
	spec, ok := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
	if !ok {
		t.Fatal("the CRD has no spec")
	}
	return &spec
}

// child returns the schema of the named field, or nil. Lists are passed through, and free is true where any name will do.
func child(at *apiextensionsv1.JSONSchemaProps, name string) (schema *apiextensionsv1.JSONSchemaProps, free bool) {
	for at.Items != nil && at.Items.Schema != nil {
		at = at.Items.Schema
	}
	if at.AdditionalProperties != nil || at.XPreserveUnknownFields != nil && *at.XPreserveUnknownFields {
		return nil, true
	}
	if property, ok := at.Properties[name]; ok {
		return &property, false
	}
	return nil, false
}

func hasField(at *apiextensionsv1.JSONSchemaProps, path []string) bool {
	for _, name := range path {
		next, free := child(at, name)
		if free {
			return true
		}
		if next == nil {
			return false
		}
		at = next
	}
	return true
}

// unknownFields reports the fields of the value that the schema does not have.
func unknownFields(at *apiextensionsv1.JSONSchemaProps, value any, path string, report func(path string)) {
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			unknownFields(at, item, path+"[]", report)
		}
	case map[string]any:
		for name, field := range value {
			next, free := child(at, name)
			switch {
			case free:
			case next == nil:
				report(path + "." + name)
			default:
				unknownFields(next, field, path+"."+name, report)
			}
		}
	}
}
