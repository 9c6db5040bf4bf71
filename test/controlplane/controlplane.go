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

// Package controlplane starts a real Kubernetes control plane on loopback ports, for tests, benchmarks and the demo:
// etcd and kube-apiserver, and with nodes also kube-controller-manager, kube-scheduler and kwok, which plays the
// nodes. It needs no root and no container engine, only the binaries that `make controlplane-binaries` builds, and
// runs on Linux and macOS. Any number of control planes may run side by side.
//
// It keeps the defaults of a real cluster wherever a test could tell the difference: RBAC decides, quotas and Pod
// Security are enforced, ServiceAccounts get tokens, garbage is collected, namespaces can be deleted. What differs:
// pods become ready at once without running anything, Jobs complete at once, the autoscaler looks every second
// instead of every 15 s (there is no metrics server), a silent node counts as lost after 10 minutes instead of 50 s, and
// nothing is written to disk safely.
//
// Kill and Resume take etcd or the API server away for a while. Share and Join let several processes use one control plane.
//
// Everything that was started ends with the process that started it, even when that is killed; guard.sh says how.
package controlplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// Unmanaged is the label or annotation that, with the value "true" on a pod, makes the nodes leave the pod's status
// alone: the pod is scheduled but stays Pending until somebody writes its status through the API. Take the mark off
// while the pod is still Pending, and it becomes ready. Deleting a marked pod works like deleting any other.
const Unmanaged = "test.apps.example.com/unmanaged"

// Options says what to start. The zero value starts etcd and kube-apiserver alone, silently.
type Options struct {
	// AssetsDir is the folder of the binaries. Default: $KUBEBUILDER_ASSETS, else bin in the module root.
	AssetsDir string
	// APIServer is the name of the API server's binary. Default: kube-apiserver. kube-apiserver-1.31 is another.
	APIServer string
	// CRDPaths are files or folders of CustomResourceDefinitions, installed before the controllers start, so that
	// the garbage collector knows them from its first moment. Relative ones are resolved against the module root.
	CRDPaths []string
	// Nodes is the number of nodes, each with 64 CPUs, 256Gi of memory and room for 1000 pods. With 0 there are only
	// etcd and kube-apiserver; no pod can be created then, because nobody makes the ServiceAccount it would run as.
	Nodes int
	// AuditLog is a file for the API server's audit log (JSON lines, one per finished request: its metadata, and of
	// Leases outside kube-node-lease also what was asked and answered). Empty: no audit log.
	AuditLog string
	// GCPercent is the GOGC of the control plane's own processes: more of it is more memory, and less CPU. 0 is Go's default.
	// FewCollections is for tests that share the cores.
	GCPercent int
	// Output takes progress lines for a person. Nil: silent.
	Output io.Writer
	// LogDir takes a log file per process. Default: a temporary folder, which Stop removes when all went well; it
	// stays when this process ends without Stop.
	LogDir string
}

// FewCollections is a GCPercent with which the API server takes about half the CPU and some hundred MiB more.
const FewCollections = 400

// env returns the environment variables of the control plane's own processes.
func (o *Options) env() []string {
	if o.GCPercent == 0 {
		return nil
	}
	return []string{fmt.Sprintf("GOGC=%d", o.GCPercent)}
}

// ControlPlane is a running control plane. Its methods may be called concurrently.
type ControlPlane struct {
	options Options
	work    string // everything temporary is below this folder
	guard   *guard
	api     *envtest.ControlPlane
	admin   *rest.Config
	users   sync.Mutex // envtest's certificate authority is not safe for concurrent use
	owner   string     // where users are made, if another process has started the control plane

	mu         sync.Mutex
	processes  []*Process      // started by Run, the components among them
	components []*Process      // must live until Stop
	failed     bool            // Start did not succeed: the logs are worth keeping
	away       map[Server]bool // killed, and not yet resumed

	stop func() error
}

// Start starts a control plane and returns when it is ready for use: every component says so, all nodes are Ready and
// the ServiceAccount default exists in the namespace default. ctx is the control plane's lifetime, not only that of
// the call: when it ends, the control plane stops. The error says what to do about it and quotes the log of the
// component at fault.
func Start(ctx context.Context, options Options) (*ControlPlane, error) {
	options, err := resolve(options)
	if err != nil {
		return nil, err
	}
	c, err := prepare(options)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = c.Stop() })

	if err := c.start(ctx); err != nil {
		c.mu.Lock()
		c.failed = true
		c.mu.Unlock()
		_ = c.Stop()
		if ctx.Err() != nil {
			return nil, fmt.Errorf("start control plane: %w", context.Cause(ctx))
		}
		return nil, fmt.Errorf("start control plane: %w\nAll logs: %s", err, options.LogDir)
	}
	return c, nil
}

