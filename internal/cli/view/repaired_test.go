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

package view

import (
	"bytes"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/example/app-operator/api/v1"
)

// TestWhyTellsWhatWasPutBack holds that whoever has changed an object by hand learns why nothing of it is left.
func TestWhyTellsWhatWasPutBack(t *testing.T) {
	app := application(1, condition(v1.ConditionReady, metav1.ConditionTrue, v1.ReasonRolloutComplete))
	event := corev1.Event{Reason: v1.EventDriftRepaired, Message: "Put back what", InvolvedObject: corev1.ObjectReference{Kind: "Application"}}
	now := time.Now()
	event.LastTimestamp = metav1.NewTime(now.Add(-time.Minute))
	var out bytes.Buffer
	if !Why(&out, &Facts{Application: app, Now: now, Events: []corev1.Event{event}}) || !strings.Contains(out.String(), "\n  60s ago: Put back what\nNext:\n  kubectl edit appl") {
		t.Errorf("%s", &out)
	}
}
