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
	"errors"
	"math"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/go-logr/logr"
)

// memoryShare is what Go's heap and stacks may take of the container's memory; the rest is for what Go does not count,
// such as the program itself.
const memoryShare = 0.9

// garbage is how much garbage may gather before it is collected, in percent of the memory in use. Go's own 100 doubles what
// the operator's cache takes; to collect more often costs CPU only while there is work.
const garbage = 20

// setGCPercent has Go collect garbage early. GOGC in the environment takes precedence.
func setGCPercent(lookupEnv func(string) (string, bool)) {
	if _, set := lookupEnv("GOGC"); !set {
		debug.SetGCPercent(garbage)
	}
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
