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
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/metrics"
	"github.com/example/app-operator/internal/outcome"
	"github.com/example/app-operator/internal/resources"
	"github.com/example/app-operator/internal/status"
)

// measured returns the operator's metrics of this name.
func measured(t *testing.T, name string) []*dto.Metric {
	t.Helper()
	registry := prometheus.NewRegistry()
	for _, collector := range metrics.Collectors(nil) {
		registry.MustRegister(collector)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == name {
			return family.GetMetric()
		}
	}
	return nil
}

// rollouts returns how many rollouts have been measured, and how long they took together.
func rollouts(t *testing.T) (uint64, float64) {
	t.Helper()
	histogram := measured(t, "app_operator_rollout_duration_seconds")[0].GetHistogram()
	return histogram.GetSampleCount(), histogram.GetSampleSum()
}

// counted returns the counters of the name by kind.
func counted(t *testing.T, name string) map[string]float64 {
	t.Helper()
	all := map[string]float64{}
	for _, metric := range measured(t, name) {
		all[metric.GetLabel()[0].GetValue()] = metric.GetCounter().GetValue()
	}
	return all
}

// glance is an Application's status, in short: "generation Ready reason Progressing revision". Before it, "1h" says that the
// Application has borne the status for an hour when this process first sees it.
type glance string

func (g glance) parse(t *testing.T) (next v1.ApplicationStatus, revision string, old bool) {
	t.Helper()
	text, old := strings.CutPrefix(string(g), "1h ")
	var ready, progressing metav1.ConditionStatus
	var reason string
	if _, err := fmt.Sscan(text, &next.ObservedGeneration, &ready, &reason, &progressing, &revision); err != nil {
		t.Fatalf("%s: %v", g, err)
	}
	since := metav1.Now()
	if old {
		since = metav1.NewTime(since.Add(-time.Hour))
	}
	for kind, value := range map[string]metav1.ConditionStatus{v1.ConditionReady: ready, v1.ConditionProgressing: progressing} {
		next.Conditions = append(next.Conditions,
			metav1.Condition{Type: kind, Status: value, Reason: reason, LastTransitionTime: since})
	}
	return next, revision, old
}

func TestTimeRollout(t *testing.T) {
	const (
		rolling  = "1 Unknown RollingOut True 1"
		complete = "1 True RolloutComplete False 1"
		stuck    = "2 False ImagePullFailed False 2"
	)
	tests := []struct {
		name     string
		glances  []glance
		measured uint64
		// hours is how long they took together.
		hours int
	}{
		{"the first", []glance{rolling, rolling, complete, complete}, 1, 0},
		{"of a new spec", []glance{rolling, complete, "2 Unknown RollingOut True 1", "2 Unknown RollingOut True 2", "2 True RolloutComplete False 2"}, 2, 0},
		{"without another spec", []glance{rolling, complete, "1 Unknown RollingOut True 2", "1 True RolloutComplete False 2"}, 2, 0},
		{"that is none: a pod was lost", []glance{rolling, complete, rolling, complete}, 1, 0},
		{"that is none: another size", []glance{rolling, complete, "2 Unknown RollingOut True 1", "2 True RolloutComplete False 1"}, 1, 0},
		{"that is not complete", []glance{rolling, rolling}, 0, 0},
		{"that was complete before this process", []glance{"1h " + complete, complete}, 0, 0},
		{"after what was complete before this process", []glance{"1h " + complete, "2 Unknown RollingOut True 2", "2 True RolloutComplete False 2"}, 1, 0},
		{"that began before this process", []glance{"1h " + rolling, complete}, 1, 1},
		{"that was stuck before this process", []glance{"1h " + stuck, "2 True RolloutComplete False 2"}, 0, 0},
		{
			"that was stuck and heals by itself", []glance{
				"1h 2 Unknown RollingOut True 2", stuck, "2 Unknown RollingOut True 2", "2 True RolloutComplete False 2",
			}, 1, 1,
		},
		{
			"that was stuck and is helped by another spec", []glance{
				"1h 2 Unknown RollingOut True 2", stuck, "3 Unknown RollingOut True 2", "3 True RolloutComplete False 3",
			}, 1, 0,
		},
		{
			"into a suspension and out of it", []glance{
				rolling, complete, "2 Unknown Suspended True 1", "2 True Suspended False 1",
				"3 Unknown RollingOut True 1", "3 True RolloutComplete False 1",
			}, 1, 0,
		},
		{"that a pause hides", []glance{rolling, "2 True Paused False 1", "3 True RolloutComplete False 1"}, 0, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := &ApplicationReconciler{}
			app := &v1.Application{ObjectMeta: metav1.ObjectMeta{UID: "1"}}
			count, sum := rollouts(t)
			for _, glance := range test.glances {
				next, revision, old := glance.parse(t)
				if old {
					app.Status = next
				}
				deployment := &appsv1.Deployment{}
				deployment.Annotations = map[string]string{revisionAnnotation: revision}
				r.timeRollout(app, next, status.Observed{Deployment: deployment})
				app.Status = next
			}
			now, took := rollouts(t)
			if now-count != test.measured {
				t.Errorf("%d rollouts were measured, want %d", now-count, test.measured)
			}
			if hours := int((took - sum) / 3600); hours != test.hours {
				t.Errorf("they took %.1f s, want %d hours", took-sum, test.hours)
			}
		})
	}
}

