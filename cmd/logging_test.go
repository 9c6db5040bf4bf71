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
	"errors"
	"fmt"
	"log"
	"os"
	"strings"
	"testing"
	"unicode"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/klog/v2"

	"github.com/example/app-operator/internal/scope"
)

// A manager that stops in good order must not log what looks like a lost lease.
func TestPlainSink(t *testing.T) {
	cases := []struct {
		name string
		err  error
		msg  string
		want string
	}{
		{name: "end of election", err: errors.New(leaseLost), msg: afterStop, want: `"level"=0 "msg"="Left the leader election"`},
		{name: "lost lease", err: errors.New(leaseLost), msg: "other", want: `"msg"="other" "error"="leader election lost"`},
		{name: "other error", err: errors.New("other"), msg: afterStop, want: `"msg"="` + afterStop + `" "error"="other"`},
		{
			name: "later than another standby", msg: notUpdated,
			err:  apierrors.NewConflict(schema.GroupResource{}, "lease", errors.New("changed")),
			want: `"level"=0 "msg"="Another replica has written the lease first"`,
		},
		{
			name: "not the first to create the lease", msg: notCreated,
			err:  apierrors.NewAlreadyExists(schema.GroupResource{}, "lease"),
			want: `"level"=0 "msg"="Another replica has written the lease first"`,
		},
		{name: "lease not written", err: errors.New("other"), msg: notUpdated, want: `"msg"="` + notUpdated + `" "error"="other"`},
		{name: "no error", msg: afterStop, want: `"msg"="` + afterStop + `" "error"=null`},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			var prefix, line string
			sink := funcr.New(func(p, l string) { prefix, line = p, l }, funcr.Options{}).GetSink()
			logr.New(errorDowngradingSink{sink}).WithName("name").WithValues("key", "value").Error(tc.err, tc.msg)
			if prefix != "name" || line != tc.want+` "key"="value"` {
				t.Errorf("logged %s: %s, want %s", prefix, line, tc.want)
			}
		})
	}
}

func TestLogger(t *testing.T) {
	cases := []struct {
		name  string
		args  []string
		want  string
		never string
	}{
		{name: "default", want: `{"level":"error","ts":"20`, never: "stacktrace"},
		{name: "for people", args: []string{"--zap-devel"}, want: "\tERROR\t", never: "logging_test.go"},
		{name: "with stack traces", args: []string{"--zap-stacktrace-level=error"}, want: `"stacktrace":`},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			opts, err := parse(append(tc.args, "--namespace=a"), scope.Source{ServiceAccountFile: "absent", LookupEnv: os.LookupEnv})
			if err != nil {
				t.Fatal(err)
			}
			for _, through := range []func(logr.Logger){
				func(logger logr.Logger) { logger.Error(errors.New("cause"), "Failed") },
				func(logr.Logger) { klog.Background().Error(errors.New("cause"), "Failed") },
			} {
				var b bytes.Buffer
				through(newLogger(opts.zap, &b))
				if !strings.Contains(b.String(), tc.want) || tc.never != "" && strings.Contains(b.String(), tc.never) {
					t.Errorf("logged %s, want %q and not %q", b.String(), tc.want, tc.never)
				}
			}
		})
	}
}

// TestLoggedTextIsPlain holds that what others have said cannot do anything to the terminal of whoever reads the log, nor
// pass for another line of it.
func TestLoggedTextIsPlain(t *testing.T) {
	const said = "\x1b[31mred\x1b[0m\n{\"level\":\"error\"}\u202e\u200b\xff" + "\x7f"
	for _, args := range [][]string{{}, {"--zap-devel"}, {"--zap-encoder=console"}} {
		opts, err := parse(append(args, "--namespace=a"), outside())
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		logger := newLogger(opts.zap, &b)
		for _, logger := range []logr.Logger{logger, klog.Background()} {
			logger.WithValues("value", said).Error(fmt.Errorf("webhook: %s", said), said, "more", said, "stringer", stringer(said))
			logger.Info(said, "nothing", (*strings.Builder)(nil), "long", strings.Repeat("a", 2*maxText))
		}
		for line := range strings.Lines(b.String()) {
			line = strings.TrimSuffix(line, "\n")
			if strings.Contains(line, `\n`) || strings.Contains(line, `\u00`) || strings.ContainsFunc(line, func(r rune) bool {
				return r != '\t' && !unicode.IsGraphic(r)
			}) {
				t.Errorf("%v: logged %q", args, line)
			}
			if len(line) > 2*maxText {
				t.Errorf("%v: a line has %d bytes", args, len(line))
			}
		}
		if lines := strings.Count(b.String(), "\n"); lines != 4 {
			t.Errorf("%v: %d lines, want 4:\n%s", args, lines, b.String())
		}
	}
}

type stringer string

func (s stringer) String() string { return string(s) }

// TestGoLogger holds that what Go's own packages log is structured as well, and shown to those who debug.
func TestGoLogger(t *testing.T) {
	output, flags := log.Writer(), log.Flags()
	t.Cleanup(func() { log.SetOutput(output); log.SetFlags(flags) })
	for level, want := range map[string]string{"info": "", "debug": `"logger":"go","msg":"http: TLS handshake error"}`} {
		opts, err := parse([]string{"--namespace=a", "--zap-log-level=" + level}, outside())
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		newLogger(opts.zap, &b)
		log.Print("http: TLS handshake error")
		if got := strings.TrimSpace(b.String()); !strings.HasSuffix(got, want) || (want == "") != (got == "") {
			t.Errorf("at level %s: logged %s, want %q", level, got, want)
		}
	}
}
