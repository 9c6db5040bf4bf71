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
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
)

// pack returns a layer of all that is copied: sorted, owned by root, of the epoch, readable by everybody.
func pack(copies []*instructions.CopyCommand, roots map[string]string) (v1.Layer, error) {
	files := map[string]string{} // by their name in the image; of a folder, nothing
	for _, each := range copies {
		root, ok := roots[each.From]
		if !ok {
			return nil, fmt.Errorf("-stage %s=FOLDER is missing", each.From)
		}
		for _, source := range each.SourcePaths {
			if err := collect(filepath.Join(root, filepath.FromSlash(source)), each.DestPath, files); err != nil {
				return nil, err
			}
		}
	}
	var buffer bytes.Buffer
	archive := tar.NewWriter(&buffer)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := store(archive, name, files[name]); err != nil {
			return nil, err
		}
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(buffer.Bytes())), nil }
	return tarball.LayerFromOpener(open, tarball.WithMediaType(types.OCILayer),
		tarball.WithCompressionLevel(gzip.DefaultCompression), tarball.WithCompressedCaching)
}

// collect notes the file under the target, or the content of the folder below it, as COPY does.
func collect(source, target string, files map[string]string) error {
	return filepath.WalkDir(source, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return nil
		}
		if !entry.Type().IsRegular() {
			return fmt.Errorf("%s is neither a file nor a folder", file)
		}
		relative, err := filepath.Rel(source, file)
		if err != nil {
			return err
		}
		name := path.Join(target, filepath.ToSlash(relative))
		if relative == "." && strings.HasSuffix(target, "/") {
			name = path.Join(target, filepath.Base(file))
		}
		name = strings.TrimPrefix(name, "/")
		files[name] = file
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			files[dir+"/"] = ""
		}
		return nil
	})
}

func store(archive *tar.Writer, name, file string) error {
	header := &tar.Header{Name: name, Mode: 0o755, ModTime: epoch, Format: tar.FormatPAX, Typeflag: tar.TypeDir}
	if file == "" {
		return archive.WriteHeader(header)
	}
	content, err := os.Open(file) //nolint:gosec // what the Dockerfile names
	if err != nil {
		return err
	}
	defer func() { _ = content.Close() }()
	info, err := content.Stat()
	if err != nil {
		return err
	}
	header.Typeflag, header.Size = tar.TypeReg, info.Size()
	if info.Mode()&0o100 == 0 {
		header.Mode = 0o644
	}
	if err := archive.WriteHeader(header); err != nil {
		return err
	}
	_, err = io.Copy(archive, content)
	return err
}
