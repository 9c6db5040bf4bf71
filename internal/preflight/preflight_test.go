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

package preflight

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
)

// fakeAPI answers what WaitForAPI asks.
type fakeAPI struct {
	mu sync.Mutex
	// discovery answers GET /apis/apps.example.com/v1; nil serves the CRD.
	discovery *metav1.Status
	// kinds are the resources that are served; nil is Applications.
	kinds []string
	// denies refuses a right; nil grants all.
	denies func(authorizationv1.ResourceAttributes) bool
	// review answers the question for a right; nil answers it by denies.
	review *metav1.Status
	// rules returns what is granted in a namespace; nil is that the API server does not tell of rules.
	rules func(namespace string) []authorizationv1.ResourceRule
	// lease answers GET of the Lease in the namespace that is served; nil is that it exists.
	lease *metav1.Status
	// user is who the API server takes the client for.
	user string
	// asked are all rights asked for, as verb namespace resource/name.
	asked []string
}

func (f *fakeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch r.URL.Path {
	case "/apis/apps.example.com/v1":
		if f.discovery != nil {
			writeJSON(w, int(f.discovery.Code), f.discovery)
			return
		}
		list := metav1.APIResourceList{GroupVersion: "apps.example.com/v1"}
		for _, kind := range append([]string{}, f.kinds...) {
			list.APIResources = append(list.APIResources, metav1.APIResource{Name: kind})
		}
		writeJSON(w, http.StatusOK, list)
	case "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews":
		if f.review != nil {
			writeJSON(w, int(f.review.Code), f.review)
			return
		}
		var review authorizationv1.SelfSubjectAccessReview
		if err := json.NewDecoder(r.Body).Decode(&review); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		right := *review.Spec.ResourceAttributes
		f.asked = append(f.asked, strings.TrimSuffix(fmt.Sprintf("%s %s %s/%s", right.Verb, right.Namespace, right.Resource, right.Name), "/"))
		review.Status.Allowed = f.denies == nil || !f.denies(right)
		writeJSON(w, http.StatusCreated, review)
	case "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews":
		if f.rules == nil {
			http.NotFound(w, r)
			return
		}
		var review authorizationv1.SelfSubjectRulesReview
		if err := json.NewDecoder(r.Body).Decode(&review); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		f.asked = append(f.asked, "rules of "+review.Spec.Namespace)
		review.Status.ResourceRules = f.rules(review.Spec.Namespace)
		writeJSON(w, http.StatusCreated, review)
	case "/apis/authentication.k8s.io/v1/selfsubjectreviews":
		writeJSON(w, http.StatusCreated, authenticationv1.SelfSubjectReview{
			Status: authenticationv1.SelfSubjectReviewStatus{UserInfo: authenticationv1.UserInfo{Username: f.user}},
		})
	case "/apis/coordination.k8s.io/v1/namespaces/served/leases/leader-served":
		if f.lease != nil {
			writeJSON(w, int(f.lease.Code), f.lease)
			return
		}
		writeJSON(w, http.StatusOK, coordinationv1.Lease{})
	default:
		http.NotFound(w, r)
	}
}

func (f *fakeAPI) change(edit func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	edit()
}

func writeJSON(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}

func refusal(err *apierrors.StatusError) *metav1.Status {
	return &err.ErrStatus
}

// serve starts the fake API server. It serves the CRD and grants everything unless edited.
func serve(t *testing.T, edit func(*fakeAPI)) (*fakeAPI, *rest.Config) {
	t.Helper()
	api := &fakeAPI{kinds: []string{"applications/status", "applications"}, user: "system:serviceaccount:operators:app-operator"}
	edit(api)
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	return api, &rest.Config{Host: server.URL, ContentConfig: rest.ContentConfig{ContentType: "application/json"}}
}

// hasty gives up soon enough for a test, and says so to OnWaiting.
func hasty(namespaces ...string) Startup {
	return Startup{Namespaces: namespaces, Timeout: 20 * time.Millisecond, Poll: time.Millisecond, Report: time.Hour}
}

