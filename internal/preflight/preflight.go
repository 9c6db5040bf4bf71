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

// Package preflight waits until the API server serves and grants what the operator cannot start without.
//
// It asks questions and writes nothing. It knows neither the manager nor its cache.
package preflight

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/cluster"
)

const (
	startupTimeout = time.Minute
	startupPoll    = time.Second
	startupReport  = 5 * time.Second
	startupRequest = 5 * time.Second
	// leaseGrace is how long the rights to the Lease may be missing before it is looked for elsewhere: who installs the
	// operator may be about to grant them, and all replicas must agree on one Lease.
	leaseGrace = 10 * time.Second

	maxRightsShown = 5
)

// watchedResources are those whose informers must sync before the operator can act. Without the right to list and
// watch one of them the manager would wait for ever, so these rights are asked for first.
func watchedResources() []schema.GroupResource {
	watched := []schema.GroupResource{{Group: v1.GroupVersion.Group, Resource: "applications"}}
	for _, kind := range cluster.ReadKinds() {
		// A kind that the scheme does not know cannot be watched either; setting up the watch says so.
		if gvk, err := apiutil.GVKForObject(kind, scheme.Scheme); err == nil {
			plural, _ := meta.UnsafeGuessKindToResource(gvk)
			watched = append(watched, plural.GroupResource())
		}
	}
	for _, child := range children.Table {
		if child.Optional() { // served or not, the right to it is in the Role
			watched = append(watched, child.OptionalAPI.GroupResource())
		}
	}
	return watched
}

// Startup says what WaitForAPI waits for, and for how long. Durations of zero are the defaults.
type Startup struct {
	// Namespaces are those to be watched; empty is all of them.
	Namespaces []string
	// Lease is the one of leader election. Without a name there is no election, and no right to it is needed.
	Lease types.NamespacedName
	// Elsewhere is another Lease, in a namespace that is served. It is taken if it exists already, or if the rights to the
	// first one are missing for longer than Grace and those to this one are there. Without a name there is none.
	Elsewhere types.NamespacedName
	// Grace is how long rights to the Lease may be missing.
	Grace time.Duration
	// Timeout is when to give up.
	Timeout time.Duration
	// Poll is the pause between two checks, Report the one between two log lines that say the same.
	Poll, Report time.Duration
	// OnWaiting, if set, is told what is waited for after each check that was not passed.
	OnWaiting func(what error)
}

// Found is what WaitForAPI has learned.
type Found struct {
	// Absent are the namespaces in which rights are missing.
	Absent []string
	// Lease is the one of leader election.
	Lease types.NamespacedName
}

// WaitForAPI returns when the API server answers, serves the Application CRD, and grants what the operator needs
// to start, in one of the namespaces at least. Until then it logs what it waits for and how to remedy it; after the
// timeout it returns that as an error. For rights it waits without end: whoever grants them may come late. It returns at
// once if the config cannot be used at all or if ctx ends.
func WaitForAPI(ctx context.Context, config *rest.Config, startup Startup) (Found, error) {
	startup.setDefaults()
	check, err := NewCheck(config, startup)
	if err != nil {
		return Found{}, fmt.Errorf("use the configuration of the cluster: %w", err)
	}
	var (
		log      = ctrl.Log.WithName("startup")
		began    = time.Now()
		wait     = patience{began: began, failing: began}
		reported time.Time
		said     string
	)
	for {
		absent, missing := check.run(ctx)
		if moved, err := check.moveLease(ctx, missing, time.Since(began)); err != nil {
			missing = err
		} else if moved {
			absent, missing = check.run(ctx)
		}
		if missing == nil {
			if said != "" {
				log.Info("Found everything that was waited for", "waited", time.Since(began).Round(time.Second).String())
			}
			return Found{Absent: absent, Lease: check.lease}, nil
		}
		if ctx.Err() != nil {
			return Found{}, fmt.Errorf("stopped while waiting for the cluster: %w", context.Cause(ctx))
		}
		if startup.OnWaiting != nil {
			startup.OnWaiting(missing)
		}
		if err := wait.goesOn(&startup, missing); err != nil {
			return Found{}, err
		}
		if text := missing.Error(); text != said || time.Since(reported) >= startup.Report {
			log.Info("Waiting for " + text)
			said, reported = text, time.Now()
		}
		select {
		case <-ctx.Done():
		case <-time.After(startup.Poll):
		}
	}
}

