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

package metricsauth

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-logr/logr/funcr"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/util/cache"
	"k8s.io/client-go/rest"
)

// apiServer answers the two questions: the token of "known" is prometheus', that of "stranger" somebody else's, and
// prometheus may get /metrics.
type apiServer struct {
	t     *testing.T
	asked atomic.Int32
	down  atomic.Bool
	// hold, if set, keeps questions about forged tokens waiting until it is closed.
	hold chan struct{}
}

func (s *apiServer) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	s.asked.Add(1)
	if s.down.Load() {
		http.Error(w, "", http.StatusForbidden) // as for an operator without the rights
		return
	}
	body, err := io.ReadAll(request.Body)
	if err != nil {
		s.t.Error(err)
	}
	var answer any
	switch request.Method + " " + request.URL.Path {
	case "POST /apis/authentication.k8s.io/v1/tokenreviews":
		answer = s.review(body)
	case "POST /apis/authorization.k8s.io/v1/subjectaccessreviews":
		answer = s.decide(body)
	default:
		s.t.Errorf("%s %s is none of the two questions", request.Method, request.URL.Path)
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		s.t.Error(err)
	}
}

func (s *apiServer) review(body []byte) *authenticationv1.TokenReview {
	review := &authenticationv1.TokenReview{}
	if err := json.Unmarshal(body, review); err != nil {
		s.t.Error(err)
	}
	if s.hold != nil && strings.HasPrefix(review.Spec.Token, "forged") {
		<-s.hold
	}
	switch review.Spec.Token {
	case "known", "renewed":
		review.Status.Authenticated = true
		review.Status.User = authenticationv1.UserInfo{
			Username: "prometheus", UID: "1", Groups: []string{"monitors"}, Extra: map[string]authenticationv1.ExtraValue{"pod": {"a"}},
		}
	case "stranger":
		review.Status.Authenticated = true
		review.Status.User.Username = "stranger"
	}
	return review
}

func (s *apiServer) decide(body []byte) *authorizationv1.SubjectAccessReview {
	review := &authorizationv1.SubjectAccessReview{}
	if err := json.Unmarshal(body, review); err != nil {
		s.t.Error(err)
	}
	asks := review.Spec.NonResourceAttributes
	review.Status.Allowed = review.Spec.User == "prometheus" && review.Spec.UID == "1" && len(review.Spec.Groups) == 1 &&
		len(review.Spec.Extra["pod"]) == 1 && asks != nil && *asks == authorizationv1.NonResourceAttributes{Path: "/metrics", Verb: "get"}
	return review
}

// guarded returns the API server, what asks for the metrics with this header and returns the code and whether it saw
// them, and the log.
func guarded(t *testing.T) (*apiServer, func(method, path, authorization string) (int, bool), *strings.Builder) {
	t.Helper()
	server := &apiServer{t: t}
	handler, _, log := guard(t, server)
	return server, func(method, path, authorization string) (int, bool) {
		return ask(handler, "192.0.2.1:1234", method, path, authorization)
	}, log
}

// guard returns a guarded handler, its Door and its log.
func guard(t *testing.T, server *apiServer) (http.Handler, *Authorizer, *strings.Builder) {
	t.Helper()
	running := httptest.NewServer(server)
	t.Cleanup(running.Close)
	door, err := New(&rest.Config{Host: running.URL, ContentConfig: rest.ContentConfig{ContentType: "application/json"}})
	if err != nil {
		t.Fatal(err)
	}
	log := &strings.Builder{}
	var mu sync.Mutex
	handler, err := door.Filter(funcr.New(func(_, args string) {
		mu.Lock()
		defer mu.Unlock()
		log.WriteString(args)
	}, funcr.Options{}),
		http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "up 1") }))
	if err != nil {
		t.Fatal(err)
	}
	return handler, door, log
}

func ask(handler http.Handler, from, method, path, authorization string) (int, bool) {
	request := httptest.NewRequest(method, path, http.NoBody)
	request.RemoteAddr = from
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	return recorder.Code, strings.Contains(recorder.Body.String(), "up 1")
}

// TestForgedTokensCrowdNobodyOut holds that those who were let in lately are let in, with the same token and with the next
// one, while others bring more forged tokens than can be asked about.
func TestForgedTokensCrowdNobodyOut(t *testing.T) {
	server := &apiServer{t: t, hold: make(chan struct{})}
	handler, door, _ := guard(t, server)
	const prometheus = "192.0.2.1:1234"
	if code, _ := ask(handler, prometheus, "GET", "/metrics", "Bearer known"); code != http.StatusOK {
		t.Fatalf("answered %d before there was a crowd", code)
	}
	var crowd sync.WaitGroup
	codes := make(chan int, 200)
	for i := range 200 { // of 100 clients
		crowd.Go(func() {
			code, _ := ask(handler, fmt.Sprintf("198.51.100.%d:1234", i%100), "GET", "/metrics", fmt.Sprintf("Bearer forged-%d", i))
			codes <- code
		})
	}
	for range 200 - maxWaiting {
		if code := <-codes; code != http.StatusServiceUnavailable {
			t.Fatalf("one of the crowd is answered %d", code)
		}
	}
	for range 3 {
		door.allowed = cache.NewExpiring() // as after a minute
		if code, _ := ask(handler, prometheus, "GET", "/metrics", "Bearer known"); code != http.StatusOK {
			t.Errorf("who was let in lately is answered %d", code)
		}
	}
	if code, _ := ask(handler, prometheus, "GET", "/metrics", "Bearer renewed"); code != http.StatusOK {
		t.Errorf("who was let in lately, with a new token, is answered %d", code)
	}
	close(server.hold)
	crowd.Wait()
}

