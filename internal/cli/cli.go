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

// Package cli is what the commands of `kubectl app` share: their form, the client that acts with the rights of whoever runs them,
// their exit codes, and how they tell of what was refused.
//
// It may read Applications and connect to a cluster. What a command says of what was read is decided in pure functions elsewhere,
// and nothing here writes an object.
package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/cluster"
)

// Constructor makes a command. The flags say where the cluster is, and are shared by all commands.
type Constructor func(flags *genericclioptions.ConfigFlags, streams genericiooptions.IOStreams) *cobra.Command

// Exit codes, for scripts.
const (
	ExitOK = 0
	// ExitError is for a command that could not do what it was asked for.
	ExitError = 1
	// ExitNotWell is for a command that has answered, and whose answer is that something is not well, or differs.
	ExitNotWell = 2
)

// ErrNotWell is returned by a command that has said what is not well.
var ErrNotWell = errors.New("what was asked about is not well")

// Connection is a cluster, as whoever runs the command may use it.
type Connection struct {
	client.WithWatch
	Config *rest.Config
	// Namespace is that of --namespace or of the context.
	Namespace string
}

// Connect returns the cluster that the flags name. It sends nothing yet.
func Connect(flags *genericclioptions.ConfigFlags, streams genericiooptions.IOStreams) (*Connection, error) {
	config, err := flags.ToRESTConfig()
	if err != nil {
		return nil, err
	}
	namespace, _, err := flags.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return nil, err
	}
	// As many requests as kubectl makes before it slows itself down.
	config.QPS, config.Burst = 50, 300
	config.WarningHandler = rest.NewWarningWriter(streams.ErrOut, rest.WarningWriterOptions{Deduplicate: true})
	scheme, err := cluster.NewScheme()
	if err != nil {
		return nil, err
	}
	connected, err := client.NewWithWatch(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, err
	}
	return &Connection{WithWatch: connected, Config: config, Namespace: namespace}, nil
}

// Application returns the Application of this name in the namespace of the connection.
func (c *Connection) Application(ctx context.Context, name string) (*v1.Application, error) {
	app := &v1.Application{}
	if err := c.Get(ctx, client.ObjectKey{Namespace: c.Namespace, Name: name}, app); err != nil {
		return nil, c.ExplainMissing(name, err)
	}
	return app, nil
}

// ExplainMissing returns the error of reading an Application with what to do about it.
func (c *Connection) ExplainMissing(name string, err error) error {
	switch {
	case meta.IsNoMatchError(err):
		return fmt.Errorf("this cluster has no Applications: the CustomResourceDefinition applications.%s is not installed; "+
			"install the operator first: kubectl app install generate --help", v1.GroupVersion.Group)
	case apierrors.IsNotFound(err):
		return fmt.Errorf("there is no Application %q in namespace %q; kubectl get appl --all-namespaces lists those that you may see",
			name, c.Namespace)
	default:
		return err
	}
}

// OneName refuses any other number of arguments than one, the name of an Application.
func OneName(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("give the name of one Application, as in %s my-app; see %s --help", cmd.CommandPath(), cmd.CommandPath())
	}
	return nil
}

// CompleteNames completes the names of Applications, for the first argument of a command.
func CompleteNames(flags *genericclioptions.ConfigFlags, streams genericiooptions.IOStreams) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		connection, err := Connect(flags, streams)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		list := &v1.ApplicationList{}
		if err := connection.List(cmd.Context(), list, client.InNamespace(connection.Namespace)); err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		names := make([]cobra.Completion, 0, len(list.Items))
		for i := range list.Items {
			names = append(names, list.Items[i].Name)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}
