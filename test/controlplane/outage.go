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
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// Server is a process that everything else talks to, and that a test may take away for a while.
type Server string

// The servers.
const (
	Etcd      Server = "etcd"
	APIServer Server = "kube-apiserver"
)

// Kill ends a server with SIGKILL and returns when it is gone. What was written stays. The other components go on and
// wait for it, and Stop does not complain that it is away. The error says that it does not run, or does not die.
func (c *ControlPlane) Kill(server Server) error {
	pid, ok := c.guard.pid(string(server))
	if !ok || c.isAway(server) {
		return fmt.Errorf("kill %s: it does not run", server)
	}
	c.setAway(server, true)
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		c.setAway(server, false)
		return fmt.Errorf("kill %s, process %d: %w", server, pid, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), killTime)
	defer cancel()
	err := poll(ctx, func(context.Context) error {
		if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
			return errors.Join(err, errors.New("it still runs"))
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("kill %s, process %d: %w", server, pid, err)
	}
	return nil
}

// Resume starts a server that was killed, with the same data, address and certificates, and returns when the API
// server is ready; so etcd comes before the API server when both are away. Configs and watches made before find it
// again by themselves. The error quotes the server's log, or names a component that did not survive its absence.
func (c *ControlPlane) Resume(ctx context.Context, server Server) error {
	if !c.isAway(server) {
		return fmt.Errorf("resume %s: it was not killed", server)
	}
	// The port may have been given to somebody else meanwhile, most likely for a moment: an outgoing connection.
	err := poll(ctx, func(context.Context) error {
		err := c.startServer(server)
		if err == nil || portTaken(c.logFile(string(server))) {
			return err
		}
		return fatal(err)
	})
	if err != nil {
		return fmt.Errorf("resume %s: %w\n%s", server, err, Tail(c.logFile(string(server)), 10))
	}
	c.setAway(server, false)
	if c.isAway(APIServer) {
		return nil
	}
	if err := c.waitForAPI(ctx); err != nil {
		return fmt.Errorf("wait for kube-apiserver: %w\n%s", err, Tail(c.logFile("kube-apiserver"), 10))
	}
	return errors.Join(c.endedEarly()...)
}

// startServer starts a server once more; envtest keeps its arguments, and launch.sh notes the new process id.
func (c *ControlPlane) startServer(server Server) error {
	log, err := c.openLog(string(server))
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // the process has its own handle
	c.users.Lock()
	defer c.users.Unlock()
	if server == Etcd {
		return startWith(log, &c.api.Etcd.Out, &c.api.Etcd.Err, c.api.Etcd.Start)
	}
	return startWith(log, &c.api.APIServer.Out, &c.api.APIServer.Err, c.api.APIServer.Start)
}

func startWith(log *os.File, stdout, stderr *io.Writer, start func() error) error {
	*stdout, *stderr = log, log
	return start()
}

func (c *ControlPlane) isAway(server Server) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.away[server]
}

func (c *ControlPlane) setAway(server Server, away bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.away[server] = away
}
