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

package children

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	batchv1ac "k8s.io/client-go/applyconfigurations/batch/v1"
	"k8s.io/utils/ptr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/example/app-operator/internal/outcome"
	"github.com/example/app-operator/internal/resources"
	"github.com/example/app-operator/internal/status"
)

// HandOverManager is the field manager that holds what we no longer decide: a Deployment's size between us and the
// autoscaler, an Ingress's class that is the cluster's default.
const HandOverManager = FieldOwner + "-handover"

// HandOver is a field that is not removed when the configuration stops setting it. An apply without it would remove it
// from the object, and the object would be left with another value than a new one gets.
type HandOver struct {
	// Field is the field's name in the spec.
	Field string
	// Forced takes the field also from a manager that has decided it since the cache observed the object.
	Forced bool
	// Like returns an object like the live one without the field. The API server is asked, in a dry run, what a new object
	// would have. Nil if the live object's own value is kept.
	Like func(live Object) Object
	// Value returns the field's value in the object, or nil if it has none: then the field may be removed.
	Value func(Object) any
}

// replicasHandOver leaves a Deployment at its size, until the autoscaler's first decision. The API server would reset it to 1.
var replicasHandOver = HandOver{
	Field: "replicas",
	Value: func(live Object) any {
		if replicas := live.(*appsv1.Deployment).Spec.Replicas; replicas != nil {
			return int64(*replicas)
		}
		return nil
	},
}

// classHandOver leaves an Ingress with the class that a new one would get. The API server's admission fills in the
// cluster's default class when an Ingress is created, and never after.
var classHandOver = HandOver{
	Field:  "ingressClassName",
	Forced: true,
	Like: func(live Object) Object {
		return &networkingv1.Ingress{
			ObjectMeta: metav1.ObjectMeta{
				GenerateName: live.GetName() + "-", Namespace: live.GetNamespace(),
				Labels: live.GetLabels(), Annotations: live.GetAnnotations(),
			},
			// No rules: an ingress controller may refuse a second Ingress for the same host and path.
			Spec: networkingv1.IngressSpec{DefaultBackend: &networkingv1.IngressBackend{
				Service: &networkingv1.IngressServiceBackend{
					Name: live.GetName(), Port: networkingv1.ServiceBackendPort{Number: 80},
				},
			}},
		}
	},
	Value: func(like Object) any {
		if class := like.(*networkingv1.Ingress).Spec.IngressClassName; class != nil {
			return *class
		}
		return nil
	},
}

// keepPods makes the configuration of the Deployment keep pods like those that run: what new ones refer to is missing.
// How many there are, and how they are replaced, may change. It returns false if no pods run that could be kept.
func keepPods(config Config, live Object) (bool, error) {
	deployment := live.(*appsv1.Deployment)
	if ptr.Deref(deployment.Spec.Replicas, 1) == 0 {
		return false, nil
	}
	ours, err := appsv1ac.ExtractDeployment(deployment, FieldOwner)
	if err != nil {
		return false, fmt.Errorf("read the pod template that is ours: %w", err)
	}
	if ours.Spec == nil || ours.Spec.Template == nil {
		return false, nil
	}
	kept := config.ApplyConfiguration.(*appsv1ac.DeploymentApplyConfiguration)
	kept.Spec.Template = ours.Spec.Template
	delete(kept.Labels, resources.LabelRevision)
	if revision := ours.Labels[resources.LabelRevision]; revision != "" {
		kept.WithLabels(map[string]string{resources.LabelRevision: revision})
	}
	return true, nil
}

// ofPod is how an autoscaler names a pod in its messages. After each rollout it is another one.
var ofPod = regexp.MustCompile(` of Pod [^ ,;]+`)

// stripAutoscaler keeps what says whether the autoscaler works, and why not, and since when it is at its maximum. It writes its
// metrics every 15 seconds.
func stripAutoscaler(object Object) {
	autoscaler := object.(*autoscalingv2.HorizontalPodAutoscaler)
	var kept []autoscalingv2.HorizontalPodAutoscalerCondition
	var lastScaleTime *metav1.Time
	for _, condition := range autoscaler.Status.Conditions {
		if status.IsAtMaximum(condition) {
			condition.Message = ""
			kept = append(kept, condition)
			lastScaleTime = autoscaler.Status.LastScaleTime
			continue
		}
		if condition.Type != autoscalingv2.ScalingActive && condition.Type != autoscalingv2.AbleToScale {
			continue
		}
		if condition.Status == corev1.ConditionTrue { // its reason and message change all the time
			condition.Reason, condition.Message = "", ""
		}
		condition.Message = ofPod.ReplaceAllString(condition.Message, "")
		kept = append(kept, condition)
	}
	autoscaler.Status = autoscalingv2.HorizontalPodAutoscalerStatus{Conditions: kept, LastScaleTime: lastScaleTime}
}

