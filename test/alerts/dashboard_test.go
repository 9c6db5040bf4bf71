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
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/sets"
)

// datasource is the variable by which the dashboard leaves the choice of a Prometheus to its reader.
const datasource = "${datasource}"

// dashboard is what the tests look at of Grafana's format.
type dashboard struct {
	Title         string `json:"title"`
	UID           string `json:"uid"`
	SchemaVersion int    `json:"schemaVersion"`
	Annotations   struct {
		List []struct {
			Name       string   `json:"name"`
			Datasource sourceID `json:"datasource"`
			Expr       string   `json:"expr"`
		} `json:"list"`
	} `json:"annotations"`
	Templating struct {
		List []struct {
			Name       string   `json:"name"`
			Type       string   `json:"type"`
			Datasource sourceID `json:"datasource"`
			Query      string   `json:"query"`
			Definition string   `json:"definition"`
		} `json:"list"`
	} `json:"templating"`
	Panels []panel `json:"panels"`
}

type sourceID struct {
	UID string `json:"uid"`
}

type panel struct {
	ID         int      `json:"id"`
	Type       string   `json:"type"`
	Title      string   `json:"title"`
	Datasource sourceID `json:"datasource"`
	GridPos    struct{ X, Y, W, H int }
	Targets    []struct {
		RefID string `json:"refId"`
		Expr  string `json:"expr"`
	} `json:"targets"`
}

// TestDashboard wants what Grafana needs to show it: a format that it knows, distinct panels that do not overlap, and a
// data source that its reader chooses.
func TestDashboard(t *testing.T) {
	t.Parallel()
	board := readDashboard(t)
	if board.Title == "" || board.UID == "" || board.SchemaVersion < 40 {
		t.Errorf("title %q, uid %q, schemaVersion %d: want a title, a uid and 40 or more", board.Title, board.UID, board.SchemaVersion)
	}
	ids, titles := sets.New[int](), sets.New[string]()
	taken := map[[2]int]string{}
	for _, panel := range board.Panels {
		if panel.ID == 0 || ids.Has(panel.ID) {
			t.Errorf("panel %q: the id %d is missing or another panel's", panel.Title, panel.ID)
		}
		ids.Insert(panel.ID)
		if name := panel.Type + " " + panel.Title; panel.Title == "" || titles.Has(name) {
			t.Errorf("panel %d: the title %q is missing or another panel's", panel.ID, panel.Title)
		} else {
			titles.Insert(name)
		}
		at := panel.GridPos
		if at.W <= 0 || at.H <= 0 || at.X < 0 || at.X+at.W > 24 {
			t.Errorf("panel %q: does not fit into 24 columns: %+v", panel.Title, at)
		}
		for x := at.X; x < at.X+at.W; x++ {
			for y := at.Y; y < at.Y+at.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" {
					t.Fatalf("panel %q lies over %q", panel.Title, other)
				}
				taken[[2]int{x, y}] = panel.Title
			}
		}
		if panel.Type == "row" {
			continue
		}
		if panel.Datasource.UID != datasource {
			t.Errorf("panel %q: data source %q, want %q", panel.Title, panel.Datasource.UID, datasource)
		}
		if len(panel.Targets) == 0 {
			t.Errorf("panel %q shows nothing", panel.Title)
		}
	}
}

// TestDashboardExpressions has promtool read every expression, as that of a rule, and wants its metrics documented and
// its variables to exist.
func TestDashboardExpressions(t *testing.T) {
	t.Parallel()
	known := documented(t)
	group := monitoringv1.RuleGroup{Name: "dashboard"}
	for where, expr := range expressions(t) {
		known.check(t, where, expr)
		if !strings.Contains(expr, `job="`+job+`"`) {
			t.Errorf("%s: %s would show other programs too", where, expr)
		}
		group.Rules = append(group.Rules, monitoringv1.Rule{
			Record: fmt.Sprintf("dashboard:expression_%d", len(group.Rules)),
			Expr:   intstr.FromString(substitute(t, where, expr)),
		})
	}
	file := writeRules(t, t.TempDir(), monitoringv1.PrometheusRuleSpec{Groups: []monitoringv1.RuleGroup{group}})
	promtool(t, "check", "rules", "--lint=none", file)
}

var (
	variable    = regexp.MustCompile(`\$\{?(\w+)\}?`)
	labelValues = regexp.MustCompile(`^label_values\((.+), \w+\)$`)
)

// substitute replaces the dashboard's variables, and Grafana's own, by values.
func substitute(t *testing.T, where, expr string) string {
	t.Helper()
	values := map[string]string{"__rate_interval": "5m"}
	for _, variable := range readDashboard(t).Templating.List {
		values[variable.Name] = ".*"
	}
	return variable.ReplaceAllStringFunc(expr, func(text string) string {
		value, ok := values[variable.FindStringSubmatch(text)[1]]
		if !ok {
			t.Errorf("%s: no variable %s", where, text)
		}
		return value
	})
}

// expressions returns all that the dashboard asks Prometheus for, by where.
func expressions(t *testing.T) map[string]string {
	t.Helper()
	board := readDashboard(t)
	all := map[string]string{}
	for _, panel := range board.Panels {
		for _, target := range panel.Targets {
			all[fmt.Sprintf("panel %q %s", panel.Title, target.RefID)] = target.Expr
		}
	}
	for _, annotation := range board.Annotations.List {
		all["annotation "+annotation.Name] = annotation.Expr
	}
	for _, variable := range board.Templating.List {
		if variable.Type != "query" {
			continue
		}
		match := labelValues.FindStringSubmatch(variable.Query)
		if match == nil || variable.Definition != variable.Query {
			t.Errorf("variable %s: query %q, definition %q: want the same label_values(SERIES, LABEL)",
				variable.Name, variable.Query, variable.Definition)
			continue
		}
		all["variable "+variable.Name] = match[1]
	}
	return all
}

func readDashboard(t *testing.T) *dashboard {
	t.Helper()
	board := &dashboard{}
	if err := json.Unmarshal([]byte(read(t, dashboardFile)), board); err != nil {
		t.Fatalf("%s: %v", dashboardFile, err)
	}
	return board
}
