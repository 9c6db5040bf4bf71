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

// Command fleet measures what a platform of many tenants costs: one operator that serves several namespaces, beside an operator for
// each. It takes the operator's real binary, with its default flags and its real Role, and a fresh control plane for each shape, and
// prints a table. It passes no judgement: it fails only when something cannot be measured.
//
// It knows the operators and the API server from outside: by their metrics.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/example/app-operator/test/bench/rig"
)

func main() {
	binary := flag.String("operator", filepath.Join("bin", "manager"), "the operator's binary")
	shapes := flag.String("shapes", "1x1,1x20,1x100,20x20", "numbers of operators and of namespaces that they share, comma-separated")
	each := flag.Int("each", 10, "the number of Applications in each namespace")
	flag.Parse()
	rig.Main("fleet", func(ctx context.Context) error { return run(ctx, *binary, *shapes, *each) })
}

// shape is how many operators serve how many namespaces, the same number each.
type shape struct{ operators, namespaces, applications int }

func (s shape) String() string {
	return fmt.Sprintf("%d for %d", s.operators, s.namespaces)
}

func parse(shapes string, each int) ([]shape, error) {
	if each < 1 {
		return nil, fmt.Errorf("--each=%d: give a number of 1 or more", each)
	}
	var parsed []shape
	for text := range strings.SplitSeq(shapes, ",") {
		s := shape{applications: each}
		if _, err := fmt.Sscanf(strings.TrimSpace(text), "%dx%d", &s.operators, &s.namespaces); err != nil ||
			s.operators < 1 || s.namespaces < s.operators || s.namespaces%s.operators != 0 {
			return nil, fmt.Errorf("--shapes=%q: give OPERATORSxNAMESPACES, comma-separated, the second a multiple of the first", shapes)
		}
		parsed = append(parsed, s)
	}
	return parsed, nil
}

func run(ctx context.Context, binary, list string, each int) error {
	shapes, err := parse(list, each)
	if err != nil {
		return err
	}
	began := time.Now()
	table := make([]figures, len(shapes))
	for i, s := range shapes {
		fmt.Printf("%6s  operators for namespaces: %s, %d Applications in each ...\n", time.Since(began).Round(time.Second), s, each)
		if table[i], err = measure(ctx, binary, s); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", s, err), context.Cause(ctx))
		}
	}
	return show(shapes, table)
}

// show prints the figures, a column for each shape.
func show(shapes []shape, table []figures) error {
	title := []string{"operators for namespaces"}
	for _, s := range shapes {
		title = append(title, s.String())
	}
	rows := [][]string{title}
	for i, name := range names {
		row := []string{name}
		for _, column := range table {
			row = append(row, fmt.Sprintf("%.1f", column[i]))
		}
		rows = append(rows, row)
	}
	return rig.Table(os.Stdout, rows)
}
