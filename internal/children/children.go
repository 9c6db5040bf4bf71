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

// Package children is the one table of what belongs to an Application: a row for each kind of object, with its builder and with
// every exception that the kind has. Whatever treats a kind differently from others follows from its row; there is no switch
// over kinds elsewhere.
//
// It is pure: it makes no requests, and knows neither a client nor a clock.
package children

import (
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	v1 "github.com/example/app-operator/api/v1"
	"github.com/example/app-operator/internal/resources"
)

// FieldOwner is the field manager under which the operator owns what it applies. It must never change: fields
// owned under another name would stay behind.
const FieldOwner = resources.FieldOwner

// The kinds that are spoken of elsewhere: they are what the status is about.
const (
	Deployment              = "Deployment"
	Service                 = "Service"
	Ingress                 = "Ingress"
	HTTPRoute               = "HTTPRoute"
	HorizontalPodAutoscaler = "HorizontalPodAutoscaler"
	CronJob                 = "CronJob"
	ControllerRevision      = "ControllerRevision"
	Job                     = "Job"
)

// Table has a row for each kind that may belong to an Application, in the order in which the kinds are applied. The watches,
// the cache, applying and pruning follow from it, and tests compare the Role with it.
var Table = []Child{
	{
		Kind: "ServiceAccount", Object: &corev1.ServiceAccount{}, List: &corev1.ServiceAccountList{},
		Build: one(resources.ServiceAccount), Fields: always(resources.ServiceAccountFields),
		PrunedAfterRollout: true, Keep: resources.RefersToServiceAccount, Adoption: AdoptAtOnce,
		ConflictRemedy: "to run the pods as it, name it in spec.serviceAccount.name; otherwise ",
	},
	{ // before the pods that read it; its content is not cached
		Kind: resources.KindConfigMap, Many: true,
		Object: metadataOf(configMapKind), List: metadataListOf(configMapKind), MetadataOnly: true,
		Build: many(resources.ConfigMap), Names: resources.ConfigMapNames, Fields: resources.ConfigMapFields,
		PrunedAfterRollout: true, Keep: resources.RefersToConfigMap, Adoption: AdoptAtOnce,
		ConflictRemedy: "to mount it, name it in configMap; otherwise give the volume another name, ",
	},
	{
		Kind: resources.KindPersistentVolumeClaim, Many: true,
		Object: &corev1.PersistentVolumeClaim{}, List: &corev1.PersistentVolumeClaimList{},
		Build: many(resources.PersistentVolumeClaim), Names: resources.PersistentVolumeClaimNames, Fields: resources.PersistentVolumeClaimFields,
		Retained: true,
		RefusalRemedy: "it serves as it is; to have a larger one, set allowVolumeExpansion in its StorageClass, or give the volume " +
			"another name, which makes a new claim",
		GoingRemedy: "it goes, with what is in it, when no pod uses it any more, and no new pod gets it; set spec.suspend to true to end " +
			"the pods, and to false again for a new claim, which is empty",
		ConflictRemedy: "to have it used as it is, name it in persistentVolumeClaim.claimName; otherwise give the volume another name, ",
		Adoption:       AdoptAtOnce, Taking: claimTaking,
		StripStatus: func(object Object) {
			object.(*corev1.PersistentVolumeClaim).Status = corev1.PersistentVolumeClaimStatus{}
		},
	},
	{ // before the pods that it protects
		Kind: "NetworkPolicy", Object: &networkingv1.NetworkPolicy{}, List: &networkingv1.NetworkPolicyList{}, Many: true,
		Build: many(resources.NetworkPolicy), Names: resources.NetworkPolicyNames, Fields: always(resources.NetworkPolicyFields),
		Absent: inEach(resources.NotInNetworkPolicy), Adoption: AdoptAtOnce,
	},
	{ // before what is decided by what it remembers
		Kind: ControllerRevision, Many: true,
		Object: metadataOf(controllerRevisionKind), List: metadataListOf(controllerRevisionKind), MetadataOnly: true,
		Build: many(resources.ControllerRevision), Names: resources.ControllerRevisionNames, Fields: always(resources.ControllerRevisionFields),
		CreatedOnce: true, Keep: resources.KeepsRevision, Expendable: true,
	},
	{ // before the pods that wait for it
		Kind: Job, Object: &batchv1.Job{}, List: &batchv1.JobList{}, Many: true, FoundByLabel: true,
		Build: many(resources.Job), Names: resources.JobNames, Fields: always(resources.JobFields),
		Gated: resources.RunsRelease, KeepPods: noNewPods, CreatedOnce: true, Keep: resources.IsReleaseJob, Retire: retireJob,
		DrainPhase: DrainTraffic, DeletedAfterItsOwn: true, Expendable: true,
	},
	{
		Kind: Deployment, Object: &appsv1.Deployment{}, List: &appsv1.DeploymentList{},
		Build: one(resources.Deployment), Fields: always(resources.DeploymentFields), Absent: inEach(resources.NotInDeployment),
		Gated: runsReplicas, KeepPods: keepPods, HandOver: &replicasHandOver,
		ConflictRemedy: "it cannot be taken over, since its selector cannot be changed; ",
	},
	{
		Kind: CronJob, Object: &batchv1.CronJob{}, List: &batchv1.CronJobList{}, Many: true,
		Build: many(resources.CronJob), Names: resources.CronJobNames, Fields: resources.CronJobFields, Absent: resources.NotInCronJob,
		Gated: resources.RunsSchedules, KeepPods: keepScheduledPods, Retire: retireCronJob,
		DrainPhase: DrainTraffic, DeletedAfterItsOwn: true, StripStatus: stripCronJob,
		ConflictRemedy: "give the schedule another name, ",
	},
	{
		Kind: Service, Object: &corev1.Service{}, List: &corev1.ServiceList{},
		Build: one(resources.Service), Fields: always(resources.ServiceFields), Absent: inEach(resources.NotInService),
		Throttled: true, BeforeGated: resources.Retargets, Adoption: AdoptWithPods, Taking: serviceTaking,
	},
	{
		Kind: HorizontalPodAutoscaler, Object: &autoscalingv2.HorizontalPodAutoscaler{}, List: &autoscalingv2.HorizontalPodAutoscalerList{},
		Build: one(resources.HorizontalPodAutoscaler), Fields: always(resources.HorizontalPodAutoscalerFields), ActsOn: Deployment,
		DrainPhase: DrainReplicas, StripStatus: stripAutoscaler, Adoption: AdoptWithPods,
	},
	{
		Kind: "PodDisruptionBudget", Object: &policyv1.PodDisruptionBudget{}, List: &policyv1.PodDisruptionBudgetList{},
		Build: one(resources.PodDisruptionBudget), Fields: always(resources.PodDisruptionBudgetFields),
		Adoption: AdoptWithPods,
		StripStatus: func(object Object) {
			object.(*policyv1.PodDisruptionBudget).Status = policyv1.PodDisruptionBudgetStatus{}
		},
	},
	{
		Kind: Ingress, Object: &networkingv1.Ingress{}, List: &networkingv1.IngressList{},
		Build: one(resources.Ingress), Fields: always(resources.IngressFields),
		DrainPhase: DrainTraffic, HandOver: &classHandOver, Adoption: AdoptWithService,
	},
	{
		Kind: HTTPRoute, Object: &gatewayv1.HTTPRoute{}, List: &gatewayv1.HTTPRouteList{},
		Build: one(resources.HTTPRoute), Fields: always(resources.HTTPRouteFields),
		DrainPhase: DrainTraffic, Adoption: AdoptWithService,
		OptionalAPI: schema.GroupVersion(gatewayv1.GroupVersion).WithResource("httproutes"),
		StripStatus: stripRoute,
	},
	{
		Kind: "ServiceMonitor", Object: untyped(resources.ServiceMonitorKind), List: untypedList(resources.ServiceMonitorKind),
		Build: one(resources.ServiceMonitor), Fields: always(resources.ServiceMonitorFields),
		OptionalAPI: resources.ServiceMonitorKind.GroupVersion().WithResource("servicemonitors"), Adoption: AdoptWithService,
		StripStatus: func(object Object) {
			unstructured.RemoveNestedField(object.(*unstructured.Unstructured).Object, "status")
		},
	},
}

