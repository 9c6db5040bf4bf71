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

// Package operator runs the operator's real binary beside an embedded control plane, with the rights of a
// ServiceAccount and no others, for tests, benchmarks and the demo. It imports nothing of the operator itself.
package operator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/example/app-operator/test/controlplane"
)

// ServiceAccount is the name of the account that the manifests in config give to the operator.
const ServiceAccount = "app-operator-controller-manager"

const (
	poll = 20 * time.Millisecond
	// answerTime is how long an operator may take to answer: a busy machine may stand still for half a minute.
	answerTime = 2 * time.Minute
	// attempts is how often another port is tried: some other program may take one between our finding it free and
	// the operator using it.
	attempts = 3
)

// Rights returns the operator's real Role, in the namespace, and its binding to the account of the operator whose home
// is the other namespace or the same. The error says why config/rbac/role.yaml could not be read.
func Rights(namespace, home string) ([]client.Object, error) {
	return Bound("role.yaml", namespace, rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Name: ServiceAccount, Namespace: home})
}

// Bound returns the Role in a file of config/rbac, in the namespace, and its binding to the subject. The error says why
// the file could not be read.
func Bound(file, namespace string, subject rbacv1.Subject) ([]client.Object, error) {
	root, err := controlplane.ModuleRoot()
	if err != nil {
		return nil, err
	}
	content, err := os.ReadFile(filepath.Join(root, "config", "rbac", file))
	if err != nil {
		return nil, fmt.Errorf("read the Role: %w", err)
	}
	role := &rbacv1.Role{}
	if err := yaml.UnmarshalStrict(content, role); err != nil {
		return nil, fmt.Errorf("parse the Role: %w", err)
	}
	role.Namespace = namespace
	return []client.Object{role, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: role.Name, Namespace: namespace},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name},
		Subjects:   []rbacv1.Subject{subject},
	}}, nil
}

// Options says how to run an operator.
type Options struct {
	// Name is unique among the processes beside the control plane; the log is named after it.
	Name string
	// Binary is the operator's file.
	Binary string
	// AccountNamespace is where its ServiceAccount lives.
	AccountNamespace string
	// Account is the name of its ServiceAccount. Default: the one of the manifests.
	Account string
	// Flags come after those that say where the cluster, the metrics and the probes are.
	Flags []string
	// Env are environment variables (NAME=value) in addition to those of this process.
	Env []string
}

// Operator is a running operator.
type Operator struct {
	*controlplane.Process
	// Name is the one of the Options.
	Name string
	// User is the name under which the API server knows the operator.
	User string

	metrics, probes string
}

// Start runs an operator and returns when it calls itself ready. It runs until it is killed or the control plane
// stops. The error quotes the log if the operator has ended, or says what its probe answered last when ctx ended.
func Start(ctx context.Context, cluster *controlplane.ControlPlane, options Options) (*Operator, error) {
	options.Account = cmp.Or(options.Account, ServiceAccount)
	config, err := cluster.ServiceAccount(options.AccountNamespace, options.Account)
	if err != nil {
		return nil, err
	}
	content, err := controlplane.Kubeconfig(config)
	if err != nil {
		return nil, err
	}
	kubeconfig := filepath.Join(cluster.LogDir(), options.Name+".kubeconfig")
	if err := os.WriteFile(kubeconfig, content, 0o600); err != nil {
		return nil, fmt.Errorf("write kubeconfig of %s: %w", options.Name, err)
	}
	for attempt := 1; ; attempt++ {
		started, err := start(cluster, options, kubeconfig)
		if err != nil {
			return nil, err
		}
		err = started.waitUntilReady(ctx)
		taken := err != nil && strings.Contains(controlplane.Tail(started.LogFile(), 3), "address already in use")
		if !taken || attempt == attempts {
			return started, err
		}
	}
}

func start(cluster *controlplane.ControlPlane, options Options, kubeconfig string) (*Operator, error) {
	addresses, err := freeAddresses(2)
	if err != nil {
		return nil, err
	}
	process, err := cluster.Run(controlplane.Command{
		Name: options.Name,
		Path: options.Binary,
		Args: append([]string{
			"--kubeconfig=" + kubeconfig,
			"--metrics-bind-address=" + addresses[0],
			"--health-probe-bind-address=" + addresses[1],
		}, options.Flags...),
		Env: options.Env,
	})
	if err != nil {
		return nil, err
	}
	return &Operator{
		Process: process,
		Name:    options.Name,
		User:    "system:serviceaccount:" + options.AccountNamespace + ":" + options.Account,
		metrics: "http://" + addresses[0] + "/metrics",
		probes:  "http://" + addresses[1],
	}, nil
}

func (o *Operator) waitUntilReady(ctx context.Context) error {
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	for {
		_, err := get(ctx, o.probes+"/readyz")
		switch {
		case err == nil:
			return nil
		case o.Ended():
			return fmt.Errorf("%s ended before it was ready (%w); the last lines of %s:\n%s",
				o.Name, o.Err(), o.LogFile(), controlplane.Tail(o.LogFile(), 10))
		case ctx.Err() != nil:
			return fmt.Errorf("%s is not ready: %w", o.Name, err)
		}
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
}

// Metrics returns the operator's metrics by name.
func (o *Operator) Metrics(ctx context.Context) (map[string]*dto.MetricFamily, error) {
	text, err := get(ctx, o.metrics)
	if err != nil && ctx.Err() == nil && !o.Ended() { // one that has stood still has cut the connection
		text, err = get(ctx, o.metrics)
	}
	if err != nil {
		return nil, fmt.Errorf("read the metrics of %s: %w", o.Name, err)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("parse the metrics of %s: %w", o.Name, err)
	}
	return families, nil
}

// Leads reports whether the operator says in its metrics that it leads. One that does not answer soon may be frozen, and is asked again
// by whoever waits for it.
func (o *Operator) Leads(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	families, err := o.Metrics(ctx)
	if err != nil {
		return false, err
	}
	for _, metric := range families["leader_election_master_status"].GetMetric() {
		if metric.GetGauge().GetValue() == 1 {
			return true, nil
		}
	}
	return false, nil
}

// freeAddresses returns different loopback addresses that nobody listened on a moment ago.
func freeAddresses(count int) ([]string, error) {
	var addresses []string
	for range count {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer func() { _ = listener.Close() }() // only at the end, or the same port might be found twice
		addresses = append(addresses, listener.Addr().String())
	}
	return addresses, nil
}

// plain does not ask for compressed answers: metrics that are compressed take an operator with the race detector three times as long.
var plain = &http.Client{Transport: &http.Transport{DisableCompression: true}}

// get returns the body of a 200 answer.
func get(ctx context.Context, address string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return "", fmt.Errorf("make request: %w", err)
	}
	response, err := plain.Do(request)
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return "", fmt.Errorf("read the answer of %s: %w", address, err)
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s answers %s: %s", address, response.Status, strings.TrimSpace(string(body)))
	}
	return string(body), nil
}
