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
	"fmt"
	"slices"
	"strings"

	"github.com/pmezard/go-difflib/difflib"
	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/cli"
	"github.com/example/app-operator/internal/plan"
)

func newDiff(flags *genericclioptions.ConfigFlags, streams genericiooptions.IOStreams) *cobra.Command {
	var from files
	cmd := &cobra.Command{
		Use:   "diff NAME [-f FILE]",
		Short: "Show what the operator would write, beside what is there",
		Long: "Shows what the operator would change of the objects of an Application, by its present spec or by the one in a file. Where you may " +
			"patch the objects, the API server says what would become of them (a server-side dry run); else only what the operator sets is shown.\n\n" +
			"The exit code is 2 if anything differs.",
		Example:           "  kubectl app diff my-app\n  kubectl app diff my-app -f app.yaml",
		Args:              cli.OneName,
		ValidArgsFunction: cli.CompleteNames(flags, streams),
	}
	from.addTo(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		connection, err := cli.Connect(flags, streams)
		if err != nil {
			return err
		}
		app, err := connection.Application(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		if len(from) > 0 {
			if err := from.specFor(cmd.Context(), app, streams); err != nil {
				return err
			}
		}
		r, err := read(cmd.Context(), connection, app)
		if err != nil {
			return err
		}
		return diff(cmd.Context(), connection, r, streams)
	}
	return cmd
}

// specFor gives the Application the spec that a file has for it.
func (f *files) specFor(ctx context.Context, app *v1.Application, streams genericiooptions.IOStreams) error {
	found, err := f.read(ctx, streams)
	if err != nil {
		return err
	}
	for _, each := range found {
		if each.GetName() != app.Name {
			continue
		}
		if err := each.valid(); err != nil {
			return err
		}
		app.Spec = each.app.Spec
		app.Generation++ // as it will have, so that nothing is taken for applied
		return nil
	}
	return fmt.Errorf("--filename: there is no Application %q in what was read", app.Name)
}

// diff shows each step of the plan.
func diff(ctx context.Context, connection *cli.Connection, r *reading, streams genericiooptions.IOStreams) error {
	for _, step := range r.steps {
		before, after, err := both(ctx, connection, r.Application().Namespace, step)
		if err != nil {
			return fmt.Errorf("%s %s: %w", step.Child.Kind, step.Name, err)
		}
		text, err := difflib.GetUnifiedDiffString(difflib.UnifiedDiff{
			A: lines(before), B: lines(after), Context: 3,
			FromFile: step.Child.Kind + "/" + step.Name + " as it is", ToFile: step.Child.Kind + "/" + step.Name + " as it would be",
		})
		if err != nil {
			return err
		}
		_, _ = fmt.Fprint(streams.Out, text)
	}
	for _, words := range r.Blocked {
		_, _ = fmt.Fprintf(streams.ErrOut, "blocked: %s\n", words)
	}
	for _, words := range r.Unseen {
		_, _ = fmt.Fprintf(streams.ErrOut, "not compared: %s\n", words)
	}
	if r.Application().Spec.Paused && len(r.steps) > 0 {
		_, _ = fmt.Fprintf(streams.ErrOut, "it is paused: the operator writes this after kubectl app unpause %s\n", r.Application().Name)
	}
	if len(r.steps) == 0 && len(r.Blocked) == 0 {
		return nil
	}
	return cli.ErrNotWell
}

func lines(text string) []string { return slices.Collect(strings.Lines(text)) }

// both returns an object as it is and as it would be, as YAML; "" where there is none.
func both(ctx context.Context, connection *cli.Connection, namespace string, step *plan.Step) (before, after string, err error) {
	var live *unstructured.Unstructured
	if step.Live != nil {
		live = &unstructured.Unstructured{}
		live.SetGroupVersionKind(kindOf(connection, step.Child))
		if err := connection.Get(ctx, client.ObjectKey{Namespace: namespace, Name: step.Name}, live); err != nil {
			return "", "", err
		}
		if before, err = shown(live); err != nil {
			return "", "", err
		}
	}
	if step.Deletes() {
		return before, "", nil
	}
	desired, err := runtime.DefaultUnstructuredConverter.ToUnstructured(step.Config.ApplyConfiguration)
	if err != nil {
		return "", "", err
	}
	object := &unstructured.Unstructured{Object: desired}
	would := object.DeepCopy()
	err = connection.Apply(ctx, client.ApplyConfigurationFromUnstructured(would), client.DryRunAll, client.ForceOwnership, client.FieldOwner(children.FieldOwner))
	var refused apierrors.APIStatus
	switch {
	case err == nil:
		after, err = shown(would)
		return before, after, err
	case apierrors.IsForbidden(err) && cli.MissingRight(err) != nil:
		if live != nil {
			before, err = shown(&unstructured.Unstructured{Object: only(live.Object, desired)})
		} else {
			err = nil
		}
		if err != nil {
			return "", "", err
		}
		after, err = shown(object)
		return before, after, err
	case errors.As(err, &refused):
		return "", "", fmt.Errorf("the API server would refuse it: %w", err)
	default:
		return "", "", err
	}
}

// kindOf returns the group, version and kind of a row of the table.
func kindOf(connection *cli.Connection, child *children.Child) schema.GroupVersionKind {
	kind, err := connection.GroupVersionKindFor(child.Object)
	if err != nil {
		return child.Object.GetObjectKind().GroupVersionKind()
	}
	return kind
}

// only returns what an object has of the fields that another sets. Lists are taken as they are.
func only(object, of map[string]any) map[string]any {
	kept := map[string]any{}
	for key, wanted := range of {
		has, ok := object[key]
		if !ok {
			continue
		}
		hasMap, isMap := has.(map[string]any)
		wantedMap, wantsMap := wanted.(map[string]any)
		if isMap && wantsMap {
			kept[key] = only(hasMap, wantedMap)
			continue
		}
		kept[key] = has
	}
	return kept
}

// shown returns an object as YAML without what each write changes.
func shown(object *unstructured.Unstructured) (string, error) {
	object = object.DeepCopy()
	delete(object.Object, "status")
	for _, field := range []string{"managedFields", "resourceVersion", "generation", "creationTimestamp", "uid"} {
		unstructured.RemoveNestedField(object.Object, "metadata", field)
	}
	text, err := yaml.Marshal(object.Object)
	return string(text), err
}
