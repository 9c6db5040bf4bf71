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
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	v1 "github.com/example/app-operator/api/v1"
)

// placeholder is what a Score file leaves to be filled in.
var placeholder = regexp.MustCompile(`\$\{([^}]+)\}`)

// readScore reads a workload of Score. Its first container is the application's, unless one is named like the workload.
func readScore(s *session, doc *document) {
	root := doc.root()
	containers := root.in("containers")
	names := slices.Sorted(maps.Keys(containers.fields))
	if len(names) == 0 {
		s.fail(doc, "containers", errNoContainer)
		return
	}
	main := names[0]
	if slices.Contains(names, doc.name) {
		main = doc.name
	} else if len(names) > 1 {
		containers.note(main, main, "it was taken as the application's own container, and the others as sidecars; if that is wrong, name the right one like the workload")
	}
	w := newForeign(s, doc, part{doc: doc}, containers.in(main))
	w.identify()
	w.readScoreMetadata()
	w.readScorePorts(root.in("service"))
	w.readScoreMain()
	for _, name := range names {
		if name != main {
			w.readScoreSidecar(containers.in(name), name)
		}
	}
	w.readScoreResources(root.in("resources"))
	w.keepRest()
	w.finishScaling()
	for _, name := range names {
		if len(containers.in(name).fields) == 0 {
			containers.drop(name)
		}
	}
	for _, name := range []string{"containers", "service", "resources"} {
		if root.has(name) && len(root.in(name).fields) == 0 {
			root.drop(name)
		}
	}
}

// readScoreMetadata says what of the metadata is not known to Kubernetes.
func (w *workload) readScoreMetadata() {
	metadata := w.doc.root().in("metadata")
	for _, name := range slices.Sorted(maps.Keys(metadata.fields)) {
		metadata.remark(name, "it is for placeholders; give it as a label in spec.objectMetadata.labels if it is to be seen")
	}
}

func (w *workload) readScorePorts(service part) {
	ports := service.in("ports")
	for _, name := range w.scorePortNames(ports) {
		item := ports.in(name)
		served, _ := item.number("port")
		target, said := item.number("targetPort")
		if !said {
			target = served
		}
		w.listens(item, name, target, served, corev1.Protocol(item.text("protocol")))
		if len(item.fields) == 0 {
			ports.drop(name)
		}
	}
	w.finishPorts()
	if service.has("ports") && len(ports.fields) == 0 {
		service.drop("ports")
	}
}

// mainNames are what the port is called by most that requests go to.
var mainNames = []string{"http", "web", "www", "main", "api"}

// scorePortNames returns the names of the ports: first the one that a route leads to, or that has a usual name.
func (w *workload) scorePortNames(ports part) []string {
	routed := map[string]bool{}
	routes := w.doc.root().in("resources")
	for _, name := range slices.Sorted(maps.Keys(routes.fields)) {
		if params := routes.in(name, "params"); routes.in(name).peek("type") == "route" && params.has("port") && len(routed) == 0 {
			routed[jsonOf(params.fields["port"])] = true
		}
	}
	rank := func(name string) int {
		at := slices.Index(mainNames, name)
		switch {
		case routed[jsonOf(ports.in(name).fields["port"])]:
			return -1
		case at < 0:
			return len(mainNames)
		default:
			return at
		}
	}
	names := slices.Sorted(maps.Keys(ports.fields))
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(rank(a), rank(b)) })
	if len(names) > 1 {
		ports.note(names[0], names[0], "it was taken as spec.port, and the others as spec.additionalPorts; if that is wrong, exchange them")
	}
	return names
}

func (w *workload) readScoreMain() {
	main := w.main
	if w.app.Spec.Image = w.scoreImage(main); w.app.Spec.Image == "" {
		w.fail(w.doc, main.pathOf("image"), errNoImage)
	}
	w.app.Spec.Command, w.app.Spec.Args = mustList[string](main, "command"), mustList[string](main, "args")
	w.app.Spec.Env = w.scoreVariables(main)
	w.readResources()
	for name, to := range map[string]string{"livenessProbe": "liveness", "readinessProbe": "readiness"} {
		if probe, ok := take[v1.Probe](main, name); ok {
			w.setProbe(to, &probe)
		}
	}
	eachTarget(main, "files", w.readScoreFile)
	eachTarget(main, "volumes", w.readScoreVolume)
}

