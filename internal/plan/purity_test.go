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

package plan

import (
	"os/exec"
	"strings"
	"testing"
)

// TestPurity holds that what decides reaches nothing that makes requests to the cluster, also through others. The linter sees
// only what a package imports itself. client-go's apply configurations bring its REST client with them, for the generated
// Extract functions; so the client that is looked for is controller-runtime's.
func TestPurity(t *testing.T) {
	packages := []string{"children", "contention", "expectations", "importing", "managedfields", "outcome", "plan", "resources", "revisions", "status"}
	for _, name := range packages {
		deps, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "github.com/example/app-operator/internal/"+name).Output()
		if err != nil {
			t.Fatalf("go list: %v", err)
		}
		for path := range strings.FieldsSeq(string(deps)) {
			if strings.HasPrefix(path, "sigs.k8s.io/controller-runtime") || strings.HasSuffix(path, "app-operator/internal/controller") {
				t.Errorf("internal/%s reaches %s", name, path)
			}
		}
	}
}
