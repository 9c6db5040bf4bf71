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

package catalog

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// These are written so that the command which replaces them leaves them here.
const (
	placeholder = "github.com/" + "example"
	group       = "apps." + "example.com"
)

// groupOf returns the group of the API, which is another one where the repository has an identity of its own.
func groupOf(t *testing.T) string {
	t.Helper()
	project := load[struct {
		Domain    string
		Resources []struct{ Group string }
	}](t, filepath.Join(root, "PROJECT"))
	return project.Resources[0].Group + "." + project.Domain
}

// TestIdentity gives a copy of the repository another identity, and wants the release made of it to hold no placeholder.
func TestIdentity(t *testing.T) {
	t.Parallel()
	dir := repository(t)
	foreign := filepath.Join(t.TempDir(), "bundle.yaml") // of the repository, which may have an identity by now
	write(t, foreign, "repository: https://"+placeholder+"/app-operator\n")
	before, err := shell(t, dir, "hack/identity.sh", "check", foreign).CombinedOutput()
	if err == nil || !strings.Contains(string(before), placeholder) || !strings.Contains(string(before), "make identity") {
		t.Errorf("a placeholder is not refused: %v\n%s", err, before)
	}
	identity(t, dir, "REPOSITORY=github.com/Acme/app-operator")
	community := "COMMUNITY=" + filepath.Join(dir, "release", "community")
	run(t, shell(t, dir, "mkdir", "release"))
	run(t, shell(t, dir, "make", "bundle", "community-operators", "OUTPUT=release", community))
	run(t, shell(t, dir, "hack/identity.sh", "check", "."))
	run(t, shell(t, dir, "diff", "-r", "bundle", "release/bundle"))

	bundled := read(t, filepath.Join(dir, "bundle", "manifests", "app-operator.clusterserviceversion.yaml"))
	for _, want := range []string{
		"containerImage: ghcr.io/acme/app-operator:v", "image: ghcr.io/acme/app-operator:v",
		"repository: https://github.com/Acme/app-operator\n", "email: Acme@users.noreply.github.com\n",
		"name: applications." + groupOf(t) + "\n",
	} {
		if !strings.Contains(bundled, want) {
			t.Errorf("the bundle lacks %q", want)
		}
	}
	run(t, shell(t, dir, "make", "release-manifests"))
	for _, name := range []string{"single-namespace", "own-namespace", "all-namespaces"} {
		manifest := filepath.Join("dist", "install-"+name+".yaml")
		run(t, shell(t, dir, "hack/identity.sh", "check", manifest))
		if !regexp.MustCompile(`(?m)^ +image: ghcr\.io/acme/app-operator@sha256:[0-9a-f]{64}$`).MatchString(read(t, filepath.Join(dir, manifest))) {
			t.Errorf("%s does not name the image by its digest", manifest)
		}
	}
	for _, file := range []string{"k8s-operatorhub", "community-operators-prod"} {
		if config := read(t, filepath.Join(dir, "catalog", file, "ci.yaml")); !strings.Contains(config, "reviewers:\n- Acme\n") {
			t.Errorf("%s: the reviewer is still a placeholder:\n%s", file, config)
		}
	}
}

// TestIdentityTwice names everything, the API's group as well, and then the repository once more.
func TestIdentityTwice(t *testing.T) {
	t.Parallel()
	dir := repository(t)
	others := []string{"IMAGES=registry.acme.org/platform", "REVIEWER=jane", "EMAIL=team@acme.org"}
	identity(t, dir, append(others, "REPOSITORY=github.com/acme/app-operator", "API_GROUP=workloads.acme.org")...)
	identity(t, dir, append(others, "REPOSITORY=git.acme.org/apps/operator")...)
	crd := "config/crd/bases/workloads.acme.org_applications.yaml"
	shipped := read(t, filepath.Join(dir, crd))
	run(t, shell(t, dir, "make", "manifests"))
	if generated := read(t, filepath.Join(dir, crd)); generated != shipped {
		t.Errorf("%s is not what its sources say", crd)
	}
	left, err := shell(t, dir, "git", "grep", "-nIF", "-e", group, "-e", placeholder, "-e", "github.com/acme"+"/").Output()
	if len(left) > 0 {
		t.Errorf("names are left, %v:\n%s", err, left)
	}
	run(t, shell(t, dir, "go", "build", "./..."))
}

// TestIdentityRefuses what is no identity, and changes nothing then.
func TestIdentityRefuses(t *testing.T) {
	t.Parallel()
	dir := repository(t)
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{}, `REPOSITORY="": is not HOST/OWNER/NAME`},
		{[]string{"REPOSITORY=acme"}, `REPOSITORY="acme": is not HOST/OWNER/NAME`},
		{[]string{"REPOSITORY=github.com/acme/app-operator", "IMAGES=Acme"}, `IMAGES="Acme": is not a registry`},
		{[]string{"REPOSITORY=github.com/acme/app-operator", "REVIEWER=@jane"}, `REVIEWER="@jane": is not the name of a user`},
		{[]string{"REPOSITORY=github.com/acme/app-operator", "EMAIL=acme"}, `EMAIL="acme": is not an address`},
		{[]string{"REPOSITORY=github.com/acme/app-operator", "API_GROUP=acme"}, `API_GROUP="acme": is not the name of an API group`},
	} {
		said, err := shell(t, dir, "make", append([]string{"identity"}, test.args...)...).CombinedOutput()
		if err == nil || !strings.Contains(string(said), test.want) {
			t.Errorf("make identity %s: %v\n%s", test.args, err, said)
		}
	}
	if changed := run(t, shell(t, dir, "git", "status", "--porcelain")); changed != "" {
		t.Errorf("it has changed:\n%s", changed)
	}
}

// identity runs the command under test. The modules of the tools have other names then, and what is in bin/ is still right.
func identity(t *testing.T, dir string, args ...string) {
	t.Helper()
	run(t, shell(t, dir, "make", append([]string{"identity"}, args...)...))
	run(t, shell(t, dir, "find", "tools", "-type", "f", "-exec", "touch", "-t", "200001010000", "{}", "+"))
}

// repository returns a copy of the working tree, with git, in which all files are committed.
func repository(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	run(t, shell(t, root, "bash", "-c", `git ls-files -z --cached --others --exclude-standard |
		while IFS= read -r -d '' file; do [[ ! -e $file ]] || printf '%s\0' "$file"; done |
		tar -c --null -T - | tar -xp -C "$1"`, "copy", dir))
	run(t, shell(t, dir, "git", "init", "--quiet"))
	run(t, shell(t, dir, "git", "add", "--all"))
	run(t, shell(t, dir, "git", "-c", "user.name=t", "-c", "user.email=t@t", "commit", "--quiet", "--message", "copy"))
	return dir
}

// shell returns a command that runs in the folder, with the tools that are built.
func shell(t *testing.T, dir, program string, args ...string) *exec.Cmd {
	t.Helper()
	command := exec.CommandContext(t.Context(), program, args...)
	command.Dir = dir
	// What the make that runs this test was told is not for the one that it runs.
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "MAKE") && !strings.HasPrefix(variable, "MFLAGS=") {
			command.Env = append(command.Env, variable)
		}
	}
	command.Env = append(command.Env, "BIN="+bin())
	return command
}
