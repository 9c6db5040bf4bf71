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

package outcome

import (
	"regexp"
	"strings"
	"unicode"
)

// escapes are the sequences by which a terminal is told to do something rather than to show something (ECMA-48). One that
// does not end is none: its first character goes, as any control character does.
var escapes = regexp.MustCompile(`(\x1b\[|\x{9b})[0-?]*[ -/]*[@-~]` +
	`|(\x1b[\]PX^_]|[\x{90}\x{98}\x{9d}-\x{9f}])[^\x07\x1b\x{9c}]*(\x07|\x1b\\|\x{9c})` +
	`|\x1b[ -/]*[0-OQ-WYZ\\\x60-~]`)

// OneLine returns what a program has said as it may be shown to people: on one line, and without what a terminal would act on
// or would not show, such as escape sequences, control and zero-width characters, and those that turn the direction of writing.
func OneLine(text string) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
		return text
	}
	var line strings.Builder
	blank := false
	for _, r := range escapes.ReplaceAllString(strings.ToValidUTF8(text, ""), "") {
		switch {
		case r != ' ' && unicode.IsSpace(r):
			if !blank {
				line.WriteByte(' ')
			}
			blank = true
			continue
		case unicode.In(r, unicode.C, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector,
			unicode.Noncharacter_Code_Point):
			continue
		}
		line.WriteRune(r)
		blank = r == ' '
	}
	return strings.TrimSpace(line.String())
}

// Shorten cuts a text that is longer than this many bytes at a character's border.
func Shorten(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + " ..."
}
