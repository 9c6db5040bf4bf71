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

package metrics

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/example/app-operator/api/v1"
)

// gather returns the metrics of the collectors by name.
func gather(t *testing.T, collectors ...prometheus.Collector) map[string]*dto.MetricFamily {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	for _, collector := range collectors {
		if err := registry.Register(collector); err != nil {
			t.Fatal(err)
		}
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]*dto.MetricFamily{}
	for _, family := range families {
		byName[family.GetName()] = family
	}
	return byName
}

// series returns the series of a family as text: name=value pairs, sorted, and the value.
func series(family *dto.MetricFamily) map[string]float64 {
	all := map[string]float64{}
	for _, metric := range family.GetMetric() {
		var labels []string
		for _, label := range metric.GetLabel() {
			labels = append(labels, label.GetName()+"="+label.GetValue())
		}
		slices.Sort(labels)
		all[strings.Join(labels, ",")] = metric.GetGauge().GetValue() + metric.GetCounter().GetValue()
	}
	return all
}

func everything(apps ...v1.Application) []prometheus.Collector {
	return append(Collectors([]string{"Deployment", "Service"}), BuildInfo("1.2.3"),
		Stores(func() map[string]int { return map[string]int{"objects": 1} }), all(apps...))
}

// all returns the metrics of these Applications, each of which wants a pod for each letter of its name.
func all(apps ...v1.Application) Applications {
	return Applications{
		List:            func() []v1.Application { return apps },
		DesiredReplicas: func(app *v1.Application) int32 { return int32(len(app.Name)) },
	}
}

func newApplication(name string, status v1.ApplicationStatus) v1.Application {
	return v1.Application{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name},
		Spec:       v1.ApplicationSpec{Replicas: new(int32(3))},
		Status:     status,
	}
}

func TestNamesFollowThePrometheusConventions(t *testing.T) {
	var families []*dto.MetricFamily
	for name, family := range gather(t, everything(newApplication("web", v1.ApplicationStatus{Schedules: []v1.ScheduleStatus{{LastSuccessfulTime: &metav1.Time{}}}}))...) {
		families = append(families, family)
		if !strings.HasPrefix(name, "app_operator_") {
			t.Errorf("%s does not say whose it is", name)
		}
	}
	if len(families) != 14 {
		t.Errorf("%d metrics were looked at, want 14", len(families))
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		t.Errorf("%s: %s", problem.Metric, problem.Text)
	}
}

func TestApplications(t *testing.T) {
	crashing := v1.ApplicationStatus{
		AvailableReplicas: 1, ReplicaSummary: "1/7",
		Conditions: []metav1.Condition{
			{Type: v1.ConditionReady, Status: metav1.ConditionFalse, Reason: v1.ReasonCrashLooping},
			{Type: v1.ConditionDegraded, Status: metav1.ConditionTrue, Reason: v1.ReasonCrashLooping},
		},
	}
	well := v1.ApplicationStatus{
		AvailableReplicas: 2, ReplicaSummary: "2/2",
		Schedules: []v1.ScheduleStatus{
			{Name: "nightly", LastSuccessfulTime: &metav1.Time{Time: time.Unix(1800000000, 0)}}, {Name: "never"},
		},
		Conditions: []metav1.Condition{
			{Type: v1.ConditionReady, Status: metav1.ConditionTrue, Reason: v1.ReasonRolloutComplete},
			{Type: v1.ConditionDegraded, Status: metav1.ConditionFalse, Reason: v1.ReasonRolloutComplete},
		},
	}
	rolling := v1.ApplicationStatus{
		ReplicaSummary: "0/0",
		Conditions:     []metav1.Condition{{Type: v1.ConditionReady, Status: metav1.ConditionUnknown, Reason: v1.ReasonRollingOut}},
	}
	apps := []v1.Application{
		newApplication("crashing", crashing), newApplication("well", well), newApplication("rolling", rolling),
		newApplication("new", v1.ApplicationStatus{}),
	}
	want := map[string]map[string]float64{
		"app_operator_application_ready": {
			"name=crashing,namespace=shop,reason=CrashLooping": 0, "name=well,namespace=shop,reason=RolloutComplete": 1,
			"name=rolling,namespace=shop,reason=RollingOut": 0, "name=new,namespace=shop,reason=Unknown": 0,
		},
		"app_operator_application_degraded": {
			"name=crashing,namespace=shop,reason=CrashLooping": 1, "name=well,namespace=shop,reason=RolloutComplete": 0,
			"name=rolling,namespace=shop,reason=Unknown": 0, "name=new,namespace=shop,reason=Unknown": 0,
		},
		"app_operator_application_wanted_replicas": {
			"name=crashing,namespace=shop": 8, "name=well,namespace=shop": 4,
			"name=rolling,namespace=shop": 7, "name=new,namespace=shop": 3,
		},
		"app_operator_application_available_replicas": {
			"name=crashing,namespace=shop": 1, "name=well,namespace=shop": 2,
			"name=rolling,namespace=shop": 0, "name=new,namespace=shop": 0,
		},
		"app_operator_schedule_last_success_timestamp_seconds": {"name=well,namespace=shop,schedule=nightly": 1800000000},
	}
	got := map[string]map[string]float64{}
	for name, family := range gather(t, all(apps...)) {
		got[name] = series(family)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("series (-want +got):\n%s", diff)
	}
	if left := gather(t, all()); len(left) > 0 {
		t.Errorf("there are no Applications, and yet series: %v", left)
	}
}

func TestCountersStartAtZeroForEachKind(t *testing.T) {
	families := gather(t, everything()...)
	for _, name := range []string{"app_operator_drift_repairs_total", "app_operator_conflicts_total"} {
		if diff := cmp.Diff(map[string]float64{"kind=Deployment": 0, "kind=Service": 0}, series(families[name])); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestBucketsTellShortRolloutsFromLongOnes(t *testing.T) {
	buckets := func() []*dto.Bucket {
		return gather(t, everything()...)["app_operator_rollout_duration_seconds"].GetMetric()[0].GetHistogram().GetBucket()
	}
	before := buckets()
	rolloutTook(1500 * time.Millisecond)
	rolloutTook(25 * time.Minute)
	var got []uint64
	for i, bucket := range buckets() {
		got = append(got, bucket.GetCumulativeCount()-before[i].GetCumulativeCount())
	}
	// 1 s, 2 s, ... 20 min, 30 min
	if diff := cmp.Diff([]uint64{0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2}, got); diff != "" {
		t.Errorf("rollouts by bucket (-want +got):\n%s", diff)
	}
}
