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
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/cluster"
	"github.com/example/app-operator/internal/expectations"
	"github.com/example/app-operator/internal/resources"
)

// The fake client is here to inject errors, and for nothing else: what the operator does when all goes well is shown
// against a real API server in test/controller.

var services = schema.GroupResource{Resource: "services"}

func TestAFailedApply(t *testing.T) {
	refusedByRBAC := apierrors.NewForbidden(services, "web",
		errors.New(`User "system:serviceaccount:a:b" cannot patch resource "services" in API group ""`))
	for name, test := range map[string]struct {
		err                    error
		ready                  metav1.ConditionStatus
		reason                 string
		progressing            metav1.ConditionStatus
		after                  time.Duration
		retries                bool
		wantMessage, unmention string
	}{
		"by a broken connection is tried again, without its changing text": {
			err:   errors.New("read tcp 127.0.0.1:54321->127.0.0.1:6443: connection reset by peer"),
			ready: metav1.ConditionUnknown, reason: v1.ReasonReconcileFailed, progressing: metav1.ConditionTrue,
			retries: true, wantMessage: "a request to the API server failed; the operator's log has the details",
		},
		"by a missing right is tried again, and says which": {
			err: refusedByRBAC, ready: metav1.ConditionUnknown, reason: v1.ReasonReconcileFailed,
			progressing: metav1.ConditionTrue, retries: true, wantMessage: refusedByRBAC.Error(),
		},
		"by a quota is tried again later": {
			err:   apierrors.NewForbidden(services, "web", errors.New("exceeded quota: small, requested: services=1")),
			ready: metav1.ConditionFalse, reason: v1.ReasonQuotaExceeded, progressing: metav1.ConditionTrue,
			after:       30 * time.Second,
			wantMessage: `Service: services "web" is forbidden: exceeded quota: small, requested: services=1`,
		},
		"by a conflict is tried again soon": {
			err:   apierrors.NewConflict(services, "web", errors.New("conflict with \"a-person\"")),
			ready: metav1.ConditionUnknown, reason: v1.ReasonRollingOut, progressing: metav1.ConditionTrue,
			after: time.Second, wantMessage: "somebody else has just written Service",
		},
		"by validation waits for another spec": {
			err:   apierrors.NewInvalid(schema.GroupKind{Kind: "Service"}, "web", nil),
			ready: metav1.ConditionFalse, reason: v1.ReasonInvalidSpec, progressing: metav1.ConditionFalse,
			wantMessage: `the API server refused Service: Service "web" is invalid`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // whose clock stands still while anything runs
				r, c := withErrors(t, interceptor.Funcs{
					Apply: func(ctx context.Context, c client.WithWatch, config runtime.ApplyConfiguration, options ...client.ApplyOption) error {
						if fmt.Sprintf("%T", config) == "*v1.ServiceApplyConfiguration" {
							return test.err
						}
						return c.Apply(ctx, config, options...)
					},
				})
				app := theApplication(t, c)
				result, err := r.Reconcile(t.Context(), webRequest)

				if retries := err != nil; retries != test.retries {
					t.Errorf("tries again: %v, want %v (%v)", retries, test.retries, err)
				}
				if result.RequeueAfter != test.after {
					t.Errorf("comes back after %s, want %s", result.RequeueAfter, test.after)
				}
				status := theApplication(t, c).Status
				ready := meta.FindStatusCondition(status.Conditions, v1.ConditionReady)
				if ready.Status != test.ready || ready.Reason != test.reason || ready.Message != test.wantMessage {
					t.Errorf("Ready is %s, %s, %q;\nwant %s, %s, %q",
						ready.Status, ready.Reason, ready.Message, test.ready, test.reason, test.wantMessage)
				}
				if got := meta.FindStatusCondition(status.Conditions, v1.ConditionProgressing).Status; got != test.progressing {
					t.Errorf("Progressing is %s, want %s", got, test.progressing)
				}
				if err := c.Get(t.Context(), client.ObjectKeyFromObject(app), &appsv1.Deployment{}); err != nil {
					t.Errorf("the other children are not held up: %v", err)
				}
			})
		})
	}
}

