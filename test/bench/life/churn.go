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
	"math/rand/v2"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/test/bench/rig"
	"github.com/example/app-operator/test/operator"
)

const (
	// mostPods is how many pods an Application has at most.
	mostPods = 3
	// configuredOneIn is of how many Applications one has a ConfigMap of its own, which its pods follow.
	configuredOneIn = 4
	// newest is how many of the youngest Applications are left alone: they may not be complete yet.
	newest = 20
)

// churn makes changes to a population of Applications, of which always the oldest one goes. The changes are the same in each run.
type churn struct {
	k8s client.Client
	// oldest is the number of the oldest Application, and after that of the next one to come.
	oldest, after int
	// made counts the changes.
	made   int
	random *rand.Rand
}

// changes are made in turn. Only the first and the last say which Application they are about.
var changes = []func(c *churn, ctx context.Context, name string) error{
	(*churn).create, (*churn).edit, (*churn).roll, (*churn).scale, (*churn).meddle, (*churn).delete,
}

// next makes one change.
func (c *churn) next(ctx context.Context) error {
	if c.random == nil {
		c.random = rand.New(rand.NewPCG(1, 2))
	}
	change := changes[c.made%len(changes)]
	c.made++
	chosen := c.oldest + c.random.IntN(c.after-newest-c.oldest)
	err := change(c, ctx, nameOf(chosen))
	if err != nil {
		return fmt.Errorf("change %d: %w", c.made, err)
	}
	return nil
}

// make makes so many changes, a few each second, and returns when all Applications are Ready.
func (c *churn) make(ctx context.Context, count int) error {
	pace := time.NewTicker(100 * time.Millisecond)
	defer pace.Stop()
	for range count {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-pace.C:
		}
		if err := c.next(ctx); err != nil {
			return err
		}
	}
	return c.untilReady(ctx)
}

// fill makes so many Applications, and returns when they are Ready.
func (c *churn) fill(ctx context.Context, count int) error {
	for range count {
		if err := c.create(ctx, ""); err != nil {
			return err
		}
	}
	return c.untilReady(ctx)
}

// create makes the next Application.
func (c *churn) create(ctx context.Context, _ string) error {
	app := rig.Application(namespace, nameOf(c.after))
	if c.after%configuredOneIn == 0 {
		config := configOf(app.Name)
		config.Data = map[string]string{"CREATED": app.Name}
		if err := c.k8s.Create(ctx, config); err != nil {
			return err
		}
		app.Spec.EnvFrom = []corev1.EnvFromSource{{
			ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: app.Name}},
		}}
		app.Spec.Rollout = &v1.RolloutSpec{RestartOnConfigChange: true}
	}
	c.after++
	return c.k8s.Create(ctx, app)
}

// edit gives an Application another image and another variable, and its ConfigMap, if it has one, another value.
func (c *churn) edit(ctx context.Context, name string) error {
	config := configOf(name)
	data := client.RawPatch(types.MergePatchType, fmt.Appendf(nil, `{"data": {"EDIT": "%d"}}`, c.made))
	if err := c.k8s.Patch(ctx, config, data); client.IgnoreNotFound(err) != nil {
		return err
	}
	return c.patch(ctx, &v1.Application{}, name,
		`{"spec": {"image": "nginx:1.%d", "env": [{"name": "EDIT", "value": "%d"}]}}`, c.made, c.made)
}

// roll has all pods replaced, as kubectl rollout restart does.
func (c *churn) roll(ctx context.Context, name string) error {
	return c.patch(ctx, &appsv1.Deployment{}, name,
		`{"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": %q}}}}}`, time.Now().Format(time.RFC3339))
}

// scale asks for another number of pods.
func (c *churn) scale(ctx context.Context, name string) error {
	return c.patch(ctx, &v1.Application{}, name, `{"spec": {"replicas": %d}}`, 1+c.random.IntN(mostPods))
}

// meddle deletes an object that the Application has.
func (c *churn) meddle(ctx context.Context, name string) error {
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace}}
	return client.IgnoreNotFound(c.k8s.Delete(ctx, service))
}

// delete deletes the oldest Application, and its ConfigMap.
func (c *churn) delete(ctx context.Context, _ string) error {
	name := nameOf(c.oldest)
	c.oldest++
	if err := c.k8s.Delete(ctx, rig.Application(namespace, name)); err != nil {
		return err
	}
	return client.IgnoreNotFound(c.k8s.Delete(ctx, configOf(name)))
}

// empty deletes all Applications, and returns when none is left, and nothing that they had.
func (c *churn) empty(ctx context.Context) error {
	for c.oldest < c.after {
		if err := c.delete(ctx, ""); err != nil {
			return err
		}
	}
	for _, kind := range []schema.GroupVersionKind{
		v1.GroupVersion.WithKind("ApplicationList"), appsv1.SchemeGroupVersion.WithKind("DeploymentList"),
		corev1.SchemeGroupVersion.WithKind("PodList"), corev1.SchemeGroupVersion.WithKind("ServiceList"),
	} {
		err := operator.Until(ctx, glance, "an empty "+kind.Kind, func() (bool, error) {
			list := &metav1.PartialObjectMetadataList{}
			list.SetGroupVersionKind(kind)
			err := c.k8s.List(ctx, list, client.InNamespace(namespace))
			return len(list.Items) == 0, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// untilReady returns when all Applications are as they are asked for.
func (c *churn) untilReady(ctx context.Context) error {
	return rig.UntilReady(ctx, c.k8s, glance, client.InNamespace(namespace))
}

func (c *churn) patch(ctx context.Context, object client.Object, name, patch string, values ...any) error {
	object.SetNamespace(namespace)
	object.SetName(name)
	return c.k8s.Patch(ctx, object, client.RawPatch(types.MergePatchType, fmt.Appendf(nil, patch, values...)))
}

func configOf(name string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace}}
}

func nameOf(i int) string { return fmt.Sprintf("app-%d", i) }
