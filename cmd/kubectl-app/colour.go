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
	"fmt"
	"io"

	"k8s.io/cli-runtime/pkg/printers"

	"github.com/example/app-operator/internal/cli/view"
)

// colours are those of the verdicts, as terminals number them: green, yellow and red.
var colours = map[view.Verdict]int{
	view.Ready: 32, view.OnItsWay: 33, view.Degraded: 33, view.NotReady: 31, view.Unserved: 31,
}

// write writes what is said of an Application, with the verdict in its colour where the reader is a terminal that shows colours.
func write(out io.Writer, text []byte, verdict view.Verdict) {
	if printers.AllowsColorOutput(out) {
		text = paint(text, verdict)
	}
	_, _ = out.Write(text)
}

// paint puts the verdict of the first line into its colour.
func paint(text []byte, verdict view.Verdict) []byte {
	is := " is " + string(verdict)
	return bytes.Replace(text, []byte(is), fmt.Appendf(nil, " is \x1b[%dm%s\x1b[0m", colours[verdict], verdict), 1)
}
