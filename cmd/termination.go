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
	"errors"
	"fmt"
	"os"
	"runtime/debug"
)

const (
	// envTerminationMessage names the file where the pod's manifest sets another terminationMessagePath.
	envTerminationMessage = "TERMINATION_MESSAGE_PATH"
	// terminationMessagePath is Kubernetes' own default.
	terminationMessagePath = "/dev/termination-log"
)

// terminationMessage is what the kubelet puts into the pod's status when the container has ended. A nil one takes
// everything and keeps nothing.
type terminationMessage struct{ file *os.File }

// openTerminationMessage opens the file that the kubelet has made for this container, and no other: outside a container
// there is none. What a crash prints goes there as well, since the kubelet does not look into the log for one that has a
// message already.
func openTerminationMessage(lookupEnv func(string) (string, bool)) (*terminationMessage, error) {
	path, ok := lookupEnv(envTerminationMessage)
	if !ok {
		path = terminationMessagePath
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0) //nolint:gosec // whoever sets the environment also sets what is run
	if err != nil {
		return nil, fmt.Errorf("open the container's termination message: %w", err)
	}
	if err := debug.SetCrashOutput(file, debug.CrashOptions{}); err != nil {
		return nil, errors.Join(fmt.Errorf("send what a crash prints to the container's termination message: %w", err), file.Close())
	}
	return &terminationMessage{file: file}, nil
}

// add writes a line.
func (m *terminationMessage) add(line string) error {
	if m == nil {
		return nil
	}
	if _, err := fmt.Fprintln(m.file, line); err != nil {
		return fmt.Errorf("write the container's termination message: %w", err)
	}
	return nil
}
