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
	"slices"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	v1 "github.com/example/app-operator/api/v1"
)

// What follows is absent on purpose: that a field is empty says something, and there is no value by which to say it.

// NotInNetworkPolicy returns the paths of what the policy must not have. Without rules nobody may get in, and a rule that
// somebody adds lets somebody in.
func NotInNetworkPolicy(in Inputs) []fieldpath.Path {
	if policy := in.Application.Spec.NetworkPolicy; policy == nil || policy.Ingress == v1.NetworkUnrestricted || len(policy.IngressFrom) > 0 {
		return nil
	}
	return []fieldpath.Path{fieldpath.MakePathOrDie("spec", "ingress")}
}

// NotInService returns the paths of what the Service must not have: source ranges where the load balancer is to let in all, which an
// empty list says.
func NotInService(in Inputs) []fieldpath.Path {
	service := in.Application.Spec.Service
	if service == nil || service.LoadBalancerSourceRanges == nil || len(service.LoadBalancerSourceRanges) > 0 {
		return nil
	}
	return []fieldpath.Path{fieldpath.MakePathOrDie("spec", "loadBalancerSourceRanges")}
}

// NotInDeployment returns the paths of what the Deployment must not have: the command of a container that is to run what the
// image says, a source for a variable that is to be empty, a sleep where there is to be none.
func NotInDeployment(in Inputs) []fieldpath.Path {
	in = in.ofPods()
	spec := &in.Application.Spec
	main := corev1.Container{Name: in.Application.Name, Command: spec.Command, Args: spec.Args, Env: spec.Env}
	paths := notInContainer("containers", main)
	for _, container := range slices.Concat(spec.Sidecars, spec.InitContainers) {
		paths = append(paths, notInContainer("initContainers", container)...)
	}
	if spec.Shutdown != nil && spec.Shutdown.PreStopSleepSeconds == 0 {
		paths = append(paths, pathInContainer("containers", main.Name, "lifecycle", "preStop", "sleep"))
	}
	return paths
}

func notInContainer(list string, container corev1.Container) []fieldpath.Path {
	var paths []fieldpath.Path
	if container.Command != nil && len(container.Command) == 0 {
		paths = append(paths, pathInContainer(list, container.Name, "command"))
	}
	if container.Args != nil && len(container.Args) == 0 {
		paths = append(paths, pathInContainer(list, container.Name, "args"))
	}
	for _, variable := range container.Env {
		if variable.Value == "" && variable.ValueFrom == nil {
			paths = append(paths, pathInContainer(list, container.Name, "env", fieldpath.KeyByFields("name", variable.Name), "valueFrom"))
		}
	}
	return paths
}

func pathInContainer(list, name string, within ...any) fieldpath.Path {
	return fieldpath.MakePathOrDie(slices.Concat(
		[]any{"spec", "template", "spec", list, fieldpath.KeyByFields("name", name)}, within)...)
}

// NotInCronJob returns the paths of what the CronJob of this name must not have: in its pods, what the Deployment's must not have.
func NotInCronJob(in Inputs, name string) []fieldpath.Path {
	in = in.ofPods()
	schedule := scheduleOf(in.Application, name)
	if schedule == nil {
		return nil
	}
	paths := NotInDeployment(Inputs{Application: scheduledApplication(in.Application, schedule)})
	for i := range paths {
		paths[i] = slices.Concat(fieldpath.MakePathOrDie("spec", "jobTemplate"), paths[i])
	}
	return paths
}
