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
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/cli"
	"github.com/example/app-operator/internal/cli/view"
	"github.com/example/app-operator/internal/outcome"
	"github.com/example/app-operator/internal/plan"
	"github.com/example/app-operator/internal/resources"
	"github.com/example/app-operator/internal/revisions"
	"github.com/example/app-operator/internal/status"
)

// reading is what was read of an Application, and what the operator would make of it.
type reading struct {
	view.Facts
	plan.Snapshot
	// steps are the writes that would make every object as wanted.
	steps []*plan.Step
	// hidden are the kinds that could not be read.
	hidden map[string]bool
}

// read reads an Application and all that belongs to it. What may not be read is noted, and nothing is said of it.
func read(ctx context.Context, connection *cli.Connection, app *v1.Application) (*reading, error) {
	r := &reading{
		Facts: view.Facts{Now: time.Now(), Application: app},
		Snapshot: plan.Snapshot{
			Inputs: resources.Inputs{Application: app}, Live: map[string][]children.Object{}, Unavailable: map[string]error{}, PodsUpdated: true,
		},
		hidden: map[string]bool{},
	}
	for i := range children.Table {
		if err := r.readChildren(ctx, connection, &children.Table[i]); err != nil {
			return nil, err
		}
	}
	r.Deployment = plan.Owned[*appsv1.Deployment](&r.Snapshot, children.Deployment)
	r.Inputs.Live = resources.LiveFrom(r.Deployment)
	r.Claims = r.LiveClaims()
	if service := plan.Owned[*corev1.Service](&r.Snapshot, children.Service); service != nil {
		r.Inputs = r.WithService(service)
	}
	if err := r.readPods(ctx, connection); err != nil {
		return nil, err
	}
	if err := r.decide(ctx, connection); err != nil {
		return nil, err
	}
	if r.Deployment != nil && app.Spec.Rollout != nil && app.Spec.Rollout.RestartOnConfigChange {
		r.ConfigHash = resources.LiveConfigHash(r.Deployment)
	}
	r.plan()
	return r, nil
}

// see returns nil for an error that says that something may not be read, which it notes, and of a kind that the cluster has not.
func (r *reading) see(kind string, err error) error {
	if right := cli.MissingRight(err); right != nil {
		r.hidden[kind] = true
		r.Unseen = append(r.Unseen, fmt.Sprintf("%ss, since you have no right to %s", kind, right))
		return nil
	}
	return err
}

// readChildren reads the objects of one kind that belong to the Application, and those whose names it needs.
func (r *reading) readChildren(ctx context.Context, connection *cli.Connection, child *children.Child) error {
	app := r.Application()
	list := child.NewList()
	err := connection.List(ctx, list, client.InNamespace(app.Namespace))
	if meta.IsNoMatchError(err) && child.Optional() {
		r.Unavailable[child.Kind] = fmt.Errorf("the cluster has no %ss", child.Kind)
		return nil
	}
	if err != nil {
		return r.see(child.Kind, err)
	}
	return meta.EachListItem(list, func(item runtime.Object) error {
		object := item.(children.Object)
		if child.Owns(app, object) || child.FoundByLabel && child.ApplicationOf(object) == app.Name || slices.Contains(child.ApplicationsOf(object), app.Name) {
			r.Live[child.Kind] = append(r.Live[child.Kind], object)
		}
		return nil
	})
}

// Application returns the Application that was read.
func (r *reading) Application() *v1.Application { return r.Facts.Application }

// readPods reads the pods of the Deployment, the oldest first.
func (r *reading) readPods(ctx context.Context, connection *cli.Connection) error {
	app := r.Application()
	if r.Deployment == nil {
		return nil
	}
	sets := &appsv1.ReplicaSetList{}
	selects := []client.ListOption{client.InNamespace(app.Namespace), client.MatchingLabels(resources.Labels(app.Name))}
	if err := connection.List(ctx, sets, selects...); err != nil {
		return r.see("ReplicaSet", err)
	}
	ours := map[types.UID]bool{}
	for i := range sets.Items {
		if metav1.IsControlledBy(&sets.Items[i], r.Deployment) {
			ours[sets.Items[i].UID] = true
		}
	}
	pods := &corev1.PodList{}
	if err := connection.List(ctx, pods, selects...); err != nil {
		return r.see("Pod", err)
	}
	for _, pod := range pods.Items {
		if by := metav1.GetControllerOf(&pod); by != nil && ours[by.UID] {
			r.Pods = append(r.Pods, pod)
		}
	}
	slices.SortFunc(r.Pods, status.OlderPod)
	r.PodsUpdated = status.RolledOut(r.Deployment)
	r.PodsAvailable = r.PodsUpdated && r.Deployment.Status.AvailableReplicas > 0
	if !r.PodsUpdated || !resources.PortsSettled(r.Inputs) {
		for i := range r.Pods {
			if main := resources.MainContainer(&r.Pods[i].Spec, app.Name); main != nil {
				r.PodPorts = append(r.PodPorts, main.Ports)
			}
		}
	}
	return nil
}

