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

// TestClaimsHaveTheirTests holds that the tests and specs that a page names are there.
func TestClaimsHaveTheirTests(t *testing.T) {
	var tests strings.Builder
	for _, folder := range []string{"internal", "test"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			content, err := os.ReadFile(path)
			tests.Write(content)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for page, least := range map[string]int{"docs/gitops.md": 10} {
		_, table, _ := strings.Cut(string(read(t, page)), "\n## Where it is tested\n")
		named := regexp.MustCompile("`(Test[A-Za-z]+)`|\"([^\"]+)\"").FindAllStringSubmatch(table, -1)
		if len(named) < least {
			t.Errorf("%s names only %d tests", page, len(named))
		}
		for _, match := range named {
			function, spec := match[1], match[2]
			if function != "" && !strings.Contains(tests.String(), "func "+function+"(") || spec != "" && !strings.Contains(tests.String(), `It("`+spec+`"`) {
				t.Errorf("%s names a test that is not there: %s", page, function+spec)
			}
		}
	}
}
