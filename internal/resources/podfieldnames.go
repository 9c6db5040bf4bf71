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
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	v1 "github.com/example/app-operator/api/v1"
)

const podTemplatePath = "spec.template"

// DeploymentFields names the fields of the Deployment.
func DeploymentFields(app *v1.Application) FieldNames {
	names := append(objectFields(), FieldNames{
		{"spec.replicas", "spec.replicas"},
		{"spec.strategy", "spec.rollout.strategy"},
		{"spec.strategy.rollingUpdate", "spec.rollout"},
		{"spec.strategy.rollingUpdate.maxSurge", "spec.rollout.maxSurge"},
		{"spec.strategy.rollingUpdate.maxUnavailable", "spec.rollout.maxUnavailable"},
		{"spec.minReadySeconds", "spec.rollout.minReadySeconds"},
		{"spec.progressDeadlineSeconds", "spec.rollout.progressDeadlineSeconds"},
		{"spec.revisionHistoryLimit", "spec.rollout.revisionHistoryLimit"},
		// The API server leaves out the template's metadata.
		{podTemplatePath + ".labels", "spec.podMetadata.labels*"},
		{podTemplatePath + ".annotations", "spec.podMetadata.annotations*"},
	}...)
	return names.named(podTemplatePath, "", podFields(app)...)
}

// CronJobFields names the fields of the CronJob of this name.
func CronJobFields(app *v1.Application, name string) FieldNames {
	names := objectFields()
	schedule := scheduleOf(app, name)
	if schedule == nil {
		return names
	}
	const job = "spec.jobTemplate"
	said := fmt.Sprintf("spec.schedules[%s]", schedule.Name)
	names = names.named("", said,
		fieldName{"metadata.name", ".name"},
		fieldName{"spec.schedule", ".schedule"},
		fieldName{"spec.timeZone", ".timeZone"},
		fieldName{"spec.concurrencyPolicy", ".concurrencyPolicy"},
		fieldName{"spec.suspend", ".suspend"},
		fieldName{"spec.startingDeadlineSeconds", ".startingDeadlineSeconds"},
		fieldName{"spec.successfulJobsHistoryLimit", ".successfulJobsHistoryLimit"},
		fieldName{"spec.failedJobsHistoryLimit", ".failedJobsHistoryLimit"},
		fieldName{job + ".spec.backoffLimit", ".backoffLimit"},
		fieldName{job + ".spec.activeDeadlineSeconds", ".activeDeadlineSeconds"},
	)
	return names.ofJobPods(scheduledApplication(app, schedule), job+".spec.template", said, schedule.Resources)
}

// ControllerRevisionFields names the fields of a ControllerRevision.
func ControllerRevisionFields(*v1.Application) FieldNames { return objectFields() }

// JobFields names the fields of the Job of the release command.
func JobFields(app *v1.Application) FieldNames {
	names := objectFields()
	release := app.Spec.Release
	if release == nil {
		return names
	}
	const template, said = "spec.template", "spec.release"
	names = names.named("", said,
		fieldName{"spec.backoffLimit", ".backoffLimit"},
		fieldName{"spec.activeDeadlineSeconds", ".activeDeadlineSeconds"},
		fieldName{template + ".spec.activeDeadlineSeconds", ".activeDeadlineSeconds"},
	)
	run := jobApplication(app, release.Command, release.Args, release.Resources)
	return names.ofJobPods(run, template, said, release.Resources)
}

// ofJobPods adds the names of the fields of a Job's pods, for an Application as the Job runs it. What the Job has of its own is called
// by where it is said.
func (n FieldNames) ofJobPods(run *v1.Application, template, said string, own *v1.ResourceRequirements) FieldNames {
	names := n.named(template, "", podFields(run)...)
	names = names.named(template, "", // the API server leaves out the template's metadata
		fieldName{".labels", "spec.podMetadata.labels*"}, fieldName{".annotations", "spec.podMetadata.annotations*"})
	for _, main := range []string{"0", keyed("name", run.Name)} {
		container := fmt.Sprintf("%s.spec.containers[%s]", template, main)
		names = names.named(container, said, fieldName{".command", ".command*"}, fieldName{".args", ".args*"})
		if own != nil {
			names = names.named(container, said, fieldName{".resources", ".resources*"})
		}
	}
	return names
}

// PodFields names the fields of a pod.
func PodFields(app *v1.Application) FieldNames {
	names := podFields(app)
	for i := range names {
		names[i].child = strings.TrimPrefix(names[i].child, ".")
	}
	return names
}

