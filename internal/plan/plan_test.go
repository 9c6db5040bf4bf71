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
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	batchv1ac "k8s.io/client-go/applyconfigurations/batch/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/outcome"
	"github.com/example/app-operator/internal/resources"
)

// withRow adds a row to the table for the time of a test.
func withRow(t *testing.T, row children.Child) {
	t.Helper()
	table := children.Table
	t.Cleanup(func() { children.Table = table })
	children.Table = append(slices.Clone(table), row)
}

func application() *v1.Application {
	return &v1.Application{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "apps", UID: "1"},
		Spec:       v1.ApplicationSpec{Image: "nginx:1.29"},
	}
}

// foreign returns a ConfigMap that nobody controls, and owned one that the Application does.
func foreign(name string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "apps", UID: "of", ResourceVersion: "7"}}
}

func owned(name string) *corev1.ConfigMap {
	object := foreign(name)
	object.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(application(), v1.GroupVersion.WithKind("Application"))}
	return object
}

// TestARowMayHaveAnyNumberOfObjects holds that each object of a kind is created, kept and deleted for itself.
func TestARowMayHaveAnyNumberOfObjects(t *testing.T) {
	withRow(t, children.Child{
		Kind: "Example", Object: &corev1.ConfigMap{}, List: &corev1.ConfigMapList{},
		Build: func(resources.Inputs) ([]children.Config, error) {
			var configs []children.Config
			for _, name := range []string{"web-new", "web-theirs", "web-kept"} {
				configs = append(configs, children.Config{ApplyConfiguration: corev1ac.ConfigMap(name, "apps"), Name: name})
			}
			return configs, nil
		},
	})
	app := application()
	going := owned("web-going")
	going.DeletionTimestamp = new(metav1.Now())
	snapshot := &Snapshot{
		Inputs: resources.Inputs{Application: app}, PodsUpdated: true,
		Live: map[string][]children.Object{"Example": {
			foreign("web-theirs"), owned("web-kept"), owned("web-old"), foreign("web-another"), going,
		}},
	}
	last := LastApplied{}
	first, _ := For(app, snapshot, last)
	for _, step := range first {
		if step.Name == "web-kept" { // as if it had been applied before
			last.MarkInSync(step.Key(), step.Hash, step.Live)
		}
	}
	last.MarkInSync(Key{"Example", "web-gone"}, 1, owned("web-gone"))
	steps, err := For(app, snapshot, last)
	var got []string
	for _, step := range steps {
		if step.Child.Kind == "Example" {
			got = append(got, fmt.Sprintf("%s deletes:%t", step.Name, step.Deletes()))
		}
	}
	if diff := cmp.Diff([]string{"web-new deletes:false", "web-old deletes:true"}, got); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	if conflict, ok := errors.AsType[*ConflictError](err); !ok || conflict.Kind != "Example" {
		t.Errorf("error %v, want that web-theirs is somebody else's", err)
	}
	if _, ok := last[Key{"Example", "web-gone"}]; ok {
		t.Error("what is not desired any more is remembered")
	}
}

// TestAnAutoscalerIsOfItsOwnDeployment holds that there is no autoscaler where a Deployment of the Application's name is somebody
// else's: it would decide how many pods that one has.
func TestAnAutoscalerIsOfItsOwnDeployment(t *testing.T) {
	app := application()
	app.Spec.Autoscaling = &v1.AutoscalingSpec{MinReplicas: new(int32(2)), MaxReplicas: 9}
	of := []metav1.OwnerReference{*metav1.NewControllerRef(app, v1.GroupVersion.WithKind("Application"))}
	named := metav1.ObjectMeta{Name: app.Name, Namespace: app.Namespace, UID: "of", ResourceVersion: "7"}
	autoscaler := &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: named}
	autoscaler.OwnerReferences = of
	theirs, ours := &appsv1.Deployment{ObjectMeta: named}, &appsv1.Deployment{ObjectMeta: named}
	ours.OwnerReferences = of
	for name, test := range map[string]struct {
		deployment, autoscaler []children.Object
		want                   []string
	}{
		"no Deployment":            {nil, nil, []string{"applied"}},
		"its own":                  {[]children.Object{ours}, nil, []string{"applied"}},
		"somebody else's":          {[]children.Object{theirs}, nil, nil},
		"somebody else's now":      {[]children.Object{theirs}, []children.Object{autoscaler}, []string{"deleted"}},
		"its own, with autoscaler": {[]children.Object{ours}, []children.Object{autoscaler}, []string{"applied"}},
	} {
		steps, _ := For(app, &Snapshot{
			Inputs: resources.Inputs{Application: app}, PodsUpdated: true,
			Live: map[string][]children.Object{
				children.Deployment: test.deployment, children.HorizontalPodAutoscaler: test.autoscaler,
			},
		}, LastApplied{})
		var got []string
		for _, step := range steps {
			switch {
			case step.Child.Kind != children.HorizontalPodAutoscaler:
			case step.Deletes():
				got = append(got, "deleted")
			default:
				got = append(got, "applied")
			}
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: the autoscaler is %v, want %v", name, got, test.want)
		}
	}
}

