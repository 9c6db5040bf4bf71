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
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/test/bench/rig"
)

// lists are all objects that the operator reads, as a bare client lists them.
type lists struct {
	took time.Duration
	// bytes is what came over the wire.
	bytes int64
}

// atStart is when the operator has nothing to do yet.
const atStart = "no Applications"

// size is how much resident memory so many Applications took.
type size struct {
	applications int
	mebibytes    float64
}

// memory gives every Application its pods, and notes how much memory the operator needs then.
func (r *round) memory(ctx context.Context) error {
	complete := func(object client.Object) bool {
		return rig.IsReady(object) && object.(*v1.Application).Status.ReadyReplicas >= podsEach
	}
	scaled, err := watchArrivals(ctx, r.k8s, namespace, &v1.ApplicationList{}, complete)
	if err != nil {
		return err
	}
	patch := client.RawPatch(types.MergePatchType, fmt.Appendf(nil, `{"spec": {"replicas": %d}}`, podsEach))
	err = rig.InParallel(ctx, r.applications, func(ctx context.Context, i int) error {
		app := &v1.Application{ObjectMeta: metav1.ObjectMeta{Name: nameOf(i), Namespace: namespace}}
		return r.k8s.Patch(ctx, app, patch)
	})
	if err != nil {
		return err
	}
	if _, err := scaled[0].all(ctx, r.applications, time.Now()); err != nil {
		return err
	}
	if err := r.operator.untilQuiet(ctx); err != nil {
		return err
	}
	if r.lists, err = r.listAll(ctx); err != nil {
		return err
	}
	r.add("heap", "for comparison, the objects on the wire", "MiB", float64(r.lists.bytes)/rig.Mebibyte)
	return r.addFootprint(ctx, fmt.Sprintf("%d pods each", podsEach))
}

// addFootprint notes how much memory the operator uses now.
func (r *round) addFootprint(ctx context.Context, when string) error {
	resident, peak, err := r.operator.memory()
	if err != nil {
		return err
	}
	sum, err := r.operator.Sums(ctx)
	if err != nil {
		return err
	}
	limit := Yardstick{Name: "limit", Value: float64(r.memoryLimit())}
	r.add("memory", when, "MiB", resident, limit)
	r.add("memory at its highest", when, "MiB", peak, limit)
	r.add("heap", when, "MiB", sum("go_memstats_heap_inuse_bytes")/rig.Mebibyte)
	r.addGrowth(when, resident)
	return nil
}

// addGrowth notes how much resident memory each Application has cost beyond those of the round before, which had fewer.
func (r *round) addGrowth(when string, resident float64) {
	before, known := r.resident[when]
	if !known {
		before = r.resident[atStart]
	}
	if r.resident == nil {
		r.resident = map[string]size{}
	}
	now := size{applications: r.applications, mebibytes: resident}
	if when == atStart {
		now.applications = 0
	} else if more := now.applications - before.applications; more > 0 {
		r.add("memory per Application", when, "KiB", (resident-before.mebibytes)*1024/float64(more),
			Yardstick{Name: "its objects on the wire", Value: float64(r.lists.bytes) / 1024 / float64(r.applications)})
	}
	r.resident[when] = now
}

// listAll lists, all kinds at a time, what the operator has in its cache, and does not even decode it.
func (s *stage) listAll(ctx context.Context) (lists, error) {
	bare, err := kubernetes.NewForConfig(s.cluster.Config())
	if err != nil {
		return lists{}, err
	}
	kinds := []string{
		"/apis/apps.example.com/v1 applications", "/apis/apps/v1 deployments", "/apis/apps/v1 replicasets",
		"/api/v1 pods", "/api/v1 services", "/api/v1 serviceaccounts", "/api/v1 configmaps", "/api/v1 secrets",
		"/api/v1 persistentvolumeclaims", "/apis/policy/v1 poddisruptionbudgets",
		"/apis/autoscaling/v2 horizontalpodautoscalers", "/apis/networking.k8s.io/v1 networkpolicies",
		"/apis/networking.k8s.io/v1 ingresses", "/apis/batch/v1 cronjobs", "/apis/batch/v1 jobs",
	}
	var bytes atomic.Int64
	began := time.Now()
	err = rig.InParallel(ctx, len(kinds), func(ctx context.Context, i int) error {
		var version, resource string
		if _, err := fmt.Sscan(kinds[i], &version, &resource); err != nil {
			return err
		}
		content, err := bare.RESTClient().Get().AbsPath(version, "namespaces", namespace, resource).
			SetHeader("Accept", "application/vnd.kubernetes.protobuf,application/json").DoRaw(ctx)
		bytes.Add(int64(len(content)))
		return err
	})
	return lists{took: time.Since(began), bytes: bytes.Load()}, err
}
