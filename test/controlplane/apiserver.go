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
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

//go:embed audit-policy.yaml
var auditPolicy []byte

const (
	// attempts is how often a process is started again on other ports when its port was taken meanwhile.
	attempts = 3
	// startTime is how long a component may take to become ready. It is generous: several control planes may be
	// starting on a small machine.
	startTime = 5 * time.Minute
)

// startAPI starts etcd and kube-apiserver and waits until the API server is ready.
func (c *ControlPlane) startAPI(ctx context.Context) error {
	var err error
	for range attempts {
		if err = c.tryAPI(); err == nil {
			break
		}
		logs := []string{c.logFile("etcd"), c.logFile("kube-apiserver")}
		err = fmt.Errorf("%w\n%s:\n%s\n%s:\n%s", err, logs[0], Tail(logs[0], 5), logs[1], Tail(logs[1], 10))
		if !portTaken(logs...) {
			break
		}
	}
	if err != nil {
		return err
	}
	user, err := c.api.AddUser(envtest.User{Name: "admin", Groups: []string{"system:masters"}}, unlimited())
	if err != nil {
		return fmt.Errorf("make administrator: %w", err)
	}
	c.admin = user.Config()
	if err := c.waitForAPI(ctx); err != nil {
		return fmt.Errorf("wait for kube-apiserver: %w\n%s", err, Tail(c.logFile("kube-apiserver"), 10))
	}
	return nil
}

// tryAPI starts both once. A failed attempt leaves no process behind: etcd of a failed one is stopped by envtest.
func (c *ControlPlane) tryAPI() error {
	c.api = &envtest.ControlPlane{KubectlPath: c.KubectlPath()}
	etcd, err := c.configureEtcd()
	if err != nil {
		return err
	}
	c.api.Etcd = etcd
	if c.api.APIServer, err = c.configureAPIServer(); err != nil {
		return err
	}
	err = c.api.Start()
	for _, log := range []any{etcd.Out, c.api.APIServer.Out} {
		_ = log.(*os.File).Close() // the processes have their own handles
	}
	return err
}

func (c *ControlPlane) configureEtcd() (*envtest.Etcd, error) {
	launcher, err := c.guard.launcher("etcd", filepath.Join(c.options.AssetsDir, "etcd"), c.options.env()...)
	if err != nil {
		return nil, err
	}
	log, err := c.openLog("etcd")
	if err != nil {
		return nil, err
	}
	dataDir, err := os.MkdirTemp(c.etcdDir(), "data-")
	if err != nil {
		return nil, fmt.Errorf("make etcd's folder: %w", err)
	}
	etcd := &envtest.Etcd{
		Path: launcher, DataDir: dataDir, StartTimeout: startTime, StopTimeout: killTime,
		Out: log, Err: log,
	}
	// envtest already turns fsync off. A single member that elects itself needs no second to do so.
	etcd.Configure().Set("heartbeat-interval", "10").Set("election-timeout", "100").
		// By default, etcd takes no more writes when 2 GiB are full, of which a revision is only the last part.
		Set("quota-backend-bytes", "8589934592")
	return etcd, nil
}

func (c *ControlPlane) configureAPIServer() (*envtest.APIServer, error) {
	launcher, err := c.guard.launcher("kube-apiserver", filepath.Join(c.options.AssetsDir, c.options.APIServer), c.options.env()...)
	if err != nil {
		return nil, err
	}
	log, err := c.openLog("kube-apiserver")
	if err != nil {
		return nil, err
	}
	certDir, err := os.MkdirTemp(c.certDir(), "api-")
	if err != nil {
		return nil, fmt.Errorf("make folder for certificates: %w", err)
	}
	server := &envtest.APIServer{
		Path: launcher, CertDir: certDir, StartTimeout: startTime, StopTimeout: killTime,
		Out: log, Err: log,
	}
	server.Configure().
		// envtest switches the ServiceAccount admission off; without the flag the server's own defaults are on.
		Disable("disable-admission-plugins").
		// The machine may have no network at all: do not look for an address to advertise.
		Set("advertise-address", "127.0.0.1").
		Set("endpoint-reconciler-type", "none").
		// envtest's /24 has room for 254 Services only.
		Set("service-cluster-ip-range", "10.96.0.0/16")
	if c.options.AuditLog != "" {
		policy := filepath.Join(certDir, "audit-policy.yaml")
		if err := os.WriteFile(policy, auditPolicy, 0o600); err != nil {
			return nil, fmt.Errorf("write audit policy: %w", err)
		}
		server.Configure().Set("audit-policy-file", policy).Set("audit-log-path", c.options.AuditLog).
			// By default the server begins a new file after 100 megabytes, in the middle of what somebody counts.
			Set("audit-log-maxsize", "1000000")
	}
	return server, nil
}

func (c *ControlPlane) installCRDs() error {
	_, err := envtest.InstallCRDs(c.Config(), envtest.CRDInstallOptions{
		Paths: c.options.CRDPaths, ErrorIfPathMissing: true, MaxTime: startTime, PollInterval: pollInterval,
	})
	if err != nil {
		return fmt.Errorf("install CustomResourceDefinitions: %w", err)
	}
	return nil
}

// waitForAPI waits until the API server calls itself ready, which includes the built-in roles and namespaces.
func (c *ControlPlane) waitForAPI(ctx context.Context) error {
	client, err := rest.HTTPClientFor(c.admin)
	if err != nil {
		return fmt.Errorf("make client: %w", err)
	}
	defer client.CloseIdleConnections()
	return poll(ctx, func(ctx context.Context) error { return get(ctx, client, c.admin.Host+"readyz") })
}

func (c *ControlPlane) logFile(name string) string {
	return filepath.Join(c.options.LogDir, name+".log")
}

// unlimited returns a config without client-side rate limit: the API server's own limits are real enough.
func unlimited() *rest.Config { return &rest.Config{QPS: -1} }