// patience is since when is waited, and since when for anything but rights. After a while it is looked more rarely.
type patience struct {
	began, failing time.Time
	rarely         bool
}

// goesOn returns an error when it is time to give up on what is missing. For rights it waits without end.
func (p *patience) goesOn(startup *Startup, missing error) error {
	if _, comes := errors.AsType[*MissingRightsError](missing); comes {
		p.failing = time.Now()
	} else if time.Since(p.failing) >= startup.Timeout {
		return fmt.Errorf("gave up after %s waiting for %w", startup.Timeout, missing)
	}
	if time.Since(p.began) >= startup.Timeout && !p.rarely {
		startup.Poll, startup.Report, p.rarely = startup.Report, startup.Timeout, true
	}
	return nil
}

func (s *Startup) setDefaults() {
	for _, value := range []struct {
		field *time.Duration
		value time.Duration
	}{{&s.Timeout, startupTimeout}, {&s.Poll, startupPoll}, {&s.Report, startupReport}, {&s.Grace, leaseGrace}} {
		if *value.field == 0 {
			*value.field = value.value
		}
	}
	if len(s.Namespaces) == 0 {
		s.Namespaces = []string{metav1.NamespaceAll}
	}
}

// Check asks the API server directly, one question after the other, and remembers what was answered well.
type Check struct {
	host    string
	api     kubernetes.Interface
	desired []right
	granted map[string]bool
	// namespaces is how many there are to be served.
	namespaces int
	// lease is the one of leader election, and elsewhere the one that may take its place.
	lease, elsewhere types.NamespacedName
	grace            time.Duration
	// who is the identity the API server sees, once known.
	who string
}

// right is one kind of access the operator needs: several verbs on one resource in one namespace.
type right struct {
	schema.GroupResource
	namespace, name string
	verbs           []string
}

// NewCheck returns a Check of the API server of this configuration, which is copied.
func NewCheck(config *rest.Config, startup Startup) (*Check, error) {
	config = rest.CopyConfig(config)
	config.Timeout = startupRequest
	config.QPS = -1 // these are few questions, and the API server has its own fairness
	api, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	host, _, err := rest.DefaultServerUrlFor(config)
	if err != nil {
		return nil, err
	}
	return &Check{
		host: host.String(), api: api,
		desired: startup.rights(), namespaces: len(startup.Namespaces), granted: map[string]bool{},
		lease: startup.Lease, elsewhere: startup.Elsewhere, grace: startup.Grace,
	}, nil
}

// rights lists what the manager itself needs to start. Rights to write are left out: a reconcile that lacks one says so
// in the status of its Application, and the others go on.
func (s *Startup) rights() []right {
	var rights []right
	for _, namespace := range s.Namespaces {
		for _, resource := range watchedResources() {
			rights = append(rights, right{GroupResource: resource, namespace: namespace, verbs: []string{"list", "watch"}})
		}
	}
	if s.Lease.Name != "" {
		rights = append(rights, rightsTo(s.Lease)...)
	}
	return rights
}

// run returns nil if nothing is missing that the start has to wait for, and the namespaces that lack rights; else what is,
// in words that follow "waiting for".
func (p *Check) run(ctx context.Context) (absent []string, err error) {
	if err := p.findCRD(ctx); err != nil {
		return nil, err
	}
	p.learnRules(ctx)
	err = p.findRights(ctx)
	if lacks, ok := errors.AsType[*MissingRightsError](err); ok && lacks.inNamespacesOnly() {
		absent = lacks.namespaces()
		if len(absent) < p.namespaces {
			return absent, nil
		}
	}
	return nil, err
}

