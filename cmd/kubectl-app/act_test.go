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
	"errors"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/cli"
	"github.com/example/app-operator/internal/cluster"
)

// TestAChangeIsMadeBesideTheOperator holds that a status which was written in between is no reason to fail, and another spec is.
func TestAChangeIsMadeBesideTheOperator(t *testing.T) {
	for name, each := range map[string]struct {
		generation int64
		want       string
	}{
		"the status": {1, ""},
		"the spec":   {2, "somebody else has changed the spec"},
	} {
		t.Run(name, func(t *testing.T) {
			scheme, err := cluster.NewScheme()
			if err != nil {
				t.Fatal(err)
			}
			app := &v1.Application{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop", Generation: 1}}
			refused := false
			connected := fake.NewClientBuilder().WithScheme(scheme).WithObjects(app).WithInterceptorFuncs(interceptor.Funcs{
				Patch: func(ctx context.Context, next client.WithWatch, object client.Object, patch client.Patch, options ...client.PatchOption) error {
					if refused {
						return next.Patch(ctx, object, patch, options...)
					}
					refused = true
					now := &v1.Application{}
					if err := next.Get(ctx, client.ObjectKeyFromObject(object), now); err != nil {
						return err
					}
					now.Generation = each.generation
					if err := next.Update(ctx, now); err != nil {
						return err
					}
					return apierrors.NewConflict(schema.GroupResource{Resource: "applications"}, "web", errors.New("it has changed"))
				},
			}).Build()
			streams, _, _, _ := genericiooptions.NewTestIOStreams()
			a := &action{streams: streams, connection: &cli.Connection{WithWatch: connected, Namespace: "shop"}}
			read, err := a.connection.Application(t.Context(), "web")
			if err != nil {
				t.Fatal(err)
			}
			changed, err := a.change(t.Context(), read, func(app *v1.Application) { app.Spec.Paused = true }, "spec", "paused")
			if each.want == "" && (err != nil || !changed || !read.Spec.Paused) || each.want != "" && (err == nil || !strings.Contains(err.Error(), each.want)) {
				t.Errorf("changed %v, %v", changed, err)
			}
		})
	}
}

// TestARestartIsOfItsOwnPods holds that the pods of somebody else's Deployment stay, which is in the way of the Application's.
func TestARestartIsOfItsOwnPods(t *testing.T) {
	app := &v1.Application{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop", UID: "1"}}
	own := []metav1.OwnerReference{*metav1.NewControllerRef(app, v1.GroupVersion.WithKind("Application"))}
	for name, each := range map[string]struct {
		there     []client.Object
		restarted bool
	}{
		"its own":         {[]client.Object{&appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop", UID: "2", OwnerReferences: own}}}, true},
		"somebody else's": {[]client.Object{&appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop", UID: "2"}}}, false},
		"none":            {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			scheme, err := cluster.NewScheme()
			if err != nil {
				t.Fatal(err)
			}
			connected := fake.NewClientBuilder().WithScheme(scheme).WithObjects(each.there...).Build()
			streams, _, _, _ := genericiooptions.NewTestIOStreams()
			a := &action{streams: streams, connection: &cli.Connection{WithWatch: connected, Namespace: "shop"}}
			err = restart(t.Context(), a, app)
			if each.restarted != (err == nil) || err != nil && !strings.Contains(err.Error(), "no Deployment of its own") {
				t.Errorf("error %v", err)
			}
			now := &appsv1.Deployment{}
			if err := connected.Get(t.Context(), client.ObjectKeyFromObject(app), now); client.IgnoreNotFound(err) != nil {
				t.Fatal(err)
			}
			if _, restarted := now.Spec.Template.Annotations["kubectl.kubernetes.io/restartedAt"]; restarted != each.restarted {
				t.Errorf("its pods are replaced: %t", restarted)
			}
		})
	}
}

// TestARestartThatFailsIsOver holds that a restart is not waited for when the new pods do not work, and that what was wrong before it says
// nothing of it.
func TestARestartThatFailsIsOver(t *testing.T) {
	as := func(status metav1.ConditionStatus, message string) *v1.Application {
		app := &v1.Application{}
		app.Status.Conditions = []metav1.Condition{{Type: v1.ConditionReady, Status: status, Message: message}}
		return app
	}
	for name, test := range map[string]struct {
		before, now *v1.Application
		want        bool
	}{
		"it works":              {as(metav1.ConditionTrue, "fine"), as(metav1.ConditionTrue, "fine"), false},
		"it is on its way":      {as(metav1.ConditionTrue, "fine"), as(metav1.ConditionUnknown, "waiting"), false},
		"it crashes":            {as(metav1.ConditionTrue, "fine"), as(metav1.ConditionFalse, "pod a crashes"), true},
		"it has crashed before": {as(metav1.ConditionFalse, "pod a crashes"), as(metav1.ConditionFalse, "pod a crashes"), false},
		"it crashes once more":  {as(metav1.ConditionFalse, "pod a crashes"), as(metav1.ConditionFalse, "pod b crashes"), true},
		"nobody has looked":     {&v1.Application{}, &v1.Application{}, false},
	} {
		if got := hasFailedSince(test.before, test.now); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
