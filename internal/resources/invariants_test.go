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
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	batchv1ac "k8s.io/client-go/applyconfigurations/batch/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	networkingv1ac "k8s.io/client-go/applyconfigurations/networking/v1"
	policyv1ac "k8s.io/client-go/applyconfigurations/policy/v1"
	gatewayv1ac "sigs.k8s.io/gateway-api/applyconfiguration/apis/v1"

	v1 "github.com/example/app-operator/api/v1"
)

// TestInvariants holds for the golden cases what FuzzChildren holds for any Application.
func TestInvariants(t *testing.T) {
	for _, name := range cases(t) {
		t.Run(name, func(t *testing.T) { checkInvariants(t, readInputs(t, name)) })
	}
}

// FuzzChildren builds the children of Applications that no schema has checked.
func FuzzChildren(f *testing.F) {
	for _, seed := range seeds() {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		checkInvariants(t, randomInputs(data))
	})
}

func checkInvariants(t *testing.T, in Inputs) {
	t.Helper()
	before := copyOf(in)
	configs := buildAll(t, in)
	if diff := cmp.Diff(before, in); diff != "" {
		t.Fatalf("building changed the inputs (-before +after):\n%s", diff)
	}
	again := buildAll(t, copyOf(in))
	if diff := cmp.Diff(text(t, configs), text(t, again)); diff != "" {
		t.Errorf("two builds differ:\n%s", diff)
	}
	for heading, builder := range configs.inOrder {
		checkIdentity(t, in, builder.kind, heading, configs[heading])
	}
	checkJobs(t, in.Application, configs)
	checkSelectors(t, in.Application, configs)
	if in.Pods == nil { // those of earlier pods are served as they are: ports_test.go
		checkPorts(t, configs)
	}
	checkPortsOfOthers(t, in.Application, configs)
	checkVolumes(t, in.ofPods().Application, configs)
	checkReplicas(t, in, configs)

	// The client decodes the API server's answer into a configuration: that must not reach the Application.
	for _, config := range configs {
		scribble(reflect.ValueOf(config))
	}
	if diff := cmp.Diff(before, in); diff != "" {
		t.Errorf("a configuration shares memory with the inputs (-before +after):\n%s", diff)
	}
}

func copyOf(in Inputs) Inputs {
	in.Application, in.Update.Data = in.Application.DeepCopy(), slices.Clone(in.Update.Data)
	if in.Pods != nil {
		in.Pods = in.Pods.DeepCopy()
	}
	if live := in.Live; live != nil {
		in.Live = &LiveDeployment{
			Replicas: live.Replicas, Image: live.Image, Ports: slices.Clone(live.Ports),
		}
	}
	in.ServicePorts = slices.Clone(in.ServicePorts)
	in.PodPorts = slices.Clone(in.PodPorts)
	for i := range in.PodPorts {
		in.PodPorts[i] = slices.Clone(in.PodPorts[i])
	}
	return in
}

