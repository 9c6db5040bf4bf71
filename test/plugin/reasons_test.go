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

package plugin_test

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/cli/view"
)

// fault is how an Application comes to a reason.
type fault struct {
	reason string
	// name says which of several that come to the same reason it is; empty for the only one.
	name string
	// spec changes the Application before it is created.
	spec func(*v1.ApplicationSpec)
	// before and after do what the spec does not, before and after it is created.
	before, after func(*session, *v1.Application)
	// degraded says that Ready has another reason.
	degraded bool
	// unsteady says that its objects go on changing, so that no two transcripts of the status are alike.
	unsteady bool
}

// unmanaged leaves the pods to the test, which plays the kubelet.
func unmanaged(spec *v1.ApplicationSpec) {
	spec.PodMetadata = &v1.PodMetadata{Labels: map[string]string{"test.apps.example.com/unmanaged": "true"}}
}

// pods returns those that are found, when there are some.
func (s *session) pods(app *v1.Application, labels client.MatchingLabels) []corev1.Pod {
	s.Helper()
	list := &corev1.PodList{}
	s.eventually(func() error {
		if err := k8s.List(s.Context(), list, client.InNamespace(app.Namespace), labels); err != nil {
			return err
		}
		if len(list.Items) == 0 || list.Items[0].Spec.NodeName == "" {
			return fmt.Errorf("there is no pod of %s", app.Name)
		}
		return nil
	})
	return list.Items
}

// reports plays a kubelet that reports the state of each pod's container.
func (s *session) reports(app *v1.Application, labels client.MatchingLabels, phase corev1.PodPhase, state corev1.ContainerStatus) {
	s.Helper()
	s.eventually(func() error {
		pods := s.pods(app, labels)
		for i := range pods {
			pod := &pods[i]
			state.Name, state.Image = app.Name, app.Spec.Image
			pod.Status.Phase, pod.Status.ContainerStatuses = phase, []corev1.ContainerStatus{state}
			if state.Ready {
				pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{
					Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.Now(),
				})
			}
			if err := k8s.Status().Update(s.Context(), pod); err != nil {
				return err
			}
		}
		return nil
	})
}

func instance(app *v1.Application) client.MatchingLabels {
	return client.MatchingLabels{"app.kubernetes.io/instance": app.Name, "app.kubernetes.io/managed-by": "app-operator"}
}

func jobOf(name string) client.MatchingLabels {
	return client.MatchingLabels{batchv1.JobNameLabel: name}
}

func waits(reason, message string) func(*session, *v1.Application) {
	return func(s *session, app *v1.Application) {
		s.reports(app, instance(app), corev1.PodPending, corev1.ContainerStatus{State: corev1.ContainerState{
			Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message},
		}})
	}
}

// ended returns the state of a container that has ended.
func ended(code int32, reason, message string) corev1.ContainerState {
	now := metav1.Now()
	return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
		ExitCode: code, Reason: reason, Message: message, StartedAt: metav1.NewTime(now.Add(-time.Hour)), FinishedAt: now,
	}}
}

// restarted reports a container that runs again.
func restarted(code int32, reason, message string) func(*session, *v1.Application) {
	return func(s *session, app *v1.Application) {
		s.reports(app, instance(app), corev1.PodRunning, corev1.ContainerStatus{
			Ready: true, Started: new(true), RestartCount: 1, LastTerminationState: ended(code, reason, message),
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}},
		})
	}
}

func requests(name corev1.ResourceName, quantity string) *v1.ResourceRequirements {
	return &v1.ResourceRequirements{Requests: v1.ResourceList{name: resource.MustParse(quantity)}}
}

// change changes the Application once it has come to a reason.
func change(after string, edit func(*v1.ApplicationSpec)) func(*session, *v1.Application) {
	return func(s *session, app *v1.Application) {
		s.waits(app, after)
		s.eventually(func() error { // the operator may write the status once more
			s.gets(app)
			edit(&app.Spec)
			return k8s.Update(s.Context(), app)
		})
	}
}

