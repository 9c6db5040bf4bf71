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
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Command is a program to run beside the control plane, such as the operator.
type Command struct {
	// Name is unique among the running commands; the log is named after it.
	Name string
	// Path is the program's file, absolute or relative to the working directory.
	Path string
	// Args are its arguments, without the program's name.
	Args []string
	// Env are environment variables (NAME=value) in addition to those of this process.
	Env []string
}

// Process is a program started with Run.
type Process struct {
	name    string
	cmd     *exec.Cmd
	logFile string
	ended   chan struct{}
	err     error // how it ended; read it only when ended is closed
}

// Run starts a program that ends with the control plane: at Stop, and also when this process is killed. Its output
// goes to a file in LogDir, which is appended to when the name was used before. The error says why the program
// could not be started; use Done to learn that it ended.
func (c *ControlPlane) Run(command Command) (*Process, error) {
	program, err := filepath.Abs(command.Path)
	if err != nil {
		return nil, fmt.Errorf("resolve path of %s: %w", command.Name, err)
	}
	if _, err := os.Stat(program); err != nil {
		return nil, fmt.Errorf("start %s: %w", command.Name, err)
	}
	launcher, err := c.guard.launcher(command.Name, program)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", command.Name, err)
	}
	log, err := c.openLog(command.Name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // the process has its own handle

	process := &Process{name: command.Name, logFile: log.Name(), ended: make(chan struct{})}
	process.cmd = exec.Command(launcher, command.Args...)
	process.cmd.Env = append(os.Environ(), command.Env...)
	process.cmd.Stdout, process.cmd.Stderr = log, log
	// A process group of its own: Ctrl-C in the terminal is for the process that called Run, which may want to
	// stop things in order.
	process.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := process.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", command.Name, err)
	}
	go func() {
		process.err = process.cmd.Wait()
		close(process.ended)
	}()
	c.mu.Lock()
	c.processes = append(c.processes, process)
	c.mu.Unlock()
	return process, nil
}

// PID returns the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// CPU returns the CPU seconds that the process has used so far. There is an error where there is no /proc, as on macOS.
func (p *Process) CPU() (float64, error) {
	path := fmt.Sprintf("/proc/%d/stat", p.PID())
	content, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("find out the CPU time of %s: %w", p.name, err)
	}
	// The name in brackets may hold anything; after it come the state and 10 numbers, then the times.
	_, rest, _ := strings.Cut(string(content), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, fmt.Errorf("%s: %q", path, content)
	}
	var sum float64
	for _, text := range fields[11:13] {
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", path, err)
		}
		sum += value / ticks
	}
	return sum, nil
}

// ticks is how many of the kernel's ticks a second has, wherever Go runs.
const ticks = 100

// LogFile returns the file with everything the process has written.
func (p *Process) LogFile() string { return p.logFile }

// Done returns a channel that is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.ended }

// Ended says whether the process has ended.
func (p *Process) Ended() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// Err returns how the process ended: nil means with the exit code 0. Call it only after the end; until then it is nil.
func (p *Process) Err() error {
	if !p.Ended() {
		return nil
	}
	return p.err
}

// Signal sends a signal. The error is os.ErrProcessDone when the process has ended.
func (p *Process) Signal(signal os.Signal) error { return p.cmd.Process.Signal(signal) }

// Kill ends the process with SIGKILL and returns when it is gone. To kill a process that has ended is no error.
func (p *Process) Kill() error {
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill %s: %w", p.name, err)
	}
	select {
	case <-p.ended:
		return nil
	case <-time.After(killTime):
		return fmt.Errorf("kill %s: process %d still runs after %s", p.name, p.PID(), killTime)
	}
}

// failure says how the process ended and what it said last. Call it only after the end.
func (p *Process) failure() error {
	ending := "without an error"
	if p.err != nil {
		ending = p.err.Error()
	}
	return fmt.Errorf("%s ended (%s); the last lines of %s:\n%s", p.name, ending, p.logFile, Tail(p.logFile, 10))
}

func (c *ControlPlane) openLog(name string) (*os.File, error) {
	path := filepath.Join(c.options.LogDir, name+".log")
	log, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log of %s: %w", name, err)
	}
	return log, nil
}

// Tail returns the last lines of a file, or a remark in brackets if it is empty or cannot be read.
func Tail(path string, lines int) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Sprintf("[%v]", err)
	}
	text := strings.TrimSpace(string(content))
	if text == "" {
		return "[empty]"
	}
	all := strings.Split(text, "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// portTaken says whether the last attempt of a process failed because another program took its port in the moment
// between our finding it free and the process listening on it.
func portTaken(logFiles ...string) bool {
	return slices.ContainsFunc(logFiles, func(path string) bool {
		return strings.Contains(Tail(path, 40), "address already in use")
	})
}
