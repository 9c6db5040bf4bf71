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
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/go-logr/logr"
)

// memoryShare is what Go's heap and stacks may take of the container's memory; the rest is for what Go does not count,
// such as the program itself.
const memoryShare = 0.9

// garbage is how much garbage may gather before it is collected, in percent of the memory in use. Go's own 100 doubles what
// the operator's cache takes, at rest too; while there is work, garbage may take a quarter of what is free below the memory
// limit, as long as it is no more than Go's own.
const (
	garbage       = 20
	mostGarbage   = 100
	garbageOfFree = 4
)

// restBegins is how long after a collection the operator is taken to rest, if no other follows.
const restBegins = 10 * time.Second

// tuneGC has Go collect garbage early at rest, and later while there is work and the memory limit leaves room, until ctx ends. Work is
// where one collection follows another before the time after which rest begins. GOGC in the environment takes precedence.
func tuneGC(ctx context.Context, lookupEnv func(string) (string, bool), restBegins time.Duration) {
	if _, set := lookupEnv("GOGC"); set {
		return
	}
	percent := garbage
	debug.SetGCPercent(percent)
	limit := debug.SetMemoryLimit(-1)
	if limit == math.MaxInt64 {
		return
	}
	set := func(to int) {
		if to != percent { // which stops all else for a moment
			percent = to
			debug.SetGCPercent(to)
		}
	}
	collected := make(chan struct{}, 1)
	notifyOfCollections(collected)
	go func() {
		rest := time.NewTimer(restBegins)
		defer rest.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-collected:
				if rest.Reset(restBegins) { // it is not long since the one before
					set(garbageWithWork(limit, scanned()))
				}
			case <-rest.C:
				if percent != garbage {
					set(garbage)
					debug.FreeOSMemory() // collects, and gives back what the work took; Go's own way to that takes minutes
				}
			}
		}
	}()
}

// garbageWithWork returns how much garbage may gather while there is work, in percent of what a collection looks through.
func garbageWithWork(limit, scanned int64) int {
	return int(min(max((limit-scanned)/garbageOfFree*100/max(scanned, 1), garbage), mostGarbage))
}

// scanned returns what the last collection has looked through, of which Go takes its percentage: the heap in use, and the stacks and
// variables.
func scanned() int64 {
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/stack:bytes"}, {Name: "/gc/scan/globals:bytes"}}
	metrics.Read(samples)
	var sum uint64
	for _, sample := range samples {
		sum += sample.Value.Uint64()
	}
	return int64(sum)
}

// notifyOfCollections sends after each garbage collection, unless the one before has not been received yet.
func notifyOfCollections(collected chan<- struct{}) {
	unused := &[2]uint64{} // smaller ones share their memory with others
	runtime.AddCleanup(unused, func(collected chan<- struct{}) {
		select {
		case collected <- struct{}{}:
		default:
		}
		notifyOfCollections(collected)
	}, collected)
}

// limitMemory has Go collect garbage before the container reaches its memory limit and is killed. GOMEMLIMIT in the
// environment takes precedence. Without a limit, or where none can be read, everything stays as it is.
func limitMemory(log logr.Logger, provider memlimit.Provider) {
	before := debug.SetMemoryLimit(-1)
	limit, err := memlimit.Set(memlimit.WithRatio(memoryShare), memlimit.WithProvider(provider))
	switch {
	case errors.Is(err, memlimit.ErrNoCgroup), errors.Is(err, memlimit.ErrCgroupsNotSupported):
	case err != nil:
		log.Info("Could not derive Go's memory limit from the container's", "why", err.Error())
	case limit != math.MaxInt64:
		log.Info("Limited Go's memory", "bytes", limit, "fromEnvironment", limit == before)
	}
}
