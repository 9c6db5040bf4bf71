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

package contention

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestRepairsSlowDown(t *testing.T) {
	now := time.Now()
	var all Tracker
	at := Subject{Kind: "Deployment", Name: "web", Field: 7}
	var pauses []time.Duration
	for range immediateRepairs + 8 {
		known := all.Dispute(at, now)
		pause := known.pause(now)
		pauses = append(pauses, pause/time.Second)
		now = now.Add(pause)
		if known.pause(now) != 0 {
			t.Fatal("a pause does not end")
		}
		known.Repaired(now)
	}
	want := []time.Duration{0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 30, 30, 30}
	if fmt.Sprint(pauses) != fmt.Sprint(want) {
		t.Errorf("pauses of %v s, want %v", pauses, want)
	}
	if message, next := all.Report(now); message == "" || next <= 0 || next > maxPause {
		t.Errorf("it is told that %q, until %s", message, next)
	}
	if other := all.Dispute(Subject{Kind: "Deployment", Name: "web", Field: 8}, now); other.pause(now) != 0 {
		t.Error("another field has to wait too")
	}
	now = now.Add(calmPeriod)
	if message, next := all.Report(now); message != "" || next != 0 {
		t.Errorf("after a calm it is told that %q, until %s", message, next)
	}
	if known := all.Dispute(at, now); known.pause(now) != 0 || known.repairs != 0 {
		t.Error("after a calm repairs are not made at once")
	}
}

// TestDisputesAreBounded holds that somebody who changes another field each time is slowed down too, and takes no memory.
func TestDisputesAreBounded(t *testing.T) {
	now := time.Now()
	var all Tracker
	for field := range uint64(1000) {
		all.Dispute(Subject{Kind: "Deployment", Name: "web", Field: field + 10}, now).Repaired(now)
	}
	if got := len(all.disputes); got > maxContended+1 {
		t.Errorf("%d disputes are remembered of one child", got)
	}
	if all.Dispute(Subject{Kind: "Deployment", Name: "web", Field: 5000}, now).pause(now) == 0 {
		t.Error("who changes another field each time is not slowed down")
	}
	for made := range 1000 {
		all.Dispute(Subject{Kind: "ConfigMap", Name: fmt.Sprintf("web-%d", made), Field: Deletion}, now).Repaired(now)
	}
	if got := len(all.disputes); got > 2*(maxContended+1) {
		t.Errorf("%d disputes are remembered of one child, and of deletions of a kind", got)
	}
	if all.Dispute(Subject{Kind: "ConfigMap", Name: "another", Field: Deletion}, now).pause(now) == 0 {
		t.Error("who makes another object each time is not slowed down")
	}
}

// TestEachChildIsOfItsOwn holds that whoever deletes all objects of a kind, each once, disputes nothing, however many there are.
func TestEachChildIsOfItsOwn(t *testing.T) {
	now := time.Now()
	var all Tracker
	for made := range 96 {
		known := all.Dispute(Subject{Kind: "ConfigMap", Name: fmt.Sprintf("web-%d", made), Field: Whole}, now)
		if pause := known.pause(now); pause != 0 {
			t.Fatalf("the %d. of them waits for %s", made+1, pause)
		}
		known.Repaired(now)
	}
	if told, _ := all.Report(now); told != "" {
		t.Errorf("it is told that %q", told)
	}
}

// TestTellingIsBounded holds that a dispute is told once, and that nobody causes an event with each change.
func TestTellingIsBounded(t *testing.T) {
	now := time.Now()
	var all Tracker
	told := 0
	repair := func(at Subject) {
		known := all.Dispute(at, now)
		if all.MayTell(known, now) {
			all.Told(now)
			told++
		}
		known.Repaired(now)
	}
	for range 1000 {
		repair(Subject{Kind: "Deployment", Name: "web", Field: 7})
	}
	if told != 1 {
		t.Errorf("one dispute is told %d times", told)
	}
	for _, kind := range []string{"Deployment", "Service", "Ingress"} {
		for field := range uint64(100) {
			repair(Subject{Kind: kind, Name: "web", Field: field + 10})
		}
	}
	if told != toldAtOnce {
		t.Errorf("many disputes are told %d times, want %d", told, toldAtOnce)
	}
	const hours = 5
	for end := now.Add(hours * time.Hour); now.Before(end); now = now.Add(calmPeriod + time.Second) {
		repair(Subject{Kind: "Deployment", Name: "web", Field: 7})
	}
	if most := toldAtOnce + hours*6 + 1; told < hours || told > most {
		t.Errorf("what is changed again after each calm is told %d times, want no more than %d", told, most)
	}
}

func TestADeletionCountsOnce(t *testing.T) {
	now := time.Now()
	var known Dispute
	for range 10 {
		known.Deleted("1", now)
	}
	known.Deleted("2", now)
	if known.repairs != 2 {
		t.Errorf("two objects were deleted, and %d are counted", known.repairs)
	}
}

func TestNamed(t *testing.T) {
	cause := func(manager, field string) metav1.StatusCause {
		return metav1.StatusCause{
			Type: metav1.CauseTypeFieldManagerConflict, Field: field,
			Message: fmt.Sprintf("conflict with %q using apps/v1 at 2026-11-29T02:00:00Z", manager),
		}
	}
	image := `.spec.template.spec.containers[name="web"].image`
	for _, test := range []struct {
		causes []metav1.StatusCause
		want   string
	}{
		{nil, ""},
		{[]metav1.StatusCause{{Type: metav1.CauseTypeFieldValueInvalid, Message: `conflict with "x"`}}, ""},
		{[]metav1.StatusCause{cause("kubectl-edit", image)}, `"kubectl-edit" keeps changing ` + image},
		{
			[]metav1.StatusCause{cause("b", ".spec.b"), cause(`a "quoted"`, ".spec.a"), cause("b", ".spec.c")},
			`"a \"quoted\"" and "b" keep changing .spec.a, .spec.b, .spec.c`,
		},
		{
			[]metav1.StatusCause{cause("a", ".4"), cause("a", ".3"), cause("a", ".2"), cause("a", ".1")},
			`"a" keeps changing .1, .2, .3, other fields`,
		},
	} {
		err := apierrors.NewApplyConflict(test.causes, "conflicts")
		var dispute Dispute
		dispute.Named(fmt.Errorf("apply: %w", err))
		if by, _, _ := strings.Cut(test.want, " keep"); dispute.Who != test.want || dispute.By != by {
			t.Errorf("got %q by %q, want %q", dispute.Who, dispute.By, test.want)
		}
	}
	var dispute Dispute
	if dispute.Named(errors.New("no answer")); dispute.Who != "" {
		t.Errorf("nobody has answered: %q", dispute.Who)
	}
}

// TestTheRemedyFitsWhoItIs holds that a message says what helps: an autoscaler has to be pointed elsewhere.
func TestTheRemedyFitsWhoItIs(t *testing.T) {
	for who, remedy := range map[string]string{
		"":                                    "stop that client, or ask for the change in the spec",
		`"kubectl" keeps changing .spec.type`: "stop that client, or ask for the change in the spec",
		`"kube-controller-manager" keeps changing .spec.replicas`: "have it scale the Application instead, or set spec.autoscaling",
		OtherInstallation: "a namespace has one installation, so remove the other",
	} {
		dispute := Dispute{subject: Subject{Kind: "Deployment", Name: "web"}, Who: who}
		if message := dispute.message(); !strings.HasSuffix(message, "; "+remedy) {
			t.Errorf("of %q it is said: %s", who, message)
		}
	}
}
