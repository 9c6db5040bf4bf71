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
	"time"
)

// debouncedConfig is a change of the configuration that the pods do not have yet. Its clock is what its methods are given. The zero
// value is ready.
type debouncedConfig struct {
	// hash is the configuration's newest, since says when it was first seen, and first when the first of the changes was.
	hash         string
	since, first time.Time
	// rolled is the last that the pods were to have.
	rolled string
	// due is when the pods are to have the newest; zero if they are to have it now.
	due time.Time
}

// roll returns the newest configuration, which the pods are to have at once.
func (s *debouncedConfig) roll(hash string) string {
	*s = debouncedConfig{rolled: hash}
	return hash
}

// settle returns which configuration the pods are to have: the one that they have, until a new one has settled. Without
// pods there is nothing to wait for.
func (s *debouncedConfig) settle(has, hash string, now time.Time) string {
	if has == "" || has == hash || hash == s.rolled {
		return s.roll(hash)
	}
	if s.hash != hash {
		s.hash, s.since = hash, now
	}
	if s.first.IsZero() {
		s.first = now
	}
	s.due = s.since.Add(configDebounce)
	if latest := s.first.Add(configMaxWait); latest.Before(s.due) {
		s.due = latest
	}
	if s.due.After(now) {
		return has
	}
	return s.roll(hash)
}

// wait returns for how long the newest configuration has to settle yet.
func (s *debouncedConfig) wait(now time.Time) time.Duration {
	if s.due.IsZero() {
		return 0
	}
	return max(s.due.Sub(now), time.Millisecond)
}
