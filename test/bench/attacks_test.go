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
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/test/bench/rig"
	"github.com/example/app-operator/test/controlplane"
)

// The limits that the manifests ship.
const (
	shippedCPU    = 200 // thousandths of a core
	shippedMemory = 128 // MiB
)

// limited is an operator in a cgroup with the shipped limits.
type limited struct {
	command *exec.Cmd
	ended   chan struct{}
	metrics string
	log     string
}

// startLimited starts an operator that serves the namespace, and returns when it leads its workers.
func startLimited(b *testing.B, cluster *controlplane.ControlPlane, env ...string) *limited {
	b.Helper()
	if os.Getuid() != 0 {
		b.Skip("only root can make a cgroup")
	}
	content, err := controlplane.Kubeconfig(cluster.Config())
	check(b, err)
	kubeconfig := filepath.Join(b.TempDir(), "kubeconfig")
	check(b, os.WriteFile(kubeconfig, content, 0o600))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(b, err)
	l := &limited{metrics: listener.Addr().String(), ended: make(chan struct{}), log: filepath.Join(b.TempDir(), "log")}
	check(b, listener.Close())
	log, err := os.Create(l.log)
	check(b, err)
	binary := os.Getenv("BENCH_MANAGER")
	if binary == "" {
		binary = "../../bin/manager"
	}
	l.command = exec.Command("./limited.sh", strconv.Itoa(shippedCPU), strconv.Itoa(shippedMemory), binary,
		"--kubeconfig="+kubeconfig, "--namespace="+namespace, "--metrics-bind-address="+l.metrics, "--health-probe-bind-address=127.0.0.1:0")
	l.command.Stdout, l.command.Stderr, l.command.Env = log, log, append(os.Environ(), env...)
	check(b, l.command.Start())
	go func() {
		_ = l.command.Wait() // how it ended is in its state
		close(l.ended)
	}()
	b.Cleanup(func() {
		_ = l.command.Process.Kill()
		<-l.ended
		for _, folder := range l.folders() {
			_ = os.Remove(folder)
		}
	})
	return l
}

// folders returns where the kernel counts, whichever version of cgroups it has.
func (l *limited) folders() []string {
	var found []string
	for _, parent := range []string{"", "memory", "cpu"} {
		folder := filepath.Join("/sys/fs/cgroup", parent, fmt.Sprintf("limited-%d", l.command.Process.Pid))
		if _, err := os.Stat(folder); err == nil {
			found = append(found, folder)
		}
	}
	return found
}

// peak returns the most memory that the cgroup has had, in MiB.
func (l *limited) peak() float64 {
	for _, folder := range l.folders() {
		for _, name := range []string{"memory.peak", "memory.max_usage_in_bytes"} {
			content, err := os.ReadFile(filepath.Join(folder, name))
			if err != nil {
				continue
			}
			if bytes, err := strconv.ParseFloat(strings.TrimSpace(string(content)), 64); err == nil {
				return bytes / rig.Mebibyte
			}
		}
	}
	return -1
}

// alive reports whether the operator runs.
func (l *limited) alive() bool {
	select {
	case <-l.ended:
		return false
	default:
		return true
	}
}

// report reports what became of the operator.
func (l *limited) report(b *testing.B) {
	b.Helper()
	b.ReportMetric(l.peak(), "MiB-peak")
	b.ReportMetric(0, "ns/op") // says nothing
	if !l.alive() {
		state := l.command.ProcessState
		killed := state.Sys().(syscall.WaitStatus).Signaled()
		b.Errorf("the operator has ended: %s (killed: %t), after a peak of %.0f MiB\n%s", state, killed, l.peak(), controlplane.Tail(l.log, 3))
	}
}

// scrape reads the metrics and returns the answer's code and how many Applications it tells of; 0 without an answer.
func (l *limited) scrape() (int, int) {
	response, err := (&http.Client{Timeout: time.Minute}).Get("http://" + l.metrics + "/metrics")
	if err != nil {
		return 0, 0
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, 0
	}
	return response.StatusCode, strings.Count(string(content), "\napp_operator_application_ready{")
}

// until waits until the operator has done something, or has ended: for up to limit, and a second more for each large Application.
func (l *limited) until(b *testing.B, what string, large int, condition func() bool) {
	b.Helper()
	limit := limit + time.Duration(large)*time.Second
	for began := time.Now(); !condition() && l.alive(); time.Sleep(time.Second) {
		if time.Since(began) > limit {
			b.Fatalf("%s: not within %s\n%s", what, limit, controlplane.Tail(l.log, 3))
		}
	}
}

