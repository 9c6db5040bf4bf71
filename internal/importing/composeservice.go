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
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/ptr"

	v1 "github.com/example/app-operator/api/v1"
)

var errNoImage = errors.New("there is no image; build and push one, and give its name")

// claimSize is that of a claim for a volume of compose, which has none.
const claimSize = "1Gi"

// readCompose reads a service of a compose file.
func readCompose(s *session, doc *document) {
	root := doc.root()
	w := newForeign(s, doc, part{doc: doc}, root)
	if s.options.Name == "" {
		s.app.Name = strings.ReplaceAll(strings.ToLower(doc.name), "_", "-")
	}
	if s.app.Name != doc.name {
		root.note("", doc.name, "the Application is called "+s.app.Name+"; clients that ask for the service by its name have to ask for that")
	}
	root.remark("build", "build the image with docker compose build, and push it")
	w.setImage(root, "image")
	w.readComposeContainer(root)
	w.readComposePorts(root)
	w.readComposeVolumes(root)
	w.readComposeFiles(root)
	w.readHealthcheck(root.in("healthcheck"))
	w.readComposeSecurity(root)
	w.readDeploy(root)
	w.readComposeLabels(root)
	if len(root.in("networks").fields) == 0 { // the default one
		root.drop("networks")
	}
	w.keepRest()
	w.finishScaling()
}

var composePolicies = map[string]corev1.PullPolicy{
	"always": corev1.PullAlways, "missing": corev1.PullIfNotPresent, "if_not_present": corev1.PullIfNotPresent, "never": corev1.PullNever,
}

func (w *workload) readComposeContainer(root part) {
	spec := &w.app.Spec
	if policy, ok := composePolicies[root.peek("pull_policy")]; ok {
		root.drop("pull_policy")
		w.setPullPolicy(policy)
	}
	spec.Command, spec.Args = literals(mustList[string](root, "entrypoint")), literals(mustList[string](root, "command"))
	for _, item := range root.list("environment") {
		if !item.has("value") {
			item.note("", nil, "the variable "+item.peek("name")+" comes from the environment of whoever runs compose; give its value in spec.env")
			item.empty()
			continue
		}
		if variable, ok := whole[corev1.EnvVar](item); ok {
			variable.Value = literal(variable.Value)
			spec.Env = append(spec.Env, variable)
		}
	}
	root.dropEmpty("environment")
	root.dropIf("restart", "always")
	root.dropIf("restart", "unless-stopped")
	if grace := root.seconds("stop_grace_period"); grace != nil {
		w.shutdown().GracePeriodSeconds = new(int64(*grace))
	} else {
		w.shutdown().GracePeriodSeconds = new(int64(10)) // compose's own
	}
	hooks := root.list("pre_stop")
	if len(hooks) == 1 && len(hooks[0].fields) == 1 {
		w.setPreStop(root, "pre_stop", mustList[string](hooks[0], "command"))
		root.drop("pre_stop")
	}
}

// readComposePorts reads what the container listens on, by which other services reach it. What is published is the machine's.
func (w *workload) readComposePorts(root part) {
	for _, item := range root.list("ports") {
		target, _ := item.number("target")
		item.dropIf("mode", "ingress")
		protocol := corev1.Protocol(strings.ToUpper(item.text("protocol")))
		number := strconv.Itoa(int(target))
		item.dropIf("published", number)
		item.remark("published", "it was the machine's port: other services reach the container's, "+number+
			". From outside, use spec.ingress, or spec.service.type NodePort or LoadBalancer")
		if w.hasPort(target, protocol) { // which is published twice
			continue
		}
		entry := w.listens(item, item.text("name"), target, target, protocol)
		if application := item.text("app_protocol"); application != "" {
			entry.appProtocol = &application
		}
	}
	for i, text := range mustList[string](root, "expose") {
		number, given, _ := strings.Cut(text, "/")
		parsed, err := strconv.ParseUint(number, 10, 16)
		if err != nil {
			root.note(fmt.Sprintf("expose[%d]", i), text, "give each port of the range in spec.additionalPorts")
			continue
		}
		if port, protocol := int32(parsed), corev1.Protocol(strings.ToUpper(given)); !w.hasPort(port, protocol) {
			w.listens(part{doc: w.doc, path: fmt.Sprintf("expose[%d]", i)}, "", port, port, protocol)
		}
	}
	w.finishPorts()
}

