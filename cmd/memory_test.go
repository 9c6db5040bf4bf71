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
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/go-logr/logr/funcr"
)

func TestTuneGC(t *testing.T) {
	for name, test := range map[string]struct {
		environment    map[string]string
		limit          int64
		working, after int
	}{
		"with room below the limit":        {nil, 1 << 40, mostGarbage, garbage},
		"without room":                     {nil, 1, garbage, garbage},
		"without a limit":                  {nil, math.MaxInt64, garbage, garbage},
		"the environment takes precedence": {map[string]string{"GOGC": "70"}, 1 << 40, 70, 70},
	} {
		t.Run(name, func(t *testing.T) {
			percent := debug.SetGCPercent(70) // as the runtime does at the start
			limit := debug.SetMemoryLimit(test.limit)
			t.Cleanup(func() {
				debug.SetGCPercent(percent)
				debug.SetMemoryLimit(limit)
			})
			tuneGC(t.Context(), func(name string) (string, bool) {
				value, set := test.environment[name]
				return value, set
			}, time.Second)
			for gcPercent() != test.working && !t.Failed() {
				runtime.GC()
				awaitGC(t)
			}
			for gcPercent() != test.after && !t.Failed() {
				awaitGC(t)
			}
		})
	}
}

// awaitGC pauses for a moment, unless the test's time is over.
func awaitGC(t *testing.T) {
	t.Helper()
	time.Sleep(20 * time.Millisecond)
	if deadline, ok := t.Deadline(); ok && time.Until(deadline) < time.Minute {
		t.Errorf("collects at %d %%", gcPercent())
	}
}

func gcPercent() int {
	sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(sample)
	return int(sample[0].Value.Uint64())
}

func TestGarbageWithWork(t *testing.T) {
	for name, test := range map[string]struct {
		limit, scanned int64
		want           int
	}{
		"little in use":         {limit: 115 << 20, scanned: 5 << 20, want: mostGarbage},
		"a quarter of the rest": {limit: 120 << 20, scanned: 40 << 20, want: 50},
		"nearly all in use":     {limit: 115 << 20, scanned: 90 << 20, want: garbage},
		"more than the limit":   {limit: 115 << 20, scanned: 200 << 20, want: garbage},
		"nothing known":         {limit: 115 << 20, want: mostGarbage},
	} {
		t.Run(name, func(t *testing.T) {
			if got := garbageWithWork(test.limit, test.scanned); got != test.want {
				t.Errorf("collects at %d %%, want %d", got, test.want)
			}
		})
	}
}

func TestLimitMemory(t *testing.T) {
	const unlimited = math.MaxInt64
	for name, test := range map[string]struct {
		provider    memlimit.Provider
		environment string
		want        int64
		log         string
	}{
		"a container's limit": {
			provider: memlimit.Limit(100 << 20), want: 90 << 20, log: `"Limited Go's memory" "bytes"=94371840 "fromEnvironment"=false`,
		},
		"the environment goes before": {
			provider: memlimit.Limit(100 << 20), environment: "1GiB", want: 1 << 30, log: `"bytes"=1073741824 "fromEnvironment"=true`,
		},
		"no limit": {provider: func() (uint64, error) { return 0, memlimit.ErrNoLimit }, want: unlimited},
		"no cgroup": {
			provider: func() (uint64, error) { return 0, memlimit.ErrNoCgroup }, want: unlimited,
		},
		"a limit that cannot be read": {
			provider: func() (uint64, error) { return 0, errors.New("no such file") }, want: unlimited, log: "no such file",
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := debug.SetMemoryLimit(unlimited)
			t.Cleanup(func() { debug.SetMemoryLimit(before) })
			t.Setenv("GOMEMLIMIT", test.environment)
			if test.environment == "" {
				_ = os.Unsetenv("GOMEMLIMIT") // Setenv puts it back
			} else {
				debug.SetMemoryLimit(test.want) // as the runtime does at the start
			}
			var log strings.Builder
			limitMemory(funcr.New(func(_, args string) { log.WriteString(args) }, funcr.Options{}), test.provider)
			if got := debug.SetMemoryLimit(-1); got != test.want {
				t.Errorf("the limit is %d, want %d", got, test.want)
			}
			if !strings.Contains(log.String(), test.log) || (test.log == "") != (log.String() == "") {
				t.Errorf("logged %q, want %q", log.String(), test.log)
			}
		})
	}
}
