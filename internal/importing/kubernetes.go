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
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// workload is a Deployment and what is known of it while it becomes an Application.
type workload struct {
	*session
	doc *document
	// template is the template of the pods, pod its spec, and main the container that runs the image.
	template, pod, main part
	// mainName is the name of that container, and podLabels are the labels of the pods, both as they were.
	mainName  string
	podLabels map[string]string
	// operators says that the operator has made the Deployment: what is not there is not to be there.
	operators bool
	// tls says that the program of a RuntimeComponent serves HTTPS.
	tls     bool
	service *document
	// ports are those of the Application, and inside those of the container that it does not have.
	ports, inside []*portEntry
	// accountName is the ServiceAccount that the pods had; "" is default. policySelectors are those of the policies that have been read.
	accountName     string
	policySelectors []any
	// sharedBudgets are PodDisruptionBudgets that other pods may have too.
	sharedBudgets []*document
}

// readDeployment reads a Deployment and what belongs to it.
func readDeployment(s *session, doc *document) {
	w := &workload{session: s, doc: doc, template: doc.root().in("spec", "template")}
	w.pod = w.template.in("spec")
	w.podLabels = stringMap(w.template.in("metadata").fields["labels"])
	w.operators = w.podLabels["app.kubernetes.io/managed-by"] == "app-operator"
	if !w.chooseMain() {
		return
	}
	w.chooseService()
	w.nameAfterService()
	w.objectMetadata(doc)
	w.readPorts()
	w.readRollout()
	jobs := w.templateOfJobs()
	w.readPods()
	w.readService()
	for _, read := range []struct {
		kind string
		read func(*document)
	}{
		{"ServiceAccount", w.readServiceAccount},
		{"Ingress", w.readIngress},
		{"HTTPRoute", w.readHTTPRoute},
		{"HorizontalPodAutoscaler", w.readAutoscaler},
		{"PodDisruptionBudget", w.readBudget},
		{"NetworkPolicy", w.readNetworkPolicy},
		{"ServiceMonitor", w.readMonitor},
		{"CronJob", func(doc *document) { w.readCronJob(doc, jobs) }},
		{"Job", func(doc *document) { w.readJob(doc, jobs) }},
	} {
		for _, doc := range w.ofKind(read.kind) {
			read.read(doc)
		}
	}
	w.finishScaling()
	w.finishNetworkPolicy()
	w.readConfig()
	w.keepRest()
}

// versions are those in which the kinds of companions are read.
var versions = map[string][]string{
	"ServiceAccount": {"v1"}, "Service": {"v1"}, "ConfigMap": {"v1"}, "PersistentVolumeClaim": {"v1"},
	"Ingress": {"networking.k8s.io/v1"}, "NetworkPolicy": {"networking.k8s.io/v1"},
	"HTTPRoute":               {"gateway.networking.k8s.io/v1", "gateway.networking.k8s.io/v1beta1"},
	"HorizontalPodAutoscaler": {"autoscaling/v2", "autoscaling/v1"},
	"PodDisruptionBudget":     {"policy/v1"}, "ServiceMonitor": {"monitoring.coreos.com/v1"}, "CronJob": {"batch/v1"}, "Job": {"batch/v1"},
}

// isNear reports whether a document is of the kind, in a version that is read, and in the workload's namespace.
func (w *workload) isNear(doc *document, kind string) bool {
	here, there := w.doc.namespace, doc.namespace
	return doc.kind == kind && slices.Contains(versions[kind], doc.apiVersion) && (here == there || here == "" || there == "")
}

// ofKind returns the documents of a kind, those with the Application's or the workload's name first.
func (w *workload) ofKind(kind string) []*document {
	var docs []*document
	for _, doc := range w.docs {
		if w.isNear(doc, kind) && doc != w.service {
			docs = append(docs, doc)
		}
	}
	rank := func(doc *document) int { return slices.Index([]string{w.app.Name, w.doc.name, doc.name}, doc.name) }
	slices.SortStableFunc(docs, func(a, b *document) int { return cmp.Compare(rank(a), rank(b)) })
	return docs
}

