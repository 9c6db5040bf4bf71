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

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/utils/ptr"

	v1 "github.com/example/app-operator/api/v1"
)

// addContainers adds the container that runs the image, and those that the user puts beside it. Sidecars come before
// the init containers: these may need a proxy to reach anything, and a sidecar can wait by being restarted. They all may
// mount the volumes of the files.
func addContainers(spec *corev1ac.PodSpecApplyConfiguration, in Inputs) error {
	app := in.Application
	volumes, err := volumesOf(app)
	if err != nil {
		return err
	}
	container, err := mainContainer(in, volumes)
	if err != nil {
		return err
	}
	sidecars, err := extraContainers(app, app.Spec.Sidecars, volumes)
	if err != nil {
		return err
	}
	for _, sidecar := range sidecars {
		sidecar.WithRestartPolicy(corev1.ContainerRestartPolicyAlways)
	}
	initContainers, err := extraContainers(app, app.Spec.InitContainers, volumes)
	if err != nil {
		return err
	}
	spec.WithVolumes(volumes.volumes...)
	spec.WithContainers(container).WithInitContainers(sidecars...).WithInitContainers(initContainers...)
	return nil
}

// mainContainer returns the container that runs the image. It has the application's name.
func mainContainer(in Inputs, volumes fileVolumes) (*corev1ac.ContainerApplyConfiguration, error) {
	app, ports := in.Application, portsOf(in)
	env, err := toApplyConfigs[corev1ac.EnvVarApplyConfiguration](app.Spec.Env)
	if err != nil {
		return nil, err
	}
	envFrom, err := toApplyConfigs[corev1ac.EnvFromSourceApplyConfiguration](app.Spec.EnvFrom)
	if err != nil {
		return nil, err
	}
	container := corev1ac.Container().
		WithName(app.Name).
		WithImage(app.Spec.Image).
		WithCommand(app.Spec.Command...).
		WithArgs(app.Spec.Args...).
		WithPorts(containerPorts(ports)...).
		WithEnv(env...).
		WithEnvFrom(envFrom...).
		WithVolumeMounts(volumes.mounts(app.Spec.Files)...).
		WithSecurityContext(mainSecurity(app))
	if app.Spec.ImagePullPolicy != "" {
		container.WithImagePullPolicy(app.Spec.ImagePullPolicy)
	}
	if err := addPreStop(container, app, ports); err != nil {
		return nil, err
	}
	if err := addProbes(container, app, ports); err != nil {
		return nil, err
	}
	if app.Spec.Resources != nil {
		if container.Resources, err = toApplyConfig[corev1ac.ResourceRequirementsApplyConfiguration](app.Spec.Resources); err != nil {
			return nil, err
		}
	}
	applyProfile(container, app)
	setDefaults(container)
	return container, nil
}

// extraContainers returns the user's own containers, under the application's security profile where they do not say
// otherwise themselves.
func extraContainers(
	app *v1.Application, containers []corev1.Container, volumes fileVolumes,
) ([]*corev1ac.ContainerApplyConfiguration, error) {
	configs, err := toApplyConfigs[corev1ac.ContainerApplyConfiguration](containers)
	if err != nil {
		return nil, err
	}
	for _, config := range configs {
		volumes.rename(config)
		setContainerZeros(config)
		applyProfile(config, app)
		setDefaults(config)
	}
	return configs, nil
}

// setDefaults does to a container what the API server does on every write to values that have one owner as a whole:
// otherwise the live object would differ from what is desired, and each reconcile would write it.
func setDefaults(container *corev1ac.ContainerApplyConfiguration) {
	if container.TerminationMessagePolicy == nil { // a crash is told with the program's last words
		container.WithTerminationMessagePolicy(corev1.TerminationMessageFallbackToLogsOnError)
	}
	if container.ImagePullPolicy == nil {
		container.WithImagePullPolicy(PullPolicy(ptr.Deref(container.Image, "")))
	}
	for i := range container.Env {
		completeVariable(&container.Env[i])
		setVariableZeros(&container.Env[i])
	}
	for i := range container.Ports { // the protocol is part of the list's key
		if container.Ports[i].Protocol == nil {
			container.Ports[i].WithProtocol(corev1.ProtocolTCP)
		}
	}
	if resources := container.Resources; resources != nil {
		roundUp(resources.Limits)
		roundUp(resources.Requests)
		if resources.Limits == nil && resources.Requests == nil && len(resources.Claims) == 0 {
			container.Resources = nil
		}
	}
}

func completeVariable(variable *corev1ac.EnvVarApplyConfiguration) {
	from := variable.ValueFrom
	if from == nil {
		return
	}
	if from.FieldRef != nil && from.FieldRef.APIVersion == nil {
		from.FieldRef.WithAPIVersion("v1")
	}
	if from.FileKeyRef != nil && from.FileKeyRef.Optional == nil {
		from.FileKeyRef.WithOptional(false)
	}
}

// PullPolicy returns when Kubernetes pulls an image by default: Always if its tag is latest, or if it has neither tag nor
// digest. The API server decides that once, for the first image; it is decided here for each.
func PullPolicy(image string) corev1.PullPolicy {
	name, _, digested := strings.Cut(image, "@")
	_, tag, tagged := strings.Cut(name[strings.LastIndex(name, "/")+1:], ":")
	if tag == "latest" || !tagged && !digested {
		return corev1.PullAlways
	}
	return corev1.PullIfNotPresent
}

// roundUp takes the quantities to thousandths.
func roundUp(quantities *corev1.ResourceList) {
	if quantities == nil {
		return
	}
	for name, quantity := range *quantities {
		quantity.RoundUp(resource.Milli)
		(*quantities)[name] = quantity
	}
}

func containerPorts(ports []port) []*corev1ac.ContainerPortApplyConfiguration {
	configs := make([]*corev1ac.ContainerPortApplyConfiguration, 0, len(ports))
	for _, port := range ports {
		configs = append(configs, corev1ac.ContainerPort().
			WithName(port.containerName).
			WithContainerPort(port.number).
			WithProtocol(port.protocol))
	}
	return configs
}
