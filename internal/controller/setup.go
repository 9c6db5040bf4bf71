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
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/lru"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/resources"
	"github.com/example/app-operator/internal/status"
)

// The operator's rights, from which config/rbac/role.yaml is generated. Server-side apply needs create and patch.
// The finalizers subresource is for clusters that enforce OwnerReferencesPermissionEnforcement.
//
// +kubebuilder:rbac:groups=apps.example.com,namespace=system,resources=applications,verbs=list;watch;patch
// +kubebuilder:rbac:groups=apps.example.com,namespace=system,resources=applications/status,verbs=update;patch
// +kubebuilder:rbac:groups=apps.example.com,namespace=system,resources=applications/finalizers,verbs=update
// +kubebuilder:rbac:groups=apps,namespace=system,resources=deployments,verbs=list;watch;create;patch
// +kubebuilder:rbac:groups=apps,namespace=system,resources=replicasets,verbs=list;watch
// +kubebuilder:rbac:groups="",namespace=system,resources=services;serviceaccounts,verbs=list;watch;create;patch;delete
// +kubebuilder:rbac:groups="",namespace=system,resources=configmaps;secrets,verbs=get;list;watch
// +kubebuilder:rbac:groups="",namespace=system,resources=persistentvolumeclaims,verbs=list;watch
// +kubebuilder:rbac:groups=autoscaling,namespace=system,resources=horizontalpodautoscalers,verbs=list;watch;create;patch;delete
// +kubebuilder:rbac:groups=policy,namespace=system,resources=poddisruptionbudgets,verbs=list;watch;create;patch;delete
// +kubebuilder:rbac:groups=networking.k8s.io,namespace=system,resources=ingresses;networkpolicies,verbs=list;watch;create;patch;delete
// +kubebuilder:rbac:groups=gateway.networking.k8s.io,namespace=system,resources=httproutes,verbs=list;watch;create;patch;delete
// +kubebuilder:rbac:groups=monitoring.coreos.com,namespace=system,resources=servicemonitors,verbs=list;watch;create;patch;delete
// +kubebuilder:rbac:groups="",namespace=system,resources=pods,verbs=list;watch
// +kubebuilder:rbac:groups=events.k8s.io,namespace=system,resources=events,verbs=create

// The indexes of the cache.
const (
	// byApplication finds pods and ReplicaSets by the Application that their label names.
	byApplication = "application"
	// byReference finds Applications by the objects that they refer to, by kind and name.
	byReference = "reference"
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
	r.optional.watch = func(child child, informer cache.Informer) (func() bool, error) {
		objects := source.Kind[client.Object](
			mgr.GetCache(), child.object, &handler.EnqueueRequestForObject{}, r.sights.of(child.kind), childChanged())
		started := r.queue.Load() != nil
		if err := built.Watch(objects); err != nil || !started { // the controller waits for its first sources itself
			return informer.HasSynced, err
		}
		var awake atomic.Bool
		go func() {
			if r.synced(objects, informer) {
				awake.Store(true)
				r.enqueueAll()
			}
		}()
		return awake.Load, nil
	}
	if err := r.optional.start(context.Background()); err != nil {
		logOptional(err) // it is no reason to serve nobody; lookAgain finds out
	}
	if err := r.registerMetrics(mgr); err != nil {
		return err
	}
	return mgr.Add(manager.RunnableFunc(r.rediscover))
}

// rediscover runs when this process is elected, until the API server has said which optional APIs it serves. A standby does
// not hear of one that comes: what is left of it, and not desired any more, would stay.
func (r *ApplicationReconciler) rediscover(ctx context.Context) error {
	err := r.optional.start(ctx)
	for err != nil && ctx.Err() == nil {
		logOptional(err)
		pause(ctx, askAgain, nil)
		err = r.optional.start(ctx)
	}
	return nil
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
		if informer.IsStopped() || (*r.queue.Load()).ShuttingDown() {
			cancel()
		}
	}, retrySync)
	return objects.WaitForSync(ctx) == nil
}

// retryWake is how long to wait before all Applications are looked at because some could not be listed that should be.
const retryWake = 5 * time.Second

// enqueueAll has every Application looked at, later if they cannot be listed now.
func (r *ApplicationReconciler) enqueueAll() {
	queue := r.queue.Load()
	if queue == nil || (*queue).ShuttingDown() {
		return // not started: every Application is still to be looked at
	}
	apps, err := r.applications()
	if err != nil {
		ctrl.Log.WithName("controller").Error(err, "Could not list the Applications; looking at all of them later")
		time.AfterFunc(retryWake, r.enqueueAll)
		return
	}
	for i := range apps {
		(*queue).Add(reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&apps[i])})
	}
}

func (r *ApplicationReconciler) setDefaults(mgr ctrl.Manager) error {
	if r.Client == nil {
		r.Client = client.WithFieldOwner(mgr.GetClient(), FieldOwner)
	}
	if r.Reader == nil {
		r.Reader = newBoundedReader(mgr.GetAPIReader())
	}
	if r.Recorder == nil {
		r.Recorder = mgr.GetEventRecorder(FieldOwner)
	}
	asks, err := discovery.NewDiscoveryClientForConfigAndClient(mgr.GetConfig(), mgr.GetHTTPClient())
	if err != nil {
		return fmt.Errorf("create the discovery client: %w", err)
	}
	r.optional.api = asks.RESTClient()
	r.optional.cache = mgr.GetCache()
	r.contents = lru.New(maxContents)
	r.turns.call = r.callUp
	return nil
}

