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
	"cmp"
	"fmt"
	"io"
	"slices"
	"time"

	"k8s.io/cli-runtime/pkg/printers"

	v1 "github.com/example/app-operator/api/v1"
)

// List writes how Applications fare, one in each line, sorted by their namespaces and names.
func List(out io.Writer, apps []v1.Application, now time.Time, detail Detail) {
	table := printers.GetNewTabWriter(out)
	fmt.Fprint(table, "NAMESPACE\tNAME\tSTATE\tREASON\tREPLICAS\tAGE")
	if detail == Wide {
		fmt.Fprint(table, "\tIMAGE\tURL")
	}
	fmt.Fprintln(table)
	sorted := slices.SortedFunc(slices.Values(apps), func(a, b v1.Application) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	for i := range sorted {
		app := &sorted[i]
		verdict, condition := VerdictOf(app)
		reason := ""
		if condition != nil && condition.Reason != v1.ReasonRolloutComplete {
			reason = condition.Reason
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s", app.Namespace, app.Name, verdict, reason, app.Status.ReplicaSummary, age(app.CreationTimestamp, now))
		if detail == Wide {
			fmt.Fprintf(table, "\t%s\t%s", app.Status.Image, app.Status.URL)
		}
		fmt.Fprintln(table)
	}
	_ = table.Flush()
}
