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

package config

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
)

// placeholder is where documents say that the repository is published.
const placeholder = "https://github.com/example/app-operator"

// readme returns the part of README.md that the expression's group finds.
func readme(t *testing.T, expression string) string {
	t.Helper()
	found := regexp.MustCompile(expression).FindSubmatch(readRoot(t, "README.md"))
	if found == nil {
		t.Fatalf("README.md has nothing like %s", expression)
	}
	return string(found[1])
}

func readRoot(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// TestBaseFromAfar builds README's kustomization as it would be built from the repository of a release, whose image it names.
func TestBaseFromAfar(t *testing.T) {
	base := readme(t, `resources: \["(`+placeholder+`//[^"]*)"\]`)
	tag := base[strings.LastIndex(base, "=")+1:]
	repository := t.TempDir()
	if err := os.CopyFS(filepath.Join(repository, "config"), os.DirFS(filepath.Join(root, "config"))); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"init", "--quiet"},
		{"add", "."},
		{"-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "--quiet", "-m", "x"},
		{"tag", tag},
	} {
		git := exec.CommandContext(t.Context(), "git", append([]string{"-C", repository}, args...)...)
		git.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null")
		if said, err := git.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, said)
		}
	}
	dir := kustomization(t, "from-afar", "resources: ['"+strings.Replace(base, placeholder, "file://"+repository, 1)+"']\n")
	_, objects := build(t, dir)
	image := find[appsv1.Deployment](t, objects, "Deployment").Spec.Template.Spec.Containers[0].Image

	makefile := readRoot(t, "Makefile")
	version := regexp.MustCompile(`(?m)^VERSION := (.*)$`).FindSubmatch(makefile)[1]
	want := strings.ReplaceAll(string(regexp.MustCompile(`(?m)^IMG \?= (.*)$`).FindSubmatch(makefile)[1]), "$(VERSION)", string(version))
	if image != want || tag != "v"+string(version) {
		t.Errorf("the base of the tag %s has the image %s, want that of the release, %s", tag, image, want)
	}
}

// TestAnotherNamespace holds that README's substitution makes the manifest one for another namespace, and changes nothing else.
func TestAnotherNamespace(t *testing.T) {
	script := readme(t, `(?s)install-single-namespace.yaml \|\s+sed '([^']*)'`)
	text, _ := build(t, filepath.Join(scratch, "config", "overlays", "single-namespace"))
	sed := exec.CommandContext(t.Context(), "sed", script)
	sed.Stdin = bytes.NewReader(text)
	changed, err := sed.Output()
	if err != nil {
		t.Fatal(err)
	}
	if want := bytes.ReplaceAll(text, []byte(tenants), []byte("my-namespace")); !bytes.Equal(changed, want) || bytes.Equal(changed, text) {
		t.Errorf("sed '%s' does not make the manifest one for my-namespace", script)
	}
}

// TestManifestsOfARelease holds that a release has the manifests that documents have its users download.
func TestManifestsOfARelease(t *testing.T) {
	makefile := string(readRoot(t, "Makefile"))
	for _, page := range []string{"README.md", "docs/install.md"} {
		for _, match := range regexp.MustCompile(`\b(install-[a-z-]+|crds)\.yaml\b`).FindAllStringSubmatch(string(readRoot(t, page)), -1) {
			if !regexp.MustCompile(`\b` + match[1] + `:config/`).MatchString(makefile) {
				t.Errorf("%s speaks of %s.yaml, which make release-manifests does not write", page, match[1])
			}
		}
	}
}

// TestDockerfileTakesNoBuildKit holds that each Docker can build the image: those of Linux distributions often come without BuildKit.
func TestDockerfileTakesNoBuildKit(t *testing.T) {
	for line := range strings.Lines(string(readRoot(t, "Dockerfile"))) {
		if found := regexp.MustCompile(`^FROM --platform=\$|^RUN --|^(COPY|ADD) --(link|chmod|parents|exclude)|<<-?["']?[A-Z]`).FindString(line); found != "" {
			t.Errorf("%s has %q", line, found)
		}
	}
}

// TestReleaseLabel holds that the label by which kube-prometheus-stack selects is on what it takes, and that README's kustomization
// of operations gives it another value.
func TestReleaseLabel(t *testing.T) {
	page := string(readRoot(t, "docs/operations/README.md"))
	override := regexp.MustCompile("(?s)```yaml\n(resources: \\[\\.\\./config/prometheus\\].*?)```").FindStringSubmatch(page)
	if override == nil {
		t.Fatal("docs/operations/README.md shows no kustomization on top of config/prometheus")
	}
	for dir, want := range map[string]string{
		filepath.Join(scratch, "config", "prometheus"):        "kube-prometheus-stack",
		filepath.Join(scratch, "config", "prometheus-secure"): "kube-prometheus-stack",
		kustomization(t, "another-release", override[1]):      "monitoring",
	} {
		_, objects := build(t, dir)
		for _, object := range objects {
			if got := object.GetLabels()["release"]; got != want {
				t.Errorf("%s: %s %s has the label release=%q, want %q", dir, object.GetKind(), object.GetName(), got, want)
			}
		}
		if len(objects) < 3 {
			t.Errorf("%s has only %d objects", dir, len(objects))
		}
	}
}
