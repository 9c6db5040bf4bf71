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

package takeover

import (
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/children"
	"github.com/example/app-operator/internal/resources"
)

// facts returns those of a move that nothing has been done of.
func facts(edits ...func(*Facts)) *Facts {
	old := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "web", UID: "old"}}
	old.Spec.Replicas = new(int32(2))
	old.Status = appsv1.DeploymentStatus{Replicas: 2, UpdatedReplicas: 2, ReadyReplicas: 2, AvailableReplicas: 2}
	set := appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Name: "web-1", OwnerReferences: []metav1.OwnerReference{{UID: "old"}}}}
	set.Status = appsv1.ReplicaSetStatus{Replicas: 2, ReadyReplicas: 2}
	f := &Facts{
		Namespace: "shop", Deployment: "web", Application: "web", Old: old, Sets: []appsv1.ReplicaSet{set},
		Objects: []Object{
			object("ServiceAccount", "", children.AdoptAtOnce), object("NetworkPolicy", "networking.k8s.io", children.AdoptAtOnce),
			object("Service", "", children.AdoptWithPods), object("Ingress", "networking.k8s.io", children.AdoptWithService),
		},
	}
	for _, edit := range edits {
		edit(f)
	}
	return f
}

func object(kind, group string, when children.Adoption) Object {
	return Object{Kind: schema.GroupVersionKind{Group: group, Version: "v1", Kind: kind}, Name: "web", Adoption: when, Nobodys: true}
}

// What has been done of a move.
func created(f *Facts) {
	f.App = &v1.Application{ObjectMeta: metav1.ObjectMeta{Name: "web", Generation: 1, Annotations: map[string]string{AnnotationFrom: "web/old"}}}
	f.App.Status.ObservedGeneration = 1
	says(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonChildConflict)(f)
	says(v1.ConditionProgressing, metav1.ConditionFalse, v1.ReasonChildConflict)(f)
}

func says(kind string, status metav1.ConditionStatus, reason string) func(*Facts) {
	return func(f *Facts) {
		f.App.Status.Conditions = slices.DeleteFunc(f.App.Status.Conditions, func(c metav1.Condition) bool { return c.Type == kind })
		f.App.Status.Conditions = append(f.App.Status.Conditions, metav1.Condition{Type: kind, Status: status, Reason: reason, Message: "it says so"})
	}
}

func copied(f *Facts) { f.Copies = []string{"web-before-take-over"} }

func took(which ...string) func(*Facts) {
	return func(f *Facts) {
		for i := range f.Objects {
			if slices.Contains(which, f.Objects[i].Kind.Kind) {
				f.Objects[i].Owned, f.Objects[i].Nobodys, f.Objects[i].Remembered, f.Objects[i].Consent = true, false, true, "web"
			}
		}
	}
}

func gave(kind string) func(*Facts) {
	return func(f *Facts) {
		for i := range f.Objects {
			if f.Objects[i].Kind.Kind == kind {
				f.Objects[i].Remembered, f.Objects[i].Consent = true, "web"
			}
		}
	}
}

func letGo(f *Facts) {
	f.Old = nil
	f.Sets[0].OwnerReferences, f.Sets[0].Annotations = nil, map[string]string{AnnotationBefore: "{}"}
}

func available(f *Facts) { f.PodsAvailable = true }

func ready(f *Facts) { says(v1.ConditionReady, metav1.ConditionTrue, v1.ReasonRolloutComplete)(f) }

func renamed(f *Facts) {
	f.Application = "front"
	if f.App != nil {
		f.App.Name = "front"
	}
}

func pausedApp(f *Facts) { f.App.Spec.Paused = true }

func removed(f *Facts) { f.Old, f.Sets, f.Copies = nil, nil, nil }

var (
	first = took("ServiceAccount", "NetworkPolicy")
	all   = took("ServiceAccount", "NetworkPolicy", "Service", "Ingress")
)

// done are the edits of a move, one after the other.
var done = []func(*Facts){created, copied, first, letGo, available, all, ready}

