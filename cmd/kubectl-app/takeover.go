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
	"bufio"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	authorizationclient "k8s.io/client-go/kubernetes/typed/authorization/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/example/app-operator/internal/cli"
	"github.com/example/app-operator/internal/cli/takeover"
)

// settleTime is how long nodes and load balancers are given, unless the user says otherwise.
const settleTime = 10 * time.Second

// takeOverOptions are the flags of a move.
type takeOverOptions struct {
	takeOver, undo, dryRun, yes, keepOld bool
	timeout, settle                      time.Duration
}

func (o *takeOverOptions) addTo(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&o.takeOver, "take-over", false, "move the Deployment into the Application, under its clients")
	flags.BoolVar(&o.undo, "undo", false, "go back, until the old Deployment is removed")
	flags.BoolVar(&o.dryRun, "dry-run", false, "say what --take-over or --undo would do, and change nothing")
	flags.BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	flags.BoolVar(&o.keepOld, "keep-old", false, "stop before the old Deployment is removed; called again without it, the command removes it")
	flags.DurationVar(&o.timeout, "timeout", 10*time.Minute, "how long to wait in each step")
	flags.DurationVar(&o.settle, "settle-time", settleTime, "how long nodes and load balancers are given to learn of a switch, before pods are removed")
}

func (o *takeOverOptions) asked() bool { return o.takeOver || o.undo }

// move is one run of the command.
type move struct {
	*takeOverOptions
	connection *cli.Connection
	streams    genericiooptions.IOStreams
	deployment string
	name       string
	seen       *moveReading
	// settled says that nodes and load balancers have had their time.
	settled bool
}

// run moves the Deployment, or moves it back.
func (o *takeOverOptions) run(
	ctx context.Context, options *importOptions, args []string, flags *genericclioptions.ConfigFlags, streams genericiooptions.IOStreams,
) error {
	switch {
	case len(options.files) > 0 || len(args) == 0:
		return errors.New("--take-over moves what runs: give deployment/NAME. To move into an Application that you have written, apply that first")
	case !o.takeOver:
		return errors.New("--undo is the way back of --take-over; give both")
	case options.Workload != "":
		return errors.New("--workload chooses among files; give the Deployment's name as deployment/NAME")
	}
	deployment, err := deploymentName(args[0])
	if err != nil {
		return err
	}
	m := &move{takeOverOptions: o, streams: streams, deployment: deployment, name: options.Name}
	if m.connection, err = cli.Connect(flags, streams); err != nil {
		return err
	}
	if err := m.look(ctx); err != nil {
		return err
	}
	if ready, err := m.prepare(ctx); !ready || err != nil {
		return err
	}
	err = m.steps(ctx)
	if ctx.Err() != nil && m.isOver(ctx) {
		m.say("%s", m.done())
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("interrupted; the same command goes on, and %s goes back", m.command("--undo"))
	}
	return err
}

// command returns the command with other flags.
func (m *move) command(flags string) string {
	words := fmt.Sprintf("kubectl app import deployment/%s -n %s --take-over", m.deployment, m.connection.Namespace)
	if m.name != "" {
		words += " --name " + m.name
	}
	return strings.TrimSpace(words + " " + flags)
}

func (m *move) say(format string, args ...any) {
	_, _ = fmt.Fprintf(m.streams.Out, format+"\n", args...)
}

// way returns the steps that are left.
func (m *move) way() []takeover.Step {
	steps := takeover.Backward
	if !m.undo {
		steps = takeover.Forward
	}
	return slices.DeleteFunc(steps(m.seen.Facts), func(step takeover.Step) bool {
		return step.Done || m.keepOld && step.Kind == takeover.Remove
	})
}

// prepare says what is going to be done, and asks. It reports whether to go on.
func (m *move) prepare(ctx context.Context) (bool, error) {
	refuse := takeover.Refuse
	if m.undo {
		refuse = takeover.RefuseBack
	}
	if err := refuse(m.seen.Facts); err != nil {
		return false, err
	}
	way := m.way()
	if len(way) == 0 {
		m.say("%s", m.done())
		return false, nil
	}
	if m.seen.unserved != "" && !m.undo {
		return false, errors.New(m.seen.unserved)
	}
	if err := m.checkRights(ctx, way); err != nil {
		return false, err
	}
	if err := m.tryCreate(ctx, way); err != nil {
		return false, err
	}
	m.announce(way)
	if m.dryRun {
		return false, nil
	}
	return m.confirmed(ctx)
}

// announce writes the steps, and what has to be known before.
func (m *move) announce(way []takeover.Step) {
	direction := "Deployment %s in %s becomes Application %s"
	if m.undo {
		direction = "Deployment %s in %s does not become Application %s"
	}
	m.say(direction+":", m.deployment, m.connection.Namespace, m.seen.Application)
	for i, step := range way {
		m.say("  %d. %s", i+1, step.Words)
	}
	for _, warning := range m.seen.warnings {
		_, _ = fmt.Fprintf(m.streams.ErrOut, "warning: %s\n", warning)
	}
	if !m.undo && m.seen.App == nil && len(m.seen.remarks) > 0 {
		m.say("What the Application does not say, or says otherwise; kubectl app import deployment/%s -n %s has what to do:", m.deployment, m.connection.Namespace)
		for _, remark := range m.seen.remarks {
			m.say("  %s", remark)
		}
	}
}

