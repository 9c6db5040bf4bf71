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

// Package gitops_test holds what README.md shows, and docs/gitops.md says of the tools that apply manifests and wait for them: Helm's own
// program, and kubectl, on an embedded control plane with a real operator.
//
// It may read manifests and documents, and run programs; it imports nothing of the operator but the API types.
package gitops_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/test/controlplane"
	"github.com/example/app-operator/test/operator"
	"github.com/example/app-operator/test/process"
)

const (
	root = "../.."
	// home is the operator's namespace, served the one that it serves, and unserved one in which tests play the operator.
	home, served, unserved = "app-operator-system", "app-namespace", "unserved"
)

var (
	cluster *controlplane.ControlPlane
	admin   client.Client
	// folder has the kubeconfig, and is the tools' home.
	folder string
)

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "test/gitops:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	logf.SetLogger(logr.Discard()) // the client's own log; without one it complains
	if folder, err = os.MkdirTemp("", "test-gitops-"); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	binary, err := process.Build("test")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(filepath.Dir(binary))) }()
	cluster, err = controlplane.Start(context.Background(), controlplane.Options{Nodes: 3, GCPercent: controlplane.FewCollections})
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, cluster.Stop()) }()
	if err := install(binary); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// install installs as README.md begins, and runs the operator of it, whose pods are only played.
func install(binary string) error {
	content, err := controlplane.Kubeconfig(cluster.Config())
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, "kubeconfig"), content, 0o600); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), process.Limit)
	defer cancel()
	if err := installAsPrinted(ctx); err != nil {
		return err
	}
	if said, err := tool(ctx, cluster.KubectlPath(), "create", "namespace", unserved).CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, said)
	}
	// Not by kubectl wait, which fails at a CustomResourceDefinition whose conditions are still null.
	applications := apiextensionsv1.CustomResourceDefinition{Spec: apiextensionsv1.CustomResourceDefinitionSpec{
		Group: v1.GroupVersion.Group, Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: "applications"},
		Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{Name: v1.GroupVersion.Version, Served: true}},
	}}
	if err := envtest.WaitForCRDs(cluster.Config(), []*apiextensionsv1.CustomResourceDefinition{&applications}, envtest.CRDInstallOptions{
		MaxTime: process.Limit, PollInterval: 100 * time.Millisecond,
	}); err != nil {
		return err
	}
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1.AddToScheme(scheme)); err != nil {
		return err
	}
	if admin, err = client.New(cluster.Config(), client.Options{Scheme: scheme}); err != nil {
		return err
	}
	_, err = operator.Start(ctx, cluster, operator.Options{
		Name: "operator", Binary: binary, AccountNamespace: home, Flags: []string{"--namespace=" + served},
	})
	return err
}

// installAsPrinted runs the commands that README.md begins with, in an empty folder. They make the namespace that is served.
func installAsPrinted(ctx context.Context) error {
	release, err := publish(ctx)
	if err != nil {
		return err
	}
	defer release.Close()
	scripts, err := installScripts(release.URL)
	if err != nil || len(scripts) == 0 {
		return fmt.Errorf("README.md downloads nothing of a release (%w)", err)
	}
	empty, err := os.MkdirTemp(folder, "empty-")
	if err != nil {
		return err
	}
	if said, err := typed(ctx, empty, scripts[0]).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", scripts[0], err, said)
	}
	return nil
}

// tool is a program with the cluster as its own, and nothing of this machine's user but the path.
func tool(ctx context.Context, path string, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, path, args...)
	command.Env = []string{
		"HOME=" + folder, "PATH=" + os.Getenv("PATH"), "KUBECONFIG=" + filepath.Join(folder, "kubeconfig"),
	}
	return command
}

// kubectl runs it, and fails the test if it fails.
func kubectl(t *testing.T, args ...string) {
	t.Helper()
	said, err := tool(t.Context(), cluster.KubectlPath(), args...).CombinedOutput()
	if err != nil {
		t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, said)
	}
}

// helm returns what it says, and how long it took.
func helm(ctx context.Context, args ...string) (said string, took time.Duration, err error) {
	assets := os.Getenv("BIN")
	if assets == "" {
		assets = filepath.Join(root, "bin")
	}
	began := time.Now()
	output, err := tool(ctx, filepath.Join(assets, "helm"), args...).CombinedOutput()
	return string(output), time.Since(began), err
}

// chart writes one with a manifest, and returns its folder.
func chart(t *testing.T, manifest string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "templates"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"Chart.yaml": "apiVersion: v2\nname: chart\nversion: 1.0.0\n", "templates/application.yaml": manifest,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// manifestOf returns the manifest of an Application with this spec, in YAML that begins in the first column.
func manifestOf(namespace, name, spec string) string {
	return fmt.Sprintf("apiVersion: apps.example.com/v1\nkind: Application\nmetadata: {name: %s, namespace: %s}\nspec:\n  %s\n",
		name, namespace, strings.ReplaceAll(spec, "\n", "\n  "))
}

func get(t *testing.T, namespace, name string) *v1.Application {
	t.Helper()
	app := &v1.Application{}
	if err := admin.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, app); err != nil {
		t.Fatal(err)
	}
	return app
}
