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

// Package undeploy_test runs hack/undeploy.sh, which make undeploy and make uninstall are, on an embedded control plane
// with a real operator.
package undeploy_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/test/controlplane"
	"github.com/example/app-operator/test/operator"
	"github.com/example/app-operator/test/process"
)

const (
	home = "app-operator-system"
	// hold is a finalizer that keeps a pod from ending.
	hold = "test.apps.example.com/hold"
	// patience is for how many seconds a machine that stands still has nothing change.
	patience = 60
)

// site is a cluster with what the script needs to work on it.
type site struct {
	t       *testing.T
	cluster *controlplane.ControlPlane
	admin   client.Client
	dir     string
	binary  string
	// patience is for how many seconds nothing may change.
	patience int
}

func newSite(t *testing.T) *site {
	t.Helper()
	binary, err := process.Build("test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(filepath.Dir(binary)) })
	cluster, err := controlplane.Start(t.Context(), controlplane.Options{Nodes: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cluster.Stop() })
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		clientgoscheme.AddToScheme, v1.AddToScheme, apiextensionsv1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	admin, err := client.New(cluster.Config(), client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	content, err := controlplane.Kubeconfig(cluster.Config())
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, cluster: cluster, admin: admin, dir: t.TempDir(), binary: binary, patience: patience}
	s.write("kubeconfig", string(content))
	s.write("kustomize", "#!/bin/sh\nshift\nexec "+cluster.KubectlPath()+` kustomize "$@"`+"\n")
	return s
}

func (s *site) write(name, content string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(content), 0o700); err != nil {
		s.t.Fatal(err)
	}
}

// command is a program in the repository's folder, with the cluster as its own.
func (s *site) command(name string, args ...string) *exec.Cmd {
	command := exec.Command(name, args...)
	command.Dir = filepath.Join("..", "..")
	command.Env = append(os.Environ(), "KUBECONFIG="+filepath.Join(s.dir, "kubeconfig"), "KUBECTL="+s.cluster.KubectlPath(),
		"KUSTOMIZE="+filepath.Join(s.dir, "kustomize"), fmt.Sprintf("PATIENCE=%d", s.patience))
	return command
}

// deploy installs what is in a kustomization. The Deployment's pods are played; the program runs beside.
func (s *site) deploy(kustomization string) {
	s.t.Helper()
	apply := s.command(s.cluster.KubectlPath(), "apply", "--server-side", "--kustomize", kustomization)
	if out, err := apply.CombinedOutput(); err != nil {
		s.t.Fatalf("%v: %s", err, out)
	}
	process.Eventually(s.t, "the CRD is served", func() bool {
		return s.admin.List(s.t.Context(), &v1.ApplicationList{}) == nil
	})
}

func (s *site) operate(name string) *operator.Operator {
	s.t.Helper()
	running, err := operator.Start(s.t.Context(), s.cluster, operator.Options{
		Name: name, Binary: s.binary, AccountNamespace: home, Flags: []string{"--namespace=" + home},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return running
}

// application makes one of the policy Drain, and waits until the condition holds for it.
func (s *site) application(name string, ready func(*v1.Application) bool) *v1.Application {
	s.t.Helper()
	app := &v1.Application{
		ObjectMeta: metav1.ObjectMeta{Namespace: home, Name: name, Finalizers: []string{v1.Finalizer}},
		Spec:       v1.ApplicationSpec{Image: "nginx", DeletionPolicy: v1.DeletionPolicyDrain},
	}
	if err := s.admin.Create(s.t.Context(), app); err != nil {
		s.t.Fatal(err)
	}
	process.Eventually(s.t, name+" is as it should be", func() bool {
		if err := s.admin.Get(s.t.Context(), client.ObjectKeyFromObject(app), app); err != nil {
			s.t.Fatal(err)
		}
		return ready(app)
	})
	return app
}

// undeployment is a run of the script.
type undeployment struct {
	t     *testing.T
	file  *os.File
	ended chan error
}

func (s *site) undeploy(kustomization, ignoreNotFound string) *undeployment {
	s.t.Helper()
	file, err := os.CreateTemp(s.dir, "output-")
	if err != nil {
		s.t.Fatal(err)
	}
	u := &undeployment{t: s.t, file: file, ended: make(chan error, 1)}
	command := s.command("hack/undeploy.sh", kustomization, ignoreNotFound)
	command.Stdout, command.Stderr = file, file
	if err := command.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() { u.ended <- command.Wait() }()
	s.t.Cleanup(func() { _ = command.Process.Kill() })
	return u
}

func (u *undeployment) said() string {
	u.t.Helper()
	content, err := os.ReadFile(u.file.Name())
	if err != nil {
		u.t.Fatal(err)
	}
	return string(content)
}

// end waits for the end of the script, and returns how it was.
func (u *undeployment) end() error {
	u.t.Helper()
	select {
	case err := <-u.ended:
		return err
	case <-time.After(2 * process.Limit):
		u.t.Fatalf("it does not end, and has said:\n%s", u.said())
		return nil
	}
}

// gone waits until none of the objects is there any more.
func (s *site) gone(objects ...client.Object) {
	s.t.Helper()
	for _, object := range objects {
		process.Eventually(s.t, fmt.Sprintf("%T %s is gone", object, object.GetName()), func() bool {
			return apierrors.IsNotFound(s.admin.Get(s.t.Context(), client.ObjectKeyFromObject(object), object))
		})
	}
}

func crd() client.Object {
	return &apiextensionsv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: "applications.apps.example.com"}}
}