// confirmed asks, unless it is not to. A terminal knows nothing of an interruption.
func (m *move) confirmed(ctx context.Context) (bool, error) {
	if m.yes {
		return true, nil
	}
	_, _ = fmt.Fprint(m.streams.Out, "Go on? [y/N] ")
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(m.streams.In).ReadString('\n')
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case <-ctx.Done():
		_, _ = fmt.Fprintln(m.streams.Out)
	case line := <-answer:
		if line == "y" || line == "yes" {
			return true, nil
		}
	}
	return false, errors.New("nothing was changed; --yes goes on without asking")
}

// checkRights returns an error that names each right that is missing for the steps.
func (m *move) checkRights(ctx context.Context, way []takeover.Step) error {
	reviews, err := authorizationclient.NewForConfig(m.connection.Config)
	if err != nil {
		return err
	}
	var missing []string
	for _, right := range takeover.Rights(m.seen.Facts, way) {
		review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
			ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: right.Verb, Resource: right.Resource, Group: right.Group, Namespace: right.Namespace},
		}}
		answer, err := reviews.SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
		if err != nil {
			return fmt.Errorf("ask for the right to %s: %w", right, err)
		}
		if !answer.Status.Allowed {
			missing = append(missing, "\n  kubectl auth can-i "+right.String())
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("you lack rights that this needs, and nothing was changed; ask for them, and check with:%s", strings.Join(missing, ""))
	}
	return nil
}

// tryCreate returns why the API server would refuse the Application, before anything is done.
func (m *move) tryCreate(ctx context.Context, way []takeover.Step) error {
	if m.undo || m.seen.App != nil || way[0].Kind != takeover.Create {
		return nil
	}
	if err := m.connection.Create(ctx, m.seen.wanted.DeepCopy(), client.DryRunAll, client.FieldOwner(fieldManager)); err != nil {
		return fmt.Errorf("the Application would be refused, and nothing was changed: %w", err)
	}
	return nil
}

// steps takes one step after the other.
func (m *move) steps(ctx context.Context) error {
	planned := m.way()
	for at := 0; ; {
		if err := m.look(ctx); err != nil {
			return err
		}
		way := m.way()
		if len(way) == 0 {
			m.pass(planned, at, len(planned))
			m.say("%s", m.done())
			return nil
		}
		step := way[0]
		if !m.undo {
			if err := takeover.Refuse(m.seen.Facts); err != nil {
				return err
			}
			if stuck := takeover.Stuck(m.seen.Facts); stuck != "" {
				return m.givesUp(stuck)
			}
		}
		next := slices.IndexFunc(planned, func(other takeover.Step) bool { return other.Kind == step.Kind })
		if next < 0 { // what was there before has changed
			next, planned = len(planned), append(planned, step)
		}
		m.pass(planned, at, next)
		at = next + 1
		m.say("[%d/%d] %s", at, len(planned), step.Words)
		if err := m.take(ctx, &step); err != nil {
			return err
		}
	}
}

// isOver reports whether no step was left when the command was interrupted.
func (m *move) isOver(ctx context.Context) bool {
	ctx, cancel := m.uninterrupted(ctx)
	defer cancel()
	return m.look(ctx) == nil && len(m.way()) == 0
}

// uninterrupted returns a context that outlasts an interruption, for no longer than a step may take.
func (m *move) uninterrupted(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), m.timeout)
}

// pass says which of the steps were done without having been begun.
func (m *move) pass(planned []takeover.Step, from, to int) {
	for i := from; i < to; i++ {
		m.say("[%d/%d] %s: done", i+1, len(planned), planned[i].Words)
	}
}

// take takes a step and waits until it is done.
func (m *move) take(ctx context.Context, step *takeover.Step) error {
	within, cancel := context.WithTimeout(ctx, m.timeout)
	defer cancel()
	said := ""
	err := wait.PollUntilContextCancel(within, lookInterval, true, func(ctx context.Context) (bool, error) {
		if err := m.do(ctx, step.Kind); err != nil && !apierrors.IsConflict(err) && !apierrors.IsAlreadyExists(err) {
			return false, err
		}
		if err := m.look(ctx); err != nil {
			return false, err
		}
		if next := takeover.Next(m.way()); next == nil || next.Kind != step.Kind {
			return true, nil
		}
		if stuck := takeover.Stuck(m.seen.Facts); stuck != "" && !m.undo {
			return false, m.givesUp(stuck)
		}
		if waits := takeover.Waits(m.seen.Facts, step); waits != said && waits != "" {
			m.say("      %s", waits)
			said = waits
		}
		return false, nil
	})
	if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return m.givesUp(fmt.Sprintf("this was not done after %s; the Application says %s", m.timeout, takeover.Reason(m.seen.Facts)))
	}
	return err
}

// givesUp returns an error that says how to go on, and how to go back.
func (m *move) givesUp(why string) error {
	switched := "; nothing was switched, and the old pods go on"
	if m.seen.Switched() {
		switched = ""
	}
	if m.undo {
		return fmt.Errorf("%s\nTo try again: %s", why, m.command("--undo"))
	}
	return fmt.Errorf("%s%s\nTo see more: kubectl app why %s -n %s\nTo go on, when it is mended: %s\nTo go back: %s",
		why, switched, m.seen.Application, m.connection.Namespace, m.command(""), m.command("--undo"))
}

// done says how things are when no step is left.
func (m *move) done() string {
	switch {
	case m.undo:
		return fmt.Sprintf("Deployment %s is what it was", m.deployment)
	case m.keepOld:
		return fmt.Sprintf("Application %s serves, and the old pods are kept; to remove them: %s\nTo go back: %s",
			m.seen.Application, m.command(""), m.command("--undo"))
	default:
		return fmt.Sprintf("Deployment %s has become Application %s; kubectl app status %s -n %s shows it",
			m.deployment, m.seen.Application, m.seen.Application, m.connection.Namespace)
	}
}
