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
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/example/app-operator/test/process"
	"github.com/example/app-operator/test/readme"
)

// page is the file that the tests of this package follow.
var page = filepath.Join(root, "README.md")

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

// installScripts returns the commands of README.md that download something of a release, block by block, with another address in place of
// the release's.
func installScripts(address string) ([]string, error) {
	scripts, err := readme.Scripts(page, readme.Release)
	for i := range scripts {
		scripts[i] = strings.ReplaceAll(scripts[i], readme.Release, address)
	}
	return scripts, err
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
	scripts, err := installScripts(server.URL)
	if err != nil || len(scripts) != 2 {
		t.Fatalf("README.md downloads %d times from a release, want twice (%v)", len(scripts), err)
	}
	const another = "my-namespace"
	kubectl(t, "create", "namespace", another)
	if said, err := typed(t.Context(), t.TempDir(), scripts[1]).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", scripts[1], err, said)
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

// TestReadme runs the commands that README.md shows, one after the other, and wants what it shows. A command that only looks is
// repeated until it sees that: whoever types is slower than this test. Pods are played, and nothing of them runs.
func TestReadme(t *testing.T) {
	all, err := readme.Console(page)
	if err != nil || len(all) < 8 {
		t.Fatalf("found only %d commands (%v)", len(all), err)
	}
	kubectl(t, "delete", "applications.apps.example.com", "--all", "--namespace="+served) // of other tests
	defer kubectl(t, "delete", "applications.apps.example.com/my-app", "--namespace="+served, "--ignore-not-found")
	for _, each := range all {
		deadline := time.Now().Add(process.Limit)
		for {
			said, err := typed(t.Context(), root, each.Line).CombinedOutput() // of a refusal, the exit code says so as well
			if each.Prints(string(said)) {
				break
			}
			if !each.Looks() || time.Now().After(deadline) {
				t.Fatalf("$ %s\n%s%v\nREADME.md shows:\n%s", each.Line, said, err, each.Output)
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
}
