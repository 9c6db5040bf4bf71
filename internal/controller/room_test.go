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
	"errors"
	"slices"
	"strings"
	"testing"
)

// TestFewest holds that no more is taken away than stands in the way. What is complained of without some of the additions is
// given as those that must go, each for one complaint, or together.
func TestFewest(t *testing.T) {
	for what, test := range map[string]struct {
		additions, want string
		complaints      int
		left            func(gone string) int
	}{
		"one of several":    {"abcd", "c", 1, silencedBy("c")},
		"one for each":      {"abcd", "bd", 2, silencedBy("b", "d")},
		"two together":      {"abcd", "bd", 1, silencedBy("bd")},
		"one, and two":      {"abcde", "abd", 2, silencedBy("bd", "a")},
		"not even all":      {"abcd", "", 2, silencedBy("x")},
		"nothing there":     {"", "", 1, silencedBy("x")},
		"another complaint": {"ab", "b", 1, func(gone string) int { return 1 - strings.Count(gone, "b") + strings.Count(gone, "a") }},
	} {
		got, err := fewest([]byte(test.additions), test.complaints, func(gone []byte) (int, error) { return test.left(string(gone)), nil })
		slices.Sort(got)
		if string(got) != test.want || err != nil {
			t.Errorf("%s: %s go, want %s; error %v", what, got, test.want, err)
		}
	}
	broken := errors.New("broken")
	if _, err := fewest([]byte("ab"), 1, func([]byte) (int, error) { return 0, broken }); !errors.Is(err, broken) {
		t.Errorf("error %v, want %v", err, broken)
	}
}

// silencedBy returns how many complaints are left, each of which all of its additions silence together.
func silencedBy(complaints ...string) func(string) int {
	return func(gone string) int {
		left := 0
		for _, needed := range complaints {
			if strings.ContainsFunc(needed, func(one rune) bool { return !strings.ContainsRune(gone, one) }) {
				left++
			}
		}
		return left
	}
}
