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

// Package readme reads what README.md has its readers type, and what it says that they see then. Tests on the embedded control plane and
// on kind run the one and want the other.
//
// It may read README.md. It runs nothing.
package readme

import (
	"os"
	"regexp"
	"slices"
	"strings"
)

// What README.md has in place of what its readers have: where a release's manifests are, and a registry that the cluster pulls from.
const (
	Release  = "https://github.com/example/app-operator/releases/latest/download"
	Registry = "registry.example.com"
)

// Scripts returns those of the file's blocks of commands that contain the word, in their order.
func Scripts(file, word string) ([]string, error) {
	all, err := blocks(file, "sh")
	return slices.DeleteFunc(all, func(script string) bool { return !strings.Contains(script, word) }), err
}

// Command is a command that README.md shows on a console, and what it says that the command prints, in which "..." is anything.
type Command struct{ Line, Output string }

// Console returns the commands that the file shows with their output, in their order.
func Console(file string) ([]Command, error) {
	consoles, err := blocks(file, "console")
	var all []Command
	for _, console := range consoles {
		for _, each := range strings.Split("\n"+console, "\n$ ")[1:] {
			line, output, _ := strings.Cut(each, "\n")
			all = append(all, Command{Line: line, Output: strings.TrimSpace(output)})
		}
	}
	return all, err
}

// Looks reports whether the command changes nothing, and so may be repeated: whoever types is slower than a test.
func (c Command) Looks() bool {
	return slices.ContainsFunc([]string{"get", "describe", "wait"}, func(verb string) bool {
		return strings.HasPrefix(c.Line, "kubectl "+verb+" ")
	})
}

// Prints reports whether what the command has said is what README.md shows, but for what differs each time.
func (c Command) Prints(said string) bool {
	parts := strings.Split(plain(c.Output), "...")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(strings.TrimSpace(parts[i]))
	}
	return regexp.MustCompile(`^` + strings.Join(parts, `.*`) + `\s*$`).MatchString(plain(said))
}

// blocks returns the fenced blocks of the language.
func blocks(file, language string) ([]string, error) {
	page, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, block := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(string(page), -1) {
		all = append(all, block[1])
	}
	return all, nil
}

var (
	podName = regexp.MustCompile(`my-app-[a-f0-9]+-[a-z0-9]{5}`)
	moment  = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`)
	age     = regexp.MustCompile(`\b(\d+m(\d+s)?|\d+s)\b`)
	// nodes is what the scheduler says of the nodes, which every cluster has others of.
	nodes = regexp.MustCompile(`\d+/\d+ nodes are available: .*`)
)

// plain leaves out of an output what differs each time: ages, times, the names of pods, the cluster's nodes, and how wide columns are.
func plain(output string) string {
	output = podName.ReplaceAllString(output, "POD")
	output = moment.ReplaceAllString(output, "TIME")
	output = age.ReplaceAllString(output, "AGE")
	output = nodes.ReplaceAllString(output, "NODES")
	return strings.Join(strings.Fields(output), " ")
}
