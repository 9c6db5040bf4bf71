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
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/cluster"
	"github.com/example/app-operator/internal/expectations"
	"github.com/example/app-operator/internal/resources"
)

// requestsForChild maps an object of a child's kind to the Applications that it may concern. Of a kind that an Application may have
// many of, that is the one that it belongs to, and of others those that need its name. One whose own write the object shows is called
// later.
func (r *ApplicationReconciler) requestsForChild(child *children.Child) handler.MapFunc {
	return func(ctx context.Context, object client.Object) []reconcile.Request {
		names, owner := child.ApplicationsOf(object), child.ApplicationOf(object)
		requests := make([]reconcile.Request, 0, len(names))
		for _, name := range names {
			key := client.ObjectKey{Namespace: object.GetNamespace(), Name: name}
			if name == owner && r.callsLater(child.Kind, key, object) {
				continue
			}
			if !child.Many || name == owner || r.needs(ctx, key, child, object.GetName()) {
				requests = append(requests, reconcile.Request{NamespacedName: key})
			}
		}
		return requests
	}
}

// needs reports whether there may be an Application that is to have an object of the kind and name. Some names, such as that of a
// revision or of a release command's Job, do not follow from the spec: an Application with something in its way may wait for any.
func (r *ApplicationReconciler) needs(ctx context.Context, key client.ObjectKey, child *children.Child, name string) bool {
	app := &v1.Application{}
	if err := r.Client.Get(ctx, key, app, client.UnsafeDisableDeepCopy); err != nil {
		return !apierrors.IsNotFound(err)
	}
	ready := meta.FindStatusCondition(app.Status.Conditions, v1.ConditionReady)
	if ready != nil && ready.Reason == v1.ReasonChildConflict {
		return true
	}
	return slices.Contains(child.Names(resources.Inputs{Application: app}), name)
}

// requestsForReplicaSet maps a ReplicaSet to the Application that its labels name, which is called later: its Deployment's controller
// tells of it in the Deployment too, and what matters is that it is seen, whichever of the two comes first.
func (r *ApplicationReconciler) requestsForReplicaSet(ctx context.Context, object client.Object) []reconcile.Request {
	return slices.DeleteFunc(requestForLabel(ctx, object), func(request reconcile.Request) bool { return r.queue.addLater(request.NamespacedName) })
}

// callsLater reports whether an event about an object of the Application has nothing to call for now: it shows what was written here,
// and a reconcile later is seen to, or the Application is being reconciled, and the end of that sees to it.
func (r *ApplicationReconciler) callsLater(kind string, app client.ObjectKey, object client.Object) bool {
	if !r.queue.started() {
		return false // nothing has been written yet
	}
	switch r.expectations.CallFor(kind, app, object.GetResourceVersion()) {
	case expectations.Later:
		return r.queue.addLater(app)
	case expectations.AtEnd:
		return true
	case expectations.AtOnce:
	}
	return false
}

// requestForLabel maps a pod or ReplicaSet to the Application that its labels name.
func requestForLabel(_ context.Context, object client.Object) []reconcile.Request {
	name := cluster.ApplicationOf(object)
	if name == "" {
		return nil
	}
	return []reconcile.Request{{NamespacedName: client.ObjectKey{Namespace: object.GetNamespace(), Name: name}}}
}

// requestsForReferrers maps an object of the kind to the Applications that refer to it.
func (r *ApplicationReconciler) requestsForReferrers(kind string) handler.MapFunc {
	return func(ctx context.Context, object client.Object) []reconcile.Request {
		return r.requests(ctx, kind, object, func(*v1.Application) bool { return true })
	}
}

// requestsForConfig maps an object of the kind to the Applications whose pods are to be restarted when it changes.
func (r *ApplicationReconciler) requestsForConfig(kind string) handler.MapFunc {
	return func(ctx context.Context, object client.Object) []reconcile.Request {
		return r.requests(ctx, kind, object, func(app *v1.Application) bool {
			return app.Spec.Rollout != nil && app.Spec.Rollout.RestartOnConfigChange
		})
	}
}

func (r *ApplicationReconciler) requests(
	ctx context.Context, kind string, object client.Object, concerns func(*v1.Application) bool,
) []reconcile.Request {
	list := &v1.ApplicationList{}
	reference := resources.Reference{Kind: kind, Name: object.GetName()}
	err := r.Client.List(ctx, list,
		client.InNamespace(object.GetNamespace()), client.MatchingFields{byReference: reference.String()},
		client.UnsafeDisableDeepCopy) // they are only read
	if err != nil {
		ctrl.Log.WithName("controller").Error(err, "Could not list the Applications that refer to an object; looking at all of them later",
			"kind", kind)
		time.AfterFunc(enqueueAllRetry, r.EnqueueAll)
		return nil
	}
	var requests []reconcile.Request
	for i := range list.Items {
		if concerns(&list.Items[i]) {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
		}
	}
	for _, app := range r.records.earlierIn(object.GetNamespace()) { // what their pods refer to, the spec may not
		requests = append(requests, reconcile.Request{NamespacedName: app})
	}
	return requests
}