func TestWaitForAPIGivesUp(t *testing.T) {
	applications := schema.GroupResource{Group: "apps.example.com", Resource: "applications"}
	cases := []struct {
		name    string
		edit    func(*fakeAPI)
		startup Startup
		want    []string
		never   []string
	}{
		{
			name:    "no CRD",
			edit:    func(f *fakeAPI) { f.discovery = refusal(apierrors.NewNotFound(applications, "")) },
			startup: hasty("a"),
			want: []string{
				"gave up after 20ms waiting for the CRD applications.apps.example.com, version v1",
				"kubectl apply -f config/crd/bases", "OLM",
			},
		},
		{
			name:    "another kind of the group",
			edit:    func(f *fakeAPI) { f.kinds = []string{"others"} },
			startup: hasty("a"),
			want:    []string{"waiting for the CRD applications.apps.example.com, version v1"},
		},
		{
			name:    "unauthorized",
			edit:    func(f *fakeAPI) { f.discovery = refusal(apierrors.NewUnauthorized("Unauthorized")) },
			startup: hasty("a"),
			want:    []string{"waiting for the API server at http://127.0.0.1:", "to accept the credentials", "check the token"},
		},
		{
			name:    "discovery forbidden",
			edit:    func(f *fakeAPI) { f.discovery = refusal(apierrors.NewForbidden(applications, "", errors.New("no"))) },
			startup: hasty("a"),
			want:    []string{"waiting for the API server at http://127.0.0.1:", "to allow discovery", "system:discovery"},
		},
		{
			name:    "overloaded",
			edit:    func(f *fakeAPI) { f.discovery = refusal(apierrors.NewServiceUnavailable("shutting down")) },
			startup: hasty("a"),
			want:    []string{"waiting for the API server at http://127.0.0.1:", "unable to handle the request"},
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			_, config := serve(t, tc.edit)
			var waiting error
			tc.startup.OnWaiting = func(what error) { waiting = what }
			_, err := WaitForAPI(t.Context(), config, tc.startup)
			if err == nil {
				t.Fatal("WaitForAPI() = nil, want an error")
			}
			for _, part := range tc.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("the error lacks %q: %v", part, err)
				}
			}
			for _, part := range tc.never {
				if strings.Contains(err.Error(), part) {
					t.Errorf("the error contains %q: %v", part, err)
				}
			}
			if waiting == nil || !strings.HasSuffix(err.Error(), waiting.Error()) {
				t.Errorf("OnWaiting was told %v, not what the error says: %v", waiting, err)
			}
		})
	}
}

// TestWaitForAPIWaitsForRights has it wait for rights long after it would have given up on anything else.
func TestWaitForAPIWaitsForRights(t *testing.T) {
	everything := func(authorizationv1.ResourceAttributes) bool { return true }
	for name, tc := range map[string]struct {
		denies      func(authorizationv1.ResourceAttributes) bool
		user        string
		namespaces  []string
		lease       string
		want, never []string
	}{
		"one right": {
			denies: func(r authorizationv1.ResourceAttributes) bool {
				return r.Resource == "applications" && r.Verb == "watch"
			},
			user: "system:serviceaccount:operators:app-operator", namespaces: []string{"b"},
			want: []string{
				"rights: the ServiceAccount operators/app-operator may not watch applications.apps.example.com " +
					"in namespace b; bind the roles of config/rbac there",
			},
			never: []string{"list"},
		},
		"all of one namespace": {
			denies: everything, namespaces: []string{"b"},
			want: []string{"list and watch applications.apps.example.com, ", "deployments.apps", " in namespace b;"},
		},
		"all of all namespaces": {
			denies: everything, want: []string{"list and watch applications.apps.example.com, ", " in all namespaces;"},
		},
		"all of many namespaces": {
			denies: everything, user: "jane", namespaces: []string{"a", "b", "c", "d", "e", "f", "g"},
			want:  []string{"the user jane may not", "in namespace e; nor 2 more; bind"},
			never: []string{"namespace f"},
		},
		"the Lease": {
			denies: func(r authorizationv1.ResourceAttributes) bool { return r.Resource == "leases" }, namespaces: []string{"a"},
			lease: "app-operator-leader",
			want: []string{
				"get and update leases.coordination.k8s.io/app-operator-leader in namespace operators; " +
					"nor create leases.coordination.k8s.io in namespace operators;",
			},
			never: []string{"namespace a"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, config := serve(t, func(f *fakeAPI) { f.denies, f.user = tc.denies, tc.user })
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var waiting []string
			_, err := WaitForAPI(ctx, config, Startup{
				Namespaces: tc.namespaces, Lease: types.NamespacedName{Namespace: "operators", Name: tc.lease}, Timeout: time.Nanosecond, Poll: time.Nanosecond, Report: time.Nanosecond,
				OnWaiting: func(what error) {
					if waiting = append(waiting, what.Error()); len(waiting) == 3 {
						cancel()
					}
				},
			})
			if !errors.Is(err, context.Canceled) || len(waiting) != 3 {
				t.Fatalf("it has waited for %q, and ended with %v", waiting, err)
			}
			for _, part := range tc.want {
				if !strings.Contains(waiting[0], part) {
					t.Errorf("%q is not in %q", part, waiting[0])
				}
			}
			for _, part := range tc.never {
				if strings.Contains(waiting[0], part) {
					t.Errorf("%q is in %q", part, waiting[0])
				}
			}
		})
	}
}

