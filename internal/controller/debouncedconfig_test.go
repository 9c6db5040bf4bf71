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

package controller

import (
	"testing"
	"time"
)

func TestAConfigurationSettles(t *testing.T) {
	start := time.Now()
	for what, test := range map[string]struct {
		// changes are how many seconds after the start a new configuration comes.
		changes []float64
		// rolls are when the pods get another one, in tenths of a second.
		rolls []int
	}{
		"nothing changes":               {nil, nil},
		"one change":                    {[]float64{0}, []int{30}},
		"a burst":                       {[]float64{0, 0.5, 1, 3.5}, []int{65}},
		"two changes apart":             {[]float64{0, 10}, []int{30, 130}},
		"a burst that does not end":     {[]float64{0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28}, []int{300}},
		"a change while others settle ": {[]float64{0, 2.9}, []int{59}},
	} {
		var config debouncedConfig
		has, newest := "0", 0
		var rolls []int
		for tick := range 400 {
			now := start.Add(time.Duration(tick) * 100 * time.Millisecond)
			for newest < len(test.changes) && float64(tick) >= test.changes[newest]*10 {
				newest++
			}
			hash := string(rune('0' + newest))
			got := config.settle(has, hash, now)
			if settles := got != hash; settles != (config.wait(now) > 0) {
				t.Fatalf("%s: settles: %v; is looked at again after %s", what, settles, config.wait(now))
			}
			if got != has {
				rolls = append(rolls, tick)
			}
			has = got
		}
		if len(rolls) != len(test.rolls) {
			t.Errorf("%s: the pods are restarted at %v, want %v", what, rolls, test.rolls)
			continue
		}
		for i := range rolls {
			if rolls[i] != test.rolls[i] {
				t.Errorf("%s: the pods are restarted at %v, want %v", what, rolls, test.rolls)
			}
		}
	}
}

func TestWhatNeedNotSettle(t *testing.T) {
	now := time.Now()
	var config debouncedConfig
	if got := config.settle("", "a", now); got != "a" {
		t.Error("the first pods wait for a configuration to settle")
	}
	if got := config.roll("b"); got != "b" || config.wait(now) != 0 {
		t.Error("pods that are replaced anyway have to be replaced twice")
	}
	if got := config.settle("a", "b", now); got != "b" {
		t.Error("what was decided is taken back while the cache lags")
	}
	if got := config.settle("b", "c", now); got != "b" {
		t.Error("a change does not settle")
	}
	if got := config.settle("b", "b", now); got != "b" || config.wait(now) != 0 {
		t.Error("a change that was taken back is waited for")
	}
}
