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
	"path/filepath"
	"strings"
	"testing"
)

// TestOwnProgramsHaveReasons holds that the decision on own programs says of each why it stays.
func TestOwnProgramsHaveReasons(t *testing.T) {
	const decision = "docs/decisions/0045-own-programs.md"
	page, found := string(read(t, decision)), 0
	for _, pattern := range []string{"hack/*.sh", "hack/*/main.go", "hack/kind/*/main.go", "tools/*/main.go", "tools/*/*/main.go"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			name, err := filepath.Rel(root, strings.TrimSuffix(file, "/main.go"))
			if err != nil {
				t.Fatal(err)
			}
			found++
			if !strings.Contains(page, "`"+name+"`") {
				t.Errorf("%s does not say why %s stays", decision, name)
			}
		}
	}
	if found < 12 {
		t.Errorf("found only %d programs", found)
	}
}
