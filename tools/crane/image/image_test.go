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
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

const dockerfile = `# A comment.
FROM --platform=$BUILDPLATFORM golang AS builder
RUN anything \
    at all

FROM scratch
ARG VERSION=dev
LABEL version=$VERSION
LABEL "name"="two words" other=x
COPY --from=builder /workspace/program /program
COPY folder /files/
USER 65532:65532
ENTRYPOINT ["/program"]
`

// tree writes a context and a stage for each platform, and returns the options to build them.
func tree(t *testing.T) options {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"Dockerfile":                          dockerfile,
		"folder/b":                            "b",
		"folder/deep/a":                       "a",
		"built/linux_arm64/workspace/program": "for arm64",
		"built/linux_amd64/workspace/program": "for amd64",
	} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		mode := os.FileMode(0o600)
		if filepath.Base(file) == "program" {
			mode = 0o700
		}
		if err := os.WriteFile(file, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
	}
	return options{
		dockerfile: filepath.Join(dir, "Dockerfile"), context: dir, output: filepath.Join(dir, "layout"),
		platforms: "linux/amd64,linux/arm64", args: []string{"VERSION=1.2.3"},
		stages: map[string]string{"builder": filepath.Join(dir, "built", "{platform}")},
	}
}

// entries lists the only layer of an image.
func entries(t *testing.T, image v1.Image) []string {
	t.Helper()
	layers, err := image.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatalf("%d layers, %v", len(layers), err)
	}
	content, err := layers[0].Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = content.Close() }()
	archive := tar.NewReader(content)
	var found []string
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		if !header.ModTime.Equal(epoch) || header.Uid != 0 || header.Gid != 0 {
			t.Errorf("%s is of %v and belongs to %d:%d", header.Name, header.ModTime, header.Uid, header.Gid)
		}
		found = append(found, fmt.Sprintf("%o %s %s", header.Mode, header.Name, text))
	}
}

func TestBuild(t *testing.T) {
	t.Parallel()
	o := tree(t)
	digest, err := build(o)
	if err != nil {
		t.Fatal(err)
	}
	index, err := layout.ImageIndexFromPath(o.output)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(index); err != nil {
		t.Error(err)
	}
	if got, err := index.Digest(); err != nil || got != digest {
		t.Errorf("the digest is %s, and that of the index %s, %v", digest, got, err)
	}
	manifest, err := index.IndexManifest()
	if err != nil || len(manifest.Manifests) != 2 {
		t.Fatalf("want 2 images: %+v, %v", manifest, err)
	}
	for i, architecture := range []string{"amd64", "arm64"} {
		if got := manifest.Manifests[i].Platform; !got.Equals(v1.Platform{OS: "linux", Architecture: architecture}) {
			t.Errorf("image %d is for %v", i, got)
		}
		image, err := index.Image(manifest.Manifests[i].Digest)
		if err != nil {
			t.Fatal(err)
		}
		got, err := image.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		want := v1.Config{
			User: "65532:65532", Entrypoint: []string{"/program"},
			Labels: map[string]string{"version": "1.2.3", "name": "two words", "other": "x"},
		}
		if !reflect.DeepEqual(got.Config, want) {
			t.Errorf("got %+v, want %+v", got.Config, want)
		}
		if got.OS != "linux" || got.Architecture != architecture || !got.Created.Equal(epoch) {
			t.Errorf("the image for %s is for %s/%s, of %v", architecture, got.OS, got.Architecture, got.Created)
		}
		files := []string{"755 files/ ", "644 files/b b", "755 files/deep/ ", "644 files/deep/a a", "755 program for " + architecture}
		if got := entries(t, image); !reflect.DeepEqual(got, files) {
			t.Errorf("got %q, want %q", got, files)
		}
	}
}

// TestReproducible builds the same files elsewhere, later, and after another image.
func TestReproducible(t *testing.T) {
	t.Parallel()
	first, second := tree(t), tree(t)
	long := time.Now().Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(second.context, "folder", "b"), long, long); err != nil {
		t.Fatal(err)
	}
	one, err := build(first)
	if err != nil {
		t.Fatal(err)
	}
	another := second
	another.args = nil
	for _, o := range []options{another, second} {
		got, err := build(o)
		if err != nil {
			t.Fatal(err)
		}
		if same := got == one; same != (o.args != nil) {
			t.Errorf("with the arguments %v the digest is %s, and was %s", o.args, got, one)
		}
	}
	blobs, err := os.ReadDir(filepath.Join(second.output, "blobs", "sha256"))
	if err != nil {
		t.Fatal(err)
	}
	if len(blobs) != 6 {
		t.Errorf("%d blobs, want 6: those of the image before must go", len(blobs))
	}
}

// TestSingle builds for one platform: a registry will know that image by its own digest.
func TestSingle(t *testing.T) {
	t.Parallel()
	o := tree(t)
	o.platforms = "linux/arm64"
	digest, err := build(o)
	if err != nil {
		t.Fatal(err)
	}
	index, err := layout.ImageIndexFromPath(o.output)
	if err != nil {
		t.Fatal(err)
	}
	if manifest, err := index.IndexManifest(); err != nil || len(manifest.Manifests) != 1 || manifest.Manifests[0].Digest != digest {
		t.Errorf("the digest is %s, and the index %+v, %v", digest, manifest, err)
	}
}

// TestDockerfiles reads those of this repository: an instruction that only Docker knows must not enter them unnoticed.
func TestDockerfiles(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Dockerfile", "bundle.Dockerfile", "catalog.Dockerfile"} {
		stage, err := readStage(filepath.Join("..", "..", "..", name), nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if len(stage.copies) == 0 || len(stage.config.Labels) == 0 {
			t.Errorf("%s: want files and labels: %+v", name, stage)
		}
	}
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, want string }{
		"another base":        {"FROM scratch AS a\nFROM debian\n", "FROM scratch"},
		"an instruction":      {"FROM scratch\nRUN true\n", "not known"},
		"a flag of COPY":      {"FROM scratch\nCOPY --chown=1 a /a\n", "--from"},
		"a here-document":     {"FROM scratch\nCOPY <<E /a\nb\nE\n", "--from"},
		"a COPY to nowhere":   {"FROM scratch\nCOPY a\n", "at least two"},
		"an ENTRYPOINT shell": {"FROM scratch\nENTRYPOINT /a\n", "no shell"},
	} {
		o := tree(t)
		if err := os.WriteFile(o.dockerfile, []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := build(o); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
	for want, change := range map[string]func(*options){
		"no OCI layout":   func(o *options) { o.output = o.context },
		"-stage builder":  func(o *options) { o.stages = nil },
		"OS/ARCHITECTURE": func(o *options) { o.platforms = "linux" },
		"no such file":    func(o *options) { o.platforms = "linux/s390x" },
	} {
		o := tree(t)
		change(&o)
		if _, err := build(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
