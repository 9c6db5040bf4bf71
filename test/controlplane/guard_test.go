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

package controlplane

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// endingVariable tells this test program to be the parent of a control plane that ends in a certain way.
const endingVariable = "CONTROLPLANE_TEST_ENDING"

// TestEndsWithItsParent runs this test program as the parent of a control plane and lets it end without Stop.
func TestEndsWithItsParent(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for ending, signal := range map[string]os.Signal{
		"SIGKILL": syscall.SIGKILL,
		"Ctrl-C":  syscall.SIGINT,
		"panic":   nil,
		"exit":    nil,
	} {
		t.Run(ending, func(t *testing.T) {
			t.Parallel()
			parent := exec.Command(program)
			parent.Env = append(os.Environ(), endingVariable+"="+ending)
			var stderr bytes.Buffer
			parent.Stderr = &stderr
			stdout, err := parent.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := parent.Start(); err != nil {
				t.Fatal(err)
			}
			folder, pids := readParent(bufio.NewScanner(stdout))
			if signal != nil {
				if err := parent.Process.Signal(signal); err != nil {
					t.Error(err)
				}
			}
			if err := parent.Wait(); err == nil {
				t.Error("the parent ended without an error")
			}
			if len(pids) < 3 {
				t.Fatalf("the parent did not start a control plane:\n%s", stderr.String())
			}
			requireGone(t, pids, filepath.Join(folder, "run"), filepath.Join(folder, "etcd"), filepath.Join(folder, "certs"))
			if err := os.RemoveAll(folder); err != nil { // the logs stay, for whoever wants to know why
				t.Error(err)
			}
		})
	}
}

// runParent starts a control plane, says where it is, and ends.
func runParent(ending string) {
	options := Options{}
	if ending == "SIGKILL" {
		options.Nodes = 1 // once with all components is enough
	}
	c, err := Start(context.Background(), options)
	if err == nil {
		_, err = c.Run(Command{Name: "bystander", Path: "/bin/sleep", Args: []string{"1000"}})
	}
	if err == nil {
		err = poll(context.Background(), func(context.Context) error {
			if _, ok := c.guard.pid("bystander"); !ok {
				return errors.New("the launcher has not noted the process id yet")
			}
			return nil
		})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	report := c.work + "\n"
	for _, name := range slices.Concat([]string{"etcd", "kube-apiserver", "bystander"}, nodeBinaries) {
		if pid, ok := c.guard.pid(name); ok {
			report += strconv.Itoa(pid) + "\n"
		}
	}
	_, _ = fmt.Println(report)
	switch ending {
	case "panic":
		go panic("somewhere in a test")
	case "exit":
		os.Exit(7)
	}
	select {}
}

// readParent reads what runParent says, up to the empty line.
func readParent(lines *bufio.Scanner) (string, []int) {
	var folder string
	var pids []int
	for lines.Scan() && lines.Text() != "" {
		if pid, err := strconv.Atoi(lines.Text()); err == nil {
			pids = append(pids, pid)
		} else {
			folder = lines.Text()
		}
	}
	return folder, pids
}

// TestRun covers the programs that tests and the demo run beside the control plane; it needs no control plane.
func TestRun(t *testing.T) {
	t.Parallel()
	c, err := prepare(Options{LogDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, c) })
	if _, err := c.Run(Command{Name: "none", Path: "/no/such/program"}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want that the program does not exist", err)
	}
	script := `echo "$GREETING, $1"; exit 3`
	process, err := c.Run(Command{
		Name: "talker", Path: "/bin/sh", Args: []string{"-c", script, "sh", "it's $HOME"}, Env: []string{"GREETING=Hello"},
	})
	if err != nil {
		t.Fatal(err)
	}
	<-process.Done()
	if got, want := Tail(process.LogFile(), 5), "Hello, it's $HOME"; got != want {
		t.Errorf("got the output %q, want %q", got, want)
	}
	if got := process.failure().Error(); !strings.Contains(got, "exit status 3") {
		t.Errorf("got %q, want the exit status in it", got)
	}
	if err := process.Kill(); err != nil {
		t.Errorf("kill after the end: %v", err)
	}
}

// runningPIDs returns the process ids of a control plane, and makes sure that they run.
func runningPIDs(t *testing.T, c *ControlPlane) []int {
	t.Helper()
	names := slices.Concat([]string{"etcd", "kube-apiserver"}, nodeBinaries)
	pids := make([]int, 0, len(names))
	for _, name := range names {
		pid, ok := c.guard.pid(name)
		if !ok || gone(pid) {
			t.Errorf("%s does not run", name)
		}
		pids = append(pids, pid)
	}
	return pids
}

// requireGone waits until none of the processes runs and none of the paths exists.
func requireGone(t *testing.T, pids []int, paths ...string) {
	t.Helper()
	eventually(t, "nothing is left", func() error {
		var left []error
		for _, pid := range pids {
			if !gone(pid) {
				left = append(left, fmt.Errorf("process %d runs", pid))
			}
		}
		for _, path := range paths {
			if _, err := os.Stat(path); err == nil {
				left = append(left, fmt.Errorf("%s exists", path))
			}
		}
		return errors.Join(left...)
	})
}

// gone says whether a process has ended. One that nobody has waited for still has an entry, as a zombie: an orphan in
// a container whose first process does not wait for orphans stays so for ever.
func gone(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return true
	}
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	return err == nil && strings.Contains(string(stat), ") Z ")
}
