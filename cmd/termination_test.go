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
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTerminationMessage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "termination-log")
	environment := func(name string) (string, bool) { return path, name == envTerminationMessage }

	if _, err := openTerminationMessage(environment); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v of a file that is not there does not name it", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the file was made; that is the kubelet's to do")
	}
	if err := os.WriteFile(path, []byte("of another process\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	message, err := openTerminationMessage(environment)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"identity", "why it ended"} {
		if err := message.add(line); err != nil {
			t.Fatal(err)
		}
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := "of another process\nidentity\nwhy it ended\n"; string(content) != want {
		t.Errorf("message %q, want %q", content, want)
	}
	var absent *terminationMessage
	if err := absent.add("identity"); err != nil {
		t.Error(err)
	}
}