// checkIdentity holds that a child has the name that its heading says, the Application's labels and one owner reference, or in its place
// a mark; a claim has neither.
func checkIdentity(t *testing.T, in Inputs, kind, heading string, config runtime.ApplyConfiguration) {
	t.Helper()
	app := in.Application
	var object struct {
		Kind     string                                `json:"kind"`
		Metadata metav1ac.ObjectMetaApplyConfiguration `json:"metadata"`
	}
	if err := json.Unmarshal([]byte(text(t, config)), &object); err != nil {
		t.Fatal(err)
	}
	want := &metav1ac.ObjectMetaApplyConfiguration{
		Name:      new(nameIn(app, heading)),
		Namespace: new(app.Namespace),
		Labels:    wantLabels(in, kind),
		OwnerReferences: []metav1ac.OwnerReferenceApplyConfiguration{{
			APIVersion: new("apps.example.com/v1"), Kind: new("Application"), Name: new(app.Name), UID: new(app.UID),
			Controller: new(true), BlockOwnerDeletion: new(true),
		}},
		// Annotations are the user's, and the Deployment's remember its size.
		Annotations: object.Metadata.Annotations,
	}
	if name := *object.Metadata.Name; kind == KindConfigMap || kind == KindPersistentVolumeClaim {
		if !strings.HasPrefix(name, app.Name+"-") {
			t.Errorf("%s is named %s", kind, name)
		}
		want.Name = &name
	}
	marked := app.Spec.DeletionPolicy == v1.DeletionPolicyOrphan &&
		!slices.Contains([]string{"ControllerRevision", "Job", KindPersistentVolumeClaim}, kind)
	mark := object.Metadata.Annotations[v1.AnnotationOwner]
	if want := app.Name + "/" + string(app.UID); marked != (mark == want) {
		t.Errorf("%s has the mark %q", heading, mark)
	}
	if marked {
		want.OwnerReferences = nil
	}
	if kind == KindPersistentVolumeClaim {
		want.OwnerReferences, want.Labels = nil, object.Metadata.Labels
		for key := range want.Labels {
			if strings.HasPrefix(key, "app.kubernetes.io/") {
				t.Errorf("the claim has the label %s", key)
			}
		}
		if want.Labels[LabelApplication] != app.Name {
			t.Errorf("the claim has the labels %v", want.Labels)
		}
	}
	if metadata := app.Spec.ObjectMetadata; metadata != nil {
		for key := range metadata.Annotations {
			if _, has := object.Metadata.Annotations[key]; !has {
				t.Errorf("%s lacks the annotation %q of all objects", heading, key)
			}
		}
	}
	if object.Kind != kind {
		t.Errorf("kind = %q, want %q", object.Kind, kind)
	}
	if diff := cmp.Diff(text(t, want), text(t, object.Metadata)); diff != "" {
		t.Errorf("metadata of %s (-want +got):\n%s", kind, diff)
	}
}

// wantLabels returns the labels that a child of the kind has: the operator's own over the user's.
func wantLabels(in Inputs, kind string) map[string]string {
	app, all := in.Application, map[string]string{}
	switch kind {
	case "ControllerRevision": // nothing by which a StatefulSet would take it for its own
		return map[string]string{LabelApplication: app.Name}
	case "Job":
		all[LabelApplication], all[LabelRevision] = app.Name, in.Update.Hash
	case "Deployment":
		if in.Revision != "" {
			all[LabelRevision] = strings.TrimPrefix(in.Revision, app.Name+"-")
		}
	}
	if app.Spec.ObjectMetadata != nil {
		maps.Copy(all, app.Spec.ObjectMetadata.Labels)
	}
	if app.Spec.Monitoring != nil && kind == "ServiceMonitor" {
		maps.Copy(all, app.Spec.Monitoring.Labels)
	}
	maps.Copy(all, Labels(app.Name))
	return all
}

// nameIn returns the name of the object with this heading: the Application's, or that and a suffix.
func nameIn(app *v1.Application, heading string) string {
	_, name, many := strings.Cut(heading, " ")
	if many && strings.HasPrefix(name, app.Name+"-") {
		return name
	}
	return app.Name
}

// checkJobs holds that nothing that selects the application's pods selects those of its Jobs, and that a NetworkPolicy does where
// there is one.
func checkJobs(t *testing.T, app *v1.Application, configs children) {
	t.Helper()
	policy := childOf[*networkingv1ac.NetworkPolicyApplyConfiguration](configs, heading(app, "NetworkPolicy", jobsPolicyName(app)))
	checkEndpoints(t, configs)
	jobs := 0
	for heading, config := range configs {
		if kindOf(heading) != "CronJob" {
			continue
		}
		jobs++
		job := config.(*batchv1ac.CronJobApplyConfiguration).Spec.JobTemplate
		pods := job.Spec.Template.Labels
		for key := range Labels(app.Name) {
			if _, has := pods[key]; has {
				t.Errorf("the pods of %s have the label %s", heading, key)
			}
		}
		if pods[LabelApplication] != app.Name || job.Labels[LabelApplication] != app.Name {
			t.Errorf("%s and its pods do not name the Application: %v", heading, pods)
		}
		if policy != nil {
			if diff := cmp.Diff(map[string]string{LabelApplication: app.Name}, policy.Spec.PodSelector.MatchLabels); diff != "" {
				t.Errorf("the NetworkPolicy does not cover the pods of %s (-want +got):\n%s", heading, diff)
			}
		}
		container := job.Spec.Template.Spec.Containers[0]
		if len(container.Ports) > 0 || container.LivenessProbe != nil || container.ReadinessProbe != nil || container.StartupProbe != nil {
			t.Errorf("the container of %s serves", heading)
		}
	}
	if jobs != len(app.Spec.Schedules) {
		t.Errorf("there are %d CronJobs for %d schedules", jobs, len(app.Spec.Schedules))
	}
	if jobs > 0 && (policy != nil) != (app.Spec.NetworkPolicy != nil) {
		t.Error("the NetworkPolicy of the Jobs is not there when it is asked for, and only then")
	}
}

