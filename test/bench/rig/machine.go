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

package rig

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Machine describes what a run was made on and with.
type Machine struct {
	Date       string `json:"date"`
	CPU        string `json:"cpu"`
	Cores      int    `json:"cores"`
	MemoryMiB  int    `json:"memoryMiB"`
	Kernel     string `json:"kernel"`
	Go         string `json:"go"`
	Kubernetes string `json:"kubernetes"`
	// Revision is the operator's and the benchmark's.
	Revision string `json:"revision,omitempty"`
	// Load is the machine's load average over a minute before the run: what else it had to do.
	Load string `json:"loadBefore"`
}

// Describe fills in what /proc says. The error says what could not be read; there is no /proc but on Linux.
func (m *Machine) Describe() error {
	m.Date, m.Cores, m.Go = time.Now().UTC().Format(time.DateOnly), runtime.NumCPU(), runtime.Version()
	cpu, err := Field("/proc/cpuinfo", "model name")
	if err != nil {
		return err
	}
	m.CPU = cpu
	memory, err := Field("/proc/meminfo", "MemTotal")
	if err != nil {
		return err
	}
	kib, err := strconv.Atoi(strings.TrimSuffix(memory, " kB"))
	if err != nil {
		return fmt.Errorf("/proc/meminfo: %w", err)
	}
	m.MemoryMiB = kib / 1024
	kernel, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return err
	}
	m.Kernel, _, _ = strings.Cut(strings.TrimSpace(string(kernel)), "-") // what follows is whoever built it
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return err
	}
	m.Load, _, _ = strings.Cut(string(load), " ")
	return nil
}

// Field returns the value of the first line "name: value" of a file.
func Field(path, name string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }() // it was only read
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		key, value, found := strings.Cut(lines.Text(), ":")
		if found && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value), nil
		}
	}
	return "", fmt.Errorf("%s: no %s (%w)", path, name, lines.Err())
}

// Lines returns the description for a person.
func (m Machine) Lines() []string {
	lines := []string{
		"Date: " + m.Date,
		fmt.Sprintf("Machine: %d cores, %s, %.1f GiB of memory, Linux %s, load %s before the run",
			m.Cores, m.CPU, float64(m.MemoryMiB)/1024, m.Kernel, m.Load),
		fmt.Sprintf("Kubernetes %s with etcd without fsync, %s", m.Kubernetes, m.Go),
	}
	if m.Revision != "" {
		lines = append(lines, "Revision: "+m.Revision)
	}
	return lines
}
