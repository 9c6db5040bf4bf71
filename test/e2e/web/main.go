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

// Command web is what the end-to-end tests run in pods. Without arguments it serves HTTP on port 80, or PORT: it answers
// with its host's name, and at /slow only after a second. Asked for /hoard, it takes memory until it is killed. Stopped, it finishes
// what it has begun.
//
// With the arguments `poll URL` it is a client that asks all the while, over a new connection each time, and prints a line
// for each request: `answered NAME`, `refused ERROR` where no connection came about, and else `lost ERROR`.
//
// With the argument `nothing` it ends at once, and succeeds.
//
// With the arguments `kill UID` it kills, with SIGKILL and from outside, the operator's process in the pod of that UID on
// its own node.
package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 0:
		return serve()
	case len(args) == 1 && args[0] == "nothing":
		return nil
	case len(args) == 2 && args[0] == "poll":
		poll(args[1])
		return nil
	case len(args) == 2 && args[0] == "kill":
		return kill(args[1])
	default:
		return fmt.Errorf("unknown arguments %q: give none, nothing, poll URL, or kill UID", args)
	}
}

// serve answers until SIGTERM, and then what is still open.
func serve() error {
	name, err := os.Hostname()
	if err != nil {
		return err
	}
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, name) })
	http.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(time.Second):
			_, _ = io.WriteString(w, name)
		case <-r.Context().Done():
		}
	})
	http.HandleFunc("/hoard", func(http.ResponseWriter, *http.Request) { hoard() })
	server := &http.Server{Addr: ":" + cmp.Or(os.Getenv("PORT"), "80"), ReadHeaderTimeout: 10 * time.Second}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return server.Shutdown(context.Background())
	}
}

// hoard takes memory until there is no more.
func hoard() {
	var hoarded [][]byte
	for {
		hoarded = append(hoarded, bytes.Repeat([]byte{1}, 1<<20))
		runtime.KeepAlive(hoarded)
	}
}

// poll asks with several requests at a time until SIGTERM.
func poll(url string) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			ticker := time.NewTicker(100 * time.Millisecond)
			defer ticker.Stop()
			for ctx.Err() == nil {
				_, _ = fmt.Fprintln(os.Stdout, ask(ctx, client, url))
				select {
				case <-ticker.C:
				case <-ctx.Done():
				}
			}
		})
	}
	workers.Wait()
}

func ask(ctx context.Context, client *http.Client, url string) string {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return "lost " + err.Error()
	}
	response, err := client.Do(request)
	if err != nil {
		var failed *net.OpError
		if errors.As(err, &failed) && failed.Op == "dial" {
			return "refused " + err.Error()
		}
		return "lost " + err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return fmt.Sprintf("lost %s: %v", response.Status, err)
	}
	return "answered " + string(body)
}

// kill needs the node's process namespace, and the rights of root in it.
func kill(uid string) error {
	environments, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		return err
	}
	for _, file := range environments {
		environment, err := os.ReadFile(file)
		if err != nil {
			continue // ended meanwhile, or a thread of the kernel
		}
		for variable := range bytes.SplitSeq(environment, []byte{0}) {
			if string(variable) != "POD_UID="+uid {
				continue
			}
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			if err != nil {
				return err
			}
			return syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	return errors.New("no process on this node has POD_UID=" + uid)
}