// selects reports whether a selector finds the pods. One that is empty finds all pods of the namespace, and is not about these.
func (w *workload) selects(selector any) bool {
	parsed, _, err := decode[metav1.LabelSelector](selector)
	if err != nil || len(parsed.MatchLabels)+len(parsed.MatchExpressions) == 0 {
		return false
	}
	compiled, err := metav1.LabelSelectorAsSelector(&parsed)
	return err == nil && compiled.Matches(labels.Set(w.podLabels))
}

// stringMap returns the texts of an object.
func stringMap(value any) map[string]string {
	all := map[string]string{}
	fields, _ := value.(map[string]any)
	for key, field := range fields {
		if text, ok := field.(string); ok {
			all[key] = text
		}
	}
	return all
}

// chooseMain decides which container runs the image.
func (w *workload) chooseMain() bool {
	containers := w.pod.list("containers")
	if len(containers) == 0 {
		w.fail(w.doc, "spec.template.spec.containers", errNoContainer)
		return false
	}
	chosen, named := w.namedMain(containers)
	if len(containers) > 1 && !named {
		chosen.note("name", chosen.peek("name"), "it was taken as the application's own container, since no other is named like the Deployment, "+
			"and the others as sidecars; if that is wrong, exchange them")
	}
	w.main, w.mainName = chosen, chosen.peek("name")
	return true
}

// defaultContainer is the annotation of pods by which kubectl knows their main container.
const defaultContainer = "kubectl.kubernetes.io/default-container"

// namedMain returns the container that the manifests call the main one, or the first one.
func (w *workload) namedMain(containers []part) (main part, named bool) {
	for _, name := range []string{
		w.options.Name, w.template.in("metadata", "annotations").peek(defaultContainer), w.doc.name, w.podLabels["app.kubernetes.io/name"], w.podLabels["app"],
	} {
		for _, container := range containers {
			if name != "" && container.peek("name") == name {
				return container, true
			}
		}
	}
	return containers[0], false
}

// nameAfterService names the Application: its name is that of its Service, and so its DNS name.
func (w *workload) nameAfterService() {
	w.app.Name = cmp.Or(w.options.Name, w.doc.name)
	if w.options.Name == "" && w.service != nil && w.service.name != w.doc.name && applicationName.MatchString(w.service.name) {
		w.app.Name = w.service.name
		w.doc.root().note("metadata.name", w.doc.name, "the Application is named after the Service, since that is the name by which others reach it; "+
			"choose another one with --name")
	}
	if w.mainName != w.app.Name {
		w.main.note("name", w.mainName, "the application's own container is named like the Application, "+w.app.Name+
			"; queries of logs and metrics by the container's name have to change")
		if annotations := w.template.in("metadata", "annotations"); annotations.has(defaultContainer) && annotations.peek(defaultContainer) == w.mainName {
			annotations.fields[defaultContainer] = w.app.Name
		}
	}
	w.main.drop("name")
}

// readPods reads the template of the pods.
func (w *workload) readPods() {
	metadata := w.template.in("metadata")
	w.doc.root().in("spec").drop("selector") // the operator's own labels select the pods, which keep theirs beside them
	w.readPodMetadata(metadata)
	w.readMain()
	w.readSecurity()
	w.readOtherContainers()
	w.readVolumes()
	w.readScheduling()
	w.readAccount()
	if value, ok := take[bool](w.pod, "enableServiceLinks"); ok {
		w.app.Spec.EnableServiceLinks = &value
	}
}