func TestAFailedServiceAccountHoldsTheDeploymentBack(t *testing.T) {
	r, c := withErrors(t, interceptor.Funcs{
		Apply: func(ctx context.Context, c client.WithWatch, config runtime.ApplyConfiguration, options ...client.ApplyOption) error {
			if fmt.Sprintf("%T", config) == "*v1.ServiceAccountApplyConfiguration" {
				return apierrors.NewInternalError(errors.New("etcd is away"))
			}
			return c.Apply(ctx, config, options...)
		},
	})
	app := theApplication(t, c)
	if _, err := r.Reconcile(t.Context(), webRequest); err == nil {
		t.Error("the pass is not tried again")
	}
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(app), &appsv1.Deployment{}); !apierrors.IsNotFound(err) {
		t.Errorf("pods would run without their ServiceAccount: %v", err)
	}
}

// TestARepairAsksOnceWhoElseWrites holds that a Deployment which its controller keeps writing meanwhile is repaired by as few requests as
// that takes: whoever has changed it is named by the first one.
func TestARepairAsksOnceWhoElseWrites(t *testing.T) {
	const busy = 2 // how often something was written since the object was read
	var asked []string
	edited := false
	r, c := withErrors(t, interceptor.Funcs{
		Apply: func(ctx context.Context, c client.WithWatch, config runtime.ApplyConfiguration, options ...client.ApplyOption) error {
			if !edited || fmt.Sprintf("%T", config) != "*v1.DeploymentApplyConfiguration" {
				return c.Apply(ctx, config, options...)
			}
			if !slices.Contains(options, client.ApplyOption(client.ForceOwnership)) {
				asked = append(asked, "who")
				conflict := apierrors.NewConflict(schema.GroupResource{Group: "apps", Resource: "deployments"}, "web", errors.New("somebody"))
				conflict.ErrStatus.Details.Causes = []metav1.StatusCause{{
					Type: metav1.CauseTypeFieldManagerConflict, Message: `conflict with "somebody"`, Field: ".spec.template.spec.containers[0].image",
				}}
				return conflict
			}
			asked = append(asked, "repair")
			if len(asked) <= busy+1 {
				return apierrors.NewConflict(schema.GroupResource{Group: "apps", Resource: "deployments"}, "web", errors.New("the object has been modified"))
			}
			return c.Apply(ctx, config, options...)
		},
	})
	reconcileOnce(t, r, c)
	deployment := &appsv1.Deployment{}
	if err := c.Get(t.Context(), webRequest.NamespacedName, deployment); err != nil {
		t.Fatal(err)
	}
	image := &deployment.Spec.Template.Spec.Containers[0].Image
	desired := *image
	*image, edited = "somebody/else", true
	if err := c.Update(t.Context(), deployment, client.FieldOwner("somebody")); err != nil {
		t.Fatal(err)
	}
	reconcileOnce(t, r, c)
	if err := c.Get(t.Context(), webRequest.NamespacedName, deployment); err != nil {
		t.Fatal(err)
	}
	if got := deployment.Spec.Template.Spec.Containers[0].Image; got != desired {
		t.Errorf("the image is %s, want %s", got, desired)
	}
	if want := []string{"who", "repair", "repair", "repair"}; !slices.Equal(asked, want) {
		t.Errorf("the API server was asked for %q, want %q", asked, want)
	}
}

// TestAChildThatIsDeletedWhileItIsWrittenIsNoFault holds that the event of its deletion is waited for, which calls for a new one, whatever
// the child was read again for.
func TestAChildThatIsDeletedWhileItIsWrittenIsNoFault(t *testing.T) {
	for name, refusal := range map[string]error{
		"after a conflict": apierrors.NewConflict(services, "web", errors.New("the UID in the precondition is another one")),
		"to make room":     apierrors.NewInvalid(schema.GroupKind{Kind: "Service"}, "web", nil),
	} {
		t.Run(name, func(t *testing.T) {
			deleted := false
			r, c := withErrors(t, interceptor.Funcs{
				Apply: func(ctx context.Context, c client.WithWatch, config runtime.ApplyConfiguration, options ...client.ApplyOption) error {
					if _, ok := config.(*corev1ac.ServiceApplyConfiguration); ok && deleted {
						return refusal
					}
					return c.Apply(ctx, config, options...)
				},
				Patch: func(ctx context.Context, c client.WithWatch, object client.Object, patch client.Patch, options ...client.PatchOption) error {
					if _, ok := object.(*corev1.Service); ok && deleted {
						return apierrors.NewNotFound(services, "web")
					}
					return c.Patch(ctx, object, patch, options...)
				},
			})
			reconcileOnce(t, r, c)
			deleted = true
			web := theApplication(t, c)
			web.Spec.Service = &v1.ServiceSpec{Annotations: map[string]string{"a": "change"}}
			if err := c.Update(t.Context(), web); err != nil {
				t.Fatal(err)
			}
			result, err := reconcileObserved(t, r)
			ready := meta.FindStatusCondition(theApplication(t, c).Status.Conditions, v1.ConditionReady)
			if err != nil || result.RequeueAfter != time.Second || ready.Reason != v1.ReasonRollingOut {
				t.Errorf("error %v, comes back after %s, Ready is %s: %s", err, result.RequeueAfter, ready.Reason, ready.Message)
			}
		})
	}
}

