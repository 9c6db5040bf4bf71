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

package outcome

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	v1 "github.com/example/app-operator/api/v1"
)

var (
	deployments = schema.GroupResource{Group: "apps", Resource: "deployments"}
	services    = schema.GroupResource{Resource: "services"}
)

// forbidden is how the API server's admission plugins refuse an object.
func forbidden(words string) *apierrors.StatusError {
	return apierrors.NewForbidden(deployments, "my-app", errors.New(words))
}

// refused is a refusal in a form that the API server takes from others.
func refused(code int32, reason metav1.StatusReason, message string) *apierrors.StatusError {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: code, Reason: reason, Message: message,
	}}
}

// terminating is how the API server refuses a new object in a namespace that is being deleted.
func terminating() error {
	err := forbidden("unable to create new content in namespace shop because it is being terminated")
	err.ErrStatus.Details.Causes = append(err.ErrStatus.Details.Causes, metav1.StatusCause{
		Type: corev1.NamespaceTerminatingCause, Message: "namespace shop is being terminated", Field: "metadata.namespace",
	})
	return err
}

// unreachable is what the client returns when the connection breaks; the local port is another on every try.
func unreachable(port int) error {
	return &url.Error{Op: "Patch", URL: "https://10.96.0.1:443/apis/apps/v1/namespaces/x/deployments/my-app", Err: &net.OpError{
		Op: "read", Net: "tcp",
		Source: &net.TCPAddr{IP: net.IPv4(10, 244, 0, 7), Port: port},
		Addr:   &net.TCPAddr{IP: net.IPv4(10, 96, 0, 1), Port: 443},
		Err:    syscall.ECONNRESET,
	}}
}

const (
	podSecurity = `violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false ` +
		`(container "my-app" must set securityContext.allowPrivilegeEscalation=false)`
	overQuota = "exceeded quota: small, requested: pods=1, used: pods=2, limited: pods=2"
	policy    = `deployments.apps "my-app" is forbidden: ValidatingAdmissionPolicy 'replicas' with binding 'replicas-shop' ` +
		`denied request: failed expression: object.spec.replicas <= 5`
	typedPatch = "failed to create typed patch object (shop/my-app; apps/v1, Kind=Deployment): "
	webhook    = `admission webhook "x.example.com" denied the request: no`
)

