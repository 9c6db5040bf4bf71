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
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/util/retry"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/cli"
	"github.com/example/app-operator/internal/cli/gitops"
	"github.com/example/app-operator/internal/cli/view"
	"github.com/example/app-operator/internal/status"
)

// fieldManager is the name under which the plugin's changes are owned.
const fieldManager = "kubectl-app"

// action is a command that changes one Application, and waits if asked.
type action struct {
	streams    genericiooptions.IOStreams
	connection *cli.Connection
	wait       bool
	timeout    time.Duration
}

func (a *action) addTo(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&a.wait, "wait", false, "Wait until it is done, or somebody has to act.")
	cmd.Flags().DurationVar(&a.timeout, "timeout", 10*time.Minute, "How long --wait waits.")
}

// newAction returns a command that reads an Application and acts on it.
func newAction(
	flags *genericclioptions.ConfigFlags, streams genericiooptions.IOStreams, cmd *cobra.Command,
	act func(ctx context.Context, a *action, app *v1.Application) error,
) *cobra.Command {
	a := &action{streams: streams}
	cmd.Args = cli.OneName
	cmd.ValidArgsFunction = cli.CompleteNames(flags, streams)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var err error
		if a.connection, err = cli.Connect(flags, streams); err != nil {
			return err
		}
		app, err := a.connection.Application(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		return act(cmd.Context(), a, app)
	}
	a.addTo(cmd)
	return cmd
}

func (a *action) say(format string, args ...any) {
	_, _ = fmt.Fprintf(a.streams.Out, format+"\n", args...)
}

func (a *action) warn(words string) {
	if words != "" {
		_, _ = fmt.Fprintf(a.streams.ErrOut, "warning: %s\n", words)
	}
}

// change writes what edit has changed of an Application, and nothing else of it. It reports whether there was anything to change. Where
// the operator has written the status in between, it looks again.
func (a *action) change(ctx context.Context, app *v1.Application, edit func(*v1.Application), path ...string) (changed bool, err error) {
	err = retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		before := app.DeepCopy()
		edit(app)
		content, err := client.MergeFrom(before).Data(app)
		if err != nil || string(content) == "{}" {
			return err
		}
		patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
		err = a.connection.Patch(ctx, app, patch, client.FieldOwner(fieldManager))
		if apierrors.IsConflict(err) {
			now, failed := a.connection.Application(ctx, before.Name)
			if failed != nil {
				return failed
			}
			if now.Generation != before.Generation { // what was decided on is not there any more
				return errors.New("somebody else has changed the spec at the same time; try again")
			}
			*app = *now
		}
		if changed = err == nil; changed {
			a.warn(gitops.Warning(before, path...))
		}
		return err
	})
	return changed, err
}

// settled waits, if asked, until the Application is settled, and ready says so as well.
func (a *action) settled(ctx context.Context, app *v1.Application, done func(context.Context, *v1.Application) (bool, error)) error {
	if !a.wait {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	err := wait.PollUntilContextCancel(ctx, lookInterval, true, func(ctx context.Context) (bool, error) {
		now, err := a.connection.Application(ctx, app.Name)
		if err != nil {
			return false, err
		}
		*app = *now
		if !view.Settled(app) || done == nil {
			return view.Settled(app), nil
		}
		return done(ctx, app)
	})
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s is not settled after %s; kubectl app why %s -n %s says what it waits for", app.Name, a.timeout, app.Name, app.Namespace)
	}
	if err != nil {
		return err
	}
	verdict, condition := view.VerdictOf(app)
	a.say("%s is %s: %s", app.Name, verdict, condition.Message)
	if !verdict.Well() {
		return cli.ErrNotWell
	}
	return nil
}

// newSwitch returns a command that sets one field of the spec.
func newSwitch(
	flags *genericclioptions.ConfigFlags, streams genericiooptions.IOStreams, cmd *cobra.Command, field string,
	edit func(*v1.Application), done, already string,
) *cobra.Command {
	return newAction(flags, streams, cmd, func(ctx context.Context, a *action, app *v1.Application) error {
		changed, err := a.change(ctx, app, edit, "spec", field)
		if err != nil {
			return err
		}
		if !changed {
			a.say("%s %s", app.Name, already)
			return a.settled(ctx, app, nil)
		}
		a.say("%s %s", app.Name, done)
		return a.settled(ctx, app, nil)
	})
}

func newSuspend(flags *genericclioptions.ConfigFlags, streams genericiooptions.IOStreams) *cobra.Command {
	return newSwitch(flags, streams, &cobra.Command{
		Use: "suspend NAME", Short: "Take an Application down to zero pods, and keep everything else", Example: "  kubectl app suspend my-app",
	}, "suspend", func(app *v1.Application) { app.Spec.Suspend = true },
		"is suspended: its pods end, and everything else stays (spec.suspend is true)", "was suspended already")
}

func newResume(flags *genericclioptions.ConfigFlags, streams genericiooptions.IOStreams) *cobra.Command {
	return newSwitch(flags, streams, &cobra.Command{
		Use: "resume NAME", Short: "Bring back the pods of a suspended Application", Example: "  kubectl app resume my-app --wait",
	}, "suspend", func(app *v1.Application) { app.Spec.Suspend = false },
		"is resumed: its pods come back (spec.suspend is removed)", "was not suspended; kubectl app unpause is for a paused one")
}

