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
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/test/controlplane"
)

const (
	smallest  = "config/samples/smallest.yaml"
	second    = "test/demo/second-app.yaml"
	overlay   = "config/overlays/single-namespace"
	firstApp  = "my-app"
	secondApp = "second-app"
)

// startControlPlane also installs the CRD. The overlay installs it again, but the garbage collector would need half a
// minute to learn of a kind that comes after its own start.
func (d *demo) startControlPlane(ctx context.Context) error {
	var err error
	d.cluster, err = controlplane.Start(ctx, controlplane.Options{
		Nodes: 3, CRDPaths: []string{"config/crd/bases"}, Output: d.out, LogDir: d.logDir(),
	})
	if err != nil {
		return err
	}
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1.AddToScheme(scheme)); err != nil {
		return fmt.Errorf("register kinds: %w", err)
	}
	if d.client, err = client.NewWithWatch(d.cluster.Config(), client.Options{Scheme: scheme}); err != nil {
		return fmt.Errorf("make client: %w", err)
	}
	return d.writeAdminKubeconfig()
}

func (d *demo) install(ctx context.Context) error {
	if err := d.kubectl(ctx, "create", "namespace", appNamespace); err != nil {
		return err
	}
	var rendered bytes.Buffer
	d.out.say("$ kubectl kustomize %s | kubectl apply --server-side -f -", overlay)
	if err := d.runKubectl(ctx, nil, &rendered, "kustomize", overlay); err != nil {
		return err
	}
	manifests, err := withoutDeployments(rendered.String())
	if err != nil {
		return err
	}
	if err := d.runKubectl(ctx, bytes.NewBufferString(manifests), d.out, "apply", "--server-side", "-f", "-"); err != nil {
		return err
	}
	d.out.say("Left out: the operator's Deployment. No container runs here, so three processes take its place.")
	return nil
}

func (d *demo) startOperators(ctx context.Context) error {
	for i := range operatorCount {
		started, err := d.startOperator(ctx, fmt.Sprintf("operator-%d", i+1))
		if err != nil {
			return err
		}
		d.out.say("%s is ready: process %d, as %s", started.Name, started.PID(), started.User)
	}
	return d.showLeader(ctx)
}

func (d *demo) applySmallest(ctx context.Context) error {
	content, err := os.ReadFile(filepath.Join(d.root, smallest))
	if err != nil {
		return fmt.Errorf("read sample: %w", err)
	}
	d.out.say("$ cat %s", smallest)
	_, _ = d.out.Write(content)
	var took time.Duration
	err = d.watching(ctx, firstApp, func() error {
		if err := d.kubectl(ctx, "apply", "-f", smallest); err != nil {
			return err
		}
		applied := time.Now()
		err := d.waitForApplication(ctx, firstApp)
		took = time.Since(applied)
		return err
	})
	if err != nil {
		return err
	}
	d.out.say("%s is ready after %s.", firstApp, seconds(took))
	d.finding("%s was ready %s after kubectl apply", firstApp, seconds(took))
	return d.kubectl(ctx, "get", "all", "--namespace", appNamespace)
}

// waitForApplication waits until an Application is ready in its present generation.
func (d *demo) waitForApplication(ctx context.Context, name string) error {
	return d.until(ctx, patience, name+" is ready", func(ctx context.Context) error {
		app := &v1.Application{}
		if err := d.client.Get(ctx, client.ObjectKey{Namespace: appNamespace, Name: name}, app); err != nil {
			return err
		}
		ready := meta.FindStatusCondition(app.Status.Conditions, "Ready")
		switch {
		case ready == nil:
			return errors.New("it has no condition Ready")
		case ready.ObservedGeneration != app.Generation:
			return fmt.Errorf("its condition Ready is %s for generation %d, not yet for %d", ready.Status, ready.ObservedGeneration,
				app.Generation)
		case ready.Status != metav1.ConditionTrue:
			return fmt.Errorf("its condition Ready is %s, %s: %s", ready.Status, ready.Reason, ready.Message)
		}
		return nil
	})
}

// cleanUp lets the garbage collector remove what the Applications had, and the operators end in an orderly way.
func (d *demo) cleanUp(ctx context.Context) error {
	if err := d.kubectl(ctx, "delete", "applications", "--all", "--namespace", appNamespace); err != nil {
		return err
	}
	began := time.Now()
	if err := d.until(ctx, patience, "everything that belonged to the Applications is gone", d.nothingLeft); err != nil {
		return err
	}
	d.out.say("Everything that belonged to them is gone after %s.", seconds(time.Since(began)))
	if err := d.kubectl(ctx, "get", "all", "--namespace", appNamespace); err != nil {
		return err
	}
	for _, running := range d.running() {
		if err := d.stopOperator(ctx, running); err != nil {
			return err
		}
	}
	return nil
}

// nothingLeft returns an error that names something of the Applications that is still there.
func (d *demo) nothingLeft(ctx context.Context) error {
	for _, list := range []client.ObjectList{
		&v1.ApplicationList{}, &appsv1.DeploymentList{}, &appsv1.ReplicaSetList{}, &corev1.PodList{},
		&corev1.ServiceList{}, &policyv1.PodDisruptionBudgetList{},
	} {
		if err := d.client.List(ctx, list, client.InNamespace(appNamespace)); err != nil {
			return err
		}
		if left := meta.LenList(list); left > 0 {
			return fmt.Errorf("%d objects are left in the %T", left, list)
		}
	}
	return nil
}

// stopOperator asks an operator to end, as the kubelet would, and expects the exit code 0.
func (d *demo) stopOperator(ctx context.Context, running *demoOperator) error {
	running.stopped = true
	if err := running.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop %s: %w", running.Name, err)
	}
	err := d.until(ctx, patience, running.Name+" ends after SIGTERM", func(context.Context) error {
		if !running.Ended() {
			return errors.New("it still runs")
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := running.Err(); err != nil {
		return unmet(running.Name+" ends with the exit code 0", "%v", err)
	}
	d.out.say("%s ended in order after SIGTERM.", running.Name)
	return nil
}

// seconds writes a duration the way people say it.
func seconds(duration time.Duration) string {
	if duration < time.Second {
		return fmt.Sprintf("%d ms", duration.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", duration.Seconds())
}
