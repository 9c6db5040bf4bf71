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
	"bytes"
	"testing"

	"github.com/example/app-operator/internal/cli/view"
)

func TestPaint(t *testing.T) {
	for verdict, want := range map[view.Verdict]string{
		view.Ready:    "ready in shop is \x1b[32mready\x1b[0m\n  it is ready",
		view.OnItsWay: "ready in shop is \x1b[33mon its way\x1b[0m\n  it is ready",
		view.NotReady: "ready in shop is \x1b[31mnot ready\x1b[0m\n  it is ready",
		view.Degraded: "ready in shop is \x1b[33mready, with a fault\x1b[0m\n  it is ready",
		view.Unserved: "ready in shop is \x1b[31mnot looked at\x1b[0m\n  it is ready",
	} {
		text := []byte("ready in shop is " + string(verdict) + "\n  it is ready")
		if got := string(paint(text, verdict)); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		var out bytes.Buffer
		if write(&out, text, verdict); out.String() != string(text) {
			t.Errorf("what is no terminal got %q", out.String())
		}
	}
}