// creates makes an object that goes when the test ends.
func (s *session) creates(object client.Object) {
	s.Helper()
	if err := k8s.Create(s.Context(), object); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = k8s.Delete(context.WithoutCancel(s.Context()), object) })
}

// faults has one for each reason that an Application can have.
var faults = []fault{
	{reason: v1.ReasonRollingOut, spec: unmanaged, after: awaitsPods},
	{reason: v1.ReasonRollingOut, name: "probe", spec: unmanaged, after: func(s *session, app *v1.Application) {
		s.reports(app, instance(app), corev1.PodRunning, corev1.ContainerStatus{
			Started: new(true), State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}},
		})
		pod := s.pods(app, instance(app))[0]
		s.creates(&corev1.Event{
			ObjectMeta: metav1.ObjectMeta{Name: pod.Name, Namespace: pod.Namespace}, Type: corev1.EventTypeWarning, Reason: "Unhealthy",
			InvolvedObject: corev1.ObjectReference{Kind: "Pod", Name: pod.Name, Namespace: pod.Namespace, UID: pod.UID}, LastTimestamp: metav1.Now(),
			Message: "Readiness probe failed: HTTP probe failed with statuscode: 503",
		})
		awaitsPods(s, app)
	}},
	{reason: v1.ReasonUnschedulable, name: "claim", spec: func(spec *v1.ApplicationSpec) {
		spec.Rollout = &v1.RolloutSpec{Strategy: appsv1.RecreateDeploymentStrategyType}
		spec.Files = []v1.File{{Name: "data", MountPath: "/data", VolumeSource: v1.VolumeSource{
			PersistentVolumeClaim: &v1.ClaimSource{Size: "1Gi", StorageClassName: new("none")},
		}}}
	}},
	{reason: v1.ReasonSuspended, spec: func(spec *v1.ApplicationSpec) { spec.Suspend = true }},
	{reason: v1.ReasonPaused, after: change(v1.ReasonRolloutComplete, func(spec *v1.ApplicationSpec) {
		spec.Paused, spec.Image = true, "registry.example.com/shop/app:2.0.0"
	})},
	{reason: v1.ReasonDraining, spec: func(spec *v1.ApplicationSpec) { spec.DeletionPolicy = v1.DeletionPolicyDrain }, after: drains},
	{reason: v1.ReasonInvalidSpec, spec: func(spec *v1.ApplicationSpec) {
		spec.Resources = requests(corev1.ResourceCPU, "2")
		spec.Resources.Limits = v1.ResourceList{corev1.ResourceCPU: resource.MustParse("1")}
	}},
	{reason: v1.ReasonChildConflict, before: func(s *session, app *v1.Application) {
		s.creates(&corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Name: app.Name, Namespace: app.Namespace}, Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}},
		})
	}, spec: func(spec *v1.ApplicationSpec) { spec.Port = ptr.To[int32](8080) }},
	{reason: v1.ReasonFieldManagerConflict, degraded: true, unsteady: true, spec: func(spec *v1.ApplicationSpec) {
		spec.Port = ptr.To[int32](8080)
	}, after: contends},
	{reason: v1.ReasonReferenceMissing, spec: func(spec *v1.ApplicationSpec) {
		spec.EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "database"}}}}
	}},
	{reason: v1.ReasonImagePullFailed, spec: unmanaged, after: waits("ImagePullBackOff", `Back-off pulling image "registry.example.com/shop/app:1.0.0": not found`)},
	{reason: v1.ReasonCrashLooping, spec: unmanaged, after: func(s *session, app *v1.Application) {
		s.reports(app, instance(app), corev1.PodRunning, corev1.ContainerStatus{
			RestartCount: 4, LastTerminationState: ended(2, "Error", "database refused the password"),
			State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: "back-off 40s restarting failed container"}},
		})
	}},
	{reason: v1.ReasonUnschedulable, spec: func(spec *v1.ApplicationSpec) { spec.Resources = requests(corev1.ResourceCPU, "1000") }},
	{reason: v1.ReasonQuotaExceeded, before: quota, spec: func(spec *v1.ApplicationSpec) {
		spec.Scheduling = &v1.SchedulingSpec{PriorityClassName: "none-left"}
	}},
	{reason: v1.ReasonAdmissionDenied, before: policyAgainstPods, spec: func(spec *v1.ApplicationSpec) {
		spec.PodMetadata = &v1.PodMetadata{Labels: map[string]string{"example.com/denied": "true"}}
	}},
	{reason: v1.ReasonProgressDeadlineExceeded, spec: func(spec *v1.ApplicationSpec) {
		unmanaged(spec)
		spec.Rollout = &v1.RolloutSpec{ProgressDeadlineSeconds: ptr.To[int32](1)}
	}},
	{reason: v1.ReasonReleasing, spec: releases},
	{reason: v1.ReasonReleaseFailed, spec: releases, after: func(s *session, app *v1.Application) {
		s.waits(app, v1.ReasonReleasing)
		s.fails(app, s.jobOf(app).Name, "no such table")
	}},
	{reason: v1.ReasonRolledBack, unsteady: true, spec: func(spec *v1.ApplicationSpec) {
		spec.Rollout = &v1.RolloutSpec{OnFailure: v1.FailurePolicyRollback, ProgressDeadlineSeconds: ptr.To[int32](1)}
	}, after: change(v1.ReasonRolloutComplete, func(spec *v1.ApplicationSpec) {
		unmanaged(spec)
		spec.Image = "registry.example.com/shop/app:2.0.0"
	})},
	{reason: v1.ReasonPodsNotReady, spec: func(spec *v1.ApplicationSpec) {
		spec.Rollout = &v1.RolloutSpec{ProgressDeadlineSeconds: ptr.To[int32](5)}
	}, after: func(s *session, app *v1.Application) {
		s.waits(app, v1.ReasonRolloutComplete)
		for _, pod := range s.pods(app, instance(app)) {
			for i := range pod.Status.Conditions {
				if kind := pod.Status.Conditions[i].Type; kind == corev1.PodReady || kind == corev1.ContainersReady {
					pod.Status.Conditions[i].Status, pod.Status.Conditions[i].LastTransitionTime = corev1.ConditionFalse, metav1.Now()
				}
			}
			pod.Status.ContainerStatuses[0].Ready = false
			if err := k8s.Status().Update(s.Context(), &pod); err != nil {
				s.Fatal(err)
			}
		}
	}},
	{reason: v1.ReasonAutoscalingFailed, degraded: true, spec: func(spec *v1.ApplicationSpec) {
		spec.Autoscaling = &v1.AutoscalingSpec{MinReplicas: ptr.To[int32](2), MaxReplicas: 4}
	}, after: ages},
	{reason: v1.ReasonExposureFailed, degraded: true, spec: func(spec *v1.ApplicationSpec) {
		spec.Port, spec.Service = ptr.To[int32](8080), &v1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer}
	}, after: waitsForAddress},
	{reason: v1.ReasonOOMKilled, degraded: true, spec: func(spec *v1.ApplicationSpec) {
		unmanaged(spec)
		spec.Resources = &v1.ResourceRequirements{Limits: v1.ResourceList{corev1.ResourceMemory: resource.MustParse("64Mi")}}
	}, after: restarted(137, "OOMKilled", "")},
	{reason: v1.ReasonContainerRestarted, degraded: true, spec: unmanaged, after: restarted(1, "Error", "lost the database")},
	{reason: v1.ReasonScheduleFailed, degraded: true, spec: func(spec *v1.ApplicationSpec) {
		unmanaged(spec)
		spec.Schedules = []v1.Schedule{{Name: "nightly", Schedule: "0 3 * * *", BackoffLimit: ptr.To[int32](0)}}
	}, after: failsNightly},
	{reason: v1.ReasonAPINotInstalled, spec: func(spec *v1.ApplicationSpec) {
		spec.Port, spec.HTTPRoute = ptr.To[int32](8080), &v1.HTTPRouteSpec{ParentRefs: []v1.ParentReference{{Name: "gateway"}}}
	}},
	{reason: v1.ReasonReconcileFailed, before: webhook, spec: func(spec *v1.ApplicationSpec) {
		spec.ObjectMetadata = &v1.ObjectMetadata{Labels: map[string]string{"example.com/lost": "true"}}
	}},
}