func TestFromAPI(t *testing.T) {
	denied := func(reason, message string) error {
		return &Waiting{Reason: reason, Message: "Deployment: " + message, After: 30 * time.Second}
	}
	refusedSpec := func(message string) error {
		return &Invalid{Reason: v1.ReasonInvalidSpec, Message: "the API server refused Deployment: " + message}
	}
	conflicting := &Waiting{Reason: v1.ReasonRollingOut, Message: "somebody else has just written Deployment", After: time.Second}
	tests := []struct {
		name string
		err  error
		// want is what comes back; nil means the error itself, wrapped: it is transient.
		want error
	}{
		{
			name: "an invalid field is the spec's fault",
			err: apierrors.NewInvalid(schema.GroupKind{Group: "apps", Kind: "Deployment"}, "my-app", field.ErrorList{
				field.Required(field.NewPath("spec", "template", "spec", "containers").Index(0).Child("image"), ""),
			}),
			want: refusedSpec(`Deployment.apps "my-app" is invalid: spec.template.spec.containers[0].image: Required value`),
		},
		{
			name: "a node port that another Service has may be free later",
			err: apierrors.NewInvalid(schema.GroupKind{Kind: "Service"}, "my-app", field.ErrorList{
				field.Invalid(field.NewPath("spec", "ports").Index(0).Child("nodePort"), 30080, "provided port is already allocated"),
			}),
			want: &Waiting{
				Reason: v1.ReasonInvalidSpec, After: RetryDenied, Message: `the API server refused Deployment: Service "my-app" is invalid: ` +
					"spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated; choose another port, or wait until it is free",
			},
		},
		{name: "a bad request is the spec's fault", err: apierrors.NewBadRequest("quantities must match"), want: refusedSpec("quantities must match")},
		{
			name: "an object that is too large is the spec's fault",
			err:  apierrors.NewRequestEntityTooLargeError("limit is 3145728"),
			want: refusedSpec("Request entity too large: limit is 3145728"),
		},

		{
			name: "two entries of a list with one key are the spec's fault",
			err: refused(http.StatusInternalServerError, "", typedPatch+
				`.spec.template.spec.initContainers[name="proxy"].env: duplicate entries for key [name="A"]`),
			want: refusedSpec(`.spec.template.spec.initContainers[name="proxy"].env: duplicate entries for key [name="A"]; ` +
				"remove all but one of them"),
		},
		{
			name: "a value of another type is the spec's fault",
			err:  refused(http.StatusInternalServerError, "", typedPatch+`.spec.replicas: expected numeric (int or float), got string`),
			want: refusedSpec(`.spec.replicas: expected numeric (int or float), got string`),
		},
		{
			name: "several at once are the spec's fault",
			err:  refused(http.StatusInternalServerError, "", typedPatch+"errors:\n  .spec.a: expected list, got &{1}\n  .spec.b: expected map, got &{2}"),
			want: refusedSpec("errors:\n  .spec.a: expected list, got &{1}\n  .spec.b: expected map, got &{2}"),
		},
		{
			name: "an entry without its key is the spec's fault",
			err: refused(http.StatusInternalServerError, "", typedPatch+
				`.spec.ports: element 0: associative list with keys has an element that omits all key fields ["port"]`),
			want: refusedSpec(`.spec.ports: element 0: associative list with keys has an element that omits all key fields ["port"]`),
		},
		{
			name: "a field that the server does not know is the spec's fault",
			err:  refused(http.StatusInternalServerError, "", typedPatch+".spec.template.spec.hostUsers: field not declared in schema"),
			want: &Invalid{Reason: v1.ReasonInvalidSpec, Message: "the API server does not know a field of Deployment: " +
				".spec.template.spec.hostUsers: field not declared in schema; remove it, or update Kubernetes"},
		},

		{name: "a quota", err: forbidden(overQuota), want: denied(v1.ReasonQuotaExceeded, `deployments.apps "my-app" is forbidden: `+overQuota)},
		{
			name: "a quota that wants more to be said",
			err:  forbidden("failed quota: small: must specify limits.memory for: my-app"),
			want: denied(v1.ReasonQuotaExceeded, `deployments.apps "my-app" is forbidden: failed quota: small: must specify limits.memory for: my-app`),
		},
		{
			name: "a quota that is missing where one is needed",
			err:  forbidden("insufficient quota to consume: pods"),
			want: denied(v1.ReasonQuotaExceeded, `deployments.apps "my-app" is forbidden: insufficient quota to consume: pods`),
		},
		{
			name: "a quota that is not counted yet",
			err:  forbidden("status unknown for quota: small, resources: pods"),
			want: denied(v1.ReasonQuotaExceeded, `deployments.apps "my-app" is forbidden: status unknown for quota: small, resources: pods`),
		},

		{name: "Pod Security admission", err: forbidden(podSecurity), want: denied(v1.ReasonAdmissionDenied, `deployments.apps "my-app" is forbidden: `+podSecurity)},
		{
			name: "a webhook that says forbidden", err: refused(http.StatusForbidden, metav1.StatusReasonForbidden, webhook),
			want: denied(v1.ReasonAdmissionDenied, webhook),
		},
		{
			name: "a webhook that says nothing more", err: refused(http.StatusBadRequest, "", webhook),
			want: denied(v1.ReasonAdmissionDenied, webhook),
		},
		{
			name: "a webhook that says invalid", err: refused(http.StatusUnprocessableEntity, metav1.StatusReasonInvalid, webhook),
			want: denied(v1.ReasonAdmissionDenied, webhook),
		},
		{
			name: "a webhook that says conflict", err: refused(http.StatusConflict, metav1.StatusReasonConflict, webhook),
			want: denied(v1.ReasonAdmissionDenied, webhook),
		},
		{
			name: "a webhook that speaks of a user",
			err: refused(http.StatusForbidden, metav1.StatusReasonForbidden,
				`admission webhook "x.example.com" denied the request: User "a" cannot have this`),
			want: denied(v1.ReasonAdmissionDenied, `admission webhook "x.example.com" denied the request: User "a" cannot have this`),
		},
		{
			name: "a ValidatingAdmissionPolicy, which says invalid",
			err:  refused(http.StatusUnprocessableEntity, metav1.StatusReasonInvalid, policy),
			want: denied(v1.ReasonAdmissionDenied, policy),
		},
		{
			name: "an admission plugin", err: forbidden("minimum cpu usage per Container is 100m, but request is 10m"),
			want: denied(v1.ReasonAdmissionDenied,
				`deployments.apps "my-app" is forbidden: minimum cpu usage per Container is 100m, but request is 10m`),
		},
		{
			name: "an admission plugin to which something is missing", err: forbidden("no PriorityClass with name urgent was found"),
			want: denied(v1.ReasonReferenceMissing, `deployments.apps "my-app" is forbidden: no PriorityClass with name urgent was found`),
		},

		{name: "a conflict of versions", err: apierrors.NewConflict(deployments, "my-app", errors.New("the object has been modified")), want: conflicting},
		{
			name: "a conflict of field owners",
			err:  apierrors.NewApplyConflict(nil, `Apply failed with 1 conflict: conflict with "kubectl": .spec.replicas`), want: conflicting,
		},
		{
			name: "a namespace that is being deleted", err: terminating(),
			want: &Waiting{Reason: v1.ReasonRollingOut, Message: "the namespace is being deleted"},
		},

		{
			name: "a right that the operator lacks is its own trouble",
			err: apierrors.NewForbidden(services, "", errors.New(
				`User "system:serviceaccount:a:b" cannot patch resource "services" in API group "" in the namespace "x"`)),
		},
		{
			name: "a Role that is gone while its RoleBinding is there is the operator's own trouble",
			err: apierrors.NewForbidden(services, "", errors.New(
				`User "system:serviceaccount:a:b" cannot patch resource "services" in API group "" in the namespace "x": `+
					`RBAC: role.rbac.authorization.k8s.io "app-operator" not found`)),
		},
		{
			name: "a kind that the server does not know yet is its own trouble",
			err: refused(http.StatusInternalServerError, "",
				"failed to create typed patch object (shop/my-app; example.com/v1, Kind=Thing): no corresponding type for example.com/v1, Kind=Thing"),
		},
		{
			name: "a schema that is wrong is the server's trouble",
			err:  refused(http.StatusInternalServerError, "", typedPatch+"schema error: no type found matching: io.k8s.Thing"),
		},
		{
			name: "what is wrong with the object as stored is the server's trouble",
			err: refused(http.StatusInternalServerError, "",
				"failed to create typed live object (shop/my-app; apps/v1, Kind=Deployment): .spec.x: duplicate entries for key [name=\"a\"]"),
		},
		{name: "an object that is gone", err: apierrors.NewNotFound(deployments, "my-app")},
		{name: "a server's time-out", err: apierrors.NewTimeoutError("request did not complete within requested timeout", 5)},
		{name: "a server's time-out in its store", err: apierrors.NewServerTimeout(deployments, "patch", 5)},
		{name: "a server that is busy", err: apierrors.NewTooManyRequests("too many requests, please try again later", 1)},
		{name: "a server that is away", err: apierrors.NewServiceUnavailable("the server is currently unable to handle the request")},
		{
			name: "a webhook that does not answer",
			err:  apierrors.NewInternalError(errors.New(`failed calling webhook "x.example.com": context deadline exceeded`)),
		},
		{name: "credentials that have run out", err: apierrors.NewUnauthorized("Unauthorized")},
		{name: "a broken connection", err: unreachable(40000)},
		{name: "the end of a connection", err: io.ErrUnexpectedEOF},
		{name: "a pass that ran out of time", err: context.DeadlineExceeded},
	}
	for _, test := range tests {
		for wrapping, err := range map[string]error{"": test.err, ", wrapped": wrapped(test.err)} {
			t.Run(test.name+wrapping, func(t *testing.T) {
				got := FromAPI(err, "Deployment")
				if test.want != nil {
					if diff := cmp.Diff(test.want, got); diff != "" {
						t.Errorf("-want +got:\n%s", diff)
					}
					return
				}
				if want := "write Deployment: " + err.Error(); got.Error() != want || !errors.Is(got, err) {
					t.Errorf("got %v, want %s, with its cause", got, want)
				}
				if _, invalid := errors.AsType[*Invalid](got); invalid {
					t.Error("it is not tried again")
				}
				if _, waits := errors.AsType[*Waiting](got); waits {
					t.Error("it is not tried again with a backoff")
				}
			})
		}
	}
}

