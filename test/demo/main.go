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

// Command demo shows the operator at work, on a real Kubernetes control plane that it starts on this machine and
// removes afterwards; it needs no cluster, no container engine and no root. Three operators run with the rights of the
// operator's ServiceAccount. The smallest Application becomes ready, the leading operator is killed and another one
// takes over, with and without somebody who reports its end, a Deployment deleted by hand comes back.
//
// With --playground it starts the same, and then leaves the control plane and the operators to whoever wants to try something,
// until Ctrl-C.
//
// Everything it prints is measured, or is the output of the kubectl command printed above it. It exits with 0 only if
// every step went as expected.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/example/app-operator/test/controlplane"
)

// demo is what the steps share.
type demo struct {
	operatorPath string
	root         string // the repository
	dir          string // kubeconfigs and logs
	out          *printer
	// playground says that it stays after the start.
	playground bool
	// played says that it has been left to somebody, who has ended it.
	played bool

	cluster   *controlplane.ControlPlane
	client    client.WithWatch
	operators []*demoOperator
	findings  []string // what the summary at the end says
}

// step is one numbered part of the demo.
type step struct {
	title string
	run   func(ctx context.Context) error
}

// stepError says which step failed, and why.
type stepError struct {
	number int
	title  string
	cause  error
}

func (e *stepError) Error() string { return fmt.Sprintf("step %d, %q: %v", e.number, e.title, e.cause) }

func (e *stepError) Unwrap() error { return e.cause }

func (d *demo) steps() []step {
	start := []step{
		{"Start a Kubernetes control plane on this machine", d.startControlPlane},
		{"Install the operator for one namespace, " + appNamespace, d.install},
		{"Start three operators: one leads, two stand by", d.startOperators},
	}
	if d.playground {
		return append(start, step{"Try it, from another shell", d.play})
	}
	return append(start, []step{
		{"Apply the smallest Application", d.applySmallest},
		{"Kill the leader, and create a second Application at once", d.killLeader},
		{"Kill the next leader, whose end is reported", d.killReported},
		{"Delete a Deployment by hand", d.deleteDeployment},
		{"Delete the Applications, and stop the operators", d.cleanUp},
	}...)
}

func main() {
	operatorPath := flag.String("operator", filepath.Join("bin", "manager"), "the operator's binary")
	playground := flag.Bool("playground", false, "leave the control plane and the operators running, until Ctrl-C")
	flag.Parse()
	// Ctrl-C ends the context; that ends the current step and the control plane, and clean-up follows.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, &demo{out: newPrinter(os.Stdout), playground: *playground}, *operatorPath)
	stop()
	os.Exit(code)
}

// run does the whole demo and returns the exit code.
func run(ctx context.Context, d *demo, operatorPath string) int {
	if err := d.prepare(operatorPath); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		return 2
	}
	err := d.runSteps(ctx)
	if err != nil && ctx.Err() == nil {
		d.explain(err) // before the processes are stopped: it looks at them
	}
	stopErr := d.stop()
	switch {
	case d.played && stopErr == nil:
		d.removeFiles()
		d.out.line("\nThe playground is gone: all that it started is stopped and removed.")
		return 0
	case ctx.Err() != nil:
		d.removeFiles()
		d.out.line("\nInterrupted. Everything the demo started is stopped and removed.")
		return 130
	case err != nil:
		return 1
	case stopErr != nil:
		d.out.line("\nFAILED: stop the control plane: %v\nAll logs: %s", stopErr, d.logDir())
		return 1
	}
	d.removeFiles()
	d.summarize()
	return 0
}

// prepare finds the repository and the operator, and makes a folder for logs and kubeconfigs.
func (d *demo) prepare(operatorPath string) error {
	var err error
	if d.operatorPath, err = filepath.Abs(operatorPath); err != nil {
		return fmt.Errorf("resolve path of the operator: %w", err)
	}
	if _, err := os.Stat(d.operatorPath); err != nil {
		return fmt.Errorf("operator not found at %s: run make build, or name its binary with --operator", d.operatorPath)
	}
	if d.root, err = controlplane.ModuleRoot(); err != nil {
		return err
	}
	if d.dir, err = os.MkdirTemp("", "app-operator-demo-"); err != nil {
		return fmt.Errorf("make temporary folder: %w", err)
	}
	return nil
}

func (d *demo) runSteps(ctx context.Context) error {
	for i, step := range d.steps() {
		d.out.step(i+1, step.title)
		if err := step.run(ctx); err != nil {
			return &stepError{number: i + 1, title: step.title, cause: err}
		}
	}
	return nil
}

// stop ends the control plane and, with it, whatever operators still run.
func (d *demo) stop() error {
	if d.cluster == nil {
		return nil
	}
	return d.cluster.Stop()
}

func (d *demo) logDir() string { return filepath.Join(d.dir, "logs") }

func (d *demo) removeFiles() { _ = os.RemoveAll(d.dir) }

// finding keeps a measurement for the summary.
func (d *demo) finding(format string, args ...any) {
	d.findings = append(d.findings, fmt.Sprintf(format, args...))
}

func (d *demo) summarize() {
	d.out.line("\nAll went as expected, in %.0f s:", time.Since(d.out.began).Seconds())
	for _, finding := range d.findings {
		d.out.line("  - %s", finding)
	}
	d.out.line("Everything the demo started is stopped and removed.")
}

// explain tells a person what went wrong and where to look.
func (d *demo) explain(err error) {
	after := time.Since(d.out.began).Seconds()
	if failed, ok := errors.AsType[*stepError](err); ok {
		d.out.line("\nFAILED in step %d, %q, after %.1f s.", failed.number, failed.title, after)
		err = failed.cause
	}
	if unmet, ok := errors.AsType[*unmetError](err); ok {
		d.out.line("  expected: %s\n  seen:     %s", unmet.expected, unmet.seen)
	} else {
		d.out.indented(2, err.Error())
	}
	for _, running := range d.operators {
		d.out.line("\n  %s (process %d, %s); the last lines of its log:", running.Name, running.PID(),
			running.state())
		d.out.indented(6, controlplane.Tail(running.LogFile(), 6))
	}
	if _, err := os.Stat(d.logDir()); err != nil {
		d.removeFiles() // it failed before there was anything to keep
		return
	}
	d.out.line("\n  All logs are kept in %s", d.logDir())
}
