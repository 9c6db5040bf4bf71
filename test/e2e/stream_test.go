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

package e2e_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"

	v1 "github.com/example/app-operator/api/v1"
)

// interval is the time between two Applications of a stream.
const interval = 250 * time.Millisecond

// stream creates Applications without pods, one after the other, and measures how long each waits for its Deployment.
// So it sees how long nobody acts.
type stream struct {
	namespace, name string

	halt func()
	done chan struct{}

	mu      sync.Mutex
	created map[string]time.Time
	served  map[string]time.Time
	failed  []error
}

// startStream returns once the first Application has its Deployment. The stream ends with the spec at the latest.
func startStream(ctx context.Context, namespace, name string) *stream {
	GinkgoHelper()
	s := &stream{
		namespace: namespace, name: name, done: make(chan struct{}),
		created: map[string]time.Time{}, served: map[string]time.Time{},
	}
	watching, cancel := context.WithCancel(ctx)
	s.watch(watching)
	creating, halt := context.WithCancel(watching)
	s.halt = halt
	go s.create(creating)
	DeferCleanup(func() {
		cancel()
		<-s.done
	})
	s.waitForNext(ctx)
	return s
}

// watch notes when each Deployment is first seen.
func (s *stream) watch(ctx context.Context) {
	GinkgoHelper()
	deployments, err := cache.New(config, cache.Options{
		Scheme: k8s.Scheme(), DefaultNamespaces: map[string]cache.Config{s.namespace: {}},
	})
	Expect(err).NotTo(HaveOccurred())
	informer, err := deployments.GetInformer(ctx, &appsv1.Deployment{}, cache.BlockUntilSynced(false))
	Expect(err).NotTo(HaveOccurred())
	_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{AddFunc: func(object any) {
		if deployment, ok := object.(*appsv1.Deployment); ok {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.served[deployment.Name] = time.Now()
		}
	}})
	Expect(err).NotTo(HaveOccurred())
	go func() { _ = deployments.Start(ctx) }()
	Expect(deployments.WaitForCacheSync(ctx)).To(BeTrue())
}

func (s *stream) create(ctx context.Context) {
	defer close(s.done)
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for i := 0; ; i++ {
		name := fmt.Sprintf("%s-%03d", s.name, i)
		err := k8s.Create(ctx, &v1.Application{
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: s.namespace, Labels: map[string]string{"stream": s.name}},
			Spec:       v1.ApplicationSpec{Image: images.Web, Replicas: new(int32(0))},
		})
		s.mu.Lock()
		switch {
		case err == nil:
			s.created[name] = time.Now()
		case ctx.Err() == nil:
			s.failed = append(s.failed, err)
		}
		s.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// waitForNext waits until an Application that is created from now on has its Deployment.
func (s *stream) waitForNext(ctx context.Context) {
	GinkgoHelper()
	now := time.Now()
	Eventually(func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		for name, created := range s.created {
			if _, ok := s.served[name]; ok && created.After(now) {
				return true
			}
		}
		return false
	}).WithContext(ctx).Should(BeTrue(), "no new Application gets its Deployment")
}

// stop ends the stream, waits until each of its Applications has its Deployment, and returns how long they waited,
// shortest first.
func (s *stream) stop(ctx context.Context) []time.Duration {
	GinkgoHelper()
	s.waitForNext(ctx)
	s.halt()
	<-s.done
	Expect(s.failed).To(BeEmpty())
	var waited []time.Duration
	Eventually(func() (missing []string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		waited = nil
		for name, began := range s.created {
			served, ok := s.served[name]
			if !ok {
				missing = append(missing, name)
			}
			waited = append(waited, max(0, served.Sub(began)))
		}
		return missing
	}).WithContext(ctx).Should(BeEmpty())
	slices.Sort(waited)
	return waited
}
