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
	"io"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/example/app-operator/internal/cli/takeover"
)

// TestAQuestionEndsWithAnInterruption holds that nobody has to answer first whether to go on.
func TestAQuestionEndsWithAnInterruption(t *testing.T) {
	streams, _, _, _ := genericiooptions.NewTestIOStreams()
	terminal, typed := io.Pipe() // on which nothing comes
	defer func() { _ = typed.Close() }()
	streams.In = terminal
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	m := &move{takeOverOptions: &takeOverOptions{}, streams: streams}
	if sure, err := m.confirmed(ctx); sure || err == nil || !strings.Contains(err.Error(), "nothing was changed") {
		t.Errorf("%t, %v", sure, err)
	}
	for answer, want := range map[string]bool{"y\n": true, "Yes\n": true, "\n": false, "no\n": false} {
		streams.In = strings.NewReader(answer)
		m.streams = streams
		if sure, _ := m.confirmed(t.Context()); sure != want {
			t.Errorf("%q: %t", answer, sure)
		}
	}
}

// TestTheNewPodsAreLookedAtBeforeTheOldOnesGo holds that a wait ends with another look, and not with what was seen before it.
func TestTheNewPodsAreLookedAtBeforeTheOldOnesGo(t *testing.T) {
	old := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop", UID: "u"}}
	connection := clusterWith(old)
	m := &move{
		takeOverOptions: &takeOverOptions{settle: time.Millisecond}, connection: connection,
		seen: &moveReading{Facts: &takeover.Facts{Old: old}},
	}
	there := func() bool {
		return connection.Get(t.Context(), client.ObjectKeyFromObject(old), old.DeepCopy()) == nil
	}
	if err := m.remove(t.Context()); err != nil || !there() {
		t.Fatalf("the old pods are there after the wait: %t, %v", there(), err)
	}
	if err := m.remove(t.Context()); err != nil || there() {
		t.Errorf("the old pods are there after another look: %t, %v", there(), err)
	}
}

// TestWhatTheOperatorHasTakenIsNotForgotten holds that the way back keeps what an object remembers, if it was taken a moment ago.
func TestWhatTheOperatorHasTakenIsNotForgotten(t *testing.T) {
	for name, owned := range map[string]bool{"given": false, "taken": true} {
		service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{
			Name: "web", Namespace: "shop", Annotations: map[string]string{takeover.AnnotationBefore: "{}"},
		}}
		if owned {
			service.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps.example.com/v1", Kind: "Application", Name: "web", UID: "u", Controller: new(true)}}
		}
		m := &move{connection: clusterWith(service)}
		if err := m.takeBack(t.Context(), asRead(t, m, service)); err != nil {
			t.Fatal(err)
		}
		if remembers := asRead(t, m, service).GetAnnotations()[takeover.AnnotationBefore] != ""; remembers != owned {
			t.Errorf("%s: it remembers how it was: %t", name, remembers)
		}
	}
}

// asRead returns a Service as the move reads it.
func asRead(t *testing.T, m *move, service *corev1.Service) *unstructured.Unstructured {
	t.Helper()
	live := &unstructured.Unstructured{}
	live.SetAPIVersion("v1")
	live.SetKind("Service")
	if err := m.connection.Get(t.Context(), client.ObjectKeyFromObject(service), live); err != nil {
		t.Fatal(err)
	}
	return live
}
