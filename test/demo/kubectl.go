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

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/example/app-operator/test/controlplane"
)

// adminKubeconfig is what kubectl uses; the operators have their own files, with fewer rights.
const adminKubeconfig = "admin.kubeconfig"

// kubectl prints a kubectl command, runs it, and prints what it prints.
func (d *demo) kubectl(ctx context.Context, args ...string) error {
	d.out.say("$ kubectl %s", strings.Join(args, " "))
	return d.runKubectl(ctx, nil, d.out, args...)
}

// runKubectl runs kubectl as an administrator, in the repository's folder.
func (d *demo) runKubectl(ctx context.Context, stdin io.Reader, stdout io.Writer, args ...string) error {
	cmd := d.kubectlCommand(ctx, args...)
	var complaints bytes.Buffer
	cmd.Stdin, cmd.Stdout = stdin, stdout
	cmd.Stderr = &complaints
	if err := cmd.Run(); err != nil {
		return unmet("kubectl "+args[0]+" succeeds", "%v: %s", err, strings.TrimSpace(complaints.String()))
	}
	_, err := io.Copy(d.out, &complaints) // remarks such as "No resources found"
	return err
}

func (d *demo) kubectlCommand(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, d.cluster.KubectlPath(), args...)
	cmd.Dir = d.root
	cmd.Env = append(os.Environ(), "KUBECONFIG="+filepath.Join(d.dir, adminKubeconfig))
	return cmd
}

// writeAdminKubeconfig writes the file that kubectl uses.
func (d *demo) writeAdminKubeconfig() error {
	content, err := controlplane.Kubeconfig(d.cluster.Config())
	if err != nil {
		return err
	}
	return d.writeKubeconfig(adminKubeconfig, content)
}

func (d *demo) writeKubeconfig(name string, content []byte) error {
	if err := os.WriteFile(filepath.Join(d.dir, name), content, 0o600); err != nil {
		return fmt.Errorf("write kubeconfig: %w", err)
	}
	return nil
}

// watching runs `kubectl get applications --watch` beside what run does, until that has returned and the line which
// says that the Application is ready has been printed.
func (d *demo) watching(ctx context.Context, application string, run func() error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	args := []string{"get", "applications", "--namespace", appNamespace, "--watch"}
	d.out.say("$ kubectl %s &", strings.Join(args, " "))
	shown := make(chan struct{})
	cmd := d.kubectlCommand(ctx, args...)
	cmd.Stdout = &readyLine{to: d.out, application: application, seen: shown}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start kubectl: %w", err)
	}
	defer func() {
		cancel()
		_ = cmd.Wait() // it was told to end, so how it ended does not matter
	}()
	if err := run(); err != nil {
		return err
	}
	select {
	case <-shown:
		return nil
	case <-time.After(patience):
		return unmet("kubectl shows "+application+" as ready", "%s after it became ready it had not", patience)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// readyLine passes on what kubectl prints and notes the line of an Application whose column READY is True.
type readyLine struct {
	to          io.Writer
	application string
	partial     string
	seen        chan struct{}
	closed      bool
}

func (l *readyLine) Write(text []byte) (int, error) {
	n, err := l.to.Write(text)
	lines := strings.Split(l.partial+string(text), "\n")
	l.partial = lines[len(lines)-1]
	for _, line := range lines[:len(lines)-1] {
		columns := strings.Fields(line)
		if !l.closed && len(columns) > 1 && columns[0] == l.application && columns[1] == "True" {
			l.closed = true
			close(l.seen)
		}
	}
	return n, err
}

// withoutDeployments returns the YAML documents that are not of kind Deployment.
func withoutDeployments(documents string) (string, error) {
	var kept []string
	for document := range strings.SplitSeq(documents, "\n---\n") {
		var object struct {
			Kind string `json:"kind"`
		}
		if err := yaml.Unmarshal([]byte(document), &object); err != nil {
			return "", fmt.Errorf("read manifest: %w", err)
		}
		if object.Kind != "Deployment" {
			kept = append(kept, document)
		}
	}
	return strings.Join(kept, "\n---\n"), nil
}
