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

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
)

// How long the status of a rollout under way keeps for itself what is nothing but progress, such as how many pods there are,
// since more of it may follow: usually, and while other Applications wait for a worker or for their turn, when all that
// progress comes of lags as well. Whether they still do is looked at now and then.
const (
	newsHeld          = 2 * time.Second
	newsHeldWhileBusy = 30 * time.Second
	stillBusy         = 5 * time.Second
)

// holdBack returns for how long the status that follows from a pass is held back, because it tells of nothing but progress
// and another pass may say more; 0 if it is to be written now. An Application that waits for its turn tells of its
// progress when the turn has come: that it waits, its status says already.
func (r *ApplicationReconciler) holdBack(app *v1.Application, next v1.ApplicationStatus) time.Duration {
	known := r.memory.of(app)
	if !isProgress(app.Status, next) {
		known.news = time.Time{}
		return 0
	}
	waits, others := r.turns.waits(client.ObjectKeyFromObject(app))
	if waits {
		known.news = time.Time{} // the time begins with the turn
		return newsHeldWhileBusy
	}
	if known.news.IsZero() {
		known.news = time.Now()
	}
	held := time.Since(known.news)
	switch busy := others || r.busy(); {
	case held < newsHeld:
		return newsHeld - held
	case busy && held < newsHeldWhileBusy:
		return min(stillBusy, newsHeldWhileBusy-held)
	}
	return 0
}

// busy reports whether Applications wait for a worker.
func (r *ApplicationReconciler) busy() bool {
	queue := r.queue.Load()
	return queue != nil && (*queue).Len() > 0
}

// isProgress reports whether a status differs from the one before by no more than a rollout's getting on: nobody waits for
// it, and nobody has to act.
func isProgress(before, after v1.ApplicationStatus) bool {
	if before.ObservedGeneration != after.ObservedGeneration || before.Image != after.Image ||
		!equality.Semantic.DeepEqual(before.Autoscaled, after.Autoscaled) { // it may be all that is left of the decision
		return false
	}
	for _, now := range after.Conditions {
		was := meta.FindStatusCondition(before.Conditions, now.Type)
		switch {
		case was == nil:
			return false
		case now.Type == v1.ConditionReady && (now.Status != metav1.ConditionUnknown || now.Reason != v1.ReasonRollingOut):
			return false
		case now.Type == v1.ConditionAvailable && was.Status != metav1.ConditionTrue:
			continue // it can only have become better, or is still unknown
		case was.Status != now.Status || was.Reason != now.Reason:
			return false
		}
	}
	return true
}
