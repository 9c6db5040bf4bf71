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
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/example/app-operator/config"
	"github.com/example/app-operator/internal/cli/install"
)

func newInstall(_ *genericclioptions.ConfigFlags, streams genericiooptions.IOStreams) *cobra.Command {
	parent := &cobra.Command{Use: "install", Short: "Write the manifests of the operator"}
	var options install.Options
	var mode string
	modes := []string{string(install.OwnNamespace), string(install.SingleNamespace), string(install.MultiNamespace), string(install.AllNamespaces)}
	cmd := &cobra.Command{
		Use:   "generate --watch-namespace NAMESPACE[,...]",
		Short: "Write the manifests of the operator for the namespaces that it is to serve",
		Long: "Writes the manifests of the operator of this version, which lives in app-operator-system and serves the namespaces that are given. " +
			"They must exist. Applied again with other namespaces, it serves these instead: give all of them.",
		Example: "  kubectl app install generate --watch-namespace shop | kubectl apply --server-side -f -\n" +
			"  kubectl app install generate --mode all-namespaces",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			options.Mode = install.Mode(mode)
			text, err := install.Generate(config.Files, options)
			if err != nil {
				return err
			}
			_, err = streams.Out.Write(text)
			return err
		},
	}
	cmd.Flags().StringSliceVar(&options.Namespaces, "watch-namespace", nil, "The namespaces whose Applications are served.")
	cmd.Flags().StringVar(&mode, "mode", "", "One of "+strings.Join(modes, ", ")+". Default: what --watch-namespace asks for.")
	cmd.Flags().StringVar(&options.Image, "image", "", "The operator's image, where it is not the release's.")
	parent.AddCommand(cmd)
	return parent
}
