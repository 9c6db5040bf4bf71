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

// Package strictyaml reads YAML as kubectl does, and refuses a field that is given twice, of which kubectl takes the last. It is pure.
package strictyaml

import (
	"errors"

	yamlv3 "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"
)

// ToJSON returns a document as JSON. A field that is merged from an anchor may be given again, as YAML has it and kubectl takes it;
// sigs.k8s.io/yaml's own strict functions refuse it.
func ToJSON(document []byte) ([]byte, error) {
	var ignored any
	if _, twice := errors.AsType[*yamlv3.TypeError](yamlv3.Unmarshal(document, &ignored)); twice {
		return yaml.YAMLToJSONStrict(document) // which refuses it in the API server's words
	}
	return yaml.YAMLToJSON(document)
}
