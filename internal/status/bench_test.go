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

package status

import "testing"

// BenchmarkOf measures the judging of one Application.
func BenchmarkOf(b *testing.B) {
	for _, state := range []struct{ name, deployment, pods, outcome string }{
		{"complete", "complete", "no faults", "success"},
		{"crashing", "unavailable pods", "both", "success"},
		{"failing", "complete", "no faults", "joined"},
	} {
		app := newApplication()
		seen, err := observed(b, state.deployment, state.pods), reconcileError(b, state.outcome)
		// Most passes find what the last one found.
		app.Status = Of(app, seen, err)
		b.Run("state="+state.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Of(app, seen, err)
			}
		})
	}
}

// BenchmarkFaultOf measures the judging of one pod.
func BenchmarkFaultOf(b *testing.B) {
	for _, name := range []string{"running", "crash-back-off-10s", "pull-not-found-back-off"} {
		pod := readPods(b)[name]
		b.Run("pod="+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				FaultOf(pod, later)
			}
		})
	}
}
