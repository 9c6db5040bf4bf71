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

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

// stage is the last stage of a Dockerfile.
type stage struct {
	config v1.Config
	copies []*instructions.CopyCommand
}

// readStage reads the last stage of a Dockerfile. An instruction that it does not know is an error, as is a stage that
// does not start from scratch, because what they do would be missing in the image.
func readStage(dockerfile string, args []string) (*stage, error) {
	file, err := os.Open(dockerfile) //nolint:gosec // what -dockerfile names
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	parsed, err := parser.Parse(file)
	if err != nil {
		return nil, err
	}
	stages, _, err := instructions.Parse(parsed.AST, nil)
	if err != nil {
		return nil, err
	}
	last := stages[len(stages)-1]
	if last.BaseName != "scratch" {
		return nil, errors.New("the last stage does not start FROM scratch; build it with Docker")
	}

	var env []string
	expand := func(word string) (string, error) {
		expanded, _, err := shell.NewLex(parsed.EscapeToken).ProcessWord(word, shell.EnvsFromSlice(env))
		return expanded, err
	}
	found := &stage{config: v1.Config{Labels: map[string]string{}}}
	for _, command := range last.Commands {
		if expandable, ok := command.(instructions.SupportsSingleWordExpansion); ok {
			if err := expandable.Expand(expand); err != nil {
				return nil, fmt.Errorf("%s: %w", command.Name(), err)
			}
		}
		if declared, ok := command.(*instructions.ArgCommand); ok {
			env = declare(env, declared, args)
		} else if err := found.add(command); err != nil {
			return nil, fmt.Errorf("%s: %w", command.Name(), err)
		}
	}
	return found, nil
}

// declare adds what an ARG declares: the values given, or else its defaults.
func declare(env []string, declared *instructions.ArgCommand, given []string) []string {
	values := shell.EnvsFromSlice(given)
	for _, arg := range declared.Args {
		if value, ok := values.Get(arg.Key); ok {
			env = append(env, arg.Key+"="+value)
		} else {
			env = append(env, arg.Key+"="+arg.ValueString())
		}
	}
	return env
}

func (s *stage) add(command instructions.Command) error {
	switch c := command.(type) {
	case *instructions.CopyCommand:
		if c.Chown != "" || c.Chmod != "" || c.Link || c.Parents || len(c.ExcludePatterns)+len(c.SourceContents) > 0 {
			return errors.New("of its flags only --from is known here, and no here-document")
		}
		s.copies = append(s.copies, c)
	case *instructions.LabelCommand:
		for _, label := range c.Labels {
			s.config.Labels[label.Key] = label.Value
		}
	case *instructions.UserCommand:
		s.config.User = c.User
	case *instructions.EntrypointCommand:
		if c.PrependShell {
			return errors.New(`there is no shell; write it as ["PROGRAM", "ARGUMENT"]`)
		}
		s.config.Entrypoint = c.CmdLine
	default:
		return errors.New("this instruction is not known here; build the image with Docker, or leave it out")
	}
	return nil
}
