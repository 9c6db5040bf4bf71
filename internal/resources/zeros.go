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
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
)

// The types of core/v1 do not tell a field that a user has set to "", false or 0 from one that was left out, and to
// Kubernetes both are the same. Here they are set to that, so that the operator owns them, and an edit is drift. It is done for
// fields that the API server fills in nothing for and that change what a container does; what is a pointer in core/v1, and
// was left out, stays others' to set (decision 0023).

// setZero sets what is not set to its zero value.
func setZero[T any](field **T) {
	if *field == nil {
		*field = new(T)
	}
}

// setContainerZeros is for a container that the user has written as one of core/v1.
func setContainerZeros(container *corev1ac.ContainerApplyConfiguration) {
	setZero(&container.WorkingDir)
	setZero(&container.Stdin)
	setZero(&container.StdinOnce)
	setZero(&container.TTY)
	for i := range container.VolumeMounts {
		setZero(&container.VolumeMounts[i].ReadOnly)
		setZero(&container.VolumeMounts[i].SubPath)
	}
	for _, probe := range []*corev1ac.ProbeApplyConfiguration{
		container.LivenessProbe, container.ReadinessProbe, container.StartupProbe,
	} {
		if probe != nil {
			setZero(&probe.InitialDelaySeconds)
		}
	}
}

// setVariableZeros makes a variable without a source have an empty value.
func setVariableZeros(variable *corev1ac.EnvVarApplyConfiguration) {
	if variable.ValueFrom == nil {
		setZero(&variable.Value)
	}
}

// setVolumeZeros is for a volume whose source the user has written as one of core/v1.
func setVolumeZeros(volume *corev1ac.VolumeApplyConfiguration) {
	if volume.EmptyDir != nil {
		setZero(&volume.EmptyDir.Medium)
	}
}
