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

package controller_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gexec"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/example/app-operator/test/controlplane"
	"github.com/example/app-operator/test/operator"
)

// otherVersion is what otherBuild calls itself.
const otherVersion = "9.9.9-other"

// otherBuild builds the operator as it is released, without the race detector, which multiplies memory, and as another
// version than the one that the suite runs elsewhere.
var otherBuild = sync.OnceValues(func() (string, error) {
	return gexec.BuildWithEnvironment("github.com/example/app-operator/cmd", []string{"CGO_ENABLED=0"},
		"-ldflags", "-s -w -X main.version="+otherVersion)
})

// startBuild runs the binary as the operator of the namespace, where its Role must be bound already, and returns when it
// is ready. Operators of one namespace need different names.
func startBuild(ctx context.Context, file, namespace, name string) *runningOperator {
	GinkgoHelper()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	started, err := operator.Start(ctx, cluster, operator.Options{
		Name: name + "-" + namespace, Binary: file, AccountNamespace: namespace, Flags: []string{"--namespace=" + namespace},
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() {
		if CurrentSpecReport().Failed() {
			AddReportEntry("log of "+started.Name, controlplane.Tail(started.LogFile(), 60))
		}
		Expect(started.Kill()).To(Succeed())
	})
	return &runningOperator{started}
}

// gauges returns metrics by name, each the sum over its labels; what the operator does not count yet is 0.
func (o *runningOperator) gauges(ctx context.Context, names ...string) (map[string]float64, error) {
	families, err := o.Metrics(ctx)
	if err != nil {
		return nil, err
	}
	values := map[string]float64{}
	for _, name := range names {
		for _, metric := range families[name].GetMetric() {
			values[name] += metric.GetCounter().GetValue() + metric.GetGauge().GetValue()
		}
	}
	return values, nil
}

// passes returns how many passes the operator has made, also right after its start, when it has not made any.
func (o *runningOperator) passes(ctx context.Context) (float64, error) {
	values, err := o.gauges(ctx, "controller_runtime_reconcile_total")
	return values["controller_runtime_reconcile_total"], err
}

const (
	mebibyte = 1 << 20

	// strangers is how many Secrets there are that nobody refers to, and how many ConfigMaps.
	strangers = 1000
	// strangerSize is how much each holds.
	strangerSize = 100 << 10

	// maxGrowth is how much memory all of them may cost the operator while it rests.
	maxGrowth = 5 * mebibyte
	// maxPeakGrowth is how much they may cost it while it starts, when garbage comes on top: a tenth of what they hold,
	// where reading them would cost all of it, and more.
	maxPeakGrowth = 2 * strangers * strangerSize / 10
)

var _ = Describe("The operator's memory", takesLong, func() {
	It("does not hold what no Application refers to", func(ctx SpecContext) {
		file, err := otherBuild()
		Expect(err).NotTo(HaveOccurred())
		namespace := newNamespace(ctx)
		grantRole(ctx, namespace, namespace)
		app := web(namespace)
		first := startBuild(ctx, file, namespace, "first")
		createReady(ctx, app)
		Expect(first.Kill()).To(Succeed())

		By("measuring in a namespace that is empty but for one Application")
		running := startBuild(ctx, file, namespace, "before")
		alone := running.footprint(ctx)

		By("making Secrets and ConfigMaps while the operator runs")
		createStrangers(ctx, namespace)
		// Each kind's last one is in use, so that the operator has seen them all when it has seen these.
		user := worker(namespace)
		user.Spec.EnvFrom = []corev1.EnvFromSource{
			{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "last"}}},
			{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "last"}}},
		}
		createReferences(ctx, user)
		createReady(ctx, user)
		Expect(k8s.Delete(ctx, user)).To(Succeed())
		during := running.footprint(ctx)
		Expect(running.Kill()).To(Succeed())

		By("starting the operator where they all exist")
		running = startBuild(ctx, file, namespace, "after")
		crowded := running.footprint(ctx)

		AddReportEntry("memory", fmt.Sprintf("alone %s\nwhile they came %s\namong them %s", alone, during, crowded))
		during.expectBelow(alone, "while they came")
		crowded.expectBelow(alone, "after a start among them")
		Expect(crowded.peak).To(BeNumerically("<", alone.peak+maxPeakGrowth), "resident memory during the start among them")
	})
})

// footprint is how much memory the operator needs at rest, in bytes.
type footprint struct{ resident, inUse, allocated, peak float64 }

// String returns it for a person.
func (f footprint) String() string {
	return fmt.Sprintf("resident %.1f MiB (while starting %.1f), heap in use %.1f, allocated %.1f",
		f.resident/mebibyte, f.peak/mebibyte, f.inUse/mebibyte, f.allocated/mebibyte)
}

func (f footprint) expectBelow(other footprint, when string) {
	GinkgoHelper()
	for _, value := range []struct {
		name      string
		was, grew float64
	}{
		{"resident memory", other.resident, f.resident},
		{"heap in use", other.inUse, f.inUse},
		{"allocated memory", other.allocated, f.allocated},
	} {
		Expect(value.grew).To(BeNumerically("<", value.was+maxGrowth), "%s %s", value.name, when)
	}
}

// footprint waits for the operator's first pass and measures. Go's heap grows to twice what is in use before garbage is
// collected, and a start makes much garbage: any one moment says little. So the least is taken that is seen over several
// collections, which nothing but the measuring itself calls for.
func (o *runningOperator) footprint(ctx context.Context) footprint {
	GinkgoHelper()
	const (
		resident, inUse, allocated = "process_resident_memory_bytes", "go_memstats_heap_inuse_bytes", "go_memstats_alloc_bytes"
		collections                = "go_gc_cycles_total_gc_cycles_total"
		desired                    = 6
	)
	Eventually(o.passes).WithContext(ctx).Should(BeNumerically(">", 0))
	least := footprint{resident: math.Inf(1), inUse: math.Inf(1), allocated: math.Inf(1)}
	began := math.Inf(1)
	Eventually(func() (float64, error) {
		now, err := o.gauges(ctx, resident, inUse, allocated, collections)
		if err != nil {
			return 0, err
		}
		least.resident = min(least.resident, now[resident])
		least.inUse = min(least.inUse, now[inUse])
		least.allocated = min(least.allocated, now[allocated])
		least.peak = max(least.peak, now[resident])
		began = min(began, now[collections])
		return now[collections] - began, nil
	}).WithPolling(time.Millisecond).Should(BeNumerically(">=", desired))
	return least
}

// createStrangers makes the Secrets and ConfigMaps that nobody refers to.
func createStrangers(ctx context.Context, namespace string) {
	GinkgoHelper()
	content := strings.Repeat("0123456789", strangerSize/10)
	numbers, failed := make(chan int), make(chan error, 2*strangers)
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for number := range numbers {
				name := metav1.ObjectMeta{Name: fmt.Sprintf("stranger-%d", number), Namespace: namespace}
				failed <- k8s.Create(ctx, &corev1.Secret{ObjectMeta: name, StringData: map[string]string{"content": content}})
				failed <- k8s.Create(ctx, &corev1.ConfigMap{ObjectMeta: name, Data: map[string]string{"content": content}})
			}
		})
	}
	for number := range strangers {
		numbers <- number
	}
	close(numbers)
	workers.Wait()
	close(failed)
	for err := range failed {
		Expect(err).NotTo(HaveOccurred())
	}
}