// scoreVariables takes the variables of a container. A placeholder of one whole resource is a Secret's key.
func (w *workload) scoreVariables(container part) []corev1.EnvVar {
	variables := container.in("variables")
	var all []corev1.EnvVar
	for _, name := range slices.Sorted(maps.Keys(variables.fields)) {
		value := w.filledIn(variables.text(name))
		found := placeholder.FindStringSubmatch(value)
		if found == nil {
			all = append(all, corev1.EnvVar{Name: name, Value: strings.ReplaceAll(value, "$(", "$$(")})
			continue
		}
		of, key, _ := strings.Cut(strings.TrimPrefix(found[1], "resources."), ".")
		if found[0] != value || !strings.HasPrefix(found[1], "resources.") || key == "" {
			variables.note(name, nil, "the placeholder "+found[0]+" has to be filled in; it is left as it is")
			all = append(all, corev1.EnvVar{Name: name, Value: value})
			continue
		}
		secret := w.app.Name + "-" + of
		variables.note(name, nil, fmt.Sprintf("it is the key %s of a Secret %s, which has to be made, or named otherwise", key, secret))
		all = append(all, corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
			LocalObjectReference: corev1.LocalObjectReference{Name: secret}, Key: key,
		}}})
	}
	if container.has("variables") && len(variables.fields) == 0 {
		container.drop("variables")
	}
	return all
}

// filledIn returns a text with the placeholders of the metadata replaced.
func (w *workload) filledIn(text string) string {
	return strings.ReplaceAll(text, "${metadata.name}", w.app.Name)
}

// eachTarget reads what a container has by targets: a list of items with one each, or an object. Items of which nothing is left go.
func eachTarget(container part, field string, read func(item part, target string)) {
	if _, isObject := container.fields[field].(map[string]any); !isObject {
		for _, item := range container.list(field) {
			read(item, item.text("target"))
		}
		container.dropEmpty(field)
		return
	}
	items := container.in(field)
	for _, target := range slices.Sorted(maps.Keys(items.fields)) {
		if read(items.in(target), target); len(items.in(target).fields) == 0 {
			items.drop(target)
		}
	}
	if len(items.fields) == 0 {
		container.drop(field)
	}
}

// readScoreFile makes a file with its text.
func (w *workload) readScoreFile(item part, target string) {
	if !item.has("content") {
		item.note("", target+" from "+item.peek("source"), "the file's text has to be in spec.files[].inline, or in a ConfigMap; it is left out")
		item.empty()
		return
	}
	var content string
	if lines, ok := item.fields["content"].([]any); ok {
		for _, line := range lines {
			content += fmt.Sprint(line) + "\n"
		}
		item.drop("content")
	} else {
		content = item.text("content")
	}
	if verbatim, _ := take[bool](item, "noExpand"); !verbatim {
		if content = w.filledIn(content); placeholder.MatchString(content) {
			item.note("content", nil, "its placeholders have to be filled in; they are left as they are")
		}
	}
	file := configFile(target, path.Base(target), v1.VolumeSource{Inline: map[string]string{path.Base(target): content}})
	item.remark("mode", "inline files are readable by all; put it into a ConfigMap of your own, and give its items a mode")
	w.addFileOf(item, file)
}

// readScoreVolume makes a file with a claim.
func (w *workload) readScoreVolume(item part, target string) {
	source := item.text("source")
	name := strings.Trim(notInName.ReplaceAllString(strings.TrimSuffix(strings.TrimPrefix(source, "${resources."), "}"), "-"), "-")
	file := v1.File{MountPath: target, Name: name, SubPath: item.text("path")}
	file.ReadOnly, _ = take[bool](item, "readOnly")
	known := slices.ContainsFunc(w.app.Spec.Files, func(other v1.File) bool { return other.Name == name })
	if !known {
		size := w.scoreVolumeSize(source)
		if size == "" {
			size = claimSize
			item.note("source", source, "the volume says no size, and a claim has one: "+claimSize+" was taken; give the size that it needs")
		}
		file.PersistentVolumeClaim = &v1.ClaimSource{Size: size}
		w.rollout().Strategy = appsv1.RecreateDeploymentStrategyType
	}
	w.addFileOf(item, file)
}

