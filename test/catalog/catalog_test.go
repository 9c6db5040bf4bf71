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

// Package catalog tests what becomes of the bundle in the catalogs of others: it makes three releases, lays them out with
// `make community-operators`, and does with each what the pipelines of OperatorHub's two repositories do, with the same
// opm.
//
// It may run make and the tools in bin/, with a registry on loopback; it starts no control plane.
package catalog

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sigs.k8s.io/yaml"
)

const (
	root     = "../.."
	channel  = "stable-v1"
	operator = "app-operator"
)

// versions are a release, a patch of it, and the next minor version.
var versions = []string{"1.0.0", "1.0.1", "1.1.0"}

// bin is where make builds the tools.
var bin = sync.OnceValue(func() string {
	dir := os.Getenv("BIN")
	if dir == "" {
		dir = root + "/bin"
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		panic(err)
	}
	return dir
})

// layouts holds what `make community-operators` makes of each version, under the version.
var layouts = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "app-operator-catalog-")
	if err != nil {
		return "", err
	}
	cleanups = append(cleanups, func() error { return os.RemoveAll(dir) })
	for _, version := range versions {
		output := filepath.Join(dir, "bundles", version)
		if err := os.MkdirAll(output, 0o750); err != nil {
			return "", err
		}
		build := exec.Command("make", "--no-print-directory", "bundle", "community-operators",
			"VERSION="+version, "OUTPUT="+output, "COMMUNITY="+filepath.Join(dir, version))
		build.Dir = root
		if said, err := build.CombinedOutput(); err != nil {
			return "", fmt.Errorf("%s: %w\n%s", build, err, said)
		}
	}
	return dir, nil
})

// registry is the address of a registry on loopback.
var registry = sync.OnceValues(func() (string, error) {
	serve := exec.Command(filepath.Join(bin(), "crane"), "registry", "serve", "--address", "127.0.0.1:0")
	said, err := serve.StderrPipe()
	if err != nil {
		return "", err
	}
	if err := serve.Start(); err != nil {
		return "", fmt.Errorf("%w. Remedy: make crane", err)
	}
	cleanups = append(cleanups, func() error {
		if err := serve.Process.Kill(); err != nil {
			return err
		}
		_ = serve.Wait() // it was killed
		return nil
	})
	port := regexp.MustCompile(`serving on port (\d+)`)
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		if found := port.FindStringSubmatch(lines.Text()); found != nil {
			go func() {
				for lines.Scan() { // or it blocks on a full pipe
				}
			}()
			return "127.0.0.1:" + found[1], nil
		}
	}
	return "", fmt.Errorf("%s ended: %w", serve, lines.Err())
})

// cleanups undo what the tests share, the last first.
var cleanups []func() error

