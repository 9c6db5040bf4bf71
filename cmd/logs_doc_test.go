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
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// ofLibraries are lines that controller-runtime writes.
var ofLibraries = map[string]bool{"Reconciler error": true}

// TestDocumentedLinesAreLogged holds docs/operations/logs.md against the code: each line that it explains is one that the
// operator can write.
func TestDocumentedLinesAreLogged(t *testing.T) {
	var code strings.Builder
	for _, dir := range []string{".", "../internal"} {
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			content, err := os.ReadFile(path)
			code.Write(content)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	page, err := os.ReadFile("../docs/operations/logs.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| `([A-Z][^`]+)` \\|").FindAllStringSubmatch(string(page), -1)
	if len(rows) < 20 {
		t.Fatalf("%d lines are explained; the table cannot be read", len(rows))
	}
	for _, row := range rows {
		line := `"` + row[1] + `"`
		if start, open := strings.CutSuffix(row[1], "..."); open {
			line = `"` + start // the rest differs from case to case
		}
		if !ofLibraries[row[1]] && !strings.Contains(code.String(), line) {
			t.Errorf("nothing logs %s", line)
		}
	}
}
