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
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/example/app-operator/test/bench/rig"
	"github.com/example/app-operator/test/operator"
)

const (
	// sampleEvery is how often a sample is taken.
	sampleEvery = 15 * time.Second
	// settled is for how long the operator has had nothing to do when what is left is looked at.
	settled = 30 * time.Second
)

// storeEntries is the metric with the entries of each store.
const storeEntries = "app_operator_store_entries"

// Results are all samples of a run, in the form that tools/plot draws.
type Results struct {
	Machine rig.Machine `json:"machine"`
	// Run says what was done.
	Run     string   `json:"run"`
	Figures []Figure `json:"figures"`
	// Left is what each figure is when all Applications are gone, by its name.
	Left map[string]float64 `json:"left"`
}

// Figure is one value of a sample.
type Figure struct {
	// Measure is what it is about. All its figures have the same unit; each measure is a plot.
	Measure string `json:"measure"`
	// Name tells the figures of a measure apart.
	Name string `json:"name"`
	Unit string `json:"unit"`
	// Minutes is when it was taken.
	Minutes float64 `json:"minutes"`
	Value   float64 `json:"value"`
}

// sample notes what the operator keeps now.
func (l *life) sample(ctx context.Context, at time.Duration) error {
	figures, err := l.figures(ctx)
	if err != nil {
		return err
	}
	for _, figure := range figures {
		figure.Minutes = at.Minutes()
		l.results.Figures = append(l.results.Figures, figure)
	}
	return nil
}

// lastSample notes what the operator keeps when all is gone, once its stores are empty and it has had time to give memory back; the
// error says which are not.
func (l *life) lastSample(ctx context.Context) error {
	err := operator.Until(ctx, glance, "the operator's stores to be empty", func() (bool, error) { return l.isEmpty(ctx) })
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(settled):
	}
	empty, err := l.isEmpty(ctx)
	if err == nil && !empty {
		err = errors.New("the operator's stores were empty, and are not any more")
	}
	return err
}

// isEmpty reports whether all stores are, and notes what the operator keeps.
func (l *life) isEmpty(ctx context.Context) (bool, error) {
	figures, err := l.figures(ctx)
	empty := true
	l.results.Left = map[string]float64{}
	for _, figure := range figures {
		l.results.Left[figure.Name] = figure.Value
		empty = empty && (figure.Measure != stores || figure.Value == 0)
	}
	return empty, err
}

// What is measured.
const (
	memory     = "life memory"
	goroutines = "life goroutines"
	stores     = "life stores"
)

// figures asks the operator.
func (l *life) figures(ctx context.Context) ([]Figure, error) {
	families, err := l.operator.Metrics(ctx)
	if err != nil {
		return nil, err
	}
	of := func(name string) float64 { return operator.Total(families[name]) }
	all := []Figure{
		{Measure: memory, Name: "resident", Unit: "MiB", Value: of("process_resident_memory_bytes") / rig.Mebibyte},
		{Measure: memory, Name: "heap in use", Unit: "MiB", Value: of("go_memstats_heap_inuse_bytes") / rig.Mebibyte},
		{Measure: memory, Name: "heap after its last collection", Unit: "MiB", Value: of("go_gc_heap_live_bytes") / rig.Mebibyte},
		{Measure: goroutines, Name: "goroutines", Unit: "count", Value: of("go_goroutines")},
	}
	entries := map[string]float64{}
	for _, metric := range families[storeEntries].GetMetric() {
		entries[metric.GetLabel()[0].GetValue()] = metric.GetGauge().GetValue()
	}
	if len(entries) == 0 {
		return nil, fmt.Errorf("the operator has no metric %s", storeEntries)
	}
	for _, store := range slices.Sorted(maps.Keys(entries)) {
		all = append(all, Figure{Measure: stores, Name: store, Unit: "entries", Value: entries[store]})
	}
	return all, nil
}

// write writes the results to the folder, if there is one.
func (r *Results) write(folder string) error {
	document := rig.Markdown("Long life", "Written by `make bench-life`. After warm-up is the median of the first quarter of the samples, "+
		"at the end that of the last.", append(r.Machine.Lines(), "Run: "+r.Run), r.table())
	return rig.Write(folder, "life", r, document)
}

var columns = []string{"measure", "figure", "unit", "after warm-up", "at the end", "growth", "all deleted"}

// table returns, below the names of its columns, for each figure the median of the first quarter of its samples, that of the last
// quarter, the growth from the one to the other, and what was left.
func (r *Results) table() [][]string {
	values := map[string][]float64{}
	var order []Figure
	for _, figure := range r.Figures {
		if values[figure.Name] == nil {
			order = append(order, figure)
		}
		values[figure.Name] = append(values[figure.Name], figure.Value)
	}
	rows := [][]string{columns}
	for _, figure := range order {
		all := values[figure.Name]
		quarter := (len(all) + 3) / 4
		first, last := median(all[:quarter]), median(all[len(all)-quarter:])
		left := "not known"
		if value, known := r.Left[figure.Name]; known {
			left = number(value)
		}
		rows = append(rows, []string{figure.Measure, figure.Name, figure.Unit, number(first), number(last), growth(first, last), left})
	}
	return rows
}

// median returns the middle one of the values, or the lower one of two.
func median(values []float64) float64 { return slices.Sorted(slices.Values(values))[(len(values)-1)/2] }

func growth(first, last float64) string {
	switch first {
	case last:
		return "0"
	case 0:
		return fmt.Sprintf("%+.1f", last)
	default:
		return fmt.Sprintf("%+.1f (%+.1f %%)", last-first, 100*(last-first)/first)
	}
}

func number(value float64) string { return strings.TrimSuffix(fmt.Sprintf("%.1f", value), ".0") }
