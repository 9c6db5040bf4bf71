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
	"slices"
	"strings"
	"testing"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]*)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	inCode  = regexp.MustCompile("`[^`\n]*`")
	// dropped is what the name of a heading lacks.
	dropped = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// TestLinksLead follows each link of each document to a file of this repository, and to the heading within it. A link to elsewhere
// is not followed.
func TestLinksLead(t *testing.T) {
	followed := 0
	for _, page := range documents(t) {
		text := inCode.ReplaceAllString(fenced.ReplaceAllString(string(read(t, page)), ""), "")
		for _, match := range link.FindAllStringSubmatch(text, -1) {
			target, anchor, _ := strings.Cut(match[1], "#")
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			followed++
			file := page
			if target != "" {
				file = filepath.Join(filepath.Dir(page), target)
			}
			info, err := os.Stat(filepath.Join(root, file))
			switch {
			case err != nil:
				t.Errorf("%s: there is no %s", page, file)
			case anchor != "" && (info.IsDir() || !slices.Contains(anchors(t, file), anchor)):
				t.Errorf("%s: %s has no heading %s", page, file, anchor)
			}
		}
	}
	if followed < 300 {
		t.Errorf("found only %d links", followed)
	}
}

// documents returns all Markdown files of the repository.
func documents(t *testing.T) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := entry.Name(); entry.IsDir() && (name == "bin" || name == "dist" || name == ".git") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, ".md") {
			name, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			all = append(all, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// anchors lists the names by which the headings of a document can be linked to.
func anchors(t *testing.T, file string) []string {
	t.Helper()
	var names []string
	text := fenced.ReplaceAllString(string(read(t, file)), "")
	for _, match := range heading.FindAllStringSubmatch(text, -1) {
		names = append(names, strings.ReplaceAll(dropped.ReplaceAllString(strings.ToLower(match[1]), ""), " ", "-"))
	}
	return names
}