func TestMain(m *testing.M) {
	code := m.Run()
	for _, cleanup := range slices.Backward(cleanups) {
		if err := cleanup(); err != nil {
			_, _ = fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// TestCommunityOperatorsProd: OpenShift's pipeline adds the release to its template and renders the catalogs from that.
func TestCommunityOperatorsProd(t *testing.T) {
	t.Parallel()
	checkout := &checkout{dir: t.TempDir(), home: home(t)}
	for i, version := range versions {
		checkout.merge(t, version, "community-operators-prod")
		image := checkout.push(t, "prod", version)
		for _, file := range checkout.release(t, version, image) {
			wantUpgrades(t, file, versions[:i+1])
		}
	}
}

// TestTemplateIsShipped: without a template, OpenShift's pipeline writes one, whose default channel is of a minor version.
// Whoever subscribes to that never sees the next one.
func TestTemplateIsShipped(t *testing.T) {
	t.Parallel()
	checkout := &checkout{dir: t.TempDir(), home: home(t)}
	version := versions[0]
	checkout.merge(t, version, "community-operators-prod")
	template := filepath.Join(checkout.operator(), "catalog-templates", "semver.yaml")
	if err := os.Remove(template); err != nil {
		t.Fatal(err)
	}
	image := checkout.push(t, "prod-without-template", version)
	for _, file := range checkout.release(t, version, image) {
		if found := readCatalog(t, file); found.defaultChannel == channel {
			t.Errorf("the default channel is %s all the same: the template need not be shipped any more", channel)
		}
	}
}

// TestK8sOperatorHub: the pipeline of OperatorHub.io adds the bundle to an index, which is a database, as its ci.yaml says.
func TestK8sOperatorHub(t *testing.T) {
	t.Parallel()
	checkout := &checkout{dir: t.TempDir(), home: home(t)}
	index := filepath.Join(t.TempDir(), "index.db")
	for i, version := range versions {
		checkout.merge(t, version, "k8s-operatorhub")
		image := checkout.push(t, "hub", version)
		config := load[pipelineConfig](t, filepath.Join(checkout.operator(), "ci.yaml"))
		mode, ok := strings.CutSuffix(config.UpdateGraph, "-mode")
		if !ok {
			t.Fatalf("updateGraph is %q, want semver-mode, semver-skippatch-mode or replaces-mode", config.UpdateGraph)
		}
		checkout.opm(t, "opm-sqlite", "registry", "add", "--bundle-images", image, "--mode", mode, "--database", index,
			"--use-http", "--container-tool", "none")
		file := filepath.Join(checkout.home, "catalog-"+version+".yaml")
		write(t, file, checkout.opm(t, "opm-sqlite", "render", index, "--output", "yaml"))
		wantUpgrades(t, file, versions[:i+1])
	}
}

// wantUpgrades wants one channel in the catalog, which is the default one and leads from every version to the newest.
func wantUpgrades(t *testing.T, file string, released []string) {
	t.Helper()
	found := readCatalog(t, file)
	if found.defaultChannel != channel || len(found.channels) != 1 {
		t.Errorf("of %v, channels are %v and the default is %s, want %s alone", released, found.channels, found.defaultChannel, channel)
	}
	newest := released[len(released)-1]
	for _, from := range released {
		path := []string{from}
		for at := from; at != newest && len(path) <= len(released); path = append(path, at) {
			at = found.next(at)
		}
		if reached := path[len(path)-1]; reached != newest {
			t.Errorf("%s leads to %v, want %s in the end: %v", from, path, newest, found.channels[channel])
		}
		t.Logf("channel %s of %d releases: %s", channel, len(released), strings.Join(path, " -> "))
	}
}

// rendered is what a subscription sees of a catalog.
type rendered struct {
	defaultChannel string
	channels       map[string][]entry
}

type entry struct {
	Name     string   `json:"name"`
	Replaces string   `json:"replaces"`
	Skips    []string `json:"skips"`
}

// next returns the version that OLM upgrades the version to, or nothing.
func (r rendered) next(version string) string {
	name := operator + ".v" + version
	for _, entry := range r.channels[channel] {
		if entry.Replaces == name || slices.Contains(entry.Skips, name) {
			return strings.TrimPrefix(entry.Name, operator+".v")
		}
	}
	return ""
}

func readCatalog(t *testing.T, file string) rendered {
	t.Helper()
	found := rendered{channels: map[string][]entry{}}
	for document := range strings.SplitSeq(read(t, file), "\n---\n") {
		var content struct {
			Schema         string  `json:"schema"`
			Name           string  `json:"name"`
			DefaultChannel string  `json:"defaultChannel"`
			Entries        []entry `json:"entries"`
		}
		if err := yaml.Unmarshal([]byte(document), &content); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		switch content.Schema {
		case "olm.package":
			found.defaultChannel = content.DefaultChannel
		case "olm.channel":
			found.channels[content.Name] = content.Entries
		}
	}
	return found
}

func load[T any](t *testing.T, file string) T {
	t.Helper()
	var value T
	if err := yaml.Unmarshal([]byte(read(t, file)), &value); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return value
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.FromSlash(file))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o750), os.WriteFile(file, []byte(content), 0o600)); err != nil {
		t.Fatal(err)
	}
}

// home returns a home folder in which opm finds that a bundle need not be signed.
func home(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, ".config", "containers", "policy.json"), `{"default": [{"type": "insecureAcceptAnything"}]}`)
	return dir
}

// commandLimit is how long a command may take; the machine may be busy.
const commandLimit = 5 * time.Minute
