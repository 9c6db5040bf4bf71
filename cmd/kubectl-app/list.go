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
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/cli"
	"github.com/example/app-operator/internal/cli/view"
)

func newList(flags *genericclioptions.ConfigFlags, streams genericiooptions.IOStreams) *cobra.Command {
	var everywhere bool
	var output string
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "Show how all Applications of a namespace fare",
		Long:    "Shows how all Applications of a namespace fare, one in each line. The exit code is 2 if somebody has to act on any of them.",
		Example: "  kubectl app list\n  kubectl app list --all-namespaces -o wide",
		Args:    cobra.NoArgs,
	}
	cmd.Flags().BoolVarP(&everywhere, "all-namespaces", "A", false, "Those of all namespaces.")
	cmd.Flags().StringVarP(&output, "output", "o", "", "wide, or nothing.")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		details := map[string]view.Detail{"": view.Short, "wide": view.Wide}
		detail, known := details[output]
		if !known {
			return fmt.Errorf("--output: %q is not wide", output)
		}
		connection, err := cli.Connect(flags, streams)
		if err != nil {
			return err
		}
		namespace := connection.Namespace
		if everywhere {
			namespace = ""
		}
		list := &v1.ApplicationList{}
		if err := connection.List(cmd.Context(), list, client.InNamespace(namespace)); meta.IsNoMatchError(err) {
			return connection.ExplainMissing("", err)
		} else if err != nil {
			return err
		}
		if len(list.Items) == 0 {
			where := "in namespace " + namespace
			if everywhere {
				where = "in the cluster"
			}
			_, _ = fmt.Fprintf(streams.ErrOut, "There are no Applications %s\n", where)
			return nil
		}
		var out bytes.Buffer
		view.List(&out, list.Items, time.Now(), detail)
		_, _ = streams.Out.Write(out.Bytes())
		if slices.ContainsFunc(list.Items, func(app v1.Application) bool { verdict, _ := view.VerdictOf(&app); return !verdict.Well() }) {
			return cli.ErrNotWell
		}
		return nil
	}
	return cmd
}
