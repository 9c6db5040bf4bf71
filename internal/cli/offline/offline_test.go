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

package offline

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/example/app-operator/config"
)

const root = "../../.."

func schema(t *testing.T) Schema {
	t.Helper()
	crd, err := config.Files.ReadFile(config.CRD)
	if err != nil {
		t.Fatal(err)
	}
	schema, err := NewSchema(crd)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// glob returns the files that a pattern finds, of which there are at least so many.
func glob(t *testing.T, pattern string, least int) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, pattern))
	if err != nil || len(files) < least {
		t.Fatalf("only %d files %s (%v)", len(files), pattern, err)
	}
	return files
}

// first returns the first document of a file.
func first(t *testing.T, file string) *Document {
	t.Helper()
	documents, err := Read(filepath.Base(file), bytes.NewReader(read(t, file)))
	if err != nil || len(documents) == 0 {
		t.Fatalf("%s: %d documents, %v", file, len(documents), err)
	}
	return &documents[0]
}

// refusals returns why a file is refused: for its form, or by the schema and the rules.
func refusals(t *testing.T, schema Schema, file string) []string {
	t.Helper()
	text, _, _ := bytes.Cut(read(t, file), []byte("\n---\n")) // then comes what is stored
	documents, err := Read(filepath.Base(file), bytes.NewReader(text))
	if err != nil {
		return []string{err.Error()}
	}
	_, refused := schema.Application(t.Context(), &documents[0])
	return refused
}

// value is what a refusal quotes, which API servers do differently.
var value = regexp.MustCompile(`(Invalid value|Unsupported value|Duplicate value): ("[^"]*"|[-0-9.]+|\{.*?\}|\[.*?\]): `)

func inOneWording(refusal string) string { return value.ReplaceAllString(refusal, "$1: ") }

// TestWhatTheAPIServerTakesIsTaken and the next go through the manifests that test/api sends to a real API server.
func TestWhatTheAPIServerTakesIsTaken(t *testing.T) {
	schema := schema(t)
	files := slices.Concat(glob(t, "test/api/testdata/valid/*.yaml", 50), glob(t, "config/samples/[a-z]*.yaml", 30))
	for _, file := range files {
		if filepath.Base(file) == "kustomization.yaml" {
			continue
		}
		if refused := refusals(t, schema, file); len(refused) > 0 {
			t.Errorf("%s is refused: %s", file, strings.Join(refused, "\n"))
		}
	}
}

func TestWhatTheAPIServerRefusesIsRefusedInItsWords(t *testing.T) {
	schema := schema(t)
	for _, file := range glob(t, "test/api/testdata/invalid/*.yaml", 200) {
		refused := strings.Join(refusals(t, schema, file), "\n")
		if refused == "" {
			t.Errorf("%s is taken", file)
		}
		for line := range strings.Lines(string(read(t, file))) {
			want, ok := strings.CutPrefix(strings.TrimRight(line, "\n"), "# want: ")
			if strings.HasPrefix(want, ".spec") {
				continue // the API server says it twice, the second time of the scale
			}
			if ok && !strings.Contains(refused, want) && !strings.Contains(inOneWording(refused), inOneWording(want)) {
				t.Errorf("%s is refused without %q:\n%s", file, want, refused)
			}
		}
	}
}

// TestRenderIsAsGolden renders each golden case that is about an Application alone, and not about what runs already.
func TestRenderIsAsGolden(t *testing.T) {
	schema := schema(t)
	count := 0
	for _, file := range glob(t, "internal/resources/testdata/*/application.yaml", 100) {
		folder := filepath.Dir(file)
		if _, err := os.Stat(filepath.Join(folder, "inputs.yaml")); err == nil {
			continue
		}
		document := first(t, file)
		if _, has := document.Object["status"]; has || document.GetDeletionTimestamp() != nil {
			continue
		}
		app, refused := schema.Application(t.Context(), document)
		if len(refused) > 0 {
			continue // shows what is built of what an earlier version took
		}
		got, err := Render(app, Lasting)
		if err != nil {
			t.Errorf("%s: %v", folder, err)
			continue
		}
		if diff := cmp.Diff(string(read(t, filepath.Join(folder, "want.yaml"))), string(got)); diff != "" {
			t.Errorf("%s (-golden +rendered):\n%s", folder, diff)
		}
		count++
	}
	if count < 80 {
		t.Errorf("only %d golden cases were rendered", count)
	}
}

// TestAFieldOfAnAnchorMayBeGivenAgain holds that what kubectl takes is read, and what it would lose a field of is not.
func TestAFieldOfAnAnchorMayBeGivenAgain(t *testing.T) {
	const text = `apiVersion: apps.example.com/v1
kind: Application
metadata: {name: web}
spec:
  image: nginx
  schedules:
  - &nightly {name: nightly, schedule: "@daily", command: [clean]}
  - {<<: *nightly, name: hourly, schedule: "@hourly"}
`
	documents, err := Read("web.yaml", strings.NewReader(text))
	if err != nil || len(documents) != 1 {
		t.Fatalf("%d documents, %v", len(documents), err)
	}
	if _, refused := schema(t).Application(t.Context(), &documents[0]); len(refused) > 0 {
		t.Errorf("refused: %v", refused)
	}
	if _, err := Read("web.yaml", strings.NewReader(text+"  image: httpd\n")); err == nil || !strings.Contains(err.Error(), `key "image" already set in map`) {
		t.Errorf("an image that is given twice: %v", err)
	}
}
