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

package controller

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/metrics"
	"github.com/example/app-operator/internal/outcome"
)

// How repairs slow down that another client undoes. The first few of the same field are made at once. Each further one is
// made after a pause, which doubles from the first to the longest. When nothing had to be repaired for contentionCalm,
// repairs are made at once again. It is longer than the longest pause, or a pause would end the count.
const (
	immediateRepairs = 5
	firstPause       = time.Second
	longestPause     = 30 * time.Second
	contentionCalm   = 2 * time.Minute
)

// maxContended is how many fields of one kind are counted apart. Somebody who edits more in turn is counted as one.
const maxContended = 8

// contention counts the repairs of an Application's objects, so that a client which insists on undoing them does not keep
// the API server and the nodes busy. Its clock is what its methods are given. The zero value is ready.
type contention struct {
	dispute map[contended]*dispute
}

// contended is what is counted apart: the kind, and what stands for the fields that the operator does not own any more.
type contended struct {
	kind  string
	field uint64
}

// What the operator does over and over that is no repair of a field.
const (
	whole     = 0 // an object is made again, or a status written
	deletion  = 1
	finalizer = 2
	scaleDown = 3
)

// dispute is about one field.
type dispute struct {
	// repairs is how often it has been repaired without a calm in between, and last when.
	repairs int
	last    time.Time
	// done is the object that was deleted last; to delete it again is no other repair.
	done types.UID
	// who undoes the repairs, and how, as in `"kubectl-edit" keeps changing .spec.replicas`; "" as long as it is not known.
	who string
	// counted says that the present pause is in the metric.
	counted bool
}

// of returns the dispute about the field, which may not have begun.
func (c *contention) of(at contended, now time.Time) *dispute {
	count := 0
	for other, known := range c.dispute {
		if known.calm(now) {
			delete(c.dispute, other)
		} else if other.kind == at.kind {
			count++
		}
	}
	if known, ok := c.dispute[at]; ok {
		return known
	}
	if count >= maxContended {
		at.field = whole
	}
	if known, ok := c.dispute[at]; ok {
		return known
	}
	if c.dispute == nil {
		c.dispute = map[contended]*dispute{}
	}
	fresh := &dispute{last: now}
	c.dispute[at] = fresh
	return fresh
}

// paced has a repair made now and counted, or returns an error if it is to be made later.
func (c *contention) paced(at contended, app string, write func() error) error {
	known := c.of(at, time.Now())
	if err := known.paced(at.kind, app, time.Now()); err != nil {
		return err
	}
	err := write()
	if err == nil {
		known.repaired(time.Now())
	}
	return err
}

