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
	_ "embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

//go:embed guard.sh
var guardScript string

//go:embed launch.sh
var launchScript string

// killTime is how long a killed process may take to be gone. It is generous: a busy machine is slow, not broken.
const killTime = 2 * time.Minute

// guard is the small process that kills all others when this process ends or closes the pipe to it. See guard.sh.
type guard struct {
	runDir string
	pipe   io.Closer
	ended  chan struct{}
}

// startGuard starts the guard for the processes launched with runDir. At the end it removes runDir and the folders.
func startGuard(runDir, logFile string, folders ...string) (*guard, error) {
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open guard's log: %w", err)
	}
	defer func() { _ = log.Close() }() // the guard has its own handle

	args := append([]string{"-c", guardScript, "guard", runDir}, folders...)
	cmd := exec.Command("/bin/sh", args...)
	cmd.Stdout, cmd.Stderr = log, log
	// A process group of its own, or Ctrl-C in the terminal would reach the guard as well.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("make guard's pipe: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start guard: %w", err)
	}
	g := &guard{runDir: runDir, pipe: pipe, ended: make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		close(g.ended)
	}()
	return g, nil
}

// close makes the guard kill everything and returns when that is done.
func (g *guard) close() error {
	_ = g.pipe.Close() // closing it twice is harmless
	select {
	case <-g.ended:
		return nil
	case <-time.After(killTime):
		return fmt.Errorf("the guard did not end within %s: look for processes left over from %s", killTime, g.runDir)
	}
}

// launcher writes a script that runs program under the guard's eyes, with these environment variables (NAME=value) in
// addition, and returns its path. A script file is needed because envtest starts etcd and kube-apiserver itself and takes
// nothing but a path.
func (g *guard) launcher(name, program string, env ...string) (string, error) {
	path := filepath.Join(g.runDir, name)
	exports := make([]string, 0, len(env))
	for _, variable := range env {
		exports = append(exports, "export "+quote(variable))
	}
	script := strings.NewReplacer("@ENV@", strings.Join(exports, "\n"), "@PROGRAM@", quote(program), "@PIDFILE@", quote(path+".pid"),
		"@CLOSED@", quote(filepath.Join(g.runDir, "closed"))).Replace(launchScript)
	// While the file is open for writing no other goroutine may fork: its child would hold the file open too, and
	// running it would fail with "text file busy".
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		return "", fmt.Errorf("write launcher: %w", err)
	}
	return path, nil
}

// pid returns the process id that a launcher noted, and false if it never ran.
func (g *guard) pid(name string) (int, bool) {
	note, err := os.ReadFile(filepath.Join(g.runDir, name+".pid"))
	if err != nil {
		return 0, false
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(note)))
	return pid, err == nil
}

// quote makes text one word of a shell script.
func quote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
