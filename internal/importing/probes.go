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

package importing

import (
	"regexp"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	v1 "github.com/example/app-operator/api/v1"
)

// readProbes reads how the kubelet asks the container.
func (w *workload) readProbes() {
	var probes v1.ProbesSpec
	for _, kind := range []struct {
		name string
		to   **v1.Probe
	}{{"livenessProbe", &probes.Liveness}, {"readinessProbe", &probes.Readiness}, {"startupProbe", &probes.Startup}} {
		probe, ok := take[v1.Probe](w.main, kind.name)
		if !ok {
			continue
		}
		w.setProbePorts(&probe)
		for _, number := range []**int32{&probe.PeriodSeconds, &probe.TimeoutSeconds, &probe.SuccessThreshold, &probe.FailureThreshold} {
			if ptr.Deref(*number, 1) == 0 { // which is Kubernetes' default
				*number = nil
			}
		}
		*kind.to = &probe
	}
	if !same(probes, v1.ProbesSpec{}) {
		w.app.Spec.Probes = &probes
	}
}

// setProbePorts has a probe ask where the Application calls the port so. spec.port need not be named.
func (w *workload) setProbePorts(probe *v1.Probe) {
	switch {
	case probe.HTTPGet != nil:
		probe.HTTPGet.Port = w.asked(probe.HTTPGet.Port)
	case probe.TCPSocket != nil:
		probe.TCPSocket.Port = w.asked(probe.TCPSocket.Port)
	case probe.GRPC != nil && w.hasMain() && ptr.Deref(probe.GRPC.Port, 0) == w.ports[0].number:
		probe.GRPC.Port = nil
	}
}

func (w *workload) asked(port *intstr.IntOrString) *intstr.IntOrString {
	if port == nil || *port == intstr.FromInt32(0) {
		return nil
	}
	if port.Type == intstr.Int {
		return port
	}
	named := w.portNamed(port.StrVal)
	if named.Type == intstr.Int {
		return &named
	}
	name := named.StrVal
	switch {
	case w.isMainPort(name):
		return nil
	case w.portNumber(name) != 0:
		return new(intstr.FromString(name))
	}
	for _, other := range w.portsOfOthers() { // a container may be asked for a port of another
		if other.containerName == port.StrVal {
			return new(intstr.FromInt32(other.number))
		}
	}
	return new(intstr.FromString(name))
}

func (w *workload) shutdown() *v1.ShutdownSpec {
	if w.app.Spec.Shutdown == nil {
		w.app.Spec.Shutdown = &v1.ShutdownSpec{}
	}
	return w.app.Spec.Shutdown
}

// readShutdown reads how a pod ends.
func (w *workload) readShutdown() {
	grace := int64(30)
	if given, ok := take[int64](w.pod, "terminationGracePeriodSeconds"); ok {
		grace = given
		w.shutdown().GracePeriodSeconds = &grace
	}
	hook := w.main.in("lifecycle", "preStop")
	if hook.fields == nil {
		return
	}
	if grace == 0 {
		w.main.in("lifecycle").remark("preStop", "with a grace period of 0 the pod is killed before it has run; remove it, or set spec.shutdown.gracePeriodSeconds above 0")
		return
	}
	if sleep, ok := take[corev1.SleepAction](hook, "sleep"); ok {
		w.setSleep(hook, "sleep.seconds", sleep.Seconds)
		return
	}
	done, _ := whole[v1.PreStopHook](hook)
	switch {
	case done.HTTPGet != nil:
		done.HTTPGet.Port = w.asked(done.HTTPGet.Port)
		w.shutdown().PreStop = &done
	case done.Exec != nil:
		w.setPreStop(hook, "exec.command", done.Exec.Command)
	}
}

// setPreStop has a command run before the end, which a field of the hook has said, or the kubelet sleep if the command does nothing else: that
// needs no program of the image.
func (w *workload) setPreStop(hook part, field string, command []string) {
	if seconds, ok := sleepSeconds(command); ok {
		w.setSleep(hook, field, seconds)
		return
	}
	w.shutdown().PreStop = &v1.PreStopHook{Exec: &v1.ExecProbe{Command: command}}
}

// setSleep has the kubelet sleep before the end for so many seconds, which a field of the hook has said.
func (w *workload) setSleep(hook part, field string, seconds int64) {
	if seconds >= ptr.Deref(w.shutdown().GracePeriodSeconds, 30) {
		hook.note(field, seconds, "the sleep has to end before the grace period does; set spec.shutdown.gracePeriodSeconds above it")
		w.shutdown().GracePeriodSeconds = new(seconds + 1)
	}
	if seconds > 0 {
		w.shutdown().PreStopSleepSeconds = seconds
	}
}

var (
	// shell is what runs a script that is its third word, and sleeps a command, or a script, that does nothing but sleep for whole seconds.
	shell  = regexp.MustCompile(`^((/usr)?/bin/)?(ba|da|a)?sh -e?c$`)
	sleeps = regexp.MustCompile(`^(exec +)?((/usr)?/bin/)?sleep +([0-9]{1,5})s?;?$`)
)

// sleepSeconds returns for how many seconds a command sleeps, if it does nothing else.
func sleepSeconds(command []string) (seconds int64, ok bool) {
	switch {
	case len(command) == 3 && shell.MatchString(command[0]+" "+command[1]):
		command = command[2:]
	case len(command) != 2:
		return 0, false
	}
	match := sleeps.FindStringSubmatch(strings.TrimSpace(strings.Join(command, " ")))
	if match == nil {
		return 0, false
	}
	seconds, err := strconv.ParseInt(match[len(match)-1], 10, 64)
	return seconds, err == nil
}
