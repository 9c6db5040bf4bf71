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
	"maps"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	batchv1ac "k8s.io/client-go/applyconfigurations/batch/v1"
	"k8s.io/utils/ptr"

	v1 "github.com/example/app-operator/api/v1"
)

// LabelRevision has the hash of the revision whose release command a Job runs, and of the one whose pods a Deployment was last given. It
// is a label there, since another annotation would be another generation of the Deployment. Beside it, the Job and its pods have
// LabelApplication, and the pods LabelManagedBy, by which they are cached; by that alone no application's pods are selected.
const LabelRevision = "apps.example.com/revision"

// How a release command is run that does not say.
const (
	releaseDeadlineSeconds = 600
	releaseBackoffLimit    = 0
	// releaseSlackSeconds is how much longer than its pod the Job may take, beside the time in which the pod ends.
	releaseSlackSeconds = 30
)

// Job returns the Job of the release command, while it is to be there. Its pods are those of the revision that the spec asks for. A
// pod that is evicted does not count as failed.
//
// The deadline is the pod's, which the kubelet ends then and which stays, with its log. That of the Job is for pods that never start:
// the Job's controller deletes those that are left.
func Job(in Inputs) ([]*batchv1ac.JobApplyConfiguration, error) {
	app := in.Application
	if !in.RunRelease || app.Spec.Release == nil {
		return nil, nil
	}
	labels := map[string]string{LabelApplication: app.Name, LabelRevision: in.Update.Hash}
	podLabels := maps.Clone(labels)
	podLabels[LabelManagedBy] = ManagedBy
	template, err := jobPods(releaseApplication(in), podLabels)
	if err != nil {
		return nil, err
	}
	deadline := ptr.Deref(app.Spec.Release.ActiveDeadlineSeconds, releaseDeadlineSeconds)
	template.Spec.WithActiveDeadlineSeconds(deadline)
	spec := batchv1ac.JobSpec().
		WithBackoffLimit(ptr.Deref(app.Spec.Release.BackoffLimit, releaseBackoffLimit)).
		WithActiveDeadlineSeconds(deadline + *template.Spec.TerminationGracePeriodSeconds + releaseSlackSeconds).
		WithPodFailurePolicy(batchv1ac.PodFailurePolicy().WithRules(batchv1ac.PodFailurePolicyRule().
			WithAction(batchv1.PodFailurePolicyActionIgnore).
			WithOnPodConditions(batchv1ac.PodFailurePolicyOnPodConditionsPattern().
				WithType(corev1.DisruptionTarget).WithStatus(corev1.ConditionTrue)))).
		WithTemplate(template)
	return []*batchv1ac.JobApplyConfiguration{batchv1ac.Job(in.ReleaseJob, app.Namespace).
		WithLabels(objectLabels(app)).
		WithLabels(labels).
		WithAnnotations(objectAnnotations(app)).
		WithOwnerReferences(owner(app)).
		WithSpec(spec)}, nil
}

// JobNames returns the name of the Job of the release command, if there is one.
func JobNames(in Inputs) []string {
	if in.ReleaseJob == "" {
		return nil
	}
	return []string{in.ReleaseJob}
}

// IsReleaseJob reports whether the Job is that of the release command of the revision that the spec asks for.
func IsReleaseJob(in Inputs, name string) bool { return name == in.ReleaseJob }

// RunsRelease reports whether the release command is to be run.
func RunsRelease(in Inputs) bool { return in.RunRelease }

// releaseApplication returns the Application as the pods of its release command run it. Where other pods are wanted meanwhile, the
// ConfigMaps of the files in the spec are its own.
func releaseApplication(in Inputs) *v1.Application {
	release := in.Application.Spec.Release
	run := jobApplication(in.Application, release.Command, release.Args, release.Resources)
	if len(in.Running()) == 1 {
		return run
	}
	run.Spec.Files, run.Spec.Volumes = slices.Clone(run.Spec.Files), slices.Clone(run.Spec.Volumes)
	names := volumeNames(run.Spec.Files, run.Spec.Volumes)
	for i := range run.Spec.Files {
		useReleaseVolume(run, names[i], &run.Spec.Files[i].VolumeSource)
	}
	for i := range run.Spec.Volumes {
		useReleaseVolume(run, run.Spec.Volumes[i].Name, &run.Spec.Volumes[i].VolumeSource)
	}
	return run
}

// useReleaseVolume has a volume whose files are in the spec come from the release command's own ConfigMap.
func useReleaseVolume(app *v1.Application, volume string, source *v1.VolumeSource) {
	if source.Inline == nil {
		return
	}
	source.Inline = nil
	source.ConfigMap = &corev1.ConfigMapVolumeSource{
		LocalObjectReference: corev1.LocalObjectReference{Name: ownedName(app, releaseVolume(volume))},
	}
}

// releaseVolume returns what stands for a volume of the release command in the name of its ConfigMap. No volume of the spec has the
// name: they have no capitals or dots.
func releaseVolume(volume string) string { return "release." + volume }