func TestTheNextStepFollowsFromWhatThereIs(t *testing.T) {
	for name, each := range map[string]struct {
		facts       *Facts
		next, after Kind
	}{
		"nothing":               {facts(), Create, ""},
		"created":               {facts(done[:1]...), Protect, Delete},
		"not looked at":         {facts(created, func(f *Facts) { f.App.Generation = 2 }), Create, Delete},
		"there before, by hand": {facts(created, func(f *Facts) { f.App.Annotations = nil }), Create, Delete},
		"copied":                {facts(done[:2]...), GiveFirst, Delete},
		"given, and not taken":  {facts(created, copied, gave("ServiceAccount")), GiveFirst, TakeBack},
		"given first":           {facts(done[:3]...), LetGo, Pause},
		"let go":                {facts(done[:4]...), Await, Pause},
		"available":             {facts(done[:5]...), Give, Pause},
		"a Service is switched": {facts(created, copied, first, letGo, available, took("Service"), gave("Ingress")), Give, Pause},
		"all given, not ready":  {facts(done[:6]...), Give, Pause},
		"switched":              {facts(done...), Remove, Pause},
		"removed, remembered":   {facts(append(slices.Clone(done), removed)...), Remove, Pause},
		"other names, given":    {facts(created, copied, first, renamed), Await, Pause},
		"other names, switched": {facts(created, copied, all, available, ready, renamed), Remove, Pause},
		"paused on the way":     {facts(append(slices.Clone(done), pausedApp)...), Create, Restore},
		"given back":            {facts(created, letGo, copied, pausedApp), Create, Delete},
		"deleted":               {facts(letGo, copied), Create, Recreate},
		"recreated":             {facts(copied, func(f *Facts) { f.Sets[0].Annotations = map[string]string{AnnotationBefore: "{}"} }), Create, Tidy},
	} {
		t.Run(name, func(t *testing.T) {
			if next := kindOf(Next(Forward(each.facts))); next != each.next {
				t.Errorf("the next step is %q, want %q", next, each.next)
			}
			if next := kindOf(Next(Backward(each.facts))); next != each.after {
				t.Errorf("the next step back is %q, want %q", next, each.after)
			}
		})
	}
}

func kindOf(step *Step) Kind {
	if step == nil {
		return ""
	}
	return step.Kind
}

// TestNothingIsSwitchedBeforePodsAreAvailable holds it for all that can be done before.
func TestNothingIsSwitchedBeforePodsAreAvailable(t *testing.T) {
	for i := range done[:5] {
		for _, edit := range []func(*Facts){func(*Facts) {}, renamed} {
			f := facts(append(slices.Clone(done[:i]), edit)...)
			if next := kindOf(Next(Forward(f))); next == Give || next == Remove {
				t.Errorf("after %d steps: %s", i, next)
			}
		}
	}
}

func TestAMoveIsRefused(t *testing.T) {
	for name, each := range map[string]struct {
		facts *Facts
		want  string
	}{
		"nothing against it": {facts(), ""},
		"Recreate":           {facts(func(f *Facts) { f.Old.Spec.Strategy.Type = appsv1.RecreateDeploymentStrategyType }), "strategy Recreate"},
		"not rolled out":     {facts(func(f *Facts) { f.Old.Status.UpdatedReplicas = 1 }), "not rolled out"},
		"not any more":       {facts(created, func(f *Facts) { f.Old.Status.UpdatedReplicas = 1 }), ""},
		"owned":              {facts(func(f *Facts) { f.Old.OwnerReferences = []metav1.OwnerReference{{Kind: "Shop", Name: "s"}} }), "belongs to Shop s"},
		"no pods":            {facts(func(f *Facts) { f.Suspended = true }), "wants no pods"},
		"somebody else's":    {facts(func(f *Facts) { f.Objects[2].Nobodys = false }), "Service web has a name that the Application needs, and is somebody else's"},
		"no adoption":        {facts(func(f *Facts) { f.Objects[2] = object("CronJob", "batch", 0) }), "a CronJob cannot be taken over"},
		"given to another":   {facts(func(f *Facts) { f.Objects[2].Consent = "other" }), "Service web is given to Application other"},
		"being deleted":      {facts(func(f *Facts) { f.Objects[2].Deleted = true }), "Service web is being deleted"},
		"astray":             {facts(func(f *Facts) { f.Astray = []string{"Service x"} }), "Service x"},
		"another's":          {facts(created, func(f *Facts) { f.App.Annotations[AnnotationFrom] = "api/u" }), "takes over Deployment api"},
		"another one since":  {facts(created, func(f *Facts) { f.Old.UID = "new" }), "has taken over another Deployment"},
		"Orphan":             {facts(created, orphaning), "set spec.deletionPolicy to Delete until the move is over"},
		"Orphan, on the way": {facts(created, copied, first, letGo, orphaning), "deletionPolicy Orphan"},
		"app being deleted":  {facts(created, func(f *Facts) { f.App.DeletionTimestamp = &metav1.Time{} }), "is being deleted"},
	} {
		t.Run(name, func(t *testing.T) { holds(t, Refuse(each.facts), each.want) })
	}
}

