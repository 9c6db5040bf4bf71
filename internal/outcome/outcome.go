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

// Package outcome names the three ways in which a reconcile can fall short:
//
//   - Invalid: what the Application asks for cannot be had; it is not tried again until something changes.
//   - Waiting: something outside is missing; a watch, or a timer where no watch is possible, calls us back.
//   - any other error is transient: it is tried again with exponential backoff.
//
// The package sends nothing and knows no kind of object.
package outcome

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	v1 "github.com/example/app-operator/api/v1"
)

// RetryDenied is how long the operator waits before it asks again for what a quota or an admission rule
// refused: either may be relaxed without an event that a namespaced operator can see.
const RetryDenied = 30 * time.Second

// retryConflict is how long the operator waits when somebody else was quicker. The cache usually brings it back
// before.
const retryConflict = time.Second

// Invalid means that the Application, or what stands in its way, must change first.
type Invalid struct {
	// Reason is a condition reason of package v1.
	Reason string
	// Message tells a person what is wrong and what to do. It is the same on every reconcile.
	Message string
}

// Error returns reason and message.
func (e *Invalid) Error() string { return e.Reason + ": " + e.Message }

// Waiting means that something outside must change first.
type Waiting struct {
	// Reason is a condition reason of package v1. RollingOut says that nobody has to act.
	Reason string
	// Message tells a person what is waited for. It is the same on every reconcile.
	Message string
	// After is when to look again; 0 means that a watch will call.
	After time.Duration
	// ForPods says that the wait ends when the pods are available, so that what they lack is to be told first.
	ForPods bool
}

// Error returns reason and message.
func (e *Waiting) Error() string { return e.Reason + ": " + e.Message }

// MostSevere returns the error in err that a person should hear of first: what is Invalid before what is Waiting
// before what is transient, and among equals the first. It returns nil for nil.
func MostSevere(err error) error {
	var waiting, other error
	for _, leaf := range Flatten(err) {
		if _, ok := errors.AsType[*Invalid](leaf); ok {
			return leaf
		}
		if _, ok := errors.AsType[*Waiting](leaf); ok {
			if waiting == nil {
				waiting = leaf
			}
			continue
		}
		if other == nil {
			other = leaf
		}
	}
	if waiting != nil {
		return waiting
	}
	return other
}

// FromAPI returns what the API server's refusal of a write to the object (as "Deployment my-app") means.
// Errors that say nothing about the Application come back as they are, wrapped: they are transient.
func FromAPI(err error, object string) error {
	if err == nil {
		return nil
	}
	message, _ := serverMessage(err)
	switch {
	case apierrors.HasStatusCause(err, namespaceTerminating):
		return &Waiting{Reason: v1.ReasonRollingOut, Message: "the namespace is being deleted"}
	case apierrors.IsConflict(err) && !IsDenied(message):
		return &Waiting{Reason: v1.ReasonRollingOut, Message: "somebody else has just written " + object, After: retryConflict}
	case apierrors.IsForbidden(err) && IsQuotaMessage(message):
		return &Waiting{Reason: v1.ReasonQuotaExceeded, Message: fmt.Sprintf("%s: %s", object, message), After: RetryDenied}
	case apierrors.IsForbidden(err) && MissingKind(message) != "":
		return &Waiting{Reason: v1.ReasonReferenceMissing, Message: fmt.Sprintf("%s: %s", object, message), After: RetryDenied}
	case deniedByAdmission(err, message):
		return &Waiting{Reason: v1.ReasonAdmissionDenied, Message: fmt.Sprintf("%s: %s", object, message), After: RetryDenied}
	case apierrors.IsInvalid(err) && strings.Contains(message, portAllocated):
		return &Waiting{
			Reason:  v1.ReasonInvalidSpec,
			Message: fmt.Sprintf("the API server refused %s: %s; choose another port, or wait until it is free", object, message),
			After:   RetryDenied,
		}
	case refusedBySchema(message):
		return &Invalid{Reason: v1.ReasonInvalidSpec, Message: schemaMessage(message, object)}
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err), apierrors.IsRequestEntityTooLargeError(err):
		return &Invalid{Reason: v1.ReasonInvalidSpec, Message: fmt.Sprintf("the API server refused %s: %s", object, message)}
	default:
		return fmt.Errorf("write %s: %w", object, err)
	}
}

