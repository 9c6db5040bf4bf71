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

package election

import (
	"context"
	"errors"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
)

// retry is the pause after a request that failed to give a dead leader's Lease back.
const retry = time.Second

// takeover watches the Lease, and on a standby the holder's Pod, and gives the Lease back for a holder that is proven
// dead.
type takeover struct {
	leases  *leases
	me      Identity
	pods    rest.Interface
	changed chan struct{}
	// enabled is false where the operator was told so, or is not told which Pod it runs in.
	enabled bool

	pod     *objectInformer
	stopPod func()
	// doubt is what was said last about a leader that may be dead.
	doubt string
}

func newTakeover(leases *leases, me Identity, pods rest.Interface, news chan struct{}) *takeover {
	return &takeover{leases: leases, me: me, pods: pods, changed: news, enabled: leases.options.FastTakeover && me.InPod()}
}

// errTaken begins with the words of the manager's own error for a lost Lease.
var errTaken = errors.New("leader election lost: the Lease names another process")

// run goes on until ctx ends, or until this process has lost the Lease to another.
func (t *takeover) run(ctx context.Context) error {
	defer t.leases.watched.start(ctx)()
	defer t.unwatchPod()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.leases.taken:
			return errTaken
		case <-t.changed:
		}
		lease := t.leases.watched.lease()
		if lease == nil {
			t.leases.renewNow()
			showHolder("")
			t.unwatchPod()
			continue
		}
		// Should this process lead, somebody may have emptied or taken its Lease, and others act on it already.
		t.leases.observe(lease)
		showHolder(ptr.Deref(lease.Spec.HolderIdentity, ""))
		t.watchHolderPod(ctx, lease)
		t.releaseIfHolderDead(ctx, lease)
	}
}

// watchHolderPod watches the Pod of the Lease's holder, if that is another one in a Pod, and no other.
func (t *takeover) watchHolderPod(ctx context.Context, lease *coordinationv1.Lease) {
	holder, ok := parseIdentity(ptr.Deref(lease.Spec.HolderIdentity, ""))
	if !ok || !t.enabled || holder.String() == t.me.String() {
		t.unwatchPod()
		return
	}
	if t.pod != nil && t.pod.name == holder.Pod {
		return
	}
	t.unwatchPod()
	t.pod = newObjectInformer(t.pods, "pods", t.me.Namespace, holder.Pod, t.changed, t.leases.log)
	t.stopPod = t.pod.start(ctx)
}

// unwatchPod watches no Pod any more.
func (t *takeover) unwatchPod() {
	if t.pod != nil {
		t.stopPod()
	}
	t.pod, t.stopPod, t.doubt = nil, nil, ""
}

// releaseIfHolderDead gives the Lease back if its holder is proven dead. Whoever is told so by the same report and is later, or by
// a Lease that has been renewed meanwhile, has a conflict.
func (t *takeover) releaseIfHolderDead(ctx context.Context, lease *coordinationv1.Lease) {
	if t.pod == nil || !t.pod.informer.HasSynced() {
		return
	}
	end, doubt := provenDead(lease, t.pod.pod())
	log := t.leases.log.WithValues("holder", *lease.Spec.HolderIdentity)
	if end == nil {
		if doubt != "" && doubt != t.doubt {
			log.Info("The leader may be dead, but nothing proves it; its lease has to expire", "why", doubt)
		}
		t.doubt = doubt
		return
	}
	log = log.WithValues("ended", end.FinishedAt.Time, "reason", end.Reason, "exitCode", end.ExitCode)
	switch err := t.leases.giveBack(ctx, lease); {
	case err == nil:
		log.Info("The leader's container has ended; gave its lease back")
	case apierrors.IsConflict(err):
		log.V(1).Info("The leader's container has ended, and its lease has changed since it was read")
	case ctx.Err() == nil:
		log.Error(err, "Could not give the lease of a dead leader back; trying again", "after", retry.String())
		time.AfterFunc(retry, func() { notify(t.changed) })
	}
}
