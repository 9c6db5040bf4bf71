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
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/resources"
)

const (
	// probes is how often each latency is measured, repairs how often each repair.
	probes, repairs = 50, 20
	// patience is how long the effect of one act is waited for.
	patience = 30 * time.Second
	// pause lets what an act has set off come to an end before the next.
	pause = 100 * time.Millisecond
)

// act is something that is done to an object of this name.
type act func(ctx context.Context, name string) error

// timed measures how long it takes from the beginning of an act until a watch tells that the object of a list's kind and
// this name is as it should be.
func (s *stage) timed(ctx context.Context, list client.ObjectList, name string, do act, holds condition) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	events, err := s.k8s.Watch(ctx, list, client.InNamespace(namespace), client.MatchingFields{"metadata.name": name})
	if err != nil {
		return 0, fmt.Errorf("watch %s: %w", name, err)
	}
	defer events.Stop()
	began := time.Now()
	if err := do(ctx, name); err != nil {
		return 0, err
	}
	for event := range events.ResultChan() {
		object, ok := event.Object.(client.Object)
		if ok && event.Type != watch.Deleted && holds(object) {
			return time.Since(began), nil
		}
	}
	return 0, fmt.Errorf("%T %s was not as it should be within %s", list, name, patience)
}

// repeat measures an act on one object after the other.
func repeat(
	ctx context.Context, count int, measure func(ctx context.Context, i int) (time.Duration, error),
) ([]time.Duration, error) {
	took := make([]time.Duration, 0, count)
	for i := range count {
		one, err := measure(ctx, i)
		if err != nil {
			return nil, err
		}
		took = append(took, one)
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(pause):
		}
	}
	return took, nil
}

// latency makes one Application among the many, and edits one, again and again.
func (r *round) latency(ctx context.Context) error {
	made, err := repeat(ctx, probes, func(ctx context.Context, i int) (time.Duration, error) {
		return r.timed(ctx, &appsv1.DeploymentList{}, fmt.Sprintf("new-%d", i), func(ctx context.Context, name string) error {
			return r.k8s.Create(ctx, application(name))
		}, exists)
	})
	if err != nil {
		return err
	}
	r.addTimes("one new", "Deployment exists, ", made, "bare client", r.bare().latency)
	edited, err := repeat(ctx, probes, func(ctx context.Context, i int) (time.Duration, error) {
		image := imageOf(i)
		return r.timed(ctx, &appsv1.DeploymentList{}, nameOf(i%r.applications), func(ctx context.Context, name string) error {
			return r.setImage(ctx, name, image)
		}, runs(image))
	})
	if err != nil {
		return err
	}
	r.addTimes("one edit", "Deployment says so, ", edited, "bare client", r.bare().edit)
	return r.operator.untilQuiet(ctx)
}

// bareLatency measures the same of a bare client.
func (s *stage) bareLatency(ctx context.Context, bare client.Client) (made, edited []time.Duration, err error) {
	deploy := func(ctx context.Context, app *v1.Application) error {
		config, err := resources.Deployment(resources.Inputs{Application: app})
		if err != nil {
			return err
		}
		return bare.Apply(ctx, config, client.FieldOwner(bareUser))
	}
	made, err = repeat(ctx, probes, func(ctx context.Context, i int) (time.Duration, error) {
		return s.timed(ctx, &appsv1.DeploymentList{}, fmt.Sprintf("new-%d", i), func(ctx context.Context, name string) error {
			app := application(name)
			if err := s.k8s.Create(ctx, app); err != nil {
				return err
			}
			return deploy(ctx, app)
		}, exists)
	})
	if err != nil {
		return nil, nil, err
	}
	edited, err = repeat(ctx, probes, func(ctx context.Context, i int) (time.Duration, error) {
		image := imageOf(i)
		return s.timed(ctx, &appsv1.DeploymentList{}, fmt.Sprintf("new-%d", i), func(ctx context.Context, name string) error {
			if err := s.setImage(ctx, name, image); err != nil {
				return err
			}
			app := &v1.Application{}
			if err := s.k8s.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, app); err != nil {
				return err
			}
			return deploy(ctx, app)
		}, runs(image))
	})
	return made, edited, err
}

// setImage edits an Application.
func (s *stage) setImage(ctx context.Context, name, image string) error {
	app := &v1.Application{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace}}
	patch := fmt.Sprintf(`{"spec": {"image": %q}}`, image)
	return s.k8s.Patch(ctx, app, client.RawPatch(types.MergePatchType, []byte(patch)))
}

func imageOf(i int) string { return fmt.Sprintf("nginx:1.29.%d", i) }

// runs is the condition of a Deployment with this image.
func runs(image string) condition {
	return func(object client.Object) bool {
		deployment, ok := object.(*appsv1.Deployment)
		return ok && deployment.Spec.Template.Spec.Containers[0].Image == image
	}
}

// drift edits and deletes children behind the operator's back, again and again.
func (r *round) drift(ctx context.Context) error {
	for _, kind := range []struct {
		name   string
		list   client.ObjectList
		repair func(ctx context.Context, name string) (act, condition, error)
		beside []time.Duration
	}{
		{"Deployment edited", &appsv1.DeploymentList{}, r.editDeployment, r.bare().edit},
		{"Deployment deleted", &appsv1.DeploymentList{}, r.deleteChild(&appsv1.Deployment{}), r.bare().latency},
		{"Service deleted", &corev1.ServiceList{}, r.deleteChild(&corev1.Service{}), r.bare().latency},
	} {
		took, err := repeat(ctx, repairs, func(ctx context.Context, i int) (time.Duration, error) {
			name := nameOf(i % r.applications)
			do, holds, err := kind.repair(ctx, name)
			if err != nil {
				return 0, err
			}
			return r.timed(ctx, kind.list, name, do, holds)
		})
		if err != nil {
			return fmt.Errorf("%s: %w", kind.name, err)
		}
		r.addTimes("drift", kind.name+", ", took, "bare client", kind.beside)
	}
	return r.operator.untilQuiet(ctx)
}

// editDeployment returns an edit of a Deployment, and what tells that it has been undone.
func (r *round) editDeployment(ctx context.Context, name string) (act, condition, error) {
	deployment := &appsv1.Deployment{}
	if err := r.k8s.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, deployment); err != nil {
		return nil, nil, err
	}
	right := runs(deployment.Spec.Template.Spec.Containers[0].Image)
	do := func(ctx context.Context, _ string) error {
		before := deployment.DeepCopy()
		deployment.Spec.Template.Spec.Containers[0].Image = "somebody/else"
		return r.k8s.Patch(ctx, deployment, client.StrategicMergeFrom(before))
	}
	return do, func(object client.Object) bool {
		return object.GetGeneration() > deployment.Generation && right(object)
	}, nil
}

// deleteChild returns what returns a deletion, and what tells that it has been made up for.
func (r *round) deleteChild(kind client.Object) func(ctx context.Context, name string) (act, condition, error) {
	return func(ctx context.Context, name string) (act, condition, error) {
		object := kind.DeepCopyObject().(client.Object)
		if err := r.k8s.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, object); err != nil {
			return nil, nil, err
		}
		gone := object.GetUID()
		do := func(ctx context.Context, _ string) error { return r.k8s.Delete(ctx, object) }
		return do, func(object client.Object) bool { return object.GetUID() != gone }, nil
	}
}
