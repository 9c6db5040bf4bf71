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

package gitops_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/example/app-operator/test/process"
)

// published is where README.md has a release's manifests downloaded from.
const published = "https://github.com/example/app-operator/releases/latest/download/"

// publish serves the manifest that README.md begins with, as make release-manifests writes it.
func publish(ctx context.Context) (*httptest.Server, error) {
	manifest, err := tool(ctx, cluster.KubectlPath(), "kustomize", filepath.Join(root, "config", "overlays", "single-namespace")).Output()
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/install-single-namespace.yaml", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(manifest) })
	return httptest.NewServer(mux), nil
}

// installBlocks returns the commands of README.md that download something of a release, block by block, with another address in place of
// the release's.
func installBlocks(address string) ([]string, error) {
	page, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		return nil, err
	}
	var all []string
	for _, block := range regexp.MustCompile("(?ms)^```sh\n(.*?)^```$").FindAllStringSubmatch(string(page), -1) {
		if strings.Contains(block[1], published) {
			all = append(all, strings.ReplaceAll(block[1], published, address+"/"))
		}
	}
	return all, nil
}

// typed is what a document has its readers type, in a folder.
func typed(ctx context.Context, dir, script string) *exec.Cmd {
	bash := tool(ctx, "bash", "-eu", "-o", "pipefail", "-c", script)
	bash.Dir = dir
	bash.Env = append(bash.Env, "PATH="+filepath.Dir(cluster.KubectlPath())+":"+os.Getenv("PATH"))
	return bash
}

// TestReadmeForAnotherNamespace runs the second of README.md's ways to install, for another namespace, in an empty folder. The first one
// has made the installation that the other tests use.
func TestReadmeForAnotherNamespace(t *testing.T) {
	server, err := publish(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	blocks, err := installBlocks(server.URL)
	if err != nil || len(blocks) != 2 {
		t.Fatalf("README.md downloads %d times from a release, want twice (%v)", len(blocks), err)
	}
	const another = "my-namespace"
	kubectl(t, "create", "namespace", another)
	if said, err := typed(t.Context(), t.TempDir(), blocks[1]).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", blocks[1], err, said)
	}
	var role rbacv1.Role
	if err := admin.Get(t.Context(), client.ObjectKey{Namespace: another, Name: "app-operator-manager-role"}, &role); err != nil {
		t.Error(err)
	}
	var deployment appsv1.Deployment
	if err := admin.Get(t.Context(), client.ObjectKey{Namespace: home, Name: "app-operator-controller-manager"}, &deployment); err != nil {
		t.Fatal(err)
	}
	env := deployment.Spec.Template.Spec.Containers[0].Env
	if !slices.ContainsFunc(env, func(v corev1.EnvVar) bool { return v.Name == "WATCH_NAMESPACE" && v.Value == another }) {
		t.Errorf("the operator does not serve %s: %v", another, env)
	}
}

// shown is a command of a document, and what the document says that it prints.
type shown struct{ command, output string }

// consoleBlocks returns the commands of README's console blocks, in their order.
func consoleBlocks(t *testing.T) []shown {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	var all []shown
	for _, block := range regexp.MustCompile("(?ms)^```console\n(.*?)^```$").FindAllStringSubmatch(string(page), -1) {
		for _, each := range strings.Split("\n"+block[1], "\n$ ")[1:] {
			command, output, _ := strings.Cut(each, "\n")
			all = append(all, shown{command, strings.TrimSpace(output)})
		}
	}
	return all
}

var (
	podName = regexp.MustCompile(`my-app-[a-f0-9]+-[a-z0-9]{5}`)
	moment  = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`)
	age     = regexp.MustCompile(`\b(\d+m)?\d+s\b`)
)

// plain leaves out of an output what differs each time: ages, times, the names of pods, and how wide columns are.
func plain(output string) string {
	output = podName.ReplaceAllString(output, "POD")
	output = moment.ReplaceAllString(output, "TIME")
	output = age.ReplaceAllString(output, "AGE")
	return strings.Join(strings.Fields(output), " ")
}

// matches reports whether a command has printed what is shown, in which "..." is anything.
func matches(said, output string) bool {
	parts := strings.Split(plain(output), "...")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(strings.TrimSpace(parts[i]))
	}
	return regexp.MustCompile(`^` + strings.Join(parts, `.*`) + `\s*$`).MatchString(plain(said))
}

// TestReadme runs the commands that README.md shows, one after the other, and wants what it shows. A command that only looks is
// repeated until it sees that: whoever types is slower than this test. Pods are played, and nothing of them runs.
func TestReadme(t *testing.T) {
	all := consoleBlocks(t)
	if len(all) < 8 {
		t.Fatalf("found only %d commands", len(all))
	}
	kubectl(t, "delete", "applications.apps.example.com", "--all", "--namespace="+served) // of other tests
	defer kubectl(t, "delete", "applications.apps.example.com/my-app", "--namespace="+served, "--ignore-not-found")
	for _, each := range all {
		looks := slices.ContainsFunc([]string{"get", "describe", "wait"}, func(verb string) bool {
			return strings.HasPrefix(each.command, "kubectl "+verb+" ")
		})
		deadline := time.Now().Add(process.Limit)
		for {
			said, err := typed(t.Context(), root, each.command).CombinedOutput() // of a refusal, the exit code says so as well
			if matches(string(said), each.output) {
				break
			}
			if !looks || time.Now().After(deadline) {
				t.Fatalf("$ %s\n%s%v\nREADME.md shows:\n%s", each.command, said, err, each.output)
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
}
