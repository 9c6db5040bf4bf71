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

package gitops_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/example/app-operator/test/process"
)

// shown is a command of a document, and what the document says that it prints.
type shown struct{ command, output string }

// consoleBlocks returns the commands of README's console blocks, in their order.
func consoleBlocks(t *testing.T) []shown {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	var all []shown
	for _, block := range regexp.MustCompile("(?ms)^```console\n(.*?)^```$").FindAllStringSubmatch(string(page), -1) {
		for _, each := range strings.Split("\n"+block[1], "\n$ ")[1:] {
			command, output, _ := strings.Cut(each, "\n")
			all = append(all, shown{command, strings.TrimSpace(output)})
		}
	}
	return all
}

var (
	podName = regexp.MustCompile(`my-app-[a-f0-9]+-[a-z0-9]{5}`)
	moment  = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`)
	age     = regexp.MustCompile(`\b(\d+m)?\d+s\b`)
)

// plain leaves out of an output what differs each time: ages, times, the names of pods, and how wide columns are.
func plain(output string) string {
	output = podName.ReplaceAllString(output, "POD")
	output = moment.ReplaceAllString(output, "TIME")
	output = age.ReplaceAllString(output, "AGE")
	return strings.Join(strings.Fields(output), " ")
}

// matches reports whether a command has printed what is shown, in which "..." is anything.
func matches(said, output string) bool {
	parts := strings.Split(plain(output), "...")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(strings.TrimSpace(parts[i]))
	}
	return regexp.MustCompile(`^` + strings.Join(parts, `.*`) + `\s*$`).MatchString(plain(said))
}

// TestReadme runs the commands that README.md shows, one after the other, and wants what it shows. A command that only looks is
// repeated until it sees that: whoever types is slower than this test. Pods are played, and nothing of them runs.
func TestReadme(t *testing.T) {
	all := consoleBlocks(t)
	if len(all) < 8 {
		t.Fatalf("found only %d commands", len(all))
	}
	kubectl(t, "delete", "applications.apps.example.com", "--all", "--namespace="+served) // of other tests
	defer kubectl(t, "delete", "applications.apps.example.com/my-app", "--namespace="+served, "--ignore-not-found")
	for _, each := range all {
		looks := slices.ContainsFunc([]string{"get", "describe", "wait"}, func(verb string) bool {
			return strings.HasPrefix(each.command, "kubectl "+verb+" ")
		})
		deadline := time.Now().Add(process.Limit)
		for {
			bash := tool(t.Context(), "bash", "-c", each.command)
			bash.Dir = root
			bash.Env = append(bash.Env, "PATH="+filepath.Dir(cluster.KubectlPath())+":"+os.Getenv("PATH"))
			said, err := bash.CombinedOutput() // of a refusal, the exit code says so as well
			if matches(string(said), each.output) {
				break
			}
			if !looks || time.Now().After(deadline) {
				t.Fatalf("$ %s\n%s%v\nREADME.md shows:\n%s", each.command, said, err, each.output)
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
}