// TestWaitForAPILeavesOut does not wait for namespaces that lack rights while there is one that does not.
func TestWaitForAPILeavesOut(t *testing.T) {
	for name, denies := range map[string]func(authorizationv1.ResourceAttributes) bool{
		"one right": func(r authorizationv1.ResourceAttributes) bool {
			return r.Namespace == "b" && r.Resource == "secrets" && r.Verb == "watch"
		},
		"all rights": func(r authorizationv1.ResourceAttributes) bool { return r.Namespace == "b" },
	} {
		_, config := serve(t, func(f *fakeAPI) { f.denies = denies })
		startup := hasty("a", "b", "c")
		startup.OnWaiting = func(what error) { t.Errorf("%s: it waits for %v", name, what) }
		found, err := WaitForAPI(t.Context(), config, startup)
		if err != nil || !slices.Equal(found.Absent, []string{"b"}) {
			t.Errorf("%s: %v are left out, error %v", name, found.Absent, err)
		}
	}
}

// TestWaitForAPIFindsTheLease has the rights to a Lease in one of two namespaces, in both or in none.
func TestWaitForAPIFindsTheLease(t *testing.T) {
	own := types.NamespacedName{Namespace: "own", Name: "leader"}
	served := types.NamespacedName{Namespace: "served", Name: "leader-served"}
	lease := schema.GroupResource{Group: "coordination.k8s.io", Resource: "leases"}
	notFound := refusal(apierrors.NewNotFound(lease, served.Name))
	for name, tc := range map[string]struct {
		denied    []string // namespaces without rights to Leases
		lease     *metav1.Status
		elsewhere types.NamespacedName
		grace     time.Duration
		want      types.NamespacedName // none: it waits
	}{
		"rights in its own":                         {denied: []string{"served"}, elsewhere: served, want: own},
		"rights in both":                            {lease: notFound, elsewhere: served, want: own},
		"rights in both, the other may not be read": {lease: refusal(apierrors.NewForbidden(lease, served.Name, nil)), elsewhere: served, want: own},
		"rights in both, the other exists":          {elsewhere: served, want: served},
		"rights in both, no answer":                 {lease: refusal(apierrors.NewServiceUnavailable("no")), elsewhere: served},
		"rights in the served one":                  {denied: []string{"own"}, lease: notFound, elsewhere: served, want: served},
		"rights in the served one, they may come":   {denied: []string{"own"}, lease: notFound, elsewhere: served, grace: time.Hour},
		"rights in the served one, none named":      {denied: []string{"own"}},
		"no rights":                                 {denied: []string{"own", "served"}, elsewhere: served},
	} {
		t.Run(name, func(t *testing.T) {
			_, config := serve(t, func(f *fakeAPI) {
				f.lease = tc.lease
				f.denies = func(r authorizationv1.ResourceAttributes) bool {
					return r.Resource == "leases" && slices.Contains(tc.denied, r.Namespace)
				}
			})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			startup := hasty("served")
			startup.Lease, startup.Elsewhere, startup.Grace = own, tc.elsewhere, max(tc.grace, time.Nanosecond)
			startup.Timeout = time.Hour
			rounds := 0
			startup.OnWaiting = func(error) {
				if rounds++; rounds == 5 {
					cancel()
				}
			}
			found, err := WaitForAPI(ctx, config, startup)
			if waited := errors.Is(err, context.Canceled); waited != (tc.want.Name == "") || found.Lease != tc.want {
				t.Errorf("the Lease is %v, want %v; error %v", found.Lease, tc.want, err)
			}
		})
	}
}

