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
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
)

// How every Application is rolled out. The numbers are those of the API contract.
const (
	maxSurge                = "25%"
	maxUnavailable          = 0
	progressDeadlineSeconds = 600
	revisionHistoryLimit    = 3
)

// Deployment returns the Deployment that runs the pods. It is always wanted.
func Deployment(in Inputs) (*appsv1ac.DeploymentApplyConfiguration, error) {
	app := in.Application
	template, err := podTemplate(app)
	if err != nil {
		return nil, err
	}
	return appsv1ac.Deployment(app.Name, app.Namespace).
		WithLabels(Labels(app.Name)).
		WithOwnerReferences(owner(app)).
		WithSpec(appsv1ac.DeploymentSpec().
			WithReplicas(WantedReplicas(app)).
			WithSelector(metav1ac.LabelSelector().WithMatchLabels(Labels(app.Name))).
			WithStrategy(appsv1ac.DeploymentStrategy().
				WithType(appsv1.RollingUpdateDeploymentStrategyType).
				WithRollingUpdate(appsv1ac.RollingUpdateDeployment().
					WithMaxSurge(intstr.FromString(maxSurge)).
					WithMaxUnavailable(intstr.FromInt32(maxUnavailable)))).
			WithProgressDeadlineSeconds(progressDeadlineSeconds).
			WithRevisionHistoryLimit(revisionHistoryLimit).
			WithTemplate(template)), nil
}
