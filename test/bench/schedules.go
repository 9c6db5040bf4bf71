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

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/test/bench/rig"
	"github.com/example/app-operator/test/operator"
)

// Of so many Applications one has schedules, and so many each.
const (
	scheduledOneIn = 5
	schedulesEach  = 2
)

// schedules gives some of the Applications schedules whose time does not come, and notes what they cost while nothing runs.
func (r *round) schedules(ctx context.Context) error {
	patch := client.RawPatch(types.MergePatchType, []byte(`{"spec": {"schedules": [
		{"name": "yearly", "schedule": "0 0 29 2 *", "command": ["report"]},
		{"name": "paused", "schedule": "0 * * * *", "suspend": true, "command": ["report"]}]}}`))
	scheduled := (r.applications + scheduledOneIn - 1) / scheduledOneIn
	err := rig.InParallel(ctx, scheduled, func(ctx context.Context, i int) error {
		app := &v1.Application{ObjectMeta: metav1.ObjectMeta{Name: nameOf(i * scheduledOneIn), Namespace: namespace}}
		return r.k8s.Patch(ctx, app, patch)
	})
	if err != nil {
		return err
	}
	err = operator.Until(ctx, inspection, "the CronJobs", func() (bool, error) {
		list := &metav1.PartialObjectMetadataList{}
		list.SetGroupVersionKind(batchv1.SchemeGroupVersion.WithKind("CronJobList"))
		err := r.k8s.List(ctx, list, client.InNamespace(namespace))
		return len(list.Items) == scheduled*schedulesEach, err
	})
	if err != nil {
		return err
	}
	if err := r.operator.untilQuiet(ctx); err != nil {
		return err
	}
	return r.restWith(ctx, ", one in 5 with 2 schedules")
}
