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
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	releaseHeading = regexp.MustCompile(`^## \[(\d+)\.(\d+)\.(\d+)\] - (\d{4}-\d{2}-\d{2}|unreleased)$`)
	changes        = []string{"### Added", "### Changed", "### Deprecated", "### Removed", "### Fixed", "### Security"}
)

// TestChangelog holds the form of CHANGELOG.md: Unreleased comes first, then releases with a day, the newest first, of which only the
// first, VERSION, may still have none. What changed is in lists under the headings of Keep a Changelog.
func TestChangelog(t *testing.T) {
	var releases [][]string
	for i, line := range strings.Split(string(read(t, "CHANGELOG.md")), "\n") {
		complain := func(text string) { t.Errorf("CHANGELOG.md:%d: %s: %s", i+1, text, line) }
		switch {
		case line == "## [Unreleased]":
			if len(releases) > 0 {
				complain("it is not the first")
			}
		case strings.HasPrefix(line, "## "):
			release := releaseHeading.FindStringSubmatch(line)
			if release == nil {
				complain("want ## [VERSION] - YYYY-MM-DD")
				continue
			}
			if _, err := time.Parse(time.DateOnly, release[4]); err != nil && (release[4] != "unreleased" || len(releases) > 0) {
				complain("only the newest release may have no day")
			}
			releases = append(releases, release)
		case strings.HasPrefix(line, "### ") && !slices.Contains(changes, line):
			complain("want one of " + strings.Join(changes, ", "))
		}
	}
	text := string(read(t, "CHANGELOG.md"))
	if !strings.Contains(text, "\n## [Unreleased]\n") || len(releases) == 0 {
		t.Fatal("CHANGELOG.md lacks ## [Unreleased], or has no release")
	}
	for _, name := range regexp.MustCompile(`(?m)^## (\[.*\])`).FindAllStringSubmatch(text, -1) {
		if !strings.Contains(text, "\n"+name[1]+": https://") {
			t.Errorf("CHANGELOG.md says nowhere what %s links to", name[1])
		}
	}
	newestFirst := slices.IsSortedFunc(releases, func(a, b []string) int {
		order := 0
		for part := 1; part <= 3; part++ {
			order = cmp.Or(order, cmp.Compare(integer(t, b[part]), integer(t, a[part])))
		}
		return order
	})
	if !newestFirst {
		t.Errorf("CHANGELOG.md has its releases in another order than the newest first")
	}
	version := regexp.MustCompile(`(?m)^VERSION := (.*)$`).FindSubmatch(read(t, "Makefile"))[1]
	if newest := strings.Join(releases[0][1:4], "."); newest != string(version) {
		t.Errorf("the newest release in CHANGELOG.md is %s, and VERSION is %s", newest, version)
	}
}

func integer(t *testing.T, text string) int {
	t.Helper()
	number, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return number
}

// TestCompatibility compares the table of docs/trust.md with the modules that the tests run.
func TestCompatibility(t *testing.T) {
	page := string(read(t, "docs/trust.md"))
	ofOLMv1 := regexp.MustCompile(`(?m)^OLM_V1(?:_CLUSTER)?_VERSION := v(\d+\.\d+)\.\d+$`).FindAllStringSubmatch(string(read(t, "Makefile")), -1)
	if len(ofOLMv1) != 2 || !strings.Contains(page, "\n| OLM v1 | "+ofOLMv1[1][1]+" | "+ofOLMv1[0][1]+" |") {
		t.Errorf("docs/trust.md does not have the versions of OLM v1: %v", ofOLMv1)
	}
	for name, modules := range map[string][2]string{
		"Kubernetes":                            {"tools/kubernetes-1.31/go.mod k8s.io/kubernetes", "tools/kubernetes/go.mod k8s.io/kubernetes"},
		"OLM":                                   {"", "tools/olm/go.mod github.com/operator-framework/operator-lifecycle-manager"},
		"Gateway API, for `httpRoute`":          {"", "go.mod sigs.k8s.io/gateway-api"},
		"Prometheus Operator, for `monitoring`": {"", "go.mod github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring"},
		"Helm, `--wait`":                        {"", "tools/helm/go.mod helm.sh/helm/v4"},
	} {
		newest := minorOf(t, modules[1])
		oldest := newest
		if modules[0] != "" {
			oldest = minorOf(t, modules[0])
		}
		if row := "\n| " + name + " | " + oldest + " | " + newest + " |"; !strings.Contains(page, row) {
			t.Errorf("docs/trust.md has no row %s", row[1:])
		}
	}
}

// minorOf returns MAJOR.MINOR of a module that a go.mod requires.
func minorOf(t *testing.T, module string) string {
	t.Helper()
	file, name, _ := strings.Cut(module, " ")
	found := regexp.MustCompile(`(?m)^\s+` + regexp.QuoteMeta(name) + ` v(\d+\.\d+)\.`).FindSubmatch(read(t, file))
	if found == nil {
		t.Fatalf("%s does not require %s", file, name)
	}
	return string(found[1])
}

// TestListsOfAllPlatforms holds that a release attests what the image is made of for each platform that it is built for.
func TestListsOfAllPlatforms(t *testing.T) {
	platforms := regexp.MustCompile(`(?m)^RELEASE_PLATFORMS := (.*)$`).FindSubmatch(read(t, "Makefile"))[1]
	want := "platform: [" + strings.NewReplacer("/", "_", ",", ", ").Replace(string(platforms)) + "]"
	if !strings.Contains(string(read(t, ".github/workflows/release.yml")), want) {
		t.Errorf("the release workflow lacks %s", want)
	}
}
