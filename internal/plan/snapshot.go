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
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/managedfields"
	"github.com/example/app-operator/internal/resources"
)

// Snapshot is what was read for one reconcile, as far as it decides what is written.
type Snapshot struct {
	// Inputs are what the builders need.
	resources.Inputs
	// Missing names what the spec refers to and does not exist, as "Secret credentials".
	Missing []string
	// KeepsPods says that the pods that run are kept as they are, and none are made where none run: those that are wanted are not
	// released yet, and of those that run nothing is known.
	KeepsPods bool
	// Live holds, by kind, the objects that are the Application's, and others whose names it may need.
	Live map[string][]children.Object
	// Unavailable says, by kind, why the objects of an optional kind cannot be read.
	Unavailable map[string]error
	// PodsUpdated says that no pod is left that does not run the Deployment's present template, and no Job that has not ended.
	PodsUpdated bool
	// PodsAvailable says that the Deployment is rolled out and has pods.
	PodsAvailable bool
	// Scheduled has the UIDs of the CronJobs that have a Job which has not ended.
	Scheduled map[types.UID]bool
}

// Find returns the object of this kind and name, whoever controls it, or nil.
func (s *Snapshot) Find(kind, name string) children.Object {
	for _, object := range s.Live[kind] {
		if object.GetName() == name {
			return object
		}
	}
	return nil
}

// Owned returns the Application's object of the kind and of its own name, or nil.
func Owned[O children.Object](s *Snapshot, kind string) (object O) {
	if found := s.Find(kind, s.Application.Name); found != nil && children.Of(kind).Owns(s.Application, found) {
		object = found.(O)
	}
	return object
}

// LiveClaims returns what the claims say of themselves that were made for the Application, by their names.
func (s *Snapshot) LiveClaims() map[string]*resources.LiveClaim {
	claims := map[string]*resources.LiveClaim{}
	for _, object := range s.Live[resources.KindPersistentVolumeClaim] {
		claim, ok := object.(*corev1.PersistentVolumeClaim)
		if !ok || claim.Labels[resources.LabelApplication] != s.Application.Name {
			continue // of somebody else, no more than the name is known
		}
		live := resources.LiveClaimOf(claim)
		owned, err := managedfields.Of(claim, children.FieldOwner)
		if err == nil && owned.Has("spec", "storageClassName") {
			live.StorageClassName = claim.Spec.StorageClassName
		}
		claims[claim.Name] = live
	}
	return claims
}

// ReleaseJobs returns the Jobs that run the Application's release commands.
func (s *Snapshot) ReleaseJobs() []*batchv1.Job {
	var jobs []*batchv1.Job
	for _, object := range s.Live[children.Job] {
		if job := object.(*batchv1.Job); children.Of(children.Job).Owns(s.Application, job) && job.Labels[resources.LabelRevision] != "" {
			jobs = append(jobs, job)
		}
	}
	return jobs
}
