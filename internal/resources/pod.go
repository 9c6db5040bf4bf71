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
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/utils/ptr"

	v1 "github.com/example/app-operator/api/v1"
)

// terminationGracePeriodSeconds is how long a pod has to end, by the API contract.
const terminationGracePeriodSeconds = 30

// annotationConfigHash is where a pod has what its configuration was.
const annotationConfigHash = "apps.example.com/config-hash"

// LiveConfigHash returns the ConfigHash that a Deployment's pods were made with, or "".
func LiveConfigHash(deployment *appsv1.Deployment) string {
	if deployment == nil {
		return ""
	}
	return deployment.Spec.Template.Annotations[annotationConfigHash]
}

// podTemplate returns the template of the pods. Whatever changes here between two releases of the operator
// restarts every application's pods: the golden tests guard it.
func podTemplate(in Inputs) (*corev1ac.PodTemplateSpecApplyConfiguration, error) {
	app := in.Application
	template := corev1ac.PodTemplateSpec().WithLabels(podLabels(app))
	if app.Spec.PodMetadata != nil {
		template.WithAnnotations(app.Spec.PodMetadata.Annotations)
	}
	if in.ConfigHash != "" {
		template.WithAnnotations(map[string]string{annotationConfigHash: in.ConfigHash})
	}
	shutdown := ptr.Deref(app.Spec.Shutdown, v1.ShutdownSpec{})
	spec := corev1ac.PodSpec().
		WithServiceAccountName(serviceAccountName(app)).
		WithAutomountServiceAccountToken(automountToken(app)).
		WithTerminationGracePeriodSeconds(ptr.Deref(shutdown.GracePeriodSeconds, terminationGracePeriodSeconds)).
		WithSecurityContext(podSecurity(app))
	spec.EnableServiceLinks = ptrCopy(app.Spec.EnableServiceLinks)
	if app.Spec.Security != nil {
		spec.HostUsers = ptrCopy(app.Spec.Security.HostUsers)
	}
	for _, name := range app.Spec.ImagePullSecrets {
		spec.WithImagePullSecrets(corev1ac.LocalObjectReference().WithName(name))
	}
	if err := addContainers(spec, in); err != nil {
		return nil, err
	}
	if err := addScheduling(spec, app); err != nil {
		return nil, err
	}
	return template.WithSpec(spec), nil
}
