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

package cluster

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/utils/lru"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/randfill"
	"sigs.k8s.io/yaml"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/resources"
	"github.com/example/app-operator/internal/status"
)

// ownedBy returns a controller's reference.
func ownedBy(apiVersion, kind, name string) []metav1.OwnerReference {
	return []metav1.OwnerReference{{
		APIVersion: apiVersion, Kind: kind, Name: name, UID: "owner", Controller: new(true), BlockOwnerDeletion: new(true),
	}}
}

var ofMyApp = ownedBy("apps.example.com/v1", "Application", "my-app")

func TestOfAnApplication(t *testing.T) {
	notController := ownedBy("apps.example.com/v1", "Application", "my-app")
	notController[0].Controller = nil
	tests := []struct {
		name   string
		owners []metav1.OwnerReference
		want   bool
	}{
		{name: "an Application controls it", owners: ofMyApp, want: true},
		{name: "an Application of another version controls it", owners: ownedBy("apps.example.com/v2", "Application", "my-app"), want: true},
		{name: "an Application of another name controls it", owners: ownedBy("apps.example.com/v1", "Application", "other"), want: true},
		{name: "nobody owns it", owners: nil},
		{name: "an Application owns it, and does not control it", owners: notController},
		{name: "another kind of our group controls it", owners: ownedBy("apps.example.com/v1", "Database", "my-app")},
		{name: "an Application of another group controls it", owners: ownedBy("app.k8s.io/v1beta1", "Application", "my-app")},
		{name: "a core object controls it", owners: ownedBy("v1", "Application", "my-app")},
		{name: "its controller's version is malformed", owners: ownedBy("apps.example.com/v1/x", "Application", "my-app")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := (children.ControllingApplication(&corev1.Service{ObjectMeta: metav1.ObjectMeta{OwnerReferences: test.owners}}) != ""); got != test.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

// fullMeta returns metadata with something in every field that matters here.
func fullMeta(owners []metav1.OwnerReference) metav1.ObjectMeta {
	fields := func(text string) *metav1.FieldsV1 {
		fields := &metav1.FieldsV1{}
		fields.SetRawString(text)
		return fields
	}
	created := metav1.NewTime(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC))
	deleted := metav1.NewTime(time.Date(2026, 5, 2, 12, 0, 0, 0, time.UTC))
	return metav1.ObjectMeta{
		Name: "my-app", Namespace: "shop", UID: "uid", ResourceVersion: "42", Generation: 7,
		CreationTimestamp: created, DeletionTimestamp: &deleted, DeletionGracePeriodSeconds: new(int64(30)),
		Labels:          map[string]string{"team": "shop", resources.LabelInstance: "my-app"},
		Annotations:     map[string]string{"note": "long", "ours": "1", RevisionAnnotation: "3"},
		OwnerReferences: owners, Finalizers: []string{"example.com/hold"},
		ManagedFields: []metav1.ManagedFieldsEntry{
			{Manager: "kubectl", Operation: metav1.ManagedFieldsOperationApply, FieldsV1: fields(`{"f:a":{}}`)},
			{Manager: children.FieldOwner, Operation: metav1.ManagedFieldsOperationUpdate, FieldsV1: fields(`{"f:b":{}}`)},
			{Manager: children.FieldOwner, Operation: metav1.ManagedFieldsOperationApply, FieldsV1: fields(
				`{"f:metadata":{"f:annotations":{"f:ours":{}},"f:labels":{"f:app.kubernetes.io/instance":{}}}}`)},
			{Manager: "kube-controller-manager", Operation: metav1.ManagedFieldsOperationUpdate, Subresource: "status"},
		},
	}
}

// identity is what must be kept of any object's metadata.
func identity(full metav1.ObjectMeta) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name: full.Name, Namespace: full.Namespace, UID: full.UID, ResourceVersion: full.ResourceVersion,
		CreationTimestamp: full.CreationTimestamp, DeletionTimestamp: full.DeletionTimestamp, OwnerReferences: controllers(full),
	}
}

// controllers returns the reference to the controller alone.
func controllers(full metav1.ObjectMeta) []metav1.OwnerReference {
	return slices.DeleteFunc(slices.Clone(full.OwnerReferences), func(by metav1.OwnerReference) bool {
		return by.Controller == nil || !*by.Controller
	})
}