// checkEndpoints holds that the pods of Jobs are never Ready, and so endpoints of no Service that selects them by the user's labels, and
// that nothing but its containers and probes keeps a pod of the application from being Ready.
func checkEndpoints(t *testing.T, configs children) {
	t.Helper()
	for heading, config := range configs {
		switch child := config.(type) {
		case *batchv1ac.JobApplyConfiguration:
			checkGate(t, heading, child.Spec.Template, 1)
		case *batchv1ac.CronJobApplyConfiguration:
			checkGate(t, heading, child.Spec.JobTemplate.Spec.Template, 1)
		case *appsv1ac.DeploymentApplyConfiguration:
			checkGate(t, heading, child.Spec.Template, 0)
		}
	}
}

func checkGate(t *testing.T, heading string, template *corev1ac.PodTemplateSpecApplyConfiguration, gates int) {
	t.Helper()
	if got := template.Spec.ReadinessGates; len(got) != gates || gates > 0 && *got[0].ConditionType != conditionServes {
		t.Errorf("the pods of %s have the readiness gates %s, want %d", heading, text(t, template.Spec), gates)
	}
}

// checkSelectors holds that selectors depend on the name alone, and that the pods have what they select.
func checkSelectors(t *testing.T, app *v1.Application, configs children) {
	t.Helper()
	want := map[string]string{LabelName: app.Name, LabelInstance: app.Name, LabelManagedBy: ManagedBy}
	template := templateIn(configs)
	for by, selector := range selectors(configs) {
		if diff := cmp.Diff(metav1ac.LabelSelector().WithMatchLabels(want), selector); diff != "" {
			t.Errorf("the selector of %s (-want +got):\n%s", by, diff)
		}
	}
	if service := childOf[*corev1ac.ServiceApplyConfiguration](configs, "Service"); service != nil {
		if diff := cmp.Diff(want, service.Spec.Selector); diff != "" {
			t.Errorf("the Service's selector (-want +got):\n%s", diff)
		}
	}
	if scheduling := app.Spec.Scheduling; scheduling == nil || len(scheduling.TopologySpreadConstraints) == 0 {
		if spread := template.Spec.TopologySpreadConstraints; len(spread) != 1 || *spread[0].WhenUnsatisfiable != "ScheduleAnyway" {
			t.Errorf("the pods are not spread softly: %s", text(t, spread))
		}
	}
	// Reserved labels win over the user's; all other labels are the user's.
	labels := map[string]string{}
	if app.Spec.PodMetadata != nil {
		maps.Copy(labels, app.Spec.PodMetadata.Labels)
	}
	maps.Copy(labels, want)
	if diff := cmp.Diff(labels, template.Labels); diff != "" {
		t.Errorf("the pods' labels (-want +got):\n%s", diff)
	}
}

// selectors returns all selectors that are ours to choose, by who selects.
func selectors(configs children) map[string]*metav1ac.LabelSelectorApplyConfiguration {
	deployment := childOf[*appsv1ac.DeploymentApplyConfiguration](configs, "Deployment")
	all := map[string]*metav1ac.LabelSelectorApplyConfiguration{"Deployment": deployment.Spec.Selector}
	if budget := childOf[*policyv1ac.PodDisruptionBudgetApplyConfiguration](configs, "PodDisruptionBudget"); budget != nil {
		all["PodDisruptionBudget"] = budget.Spec.Selector
	}
	if policy := childOf[*networkingv1ac.NetworkPolicyApplyConfiguration](configs, "NetworkPolicy"); policy != nil {
		all["NetworkPolicy"] = policy.Spec.PodSelector
	}
	if monitor := childOf[*ServiceMonitorApplyConfiguration](configs, "ServiceMonitor"); monitor != nil {
		all["ServiceMonitor"] = monitor.Spec.Selector
	}
	for _, constraint := range deployment.Spec.Template.Spec.TopologySpreadConstraints {
		if len(constraint.MatchLabelKeys) == 1 && *constraint.MaxSkew == 1 { // the default one, as far as it matters
			all["spread"] = constraint.LabelSelector
		}
	}
	return all
}

