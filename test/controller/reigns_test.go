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
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// reign is the time in which the Lease named one process, by the API server's clock.
type reign struct {
	holder string
	// user is the account of the process.
	user string
	// asked is when the update arrived that made it the holder, and began when that was answered: the process cannot have
	// known before.
	asked, began time.Time
	// ended is when the update was answered that named another, or nobody; it is zero while there was none. endedBy sent it.
	ended   time.Time
	endedBy string
	// GivenBack says that another replica gave the Lease back for this one.
	GivenBack bool
}

// reignsOf returns who held the Lease of the namespace, in order, from what the API server has logged.
func reignsOf(home string, all []request) []reign {
	GinkgoHelper()
	leases := slices.DeleteFunc(slices.Clone(all), func(r request) bool {
		return r.ObjectRef.Resource != "leases" || r.ObjectRef.Namespace != home || !r.writes() || r.ResponseStatus.Code >= 300
	})
	revision := func(r request) uint64 {
		number, err := strconv.ParseUint(r.ResponseObject.Metadata.ResourceVersion, 10, 64)
		Expect(err).NotTo(HaveOccurred(), "%s", r)
		return number
	}
	slices.SortFunc(leases, func(a, b request) int { return cmp.Compare(revision(a), revision(b)) })
	var reigns []reign
	holder := ""
	for _, lease := range leases {
		now := lease.ResponseObject.Spec.HolderIdentity
		if now == holder {
			continue
		}
		if holder != "" {
			last := &reigns[len(reigns)-1]
			last.ended, last.endedBy = lease.StageTimestamp, lease.User.Username
			last.GivenBack = now == "" && last.endedBy != last.user
		}
		if now != "" {
			reigns = append(reigns, reign{
				holder: now, user: lease.User.Username, asked: lease.RequestReceivedTimestamp, began: lease.StageTimestamp,
			})
		}
		holder = now
	}
	return reigns
}

// workOf returns what the replicas in the namespace have written: everything but the Lease, client-go's events about it,
// and what they ask about their own rights.
func workOf(home string, all []request) []request {
	return slices.DeleteFunc(slices.Clone(all), func(r request) bool {
		switch {
		case !strings.HasPrefix(r.User.Username, "system:serviceaccount:"+home+":"), !r.writes():
			return true
		case r.ObjectRef.Resource == "events" && r.ObjectRef.APIGroup == "":
			return true
		default:
			return r.ObjectRef.Resource == "leases" || r.asksOwnRights()
		}
	})
}

// outside returns the writes that the API server has received from a process outside its reigns, in words: before it
// asked for the Lease, or after it was answered that the Lease is not that process's any more. What arrives before that
// answer is in flight, and harmless: the next leader cannot have begun. So is a request whose beginning was in the hands of the
// kernel when its process was frozen, and of which the guard of the connection has sent no more: the API server cannot read its
// body, answers 500, and has written nothing.
func outside(reigns []reign, work []request) []string {
	var found []string
	for _, write := range work {
		if write.ResponseStatus.Code == http.StatusInternalServerError {
			continue
		}
		at := write.RequestReceivedTimestamp
		if !slices.ContainsFunc(reigns, func(r reign) bool {
			return r.user == write.User.Username && !at.Before(r.asked) && (r.ended.IsZero() || !at.After(r.ended))
		}) {
			found = append(found, write.GomegaString())
		}
	}
	return found
}

// describe returns the reigns for a person, each with how much was written in it.
func describe(reigns []reign, work []request) string {
	var text strings.Builder
	for _, r := range reigns {
		writes := 0
		for _, write := range work {
			at := write.RequestReceivedTimestamp
			if write.User.Username == r.user && !at.Before(r.asked) && (r.ended.IsZero() || !at.After(r.ended)) {
				writes++
			}
		}
		ended := "and still leads"
		if !r.ended.IsZero() {
			ended = fmt.Sprintf("to %s, ended by %s", r.ended.Format(time.StampMicro), r.endedBy)
		}
		_, _ = fmt.Fprintf(&text, "%s from %s %s: %d writes\n", r.holder, r.began.Format(time.StampMicro), ended, writes)
	}
	return text.String()
}
