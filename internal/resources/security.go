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
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/utils/ptr"

	v1 "github.com/example/app-operator/api/v1"
)

// podSecurity returns the pod's part of the security profile. The seccomp profile is more than the baseline
// Pod Security Standard asks for; stock images run under it.
func podSecurity(app *v1.Application) *corev1ac.PodSecurityContextApplyConfiguration {
	context := corev1ac.PodSecurityContext().
		WithSeccompProfile(corev1ac.SeccompProfile().WithType(corev1.SeccompProfileTypeRuntimeDefault))
	if restricted(app) {
		context.WithRunAsNonRoot(true)
	}
	security := app.Spec.Security
	if security == nil {
		return context
	}
	context.RunAsUser = ptrCopy(security.RunAsUser)
	context.RunAsGroup = ptrCopy(security.RunAsGroup)
	context.FSGroup = ptrCopy(security.FSGroup)
	context.FSGroupChangePolicy = ptrCopy(security.FSGroupChangePolicy)
	context.WithSupplementalGroups(security.SupplementalGroups...)
	return context
}

// mainSecurity returns what the main container alone is told beside the profile.
func mainSecurity(app *v1.Application) *corev1ac.SecurityContextApplyConfiguration {
	context := corev1ac.SecurityContext()
	security := app.Spec.Security
	if security == nil {
		return context
	}
	context.ReadOnlyRootFilesystem = ptrCopy(security.ReadOnlyRootFilesystem)
	if of := security.Capabilities; of != nil && len(of.Add)+len(of.Drop) > 0 {
		context.WithCapabilities(corev1ac.Capabilities().WithAdd(capabilities(of.Add)...).WithDrop(capabilities(of.Drop)...))
	}
	return context
}

func capabilities(names []string) []corev1.Capability {
	all := make([]corev1.Capability, 0, len(names))
	for _, name := range names {
		all = append(all, corev1.Capability(name))
	}
	return all
}

// applyProfile puts a container under the profile, where it does not say otherwise.
func applyProfile(container *corev1ac.ContainerApplyConfiguration, app *v1.Application) {
	if container.SecurityContext == nil {
		container.WithSecurityContext(corev1ac.SecurityContext())
	}
	context := container.SecurityContext
	if context.AllowPrivilegeEscalation == nil && !privileged(context) {
		context.WithAllowPrivilegeEscalation(false)
	}
	if !restricted(app) {
		return
	}
	if context.Capabilities == nil {
		context.WithCapabilities(corev1ac.Capabilities())
	}
	if len(context.Capabilities.Drop) == 0 {
		context.Capabilities.WithDrop("ALL")
	}
}

// privileged reports whether the API server would refuse to forbid the container to escalate its privileges (kubernetes
// pkg/apis/core/validation, ValidateSecurityContext).
func privileged(context *corev1ac.SecurityContextApplyConfiguration) bool {
	return ptr.Deref(context.Privileged, false) ||
		context.Capabilities != nil && slices.Contains(context.Capabilities.Add, "CAP_SYS_ADMIN")
}

func restricted(app *v1.Application) bool {
	return app.Spec.Security != nil && app.Spec.Security.Profile == v1.SecurityProfileRestricted
}