// IsRefusal reports whether the API server has understood what it was asked for, and will not do it as things are.
func IsRefusal(err error) bool {
	if _, ok := errors.AsType[*Invalid](err); ok {
		return true
	}
	waiting, ok := errors.AsType[*Waiting](err)
	return ok && waiting.Reason != v1.ReasonRollingOut
}

// Reworded returns the error with its message in other words. What is transient keeps its own.
func Reworded(err error, in func(string) string) error {
	if invalid, ok := errors.AsType[*Invalid](err); ok {
		return &Invalid{Reason: invalid.Reason, Message: in(invalid.Message)}
	}
	if waiting, ok := errors.AsType[*Waiting](err); ok {
		return &Waiting{Reason: waiting.Reason, Message: in(waiting.Message), After: waiting.After, ForPods: waiting.ForPods}
	}
	return err
}

// UserMessage returns what a condition may say of err: an API server's own words, which are the same on every try.
// Of other errors, such as a broken connection with its changing port number, it gives no detail: a message
// that changes on every reconcile would be an endless loop of status writes.
func UserMessage(err error) string {
	if words, ok := serverMessage(err); ok {
		return words
	}
	return "a request to the API server failed; the operator's log has the details"
}

// IsQuotaMessage reports whether these are the words of the API server's quota admission plugin (kubernetes
// staging/src/k8s.io/apiserver/pkg/admission/plugin/resourcequota/controller.go).
func IsQuotaMessage(words string) bool {
	for _, start := range []string{"exceeded quota: ", "failed quota: ", "insufficient quota to ", "status unknown for quota: "} {
		if strings.Contains(words, start) {
			return true
		}
	}
	return false
}

// notFound is how the API server's own admission plugins say that something is missing which an object names (kubernetes
// plugin/pkg/admission/priority, plugin/pkg/admission/serviceaccount, plugin/pkg/admission/runtimeclass).
var notFound = regexp.MustCompile(`\bno (PriorityClass) with name \S+ was found|\b([A-Za-z]+) "[^"]*" not found`)

// MissingKind returns the kind of the object that these words of the API server's own admission plugins, or of the scheduler, say is
// not there, as they spell it, or "". What a webhook or a policy calls missing is its own affair, and so is a Role that a
// RoleBinding names.
func MissingKind(words string) string {
	if IsDenied(words) || deniedByRights(words) || strings.Contains(words, "failed calling webhook") {
		return ""
	}
	found := notFound.FindStringSubmatch(words)
	if found == nil {
		return ""
	}
	return found[1] + found[2]
}

// namespaceTerminating is the cause that the API server gives when it refuses a new object in a namespace that
// is being deleted (k8s.io/api/core/v1 NamespaceTerminatingCause).
const namespaceTerminating = "NamespaceTerminating"

// portAllocated is how the API server refuses a node port that another Service has, which may give it up at any time (kubernetes
// pkg/registry/core/service/portallocator/allocator.go).
const portAllocated = "provided port is already allocated"

// duplicateNodePort is how the API server refuses a Service of which two ports would have one node port: as an internal error
// (kubernetes pkg/registry/core/service/storage/alloc.go).
const duplicateNodePort = "duplicate nodePort: "

// IsDuplicateNodePort reports whether the API server refuses a Service because two of its ports would have one node port. Where the
// Application gives a port the number that Kubernetes has chosen for another one, that one has to let go of it.
func IsDuplicateNodePort(err error) bool {
	message, ok := serverMessage(err)
	return ok && strings.Contains(message, duplicateNodePort)
}

