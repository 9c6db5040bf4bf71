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

package revisions

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/randfill"

	v1 "github.com/example/app-operator/api/v1"
)

// notOfPods are the fields of the spec that do not shape pods. A new field has to be put here or into copyPods.
var notOfPods = []string{
	"Replicas", "AppProtocol", "Service", "Rollout", "Autoscaling", "DisruptionBudget", "Ingress", "HTTPRoute", "NetworkPolicy",
	"ObjectMetadata", "Monitoring", "Schedules", "Release", "Suspend", "Paused", "DeletionPolicy",
}

// TestEveryFieldIsOfPodsOrNot holds that copyPods leaves nothing out.
func TestEveryFieldIsOfPodsOrNot(t *testing.T) {
	spec := reflect.TypeFor[v1.ApplicationSpec]()
	for i := range spec.NumField() {
		name := spec.Field(i).Name
		from, to := &v1.ApplicationSpec{}, &v1.ApplicationSpec{}
		filler := randfill.NewWithSeed(1).NilChance(0).NumElements(1, 1).MaxDepth(6).Funcs(
			func(of *v1.ServiceAccountSpec, _ randfill.Continue) { of.Name = "builder" },
			func(of *resource.Quantity, _ randfill.Continue) { *of = resource.MustParse("1") })
		filler.Fill(reflect.ValueOf(from).Elem().Field(i).Addr().Interface())
		copyPods(to, from)
		copied := !reflect.ValueOf(to).Elem().Field(i).IsZero()
		if copied == slices.Contains(notOfPods, name) {
			t.Errorf("%s: copied %v", name, copied)
		}
	}
}

// TestHashes holds what the hashes are, for good: another one would be a new revision of every Application on an upgrade, with its
// release command.
func TestHashes(t *testing.T) {
	for want, spec := range map[string]v1.ApplicationSpec{
		"3c6b283051": {Image: "nginx:1"},
		"afbe5e8d3e": {
			Image: "nginx:1", Port: new(int32(80)), Env: []corev1.EnvVar{{Name: "A", Value: "<1>"}}, Command: []string{"/app"},
			Sidecars:  []corev1.Container{{Name: "proxy", Image: "envoy:1"}},
			Resources: &v1.ResourceRequirements{Requests: v1.ResourceList{corev1.ResourceCPU: resource.MustParse("500m")}},
			Files:     []v1.File{{MountPath: "/etc/app", VolumeSource: v1.VolumeSource{Inline: map[string]string{"a": "b"}}}},
		},
	} {
		if got := specHash(t, spec); got != want {
			t.Errorf("the hash of %v is %s, and was %s", spec.Image, got, want)
		}
	}
}

func specHash(t *testing.T, spec v1.ApplicationSpec) string {
	t.Helper()
	revision, err := Of(&v1.Application{Spec: spec})
	if err != nil {
		t.Fatal(err)
	}
	return revision.Hash
}

// TestWhatMakesARevision is about what a hash depends on.
func TestWhatMakesARevision(t *testing.T) {
	before := v1.ApplicationSpec{
		Image: "nginx:1", Port: new(int32(80)), AdditionalPorts: []v1.AdditionalPort{{Name: "admin", Port: 81}},
		Files: []v1.File{{MountPath: "/data", VolumeSource: v1.VolumeSource{PersistentVolumeClaim: &v1.ClaimSource{Size: "1Gi"}}}},
	}
	for what, test := range map[string]struct {
		edit func(*v1.ApplicationSpec)
		same bool
	}{
		"another image":          {func(s *v1.ApplicationSpec) { s.Image = "nginx:2" }, false},
		"another port":           {func(s *v1.ApplicationSpec) { s.AdditionalPorts[0].Port = 82 }, false},
		"a claim instead":        {func(s *v1.ApplicationSpec) { s.Files[0].PersistentVolumeClaim = &v1.ClaimSource{ClaimName: "data"} }, false},
		"an existing account":    {func(s *v1.ApplicationSpec) { s.ServiceAccount = &v1.ServiceAccountSpec{Name: "builder"} }, false},
		"how many there are":     {func(s *v1.ApplicationSpec) { s.Replicas = new(int32(7)) }, true},
		"where a port is served": {func(s *v1.ApplicationSpec) { s.AdditionalPorts[0].ServicePort = new(int32(8081)) }, true},
		"a larger claim":         {func(s *v1.ApplicationSpec) { s.Files[0].PersistentVolumeClaim.Size = "2Gi" }, true},
		"annotations of an account": {func(s *v1.ApplicationSpec) {
			s.ServiceAccount = &v1.ServiceAccountSpec{Annotations: map[string]string{"a": "b"}}
		}, true},
		"what says nothing":   {func(s *v1.ApplicationSpec) { s.PodMetadata, s.Env = &v1.PodMetadata{}, []corev1.EnvVar{} }, true},
		"the release command": {func(s *v1.ApplicationSpec) { s.Release = &v1.ReleaseSpec{Args: []string{"migrate"}} }, true},
	} {
		after := *before.DeepCopy()
		test.edit(&after)
		if same := specHash(t, before) == specHash(t, after); same != test.same {
			t.Errorf("%s: the same revision: %v, want %v", what, same, test.same)
		}
	}
}

