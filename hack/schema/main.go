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

// Command schema writes the JSON schemas of the kinds in a CRD, one file for each version, for editors and for kubeconform: KIND_VERSION.json
// in a folder. They are strict: a field that the CRD does not know, which the API server drops or refuses, is an error.
// Usage: go run ./hack/schema -crd FILE -output FOLDER
//
// It may read the CRD and write the folder; it knows nothing of what the fields mean.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

func main() {
	crd := flag.String("crd", "", "file of the CRD")
	output := flag.String("output", "", "folder to write to")
	flag.Parse()
	if err := run(*crd, *output); err != nil {
		fmt.Fprintln(os.Stderr, "hack/schema:", err)
		os.Exit(1)
	}
}

func run(file, output string) error {
	if file == "" || output == "" {
		return errors.New("-crd and -output are needed")
	}
	content, err := os.ReadFile(file) //nolint:gosec // the file that the caller names
	if err != nil {
		return err
	}
	crd := &apiextensionsv1.CustomResourceDefinition{}
	if err := yaml.UnmarshalStrict(content, crd); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if err := os.MkdirAll(output, 0o750); err != nil {
		return err
	}
	for _, version := range crd.Spec.Versions {
		schema, err := schemaOf(crd, version)
		if err != nil {
			return fmt.Errorf("%s, version %s: %w", file, version.Name, err)
		}
		name := filepath.Join(output, strings.ToLower(crd.Spec.Names.Kind)+"_"+version.Name+".json")
		if err := os.WriteFile(name, append(schema, '\n'), 0o644); err != nil { //nolint:gosec // for others to read
			return err
		}
	}
	return nil
}

// schemaOf returns the schema of one version, as JSON.
func schemaOf(crd *apiextensionsv1.CustomResourceDefinition, version apiextensionsv1.CustomResourceDefinitionVersion) ([]byte, error) {
	if version.Schema == nil || version.Schema.OpenAPIV3Schema == nil {
		return nil, errors.New("no schema")
	}
	content, err := json.Marshal(version.Schema.OpenAPIV3Schema)
	if err != nil {
		return nil, err
	}
	schema := map[string]any{}
	if err := json.Unmarshal(content, &schema); err != nil {
		return nil, err
	}
	makeStrict(schema)
	fields, ok := schema["properties"].(map[string]any)
	if !ok {
		return nil, errors.New("the schema has no properties")
	}
	fields["apiVersion"] = map[string]any{"type": "string", "enum": []any{crd.Spec.Group + "/" + version.Name}}
	fields["kind"] = map[string]any{"type": "string", "enum": []any{crd.Spec.Names.Kind}}
	schema["required"] = []any{"apiVersion", "kind", "metadata", "spec"}
	schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	return json.MarshalIndent(schema, "", "  ")
}

// makeStrict turns a schema of a CRD, and all within it, into one of JSON Schema that takes no unknown fields.
func makeStrict(schema map[string]any) {
	_, open := schema["x-kubernetes-preserve-unknown-fields"]
	if schema["x-kubernetes-int-or-string"] == true {
		delete(schema, "anyOf")
		schema["type"] = []any{"integer", "string"}
	}
	if schema["nullable"] == true {
		schema["type"] = []any{schema["type"], "null"}
	}
	for name := range schema {
		if name == "nullable" || strings.HasPrefix(name, "x-kubernetes-") {
			delete(schema, name)
		}
	}
	if fields, ok := schema["properties"].(map[string]any); ok {
		for _, field := range fields {
			makeStrict(field.(map[string]any))
		}
		if _, said := schema["additionalProperties"]; !said && !open {
			schema["additionalProperties"] = false
		}
	}
	for _, within := range []string{"items", "additionalProperties"} {
		if each, ok := schema[within].(map[string]any); ok {
			makeStrict(each)
		}
	}
}
