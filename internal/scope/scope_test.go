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

package scope

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNamespaces(t *testing.T) {
	const own = "operators"
	none := filepath.Join(t.TempDir(), "absent")
	pod := serviceAccountFile(t, own+"\n")

	cases := []struct {
		name string
		flag *string
		env  map[string]string
		file string
		want []string
		// complaints are parts the error must contain; none means success.
		complaints []string
	}{
		{name: "flag", flag: new("a"), file: none, want: []string{"a"}},
		{name: "flag with several", flag: new("b,a"), file: none, want: []string{"b", "a"}},
		{name: "flag with blanks", flag: new(" a , b\t"), file: none, want: []string{"a", "b"}},
		{name: "flag with duplicates", flag: new("a,b,a"), file: none, want: []string{"a", "b"}},
		{name: "flag explicitly empty", flag: new(""), file: none, want: []string{}},
		{
			name: "flag wins over everything",
			flag: new("a"), env: map[string]string{Variable: "b"}, file: pod, want: []string{"a"},
		},
		{
			name: "explicitly empty flag wins over everything",
			flag: new(""), env: map[string]string{Variable: "b"}, file: pod, want: []string{},
		},
		{name: "flag wins over an empty variable", flag: new("a"), env: map[string]string{Variable: ""}, want: []string{"a"}},
		{name: "flag wins over a bad variable", flag: new("a"), env: map[string]string{Variable: "B"}, want: []string{"a"}},
		{
			name: "flag of one blank is not explicitly empty",
			flag: new(" "), file: pod, complaints: []string{`--namespace=" "`, "is empty"},
		},
		{
			name: "flag of one comma is not explicitly empty",
			flag: new(","), file: pod, complaints: []string{`--namespace=","`, "is empty"},
		},
		{name: "flag with an empty item", flag: new("a,,b"), complaints: []string{`--namespace="a,,b"`, "is empty"}},
		{name: "flag with a trailing comma", flag: new("a,"), complaints: []string{`--namespace="a,"`, "is empty"}},
		{
			name: "flag with bad names, all reported", flag: new("Prod,ok,a_b,a.b"),
			complaints: []string{`--namespace="Prod,ok,a_b,a.b"`, `"Prod" is not`, `"a_b" is not`, `"a.b" is not`, "lower-case"},
		},
		{name: "flag with a name too long", flag: new(strings.Repeat("a", 64)), complaints: []string{"63"}},
		{name: "flag with a wildcard", flag: new("*"), complaints: []string{`"*" is not the name of a namespace`}},

		{name: "variable", env: map[string]string{Variable: "a"}, file: pod, want: []string{"a"}},
		{name: "variable with several", env: map[string]string{Variable: "a, b,a"}, file: pod, want: []string{"a", "b"}},
		{
			name: "variable set but empty",
			env:  map[string]string{Variable: ""}, file: pod,
			complaints: []string{`WATCH_NAMESPACE=""`, "set but empty", "must not widen", "unset it", "--namespace="},
		},
		{
			name: "variable of blanks", env: map[string]string{Variable: " \n"}, file: pod,
			complaints: []string{"WATCH_NAMESPACE=", "set but empty"},
		},
		{
			name: "variable with an empty item", env: map[string]string{Variable: "a,"}, file: pod,
			complaints: []string{`WATCH_NAMESPACE="a,"`, "is empty"},
		},
		{
			name: "variable with a bad name", env: map[string]string{Variable: "a,B"}, file: pod,
			complaints: []string{`WATCH_NAMESPACE="a,B"`, `"B" is not`},
		},

		{name: "own namespace", file: pod, want: []string{own}},
		{
			name: "nothing to go by", file: none,
			complaints: []string{"--namespace", "WATCH_NAMESPACE", "service account", "not in a pod"},
		},
		{
			name: "service account file is empty", file: serviceAccountFile(t, "\n"),
			complaints: []string{"--namespace", "WATCH_NAMESPACE", "namespace", "is not the name of a namespace"},
		},
		{
			name: "service account file cannot be read", file: t.TempDir(),
			complaints: []string{"--namespace", "WATCH_NAMESPACE", "read the namespace"},
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			got, err := Source{Flag: tc.flag, LookupEnv: lookup(tc.env), ServiceAccountFile: tc.file}.Namespaces()
			if len(tc.complaints) == 0 {
				if err != nil {
					t.Fatalf("Namespaces() failed: %v", err)
				}
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Errorf("Namespaces() (-want +got):\n%s", diff)
				}
				return
			}
			if err == nil {
				t.Fatalf("Namespaces() = %q, want an error", got)
			}
			if got != nil {
				t.Errorf("Namespaces() = %q along with an error, want nil", got)
			}
			for _, part := range tc.complaints {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("the error lacks %q: %v", part, err)
				}
			}
		})
	}
}

func TestEmptyItemsAreOneMistake(t *testing.T) {
	_, err := Source{Flag: new(",,,")}.Namespaces()
	if err == nil {
		t.Fatal("want an error")
	}
	if n := strings.Count(err.Error(), "\n"); n != 0 {
		t.Errorf("the same complaint is repeated: %v", err)
	}
}

func TestOwnNamespace(t *testing.T) {
	got, err := Source{ServiceAccountFile: serviceAccountFile(t, "operators")}.OwnNamespace()
	if err != nil || got != "operators" {
		t.Errorf("OwnNamespace() = %q, %v", got, err)
	}
	file := serviceAccountFile(t, "Not a name")
	if _, err = (Source{ServiceAccountFile: file}).OwnNamespace(); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("OwnNamespace() error = %v, want one that names the file", err)
	}
}

func lookup(env map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, set := env[name]
		return value, set
	}
}

func serviceAccountFile(t *testing.T, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "namespace")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