// checkPorts holds that what the Service targets is a port of the container, of the same protocol.
func checkPorts(t *testing.T, configs children) {
	t.Helper()
	service := childOf[*corev1ac.ServiceApplyConfiguration](configs, "Service")
	ports := templateIn(configs).Spec.Containers[0].Ports
	if service == nil {
		if len(ports) > 0 {
			t.Errorf("there is no Service for the container's ports: %s", text(t, ports))
		}
		return
	}
	if len(service.Spec.Ports) != len(ports) {
		t.Errorf("the Service has %d ports, the container %d", len(service.Spec.Ports), len(ports))
	}
	for _, port := range service.Spec.Ports {
		if !targets(port, ports) {
			t.Errorf("the container has no port for the Service's: %s", text(t, port))
		}
	}
}

func targets(port corev1ac.ServicePortApplyConfiguration, ports []corev1ac.ContainerPortApplyConfiguration) bool {
	for _, candidate := range ports {
		named := port.TargetPort.Type == intstr.String && *candidate.Name == port.TargetPort.StrVal
		numbered := port.TargetPort.Type == intstr.Int && *candidate.ContainerPort == port.TargetPort.IntVal
		if (named || numbered) && *candidate.Protocol == *port.Protocol {
			return true
		}
	}
	return false
}

// checkPortsOfOthers holds that Ingress, route and ServiceMonitor lead to ports of the Service. The schema sees to it that
// monitoring names one.
func checkPortsOfOthers(t *testing.T, app *v1.Application, configs children) {
	t.Helper()
	var names []string
	mainPort := int32(-1)
	if service := childOf[*corev1ac.ServiceApplyConfiguration](configs, "Service"); service != nil {
		for _, port := range service.Spec.Ports {
			names = append(names, *port.Name)
		}
		mainPort = *service.Spec.Ports[0].Port
	}
	if ingress := childOf[*networkingv1ac.IngressApplyConfiguration](configs, "Ingress"); ingress != nil {
		backend := ingress.Spec.Rules[0].HTTP.Paths[0].Backend.Service
		if *backend.Name != app.Name || *backend.Port.Number != mainPort || names[0] != MainPortName(app) {
			t.Errorf("the Ingress leads to %s, the Service has the ports %q", text(t, backend), names)
		}
	}
	if route := childOf[*gatewayv1ac.HTTPRouteApplyConfiguration](configs, "HTTPRoute"); route != nil {
		backend := route.Spec.Rules[0].BackendRefs[0]
		if string(*backend.Name) != app.Name || *backend.Port != mainPort || names[0] != MainPortName(app) {
			t.Errorf("the route leads to %s, the Service has the main port %d", text(t, backend), mainPort)
		}
	}
	if monitor := childOf[*ServiceMonitorApplyConfiguration](configs, "ServiceMonitor"); monitor != nil {
		asked := *monitor.Spec.Endpoints[0].Port
		if slices.Contains(portNames(app), asked) && !slices.Contains(names, asked) {
			t.Errorf("the ServiceMonitor reads port %q, the Service has the ports %q", asked, names)
		}
	}
}

// portNames returns the names of the Application's ports.
func portNames(app *v1.Application) []string {
	var names []string
	if app.Spec.Port != nil {
		names = append(names, MainPortName(app))
	}
	for _, port := range app.Spec.AdditionalPorts {
		names = append(names, port.Name)
	}
	return names
}

