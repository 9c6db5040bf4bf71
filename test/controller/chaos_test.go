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

package controller_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/test/controlplane"
	"github.com/example/app-operator/test/operator"
)

const (
	// population is how many Applications live under chaos, and authors how many users make them at a time.
	population, authors = 200, 8
	// freezes is how often a leader is frozen.
	freezes = 2
	// leastLosses is how many leaders have to be lost in that time. It is less than there are usually.
	leastLosses = 5
)

var _ = Describe("Three replicas", takesLongest, func() {
	It("do right by every Application while their leaders are killed, and never are two of them leaders", func(ctx SpecContext) {
		seed := GinkgoRandomSeed()
		random := rand.New(rand.NewPCG(uint64(seed), 0)) // a failure is repeated by its seed, as far as it can be
		AddReportEntry("chaos", fmt.Sprintf("seed %d", seed), ReportEntryVisibilityFailureOrVerbose)
		// Whoever is killed is proven dead. Longer than by default, lest leaders be lost as well that nobody starts again.
		t := startReplicas(ctx, 3, "--leader-election-lease-duration=60s", "--leader-election-renew-deadline=40s")
		lives := make([]*life, population)
		for i := range lives {
			lives[i] = newLife(random, t.namespace, i)
		}

		over := make(chan struct{})
		var killer, users sync.WaitGroup
		killer.Go(func() {
			defer GinkgoRecover()
			t.loseLeaders(ctx, random, over)
		})
		for author := range authors {
			users.Go(func() {
				defer GinkgoRecover()
				for i := author; i < population; i += authors {
					lives[i].live(ctx)
				}
			})
		}
		users.Wait()
		close(over)
		killer.Wait()
		Expect(len(t.losses)).To(BeNumerically(">=", leastLosses), "leaders that were lost")

		By("looking at every Application, and at what is left of those deleted")
		alive := sets.New[string]()
		for _, life := range lives {
			if life.deleted {
				continue
			}
			alive.Insert(life.app.Name)
			Eventually(fresh(ctx, life.app)).Should(beReady(), life.app.Name)
			Eventually(func(g Gomega) { life.expectChildren(ctx, g) }).Should(Succeed())
		}
		t.expectNobodyElse(ctx, alive)

		By("waiting for the fault that each autoscaler becomes in time, lest it be in the next leader's")
		for _, life := range lives {
			if !life.deleted {
				tellAutoscalers(ctx, life.app)
			}
		}

		By("having another leader look: it finds nothing to do")
		t.lose(ctx, syscall.SIGTERM)
		next := &runningOperator{t.leader(ctx).Operator}
		Eventually(next.passes).WithContext(ctx).Should(BeNumerically(">=", len(alive)))
		next.rest(ctx)

		all := requests()
		reigns, work := reignsOf(t.home, all), workOf(t.home, all)
		AddReportEntry("reigns", describe(reigns, work)+strings.Join(t.losses, "\n"), ReportEntryVisibilityFailureOrVerbose)
		Expect(outside(reigns, work)).To(BeEmpty(), "writes of processes that did not lead")
		last := reigns[len(reigns)-1]
		Expect(last.user).To(Equal(next.User))
		found := slices.DeleteFunc(work, func(r request) bool { return r.RequestReceivedTimestamp.Before(last.asked) })
		Expect(found).To(BeEmpty(), func() string { return explain(ctx, found) })
		Expect(len(reigns)).To(BeNumerically(">", leastLosses))
		Expect(reigns).To(ContainElement(HaveField("GivenBack", BeTrue())), "a dead leader's Lease, given back by a standby")
	}, SpecTimeout(20*time.Minute))

	It("hear nothing more from a leader that was frozen for longer than its lease", func(ctx SpecContext) {
		t := startReplicas(ctx, 2,
			"--leader-election-lease-duration=8s", "--leader-election-renew-deadline=6s", "--leader-election-retry-period=500ms")
		t.keepRunning(ctx) // also a leader that loses the Lease to nobody, on a busy machine
		apps := make([]*v1.Application, 10)
		for i := range apps {
			apps[i] = web(t.namespace)
			apps[i].Name = fmt.Sprintf("web-%d", i)
			Expect(k8s.Create(ctx, apps[i])).To(Succeed())
		}
		over := make(chan struct{})
		var users sync.WaitGroup
		for _, app := range apps {
			users.Go(func() {
				defer GinkgoRecover()
				for i := 1; !closed(over); i++ { // as fast as they can be made
					edit(ctx, app, func(app *v1.Application) { app.Spec.Image = fmt.Sprintf("nginx:%d", i) })
				}
			})
		}
		defer func() {
			close(over)
			users.Wait()
		}()
		for range freezes {
			By("freezing a leader that has worked")
			var frozen *operator.Replica
			Eventually(func() error { // one that has ended meanwhile is none
				frozen = t.workingLeader(ctx)
				return frozen.Signal(syscall.SIGSTOP)
			}).Should(Succeed())
			next := t.workingLeader(ctx)
			Expect(next.Name).NotTo(Equal(frozen.Name))
			its := slices.DeleteFunc(reignsOf(t.home, requests()), func(one reign) bool { return one.user != frozen.User })
			Expect(its[len(its)-1].GivenBack).To(BeFalse(), "it was not proven dead while it held the Lease")

			By("going on in " + frozen.Name)
			Expect(frozen.Signal(syscall.SIGCONT)).To(Succeed())
			Eventually(frozen.Done()).Should(BeClosed())
			Expect(frozen.Err()).To(MatchError(ContainSubstring("exit status 1")))
		}
		all := requests()
		reigns, work := reignsOf(t.home, all), workOf(t.home, all)
		AddReportEntry("reigns", describe(reigns, work), ReportEntryVisibilityFailureOrVerbose)
		Expect(outside(reigns, work)).To(BeEmpty(), "writes of processes that did not lead")
		Expect(len(reigns)).To(BeNumerically(">", freezes))
	}, SpecTimeout(20*time.Minute))
})