// TestAPauseTellsWhatDiffersAndNotWhatIsMissing holds that pods which run as the spec says do so whatever becomes of what they have read,
// also where a change of that would replace them.
func TestAPauseTellsWhatDiffersAndNotWhatIsMissing(t *testing.T) {
	for name, rollout := range map[string]*v1.RolloutSpec{"by default": nil, "with a hash of it": {RestartOnConfigChange: true}} {
		t.Run(name, func(t *testing.T) {
			r, c := withErrors(t, interceptor.Funcs{})
			secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "credentials", Namespace: "apps"}}
			update := func(change func(*v1.Application)) {
				t.Helper()
				web := theApplication(t, c)
				change(web)
				if err := c.Update(t.Context(), web); err != nil {
					t.Fatal(err)
				}
			}
			told := func() string {
				t.Helper()
				r.expectations.Clear(webRequest.NamespacedName)
				reconcileOnce(t, r, c)
				return meta.FindStatusCondition(theApplication(t, c).Status.Conditions, v1.ConditionReady).Message
			}
			update(func(web *v1.Application) {
				web.Spec.Rollout = rollout
				web.Spec.EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{
					LocalObjectReference: corev1.LocalObjectReference{Name: secret.Name},
				}}}
			})
			if err := c.Create(t.Context(), secret); err != nil {
				t.Fatal(err)
			}
			told()
			if err := c.Delete(t.Context(), secret); err != nil {
				t.Fatal(err)
			}
			const differs = "what runs differs from this spec"
			update(func(web *v1.Application) { web.Spec.Paused = true })
			if said := told(); !strings.HasPrefix(said, "Paused; ") {
				t.Errorf("with what is missing it says %q", said)
			}
			update(func(web *v1.Application) { web.Spec.Image = "nginx:1.30" })
			if said := told(); !strings.Contains(said, differs) {
				t.Errorf("with another image it says %q", said)
			}
		})
	}
}

// TestARefusalDoesNotKeepPodsFromEnding holds that nothing blocks a suspension: what must not run, runs no longer.
func TestARefusalDoesNotKeepPodsFromEnding(t *testing.T) {
	refuses := false
	r, c := withErrors(t, interceptor.Funcs{
		Apply: func(ctx context.Context, c client.WithWatch, config runtime.ApplyConfiguration, options ...client.ApplyOption) error {
			if fmt.Sprintf("%T", config) == "*v1.NetworkPolicyApplyConfiguration" && refuses {
				return apierrors.NewForbidden(schema.GroupResource{Resource: "networkpolicies"}, "web", errors.New("a webhook denied the request"))
			}
			return c.Apply(ctx, config, options...)
		},
	})
	reconcileOnce(t, r, c)
	refuses = true
	app := theApplication(t, c)
	app.Spec.Suspend, app.Spec.NetworkPolicy = true, &v1.NetworkPolicySpec{}
	if err := c.Update(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	reconcileOnce(t, r, c)
	deployment := &appsv1.Deployment{}
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(app), deployment); err != nil {
		t.Fatal(err)
	}
	if deployment.Spec.Replicas == nil || *deployment.Spec.Replicas != 0 {
		t.Errorf("%v pods run of a suspended Application", deployment.Spec.Replicas)
	}
}

