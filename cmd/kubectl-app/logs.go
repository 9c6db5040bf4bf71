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
	"fmt"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/kubectl/pkg/cmd/logs"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/cli"
	"github.com/example/app-operator/internal/resources"
)

// maxFollowed is how many containers are followed at once: as many pods as a large Application has.
const maxFollowed = 100

func newLogs(flags *genericclioptions.ConfigFlags, streams genericiooptions.IOStreams) *cobra.Command {
	options := logs.NewLogsOptions(streams)
	options.MaxFollowConcurrency = maxFollowed
	var jobs bool
	cmd := about(flags, streams, &cobra.Command{
		Use: "logs NAME", Short: "Show the logs of all pods of an Application",
		Long: "Shows the logs of the application's container in all pods, each line with its pod; with --all-containers, those of init containers " +
			"and sidecars as well, and with --jobs, those of its schedules and its release command instead.",
		Example: "  kubectl app logs my-app --follow\n  kubectl app logs my-app --previous\n  kubectl app logs my-app --all-containers --since 10m",
	}, nil)
	options.AddFlags(cmd)
	for _, name := range []string{"all-pods", "selector", "max-log-requests", "pod-running-timeout"} { // what the command decides itself
		if err := cmd.Flags().MarkHidden(name); err != nil {
			panic(err) // the flag is there
		}
	}
	cmd.Flags().BoolVar(&jobs, "jobs", false, "Show the logs of the schedules and of the release command.")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		connection, err := cli.Connect(flags, streams)
		if err != nil {
			return err
		}
		app, err := connection.Application(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		options.Selector = resources.Selector(app.Name)
		if jobs {
			options.Selector = resources.LabelApplication + "=" + app.Name
		}
		if options.Container == "" && !options.AllContainers {
			options.Container = app.Name
		}
		pods, err := selectedPods(cmd.Context(), connection, app, options.Selector)
		if err != nil {
			return err
		}
		options.Object, options.Prefix = pods, true
		// Of a pod that has not crashed, or has not started, there are none.
		options.IgnoreLogErrors = options.IgnoreLogErrors || options.Previous || len(pods.Items) > 1
		if err := options.Complete(cmdutil.NewFactory(flags), cmd, nil); err != nil {
			return err
		}
		if given, ok := options.Options.(*corev1.PodLogOptions); ok && !cmd.Flags().Changed("tail") {
			given.TailLines = nil // kubectl shows 10 lines of pods that it finds by a selector
		}
		if err := options.Validate(); err != nil {
			return err
		}
		return options.RunLogsContext(cmd.Context())
	}
	return cmd
}

// selectedPods returns the pods of an Application that a selector finds, of which there has to be one.
func selectedPods(ctx context.Context, connection *cli.Connection, app *v1.Application, selector string) (*corev1.PodList, error) {
	pods := &corev1.PodList{}
	selects, err := labels.Parse(selector)
	if err != nil {
		return nil, err
	}
	if err := connection.List(ctx, pods, client.InNamespace(app.Namespace), client.MatchingLabelsSelector{Selector: selects}); err != nil {
		return nil, err
	}
	if len(pods.Items) == 0 {
		return nil, fmt.Errorf("%s has no pods in namespace %s; kubectl app why %s -n %s says why", app.Name, app.Namespace, app.Name, app.Namespace)
	}
	return pods, nil
}