// Of returns the row of the kind, which has one.
func Of(kind string) *Child {
	at := slices.IndexFunc(Table, func(child Child) bool { return child.Kind == kind })
	return &Table[at]
}

// Object is a Kubernetes object: what controller-runtime calls client.Object.
type Object interface {
	metav1.Object
	runtime.Object
}

// ObjectList is a list of objects: what controller-runtime calls client.ObjectList.
type ObjectList interface {
	metav1.ListInterface
	runtime.Object
}

// Child is a row of the table: a kind of which an Application may have objects.
type Child struct {
	Kind string
	// Many says that an Application may have more than one object of the kind, named NAME or NAME-SUFFIX. Those that are its own are
	// found by an index. Otherwise there is one at most, named as the Application, and no memory is spent on an index.
	Many bool
	// Object and List are empty ones of the kind, never written to.
	Object Object
	List   ObjectList
	// Build returns what the Application's objects of the kind should be; none, if it is to have none.
	Build func(resources.Inputs) ([]Config, error)
	// Names returns the names that objects of the kind have or are to have, of a kind of which there may be many.
	Names func(resources.Inputs) []string
	// Fields says what the fields of the object of this name are called in the Application, so that a refusal is told in the
	// user's words.
	Fields func(app *v1.Application, name string) resources.FieldNames

	// Absent returns what the object of this name must not have and what is no value to apply: a field that is absent has no owner,
	// and somebody who sets it takes nothing from anybody. Nil for nothing.
	Absent func(in resources.Inputs, name string) []fieldpath.Path
	// Gated reports whether objects of the kind are to run pods. Then they are left as they are while anything above them in the
	// table is blocked: pods must not run as somebody else's ServiceAccount, for example. Nil for a kind that runs none.
	Gated func(resources.Inputs) bool
	// ActsOn is the kind of the object that an object of this kind changes, by the Application's name. While that is somebody
	// else's, none of this kind is desired. Empty for a kind that changes none.
	ActsOn string
	// BeforeGated reports whether the child has to be written before the gated ones, although it is below them in the table.
	BeforeGated func(resources.Inputs) bool
	// KeepPods makes a configuration keep the pods that run, while anything is missing that the spec refers to. It returns
	// false if there are none to keep. A child without it is not held back.
	KeepPods func(config Config, live Object) (bool, error)
	// MetadataOnly says that no more than the metadata is read and cached of objects of the kind, which may be large and are mostly
	// others'. An annotation has to stand for the rest.
	MetadataOnly bool
	// Retained objects outlive the Application. They have no owner: a label names their Application. They are never deleted, and a
	// change of one that is refused holds up nothing else.
	Retained bool
	// Expendable objects mean nothing without their Application, once what they run has ended: they are what it remembers. They have an
	// owner reference whatever the deletion policy.
	Expendable bool
	// RefusalRemedy is what to do about a change of a retained object that was refused.
	RefusalRemedy string
	// GoingRemedy is what to do about an object that somebody deletes and that stays as long as pods use it. Empty for a kind whose
	// deleted objects go by themselves.
	GoingRemedy string
	// PrunedAfterRollout children are used by running pods: when they are no longer desired, they are deleted after the last
	// pod that uses them, or its token would be revoked.
	PrunedAfterRollout bool
	// Keep reports whether an object that is no longer desired stays all the same. Nil for never.
	Keep func(in resources.Inputs, name string) bool
	// CreatedOnce objects are left as they are once they exist.
	CreatedOnce bool
	// FoundByLabel says that LabelApplication tells which Application an object concerns. Only those that the Application controls are
	// its own: the Jobs of its CronJobs are not.
	FoundByLabel bool
	// Retire makes ready an object that is no longer desired. It returns what to apply to it first, if anything, and whether it can
	// be deleted, given whether a Job of it runs. Nil for a kind whose objects can be deleted at once.
	Retire func(live Object, runs bool) (first *Config, deletable bool, err error)
	// DeletedAfterItsOwn says that a deleted object stays until what it owns is gone. Otherwise that is deleted after it.
	DeletedAfterItsOwn bool
	// ConflictRemedy is what to do about somebody else's object in the child's place, before what helps with any kind.
	ConflictRemedy string
	// Adoption is when an object of the kind that is nobody's may be taken, if its annotation consents; zero is never.
	Adoption Adoption
	// Taking returns the inputs by which an object that is being taken is built, so that it keeps what it has to keep. Nil if
	// that is nothing beside what the operator never touches.
	Taking func(in resources.Inputs, live Object) resources.Inputs
	// Throttled says that the API server creates objects of the kind one at a time: few are created at a time, after the pods
	// have been asked for, so that they hold up no workers.
	Throttled bool
	// DrainPhase is when the child is deleted while the Application is drained.
	DrainPhase DrainPhase
	// OptionalAPI is the resource of a kind that a cluster need not serve; empty for kinds that every cluster has.
	OptionalAPI schema.GroupVersionResource
	// HandOver is a field that is not removed when the configuration stops setting it; nil if there is none.
	HandOver *HandOver
	// StripStatus drops what nobody reads of the status. Others may write it all the time. Nil if all of it is cached.
	StripStatus func(Object)
}

