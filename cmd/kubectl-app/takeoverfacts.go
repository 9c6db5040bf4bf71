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
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/cli/gitops"
	"github.com/example/app-operator/internal/cli/takeover"
	"github.com/example/app-operator/internal/importing"
	"github.com/example/app-operator/internal/resources"
)

// moveReading is what was read of a move, and what is said of it beside its steps.
type moveReading struct {
	*takeover.Facts
	// wanted is the Application that would be created, where there is none; whole has the schema's defaults too.
	wanted, whole *v1.Application
	remarks       []importing.Remark
	warnings      []string
	// unserved says why no operator would look at the Application, or "".
	unserved string
}

// look reads how far the move is.
func (m *move) look(ctx context.Context) error {
	seen := &moveReading{Facts: &takeover.Facts{Namespace: m.connection.Namespace, Deployment: m.deployment}}
	for _, read := range []func(context.Context, *moveReading) error{
		m.readDeployment, m.readSets, m.readApplication, m.readCopies, m.readObjects,
	} {
		if err := read(ctx, seen); err != nil {
			return err
		}
	}
	m.seen = seen
	return nil
}

func (m *move) inNamespace() client.ListOption { return client.InNamespace(m.connection.Namespace) }

// readDeployment reads the Deployment that moves, and the Application that takes it over, if there is one.
func (m *move) readDeployment(ctx context.Context, seen *moveReading) error {
	apps := &v1.ApplicationList{}
	if err := m.connection.List(ctx, apps, m.inNamespace()); err != nil {
		return m.connection.ExplainMissing(m.deployment, err)
	}
	for i := range apps.Items {
		if app := &apps.Items[i]; takeover.FromName(app) == m.deployment && (m.name == "" || m.name == app.Name) {
			seen.App, seen.Application = app, app.Name
		}
	}
	deployment := &appsv1.Deployment{}
	if err := m.connection.Get(ctx, client.ObjectKey{Namespace: m.connection.Namespace, Name: m.deployment}, deployment); err != nil {
		return client.IgnoreNotFound(err)
	}
	if owner := children.Of(children.Deployment).ApplicationOf(deployment); owner != "" {
		seen.Made, seen.Application = deployment, owner
	} else {
		seen.Old = deployment
	}
	return nil
}

// readSets reads the ReplicaSets of the old pods.
func (m *move) readSets(ctx context.Context, seen *moveReading) error {
	sets := &appsv1.ReplicaSetList{}
	if err := m.connection.List(ctx, sets, m.inNamespace()); err != nil {
		return err
	}
	old := seen.Old
	for i := range sets.Items {
		if old != nil || sets.Items[i].Annotations[takeover.AnnotationBefore] == "" {
			continue
		}
		before, err := recallDeployment(&sets.Items[i])
		if err != nil {
			return err
		}
		if before.Name == m.deployment {
			old = before
		}
	}
	if old == nil {
		return nil
	}
	selector, err := metav1.LabelSelectorAsSelector(old.Spec.Selector)
	if err != nil {
		return err
	}
	for _, set := range sets.Items {
		by := metav1.GetControllerOf(&set)
		if by == nil && selector.Matches(labels.Set(set.Labels)) || by != nil && old.UID != "" && by.UID == old.UID {
			seen.Sets = append(seen.Sets, set)
		}
	}
	return nil
}

// recallDeployment returns the Deployment that a ReplicaSet remembers.
func recallDeployment(set *appsv1.ReplicaSet) (*appsv1.Deployment, error) {
	before, err := takeover.Recall(set)
	if err != nil {
		return nil, err
	}
	deployment := &appsv1.Deployment{}
	return deployment, runtime.DefaultUnstructuredConverter.FromUnstructured(before.Object, deployment)
}

// readApplication finds the Application: the one that takes the Deployment over, the one that has its name, or the one that would be created.
func (m *move) readApplication(ctx context.Context, seen *moveReading) error {
	keeper := seen.Keeper()
	switch {
	case seen.App != nil:
		return nil
	case m.undo && (keeper != nil || seen.Application == ""): // the way back was interrupted when the Application was gone, or there is none
		seen.Application = cmp.Or(seen.Application, m.deployment)
		return nil
	case keeper == nil && seen.Application != "":
		return fmt.Errorf("the Deployment %q belongs to the Application %q already; kubectl app status %s -n %s shows it",
			m.deployment, seen.Application, seen.Application, seen.Namespace)
	}
	if err := m.importWanted(ctx, seen); err != nil {
		return err
	}
	app := &v1.Application{}
	err := m.connection.Get(ctx, client.ObjectKey{Namespace: seen.Namespace, Name: seen.Application}, app)
	if err == nil {
		seen.App = app
	}
	return client.IgnoreNotFound(err)
}

// importWanted makes the Application that would be created.
func (m *move) importWanted(ctx context.Context, seen *moveReading) error {
	source := &unstructured.Unstructured{}
	switch keeper := seen.Keeper(); {
	case seen.Old != nil:
		source.SetAPIVersion("apps/v1")
		source.SetKind("Deployment")
		if err := m.connection.Get(ctx, client.ObjectKeyFromObject(seen.Old), source); err != nil {
			return err
		}
	case keeper != nil:
		before, err := takeover.Recall(keeper)
		if err != nil {
			return err
		}
		before.SetNamespace(seen.Namespace)
		source = before
	default:
		return fmt.Errorf("there is no Deployment %q in namespace %q; kubectl get deployments lists those that there are", m.deployment, seen.Namespace)
	}
	sources, unread, err := withBeside(ctx, m.connection, source)
	if err != nil {
		return err
	}
	result, err := importing.Import(sources, importing.Options{Name: m.name, Workload: m.deployment}) //nolint:contextcheck // it is pure
	if err != nil {
		return err
	}
	seen.wanted, seen.Application = result.Application, result.Application.Name
	seen.remarks = slices.Concat(unread, result.Remarks)
	seen.wanted.Namespace = seen.Namespace
	seen.whole, err = withDefaults(ctx, seen.wanted)
	return err
}

