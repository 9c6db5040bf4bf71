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

package docs

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// newerThanMacOS is what bash has learnt after 3.2, which is the one of macOS, and options of GNU's programs that those of macOS
// do not have.
var newerThanMacOS = regexp.MustCompile(`\b(mapfile|readarray|coproc|EPOCHSECONDS|EPOCHREALTIME|realpath)\b|\b(declare|local|typeset) -[a-z]*[Ang]` +
	`|\$\{\w+(\[[^]]*\])?(,|\^|@[A-Za-z]\})|\[-\d+\]|&>>|\|&|;;?&|\bwait -n\b|\breadlink -f|\bstat -c|\bgrep -[a-zA-Z]*P|\bsed -i|\bsed [^|]*\\t|` +
	`\btail --|\b(date|touch) -d|\bbase64 -w|\bhead -[nc] ?-|\bsort -V|\b(cp|ls|mktemp|touch) --|\bpaste -\S+ *([|)]|$)`)

// TestScriptsRunOnMacOS holds that scripts use nothing that bash 3.2 does not know. node-image.sh makes a Debian, and .ci/docker and
// .ci/runc prepare one.
func TestScriptsRunOnMacOS(t *testing.T) {
	scripts := []string{".ci/run", "Makefile"}
	for _, pattern := range []string{"hack/*.sh", "hack/kind/*.sh", "test/controlplane/*.sh"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("no scripts %s (%v)", pattern, err)
		}
		for _, file := range found {
			name, err := filepath.Rel(root, file)
			if err != nil {
				t.Fatal(err)
			}
			if name != "hack/kind/node-image.sh" {
				scripts = append(scripts, name)
			}
		}
	}
	for _, name := range scripts {
		for i, line := range strings.Split(string(read(t, name)), "\n") {
			if strings.HasPrefix(strings.TrimSpace(line), "#") {
				continue
			}
			if found := newerThanMacOS.FindString(line); found != "" {
				t.Errorf("%s:%d has %q, which macOS does not have", name, i+1, found)
			}
		}
	}
}

// TestTheOldBashIsKept holds that the expression finds what it is for.
func TestTheOldBashIsKept(t *testing.T) {
	for _, line := range []string{
		"mapfile -t a", "local -n b=c", "declare -A m", "x=${y,,}", "x=${y[@]^}", "${listed[-1]}", "x |& y", "began=$EPOCHSECONDS",
		"x | paste -sd,", "$(x | paste -sd, || true)", `sed -n 's/^\t"Dir"//p'`, "touch -d @0 x", "head -n -1",
	} {
		if !newerThanMacOS.MatchString(line) {
			t.Errorf("%q is not found", line)
		}
	}
	for _, line := range []string{"$(x | paste -sd' ' -)", "x | paste -sd, -", "IFS=$'\\t' read -r a"} {
		if found := newerThanMacOS.FindString(line); found != "" {
			t.Errorf("%q is found in %q", found, line)
		}
	}
}