// DrainPhase is when a child is deleted from an Application that is drained, before its pods end. Zero is
// not at all: the garbage collector deletes it.
type DrainPhase int

const (
	// DrainTraffic comes first: no more requests are to be sent to the pods.
	DrainTraffic DrainPhase = iota + 1
	// DrainReplicas comes second: the operator alone is to decide how many pods run.
	DrainReplicas
)

// Adoption is when an object that is nobody's becomes a child, once its annotation consents (decision 0046).
type Adoption int

const (
	// AdoptAtOnce is for what the pods need before they run.
	AdoptAtOnce Adoption = iota + 1
	// AdoptWithPods is for what is switched to the Application's pods: it waits until they are available.
	AdoptWithPods
	// AdoptWithService is for what is switched to the Application's Service: it waits for that too.
	AdoptWithService
)

// Optional reports whether a cluster may be without the kind.
func (c *Child) Optional() bool { return !c.OptionalAPI.Empty() }

// New returns an empty object of the kind to read into.
func (c *Child) New() Object { return c.Object.DeepCopyObject().(Object) }

// NewList returns an empty list of the kind to read into.
func (c *Child) NewList() ObjectList { return c.List.DeepCopyObject().(ObjectList) }

// Config is an apply configuration together with what the operator needs to know of it. It is applied
// once and then dropped: the client overwrites it with the API server's answer.
type Config struct {
	runtime.ApplyConfiguration
	// Name is the object's name.
	Name string
	// OnlyIf makes the API server refuse to apply it to any object but the one of this UID, in this version.
	OnlyIf func(uid types.UID, resourceVersion string)
}

