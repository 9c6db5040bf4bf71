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

package controller

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// maxReads is how many contents of ConfigMaps and Secrets, and lists of a Job's pods, are read at a time, however many workers
// want one. Each may be a MiB, which is in memory more than once while it is decoded.
const maxReads = 4

// boundedReader reads few objects at a time.
type boundedReader struct {
	client.Reader
	places chan struct{}
}

func newBoundedReader(reader client.Reader) client.Reader {
	return &boundedReader{Reader: reader, places: make(chan struct{}, maxReads)}
}

// Get implements client.Reader.
func (r *boundedReader) Get(ctx context.Context, key client.ObjectKey, object client.Object, opts ...client.GetOption) error {
	return r.inPlace(ctx, func() error { return r.Reader.Get(ctx, key, object, opts...) })
}

// List implements client.Reader.
func (r *boundedReader) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	return r.inPlace(ctx, func() error { return r.Reader.List(ctx, list, opts...) })
}

// inPlace reads when there is a place.
func (r *boundedReader) inPlace(ctx context.Context, read func() error) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case r.places <- struct{}{}:
		defer func() { <-r.places }()
	}
	return read()
}
