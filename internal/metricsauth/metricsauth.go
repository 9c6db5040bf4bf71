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

// Package metricsauth lets only those read the operator's metrics whom the cluster allows to. It asks the API server who sent
// a request (TokenReview) and whether that user may (SubjectAccessReview), and remembers for a minute that one may.
//
// It may ask these two questions and nothing else, and it tells nobody the token. The package of controller-runtime that
// does the same brings k8s.io/apiserver with it, which would nearly double the operator in size and cost each replica
// 15 MiB of memory, whether it is used or not.
package metricsauth

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/time/rate"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/cache"
	authenticationclient "k8s.io/client-go/kubernetes/typed/authentication/v1"
	authorizationclient "k8s.io/client-go/kubernetes/typed/authorization/v1"
	"k8s.io/client-go/rest"

	"github.com/example/app-operator/internal/serving"
)

const (
	// decisionTTL is how long somebody who was let in is let in again unasked. A right or a token that is withdrawn opens
	// the door for so long.
	decisionTTL = time.Minute

	// reviewTimeout is what the API server gets to answer both questions.
	reviewTimeout = 10 * time.Second

	// recentTTL is how long after somebody was let in the same token, or another one from the same address, does not wait in
	// one line with strangers. Tokens are replaced within the hour, from the same address.
	recentTTL = time.Hour

	// The questions that anybody can make us ask are few per second in each line, and cost our other requests nothing.
	reviewsPerSecond = 5
	reviewsBurst     = 10
	// maxWaiting is how many may wait for an answer in each line. More are turned away at once, and come again.
	maxWaiting = 20
	// maxWaitingPerSource is how many readers from one address, whose tokens are not known, may wait in a line.
	maxWaitingPerSource = 2
	// logInterval is how often the log says that the API server could not be asked.
	logInterval = 10 * time.Second
)

// errQueueFull says that there is no place left in the reader's line.
var errQueueFull = errors.New("too many others are waiting to be let in; try again in a few seconds")

// Authorizer asks the API server about those who want to come in. They wait for the answer in three lines, so that those who
// bring tokens of no worth, however many, hold up their like and nobody who was let in lately.
type Authorizer struct {
	// allowed holds who was let in, by the hash of token, verb and path.
	allowed *cache.Expiring
	// recent holds the hashes of the tokens, and the addresses, of those who were let in lately.
	recent *cache.Expiring
	// The lines for known tokens, for other tokens from known addresses, and for all others.
	recentTokens, recentSources, unknown *queue
}

// queue is where readers wait for an answer: with places and with a rate of its own.
type queue struct {
	tokens authenticationclient.TokenReviewInterface
	rights authorizationclient.SubjectAccessReviewInterface
	places *serving.Places
}

// New returns a Door that asks the API server of this configuration. The configuration is copied.
func New(cluster *rest.Config) (*Authorizer, error) {
	door := &Authorizer{allowed: cache.NewExpiring(), recent: cache.NewExpiring()}
	for _, made := range []struct {
		line     **queue
		ofSource int
	}{{&door.recentTokens, maxWaiting}, {&door.recentSources, maxWaitingPerSource}, {&door.unknown, maxWaitingPerSource}} {
		var err error
		if *made.line, err = newQueue(cluster, made.ofSource); err != nil {
			return nil, err
		}
	}
	return door, nil
}

func newQueue(cluster *rest.Config, ofSource int) (*queue, error) {
	config := rest.CopyConfig(cluster)
	config.QPS, config.Burst = reviewsPerSecond, reviewsBurst
	tokens, err := authenticationclient.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("create the client for TokenReviews: %w", err)
	}
	rights, err := authorizationclient.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("create the client for SubjectAccessReviews: %w", err)
	}
	return &queue{
		tokens: tokens.TokenReviews(), rights: rights.SubjectAccessReviews(), places: serving.NewPlaces(maxWaiting, ofSource),
	}, nil
}

