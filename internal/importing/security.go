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
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	v1 "github.com/example/app-operator/api/v1"
)

func (w *workload) security() *v1.SecuritySpec {
	if w.app.Spec.Security == nil {
		w.app.Spec.Security = &v1.SecuritySpec{}
	}
	return w.app.Spec.Security
}

// restricted reports whether the pods are imported under the profile Restricted.
func (w *workload) restricted() bool {
	return w.app.Spec.Security != nil && w.app.Spec.Security.Profile == v1.SecurityProfileRestricted
}

// readSecurity reads what the pods and the main container may do.
func (w *workload) readSecurity() {
	pod, main := w.pod.in("securityContext"), w.main.in("securityContext")
	if w.pod.path == w.main.path { // of tools that describe both in one, it is the container's
		pod.fields = nil
	}
	mayBeRoot := w.othersThatMayBeRoot(pod)
	runtimeDefault := map[string]any{"type": string(corev1.SeccompProfileTypeRuntimeDefault)}
	pod.dropIf("seccompProfile", runtimeDefault)
	main.dropIf("seccompProfile", runtimeDefault)
	main.dropIf("privileged", false)
	main.dropIf("allowPrivilegeEscalation", false)
	main.dropIf("procMount", "Default")
	for _, name := range []string{"seccompProfile", "appArmorProfile", "seLinuxOptions"} { // which no Application says
		if pod.has(name) {
			w.sayForOthers(name, pod.fields[name])
		}
	}
	w.readUsers(pod, main)
	if group, ok := take[int64](pod, "fsGroup"); ok {
		w.security().FSGroup = &group
	}
	if policy, ok := take[corev1.PodFSGroupChangePolicy](pod, "fsGroupChangePolicy"); ok {
		w.security().FSGroupChangePolicy = &policy
	}
	if groups := mustList[int64](pod, "supplementalGroups"); len(groups) > 0 {
		w.security().SupplementalGroups = groups
	}
	if readOnly, ok := take[bool](main, "readOnlyRootFilesystem"); ok {
		w.security().ReadOnlyRootFilesystem = &readOnly
	}
	if users, ok := take[bool](w.pod, "hostUsers"); ok {
		w.security().HostUsers = &users
	}
	w.readCapabilities(pod, main)
	if w.restricted() {
		keepCapabilities(mayBeRoot)
	}
	for _, at := range []struct {
		in   part
		name string
	}{{w.pod, "securityContext"}, {w.main, "securityContext"}} {
		if of := at.in.in(at.name); of.fields != nil && len(of.fields) == 0 {
			at.in.drop(at.name)
		}
	}
}

// readUsers reads whom the container runs as. What it says itself wins over what the pod says.
func (w *workload) readUsers(pod, main part) {
	for _, kind := range []struct {
		name string
		to   func() **int64
	}{
		{"runAsUser", func() **int64 { return &w.security().RunAsUser }},
		{"runAsGroup", func() **int64 { return &w.security().RunAsGroup }},
	} {
		ofPod, podSays := take[int64](pod, kind.name)
		own, mainSays := take[int64](main, kind.name)
		if !podSays && !mainSays {
			continue
		}
		id := ofPod
		if mainSays {
			id = own
		}
		*kind.to() = &id
		if mainSays && (!podSays || own != ofPod) {
			before := &ofPod
			if !podSays {
				before = nil
			}
			w.spareOthers(kind.name, before)
		}
	}
}

// spareOthers has the other containers keep what the pod says, where the Application says something else for all.
func (w *workload) spareOthers(name string, ofPod *int64) {
	for _, item := range w.others() {
		if item.in("securityContext").has(name) {
			continue
		}
		if ofPod == nil {
			item.note("securityContext."+name, nil, "the application's "+name+" holds for this container too, which had none; give it its own if it needs another")
			continue
		}
		item.object("securityContext").set(name, *ofPod)
	}
}

