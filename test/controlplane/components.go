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
	"context"
	"crypto/tls"
	_ "embed"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

//go:embed scheduler.yaml
var schedulerConfig string

//go:embed stages.yaml
var stages []byte

const controllerManager = "kube-controller-manager"

// component is a process of the control plane other than etcd and kube-apiserver.
type component struct {
	name   string
	user   string
	groups []string
	// args returns the arguments for a kubeconfig file and the port to serve health on.
	args func(kubeconfig, port string) ([]string, error)
	// health is the address that answers 200 when it is ready; %s is the port.
	health string
}

// startComponents starts the controller-manager, the scheduler and kwok at the same time, and makes the nodes.
func (c *ControlPlane) startComponents(ctx context.Context) error {
	components := c.nodeComponents()
	tasks := make([]func() error, 0, len(components)+1)
	for _, component := range components {
		tasks = append(tasks, func() error { return c.startComponent(ctx, component) })
	}
	tasks = append(tasks, func() error { return c.createNodes(ctx) })
	if err := parallel(tasks...); err != nil {
		return err
	}
	return parallel(
		func() error { return c.waitForNodes(ctx) },
		func() error { return c.waitForDefaultServiceAccount(ctx) },
	)
}

func (c *ControlPlane) nodeComponents() []component {
	return []component{
		{
			name: controllerManager, user: "system:kube-controller-manager",
			health: "https://127.0.0.1:%s/healthz", args: c.controllerManagerArgs,
		},
		{
			name: "kube-scheduler", user: "system:kube-scheduler",
			health: "https://127.0.0.1:%s/readyz", args: c.schedulerArgs,
		},
		{
			name: "kwok", user: "kwok", groups: []string{"system:masters"},
			health: "http://127.0.0.1:%s/readyz", args: c.kwokArgs,
		},
	}
}

func (c *ControlPlane) controllerManagerArgs(kubeconfig, port string) ([]string, error) {
	rootCA := filepath.Join(c.runDir(), "root-ca.crt")
	if err := os.WriteFile(rootCA, c.admin.CAData, 0o600); err != nil {
		return nil, fmt.Errorf("write root CA: %w", err)
	}
	return []string{
		"--kubeconfig=" + kubeconfig,
		"--bind-address=127.0.0.1",
		"--secure-port=" + port,
		"--leader-elect=false",
		"--use-service-account-credentials",
		"--service-account-private-key-file=" + filepath.Join(c.api.APIServer.CertDir, "sa-signer.key"),
		"--root-ca-file=" + rootCA,
		"--kube-api-qps=1000",
		"--kube-api-burst=2000",
		// The autoscaler looks at a new HorizontalPodAutoscaler only after one such period, so 15 s (the default)
		// would be the time every test of one takes.
		"--horizontal-pod-autoscaler-sync-period=1s",
		// When the API server was away for longer than the usual 50 s, all nodes would look silent, and their pods be
		// marked as not ready. A kubelet corrects that; kwok does not.
		"--node-monitor-grace-period=10m",
	}, nil
}

func (c *ControlPlane) schedulerArgs(kubeconfig, port string) ([]string, error) {
	path := filepath.Join(c.runDir(), "scheduler.yaml")
	content := strings.ReplaceAll(schedulerConfig, "@KUBECONFIG@", strconv.Quote(kubeconfig))
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		return nil, fmt.Errorf("write scheduler's configuration: %w", err)
	}
	return []string{"--config=" + path, "--bind-address=127.0.0.1", "--secure-port=" + port}, nil
}

func (c *ControlPlane) kwokArgs(kubeconfig, port string) ([]string, error) {
	path := filepath.Join(c.runDir(), "stages.yaml")
	if err := os.WriteFile(path, stages, 0o600); err != nil {
		return nil, fmt.Errorf("write kwok's stages: %w", err)
	}
	return []string{
		"--kubeconfig=" + kubeconfig,
		"--config=" + path,
		"--manage-all-nodes=true",
		"--node-lease-duration-seconds=40",
		"--cidr=10.244.0.0/16",
		"--node-ip=127.0.0.1",
		"--server-address=127.0.0.1:" + port,
	}, nil
}

// startComponent starts a process and waits until it is ready.
func (c *ControlPlane) startComponent(ctx context.Context, component component) error {
	config, err := c.User(component.user, component.groups...)
	if err != nil {
		return err
	}
	content, err := Kubeconfig(config)
	if err != nil {
		return err
	}
	kubeconfig := filepath.Join(c.runDir(), component.name+".kubeconfig")
	if err := os.WriteFile(kubeconfig, content, 0o600); err != nil {
		return fmt.Errorf("write kubeconfig of %s: %w", component.name, err)
	}
	for range attempts {
		var process *Process
		if process, err = c.tryComponent(ctx, component, kubeconfig); err == nil {
			c.mu.Lock()
			c.components = append(c.components, process)
			c.mu.Unlock()
			return nil
		}
		if process == nil || !process.Ended() || !portTaken(process.logFile) {
			return err
		}
	}
	return err
}

func (c *ControlPlane) tryComponent(ctx context.Context, component component, kubeconfig string) (*Process, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	args, err := component.args(kubeconfig, port)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(c.options.AssetsDir, component.name)
	process, err := c.Run(Command{Name: component.name, Path: path, Args: args, Env: c.options.env()})
	if err != nil {
		return nil, err
	}
	return process, waitHealthy(ctx, process, fmt.Sprintf(component.health, port))
}

// waitHealthy waits until a process answers 200 at its health address, or has ended.
func waitHealthy(ctx context.Context, process *Process, address string) error {
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
		// A question to loopback whose answer is yes or no; the component makes its certificate up at each start.
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
	}}
	defer client.CloseIdleConnections()
	err := poll(ctx, func(ctx context.Context) error {
		if process.Ended() {
			return fatal(process.failure())
		}
		return get(ctx, client, address)
	})
	if err != nil && !process.Ended() {
		return fmt.Errorf("wait for %s: %w; the last lines of %s:\n%s", process.name, err, process.logFile,
			Tail(process.logFile, 10))
	}
	return err
}

// freePort returns a loopback port that was free a moment ago. Whoever uses it must be ready to try again.
func freePort() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	defer func() { _ = listener.Close() }()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	return port, err
}