// keepRest says of what is left which objects stay what they are.
func (w *workload) keepRest() {
	references := w.references()
	for _, doc := range w.docs {
		if doc == w.doc || len(doc.left) == 0 {
			continue
		}
		switch {
		case slices.Contains(madeByControllers, doc.kind):
			doc.forget()
		case !touched(doc) && doc.from == "" && w.isElsewhere(doc):
			doc.forget() // an object of the namespace that has nothing to do with these pods
		case !touched(doc) && references[doc.kind+" "+doc.name]:
			doc.keep("it stays an object of its own, which the Application names; keep it")
		case doc.kind == "Service" && !touched(doc):
			w.keepService(doc)
		case !touched(doc) && doc.kind != "":
			doc.keep(w.noPart(doc))
		default: // what is left of it is told
		}
	}
}

// noPart says what to do with an object that is no part of the Application.
func (w *workload) noPart(doc *document) string {
	group, _, _ := strings.Cut(doc.apiVersion, "/")
	if read := versions[doc.kind]; len(read) > 0 && !slices.Contains(read, doc.apiVersion) && (builtIn[group] || strings.HasPrefix(read[0], group+"/")) {
		return "it is not read in this version; give it as " + read[0] + ", and import it again"
	}
	for _, name := range []string{"scaleTargetRef", "targetRef", "workloadRef"} {
		target := doc.root().in("spec", name)
		if kind := target.peek("kind"); target.peek("name") != w.doc.name || kind != "" && kind != w.doc.kind {
			continue
		}
		if slices.Contains([]string{"ScaledObject", "VerticalPodAutoscaler", "HorizontalPodAutoscaler"}, doc.kind) {
			return "it has to name the Application in spec." + name + ", with apiVersion: apps.example.com/v1, kind: Application and name: " + w.app.Name +
				"; the operator undoes what others change of the Deployment"
		}
		return "it changes the Deployment " + w.doc.name + ", and the operator undoes what others change of its Deployment; do without it, or keep the Deployment"
	}
	return "it is no part of the Application; keep it if it is needed" + w.selectsNote(doc)
}

// builtIn are groups in which kinds of today had their earlier versions.
var builtIn = map[string]bool{"extensions": true, "apps": true}

// isElsewhere reports whether an object of the cluster does not find these pods.
func (w *workload) isElsewhere(doc *document) bool {
	if doc.kind == "Service" {
		return !w.selects(map[string]any{"matchLabels": doc.root().in("spec").fields["selector"]})
	}
	return w.selectsNote(doc) == ""
}

// touched reports whether anything was taken of a document.
func touched(doc *document) bool { return !same(doc.left, doc.original) }

// madeByControllers are kinds that others make.
var madeByControllers = []string{"ReplicaSet", "Pod", "ControllerRevision", "Endpoints", "EndpointSlice", "Event", "Lease"}

// selectsNote says what becomes of an object that selects the pods.
func (w *workload) selectsNote(doc *document) string {
	if doc.kind == "ServiceMonitor" {
		return "" // selects Services
	}
	for _, name := range []string{"selector", "podSelector", "endpointSelector"} {
		if selector, ok := doc.root().in("spec").fields[name]; ok && w.selects(selector) {
			return w.reselectNote(selector)
		}
	}
	return ""
}

// reselectNote says whether a selector still finds the pods.
func (w *workload) reselectNote(selector any) string {
	if key := w.changedLabel(selector); key != "" {
		return "; it selects the pods by " + key + ", which is " + w.newLabel(key) + " from now on: correct its selector"
	}
	return "; it selects the pods, which keep those labels"
}

// changedLabel returns a label by which a selector finds the pods and which the operator changes, or "".
func (w *workload) changedLabel(selector any) string {
	parsed, _, _ := decode[metav1.LabelSelector](selector)
	for _, key := range slices.Sorted(maps.Keys(parsed.MatchLabels)) {
		if reserved(key) && !w.keepsLabel(key) {
			return key
		}
	}
	return ""
}

func (w *workload) keepsLabel(key string) bool { return w.podLabels[key] == w.newLabel(key) }

// newLabel returns the value that the operator gives a label of its own.
func (w *workload) newLabel(key string) string {
	if strings.HasSuffix(key, "managed-by") {
		return "app-operator"
	}
	return w.app.Name
}