func TestTheWayBackIsRefused(t *testing.T) {
	for name, each := range map[string]struct {
		facts *Facts
		want  string
	}{
		"nothing done":      {facts(), "nothing to undo"},
		"switched":          {facts(done...), ""},
		"not ours":          {facts(created, func(f *Facts) { f.App.Annotations = nil }), "was not made by --take-over"},
		"removed":           {facts(append(slices.Clone(done), removed)...), "cannot be undone"},
		"being removed":     {facts(append(slices.Clone(done), ending)...), "cannot be undone"},
		"by hand":           {facts(append(slices.Clone(done), func(f *Facts) { f.Objects[2].Remembered = false })...), "Service web was given to the Application by hand"},
		"Orphan":            {facts(append(slices.Clone(done), orphaning)...), "deletionPolicy Orphan"},
		"nobody serves":     {facts(append(slices.Clone(done), func(f *Facts) { f.Sets[0].Status.ReadyReplicas = 0 })...), "none of the old pods is ready"},
		"nothing to switch": {facts(created, copied, first, letGo, func(f *Facts) { f.Sets[0].Status.ReadyReplicas = 0 }), ""},
		"half of it done":   {facts(letGo, copied), ""},
	} {
		t.Run(name, func(t *testing.T) { holds(t, RefuseBack(each.facts), each.want) })
	}
}

func orphaning(f *Facts) { f.App.Spec.DeletionPolicy = v1.DeletionPolicyOrphan }

func ending(f *Facts) {
	f.Sets[0].DeletionTimestamp, f.Sets[0].Finalizers = &metav1.Time{}, []string{metav1.FinalizerDeleteDependents}
}

func holds(t *testing.T, err error, want string) {
	t.Helper()
	if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
		t.Errorf("got %v, want %q", err, want)
	}
}

