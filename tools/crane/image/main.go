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

// Command image builds the image of a Dockerfile without Docker, as an OCI layout. It does what images of static files
// need: of the last stage, which starts from scratch, the instructions ARG, COPY, LABEL, USER and ENTRYPOINT; any other
// is an error. What earlier stages make has to be there already; -stage says where.
//
// The same files give the same digest: owners, times and the order of entries are fixed. Two platforms or more make an
// index. Push it by `crane push OUTPUT NAME`, an index with --index.
//
// It may read the Dockerfile and what that copies, and write the layout; it asks no registry and runs nothing.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// epoch is when everything was made, or the digest would tell when it was built.
var epoch = time.Unix(0, 0).UTC()

// options are the command line.
type options struct {
	dockerfile, context, output, platforms string
	args                                   []string          // NAME=VALUE
	stages                                 map[string]string // the folders of the stages by their names
}

func main() {
	o := options{stages: map[string]string{}}
	flag.StringVar(&o.dockerfile, "dockerfile", "Dockerfile", "the Dockerfile")
	flag.StringVar(&o.context, "context", ".", "the folder that COPY copies from")
	flag.StringVar(&o.output, "output", "", "the folder to write; a layout that is there already is replaced")
	flag.StringVar(&o.platforms, "platforms", "linux/amd64", "OS/ARCHITECTURE, comma-separated")
	flag.Func("arg", "NAME=VALUE of an ARG; may be repeated", func(text string) error {
		o.args = append(o.args, text)
		return nil
	})
	flag.Func("stage", "STAGE=FOLDER that COPY --from=STAGE takes for the stage's root; {platform} in it is OS_ARCHITECTURE; may be repeated",
		func(text string) error {
			name, folder, _ := strings.Cut(text, "=")
			o.stages[name] = folder
			return nil
		})
	flag.Parse()
	if flag.NArg() > 0 || o.output == "" {
		fail(errors.New("usage: image -output FOLDER [FLAG ...]; -help shows the flags"))
	}
	digest, err := build(o)
	if err != nil {
		fail(err)
	}
	_, _ = fmt.Fprintln(os.Stdout, digest)
}

func fail(err error) {
	_, _ = fmt.Fprintln(os.Stderr, "image:", err)
	os.Exit(1)
}

// build writes the layout and returns the digest that a registry will know the image by: of a single image its own, of
// several that of the index.
func build(o options) (v1.Hash, error) {
	stage, err := readStage(o.dockerfile, o.args)
	if err != nil {
		return v1.Hash{}, fmt.Errorf("%s: %w", o.dockerfile, err)
	}
	var images []mutate.IndexAddendum
	for name := range strings.SplitSeq(o.platforms, ",") {
		platform, err := v1.ParsePlatform(name)
		if err != nil || platform.Architecture == "" {
			return v1.Hash{}, fmt.Errorf("-platforms: %q is no OS/ARCHITECTURE", name)
		}
		image, err := buildImage(stage, platform, o)
		if err != nil {
			return v1.Hash{}, fmt.Errorf("%s for %s: %w", o.dockerfile, name, err)
		}
		images = append(images, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: platform}})
	}
	index := mutate.AppendManifests(empty.Index, images...)
	if err := replace(o.output, index); err != nil {
		return v1.Hash{}, err
	}
	if len(images) == 1 {
		return images[0].Add.Digest()
	}
	return index.Digest()
}

// buildImage returns the image of the stage for a platform. All that the stage copies is in one layer.
func buildImage(of *stage, platform *v1.Platform, o options) (v1.Image, error) {
	roots := map[string]string{"": o.context}
	for name, folder := range o.stages {
		roots[name] = strings.ReplaceAll(folder, "{platform}", platform.OS+"_"+platform.Architecture)
	}
	layer, err := pack(of.copies, roots)
	if err != nil {
		return nil, err
	}
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err := mutate.ConfigFile(base, &v1.ConfigFile{
		OS: platform.OS, Architecture: platform.Architecture,
		Created: v1.Time{Time: epoch},
		Config:  of.config,
		RootFS:  v1.RootFS{Type: "layers"},
	})
	if err != nil {
		return nil, err
	}
	return mutate.Append(image, mutate.Addendum{
		Layer: layer, History: v1.History{Created: v1.Time{Time: epoch}, CreatedBy: "COPY"},
	})
}

// replace writes the layout into the folder. It replaces one that is there already, and nothing else.
func replace(folder string, index v1.ImageIndex) error {
	if entries, err := os.ReadDir(folder); len(entries) > 0 {
		if _, err := os.Stat(filepath.Join(folder, "oci-layout")); err != nil {
			return fmt.Errorf("-output %s is not empty and no OCI layout; name another folder", folder)
		}
	} else if err != nil && !os.IsNotExist(err) {
		return err
	}
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	_, err := layout.Write(folder, index)
	return err
}