// replicas are some replicas of the operator, and the namespace that they serve.
type replicas struct {
	*operator.Home
	home, namespace string
	started         int
	losses          []string // of leaders, for a person

	mu      sync.Mutex
	running []*operator.Replica
}

// startReplicas starts some replicas in a namespace of theirs, to serve another one.
func startReplicas(ctx context.Context, count int, flags ...string) *replicas {
	GinkgoHelper()
	t := &replicas{home: newNamespace(ctx), namespace: newNamespace(ctx)}
	lifetime, cancel := context.WithCancel(context.WithoutCancel(ctx))
	DeferCleanup(cancel)
	var err error
	t.Home, err = operator.NewHome(lifetime, cluster, k8s, t.home, t.namespace, binary, flags...)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() {
		for _, replica := range t.all() {
			if CurrentSpecReport().Failed() {
				AddReportEntry("log of "+replica.Name, controlplane.Tail(replica.LogFile(), 40))
			}
			Expect(replica.Kill()).To(Succeed())
		}
	})
	for range count {
		t.start(ctx, nil)
	}
	return t
}

// start starts another replica, in place of one that has ended, if any.
func (t *replicas) start(ctx context.Context, ended *operator.Replica) {
	GinkgoHelper()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	t.started++
	started, err := t.Start(ctx, fmt.Sprintf("manager-%d", t.started))
	t.replace(ended, started)
	Expect(err).NotTo(HaveOccurred())
}

// restart runs a replica again that has ended, in the same Pod.
func (t *replicas) restart(ctx context.Context, ended *operator.Replica) {
	GinkgoHelper()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	started, err := ended.Restart(ctx)
	t.replace(ended, started)
	Expect(err).NotTo(HaveOccurred())
}

// replace puts one that was started in the place of one that has ended; either may be nil.
func (t *replicas) replace(ended, started *operator.Replica) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if started == nil {
		return
	}
	t.running = append(slices.DeleteFunc(t.running, func(one *operator.Replica) bool { return one == ended }), started)
}

// all returns the replicas.
func (t *replicas) all() []*operator.Replica {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.running)
}

// leader waits until a replica leads that runs and is not frozen, and returns it.
func (t *replicas) leader(ctx context.Context) *operator.Replica {
	GinkgoHelper()
	var leader *operator.Replica
	Eventually(func(g Gomega) {
		holder, err := t.Holder(ctx)
		g.Expect(err).NotTo(HaveOccurred())
		all := t.all()
		i := slices.IndexFunc(all, func(one *operator.Replica) bool { return one.Holds(holder) && !one.Ended() })
		g.Expect(i).To(BeNumerically(">=", 0), "%s holds the Lease", holder)
		leads, err := all[i].Leads(ctx)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(leads).To(BeTrue(), "%s leads", holder)
		leader = all[i]
	}).Should(Succeed())
	return leader
}

