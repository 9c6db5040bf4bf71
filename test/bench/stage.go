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
	"os"
	"path/filepath"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/test/bench/rig"
	"github.com/example/app-operator/test/controlplane"
)

const (
	namespace = "bench"
	// podsEach is how many pods an Application has where memory is measured; elsewhere it has one.
	podsEach = 3
)

// stage is a fresh control plane with the namespace for the Applications.
type stage struct {
	cluster *controlplane.ControlPlane
	k8s     client.WithWatch
	auditor auditor
}

// startStage starts a control plane with room for the Applications' pods. The caller stops it.
func (b *bench) startStage(ctx context.Context) (*stage, error) {
	folder, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return nil, err
	}
	s := &stage{auditor: auditor{path: filepath.Join(folder, "audit.log")}}
	err = b.step(context.WithoutCancel(ctx), "start a control plane", func(context.Context) error {
		s.cluster, err = controlplane.Start(ctx, controlplane.Options{
			CRDPaths: []string{"config/crd/bases"},
			Nodes:    2 + b.applications*(podsEach+1)/1000,
			AuditLog: s.auditor.path,
		})
		return err
	})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	if err := b.furnish(ctx, s); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

// stop stops the control plane and removes what it has written.
func (s *stage) stop() error {
	return errors.Join(s.cluster.Stop(), os.RemoveAll(filepath.Dir(s.auditor.path)))
}

// furnish makes what is needed on a new control plane.
func (b *bench) furnish(ctx context.Context, s *stage) error {
	var err error
	if s.k8s, err = rig.NewClient(s.cluster.Config()); err != nil {
		return err
	}
	if b.results.Machine.Kubernetes, err = rig.Version(s.cluster.Config()); err != nil {
		return err
	}
	return rig.MakeNamespace(ctx, s.k8s, namespace)
}

func application(name string) *v1.Application { return rig.Application(namespace, name) }

func nameOf(i int) string { return fmt.Sprintf("app-%d", i) }

// progress is what came to be of the Applications, since the watches began.
type progress struct {
	accounts, services, deployments, available, ready *arrivals
}

// watch begins to watch what comes to be of Applications, until ctx ends.
func (s *stage) watch(ctx context.Context) (*progress, error) {
	var kinds [4][]*arrivals
	for i, kind := range []struct {
		list       client.ObjectList
		conditions []condition
	}{
		{&corev1.ServiceAccountList{}, []condition{func(o client.Object) bool { return o.GetName() != "default" }}},
		{&corev1.ServiceList{}, []condition{exists}},
		{&appsv1.DeploymentList{}, []condition{exists, isAvailable}},
		{&v1.ApplicationList{}, []condition{rig.IsReady}},
	} {
		var err error
		if kinds[i], err = watchArrivals(ctx, s.k8s, namespace, kind.list, kind.conditions...); err != nil {
			return nil, err
		}
	}
	return &progress{
		accounts: kinds[0][0], services: kinds[1][0],
		deployments: kinds[2][0], available: kinds[2][1], ready: kinds[3][0],
	}, nil
}

func isAvailable(object client.Object) bool {
	deployment, ok := object.(*appsv1.Deployment)
	return ok && deployment.Status.ObservedGeneration == deployment.Generation &&
		deployment.Status.AvailableReplicas >= ptr.Deref(deployment.Spec.Replicas, 1)
}

// times are how long the parts of a convergence took, in seconds.
type times struct{ halfDeployed, deployed, children, ready float64 }

// times returns how long it took from began until there were so many of all; ready is what the last part of it is.
func (p *progress) times(ctx context.Context, count int, began time.Time, ready *arrivals) (times, error) {
	var t times
	deployments, err := p.deployments.all(ctx, count, began)
	if err != nil {
		return t, fmt.Errorf("wait for Deployments: %w", err)
	}
	t.halfDeployed = percentile(deployments, 50).Seconds()
	t.deployed = deployments[count-1].Seconds()
	t.children = t.deployed
	for _, child := range []*arrivals{p.accounts, p.services} {
		took, err := child.all(ctx, count, began)
		if err != nil {
			return t, fmt.Errorf("wait for children: %w", err)
		}
		t.children = max(t.children, took[count-1].Seconds())
	}
	took, err := ready.all(ctx, count, began)
	if err != nil {
		return t, fmt.Errorf("wait until all are ready: %w", err)
	}
	t.ready = took[count-1].Seconds()
	return t, nil
}
