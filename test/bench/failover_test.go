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
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/test/bench/rig"
	"github.com/example/app-operator/test/controlplane"
	"github.com/example/app-operator/test/operator"
)

const (
	// rounds is how often each of the failovers is measured.
	rounds = 10
	// stream is the pause between two new Applications, while all replicas are replaced.
	stream = 100 * time.Millisecond
	// limit is half of what one of the failovers may take, all its rounds together.
	limit = 10 * time.Minute
)

// BenchmarkFailover measures what users notice of the leader's end, each ten times: from then, or for a replacement of
// all replicas from an Application's creation, until there is the Deployment of an Application. Three replicas run with
// their default flags; the kubelet is played and takes its usual second to see that a container has ended.
func BenchmarkFailover(b *testing.B) {
	f := newFailover(b)
	for _, c := range []struct {
		name  string
		round func(*trio) time.Duration
		flags []string
	}{
		{"SIGTERM", func(t *trio) time.Duration { return t.lose(syscall.SIGTERM) }, nil},
		{"SIGKILL", func(t *trio) time.Duration { return t.lose(syscall.SIGKILL) }, nil},
		{
			"SIGKILL-without-fast-takeover", func(t *trio) time.Duration { return t.lose(syscall.SIGKILL) },
			[]string{"--leader-election-fast-takeover=false"},
		},
		{"rolling-replacement", (*trio).replaceAll, nil},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				trio := f.start(b, c.flags...)
				took := make([]time.Duration, 0, rounds)
				for range rounds {
					took = append(took, c.round(trio))
				}
				trio.stop()
				report(b, took)
			}
		})
	}
}

// report reports the shortest, the median and the longest.
func report(b *testing.B, took []time.Duration) {
	b.Helper()
	slices.Sort(took)
	median := (took[(len(took)-1)/2] + took[len(took)/2]) / 2
	for unit, value := range map[string]time.Duration{
		"ms-min": took[0], "ms-median": median, "ms-max": took[len(took)-1],
	} {
		b.ReportMetric(float64(value.Milliseconds()), unit)
	}
	b.ReportMetric(0, "ns/op") // says nothing
	for i := range took {
		took[i] = took[i].Round(time.Millisecond)
	}
	b.Logf("%-30s  min %s  median %s  max %s  of %v", b.Name(), took[0], median.Round(time.Millisecond), took[len(took)-1], took)
}

// failover is what the benchmarks of failover share.
type failover struct {
	cluster *controlplane.ControlPlane
	k8s     client.WithWatch
	binary  string
	homes   int
}

func newFailover(b *testing.B) *failover {
	b.Helper()
	cluster, err := controlplane.Start(context.WithoutCancel(b.Context()), controlplane.Options{
		CRDPaths: []string{"config/crd/bases"}, Nodes: 3,
	})
	check(b, err)
	b.Cleanup(func() { check(b, cluster.Stop()) })
	k8s, err := rig.NewClient(cluster.Config())
	check(b, err)
	root, err := controlplane.ModuleRoot()
	check(b, err)
	return &failover{cluster: cluster, k8s: k8s, binary: filepath.Join(root, "bin", "manager")}
}

// trio is three replicas and the namespace that they serve.
type trio struct {
	*failover
	b           *testing.B
	ctx         context.Context
	stop        func()
	home        *operator.Home
	namespace   string
	replicas    []*operator.Replica
	started     int
	created     int
	made        *arrivals // Applications
	deployments *arrivals
}

func (f *failover) start(b *testing.B, flags ...string) *trio {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), 2*limit)
	f.homes++
	t := &trio{failover: f, b: b, ctx: ctx, namespace: fmt.Sprintf("failover-%d", f.homes)}
	for _, name := range []string{t.namespace, t.namespace + "-system"} {
		check(b, f.k8s.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}))
	}
	var err error
	t.home, err = operator.NewHome(ctx, f.cluster, f.k8s, t.namespace+"-system", t.namespace, f.binary, flags...)
	check(b, err)
	t.made = t.watch(&v1.ApplicationList{})
	t.deployments = t.watch(&appsv1.DeploymentList{})
	for range 3 {
		t.replicas = append(t.replicas, t.startReplica())
	}
	t.stop = func() {
		for _, replica := range t.replicas {
			check(b, replica.Remove(ctx))
		}
		cancel()
	}
	return t
}

