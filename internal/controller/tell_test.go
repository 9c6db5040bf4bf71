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
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	v1 "github.com/example/app-operator/api/v1"
)

// told is one event.
type told struct {
	Type, Reason, Note string
}

// notebook is a recorder that keeps what it is told.
type notebook struct {
	t      *testing.T
	app    *v1.Application
	events []told
}

func (n *notebook) Eventf(regarding, related runtime.Object, eventtype, reason, action, note string, args ...any) {
	n.t.Helper()
	if regarding != runtime.Object(n.app) || related != nil || action != "Reconcile" {
		n.t.Errorf("the event is about %v and %v, action %q", regarding, related, action)
	}
	n.events = append(n.events, told{Type: eventtype, Reason: reason, Note: fmt.Sprintf(note, args...)})
}

// statusOf returns a status with these conditions Ready and Degraded, given as "status reason message".
func statusOf(ready, degraded string) v1.ApplicationStatus {
	var all []metav1.Condition
	for kind, text := range map[string]string{v1.ConditionReady: ready, v1.ConditionDegraded: degraded} {
		if text == "" {
			continue
		}
		parts := strings.SplitN(text, " ", 3)
		all = append(all, metav1.Condition{Type: kind, Status: metav1.ConditionStatus(parts[0]), Reason: parts[1], Message: parts[2]})
	}
	return v1.ApplicationStatus{Conditions: all}
}

func TestTell(t *testing.T) {
	const (
		rolling  = "Unknown RollingOut Waiting for new pods"
		fine     = "False RollingOut No fault seen"
		complete = "True RolloutComplete All pods run"
		healthy  = "False RolloutComplete No fault seen"
		crashing = "CrashLooping pod a crashes"
	)
	tests := []struct {
		name          string
		before, after v1.ApplicationStatus
		want          []told
	}{
		{
			name: "the first status: that it is on its way, the Deployment's own events say", after: statusOf(rolling, fine),
		},
		{
			name: "the end of a rollout", before: statusOf(rolling, fine), after: statusOf(complete, healthy),
			want: []told{{"Normal", "RolloutComplete", "All pods run"}},
		},
		{name: "nothing new", before: statusOf(complete, healthy), after: statusOf(complete, healthy)},
		{
			name:   "another message alone",
			before: statusOf("False CrashLooping pod a crashes", "True CrashLooping pod a crashes"),
			after:  statusOf("False CrashLooping pod b crashes", "True CrashLooping pod b crashes"),
		},
		{
			name: "somebody has to act: one warning, not two", before: statusOf(rolling, fine),
			after: statusOf("False "+crashing, "True "+crashing),
			want:  []told{{"Warning", "CrashLooping", "pod a crashes"}},
		},
		{
			name:   "another reason to act",
			before: statusOf("False "+crashing, "True "+crashing),
			after:  statusOf("False ImagePullFailed not found", "True ImagePullFailed not found"),
			want:   []told{{"Warning", "ImagePullFailed", "not found"}},
		},
		{
			name:   "another status for the same reason",
			before: statusOf("False Suspended Waiting", fine), after: statusOf("Unknown Suspended Waiting", fine),
			want: []told{{"Normal", "Suspended", "Waiting"}},
		},
		{
			name:   "a fault while the rollout goes on",
			before: statusOf(rolling, fine), after: statusOf(rolling, "True "+crashing),
			want: []told{{"Warning", "CrashLooping", "pod a crashes"}},
		},
		{
			name:   "a rollout that begins with a fault of the old pods",
			before: statusOf(complete, healthy), after: statusOf(rolling, "True "+crashing),
			want: []told{{"Warning", "CrashLooping", "pod a crashes"}},
		},
		{
			name:   "a fault that has been told already",
			before: statusOf("False "+crashing, "True "+crashing), after: statusOf(rolling, "True "+crashing),
		},
		{
			name:   "a fault that was told while the rollout went on, and now stands in its way",
			before: statusOf(rolling, "True "+crashing), after: statusOf("False "+crashing, "True "+crashing),
		},
		{
			name:   "the end of a fault alone",
			before: statusOf(rolling, "True "+crashing), after: statusOf(rolling, fine),
		},
		{
			name:   "a percent sign is no verb",
			before: statusOf(rolling, fine), after: statusOf("False InvalidSpec 25%s is no number", "True InvalidSpec 25%s is no number"),
			want: []told{{"Warning", "InvalidSpec", "25%s is no number"}},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, tellOf(t, test.before, test.after)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

// TestTheLogDoesNotQuoteContainers holds that what the pods of a tenant have said is for those who may read the Application.
func TestTheLogDoesNotQuoteContainers(t *testing.T) {
	app := &v1.Application{ObjectMeta: metav1.ObjectMeta{Name: "my-app"}}
	var log strings.Builder
	logger := funcr.New(func(prefix, line string) { log.WriteString(prefix + line + "\n") }, funcr.Options{})
	r := &ApplicationReconciler{Recorder: &notebook{t: t, app: app}}
	for _, after := range []v1.ApplicationStatus{
		statusOf("False CrashLooping password=hunter2", "True CrashLooping password=hunter2"),
		statusOf("Unknown RollingOut Waiting for new pods", "True CrashLooping password=hunter2"),
	} {
		r.recordTransition(logf.IntoContext(t.Context(), logger), app, v1.ApplicationStatus{}, after)
	}
	if !strings.Contains(log.String(), "CrashLooping") || strings.Contains(log.String(), "hunter2") {
		t.Errorf("the log says:\n%s", log.String())
	}
}

func TestLongNotesAreCutAtACharacter(t *testing.T) {
	tests := []struct {
		name, message, want string
	}{
		{name: "short ones are kept", message: strings.Repeat("a", maxNote), want: strings.Repeat("a", maxNote)},
		{name: "long ones are cut", message: strings.Repeat("a", maxNote+1), want: strings.Repeat("a", maxNote)},
		{
			name: "a character across the border is left out", message: strings.Repeat("a", maxNote-2) + "€",
			want: strings.Repeat("a", maxNote-2),
		},
		{
			name: "a character before the border stays", message: strings.Repeat("a", maxNote-3) + "€€",
			want: strings.Repeat("a", maxNote-3) + "€",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			events := tellOf(t, v1.ApplicationStatus{}, statusOf("False InvalidSpec "+test.message, "True InvalidSpec "+test.message))
			if diff := cmp.Diff([]told{{"Warning", "InvalidSpec", test.want}}, events); diff != "" {
				t.Fatalf("events (-want +got):\n%s", diff)
			}
			// The API server refuses an event with more.
			if note := events[0].Note; len(note) > 1024 || !utf8.ValidString(note) {
				t.Errorf("the note has %d bytes", len(note))
			}
		})
	}
}

// tellOf returns the events about a change of status.
func tellOf(t *testing.T, before, after v1.ApplicationStatus) []told {
	t.Helper()
	app := &v1.Application{ObjectMeta: metav1.ObjectMeta{Name: "my-app"}}
	notes := &notebook{t: t, app: app}
	(&ApplicationReconciler{Recorder: notes}).recordTransition(t.Context(), app, before, after)
	return notes.events
}