// TestARefusedServiceHoldsARenameBack is about pods that the Service would not reach. Whatever else is changed goes on.
func TestARefusedServiceHoldsARenameBack(t *testing.T) {
	var refusal error
	r, c := withErrors(t, interceptor.Funcs{
		Apply: func(ctx context.Context, c client.WithWatch, config runtime.ApplyConfiguration, options ...client.ApplyOption) error {
			if fmt.Sprintf("%T", config) == "*v1.ServiceApplyConfiguration" && refusal != nil {
				return refusal
			}
			return c.Apply(ctx, config, options...)
		},
	})
	pass := func(change func(*v1.ApplicationSpec)) corev1.Container {
		t.Helper()
		app := theApplication(t, c)
		change(&app.Spec)
		if err := c.Update(t.Context(), app); err != nil {
			t.Fatal(err)
		}
		again := New(nil) // which has applied nothing
		again.Client, again.Reader, again.Recorder = r.Client, r.Reader, r.Recorder
		reconcileOnce(t, again, c)
		deployment := &appsv1.Deployment{}
		if err := c.Get(t.Context(), client.ObjectKeyFromObject(app), deployment); err != nil {
			t.Fatal(err)
		}
		return deployment.Spec.Template.Spec.Containers[0]
	}
	pass(func(*v1.ApplicationSpec) {})
	refusal = apierrors.NewForbidden(services, "web", errors.New("exceeded quota: small, requested: services.nodeports=1"))
	if got := pass(func(spec *v1.ApplicationSpec) {
		spec.Image = "nginx:1.30"
		spec.Service = &v1.ServiceSpec{Port: new(int32(8080))}
	}); got.Image != "nginx:1.30" {
		t.Errorf("the image is %s: what the Service's port has nothing to do with is held back", got.Image)
	}
	rename := func(spec *v1.ApplicationSpec) {
		spec.Port, spec.Service = nil, nil
		spec.AdditionalPorts = []v1.AdditionalPort{{Name: "web", Port: 80}}
	}
	if got := pass(rename); got.Ports[0].Name != resources.DefaultPortName {
		t.Errorf("the port is %s: pods come that the Service does not reach", got.Ports[0].Name)
	}
	refusal = nil
	if got := pass(rename); got.Ports[0].Name != "web" {
		t.Errorf("the port is %s, and nothing holds it back any more", got.Ports[0].Name)
	}
}

func TestAStatusWrite(t *testing.T) {
	for name, test := range map[string]struct {
		err     error
		retries bool
	}{
		"that meets a newer Application is left to the next pass": {
			err: apierrors.NewConflict(schema.GroupResource{Resource: "applications"}, "web", errors.New("modified")),
		},
		"that finds the Application gone is forgotten": {
			err: apierrors.NewNotFound(schema.GroupResource{Resource: "applications"}, "web"),
		},
		"that fails is tried again": {err: apierrors.NewInternalError(errors.New("etcd is away")), retries: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // whose clock stands still while anything runs
				r, _ := withErrors(t, interceptor.Funcs{
					SubResourceUpdate: func(context.Context, client.Client, string, client.Object, ...client.SubResourceUpdateOption) error {
						return test.err
					},
				})
				result, err := r.Reconcile(t.Context(), webRequest)
				after := expectations.Timeout // if no event comes
				if test.retries {
					after = 0
				}
				if (err != nil) != test.retries || result.RequeueAfter != after {
					t.Errorf("result %v, error %v; want an error: %v", result, err, test.retries)
				}
				if told := len(r.Recorder.(*events.FakeRecorder).Events); told != 0 {
					t.Errorf("%d events tell of a status that was not written", told)
				}
			})
		})
	}
}

// TestARefusalThatIsNotOfTheSpec holds that it is told, and not taken for cured by writing the spec again.
func TestARefusalThatIsNotOfTheSpec(t *testing.T) {
	refuses, asked := false, 0
	r, c := withErrors(t, interceptor.Funcs{
		Apply: func(ctx context.Context, c client.WithWatch, config runtime.ApplyConfiguration, options ...client.ApplyOption) error {
			if _, ok := config.(*corev1ac.ServiceApplyConfiguration); ok && refuses {
				asked++
				return apierrors.NewInvalid(schema.GroupKind{Kind: "Service"}, "web", nil)
			}
			return c.Apply(ctx, config, options...)
		},
		// The API server makes no new version of an object of which a patch changes nothing.
		Patch: func(ctx context.Context, c client.WithWatch, object client.Object, patch client.Patch, options ...client.PatchOption) error {
			if _, ok := object.(*corev1.Service); ok {
				return c.Get(ctx, client.ObjectKeyFromObject(object), object)
			}
			return c.Patch(ctx, object, patch, options...)
		},
	})
	reconcileOnce(t, r, c)
	refuses = true
	web := theApplication(t, c)
	web.Spec.Service = &v1.ServiceSpec{Annotations: map[string]string{"an-annotation": "that a policy refuses"}}
	if err := c.Update(t.Context(), web); err != nil {
		t.Fatal(err)
	}
	for pass := 1; pass <= 2; pass++ {
		reconcileOnce(t, r, c)
		ready := meta.FindStatusCondition(theApplication(t, c).Status.Conditions, v1.ConditionReady)
		if ready.Reason != v1.ReasonInvalidSpec || asked != pass {
			t.Errorf("pass %d: Ready is %s (%s); the Service was applied %d times", pass, ready.Reason, ready.Message, asked)
		}
	}
}

