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
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/example/app-operator/test/bench/rig"
	"github.com/example/app-operator/test/operator"
)

const glance = 100 * time.Millisecond

func homeOf(i int) string   { return fmt.Sprintf("operator-%d", i) }
func tenantOf(i int) string { return fmt.Sprintf("tenant-%d", i) }

// servedBy returns the namespaces of an operator.
func (f *fleet) servedBy(i int) []string {
	each := f.namespaces / f.operators
	served := make([]string, 0, each)
	for tenant := i * each; tenant < (i+1)*each; tenant++ {
		served = append(served, tenantOf(tenant))
	}
	return served
}

// furnish makes the namespaces of the tenants and of the operators, and gives each operator its rights.
func (f *fleet) furnish(ctx context.Context) error {
	var err error
	if f.k8s, err = rig.NewClient(f.cluster.Config()); err != nil {
		return err
	}
	if f.server, err = askServer(f.cluster.Config()); err != nil {
		return err
	}
	for i := range f.operators {
		objects, err := f.belongings(i)
		if err != nil {
			return err
		}
		for _, object := range objects {
			if err := f.k8s.Create(ctx, object); err != nil {
				return fmt.Errorf("create %T %s: %w", object, object.GetName(), err)
			}
		}
	}
	return nil
}

// belongings returns what an operator needs: namespaces, its account, and the real Roles.
func (f *fleet) belongings(i int) ([]client.Object, error) {
	home := homeOf(i)
	account := rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Name: operator.ServiceAccount, Namespace: home}
	lease, err := operator.Bound("leader_election_role.yaml", home, account)
	if err != nil {
		return nil, err
	}
	objects := append([]client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: home}},
		&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: operator.ServiceAccount, Namespace: home}},
	}, lease...)
	for _, tenant := range f.servedBy(i) {
		rights, err := operator.Rights(tenant, home)
		if err != nil {
			return nil, err
		}
		objects = append(append(objects, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: tenant}}), rights...)
	}
	return objects, nil
}

// start starts all operators at once, and returns when each is elected.
func (f *fleet) start(ctx context.Context) error {
	f.starts++
	f.running = make([]*operator.Operator, f.operators)
	failed := make(chan error, f.operators)
	for i := range f.running {
		go func() {
			var err error
			f.running[i], err = operator.Start(ctx, f.cluster, operator.Options{
				Name: fmt.Sprintf("%s-%d", homeOf(i), f.starts), Binary: f.binary, AccountNamespace: homeOf(i),
				Flags: []string{
					"--namespace=" + strings.Join(f.servedBy(i), ","), "--leader-elect", "--leader-election-namespace=" + homeOf(i),
				},
				// What the manifests give to a container of the operator, of which it keeps to nine tenths.
				Env: []string{rig.GoLimit(rig.MemoryLimit)},
			})
			failed <- err
		}()
	}
	var all error
	for range f.running {
		all = errors.Join(all, <-failed)
	}
	if all != nil {
		return all
	}
	for _, each := range f.running {
		if err := each.UntilElected(ctx); err != nil {
			return err
		}
	}
	return nil
}

// fill makes all Applications at once, and returns when they are Ready.
func (f *fleet) fill(ctx context.Context) error {
	for i := range f.namespaces {
		for k := range f.applications {
			if err := f.k8s.Create(ctx, rig.Application(tenantOf(i), fmt.Sprintf("app-%d", k))); err != nil {
				return err
			}
		}
	}
	return rig.UntilReady(ctx, f.k8s, glance)
}

// restart ends all operators at once and starts them again. It returns how long it took from their start until they had looked at all
// Applications, and what they had used by then.
func (f *fleet) restart(ctx context.Context) (time.Duration, sums, error) {
	for _, each := range f.running {
		if err := each.Signal(syscall.SIGTERM); err != nil {
			return 0, sums{}, err
		}
	}
	for _, each := range f.running {
		select {
		case <-each.Done():
		case <-ctx.Done():
			return 0, sums{}, fmt.Errorf("waited for the operators to end: %w", context.Cause(ctx))
		}
	}
	began := time.Now()
	if err := f.start(ctx); err != nil {
		return 0, sums{}, err
	}
	var now sums
	err := operator.Until(ctx, glance, "all Applications to be looked at", func() (done bool, err error) {
		now, err = f.sum(ctx)
		return now.passes >= float64(f.namespaces*f.applications) && now.waiting == 0, err
	})
	return time.Since(began), now, err
}

// rest returns what the operators have used by when they have had nothing to do for a while, in which nobody asks them either: an answer
// with all metrics is work.
func (f *fleet) rest(ctx context.Context) (sums, error) {
	var last sums
	err := operator.Until(ctx, time.Second, "the operators to have nothing to do", func() (bool, error) {
		now, err := f.sum(ctx)
		quiet := now.passes == last.passes && now.waiting == 0
		last = now
		return quiet, err
	})
	if err != nil {
		return sums{}, err
	}
	time.Sleep(settled)
	return f.sum(ctx)
}
