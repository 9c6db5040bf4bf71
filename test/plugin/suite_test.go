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

// Package plugin_test runs the plugin of kubectl as the program it is, against an embedded control plane with the real operator, and
// compares what it says with transcripts.
package plugin_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/cluster"
	"github.com/example/app-operator/test/controlplane"
	"github.com/example/app-operator/test/operator"
)

var update = flag.Bool("update", false, "write testdata/*.txt from what is said now")

const (
	limit = 5 * time.Minute
	poll  = 50 * time.Millisecond
	// served is the namespace that the operator serves.
	served = "shop"
	// home is the namespace of the operator's Deployment.
	home = "app-operator-system"
)

var (
	plugin     string
	plane      *controlplane.ControlPlane
	k8s        client.Client
	kubeconfig string
)

func TestMain(m *testing.M) {
	flag.Parse()
	logf.SetLogger(logr.Discard())
	os.Exit(run(m))
}

func run(m *testing.M) int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	folder, err := os.MkdirTemp("", "plugin-")
	if err != nil {
		return fail(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	if err := start(ctx, folder); err != nil {
		return fail(err)
	}
	code := m.Run()
	if err := plane.Stop(); err != nil {
		return fail(err)
	}
	return code
}

func fail(err error) int {
	_, _ = fmt.Fprintln(os.Stderr, err)
	return 1
}

// start builds both programs and starts a control plane with an operator that serves one namespace.
func start(ctx context.Context, folder string) error {
	plugin = filepath.Join(folder, "kubectl-app")
	manager := filepath.Join(folder, "manager")
	for binary, source := range map[string]string{plugin: "cmd/kubectl-app", manager: "cmd"} {
		build := exec.CommandContext(ctx, "go", "build", "-ldflags", "-s -w -X main.version=test", "-o", binary, "github.com/example/app-operator/"+source)
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("go build %s: %w\n%s", source, err, out)
		}
	}
	var err error
	plane, err = controlplane.Start(ctx, controlplane.Options{CRDPaths: []string{"config/crd/bases"}, Nodes: 1, GCPercent: controlplane.FewCollections})
	if err != nil {
		return err
	}
	scheme, err := cluster.NewScheme()
	if err != nil {
		return err
	}
	if k8s, err = client.New(plane.Config(), client.Options{Scheme: scheme}); err != nil {
		return err
	}
	kubeconfig = filepath.Join(folder, "kubeconfig")
	if err := writeKubeconfig(kubeconfig, plane.Config()); err != nil {
		return err
	}
	for _, name := range []string{served, "unserved", home} {
		if err := k8s.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
			return err
		}
	}
	if err := showOperator(ctx); err != nil {
		return err
	}
	rights, err := operator.Rights(served, served)
	if err != nil {
		return err
	}
	for _, right := range rights {
		if err := k8s.Create(ctx, right); err != nil {
			return err
		}
	}
	ready, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	_, err = operator.Start(ready, plane, operator.Options{
		Name: "operator", Binary: manager, AccountNamespace: served,
		Flags: []string{"--namespace=" + served, "--leader-elect=false"},
	})
	return err
}

// showOperator creates the Deployment by which an operator is found. Its pods are the control plane's; the operator itself is a process.
func showOperator(ctx context.Context) error {
	labels := map[string]string{"control-plane": "controller-manager", "app.kubernetes.io/name": "app-operator"}
	shown := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "app-operator-controller-manager", Namespace: home, Labels: labels}}
	shown.Spec.Selector = &metav1.LabelSelector{MatchLabels: labels}
	shown.Spec.Template.Labels = labels
	shown.Spec.Template.Spec.Containers = []corev1.Container{{
		Name: "manager", Image: "example.com/app-operator", Env: []corev1.EnvVar{{Name: "WATCH_NAMESPACE", Value: served}},
	}}
	if err := k8s.Create(ctx, shown); err != nil {
		return err
	}
	return wait.PollUntilContextTimeout(ctx, poll, limit, true, func(ctx context.Context) (bool, error) {
		err := k8s.Get(ctx, client.ObjectKeyFromObject(shown), shown)
		return shown.Status.ReadyReplicas > 0, err
	})
}

func writeKubeconfig(file string, config *rest.Config) error {
	content, err := controlplane.Kubeconfig(config)
	if err != nil {
		return err
	}
	return os.WriteFile(file, content, 0o600)
}

