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
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/example/app-operator/test/operator"
)

// profiled are the steps of a round of which profiles say what they cost.
func (r *round) profiled() []step {
	return []step{
		{"start the operator", r.start},
		{"converge", r.converge},
		{"memory with 3 pods each", r.memory},
		{"restart", r.restart},
	}
}

// profile has the operator, which was built for it, write its profiles since it was last asked, if there is a folder for them.
func (r *round) profile(ctx context.Context) error {
	if r.profiles == "" {
		return nil
	}
	name := r.profilesOf() + r.operator.pod
	parts, err := filepath.Glob(name + "-*.heap")
	if err != nil {
		return err
	}
	if err := r.operator.Signal(syscall.SIGUSR1); err != nil {
		return err
	}
	written := fmt.Sprintf("%s-%d.heap", name, len(parts)+1)
	return operator.Until(ctx, glance, "the operator to write "+written+" (is it built with the tag profile?)", func() (bool, error) {
		_, err := os.Stat(written)
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		return err == nil, err
	})
}

// profilesOf returns what the names of this round's profiles begin with.
func (b *bench) profilesOf() string {
	return filepath.Join(b.profiles, fmt.Sprintf("%d-", b.applications))
}