// TestEachReasonHasItsAnswer holds that one command says of each reason what has happened, and what to do.
func TestEachReasonHasItsAnswer(t *testing.T) {
	has := map[string]bool{
		v1.ReasonRolloutComplete: true, // which is in well.txt
		v1.EventRetained:         true, // which is an event's
	}
	for _, each := range faults {
		has[each.reason] = true
		words := strings.ToLower(regexp.MustCompile(`([a-z]|API|OOM)([A-Z])`).ReplaceAllString(each.reason, "$1-$2"))
		if each.name != "" {
			words += "-" + each.name
		}
		t.Run(words, func(t *testing.T) {
			s := newSession(t, filepath.Join("reasons", words))
			app := &v1.Application{ObjectMeta: metav1.ObjectMeta{Name: words, Namespace: served}, Spec: v1.ApplicationSpec{Image: "registry.example.com/shop/app:1.0.0"}}
			if each.spec != nil {
				each.spec(&app.Spec)
			}
			if each.before != nil {
				each.before(s, app)
			}
			s.creates(app)
			if each.after != nil {
				each.after(s, app)
			}
			s.comesTo(app, each)
			s.types("why", words, "-n", served)
			if said, code := s.runs("status", words, "-n", served); each.unsteady {
				if !strings.Contains(said, each.reason) || code != 2 {
					t.Errorf("exit code %d\n%s", code, said)
				}
				return
			}
			s.types("status", words, "-n", served)
		})
	}
	for reason := range view.Advices {
		if !has[reason] {
			t.Errorf("no transcript has %s", reason)
		}
	}
}