func (t *trio) startReplica() *operator.Replica {
	t.b.Helper()
	t.started++
	replica, err := t.home.Start(t.ctx, fmt.Sprintf("manager-%d", t.started))
	check(t.b, err)
	return replica
}

// leader waits until one of the replicas leads, and returns its index.
func (t *trio) leader() int {
	t.b.Helper()
	for ; ; time.Sleep(20 * time.Millisecond) {
		holder, err := t.home.Holder(t.ctx)
		check(t.b, err)
		leads := func(replica *operator.Replica) bool { return replica.Holds(holder) && !replica.Ended() }
		if leader := slices.IndexFunc(t.replicas, leads); leader >= 0 {
			return leader
		}
	}
}

// lose ends the leader and returns how long it takes until an Application made at that moment has its Deployment.
// The leader is replaced before the next round.
func (t *trio) lose(signal syscall.Signal) time.Duration {
	t.b.Helper()
	i := t.leader()
	lost := t.replicas[i]
	began := time.Now()
	check(t.b, lost.Signal(signal))
	took := t.arrival(t.deployments, t.create()).Sub(began)
	t.replace(i)
	return took
}

// replace starts another replica in the place of one that ends, as a Deployment does.
func (t *trio) replace(i int) {
	t.b.Helper()
	select {
	case <-t.replicas[i].Done():
	case <-t.ctx.Done():
		check(t.b, context.Cause(t.ctx))
	}
	check(t.b, t.replicas[i].Remove(t.ctx))
	t.replicas[i] = t.startReplica()
}

// replaceAll replaces the replicas one after the other while Applications are made all the time. It returns the longest
// that one of these has waited for its Deployment.
func (t *trio) replaceAll() time.Duration {
	t.b.Helper()
	over := make(chan struct{})
	var names []string
	var making sync.WaitGroup
	making.Go(func() {
		for ticker := time.NewTicker(stream); ; {
			names = append(names, t.create())
			select {
			case <-over:
				ticker.Stop()
				return
			case <-ticker.C:
			}
		}
	})
	for i := range t.replicas {
		check(t.b, t.replicas[i].Signal(syscall.SIGTERM))
		t.replace(i)
	}
	close(over)
	making.Wait()
	var longest time.Duration
	for _, name := range names {
		waited := t.arrival(t.deployments, name).Sub(t.arrival(t.made, name))
		longest = max(longest, waited)
	}
	t.clear()
	return longest
}

// clear deletes the Applications and waits until their pods are gone, so that one round does not burden the next.
func (t *trio) clear() {
	t.b.Helper()
	check(t.b, t.k8s.DeleteAllOf(t.ctx, &v1.Application{}, client.InNamespace(t.namespace)))
	for left := -1; left != 0; time.Sleep(100 * time.Millisecond) {
		pods := &corev1.PodList{}
		check(t.b, t.k8s.List(t.ctx, pods, client.InNamespace(t.namespace)))
		left = len(pods.Items)
	}
}

// create makes an Application and returns its name.
func (t *trio) create() string {
	t.created++
	name := fmt.Sprintf("app-%d", t.created)
	app := application(name)
	app.Namespace = t.namespace
	if err := t.k8s.Create(t.ctx, app); err != nil {
		t.b.Error(err)
	}
	return name
}

func (t *trio) watch(list client.ObjectList) *arrivals {
	t.b.Helper()
	all, err := watchArrivals(t.ctx, t.k8s, t.namespace, list, exists)
	check(t.b, err)
	return all[0]
}

// arrival returns when the object of the name came into being, once it has.
func (t *trio) arrival(of *arrivals, name string) time.Time {
	t.b.Helper()
	at, err := of.wait(t.ctx, name)
	check(t.b, err)
	return at
}

func check(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}
