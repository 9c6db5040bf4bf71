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

// Package process runs the operator as the program it is, for tests: what it writes, how it ends, what it answers
// to probes. Its own tests are those that need a control plane.
//
// It may only run the program from outside; it imports nothing of the operator.
package process

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Limit is how long a test waits for what should happen within seconds; the machine may be busy.
const Limit = 5 * time.Minute

const (
	pause   = 20 * time.Millisecond
	command = "github.com/example/app-operator/cmd"
)

// Build builds the program into a new temporary folder and returns its path. Remove the folder when done.
func Build(version string) (string, error) {
	dir, err := os.MkdirTemp("", "app-operator-")
	if err != nil {
		return "", fmt.Errorf("make temporary folder: %w", err)
	}
	binary := filepath.Join(dir, "app-operator")
	build := exec.Command("go", "build", "-ldflags", "-X main.version="+version, "-o", binary, command)
	if out, err := build.CombinedOutput(); err != nil {
		return "", errors.Join(fmt.Errorf("go build: %w\n%s", err, out), os.RemoveAll(dir))
	}
	return binary, nil
}

// Process is a run of the program.
type Process struct {
	command        *exec.Cmd
	stdout, stderr output
	ended          chan struct{}
}

// Launch starts the program, with an environment that holds nothing but HOME, an empty folder, and what is given.
// It is killed when the test ends; when the test fails, its output is shown.
func Launch(tb testing.TB, binary string, env []string, args ...string) *Process {
	tb.Helper()
	p := &Process{command: exec.Command(binary, args...), ended: make(chan struct{})}
	p.command.Env = append([]string{"HOME=" + tb.TempDir()}, env...)
	p.command.Stdout, p.command.Stderr = &p.stdout, &p.stderr
	if err := p.command.Start(); err != nil {
		tb.Fatal(err)
	}
	go func() {
		_ = p.command.Wait() // the exit code is in the ProcessState
		close(p.ended)
	}()
	tb.Cleanup(func() {
		_ = p.command.Process.Kill()
		<-p.ended
		if tb.Failed() {
			tb.Logf("app-operator %s\nstdout:\n%s\nstderr:\n%s", strings.Join(args, " "), p.Stdout(), p.Stderr())
		}
	})
	return p
}

// Stdout returns what the process has written to standard output so far.
func (p *Process) Stdout() string { return p.stdout.String() }

// Stderr returns what the process has written to standard error so far: its log.
func (p *Process) Stderr() string { return p.stderr.String() }

// End waits for the end of the process and returns its exit code. The test fails if there is a stack trace in the
// log: nothing that a test does to the program deserves one.
func (p *Process) End(tb testing.TB) int {
	tb.Helper()
	select {
	case <-p.ended:
	case <-time.After(Limit):
		tb.Fatalf("the process has not ended after %s", Limit)
	}
	for _, trace := range []string{"goroutine ", ".go:", "panic:"} {
		if strings.Contains(p.Stderr(), trace) {
			tb.Errorf("there is a stack trace (%q) in the log", trace)
		}
	}
	return p.command.ProcessState.ExitCode()
}

// Terminate sends SIGTERM, as the kubelet does.
func (p *Process) Terminate(tb testing.TB) {
	tb.Helper()
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		tb.Fatal(err)
	}
}

// WaitForLog waits until the text is in the log.
func (p *Process) WaitForLog(tb testing.TB, text string) {
	tb.Helper()
	Eventually(tb, fmt.Sprintf("log %q", text), func() bool {
		ended := p.hasEnded()
		logged := strings.Contains(p.Stderr(), text)
		if ended && !logged {
			tb.Fatalf("the process ended without logging %q", text)
		}
		return logged
	})
}

// ProbeAddress waits until the process, which logs JSON, serves probes, and returns where.
func (p *Process) ProbeAddress(tb testing.TB) string {
	tb.Helper()
	return p.served(tb, "probes")
}

// MetricsAddress waits until the process, which logs JSON, serves metrics, and returns where: a port that a test finds free may be another
// program's when the process asks for it.
func (p *Process) MetricsAddress(tb testing.TB) string {
	tb.Helper()
	return p.served(tb, "metrics")
}

// served waits until the process says where it serves something, and returns that.
func (p *Process) served(tb testing.TB, what string) string {
	tb.Helper()
	p.WaitForLog(tb, "Serving "+what)
	return regexp.MustCompile(`"Serving ` + what + `","address":"([^"]+)"`).FindStringSubmatch(p.Stderr())[1]
}

// Probe asks /readyz or /healthz, of a process that logs JSON. A process that stands still for long cuts connections.
func (p *Process) Probe(tb testing.TB, path string) (code int, body string) {
	tb.Helper()
	url := "http://" + p.ProbeAddress(tb) + path
	Eventually(tb, "answer "+path, func() bool {
		var err error
		code, body, err = get(url)
		if err != nil && p.hasEnded() {
			tb.Fatal(err)
		}
		return err == nil
	})
	return code, body
}

// get returns what a server answers.
func get(url string) (code int, body string, err error) {
	response, err := http.Get(url)
	if err != nil {
		return 0, "", err
	}
	content, err := io.ReadAll(response.Body)
	return response.StatusCode, string(content), errors.Join(err, response.Body.Close())
}

// WaitUntilReady waits until /readyz says so. A process that stands still for long cuts connections.
func (p *Process) WaitUntilReady(tb testing.TB) {
	tb.Helper()
	url := "http://" + p.ProbeAddress(tb) + "/readyz"
	Eventually(tb, "become ready", func() bool {
		code, _, err := get(url)
		if err != nil && p.hasEnded() {
			tb.Fatalf("the process ended before it was ready: %v", err)
		}
		return err == nil && code == http.StatusOK
	})
}

func (p *Process) hasEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// Eventually waits until the condition holds.
func Eventually(tb testing.TB, what string, condition func() bool) {
	tb.Helper()
	deadline := time.After(Limit)
	for !condition() {
		select {
		case <-deadline:
			tb.Fatalf("%s: not within %s", what, Limit)
		case <-time.After(pause):
		}
	}
}

// output is what a process has written so far.
type output struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buffer.Write(p)
}

// String returns everything written so far.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buffer.String()
}
