//go:build ignore

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

// Command olm-v1 prints, as JSON, what OLM v1 makes of a bundle: the objects that operator-controller applies for a
// ClusterExtension. It is the renderer of operator-controller itself, which only its own module may import: hack/olm-v1.sh
// builds it in a copy of that.
//
// Usage: olm-v1 BUNDLE NAMESPACE CONFIG, where CONFIG is spec.config.inline of the ClusterExtension, as JSON
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/operator-framework/operator-controller/internal/operator-controller/config"
	"github.com/operator-framework/operator-controller/internal/operator-controller/rukpak/bundle/source"
	"github.com/operator-framework/operator-controller/internal/operator-controller/rukpak/render"
	"github.com/operator-framework/operator-controller/internal/operator-controller/rukpak/render/registryv1"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "olm-v1:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 3 {
		return errors.New("usage: olm-v1 BUNDLE NAMESPACE CONFIG")
	}
	bundle, err := source.FromFS(os.DirFS(args[0])).GetBundle()
	if err != nil {
		return err
	}
	schema, err := bundle.GetConfigSchema()
	if err != nil {
		return err
	}
	read, err := config.UnmarshalConfig([]byte(args[2]), schema, args[1])
	if err != nil {
		return fmt.Errorf("invalid ClusterExtension configuration: %w", err)
	}
	var options []render.Option
	if watched := read.GetWatchNamespace(); watched != nil {
		options = append(options, render.WithTargetNamespaces(*watched))
	}
	objects, err := registryv1.Renderer.Render(bundle, args[1], options...)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(objects)
}