// TestRetainedObjectsAreNeverDeleted holds that a claim is the Application's by its label alone, and stays whatever the spec says.
func TestRetainedObjectsAreNeverDeleted(t *testing.T) {
	claim := func(name, app string, owners ...metav1.OwnerReference) *corev1.PersistentVolumeClaim {
		object := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: "apps", UID: "of", ResourceVersion: "7", OwnerReferences: owners,
		}}
		if app != "" {
			object.Labels = map[string]string{resources.LabelApplication: app}
		}
		return object
	}
	of := *metav1.NewControllerRef(application(), v1.GroupVersion.WithKind("Application"))
	for name, test := range map[string]struct {
		live     *corev1.PersistentVolumeClaim
		conflict bool
	}{
		"its own":                 {live: claim("web-data", "web")},
		"without a label":         {claim("web-data", ""), true},
		"another Application's":   {claim("web-data", "other"), true},
		"with a controller, too":  {claim("web-data", "web", metav1.OwnerReference{Kind: "StatefulSet", Controller: new(true)}), true},
		"controlled, not labeled": {claim("web-data", "", of), true},
	} {
		t.Run(name, func(t *testing.T) {
			app := application()
			snapshot := &Snapshot{Inputs: resources.Inputs{Application: app}, PodsUpdated: true, Live: map[string][]children.Object{
				resources.KindPersistentVolumeClaim: {test.live},
			}}
			steps, err := For(app, snapshot, LastApplied{})
			if slices.ContainsFunc(steps, func(step Step) bool { return step.Deletes() }) || err != nil {
				t.Errorf("not desired, it is deleted, or in the way: %v", err)
			}
			app.Spec.Files = []v1.File{{MountPath: "/data", VolumeSource: v1.VolumeSource{PersistentVolumeClaim: &v1.ClaimSource{Size: "1Gi"}}}}
			steps, err = For(app, snapshot, LastApplied{})
			at := slices.IndexFunc(steps, func(step Step) bool { return step.Child.Retained })
			pods := slices.ContainsFunc(steps, func(step Step) bool { return step.Child.Kind == children.Deployment })
			if conflicts := err != nil; conflicts != test.conflict || conflicts == pods || conflicts == (at >= 0) {
				t.Errorf("desired: error %v, pods %t, applied %t", err, pods, at >= 0)
			}
			if at >= 0 && steps[at].HoldsUp() {
				t.Error("a change of it holds up what comes after")
			}
		})
	}
}

// TestAClaimThatGoesIsToldOf holds that a claim which somebody deletes, and which stays for its pods, is a fault and no rollout: it would
// never end. The pods that have it are left as they are until they are to end.
func TestAClaimThatGoesIsToldOf(t *testing.T) {
	app := application()
	app.Spec.Files = []v1.File{{MountPath: "/data", VolumeSource: v1.VolumeSource{PersistentVolumeClaim: &v1.ClaimSource{Size: "1Gi"}}}}
	claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{
		Name: "web-data", Namespace: "apps", UID: "of", Labels: map[string]string{resources.LabelApplication: "web"},
		DeletionTimestamp: new(metav1.Now()), Finalizers: []string{"kubernetes.io/pvc-protection"},
	}}
	for suspended, want := range map[bool]bool{false: false, true: true} {
		app.Spec.Suspend = suspended
		steps, err := For(app, &Snapshot{Inputs: resources.Inputs{Application: app}, Live: map[string][]children.Object{
			resources.KindPersistentVolumeClaim: {claim},
		}}, LastApplied{})
		waiting, ok := errors.AsType[*outcome.Waiting](err)
		if !ok || waiting.Reason != v1.ReasonReferenceMissing || !strings.Contains(waiting.Message, "web-data is being deleted") ||
			!strings.Contains(waiting.Message, "spec.suspend") {
			t.Errorf("suspended %t: error %v", suspended, err)
		}
		if got := slices.ContainsFunc(steps, func(step Step) bool { return step.Child.Kind == children.Deployment }); got != want {
			t.Errorf("suspended %t: the Deployment is written: %t, want %t", suspended, got, want)
		}
	}
}