// applyConfiguration is what the generated apply configurations have in common.
type applyConfiguration[C, P any] interface {
	*C
	runtime.ApplyConfiguration
	GetName() *string
	WithUID(types.UID) P
	WithResourceVersion(string) P
}

// one returns what builds the only object of a kind, or none.
func one[C any, P applyConfiguration[C, P]](build func(resources.Inputs) (P, error)) func(resources.Inputs) ([]Config, error) {
	return func(in resources.Inputs) ([]Config, error) {
		config, err := build(in)
		if err != nil || config == nil { // a nil pointer must not hide in the interface
			return nil, err
		}
		return configsOf(config), nil
	}
}

// many returns what builds any number of objects of a kind, named NAME or NAME-SUFFIX.
func many[C any, P applyConfiguration[C, P]](build func(resources.Inputs) ([]P, error)) func(resources.Inputs) ([]Config, error) {
	return func(in resources.Inputs) ([]Config, error) {
		built, err := build(in)
		if err != nil {
			return nil, err
		}
		return configsOf(built...), nil
	}
}

// always returns the names of fields that are the same for every object of a kind.
func always(fields func(*v1.Application) resources.FieldNames) func(*v1.Application, string) resources.FieldNames {
	return func(app *v1.Application, _ string) resources.FieldNames { return fields(app) }
}

