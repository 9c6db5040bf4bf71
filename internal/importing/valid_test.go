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
	"bytes"
	"sync"
	"testing"

	"github.com/example/app-operator/internal/cli/offline"
)

var readSchema = sync.OnceValues(func() (offline.Schema, error) {
	crd, err := readFile("../../config/crd/bases/apps.example.com_applications.yaml")
	if err != nil {
		return nil, err
	}
	return offline.NewSchema(crd)
})

// refusals returns what the API server would say against an Application.
func refusals(t *testing.T, application []byte) []string {
	t.Helper()
	schema, err := readSchema()
	if err != nil {
		t.Fatal(err)
	}
	documents, err := offline.Read("the Application", bytes.NewReader(application))
	if err != nil || len(documents) != 1 {
		t.Fatalf("%d documents: %v", len(documents), err)
	}
	_, refused := schema.Stored(t.Context(), &documents[0])
	return refused
}