func TestTimeRolloutBeforeThereIsADeployment(t *testing.T) {
	r := &ApplicationReconciler{}
	next, _, _ := glance("1 Unknown RollingOut True 0").parse(t)
	r.timeRollout(&v1.Application{}, next, status.Observed{})
	if r.memory.of(&v1.Application{}).began.IsZero() {
		t.Error("a rollout begins before there is a Deployment")
	}
}

func TestWhatIsDrift(t *testing.T) {
	never := func(*past) {}
	shown := func(known *past) { known.isRight("Service", 7, serviceIn("100")) }
	made := func(known *past) { known.wasMade("Service", 7, serviceIn("100")) }
	for what, test := range map[string]struct {
		before  func(*past)
		kind    string
		desired uint64
		version string
		want    bool
	}{
		"never seen right, perhaps an older operator's": {never, "Service", 7, "101", false},
		"was right, is not any more":                    {shown, "Service", 7, "101", true},
		"was right, is gone":                            {shown, "Service", 7, "", true},
		"desired otherwise":                             {shown, "Service", 8, "101", false},
		"another kind":                                  {shown, "Deployment", 7, "101", false},
		"changed after a write that no pass has seen":   {made, "Service", 7, "101", true},
		"changed long after it":                         {made, "Service", 7, "1000", true},
		"the cache lags behind a write":                 {made, "Service", 7, "99", false},
		"the write itself, as others have it":           {made, "Service", 7, "100", false},
		"the cache has shown nothing of the kind":       {made, "Service", 7, "", false},
		"desired otherwise after a write":               {made, "Service", 8, "101", false},
		"versions that nobody can compare":              {made, "Service", 7, "a", false},
	} {
		known := (&memory{}).of(&v1.Application{})
		test.before(known)
		if got := known.wasRight(test.kind, test.desired, test.version); got != test.want {
			t.Errorf("%s: drift %v, want %v", what, got, test.want)
		}
	}
}

// serviceIn returns a Service in this version.
func serviceIn(version string) *corev1.Service {
	return &corev1.Service{ObjectMeta: metav1.ObjectMeta{ResourceVersion: version}}
}