// workingLeader waits until a replica leads that has written something in its present reign, and returns it. On a busy machine a leader
// may lose the Lease before it has written anything: then it is another one.
func (t *replicas) workingLeader(ctx context.Context) *operator.Replica {
	GinkgoHelper()
	var leader *operator.Replica
	Eventually(func() bool {
		leader = t.leader(ctx)
		return t.worked(leader)
	}).Should(BeTrue())
	return leader
}

// worked reports whether the replica, which leads, has written anything in its present reign.
func (t *replicas) worked(replica *operator.Replica) bool {
	GinkgoHelper()
	all := requests()
	reigns := reignsOf(t.home, all)
	last := reigns[len(reigns)-1]
	return last.user == replica.User && slices.ContainsFunc(workOf(t.home, all), func(r request) bool {
		return r.User.Username == replica.User && r.RequestReceivedTimestamp.After(last.began)
	})
}

// lose ends the leader.
func (t *replicas) lose(ctx context.Context, signal syscall.Signal) *operator.Replica {
	GinkgoHelper()
	var lost *operator.Replica
	Eventually(func() error { // one that has ended meanwhile is none
		lost = t.leader(ctx)
		return lost.Signal(signal)
	}).Should(Succeed())
	t.losses = append(t.losses, fmt.Sprintf("%s %s: %s", time.Now().Format(time.StampMicro), lost.Name, signal))
	Eventually(lost.Done()).Should(BeClosed())
	return lost
}

// loseLeaders ends one leader after the other, in one way or the other, until it is over and enough are lost. Each is started
// again in its Pod, as after a crash, or replaced by another Pod, as after the loss of a node.
func (t *replicas) loseLeaders(ctx context.Context, random *rand.Rand, over <-chan struct{}) {
	GinkgoHelper()
	for i := 0; ; i++ {
		enough := over
		if i < leastLosses { // on a slow machine, the users are done before
			enough = nil
		}
		select {
		case <-enough:
			return
		case <-ctx.Done():
			return
		case <-time.After(time.Second + time.Duration(random.Int64N(int64(2*time.Second)))):
		}
		signal := []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGKILL}[(i+random.IntN(2))%3]
		lost := t.lose(ctx, signal)
		if random.IntN(2) == 0 {
			t.restart(ctx, lost)
			continue
		}
		t.start(ctx, lost)
	}
}

// expectNobodyElse waits until nothing is left in the namespace of other Applications than those of the names.
func (t *replicas) expectNobodyElse(ctx context.Context, alive sets.Set[string]) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		apps := &v1.ApplicationList{}
		g.Expect(k8s.List(ctx, apps, client.InNamespace(t.namespace))).To(Succeed())
		g.Expect(apps.Items).To(HaveLen(len(alive)))
		ours, others := census(ctx, g, &v1.Application{ObjectMeta: metav1.ObjectMeta{Namespace: t.namespace}})
		g.Expect(ours).To(BeEmpty())
		for name := range others { // those of all Applications
			kind, name, _ := strings.Cut(name, " ")
			g.Expect(alive.Has(name) || kind == "ServiceAccount" && name == "default").To(BeTrue(), "%s %s is left over", kind, name)
		}
		for _, list := range []client.ObjectList{&appsv1.ReplicaSetList{}, &corev1.PodList{}} {
			g.Expect(k8s.List(ctx, list, client.InNamespace(t.namespace))).To(Succeed())
			g.Expect(meta.EachListItem(list, func(item runtime.Object) error {
				object := item.(client.Object)
				if !alive.Has(object.GetLabels()["app.kubernetes.io/instance"]) {
					return fmt.Errorf("%T %s is left over", object, object.GetName())
				}
				return nil
			})).To(Succeed())
		}
	}).Should(Succeed())
}