// findCRD reads which resources the API server serves in our version; the cheapest request that also proves that
// it is there and takes our credentials.
func (p *Check) findCRD(ctx context.Context) error {
	found, err := cluster.Serves(ctx, p.api.Discovery().RESTClient(), v1.GroupVersion.WithResource("applications"))
	if err != nil {
		return p.unanswered(err)
	}
	if found {
		return nil
	}
	return fmt.Errorf("the CRD applications.%s, version %s: install it with kubectl apply -f config/crd/bases, "+
		"or through OLM", v1.GroupVersion.Group, v1.GroupVersion.Version)
}

// learnRules asks for all that is granted in each namespace, in one question for it. What that does not tell, such as what is granted by
// no rule, is still to be asked for.
func (p *Check) learnRules(ctx context.Context) {
	open := map[string][]right{}
	for _, want := range p.desired {
		unknown := slices.ContainsFunc(want.verbs, func(verb string) bool { return !p.granted[want.key(verb)] })
		if unknown && want.namespace != metav1.NamespaceAll { // there, rules of one namespace would pass for those of all
			open[want.namespace] = append(open[want.namespace], want)
		}
	}
	for namespace, rights := range open {
		review := &authorizationv1.SelfSubjectRulesReview{Spec: authorizationv1.SelfSubjectRulesReviewSpec{Namespace: namespace}}
		answer, err := p.api.AuthorizationV1().SelfSubjectRulesReviews().Create(ctx, review, metav1.CreateOptions{})
		if err != nil { // findRights says what is wrong
			return
		}
		for _, want := range rights {
			for _, verb := range want.verbs {
				if slices.ContainsFunc(answer.Status.ResourceRules, want.grantedBy(verb)) {
					p.granted[want.key(verb)] = true
				}
			}
		}
	}
}

// findRights asks for every right not granted yet, and returns all that are denied in one error.
func (p *Check) findRights(ctx context.Context) error {
	var missing []right
	for _, want := range p.desired {
		var denied []string
		for _, verb := range want.verbs {
			allowed, err := p.mayI(ctx, want, verb)
			if err != nil {
				return p.unanswered(err)
			}
			if !allowed {
				denied = append(denied, verb)
			}
		}
		if len(denied) > 0 {
			want.verbs = denied
			missing = append(missing, want)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return &MissingRightsError{who: p.identity(ctx), rights: missing}
}

// leases are what leader election needs rights to.
var leases = schema.GroupResource{Group: "coordination.k8s.io", Resource: "leases"}

// MissingRightsError is that the operator may not do what it has to.
type MissingRightsError struct {
	who    string
	rights []right
}

// Error says what is missing, and what to do.
func (m *MissingRightsError) Error() string {
	return fmt.Sprintf("rights: %s may not %s; bind the roles of config/rbac there", m.who, describe(m.rights))
}

// namespaces returns where rights are missing, each namespace once.
func (m *MissingRightsError) namespaces() []string {
	var names []string
	for _, right := range m.rights {
		if !slices.Contains(names, right.namespace) {
			names = append(names, right.namespace)
		}
	}
	return names
}

// inNamespacesOnly reports whether nothing is missing but rights to what the operator reads in the namespaces it serves.
func (m *MissingRightsError) inNamespacesOnly() bool {
	return !slices.ContainsFunc(m.rights, func(right right) bool { return right.GroupResource == leases })
}

// describe lists rights in words, those to the same in the same namespace together.
func describe(rights []right) string {
	var parts []string
	for i := 0; i < len(rights); {
		first := rights[i]
		var resources []string
		for ; i < len(rights) && rights[i].namespace == first.namespace && slices.Equal(rights[i].verbs, first.verbs); i++ {
			resources = append(resources, rights[i].resource())
		}
		where := "in all namespaces"
		if first.namespace != metav1.NamespaceAll {
			where = "in namespace " + first.namespace
		}
		parts = append(parts, fmt.Sprintf("%s %s %s", strings.Join(first.verbs, " and "), strings.Join(resources, ", "), where))
	}
	if hidden := len(parts) - maxRightsShown; hidden > 0 {
		parts = append(parts[:maxRightsShown], fmt.Sprintf("%d more", hidden))
	}
	return strings.Join(parts, "; nor ")
}

func (r right) resource() string {
	if r.name != "" {
		return r.String() + "/" + r.name
	}
	return r.String()
}

// key names the right to one verb.
func (r right) key(verb string) string {
	return strings.Join([]string{verb, r.resource(), r.namespace}, " ")
}

// grantedBy returns what reports whether a rule grants the right to one verb, as RBAC does.
func (r right) grantedBy(verb string) func(authorizationv1.ResourceRule) bool {
	has := func(all []string, one string) bool { return slices.Contains(all, "*") || slices.Contains(all, one) }
	return func(rule authorizationv1.ResourceRule) bool {
		return has(rule.Verbs, verb) && has(rule.APIGroups, r.Group) && has(rule.Resources, r.Resource) &&
			(len(rule.ResourceNames) == 0 || slices.Contains(rule.ResourceNames, r.name))
	}
}

func (p *Check) mayI(ctx context.Context, want right, verb string) (bool, error) {
	key := want.key(verb)
	if p.granted[key] {
		return true, nil
	}
	review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authorizationv1.ResourceAttributes{
			Verb: verb, Group: want.Group, Resource: want.Resource, Namespace: want.namespace, Name: want.name,
		},
	}}
	answer, err := p.api.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
	if apierrors.IsForbidden(err) {
		// A cluster may refuse even the question. Then the informers will find out, and say so.
		return true, nil
	}
	if err != nil {
		return false, err
	}
	p.granted[key] = answer.Status.Allowed
	return answer.Status.Allowed, nil
}