func TestWhatIsOnItsWay(t *testing.T) {
	never := func(*past) {}
	shown := func(known *past) { known.isRight("Service", 7, serviceIn("100")) }
	made := func(known *past) { known.wasMade("Service", 7, serviceIn("100")) }
	seen := func(known *past) { made(known); shown(known) }
	gone := func(known *past) { made(known); known.forget("Service") }
	long := func(known *past) {
		made(known)
		was := known.right["Service"]
		was.answered = was.answered.Add(-2 * expectationTimeout)
		known.right["Service"] = was
	}
	for what, test := range map[string]struct {
		before        func(*past)
		kind, version string
		want, awaits  bool
	}{
		"never written":                            {never, "Service", "99", false, false},
		"never written, only shown":                {shown, "Service", "99", false, false},
		"written, and the cache is older":          {made, "Service", "99", true, true},
		"written, and the cache shows nothing":     {made, "Service", "", true, true},
		"written, and the cache is as new":         {made, "Service", "100", false, true},
		"written, and the cache is newer":          {made, "Service", "101", false, true},
		"another kind":                             {made, "Deployment", "99", false, false},
		"written, seen, and the cache starts anew": {seen, "Service", "", false, false},
		"written, and not desired any more":        {gone, "Service", "99", false, false},
		"written long ago":                         {long, "Service", "99", false, false},
		"versions that nobody can compare":         {made, "Service", "a", false, true},
	} {
		known := (&memory{}).of(&v1.Application{})
		test.before(known)
		if got := known.onItsWay(test.kind, test.version) != nil; got != test.want {
			t.Errorf("%s: on its way: %v, want %v", what, got, test.want)
		}
		if got := known.awaits(test.kind) > 0; got != test.awaits {
			t.Errorf("%s: awaited: %v, want %v", what, got, test.awaits)
		}
		if got := known.awaitsAny("1") > 0 && test.kind == "Service"; got != test.awaits {
			t.Errorf("%s: any is awaited: %v, want %v", what, got, test.awaits)
		}
	}
}

func TestWhatIsStillRight(t *testing.T) {
	known := (&memory{}).of(&v1.Application{})
	known.isRight("Service", 7, serviceIn("100"))
	known.wasMade("Ingress", 7, serviceIn("100"))
	for what, right := range map[string]bool{
		"the same":           known.isStillRight("Service", 7, serviceIn("100")),
		"another version":    !known.isStillRight("Service", 7, serviceIn("101")),
		"another wish":       !known.isStillRight("Service", 8, serviceIn("100")),
		"another kind":       !known.isStillRight("Deployment", 7, serviceIn("100")),
		"a child unheard of": !known.isStillRight("NetworkPolicy", 0, serviceIn("")),
		"only written":       !known.isStillRight("Ingress", 7, serviceIn("100")),
	} {
		if !right {
			t.Errorf("%s: what has to be looked at again is told from what has not", what)
		}
	}
}

// TestWhatWasRightIsJudgedOnce holds that a pass over what has not changed does not read managed fields, which costs more
// than all the rest, and that no change is missed for it.
func TestWhatWasRightIsJudgedOnce(t *testing.T) {
	r, c := withErrors(t, interceptor.Funcs{})
	web := theApplication(t, c)
	if _, err := r.Reconcile(t.Context(), web); err != nil {
		t.Fatal(err)
	}
	live := &corev1.Service{}
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(web), live); err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(children, func(child child) bool { return child.kind == "Service" })
	plan := func(when string, wantStep, wantError bool) {
		t.Helper()
		config, err := children[at].build(resources.Inputs{Application: web})
		if err != nil {
			t.Fatal(err)
		}
		next, err := r.planWanted(web, children[at], live, live.ResourceVersion, config)
		if (err != nil) != wantError || (next != nil) != wantStep {
			t.Errorf("%s: a write: %v; error %v", when, next != nil, err)
		}
	}
	plan("at first", false, false)
	readable := live.ManagedFields
	live.ManagedFields = []metav1.ManagedFieldsEntry{*readable[0].DeepCopy()}
	live.ManagedFields[0].FieldsV1.SetRawBytes([]byte("not to be read"))
	plan("unchanged", false, false)
	live.ResourceVersion += "1"
	plan("another version, whose fields cannot be read", false, true)
	live.ManagedFields = readable
	live.Spec.Ports[0].Port++
	plan("edited by somebody", true, false)
	plan("as long as it is", true, false)
	live.Spec.Ports[0].Port--
	live.ResourceVersion += "1"
	plan("put right", false, false)
	web.Spec.Port = new(int32(8080))
	plan("desired otherwise", true, false)
}

