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

// Package config tests the manifests in config as their users apply them: config/default, every overlay, and
// config/default with every component, built by kubectl and given to a real control plane.
//
// It may read manifests and documents, and run the operator's program from outside; it imports nothing of the operator
// but the API types.
package config

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/test/controlplane"
	"github.com/example/app-operator/test/process"
)

const (
	root = "../.."

	// home is the operator's namespace, tenants the one that config/overlays/single-namespace serves, and elsewhere one
	// that only an operator for all namespaces serves.
	home      = "app-operator-system"
	tenants   = "app-namespace"
	elsewhere = "elsewhere"

	// name is what the operator's Deployment, ServiceAccount, PodDisruptionBudget and NetworkPolicy are called.
	name = "app-operator-controller-manager"

	defaultInstall = "default"
)

// scratch holds a copy of config, and beside it the kustomizations that the tests make.
var scratch string

// cleanups undo what the tests share, the last first.
var cleanups []func() error

// plane is started by the first test that needs it, without the CRD: installing it is the manifests' part.
var plane = sync.OnceValues(func() (*controlplane.ControlPlane, error) {
	c, err := controlplane.Start(context.Background(), controlplane.Options{Nodes: nodes, GCPercent: controlplane.FewCollections})
	if err == nil {
		cleanups = append(cleanups, c.Stop)
	}
	return c, err
})

// program is the operator's binary, built for the first test that needs it.
var program = sync.OnceValues(func() (string, error) {
	binary, err := process.Build("test")
	if err == nil {
		cleanups = append(cleanups, func() error { return os.RemoveAll(filepath.Dir(binary)) })
	}
	return binary, err
})

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "test/config:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	logf.SetLogger(logr.Discard()) // the client's own log; without one it complains
	if scratch, err = os.MkdirTemp("", "test-config-"); err != nil {
		return 1, err
	}
	cleanups = append(cleanups, func() error { return os.RemoveAll(scratch) })
	defer func() {
		for _, cleanup := range slices.Backward(cleanups) {
			err = errors.Join(err, cleanup())
		}
	}()
	if err := os.CopyFS(filepath.Join(scratch, "config"), os.DirFS(filepath.Join(root, "config"))); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

func newPlane(t *testing.T) *controlplane.ControlPlane {
	t.Helper()
	c, err := plane()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func administrator(t *testing.T, c *controlplane.ControlPlane) client.Client {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	admin, err := client.New(c.Config(), client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	return admin
}

// install is a kustomization that somebody may apply.
type install struct {
	// name is default, the name of an overlay, or +COMPONENT for config/default with a component.
	name string
	// dir is where it is, in the copy.
	dir string
}

// component returns the name of the component, or nothing.
func (i install) component() string {
	component, ok := strings.CutPrefix(i.name, "+")
	if !ok {
		return ""
	}
	return component
}

// installs returns config/default, all overlays and all components, so that a new one is tested without being named here.
func installs(t *testing.T) []install {
	t.Helper()
	found := []install{{name: defaultInstall, dir: filepath.Join(scratch, "config", "default")}}
	for _, dir := range folders(t, "overlays") {
		found = append(found, install{name: filepath.Base(dir), dir: dir})
	}
	for _, dir := range folders(t, "components") {
		component := filepath.Base(dir)
		found = append(found, install{name: "+" + component, dir: kustomization(t, "with-"+component,
			"resources: [../config/default]\ncomponents: [../config/components/"+component+"]\n")})
	}
	return found
}

func folders(t *testing.T, kind string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(scratch, "config", kind, "*"))
	if err != nil || len(found) == 0 {
		t.Fatalf("no %s in config: %v", kind, err)
	}
	slices.Sort(found)
	return found
}

// kustomization writes one beside config and returns its folder.
func kustomization(t *testing.T, folder, content string) string {
	t.Helper()
	dir := filepath.Join(scratch, folder)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// texts are the kustomizations that were built, by their folders.
var texts = map[string][]byte{}

// build returns what a kustomization holds, as kubectl writes it and as objects.
func build(t *testing.T, dir string) (text []byte, objects []*unstructured.Unstructured) {
	t.Helper()
	text, ok := texts[dir]
	if !ok {
		text = mustKubectl(t, nil, "kustomize", dir)
		texts[dir] = text
	}
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(object)
		if errors.Is(err, io.EOF) {
			return text, objects
		}
		if err != nil {
			t.Fatal(err)
		}
		objects = append(objects, object)
	}
}

// find returns the one object of a kind, converted.
func find[T any](t *testing.T, objects []*unstructured.Unstructured, kind string) *T {
	t.Helper()
	found := ofKind[T](t, objects, kind)
	if len(found) != 1 {
		t.Fatalf("%d objects of kind %s, want 1", len(found), kind)
	}
	return found[0]
}

// ofKind returns the objects of a kind, converted. A field that their Go type does not have is an error.
func ofKind[T any](t *testing.T, objects []*unstructured.Unstructured, kind string) []*T {
	t.Helper()
	var found []*T
	for _, object := range objects {
		if object.GetKind() != kind {
			continue
		}
		converted := new(T)
		if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object.Object, converted, true); err != nil {
			t.Fatalf("%s %s: %v", kind, object.GetName(), err)
		}
		found = append(found, converted)
	}
	return found
}

// mustKubectl runs kubectl, whose warnings are failures as well, and returns its output.
func mustKubectl(t *testing.T, env []string, args ...string) []byte {
	t.Helper()
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		assets = filepath.Join(root, "bin")
	}
	var stdout, stderr bytes.Buffer
	command := exec.CommandContext(t.Context(), filepath.Join(assets, "kubectl"), args...)
	command.Env = append([]string{"HOME=" + scratch, "PATH=" + os.Getenv("PATH")}, env...) // PATH for a base that git fetches
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil || stderr.Len() > 0 {
		t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	return stdout.Bytes()
}