// TestWhatIsEmptyAndSaysSomethingMakesARevision holds that of two specs that ask for other pods no two are one revision: the probe or the
// selector of one would come back with the pods of the other.
func TestWhatIsEmptyAndSaysSomethingMakesARevision(t *testing.T) {
	ready := func(probe v1.Probe) v1.ApplicationSpec {
		return v1.ApplicationSpec{Probes: &v1.ProbesSpec{Readiness: &probe}}
	}
	spread := func(selector *metav1.LabelSelector) v1.ApplicationSpec {
		return v1.ApplicationSpec{Scheduling: &v1.SchedulingSpec{TopologySpreadConstraints: []corev1.TopologySpreadConstraint{
			{MaxSkew: 1, TopologyKey: "zone", WhenUnsatisfiable: corev1.DoNotSchedule, LabelSelector: selector},
		}}}
	}
	apart := func(labels, namespaces *metav1.LabelSelector) v1.ApplicationSpec {
		return v1.ApplicationSpec{Scheduling: &v1.SchedulingSpec{Affinity: &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{
				{TopologyKey: "zone", LabelSelector: labels, NamespaceSelector: namespaces},
			},
		}}}}
	}
	all := &metav1.LabelSelector{}
	seen := map[string]string{}
	for what, spec := range map[string]v1.ApplicationSpec{
		"no probe":                      {},
		"a probe by httpGet":            ready(v1.Probe{HTTPGet: &v1.HTTPGetProbe{}}),
		"a probe by tcpSocket":          ready(v1.Probe{TCPSocket: &v1.TCPSocketProbe{}}),
		"a probe by grpc":               ready(v1.Probe{GRPC: &v1.GRPCProbe{}}),
		"a request before the end":      {Shutdown: &v1.ShutdownSpec{PreStop: &v1.PreStopHook{HTTPGet: &v1.HTTPGetProbe{}}}},
		"spread among its own pods":     spread(nil),
		"spread among all pods":         spread(all),
		"apart from no pods":            apart(nil, nil),
		"apart from pods":               apart(all, nil),
		"apart from those of everybody": apart(all, all),
	} {
		hash := specHash(t, spec)
		if other, known := seen[hash]; known {
			t.Errorf("%s and %s are one revision", what, other)
		}
		seen[hash] = what
	}
}