// TestWhoHoldsWhatIsDeletedIsTold holds that one learns who keeps a deleted object, unless it is Kubernetes' own garbage collector.
func TestWhoHoldsWhatIsDeletedIsTold(t *testing.T) {
	app := application()
	app.Spec.Port = new(int32(80))
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{
		Name: "web", Namespace: "apps", OwnerReferences: owned("web").GetOwnerReferences(),
		DeletionTimestamp: new(metav1.Now()), Finalizers: []string{metav1.FinalizerDeleteDependents},
	}}
	said := func() string {
		_, err := For(app, &Snapshot{Inputs: resources.Inputs{Application: app}, Live: map[string][]children.Object{
			children.Service: {service},
		}}, LastApplied{})
		waiting, ok := errors.AsType[*outcome.Waiting](err)
		if !ok || waiting.Reason != v1.ReasonRollingOut {
			t.Fatalf("error %v", err)
		}
		return waiting.Message
	}
	const gone = "Waiting for Service web, which is being deleted, to be gone"
	if got := said(); got != gone {
		t.Errorf("it says %q", got)
	}
	service.Finalizers = append(service.Finalizers, "service.kubernetes.io/load-balancer-cleanup")
	if got := said(); !strings.HasPrefix(got, gone+"; ") || !strings.HasSuffix(got, ": service.kubernetes.io/load-balancer-cleanup") {
		t.Errorf("with a finalizer it says %q", got)
	}
}

// TestOfAConfigMapTheMetadataTell holds that an object whose content is not read is compared by who owns the content, and by the
// annotation that stands for it.
func TestOfAConfigMapTheMetadataTell(t *testing.T) {
	app := application()
	app.Spec.Files = []v1.File{{MountPath: "/etc", VolumeSource: v1.VolumeSource{Inline: map[string]string{"a": "1"}}}}
	configs, err := resources.ConfigMap(resources.Inputs{Application: app})
	if err != nil {
		t.Fatal(err)
	}
	live := func(fields string, edit func(*metav1.PartialObjectMetadata)) *metav1.PartialObjectMetadata {
		object := &metav1.PartialObjectMetadata{ObjectMeta: owned("web-etc").ObjectMeta}
		object.Labels, object.Annotations = resources.Labels("web"), configs[0].Annotations
		object.ManagedFields = []metav1.ManagedFieldsEntry{{
			Manager: children.FieldOwner, Operation: metav1.ManagedFieldsOperationApply,
			FieldsV1: metav1.NewFieldsV1(fields),
		}}
		edit(object)
		return object
	}
	none := func(*metav1.PartialObjectMetadata) {}
	const meta = `"f:metadata":{"f:labels":{"f:app.kubernetes.io/name":{},"f:app.kubernetes.io/instance":{},` +
		`"f:app.kubernetes.io/managed-by":{}},"f:annotations":{"f:apps.example.com/content-hash":{}},"f:ownerReferences":{"k:{\"uid\":\"1\"}":{}}}`
	for name, test := range map[string]struct {
		live   *metav1.PartialObjectMetadata
		writes bool
	}{
		"as desired":       {live: live(`{"f:data":{"f:a":{}},`+meta+`}`, none)},
		"a text of others": {live(`{`+meta+`}`, none), true},
		"another text": {live(`{"f:data":{"f:a":{}},`+meta+`}`, func(o *metav1.PartialObjectMetadata) {
			o.Annotations = map[string]string{"apps.example.com/content-hash": "b"}
		}), true},
		"a file too many":       {live(`{"f:data":{"f:a":{},"f:b":{}},`+meta+`}`, none), true},
		"without its label":     {live(`{"f:data":{"f:a":{}},`+meta+`}`, func(o *metav1.PartialObjectMetadata) { o.Labels = nil }), true},
		"never applied by ours": {live(`{}`, none), true},
	} {
		t.Run(name, func(t *testing.T) {
			snapshot := &Snapshot{Inputs: resources.Inputs{Application: app}, Live: map[string][]children.Object{resources.KindConfigMap: {test.live}}}
			steps, err := For(app, snapshot, LastApplied{})
			if err != nil {
				t.Fatal(err)
			}
			if got := slices.ContainsFunc(steps, func(step Step) bool { return step.Child.MetadataOnly }); got != test.writes {
				t.Errorf("written: %t, want %t", got, test.writes)
			}
		})
	}
}

