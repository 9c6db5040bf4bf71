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

// Command bench measures the operator's real binary, with its default flags and its real Role, on an embedded control
// plane: at each of several numbers of Applications, and each figure beside a yardstick of the same run, such as a bare
// client that sends the same requests. It prints a table and writes it, together with all figures as JSON and a
// description of the machine, to a folder. It passes no judgement: it fails only when something cannot be measured.
//
// It may use the operator's packages to make the objects that the bare client sends, and knows the operator otherwise
// only from outside: by the API server's audit log, the operator's metrics and /proc.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/example/app-operator/test/bench/rig"
)

// bench is what the measurements share.
type bench struct {
	operatorPath string
	// profiles is the folder for the operator's profiles; empty for none.
	profiles string
	results  Results
	began    time.Time
	// applications is how many there are in the round under way.
	applications int
	// resident is the operator's memory in the round before, by when it was measured.
	resident map[string]size
}

func main() {
	operatorPath := flag.String("operator", filepath.Join("bin", "manager"), "the operator's binary")
	sizes := flag.String("sizes", "100,1000,5000", "numbers of Applications, comma-separated")
	revision := flag.String("revision", "", "what the operator was built from, for the description of the run")
	output := flag.String("output", "", "a folder for results.json and results.md; empty: none")
	profiles := flag.String("profiles", "", "a folder for CPU and heap profiles of an operator that was built with the tag profile; "+
		"then nothing is measured but what they are about, without yardsticks")
	flag.Parse()
	b := &bench{operatorPath: *operatorPath, profiles: *profiles, began: time.Now()}
	b.results.Machine.Revision = *revision
	rig.Main("bench", func(ctx context.Context) error { return b.run(ctx, *sizes, *output) })
}

// run makes all measurements with each number of Applications, and writes and prints the results.
func (b *bench) run(ctx context.Context, sizes, output string) error {
	numbers, err := parseSizes(sizes)
	if err != nil {
		return err
	}
	if err := b.results.Machine.Describe(); err != nil {
		return err
	}
	for _, b.applications = range numbers {
		if err := b.measure(ctx); err != nil {
			return errors.Join(fmt.Errorf("with %d Applications: %w", b.applications, err), context.Cause(ctx))
		}
		// After each round, so that a run that is cut short has told what it found.
		if err := b.results.write(output); err != nil {
			return err
		}
	}
	return rig.Table(os.Stdout, b.results.table())
}

func parseSizes(list string) ([]int, error) {
	var sizes []int
	for text := range strings.SplitSeq(list, ",") {
		size, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || size < 1 {
			return nil, fmt.Errorf("--sizes=%q: give numbers of 1 or more, comma-separated", list)
		}
		sizes = append(sizes, size)
	}
	return sizes, nil
}

// measure makes all measurements with b.applications Applications.
func (b *bench) measure(ctx context.Context) error {
	var floors []*floor
	if b.profiles == "" {
		floors = []*floor{{name: "floor", make: (*stage).makeByHand}, {name: "same calls", make: (*stage).makeAsTheOperator}}
	}
	for _, f := range floors {
		if err := b.measureFloor(ctx, f); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	s, err := b.startStage(ctx)
	if err != nil {
		return err
	}
	r := &round{bench: b, stage: s, floors: floors}
	err = r.measure(ctx)
	return errors.Join(err, s.stop())
}

// round is what is measured on one control plane with the operator.
type round struct {
	*bench
	*stage
	floors   []*floor
	operator *running
	lists    lists
}

// step is a part of a round.
type step struct {
	title string
	run   func(context.Context) error
}

func (r *round) measure(ctx context.Context) error {
	steps := []step{
		{"start the operator", r.start},
		{"converge", r.converge},
		{"one among many", r.latency},
		{"drift", r.drift},
		{"memory with 3 pods each", r.memory},
		{"rest", r.rest},
		{"schedules", r.schedules},
		{"restart", r.restart},
		{"takeover", r.takeover},
	}
	if r.profiles != "" {
		steps = r.profiled()
	}
	for _, step := range steps {
		if err := r.step(ctx, step.title, step.run); err != nil {
			return fmt.Errorf("%s: %w%s", step.title, err, r.operator.lastWords())
		}
		if err := r.profile(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.title, err)
		}
	}
	return nil
}

// step runs a part of a round within its time, and tells a person about it.
func (b *bench) step(ctx context.Context, title string, run func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, b.limit())
	defer cancel()
	began := time.Now()
	fmt.Printf("%7s  %d Applications: %s ...", time.Since(b.began).Round(time.Second), b.applications, title)
	if err := run(ctx); err != nil {
		fmt.Println(" failed")
		return err
	}
	fmt.Printf(" %.1f s\n", time.Since(began).Seconds())
	return nil
}

// limit is what one step may take. Only a machine in trouble needs all of it.
func (b *bench) limit() time.Duration {
	return 3*time.Minute + time.Duration(b.applications)*200*time.Millisecond
}
