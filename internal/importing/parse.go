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

package importing

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/example/app-operator/internal/strictyaml"
)

// Parse returns the documents of a file, which may be YAML or JSON. A List is each of its items.
func Parse(from string, data []byte) ([]Source, error) {
	var sources []Source
	reader := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
	for number := 1; ; number++ {
		text, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", from, err)
		}
		object := map[string]any{}
		asJSON, err := strictyaml.ToJSON(text)
		if err == nil {
			err = json.Unmarshal(asJSON, &object)
		}
		if err != nil {
			if bytes.Contains(text, []byte("{{")) {
				return nil, fmt.Errorf("%s: document %d is a template, and not YAML: give what helm template prints, or what fills it in", from, number)
			}
			return nil, fmt.Errorf("%s: document %d is no YAML that can be read: %w; correct it", from, number, err)
		}
		if len(object) == 0 {
			continue
		}
		if items, ok := object["items"].([]any); ok && object["kind"] == "List" {
			for _, item := range items {
				if fields, ok := item.(map[string]any); ok {
					sources = append(sources, Source{From: from, Object: fields})
				}
			}
			continue
		}
		sources = append(sources, Source{From: from, Object: object})
	}
	if len(sources) == 0 {
		return nil, fmt.Errorf("%s has no document; give a manifest", from)
	}
	return sources, nil
}
