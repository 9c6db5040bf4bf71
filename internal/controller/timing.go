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
	"time"
)

// When an Application is reconciled although no event calls for it, and how long what is waited for. The other durations are
// in packages expectations (how long the cache is waited for), outcome (what is asked again that was denied), contention
// (repairs that are undone) and status (deadlines). docs/operations/timing.md has all of them in one table.
const (
	// firstRetry and lastRetry are the first and the longest pause before a failed reconcile is tried again. No event tells of
	// the end of a webhook's outage or of a right that is granted again, so the pauses must not grow to controller-runtime's
	// quarter of an hour.
	firstRetry = 5 * time.Millisecond
	lastRetry  = 30 * time.Second

	// absentRetry is the pause before an Application asks again for a kind that the cluster does not serve. A namespaced
	// operator may not watch CRDs; while nobody needs the kind, nobody asks.
	absentRetry = 10 * time.Second
	// discoveryTTL is how old an answer to that may be, so that many Applications that wait do not ask one by one.
	discoveryTTL = 5 * time.Second
	// syncRetry is the pause while an answer is on its way: whether a kind is served, and the first list of its objects.
	syncRetry = time.Second
	// enqueueAllRetry is the pause before all Applications are enqueued because some could not be listed that should be.
	enqueueAllRetry = 5 * time.Second

	// progressDebounce is how long a status is held back that differs by no more than a rollout's progress, since more of it may
	// follow; progressDebounceWhileBusy is the same while other Applications wait for a worker or for a Service, and busyRetry
	// is how often it is checked whether they still do.
	progressDebounce          = 2 * time.Second
	progressDebounceWhileBusy = 30 * time.Second
	busyRetry                 = 10 * time.Second

	// ownWriteDelay is the pause before a reconcile for an event that says nothing new: it shows what was just written here, or a
	// ReplicaSet, of which the Deployment tells as well. What comes until then has the same reconcile. For an Application that waits
	// for a Service it is progressDebounceWhileBusy.
	ownWriteDelay = 500 * time.Millisecond

	// configDebounce is how long the contents of ConfigMaps and Secrets must not have changed before the pods are restarted for
	// them, and configMaxWait how long a change waits at most. Several changes in a row make one rollout.
	configDebounce = 3 * time.Second
	configMaxWait  = 30 * time.Second

	// crashLoopGracePeriod is how long a container that has crashed again and again must run before it counts as cured. Without a
	// readiness probe the kubelet calls it ready as soon as it is started, and the Deployment calls itself available.
	crashLoopGracePeriod = time.Minute

	// stuckAfter is for how long a run of a schedule may go on before its pods are looked at, and stuckRetry how often those are looked
	// at again that cannot do their work. For less, a node may be on its way that the cluster adds for them.
	stuckAfter = 2 * time.Minute
	stuckRetry = time.Minute

	// endGracePeriod is how much longer than its grace period a pod may take to be gone before a drain names it.
	endGracePeriod = 30 * time.Second

	// reportTimeout is for the status write of a reconcile that took too long, contentTimeout for the read of a ConfigMap or
	// Secret, however many reconciles wait for it, and cacheTimeout for a cache that is not filled yet.
	reportTimeout  = 10 * time.Second
	contentTimeout = 30 * time.Second
	cacheTimeout   = time.Second
)
