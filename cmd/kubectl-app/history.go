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
	"strings"
	"time"

	"github.com/spf13/cobra"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/cli-runtime/pkg/printers"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/cli"
	"github.com/example/app-operator/internal/resources"
	"github.com/example/app-operator/internal/revisions"
)

// revision is one that an Application has had.
type revision struct {
	appsv1.ControllerRevision
	revisions.Record
	// of is the Application with the pods of the revision.
	of *v1.Application
}

// readHistory returns the revisions of an Application that are kept, the newest first.
func readHistory(ctx context.Context, connection *cli.Connection, app *v1.Application) ([]revision, error) {
	list := &appsv1.ControllerRevisionList{}
	if err := connection.List(ctx, list, client.InNamespace(app.Namespace)); err != nil {
		return nil, err
	}
	var history []revision
	for _, kept := range list.Items {
		if !children.Of(children.ControllerRevision).Owns(app, &kept) {
			continue
		}
		of, err := revisions.WithPods(app, kept.Data.Raw)
		if err != nil {
			return nil, fmt.Errorf("revision %s: %w", kept.Name, err)
		}
		history = append(history, revision{kept, resources.RevisionRecord(&kept, metav1.Time{}), of})
	}
	slices.SortFunc(history, func(a, b revision) int { return cmp.Compare(b.Number, a.Number) })
	return history, nil
}

// state returns what is to be said of a revision.
func (r *revision) state(app *v1.Application) string {
	var words []string
	if r.Name == app.Status.CurrentRevision {
		words = append(words, "was last ready")
	}
	if r.Name == app.Status.UpdateRevision {
		words = append(words, "is what the spec asks for")
	}
	if r.Failed != "" {
		words = append(words, "its rollout has failed: "+r.Failed)
	}
	if r.FailedRelease != "" {
		words = append(words, "its release command has failed: "+r.FailedReleaseWords)
	}
	return strings.Join(words, "; ")
}

func newHistory(flags *genericclioptions.ConfigFlags, streams genericiooptions.IOStreams) *cobra.Command {
	return about(flags, streams, &cobra.Command{
		Use: "history NAME", Short: "Show the revisions of an Application that are kept", Example: "  kubectl app history my-app",
	}, func(ctx context.Context, connection *cli.Connection, r *reading) error {
		app := r.Application()
		history, err := readHistory(ctx, connection, app)
		if err != nil {
			return err
		}
		table := printers.GetNewTabWriter(streams.Out)
		_, _ = fmt.Fprintln(table, "NUMBER\tREVISION\tIMAGE\tAGE\tSTATE")
		for i := range history {
			each := &history[i]
			_, _ = fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\n", each.Number, each.Name, each.of.Spec.Image,
				duration.HumanDuration(time.Since(each.CreationTimestamp.Time)), each.state(app))
		}
		return table.Flush()
	})
}

// choose returns the revision that is gone back to: the one that is asked for by number or name, or else the newest that was not
// found to fail and is not what the spec asks for.
func choose(history []revision, app *v1.Application, asked string) (*revision, error) {
	for i := range history {
		each := &history[i]
		switch {
		case asked != "" && (asked == each.Name || asked == fmt.Sprint(each.Number)):
			return each, nil
		case asked == "" && each.Name != app.Status.UpdateRevision && each.Failed == "" && each.FailedRelease == "":
			return each, nil
		}
	}
	if asked != "" {
		return nil, fmt.Errorf("--to: no revision %q is kept; kubectl app history %s -n %s lists them", asked, app.Name, app.Namespace)
	}
	return nil, errors.New("there is no earlier revision to go back to")
}

func newRollback(flags *genericclioptions.ConfigFlags, streams genericiooptions.IOStreams) *cobra.Command {
	var to string
	cmd := newAction(flags, streams, &cobra.Command{
		Use: "rollback NAME [--to REVISION]", Short: "Give an Application the pods of an earlier revision",
		Long: "Writes into the spec what shapes the pods of an earlier revision: its image, for example, and its environment, but not its " +
			"replicas. What a release command did is not undone.",
		Example: "  kubectl app rollback my-app\n  kubectl app rollback my-app --to 3 --wait",
	}, func(ctx context.Context, a *action, app *v1.Application) error {
		history, err := readHistory(ctx, a.connection, app)
		if err != nil {
			return err
		}
		chosen, err := choose(history, app, to)
		if err != nil {
			return err
		}
		before := app.Spec.Image
		changed, err := a.change(ctx, app, func(app *v1.Application) { app.Spec = *chosen.of.Spec.DeepCopy() }, "spec")
		if err != nil {
			return err
		}
		if !changed {
			a.say("%s asks for the pods of revision %d (%s) already", app.Name, chosen.Number, chosen.Name)
			return a.settled(ctx, app, nil)
		}
		a.say("%s goes back to the pods of revision %d (%s), from image %s to %s", app.Name, chosen.Number, chosen.Name, before, app.Spec.Image)
		return a.settled(ctx, app, nil)
	})
	cmd.Flags().StringVar(&to, "to", "", "Number or name of the revision, as kubectl app history shows them. Default: the newest that has not failed.")
	return cmd
}
