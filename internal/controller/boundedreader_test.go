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
	"errors"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// held is an API server that answers when it is told to.
type held struct {
	client.Reader
	asked  chan struct{}
	answer chan struct{}
}

func (h *held) Get(context.Context, client.ObjectKey, client.Object, ...client.GetOption) error {
	h.asked <- struct{}{}
	<-h.answer
	return nil
}

// TestFewContentsAreReadAtATime is about many workers that each want a large Secret.
func TestFewContentsAreReadAtATime(t *testing.T) {
	api := &held{asked: make(chan struct{}, 100), answer: make(chan struct{})}
	reader := newBoundedReader(api)
	var all sync.WaitGroup
	for range maxReads {
		all.Go(func() {
			if err := reader.Get(t.Context(), client.ObjectKey{}, &corev1.Secret{}); err != nil {
				t.Error(err)
			}
		})
	}
	for range maxReads {
		<-api.asked
	}
	ctx, cancel := context.WithCancel(t.Context())
	late := make(chan error)
	go func() { late <- reader.Get(ctx, client.ObjectKey{}, &corev1.Secret{}) }()
	cancel() // it waits, and stops waiting
	if err := <-late; !errors.Is(err, context.Canceled) || len(api.asked) > 0 {
		t.Errorf("one more is read: %v", err)
	}
	close(api.answer)
	all.Wait()
	if err := reader.Get(t.Context(), client.ObjectKey{}, &corev1.Secret{}); err != nil {
		t.Errorf("nothing is read any more: %v", err)
	}
}
