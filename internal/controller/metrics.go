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

package controller

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/metrics"
	"github.com/example/app-operator/internal/resources"
)

// registerMetrics has the metrics served of what the operator does and of the Applications, the latter while this
// process leads: of several replicas, one tells of an Application.
func (r *ApplicationReconciler) registerMetrics(mgr ctrl.Manager) error {
	kinds := make([]string, 0, len(children.Table))
	for _, child := range children.Table {
		kinds = append(kinds, child.Kind)
	}
	applications := metrics.Applications{DesiredReplicas: r.desiredReplicas, List: func() []v1.Application {
		if !r.leads(mgr.Elected()) {
			return nil
		}
		apps, err := r.applications()
		if err != nil {
			ctrl.Log.WithName("metrics").Info("Could not list the Applications", "why", err.Error())
		}
		return apps
	}}
	for _, collector := range append(metrics.Collectors(kinds), applications, metrics.Stores(r.stores)) {
		if err := ctrlmetrics.Registry.Register(collector); err != nil {
			return fmt.Errorf("register the metrics of Applications: %w", err)
		}
	}
	return nil
}

// stores returns how many entries each store of what is remembered has.
func (r *ApplicationReconciler) stores() map[string]int {
	apps, earlier, sum := r.records.entries()
	return map[string]int{
		"applications": apps, "earlier_revisions": earlier,
		"objects": sum.objects, "refusals": sum.refusals, "disputes": sum.disputes, "failed_jobs": sum.failedJobs, "active_jobs": sum.activeJobs,
		"expectations": r.expectations.Len(), "service_slots": r.queue.services.len(), "configurations": r.configs.contents.Len(),
	}
}

// leads reports whether this process has been elected and, as far as it can know, has not lost the lease since.
func (r *ApplicationReconciler) leads(elected <-chan struct{}) bool {
	select {
	case <-elected:
		return r.Leads == nil || r.Leads()
	default:
		return false
	}
}

// desiredReplicas returns how many pods the Application wants now, by its spec and by what the cache shows of its Deployment.
func (r *ApplicationReconciler) desiredReplicas(app *v1.Application) int32 {
	ctx, cancel := context.WithTimeout(context.Background(), cacheTimeout)
	defer cancel()
	in := resources.Inputs{Application: app}
	deployment := &appsv1.Deployment{}
	err := r.Client.Get(ctx, client.ObjectKeyFromObject(app), deployment, client.UnsafeDisableDeepCopy)
	if err == nil && children.Of(children.Deployment).Owns(app, deployment) {
		in.Live = resources.LiveFrom(deployment)
	}
	return resources.DesiredReplicas(in)
}

// applications returns the cached Applications, which must not be changed.
func (r *ApplicationReconciler) applications() ([]v1.Application, error) {
	ctx, cancel := context.WithTimeout(context.Background(), cacheTimeout)
	defer cancel()
	list := &v1.ApplicationList{}
	err := r.Client.List(ctx, list, client.UnsafeDisableDeepCopy)
	return list.Items, err
}