// TestWhatCannotBeReadIsNeitherCreatedNorDeleted is about optional APIs.
func TestWhatCannotBeReadIsNeitherCreatedNorDeleted(t *testing.T) {
	absent := &outcome.Waiting{Reason: v1.ReasonAPINotInstalled}
	app := application()
	app.Spec.Port = new(int32(80))
	snapshot := &Snapshot{
		Inputs: resources.Inputs{Application: app}, Live: map[string][]children.Object{},
		Unavailable: map[string]error{children.HTTPRoute: absent, "ServiceMonitor": absent},
	}
	if _, err := For(app, snapshot, LastApplied{}); err != nil {
		t.Errorf("it is missed although nobody asks for it: %v", err)
	}
	app.Spec.HTTPRoute = &v1.HTTPRouteSpec{ParentRefs: []v1.ParentReference{{Name: "public"}}}
	steps, err := For(app, snapshot, LastApplied{})
	if !errors.Is(err, absent) {
		t.Errorf("error %v, want %v", err, absent)
	}
	var kinds []string
	for _, step := range steps {
		kinds = append(kinds, step.Child.Kind)
	}
	if want := []string{"ServiceAccount", "Deployment", "Service"}; !slices.Equal(kinds, want) {
		t.Errorf("writes %v, want %v: the others are not held up", kinds, want)
	}
}

// TestASnapshotIsNotChanged holds that planning twice gives the same.
func TestASnapshotIsNotChanged(t *testing.T) {
	app := application()
	snapshot := &Snapshot{Inputs: resources.Inputs{Application: app}, Live: map[string][]children.Object{}, Missing: []string{"Secret a"}}
	first, _ := For(app, snapshot, LastApplied{})
	second, err := For(app, snapshot, LastApplied{})
	if len(first) != len(second) {
		t.Errorf("%d steps, then %d", len(first), len(second))
	}
	if waiting, ok := errors.AsType[*outcome.Waiting](err); !ok || waiting.Reason != v1.ReasonReferenceMissing {
		t.Errorf("error %v", err)
	}
}

// cronJob returns a CronJob of the Application, as the cache holds it.
func cronJob(t *testing.T, schedule string, suspended bool) *batchv1.CronJob {
	t.Helper()
	app := application()
	app.Spec.Schedules = []v1.Schedule{{Name: schedule, Schedule: "@daily", Suspend: suspended}}
	configs, err := resources.CronJob(resources.Inputs{Application: app})
	if err != nil {
		t.Fatal(err)
	}
	content, err := json.Marshal(configs[0])
	if err != nil {
		t.Fatal(err)
	}
	live := &batchv1.CronJob{}
	if err := json.Unmarshal(content, live); err != nil {
		t.Fatal(err)
	}
	live.UID, live.ResourceVersion = types.UID(schedule), "7"
	live.ManagedFields = []metav1.ManagedFieldsEntry{{
		Manager: children.FieldOwner, Operation: metav1.ManagedFieldsOperationApply, APIVersion: "batch/v1", FieldsType: "FieldsV1",
		FieldsV1: metav1.NewFieldsV1(`{"f:spec":{"f:schedule":{},"f:suspend":{},"f:jobTemplate":{"f:spec":{"f:backoffLimit":{}}}}}`),
	}}
	return live
}