// maxAnswer bounds what is kept of a message in an HTTPRoute's status, in bytes. The API lets it have 32 KiB.
const maxAnswer = 1024

// stripRoute keeps what says which parents accept the HTTPRoute, and why not. A controller may write the times of it anew.
func stripRoute(object Object) {
	route := object.(*gatewayv1.HTTPRoute)
	for i := range route.Status.Parents {
		parent := &route.Status.Parents[i]
		parent.ControllerName = ""
		parent.Conditions = slices.DeleteFunc(parent.Conditions, func(condition metav1.Condition) bool { return !status.IsJudged(condition.Type) })
		for j := range parent.Conditions {
			condition := &parent.Conditions[j]
			condition.LastTransitionTime = metav1.Time{}
			condition.Message = strings.Clone(outcome.Shorten(condition.Message, maxAnswer))
		}
	}
}

// runsReplicas reports whether the Deployment is to have pods.
func runsReplicas(in resources.Inputs) bool { return resources.DesiredReplicas(in) > 0 }

// noNewPods has a Job wait while anything is missing that its pods would need.
func noNewPods(Config, Object) (bool, error) { return false, nil }

// retireJob keeps the Job of a release command until it has ended: two never run at a time.
func retireJob(live Object, _ bool) (*Config, bool, error) {
	return nil, status.EndOf(live.(*batchv1.Job)) != nil, nil
}

// keepScheduledPods makes the configuration of a CronJob keep its pods as they are: what new ones refer to is missing. When
// they run may change. It returns false if the live one has no pods that could be kept.
func keepScheduledPods(config Config, live Object) (bool, error) {
	ours, err := batchv1ac.ExtractCronJob(live.(*batchv1.CronJob), FieldOwner)
	if err != nil {
		return false, fmt.Errorf("read the Job template that is ours: %w", err)
	}
	if ours.Spec == nil || ours.Spec.JobTemplate == nil || ours.Spec.JobTemplate.Spec == nil || ours.Spec.JobTemplate.Spec.Template == nil {
		return false, nil
	}
	config.ApplyConfiguration.(*batchv1ac.CronJobApplyConfiguration).Spec.JobTemplate.Spec.Template = ours.Spec.JobTemplate.Spec.Template
	return true, nil
}

// retireCronJob has a CronJob start no more Jobs, and keeps it until the last one has ended: the garbage collector takes a Job
// with its CronJob.
func retireCronJob(live Object, runs bool) (*Config, bool, error) {
	cronJob := live.(*batchv1.CronJob)
	if ptr.Deref(cronJob.Spec.Suspend, false) {
		return nil, !runs && len(cronJob.Status.Active) == 0, nil
	}
	ours, err := batchv1ac.ExtractCronJob(cronJob, FieldOwner)
	if err != nil {
		return nil, false, fmt.Errorf("read what is ours of CronJob %s: %w", cronJob.Name, err)
	}
	if ours.Spec == nil || ours.Spec.JobTemplate == nil { // somebody has taken it all: there is nothing to apply
		return nil, true, nil
	}
	ours.Spec.WithSuspend(true)
	return &configsOf(ours)[0], false, nil
}

// stripCronJob keeps what says which runs have not ended, and when there were some.
func stripCronJob(object Object) {
	cronJob := object.(*batchv1.CronJob)
	for i, active := range cronJob.Status.Active {
		cronJob.Status.Active[i] = corev1.ObjectReference{UID: active.UID}
	}
}

// serviceTaking has a Service keep the names of its ports where the numbers stay: a port that gets another name is programmed anew
// on every node, which costs a second.
func serviceTaking(in resources.Inputs, live Object) resources.Inputs {
	return in.KeepingPortNames(live.(*corev1.Service).Spec.Ports)
}

// claimTaking has a claim keep what cannot be changed of it.
func claimTaking(in resources.Inputs, live Object) resources.Inputs {
	return in.WithClaim(live.GetName(), resources.LiveClaimOf(live.(*corev1.PersistentVolumeClaim)))
}
