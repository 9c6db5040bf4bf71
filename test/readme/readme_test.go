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

package readme

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

func TestConsoleAndScripts(t *testing.T) {
	file := filepath.Join(t.TempDir(), "README.md")
	page := "# Title\n```sh\nmake one\n```\ntext\n```console\n$ kubectl get a\nNAME   AGE\na      1s\n$ kubectl scale a\nscaled\n```\n```sh\nmake two\n```\n"
	if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	commands, err := Console(file)
	if err != nil {
		t.Fatal(err)
	}
	want := []Command{{"kubectl get a", "NAME   AGE\na      1s"}, {"kubectl scale a", "scaled"}}
	if !reflect.DeepEqual(commands, want) {
		t.Errorf("commands are %q, want %q", commands, want)
	}
	if !commands[0].Looks() || commands[1].Looks() {
		t.Error("get changes nothing, and scale does")
	}
	if scripts, err := Scripts(file, "two"); err != nil || !reflect.DeepEqual(scripts, []string{"make two\n"}) {
		t.Errorf("scripts are %q (%v)", scripts, err)
	}
	if _, err := Console(file + ".txt"); err == nil {
		t.Error("a page that does not exist has commands")
	}
}

func TestPrints(t *testing.T) {
	for _, test := range []struct {
		name, shown, said string
		want              bool
	}{
		{"another age and wider columns", "a   5/5   1s\n", "a      5/5   2m13s", true},
		{"a whole minute", "a   1s\n", "a   2m", true},
		{"fewer replicas", "a   5/5   1s\n", "a   4/5   1s", false},
		{"more than is shown", "a\n", "a\nb", false},
		{"another pod", "pod my-app-578b758757-5l8qf: bad\n", "pod my-app-6c9-abcde: bad", true},
		{"other nodes", "  pod x: 0/3 nodes are available: 3 cold.\n  Reason: R\n", "pod x: 0/2 nodes are available: 2 hot.\nReason: R", true},
		{"another reason below", "0/3 nodes are available: 3 cold.\nReason: R\n", "0/3 nodes are available: 3 cold.\nReason: S", false},
		{"what is left out", "...\nReason: R\n...\n", "Name: x\nReason: R\nEvents: none", true},
		{"a point is a point", "a.b\n", "acb", false},
	} {
		if got := (Command{Output: test.shown}).Prints(test.said); got != test.want {
			t.Errorf("%s: %t", test.name, got)
		}
	}
}
