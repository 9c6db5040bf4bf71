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
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/metrics"
	"github.com/example/app-operator/internal/outcome"
	"github.com/example/app-operator/internal/resources"
	"github.com/example/app-operator/internal/status"
)

// memory is what is known of Applications' past beyond what their status says: to do nothing twice, to write no status in
// vain, and for the metrics. A new process begins with nothing, and counts nothing that it cannot tell from what a newer
// operator wants. Nothing is known of an Application that does not exist, so there are never more entries than Applications,
// and each holds a few hundred bytes. The zero value is ready.
type memory struct {
	mu   sync.Mutex
	apps map[types.NamespacedName]*past
}

// past is what is remembered of one Application. One worker at a time has it.
type past struct {
	// uid tells the Application from an earlier or later one of its name.
	uid types.UID
	// right holds, by kind, what was desired of a child when it was last so.
	right map[string]rightness
	// refused holds, by kind, what the API server has refused although nothing that others had added was to blame.
	refused map[string]refusedConfig
	// revision is that of the last complete rollout, as the Deployment's controller counts them.
	revision string
	// news is since when the status has held back what is nothing but progress; zero when it does not.
	news time.Time
	// statusWrite and finalizerWrite are the last writes of the Application's status and of its finalizers.
	statusWrite, finalizerWrite lastWrite
	// began is when the rollout in progress began; zero when there is none, or none that is known.
	began time.Time
	// contention counts what is repaired again and again.
	contention contention
	// status is the fingerprint of the status that was last written; 0 if none was.
	status uint64
	// config is the configuration that a change has to settle for before the pods are restarted.
	config debouncedConfig
}

// lastWrite is the last write of a part of the Application: the resource version from which it was made, and when. The cache
// is waited for no longer than maxLag: after a backup of etcd was restored, the version may be the present one.
type lastWrite struct {
	from string
	at   time.Time
}

// made notes a write, or one that was refused because the cache lags, from this resource version.
func (w *lastWrite) made(from string) { *w = lastWrite{from: from, at: time.Now()} }

// awaits returns for how long to wait until the cache shows another version of the Application than this, which is older than
// the write; 0 if it is not.
func (w *lastWrite) awaits(version string) time.Duration {
	if w.from == "" || w.from != version {
		return 0
	}
	return max(expectationTimeout-time.Since(w.at), 0)
}

// rightness is that a child was as it was desired.
type rightness struct {
	// desired is the fingerprint of what was desired.
	desired uint64
	// uid and version are the child's. Together they name one state of one object.
	uid     types.UID
	version string
	// owned stands for the fields that the operator's applies own, and applied is when they have last changed the child.
	owned   uint64
	applied time.Time
	// answer is the child as the write that made it so was answered, and answered when; zero once the cache has shown it to
	// be so. Before that the cache may show what was before, which is no drift.
	answer   client.Object
	answered time.Time
}

// refusedConfig is a configuration and in which words it was refused, both by their fingerprints: the words may be many.
type refusedConfig struct{ desired, words uint64 }

func refusedIn(words string, desired uint64) refusedConfig {
	return refusedConfig{desired: desired, words: hash64([]byte(words))}
}

// of returns what is remembered of the Application.
func (m *memory) of(app *v1.Application) *past {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := client.ObjectKeyFromObject(app)
	if known, ok := m.apps[key]; ok && known.uid == app.UID {
		return known
	}
	if m.apps == nil {
		m.apps = map[types.NamespacedName]*past{}
	}
	fresh := &past{uid: app.UID, right: map[string]rightness{}, refused: map[string]refusedConfig{}}
	m.apps[key] = fresh
	return fresh
}

// forget drops what is remembered of an Application that does not exist any more.
func (m *memory) forget(app types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.apps, app)
}

// desiredHash stands for what is desired of a child.
func desiredHash(config configuration) (uint64, error) {
	content, err := json.Marshal(config.ApplyConfiguration)
	if err != nil {
		return 0, fmt.Errorf("encode an apply configuration: %w", err)
	}
	for _, path := range config.unwanted {
		content = append(content, path.String()...)
	}
	return hash64(content), nil
}

// hash64 stands for what is to be told from other contents.
func hash64(content []byte) uint64 {
	sum := fnv.New64a()
	_, _ = sum.Write(content) // never fails
	return sum.Sum64()
}

// statusHash stands for all that a status says. The times of transitions follow from what was there before.
func statusHash(of v1.ApplicationStatus) (uint64, error) {
	of = *of.DeepCopy()
	for i := range of.Conditions {
		of.Conditions[i].LastTransitionTime = metav1.Time{}
	}
	content, err := json.Marshal(of)
	if err != nil {
		return 0, fmt.Errorf("encode a status: %w", err)
	}
	return hash64(content), nil
}