// decide finds out which pods are wanted, as the operator does from what it has written down.
func (r *reading) decide(ctx context.Context, connection *cli.Connection) error {
	app := r.Application()
	revision, err := revisions.Of(app)
	if err != nil {
		return err
	}
	command, err := revisions.CommandHash(app)
	if err != nil {
		return err
	}
	facts := revisions.Facts{
		App: app.Name, Now: metav1.NewTime(r.Now), Update: revision.Hash, Command: command, Known: map[string]revisions.Record{},
		Current: app.Status.CurrentRevision, Runs: resources.DeployedRevision(r.Deployment),
		Deployed: r.Deployment != nil, Applied: app.Status.ObservedGeneration == app.Generation,
		Frozen: app.Spec.Paused || app.Spec.Suspend,
	}
	inUse := []string{app.Status.CurrentRevision, facts.Runs}
	for _, known := range r.Live[children.ControllerRevision] {
		if children.Of(children.ControllerRevision).Owns(app, known) {
			facts.Known[known.GetName()] = resources.RevisionRecord(known, metav1.Time{})
			inUse = append(inUse, known.GetName()) // which of them go is not the question
		}
	}
	r.readJobs(&facts)
	decision := revisions.Decide(facts)
	r.Update = resources.Update{Name: decision.Update, Hash: revision.Hash, Record: facts.Known[decision.Update]}
	if r.Find(children.ControllerRevision, decision.Update) == nil {
		r.Update.Data = revision.Data
		r.Update.Record = decision.Records[decision.Update]
	}
	r.Revision, r.KeepsPods = decision.Want, decision.Want == ""
	r.ReleaseJob, r.RunRelease = decision.ReleaseJob, decision.RunRelease
	r.History = revisions.History(facts.Known, inUse, len(inUse))
	if decision.Want == "" || decision.Want == decision.Update {
		return nil
	}
	earlier := &appsv1.ControllerRevision{}
	if err := connection.Get(ctx, client.ObjectKey{Namespace: app.Namespace, Name: decision.Want}, earlier); err != nil {
		return fmt.Errorf("read the revision whose pods are wanted: %w", err)
	}
	r.Snapshot.Pods, err = revisions.WithPods(app, earlier.Data.Raw)
	return err
}

// readJobs adds the Jobs of the release commands to the facts.
func (r *reading) readJobs(facts *revisions.Facts) {
	for _, job := range r.ReleaseJobs() {
		ended := status.EndOf(job) != nil
		r.PodsUpdated = r.PodsUpdated && ended
		r.JobsRemain = true
		facts.Jobs = append(facts.Jobs, revisions.Job{
			Name: job.Name, Hash: job.Labels[resources.LabelRevision], Ended: ended, Failed: ended && status.Failed(job),
		})
	}
}

// plan finds out what the operator would write, and says of each object how it compares with what is wanted.
func (r *reading) plan() {
	steps, err := plan.For(r.Application(), &r.Snapshot, plan.LastApplied{})
	states := map[plan.Key]view.State{}
	for _, step := range steps {
		switch {
		case r.hidden[step.Child.Kind]:
			continue
		case step.Deletes():
			states[step.Key()] = view.NotWanted
		case step.Live == nil:
			states[step.Key()] = view.Missing
		default:
			states[step.Key()] = view.Differs
		}
		r.steps = append(r.steps, &step)
	}
	for i := range children.Table {
		child := &children.Table[i]
		var names []string
		for _, object := range r.Live[child.Kind] {
			if child.Owns(r.Application(), object) {
				names = append(names, object.GetName())
			}
		}
		for key := range states {
			if key.Kind == child.Kind && !slices.Contains(names, key.Name) {
				names = append(names, key.Name)
			}
		}
		slices.Sort(names)
		for _, name := range names {
			state := cmp.Or(states[plan.Key{Kind: child.Kind, Name: name}], view.AsWanted)
			r.Objects = append(r.Objects, view.Object{Kind: child.Kind, Name: name, State: state})
		}
	}
	r.Blocked = wordsOf(err)
}

