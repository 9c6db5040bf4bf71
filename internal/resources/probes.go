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
		completeProbe(config, app, ports)
		*kind.field = config
	}
	return nil
}

// addPreStop adds what is done before the container is told to end.
func addPreStop(container *corev1ac.ContainerApplyConfiguration, app *v1.Application, ports []port) error {
	shutdown := ptr.Deref(app.Spec.Shutdown, v1.ShutdownSpec{})
	handler := corev1ac.LifecycleHandler()
	switch {
	case shutdown.PreStop != nil:
		var err error
		if handler, err = toApplyConfig[corev1ac.LifecycleHandlerApplyConfiguration](shutdown.PreStop); err != nil {
			return err
		}
		if handler.HTTPGet != nil {
			handler.HTTPGet.Port = askedPort(handler.HTTPGet.Port, app, ports)
		}
	case shutdown.PreStopSleepSeconds > 0:
		handler.WithSleep(corev1ac.SleepAction().WithSeconds(shutdown.PreStopSleepSeconds))
	default:
		return nil
	}
	container.WithLifecycle(corev1ac.Lifecycle().WithPreStop(handler))
	return nil
}

// completeProbe fills in the port.
func completeProbe(probe *corev1ac.ProbeApplyConfiguration, app *v1.Application, ports []port) {
	switch {
	case probe.HTTPGet != nil:
		probe.HTTPGet.Port = askedPort(probe.HTTPGet.Port, app, ports)
	case probe.TCPSocket != nil:
		probe.TCPSocket.Port = askedPort(probe.TCPSocket.Port, app, ports)
	case probe.GRPC != nil && probe.GRPC.Port == nil:
		probe.GRPC.WithPort(ptr.Deref(app.Spec.Port, 0))
	}
}

// askedPort returns where the container is asked: by number, or by the name that the container has for the port, which is the
// main one if none is given.
func askedPort(given *intstr.IntOrString, app *v1.Application, ports []port) *intstr.IntOrString {
	asked := ptr.Deref(given, intstr.FromString(MainPortName(app)))
	if asked.Type == intstr.String {
		asked.StrVal = portNamed(ports, asked.StrVal)
	}
	return &asked
}
