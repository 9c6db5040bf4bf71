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
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	v1 "github.com/example/app-operator/api/v1"
)

// terminationGracePeriodSeconds is how long a pod has to end, by the API contract.
const terminationGracePeriodSeconds = 30

// podTemplate returns the template of the pods. Whatever changes here between two releases of the operator
// restarts every application's pods: the golden tests guard it.
func podTemplate(app *v1.Application) (*corev1ac.PodTemplateSpecApplyConfiguration, error) {
	container, err := mainContainer(app)
	if err != nil {
		return nil, err
	}
	template := corev1ac.PodTemplateSpec().WithLabels(podLabels(app))
	if app.Spec.PodMetadata != nil {
		template.WithAnnotations(app.Spec.PodMetadata.Annotations)
	}
	spec := corev1ac.PodSpec().
		WithServiceAccountName(serviceAccountName(app)).
		WithAutomountServiceAccountToken(automountToken(app)).
		WithTerminationGracePeriodSeconds(terminationGracePeriodSeconds).
		WithSecurityContext(podSecurity(app)).
		WithContainers(container)
	for _, name := range app.Spec.ImagePullSecrets {
		spec.WithImagePullSecrets(corev1ac.LocalObjectReference().WithName(name))
	}
	return template.WithSpec(spec), nil
}

// mainContainer returns the container that runs the image. It bears the application's name.
func mainContainer(app *v1.Application) (*corev1ac.ContainerApplyConfiguration, error) {
	env, err := environment(app)
	if err != nil {
		return nil, err
	}
	envFrom, err := asList[corev1ac.EnvFromSourceApplyConfiguration](app.Spec.EnvFrom)
	if err != nil {
		return nil, err
	}
	container := corev1ac.Container().
		WithName(app.Name).
		WithImage(app.Spec.Image).
		WithCommand(app.Spec.Command...).
		WithArgs(app.Spec.Args...).
		WithPorts(containerPorts(app)...).
		WithEnv(env...).
		WithEnvFrom(envFrom...).
		WithSecurityContext(containerSecurity(app))
	if app.Spec.ImagePullPolicy != "" {
		container.WithImagePullPolicy(app.Spec.ImagePullPolicy)
	}
	if app.Spec.Resources != nil {
		resources, err := as[corev1ac.ResourceRequirementsApplyConfiguration](app.Spec.Resources)
		if err != nil {
			return nil, err
		}
		roundUp(resources.Limits)
		roundUp(resources.Requests)
		container.WithResources(resources)
	}
	return container, nil
}

// environment returns the container's variables. A reference to a field has one owner as a whole, so what the
// API server would fill in is ours as well and is filled in here: otherwise the live object would differ from
// what is wanted, and each pass would write it.
func environment(app *v1.Application) ([]*corev1ac.EnvVarApplyConfiguration, error) {
	env, err := asList[corev1ac.EnvVarApplyConfiguration](app.Spec.Env)
	if err != nil {
		return nil, err
	}
	for _, variable := range env {
		if from := variable.ValueFrom; from != nil && from.FieldRef != nil && from.FieldRef.APIVersion == nil {
			from.FieldRef.WithAPIVersion("v1")
		}
	}
	return env, nil
}

// roundUp takes the quantities to thousandths, as the API server does on every write: otherwise, again, each pass
// would write.
func roundUp(quantities *corev1.ResourceList) {
	if quantities == nil {
		return
	}
	for name, quantity := range *quantities {
		quantity.RoundUp(resource.Milli)
		(*quantities)[name] = quantity
	}
}

func containerPorts(app *v1.Application) []*corev1ac.ContainerPortApplyConfiguration {
	var ports []*corev1ac.ContainerPortApplyConfiguration
	if app.Spec.Port != nil {
		ports = append(ports, corev1ac.ContainerPort().
			WithName(MainPortName).
			WithContainerPort(*app.Spec.Port).
			WithProtocol(corev1.ProtocolTCP))
	}
	for _, additional := range app.Spec.AdditionalPorts {
		ports = append(ports, corev1ac.ContainerPort().
			WithName(additional.Name).
			WithContainerPort(additional.Port).
			WithProtocol(protocolOf(additional)))
	}
	return ports
}