// isRight notes that the cache shows a child as it is desired.
func (p *past) isRight(kind string, desired uint64, live client.Object) {
	owned, applied := ownEntry(live)
	p.right[kind] = rightness{
		desired: desired, uid: live.GetUID(), version: live.GetResourceVersion(), owned: owned, applied: applied,
	}
}

// wasMade notes that a write has made a child as it is desired, and how the API server has answered.
func (p *past) wasMade(kind string, desired uint64, answer client.Object) {
	owned, applied := ownEntry(answer)
	forgetMetadata(answer)
	p.right[kind] = rightness{
		desired: desired, uid: answer.GetUID(), version: answer.GetResourceVersion(), owned: owned, applied: applied,
		answer: answer, answered: time.Now(),
	}
}

// awaits returns for how long to wait for the outcome of the child's last write, if no pass has seen it in the cache yet;
// otherwise 0.
func (p *past) awaits(kind string) time.Duration {
	was := p.right[kind]
	if was.answer == nil {
		return 0
	}
	return max(expectationTimeout-time.Since(was.answered), 0)
}

// awaitsAny returns for how long to wait until there is nothing more to wait for: for any child, and for the status of the
// Application in this version.
func (p *past) awaitsAny(version string) time.Duration {
	longest := p.statusWrite.awaits(version)
	for kind := range p.right {
		longest = max(longest, p.awaits(kind))
	}
	return longest
}

// looksAgain returns when the Application has to be looked at again, if no event comes before: 0 for never.
func (p *past) looksAgain(app *v1.Application, version string, now time.Time) time.Duration {
	soonest := p.awaitsAny(version)
	_, contended := p.contention.present(app.Name, now)
	for _, wait := range []time.Duration{contended, p.config.wait(now)} {
		if wait > 0 && (soonest == 0 || wait < soonest) {
			soonest = wait
		}
	}
	return soonest
}

// onItsWay returns a child as its last write was answered, if the cache does not show that yet; otherwise nil. The version
// is the cache's, as sights tell it.
func (p *past) onItsWay(kind, version string) client.Object {
	if p.awaits(kind) == 0 {
		return nil
	}
	was := p.right[kind]
	order, err := resourceversion.CompareResourceVersion(version, was.version)
	if version == "" || err == nil && order < 0 {
		return was.answer
	}
	return nil
}

// isStillRight reports whether the cache has shown this version of the child to be as it is desired now. What would be found
// is a function of the two.
func (p *past) isStillRight(kind string, desired uint64, live client.Object) bool {
	was := p.right[kind]
	return was.answer == nil && was.desired == desired && was.is(live)
}

// is reports whether the object is the one that was right, in the same version.
func (r rightness) is(live client.Object) bool {
	return r.version != "" && r.version == live.GetResourceVersion() && r.uid == live.GetUID()
}

// wasRight reports whether the child was as it is desired now before the cache came to this version, in which it is not. Then
// somebody else has changed or deleted it.
func (p *past) wasRight(kind string, desired uint64, version string) bool {
	was := p.right[kind]
	if !p.hasBeen(kind, desired) || was.answer == nil {
		return p.hasBeen(kind, desired)
	}
	order, err := resourceversion.CompareResourceVersion(version, was.version)
	return err == nil && order > 0 // else the cache lags
}

// hasBeen reports whether the child was as it is desired now at some time, by the cache or by a write.
func (p *past) hasBeen(kind string, desired uint64) bool {
	was, ok := p.right[kind]
	return ok && was.desired == desired
}

// isHopeless notes that nothing that others have added to a child is to blame for this refusal.
func (p *past) isHopeless(step step, err error) {
	p.refused[step.child.kind] = refusedIn(err.Error(), step.desired)
}

// wasHopeless reports whether that has been found of the same refusal before. To look again would write to the child, and
// so call for the next pass, and so on.
func (p *past) wasHopeless(step step, err error) bool {
	return p.refused[step.child.kind] == refusedIn(err.Error(), step.desired)
}

// forget notes that nothing is known of the child any more.
func (p *past) forget(kind string) {
	delete(p.right, kind)
	delete(p.refused, kind)
}

// written notes a write that has succeeded, and counts it if it has put right what somebody else had changed.
func (r *ApplicationReconciler) written(app *v1.Application, step step, answer client.Object) {
	known := r.memory.of(app)
	kind := step.child.kind
	switch {
	case step.deletes():
		known.forget(kind)
	case step.live != nil && sameVersion(step.live, answer):
		// It has changed nothing: what the cache shows is right, whatever the comparison makes of it.
		known.isRight(kind, step.desired, answer)
		return
	case step.live == nil && known.right[kind].is(answer):
		// It was there all the time, and the cache has not come as far as its events said: versions have gone back, as after
		// a backup of etcd was restored.
		r.sights.forget(kind, app.Namespace)
		known.wasMade(kind, step.desired, answer)
		return
	default:
		known.wasMade(kind, step.desired, answer)
	}
	if step.dispute != nil {
		step.dispute.wrote(step, time.Now())
	}
	if step.foreign {
		metrics.ForeignApply(kind)
	}
	if step.repairs {
		metrics.DriftRepaired(kind)
	}
}