// podFields names the fields of a pod or of its template.
func podFields(app *v1.Application) FieldNames {
	names := FieldNames{
		{".metadata.labels", "spec.podMetadata.labels*"},
		{".metadata.annotations", "spec.podMetadata.annotations*"},
		{".spec.serviceAccountName", "spec.serviceAccount.name"},
		{".spec.automountServiceAccountToken", "spec.serviceAccount.automountToken"},
		{".spec.terminationGracePeriodSeconds", "spec.shutdown.gracePeriodSeconds"},
		{".spec.securityContext", "spec.security.profile"},
		{".spec.securityContext.runAsUser", "spec.security.runAsUser"},
		{".spec.securityContext.runAsGroup", "spec.security.runAsGroup"},
		{".spec.securityContext.fsGroup", "spec.security.fsGroup"},
		{".spec.securityContext.fsGroupChangePolicy", "spec.security.fsGroupChangePolicy"},
		{".spec.securityContext.supplementalGroups", "spec.security.supplementalGroups*"},
		{".spec.hostUsers", "spec.security.hostUsers"},
		{".spec.securityContext.hostUsers", "spec.security.hostUsers"},
		{".spec.enableServiceLinks", "spec.enableServiceLinks"},
		{".spec.imagePullSecrets", "spec.imagePullSecrets!"},
		{".spec.volumes", "spec.files!"},
		{".spec.nodeSelector", "spec.scheduling.nodeSelector*"},
		{".spec.tolerations", "spec.scheduling.tolerations*"},
		{".spec.affinity", "spec.scheduling.affinity*"},
		{".spec.topologySpreadConstraints", "spec.scheduling.topologySpreadConstraints*"},
		{".spec.priorityClassName", "spec.scheduling.priorityClassName"},
		{".spec.runtimeClassName", "spec.scheduling.runtimeClassName"},
	}
	for i, name := range app.Spec.ImagePullSecrets {
		names = names.item(".spec.imagePullSecrets", i, keyed("name", name), fmt.Sprintf("spec.imagePullSecrets[%d]", i), fieldName{})
	}
	names = append(names, volumeFields(app)...)
	names = names.item(".spec.containers", 0, keyed("name", app.Name), "", mainContainerFields(app)...)
	names = append(names, containerFields(0, "spec.sidecars", app.Spec.Sidecars)...)
	return append(names, containerFields(len(app.Spec.Sidecars), "spec.initContainers", app.Spec.InitContainers)...)
}

// containerFields names the fields of the user's own containers, of which so many others come before them.
func containerFields(before int, field string, containers []corev1.Container) FieldNames {
	var names FieldNames
	for i, container := range containers {
		names = names.item(".spec.initContainers", before+i, keyed("name", container.Name), fmt.Sprintf("%s[%d]*", field, i), fieldName{})
	}
	return names
}

// volumeFields names the fields of the volumes, each by the first file or volume of the spec that it is made of.
func volumeFields(app *v1.Application) FieldNames {
	all, err := volumesOf(app)
	if err != nil { // then there is no pod to speak of
		return nil
	}
	var names FieldNames
	sources := sourcesOf(app)
	for i, volume := range all.volumes {
		at := slices.IndexFunc(sources, func(source namedSource) bool { return source.name == *volume.Name })
		names = names.item(".spec.volumes", i, keyed("name", *volume.Name), sources[at].field,
			fieldName{"", "*"}, fieldName{".name", sources[at].nameField})
		if sources[at].Inline != nil {
			names = names.item(".spec.volumes", i, keyed("name", *volume.Name), sources[at].field, fieldName{".configMap", ".inline"})
		}
	}
	return names
}

// mainContainerFields names the fields of the container that runs the image.
func mainContainerFields(app *v1.Application) FieldNames {
	names := FieldNames{
		{".name", "metadata.name"},
		{".image", "spec.image"},
		{".imagePullPolicy", "spec.imagePullPolicy"},
		{".command", "spec.command*"},
		{".args", "spec.args*"},
		{".env", "spec.env*"},
		{".envFrom", "spec.envFrom*"},
		{".resources", "spec.resources*"},
		{".livenessProbe", "spec.probes.liveness*"},
		{".readinessProbe", "spec.probes.readiness*"},
		{".startupProbe", "spec.probes.startup*"},
		{".lifecycle.preStop", "spec.shutdown.preStop*"},
		{".lifecycle.preStop.sleep", "spec.shutdown.preStopSleepSeconds"},
		{".securityContext", "spec.security.profile"},
		{".securityContext.capabilities", "spec.security.capabilities*"},
		{".securityContext.readOnlyRootFilesystem", "spec.security.readOnlyRootFilesystem"},
		{".ports", "spec.additionalPorts!"},
		{".volumeMounts", "spec.files!"},
	}
	for i, file := range app.Spec.Files {
		names = names.item(".volumeMounts", i, keyed("mountPath", file.MountPath), fmt.Sprintf("spec.files[%d]", i),
			fieldName{"", "*"}, fieldName{".name", nameField(file)})
	}
	i := 0
	if port := app.Spec.Port; port != nil {
		names = names.item(".ports", i, fmt.Sprintf("containerPort=%d,protocol=%q", *port, corev1.ProtocolTCP), "",
			fieldName{"", "spec.port"}, fieldName{".name", "spec.portName"})
		i++
	}
	for j, port := range app.Spec.AdditionalPorts {
		key := fmt.Sprintf("containerPort=%d,protocol=%q", port.Port, protocolOf(port.Protocol))
		names = names.item(".ports", i+j, key, fmt.Sprintf("spec.additionalPorts[%d]", j), fieldName{},
			fieldName{".name", ".name"}, fieldName{".containerPort", ".port"}, fieldName{".protocol", ".protocol"})
	}
	return names
}