// wordsOf returns why objects cannot be had, in the words that conditions have.
func wordsOf(err error) []string {
	var words []string
	for _, blocked := range outcome.Flatten(err) {
		var invalid *outcome.Invalid
		var waiting *outcome.Waiting
		switch {
		case errors.As(blocked, &invalid):
			words = append(words, invalid.Message)
		case errors.As(blocked, &waiting):
			words = append(words, waiting.Message)
		case blocked != nil:
			words = append(words, blocked.Error())
		}
	}
	return words
}

// readEvents reads the events of the Application, of its objects and of its pods, the oldest first.
func (r *reading) readEvents(ctx context.Context, connection *cli.Connection) error {
	app := r.Application()
	about := map[string]bool{"Application/" + app.Name: true}
	for _, object := range r.Objects {
		about[object.Kind+"/"+object.Name] = true
	}
	for i := range r.Pods {
		about["Pod/"+r.Pods[i].Name] = true
		if by := metav1.GetControllerOf(&r.Pods[i]); by != nil {
			about[by.Kind+"/"+by.Name] = true
		}
	}
	list := &corev1.EventList{}
	if err := connection.List(ctx, list, client.InNamespace(app.Namespace)); err != nil {
		return r.see("Event", err)
	}
	for _, event := range list.Items {
		if about[event.InvolvedObject.Kind+"/"+event.InvolvedObject.Name] {
			r.Events = append(r.Events, event)
		}
	}
	slices.SortStableFunc(r.Events, func(a, b corev1.Event) int {
		return view.EventTime(&a).Compare(view.EventTime(&b).Time)
	})
	return nil
}

// maxNamespaces is in how many namespaces an operator is looked for, one by one.
const maxNamespaces = 50

// operatorsByNamespace returns the operators that may be seen by somebody who may not list Deployments everywhere: in the Application's
// namespace, in the one where the operator's own manifests put it, and in those that they may list.
func (r *reading) operatorsByNamespace(ctx context.Context, connection *cli.Connection) ([]appsv1.Deployment, error) {
	names := []string{r.Application().Namespace, view.Home}
	namespaces := &metav1.PartialObjectMetadataList{}
	namespaces.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("NamespaceList"))
	if err := connection.List(ctx, namespaces, client.Limit(maxNamespaces)); err != nil && cli.MissingRight(err) == nil {
		return nil, err
	}
	for i := range namespaces.Items {
		names = append(names, namespaces.Items[i].Name)
	}
	slices.Sort(names)
	var found []appsv1.Deployment
	for _, name := range slices.Compact(names) {
		list := &appsv1.DeploymentList{}
		if err := connection.List(ctx, list, operatorLabels, client.InNamespace(name)); err != nil && cli.MissingRight(err) == nil {
			return nil, err
		}
		found = append(found, list.Items...)
	}
	return found, nil
}

// operatorLabels are those of the operator's Deployment and of its pods.
var operatorLabels = client.MatchingLabels{"control-plane": "controller-manager", "app.kubernetes.io/name": "app-operator"}

// readOperators looks for the operators that there are: in all namespaces, or where that is not allowed, in that of the Application.
func (r *reading) readOperators(ctx context.Context, connection *cli.Connection) error {
	list := &appsv1.DeploymentList{}
	err := connection.List(ctx, list, operatorLabels)
	if right := cli.MissingRight(err); right != nil {
		r.Unseen = append(r.Unseen, fmt.Sprintf("operators in all namespaces, since you have no right to %s", right))
		list.Items, err = r.operatorsByNamespace(ctx, connection)
	}
	if err != nil {
		return err
	}
	for i := range list.Items {
		r.Operators = append(r.Operators, view.OperatorOf(&list.Items[i]))
	}
	return nil
}
