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

package controller_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/example/app-operator/test/operator"
)

// request is one line of the API server's audit log.
type request struct {
	Verb      string
	UserAgent string
	User      struct{ Username string }
	ObjectRef struct{ APIGroup, Resource, Subresource, Namespace, Name string }
	// ResponseStatus is how the API server answered.
	ResponseStatus struct{ Code int }
	// RequestReceivedTimestamp is when the request arrived, and StageTimestamp when its answer was complete.
	RequestReceivedTimestamp, StageTimestamp time.Time
	// ResponseObject is the Lease, where the request is about one.
	ResponseObject struct {
		Metadata struct{ ResourceVersion string }
		Spec     struct{ HolderIdentity string }
	}
}

// String returns what a person needs to find the request.
func (r request) String() string {
	return fmt.Sprintf("%s %s/%s %s/%s %s: %d", r.Verb, r.ObjectRef.APIGroup, r.ObjectRef.Resource,
		r.ObjectRef.Namespace, r.ObjectRef.Name, r.ObjectRef.Subresource, r.ResponseStatus.Code)
}

// GomegaString returns the request as failed expectations show it.
func (r request) GomegaString() string {
	return fmt.Sprintf("%s %s: %s", r.RequestReceivedTimestamp.Format(time.StampMicro), r.User.Username, r)
}

// asksOwnRights reports whether it is a question for the rights of who asks.
func (r request) asksOwnRights() bool {
	return r.ObjectRef.Resource == "selfsubjectaccessreviews" || r.ObjectRef.Resource == "selfsubjectrulesreviews"
}

// byOperator reports whether any operator of this suite has sent the request.
func (r request) byOperator() bool {
	return strings.HasPrefix(r.User.Username, "system:serviceaccount:") &&
		strings.Contains(r.User.Username, ":"+operator.ServiceAccount) // of which a replica has a variation
}

func (r request) writes() bool {
	return !slices.Contains([]string{"get", "list", "watch"}, r.Verb)
}

// auditTail is what has been read of an audit log so far. By the suite's end the log has more than a hundred megabytes, too
// many to be read again at each look.
type auditTail struct {
	mu       sync.Mutex
	path     string
	offset   int64
	requests []request
}

var audited auditTail

// requests returns the finished requests that the API server has logged so far.
func requests() []request {
	GinkgoHelper()
	audited.mu.Lock()
	defer audited.mu.Unlock()
	if audited.path != auditLog { // of another control plane
		audited.path, audited.offset, audited.requests = auditLog, 0, nil
	}
	Expect(audited.read()).To(Succeed())
	return slices.Clip(audited.requests)
}

// read reads what has come to the log since it was last read.
func (a *auditTail) read() error {
	file, err := os.Open(a.path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // it was only read
	if _, err := file.Seek(a.offset, io.SeekStart); err != nil {
		return err
	}
	lines := bufio.NewReaderSize(file, 1<<20)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) { // what there is of the last line is read when all of it is there
			return nil
		}
		if err != nil {
			return err
		}
		a.offset += int64(len(line))
		if !bytes.Contains(line, []byte(":"+operator.ServiceAccount)) && !bytes.Contains(line, []byte("leases")) {
			continue // most lines: every process reads those of all
		}
		var one request
		if json.Unmarshal(line, &one) == nil { // a server that was killed leaves half a line
			a.requests = append(a.requests, one)
		}
	}
}

// requests returns what the operator has asked of the API server so far.
func (o *runningOperator) requests() []request {
	GinkgoHelper()
	var own []request
	for _, request := range requests() {
		if request.User.Username == o.User {
			own = append(own, request)
		}
	}
	return own
}

// writes returns what the operator has asked the API server to change so far, the events apart.
func (o *runningOperator) writes() []request {
	GinkgoHelper()
	return slices.DeleteFunc(o.requests(), func(r request) bool { return !r.writes() || r.ObjectRef.Resource == "events" })
}

// writesButStatuses is writesAfter without statuses: an autoscaler, a route and a load balancer become faults after two minutes.
func (o *runningOperator) writesButStatuses(before int) func() []string {
	return func() []string {
		return slices.DeleteFunc(o.writesAfter(before)(), func(write string) bool { return strings.Contains(write, " status: ") })
	}
}

// writesAfter returns what the operator has written since there were so many writes, in words.
func (o *runningOperator) writesAfter(before int) func() []string {
	return func() []string {
		var words []string
		for _, request := range o.writes()[before:] {
			words = append(words, request.String())
		}
		return words
	}
}