// strip applies a transform twice, as the cache may, and complains when that is not the same as once.
func strip[T client.Object](t *testing.T, transform toolscache.TransformFunc, object T) T {
	t.Helper()
	once, err := transform(object.DeepCopyObject())
	if err != nil {
		t.Fatal(err)
	}
	first := once.(T).DeepCopyObject().(T)
	twice, err := transform(once)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, twice); diff != "" {
		t.Errorf("stripping again changes the object (-once +twice):\n%s", diff)
	}
	return first
}

// TestStripChildKeepsOurs holds that of our own objects all is kept but what other managers own of the metadata.
func TestStripChildKeepsOurs(t *testing.T) {
	for _, child := range children.Table {
		if child.FoundByLabel { // of Jobs less is kept: TestStripJobKeepsHowItEnded
			continue
		}
		t.Run(child.Kind, func(t *testing.T) {
			full := filled(child, ofMyApp)
			if child.Retained {
				full = filled(child, nil)
				full.GetLabels()[resources.LabelApplication] = "my-app"
			}
			want := full.DeepCopyObject().(client.Object)
			want.SetManagedFields(want.GetManagedFields()[1:3])
			want.SetLabels(map[string]string{resources.LabelInstance: "my-app"})
			if child.Retained {
				want.GetLabels()[resources.LabelApplication] = "my-app"
			}
			want.SetAnnotations(map[string]string{"ours": "1", RevisionAnnotation: "3"})
			if child.StripStatus != nil {
				child.StripStatus(want)
			}
			if diff := cmp.Diff(want, strip(t, stripChild, full)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestAStatusThatNobodyReadsWakesNobody is about what others write all the time.
func TestAStatusThatNobodyReadsWakesNobody(t *testing.T) {
	before := &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: fullMeta(ofMyApp)}
	scaled := before.DeepCopy()
	scaled.ResourceVersion = "43"
	scaled.Status.CurrentReplicas = 7
	edited := scaled.DeepCopy()
	edited.Spec.MaxReplicas = 7
	old := strip(t, stripChild, before)
	same := func(other *autoscalingv2.HorizontalPodAutoscaler) bool {
		other.ResourceVersion = old.ResourceVersion
		return equality.Semantic.DeepEqual(old, other)
	}
	if !same(strip(t, stripChild, scaled)) {
		t.Error("a new status is kept")
	}
	if same(strip(t, stripChild, edited)) {
		t.Error("an edit is not kept")
	}
	limited := scaled.DeepCopy()
	limited.Status.LastScaleTime = &metav1.Time{Time: time.Unix(1, 0)}
	limited.Status.Conditions = []autoscalingv2.HorizontalPodAutoscalerCondition{{
		Type: autoscalingv2.ScalingLimited, Status: corev1.ConditionTrue, Reason: "TooFewReplicas",
	}}
	if !same(strip(t, stripChild, limited)) {
		t.Error("another limit than the maximum is kept")
	}
	limited.Status.Conditions[0].Reason = "TooManyReplicas"
	if same(strip(t, stripChild, limited)) {
		t.Error("that the autoscaler is at its maximum is not kept")
	}
}

// TestStripChildForgetsStrangers holds that of others' objects no more is kept than who they are.
func TestStripChildForgetsStrangers(t *testing.T) {
	for name, owners := range map[string][]metav1.OwnerReference{
		"nobody's": nil, "of another controller": ownedBy("app.k8s.io/v1beta1", "Application", "my-app"),
	} {
		for _, child := range children.Table {
			t.Run(child.Kind+", "+name, func(t *testing.T) {
				want := child.New()
				setMeta(want, identity(fullMeta(owners)))
				if diff := cmp.Diff(want, strip(t, stripChild, filled(child, owners))); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
			})
		}
	}
}

// TestStrippedStrangersAreStillStrangers is about what the stripped objects are asked for.
func TestStrippedStrangersAreStillStrangers(t *testing.T) {
	app := &v1.Application{ObjectMeta: metav1.ObjectMeta{Name: "my-app", UID: "owner"}}
	for _, child := range children.Table {
		for _, owners := range [][]metav1.OwnerReference{nil, ofMyApp, ownedBy("v1", "ConfigMap", "my-app")} {
			full := filled(child, owners)
			stripped := strip(t, stripChild, full)
			if children.ControllingApplication(stripped) != children.ControllingApplication(full) || metav1.IsControlledBy(stripped, app) != metav1.IsControlledBy(full, app) {
				t.Errorf("%s: stripping changes whose it is", child.Kind)
			}
		}
	}
}

// filled returns an object of the child's kind with something in every field.
func filled(child children.Child, owners []metav1.OwnerReference) client.Object {
	object := child.New()
	if child.MetadataOnly {
		setMeta(object, fullMeta(owners))
		return object
	}
	if untyped, ok := object.(*unstructured.Unstructured); ok {
		untyped.Object["spec"] = map[string]any{"selector": map[string]any{"matchLabels": map[string]any{"a": "b"}}}
		untyped.Object["status"] = map[string]any{"a": "b"}
		setMeta(untyped, fullMeta(owners))
		return untyped
	}
	randfill.NewWithSeed(1).NilChance(0).NumElements(1, 2).MaxDepth(8).Fill(object)
	object.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{}) // as from a typed informer
	setMeta(object, fullMeta(owners))
	return object
}

func setMeta(object client.Object, meta metav1.ObjectMeta) {
	if untyped, ok := object.(*unstructured.Unstructured); ok {
		plain, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&meta)
		if err != nil {
			panic(err)
		}
		untyped.Object["metadata"] = plain
		return
	}
	*object.(metav1.ObjectMetaAccessor).GetObjectMeta().(*metav1.ObjectMeta) = meta
}

func TestStripReplicaSet(t *testing.T) {
	full := &metav1.PartialObjectMetadata{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "ReplicaSet"},
		ObjectMeta: fullMeta(ownedBy("apps/v1", "Deployment", "my-app")),
	}
	want := &metav1.PartialObjectMetadata{TypeMeta: full.TypeMeta, ObjectMeta: identity(full.ObjectMeta)}
	want.Labels = map[string]string{resources.LabelInstance: "my-app"}
	want.Annotations = map[string]string{RevisionAnnotation: "3"}
	if diff := cmp.Diff(want, strip(t, stripReplicaSet, full)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	delete(full.Annotations, RevisionAnnotation)
	want.Annotations = nil
	if diff := cmp.Diff(want, strip(t, stripReplicaSet, full)); diff != "" {
		t.Errorf("without a revision (-want +got):\n%s", diff)
	}
}

// TestStripJobKeepsHowItEnded holds that nothing is stripped that a run is judged by, and that little else is kept: there may be
// several Jobs for each schedule.
func TestStripJobKeepsHowItEnded(t *testing.T) {
	full := func(conditions ...batchv1.JobCondition) *batchv1.Job {
		job := &batchv1.Job{ObjectMeta: fullMeta(ownedBy("batch/v1", "CronJob", "my-app-nightly"))}
		job.Labels = map[string]string{resources.LabelApplication: "my-app", resources.LabelSchedule: "nightly"}
		job.Spec.Template.Spec.Containers = []corev1.Container{{Name: "my-app"}}
		job.Status = batchv1.JobStatus{Failed: 3, Conditions: conditions}
		return job
	}
	ended := metav1.Now()
	condition := func(kind batchv1.JobConditionType) batchv1.JobCondition {
		return batchv1.JobCondition{
			Type: kind, Status: corev1.ConditionTrue, Reason: "Because", Message: "it is so", LastTransitionTime: ended,
		}
	}
	for what, test := range map[string]struct {
		of   []batchv1.JobCondition
		want []batchv1.JobCondition
	}{
		"one that runs":  {[]batchv1.JobCondition{condition(batchv1.JobFailureTarget)}, nil},
		"one that ended": {[]batchv1.JobCondition{condition(batchv1.JobComplete)}, []batchv1.JobCondition{{Type: batchv1.JobComplete, Status: corev1.ConditionTrue}}},
		"one that failed": {
			[]batchv1.JobCondition{condition(batchv1.JobFailureTarget), condition(batchv1.JobFailed)},
			[]batchv1.JobCondition{condition(batchv1.JobFailed)},
		},
	} {
		want := &batchv1.Job{ObjectMeta: identity(full().ObjectMeta), Status: batchv1.JobStatus{Conditions: test.want}}
		want.Labels = map[string]string{resources.LabelApplication: "my-app"}
		if diff := cmp.Diff(want, strip(t, stripObject(), full(test.of...))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	suspended := full()
	suspended.Spec.Suspend = new(true)
	if got := strip(t, stripObject(), suspended); got.Spec.Suspend == nil || !*got.Spec.Suspend {
		t.Error("that a Job may not run is lost")
	}
}

func TestStripPodKeepsWhoseItIs(t *testing.T) {
	full := &corev1.Pod{
		ObjectMeta: fullMeta(ownedBy("apps/v1", "ReplicaSet", "my-app-5d9c7b6f4")),
		Spec: corev1.PodSpec{NodeName: "node", Containers: []corev1.Container{
			{Name: "injected", Ports: []corev1.ContainerPort{{Name: "admin", ContainerPort: 15000, Protocol: corev1.ProtocolTCP}}},
			{Name: "my-app", Image: "nginx", Ports: []corev1.ContainerPort{
				{Name: "http", ContainerPort: 8080, Protocol: corev1.ProtocolTCP}, {Name: "dns", ContainerPort: 53, Protocol: corev1.ProtocolUDP},
			}},
		}},
		Status: corev1.PodStatus{
			Phase: corev1.PodRunning, PodIP: "192.0.2.1", Message: "long",
			Conditions: []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionTrue}},
			ContainerStatuses: []corev1.ContainerStatus{{
				Name: "my-app", Ready: true, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}},
			}},
		},
	}
	want := &corev1.Pod{ObjectMeta: identity(full.ObjectMeta), Status: corev1.PodStatus{Phase: corev1.PodRunning}}
	want.Spec.Containers = []corev1.Container{{Ports: full.Spec.Containers[1].Ports}}
	want.Labels = map[string]string{resources.LabelInstance: "my-app"}
	want.Spec.NodeName = "node" // since it is ending
	if diff := cmp.Diff(want, strip(t, stripPod(lru.New(1)), full), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	full.DeletionTimestamp, want.DeletionTimestamp, want.Spec.NodeName = nil, nil, ""
	if diff := cmp.Diff(want, strip(t, stripPod(lru.New(1)), full), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("a healthy pod (-want +got):\n%s", diff)
	}
}

// TestStripPodKeepsHowItsNodeHasEndedIt holds that of a pod which was evicted or rejected its node's words are kept, and of no other.
func TestStripPodKeepsHowItsNodeHasEndedIt(t *testing.T) {
	for _, phase := range []corev1.PodPhase{corev1.PodPending, corev1.PodRunning, corev1.PodSucceeded, corev1.PodFailed} {
		full := &corev1.Pod{Status: corev1.PodStatus{Phase: phase, Reason: "Evicted", Message: "The node was low on resource: memory."}}
		stripped := strip(t, stripPod(lru.New(1)), full)
		if (stripped.Status.Reason != "") != (phase == corev1.PodFailed) {
			t.Errorf("%s: the reason is %q", phase, stripped.Status.Reason)
		}
		if got, want := status.EndOfPod(stripped), status.EndOfPod(full); got != want {
			t.Errorf("%s: %q, want %q", phase, got, want)
		}
		if got, want := status.LastWordsOf([]corev1.Pod{*stripped}), status.LastWordsOf([]corev1.Pod{*full}); got != want {
			t.Errorf("%s: the last words are %q, want %q", phase, got, want)
		}
	}
}

// TestPodsShareTheirPorts holds that what is cached of a pod does not grow by its ports.
func TestPodsShareTheirPorts(t *testing.T) {
	pod := func(name string, ports ...corev1.ContainerPort) *corev1.Pod {
		return &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: resources.Labels("my-app")},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "my-app", Ports: ports}}},
		}
	}
	stripped := func(transform toolscache.TransformFunc, pod *corev1.Pod) []corev1.Container {
		object, err := transform(pod)
		if err != nil {
			t.Fatal(err)
		}
		return object.(*corev1.Pod).Spec.Containers
	}
	transform := stripPod(lru.New(2))
	http := corev1.ContainerPort{Name: "http", ContainerPort: 8080, Protocol: corev1.ProtocolTCP}
	one, other := stripped(transform, pod("a", http)), stripped(transform, pod("b", http))
	if &one[0] != &other[0] {
		t.Error("two pods with the same ports have a list each")
	}
	if diff := cmp.Diff([]corev1.Container{{Ports: []corev1.ContainerPort{http}}}, one); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if ports := stripped(transform, pod("c")); ports != nil {
		t.Errorf("a pod without ports keeps %v", ports)
	}
	if ports := stripped(transform, pod("d", slices.Repeat([]corev1.ContainerPort{http}, maxPodPorts+1)...)); ports != nil {
		t.Errorf("a pod with more ports than an Application can have keeps %d", len(ports[0].Ports))
	}
}