// explain returns what the Applications say now whose statuses were written: the audit log has no bodies.
func explain(ctx context.Context, writes []request) string {
	var text strings.Builder
	text.WriteString("the statuses that were written are now:\n")
	for _, write := range writes {
		app := &v1.Application{ObjectMeta: metav1.ObjectMeta{Namespace: write.ObjectRef.Namespace, Name: write.ObjectRef.Name}}
		if write.ObjectRef.Resource != "applications" {
			continue
		}
		if _, err := get(ctx, app); err != nil {
			_, _ = fmt.Fprintf(&text, "%s: %s\n", app.Name, err)
		}
		for _, now := range app.Status.Conditions {
			_, _ = fmt.Fprintf(&text, "%s: %s=%s since %s, %s: %s\n",
				app.Name, now.Type, now.Status, now.LastTransitionTime.UTC().Format(time.Stamp), now.Reason, now.Message)
		}
	}
	return text.String()
}

// life is what users do with an Application.
type life struct {
	app     *v1.Application
	edits   []func(*v1.ApplicationSpec)
	deleted bool // in the end
	pauses  []time.Duration
}

// newLife makes one up.
func newLife(random *rand.Rand, namespace string, number int) *life {
	l := &life{
		app: &v1.Application{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("app-%d", number), Namespace: namespace},
			Spec:       v1.ApplicationSpec{Image: "nginx:1.29", Port: new(int32(8080))},
		},
		deleted: random.IntN(5) < 2,
	}
	if number%20 == 0 { // a few of those that are deleted let their pods end first
		l.deleted, l.app.Spec.DeletionPolicy = true, v1.DeletionPolicyDrain
	}
	changes := []func(*v1.ApplicationSpec){
		func(spec *v1.ApplicationSpec) { spec.Image = "nginx:1.30" },
		func(spec *v1.ApplicationSpec) { spec.Replicas = new(int32(2)) },
		func(spec *v1.ApplicationSpec) { spec.Port = nil },
		func(spec *v1.ApplicationSpec) { spec.NetworkPolicy = &v1.NetworkPolicySpec{} },
		func(spec *v1.ApplicationSpec) {
			spec.Autoscaling = &v1.AutoscalingSpec{MinReplicas: new(int32(1)), MaxReplicas: 2}
		},
	}
	for range 1 + random.IntN(2) {
		l.edits = append(l.edits, changes[random.IntN(len(changes))])
	}
	for range 1 + len(l.edits) {
		l.pauses = append(l.pauses, time.Duration(random.Int64N(int64(time.Second))))
	}
	return l
}

// live does it, at the users' pace.
func (l *life) live(ctx context.Context) {
	GinkgoHelper()
	pause := func(i int) {
		select {
		case <-ctx.Done():
		case <-time.After(l.pauses[i]):
		}
	}
	Expect(k8s.Create(ctx, l.app)).To(Succeed())
	for i, change := range l.edits {
		pause(i)
		edit(ctx, l.app, func(app *v1.Application) { change(&app.Spec) })
	}
	pause(len(l.edits))
	if l.deleted {
		Expect(k8s.Delete(ctx, l.app)).To(Succeed())
	}
}

// expectChildren makes sure that the children are what the Application asks for now.
func (l *life) expectChildren(ctx context.Context, g Gomega) {
	app, err := get(ctx, l.app)
	g.Expect(err).NotTo(HaveOccurred())
	deployment, err := get(ctx, deploymentOf(app))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(metav1.IsControlledBy(deployment, app)).To(BeTrue())
	g.Expect(deployment.Spec.Template.Spec.Containers[0].Image).To(Equal(app.Spec.Image))
	if app.Spec.Autoscaling == nil {
		g.Expect(deployment.Spec.Replicas).To(Equal(app.Spec.Replicas))
	}
	for kind, desired := range map[client.Object]bool{
		accountOf(app): true, serviceOf(app): app.Spec.Port != nil, autoscalerOf(app): app.Spec.Autoscaling != nil,
		&networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Name: app.Name, Namespace: app.Namespace}}: app.Spec.NetworkPolicy != nil,
	} {
		_, err := get(ctx, kind)
		g.Expect(client.IgnoreNotFound(err)).To(Succeed())
		g.Expect(!apierrors.IsNotFound(err)).To(Equal(desired), "%T %s", kind, app.Name)
	}
}

// closed reports whether the channel is closed.
func closed(channel <-chan struct{}) bool {
	select {
	case <-channel:
		return true
	default:
		return false
	}
}
