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
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// auditor reads the API server's audit log.
type auditor struct{ path string }

// counts are finished requests, by what they asked for, as "patch deployments" or "update applications/status".
type counts map[string]int

// count returns the requests in the Applications' namespace so far of all users whose name begins so. What is elsewhere is
// left out: the Lease, whose renewals come with time, the event of an election, and the questions for rights at a start.
func (a auditor) count(user string) (counts, error) {
	sum := counts{}
	if err := sum.read(a.path, user); err != nil {
		return nil, fmt.Errorf("read the audit log: %w", err)
	}
	return sum, nil
}

func (c counts) read(path, user string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // it was only read
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if !bytes.Contains(lines.Bytes(), []byte(user)) { // most lines are others', and decoding takes its time
			continue
		}
		var request struct {
			Verb      string
			User      struct{ Username string }
			ObjectRef struct{ Namespace, Resource, Subresource string }
		}
		// The last line may still be being written.
		if json.Unmarshal(lines.Bytes(), &request) != nil || !strings.HasPrefix(request.User.Username, user) ||
			request.ObjectRef.Namespace != namespace {
			continue
		}
		what := request.Verb + " " + request.ObjectRef.Resource
		if request.ObjectRef.Subresource != "" {
			what += "/" + request.ObjectRef.Subresource
		}
		c[what]++
	}
	return lines.Err()
}

// since returns what came after the earlier counts.
func (c counts) since(before counts) counts {
	after := counts{}
	for what, count := range c {
		if count -= before[what]; count > 0 {
			after[what] = count
		}
	}
	return after
}

// sum returns how many requests have one of the verbs.
func (c counts) sum(verbs ...string) int {
	var sum int
	for what, count := range c {
		for _, verb := range verbs {
			if strings.HasPrefix(what, verb+" ") {
				sum += count
			}
		}
	}
	return sum
}

func (c counts) writes() int { return c.sum("create", "update", "patch", "delete", "deletecollection") }

func (c counts) reads() int { return c.sum("get", "list") }