// others returns the containers beside the main one.
func (w *workload) others() []part {
	var all []part
	for _, list := range []string{"initContainers", "containers", "sidecarContainers"} {
		for _, item := range w.pod.list(list) {
			if item.path != w.main.path {
				all = append(all, item)
			}
		}
	}
	return all
}

// othersThatMayBeRoot returns the other containers that have capabilities to lose: those of a user that is not root count for nothing,
// unless its privileges may escalate.
func (w *workload) othersThatMayBeRoot(pod part) []part {
	var all []part
	for _, item := range w.others() {
		own := item.in("securityContext")
		says := func(name string) any {
			if own.has(name) {
				return own.fields[name]
			}
			return pod.fields[name]
		}
		user := says("runAsUser")
		nonRoot := says("runAsNonRoot") == true || user != nil && !same(user, 0)
		if !nonRoot || own.fields["allowPrivilegeEscalation"] == true {
			all = append(all, item)
		}
	}
	return all
}

// harmless is a capability that no container has unless it is given to it.
const harmless = "SYS_BOOT"

// keepCapabilities has containers keep their capabilities under the profile Restricted, which drops those of a container that drops none.
func keepCapabilities(containers []part) {
	for _, item := range containers {
		capabilities := item.object("securityContext").object("capabilities")
		if drop, _ := capabilities.fields["drop"].([]any); len(drop) > 0 {
			continue
		}
		capabilities.set("drop", []any{harmless})
		item.note("securityContext.capabilities.drop", nil, "the profile Restricted drops all capabilities of a container that drops none, so it drops "+
			harmless+", which containers do not have by themselves, and keeps the others; have it drop ALL if it needs none")
	}
}

// sayForOthers has the other containers say themselves what the pod says of all, where they say nothing.
func (w *workload) sayForOthers(name string, ofPod any) {
	for _, item := range w.others() {
		if security := item.object("securityContext"); !security.has(name) {
			security.set(name, ofPod)
		}
	}
}

// readCapabilities decides on the profile: Restricted is for what does not run as root and drops all capabilities.
func (w *workload) readCapabilities(pod, main part) {
	of := main.in("capabilities")
	add, drop := capabilityNames(mustList[string](of, "add")), capabilityNames(mustList[string](of, "drop"))
	if of.fields != nil && len(of.fields) == 0 {
		main.drop("capabilities")
	}
	ofPod, _ := take[bool](pod, "runAsNonRoot")
	own, said := take[bool](main, "runAsNonRoot")
	nonRoot := ofPod && !said || own
	dropsAll := slices.Contains(drop, "ALL")
	others := slices.ContainsFunc(add, func(name string) bool { return name != "NET_BIND_SERVICE" })
	root := w.app.Spec.Security != nil && w.app.Spec.Security.RunAsUser != nil && *w.app.Spec.Security.RunAsUser == 0
	switch {
	case nonRoot && !others && !root:
		w.security().Profile = v1.SecurityProfileRestricted
		if !dropsAll {
			main.note("securityContext.capabilities.drop", drop, "runAsNonRoot is said by the profile Restricted, which also drops all capabilities")
			drop = nil
		}
		if len(drop) == 1 {
			drop = nil
		}
	case nonRoot:
		pod.note("runAsNonRoot", true, "it goes with the profile Restricted alone, which allows no capability but NET_BIND_SERVICE; spec.security.runAsUser "+
			"keeps the container from being root")
	}
	if len(add)+len(drop) > 0 {
		w.security().Capabilities = &v1.Capabilities{Add: add, Drop: drop}
	}
	if w.restricted() == ofPod {
		return
	}
	w.sayForOthers("runAsNonRoot", ofPod)
}

// capabilityNames returns capabilities as the container runtimes call them.
func capabilityNames(names []string) []string {
	for i, name := range names {
		names[i] = strings.TrimPrefix(strings.ToUpper(name), "CAP_")
	}
	return names
}