// TestStripPodKeepsItsFault holds, for the pods that status judges, that nothing is stripped that it judges by.
func TestStripPodKeepsItsFault(t *testing.T) {
	paths, err := filepath.Glob("../status/testdata/pods/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no pods: %v", err)
	}
	faults := 0
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		pod := &corev1.Pod{}
		if err := yaml.UnmarshalStrict(data, pod); err != nil {
			t.Fatal(err)
		}
		if status.FaultOf(pod, metav1.Now()) != nil {
			faults++
		}
		if diff := cmp.Diff(status.FaultOf(pod, metav1.Now()), status.FaultOf(strip(t, stripPod(lru.New(1)), pod), metav1.Now())); diff != "" {
			t.Errorf("%s (-full +stripped):\n%s", filepath.Base(path), diff)
		}
		if diff := cmp.Diff(status.UnreadyOf(pod), status.UnreadyOf(strip(t, stripPod(lru.New(1)), pod))); diff != "" {
			t.Errorf("%s, unready (-full +stripped):\n%s", filepath.Base(path), diff)
		}
	}
	if faults < 10 {
		t.Errorf("only %d of the pods have a fault", faults)
	}
}

// TestStripPodKeepsAnyPodsFault is the same for pods that were made at random.
func TestStripPodKeepsAnyPodsFault(t *testing.T) {
	fill := randfill.NewWithSeed(1).NilChance(0.4).NumElements(0, 3).Funcs(
		func(state *corev1.ContainerStateWaiting, c randfill.Continue) {
			reasons := []string{"ErrImagePull", "CrashLoopBackOff", "RunContainerError", "CreateContainerConfigError", "ContainerCreating"}
			*state = corev1.ContainerStateWaiting{Reason: reasons[c.Intn(len(reasons))], Message: c.String(20)}
		},
		func(condition *corev1.PodCondition, c randfill.Continue) {
			types := []corev1.PodConditionType{corev1.PodScheduled, corev1.PodReady}
			*condition = corev1.PodCondition{
				Type: types[c.Intn(len(types))], Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable, Message: c.String(20),
			}
		},
		func(phase *corev1.PodPhase, c randfill.Continue) {
			phases := []corev1.PodPhase{corev1.PodPending, corev1.PodRunning, corev1.PodRunning, corev1.PodFailed, corev1.PodSucceeded}
			*phase = phases[c.Intn(len(phases))]
		},
		// Most pods live.
		func(meta *metav1.ObjectMeta, c randfill.Continue) {
			c.FillNoCustom(meta)
			if c.Intn(4) > 0 {
				meta.DeletionTimestamp = nil
			}
		},
		// A pod's spec is never judged, and takes long to fill.
		func(*corev1.PodSpec, randfill.Continue) {},
	)
	seen := map[string]int{}
	for range 500 {
		pod := &corev1.Pod{}
		fill.Fill(pod)
		full := status.FaultOf(pod, metav1.Now())
		if diff := cmp.Diff(full, status.FaultOf(strip(t, stripPod(lru.New(1)), pod), metav1.Now())); diff != "" {
			t.Fatalf("-full +stripped:\n%s", diff)
		}
		if diff := cmp.Diff(status.UnreadyOf(pod), status.UnreadyOf(strip(t, stripPod(lru.New(1)), pod))); diff != "" {
			t.Fatalf("unready (-full +stripped):\n%s", diff)
		}
		if full == nil {
			full = &status.PodFault{Reason: "none"}
		}
		seen[full.Reason]++
	}
	if len(seen) < 5 {
		t.Errorf("too few kinds of faults: %v", seen)
	}
}

