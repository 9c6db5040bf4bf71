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

// Command plot draws the figures of a benchmark run, which it reads as JSON from its standard input, one SVG for each measure: each
// figure against the number of Applications, or against the minutes of a long run, and what it is to be compared with as dashed
// lines of the same colour. Both axes begin at 0 and are linear, so that what grows faster than the number of Applications bends
// upwards.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
)

// figure is one of the run, as test/bench writes it.
type figure struct {
	Measure, Name, Unit string
	Applications        float64
	// Minutes are since the run began; nil where figures are of different numbers of Applications.
	Minutes    *float64
	Value      float64
	Yardsticks []struct {
		Name  string
		Value float64
	}
}

// at returns where on the horizontal axis the figure is.
func (f figure) at() float64 {
	if f.Minutes != nil {
		return *f.Minutes
	}
	return f.Applications
}

const width, height = 20 * vg.Centimeter, 11 * vg.Centimeter

func main() {
	output := flag.String("output", ".", "the folder for the plots")
	flag.Parse()
	if err := run(*output); err != nil {
		log.Fatal(err)
	}
}

func run(output string) error {
	var found struct{ Figures []figure }
	if err := json.NewDecoder(os.Stdin).Decode(&found); err != nil {
		return fmt.Errorf("read the results: %w", err)
	}
	var measures []string
	for _, each := range found.Figures {
		if !slices.Contains(measures, each.Measure) {
			measures = append(measures, each.Measure)
		}
	}
	for _, measure := range measures {
		of := slices.DeleteFunc(slices.Clone(found.Figures), func(f figure) bool { return f.Measure != measure })
		drawn, err := draw(measure, of)
		if err != nil {
			return fmt.Errorf("draw %s: %w", measure, err)
		}
		file := filepath.Join(output, strings.ReplaceAll(strings.ToLower(measure), " ", "-")+".svg")
		if err := drawn.Save(width, height, file); err != nil {
			return err
		}
	}
	return nil
}

// draw draws the figures of a measure.
func draw(measure string, figures []figure) (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text = measure
	p.X.Label.Text = "Applications"
	if figures[0].Minutes != nil {
		p.X.Label.Text = "minutes"
	}
	p.Y.Label.Text = figures[0].Unit
	p.Y.Min, p.X.Min = 0, 0
	p.Legend.Top, p.Legend.Left = true, true
	p.Add(plotter.NewGrid())
	var names []string
	for _, each := range figures {
		if !slices.Contains(names, each.Name) {
			names = append(names, each.Name)
		}
	}
	known := map[string]bool{}
	for i, name := range names {
		of := slices.DeleteFunc(slices.Clone(figures), func(f figure) bool { return f.Name != name })
		if err := addFigure(p, i, name, of, known); err != nil {
			return nil, err
		}
	}
	p.Y.Max *= 1.2 + 0.05*float64(len(names)+len(known)) // room for the legend
	return p, nil
}

// many is how many values a line has whose points are not marked.
const many = 20

// addFigure adds a figure, and what it is to be compared with unless the same is known, in the colour of that number.
func addFigure(p *plot.Plot, number int, name string, figures []figure, known map[string]bool) error {
	values, yardsticks := make(plotter.XYs, 0, len(figures)), map[string]plotter.XYs{}
	var besides []string
	for _, each := range figures {
		values = append(values, plotter.XY{X: each.at(), Y: each.Value})
		for _, yardstick := range each.Yardsticks {
			if yardsticks[yardstick.Name] == nil {
				besides = append(besides, yardstick.Name)
			}
			yardsticks[yardstick.Name] = append(yardsticks[yardstick.Name], plotter.XY{X: each.at(), Y: yardstick.Value})
		}
	}
	line, points, err := plotter.NewLinePoints(values)
	if err != nil {
		return err
	}
	line.Color, points.Color = plotutil.Color(number), plotutil.Color(number)
	points.Shape = plotutil.Shape(number)
	if len(values) > many {
		p.Add(line)
		p.Legend.Add(name, line)
	} else {
		p.Add(line, points)
		p.Legend.Add(name, line, points)
	}
	for i, beside := range besides {
		same := fmt.Sprint(beside, yardsticks[beside])
		if known[same] {
			continue
		}
		known[same] = true
		dashed, err := plotter.NewLine(yardsticks[beside])
		if err != nil {
			return err
		}
		dashed.Color = plotutil.Color(number)
		dashed.Dashes = plotutil.Dashes(2 + i)
		p.Add(dashed)
		p.Legend.Add("  "+beside, dashed)
	}
	return nil
}