// scoreVolumeSize returns how large the resource is to be that a volume is of, or "". The format leaves to those who provide it how that is
// said; this is how most do.
func (w *workload) scoreVolumeSize(source string) string {
	name, found := strings.CutPrefix(strings.TrimSuffix(source, "}"), "${resources.")
	if !found || w.doc.root().in("resources", name).peek("type") != "volume" {
		return ""
	}
	params := w.doc.root().in("resources", name, "params")
	if _, err := resource.ParseQuantity(params.peek("size")); err != nil {
		return ""
	}
	size := params.text("size")
	if len(params.fields) == 0 {
		w.doc.root().in("resources", name).drop("params")
	}
	return size
}

// scoreImage takes an image, which has to be a name.
func (w *workload) scoreImage(container part) string {
	image := container.text("image")
	if image == "." {
		w.fail(w.doc, container.pathOf("image"), errors.New(". is an image that is being built; give the name of the one that was pushed"))
	}
	return image
}

// readScoreSidecar makes a sidecar of another container.
func (w *workload) readScoreSidecar(item part, name string) {
	container := corev1.Container{Name: name, Image: w.scoreImage(item), Command: mustList[string](item, "command"), Args: mustList[string](item, "args")}
	container.Env = w.scoreVariables(item)
	if requests, ok := take[v1.ResourceList](item.in("resources"), "requests"); ok {
		container.Resources.Requests = corev1.ResourceList(requests)
	}
	if limits, ok := take[v1.ResourceList](item.in("resources"), "limits"); ok {
		container.Resources.Limits = corev1.ResourceList(limits)
	}
	if item.has("resources") && len(item.in("resources").fields) == 0 {
		item.drop("resources")
	}
	container.LivenessProbe, _ = take[*corev1.Probe](item, "livenessProbe")
	container.ReadinessProbe, _ = take[*corev1.Probe](item, "readinessProbe")
	item.note("", name, becomesSidecar)
	w.app.Spec.Sidecars = append(w.app.Spec.Sidecars, container)
}

// readScoreResources reads what exposes the workload. The rest is made by others.
func (w *workload) readScoreResources(all part) {
	for _, name := range slices.Sorted(maps.Keys(all.fields)) {
		item := all.in(name)
		switch kind := item.peek("type"); kind {
		case "volume":
			item.drop("type")
		case "route":
			w.readScoreRoute(item)
		default:
			all.remark(name, "what makes a "+kind+" is another operator; its Secret goes into spec.env or spec.envFrom, and the Application waits for it")
			continue
		}
		if len(item.fields) == 0 {
			all.drop(name)
		}
	}
}

// readScoreRoute makes a rule of a route.
func (w *workload) readScoreRoute(item part) {
	params := item.in("params")
	host := w.filledIn(params.text("host"))
	if placeholder.MatchString(host) || host == "" {
		item.note("params.host", host, "the host has to be filled in: give spec.ingress.host")
		host = ""
	}
	rule := v1.IngressRule{Host: host, Path: params.text("path")}
	port, said := params.number("port")
	entry := slices.IndexFunc(w.ports, func(entry *portEntry) bool { return said && entry.served == port })
	if entry > 0 {
		rule.Port = w.ports[entry].name
		if w.app.Spec.Ingress == nil {
			item.note("params.port", strconv.Itoa(int(port)), "the first rule leads to spec.port; give this one in spec.ingress.additionalRules")
		}
	}
	if said && entry < 0 {
		item.note("params.port", strconv.Itoa(int(port)), "the Service has no such port; the rule leads to spec.port")
	}
	if w.hasMain() {
		w.addRule(rule)
		w.app.Spec.Ingress.TLS = ""
	}
	item.drop("type")
	if item.has("params") && len(params.fields) == 0 {
		item.drop("params")
	}
}