// present returns what to tell of disputes in which repairs are slowed down, "" if there are none, and when to look again: 0
// for never.
func (c *contention) present(app string, now time.Time) (string, time.Duration) {
	var told []string
	var next time.Duration
	for at, known := range c.dispute {
		if known.calm(now) || known.repairs <= immediateRepairs {
			continue
		}
		told = append(told, known.message(at.kind, app))
		left := known.last.Add(contentionCalm).Sub(now)
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
func (d *dispute) pause(now time.Time) time.Duration {
	if d.repairs < immediateRepairs || d.calm(now) {
		return 0
	}
	pause := longestPause
	if doublings := d.repairs - immediateRepairs; doublings < 5 {
		pause = firstPause << doublings
	}
	return max(d.last.Add(pause).Sub(now), 0)
}

// wrote notes that a step has succeeded. To delete the same object again is no other repair: the cache lags.
func (d *dispute) wrote(step step, now time.Time) {
	if step.deletes() {
		if d.done == step.live.GetUID() {
			return
		}
		d.done = step.live.GetUID()
	}
	d.repaired(now)
}

// repaired notes a repair.
func (d *dispute) repaired(now time.Time) {
	d.repairs++
	d.last = now
	d.counted = false
}

func (d *dispute) calm(now time.Time) bool { return now.Sub(d.last) >= contentionCalm }

// message says who undoes what, and what to do about it.
func (d *dispute) message(kind, app string) string {
	who := d.who
	if who == "" {
		who = "another client keeps changing or deleting it"
	}
	remedy := "stop that client, or ask for the change in the spec"
	if d.who == otherInstallation {
		remedy = "a namespace has one installation, so remove the other"
	}
	return fmt.Sprintf("%s %s: %s, and the operator repairs it after pauses of up to %.0f s; %s",
		kind, app, who, longestPause.Seconds(), remedy)
}

// otherInstallation is who writes under the operator's own field manager and is not this process.
const otherInstallation = "another installation of app-operator keeps changing it"

// contentionError is what to wait for before a repair is made again.
type contentionError struct{ *outcome.Waiting }

// Unwrap returns what the pause means for the Application.
func (c *contentionError) Unwrap() error { return c.Waiting }

// paced returns an error if the next repair is to be made later.
func (d *dispute) paced(kind, app string, now time.Time) error {
	wait := d.pause(now)
	if wait == 0 {
		return nil
	}
	if !d.counted {
		d.counted = true
		metrics.RepairPutOff(kind)
	}
	return &contentionError{&outcome.Waiting{
		Reason: v1.ReasonFieldManagerConflict, Message: d.message(kind, app), After: wait,
	}}
}

// isContention reports whether an error is a pause between repairs.
func isContention(err error) bool {
	_, ok := errors.AsType[*contentionError](err)
	return ok
}

// ownEntry returns what the operator's apply owns of an object, and when it has last changed that.
func ownEntry(object client.Object) (fields uint64, at time.Time) {
	for _, entry := range object.GetManagedFields() {
		if entry.Manager != FieldOwner || entry.Operation != metav1.ManagedFieldsOperationApply || entry.Subresource != "" {
			continue
		}
		if entry.Time != nil {
			at = entry.Time.Time
		}
		if entry.FieldsV1 != nil {
			fields = hash64(entry.FieldsV1.GetRawBytes())
		}
	}
	return fields, at
}

// wasOverwritten reports whether somebody else has applied a child, which was right, as the operator does: later than this
// process, or so that the operator still owns all that it owned while something of that differs. Any other client takes what
// it changes out of what the operator owns. Times in managed fields are whole seconds.
func (r rightness) wasOverwritten(repair step) bool {
	owned, applied := ownEntry(repair.live)
	if r.applied.IsZero() || owned == 0 {
		return false
	}
	return applied.After(r.applied) || owned == r.owned && len(repair.unwanted) == 0
}

// conflictWith is how the API server names the other field manager (kubernetes
// apimachinery pkg/util/managedfields/internal/conflict.go).
var conflictWith = regexp.MustCompile(`conflict with ("(?:[^"\\]|\\.)*")`)

// maxNamed is how many fields a message names.
const maxNamed = 3

// whoConflicts returns who has changed which fields, by the API server's refusal of an apply that was not forced.
func whoConflicts(err error) string {
	status := apierrors.APIStatus(nil)
	if !errors.As(err, &status) || status.Status().Details == nil {
		return ""
	}
	var managers, fields []string
	for _, cause := range status.Status().Details.Causes {
		if cause.Type != metav1.CauseTypeFieldManagerConflict {
			continue
		}
		if found := conflictWith.FindStringSubmatch(cause.Message); found != nil {
			managers = append(managers, found[1])
		}
		fields = append(fields, cause.Field)
	}
	if len(managers) == 0 {
		return ""
	}
	slices.Sort(managers)
	slices.Sort(fields)
	managers, fields = slices.Compact(managers), slices.Compact(fields)
	if len(fields) > maxNamed {
		fields = append(fields[:maxNamed], "other fields")
	}
	verb := " keeps changing "
	if len(managers) > 1 {
		verb = " keep changing "
	}
	return strings.Join(managers, " and ") + verb + strings.Join(fields, ", ")
}