// session is what is typed and what is said.
type session struct {
	*testing.T
	name       string
	kubeconfig string
	said       strings.Builder
}

// newSession begins a transcript, testdata/NAME.txt, which is compared when the test ends; without a name, there is none. Sessions run side by side.
func newSession(t *testing.T, name string) *session {
	t.Helper()
	t.Parallel()
	s := &session{T: t, name: name, kubeconfig: kubeconfig}
	if name != "" {
		t.Cleanup(s.compare)
	}
	return s
}

// types runs the plugin and notes what is said, and the exit code if it is not 0.
func (s *session) types(args ...string) string {
	s.Helper()
	said, code := s.runs(args...)
	steady := said
	for _, each := range varies {
		steady = each.what.ReplaceAllString(steady, each.with)
	}
	fmt.Fprintf(&s.said, "$ kubectl app %s\n%s", strings.Join(args, " "), steady)
	if code != 0 {
		fmt.Fprintf(&s.said, "[exit code %d]\n", code)
	}
	return said
}

// runs starts the plugin and returns what it has said, with its exit code. It notes nothing.
func (s *session) runs(args ...string) (string, int) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), limit)
	defer cancel()
	command := exec.CommandContext(ctx, plugin, args...)
	command.Env = []string{"KUBECONFIG=" + s.kubeconfig, "HOME=" + s.TempDir()}
	command.Dir = filepath.Join("..", "..")
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, &out
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.Fatal(err)
	}
	return out.String(), command.ProcessState.ExitCode()
}

// What differs from one run to the next.
var varies = []struct {
	what *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`(?m)^AGE +TYPE(.|\n)*`), "(events)\n"},
	{regexp.MustCompile(`(?m)^(\[\d/\d\].*): done$`), "$1"},
	{regexp.MustCompile(`(?m)^ {6}\S.*\n`), ""}, // what a step of a move waits for
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`), "UID"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`), "TIME"},
	{regexp.MustCompile(`(-[0-9a-f]{8,10})-[bcdfghjklmnpqrstvwxz2456789]{5}\b`), "$1-xxxxx"},
	{regexp.MustCompile(`(?m)(\s)\d+[smh](\d+s)?(\s|$)`), "${1}AGE$3"},
	{regexp.MustCompile(`(age: )\d+[smh](\d+s)?`), "${1}AGE"},
	{regexp.MustCompile(`  +`), "  "},
}

func (s *session) compare() {
	s.Helper()
	said := s.said.String()
	file := filepath.Join("testdata", s.name+".txt")
	if *update {
		if err := os.WriteFile(file, []byte(said), 0o644); err != nil {
			s.Error(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		s.Error(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(said, "\n")); diff != "" {
		s.Errorf("%s (-want +said):\n%s", file, diff)
	}
}

// create makes an Application that goes when the test ends.
func (s *session) create(namespace, name string, spec v1.ApplicationSpec) *v1.Application {
	s.Helper()
	app := &v1.Application{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace}, Spec: spec}
	if err := k8s.Create(s.Context(), app); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = k8s.Delete(context.WithoutCancel(s.Context()), app) })
	return app
}

// waits returns when an Application's Ready condition has the reason, for the present generation.
func (s *session) waits(app *v1.Application, reason string) {
	s.Helper()
	s.eventually(func() error {
		if err := k8s.Get(s.Context(), client.ObjectKeyFromObject(app), app); err != nil {
			return err
		}
		ready := meta.FindStatusCondition(app.Status.Conditions, v1.ConditionReady)
		if ready == nil || ready.Reason != reason || ready.ObservedGeneration != app.Generation {
			return fmt.Errorf("the conditions are %+v", app.Status.Conditions)
		}
		return nil
	})
}

func (s *session) eventually(check func() error) {
	s.Helper()
	deadline := time.After(limit)
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-deadline:
			s.Fatal(err)
		case <-time.After(poll):
		}
	}
}

// kubectl runs the real kubectl, which has to succeed.
func (s *session) kubectl(stdin string, args ...string) string {
	s.Helper()
	command := exec.CommandContext(s.Context(), plane.KubectlPath(), args...)
	command.Env = []string{"KUBECONFIG=" + s.kubeconfig, "HOME=" + s.TempDir()}
	command.Stdin = strings.NewReader(stdin)
	said, err := command.CombinedOutput()
	if err != nil {
		s.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, said)
	}
	return string(said)
}