// TestAnEditBeforeAnyPassHasSeenTheChild holds that it is drift: the API server's answer has told which version was right.
func TestAnEditBeforeAnyPassHasSeenTheChild(t *testing.T) {
	r, c := withErrors(t, interceptor.Funcs{})
	const name, kind = "app_operator_drift_repairs_total", "Service"
	before := counted(t, name)[kind]
	reconcileOnce(t, r, c)
	service := &corev1.Service{}
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: "apps", Name: "web"}, service); err != nil {
		t.Fatal(err)
	}
	service.Spec.Ports[0].Port++
	if err := c.Update(t.Context(), service, client.FieldOwner("somebody")); err != nil {
		t.Fatal(err)
	}
	reconcileOnce(t, r, c)
	if got := counted(t, name)[kind] - before; got != 1 {
		t.Errorf("counted %v repairs, want 1", got)
	}
}

func TestWritten(t *testing.T) {
	r := &ApplicationReconciler{}
	app := &v1.Application{ObjectMeta: metav1.ObjectMeta{UID: "1"}}
	const name, kind = "app_operator_drift_repairs_total", "Service"
	before := counted(t, name)[kind]
	for repairs, want := range map[bool]float64{false: 0, true: 1} {
		r.memory.of(app).isRight(kind, 7, serviceIn("100"))
		was := counted(t, name)[kind]
		config := configuration{ApplyConfiguration: corev1ac.Service("web", "apps")}
		r.written(app, step{child: child{kind: kind}, config: config, desired: 7, repairs: repairs}, serviceIn("102"))
		if got := counted(t, name)[kind] - was; got != want {
			t.Errorf("a repair (%v) counted %v", repairs, got)
		}
		if r.memory.of(app).wasRight(kind, 7, "101") {
			t.Error("after a write the cache lags; the next pass would count again")
		}
	}
	if got := counted(t, name)[kind] - before; got != 1 {
		t.Errorf("counted %v repairs, want 1", got)
	}
	r.memory.of(app).isRight(kind, 7, serviceIn("100"))
	config := configuration{ApplyConfiguration: corev1ac.Service("web", "apps")}
	before = counted(t, name)[kind]
	r.written(app, step{child: child{kind: kind}, live: serviceIn("102"), config: config, desired: 7, repairs: true}, serviceIn("102"))
	if !r.memory.of(app).isStillRight(kind, 7, serviceIn("102")) {
		t.Error("a write that has changed nothing will be made again")
	}
	if got := counted(t, name)[kind] - before; got != 0 {
		t.Errorf("a write that has changed nothing counts as %v repairs", got)
	}
	r.written(app, step{child: child{kind: kind}, live: serviceIn("102")}, nil)
	if r.memory.of(app).wasRight(kind, 7, "103") {
		t.Error("what was deleted because nobody wants it comes back otherwise, and that is no drift")
	}
}

func TestMemoryIsOfOneApplication(t *testing.T) {
	m := &memory{}
	named := func(name string, uid types.UID) *v1.Application {
		return &v1.Application{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "apps", UID: uid}}
	}
	m.of(named("web", "1")).revision = "5"
	if got := m.of(named("web", "1")).revision; got != "5" {
		t.Errorf("revision %q is remembered, want 5", got)
	}
	if got := m.of(named("other", "2")).revision; got != "" {
		t.Errorf("revision %q is another Application's", got)
	}
	if got := m.of(named("web", "3")).revision; got != "" {
		t.Errorf("revision %q is that of an earlier Application of the name", got)
	}
	if got := len(m.apps); got != 2 {
		t.Errorf("%d Applications are remembered, want 2", got)
	}
}

