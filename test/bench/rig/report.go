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

package rig

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/go-logr/logr"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
)

// Main runs a benchmark as a program: Ctrl-C ends its context, and with that its control plane. An error is printed after the
// program's name, and ends the process with the exit code 1.
func Main(name string, run func(context.Context) error) {
	logf.SetLogger(logr.Discard()) // what goes wrong comes back as an error
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

// Table prints rows for a terminal. The first names the columns.
func Table(to io.Writer, rows [][]string) error {
	out := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		_, _ = fmt.Fprintln(out, strings.Join(row, "\t"))
	}
	return out.Flush()
}

// Markdown returns a document with a title, how its table is read, facts about the run, and rows, of which the first names the columns.
func Markdown(title, how string, facts []string, rows [][]string) string {
	var out strings.Builder
	fmt.Fprintf(&out, "# %s\n\n%s\n\n", title, how)
	for _, fact := range facts {
		out.WriteString("- " + fact + "\n")
	}
	out.WriteString("\n")
	for i, row := range rows {
		out.WriteString("| " + strings.Join(row, " | ") + " |\n")
		if i == 0 {
			out.WriteString(strings.Repeat("|---", len(row)) + "|\n")
		}
	}
	return out.String()
}

// Write writes the results of a run to a folder, if there is one: NAME.json for programs, and NAME.md, the document.
func Write(folder, name string, results any, document string) error {
	if folder == "" {
		return nil
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	encoded, err := json.MarshalIndent(results, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, name+".json"), append(encoded, '\n'), 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, name+".md"), []byte(document), 0o600)
}
