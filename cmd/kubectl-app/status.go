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
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/yaml"

	"github.com/example/app-operator/internal/cli"
	"github.com/example/app-operator/internal/cli/view"
)

// lookInterval is how often a command that waits looks again.
const lookInterval = time.Second

// look reads the Application of this name and all that belongs to it.
func look(ctx context.Context, connection *cli.Connection, name string) (*reading, error) {
	app, err := connection.Application(ctx, name)
	if err != nil {
		return nil, err
	}
	r, err := read(ctx, connection, app)
	if err != nil {
		return nil, err
	}
	return r, r.readEvents(ctx, connection)
}

// about returns a command about one Application, of which everything is read first.
func about(
	flags *genericclioptions.ConfigFlags, streams genericiooptions.IOStreams, cmd *cobra.Command,
	run func(ctx context.Context, connection *cli.Connection, r *reading) error,
) *cobra.Command {
	cmd.Args = cli.OneName
	cmd.ValidArgsFunction = cli.CompleteNames(flags, streams)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		connection, err := cli.Connect(flags, streams)
		if err != nil {
			return err
		}
		r, err := look(cmd.Context(), connection, args[0])
		if err != nil {
			return err
		}
		return run(cmd.Context(), connection, r)
	}
	return cmd
}

func newStatus(flags *genericclioptions.ConfigFlags, streams genericiooptions.IOStreams) *cobra.Command {
	var output string
	var watch bool
	cmd := about(flags, streams, &cobra.Command{
		Use:     "status NAME",
		Short:   "Show on one screen how an Application fares",
		Example: "  kubectl app status my-app\n  kubectl app status my-app --watch\n  kubectl app status my-app -o json",
	}, func(ctx context.Context, connection *cli.Connection, r *reading) error {
		text, err := statusText(r, output)
		if err != nil {
			return err
		}
		writeStatus(streams.Out, text, output, r)
		if watch {
			if r, err = watchStatus(ctx, connection, r, output, streams.Out); err != nil {
				return err
			}
		}
		return exitOf(&r.Facts)
	})
	cmd.Flags().StringVarP(&output, "output", "o", "", "One of json, yaml, wide.")
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "Show it again whenever it changes, until it is settled.")
	return cmd
}

// verdictOf returns how the Application fares.
func verdictOf(r *reading) view.Verdict {
	verdict, _ := view.VerdictOf(r.Facts.Application)
	return verdict
}

// exitOf returns nil if nobody has to act.
func exitOf(f *view.Facts) error {
	if verdict, _ := view.VerdictOf(f.Application); !verdict.Well() {
		return cli.ErrNotWell
	}
	return nil
}

func statusText(r *reading, output string) ([]byte, error) {
	var out bytes.Buffer
	switch output {
	case "":
		view.Status(&out, &r.Facts, view.Short)
	case "wide":
		view.Status(&out, &r.Facts, view.Wide)
	case "json":
		encoder := json.NewEncoder(&out)
		encoder.SetIndent("", "    ") // as kubectl's
		if err := encoder.Encode(view.Summarize(&r.Facts)); err != nil {
			return nil, err
		}
	case "yaml":
		return yaml.Marshal(view.Summarize(&r.Facts))
	default:
		return nil, fmt.Errorf("--output: %q is none of json, yaml and wide", output)
	}
	return out.Bytes(), nil
}

// writeStatus writes the status, in colours where it is for a person.
func writeStatus(out io.Writer, text []byte, output string, r *reading) {
	if output == "json" || output == "yaml" {
		_, _ = out.Write(text)
		return
	}
	write(out, text, verdictOf(r))
}

// watchStatus shows the status again whenever more of it changes than ages, until it is settled.
func watchStatus(ctx context.Context, connection *cli.Connection, r *reading, output string, out io.Writer) (*reading, error) {
	shown := r
	settled := func() bool { return view.Settled(shown.Facts.Application) }
	if settled() {
		return shown, nil
	}
	err := wait.PollUntilContextCancel(ctx, lookInterval, false, func(ctx context.Context) (bool, error) {
		now, err := look(ctx, connection, shown.Facts.Application.Name)
		if err != nil {
			return false, err
		}
		before := *shown
		before.Now, shown.Now = now.Now, now.Now
		was, err := statusText(&before, output)
		if err != nil {
			return false, err
		}
		is, err := statusText(now, output)
		if err != nil {
			return false, err
		}
		shown = now
		if !bytes.Equal(was, is) {
			writeStatus(out, append([]byte("\n"), is...), output, now)
		}
		return settled(), nil
	})
	return shown, err
}

func newTree(flags *genericclioptions.ConfigFlags, streams genericiooptions.IOStreams) *cobra.Command {
	return about(flags, streams, &cobra.Command{
		Use: "tree NAME", Short: "Show what belongs to an Application", Example: "  kubectl app tree my-app",
	}, func(_ context.Context, _ *cli.Connection, r *reading) error {
		view.Tree(streams.Out, &r.Facts)
		for _, unseen := range r.Unseen {
			_, _ = fmt.Fprintf(streams.ErrOut, "not seen: %s\n", unseen)
		}
		return nil
	})
}

func newEvents(flags *genericclioptions.ConfigFlags, streams genericiooptions.IOStreams) *cobra.Command {
	return about(flags, streams, &cobra.Command{
		Use: "events NAME", Short: "Show the events of an Application, its objects and its pods", Example: "  kubectl app events my-app",
	}, func(_ context.Context, _ *cli.Connection, r *reading) error {
		if r.hidden["Event"] {
			return fmt.Errorf("not seen: %s", r.Unseen[len(r.Unseen)-1])
		}
		if len(r.Events) == 0 {
			_, _ = fmt.Fprintf(streams.ErrOut, "No events of %s are kept any more, in namespace %s\n", r.Facts.Application.Name, r.Facts.Application.Namespace)
			return nil
		}
		view.Events(streams.Out, r.Events, r.Now)
		return nil
	})
}

func newWhy(flags *genericclioptions.ConfigFlags, streams genericiooptions.IOStreams) *cobra.Command {
	return about(flags, streams, &cobra.Command{
		Use:   "why NAME",
		Short: "Say why an Application is not well, and what to do next",
		Long: "Says why an Application is not well, from a namespace that no operator serves to a fault of a pod, and which command comes next. " +
			"The exit code is 2 if somebody has to act.",
		Example: "  kubectl app why my-app",
	}, func(ctx context.Context, connection *cli.Connection, r *reading) error {
		app := r.Facts.Application
		if app.Status.ObservedGeneration < app.Generation {
			if err := r.readOperators(ctx, connection); err != nil {
				return err
			}
		}
		if err := r.readClaims(ctx, connection); err != nil {
			return err
		}
		var said bytes.Buffer
		well := view.Why(&said, &r.Facts)
		write(streams.Out, said.Bytes(), verdictOf(r))
		if !well {
			return cli.ErrNotWell
		}
		return nil
	})
}