func TestStuck(t *testing.T) {
	missing := []func(*Facts){
		created, letGo, says(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonReferenceMissing),
	}
	if got := Stuck(facts(missing...)); got != "ReferenceMissing: it says so" {
		t.Error(got)
	}
	for name, f := range map[string]*Facts{
		"a conflict is on the way": facts(created),
		"it is on its way":         facts(append(missing, says(v1.ConditionProgressing, metav1.ConditionTrue, v1.ReasonRollingOut))...),
		"its pods are available":   facts(append(missing, available)...),
		"nobody has looked":        facts(append(missing, func(f *Facts) { f.App.Generation = 2 })...),
	} {
		if got := Stuck(f); got != "" {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestRightsAreThoseOfTheStepsThatAreLeft(t *testing.T) {
	words := func(f *Facts, steps []Step) []string {
		var all []string
		for _, right := range Rights(f, steps) {
			all = append(all, right.Verb+" "+right.Resource)
		}
		return all
	}
	f := facts(done...)
	if got, want := words(f, Forward(f)), []string{
		"delete replicasets", "delete networkpolicies", "get serviceaccounts", "update serviceaccounts", "get networkpolicies", "update networkpolicies",
		"get services", "update services", "get ingresses", "update ingresses",
	}; !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	f = facts(letGo)
	if got, want := words(f, Backward(f)), []string{"create deployments", "patch replicasets", "delete networkpolicies"}; !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	if got := words(facts(), Forward(facts())); !slices.Contains(got, "create applications") || slices.Contains(got, "patch applications") {
		t.Errorf("got %v", got)
	}
}

func TestRequestsAstray(t *testing.T) {
	service := func(name string, selector map[string]string) corev1.Service {
		return corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.ServiceSpec{Selector: selector}}
	}
	pod := func(name string, labels map[string]string) corev1.Pod {
		return corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}
	}
	services := []corev1.Service{
		service("web", map[string]string{"app": "web"}), service("other", map[string]string{"app": "other"}),
		service("stays", map[string]string{"app": "web"}), service("lost", map[string]string{"app": "web", "track": "stable"}), service("none", nil),
	}
	old := []corev1.Pod{pod("web-1", map[string]string{"app": "web", "track": "stable"})}
	others := []corev1.Pod{pod("canary", map[string]string{"app": "web"}), pod("other", map[string]string{"app": "other"})}
	got := Astray("web", services, old, others, map[string]string{"app": "web"})
	if len(got) != 2 || !strings.Contains(got[0], "Service web leads to pods of others too, such as canary") || !strings.Contains(got[1], "Service lost leads to the old pods") {
		t.Errorf("got %q", got)
	}
}

// TestBystanders holds that the pods of the Application's own Jobs, which have the labels of its podMetadata, are not taken for others'.
func TestBystanders(t *testing.T) {
	of := func(set, name string, labels map[string]string) corev1.Pod {
		pod := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}
		if set != "" {
			pod.OwnerReferences = []metav1.OwnerReference{{Kind: "ReplicaSet", UID: types.UID(set), Controller: new(true)}}
		}
		return pod
	}
	ended := of("", "ended", map[string]string{"app": "web"})
	ended.Status.Phase = corev1.PodSucceeded
	pods := []corev1.Pod{
		of("old", "web-1", map[string]string{"app": "web"}), of("new", "web-2", resources.Labels("web")), ended,
		of("", "web-release", map[string]string{"app": "web", resources.LabelApplication: "web"}),
		of("", "shop-release", map[string]string{"app": "web", resources.LabelApplication: "shop"}),
		of("canary", "canary", map[string]string{"app": "web"}),
	}
	sets := []appsv1.ReplicaSet{{ObjectMeta: metav1.ObjectMeta{UID: "old"}}}
	for what, test := range map[string]struct {
		got  []corev1.Pod
		want []string
	}{
		"old":        {OldPods(pods, sets), []string{"web-1"}},
		"bystanders": {Bystanders("web", pods, sets), []string{"shop-release", "canary"}},
	} {
		var names []string
		for _, pod := range test.got {
			names = append(names, pod.Name)
		}
		if !slices.Equal(names, test.want) {
			t.Errorf("%s: %v, want %v", what, names, test.want)
		}
	}
}

func TestAnObjectIsWhatItWas(t *testing.T) {
	was := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Service",
		"metadata": map[string]any{
			"name": "web", "namespace": "shop", "uid": "u", "resourceVersion": "1", "labels": map[string]any{"app": "web"},
			"annotations": map[string]any{"team": "shop"}, "managedFields": []any{map[string]any{"manager": "kubectl"}},
		},
		"spec": map[string]any{"selector": map[string]any{"app": "web"}}, "status": map[string]any{"loadBalancer": map[string]any{}},
	}}
	before, err := Remember(was)
	if err != nil {
		t.Fatal(err)
	}
	for _, left := range []string{"managedFields", "resourceVersion", "status", "uid"} {
		if strings.Contains(before, left) {
			t.Errorf("%s is remembered: %s", left, before)
		}
	}
	now := was.DeepCopy()
	now.SetResourceVersion("7")
	now.SetAnnotations(map[string]string{"team": "shop", v1.AnnotationAdopt: "web", AnnotationBefore: before})
	now.SetLabels(map[string]string{"app": "web", "app.kubernetes.io/name": "web"})
	now.SetOwnerReferences([]metav1.OwnerReference{{Kind: "Application", Name: "web", UID: "a", Controller: new(true)}})
	now.SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: "kubectl"}, {Manager: children.FieldOwner}})
	if err := unstructured.SetNestedStringMap(now.Object, map[string]string{"app.kubernetes.io/instance": "web"}, "spec", "selector"); err != nil {
		t.Fatal(err)
	}
	back, err := AsBefore(now)
	if err != nil {
		t.Fatal(err)
	}
	selector, _, _ := unstructured.NestedStringMap(back.Object, "spec", "selector")
	if back.GetResourceVersion() != "7" || back.GetUID() != "u" || len(back.GetOwnerReferences()) != 0 || selector["app"] != "web" || len(selector) != 1 ||
		len(back.GetAnnotations()) != 1 || len(back.GetLabels()) != 1 || len(back.GetManagedFields()) != 1 || back.Object["status"] == nil {
		t.Errorf("it is\n%v", back.Object)
	}
}