// comesTo returns when the plugin would name the reason of a fault.
func (s *session) comesTo(app *v1.Application, which fault) {
	s.Helper()
	s.eventually(func() error {
		if err := k8s.Get(s.Context(), client.ObjectKeyFromObject(app), app); err != nil {
			return err
		}
		kind := v1.ConditionReady
		if which.degraded {
			kind = v1.ConditionDegraded
		}
		found := meta.FindStatusCondition(app.Status.Conditions, kind)
		if found == nil || found.Reason != which.reason || found.ObservedGeneration != app.Generation || which.degraded && found.Status != metav1.ConditionTrue {
			return fmt.Errorf("%s has not come to %s: %+v", app.Name, which.reason, app.Status.Conditions)
		}
		return nil
	})
}

// awaitsPods returns when the Application waits for its pods.
func awaitsPods(s *session, app *v1.Application) {
	s.eventually(func() error {
		s.gets(app)
		ready := meta.FindStatusCondition(app.Status.Conditions, v1.ConditionReady)
		if ready == nil || !strings.HasPrefix(ready.Message, "Waiting for pods") {
			return fmt.Errorf("it does not wait for pods: %+v", ready)
		}
		return nil
	})
	s.pods(app, instance(app)) // which have a node
}

// drains deletes an Application whose pod does not end.
func drains(s *session, app *v1.Application) {
	s.waits(app, v1.ReasonRolloutComplete)
	pod := s.pods(app, instance(app))[0]
	pod.Finalizers = []string{"apps.example.com/test"}
	if err := k8s.Update(s.Context(), &pod); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() {
		ctx := context.WithoutCancel(s.Context())
		if k8s.Get(ctx, client.ObjectKeyFromObject(&pod), &pod) == nil {
			pod.Finalizers = nil
			_ = k8s.Update(ctx, &pod)
		}
	})
	if err := k8s.Delete(s.Context(), app); err != nil {
		s.Fatal(err)
	}
}

