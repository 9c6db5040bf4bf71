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

// Command app-operator runs the operator: it reads flags, waits for the cluster, and starts the manager.
//
// It may only wire things together. What needs to be decided about Applications is decided below internal/.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/example/app-operator/internal/controller"
	"github.com/example/app-operator/internal/election"
	"github.com/example/app-operator/internal/preflight"
	"github.com/example/app-operator/internal/scope"
)

const program = "app-operator"

// Exit codes.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
)

// version is set by the linker: -ldflags "-X main.version=1.2.3".
var version = "dev"

func main() {
	source := scope.Source{LookupEnv: os.LookupEnv, ServiceAccountFile: scope.ServiceAccountFile}
	os.Exit(run(ctrl.SetupSignalHandler(), os.Args[1:], source, os.Stdout, os.Stderr))
}

// run is the program without the process around it. It returns the exit code.
func run(ctx context.Context, args []string, source scope.Source, stdout, stderr io.Writer) int {
	opts, err := parse(args, source)
	switch {
	case errors.Is(err, flag.ErrHelp):
		writeHelp(stdout)
		return exitOK
	case err != nil:
		_, _ = fmt.Fprintf(stderr, "%s: nothing was started:\n  %s\nRun '%s --help' for all flags.\n",
			program, strings.ReplaceAll(err.Error(), "\n", "\n  "), program)
		return exitUsage
	case opts.version:
		_, _ = fmt.Fprintln(stdout, describeVersion())
		return exitOK
	}

	log := newLogger(opts.zap, stderr)
	// Before SetLogger, because controller-runtime would log an error of its own on top of the one returned.
	config, err := loadConfig(opts.kubeconfig)
	ctrl.SetLogger(log)
	log = log.WithName("main")
	if err != nil {
		log.Error(err, "Could not load the configuration of the cluster")
		return exitError
	}
	limitMemory(log, memlimit.FromCgroup)
	tuneGC(ctx, source.LookupEnv, restBegins)
	message := writeTerminationMessage(log, opts, source)
	if err := operate(ctx, config, opts); err != nil {
		_ = message.add(err.Error()) // the log has it as well
		return explain(ctx, log, opts, err)
	}
	log.Info("Stopped")
	return exitOK
}

// writeTerminationMessage has the kubelet say, once this container has ended, that it was this process that ended. Without that, a
// standby waits for the lease to expire.
func writeTerminationMessage(log logr.Logger, opts *options, source scope.Source) *terminationMessage {
	if !opts.election.Enabled || !opts.election.FastTakeover {
		return nil
	}
	if !opts.identity.InPod() {
		log.Info("No fast takeover from or by this replica: its environment does not name its Pod",
			"needs", strings.Join([]string{election.EnvPodName, election.EnvPodNamespace, election.EnvPodUID}, ","))
		return nil
	}
	message, err := openTerminationMessage(source.LookupEnv)
	if err == nil {
		err = message.add(opts.identity.String())
	}
	if err != nil {
		log.Info("No fast takeover from this replica", "why", err.Error())
	}
	return message
}

// operate runs the operator until ctx ends.
func operate(ctx context.Context, config *rest.Config, opts *options) error {
	ctrl.Log.WithName("main").Info("Starting", "version", version, "namespaces", opts.scope(),
		"leaderElection", opts.election.Enabled, "identity", opts.identity.String(), "apiServer", config.Host)

	probes, err := serveProbes(opts.probeAddress)
	if err != nil {
		return err
	}
	startup := preflight.Startup{Namespaces: opts.namespaces, OnWaiting: probes.waitFor}
	if opts.election.Enabled {
		startup.Lease = types.NamespacedName{Namespace: opts.election.Namespace, Name: opts.election.ID}
		startup.Elsewhere = opts.leaseElsewhere
	}
	found, err := preflight.WaitForAPI(ctx, config, startup)
	if err != nil {
		return err
	}
	if opts.election.Enabled {
		opts.election.Namespace, opts.election.ID = found.Lease.Namespace, found.Lease.Name
	}
	reconciler := controller.New(opts.namespaces)
	reconciler.MaxConcurrentReconciles = opts.maxConcurrentReconciles
	mgr, err := newManager(config, opts, reconciler, found.Absent)
	if err != nil {
		return err
	}
	if err := serveMetrics(mgr, config, opts); err != nil {
		return err
	}
	//nolint:contextcheck // nothing in there waits; what it sets up lives as long as the manager
	if err := reconciler.SetupWithManager(mgr); err != nil {
		return fmt.Errorf("set up the controller: %w", err)
	}
	probes.follow(mgr.GetCache())
	return start(ctx, mgr)
}

// explain logs why the operator ended, in one line, and returns the exit code.
func explain(ctx context.Context, log logr.Logger, opts *options, err error) int {
	switch {
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		log.Info("Stopped before the start was complete", "reason", err.Error())
		return exitOK
	case isLeaseLost(err):
		log.Error(err, "Lost the leader lease; exiting so that a standby takes over and this replica starts afresh",
			"lease", opts.election.Namespace+"/"+opts.election.ID, "renewDeadline", opts.election.RenewDeadline.String())
	default:
		log.Error(err, "Exiting because of an error")
	}
	return exitError
}

// describeVersion names the version, the Go release, and the commit if the build recorded it.
func describeVersion() string {
	text := program + " " + version
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return text
	}
	text += " " + info.GoVersion
	for _, setting := range info.Settings {
		switch {
		case setting.Key == "vcs.revision":
			text += " commit " + setting.Value
		case setting.Key == "vcs.modified" && setting.Value == "true":
			text += " (with local changes)"
		}
	}
	return text
}