// TestARefusalInOtherWordsEachTimeIsLookedIntoOnce guards against an endless loop: what is tried to make room is written to the child, and
// so calls the next reconcile. A webhook may put the time into its words.
func TestARefusalInOtherWordsEachTimeIsLookedIntoOnce(t *testing.T) {
	refuses, refused, looked := false, 0, 0
	r, c := withErrors(t, interceptor.Funcs{
		Apply: func(ctx context.Context, c client.WithWatch, config runtime.ApplyConfiguration, options ...client.ApplyOption) error {
			if _, ok := config.(*corev1ac.ServiceApplyConfiguration); !ok || !refuses {
				return c.Apply(ctx, config, options...)
			}
			refused++
			return &apierrors.StatusError{ErrStatus: metav1.Status{
				Status: metav1.StatusFailure, Code: http.StatusUnprocessableEntity, Reason: metav1.StatusReasonInvalid,
				Message: fmt.Sprintf(`admission webhook "w.example.com" denied the request: no, said at 2026-11-30T08:00:%02dZ`, refused),
			}}
		},
		Patch: func(ctx context.Context, c client.WithWatch, object client.Object, patch client.Patch, options ...client.PatchOption) error {
			if _, ok := object.(*corev1.Service); ok {
				looked++
				return c.Get(ctx, client.ObjectKeyFromObject(object), object)
			}
			return c.Patch(ctx, object, patch, options...)
		},
	})
	reconcileOnce(t, r, c)
	refuses, looked = true, 0
	web := theApplication(t, c)
	web.Spec.Service = &v1.ServiceSpec{Annotations: map[string]string{"an-annotation": "that a webhook refuses"}}
	if err := c.Update(t.Context(), web); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		reconcileOnce(t, r, c)
	}
	ready := meta.FindStatusCondition(theApplication(t, c).Status.Conditions, v1.ConditionReady)
	if ready.Reason != v1.ReasonAdmissionDenied || refused != 3 || looked != 1 {
		t.Errorf("Ready is %s (%s); it was refused %d times, and looked into %d times", ready.Reason, ready.Message, refused, looked)
	}
}

// TestAStatusThatTheServerHadAlready holds that a status is written again by a later pass if its write has changed nothing:
// no newer version is on its way that would be waited for.
func TestAStatusThatTheServerHadAlready(t *testing.T) {
	written := 0
	r, c := withErrors(t, interceptor.Funcs{
		SubResourceUpdate: func(context.Context, client.Client, string, client.Object, ...client.SubResourceUpdateOption) error {
			written++
			return nil
		},
	})
	for pass := 1; pass <= 2; pass++ {
		reconcileOnce(t, r, c)
		if written != pass {
			t.Errorf("pass %d: %d status writes", pass, written)
		}
	}
}

// TestADeletionIsOfWhatWasRead: a request that is held up must not delete what has been written since.
func TestADeletionIsOfWhatWasRead(t *testing.T) {
	var asked []client.DeleteOptions
	r, c := withErrors(t, interceptor.Funcs{
		Delete: func(ctx context.Context, c client.WithWatch, object client.Object, options ...client.DeleteOption) error {
			var all client.DeleteOptions
			asked = append(asked, *all.ApplyOptions(options))
			return c.Delete(ctx, object, options...)
		},
	})
	reconcileOnce(t, r, c)
	service := &corev1.Service{}
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: "apps", Name: "web"}, service); err != nil {
		t.Fatal(err)
	}
	web := theApplication(t, c)
	web.Spec.Port = nil
	if err := c.Update(t.Context(), web); err != nil {
		t.Fatal(err)
	}
	reconcileOnce(t, r, c)
	if len(asked) != 1 {
		t.Fatalf("%d deletions, want that of the Service", len(asked))
	}
	only := asked[0].Preconditions
	if only == nil || only.UID == nil || *only.UID != service.UID ||
		only.ResourceVersion == nil || *only.ResourceVersion != service.ResourceVersion {
		t.Errorf("preconditions %v; want UID %q and version %s", only, service.UID, service.ResourceVersion)
	}
}