func TestWaitForAPIUnreachable(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close() // now nobody listens there
	_, err := WaitForAPI(t.Context(), &rest.Config{Host: server.URL}, hasty("a"))
	want := fmt.Sprintf("gave up after 20ms waiting for the API server at %s: connection refused", server.URL)
	if err == nil || err.Error() != want {
		t.Errorf("WaitForAPI() = %v, want %s", err, want)
	}
}

func TestWaitForAPIInvalidConfig(t *testing.T) {
	config := &rest.Config{Host: "https://127.0.0.1:1", TLSClientConfig: rest.TLSClientConfig{CAFile: "absent.crt"}}
	_, err := WaitForAPI(t.Context(), config, Startup{})
	if err == nil || !strings.Contains(err.Error(), "absent.crt") || strings.Contains(err.Error(), "gave up") {
		t.Errorf("WaitForAPI() = %v, want an error at once that names the file", err)
	}
}

func TestWaitForAPIReady(t *testing.T) {
	api, config := serve(t, func(*fakeAPI) {})
	startup := hasty("a", "b")
	startup.OnWaiting = func(what error) { t.Errorf("waited for %v", what) }
	if _, err := WaitForAPI(t.Context(), config, startup); err != nil {
		t.Fatal(err)
	}
	for _, right := range api.asked {
		if strings.Contains(right, "leases") {
			t.Errorf("asked for %q without leader election", right)
		}
	}
	if !slices.Contains(api.asked, "watch b applications") {
		t.Errorf("did not ask for watch b applications, only %q", api.asked)
	}
}

// A right is asked for with the name of the Lease where the Role may be limited to it. Creation cannot be.
func TestWaitForAPIAsksForTheLease(t *testing.T) {
	api, config := serve(t, func(*fakeAPI) {})
	startup := hasty("a")
	startup.Lease = types.NamespacedName{Namespace: "operators", Name: "x"}
	if _, err := WaitForAPI(t.Context(), config, startup); err != nil {
		t.Fatal(err)
	}
	want := []string{"get operators leases/x", "update operators leases/x", "create operators leases"}
	if diff := cmp.Diff(want, api.asked[len(api.asked)-3:]); diff != "" {
		t.Errorf("rights asked for (-want +got):\n%s", diff)
	}
}