// checkVolumes holds that each file is mounted from a volume, that each volume is mounted, and that no two volumes have one
// name or are of one claim.
func checkVolumes(t *testing.T, app *v1.Application, configs children) {
	t.Helper()
	pod := templateIn(configs).Spec
	volumes, claims := map[string]bool{}, map[string]bool{}
	for _, volume := range pod.Volumes {
		if problems := validation.IsDNS1123Label(*volume.Name); len(problems) > 0 {
			t.Errorf("volume %q: %v", *volume.Name, problems)
		}
		if volumes[*volume.Name] {
			t.Errorf("there are two volumes %q", *volume.Name)
		}
		volumes[*volume.Name] = true
		if claim := volume.PersistentVolumeClaim; claim != nil && claim.ClaimName != nil {
			if claims[*claim.ClaimName] {
				t.Errorf("there are two volumes of the claim %q", *claim.ClaimName)
			}
			claims[*claim.ClaimName] = true
		}
	}
	mounted := map[string]bool{}
	for i, mount := range pod.Containers[0].VolumeMounts {
		mounted[*mount.Name] = true
		if *mount.MountPath != app.Spec.Files[i].MountPath {
			t.Errorf("mounted at %q, want %q", *mount.MountPath, app.Spec.Files[i].MountPath)
		}
	}
	for _, volume := range app.Spec.Volumes { // which only others may mount
		if volumes[volume.Name] {
			mounted[volume.Name] = true
		}
	}
	if diff := cmp.Diff(mounted, volumes, cmpopts.EquateEmpty()); diff != "" || len(pod.Containers[0].VolumeMounts) != len(app.Spec.Files) {
		t.Errorf("%d files, and what is mounted is not what there is (-mounted +volumes):\n%s", len(app.Spec.Files), diff)
	}
}

// checkReplicas holds that the Deployment says how many pods there are unless the autoscaler does, that a budget exists
// for more than one alone, and that the next reconcile finds all as it should be.
func checkReplicas(t *testing.T, in Inputs, configs children) {
	t.Helper()
	app, desired := in.Application, DesiredReplicas(in)
	stopped := app.Spec.Suspend || app.DeletionTimestamp != nil
	autoscaling := app.Spec.Autoscaling != nil && !stopped
	decided := autoscaling && in.Live != nil && in.Live.Replicas > 0
	said := childOf[*appsv1ac.DeploymentApplyConfiguration](configs, "Deployment").Spec.Replicas
	switch {
	case decided && (said != nil || desired != in.Live.Replicas):
		t.Errorf("the autoscaler decides on %d; %d desired, the Deployment says %s", in.Live.Replicas, desired, text(t, said))
	case !decided && (said == nil || *said != desired):
		t.Errorf("%d pods desired, the Deployment says %s", desired, text(t, said))
	case stopped && desired != 0:
		t.Errorf("%d pods desired of an Application that is to have none", desired)
	}
	if _, budgeted := configs["PodDisruptionBudget"]; budgeted && desired <= 1 {
		t.Errorf("there is a budget for %d pods", desired)
	}
	if (configs["HorizontalPodAutoscaler"] != nil) != (app.Spec.Autoscaling != nil) {
		t.Error("the autoscaler is not there when it is asked for, and only then")
	}
	if desired < 0 || specReplicas(app) < 0 { // which no schema and no API server lets pass
		return
	}
	next := afterwards(t, in)
	if again := DesiredReplicas(next); again != desired && desired > 0 {
		t.Errorf("%d pods desired by the first pass and %d by the next", desired, again)
	}
	if now, later := deploymentOf(t, in), deploymentOf(t, next); !autoscaling {
		if diff := cmp.Diff(text(t, now), text(t, later)); diff != "" {
			t.Errorf("the next pass writes the Deployment again (-first +next):\n%s", diff)
		}
	}
}

// childOf returns the child of the kind, or nil.
func childOf[C runtime.ApplyConfiguration](configs children, kind string) C {
	config, _ := configs[kind].(C)
	return config
}

func templateIn(configs children) *corev1ac.PodTemplateSpecApplyConfiguration {
	return childOf[*appsv1ac.DeploymentApplyConfiguration](configs, "Deployment").Spec.Template
}

// scribble overwrites all that can be reached from a value.
func scribble(value reflect.Value) {
	switch value.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !value.IsNil() {
			scribble(value.Elem())
		}
	case reflect.Struct:
		for _, inner := range value.Fields() {
			scribble(inner)
		}
	case reflect.Slice:
		for i := range value.Len() {
			scribble(value.Index(i))
		}
	case reflect.Map:
		if value.IsNil() {
			return
		}
		value.SetMapIndex(reflect.Zero(value.Type().Key()), reflect.Zero(value.Type().Elem()))
	default:
		if !value.CanSet() {
			return
		}
		switch value.Kind() {
		case reflect.String:
			value.SetString(value.String() + "x")
		case reflect.Bool:
			value.SetBool(!value.Bool())
		case reflect.Int, reflect.Int32, reflect.Int64:
			value.SetInt(value.Int() + 1)
		}
	}
}