// TestUndeploy removes what is installed, with an operator that works and an Application whose pod does not end; then
// without an operator; then what is not there; then the CRD alone, which somebody else's finalizer holds up.
func TestUndeploy(t *testing.T) {
	s := newSite(t)
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: home}}
	manager := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: home, Name: "app-operator-controller-manager"}}

	s.deploy("config/default")
	running := s.operate("working")
	app := s.application("draining", func(app *v1.Application) bool {
		return meta.IsStatusConditionTrue(app.Status.Conditions, v1.ConditionReady)
	})
	pods := &corev1.PodList{}
	if err := s.admin.List(t.Context(), pods, client.MatchingLabels{"app.kubernetes.io/instance": app.Name}); err != nil {
		t.Fatal(err)
	}
	pod := &pods.Items[0]
	s.patch(pod, `{"metadata":{"finalizers":["`+hold+`"]}}`)
	undeployment := s.undeploy("config/default", "false")
	process.Eventually(t, "it says what it waits for", func() bool {
		return strings.Contains(undeployment.said(), home+"/draining: \"Being deleted; waiting for its last pod to end")
	})
	for _, object := range []client.Object{namespace, manager, crd()} {
		err := s.admin.Get(t.Context(), client.ObjectKeyFromObject(object), object)
		if err != nil || object.GetDeletionTimestamp() != nil {
			t.Errorf("%T goes before the Applications: %v", object, err)
		}
	}
	s.patch(pod, `{"metadata":{"finalizers":null}}`)
	if err := undeployment.end(); err != nil {
		t.Errorf("%v:\n%s", err, undeployment.said())
	}
	s.gone(namespace, manager, crd())
	if strings.Contains(undeployment.said(), "letting it go") {
		t.Errorf("it does not wait for the operator:\n%s", undeployment.said())
	}
	if err := running.Kill(); err != nil {
		t.Error(err)
	}

	s.deploy("config/default")
	s.application("left", func(*v1.Application) bool { return true })
	undeployment = s.undeploy("config/default", "false")
	if err := undeployment.end(); err != nil || !strings.Contains(undeployment.said(), "No operator looks after Application "+home+"/left") {
		t.Errorf("without an operator: %v:\n%s", err, undeployment.said())
	}
	s.gone(namespace, manager, crd())

	for ignore, wantError := range map[string]bool{"true": false, "false": true} {
		undeployment = s.undeploy("config/default", ignore)
		if err := undeployment.end(); (err != nil) != wantError {
			t.Errorf("without anything, ignore-not-found=%s: %v:\n%s", ignore, err, undeployment.said())
		}
	}

	s.deploy("config/crd")
	held := &v1.Application{
		ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceDefault, Name: "held", Finalizers: []string{hold}},
		Spec:       v1.ApplicationSpec{Image: "nginx"},
	}
	if err := s.admin.Create(t.Context(), held); err != nil {
		t.Fatal(err)
	}
	s.patience = 1
	undeployment = s.undeploy("config/crd", "false")
	if err := undeployment.end(); err == nil || !strings.Contains(undeployment.said(), "default/held: "+hold) {
		t.Errorf("with a finalizer of somebody else: %v:\n%s", err, undeployment.said())
	}
	if object := crd(); s.admin.Get(t.Context(), client.ObjectKeyFromObject(object), object) != nil || object.GetDeletionTimestamp() != nil {
		t.Error("the CRD goes before the Applications")
	}
	s.patch(held, `{"metadata":{"finalizers":null}}`)
	s.patience = patience
	undeployment = s.undeploy("config/crd", "false")
	if err := undeployment.end(); err != nil {
		t.Errorf("the CRD alone: %v:\n%s", err, undeployment.said())
	}
	s.gone(crd())
}

func (s *site) patch(object client.Object, patch string) {
	s.t.Helper()
	if err := s.admin.Patch(s.t.Context(), object, client.RawPatch("application/merge-patch+json", []byte(patch))); err != nil {
		s.t.Fatal(err)
	}
}