// TestWithPodsBringsThemBack holds that of any Application the pods, and nothing but the pods, come back from a revision's data.
func TestWithPodsBringsThemBack(t *testing.T) {
	filler := randfill.NewWithSeed(7).NilChance(0.4).NumElements(0, 2).MaxDepth(8).Funcs(
		func(of *resource.Quantity, _ randfill.Continue) { *of = resource.MustParse("1") },
		func(of *metav1.Time, _ randfill.Continue) { *of = metav1.Time{} })
	for range 200 {
		before, now := &v1.Application{}, &v1.Application{}
		filler.Fill(&before.Spec)
		filler.Fill(&now.Spec)
		revision, err := Of(before)
		if err != nil {
			t.Fatal(err)
		}
		got, err := WithPods(now, revision.Data)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Of(got)
		if err != nil {
			t.Fatal(err)
		}
		if again.Hash != revision.Hash {
			t.Fatalf("another revision came back (-before +after):\n%s", cmp.Diff(string(revision.Data), string(again.Data)))
		}
		for _, name := range notOfPods {
			if !reflect.DeepEqual(reflect.ValueOf(got.Spec).FieldByName(name).Interface(), reflect.ValueOf(now.Spec).FieldByName(name).Interface()) {
				t.Fatalf("%s came back, too", name)
			}
		}
	}
}

// TestWhatIsNotOfThePodsStays holds that pods which come back change neither where ports are served nor how large claims are, and that
// what they come back to is a spec that the API server takes.
func TestWhatIsNotOfThePodsStays(t *testing.T) {
	claim := func(size string) v1.VolumeSource {
		return v1.VolumeSource{PersistentVolumeClaim: &v1.ClaimSource{Size: size}}
	}
	before, now := &v1.Application{}, &v1.Application{}
	before.Spec = v1.ApplicationSpec{
		Image: "nginx:1", ServiceAccount: &v1.ServiceAccountSpec{Name: "builder"},
		AdditionalPorts: []v1.AdditionalPort{{Name: "admin", Port: 9090}, {Name: "dropped", Port: 9091, ServicePort: new(int32(91))}},
		Files:           []v1.File{{MountPath: "/data", VolumeSource: claim("1Gi")}, {MountPath: "/old", VolumeSource: claim("3Gi")}},
		Volumes:         []v1.Volume{{Name: "spool", VolumeSource: claim("1Gi")}},
	}
	now.Spec = v1.ApplicationSpec{
		Image: "nginx:2", ServiceAccount: &v1.ServiceAccountSpec{Annotations: map[string]string{"a": "b"}},
		AdditionalPorts: []v1.AdditionalPort{
			{Name: "admin", Port: 8080, ServicePort: new(int32(80)), NodePort: new(int32(30080)), AppProtocol: new("http")},
		},
		Files:   []v1.File{{MountPath: "/data", VolumeSource: claim("2Gi")}},
		Volumes: []v1.Volume{{Name: "spool", VolumeSource: claim("4Gi")}},
	}
	revision, err := Of(before)
	if err != nil {
		t.Fatal(err)
	}
	got, err := WithPods(now, revision.Data)
	if err != nil {
		t.Fatal(err)
	}
	want := v1.ApplicationSpec{
		Image: "nginx:1", ServiceAccount: &v1.ServiceAccountSpec{Name: "builder"},
		AdditionalPorts: []v1.AdditionalPort{
			{Name: "admin", Port: 9090, ServicePort: new(int32(80)), NodePort: new(int32(30080)), AppProtocol: new("http")},
			{Name: "dropped", Port: 9091},
		},
		Files:   []v1.File{{MountPath: "/data", VolumeSource: claim("2Gi")}, {MountPath: "/old", VolumeSource: claim("3Gi")}},
		Volumes: []v1.Volume{{Name: "spool", VolumeSource: claim("4Gi")}},
	}
	if diff := cmp.Diff(want, got.Spec); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if size := now.Spec.Files[0].PersistentVolumeClaim.Size; size != "2Gi" {
		t.Errorf("the Application itself was changed: %s", size)
	}
}

func TestReleaseJob(t *testing.T) {
	long := strings.Repeat("a", 43) + "-" + strings.Repeat("b", 19)
	seen := map[string]bool{}
	for _, app := range []string{"web", long, long[:62]} {
		for _, revision := range []string{"0123456789", "9876543210"} {
			for _, command := range []string{"a", "b"} {
				for number := range int64(2) {
					name := releaseJob(app, revision, command, number)
					if seen[name] || len(name) > maxJobName || strings.Contains(name, "--") {
						t.Errorf("%s: of %s", name, app)
					}
					seen[name] = true
				}
			}
		}
	}
}
