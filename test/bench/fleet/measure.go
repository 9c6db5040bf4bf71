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
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/example/app-operator/test/controlplane"
	"github.com/example/app-operator/test/operator"
)

const (
	// settled is for how long the operators have had nothing to do when memory is looked at.
	settled = 20 * time.Second
	// watched is for how long requests at rest are counted.
	watched  = 30 * time.Second
	patience = 10 * time.Minute
)

// names says what figures hold, in their order. What operators use is the sum over all of them.
var names = [...]string{
	"watches at the API server",
	"operators with no Application, MiB resident",
	"operators at rest, MiB resident",
	"API server at rest, MiB more than before the operators",
	"requests of the operators at the start with no Application",
	"requests for each Application until Ready",
	"CPU for each Application until Ready, ms",
	"requests in a minute at rest",
	"restart until all are looked at, s",
	"requests of a restart",
}

type figures [len(names)]float64

// fleet is a control plane with the namespaces of a shape and the operators that serve them.
type fleet struct {
	shape
	cluster *controlplane.ControlPlane
	k8s     client.Client
	server  func(context.Context) (server, error)
	binary  string
	running []*operator.Operator
	// starts counts how often all operators were started: the name of a process is used once.
	starts int
}

// measure returns the figures of a shape.
func measure(ctx context.Context, binary string, s shape) (f figures, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cluster, err := controlplane.Start(ctx, controlplane.Options{
		CRDPaths: []string{"config/crd/bases"}, Nodes: 2 + s.namespaces*s.applications/500,
	})
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, cluster.Stop()) }()
	fleet := &fleet{shape: s, cluster: cluster, binary: binary}
	if err := fleet.furnish(ctx); err != nil {
		return f, err
	}
	before, err := fleet.server(ctx)
	if err != nil {
		return f, err
	}
	if err := fleet.start(ctx); err != nil {
		return f, err
	}
	empty, err := fleet.rest(ctx)
	if err != nil {
		return f, err
	}
	if err := fleet.fill(ctx); err != nil {
		return f, err
	}
	full, err := fleet.rest(ctx)
	if err != nil {
		return f, err
	}
	after, err := fleet.server(ctx)
	if err != nil {
		return f, err
	}
	time.Sleep(watched)
	later, err := fleet.sum(ctx)
	if err != nil {
		return f, err
	}
	restart, again, err := fleet.restart(ctx)
	if err != nil {
		return f, err
	}
	all := float64(s.namespaces * s.applications)
	return figures{
		after.watches - before.watches,
		empty.resident, full.resident, after.resident - before.resident,
		empty.requests, (full.requests - empty.requests) / all, (full.cpu - empty.cpu) * 1000 / all,
		(later.requests - full.requests) * float64(time.Minute/watched),
		restart.Seconds(), again.requests,
	}, nil
}
