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

package plan

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/managedfields"
)

// Key names one object of an Application.
type Key struct{ Kind, Name string }

// LastApplied holds, for each object of an Application, when it was last as desired: by a write, or as the cache showed it. A new
// process begins with none, and then compares each object once.
type LastApplied map[Key]Applied

// Applied is one state of one object that matched a desired configuration.
type Applied struct {
	// Hash stands for the desired configuration.
	Hash uint64
	// UID and ResourceVersion name the object's state.
	UID             types.UID
	ResourceVersion string
	// Generation is the object's generation by the operator's last write; 0 if this process has not written it.
	Generation int64
	// owned stands for the fields that the operator's applies own, and appliedAt is when they have last changed the object.
	owned     uint64
	appliedAt metav1.Time
}

// MarkInSync records that the cache has shown an object as desired. What a comparison would find follows from the two.
func (l LastApplied) MarkInSync(key Key, hash uint64, live children.Object) {
	l.set(key, hash, live, l[key].Generation)
}

// Wrote records that a write has made an object as desired, and how the API server has answered.
func (l LastApplied) Wrote(key Key, hash uint64, answer children.Object) {
	l.set(key, hash, answer, answer.GetGeneration())
}

func (l LastApplied) set(key Key, hash uint64, object children.Object, generation int64) {
	fields, at := managedfields.AppliedBy(object, children.FieldOwner)
	l[key] = Applied{
		Hash: hash, UID: object.GetUID(), ResourceVersion: object.GetResourceVersion(), Generation: generation,
		owned: Hash(fields), appliedAt: at,
	}
}

// TakeStock records, where nothing is recorded yet, which of the Application's objects there are: that one is not desired does not say
// that somebody has created it since this process last looked.
func (l LastApplied) TakeStock(app *v1.Application, snapshot *Snapshot) {
	if len(l) > 0 {
		return
	}
	for i := range children.Table {
		child := &children.Table[i]
		for _, live := range snapshot.Live[child.Kind] {
			if !child.CreatedOnce && child.Owns(app, live) {
				l[Key{child.Kind, live.GetName()}] = Applied{UID: live.GetUID()}
			}
		}
	}
}

// leave records of an object that is to be deleted no more than that it was desired, until it is deleted: that may come later.
func (l LastApplied) leave(key Key) {
	if was, ok := l[key]; ok {
		l[key] = Applied{UID: was.UID}
	}
}

// Clear records that an object is not desired any more.
func (l LastApplied) Clear(key Key) { delete(l, key) }

// keep drops the objects of the kind that are neither desired nor still to be deleted.
func (l LastApplied) keep(kind string, kept map[string]bool) {
	maps.DeleteFunc(l, func(key Key, _ Applied) bool { return key.Kind == kind && !kept[key.Name] })
}

// Is reports whether the object is in the state that matched.
func (a Applied) Is(object metav1.Object) bool {
	return a.ResourceVersion != "" && a.ResourceVersion == object.GetResourceVersion() && a.UID == object.GetUID()
}

// desiredUnchanged reports whether the same configuration was desired when the object last matched.
func (a Applied) desiredUnchanged(hash uint64) bool { return a.ResourceVersion != "" && a.Hash == hash }

// overwrittenBySameManager reports whether somebody else has applied an object, which was in sync, under the operator's field
// manager: later than this process, or so that the operator still owns all that it owned while something of that differs. Any
// other client takes what it changes out of what the operator owns. Times in managed fields are whole seconds.
func (a Applied) overwrittenBySameManager(repair *Step) bool {
	fields, at := managedfields.AppliedBy(repair.Live, children.FieldOwner)
	if a.appliedAt.IsZero() || len(fields) == 0 {
		return false
	}
	return a.appliedAt.Before(&at) || Hash(fields) == a.owned && len(repair.Unwanted) == 0
}

// desiredHash stands for what is desired of an object: its configuration, and what it must not have.
func desiredHash(config children.Config, absent []fieldpath.Path) (uint64, error) {
	content, err := json.Marshal(config.ApplyConfiguration)
	if err != nil {
		return 0, fmt.Errorf("encode the configuration: %w", err)
	}
	for _, path := range absent {
		content = append(content, path.String()...)
	}
	return Hash(content), nil
}

// Hash returns a number that differs, in all probability, wherever contents differ. Nobody can be harmed by a collision but
// whoever makes one: it concerns one object of theirs.
func Hash(content []byte) uint64 {
	sum := fnv.New64a()
	_, _ = sum.Write(content) // never fails
	return sum.Sum64()
}