// readComposeVolumes makes claims of volumes, and memory of tmpfs.
func (w *workload) readComposeVolumes(root part) {
	mounted := map[string]bool{}
	for _, item := range root.list("volumes") {
		target := item.peek("target")
		if !strings.HasPrefix(target, "/") {
			continue
		}
		switch item.peek("type") {
		case "volume":
			w.addComposeVolume(item, target, mounted)
		case "tmpfs":
			item.drop("type", "target")
			w.addFileOf(item, v1.File{MountPath: target, VolumeSource: v1.VolumeSource{EmptyDir: memory(item.in("tmpfs").text("size"))}})
			if len(item.in("tmpfs").fields) == 0 {
				item.drop("tmpfs")
			}
		default:
			item.note("", item.peek("source"), "a folder or file of the machine is not there in a cluster: give a file's text in spec.files[].inline, "+
				"or a ConfigMap, a Secret or a claim")
			item.empty()
		}
	}
	root.dropEmpty("volumes")
	for i, text := range mustList[string](root, "tmpfs") {
		target, options, _ := strings.Cut(text, ":")
		if options != "" {
			root.note(fmt.Sprintf("tmpfs[%d]", i), options, "an emptyDir has no mount options; give sizeLimit if it needs a bound")
		}
		w.addFileOf(root, v1.File{MountPath: target, VolumeSource: v1.VolumeSource{EmptyDir: memory("")}})
	}
	if size := root.text("shm_size"); size != "" {
		w.addFileOf(root, v1.File{MountPath: "/dev/shm", VolumeSource: v1.VolumeSource{EmptyDir: memory(size)}})
	}
}

func memory(size string) *corev1.EmptyDirVolumeSource {
	volume := &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory}
	if quantity, err := resource.ParseQuantity(size); err == nil && !quantity.IsZero() {
		volume.SizeLimit = &quantity
	}
	return volume
}

var notInName = regexp.MustCompile(`[^a-z0-9]+`)

// addComposeVolume adds a claim that is made, or names one that is external.
func (w *workload) addComposeVolume(item part, target string, mounted map[string]bool) {
	source := item.text("source")
	item.drop("type", "target")
	name := strings.Trim(notInName.ReplaceAllString(strings.ToLower(source), "-"), "-")
	file := v1.File{MountPath: target, Name: name, SubPath: item.in("volume").text("subpath")}
	file.ReadOnly, _ = take[bool](item, "read_only")
	external, _ := take[bool](item.in("definition"), "external")
	switch {
	case source == "":
		file.Name, file.EmptyDir = "", &corev1.EmptyDirVolumeSource{}
		item.note("", target, "a volume without a name is an emptyDir, which is empty again in each new pod; give it a claim if its data are to stay")
	case mounted[name]:
	case external:
		file.PersistentVolumeClaim = &v1.ClaimSource{ClaimName: name}
		item.note("source", source, "it is external: make a claim "+name+" and bring its data there")
	default:
		file.PersistentVolumeClaim = &v1.ClaimSource{Size: claimSize}
		w.rollout().Strategy = appsv1.RecreateDeploymentStrategyType
		item.note("source", source, "a volume of compose has no size, and a claim has: "+claimSize+" was taken; give the size that it needs, and bring the data there")
	}
	mounted[name] = source != ""
	w.addFileOf(item, file)
	for _, of := range []string{"volume", "definition"} {
		if len(item.in(of).fields) == 0 {
			item.drop(of)
		}
	}
}

// readComposeFiles makes files of configs and secrets.
func (w *workload) readComposeFiles(root part) {
	for _, kind := range []string{"configs", "secrets"} {
		for _, item := range root.list(kind) {
			source := item.text("source")
			name := strings.Trim(notInName.ReplaceAllString(strings.ToLower(source), "-"), "-")
			target := item.text("target")
			switch {
			case target == "" && kind == "secrets":
				target = "/run/secrets/" + source
			case target == "":
				target = "/" + source
			case !strings.HasPrefix(target, "/"):
				target = path.Join("/run/secrets", target)
			}
			definition := item.in("definition")
			file := cmp.Or(definition.text("file"), "FILE")
			definition.drop("external")
			if content := definition.text("content"); content != "" {
				w.addFileOf(item, configFile(target, path.Base(target), v1.VolumeSource{Inline: map[string]string{path.Base(target): content}}))
			} else if kind == "configs" {
				item.note("source", source, fmt.Sprintf("make it: kubectl create configmap %s --from-file=%s=%s", name, source, file))
				w.addFileOf(item, configFile(target, source, fromConfigMap(name)))
			} else {
				item.note("source", nil, fmt.Sprintf("make it: kubectl create secret generic %s --from-file=%s=%s", name, source, file))
				w.addFileOf(item, configFile(target, source, fromSecret(name)))
			}
			if len(definition.fields) == 0 {
				item.drop("definition")
			}
		}
		root.dropEmpty(kind)
	}
}

