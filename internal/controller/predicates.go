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
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/cluster"
	"github.com/example/app-operator/internal/metrics"
	"github.com/example/app-operator/internal/status"
)

// childChanged passes what happens to Applications' children and to objects that are given to one, and the deletion of others'
// objects, which frees a name. It records how far the cache has come, and passes what shows a write that is waited for, even if
// nothing that is cached has changed.
func (r *ApplicationReconciler) childChanged(child *children.Child) predicate.Predicate {
	observe := func(object client.Object) (awaited bool) {
		app := types.NamespacedName{Namespace: object.GetNamespace(), Name: child.ApplicationOf(object)}
		return r.expectations.Observe(child.Kind, app, object.GetResourceVersion())
	}
	concerns := func(object client.Object) bool {
		return child.ApplicationOf(object) != "" || child.ConsentOf(object) != ""
	}
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool {
			observe(e.Object)
			return concerns(e.Object)
		},
		UpdateFunc: func(e event.UpdateEvent) bool {
			awaited := observe(e.ObjectNew)
			return awaited || (concerns(e.ObjectOld) || concerns(e.ObjectNew)) && !sameButVersion(e.ObjectOld, e.ObjectNew)
		},
		DeleteFunc: func(e event.DeleteEvent) bool {
			observe(e.Object)
			return true
		},
	}
}

// applicationObserved passes every event but one that shows no more than the last write here, which calls later. It records how far
// the cache has come.
func (r *ApplicationReconciler) applicationObserved() predicate.Predicate {
	observe := func(object client.Object) {
		r.expectations.Observe(metrics.KindApplication, client.ObjectKeyFromObject(object), object.GetResourceVersion())
	}
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool {
			observe(e.Object)
			return true
		},
		UpdateFunc: func(e event.UpdateEvent) bool {
			app := client.ObjectKeyFromObject(e.ObjectNew)
			atOnce := !r.callsLater(metrics.KindApplication, app, e.ObjectNew)
			observe(e.ObjectNew)
			return atOnce
		},
		DeleteFunc: func(e event.DeleteEvent) bool {
			observe(e.Object)
			return true
		},
	}
}

// sameButVersion reports whether all that is cached of two versions of an object is the same.
func sameButVersion(before, after client.Object) bool {
	before = before.DeepCopyObject().(client.Object)
	before.SetResourceVersion(after.GetResourceVersion())
	return equality.Semantic.DeepEqual(before, after)
}

// podFaultChanged passes a pod's new, changed or cured fault, its unusual restart, and its end. All else about pods reaches the
// controller through the Deployment, and all else about a release command's pods, but that there is one and that one has failed, through
// its Job.
func podFaultChanged() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool { return faultOf(e.Object) != nil || cluster.IsReleasePod(e.Object) },
		UpdateFunc: func(e event.UpdateEvent) bool {
			return !equality.Semantic.DeepEqual(faultOf(e.ObjectOld), faultOf(e.ObjectNew)) ||
				!equality.Semantic.DeepEqual(restartOf(e.ObjectOld), restartOf(e.ObjectNew)) ||
				cluster.IsReleasePod(e.ObjectNew) && phaseOf(e.ObjectOld) != phaseOf(e.ObjectNew)
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

func phaseOf(object client.Object) corev1.PodPhase {
	pod, ok := object.(*corev1.Pod)
	if !ok {
		return ""
	}
	return pod.Status.Phase
}

func restartOf(object client.Object) *status.Restart {
	pod, ok := object.(*corev1.Pod)
	if !ok {
		return nil
	}
	return status.RestartOf(pod)
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
