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

// Package prebuilt_test runs hack/prebuilt.sh, which PREBUILT=1 is, with archives of a server of its own, and compares the checksums that
// it trusts with those that Kubernetes has published.
package prebuilt_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

const script, list = "../../hack/prebuilt.sh", "../../hack/prebuilt.sha512"

// TestPrebuilt has the script take two programs, and says what is there afterwards.
func TestPrebuilt(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("Kubernetes publishes the programs of a control plane for Linux alone")
	}
	good := archive(t, "kube-apiserver", "kubectl")
	for name, test := range map[string]struct {
		published []byte   // nil: the server has no such archive
		expected  []byte   // nil: the list does not know the platform
		present   []string // before
		says      string   // part of what is printed, for a person who cannot have it
		taken     []string
	}{
		"the archive is as published":      {published: good, expected: good, taken: []string{"kube-apiserver", "kubectl"}},
		"one of them is there":             {published: good, expected: good, present: []string{"kubectl"}, taken: []string{"kube-apiserver"}},
		"all are there":                    {present: []string{"kube-apiserver", "kubectl"}},
		"the archive is another":           {published: archive(t, "kubectl"), expected: good, says: "its checksum is not the one in hack/prebuilt.sha512"},
		"the archive holds not all":        {published: archive(t, "kubectl"), expected: archive(t, "kubectl"), says: "does not hold kube-apiserver kubectl"},
		"there is no archive":              {expected: good, says: "could not be downloaded. PREBUILT_FROM names a mirror"},
		"nothing for this kind of machine": {published: good, says: "Kubernetes publishes no kube-apiserver for linux/" + runtime.GOARCH},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			copyScript(t, root, test.expected)
			bin := filepath.Join(root, "bin")
			for _, program := range test.present {
				write(t, filepath.Join(bin, program), []byte("from before"))
			}
			output, err := take(t, root, serve(t, test.published), bin, "kube-apiserver", "kubectl")
			if failed := err != nil; failed != (test.says != "") {
				t.Fatalf("failed: %v; it printed:\n%s", err, output)
			}
			if test.says != "" && (!strings.Contains(output, test.says) || !strings.Contains(output, "built from source")) {
				t.Errorf("it does not say %q and the remedy:\n%s", test.says, output)
			}
			want := map[string]string{}
			for _, program := range test.present {
				want[program] = "from before"
			}
			for _, program := range test.taken {
				want[program] = contentOf(program)
			}
			if found := contents(t, bin); fmt.Sprint(found) != fmt.Sprint(want) {
				t.Errorf("bin/ holds %v, not %v", found, want)
			}
		})
	}
}

// TestChecksums looks each checksum up in the changelog of the module, which Go's checksum database vouches for.
func TestChecksums(t *testing.T) {
	command := exec.CommandContext(t.Context(), "go", "-C", "../../tools/kubernetes", "mod", "download", "-json", "k8s.io/kubernetes")
	printed, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	var module struct{ Dir, Version string }
	if err := json.Unmarshal(printed, &module); err != nil {
		t.Fatal(err)
	}
	minor := strings.Join(strings.Split(strings.TrimPrefix(module.Version, "v"), ".")[:2], ".")
	changelog := read(t, filepath.Join(module.Dir, "CHANGELOG", "CHANGELOG-"+minor+".md"))
	known := 0
	for line := range strings.Lines(read(t, list)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		known++
		sum, path, _ := strings.Cut(strings.TrimSpace(line), "  ")
		published := fmt.Sprintf("[%s](https://dl.k8s.io/%s) | ", filepath.Base(path), path)
		if !strings.Contains(strings.ReplaceAll(changelog, "`", ""), published+sum+"\n") {
			t.Errorf("%s: the changelog does not say that its checksum is %s", path, sum)
		}
	}
	if known == 0 {
		t.Error("there is no checksum")
	}
}

func contentOf(program string) string { return "the program " + program }

// archive returns one as Kubernetes publishes it, with these programs.
func archive(t *testing.T, programs ...string) []byte {
	t.Helper()
	var packed bytes.Buffer
	compressed := gzip.NewWriter(&packed)
	archived := tar.NewWriter(compressed)
	for _, program := range programs {
		content := contentOf(program)
		header := &tar.Header{Name: "kubernetes/server/bin/" + program, Mode: 0o755, Size: int64(len(content))}
		if err := archived.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := archived.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := archived.Close(); err != nil {
		t.Fatal(err)
	}
	if err := compressed.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

// copyScript puts the script into a repository of its own, with a list that expects this archive.
func copyScript(t *testing.T, root string, expected []byte) {
	t.Helper()
	write(t, filepath.Join(root, "hack", "prebuilt.sh"), []byte(read(t, script)))
	lines := "# A comment.\n"
	if expected != nil {
		lines += fmt.Sprintf("%x  v1.2.3/%s\n", sha512.Sum512(expected), archiveName())
	}
	write(t, filepath.Join(root, "hack", "prebuilt.sha512"), []byte(lines))
}

func archiveName() string { return "kubernetes-server-linux-" + runtime.GOARCH + ".tar.gz" }

// serve serves the archive, if there is one, and returns the address.
func serve(t *testing.T, published []byte) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		if published == nil || request.URL.Path != "/v1.2.3/"+archiveName() {
			http.NotFound(response, request)
			return
		}
		_, _ = response.Write(published)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// take runs the script and returns what it printed.
func take(t *testing.T, root, from string, arguments ...string) (string, error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), filepath.Join(root, "hack", "prebuilt.sh"), arguments...)
	command.Env = append(os.Environ(), "PREBUILT_FROM="+from)
	output, err := command.CombinedOutput()
	return string(output), err
}

func contents(t *testing.T, folder string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, file := range files {
		found[filepath.Base(file)] = read(t, file)
	}
	return found
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func write(t *testing.T, file string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, content, 0o755); err != nil {
		t.Fatal(err)
	}
}
