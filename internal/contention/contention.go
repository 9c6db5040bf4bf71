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

// Package contention slows down repairs that another client undoes again and again, so that the two do not keep the API server
// and the nodes busy, and says who that client is (decision 0027).
//
// It counts and makes no requests. Its clock is what its methods are given.
package contention

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/time/rate"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/metrics"
	"github.com/example/app-operator/internal/outcome"
)

// How repairs slow down that another client undoes. The first few of the same field are made at once. Each further one is
// made after a pause, which doubles from the first to the longest. When nothing had to be repaired for calmPeriod,
// repairs are made at once again. It is longer than the longest pause, or a pause would end the count.
const (
	immediateRepairs = 5
	firstPause       = time.Second
	maxPause         = 30 * time.Second
	calmPeriod       = 2 * time.Minute
)

// How often repairs are told, each in an event: the first of a field, a few of them at once, and then one now and then.
const (
	toldAtOnce = 5
	toldEvery  = 10 * time.Minute
)

// maxContended is how many fields of one object, and deletions of objects of one kind, are counted apart. All further ones are counted
// as one.
const maxContended = 8

// Tracker counts the repairs of an Application's objects, so that a client which insists on undoing them does not keep
// the API server and the nodes busy. Its clock is what its methods are given. The zero value is ready.
type Tracker struct {
	disputes map[Subject]*Dispute
	// telling bounds how often repairs are told; nil until the first is.
	telling *rate.Limiter
}

// Subject is what is counted apart: an object, and a hash of the fields that the operator still owns, which differs by the fields
// that it does not own any more.
type Subject struct {
	Kind, Name string
	Field      uint64
}

// Subjects that are no repair of a field.
const (
	Whole     = 0 // an object is created again, a status is written, or the operator owns nothing of it any more
	Deletion  = 1
	Finalizer = 2
	ScaleDown = 3
)

// together returns as what the subject is counted beyond maxContended. Which objects there are is the spec's to say; what is deleted is not
// in it, and whoever creates it chooses the name.
func (s Subject) together() Subject {
	if s.Field == Deletion {
		return Subject{Kind: s.Kind, Field: Deletion}
	}
	return Subject{Kind: s.Kind, Name: s.Name}
}

// Dispute is about one field.
type Dispute struct {
	subject Subject
	// repairs is how often it has been repaired without a calm in between, and last when.
	repairs int
	last    time.Time
	// deleted is the object that was deleted last.
	deleted types.UID
	// Who undoes the repairs, and how, as in `"kubectl-edit" keeps changing .spec.replicas`; "" as long as it is not known.
	Who string
	// By are the field managers that have changed what is repaired, as in `"kubectl-edit" and "kubectl-set"`; "" if none is known.
	By string
	// counted says that the present pause is in the metric.
	counted bool
}

// Dispute returns the dispute about the field, which may not have begun.
func (c *Tracker) Dispute(at Subject, now time.Time) *Dispute {
	count := 0
	for other, known := range c.disputes {
		if known.calm(now) {
			delete(c.disputes, other)
		} else if other.together() == at.together() {
			count++
		}
	}
	if known, ok := c.disputes[at]; ok {
		return known
	}
	if count >= maxContended {
		at = at.together()
	}
	if known, ok := c.disputes[at]; ok {
		return known
	}
	if c.disputes == nil {
		c.disputes = map[Subject]*Dispute{}
	}
	fresh := &Dispute{subject: at, last: now}
	c.disputes[at] = fresh
	return fresh
}

// Len returns how many disputes it has, those among them that are over and not yet dropped.
func (c *Tracker) Len() int { return len(c.disputes) }

// Do has a repair made now and counted, or returns an error if it is to be made later.
func (c *Tracker) Do(at Subject, write func() error) error {
	known := c.Dispute(at, time.Now())
	if err := known.Allow(time.Now()); err != nil {
		return err
	}
	err := write()
	if err == nil {
		known.Repaired(time.Now())
	}
	return err
}

// MayTell reports whether a repair is to be told: it is the first of its field since a calm, and not too many were told.
func (c *Tracker) MayTell(of *Dispute, now time.Time) bool {
	return of.repairs == 0 && (c.telling == nil || c.telling.TokensAt(now) >= 1)
}

// Told notes that a repair was told.
func (c *Tracker) Told(now time.Time) {
	if c.telling == nil {
		c.telling = rate.NewLimiter(rate.Every(toldEvery), toldAtOnce)
	}
	c.telling.AllowN(now, 1)
}

// Report returns what to tell of disputes in which repairs are slowed down, "" if there are none, and when to look again: 0
// for never.
func (c *Tracker) Report(now time.Time) (string, time.Duration) {
	var told []string
	var next time.Duration
	for _, known := range c.disputes {
		if known.calm(now) || known.repairs <= immediateRepairs {
			continue
		}
		told = append(told, known.message())
		left := known.last.Add(calmPeriod).Sub(now)
		if next == 0 || left < next {
			next = left
		}
		if pause := known.pause(now); pause > 0 && pause < next {
			next = pause
		}
	}
	if len(told) == 0 {
		return "", 0
	}
	return slices.Min(told), next
}

