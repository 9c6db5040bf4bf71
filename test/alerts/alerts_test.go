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

// Package alerts_test checks what people who run the operator look at: that each alert fires when it should and not
// otherwise, that it leads to a runbook, that the dashboard can be read by Grafana, and that both use metrics which exist.
// It runs promtool on the rules; it starts neither Prometheus, a cluster nor the operator.
package alerts_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	klabels "k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/yaml"
)

const (
	ruleFile      = "../../config/prometheus/prometheus_rule.yaml"
	runbookFile   = "../../docs/operations/alerts.md"
	runbookURL    = "https://github.com/example/app-operator/blob/main/docs/operations/alerts.md#"
	metricsFile   = "../../docs/operations/metrics.md"
	dashboardFile = "../../docs/operations/dashboard.json"
)

// TestRules has promtool check the rules as Prometheus loads them.
func TestRules(t *testing.T) {
	t.Parallel()
	promtool(t, "check", "rules", "--lint=all", "--lint-fatal", writeRules(t, t.TempDir(), rules(t).Spec))
}

// TestAlerts runs the tests in testdata.
func TestAlerts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeRules(t, dir, rules(t).Spec)
	args := []string{"test", "rules"}
	for _, file := range testFiles(t) {
		copied := filepath.Join(dir, filepath.Base(file))
		write(t, copied, read(t, file))
		args = append(args, copied)
	}
	promtool(t, args...)
}

// TestBrokenRules has promtool find an alert that fires too early, or TestAlerts would prove nothing.
func TestBrokenRules(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	broken := rules(t).Spec
	for i := range broken.Groups {
		for j := range broken.Groups[i].Rules {
			broken.Groups[i].Rules[j].For = nil
		}
	}
	writeRules(t, dir, broken)
	for _, file := range testFiles(t) {
		copied := filepath.Join(dir, filepath.Base(file))
		write(t, copied, read(t, file))
		if output, err := exec.Command(promtoolPath(t), "test", "rules", copied).CombinedOutput(); err == nil {
			t.Errorf("%s passes although no alert waits:\n%s", file, output)
		}
	}
}

// TestAlertsAreTested wants, for each alert, a test in which it fires, with all that it says, and one in which it does not.
func TestAlertsAreTested(t *testing.T) {
	t.Parallel()
	fires, silent := sets.New[string](), sets.New[string]()
	for _, file := range testFiles(t) {
		var content struct {
			Tests []struct {
				AlertRuleTest []struct {
					Alertname string `json:"alertname"`
					ExpAlerts []any  `json:"exp_alerts"`
				} `json:"alert_rule_test"`
				PromqlExprTest []struct {
					Expr       string `json:"expr"`
					ExpSamples []any  `json:"exp_samples"`
				} `json:"promql_expr_test"`
			} `json:"tests"`
		}
		if err := yaml.Unmarshal([]byte(read(t, file)), &content); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, test := range content.Tests {
			named, expected := sets.New[string](), sets.New[string]()
			for _, check := range test.AlertRuleTest {
				named.Insert(check.Alertname)
				if len(check.ExpAlerts) > 0 {
					fires.Insert(check.Alertname)
					expected.Insert(check.Alertname)
				}
			}
			for _, check := range test.PromqlExprTest {
				_, rest, _ := strings.Cut(check.Expr, `ALERTS{alertname="`)
				alert, _, _ := strings.Cut(rest, `"`)
				named.Insert(alert)
				if len(check.ExpSamples) > 0 {
					expected.Insert(alert)
				}
			}
			silent = silent.Union(named.Difference(expected))
		}
	}
	for _, alert := range alerts(t) {
		if !fires.Has(alert.Alert) {
			t.Errorf("%s: no test in testdata in which it fires", alert.Alert)
		}
		if !silent.Has(alert.Alert) {
			t.Errorf("%s: no test in testdata in which it does not fire", alert.Alert)
		}
	}
}

// TestAnnotations wants every alert to say how grave it is, what is the matter, and where its runbook is.
func TestAnnotations(t *testing.T) {
	t.Parallel()
	severities := []string{"critical", "warning", "info"}
	for _, alert := range alerts(t) {
		if severity := alert.Labels["severity"]; !slices.Contains(severities, severity) {
			t.Errorf("%s: severity %q, want one of %v", alert.Alert, severity, severities)
		}
		for _, name := range []string{"summary", "description"} {
			if text := alert.Annotations[name]; !strings.HasSuffix(text, ".") && !strings.HasSuffix(text, "{{ end }}") {
				t.Errorf("%s: %s %q is no sentence", alert.Alert, name, text)
			}
		}
		if got, want := alert.Annotations["runbook_url"], runbookURL+strings.ToLower(alert.Alert); got != want {
			t.Errorf("%s: runbook_url %q, want %q", alert.Alert, got, want)
		}
	}
}

