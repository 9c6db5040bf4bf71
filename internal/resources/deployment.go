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

package resources

import (
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/utils/ptr"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/revisions"
)

// How an Application is rolled out that does not say. The numbers are the schema's defaults, which hold where
// spec.rollout is given.
const (
	progressDeadlineSeconds = 600
	revisionHistoryLimit    = 3
)

var (
	maxSurge       = intstr.FromString("25%")
	maxUnavailable = intstr.FromInt32(0)
)

// Deployment returns the Deployment that runs the pods. It is always desired.
func Deployment(in Inputs) (*appsv1ac.DeploymentApplyConfiguration, error) {
	in = in.ofPods()
	app := in.Application
	template, err := podTemplate(in)
	if err != nil {
		return nil, err
	}
	rollout := ptr.Deref(app.Spec.Rollout, v1.RolloutSpec{})
	spec := appsv1ac.DeploymentSpec().
		WithSelector(metav1ac.LabelSelector().WithMatchLabels(Labels(app.Name))).
		WithStrategy(strategy(rollout)).
		WithProgressDeadlineSeconds(ptr.Deref(rollout.ProgressDeadlineSeconds, progressDeadlineSeconds)).
		WithRevisionHistoryLimit(RevisionHistoryLimit(app)).
		WithMinReadySeconds(minReadySeconds(app, rollout)).
		WithPaused(false). // what pauses a rollout is an Application's spec.paused
		WithTemplate(template)
	config := appsv1ac.Deployment(app.Name, app.Namespace).
		WithLabels(objectLabels(app)).
		WithAnnotations(objectAnnotations(app)).
		WithAnnotations(ownerMark(app)).
		WithOwnerReferences(owners(app)...).
		WithSpec(spec)
	if in.Revision != "" {
		config.WithLabels(map[string]string{LabelRevision: strings.TrimPrefix(in.Revision, revisions.Name(app.Name, ""))})
	}
	if !Autoscaled(app) || starting(in) { // otherwise the autoscaler says how many
		config.Spec.WithReplicas(DesiredReplicas(in))
	}
	return config, nil
}

// RevisionHistoryLimit returns how many revisions are kept beside those in use.
func RevisionHistoryLimit(app *v1.Application) int32 {
	return ptr.Deref(ptr.Deref(app.Spec.Rollout, v1.RolloutSpec{}).RevisionHistoryLimit, revisionHistoryLimit)
}

// DeployedRevision returns the name of the revision whose pods a Deployment was last given, or "" if that is not known.
func DeployedRevision(deployment *appsv1.Deployment) string {
	if deployment == nil || deployment.Labels[LabelRevision] == "" {
		return ""
	}
	return revisions.Name(deployment.Name, deployment.Labels[LabelRevision])
}

// minReadyWithoutProbe is how long, in seconds, a container without a readiness probe has to live before it counts, where a failed
// rollout is undone. To Kubernetes it is ready as soon as it is started: the old pods would go before the new one has crashed.
const minReadyWithoutProbe = 10

func minReadySeconds(app *v1.Application, rollout v1.RolloutSpec) int32 {
	if rollout.OnFailure != v1.FailurePolicyRollback || app.Spec.Probes != nil && app.Spec.Probes.Readiness != nil {
		return rollout.MinReadySeconds
	}
	return min(max(rollout.MinReadySeconds, minReadyWithoutProbe), ptr.Deref(rollout.ProgressDeadlineSeconds, progressDeadlineSeconds)-1)
}

func strategy(rollout v1.RolloutSpec) *appsv1ac.DeploymentStrategyApplyConfiguration {
	if rollout.Strategy == appsv1.RecreateDeploymentStrategyType {
		return appsv1ac.DeploymentStrategy().WithType(appsv1.RecreateDeploymentStrategyType)
	}
	return appsv1ac.DeploymentStrategy().
		WithType(appsv1.RollingUpdateDeploymentStrategyType).
		WithRollingUpdate(appsv1ac.RollingUpdateDeployment().
			WithMaxSurge(ptr.Deref(rollout.MaxSurge, maxSurge)).
			WithMaxUnavailable(ptr.Deref(rollout.MaxUnavailable, maxUnavailable)))
}