// TestOneClientDoesNotCrowdOutStrangers is about readers who come for the first time.
func TestOneClientDoesNotCrowdOutStrangers(t *testing.T) {
	server := &apiServer{t: t, hold: make(chan struct{})}
	handler, _, _ := guard(t, server)
	var crowd sync.WaitGroup
	codes := make(chan int, 100)
	for i := range 100 {
		crowd.Go(func() {
			code, _ := ask(handler, "198.51.100.1:1234", "GET", "/metrics", fmt.Sprintf("Bearer forged-%d", i))
			codes <- code
		})
	}
	for range 100 - maxWaitingPerSource {
		if code := <-codes; code != http.StatusServiceUnavailable {
			t.Fatalf("one of many from one address is answered %d", code)
		}
	}
	if code, _ := ask(handler, "192.0.2.1:1234", "GET", "/metrics", "Bearer known"); code != http.StatusOK {
		t.Errorf("somebody else is answered %d", code)
	}
	close(server.hold)
	crowd.Wait()
}

func TestGuard(t *testing.T) {
	for name, test := range map[string]struct {
		method, path, authorization string
		code                        int
	}{
		"nobody":                      {"GET", "/metrics", "", 401},
		"another scheme":              {"GET", "/metrics", "Basic known", 401},
		"an empty token":              {"GET", "/metrics", "Bearer  ", 401},
		"a scheme alone":              {"GET", "/metrics", "Bearer", 401},
		"a token that is none":        {"GET", "/metrics", "Bearer forged", 401},
		"somebody without the right":  {"GET", "/metrics", "Bearer stranger", 403},
		"the wrong path":              {"GET", "/debug", "Bearer known", 403},
		"the wrong verb":              {"POST", "/metrics", "Bearer known", 403},
		"somebody with the right":     {"GET", "/metrics", "Bearer known", 200},
		"the scheme in small letters": {"GET", "/metrics", "bearer known", 200},
	} {
		t.Run(name, func(t *testing.T) {
			_, ask, log := guarded(t)
			code, saw := ask(test.method, test.path, test.authorization)
			if code != test.code || saw != (test.code == 200) {
				t.Errorf("answered %d, want %d; metrics shown: %t", code, test.code, saw)
			}
			if log.String() != "" {
				t.Errorf("anybody could fill the log with: %s", log)
			}
		})
	}
}

func TestWhoWasLetInIsNotAskedAboutAgain(t *testing.T) {
	server, ask, _ := guarded(t)
	for range 3 {
		if code, _ := ask("GET", "/metrics", "Bearer known"); code != 200 {
			t.Fatalf("answered %d", code)
		}
	}
	if asked := server.asked.Load(); asked != 2 {
		t.Errorf("the API server was asked %d times, want 2", asked)
	}
	for what, request := range map[string][3]string{
		"another path": {"GET", "/debug", "Bearer known"}, "another verb": {"POST", "/metrics", "Bearer known"},
	} {
		if code, _ := ask(request[0], request[1], request[2]); code != 403 {
			t.Errorf("%s: answered %d on the strength of what was asked before", what, code)
		}
	}
	server.down.Store(true)
	if code, _ := ask("GET", "/metrics", "Bearer known"); code != 200 {
		t.Errorf("answered %d while the API server is away for a moment", code)
	}
}

func TestWhoWasTurnedAwayIsAskedAboutAgain(t *testing.T) {
	server, ask, _ := guarded(t)
	for range 2 {
		ask("GET", "/metrics", "Bearer stranger")
	}
	if asked := server.asked.Load(); asked != 4 {
		t.Errorf("the API server was asked %d times, want 4: a right that is granted must count at once", asked)
	}
}

func TestAnAPIServerThatDoesNotAnswerLetsNobodyIn(t *testing.T) {
	server, ask, log := guarded(t)
	server.down.Store(true)
	code, saw := ask("GET", "/metrics", "Bearer known")
	if code != 503 || saw {
		t.Errorf("answered %d, want 503; metrics shown: %t", code, saw)
	}
	if !strings.Contains(log.String(), "create a TokenReview") {
		t.Errorf("the log does not say why: %s", log)
	}
	if strings.Contains(log.String(), "known") {
		t.Errorf("the token is in the log: %s", log)
	}
}
