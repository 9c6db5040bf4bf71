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
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/resources"
)

// hooks are annotations by which tools run a Job before each release.
var hooks = map[string][]string{
	"helm.sh/hook":            {"pre-upgrade", "pre-install"},
	"argocd.argoproj.io/hook": {"PreSync"},
}

// hookAnnotations are those that go with them.
var hookAnnotations = []string{"helm.sh/hook", "helm.sh/hook-weight", "helm.sh/hook-delete-policy", "argocd.argoproj.io/hook", "argocd.argoproj.io/hook-delete-policy"}

// isRelease reports whether a Job runs before each release.
func (w *workload) isRelease(doc *document) bool {
	metadata := doc.root().in("metadata")
	if metadata.in("labels").has(resources.LabelRevision) {
		return true
	}
	for key, phases := range hooks {
		for _, phase := range phases {
			if strings.Contains(metadata.in("annotations").peek(key), phase) {
				return true
			}
		}
	}
	return false
}

// readJob makes the release command of a Job of the same image that runs before each release.
func (w *workload) readJob(doc *document, template map[string]any) {
	spec := doc.root().in("spec")
	containers := spec.in("template", "spec").list("containers")
	if len(containers) == 0 || repository(containers[0].peek("image")) != repository(w.app.Spec.Image) || !w.isRelease(doc) {
		return
	}
	if len(containers) > 1 || w.app.Spec.Release != nil {
		doc.keep("a release is one command of one container; keep it as a hook of its own")
		return
	}
	container := containers[0]
	release := &v1.ReleaseSpec{Command: mustList[string](container, "command"), Args: mustList[string](container, "args")}
	if len(release.Command)+len(release.Args) == 0 {
		doc.keep("a release needs a command or arguments, and it has none; keep it as a hook of its own")
		return
	}
	w.readAttempts(spec, release)
	release.Resources = w.ownResources(container)
	if image := container.text("image"); image != w.app.Spec.Image {
		container.note("image", image, "the release command runs the application's image, "+w.app.Spec.Image)
	}
	annotations := doc.root().in("metadata", "annotations")
	annotations.drop(hookAnnotations...)
	w.noteGains(spec.in("template"))
	w.plainCompanion(doc)
	w.dropOwnLabels(spec.in("template", "metadata"))
	w.readPodsOfRuns(spec.in("template"), template)
	w.app.Spec.Release = release
}

// readAttempts reads how often and how long it is tried.
func (w *workload) readAttempts(spec part, release *v1.ReleaseSpec) {
	limit, said := take[int32](spec, "backoffLimit")
	if !said {
		limit = 6 // Kubernetes' own
	}
	if limit != 0 {
		release.BackoffLimit = &limit
	}
	seconds, said := take[int64](spec, "activeDeadlineSeconds")
	if attempt, limited := take[int64](spec.in("template", "spec"), "activeDeadlineSeconds"); limited { // which the operator limits as well
		if said && !spec.doc.root().in("metadata", "labels").has(resources.LabelRevision) {
			spec.note("activeDeadlineSeconds", seconds, "what an attempt may take is taken over, and all of them may take little more")
		}
		seconds, said = attempt, true
	}
	if said && seconds != 600 {
		release.ActiveDeadlineSeconds = &seconds
	}
	if !said {
		spec.note("", nil, "a release command without a deadline has 600 seconds; set spec.release.activeDeadlineSeconds if it may take longer")
	}
	if spec.doc.live {
		spec.drop("selector")
	}
	spec.dropIf("podFailurePolicy", batchv1.PodFailurePolicy{Rules: []batchv1.PodFailurePolicyRule{{
		Action:          batchv1.PodFailurePolicyActionIgnore,
		OnPodConditions: []batchv1.PodFailurePolicyOnPodConditionsPattern{{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue}},
	}}})
	spec.remark("ttlSecondsAfterFinished", "the operator removes the Job when it is not needed any more")
}
