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
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/example/app-operator/test/operator"
)

const (
	appNamespace      = "app-namespace"
	operatorNamespace = "app-operator-system"
	leaseName         = "app-operator-leader"
	leaseDuration     = 15 * time.Second // the operator's default
	operatorCount     = 3
)

// demoOperator is one operator process of the demo.
type demoOperator struct {
	*operator.Operator
	pod     *corev1.Pod // played
	stopped bool        // by the demo, so that its end is no fault
}

// startOperator starts an operator with the rights of the ServiceAccount, and waits until it is ready.
func (d *demo) startOperator(ctx context.Context, name string) (*demoOperator, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	pod, err := d.playPod(ctx, name)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(d.wordsFile(name), nil, 0o600); err != nil {
		return nil, fmt.Errorf("make a file for last words: %w", err)
	}
	started, err := operator.Start(ctx, d.cluster, operator.Options{
		Name:             name,
		Binary:           d.operatorPath,
		AccountNamespace: operatorNamespace,
		Flags: []string{
			"--namespace=" + appNamespace,
			"--leader-elect",
			"--leader-election-namespace=" + operatorNamespace,
		},
		Env: []string{
			"POD_NAME=" + name, "POD_NAMESPACE=" + operatorNamespace, "POD_UID=" + string(pod.UID),
			"TERMINATION_MESSAGE_PATH=" + d.wordsFile(name),
		},
	})
	if started == nil {
		return nil, err
	}
	running := &demoOperator{Operator: started, pod: pod}
	d.operators = append(d.operators, running)
	if err != nil {
		return running, unmet(name+" is ready", "%v", err)
	}
	return running, nil
}

func (o *demoOperator) state() string {
	switch {
	case o.stopped:
		return "stopped by the demo"
	case o.Ended():
		return fmt.Sprintf("ended by itself: %v", o.Err())
	}
	return "running"
}

// running returns the operators that the demo has not stopped.
func (d *demo) running() []*demoOperator {
	return slices.DeleteFunc(slices.Clone(d.operators), func(one *demoOperator) bool { return one.stopped })
}

// leader waits until exactly one operator says that it leads, and returns it.
func (d *demo) leader(ctx context.Context) (*demoOperator, error) {
	var leader *demoOperator
	err := d.until(ctx, patience, "exactly one operator leads", func(ctx context.Context) error {
		var leaders []string
		for _, running := range d.running() {
			leads, err := running.Leads(ctx)
			if err != nil {
				return err
			}
			if leads {
				leader = running
				leaders = append(leaders, running.Name)
			}
		}
		if len(leaders) != 1 {
			return fmt.Errorf("%d say that they lead: %s", len(leaders), strings.Join(leaders, ", "))
		}
		return nil
	})
	return leader, err
}

// showLeader says who leads, from the Lease and from the processes.
func (d *demo) showLeader(ctx context.Context) error {
	leader, err := d.leader(ctx)
	if err != nil {
		return err
	}
	if err := d.kubectl(ctx, "get", "lease", leaseName, "--namespace", operatorNamespace); err != nil {
		return err
	}
	var others []string
	for _, running := range d.running() {
		if running != leader {
			others = append(others, running.Name)
		}
	}
	d.out.say("By their own metrics: %s leads (process %d); standing by: %s.", leader.Name, leader.PID(),
		cmp.Or(strings.Join(others, ", "), "nobody"))
	return nil
}

// holder returns who holds the lease; nobody is an error.
func (d *demo) holder(ctx context.Context) (string, error) {
	lease := &coordinationv1.Lease{}
	key := client.ObjectKey{Namespace: operatorNamespace, Name: leaseName}
	if err := d.client.Get(ctx, key, lease); err != nil {
		return "", err
	}
	if lease.Spec.HolderIdentity == nil || *lease.Spec.HolderIdentity == "" {
		return "", fmt.Errorf("nobody holds the Lease %s", leaseName)
	}
	return *lease.Spec.HolderIdentity, nil
}
