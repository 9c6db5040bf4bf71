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

// Package scope says which namespaces the operator watches, and which one is its own.
//
// It is pure but for one file it reads, that of the pod's service account. It may not parse flags, log or
// talk to a cluster. Its one rule: the scope becomes "all namespaces" only by an explicitly empty --namespace,
// never because something was missing or empty.
package scope

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

const (
	// Flag is the command-line flag, without its dashes, that names the namespaces to watch.
	Flag = "namespace"

	// Variable is the environment variable that names the namespaces to watch. OLM sets it from the
	// annotation olm.targetNamespaces.
	Variable = "WATCH_NAMESPACE"

	// ServiceAccountFile is where the kubelet writes the namespace of a pod's service account.
	ServiceAccountFile = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"
)

// Source is where the namespaces to watch may come from, in order of precedence.
type Source struct {
	// Flag is the value of --namespace, or nil when the flag was not given.
	Flag *string
	// LookupEnv reads an environment variable, as os.LookupEnv does.
	LookupEnv func(name string) (string, bool)
	// ServiceAccountFile holds the namespace of the pod's service account.
	ServiceAccountFile string
}

// Namespaces returns the namespaces to watch, in the order given and each once. An empty slice without an
// error means all namespaces.
func (s Source) Namespaces() ([]string, error) {
	if s.Flag != nil {
		if *s.Flag == "" {
			return []string{}, nil
		}
		return parse("--"+Flag, *s.Flag)
	}
	if value, set := s.LookupEnv(Variable); set {
		if strings.TrimSpace(value) == "" {
			return nil, fmt.Errorf("%s=%q: is set but empty, and an annotation or variable that is missing must not widen "+
				"the scope to all namespaces; unset it to watch the operator's own namespace, or name the namespaces, "+
				"or give --%s= (explicitly empty) to watch all of them", Variable, value, Flag)
		}
		return parse(Variable, value)
	}
	own, err := s.OwnNamespace()
	if err != nil {
		return nil, fmt.Errorf("no namespace to watch: give --%s, or set %s, or run in a pod with a service account "+
			"to watch that pod's namespace: %w", Flag, Variable, err)
	}
	return []string{own}, nil
}

// OwnNamespace returns the namespace of the pod's service account: the one the operator itself runs in.
func (s Source) OwnNamespace() (string, error) {
	content, err := os.ReadFile(s.ServiceAccountFile)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("not in a pod: %s does not exist", s.ServiceAccountFile)
	}
	if err != nil {
		return "", fmt.Errorf("read the namespace of the pod's service account: %w", err)
	}
	own := strings.TrimSpace(string(content))
	if err := check(s.ServiceAccountFile, own, own); err != nil {
		return "", err
	}
	return own, nil
}

// parse splits a comma-separated list. Everything wrong with it is reported at once.
func parse(source, list string) ([]string, error) {
	var (
		namespaces []string
		problems   []error
	)
	for item := range strings.SplitSeq(list, ",") {
		name := strings.TrimSpace(item)
		if name == "" {
			// Most likely a template variable that was empty. An empty name would mean all namespaces.
			problems = append(problems, fmt.Errorf("%s=%q: a name between the commas is empty; "+
				"write names separated by single commas", source, list))
			continue
		}
		if err := check(source, list, name); err != nil {
			problems = append(problems, err)
			continue
		}
		if !slices.Contains(namespaces, name) {
			namespaces = append(namespaces, name)
		}
	}
	if err := errors.Join(unique(problems)...); err != nil {
		return nil, err
	}
	return namespaces, nil
}

// ValidateName returns what is wrong with the name of a namespace, or nil.
func ValidateName(name string) error {
	if len(validation.IsDNS1123Label(name)) == 0 {
		return nil
	}
	return fmt.Errorf("%q is not the name of a namespace: lower-case letters, digits and '-', "+
		"starting and ending with a letter or digit, at most 63 characters", name)
}

func check(source, value, name string) error {
	if err := ValidateName(name); err != nil {
		return fmt.Errorf("%s=%q: %w", source, value, err)
	}
	return nil
}

// unique drops repeated messages: "a,,,b" is one mistake.
func unique(problems []error) []error {
	return slices.CompactFunc(problems, func(a, b error) bool { return a.Error() == b.Error() })
}
