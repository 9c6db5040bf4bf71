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

package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/go-logr/logr/funcr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestReportWatchError(t *testing.T) {
	ended, end := context.WithCancel(t.Context())
	end()
	applications := schema.GroupResource{Group: "apps.example.com", Resource: "applications"}
	listing := func(err error) error { return fmt.Errorf("failed to list: %w", err) }
	cases := []struct {
		name string
		ctx  context.Context
		err  error
		// want is part of the one line that is logged by default; empty is none.
		want string
	}{
		{name: "end of watch", ctx: t.Context(), err: io.EOF},
		{name: "connection cut", ctx: t.Context(), err: io.ErrUnexpectedEOF},
		{name: "too old", ctx: t.Context(), err: apierrors.NewResourceExpired("too old")},
		{name: "shutdown", ctx: ended, err: context.Canceled},
		{
			name: "rights lost", ctx: t.Context(), err: listing(apierrors.NewForbidden(applications, "", errors.New("no"))),
			want: "Lost the right to watch; retrying",
		},
		{name: "CRD deleted", ctx: t.Context(), err: listing(apierrors.NewNotFound(applications, "")), want: "Lost the API; retrying"},
		{name: "anything else", ctx: t.Context(), err: listing(errors.New("connection refused")), want: "Lost the watch; retrying"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			var lines []string
			log := funcr.New(func(_, line string) { lines = append(lines, line) }, funcr.Options{})
			reportWatchError(tc.ctx, log, tc.err)
			if tc.want == "" {
				if len(lines) > 0 {
					t.Errorf("logged %q, want nothing", lines)
				}
				return
			}
			if len(lines) != 1 || !strings.Contains(lines[0], tc.want) || !strings.Contains(lines[0], "failed to list") {
				t.Errorf("logged %q, want one line with %q and the error", lines, tc.want)
			}
		})
	}
}
