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
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// TestKrewTakesTheManifest has krew's own program for its index check the manifest, of archives for all platforms of a release.
func TestKrewTakesTheManifest(t *testing.T) {
	validator := filepath.Join(os.Getenv("BIN"), "validate-krew-manifest")
	if os.Getenv("BIN") == "" {
		validator = filepath.Join("..", "..", "bin", "validate-krew-manifest")
	}
	if _, err := os.Stat(validator); err != nil {
		t.Fatalf("%v; make validate-krew-manifest builds it", err)
	}
	folder := t.TempDir()
	platforms := strings.Fields("darwin_amd64 darwin_arm64 linux_amd64 linux_arm64 windows_amd64 windows_arm64")
	for _, platform := range platforms {
		if err := os.WriteFile(filepath.Join(folder, "kubectl-app_"+platform+".tar.gz"), []byte(platform), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(name string, args ...string) {
		t.Helper()
		if out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
	}
	run(filepath.Join("..", "..", "hack", "krew.sh"), "1.0.0", "github.com/acme/app-operator", folder)
	manifest := filepath.Join(folder, "app.yaml")
	run(validator, "-manifest", manifest, "-skip-install")

	text, err := os.ReadFile(manifest)
	if err != nil {
		t.Fatal(err)
	}
	var plugin struct {
		Spec struct {
			Platforms []struct {
				URI, Bin string
			}
		}
	}
	if err := yaml.Unmarshal(text, &plugin); err != nil {
		t.Fatal(err)
	}
	if len(plugin.Spec.Platforms) != len(platforms) {
		t.Fatalf("the manifest has %d platforms", len(plugin.Spec.Platforms))
	}
	for i, platform := range plugin.Spec.Platforms {
		program := "kubectl-app"
		if strings.HasPrefix(platforms[i], "windows") {
			program += ".exe"
		}
		want := "https://github.com/acme/app-operator/releases/download/v1.0.0/kubectl-app_" + platforms[i] + ".tar.gz"
		if platform.URI != want || platform.Bin != program {
			t.Errorf("%s: %+v", platforms[i], platform)
		}
	}
}