// inEach returns the paths that are the same for every object of a kind.
func inEach(absent func(resources.Inputs) []fieldpath.Path) func(resources.Inputs, string) []fieldpath.Path {
	return func(in resources.Inputs, _ string) []fieldpath.Path { return absent(in) }
}

// configsOf returns apply configurations with what the operator needs to know of them.
func configsOf[C any, P applyConfiguration[C, P]](built ...P) []Config {
	configs := make([]Config, 0, len(built))
	for _, config := range built {
		configs = append(configs, Config{ApplyConfiguration: config, Name: *config.GetName(), OnlyIf: func(uid types.UID, resourceVersion string) {
			config.WithUID(uid)
			config.WithResourceVersion(resourceVersion)
		}})
	}
	return configs
}

// untyped returns an object that any object of the kind can be decoded into. A CRD may let values through that the Go type
// cannot hold, and one of them would keep the cache, and with it the operator, from starting (decision 0010).
func untyped(kind schema.GroupVersionKind) Object {
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(kind)
	return object
}

func untypedList(kind schema.GroupVersionKind) ObjectList {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
	return list
}

var (
	configMapKind          = corev1.SchemeGroupVersion.WithKind(resources.KindConfigMap)
	controllerRevisionKind = appsv1.SchemeGroupVersion.WithKind(ControllerRevision)
)

// metadataOf returns an object that the metadata of any object of the kind is read into.
func metadataOf(kind schema.GroupVersionKind) Object {
	object := &metav1.PartialObjectMetadata{}
	object.SetGroupVersionKind(kind)
	return object
}

func metadataListOf(kind schema.GroupVersionKind) ObjectList {
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
	return list
}

// ControllingApplication returns the name of the Application that controls the object, or "" if none does.
func ControllingApplication(object metav1.Object) string {
	by := metav1.GetControllerOf(object)
	if by == nil || by.Kind != "Application" {
		return ""
	}
	if group, err := schema.ParseGroupVersion(by.APIVersion); err != nil || group.Group != v1.GroupVersion.Group {
		return ""
	}
	return by.Name
}

// ApplicationOf returns the name of the Application that an object of the kind belongs to or, of a kind that is found by a label,
// concerns; "" for none.
func (c *Child) ApplicationOf(object metav1.Object) string {
	switch {
	case c.FoundByLabel && ControllingApplication(object) != "": // whatever has become of the label
		return ControllingApplication(object)
	case c.FoundByLabel, c.Retained && metav1.GetControllerOf(object) == nil:
		return object.GetLabels()[resources.LabelApplication]
	case c.Retained:
		return ""
	case metav1.GetControllerOf(object) == nil:
		name, _ := c.markOf(object)
		return name
	default:
		return ControllingApplication(object)
	}
}

// Owns reports whether an object of the kind is the Application's: by its controller or, where it has none, by its mark. Whose mark has
// another UID, as that of an earlier Application of the name, is not.
func (c *Child) Owns(app *v1.Application, object metav1.Object) bool {
	switch {
	case c.Retained:
		return c.ApplicationOf(object) == app.Name
	case metav1.GetControllerOf(object) == nil:
		name, uid := c.markOf(object)
		return name != "" && name == app.Name && uid == app.UID
	default:
		return metav1.IsControlledBy(object, app)
	}
}