func newPause(flags *genericclioptions.ConfigFlags, streams genericiooptions.IOStreams) *cobra.Command {
	return newSwitch(flags, streams, &cobra.Command{
		Use: "pause NAME", Short: "Have the operator leave the objects of an Application as they are", Example: "  kubectl app pause my-app",
	}, "paused", func(app *v1.Application) { app.Spec.Paused = true },
		"is paused: the operator leaves its objects as they are (spec.paused is true)", "was paused already")
}

func newUnpause(flags *genericclioptions.ConfigFlags, streams genericiooptions.IOStreams) *cobra.Command {
	return newSwitch(flags, streams, &cobra.Command{
		Use: "unpause NAME", Short: "Have the operator go on with a paused Application", Example: "  kubectl app unpause my-app --wait",
	}, "paused", func(app *v1.Application) { app.Spec.Paused = false },
		"goes on: the operator makes its objects as the spec says (spec.paused is removed)", "was not paused; kubectl app resume is for a suspended one")
}

func newScale(flags *genericclioptions.ConfigFlags, streams genericiooptions.IOStreams) *cobra.Command {
	replicas := int32(-1)
	cmd := newAction(flags, streams, &cobra.Command{
		Use: "scale NAME --replicas COUNT", Short: "Change how many pods are desired", Example: "  kubectl app scale my-app --replicas 5 --wait",
	}, func(ctx context.Context, a *action, app *v1.Application) error {
		if replicas < 0 {
			return errors.New("--replicas: a count of 0 or more is needed")
		}
		if app.Spec.Autoscaling != nil {
			a.warn("an autoscaler decides how many pods run; spec.replicas is only where it starts. Change spec.autoscaling instead")
		}
		if app.Spec.Suspend {
			a.warn("it is suspended, and has no pods until kubectl app resume")
		}
		before := ptr.Deref(app.Spec.Replicas, 1)
		changed, err := a.change(ctx, app, func(app *v1.Application) { app.Spec.Replicas = &replicas }, "spec", "replicas")
		if err != nil {
			return err
		}
		if !changed {
			a.say("%s has %d replicas already", app.Name, replicas)
			return a.settled(ctx, app, nil)
		}
		a.say("%s is scaled from %d to %d replicas (spec.replicas)", app.Name, before, replicas)
		return a.settled(ctx, app, nil)
	})
	cmd.Flags().Int32Var(&replicas, "replicas", -1, "How many pods are desired.")
	return cmd
}

func newRestart(flags *genericclioptions.ConfigFlags, streams genericiooptions.IOStreams) *cobra.Command {
	return newAction(flags, streams, &cobra.Command{
		Use: "restart NAME", Short: "Replace the pods of an Application, in the way of its rollout",
		Long: "Replaces the pods as kubectl rollout restart does: by an annotation of the Deployment's pods, which the operator keeps.",

		Example: "  kubectl app restart my-app --wait",
	}, restart)
}

// restart replaces the pods of the Application's own Deployment: one of its name may be somebody else's.
func restart(ctx context.Context, a *action, app *v1.Application) error {
	if app.Spec.Suspend {
		return fmt.Errorf("%s is suspended, and has no pods to restart; kubectl app resume %s brings them back", app.Name, app.Name)
	}
	deployment := &appsv1.Deployment{}
	err := a.connection.Get(ctx, client.ObjectKeyFromObject(app), deployment)
	if client.IgnoreNotFound(err) != nil {
		return err
	}
	if err != nil || !children.Of(children.Deployment).Owns(app, deployment) {
		return fmt.Errorf("%s has no Deployment of its own to restart; kubectl app why %s -n %s says why", app.Name, app.Name, app.Namespace)
	}
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": deployment.UID},
		"spec": map[string]any{"template": map[string]any{"metadata": map[string]any{
			"annotations": map[string]any{"kubectl.kubernetes.io/restartedAt": time.Now().Format(time.RFC3339)},
		}}},
	})
	if err != nil {
		return err
	}
	if err := a.connection.Patch(ctx, deployment, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(fieldManager)); err != nil {
		return err
	}
	a.say("%s is restarted: its pods are replaced one after the other", app.Name)
	generation, before := deployment.Generation, app.DeepCopy()
	return a.settled(ctx, app, func(ctx context.Context, app *v1.Application) (bool, error) {
		err := a.connection.Get(ctx, client.ObjectKeyFromObject(app), deployment)
		if err != nil || deployment.Status.ObservedGeneration < generation {
			return false, err
		}
		return status.RolledOut(deployment) || hasFailedSince(before, app), nil
	})
}

// hasFailedSince reports whether somebody has to act upon an Application for another cause than before.
func hasFailedSince(before, now *v1.Application) bool {
	was := meta.FindStatusCondition(before.Status.Conditions, v1.ConditionReady)
	is := meta.FindStatusCondition(now.Status.Conditions, v1.ConditionReady)
	return is != nil && is.Status == metav1.ConditionFalse && (was == nil || was.Status != is.Status || was.Message != is.Message)
}