// The words of an API server that cannot make anything of an apply configuration (kubernetes apimachinery
// pkg/util/managedfields/internal/structuredmerge.go, and structured-merge-diff typed/validate.go). They come as an internal
// error, and are not one: the same configuration is refused for ever.
const (
	notTyped   = "failed to create typed patch object ("
	undeclared = "field not declared in schema"
	duplicate  = "duplicate entries for key"
)

// refusedBySchema reports whether the API server refuses what it was sent because of the kind's schema: a field that it does
// not know, a value of another type, two entries of a list with one key. Where it does not know the kind, or the schema itself
// is wrong, the fault is its own.
func refusedBySchema(message string) bool {
	return strings.HasPrefix(message, notTyped) &&
		!strings.Contains(message, "no corresponding type for ") && !strings.Contains(message, ": schema error: ")
}

// schemaMessage returns such a refusal without what only repeats the object's name, and with a remedy.
func schemaMessage(message, object string) string {
	words := strings.TrimPrefix(message, notTyped)
	if _, after, found := strings.Cut(words, "): "); found {
		words = after
	}
	switch {
	case strings.Contains(words, undeclared): // of an older Kubernetes than ours
		return fmt.Sprintf("the API server does not know a field of %s: %s; remove it, or update Kubernetes", object, words)
	case strings.Contains(words, duplicate):
		return fmt.Sprintf("the API server refused %s: %s; remove all but one of them", object, words)
	default:
		return fmt.Sprintf("the API server refused %s: %s", object, words)
	}
}

// deniedByRights reports whether these are the words with which the API server says that a user lacks a right, and which Roles it did not
// find (kubernetes staging/src/k8s.io/apiserver/pkg/endpoints/handlers/responsewriters, plugin/pkg/auth/authorizer/rbac).
func deniedByRights(words string) bool { return strings.Contains(words, `User "`) }

// deniedByAdmission tells a refusal by an admission plugin, webhook or policy from one by RBAC, which has
// the same status but is the operator's own trouble.
func deniedByAdmission(err error, message string) bool {
	if IsDenied(message) {
		return true
	}
	return apierrors.IsForbidden(err) && !deniedByRights(message)
}

// IsDenied reports whether these are the words with which the API server quotes a webhook or a policy that has refused something.
func IsDenied(words string) bool {
	return strings.Contains(words, "denied the request") || strings.Contains(words, "denied request")
}

// localAddress is what Go puts before the remote address of a broken connection. Its port is another on every
// try.
var localAddress = regexp.MustCompile(`(\d+(\.\d+){3}|\[[0-9a-fA-F:.]+(%\w+)?\]):\d+->`)

// serverMessage returns what the API server says, in the same words on every try, and whether it was the API server
// that said something.
func serverMessage(err error) (string, bool) {
	status := apierrors.APIStatus(nil)
	if !errors.As(err, &status) {
		return "", false
	}
	return NormalizeMessage(status.Status().Message), true
}

// NormalizeMessage returns words without what is another on every try of a connection: the local port.
func NormalizeMessage(words string) string {
	return localAddress.ReplaceAllString(words, "")
}

// counted is what differs between two tellings of the same refusal: counters, times, identifiers.
var counted = regexp.MustCompile(`[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]*[0-9][0-9a-fA-F]*`)

// WithoutNumbers returns words that are the same on every try of what is refused: an admission webhook may put a time or a request's id
// into its own.
func WithoutNumbers(words string) string { return counted.ReplaceAllString(words, "#") }

// RecurringWords returns how the API server has refused something, in the same words on every try.
func RecurringWords(refusal error) string {
	words := refusal.Error()
	if IsDenied(words) {
		return WithoutNumbers(words)
	}
	return words // which fields it is about is in its numbers
}

// Flatten returns the errors that were joined into err, whether or not the joins were wrapped in more words.
func Flatten(err error) []error {
	if err == nil {
		return nil
	}
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		joined, ok := inner.(interface{ Unwrap() []error })
		if !ok {
			continue
		}
		var all []error
		for _, one := range joined.Unwrap() {
			all = append(all, Flatten(one)...)
		}
		if len(all) > 0 {
			return all
		}
	}
	return []error{err}
}
