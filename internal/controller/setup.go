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
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/resources"
	"github.com/example/app-operator/internal/status"
)

// The operator's rights, from which config/rbac/role.yaml is generated. Server-side apply needs create and patch.
// The finalizers subresource is for clusters that enforce OwnerReferencesPermissionEnforcement.
//
// +kubebuilder:rbac:groups=apps.example.com,namespace=system,resources=applications,verbs=list;watch;patch
// +kubebuilder:rbac:groups=apps.example.com,namespace=system,resources=applications/status,verbs=update
// +kubebuilder:rbac:groups=apps.example.com,namespace=system,resources=applications/finalizers,verbs=update
// +kubebuilder:rbac:groups=apps,namespace=system,resources=deployments,verbs=list;watch;create;patch
// +kubebuilder:rbac:groups=apps,namespace=system,resources=replicasets,verbs=list;watch
// +kubebuilder:rbac:groups="",namespace=system,resources=services;serviceaccounts,verbs=list;watch;create;patch;delete
// +kubebuilder:rbac:groups="",namespace=system,resources=pods,verbs=list;watch
// +kubebuilder:rbac:groups="";events.k8s.io,namespace=system,resources=events,verbs=create;patch

// The indexes of the cache.
const (
	// byApplication finds pods and ReplicaSets by the Application that their label names.
	byApplication = "application"
	// byServiceAccount finds Applications by the existing ServiceAccount that they ask for.
	byServiceAccount = "serviceAccount"
)

// How soon and how late a failed pass is tried again. No event tells of the end of a webhook's outage or of a right that
// is granted again, so the pauses must not grow to controller-runtime's quarter of an hour.
const (
	firstRetry = 5 * time.Millisecond
	lastRetry  = 30 * time.Second
)

// SetupWithManager registers the controller, its indexes and its watches. Every informer is asked for here, so
// that a started manager has all caches synced, on a standby too.
func (r *ApplicationReconciler) SetupWithManager(mgr ctrl.Manager) error {
	if r.Client == nil {
		r.Client = client.WithFieldOwner(mgr.GetClient(), FieldOwner)
	}
	if r.Recorder == nil {
		r.Recorder = mgr.GetEventRecorder(FieldOwner)
	}
	if err := startInformers(mgr.GetCache()); err != nil {
		return err
	}
	name := &handler.EnqueueRequestForObject{}
	build := ctrl.NewControllerManagedBy(mgr).
		For(&v1.Application{}).
		Watches(&corev1.ServiceAccount{}, handler.EnqueueRequestsFromMapFunc(r.referringTo),
			builder.WithPredicates(comesOrGoes())).
		Watches(&corev1.Pod{}, handler.EnqueueRequestsFromMapFunc(labelled), builder.WithPredicates(podNews())).
		WatchesMetadata(&appsv1.ReplicaSet{}, handler.EnqueueRequestsFromMapFunc(labelled),
			builder.WithPredicates(comes())).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: max(r.MaxConcurrentReconciles, 1),
			RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](firstRetry, lastRetry),
		})
	for _, child := range children {
		build.Watches(child.object, name, builder.WithPredicates(childNews()))
	}
	return build.Complete(reconcile.AsReconciler(r.Client, r))
}

// startInformers registers the informers and indexes of all that the controller reads.
func startInformers(informers cache.Cache) error {
	ctx := context.Background()
	for _, kind := range append(readKinds(), &v1.Application{}) {
		if _, err := informers.GetInformer(ctx, kind, cache.BlockUntilSynced(false)); err != nil {
			return fmt.Errorf("watch %T: %w", kind, err)
		}
	}
	for _, kind := range []client.Object{&corev1.Pod{}, replicaSetMetadata()} {
		if err := informers.IndexField(ctx, kind, byApplication, func(object client.Object) []string {
			return []string{object.GetLabels()[resources.LabelInstance]}
		}); err != nil {
			return fmt.Errorf("index %T: %w", kind, err)
		}
	}
	return informers.IndexField(ctx, &v1.Application{}, byServiceAccount, func(object client.Object) []string {
		return []string{resources.ReferencedServiceAccount(object.(*v1.Application))}
	})
}

// readKinds returns an object of each kind that the controller reads beside Applications.
func readKinds() []client.Object {
	kinds := make([]client.Object, 0, len(children)+2)
	for _, child := range children {
		kinds = append(kinds, child.object)
	}
	return append(kinds, &corev1.Pod{}, replicaSetMetadata())
}

// replicaSetMetadata returns an empty ReplicaSet of which only the metadata is read.
func replicaSetMetadata() *metav1.PartialObjectMetadata {
	set := &metav1.PartialObjectMetadata{}
	set.SetGroupVersionKind(appsv1.SchemeGroupVersion.WithKind("ReplicaSet"))
	return set
}

// labelled maps a pod or ReplicaSet to the Application that its label names.
func labelled(_ context.Context, object client.Object) []reconcile.Request {
	name := object.GetLabels()[resources.LabelInstance]
	if name == "" {
		return nil
	}
	return []reconcile.Request{{NamespacedName: client.ObjectKey{Namespace: object.GetNamespace(), Name: name}}}
}

// referringTo maps a ServiceAccount to the Applications that ask for it.
func (r *ApplicationReconciler) referringTo(ctx context.Context, object client.Object) []reconcile.Request {
	list := &v1.ApplicationList{}
	err := r.Client.List(ctx, list,
		client.InNamespace(object.GetNamespace()), client.MatchingFields{byServiceAccount: object.GetName()})
	if err != nil {
		ctrl.Log.Error(err, "Could not list the Applications that refer to a ServiceAccount")
		return nil
	}
	requests := make([]reconcile.Request, 0, len(list.Items))
	for i := range list.Items {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
	}
	return requests
}

// childNews passes what happens to Applications' children, and the going of strangers' objects, which frees a
// name. Children bear their Application's name, so the object's key is the request.
func childNews() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool { return ofAnApplication(e.Object) },
		UpdateFunc: func(e event.UpdateEvent) bool {
			return ofAnApplication(e.ObjectOld) || ofAnApplication(e.ObjectNew)
		},
		DeleteFunc: func(event.DeleteEvent) bool { return true },
	}
}

// podNews passes a pod's new, changed or cured fault, and its end. All else about pods reaches the controller
// through the Deployment.
func podNews() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool { return faultOf(e.Object) != nil },
		UpdateFunc: func(e event.UpdateEvent) bool {
			return !equality.Semantic.DeepEqual(faultOf(e.ObjectOld), faultOf(e.ObjectNew))
		},
		DeleteFunc: func(event.DeleteEvent) bool { return true },
	}
}

func faultOf(object client.Object) *status.PodFault {
	pod, ok := object.(*corev1.Pod)
	if !ok {
		return nil
	}
	return status.FaultOf(pod)
}

// comes passes the appearance of an object.
func comes() predicate.Predicate {
	return predicate.Funcs{
		UpdateFunc: func(event.UpdateEvent) bool { return false },
		DeleteFunc: func(event.DeleteEvent) bool { return false },
	}
}

// comesOrGoes passes the appearance and the end of an object.
func comesOrGoes() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(event.UpdateEvent) bool { return false }}
}
