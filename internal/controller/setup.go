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
	"sync/atomic"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/cluster"
	"github.com/example/app-operator/internal/resources"
)

// The operator's rights, from which config/rbac/role.yaml is generated. Server-side apply needs create and patch.
// The finalizers subresource is for clusters that enforce OwnerReferencesPermissionEnforcement.
//
// +kubebuilder:rbac:groups=apps.example.com,namespace=system,resources=applications,verbs=list;watch;patch
// +kubebuilder:rbac:groups=apps.example.com,namespace=system,resources=applications/status,verbs=update;patch
// +kubebuilder:rbac:groups=apps.example.com,namespace=system,resources=applications/finalizers,verbs=update
// +kubebuilder:rbac:groups=apps,namespace=system,resources=deployments,verbs=list;watch;create;patch
// +kubebuilder:rbac:groups=apps,namespace=system,resources=replicasets,verbs=list;watch
// +kubebuilder:rbac:groups=batch,namespace=system,resources=cronjobs,verbs=list;watch;create;patch;delete
// +kubebuilder:rbac:groups=batch,namespace=system,resources=jobs,verbs=list;watch;create;patch;delete
// +kubebuilder:rbac:groups=apps,namespace=system,resources=controllerrevisions,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups="",namespace=system,resources=services;serviceaccounts,verbs=list;watch;create;patch;delete
// +kubebuilder:rbac:groups="",namespace=system,resources=configmaps,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups="",namespace=system,resources=secrets,verbs=get;list;watch
// +kubebuilder:rbac:groups="",namespace=system,resources=persistentvolumeclaims,verbs=list;watch;create;patch
// +kubebuilder:rbac:groups=autoscaling,namespace=system,resources=horizontalpodautoscalers,verbs=list;watch;create;patch;delete
// +kubebuilder:rbac:groups=policy,namespace=system,resources=poddisruptionbudgets,verbs=list;watch;create;patch;delete
// +kubebuilder:rbac:groups=networking.k8s.io,namespace=system,resources=ingresses;networkpolicies,verbs=list;watch;create;patch;delete
// +kubebuilder:rbac:groups=gateway.networking.k8s.io,namespace=system,resources=httproutes,verbs=list;watch;create;patch;delete
// +kubebuilder:rbac:groups=monitoring.coreos.com,namespace=system,resources=servicemonitors,verbs=list;watch;create;patch;delete
// +kubebuilder:rbac:groups="",namespace=system,resources=pods,verbs=list;watch
// +kubebuilder:rbac:groups=events.k8s.io,namespace=system,resources=events,verbs=create

// The indexes of the cache.
const (
	// byApplication finds pods and ReplicaSets by the Application that their label names, and objects of kinds of which an
	// Application may have many by the Application that they belong to or concern.
	byApplication = "application"
	// byReference finds Applications by the objects that they refer to, by kind and name.
	byReference = "reference"
)

// SetupWithManager registers the controller, its indexes and its watches. Every informer is asked for here, so
// that a started manager has all caches synced, on a standby too.
func (r *ApplicationReconciler) SetupWithManager(mgr ctrl.Manager) error {
	if err := r.setDefaults(mgr); err != nil {
		return err
	}
	if err := startInformers(mgr.GetCache()); err != nil {
		return err
	}
	built, err := r.buildController(mgr)
	if err != nil {
		return err
	}
	r.optional.watch = func(child *children.Child, informer cache.Informer) (func() bool, error) {
		return r.watchOptional(mgr.GetCache(), built, child, informer)
	}
	if err := r.optional.start(context.Background()); err != nil {
		logOptional(err) // it is no reason to serve nobody; rediscover finds out
	}
	if err := r.registerMetrics(mgr); err != nil {
		return err
	}
	return mgr.Add(manager.RunnableFunc(r.rediscover))
}

// rediscover runs when this process is elected, until the API server has said which optional APIs it serves. A standby does
// not hear of one that comes: what is left of it, and not desired any more, would stay.
func (r *ApplicationReconciler) rediscover(ctx context.Context) error {
	_ = wait.PollUntilContextCancel(ctx, discoveryTTL, true, func(ctx context.Context) (bool, error) { // it ends with ctx
		err := r.optional.start(ctx)
		if err != nil {
			logOptional(err)
		}
		return err == nil, nil
	})
	return nil
}

// watchOptional has the objects of an optional kind enqueue their Applications. It returns what reports whether all that exist
// have done so.
func (r *ApplicationReconciler) watchOptional(
	from cache.Cache, built controller.Controller, child *children.Child, informer cache.Informer,
) (func() bool, error) {
	objects := source.Kind[client.Object](
		from, child.Object, handler.EnqueueRequestsFromMapFunc(r.requestsForChild(child)), r.childChanged(child))
	started := r.queue.started()
	if err := built.Watch(objects); err != nil || !started { // the controller waits for its first sources itself
		return informer.HasSynced, err
	}
	var done atomic.Bool
	go func() {
		if r.synced(objects, informer) {
			done.Store(true)
			r.EnqueueAll()
		}
	}()
	return done.Load, nil
}

func logOptional(err error) {
	ctrl.Log.WithName("controller").Error(err, "Could not find out which optional APIs are served; asking again")
}