// contends is another client that changes the Service each time that the operator has repaired it, until it is named. What it has changed
// last is repaired when this returns: before, the Application is not Ready.
func contends(s *session, app *v1.Application) {
	s.waits(app, v1.ReasonRolloutComplete)
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: app.Name, Namespace: app.Namespace}}
	s.eventually(func() error {
		if err := k8s.Get(s.Context(), client.ObjectKeyFromObject(app), app); err != nil {
			return err
		}
		if fault := meta.FindStatusCondition(app.Status.Conditions, v1.ConditionDegraded); fault != nil && fault.Reason == v1.ReasonFieldManagerConflict {
			if !meta.IsStatusConditionTrue(app.Status.Conditions, v1.ConditionReady) {
				return fmt.Errorf("its last change stands: %+v", app.Status.Conditions)
			}
			return nil
		}
		s.gets(service)
		if port := &service.Spec.Ports[0]; port.TargetPort != intstr.FromInt32(1) {
			port.TargetPort = intstr.FromInt32(1)
			if err := k8s.Update(s.Context(), service, client.FieldOwner("hostile")); err != nil {
				return err
			}
		}
		return fmt.Errorf("nobody is named: %+v", app.Status.Conditions)
	})
}

func quota(s *session, _ *v1.Application) {
	s.kubectl(`{"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "none-left"}, "value": 1}`, "apply", "-f", "-")
	small := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "none-left", Namespace: served}}
	small.Spec.Hard = corev1.ResourceList{corev1.ResourcePods: resource.MustParse("0")}
	small.Spec.ScopeSelector = &corev1.ScopeSelector{MatchExpressions: []corev1.ScopedResourceSelectorRequirement{{
		ScopeName: corev1.ResourceQuotaScopePriorityClass, Operator: corev1.ScopeSelectorOpIn, Values: []string{"none-left"},
	}}}
	s.creates(small)
	s.eventually(func() error {
		s.gets(small)
		if len(small.Status.Hard) == 0 {
			return fmt.Errorf("the quota is not in force")
		}
		return nil
	})
}

func policyAgainstPods(s *session, _ *v1.Application) {
	s.kubectl(`{"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "metadata": {"name": "denied.example.com"}, "spec": {
		"failurePolicy": "Fail", "validations": [{"expression": "!('example.com/denied' in object.metadata.?labels.orValue({}))", "message": "pods need an owner in the wiki"}],
		"matchConstraints": {"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]}}}`, "apply", "-f", "-")
	s.kubectl(`{"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": "denied.example.com"},
		"spec": {"policyName": "denied.example.com", "validationActions": ["Deny"]}}`, "apply", "-f", "-")
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "denied", Namespace: served, Labels: map[string]string{"example.com/denied": "true"}}}
	pod.Spec.Containers = []corev1.Container{{Name: "c", Image: "c"}}
	s.inForce(pod, "in the wiki")
}

// inForce returns when the API server refuses to create an object.
func (s *session) inForce(object client.Object, words string) {
	s.Helper()
	s.eventually(func() error {
		if err := k8s.Create(s.Context(), object.DeepCopyObject().(client.Object), client.DryRunAll); err == nil || !strings.Contains(err.Error(), words) {
			return fmt.Errorf("it is not in force: %w", err)
		}
		return nil
	})
}

func webhook(s *session, app *v1.Application) {
	config := &admissionregistrationv1.ValidatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: "lost.example.com"}}
	config.Webhooks = []admissionregistrationv1.ValidatingWebhook{{
		Name: "lost.example.com", ClientConfig: admissionregistrationv1.WebhookClientConfig{URL: new("https://127.0.0.1:1/")},
		ObjectSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"example.com/lost": "true"}},
		SideEffects:    ptr.To(admissionregistrationv1.SideEffectClassNone), AdmissionReviewVersions: []string{"v1"},
		Rules: []admissionregistrationv1.RuleWithOperations{{
			Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
			Rule:       admissionregistrationv1.Rule{APIGroups: []string{"apps"}, APIVersions: []string{"v1"}, Resources: []string{"deployments"}},
		}},
	}}
	s.creates(config)
	labels := map[string]string{"example.com/lost": "true"}
	deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "lost", Namespace: app.Namespace, Labels: labels}}
	deployment.Spec.Selector = &metav1.LabelSelector{MatchLabels: labels}
	deployment.Spec.Template.Labels = labels
	deployment.Spec.Template.Spec.Containers = []corev1.Container{{Name: "c", Image: "c"}}
	s.inForce(deployment, "failed calling webhook")
}

