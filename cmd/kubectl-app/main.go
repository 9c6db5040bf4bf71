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

// Command kubectl-app is `kubectl app`, a plugin of kubectl: it shows what an Application does and why, and acts on it, with the rights
// of whoever runs it.
//
// The files here hold the commands: their flags, their requests, and the order of both. What is decided or worded is in pure packages
// below internal/cli. The operator imports nothing of it, and never needs it.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/example/app-operator/internal/cli"
)

// version is set by the linker: -ldflags "-X main.version=1.2.3".
var version = "dev"

// groups are the commands of the plugin, as its help shows them.
var groups = []struct {
	title    string
	commands []cli.Constructor
}{
	{"To look:", []cli.Constructor{newList, newStatus, newWhy, newTree, newEvents, newLogs, newHistory, newDiff, newReport}},
	{"To change:", []cli.Constructor{newRollback, newRestart, newScale, newSuspend, newResume, newPause, newUnpause}},
	{"To move in and out:", []cli.Constructor{newImport, newExport}},
	{"Without a cluster, and to install:", []cli.Constructor{newValidate, newRender, newInstall}},
}

func main() {
	logf.SetLogger(logr.Discard()) // what a command has to say, it says itself
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // whoever interrupts it once more ends it at once
	code := run(ctx, os.Args[1:], genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr})
	stop()
	os.Exit(code)
}

// run is the program without the process around it. It returns the exit code.
func run(ctx context.Context, args []string, streams genericiooptions.IOStreams) int {
	root := newRoot(streams)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if message := cli.Message(err); message != "" {
		_, _ = fmt.Fprintln(streams.ErrOut, message)
	}
	return cli.ExitCode(err)
}

func newRoot(streams genericiooptions.IOStreams) *cobra.Command {
	flags := genericclioptions.NewConfigFlags(true)
	root := &cobra.Command{
		Use:   "kubectl-app",
		Short: "See Applications, and act on them",
		Long: "kubectl app shows what an Application does and why, and acts on it, with the rights that you have.\n\n" +
			"Exit codes: 0 all is well, 1 the command failed, 2 it has answered and something is not well or differs.",
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl app"},
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.ErrOut)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w\nSee '%s --help'", err, cmd.CommandPath())
	})
	flags.AddFlags(root.PersistentFlags())
	for _, group := range groups {
		root.AddGroup(&cobra.Group{ID: group.title, Title: group.title})
		for _, command := range group.commands {
			added := command(flags, streams)
			added.GroupID = group.title
			root.AddCommand(added)
		}
	}
	root.AddCommand(newVersion(flags, streams))
	return root
}

func newVersion(_ *genericclioptions.ConfigFlags, streams genericiooptions.IOStreams) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Show the version of the plugin",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return writeLine(streams.Out, "kubectl-app "+version)
		},
	}
}

func writeLine(out io.Writer, line string) error {
	_, err := fmt.Fprintln(out, line)
	return err
}