// withDefaults returns an Application with the schema's defaults, and an error that says why the API server would refuse it.
func withDefaults(ctx context.Context, app *v1.Application) (*v1.Application, error) {
	whole, refused, err := stored(ctx, app)
	if err != nil {
		return nil, err
	}
	if len(refused) > 0 {
		return nil, fmt.Errorf("the Application would be invalid: %s; write it with kubectl app import, correct it, apply it, and call this again",
			strings.Join(refused, "; "))
	}
	return whole, nil
}

// readCopies reads which NetworkPolicies were copied.
func (m *move) readCopies(ctx context.Context, seen *moveReading) error {
	policies := &networkingv1.NetworkPolicyList{}
	if err := m.connection.List(ctx, policies, m.inNamespace()); err != nil {
		return err
	}
	for _, policy := range policies.Items {
		if policy.Annotations[takeover.AnnotationCopy] == m.deployment {
			seen.Copies = append(seen.Copies, policy.Name)
		}
	}
	return nil
}

// readObjects reads the objects that the Application has or would have.
func (m *move) readObjects(ctx context.Context, seen *moveReading) error {
	app := cmp.Or(seen.App, seen.whole)
	if app == nil {
		return nil
	}
	r, err := read(ctx, m.connection, app)
	if err != nil {
		return err
	}
	if len(r.Unseen) > 0 {
		return fmt.Errorf("a move needs to see all that belongs to the Application; not seen: %s", strings.Join(r.Unseen, "; "))
	}
	seen.Made, seen.PodsAvailable = cmp.Or(r.Deployment, seen.Made), r.PodsAvailable
	seen.Suspended = app.Spec.Suspend || ptr.Deref(app.Spec.Replicas, 1) == 0
	if seen.Old != nil {
		seen.warn(seen.Old, "Deployment "+seen.Old.Name)
	}
	for i := range children.Table {
		if child := &children.Table[i]; child.Kind != children.Deployment && !child.CreatedOnce {
			if err := m.readKind(seen, r, child); err != nil {
				return err
			}
		}
	}
	if seen.App == nil || seen.App.Status.ObservedGeneration == 0 {
		if err := r.readOperators(ctx, m.connection); err != nil {
			return err
		}
		seen.unserved = r.Unserved()
	}
	return m.readAstray(ctx, seen, app)
}

// readKind notes the objects of one kind whose names the Application needs.
func (m *move) readKind(seen *moveReading, r *reading, child *children.Child) error {
	app := r.Application()
	built, err := child.Build(r.Inputs)
	if err != nil {
		return fmt.Errorf("%s: %w", child.Kind, err)
	}
	for _, wanted := range built {
		live := r.Find(child.Kind, wanted.Name)
		if live == nil {
			continue
		}
		object := takeover.Object{
			Kind: kindOf(m.connection, child), Name: wanted.Name, Adoption: child.Adoption,
			Owned: child.Owns(app, live), Nobodys: child.IsNobodys(live), Deleted: live.GetDeletionTimestamp() != nil,
			Consent: live.GetAnnotations()[v1.AnnotationAdopt], Remembered: live.GetAnnotations()[takeover.AnnotationBefore] != "",
		}
		seen.Objects = append(seen.Objects, object)
		if !object.Owned {
			seen.warn(live, object.String())
		}
	}
	return nil
}

func (s *moveReading) warn(object metav1.Object, what string) {
	if owner := gitops.Owner(object); owner != "" {
		s.warnings = append(s.warnings, fmt.Sprintf("%s owns %s, and may undo what is done to it; take it out there first, "+
			"without having it deleted", owner, what))
	}
}

// readAstray finds out which requests would be lost.
func (m *move) readAstray(ctx context.Context, seen *moveReading, app *v1.Application) error {
	pods, services := &corev1.PodList{}, &corev1.ServiceList{}
	if err := errors.Join(m.connection.List(ctx, pods, m.inNamespace()), m.connection.List(ctx, services, m.inNamespace())); err != nil {
		return err
	}
	newLabels := map[string]string{}
	if app.Spec.PodMetadata != nil {
		maps.Copy(newLabels, app.Spec.PodMetadata.Labels)
	}
	maps.Copy(newLabels, resources.Labels(app.Name))
	seen.Astray = takeover.Astray(app.Name, services.Items, takeover.OldPods(pods.Items, seen.Sets),
		takeover.Bystanders(app.Name, pods.Items, seen.Sets), newLabels)
	return nil
}

// newestSet returns the ReplicaSet that runs the pods of a Deployment: the newest of those that have some.
func newestSet(sets []appsv1.ReplicaSet) *appsv1.ReplicaSet {
	if len(sets) == 0 {
		return nil
	}
	newest := slices.MaxFunc(sets, func(a, b appsv1.ReplicaSet) int {
		if runs := int(min(1, a.Status.Replicas) - min(1, b.Status.Replicas)); runs != 0 {
			return runs
		}
		return a.CreationTimestamp.Compare(b.CreationTimestamp.Time)
	})
	return &newest
}