func releases(spec *v1.ApplicationSpec) {
	unmanaged(spec)
	spec.Release = &v1.ReleaseSpec{Command: []string{"migrate"}}
}

// jobOf returns the Job of the Application's release command.
func (s *session) jobOf(app *v1.Application) *batchv1.Job {
	s.Helper()
	list := &batchv1.JobList{}
	if err := k8s.List(s.Context(), list, client.InNamespace(app.Namespace), client.MatchingLabels{"apps.example.com/application": app.Name}); err != nil || len(list.Items) != 1 {
		s.Fatal(err, list.Items)
	}
	return &list.Items[0]
}

// fails ends the pod of a Job.
func (s *session) fails(app *v1.Application, job, said string) {
	s.Helper()
	s.reports(app, jobOf(job), corev1.PodFailed, corev1.ContainerStatus{State: ended(3, "Error", said)})
}

// nightly is a run of a schedule, named as the CronJob's controller names it.
const nightly = "nightly-29812345"

// failsNightly runs the schedule by hand, and has it fail.
func failsNightly(s *session, app *v1.Application) {
	s.reports(app, instance(app), corev1.PodRunning, corev1.ContainerStatus{
		Ready: true, Started: new(true), State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}},
	})
	s.waits(app, v1.ReasonRolloutComplete)
	from := &batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{Name: app.Name + "-nightly", Namespace: app.Namespace}}
	s.gets(from)
	s.creates(&batchv1.Job{ObjectMeta: metav1.ObjectMeta{
		Name: nightly, Namespace: app.Namespace, Labels: from.Spec.JobTemplate.Labels,
		OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(from, batchv1.SchemeGroupVersion.WithKind("CronJob"))},
	}, Spec: from.Spec.JobTemplate.Spec})
	s.fails(app, nightly, "no such table")
}

// ages makes an autoscaler that does not work one that has not for long.
func ages(s *session, app *v1.Application) {
	s.waits(app, v1.ReasonRolloutComplete)
	long := metav1.NewTime(time.Now().Add(-time.Hour))
	autoscaler := &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: metav1.ObjectMeta{Name: app.Name, Namespace: app.Namespace}}
	s.eventually(func() error {
		s.gets(autoscaler)
		s.gets(app)
		failing := false
		for i := range autoscaler.Status.Conditions {
			condition := &autoscaler.Status.Conditions[i]
			failing = failing || condition.Type == autoscalingv2.ScalingActive && condition.Status == corev1.ConditionFalse
			condition.LastTransitionTime = long
		}
		if !failing {
			return fmt.Errorf("it works: %+v", autoscaler.Status)
		}
		if err := k8s.Status().Update(s.Context(), autoscaler); err != nil {
			return err
		}
		meta.FindStatusCondition(app.Status.Conditions, v1.ConditionReady).LastTransitionTime = long
		return k8s.Status().Update(s.Context(), app)
	})
}

// waitsForAddress makes a load balancer without an address one that has had none for long.
func waitsForAddress(s *session, app *v1.Application) {
	s.waits(app, v1.ReasonRolloutComplete)
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: app.Name, Namespace: app.Namespace}}
	long := metav1.NewTime(time.Now().Add(-time.Hour))
	s.eventually(func() error {
		s.gets(service)
		for i := range service.ManagedFields {
			service.ManagedFields[i].Time = &long
		}
		metav1.SetMetaDataAnnotation(&service.ObjectMeta, "a-person", "was here") // or the API server keeps the times that it has
		return k8s.Update(s.Context(), service)
	})
}
