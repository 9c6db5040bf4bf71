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

// Package offline does without a cluster what the API server and the operator do with an Application: it reads files, refuses by the
// schema and the rules of the CRD, sets defaults, and builds the objects.
//
// It may do that only by the API server's own packages and by packages resources and strictyaml. It opens no files and sends nothing;
// what it reads is given to it.
package offline

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/strictyaml"
)

// Document is one of a file.
type Document struct {
	// File is where it is from, and Number which of the file's it is, from 1.
	File   string
	Number int
	unstructured.Unstructured
}

// String returns where the document is from, and what it is.
func (d *Document) String() string {
	where := d.File
	if d.Number > 1 {
		where = fmt.Sprintf("%s, document %d", d.File, d.Number)
	}
	if d.Object == nil {
		return where
	}
	return fmt.Sprintf("%s: %s %q", where, d.GetKind(), d.GetName())
}

// IsApplication reports whether the document is an Application, of whatever version.
func (d *Document) IsApplication() bool {
	return d.GroupVersionKind().Group == v1.GroupVersion.Group && d.GetKind() == "Application"
}

// Read returns the documents of a file, without empty ones. A field that is given twice is an error.
func Read(file string, content io.Reader) ([]Document, error) {
	var documents []Document
	reader := utilyaml.NewYAMLReader(bufio.NewReader(content))
	for number := 1; ; number++ {
		text, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return documents, nil
		}
		document := Document{File: file, Number: number}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", &document, err)
		}
		asJSON, err := strictyaml.ToJSON(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", &document, err)
		}
		if string(asJSON) == "null" {
			continue
		}
		if err := utiljson.Unmarshal(asJSON, &document.Object); err != nil {
			return nil, fmt.Errorf("%s: this is no object: %w", &document, err)
		}
		if document.GetAPIVersion() == "" || document.GetKind() == "" {
			return nil, fmt.Errorf("%s: apiVersion or kind is missing; give both", &document)
		}
		documents = append(documents, document)
	}
}
