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
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
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

// byOperator tells whether any operator of this suite has sent the request.
func (r request) byOperator() bool {
	return strings.HasPrefix(r.User.Username, "system:serviceaccount:") &&
		strings.Contains(r.User.Username, ":"+operator.ServiceAccount) // of which a replica has a variation
}

func (r request) writes() bool {
	return !slices.Contains([]string{"get", "list", "watch"}, r.Verb)
}

// requests returns the finished requests that the API server has logged so far.
func requests() []request {
	GinkgoHelper()
	file, err := os.Open(auditLog)
	Expect(err).NotTo(HaveOccurred())
	defer func() { Expect(file.Close()).To(Succeed()) }()
	var all []request
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var one request
		if json.Unmarshal(lines.Bytes(), &one) == nil { // the last line may still be being written
			all = append(all, one)
		}
	}
	Expect(lines.Err()).NotTo(HaveOccurred())
	return all
}

// requests returns what the operator has asked of the API server so far.
func (o *runningOperator) requests() []request {
	GinkgoHelper()
	return slices.DeleteFunc(requests(), func(r request) bool { return r.User.Username != o.User })
}

// writes returns what the operator has asked the API server to change so far, the events apart.
func (o *runningOperator) writes() []request {
	GinkgoHelper()
	return slices.DeleteFunc(o.requests(), func(r request) bool { return !r.writes() || r.ObjectRef.Resource == "events" })
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