// TestAnApplyThatIsUnderWayTakesNoOrphanBack: with --cascade=orphan, the garbage collector takes the owner references off. An
// apply that was decided before, and arrives after, must not put one back: the child would go with the Application.
func TestAnApplyThatIsUnderWayTakesNoOrphanBack(t *testing.T) {
	for name, orphan := range map[string]bool{"an orphan is left alone": true, "what else has changed is written all the same": false} {
		t.Run(name, func(t *testing.T) {
			var change func(*corev1.Service)
			r, c := withErrors(t, interceptor.Funcs{
				Apply: func(ctx context.Context, c client.WithWatch, config runtime.ApplyConfiguration, options ...client.ApplyOption) error {
					if _, ok := config.(*corev1ac.ServiceApplyConfiguration); ok && change != nil {
						service := &corev1.Service{}
						if err := c.Get(ctx, client.ObjectKey{Namespace: "apps", Name: "web"}, service); err != nil {
							return err
						}
						change(service)
						change = nil
						if err := c.Update(ctx, service); err != nil {
							return err
						}
					}
					return c.Apply(ctx, config, options...)
				},
			})
			reconcileOnce(t, r, c)
			web := theApplication(t, c)
			web.Spec.Service = &v1.ServiceSpec{Port: new(int32(8080))}
			if err := c.Update(t.Context(), web); err != nil {
				t.Fatal(err)
			}
			change = func(service *corev1.Service) {
				service.Annotations = map[string]string{"written": "meanwhile"}
				if orphan {
					service.OwnerReferences = nil
				}
			}
			reconcileOnce(t, r, c)
			service := &corev1.Service{}
			if err := c.Get(t.Context(), client.ObjectKey{Namespace: "apps", Name: "web"}, service); err != nil {
				t.Fatal(err)
			}
			if owned, written := len(service.OwnerReferences) > 0, service.Spec.Ports[0].Port == 8080; owned == orphan || written == orphan {
				t.Errorf("it has an owner: %t, it was written: %t; want %t", owned, written, !orphan)
			}
		})
	}
}

// TestConsentThatIsWithdrawnInTimeCounts: the cache may show a consent that is not there any more when the object is read, or when
// the apply arrives.
func TestConsentThatIsWithdrawnInTimeCounts(t *testing.T) {
	for _, when := range []string{"never", "before it is read", "before it is written"} {
		t.Run(when, func(t *testing.T) {
			withdraw := func(now string, ctx context.Context, c client.Client, name string) error {
				if now != when || name != "web" {
					return nil
				}
				account := &corev1.ServiceAccount{}
				if err := c.Get(ctx, client.ObjectKey{Namespace: "apps", Name: name}, account); err != nil {
					return err
				}
				account.Annotations = nil
				return c.Update(ctx, account)
			}
			r, c := withErrors(t, interceptor.Funcs{
				Patch: func(ctx context.Context, c client.WithWatch, object client.Object, patch client.Patch, options ...client.PatchOption) error {
					if _, ok := object.(*corev1.ServiceAccount); ok {
						if err := withdraw("before it is read", ctx, c, object.GetName()); err != nil {
							return err
						}
					}
					return c.Patch(ctx, object, patch, options...)
				},
				Apply: func(ctx context.Context, c client.WithWatch, config runtime.ApplyConfiguration, options ...client.ApplyOption) error {
					if account, ok := config.(*corev1ac.ServiceAccountApplyConfiguration); ok {
						if err := withdraw("before it is written", ctx, c, *account.Name); err != nil {
							return err
						}
					}
					return c.Apply(ctx, config, options...)
				},
			})
			account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{
				Name: "web", Namespace: "apps", UID: "theirs", Annotations: map[string]string{v1.AnnotationAdopt: "web"},
			}}
			if err := c.Create(t.Context(), account); err != nil {
				t.Fatal(err)
			}
			reconcileOnce(t, r, c)
			if err := c.Get(t.Context(), client.ObjectKeyFromObject(account), account); err != nil {
				t.Fatal(err)
			}
			if adopted := len(account.OwnerReferences) > 0; adopted != (when == "never") || adopted != (account.Labels != nil) {
				t.Errorf("it was adopted: %t, with labels %v", adopted, account.Labels)
			}
			ready := meta.FindStatusCondition(theApplication(t, c).Status.Conditions, v1.ConditionReady)
			if conflict := ready.Reason == v1.ReasonChildConflict; conflict != (when != "never") {
				t.Errorf("Ready is %s: %s", ready.Reason, ready.Message)
			}
		})
	}
}

