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

package alerts_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/yaml"
)

// job is the name that the ServiceMonitor gives to the operator's series.
const job = "app-operator"

// own begins the names of the operator's own metrics, whose labels are documented.
const own = "app_operator_"

// The labels that Prometheus gives to every series of a scraped pod, and those of a histogram's parts.
var targetLabels = []string{"container", "endpoint", "instance", "job", "namespace", "pod", "service", "le"}

// TestAlertsUseMetrics wants every metric in an alert to be documented, and each alert to look at the operator alone.
func TestAlertsUseMetrics(t *testing.T) {
	t.Parallel()
	known := documented(t)
	for _, alert := range alerts(t) {
		known.check(t, alert.Alert, alert.Expr.String())
	}
}

// TestMetricsOf tests what the other tests rely on.
func TestMetricsOf(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string][]string{
		`up`: {"up"},
		`sum by (job) (rate(a_total{b="c_d", e=~"f"}[5m])) / 1e9 > bool 0`:        {"a_total"},
		`a{b="}"} unless on (c) group_left (d) e offset 5m or vector(0)`:          {"a", "e"},
		`histogram_quantile(0.5, sum by (le) (increase(a_bucket[$__range]))) > 5`: {"a_bucket"},
		`max without (x) (a:b_c) and ignoring(y) d`:                               {"a:b_c", "d"},
	} {
		if diff := cmp.Diff(want, metricsOf(expr)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", expr, diff)
		}
	}
}

// catalogue holds the labels of each documented metric by its name. Those of the libraries' metrics are not documented.
type catalogue map[string]sets.Set[string]

var (
	quotedName = regexp.MustCompile("`([a-z_]+)(?:\\{[^}]*\\})?`")
	quotedWord = regexp.MustCompile("`([a-z_]+)`")
)

// documented reads the tables of the page about metrics. Their first column has names; the own ones' second and third have
// type and labels.
func documented(t *testing.T) catalogue {
	t.Helper()
	known := catalogue{"up": nil} // which Prometheus makes
	for line := range strings.Lines(read(t, metricsFile)) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			continue
		}
		for _, match := range quotedName.FindAllStringSubmatch(cells[1], -1) {
			name := match[1]
			labels := sets.New(targetLabels...)
			if strings.HasPrefix(name, own) {
				for _, label := range quotedWord.FindAllStringSubmatch(cells[3], -1) {
					labels.Insert(label[1])
				}
			}
			known[name] = labels
			for _, part := range []string{"_bucket", "_count", "_sum"} { // of a histogram
				known[name+part] = labels
			}
		}
	}
	if len(known) < 40 {
		t.Fatalf("%s: found only %d names in its tables", metricsFile, len(known))
	}
	return known
}

// check reports what an expression uses and nobody documents.
func (c catalogue) check(t *testing.T, where, expr string) {
	t.Helper()
	names := metricsOf(expr)
	if len(names) == 0 {
		t.Errorf("%s: found no metric in %s", where, expr)
	}
	allOwn := true
	labels := sets.New[string]()
	for _, name := range names {
		known, ok := c[name]
		if !ok {
			t.Errorf("%s: %s has no metric %s", where, metricsFile, name)
		}
		allOwn = allOwn && strings.HasPrefix(name, own)
		labels = labels.Union(known)
	}
	if !allOwn {
		return
	}
	if unknown := labelsOf(expr).Difference(labels); unknown.Len() > 0 {
		t.Errorf("%s: no metric in %s has the labels %v", where, expr, sets.List(unknown))
	}
}

var (
	quoted   = regexp.MustCompile(`"(?:\\.|[^"\\])*"`)
	selector = regexp.MustCompile(`\{[^}]*\}`)
	duration = regexp.MustCompile(`\[[^]]*\]|\boffset\s+\w+`)
	grouping = regexp.MustCompile(`\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)`)
	word     = regexp.MustCompile(`\b[a-zA-Z_:][a-zA-Z0-9_:]*\b(\s*\()?`)
	operator = []string{"and", "or", "unless", "bool"}
)

// metricsOf returns the names of the metrics in an expression: the words that are left when strings, labels, durations,
// functions and operators are taken away.
func metricsOf(expr string) []string {
	for _, part := range []*regexp.Regexp{quoted, selector, duration, grouping} {
		expr = part.ReplaceAllString(expr, " ")
	}
	var names []string
	for _, match := range word.FindAllStringSubmatch(expr, -1) {
		function := match[1] != ""
		if !function && !slices.Contains(operator, match[0]) && !slices.Contains(names, match[0]) {
			names = append(names, match[0])
		}
	}
	return names
}

// labelsOf returns the labels by which an expression selects and groups.
func labelsOf(expr string) sets.Set[string] {
	expr = quoted.ReplaceAllString(expr, "")
	labels := sets.New[string]()
	for _, match := range selector.FindAllString(expr, -1) {
		for _, label := range word.FindAllString(match, -1) {
			labels.Insert(label)
		}
	}
	for _, match := range grouping.FindAllStringSubmatch(expr, -1) {
		for _, label := range word.FindAllString(match[1], -1) {
			labels.Insert(label)
		}
	}
	return labels
}

// TestJoins has promtool try the expressions with kube-state-metrics' metrics, and holds that the page shows no others.
func TestJoins(t *testing.T) {
	t.Parallel()
	const file = "testdata/joins/kube-state-metrics.yaml"
	promtool(t, "test", "rules", file)
	var tried struct {
		Tests []struct {
			Expressions []struct {
				Expr string `json:"expr"`
			} `json:"promql_expr_test"`
		} `json:"tests"`
	}
	if err := yaml.Unmarshal([]byte(read(t, file)), &tried); err != nil {
		t.Fatal(err)
	}
	page, found := read(t, metricsFile), 0
	for _, test := range tried.Tests {
		for _, each := range test.Expressions {
			found++
			if !strings.Contains(page, "```promql\n"+each.Expr+"\n```\n") {
				t.Errorf("%s does not show\n%s", metricsFile, each.Expr)
			}
		}
	}
	if shown := strings.Count(page, " kube_") + strings.Count(page, "(kube_"); found == 0 || shown > found {
		t.Errorf("%s shows %d expressions with metrics of kube-state-metrics, of which %d are tried", metricsFile, shown, found)
	}
}