// synced reports whether all that the source has at first has been told to the controller. It waits for that, unless the
// informer is stopped, because its kind is not served any more, or the controller.
func (r *ApplicationReconciler) synced(objects source.SyncingSource, informer cache.Informer) bool {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go wait.UntilWithContext(ctx, func(context.Context) {
		if informer.IsStopped() || !r.queue.running() {
			cancel()
		}
	}, syncRetry)
	return objects.WaitForSync(ctx) == nil
}

// EnqueueAll has every Application looked at, later if they cannot be listed now.
func (r *ApplicationReconciler) EnqueueAll() {
	if !r.queue.running() {
		return // not started: every Application is still to be looked at
	}
	apps, err := r.applications()
	if err != nil {
		ctrl.Log.WithName("controller").Error(err, "Could not list the Applications; looking at all of them later")
		time.AfterFunc(enqueueAllRetry, r.EnqueueAll)
		return
	}
	for i := range apps {
		r.queue.add(client.ObjectKeyFromObject(&apps[i]))
	}
}

func (r *ApplicationReconciler) setDefaults(mgr ctrl.Manager) error {
	if r.Client == nil {
		r.Client = client.WithFieldOwner(mgr.GetClient(), children.FieldOwner)
	}
	if r.Reader == nil {
		r.Reader = newBoundedReader(mgr.GetAPIReader())
	}
	if r.Recorder == nil {
		r.Recorder = mgr.GetEventRecorder(children.FieldOwner)
	}
	asks, err := discovery.NewDiscoveryClientForConfigAndClient(mgr.GetConfig(), mgr.GetHTTPClient())
	if err != nil {
		return fmt.Errorf("create the discovery client: %w", err)
	}
	r.optional.api = asks.RESTClient()
	r.optional.cache = mgr.GetCache()
	return nil
}

func (r *ApplicationReconciler) buildController(mgr ctrl.Manager) (controller.Controller, error) {
	build := ctrl.NewControllerManagedBy(mgr).
		For(&v1.Application{}, builder.WithPredicates(r.applicationObserved())).
		Watches(&corev1.Pod{}, handler.EnqueueRequestsFromMapFunc(requestForLabel), builder.WithPredicates(podFaultChanged())).
		WatchesMetadata(&appsv1.ReplicaSet{}, handler.EnqueueRequestsFromMapFunc(r.requestsForReplicaSet),
			builder.WithPredicates(onCreate())).
		WatchesRawSource(source.Func(func(_ context.Context, work workQueue) error {
			r.queue.work.Store(&work)
			return nil
		})).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: max(r.MaxConcurrentReconciles, 1),
			RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](firstRetry, lastRetry),
		})
	for i := range children.Table {
		if child := &children.Table[i]; !child.Optional() {
			build.Watches(child.Object, handler.EnqueueRequestsFromMapFunc(r.requestsForChild(child)), builder.WithPredicates(r.childChanged(child)))
		}
	}
	for _, kind := range []string{
		resources.KindConfigMap, resources.KindPersistentVolumeClaim, resources.KindSecret, resources.KindServiceAccount,
	} {
		build.Watches(cluster.ReferencedKind(kind), handler.EnqueueRequestsFromMapFunc(r.requestsForReferrers(kind)),
			builder.WithPredicates(onCreateOrDelete()))
	}
	for _, kind := range []string{resources.KindConfigMap, resources.KindSecret} {
		build.Watches(cluster.ReferencedKind(kind), handler.EnqueueRequestsFromMapFunc(r.requestsForConfig(kind)),
			builder.WithPredicates(r.configs.forgetDeleted(kind), onUpdate()))
	}
	return build.Build(r)
}

// startInformers registers the informers and indexes of all that the controller reads.
func startInformers(informers cache.Cache) error {
	ctx := context.Background()
	for _, kind := range append(cluster.ReadKinds(), &v1.Application{}) {
		if _, err := informers.GetInformer(ctx, kind, cache.BlockUntilSynced(false)); err != nil {
			return fmt.Errorf("watch %T: %w", kind, err)
		}
	}
	for _, kind := range []client.Object{&corev1.Pod{}, cluster.ReplicaSetMetadata()} {
		if err := informers.IndexField(ctx, kind, byApplication, func(object client.Object) []string {
			return []string{cluster.ApplicationOf(object)}
		}); err != nil {
			return fmt.Errorf("index %T: %w", kind, err)
		}
	}
	for i := range children.Table {
		if children.Table[i].Optional() {
			continue // when it is found
		}
		if err := indexChildren(ctx, informers, &children.Table[i]); err != nil {
			return err
		}
	}
	return informers.IndexField(ctx, &v1.Application{}, byReference, func(object client.Object) []string {
		references := resources.References(object.(*v1.Application))
		keys := make([]string, 0, len(references))
		for _, need := range references {
			keys = append(keys, need.String())
		}
		return keys
	})
}

// indexChildren indexes the objects of a child's kind by the Applications that they belong to, if one may have many. Others' are
// not in it: there may be any number of them.
func indexChildren(ctx context.Context, informers cache.Cache, child *children.Child) error {
	if !child.Many {
		return nil
	}
	if err := informers.IndexField(ctx, child.Object, byApplication, func(object client.Object) []string {
		return ownersOf(child, object)
	}); err != nil {
		return fmt.Errorf("index %s: %w", child.Kind, err)
	}
	return nil
}

// ownersOf returns what an object of a child's kind is indexed by.
func ownersOf(child *children.Child, object client.Object) []string {
	if app := child.ApplicationOf(object); app != "" {
		return []string{app}
	}
	return nil
}
