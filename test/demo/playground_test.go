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
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/example/app-operator/test/process"
)

// visit is a playground that somebody has started.
type visit struct {
	*demo
	interrupt context.CancelFunc
	// said gets what it prints, line by line, and ended its exit code.
	said  chan string
	ended chan int
}

func newVisit(t *testing.T) *visit {
	t.Helper()
	binary, err := process.Build("test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(filepath.Dir(binary)) })
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	v := &visit{
		demo: &demo{out: newPrinter(writer), playground: true}, interrupt: interrupt,
		said: make(chan string), ended: make(chan int, 1),
	}
	go func() {
		v.ended <- run(ctx, v.demo, binary)
		_ = writer.Close()
	}()
	go func() {
		defer close(v.said)
		for lines := bufio.NewScanner(reader); lines.Scan(); {
			v.said <- lines.Text()
		}
	}()
	t.Cleanup(func() {
		interrupt()
		for range v.said { // until it has ended, however the test went
		}
	})
	return v
}

// shows returns what it prints from one line to another one.
func (v *visit) shows(t *testing.T, from, to string) []string {
	t.Helper()
	var all, shown []string
	for line := range v.said {
		all = append(all, line)
		if len(shown) > 0 || strings.Contains(line, from) {
			shown = append(shown, line)
		}
		if strings.Contains(line, to) {
			return shown
		}
	}
	t.Fatalf("it has ended before %q:\n%s", to, strings.Join(all, "\n"))
	return nil
}

// typed gives a command to another shell, after what that has to be told first.
func typed(t *testing.T, first []string, command string) string {
	t.Helper()
	script := "shopt -s expand_aliases\n" + strings.Join(first, "\n") + "\n" + command
	bash := exec.CommandContext(t.Context(), "bash", "-eu", "-c", script)
	bash.Dir = t.TempDir()
	said, err := bash.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, said)
	}
	return string(said)
}

// TestPlayground starts it, types what it says into another shell, and ends it.
func TestPlayground(t *testing.T) {
	v := newVisit(t)
	shown := v.shows(t, "export KUBECONFIG=", "Ctrl-C ends all of it")
	var commands []string
	for _, line := range shown {
		if strings.HasPrefix(line, "  ") {
			commands = append(commands, strings.TrimSuffix(line, " --watch")) // which would not end
		}
	}
	if len(commands) != 5 {
		t.Fatalf("want a kubeconfig, kubectl and three things to try:\n%s", strings.Join(shown, "\n"))
	}
	shell, tries := commands[:2], commands[2:]

	if said := typed(t, shell, tries[0]); !strings.Contains(said, firstApp+" ") {
		t.Errorf("%s\n%s", tries[0], said)
	}
	if err := v.waitForApplication(t.Context(), firstApp); err != nil {
		t.Fatal(err)
	}
	before := v.deployment(t)
	typed(t, shell, tries[1])
	process.Eventually(t, "the Deployment is there again", func() bool {
		now := v.deployment(t)
		return now.UID != "" && now.UID != before.UID
	})
	typed(t, shell, tries[2])
	process.Eventually(t, "an operator has ended", func() bool {
		return slices.ContainsFunc(v.operators, func(o *demoOperator) bool { return o.Ended() })
	})

	v.interrupt()
	v.shows(t, "", "The playground is gone")
	if code := <-v.ended; code != 0 {
		t.Errorf("it ends with %d", code)
	}
	for _, operator := range v.operators {
		if !operator.Ended() {
			t.Errorf("%s still runs", operator.Name)
		}
	}
	if _, err := os.Stat(v.dir); !os.IsNotExist(err) {
		t.Errorf("%s is left: %v", v.dir, err)
	}
}

// deployment returns that of the first Application, or an empty one.
func (v *visit) deployment(t *testing.T) *appsv1.Deployment {
	t.Helper()
	found := &appsv1.Deployment{}
	err := v.client.Get(t.Context(), client.ObjectKey{Namespace: appNamespace, Name: firstApp}, found)
	if client.IgnoreNotFound(err) != nil {
		t.Fatal(err)
	}
	return found
}
