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

// Command life has one process of the operator live through a long series of changes, and watches what it keeps: resident memory, the
// heap, goroutines, and the entries in each of its own stores. It takes the operator's real binary, with its default flags and its real
// Role, on an embedded control plane of its own. At first the population is renewed once, as fast as that goes, so that it has the ages
// that it has from then on; what is measured comes after. At the end all Applications are deleted, and nothing may be left of them in
// the stores: then the run fails. Whether the rest is flat is for a person to see, in a table and in plots.
//
// It knows the operator from outside: by its metrics.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/example/app-operator/test/bench/rig"
	"github.com/example/app-operator/test/controlplane"
	"github.com/example/app-operator/test/operator"
)

const (
	namespace = "life"
	home      = namespace + "-system"
	// patience is what a step may take that waits for the operator. Only a machine in trouble needs all of it.
	patience = 10 * time.Minute
	glance   = time.Second
)

// life is a run.
type life struct {
	binary     string
	population int
	rate       float64
	lasts      time.Duration

	cluster  *controlplane.ControlPlane
	k8s      client.WithWatch
	operator *operator.Replica
	churn    churn
	results  Results
	began    time.Time
}

func main() {
	l := &life{began: time.Now()}
	flag.StringVar(&l.binary, "operator", filepath.Join("bin", "manager"), "the operator's binary")
	flag.DurationVar(&l.lasts, "for", 10*time.Minute, "how long changes go on while it is measured")
	flag.Float64Var(&l.rate, "rate", 50, "how many changes a minute has")
	flag.IntVar(&l.population, "applications", 200, "how many Applications there are at a time")
	flag.StringVar(&l.results.Machine.Revision, "revision", "", "what the operator was built from, for the description of the run")
	output := flag.String("output", "", "a folder for life.json and life.md; empty: none")
	flag.Parse()
	rig.Main("life", func(ctx context.Context) error { return l.run(ctx, *output) })
}

// run lives the life, and writes and prints what was measured, also of a run that fails.
func (l *life) run(ctx context.Context, output string) (err error) {
	if l.population <= newest || l.rate <= 0 || l.lasts < sampleEvery {
		return fmt.Errorf("give --applications of more than %d, a --rate of more than 0, and --for %s or longer", newest, sampleEvery)
	}
	if err := l.results.Machine.Describe(); err != nil {
		return err
	}
	if err := l.start(ctx); err != nil {
		return errors.Join(err, context.Cause(ctx))
	}
	defer func() { err = errors.Join(err, l.cluster.Stop()) }()
	lived := l.live(ctx)
	if lived != nil {
		lived = fmt.Errorf("%w\nThe last lines of %s:\n%s", lived, l.operator.LogFile(), controlplane.Tail(l.operator.LogFile(), 5))
	}
	l.results.Run = fmt.Sprintf("%s of %g changes a minute, %d Applications at a time, %d changes in all with those before",
		l.lasts, l.rate, l.population, l.churn.made)
	return errors.Join(lived, l.results.write(output), rig.Table(os.Stdout, l.results.table()), context.Cause(ctx))
}

// start starts a control plane and the operator.
func (l *life) start(ctx context.Context) error {
	l.tell("start a control plane and the operator")
	var err error
	l.cluster, err = controlplane.Start(ctx, controlplane.Options{
		CRDPaths: []string{"config/crd/bases"}, Nodes: 2 + l.population*2*mostPods/1000,
	})
	if err != nil {
		return err
	}
	err = l.furnish(ctx)
	if err != nil {
		err = errors.Join(err, l.cluster.Stop())
	}
	return err
}

func (l *life) furnish(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var err error
	if l.k8s, err = rig.NewClient(l.cluster.Config()); err != nil {
		return err
	}
	if l.results.Machine.Kubernetes, err = rig.Version(l.cluster.Config()); err != nil {
		return err
	}
	if err := rig.MakeNamespace(ctx, l.k8s, namespace); err != nil {
		return err
	}
	l.churn = churn{k8s: l.k8s}
	_, l.operator, err = rig.StartOperator(ctx, l.cluster, l.k8s, home, namespace, l.binary, "manager-1", rig.GoLimit(rig.MemoryLimit))
	return err
}

// live makes the changes and measures, and sees the end.
func (l *life) live(ctx context.Context) error {
	l.tell(fmt.Sprintf("%d Applications", l.population))
	if err := l.within(ctx, func(ctx context.Context) error { return l.churn.fill(ctx, l.population) }); err != nil {
		return err
	}
	renewal := l.population * len(changes)
	l.tell(fmt.Sprintf("%d changes, to renew them all", renewal))
	if err := l.within(ctx, func(ctx context.Context) error { return l.churn.make(ctx, renewal) }); err != nil {
		return err
	}
	l.tell(fmt.Sprintf("%s of %g changes a minute", l.lasts, l.rate))
	if err := l.measured(ctx); err != nil {
		return err
	}
	l.tell("delete all")
	return l.within(ctx, func(ctx context.Context) error {
		if err := l.churn.empty(ctx); err != nil {
			return err
		}
		return l.lastSample(ctx)
	})
}

// within runs a step that has to come to its end.
func (l *life) within(ctx context.Context, step func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return step(ctx)
}

// measured makes changes at the rate for as long as the run lasts, and takes a sample now and then.
func (l *life) measured(ctx context.Context) error {
	change := time.NewTicker(time.Duration(float64(time.Minute) / l.rate))
	defer change.Stop()
	sample := time.NewTicker(sampleEvery)
	defer sample.Stop()
	end := time.After(l.lasts)
	began := time.Now()
	if err := l.sample(ctx, 0); err != nil {
		return err
	}
	for {
		var err error
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-end:
			return l.within(ctx, l.churn.untilReady) // what was asked for is there in the end
		case <-change.C:
			err = l.churn.next(ctx)
		case <-sample.C:
			err = l.sample(ctx, time.Since(began))
		}
		if err != nil {
			return err
		}
	}
}

// tell tells a person what begins.
func (l *life) tell(what string) {
	fmt.Printf("%7s  %s ...\n", time.Since(l.began).Round(time.Second), what)
}