func TestFromAPIOfSuccessIsNothing(t *testing.T) {
	if err := FromAPI(nil, "Deployment"); err != nil {
		t.Error(err)
	}
}

func TestWords(t *testing.T) {
	const noDetail = "a request to the API server failed; the operator's log has the details"
	tests := []struct {
		name string
		err  error
		want string
	}{
		{
			name: "the API server's own", err: wrapped(apierrors.NewForbidden(services, "", errors.New(`User "a" cannot patch`))),
			want: `services is forbidden: User "a" cannot patch`,
		},
		{name: "those of a server that is busy", err: apierrors.NewTooManyRequests("please try again later", 1), want: "please try again later"},
		{name: "none of a broken connection", err: unreachable(40000), want: noDetail},
		{name: "none of a pass that ran out of time", err: wrapped(context.DeadlineExceeded), want: noDetail},
		{
			name: "those about a webhook that cannot be reached, without the port that it was called from",
			err: apierrors.NewInternalError(errors.New(`failed calling webhook "x.example.com": failed to call webhook: ` +
				`Post "https://x.webhooks.svc:443/v?timeout=10s": read tcp 10.244.0.7:40000->10.96.0.9:443: read: connection reset by peer`)),
			want: `Internal error occurred: failed calling webhook "x.example.com": failed to call webhook: ` +
				`Post "https://x.webhooks.svc:443/v?timeout=10s": read tcp 10.96.0.9:443: read: connection reset by peer`,
		},
		{
			name: "those about a name that cannot be resolved, without the port of the question",
			err: apierrors.NewInternalError(errors.New(`dial tcp: lookup x.webhooks.svc on [fd00::a]:53: ` +
				`read udp [fd00::7]:53124->[fd00::a]:53: i/o timeout`)),
			want: `Internal error occurred: dial tcp: lookup x.webhooks.svc on [fd00::a]:53: read udp [fd00::a]:53: i/o timeout`,
		},
		{
			name: "an arrow that is no address stays", err: apierrors.NewBadRequest("replace old->new and a:b->c"),
			want: "replace old->new and a:b->c",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, UserMessage(test.err)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestWordsAreTheSameOnEveryTry is what keeps a status that tells of a failure from being written on every try.
func TestWordsAreTheSameOnEveryTry(t *testing.T) {
	calling := func(port int) error {
		return apierrors.NewInternalError(fmt.Errorf("failed calling webhook: %w", unreachable(port)))
	}
	if calling(1).Error() == calling(2).Error() {
		t.Fatal("the errors do not differ; this test shows nothing")
	}
	for name, try := range map[string]func(int) error{"broken connection": unreachable, "webhook": calling} {
		if first, second := UserMessage(try(40001)), UserMessage(try(40002)); first != second {
			t.Errorf("%s: %q, then %q", name, first, second)
		}
	}
	if words := UserMessage(calling(1)); !strings.Contains(words, "failed calling webhook") {
		t.Errorf("%q does not say what failed", words)
	}
}

func TestDuplicateNodePortsAreToldFromOtherFailures(t *testing.T) {
	for message, want := range map[string]bool{"duplicate nodePort: {TCP 30080}": true, "etcd: no leader": false} {
		err := apierrors.NewInternalError(errors.New(message))
		if got := IsDuplicateNodePort(fmt.Errorf("apply: %w", err)); got != want {
			t.Errorf("%s: got %t", message, got)
		}
	}
	if IsDuplicateNodePort(errors.New("duplicate nodePort: says a proxy")) || IsDuplicateNodePort(nil) {
		t.Error("the API server has not said so")
	}
}
