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

package plugin_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"

	v1 "github.com/example/app-operator/api/v1"
)

// kubelet stands before the API server and answers for the logs of pods, which the control plane's nodes do not have.
func kubelet(t *testing.T) string {
	t.Helper()
	target, err := url.Parse(plane.Config().Host)
	if err != nil {
		t.Fatal(err)
	}
	transport, err := rest.TransportFor(plane.Config())
	if err != nil {
		t.Fatal(err)
	}
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, Transport: transport}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/log") {
			forward.ServeHTTP(w, r)
			return
		}
		_, _ = fmt.Fprintf(w, "container=%s previous=%s\n", r.URL.Query().Get("container"), r.URL.Query().Get("previous"))
		for i := 1; r.URL.Query().Get("follow") == "true"; i++ { // as long as somebody listens
			_ = http.NewResponseController(w).Flush()
			select {
			case <-r.Context().Done():
				return
			case <-time.After(poll):
				_, _ = fmt.Fprintf(w, "line %d\n", i)
			}
		}
	}))
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := writeKubeconfig(file, &rest.Config{Host: server.URL}); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestLogsAreThoseOfAllPods(t *testing.T) {
	s := newSession(t, "")
	app := s.create(served, "talker", v1.ApplicationSpec{Image: "registry.example.com/shop/talker:1.0.0", Replicas: ptr.To[int32](2)})
	s.waits(app, v1.ReasonRolloutComplete)
	s.kubeconfig = kubelet(t)
	for _, each := range []struct {
		flags []string
		words string
	}{
		{nil, "container=talker previous=\n"},
		{[]string{"--previous"}, "container=talker previous=true\n"},
		{[]string{"--container", "talker"}, "container=talker previous=\n"},
		{[]string{"--all-containers"}, "container=talker previous=\n"},
	} {
		said, code := s.runs(slices.Concat([]string{"logs", "talker", "-n", served}, each.flags)...)
		lines := strings.SplitAfter(said, "\n")
		if code != 0 || len(lines) != 3 || !strings.HasPrefix(lines[0], "[pod/talker-") || !strings.HasSuffix(lines[0], each.words) || lines[0] == lines[1] {
			t.Errorf("%v: exit code %d\n%s", each.flags, code, said)
		}
	}
	if said, code := s.runs("logs", "talker", "-n", served, "--jobs"); code != 1 || !strings.Contains(said, "has no pods") {
		t.Errorf("exit code %d\n%s", code, said)
	}
}

// TestLogsAreFollowed holds that lines of all pods come as they are written, until the user has seen enough.
func TestLogsAreFollowed(t *testing.T) {
	s := newSession(t, "")
	app := s.create(served, "chatter", v1.ApplicationSpec{Image: "registry.example.com/shop/chatter:1.0.0", Replicas: ptr.To[int32](2)})
	s.waits(app, v1.ReasonRolloutComplete)
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	command := exec.CommandContext(ctx, plugin, "logs", "chatter", "-n", served, "--follow")
	command.Env = []string{"KUBECONFIG=" + kubelet(t), "HOME=" + t.TempDir()}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	heard := map[string]bool{} // the pods of which a later line has come; one may be far ahead of the other
	for lines := bufio.NewScanner(out); lines.Scan(); {
		pod, line, _ := strings.Cut(lines.Text(), " ")
		if line != "line 3" {
			continue
		}
		if heard[pod] = true; len(heard) == 2 {
			if err := command.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
		}
	}
	err = command.Wait()
	if ctx.Err() != nil || len(heard) != 2 {
		t.Errorf("it ended with %v, %v, and was heard to tell of %v", err, ctx.Err(), heard)
	}
}