func (r *ApplicationReconciler) buildController(mgr ctrl.Manager) (controller.Controller, error) {
	build := ctrl.NewControllerManagedBy(mgr).
		For(&v1.Application{}).
		Watches(&corev1.Pod{}, handler.EnqueueRequestsFromMapFunc(requestForLabel), builder.WithPredicates(podFaultChanged())).
		WatchesMetadata(&appsv1.ReplicaSet{}, handler.EnqueueRequestsFromMapFunc(requestForLabel),
			builder.WithPredicates(onCreate())).
		WatchesRawSource(source.Func(func(_ context.Context, queue queue) error {
			r.queue.Store(&queue)
			return nil
		})).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: max(r.MaxConcurrentReconciles, 1),
			RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](firstRetry, lastRetry),
		})
	for _, child := range children {
		if !child.optional() {
			build.Watches(child.object, &handler.EnqueueRequestForObject{},
				builder.WithPredicates(r.sights.of(child.kind), childChanged()))
		}
	}
	for _, kind := range []string{
		resources.KindConfigMap, resources.KindPersistentVolumeClaim, resources.KindSecret, resources.KindServiceAccount,
	} {
		build.Watches(referencedKind(kind), handler.EnqueueRequestsFromMapFunc(r.requestsForReferrers(kind)),
			builder.WithPredicates(onCreateOrDelete()))
	}
	for _, kind := range []string{resources.KindConfigMap, resources.KindSecret} {
		build.Watches(referencedKind(kind), handler.EnqueueRequestsFromMapFunc(r.requestsForConfig(kind)),
			builder.WithPredicates(r.forgetContents(kind), onUpdate()))
	}
	return build.Build(r.inTurn(reconcile.Func(r.reconcileNamed)))
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
	return informers.IndexField(ctx, &v1.Application{}, byReference, func(object client.Object) []string {
		references := resources.References(object.(*v1.Application))
		keys := make([]string, 0, len(references))
		for _, need := range references {
			keys = append(keys, need.String())
		}
		return keys
	})
}

// readKinds returns an object of each kind that the controller reads beside Applications, whatever the cluster.
func readKinds() []client.Object {
	var kinds []client.Object
	for _, child := range children {
		if !child.optional() {
			kinds = append(kinds, child.object)
		}
	}
	kinds = append(kinds, referencedKinds()...)
	return append(kinds, &corev1.Pod{}, replicaSetMetadata())
}

// referencedKinds returns an object of each kind that Applications refer to and that is no child's.
func referencedKinds() []client.Object {
	return []client.Object{
		referencedKind(resources.KindConfigMap),
		referencedKind(resources.KindPersistentVolumeClaim),
		referencedKind(resources.KindSecret),
	}
}

// replicaSetMetadata returns an empty ReplicaSet of which only the metadata is read.
func replicaSetMetadata() *metav1.PartialObjectMetadata {
	return metadataOf(appsv1.SchemeGroupVersion.WithKind("ReplicaSet"))
}

func metadataOf(kind schema.GroupVersionKind) *metav1.PartialObjectMetadata {
	object := &metav1.PartialObjectMetadata{}
	object.SetGroupVersionKind(kind)
	return object
}

// requestForLabel maps a pod or ReplicaSet to the Application that its label names.
func requestForLabel(_ context.Context, object client.Object) []reconcile.Request {
	name := object.GetLabels()[resources.LabelInstance]
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
		time.AfterFunc(retryWake, r.enqueueAll)
		return nil
	}
	var requests []reconcile.Request
	for i := range list.Items {
		if concerns(&list.Items[i]) {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
		}
	}
	return requests
}

// onWatchError hears of each informer that cannot list or watch. When a kind is not served any more, all Applications
// are looked at: those that want it have to say so.
func (r *ApplicationReconciler) onWatchError(ctx context.Context, reflector *toolscache.Reflector, err error) {
	if !apierrors.IsNotFound(err) || !r.optional.unwatch(ctx, reflector.TypeDescription()) {
		watchErrorHandler(ctx, reflector, err)
		return
	}
	r.enqueueAll() //nolint:contextcheck // the informer's context ends with the informer
}

// childChanged passes what happens to Applications' children, and the going of strangers' objects, which frees a
// name. Children bear their Application's name, so the object's key is the request.
func childChanged() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool { return ofAnApplication(e.Object) },
		UpdateFunc: func(e event.UpdateEvent) bool {
			return (ofAnApplication(e.ObjectOld) || ofAnApplication(e.ObjectNew)) && !sameButVersion(e.ObjectOld, e.ObjectNew)
		},
		DeleteFunc: func(event.DeleteEvent) bool { return true },
	}
}

// sameButVersion reports whether all that is cached of two versions of an object is the same.
func sameButVersion(before, after client.Object) bool {
	before = before.DeepCopyObject().(client.Object)
	before.SetResourceVersion(after.GetResourceVersion())
	return equality.Semantic.DeepEqual(before, after)
}

// podFaultChanged passes a pod's new, changed or cured fault, and its end. All else about pods reaches the controller
// through the Deployment.
func podFaultChanged() predicate.Predicate {
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
	return status.FaultOf(pod, metav1.NewTime(time.Now().Add(-crashLoopGracePeriod)))
}

// onCreate passes the appearance of an object.
func onCreate() predicate.Predicate {
	return predicate.Funcs{
		UpdateFunc: func(event.UpdateEvent) bool { return false },
		DeleteFunc: func(event.DeleteEvent) bool { return false },
	}
}

// onCreateOrDelete passes the appearance and the end of an object.
func onCreateOrDelete() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(event.UpdateEvent) bool { return false }}
}

// onUpdate passes a new version of an object.
func onUpdate() predicate.Predicate {
	return predicate.And(predicate.ResourceVersionChangedPredicate{}, predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return false },
		DeleteFunc: func(event.DeleteEvent) bool { return false },
	})
}
