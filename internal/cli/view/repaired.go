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
	"fmt"
	"io"
	"strings"

	v1 "github.com/example/app-operator/api/v1"
)

// writeRepaired writes what the operator has put back last, although somebody wanted it otherwise.
func writeRepaired(out io.Writer, f *Facts) {
	for i := len(f.Events) - 1; i >= 0; i-- {
		event := &f.Events[i]
		if event.Reason != v1.EventDriftRepaired || event.InvolvedObject.Kind != "Application" {
			continue
		}
		fmt.Fprintf(out, "  %s ago: %s\n", age(EventTime(event), f.Now), strings.TrimSpace(event.Message))
		next(out, []string{fmt.Sprintf("kubectl edit appl %s -n %s", f.Application.Name, f.Application.Namespace)})
		return
	}
}