// TestRunbooks wants a runbook for each alert, in the order of the rules, of four parts, and none for others.
func TestRunbooks(t *testing.T) {
	t.Parallel()
	var want, got []string
	for _, alert := range alerts(t) {
		want = append(want, alert.Alert)
	}
	page := read(t, runbookFile)
	_, page, _ = strings.Cut(page, "\n## ")
	for section := range strings.SplitSeq(page, "\n## ") {
		alert, text, _ := strings.Cut(section, "\n")
		got = append(got, alert)
		for _, part := range []string{"**Meaning.**", "**Impact.**", "**Diagnosis.**", "**Mitigation.**"} {
			if strings.Count(text, part) != 1 {
				t.Errorf("%s: %s: want one part %s", runbookFile, alert, part)
			}
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s has the headings %v, the alerts are %v", runbookFile, got, want)
	}
}

// TestScraping wants Prometheus to find the operator's pods, and the series to have the labels on which the expressions
// rely.
func TestScraping(t *testing.T) {
	t.Parallel()
	var monitor monitoringv1.ServiceMonitor
	decode(t, "../../config/prometheus/service_monitor.yaml", &monitor)
	var service corev1.Service
	decode(t, "../../config/prometheus/service.yaml", &service)
	var deployment appsv1.Deployment
	decode(t, "../../config/manager/manager.yaml", &deployment)

	contains := func(labels, desired map[string]string) bool {
		return len(desired) > 0 && klabels.SelectorFromSet(desired).Matches(klabels.Set(labels))
	}
	if !contains(service.Labels, monitor.Spec.Selector.MatchLabels) {
		t.Errorf("the ServiceMonitor selects %v, the Service has %v", monitor.Spec.Selector.MatchLabels, service.Labels)
	}
	if pod := deployment.Spec.Template; !contains(pod.Labels, service.Spec.Selector) {
		t.Errorf("the Service selects %v, the pods have %v", service.Spec.Selector, pod.Labels)
	}
	if got := service.Labels[monitor.Spec.JobLabel]; got != job {
		t.Errorf("the series would have job=%q, want %q", got, job)
	}
	for _, endpoint := range monitor.Spec.Endpoints {
		i := slices.IndexFunc(service.Spec.Ports, func(port corev1.ServicePort) bool { return port.Name == endpoint.Port })
		if i < 0 {
			t.Fatalf("the Service has no port %q", endpoint.Port)
		}
		served := slices.ContainsFunc(deployment.Spec.Template.Spec.Containers[0].Ports, func(port corev1.ContainerPort) bool {
			return port.Name == service.Spec.Ports[i].TargetPort.StrVal
		})
		if !served {
			t.Errorf("the container has no port %q", service.Spec.Ports[i].TargetPort.StrVal)
		}
		if !endpoint.HonorLabels {
			t.Errorf("port %s: honorLabels is false, so an Application's namespace would become exported_namespace", endpoint.Port)
		}
	}
}

// rules returns the rules, which must have no unknown field.
func rules(t *testing.T) *monitoringv1.PrometheusRule {
	t.Helper()
	rule := &monitoringv1.PrometheusRule{}
	decode(t, ruleFile, rule)
	return rule
}

func alerts(t *testing.T) []monitoringv1.Rule {
	t.Helper()
	var all []monitoringv1.Rule
	for _, group := range rules(t).Spec.Groups {
		all = append(all, group.Rules...)
	}
	if len(all) == 0 {
		t.Fatalf("%s has no rules", ruleFile)
	}
	return all
}

// writeRules writes the rules as a file that Prometheus reads, and returns its name.
func writeRules(t *testing.T, dir string, spec monitoringv1.PrometheusRuleSpec) string {
	t.Helper()
	content, err := yaml.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "rules.yaml")
	write(t, file, string(content))
	return file
}

func testFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests in testdata (%v)", err)
	}
	return files
}

// promtool runs promtool, which must end with success.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	if output, err := exec.Command(promtoolPath(t), args...).CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, output)
	}
}

// promtoolPath returns the promtool that make has built.
func promtoolPath(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("BIN")
	if dir == "" {
		dir = "../../bin"
	}
	path, err := filepath.Abs(filepath.Join(dir, "promtool"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: run make promtool, or set BIN to the folder that has it", err)
	}
	return path
}

func decode(t *testing.T, file string, into any) {
	t.Helper()
	if err := yaml.UnmarshalStrict([]byte(read(t, file)), into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