// TestACronJobGoesAfterItsLastRun holds that one that is not desired starts no more Jobs, stays while one runs, and that to
// delete it then repairs nothing.
func TestACronJobGoesAfterItsLastRun(t *testing.T) {
	app, last := application(), LastApplied{}
	steps := func(live *batchv1.CronJob, running bool) []Step {
		t.Helper()
		snapshot := &Snapshot{Inputs: resources.Inputs{Application: app}, Live: map[string][]children.Object{children.CronJob: {live}}}
		snapshot.Scheduled = map[types.UID]bool{live.UID: running}
		all, err := For(app, snapshot, last)
		if err != nil {
			t.Fatal(err)
		}
		return slices.DeleteFunc(all, func(step Step) bool { return step.Child.Kind != children.CronJob })
	}
	live := cronJob(t, "nightly", false)
	last.MarkInSync(Key{children.CronJob, live.Name}, 1, live)
	first := steps(live, true)
	if len(first) != 1 || first[0].Deletes() || first[0].RepairsDrift {
		t.Fatalf("steps %+v, want that it is suspended", first)
	}
	config := first[0].Config.ApplyConfiguration.(*batchv1ac.CronJobApplyConfiguration)
	if !*config.Spec.Suspend || *config.Spec.Schedule != "@daily" {
		t.Errorf("it is not suspended and else left as it is: %+v", config.Spec)
	}
	last.Wrote(first[0].Key(), first[0].Hash, live)
	suspended := cronJob(t, "nightly", true)
	if again := steps(suspended, true); len(again) > 0 {
		t.Errorf("steps %+v while its Job runs", again)
	}
	suspended.Status.Active = []corev1.ObjectReference{{UID: "about-to-be-seen"}}
	if again := steps(suspended, false); len(again) > 0 {
		t.Errorf("steps %+v while its controller counts a Job", again)
	}
	suspended.Status.Active = nil
	if again := steps(suspended, false); len(again) != 1 || !again[0].Deletes() || again[0].RepairsDrift {
		t.Errorf("steps %+v, want that it is deleted", again)
	}
}

// TestWhatTheSpecLetsGoRepairsNothing holds that an object which goes later than it was desired, or which a new process finds, is not taken
// for one that somebody has created.
func TestWhatTheSpecLetsGoRepairsNothing(t *testing.T) {
	app, last := application(), LastApplied{}
	snapshot := &Snapshot{Inputs: resources.Inputs{Application: app}, Live: map[string][]children.Object{
		children.Service: {owned("web")}, resources.KindConfigMap: {owned("web-etc")}, children.ControllerRevision: {owned("web-0123456789")},
	}}
	deletions := func() map[string]bool {
		t.Helper()
		repairs := map[string]bool{}
		steps, err := For(app, snapshot, last)
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range steps {
			if step.Deletes() {
				repairs[step.Child.Kind] = step.RepairsDrift
				continue
			}
			live := owned(step.Name) // as if it had been applied
			snapshot.Live[step.Child.Kind] = []children.Object{live}
			last.Wrote(step.Key(), step.Hash, live)
		}
		return repairs
	}
	last.TakeStock(app, snapshot)
	want := map[string]bool{children.Service: false, children.ControllerRevision: false}
	if diff := cmp.Diff(want, deletions()); diff != "" {
		t.Errorf("a new process, while pods need the ConfigMap (-want +got):\n%s", diff)
	}
	snapshot.PodsUpdated = true
	want[resources.KindConfigMap] = false
	if diff := cmp.Diff(want, deletions()); diff != "" {
		t.Errorf("when no pod needs the ConfigMap (-want +got):\n%s", diff)
	}
	for kind := range want { // they are gone, and somebody creates them
		last.Clear(Key{kind, snapshot.Live[kind][0].GetName()})
	}
	last.TakeStock(app, snapshot)
	want[children.Service], want[resources.KindConfigMap] = true, true
	if diff := cmp.Diff(want, deletions()); diff != "" {
		t.Errorf("when they come back (-want +got):\n%s", diff)
	}
}

// TestRunsAreHeldBackAsPodsAre holds that a CronJob is left as it is while its pods would run as somebody else's ServiceAccount,
// also where the Application has no pods itself, and that one that is to run nothing is not.
func TestRunsAreHeldBackAsPodsAre(t *testing.T) {
	app := application()
	app.Spec.Replicas = new(int32(0))
	app.Spec.Schedules = []v1.Schedule{{Name: "nightly", Schedule: "@daily"}}
	theirs := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "apps"}}
	snapshot := &Snapshot{
		Inputs: resources.Inputs{Application: app}, PodsUpdated: true, Live: map[string][]children.Object{
			"ServiceAccount": {theirs}, children.CronJob: {cronJob(t, "removed", true)},
		},
	}
	kinds := func() []string {
		steps, err := For(app, snapshot, LastApplied{})
		if err == nil {
			t.Error("the ServiceAccount is not missed")
		}
		var all []string
		for _, step := range steps {
			all = append(all, fmt.Sprintf("%s %s deletes:%t", step.Child.Kind, step.Name, step.Deletes()))
		}
		return all
	}
	want := []string{"Deployment web deletes:false", "CronJob web-removed deletes:true"}
	if diff := cmp.Diff(want, kinds()); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	app.Spec.Suspend = true
	want = slices.Insert(want, 1, "CronJob web-nightly deletes:false")
	if diff := cmp.Diff(want, kinds()); diff != "" {
		t.Errorf("steps while suspended (-want +got):\n%s", diff)
	}
}

