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

// Package bench measures the operator's real binary, with its default flags and its real Role, on an embedded control
// plane. A benchmark prints what it measured; it passes no judgement.
package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/test/controlplane"
	"github.com/example/app-operator/test/operator"
)

const (
	namespace = "bench"
	rest      = time.Minute
	limit     = 10 * time.Minute
)

// BenchmarkConverge creates many Applications at once and reports how long it takes until all are Ready, the operator's
// requests per Application, its memory (RSS) before and after, and its writes in a minute of rest.
func BenchmarkConverge(b *testing.B) {
	for _, applications := range []int{100} {
		b.Run(strconv.Itoa(applications), func(b *testing.B) {
			for b.Loop() {
				converge(b, applications)
			}
		})
	}
}

func converge(b *testing.B, applications int) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), limit)
	defer cancel()
	audit := filepath.Join(b.TempDir(), "audit.log")
	cluster, err := controlplane.Start(ctx, controlplane.Options{
		CRDPaths: []string{"config/crd/bases"}, Nodes: 3, AuditLog: audit,
	})
	check(b, err)
	defer func() { check(b, cluster.Stop()) }()
	scheme := runtime.NewScheme()
	check(b, clientgoscheme.AddToScheme(scheme))
	check(b, v1.AddToScheme(scheme))
	k8s, err := client.New(cluster.Config(), client.Options{Scheme: scheme})
	check(b, err)
	grant(ctx, b, k8s)
	root, err := controlplane.ModuleRoot()
	check(b, err)
	running, err := operator.Start(ctx, cluster, operator.Options{
		Name: "operator", Binary: filepath.Join(root, "bin", "manager"), AccountNamespace: namespace,
		Flags: []string{"--namespace=" + namespace},
	})
	check(b, err)
	b.ReportMetric(resident(b, running), "MiB-before")

	began, before := time.Now(), requests(b, audit, running)
	create(ctx, b, k8s, applications)
	waitUntilReady(ctx, b, k8s, applications)
	b.ReportMetric(time.Since(began).Seconds(), "s-until-ready")
	b.ReportMetric(resident(b, running), "MiB-after")
	settled := requests(b, audit, running)
	b.ReportMetric(float64(settled.all-before.all)/float64(applications), "requests/app")
	b.ReportMetric(float64(settled.writes-before.writes)/float64(applications), "writes/app")

	time.Sleep(rest)
	b.ReportMetric(float64(requests(b, audit, running).writes-settled.writes), "writes-at-rest")
	b.ReportMetric(resident(b, running), "MiB-at-rest")
}

// grant makes the namespace and binds the operator's real Role in it.
func grant(ctx context.Context, b *testing.B, k8s client.Client) {
	b.Helper()
	check(b, k8s.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}))
	rights, err := operator.Rights(namespace, namespace)
	check(b, err)
	for _, right := range rights {
		check(b, k8s.Create(ctx, right))
	}
}

// create makes the Applications, sixteen at a time.
func create(ctx context.Context, b *testing.B, k8s client.Client, applications int) {
	b.Helper()
	names := make(chan string)
	failed := make(chan error, applications)
	var workers sync.WaitGroup
	for range 16 {
		workers.Go(func() {
			for name := range names {
				failed <- k8s.Create(ctx, &v1.Application{
					ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
					Spec:       v1.ApplicationSpec{Image: "nginx:latest", Port: new(int32(80))},
				})
			}
		})
	}
	for i := range applications {
		names <- fmt.Sprintf("app-%d", i)
	}
	close(names)
	workers.Wait()
	close(failed)
	for err := range failed {
		check(b, err)
	}
}

// waitUntilReady waits until all Applications are Ready.
func waitUntilReady(ctx context.Context, b *testing.B, k8s client.Client, applications int) {
	b.Helper()
	for ready := -1; ready < applications; time.Sleep(50 * time.Millisecond) {
		list := &v1.ApplicationList{}
		check(b, k8s.List(ctx, list, client.InNamespace(namespace)))
		ready = 0
		for i := range list.Items {
			if meta.IsStatusConditionTrue(list.Items[i].Status.Conditions, v1.ConditionReady) {
				ready++
			}
		}
	}
}

// counts are the operator's requests in the API server's audit log, those about leases and events apart.
type counts struct{ all, writes int }

func requests(b *testing.B, audit string, running *operator.Operator) counts {
	b.Helper()
	file, err := os.Open(audit)
	check(b, err)
	defer func() { check(b, file.Close()) }()
	var sum counts
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var request struct {
			Verb      string
			User      struct{ Username string }
			ObjectRef struct{ Resource string }
		}
		// The last line may still be being written.
		if json.Unmarshal(lines.Bytes(), &request) != nil || request.User.Username != running.User ||
			request.ObjectRef.Resource == "leases" || request.ObjectRef.Resource == "events" {
			continue
		}
		sum.all++
		if request.Verb != "get" && request.Verb != "list" && request.Verb != "watch" {
			sum.writes++
		}
	}
	return sum
}

// resident returns the operator's memory in MiB, as the kernel counts it.
func resident(b *testing.B, running *operator.Operator) float64 {
	b.Helper()
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", running.PID()))
	check(b, err)
	_, after, found := strings.Cut(string(content), "VmRSS:")
	if !found {
		b.Fatal("no VmRSS")
	}
	kib, err := strconv.ParseFloat(strings.Fields(after)[0], 64)
	check(b, err)
	return kib / 1024
}

func check(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}
