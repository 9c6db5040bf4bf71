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

package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/example/app-operator/test/bench/rig"
)

// Results are all figures of a run.
type Results struct {
	Machine rig.Machine `json:"machine"`
	Figures []Figure    `json:"figures"`
}

// Figure is one thing that was measured, beside its yardsticks of the same run.
type Figure struct {
	// Measure is what was done. All its figures have the same unit; each measure is a plot.
	Measure string `json:"measure"`
	// Name tells the figures of a measure apart.
	Name string `json:"name"`
	Unit string `json:"unit"`
	// Applications is how many there were.
	Applications int     `json:"applications"`
	Value        float64 `json:"value"`
	// Yardsticks are what the value is to be compared with.
	Yardsticks []Yardstick `json:"yardsticks,omitempty"`
}

// Yardstick is a value to compare with.
type Yardstick struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
}

// add notes a figure of the round under way.
func (b *bench) add(measure, name, unit string, value float64, beside ...Yardstick) {
	b.results.Figures = append(b.results.Figures, Figure{
		Measure: measure, Name: name, Unit: unit, Applications: b.applications, Value: value, Yardsticks: beside,
	})
}

// addTimes notes the median and the 99th percentile of what was taken, in milliseconds, beside those of the yardstick.
func (b *bench) addTimes(measure, prefix string, took []time.Duration, name string, beside []time.Duration) {
	for _, share := range []int{50, 99} {
		b.add(measure, fmt.Sprintf("%sp%d", prefix, share), "ms", milliseconds(percentile(took, share)),
			Yardstick{Name: name, Value: milliseconds(percentile(beside, share))})
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// percentile returns the smallest of the values that this share of them, in percent, does not exceed.
func percentile(values []time.Duration, share int) time.Duration {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[(len(sorted)*share+99)/100-1]
}

// write writes the results to the folder, if there is one.
func (r *Results) write(folder string) error {
	document := rig.Markdown("Results", "Written by `make bench`. A cell is the value, and for each yardstick its value and the ratio to it.",
		r.Machine.Lines(), r.table())
	return rig.Write(folder, "results", r, document)
}

// row is a figure at every number of Applications.
type row struct {
	Figure
	cells []string
}

// order is how a person reads the measures.
var order = []string{
	"converge", "share", "requests", "CPU", "work", "one new", "one edit", "drift", "rest", "rest CPU",
	"restart", "takeover", "writes at a start", "memory", "memory at its highest", "heap", "memory per Application",
}

// rows returns the figures by measure and name, and the numbers of Applications.
func (r *Results) rows() (rows []row, sizes []int) {
	for _, figure := range r.Figures {
		if !slices.Contains(sizes, figure.Applications) {
			sizes = append(sizes, figure.Applications)
		}
	}
	for _, figure := range r.Figures {
		at := slices.IndexFunc(rows, func(known row) bool {
			return known.Measure == figure.Measure && known.Name == figure.Name
		})
		if at < 0 {
			at = len(rows)
			rows = append(rows, row{Figure: figure, cells: make([]string, len(sizes))})
		}
		rows[at].cells[slices.Index(sizes, figure.Applications)] = figure.cell()
	}
	slices.SortStableFunc(rows, func(a, b row) int {
		return cmp.Compare(slices.Index(order, a.Measure), slices.Index(order, b.Measure))
	})
	return rows, sizes
}

// cell returns the value, and for each yardstick its value and, where that means something, the ratio to it.
func (f Figure) cell() string {
	ratios := make([]string, 0, len(f.Yardsticks))
	for _, yardstick := range f.Yardsticks {
		ratio := " / " + number(yardstick.Value)
		if yardstick.Value > 0 {
			ratio += fmt.Sprintf(" = %.2f", f.Value/yardstick.Value)
		}
		ratios = append(ratios, ratio)
	}
	return number(f.Value) + strings.Join(ratios, ",")
}

// number returns a value with three digits that say something, or more before the point.
func number(value float64) string {
	switch {
	case value == 0:
		return "0"
	case value < 1:
		return fmt.Sprintf("%.3f", value)
	case value < 10:
		return fmt.Sprintf("%.2f", value)
	case value < 100:
		return fmt.Sprintf("%.1f", value)
	default:
		return fmt.Sprintf("%.0f", value)
	}
}

// beside returns the names of the yardsticks.
func (r row) beside() string {
	names := make([]string, 0, len(r.Yardsticks))
	for _, yardstick := range r.Yardsticks {
		names = append(names, yardstick.Name)
	}
	return strings.Join(names, ", ")
}

// table returns the figures as a table, whose first row names the columns.
func (r *Results) table() [][]string {
	rows, sizes := r.rows()
	table := [][]string{header(sizes)}
	for _, each := range rows {
		table = append(table, each.columns())
	}
	return table
}

func header(sizes []int) []string {
	columns := []string{"measure", "figure", "unit", "beside"}
	for _, size := range sizes {
		columns = append(columns, fmt.Sprintf("%d Applications", size))
	}
	return columns
}

func (r row) columns() []string {
	return append([]string{r.Measure, r.Name, r.Unit, r.beside()}, r.cells...)
}