// TestNothingIsRememberedOfWhatIsGone holds that the memory does not grow with Applications that come and go.
func TestNothingIsRememberedOfWhatIsGone(t *testing.T) {
	r, c := withErrors(t, interceptor.Funcs{})
	r.turns.call = func(types.NamespacedName) {}
	r.turns.fill()
	pass := func() {
		t.Helper()
		if _, err := r.inTurn(reconcile.Func(r.reconcileNamed)).Reconcile(t.Context(), reconcile.Request{NamespacedName: app("web")}); err != nil {
			t.Fatal(err)
		}
	}
	pass()
	if waits, _ := r.turns.waits(app("web")); len(r.memory.apps) != 1 || !waits {
		t.Errorf("%d Applications are remembered, want 1; it waits for its turn: %v", len(r.memory.apps), waits)
	}
	if err := c.Delete(t.Context(), theApplication(t, c)); err != nil {
		t.Fatal(err)
	}
	pass()
	if waits, others := r.turns.waits(app("web")); len(r.memory.apps) != 0 || waits || others {
		t.Errorf("%d Applications are remembered that are gone; waits for its turn: %v, any: %v", len(r.memory.apps), waits, others)
	}
}

// TestAnAnswerHoldsNothingLong holds that what is remembered of a write is not what others can make long.
func TestAnAnswerHoldsNothingLong(t *testing.T) {
	known := (&memory{}).of(&v1.Application{})
	said := serviceIn("7")
	said.UID, said.Generation = "1", 3
	said.Annotations = map[string]string{"long": strings.Repeat("x", 1<<16)}
	said.Labels = map[string]string{"a": "b"}
	said.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: FieldOwner}}
	said.OwnerReferences = []metav1.OwnerReference{{Name: "web"}}
	known.wasMade("Service", 7, said)
	answer := known.right["Service"].answer
	if answer.GetUID() != "1" || answer.GetResourceVersion() != "7" || answer.GetGeneration() != 3 {
		t.Errorf("which version it is got lost: %v", answer)
	}
	if len(answer.GetAnnotations())+len(answer.GetLabels())+len(answer.GetManagedFields())+len(answer.GetOwnerReferences()) > 0 {
		t.Error("too much is remembered")
	}
}

// TestVersionsAreJudgedWithTheUID holds that another object in the version of an earlier one is looked at.
func TestVersionsAreJudgedWithTheUID(t *testing.T) {
	known := (&memory{}).of(&v1.Application{})
	known.isRight("Service", 7, serviceIn("100"))
	other := serviceIn("100")
	other.UID = "other"
	if known.isStillRight("Service", 7, other) {
		t.Error("another object in the same version is taken for the one that was right")
	}
	if sameVersion(other, serviceIn("100")) {
		t.Error("two objects are taken for one")
	}
}

// TestWhatWasThereAllTheTimeIsNoRepair holds that versions which have gone back are found out: the cache has shown no such
// child, its events speak of a later time, and the API server has the child in the version that was written.
func TestWhatWasThereAllTheTimeIsNoRepair(t *testing.T) {
	r := &ApplicationReconciler{}
	app := &v1.Application{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "apps", UID: "1"}}
	r.sights.note(sight{"Service", "apps"}, "1000")
	config := configuration{ApplyConfiguration: corev1ac.Service("web", "apps")}
	again := step{child: child{kind: "Service"}, config: config, desired: 7, repairs: true}
	r.memory.of(app).wasMade("Service", 7, serviceIn("101"))
	before := counted(t, "app_operator_drift_repairs_total")["Service"]
	r.written(app, again, serviceIn("101"))
	if got := counted(t, "app_operator_drift_repairs_total")["Service"] - before; got != 0 {
		t.Errorf("it counts as %v repairs", got)
	}
	if r.memory.of(app).onItsWay("Service", r.sights.newest("Service", "apps")) == nil {
		t.Error("it will be written again before the cache shows it")
	}
}