// TestTransformsLetOthersPass holds that an informer's note of an object whose end it missed goes through.
func TestTransformsLetOthersPass(t *testing.T) {
	for name, transform := range map[string]toolscache.TransformFunc{
		"child": stripChild, "ReplicaSet": stripReplicaSet, "pod": stripPod(lru.New(1)),
	} {
		t.Run(name, func(t *testing.T) {
			want := toolscache.DeletedFinalStateUnknown{Key: "shop/my-app", Obj: &corev1.Pod{}}
			got, err := transform(want)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(any(want), got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestCacheOptions(t *testing.T) {
	all := CacheOptions(nil, nil)
	if all.DefaultNamespaces != nil {
		t.Errorf("without namespaces, the cache is limited to %v", all.DefaultNamespaces)
	}
	some := CacheOptions([]string{"a", "b"}, nil)
	if diff := cmp.Diff([]string{"a", "b"}, slices.Sorted(maps.Keys(some.DefaultNamespaces))); diff != "" {
		t.Errorf("namespaces (-want +got):\n%s", diff)
	}
	if !all.ReaderFailOnMissingInformer {
		t.Error("a read of a kind that is not watched would start a watch")
	}
	pods := labels.Set(resources.Labels("my-app"))
	strangers := labels.Set{"app.kubernetes.io/managed-by": "helm"}
	for _, kind := range []client.Object{&corev1.Pod{}, &appsv1.ReplicaSet{}} {
		by := byType(t, all, kind)
		if by.Label == nil || !by.Label.Matches(pods) || by.Label.Matches(strangers) {
			t.Errorf("%T: cached by %v", kind, by.Label)
		}
	}
	for _, kind := range []client.Object{&batchv1.Job{}, &appsv1.ControllerRevision{}} {
		by := byType(t, all, kind)
		if by.Label == nil || !by.Label.Matches(labels.Set{resources.LabelApplication: "my-app"}) || by.Label.Matches(pods) {
			t.Errorf("%T: cached by %v", kind, by.Label)
		}
	}
	for _, child := range children.Table { // naming a kind that is not served would keep the manager from starting
		for object := range all.ByObject {
			if child.FoundByLabel {
				continue // nobody else gives an object such a name
			}
			if reflect.TypeOf(object) == reflect.TypeOf(child.Object) {
				t.Errorf("%s is named: strangers' objects must be seen as well", child.Kind)
			}
		}
	}
	if all.DefaultTransform == nil || all.NewInformer == nil {
		t.Error("objects are cached whole")
	}
}

func TestStripObject(t *testing.T) {
	for _, child := range children.Table {
		if !child.Optional() {
			continue
		}
		ours, theirs := child.New(), child.New()
		for object, owners := range map[client.Object][]metav1.OwnerReference{ours: ofMyApp, theirs: nil} {
			setMeta(object, fullMeta(owners))
		}
		if kept := strip(t, stripObject(), ours); len(kept.GetManagedFields()) != 2 || kept.GetLabels()[resources.LabelInstance] != "my-app" {
			t.Errorf("%s: of an Application's child, our managed fields and all that is ours must be kept", child.Kind)
		}
		if kept := strip(t, stripObject(), theirs); kept.GetLabels() != nil || kept.GetName() != "my-app" {
			t.Errorf("%s: of a stranger's object, the identity must be kept", child.Kind)
		}
	}
}

func TestStripReferenced(t *testing.T) {
	secret := ReferencedKind(resources.KindSecret).(*metav1.PartialObjectMetadata)
	secret.ObjectMeta = fullMeta(ofMyApp)
	want := &metav1.PartialObjectMetadata{
		TypeMeta:   secret.TypeMeta,
		ObjectMeta: metav1.ObjectMeta{Name: "my-app", Namespace: "shop", UID: "uid", ResourceVersion: "42"},
	}
	if diff := cmp.Diff(want, strip(t, stripReferenced, secret)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// byType returns how a kind is cached.
func byType(t *testing.T, options cache.Options, kind client.Object) cache.ByObject {
	t.Helper()
	for object, by := range options.ByObject {
		if reflect.TypeOf(object) == reflect.TypeOf(kind) {
			return by
		}
	}
	t.Fatalf("%T is not in the cache's options", kind)
	return cache.ByObject{}
}

// TestOfStrangersTheConsentIsKept holds that it is, of what can be taken over, and that nobody can put anything else into the cache
// by way of it.
func TestOfStrangersTheConsentIsKept(t *testing.T) {
	meta := func(value string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Name: "web", UID: "1", Annotations: map[string]string{v1.AnnotationAdopt: value, "other": "long"}}
	}
	configMap := func(value string) *metav1.PartialObjectMetadata {
		object := MetadataOf(corev1.SchemeGroupVersion.WithKind(resources.KindConfigMap))
		object.ObjectMeta = meta(value)
		return object
	}
	kept := map[string]string{v1.AnnotationAdopt: "web"}
	for what, test := range map[string]struct {
		in   children.Object
		want map[string]string
	}{
		"a Service":                     {&corev1.Service{ObjectMeta: meta("web")}, kept},
		"a claim":                       {&corev1.PersistentVolumeClaim{ObjectMeta: meta("web")}, kept},
		"a ConfigMap":                   {configMap("web"), kept},
		"a ConfigMap, by no name":       {configMap("Web!"), nil},
		"a Service, by no name":         {&corev1.Service{ObjectMeta: meta("../web")}, nil},
		"a Service, by a very long one": {&corev1.Service{ObjectMeta: meta(strings.Repeat("a", 64))}, nil},
		"a Deployment":                  {&appsv1.Deployment{ObjectMeta: meta("web")}, nil},
	} {
		out, err := stripObject()(test.in)
		if err != nil {
			t.Fatal(err)
		}
		if got := out.(children.Object).GetAnnotations(); !equality.Semantic.DeepEqual(got, test.want) {
			t.Errorf("%s: %v, want %v", what, got, test.want)
		}
	}
}

// TestMarksAreKept holds that the cache knows whose an object is that has no owner, whoever has written that on it, and nothing of a mark
// that means nothing.
func TestMarksAreKept(t *testing.T) {
	app := &v1.Application{ObjectMeta: metav1.ObjectMeta{Name: "my-app", UID: "1"}}
	for what, test := range map[string]struct {
		mark string
		owns bool
		want map[string]string
	}{
		"its own": {"my-app/1", true, map[string]string{
			v1.AnnotationOwner: "my-app/1", v1.AnnotationAdopt: "my-app", "ours": "1", RevisionAnnotation: "3",
		}},
		"an earlier one's": {"my-app/0", false, map[string]string{
			v1.AnnotationOwner: "my-app/0", v1.AnnotationAdopt: "my-app", "ours": "1", RevisionAnnotation: "3",
		}},
		"another's": {"other/1", false, map[string]string{v1.AnnotationAdopt: "my-app"}},
		"too long":  {"my-app/" + strings.Repeat("1", 37), false, map[string]string{v1.AnnotationAdopt: "my-app"}},
	} {
		for kind, object := range map[string]children.Object{
			children.Service:        &corev1.Service{},
			resources.KindConfigMap: MetadataOf(corev1.SchemeGroupVersion.WithKind(resources.KindConfigMap)),
		} {
			full := fullMeta(nil)
			full.Annotations[v1.AnnotationOwner], full.Annotations[v1.AnnotationAdopt] = test.mark, "my-app"
			setMeta(object, full)
			kept := strip(t, stripObject(), object)
			if diff := cmp.Diff(test.want, kept.GetAnnotations()); diff != "" {
				t.Errorf("%s of %s (-want +got):\n%s", kind, what, diff)
			}
			if got := children.Of(kind).Owns(app, kept); got != test.owns {
				t.Errorf("%s of %s is the Application's: %t", kind, what, got)
			}
		}
	}
}

// TestPodsShareTheirLabel holds that the label of an Application's pods is in memory once.
func TestPodsShareTheirLabel(t *testing.T) {
	transform := stripPod(lru.New(1))
	of := func(app string) map[string]string {
		stripped, err := transform(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{
			Name: app, Labels: map[string]string{resources.LabelInstance: app, "other": app},
		}})
		if err != nil {
			t.Fatal(err)
		}
		return stripped.(*corev1.Pod).Labels
	}
	if one, other := reflect.ValueOf(of("web")), reflect.ValueOf(of("web")); one.Pointer() != other.Pointer() {
		t.Error("two pods of one Application have a map each")
	}
	if got := of("shop"); !reflect.DeepEqual(got, map[string]string{resources.LabelInstance: "shop"}) {
		t.Errorf("another Application's pod has %v", got)
	}
}