// readHealthcheck makes a readiness probe, since compose only reports.
func (w *workload) readHealthcheck(check part) {
	test := mustList[string](check, "test")
	if len(test) == 0 || test[0] == "NONE" {
		check.drop("disable")
		return
	}
	command := test[1:]
	if test[0] == "CMD-SHELL" {
		command = append([]string{"sh", "-c"}, command...)
	}
	check.note("test", nil, "compose only reports how it goes; it is the readiness probe, by which requests are kept away. Make it the liveness probe if the "+
		"container is to be restarted")
	probe := &v1.Probe{Exec: &v1.ExecProbe{Command: literals(command)}}
	probe.PeriodSeconds, probe.TimeoutSeconds = atLeastOne(check.seconds("interval")), atLeastOne(check.seconds("timeout"))
	if probe.PeriodSeconds == nil {
		probe.PeriodSeconds = new(int32(30)) // compose's own
	}
	if probe.TimeoutSeconds == nil {
		probe.TimeoutSeconds = new(int32(30))
	}
	if retries, ok := check.number("retries"); ok && retries > 0 {
		probe.FailureThreshold = &retries
	}
	if start := check.seconds("start_period"); start != nil && *start > 0 {
		period := int32(5) // compose's own start_interval
		if given := atLeastOne(check.seconds("start_interval")); given != nil {
			period = *given
		}
		w.probes().Startup = &v1.Probe{Exec: probe.Exec, PeriodSeconds: &period, TimeoutSeconds: probe.TimeoutSeconds, FailureThreshold: new(max(1, *start/period))}
	}
	w.probes().Readiness = probe
}

func atLeastOne(seconds *int32) *int32 {
	if seconds != nil && *seconds < 1 {
		return new(int32(1))
	}
	return seconds
}

var userID = regexp.MustCompile(`^([0-9]+)(?::([0-9]+))?$`)

func (w *workload) readComposeSecurity(root part) {
	if found := userID.FindStringSubmatch(root.peek("user")); found != nil {
		root.drop("user")
		w.security().RunAsUser = parseID(found[1])
		w.security().RunAsGroup = parseID(found[2])
	}
	groups := mustList[string](root, "group_add")
	for i, text := range groups {
		if id := parseID(text); id != nil {
			w.security().SupplementalGroups = append(w.security().SupplementalGroups, *id)
		} else {
			root.note(fmt.Sprintf("group_add[%d]", i), text, "a group is a number here; give the id that the name has in the image")
		}
	}
	add, drop := capabilityNames(mustList[string](root, "cap_add")), capabilityNames(mustList[string](root, "cap_drop"))
	if len(add)+len(drop) > 0 {
		w.security().Capabilities = &v1.Capabilities{Add: add, Drop: drop}
	}
	if readOnly, ok := take[bool](root, "read_only"); ok {
		w.security().ReadOnlyRootFilesystem = &readOnly
	}
	root.dropIf("security_opt", []any{"no-new-privileges:true"})
	root.dropIf("security_opt", []any{"no-new-privileges"})
}

func parseID(text string) *int64 {
	id, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return nil
	}
	return &id
}