func TestFingerprint(t *testing.T) {
	of := func(port int32) uint64 {
		t.Helper()
		config := corev1ac.Service("web", "apps").WithSpec(corev1ac.ServiceSpec().WithPorts(corev1ac.ServicePort().WithPort(port)))
		sum, err := desiredHash(configuration{ApplyConfiguration: config})
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}
	if first, second := of(80), of(80); first != second {
		t.Error("the same has two fingerprints")
	}
	if of(80) == of(81) {
		t.Error("two ports have the same fingerprint")
	}
}

func TestCountConflicts(t *testing.T) {
	const name = "app_operator_conflicts_total"
	const theirs, fine = "False ChildConflict it is not ours", "False RolloutComplete none"
	invalid := &outcome.Invalid{Reason: v1.ReasonChildConflict}
	both := errors.Join(&conflict{"Service", invalid}, errors.New("something else"), &conflict{"Deployment", invalid})
	for _, test := range []struct {
		name          string
		before, after v1.ApplicationStatus
		err           error
		want          map[string]float64
	}{
		{"new", v1.ApplicationStatus{}, statusOf(theirs, fine), both, map[string]float64{"Service": 1, "Deployment": 1}},
		{"known", statusOf(theirs, fine), statusOf(theirs, fine), both, nil},
		{
			"again", statusOf("True RolloutComplete all runs", fine), statusOf(theirs, fine), &conflict{"Ingress", invalid},
			map[string]float64{"Ingress": 1},
		},
		{"outranked", v1.ApplicationStatus{}, statusOf("False InvalidSpec no", fine), both, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := counted(t, name)
			countConflicts(test.before, test.after, test.err)
			got := map[string]float64{}
			for kind, value := range counted(t, name) {
				if value > before[kind] {
					got[kind] = value - before[kind]
				}
			}
			if len(got) == 0 {
				got = nil
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("conflicts (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAConflictSaysWhatItMeans holds that the status and the work queue see through to the fault.
func TestAConflictSaysWhatItMeans(t *testing.T) {
	err := fmt.Errorf("pass: %w", errors.Join(errors.New("transient"),
		&conflict{"Service", &outcome.Invalid{Reason: v1.ReasonChildConflict, Message: "not ours"}}))
	if found, ok := errors.AsType[*outcome.Invalid](outcome.MostSevere(err)); !ok || found.Message != "not ours" {
		t.Errorf("the gravest error is %v", outcome.MostSevere(err))
	}
}

// TestWhoServesMetrics: the elected one does, and not any more when it has lost the lease.
func TestWhoServesMetrics(t *testing.T) {
	elected := make(chan struct{})
	holds := true
	r := &ApplicationReconciler{Leads: func() bool { return holds }}
	alone := &ApplicationReconciler{}
	if r.leads(elected) || alone.leads(elected) {
		t.Error("a standby serves metrics of Applications")
	}
	close(elected)
	if !r.leads(elected) || !alone.leads(elected) {
		t.Error("the leader serves no metrics of Applications")
	}
	holds = false
	if r.leads(elected) {
		t.Error("who has lost the lease serves metrics of Applications")
	}
}

// TestWantedReplicas holds that the metric follows what is desired, whatever words the status has for it.
func TestWantedReplicas(t *testing.T) {
	r, c := withErrors(t, interceptor.Funcs{})
	web := theApplication(t, c)
	web.Status.ReplicaSummary = "2 of 7"
	if got := r.wantedReplicas(web); got != 1 {
		t.Errorf("%d pods are desired before there is a Deployment, want 1", got)
	}
	web.Spec.Autoscaling = &v1.AutoscalingSpec{MaxReplicas: 9}
	deployment := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: web.Namespace, Name: web.Name, OwnerReferences: []metav1.OwnerReference{
			*metav1.NewControllerRef(web, v1.GroupVersion.WithKind("Application")),
		}},
		Spec: appsv1.DeploymentSpec{Replicas: new(int32(5))},
	}
	if err := c.Create(t.Context(), deployment); err != nil {
		t.Fatal(err)
	}
	if got := r.wantedReplicas(web); got != 5 {
		t.Errorf("%d pods are desired, want the 5 that the autoscaler asks for", got)
	}
}