// Config returns the config of an administrator (group system:masters), without client-side rate limit.
func (c *ControlPlane) Config() *rest.Config { return rest.CopyConfig(c.admin) }

// KubectlPath returns the path of the kubectl binary.
func (c *ControlPlane) KubectlPath() string { return filepath.Join(c.options.AssetsDir, "kubectl") }

// LogDir returns the folder that holds a log file per process, such as kube-apiserver.log.
func (c *ControlPlane) LogDir() string { return c.options.LogDir }

// ControllerManager returns the process of kube-controller-manager, or nil without nodes.
func (c *ControlPlane) ControllerManager() *Process {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, component := range c.components {
		if component.name == controllerManager {
			return component
		}
	}
	return nil
}

// Stop kills all processes of the control plane and those started with Run, and removes the temporary files. It may
// be called more than once and concurrently; every call returns when all is done, with the same result. The error
// names processes that could not be stopped and components that had ended before by themselves; then the logs are
// kept.
func (c *ControlPlane) Stop() error { return c.stop() }

// prepare makes the folders and starts the guard, which from then on outlives this process just long enough.
func prepare(options Options) (*ControlPlane, error) {
	work, err := os.MkdirTemp("", "controlplane-")
	if err != nil {
		return nil, fmt.Errorf("make temporary folder: %w", err)
	}
	if options.LogDir == "" {
		options.LogDir = filepath.Join(work, "logs")
	}
	c := &ControlPlane{options: options, work: work, away: map[Server]bool{}}
	c.stop = sync.OnceValue(c.shutdown)
	for _, dir := range []string{c.runDir(), c.certDir(), c.etcdDir(), options.LogDir} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("make folder: %w", err)
		}
	}
	if c.guard, err = startGuard(c.runDir(), filepath.Join(options.LogDir, "guard.log"),
		c.etcdDir(), c.certDir()); err != nil {
		return nil, errors.Join(err, os.RemoveAll(work))
	}
	return c, nil
}

func (c *ControlPlane) runDir() string  { return filepath.Join(c.work, "run") }
func (c *ControlPlane) certDir() string { return filepath.Join(c.work, "certs") }
func (c *ControlPlane) etcdDir() string { return filepath.Join(c.work, "etcd") }

// start brings everything up. On an error the caller stops what runs.
func (c *ControlPlane) start(ctx context.Context) error {
	began := time.Now()
	if err := c.phase("Starting etcd and kube-apiserver", func() error { return c.startAPI(ctx) }); err != nil {
		return err
	}
	if len(c.options.CRDPaths) > 0 {
		if err := c.phase("Installing CustomResourceDefinitions", c.installCRDs); err != nil {
			return err
		}
	}
	if c.options.Nodes > 0 {
		title := fmt.Sprintf("Starting kube-controller-manager, kube-scheduler and kwok with %d nodes", c.options.Nodes)
		if err := c.phase(title, func() error { return c.startComponents(ctx) }); err != nil {
			return err
		}
	}
	c.say("The control plane is ready after %.1f s.\n", time.Since(began).Seconds())
	return nil
}

// phase runs one part of the start and tells a person how long it took.
func (c *ControlPlane) phase(title string, run func() error) error {
	began := time.Now()
	c.say("%s ...", title)
	if err := run(); err != nil {
		c.say(" failed\n")
		return err
	}
	c.say(" %.1f s\n", time.Since(began).Seconds())
	return nil
}

func (c *ControlPlane) say(format string, args ...any) {
	if c.options.Output != nil {
		_, _ = fmt.Fprintf(c.options.Output, format, args...)
	}
}

// shutdown is Stop, run once. It lets the guard do the killing, so that an orderly end and a crash take the same way.
func (c *ControlPlane) shutdown() error {
	problems := c.endedEarly()
	c.mu.Lock()
	keepLogs := c.failed || len(problems) > 0
	processes := slices.Clone(c.processes)
	c.mu.Unlock()

	problems = append(problems, c.guard.close())
	for _, process := range processes {
		problems = append(problems, process.Kill())
	}
	if err := errors.Join(problems...); err != nil || keepLogs {
		return err
	}
	return os.RemoveAll(c.work)
}

// endedEarly returns an error for each component that has ended although nobody stopped it.
func (c *ControlPlane) endedEarly() []error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var problems []error
	for _, server := range []Server{Etcd, APIServer} {
		if c.failed || c.away[server] {
			continue
		}
		if pid, ok := c.guard.pid(string(server)); ok && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			log := c.logFile(string(server))
			problems = append(problems, fmt.Errorf("%s ended before Stop; the last lines of %s:\n%s", server, log,
				Tail(log, 10)))
		}
	}
	for _, component := range c.components {
		if component.Ended() {
			problems = append(problems, fmt.Errorf("before Stop: %w", component.failure()))
		}
	}
	return problems
}