// TestWhatIsGivenIsTakenInTurn holds what each kind that can be taken over waits for, and that the consent is looked at again.
func TestWhatIsGivenIsTakenInTurn(t *testing.T) {
	app := application()
	app.Spec.Port, app.Spec.Replicas = new(int32(8080)), new(int32(2))
	app.Spec.Ingress = &v1.IngressSpec{Host: "web.example.com"}
	app.Spec.HTTPRoute = &v1.HTTPRouteSpec{ParentRefs: []v1.ParentReference{{Name: "public"}}}
	app.Spec.NetworkPolicy, app.Spec.Monitoring = &v1.NetworkPolicySpec{}, &v1.MonitoringSpec{}
	app.Spec.Autoscaling = &v1.AutoscalingSpec{MinReplicas: new(int32(2)), MaxReplicas: 3}
	early := []string{"ServiceAccount", "NetworkPolicy"}
	withPods := append(slices.Clone(early), "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget")
	for name, test := range map[string]struct {
		available, service bool
		to                 string
		want               []string
	}{
		"no pods":                    {false, false, app.Name, early},
		"pods":                       {true, false, app.Name, withPods},
		"pods, and the Service":      {true, true, app.Name, append(slices.Clone(withPods), "Ingress", "HTTPRoute", "ServiceMonitor")},
		"given to another":           {true, true, "another", nil},
		"given by what is no name":   {true, true, "Web", nil},
		"the Service, but not pods":  {false, true, app.Name, early},
		"to the Application's label": {true, true, "", nil},
	} {
		snapshot := &Snapshot{
			Inputs: resources.Inputs{Application: app}, PodsUpdated: true, PodsAvailable: test.available, Live: map[string][]children.Object{},
		}
		for i := range children.Table {
			child := &children.Table[i]
			if child.Kind == children.Deployment || child.Many && child.Kind != "NetworkPolicy" || child.Kind == children.Service && test.service {
				continue
			}
			live := child.New()
			live.SetName(app.Name)
			live.SetUID("theirs")
			live.SetLabels(map[string]string{v1.AnnotationAdopt: app.Name})
			live.SetAnnotations(map[string]string{v1.AnnotationAdopt: test.to})
			snapshot.Live[child.Kind] = []children.Object{live}
		}
		if test.service {
			service := &corev1.Service{ObjectMeta: owned(app.Name).ObjectMeta}
			snapshot.Live[children.Service] = []children.Object{service}
		}
		steps, _ := For(app, snapshot, LastApplied{})
		var got []string
		for _, step := range steps {
			if step.Adopt == nil {
				continue
			}
			got = append(got, step.Child.Kind)
			if config, err := step.Adopt(step.Live); err != nil || config.Name != app.Name {
				t.Errorf("%s: %s is to be %v, %v", name, step.Child.Kind, config, err)
			}
			taken := step.Live.DeepCopyObject().(children.Object)
			taken.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "Deployment", Name: "d", Controller: new(true)}})
			if _, err := step.Adopt(taken); err == nil {
				t.Errorf("%s: %s is taken from what controls it", name, step.Child.Kind)
			}
		}
		slices.Sort(got)
		want := slices.DeleteFunc(slices.Clone(test.want), func(kind string) bool { return kind == children.Service && test.service })
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: adopted (-want +got):\n%s", name, diff)
		}
	}
}

// TestAllThatIsInTheWayIsNamed holds that a person hears of each object that is to be given or removed, and not of one after the other.
func TestAllThatIsInTheWayIsNamed(t *testing.T) {
	app := application()
	app.Spec.Port = new(int32(8080))
	app.Spec.Ingress = &v1.IngressSpec{Host: "web.example.com"}
	live := map[string][]children.Object{}
	for _, kind := range []string{"ServiceAccount", children.Service, children.Ingress} {
		object := children.Of(kind).New()
		object.SetName(app.Name)
		live[kind] = []children.Object{object}
	}
	_, err := For(app, &Snapshot{Inputs: resources.Inputs{Application: app}, PodsUpdated: true, Live: live}, LastApplied{})
	told, ok := errors.AsType[*outcome.Invalid](outcome.MostSevere(err))
	if !ok || !strings.HasPrefix(told.Message, "ServiceAccount web exists") ||
		!strings.HasSuffix(told.Message, "; in the way is also Service web; in the way is also Ingress web") {
		t.Errorf("told is %v", told)
	}
}
