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
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// handOverManager is the field manager that holds what we no longer decide: a Deployment's size between us and the
// autoscaler, an Ingress's class that is the cluster's default.
const handOverManager = FieldOwner + "-handover"

// handedOver is a field that does not simply go when the configuration stops setting it. An apply without it would remove it
// from the object, and the object would be left with another value than a new one gets.
type handedOver struct {
	// field is the field's name in the spec.
	field string
	// forced takes the field also from whoever has decided it since the cache saw the object.
	forced bool
	// value returns what the field is left at, or nil if it may go.
	value func(ctx context.Context, r *ApplicationReconciler, live client.Object) (any, error)
}

// sizeHandOver leaves a Deployment at its size, until the autoscaler's first decision. The API server would reset it to 1.
var sizeHandOver = handedOver{
	field: "replicas",
	value: func(_ context.Context, _ *ApplicationReconciler, live client.Object) (any, error) {
		if replicas := live.(*appsv1.Deployment).Spec.Replicas; replicas != nil {
			return int64(*replicas), nil
		}
		return nil, nil
	},
}

// classHandOver leaves an Ingress with the class that a new one would get. The API server's admission fills in the
// cluster's default class when an Ingress is created, and never after.
var classHandOver = handedOver{
	field:  "ingressClassName",
	forced: true,
	value: func(ctx context.Context, r *ApplicationReconciler, live client.Object) (any, error) {
		ingress := live.(*networkingv1.Ingress)
		fresh := &networkingv1.Ingress{
			ObjectMeta: metav1.ObjectMeta{
				GenerateName: ingress.Name + "-", Namespace: ingress.Namespace,
				Labels: ingress.Labels, Annotations: ingress.Annotations,
			},
			// No rules: an ingress controller may refuse a second Ingress for the same host and path.
			Spec: networkingv1.IngressSpec{DefaultBackend: &networkingv1.IngressBackend{
				Service: &networkingv1.IngressServiceBackend{
					Name: ingress.Name, Port: networkingv1.ServiceBackendPort{Number: 80},
				},
			}},
		}
		if err := r.Client.Create(ctx, fresh, client.DryRunAll); err != nil {
			return nil, err
		}
		if class := fresh.Spec.IngressClassName; class != nil {
			return *class, nil
		}
		return nil, nil
	},
}

// handOver gives the child's field to another field manager, in which it stays until somebody else decides it. A conflict with
// others says that somebody has decided it already.
func (r *ApplicationReconciler) handOver(ctx context.Context, step step) error {
	field := step.child.handedOver
	value, err := field.value(ctx, r, step.live)
	if value == nil || err != nil {
		return err
	}
	kind, err := r.Client.GroupVersionKindFor(step.live)
	if err != nil {
		return fmt.Errorf("find the kind of %s: %w", step.child.kind, err)
	}
	config := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{field.field: value}}}
	config.SetGroupVersionKind(kind)
	config.SetNamespace(step.live.GetNamespace())
	config.SetName(step.live.GetName())
	config.SetUID(step.live.GetUID())
	options := []client.ApplyOption{client.FieldOwner(handOverManager)}
	if field.forced {
		options = append(options, client.ForceOwnership)
	}
	err = r.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(config), options...)
	if apierrors.HasStatusCause(err, metav1.CauseTypeFieldManagerConflict) && !conflictsWithUs(err) {
		return nil
	}
	return err
}

// conflictsWithUs reports whether a conflict is with a value that we have applied since the cache saw the object.
func conflictsWithUs(err error) bool {
	return strings.Contains(err.Error(), fmt.Sprintf("conflict with %q", FieldOwner))
}