// Filter returns a handler that passes on the requests of those who may, and answers the others: 401 to nobody knows whom,
// 403 to who may not, 503 while the API server does not answer.
func (d *Authorizer) Filter(log logr.Logger, next http.Handler) (http.Handler, error) {
	now := rate.Sometimes{First: 1, Interval: logInterval}
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		ctx, cancel := context.WithTimeout(request.Context(), reviewTimeout)
		defer cancel()
		code, err := d.authorize(ctx, request)
		if err != nil {
			now.Do(func() {
				log.Info("Turned away a reader of the metrics, whom the API server could not be asked about", "why", err.Error())
			})
		}
		if code == http.StatusOK {
			next.ServeHTTP(w, request)
			return
		}
		if code == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", "Bearer")
		}
		text := http.StatusText(code)
		if errors.Is(err, errQueueFull) {
			text = err.Error()
		}
		http.Error(w, text, code)
	}), nil
}

// authorize returns what to answer. An error says why the API server could not be asked.
func (d *Authorizer) authorize(ctx context.Context, request *http.Request) (int, error) {
	scheme, token, _ := strings.Cut(request.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return http.StatusUnauthorized, nil
	}
	asks := authorizationv1.NonResourceAttributes{Verb: strings.ToLower(request.Method), Path: request.URL.Path}
	key := sha256.Sum256([]byte(token + " " + asks.Verb + " " + asks.Path))
	if _, ok := d.allowed.Get(key); ok {
		return http.StatusOK, nil
	}
	hash, source := sha256.Sum256([]byte(token)), sourceOf(request)
	in := d.queueOf(hash, source)
	leave, ok := in.places.Enter(request)
	if !ok {
		return http.StatusServiceUnavailable, errQueueFull
	}
	defer leave()
	code, err := in.review(ctx, token, asks)
	if code == http.StatusOK {
		d.allowed.Set(key, nil, decisionTTL)
		d.recent.Set(hash, nil, recentTTL)
		d.recent.Set(source, nil, recentTTL)
	}
	return code, err
}

// queueOf returns where to wait for the answer on a reader with this token from this address.
func (d *Authorizer) queueOf(token [sha256.Size]byte, source string) *queue {
	if _, ok := d.recent.Get(token); ok {
		return d.recentTokens
	}
	if _, ok := d.recent.Get(source); ok {
		return d.recentSources
	}
	return d.unknown
}

// sourceOf returns the address of whoever has sent the request.
func sourceOf(request *http.Request) string {
	host, _, err := net.SplitHostPort(request.RemoteAddr)
	if err != nil {
		return request.RemoteAddr
	}
	return host
}

// review asks the API server both questions and returns what to answer.
func (l *queue) review(ctx context.Context, token string, asks authorizationv1.NonResourceAttributes) (int, error) {
	review, err := l.tokens.Create(ctx,
		&authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token}}, metav1.CreateOptions{})
	if err != nil {
		return http.StatusServiceUnavailable, fmt.Errorf("create a TokenReview: %w", err)
	}
	if !review.Status.Authenticated {
		return http.StatusUnauthorized, nil
	}
	answer, err := l.rights.Create(ctx, subjectOf(review.Status.User, asks), metav1.CreateOptions{})
	if err != nil {
		return http.StatusServiceUnavailable, fmt.Errorf("create a SubjectAccessReview: %w", err)
	}
	if !answer.Status.Allowed {
		return http.StatusForbidden, nil
	}
	return http.StatusOK, nil
}

// subjectOf returns the question whether the user may.
func subjectOf(
	user authenticationv1.UserInfo, asks authorizationv1.NonResourceAttributes,
) *authorizationv1.SubjectAccessReview {
	extra := make(map[string]authorizationv1.ExtraValue, len(user.Extra))
	for key, values := range user.Extra {
		extra[key] = authorizationv1.ExtraValue(values)
	}
	return &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User: user.Username, UID: user.UID, Groups: user.Groups, Extra: extra, NonResourceAttributes: &asks,
	}}
}
