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
	"k8s.io/apimachinery/pkg/util/intstr"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/utils/ptr"

	v1 "github.com/example/app-operator/api/v1"
)

// addProbes adds the probes to the container. One that does not name a port asks at the main one.
func addProbes(container *corev1ac.ContainerApplyConfiguration, app *v1.Application, ports []port) error {
	probes := app.Spec.Probes
	if probes == nil {
		return nil
	}
	for _, kind := range []struct {
		probe *v1.Probe
		field **corev1ac.ProbeApplyConfiguration
	}{
		{probes.Liveness, &container.LivenessProbe},
		{probes.Readiness, &container.ReadinessProbe},
		{probes.Startup, &container.StartupProbe},
	} {
		if kind.probe == nil {
			continue
		}
		config, err := toApplyConfig[corev1ac.ProbeApplyConfiguration](kind.probe)
		if err != nil {
			return err
		}
		completeProbe(config, app)
		nameProbedPort(config, ports)
		*kind.field = config
	}
	return nil
}

// completeProbe fills in the port.
func completeProbe(probe *corev1ac.ProbeApplyConfiguration, app *v1.Application) {
	port := intstr.FromString(MainPortName)
	if probe.HTTPGet != nil && probe.HTTPGet.Port == nil {
		probe.HTTPGet.WithPort(port)
	}
	if probe.TCPSocket != nil && probe.TCPSocket.Port == nil {
		probe.TCPSocket.WithPort(port)
	}
	if probe.GRPC != nil && probe.GRPC.Port == nil {
		probe.GRPC.WithPort(ptr.Deref(app.Spec.Port, 0))
	}
}

// nameProbedPort has a probe ask at the port by the name that the container has for it.
func nameProbedPort(probe *corev1ac.ProbeApplyConfiguration, ports []port) {
	var asked *intstr.IntOrString
	switch {
	case probe.HTTPGet != nil:
		asked = probe.HTTPGet.Port
	case probe.TCPSocket != nil:
		asked = probe.TCPSocket.Port
	}
	if asked != nil && asked.Type == intstr.String {
		asked.StrVal = portNamed(ports, asked.StrVal)
	}
}