// markOf returns which Application an object of the kind is marked as belonging to, by its annotation: an Application that may have an
// object of this name. On any other object it means nothing, as on a copy under another name.
func (c *Child) markOf(object metav1.Object) (app string, uid types.UID) {
	if c.Retained || c.Expendable {
		return "", ""
	}
	app, uid = resources.ParseOwnerMark(object.GetAnnotations()[v1.AnnotationOwner])
	if name := object.GetName(); app != "" && (name == app || c.Many && strings.HasPrefix(name, app+"-")) {
		return app, uid
	}
	return "", ""
}

// NotIn returns the owner reference that an object of the kind must not have, while the Application's policy is that it outlives the
// Application.
func (c *Child) NotIn(app *v1.Application) []fieldpath.Path {
	if c.Retained || c.Expendable || app.Spec.DeletionPolicy != v1.DeletionPolicyOrphan {
		return nil
	}
	return []fieldpath.Path{fieldpath.MakePathOrDie("metadata", "ownerReferences", fieldpath.KeyByFields("uid", string(app.UID)))}
}

// Marks returns the annotations by which an object of the kind without a controller says whose it is, and whose it is to be if that one is
// gone; nil if it has no mark.
func (c *Child) Marks(object metav1.Object) map[string]string {
	app, uid := c.markOf(object)
	if app == "" || metav1.GetControllerOf(object) != nil {
		return nil
	}
	marks := map[string]string{v1.AnnotationOwner: app + "/" + string(uid)}
	if to := c.ConsentOf(object); to != "" {
		marks[v1.AnnotationAdopt] = strings.Clone(to)
	}
	return marks
}

// ApplicationsOf returns the names of the Applications that an object of the kind may concern: the one that it belongs to, and those
// that may need its name. Objects of an Application are named NAME or NAME-SUFFIX. Where an Application has one object of the
// kind at most, one that belongs to an Application concerns no other.
func (c *Child) ApplicationsOf(object metav1.Object) []string {
	app := c.ApplicationOf(object)
	if app != "" && !c.Many {
		return []string{app}
	}
	name := object.GetName()
	names := []string{name}
	for i, char := range name {
		if char == '-' {
			names = append(names, name[:i])
		}
	}
	if app != "" && !slices.Contains(names, app) {
		names = append(names, app)
	}
	return names
}

// ConsentOf returns the name of the Application that an object's annotation gives the object to, or "". A value that can be no
// Application's name gives it to nobody: it is not worth the memory either.
func (c *Child) ConsentOf(object metav1.Object) string {
	to := object.GetAnnotations()[v1.AnnotationAdopt]
	if c.Adoption == 0 || len(validation.IsDNS1035Label(to)) > 0 {
		return ""
	}
	return to
}

// IsNobodys reports whether an object of the kind has no controller, and nothing else says that it is an Application's.
func (c *Child) IsNobodys(object metav1.Object) bool {
	return metav1.GetControllerOf(object) == nil && c.ApplicationOf(object) == ""
}

// IsFreeFor reports whether an object of the kind is nobody's, as far as the Application can know: the mark of an earlier one of its name
// is of the past.
func (c *Child) IsFreeFor(app *v1.Application, object metav1.Object) bool {
	if c.IsNobodys(object) {
		return true
	}
	name, uid := c.markOf(object)
	return metav1.GetControllerOf(object) == nil && name == app.Name && uid != app.UID
}

// MayAdopt reports whether an object may be taken as the Application's: it is nobody's, whoever may write it has consented, and
// it is not being deleted.
func (c *Child) MayAdopt(app *v1.Application, object metav1.Object) bool {
	return c.IsFreeFor(app, object) && c.ConsentOf(object) == app.Name && object.GetDeletionTimestamp() == nil
}