// TestAnAdoptionWhoseAnswerWasLostIsSeenFirst: what the object had to keep, it has by then, and what the next reconcile wants of it
// follows from that.
func TestAnAdoptionWhoseAnswerWasLostIsSeenFirst(t *testing.T) {
	r, c := withErrors(t, interceptor.Funcs{
		Patch: func(ctx context.Context, c client.WithWatch, object client.Object, patch client.Patch, options ...client.PatchOption) error {
			if _, ok := object.(*corev1.ServiceAccount); ok { // it is read, and the cache is older
				if err := c.Patch(ctx, object, patch, options...); err != nil {
					return err
				}
				app := &v1.Application{}
				if err := c.Get(ctx, webRequest.NamespacedName, app); err != nil {
					return err
				}
				object.SetOwnerReferences([]metav1.OwnerReference{*metav1.NewControllerRef(app, v1.GroupVersion.WithKind("Application"))})
				return nil
			}
			return c.Patch(ctx, object, patch, options...)
		},
	})
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{
		Name: "web", Namespace: "apps", UID: "theirs", Annotations: map[string]string{v1.AnnotationAdopt: "web"},
	}}
	if err := c.Create(t.Context(), account); err != nil {
		t.Fatal(err)
	}
	reconcileOnce(t, r, c)
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(account), account); err != nil || account.Labels != nil {
		t.Errorf("it was written: labels %v, %v", account.Labels, err)
	}
	ready := meta.FindStatusCondition(theApplication(t, c).Status.Conditions, v1.ConditionReady)
	if ready.Reason != v1.ReasonRollingOut || ready.Status != metav1.ConditionUnknown {
		t.Errorf("Ready is %s: %s", ready.Reason, ready.Message)
	}
}

// TestAFinalizerIsWrittenOnce holds that what the cache does not show yet is not written again, in vain.
func TestAFinalizerIsWrittenOnce(t *testing.T) {
	for name, policy := range map[string]v1.DeletionPolicy{"added": v1.DeletionPolicyDrain, "removed": v1.DeletionPolicyDelete} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				patches := 0
				r, c := withErrors(t, interceptor.Funcs{
					Patch: func(ctx context.Context, c client.WithWatch, object client.Object, patch client.Patch, options ...client.PatchOption) error {
						if object.GetObjectKind().GroupVersionKind().Kind == "Application" {
							patches++
						}
						return c.Patch(ctx, object, patch, options...)
					},
				})
				app := theApplication(t, c)
				app.Spec.DeletionPolicy = policy
				if policy != v1.DeletionPolicyDrain {
					app.Finalizers = []string{v1.Finalizer}
				}
				if err := c.Update(t.Context(), app); err != nil {
					t.Fatal(err)
				}
				for range 3 { // the cache lags
					if _, err := r.Reconcile(t.Context(), webRequest); err != nil {
						t.Error(err)
					}
				}
				if patches != 1 {
					t.Errorf("%d patches, want 1", patches)
				}
				ready := meta.FindStatusCondition(theApplication(t, c).Status.Conditions, v1.ConditionReady)
				if ready.Message != "Waiting for the Deployment to appear" {
					t.Errorf("Ready says %q", ready.Message)
				}
			})
		})
	}
}

