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
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/example/app-operator/internal/expectations"
)

// When etcd is restored from a backup, resource versions go back, and one that was waited out may be the present one.

func TestAStatusIsWrittenAfterEtcdWasRestored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, c, _ := counting(t)
		backup := theApplication(t, c)
		reconcileOnce(t, r, c)
		written := theApplication(t, c).Status.ObservedGeneration

		restored, after, writes := counting(t) // the same world, before the write
		r.Client = restored.Client
		if got := theApplication(t, after).ResourceVersion; got != backup.ResourceVersion {
			t.Fatalf("the backup is of version %s, and %s is restored", backup.ResourceVersion, got)
		}
		result, err := r.Reconcile(t.Context(), webRequest)
		if *writes != 0 || result.RequeueAfter == 0 || result.RequeueAfter > expectations.Timeout || err != nil {
			t.Errorf("%d status writes; the cache is waited for until %s, error %v", *writes, result.RequeueAfter, err)
		}
		time.Sleep(expectations.Timeout)
		if _, err := r.Reconcile(t.Context(), webRequest); err != nil {
			t.Fatal(err)
		}
		if got := theApplication(t, after).Status.ObservedGeneration; *writes == 0 || got != written {
			t.Errorf("%d status writes; the status is of generation %d, want %d", *writes, got, written)
		}
	})
}

// TestARefusedStatusIsTriedAgain holds that a cache which never shows what the API server speaks of is not waited for
// without end.
func TestARefusedStatusIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refuse := true
		r, c := withErrors(t, interceptor.Funcs{SubResourceUpdate: func(
			ctx context.Context, c client.Client, name string, object client.Object, options ...client.SubResourceUpdateOption,
		) error {
			if refuse {
				return apierrors.NewConflict(schema.GroupResource{Resource: "applications"}, object.GetName(), nil)
			}
			return c.SubResource(name).Update(ctx, object, options...)
		}})
		result := reconcileOnce(t, r, c)
		if result.RequeueAfter == 0 || result.RequeueAfter > expectations.Timeout {
			t.Errorf("it is tried again after %s", result.RequeueAfter)
		}
		refuse = false
		time.Sleep(expectations.Timeout)
		reconcileOnce(t, r, c)
		if theApplication(t, c).Status.ObservedGeneration == 0 {
			t.Error("it is not tried again")
		}
	})
}

// TestAChildIsWaitedForWithinABound holds the same for children: a write that the cache never shows is made again.
func TestAChildIsWaitedForWithinABound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, c := withErrors(t, interceptor.Funcs{})
		reconcileOnce(t, r, c)
		if err := c.Delete(t.Context(), &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "apps"}}); err != nil {
			t.Fatal(err)
		}
		if result, err := r.Reconcile(t.Context(), webRequest); result.RequeueAfter == 0 || result.RequeueAfter > expectations.Timeout || err != nil {
			t.Errorf("it is reconciled again after %s, error %v", result.RequeueAfter, err)
		}
		time.Sleep(expectations.Timeout)
		if _, err := r.Reconcile(t.Context(), webRequest); err != nil {
			t.Fatal(err)
		}
		if err := c.Get(t.Context(), app("web"), &corev1.Service{}); err != nil {
			t.Errorf("what was lost is not created again: %v", err)
		}
	})
}
