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
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/contention"
	"github.com/example/app-operator/internal/metrics"
	"github.com/example/app-operator/internal/plan"
)

// records are what is known of Applications' past beyond what their status says: to write nothing twice, to slow down, and for
// the metrics. A new process begins with none. Nothing is recorded of an Application that does not exist, so there are never
// more records than Applications, and each has a few hundred bytes. The zero value is ready.
type records struct {
	mu   sync.Mutex
	apps map[types.NamespacedName]*appRecord
	// earlier has the revisions whose pods are wanted, of the Applications where these are not the spec's.
	earlier map[types.NamespacedName]string
}

// appRecord is about one Application. Only its reconcile uses it, and there is one at a time.
type appRecord struct {
	// uid tells the Application from an earlier or later one of its name.
	uid types.UID
	// lastApplied holds when its objects were as desired.
	lastApplied plan.LastApplied
	// refused holds what the API server has refused although nothing that others had added was to blame.
	refused map[plan.Key]refusal
	// contention counts what is repaired again and again.
	contention contention.Tracker
	// status is the hash of the status that was last written; 0 if none was.
	status uint64
	// progress is since when a status has been held back that differs by no more than progress; zero if none is.
	progress time.Time
	// config is the hash of the configuration, while it changes.
	config debouncedConfig
	// lastWords is how the pods of failed Jobs have ended, by the UIDs of the Jobs. Only last runs of schedules are in it.
	lastWords map[types.UID]string
	// runs are the oldest runs of schedules that go on, by the UIDs of their Jobs.
	runs map[types.UID]activeRun
	// revision is what the spec asks for.
	revision specRevision
	// pods are those of the revision that is wanted instead; empty if none is.
	pods earlierPods
	// release is what the pods of the release command suffer from.
	release releasePods
	// fault is since when the new pods of a rollout have had a fault.
	fault podsFault
	// rollout times rollouts.
	rollout metrics.Rollout
	// orphaned are kind and name of the objects that have been left to themselves.
	orphaned []string
	// sizes is how large the maps in it were after its last reconcile. The lock of records guards it.
	sizes sizes
	// letGo says that the finalizer has been taken off an Application that is being deleted.
	letGo bool
}

// refusal is a configuration and the message with which it was refused, both by their hashes.
type refusal struct{ desired, message uint64 }

// of returns the record of the Application.
func (r *records) of(app *v1.Application) *appRecord {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := client.ObjectKeyFromObject(app)
	if known, ok := r.apps[key]; ok && known.uid == app.UID {
		return known
	}
	if r.apps == nil {
		r.apps = map[types.NamespacedName]*appRecord{}
	}
	fresh := &appRecord{uid: app.UID, lastApplied: plan.LastApplied{}, refused: map[plan.Key]refusal{}}
	r.apps[key] = fresh
	return fresh
}

// uidOf returns the UID of the Application that there is a record of.
func (r *records) uidOf(app types.NamespacedName) (types.UID, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	known, ok := r.apps[app]
	if !ok {
		return "", false
	}
	return known.uid, true
}

// sizes are numbers of entries in a record's maps.
type sizes struct{ objects, refusals, disputes, failedJobs, activeJobs int }

// measure notes how large the maps in a record have become: only its reconcile may look at them.
func (r *records) measure(rec *appRecord) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec.sizes = sizes{len(rec.lastApplied), len(rec.refused), rec.contention.Len(), len(rec.lastWords), len(rec.runs)}
}

// entries returns how many records there are, how many of them are of other revisions than the spec's, and the sum of their sizes.
func (r *records) entries() (apps, earlier int, sum sizes) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rec := range r.apps {
		sum.objects += rec.sizes.objects
		sum.refusals += rec.sizes.refusals
		sum.disputes += rec.sizes.disputes
		sum.failedJobs += rec.sizes.failedJobs
		sum.activeJobs += rec.sizes.activeJobs
	}
	return len(r.apps), len(r.earlier), sum
}

// clear drops the record of an Application that does not exist any more.
func (r *records) clear(app types.NamespacedName) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.apps, app)
	delete(r.earlier, app)
}

// setEarlier notes that an Application's pods are to be those of this earlier revision, or, without one, those of the spec.
func (r *records) setEarlier(app types.NamespacedName, revision string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if revision == "" {
		delete(r.earlier, app)
		return
	}
	if r.earlier == nil {
		r.earlier = map[types.NamespacedName]string{}
	}
	r.earlier[app] = revision
}

// earlierIn returns the Applications in the namespace whose pods are others than those of the spec.
func (r *records) earlierIn(namespace string) []types.NamespacedName {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []types.NamespacedName
	for app := range r.earlier {
		if app.Namespace == namespace {
			found = append(found, app)
		}
	}
	return found
}