// withErrors returns a reconciler of an Application web, whose requests fail as the functions say.
func withErrors(t *testing.T, failing interceptor.Funcs) (*ApplicationReconciler, client.Client) {
	t.Helper()
	scheme, err := cluster.NewScheme()
	if err != nil {
		t.Fatal(err)
	}
	c := likeServed(t, indexed(fake.NewClientBuilder().WithScheme(scheme).WithReturnManagedFields().
		WithObjects(&v1.Application{
			ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "apps", UID: "1", Generation: 1},
			Spec:       v1.ApplicationSpec{Image: "nginx:1.29", Port: new(int32(80))},
		}).
		WithStatusSubresource(&v1.Application{}, &appsv1.Deployment{})).
		WithInterceptorFuncs(failing).
		Build())
	r := New([]string{"apps"})
	r.Client, r.Reader = client.WithFieldOwner(c, children.FieldOwner), c
	r.Recorder = events.NewFakeRecorder(10)
	return r, c
}

// indexed gives a fake client the indexes that the cache has.
func indexed(build *fake.ClientBuilder) *fake.ClientBuilder {
	labelled := func(object client.Object) []string { return []string{cluster.ApplicationOf(object)} }
	build.WithIndex(&corev1.Pod{}, byApplication, labelled).WithIndex(&appsv1.ReplicaSet{}, byApplication, labelled)
	for _, child := range children.Table {
		if child.Many {
			build.WithIndex(child.Object, byApplication, func(object client.Object) []string { return ownersOf(&child, object) })
		}
	}
	return build
}

// likeServed returns a fake client that gives objects as the API server does.
func likeServed(t testing.TB, c client.WithWatch) client.WithWatch {
	t.Helper()
	return interceptor.NewClient(c, interceptor.Funcs{
		Get: func(
			ctx context.Context, c client.WithWatch, key client.ObjectKey, object client.Object, options ...client.GetOption,
		) error {
			err := c.Get(ctx, key, object, options...)
			disownStatus(t, object)
			return err
		},
		List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, options ...client.ListOption) error {
			err := c.List(ctx, list, options...)
			_ = meta.EachListItem(list, func(object runtime.Object) error { // a list has items
				disownStatus(t, object.(client.Object))
				return nil
			})
			return err
		},
	})
}

// disownStatus takes from the managed fields of an object of the fake client the status, which nobody owns by applying an
// object to a real API server.
func disownStatus(t testing.TB, object client.Object) {
	t.Helper()
	entries := object.GetManagedFields()
	for i := range entries {
		if entries[i].Operation != metav1.ManagedFieldsOperationApply {
			continue
		}
		fields := map[string]any{}
		if err := json.Unmarshal(entries[i].FieldsV1.GetRawBytes(), &fields); err != nil {
			t.Fatal(err)
		}
		delete(fields, "f:status")
		content, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		entries[i].FieldsV1 = &metav1.FieldsV1{}
		entries[i].FieldsV1.SetRawBytes(content)
	}
	object.SetManagedFields(entries)
}

func theApplication(t *testing.T, c client.Client) *v1.Application {
	t.Helper()
	app := &v1.Application{}
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: "apps", Name: "web"}, app); err != nil {
		t.Fatal(err)
	}
	return app
}

func TestAReconcileThatIsCutOff(t *testing.T) {
	for name, deleted := range map[string]bool{"while it syncs": false, "while it drains": true} {
		t.Run(name, func(t *testing.T) {
			written := 0
			r, c := withErrors(t, interceptor.Funcs{
				SubResourceUpdate: func(context.Context, client.Client, string, client.Object, ...client.SubResourceUpdateOption) error {
					written++
					return nil
				},
			})
			if deleted {
				app := theApplication(t, c)
				app.Finalizers = []string{"somebody.example.com/else"}
				if err := errors.Join(c.Update(t.Context(), app), c.Delete(t.Context(), app)); err != nil {
					t.Fatal(err)
				}
			}
			ended, end := context.WithCancel(t.Context())
			end()
			result, err := r.Reconcile(ended, webRequest)
			if err != nil || result.RequeueAfter != 0 || written != 0 {
				t.Errorf("by the end of the process says nothing: result %v, error %v, %d status writes", result, err, written)
			}
			r.expectations.Clear(webRequest.NamespacedName)
			late, cancel := context.WithDeadline(t.Context(), time.Now())
			defer cancel()
			if _, err := r.Reconcile(late, webRequest); err != nil || written != 1 {
				t.Errorf("by its time limit still writes its status: error %v, %d status writes", err, written)
			}
		})
	}
}
