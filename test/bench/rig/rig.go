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

// Package rig is what the benchmarks have in common: what they run on and with, and the form in which they tell what they have found. It
// passes no judgement and keeps no figures.
package rig

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/discovery"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/test/controlplane"
	"github.com/example/app-operator/test/operator"
)

const (
	// Mebibyte is how many bytes that is.
	Mebibyte = 1 << 20
	// MemoryLimit is the container's memory limit in the manifests in config, in MiB.
	MemoryLimit = 128
	// workers is how many requests are made at a time, for lack of one program that makes so many Applications at once.
	workers = 16
)

// NewClient returns a client that knows Kubernetes' kinds and Applications.
func NewClient(config *rest.Config) (client.WithWatch, error) {
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1.AddToScheme(scheme)); err != nil {
		return nil, err
	}
	return client.NewWithWatch(config, client.Options{Scheme: scheme})
}

// Version returns which version of Kubernetes a control plane is.
func Version(config *rest.Config) (string, error) {
	asked, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return "", err
	}
	served, err := asked.ServerVersion()
	if err != nil {
		return "", fmt.Errorf("ask the API server for its version: %w", err)
	}
	return served.GitVersion, nil
}

// MakeNamespace creates a namespace.
func MakeNamespace(ctx context.Context, k8s client.Client, name string) error {
	object := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if err := k8s.Create(ctx, object); err != nil {
		return fmt.Errorf("create the namespace %s: %w", name, err)
	}
	return nil
}

// Application returns the smallest Application that is a web server, which the API server has not seen yet.
func Application(namespace, name string) *v1.Application {
	return &v1.Application{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
		Spec:       v1.ApplicationSpec{Image: "nginx:latest", Port: new(int32(80))},
	}
}

// IsReady reports whether an object is an Application that is Ready as its spec is now.
func IsReady(object client.Object) bool {
	app, ok := object.(*v1.Application)
	if !ok {
		return false
	}
	ready := meta.FindStatusCondition(app.Status.Conditions, v1.ConditionReady)
	return ready != nil && ready.Status == metav1.ConditionTrue && ready.ObservedGeneration == app.Generation
}

// UntilReady asks now and then, and returns when all Applications are Ready as their specs are now, or all those that the options name.
func UntilReady(ctx context.Context, k8s client.Client, every time.Duration, which ...client.ListOption) error {
	return operator.Until(ctx, every, "all Applications to be Ready", func() (bool, error) {
		apps := &v1.ApplicationList{}
		err := k8s.List(ctx, apps, which...)
		waiting := slices.ContainsFunc(apps.Items, func(app v1.Application) bool { return !IsReady(&app) })
		return err == nil && !waiting, err
	})
}

// GoLimit returns the environment variable that tells Go the memory limit of a container with so many MiB, of which the operator
// keeps to nine tenths.
func GoLimit(mebibytes int) string { return fmt.Sprintf("GOMEMLIMIT=%d", mebibytes*Mebibyte/10*9) }

// StartOperator makes a namespace the home of an operator that serves the other, starts a replica there as the manifests run it, and
// returns when it is elected. Its kubelet is played as long as the control plane lives; ctx is the time for the start.
func StartOperator(
	ctx context.Context, cluster *controlplane.ControlPlane, k8s client.Client, home, served, binary, replica string, env ...string,
) (*operator.Home, *operator.Replica, error) {
	if err := MakeNamespace(ctx, k8s, home); err != nil {
		return nil, nil, err
	}
	place, err := operator.NewHome(context.WithoutCancel(ctx), cluster, k8s, home, served, binary)
	if err != nil {
		return nil, nil, err
	}
	place.Setenv(env...)
	running, err := place.Start(ctx, replica)
	if err != nil {
		return place, nil, err
	}
	return place, running, running.UntilElected(ctx)
}

// InParallel does the work for 0 to count-1, so many at a time as there are workers, and returns the first error.
func InParallel(ctx context.Context, count int, work func(ctx context.Context, i int) error) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	next := make(chan int)
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for i := range next {
				if err := work(ctx, i); err != nil {
					fail(err)
				}
			}
		})
	}
	for i := 0; i < count && ctx.Err() == nil; i++ {
		next <- i
	}
	close(next)
	all.Wait()
	return context.Cause(ctx)
}
