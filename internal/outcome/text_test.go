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
	"testing"
	"unicode/utf8"
)

func TestOneLine(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"plain words":                      {`exit  code 1 ("no")`, `exit  code 1 ("no")`},
		"other scripts":                    {"Größe, размер, 大小, 🙂", "Größe, размер, 大小, 🙂"},
		"nothing":                          {"", ""},
		"lines":                            {"Traceback:\n  File x\r\n\tline 1\n", "Traceback:   File x line 1"},
		"separators of lines":              {"a\u2028b\u2029c\u0085d\ve\ff", "a b c d e f"},
		"another kind of space":            {"a\u00a0b\u3000c", "a b c"},
		"colours":                          {"\x1b[1;31mfatal\x1b[0m: no", "fatal: no"},
		"colours by one character":         {"\u009b31mfatal\u009b0m", "fatal"},
		"a title for the window":           {"\x1b]0;all is well\x07fatal", "fatal"},
		"a link":                           {"\x1b]8;;http://x\x1b\\here\x1b]8;;\x1b\\", "here"},
		"a sequence that does not end":     {"\x1b]0;fatal: no", "]0;fatal: no"},
		"an escape before a sequence":      {"\x1b\x1b[2Jfatal", "fatal"},
		"an escape at the end":             {"fatal\x1b", "fatal"},
		"another character set":            {"\x1b(0fatal\x1bc", "fatal"},
		"control characters":               {"a\x00b\x07c\x08d\x7fe\u0080f", "abcdef"},
		"the direction of writing":         {"abc\u202edcba\u202c\u2066x\u2069\u200f", "abcdcbax"},
		"what has no width":                {"pass\u200bword\u200d\u2060\ufeff\u00ad", "password"},
		"what is not shown":                {"a\u3164b\u115fc\ufe0fd\U000e0041e", "abcde"},
		"private characters":               {"a\ue000b\U0010fffdc\uffffd", "abcd"},
		"what is not UTF-8":                {"a\xffb\xc3", "ab"},
		"a sequence within what is no UTF": {"\x1b\xff[31mred", "red"},
	} {
		t.Run(name, func(t *testing.T) {
			got := OneLine(test.text)
			if got != test.want {
				t.Errorf("%q becomes %q, want %q", test.text, got, test.want)
			}
			if again := OneLine(got); again != got {
				t.Errorf("%q becomes %q the second time", got, again)
			}
		})
	}
}

func FuzzOneLine(f *testing.F) {
	f.Add("\x1b[31m")
	f.Fuzz(func(t *testing.T, text string) {
		line := OneLine(text)
		if !utf8.ValidString(line) {
			t.Errorf("%q becomes %q, which is not UTF-8", text, line)
		}
		for _, r := range line {
			if r < ' ' || r >= 0x7f && r < 0xa0 {
				t.Errorf("%q becomes %q", text, line)
			}
		}
	})
}

func TestShorten(t *testing.T) {
	for _, test := range []struct{ text, want string }{{"abc", "abc"}, {"abcd", "abc ..."}, {"ab€", "ab ..."}} {
		if got := Shorten(test.text, 3); got != test.want {
			t.Errorf("%q becomes %q, want %q", test.text, got, test.want)
		}
	}
}
