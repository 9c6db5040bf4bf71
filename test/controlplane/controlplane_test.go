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

package controlplane

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// waitTime is how long a test waits for what should happen within a second; the machine may be busy.
const waitTime = 5 * time.Minute

func TestMain(m *testing.M) {
	if ending := os.Getenv(endingVariable); ending != "" {
		runParent(ending) // this process is a child of TestEndsWithItsParent
	}
	os.Exit(m.Run())
}

// TestControlPlane starts one control plane and looks at everything a test may expect of it.
func TestControlPlane(t *testing.T) {
	t.Parallel()
	var progress bytes.Buffer
	audit := filepath.Join(t.TempDir(), "audit.log")
	c, err := Start(t.Context(), Options{
		Nodes: 3, AuditLog: audit, Output: &progress, CRDPaths: []string{"config/crd/bases"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, c) })
	t.Log(progress.String())

	t.Run("behaviour", func(t *testing.T) {
		for name, test := range behaviours {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				client := clientFor(t, c.Config())
				test(scene{T: t, c: c, client: client, namespace: newNamespace(t, client)})
			})
		}
	})

	content, err := os.ReadFile(audit)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(content, []byte(`"user":{"username":"alice"`)) {
		t.Errorf("the audit log does not mention alice; its end:\n%s", Tail(audit, 3))
	}
	pids := runningPIDs(t, c)
	stop(t, c)
	requireGone(t, pids, c.work)
}

// TestSideBySide starts two at once, and ends one by its context.
func TestSideBySide(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var first, second *ControlPlane
	err := parallel(
		func() (err error) { first, err = Start(ctx, Options{Nodes: 1}); return err },
		func() (err error) { second, err = Start(t.Context(), Options{Nodes: 1}); return err },
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, second) })

	pids := runningPIDs(t, first)
	cancel()
	requireGone(t, pids, first.work)
	if err := parallel(first.Stop, first.Stop); err != nil {
		t.Errorf("Stop after the end: %v", err)
	}
	if _, err := clientFor(t, second.Config()).CoreV1().Nodes().Get(t.Context(), "node-1", metav1.GetOptions{}); err != nil {
		t.Errorf("the other control plane is disturbed: %v", err)
	}
}

// TestWithoutNodes is what tests of the schema use.
func TestWithoutNodes(t *testing.T) {
	t.Parallel()
	logs := t.TempDir()
	c, err := Start(t.Context(), Options{LogDir: logs, CRDPaths: []string{"config/crd/bases"}})
	if err != nil {
		t.Fatal(err)
	}
	client := clientFor(t, c.Config())
	if _, err := client.Discovery().ServerResourcesForGroupVersion("apps.example.com/v1"); err != nil {
		t.Errorf("the CustomResourceDefinition is not served: %v", err)
	}
	stop(t, c)
	if _, err := os.Stat(filepath.Join(logs, "kube-apiserver.log")); err != nil {
		t.Errorf("Stop removed a log folder that is not its own: %v", err)
	}
}

func TestStartErrors(t *testing.T) {
	t.Parallel()
	empty := t.TempDir()
	for name, test := range map[string]struct {
		options Options
		want    string
	}{
		"no binaries": {
			options: Options{AssetsDir: empty},
			want: "etcd, kube-apiserver, kubectl not found in " + empty + ": run make controlplane-binaries, " +
				"or set KUBEBUILDER_ASSETS to a folder that holds etcd, kube-apiserver, kubectl",
		},
		"no CRDs":          {options: Options{CRDPaths: []string{"config/none"}}, want: "run make manifests"},
		"negative nodes":   {options: Options{Nodes: -1}, want: "give 0 or more"},
		"broken scheduler": {options: Options{AssetsDir: brokenAssets(t), Nodes: 1}, want: "this scheduler is broken"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.options.LogDir = t.TempDir()
			_, err := Start(t.Context(), test.options)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want something with %q", err, test.want)
			}
		})
	}
}

// TestComponentDies makes sure that a crashed component is not overlooked: a test that fails because of it would
// otherwise be hard to understand.
func TestComponentDies(t *testing.T) {
	t.Parallel()
	c, err := Start(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	pid, _ := c.guard.pid("kube-apiserver")
	process, err := os.FindProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Kill(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is gone", func() error {
		if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
			return errors.Join(err, errors.New("it is still there"))
		}
		return nil
	})
	if err := c.Stop(); err == nil || !strings.Contains(err.Error(), "kube-apiserver ended before Stop") {
		t.Errorf("got %v, want the remark that kube-apiserver ended", err)
	}
	if err := os.RemoveAll(c.work); err != nil { // the logs were kept
		t.Error(err)
	}
}

// brokenAssets returns a folder with the real binaries and a scheduler that fails.
func brokenAssets(t *testing.T) string {
	t.Helper()
	assets, err := assetsDir("")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range []string{"etcd", "kube-apiserver", "kubectl", "kube-controller-manager", "kwok"} {
		if err := os.Symlink(filepath.Join(assets, name), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	script := []byte("#!/bin/sh\necho this scheduler is broken >&2\nexit 3\n")
	if err := os.WriteFile(filepath.Join(dir, "kube-scheduler"), script, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

func stop(t *testing.T, c *ControlPlane) {
	t.Helper()
	if err := c.Stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
}

func clientFor(t *testing.T, config *rest.Config) kubernetes.Interface {
	t.Helper()
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// newNamespace makes a namespace in which pods can be created.
func newNamespace(t *testing.T, client kubernetes.Interface) string {
	t.Helper()
	namespace, err := client.CoreV1().Namespaces().Create(t.Context(),
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "ServiceAccount default exists", func() error {
		_, err := client.CoreV1().ServiceAccounts(namespace.Name).Get(t.Context(), "default", metav1.GetOptions{})
		return err
	})
	return namespace.Name
}

// eventually asks until the answer is nil.
func eventually(t *testing.T, what string, ask func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), waitTime, fmt.Errorf("not within %s", waitTime))
	defer cancel()
	if err := poll(ctx, func(context.Context) error { return ask() }); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}