// pause returns for how long the next repair is put off.
func (d *Dispute) pause(now time.Time) time.Duration {
	if d.repairs < immediateRepairs || d.calm(now) {
		return 0
	}
	pause := maxPause
	if doublings := d.repairs - immediateRepairs; doublings < 5 {
		pause = firstPause << doublings
	}
	return max(d.last.Add(pause).Sub(now), 0)
}

// Deleted notes that an object was deleted. To delete the same object again is no other repair: it is still going.
func (d *Dispute) Deleted(uid types.UID, now time.Time) {
	if d.deleted == uid {
		return
	}
	d.deleted = uid
	d.Repaired(now)
}

// Repaired notes a repair.
func (d *Dispute) Repaired(now time.Time) {
	d.repairs++
	d.last = now
	d.counted = false
}

func (d *Dispute) calm(now time.Time) bool { return now.Sub(d.last) >= calmPeriod }

// message says who undoes what, and what to do about it.
func (d *Dispute) message() string {
	object := d.subject.Kind + " " + d.subject.Name
	if d.subject.Name == "" {
		object = "several objects of kind " + d.subject.Kind
	}
	who := d.Who
	if who == "" {
		who = "another client keeps changing or deleting it"
	}
	remedy := "stop that client, or ask for the change in the spec"
	switch {
	case d.Who == OtherInstallation:
		remedy = "a namespace has one installation, so remove the other"
	case strings.Contains(d.Who, replicasField):
		remedy = "have it scale the Application instead, or set spec.autoscaling"
	}
	return fmt.Sprintf("%s: %s, and the operator repairs it after pauses of up to %.0f s; %s",
		object, who, maxPause.Seconds(), remedy)
}

// replicasField is what autoscalers change of a Deployment, as the API server names it.
const replicasField = ".spec.replicas"

// OtherInstallation is who writes under the operator's own field manager and is not this process.
const OtherInstallation = "another installation of app-operator keeps changing it"

// postponedError is what to wait for before a repair is made again.
type postponedError struct{ *outcome.Waiting }

// Unwrap returns what the pause means for the Application.
func (c *postponedError) Unwrap() error { return c.Waiting }

// Allow returns an error if the next repair is to be made later.
func (d *Dispute) Allow(now time.Time) error {
	wait := d.pause(now)
	if wait == 0 {
		return nil
	}
	if !d.counted {
		d.counted = true
		metrics.RepairPutOff(d.subject.Kind)
	}
	return &postponedError{&outcome.Waiting{
		Reason: v1.ReasonFieldManagerConflict, Message: d.message(), After: wait,
	}}
}

// IsPostponed reports whether an error is a pause between repairs.
func IsPostponed(err error) bool {
	_, ok := errors.AsType[*postponedError](err)
	return ok
}

// conflictWith is how the API server names the other field manager (kubernetes
// apimachinery pkg/util/managedfields/internal/conflict.go).
var conflictWith = regexp.MustCompile(`conflict with ("(?:[^"\\]|\\.)*")`)

// maxNamed is how many fields a message names.
const maxNamed = 3

// Named notes who has changed which fields, by the API server's refusal of an apply that was not forced.
func (d *Dispute) Named(err error) {
	managers, fields := conflicts(err)
	if len(managers) == 0 {
		return
	}
	d.By = strings.Join(managers, " and ")
	verb := " keeps changing "
	if len(managers) > 1 {
		verb = " keep changing "
	}
	d.Who = d.By + verb + Fields(fields)
}

// Fields returns the paths of fields as a message names them: not too many.
func Fields(paths []string) string {
	if len(paths) > maxNamed {
		paths = append(slices.Clip(paths[:maxNamed]), "other fields")
	}
	return strings.Join(paths, ", ")
}

// conflicts returns the field managers, quoted, and the fields that a refusal names.
func conflicts(err error) (managers, fields []string) {
	status := apierrors.APIStatus(nil)
	if !errors.As(err, &status) || status.Status().Details == nil {
		return nil, nil
	}
	for _, cause := range status.Status().Details.Causes {
		if cause.Type != metav1.CauseTypeFieldManagerConflict {
			continue
		}
		if found := conflictWith.FindStringSubmatch(cause.Message); found != nil {
			managers = append(managers, found[1])
		}
		fields = append(fields, cause.Field)
	}
	slices.Sort(managers)
	slices.Sort(fields)
	return slices.Compact(managers), slices.Compact(fields)
}

// Unresolved reports whether a repair of the field was undone before by a client that is not known.
func (d *Dispute) Unresolved() bool { return d.repairs > 0 && d.Who == "" }