// sameVersion reports whether two objects are the same one in the same version.
func sameVersion(a, b client.Object) bool {
	return a.GetUID() == b.GetUID() && a.GetResourceVersion() == b.GetResourceVersion()
}

// timeRollout follows the Application from one status to the next, and measures each rollout of new pods that gets
// complete. What makes no new pods, such as another size, is none; and what waited for somebody to act before this
// process began is not measured.
func (r *ApplicationReconciler) timeRollout(app *v1.Application, next v1.ApplicationStatus, seen status.Observed) {
	known := r.memory.of(app)
	ready := meta.FindStatusCondition(next.Conditions, v1.ConditionReady)
	if ready.Status == metav1.ConditionTrue && seen.Deployment != nil {
		began := known.began
		known.began = time.Time{}
		if ready.Reason != v1.ReasonRolloutComplete { // no pods are desired, or nothing is written
			return
		}
		revision := seen.Deployment.Annotations[revisionAnnotation]
		if !began.IsZero() && revision != known.revision {
			metrics.RolloutTook(time.Since(began))
		}
		known.revision = revision
		return
	}
	was := meta.FindStatusCondition(app.Status.Conditions, v1.ConditionProgressing)
	now := meta.FindStatusCondition(next.Conditions, v1.ConditionProgressing)
	if now.Status != metav1.ConditionTrue {
		return
	}
	started := was == nil || was.Status != metav1.ConditionTrue
	switch {
	case known.began.IsZero() && !started: // before this process
		known.began = now.LastTransitionTime.Time
	case known.began.IsZero(), started && app.Status.ObservedGeneration != next.ObservedGeneration:
		known.began = time.Now() // or somebody has acted
	}
}

// conflict is an error about an object of this kind that is in an Application's way.
type conflict struct {
	kind string
	*outcome.Invalid
}

// Unwrap returns what the conflict means for the Application.
func (c *conflict) Unwrap() error { return c.Invalid }

// countConflicts counts what is in the Application's way, once its status has come to say so.
func countConflicts(before, after v1.ApplicationStatus, err error) {
	ready := meta.FindStatusCondition(after.Conditions, v1.ConditionReady)
	if ready.Reason != v1.ReasonChildConflict || !conditionChanged(before, *ready) {
		return
	}
	for _, leaf := range outcome.Flatten(err) {
		if found, ok := errors.AsType[*conflict](leaf); ok {
			metrics.ConflictFound(found.kind)
		}
	}
}

// registerMetrics has the metrics served of what the operator does and of the Applications, the latter while this
// process leads: of several replicas, one tells of an Application.
func (r *ApplicationReconciler) registerMetrics(mgr ctrl.Manager) error {
	kinds := make([]string, 0, len(children))
	for _, child := range children {
		kinds = append(kinds, child.kind)
	}
	applications := metrics.Applications{DesiredReplicas: r.wantedReplicas, List: func() []v1.Application {
		if !r.leads(mgr.Elected()) {
			return nil
		}
		apps, err := r.applications()
		if err != nil {
			ctrl.Log.WithName("metrics").Info("Could not list the Applications", "why", err.Error())
		}
		return apps
	}}
	for _, collector := range append(metrics.Collectors(kinds), applications) {
		if err := ctrlmetrics.Registry.Register(collector); err != nil {
			return fmt.Errorf("register the metrics of Applications: %w", err)
		}
	}
	return nil
}

// leads reports whether this process has been elected and, as far as it can know, has not lost the lease since.
func (r *ApplicationReconciler) leads(elected <-chan struct{}) bool {
	select {
	case <-elected:
		return r.Leads == nil || r.Leads()
	default:
		return false
	}
}

// wantedReplicas returns how many pods the Application wants now, by its spec and by what the cache shows of its Deployment.
func (r *ApplicationReconciler) wantedReplicas(app *v1.Application) int32 {
	ctx, cancel := context.WithTimeout(context.Background(), cacheTimeout)
	defer cancel()
	in := resources.Inputs{Application: app}
	deployment := &appsv1.Deployment{}
	if found, err := r.getControlled(ctx, app, deployment); found && err == nil {
		in.Live = resources.LiveFrom(deployment)
	}
	return resources.DesiredReplicas(in)
}

// applications returns the cached Applications, which must not be changed.
func (r *ApplicationReconciler) applications() ([]v1.Application, error) {
	ctx, cancel := context.WithTimeout(context.Background(), cacheTimeout)
	defer cancel()
	list := &v1.ApplicationList{}
	err := r.Client.List(ctx, list, client.UnsafeDisableDeepCopy)
	return list.Items, err
}

// cacheTimeout is how long to wait for a cache that is not filled yet.
const cacheTimeout = time.Second