// Rights asks for every right again, each by itself, since a rule has not told the truth if something was forbidden that it grants. It
// returns a MissingRightsError with all that are denied, or why there is no answer.
func (p *Check) Rights(ctx context.Context) error {
	p.granted = map[string]bool{}
	return p.findRights(ctx)
}

// StillMissing reports whether the first of the missing rights is still denied. It costs one request.
func (p *Check) StillMissing(ctx context.Context, missing *MissingRightsError) bool {
	first := missing.rights[0]
	allowed, err := p.mayI(ctx, first, first.verbs[0])
	return err != nil || !allowed
}

// identity returns the name under which the API server knows the operator, so that the reader knows what to bind the roles to.
func (p *Check) identity(ctx context.Context) string {
	if p.who != "" {
		return p.who
	}
	answer, err := p.api.AuthenticationV1().SelfSubjectReviews().Create(ctx,
		&authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return "the operator"
	}
	name := answer.Status.UserInfo.Username
	if account, found := strings.CutPrefix(name, "system:serviceaccount:"); found {
		p.who = "the ServiceAccount " + strings.Replace(account, ":", "/", 1)
	} else {
		p.who = "the user " + name
	}
	return p.who
}

// unanswered says that the API server did not answer the question, and why, without the noise of nested errors.
func (p *Check) unanswered(err error) error {
	request, _ := errors.AsType[*url.Error](err)
	number, refused := errors.AsType[syscall.Errno](err)
	switch {
	case apierrors.IsUnauthorized(err):
		return fmt.Errorf("the API server at %s to accept the credentials: %w; check the token of the ServiceAccount, "+
			"or the user in the kubeconfig", p.host, err)
	case apierrors.IsForbidden(err):
		return fmt.Errorf("the API server at %s to allow discovery: %w; bind the ClusterRole system:discovery", p.host, err)
	case errors.Is(err, context.DeadlineExceeded), request != nil && request.Timeout():
		return fmt.Errorf("the API server at %s: no answer within %s", p.host, startupRequest)
	case refused:
		return fmt.Errorf("the API server at %s: %w", p.host, number)
	case request != nil:
		return fmt.Errorf("the API server at %s: %w", p.host, request.Err)
	}
	return fmt.Errorf("the API server at %s: %w", p.host, err)
}