// BenchmarkAttacks has the operator, with the shipped limits, attacked by who may reach its port and by who may create
// Applications. Reported is the peak of its memory; one that is killed is a failure. BENCH_LARGE is how many large
// Applications there are, BENCH_MANAGER another operator's binary.
func BenchmarkAttacks(b *testing.B) {
	cluster, err := controlplane.Start(context.WithoutCancel(b.Context()), controlplane.Options{CRDPaths: []string{"config/crd/bases"}})
	check(b, err)
	b.Cleanup(func() { check(b, cluster.Stop()) })
	k8s, err := rig.NewClient(cluster.Config())
	check(b, err)
	check(b, k8s.Create(b.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}))
	b.Run("scrapes", func(b *testing.B) { benchmarkScrapes(b, cluster, k8s) })
	b.Run("large-applications", func(b *testing.B) { benchmarkLarge(b, cluster, k8s) })
	b.Run("large-applications-without-streaming", func(b *testing.B) {
		benchmarkLarge(b, cluster, k8s, "KUBE_FEATURE_WatchListClient=false")
	})
}

// benchmarkScrapes has 100 readers at once, three times, beside readers that read nothing. The Applications are paused:
// there are no controllers that would do the rest.
func benchmarkScrapes(b *testing.B, cluster *controlplane.ControlPlane, k8s client.Client) {
	b.Helper()
	const applications, readers = 1000, 100
	check(b, rig.InParallel(b.Context(), applications, func(ctx context.Context, i int) error {
		app := application(nameOf(i))
		app.Spec.Paused = true
		return client.IgnoreAlreadyExists(k8s.Create(ctx, app))
	}))
	for b.Loop() {
		operator := startLimited(b, cluster)
		operator.until(b, "tell of all Applications", 0, func() bool { _, told := operator.scrape(); return told == applications })
		var codes sync.Map
		for range 3 {
			for range readers / 4 {
				dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}} // another client
				if slow, err := dialer.DialContext(b.Context(), "tcp", operator.metrics); err == nil {
					b.Cleanup(func() { _ = slow.Close() })
					_, _ = io.WriteString(slow, "GET /metrics HTTP/1.1\r\nHost: operator\r\n\r\n")
				}
			}
			var all sync.WaitGroup
			for range readers {
				all.Go(func() {
					code, _ := operator.scrape()
					count, _ := codes.LoadOrStore(code, &atomic.Int32{})
					count.(*atomic.Int32).Add(1)
				})
			}
			all.Wait()
		}
		codes.Range(func(code, count any) bool {
			b.ReportMetric(float64(count.(*atomic.Int32).Load()), fmt.Sprintf("answers-%d", code))
			return true
		})
		operator.report(b)
	}
}

// large returns an Application of 1.2 MB, most of it spec, a sixth annotations.
func large(name string) *v1.Application {
	app := application(name)
	for i := range 34 {
		app.Spec.Env = append(app.Spec.Env, corev1.EnvVar{Name: fmt.Sprintf("LONG_%d", i), Value: strings.Repeat("x", 30_000)})
	}
	app.Annotations = map[string]string{"example.com/note": strings.Repeat("x", 200_000)}
	return app
}

// benchmarkLarge has many large Applications there before the operator starts, and wants it to serve another one.
func benchmarkLarge(b *testing.B, cluster *controlplane.ControlPlane, k8s client.Client, env ...string) {
	b.Helper()
	count := 100
	if text := os.Getenv("BENCH_LARGE"); text != "" {
		var err error
		count, err = strconv.Atoi(text)
		check(b, err)
	}
	check(b, k8s.DeleteAllOf(b.Context(), application(""), client.InNamespace(namespace)))
	check(b, rig.InParallel(b.Context(), count, func(ctx context.Context, i int) error {
		return client.IgnoreAlreadyExists(k8s.Create(ctx, large(fmt.Sprintf("large-%d", i))))
	}))
	for b.Loop() {
		operator := startLimited(b, cluster, env...)
		small := application(fmt.Sprintf("small-%d", operator.command.Process.Pid))
		check(b, k8s.Create(b.Context(), small))
		began := time.Now()
		operator.until(b, "make the Service of a small Application", count, func() bool {
			return k8s.Get(b.Context(), client.ObjectKeyFromObject(small), &corev1.Service{}) == nil
		})
		b.ReportMetric(time.Since(began).Seconds(), "s-until-served")
		operator.until(b, "tell of all Applications that they are too large", count, func() bool {
			told := 0
			for i := range count {
				app := &v1.Application{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("large-%d", i), Namespace: namespace}}
				if err := k8s.Get(b.Context(), client.ObjectKeyFromObject(app), app); err != nil {
					b.Fatal(err)
				}
				if len(app.Status.Conditions) == 0 {
					break
				}
				told++
			}
			return told == count
		})
		operator.report(b)
	}
}
