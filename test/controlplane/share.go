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
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// shared is what another process needs to use a control plane.
type shared struct {
	AssetsDir string
	// Admin is the kubeconfig of the administrator.
	Admin []byte
	// Socket is where the process that started the control plane makes users: it alone has the certificate authority.
	Socket string
}

// sharedUser asks for a user.
type sharedUser struct {
	Name   string
	Groups []string
}

// Share lets other processes of the same machine and user use the control plane, as long as it runs. It returns what they
// give to Join. Call it at most once. The error says why no socket could be opened.
func (c *ControlPlane) Share() ([]byte, error) {
	admin, err := Kubeconfig(c.admin)
	if err != nil {
		return nil, err
	}
	socket := filepath.Join(c.runDir(), "users.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return nil, fmt.Errorf("share the control plane: %w", err)
	}
	server := &http.Server{Handler: http.HandlerFunc(c.serveUser), ReadHeaderTimeout: killTime}
	go func() { _ = server.Serve(listener) }() // it ends with the process
	return json.Marshal(shared{AssetsDir: c.options.AssetsDir, Admin: admin, Socket: socket})
}

// serveUser answers with the kubeconfig of a user.
func (c *ControlPlane) serveUser(w http.ResponseWriter, r *http.Request) {
	var asked sharedUser
	err := json.NewDecoder(r.Body).Decode(&asked)
	var content []byte
	if err == nil {
		var config *rest.Config
		if config, err = c.User(asked.Name, asked.Groups...); err == nil {
			content, err = Kubeconfig(config)
		}
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = w.Write(content) // who asked sees what is missing
}

// Join returns a control plane that another process has started and shared. Its components cannot be killed through it.
// What Run starts through it ends with this process, and its logs lie in a folder of their own. Stop and the end of ctx
// stop only that. The error says what of the other process is missing.
func Join(ctx context.Context, from []byte) (*ControlPlane, error) {
	var other shared
	if err := json.Unmarshal(from, &other); err != nil {
		return nil, fmt.Errorf("join the control plane: %w", err)
	}
	admin, err := configOf(other.Admin)
	if err != nil {
		return nil, fmt.Errorf("join the control plane: %w", err)
	}
	c, err := prepare(Options{AssetsDir: other.AssetsDir})
	if err != nil {
		return nil, err
	}
	c.admin, c.owner = admin, other.Socket
	context.AfterFunc(ctx, func() { _ = c.Stop() })
	return c, nil
}

// askForUser has the process that started the control plane make a user.
func askForUser(socket, name string, groups []string) (*rest.Config, error) {
	question, err := json.Marshal(sharedUser{Name: name, Groups: groups})
	if err != nil {
		return nil, fmt.Errorf("make user %s: %w", name, err)
	}
	asker := &http.Client{Timeout: time.Minute, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		},
	}}
	answer, err := asker.Post("http://controlplane/", "application/json", bytes.NewReader(question))
	if err != nil {
		return nil, fmt.Errorf("make user %s: %w", name, err)
	}
	content, err := io.ReadAll(answer.Body)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		return nil, fmt.Errorf("make user %s: %w", name, err)
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("make user %s: %s", name, bytes.TrimSpace(content))
	}
	return configOf(content)
}

// configOf returns what Kubeconfig has written.
func configOf(kubeconfig []byte) (*rest.Config, error) {
	config, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig: %w", err)
	}
	config.QPS = unlimited().QPS
	return config, nil
}