// TestWaitForAPIAsksForRules asks once for each namespace, and for each right only where that does not tell of it.
func TestWaitForAPIAsksForRules(t *testing.T) {
	everything := authorizationv1.ResourceRule{Verbs: []string{"*"}, APIGroups: []string{"*"}, Resources: []string{"*"}}
	var read []authorizationv1.ResourceRule // as a Role has it
	for _, resource := range watchedResources() {
		read = append(read, authorizationv1.ResourceRule{
			Verbs: []string{"get", "list", "watch"}, APIGroups: []string{resource.Group}, Resources: []string{"others", resource.Resource},
		})
	}
	limited := everything
	limited.ResourceNames = []string{"one"}
	lease := func(names ...string) []authorizationv1.ResourceRule {
		return append(slices.Clone(read),
			authorizationv1.ResourceRule{Verbs: []string{"create"}, APIGroups: []string{"coordination.k8s.io"}, Resources: []string{"leases"}},
			authorizationv1.ResourceRule{
				Verbs: []string{"get", "update"}, APIGroups: []string{"coordination.k8s.io"}, Resources: []string{"leases"}, ResourceNames: names,
			})
	}
	each := func(namespace string) []string {
		var asked []string
		for _, resource := range watchedResources() {
			asked = append(asked, "list "+namespace+" "+resource.Resource, "watch "+namespace+" "+resource.Resource)
		}
		return asked
	}
	for name, tc := range map[string]struct {
		namespaces []string
		lease      string
		rules      map[string][]authorizationv1.ResourceRule
		want       []string
	}{
		"all are granted": {
			namespaces: []string{"a", "b"}, rules: map[string][]authorizationv1.ResourceRule{"a": read, "b": {everything}},
			want: []string{"rules of a", "rules of b"},
		},
		"of one, nothing is told": {
			namespaces: []string{"a", "b"}, rules: map[string][]authorizationv1.ResourceRule{"a": read},
			want: append([]string{"rules of a", "rules of b"}, each("b")...),
		},
		"some names are no right to all": {
			namespaces: []string{"a"}, rules: map[string][]authorizationv1.ResourceRule{"a": {limited}},
			want: append([]string{"rules of a"}, each("a")...),
		},
		"of all namespaces, no rule tells": {rules: map[string][]authorizationv1.ResourceRule{"": read}, want: each("")},
		"the Lease by its name": {
			namespaces: []string{"a"}, lease: "x", rules: map[string][]authorizationv1.ResourceRule{"a": lease("x")}, want: []string{"rules of a"},
		},
		"another Lease by its name": {
			namespaces: []string{"a"}, lease: "x", rules: map[string][]authorizationv1.ResourceRule{"a": lease("y")},
			want: []string{"get a leases/x", "rules of a", "update a leases/x"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			api, config := serve(t, func(f *fakeAPI) {
				f.rules = func(namespace string) []authorizationv1.ResourceRule { return tc.rules[namespace] }
			})
			startup := hasty(tc.namespaces...)
			startup.Lease = types.NamespacedName{Namespace: "a", Name: tc.lease}
			if _, err := WaitForAPI(t.Context(), config, startup); err != nil {
				t.Fatal(err)
			}
			slices.Sort(api.asked)
			slices.Sort(tc.want)
			if diff := cmp.Diff(tc.want, api.asked); diff != "" {
				t.Errorf("rights asked for (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRightsAreAskedForEachByItself holds that a rule is not trusted once something was forbidden.
func TestRightsAreAskedForEachByItself(t *testing.T) {
	everything := authorizationv1.ResourceRule{Verbs: []string{"*"}, APIGroups: []string{"*"}, Resources: []string{"*"}}
	_, config := serve(t, func(f *fakeAPI) {
		f.rules = func(string) []authorizationv1.ResourceRule { return []authorizationv1.ResourceRule{everything} }
		f.denies = func(r authorizationv1.ResourceAttributes) bool { return r.Resource == "secrets" }
	})
	check, err := NewCheck(config, hasty("a"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := check.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, ok := errors.AsType[*MissingRightsError](check.Rights(t.Context())); !ok {
		t.Error("a right that is denied is not found to be missing")
	}
}

// Where even the question is forbidden, the informers find out.
func TestWaitForAPIReviewForbidden(t *testing.T) {
	_, config := serve(t, func(f *fakeAPI) {
		f.review = refusal(apierrors.NewForbidden(schema.GroupResource{Resource: "selfsubjectaccessreviews"}, "", errors.New("no")))
	})
	if _, err := WaitForAPI(t.Context(), config, hasty("a")); err != nil {
		t.Errorf("WaitForAPI() = %v", err)
	}
}

// TestWaitForAPIRecovers walks from no CRD over no rights to ready, and asks for nothing twice that was granted.
func TestWaitForAPIRecovers(t *testing.T) {
	api, config := serve(t, func(f *fakeAPI) {
		f.discovery = refusal(apierrors.NewNotFound(schema.GroupResource{}, ""))
		f.denies = func(r authorizationv1.ResourceAttributes) bool {
			return r.Resource == "applications" && r.Verb == "watch"
		}
	})
	var waited []string
	startup := Startup{Namespaces: []string{"a"}, Timeout: time.Minute, Poll: time.Millisecond}
	startup.OnWaiting = func(what error) {
		subject, _, _ := strings.Cut(what.Error(), " ")
		if !slices.Contains(waited, subject) {
			waited = append(waited, subject)
		}
		api.change(func() {
			if api.discovery != nil {
				api.discovery = nil
			} else {
				api.denies = nil
			}
		})
	}
	if _, err := WaitForAPI(t.Context(), config, startup); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"the", "rights:"}, waited); diff != "" {
		t.Errorf("waited for (-want +got):\n%s", diff)
	}
	counts := map[string]int{}
	for _, right := range api.asked {
		counts[right]++
	}
	for right, count := range counts {
		if want := map[bool]int{true: 2, false: 1}[right == "watch a applications"]; count != want {
			t.Errorf("asked %d times for %q, want %d", count, right, want)
		}
	}
}

// direct has an API server answer without a network.
type direct struct{ api http.Handler }

// RoundTrip returns what the API server answers.
func (d direct) RoundTrip(request *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	d.api.ServeHTTP(answer, request)
	return answer.Result(), nil
}

// TestWaitForAPIFindsLateRightsSoon holds that rights which come after an hour are found as soon as those which come after two minutes, and
// that an API server which is away for a moment then is given its time.
func TestWaitForAPIFindsLateRightsSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &fakeAPI{kinds: []string{"applications/status", "applications"}, user: "jane"}
		api.denies = func(authorizationv1.ResourceAttributes) bool { return true }
		config := &rest.Config{Host: "http://api", Transport: direct{api}, ContentConfig: rest.ContentConfig{ContentType: "application/json"}}
		var last time.Time
		pause := time.Duration(0)
		startup := Startup{Namespaces: []string{"a"}, OnWaiting: func(error) { last, pause = time.Now(), time.Since(last) }}
		ended := make(chan error, 1)
		go func() {
			_, err := WaitForAPI(t.Context(), config, startup)
			ended <- err
		}()
		time.Sleep(time.Hour)
		synctest.Wait()
		if pause > startupReport {
			t.Errorf("after an hour it looks every %s", pause)
		}
		api.change(func() { api.discovery = refusal(apierrors.NewNotFound(schema.GroupResource{}, "")) })
		time.Sleep(startupTimeout / 2)
		api.change(func() { api.discovery, api.denies = nil, nil })
		time.Sleep(2 * startupReport)
		select {
		case err := <-ended:
			if err != nil {
				t.Error(err)
			}
		default:
			t.Error("it waits on, although all is there")
		}
	})
}

func TestWaitForAPIStops(t *testing.T) {
	_, config := serve(t, func(f *fakeAPI) { f.discovery = refusal(apierrors.NewNotFound(schema.GroupResource{}, "")) })
	ctx, cancel := context.WithCancel(t.Context())
	_, err := WaitForAPI(ctx, config, Startup{Timeout: time.Hour, Poll: time.Hour, OnWaiting: func(error) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("WaitForAPI() = %v, want it to wrap %v", err, context.Canceled)
	}
}

func TestUnanswered(t *testing.T) {
	asking := func(err error) error { return &url.Error{Op: "Get", URL: "https://host/apis", Err: err} }
	cases := []struct {
		name string
		err  error
		want string
	}{
		{name: "refused", err: asking(&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}), want: "connection refused"},
		{name: "no answer", err: asking(context.DeadlineExceeded), want: "no answer within 5s"},
		{name: "no such host", err: asking(&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "host"}}), want: "dial: lookup host: no such host"},
		{name: "unknown authority", err: asking(x509.UnknownAuthorityError{}), want: "x509: certificate signed by unknown authority"},
		{name: "API error", err: apierrors.NewTooManyRequestsError("busy"), want: "Too many requests: busy"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			got := (&Check{host: "https://host"}).unanswered(tc.err).Error()
			if want := "the API server at https://host: " + tc.want; got != want {
				t.Errorf("unanswered() = %s, want %s", got, want)
			}
		})
	}
}

// TestWatchedResources holds the rights asked for at startup against those that are generated for the Role: an
// informer without rights would keep the operator from starting, with nobody told why.
func TestWatchedResources(t *testing.T) {
	want := map[string]bool{}
	rights := granted(t)
	for right := range rights {
		if resource, ok := strings.CutPrefix(right, "list "); ok && rights.Has("watch "+resource) {
			want[resource] = true
		}
	}
	got := map[string]bool{}
	for _, resource := range watchedResources() {
		got[resource.String()] = true
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))); diff != "" {
		t.Errorf("watchedResources() (-role.yaml +got):\n%s", diff)
	}
}
