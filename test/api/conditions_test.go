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

package api

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestConditionContract holds the constants of api/v1 to the released words: scripts, alerts and people rely on
// them, so none may change or go away.
func TestConditionContract(t *testing.T) {
	constants := stringConstants(t, "../../api/v1")
	tests := []struct {
		prefix string
		want   []string
	}{
		{"Condition", []string{"Ready", "Progressing", "Available", "Degraded", "Reconciling", "Stalled"}},
		{"Reason", []string{
			"RolloutComplete", "RollingOut", "Suspended", "Paused", "Draining", "InvalidSpec", "ChildConflict",
			"ReferenceMissing", "ImagePullFailed", "CrashLooping", "Unschedulable", "QuotaExceeded",
			"AdmissionDenied", "FieldManagerConflict", "ProgressDeadlineExceeded", "PodsNotReady", "AutoscalingFailed", "ExposureFailed", "ScheduleFailed",
			"OOMKilled", "ContainerRestarted",
			"Releasing", "ReleaseFailed", "RolledBack", "APINotInstalled", "ReconcileFailed",
		}},
	}
	for _, test := range tests {
		t.Run(test.prefix, func(t *testing.T) {
			got := maps.Clone(constants)
			maps.DeleteFunc(got, func(name, _ string) bool { return !strings.HasPrefix(name, test.prefix) })
			want := map[string]string{}
			for _, word := range test.want {
				want[test.prefix+word] = word
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("constants of api/v1 (-want +got):\n%s", diff)
			}
		})
	}
}

// TestConditionWords holds the same constants to what Kubernetes takes as a reason, of a condition and of an event.
func TestConditionWords(t *testing.T) {
	camelCase := regexp.MustCompile(`^([A-Z]+[a-z]+)+$`)
	// The API server refuses a longer reason of an event.
	const longest = 128
	for name, word := range stringConstants(t, "../../api/v1") {
		isReason := strings.HasPrefix(name, "Reason") || strings.HasPrefix(name, "Condition")
		if isReason && (!camelCase.MatchString(word) || len(word) > longest) {
			t.Errorf("%s is %q, not CamelCase of at most %d letters", name, word, longest)
		}
	}
}

// stringConstants reads the exported string constants of a package, which reflection does not know.
func stringConstants(t *testing.T, folder string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	constants := map[string]string{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(node ast.Node) bool {
			if spec, ok := node.(*ast.ValueSpec); ok {
				addStrings(t, constants, spec)
			}
			return true
		})
	}
	return constants
}

func addStrings(t *testing.T, constants map[string]string, spec *ast.ValueSpec) {
	t.Helper()
	for i, value := range spec.Values {
		literal, ok := value.(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			continue
		}
		text, err := strconv.Unquote(literal.Value)
		if err != nil {
			t.Fatal(err)
		}
		constants[spec.Names[i].Name] = text
	}
}
