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
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// unusual are words that the field has others for: a function of a bool reports whether, as in Go's own documentation.
var unusual = regexp.MustCompile(`\b(tells` + ` whether|amiss)\b`)

// TestTheFieldsWords holds that some words of our own do not come back into the code.
func TestTheFieldsWords(t *testing.T) {
	searched := 0
	for _, folder := range []string{"api", "cmd", "internal", "hack", "test"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") {
				return err
			}
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			searched++
			for i, line := range strings.Split(string(content), "\n") {
				if word := unusual.FindString(line); word != "" && !strings.Contains(path, "words_test.go") {
					t.Errorf("%s:%d says %q", path, i+1, word)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if searched < 100 {
		t.Errorf("found only %d files", searched)
	}
}