// readDeploy reads how many containers run, with what, and how they are replaced.
func (w *workload) readDeploy(root part) {
	deploy := root.in("deploy")
	deploy.dropIf("mode", "replicated")
	for _, of := range []part{root, deploy} {
		for _, name := range []string{"scale", "replicas"} {
			if replicas, ok := of.number(name); ok {
				w.app.Spec.Replicas = &replicas
			}
		}
	}
	w.readComposeResources(root, deploy.in("resources"))
	update := deploy.in("update_config")
	if order := update.peek("order"); order == "start-first" && w.app.Spec.Rollout == nil {
		update.drop("order")
		if parallel, ok := update.number("parallelism"); ok && parallel > 0 {
			w.rollout().MaxSurge = new(intstr.FromInt32(parallel))
		}
	}
	if update.peek("failure_action") == "rollback" {
		update.drop("failure_action")
		w.rollout().OnFailure = v1.FailurePolicyRollback
	}
	if monitor := update.seconds("monitor"); monitor != nil {
		w.rollout().MinReadySeconds = *monitor
	}
	for i, text := range mustList[string](deploy.in("placement"), "constraints") {
		key, value, found := strings.Cut(strings.ReplaceAll(text, " ", ""), "==")
		if label, ok := strings.CutPrefix(key, "node.labels."); ok && found {
			if w.app.Spec.Scheduling == nil {
				w.app.Spec.Scheduling = &v1.SchedulingSpec{NodeSelector: map[string]string{}}
			}
			w.app.Spec.Scheduling.NodeSelector[label] = value
			continue
		}
		deploy.in("placement").note(fmt.Sprintf("constraints[%d]", i), text, "give the labels that the node has to have in spec.scheduling.nodeSelector, "+
			"or spec.scheduling.affinity")
	}
	w.spareClaims()
}

// spareClaims has claims be mounted by several pods where there are several.
func (w *workload) spareClaims() {
	if ptr.Deref(w.app.Spec.Replicas, 1) <= 1 {
		return
	}
	for i := range w.app.Spec.Files {
		if claim := w.app.Spec.Files[i].PersistentVolumeClaim; claim != nil && claim.Size != "" {
			claim.AccessModes = []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany}
			w.doc.root().note("deploy.replicas", *w.app.Spec.Replicas, "several pods mount the claim of "+w.app.Spec.Files[i].MountPath+
				", which its storage class has to allow (ReadWriteMany)")
		}
	}
}

func (w *workload) readComposeResources(root, of part) {
	for _, bound := range []struct {
		in       part
		name     string
		resource corev1.ResourceName
		limit    bool
	}{
		{root, "cpus", corev1.ResourceCPU, true},
		{root, "mem_limit", corev1.ResourceMemory, true},
		{root, "mem_reservation", corev1.ResourceMemory, false},
		{of.in("limits"), "cpus", corev1.ResourceCPU, true},
		{of.in("limits"), "memory", corev1.ResourceMemory, true},
		{of.in("reservations"), "cpus", corev1.ResourceCPU, false},
		{of.in("reservations"), "memory", corev1.ResourceMemory, false},
	} {
		if !bound.in.has(bound.name) {
			continue
		}
		quantity, ok := take[resource.Quantity](bound.in, bound.name)
		if !ok || quantity.IsZero() {
			continue
		}
		if bound.resource == corev1.ResourceMemory {
			quantity = *resource.NewQuantity(quantity.Value(), resource.BinarySI)
		}
		w.setResources(func(all *v1.ResourceRequirements) {
			list := &all.Requests
			if bound.limit {
				list = &all.Limits
			}
			if *list == nil {
				*list = v1.ResourceList{}
			}
			(*list)[bound.resource] = quantity
		})
	}
}

// readComposeLabels makes labels of what can be one, and annotations of the rest.
func (w *workload) readComposeLabels(root part) {
	labels := root.in("labels")
	for _, key := range slices.Sorted(maps.Keys(labels.fields)) {
		value := labels.peek(key)
		switch {
		case strings.HasPrefix(key, "traefik."):
			labels.remark(key, "give the host in spec.ingress.host or spec.httpRoute.hostnames")
			continue
		case len(validation.IsQualifiedName(key)) > 0 || reserved(key):
			labels.remark(key, "no label or annotation can have this name; choose another in spec.podMetadata")
			continue
		case len(validation.IsValidLabelValue(value)) == 0:
			w.podMetadata().Labels = with(w.podMetadata().Labels, key, value)
		default:
			w.podMetadata().Annotations = with(w.podMetadata().Annotations, key, value)
		}
		labels.drop(key)
	}
	if annotations, ok := take[map[string]string](root, "annotations"); ok {
		for key, value := range annotations {
			w.podMetadata().Annotations = with(w.podMetadata().Annotations, key, value)
		}
	}
	for _, name := range []string{"labels", "deploy"} {
		if root.has(name) && len(root.in(name).fields) == 0 {
			root.drop(name)
		}
	}
}

func with[V any](all map[string]V, key string, value V) map[string]V {
	if all == nil {
		all = map[string]V{}
	}
	all[key] = value
	return all
}
