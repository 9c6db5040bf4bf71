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

// Package schema_test gives manifests to kubeconform, with the JSON schema that a release has: samples and examples, which must be
// valid, and what the API server refuses, of which docs/editors.md says how much a schema can find.
//
// It may read manifests and documents; it starts nothing but the program that writes the schema.
package schema_test

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/yannh/kubeconform/pkg/validator"
)

const root = "../.."

// newValidator returns kubeconform as the command is with -strict and -schema-location.
func newValidator(t *testing.T) validator.Validator {
	t.Helper()
	dir := t.TempDir()
	write := exec.CommandContext(t.Context(), "go", "run", "./hack/schema",
		"-crd", "config/crd/bases/apps.example.com_applications.yaml", "-output", dir)
	write.Dir = root
	if said, err := write.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	v, err := validator.New([]string{dir + "/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json"}, validator.Opts{Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// complaints returns what kubeconform has against the Applications in a file, and how many it has looked at.
func complaints(t *testing.T, v validator.Validator, file string) (found []string, applications int) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for document := range strings.SplitSeq(string(content), "\n---\n") {
		if !strings.Contains("\n"+document, "\napiVersion: apps.example.com/v1\n") {
			continue
		}
		for _, result := range v.Validate(file, io.NopCloser(bytes.NewReader([]byte(document)))) {
			switch result.Status {
			case validator.Valid:
				applications++
			case validator.Empty:
			default:
				applications++
				found = append(found, result.Err.Error())
			}
		}
	}
	return found, applications
}

func files(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(root, pattern))
	if err != nil || len(found) == 0 {
		t.Fatalf("no files %s (%v)", pattern, err)
	}
	return found
}

func TestSamplesAndExamplesAreValid(t *testing.T) {
	v := newValidator(t)
	seen := 0
	for _, file := range slices.Concat(files(t, "config/samples/*.yaml"), files(t, "docs/examples/*/*.yaml"), files(t, "test/demo/*.yaml")) {
		found, applications := complaints(t, v, file)
		seen += applications
		for _, complaint := range found {
			t.Errorf("%s: %s", file, complaint)
		}
	}
	if seen < 30 {
		t.Errorf("found only %d Applications", seen)
	}
}

// TestSamplesNameTheirSchema holds that an editor finds the schema of a sample. The smallest is four promised lines.
func TestSamplesNameTheirSchema(t *testing.T) {
	page := read(t, "docs/editors.md")
	line := regexp.MustCompile(`(?m)^# yaml-language-server: \$schema=.*$`).FindString(page)
	if line == "" {
		t.Fatal("docs/editors.md shows no line for yaml-language-server")
	}
	for _, file := range files(t, "config/samples/*.yaml") {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		isApplication := strings.Contains(string(content), "kind: Application\n") && filepath.Base(file) != "smallest.yaml"
		if isApplication && !strings.HasPrefix(string(content), line+"\n") {
			t.Errorf("%s does not begin with\n%s", file, line)
		}
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// TestWhatASchemaFinds compares the table of docs/editors.md, whose rows name cases of test/api, with kubeconform, and its word for
// how many of all cases are found.
func TestWhatASchemaFinds(t *testing.T) {
	v := newValidator(t)
	finds := map[string]bool{}
	count := 0
	for _, file := range files(t, "test/api/testdata/invalid/*.yaml") {
		found, _ := complaints(t, v, file)
		finds[strings.TrimSuffix(filepath.Base(file), ".yaml")] = len(found) > 0
		if len(found) > 0 {
			count++
		}
	}
	share := 100 * count / len(finds)
	t.Logf("%d of %d invalid manifests are found", count, len(finds))
	page := read(t, "docs/editors.md")
	if !strings.Contains(page, "about half of") || share < 40 || share > 60 {
		t.Errorf("%d %% of the invalid manifests are found, and docs/editors.md does not say so", share)
	}
	rows := regexp.MustCompile(`(?m)^\| .* \| \[([a-z0-9-]+)\]\([^)]*\) \| (yes|no) \|$`).FindAllStringSubmatch(page, -1)
	if len(rows) < 8 {
		t.Errorf("docs/editors.md has only %d examples", len(rows))
	}
	for _, row := range rows {
		if found, ok := finds[row[1]]; !ok || found != (row[2] == "yes") {
			t.Errorf("docs/editors.md says %s of %s; a schema finds it: %v, it is there: %v", row[2], row[1], found, ok)
		}
	}
}
