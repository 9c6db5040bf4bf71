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

// Package importing makes an Application of what a team has: Kubernetes objects, or the manifests of other operators and tools.
//
// It is pure: it makes no requests, reads no files, no environment and no clock, and never changes its input. Nothing is lost silently:
// fields are taken out of a copy of each source as they are understood, and whatever is left is a Remark with what to do instead. Left
// out are only what the API server and controllers write (status, uid, managedFields and the like) and what says no more than
// Kubernetes' own default. Nothing is guessed silently either: where there was a choice, a Remark names it. No Remark has what is in a
// Secret or in an environment variable.
package importing

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	v1 "github.com/example/app-operator/api/v1"
)

// Source is one object, or one document of a file.
type Source struct {
	// From is where it is from, as users know it: the name of a file, or "" for an object of the cluster.
	From string
	// Object is the source as decoded JSON. It is not changed.
	Object map[string]any
	// format and name are what a part of a file is whose format has no apiVersion and kind.
	format, name string
	// notes are what is to be told of it, whatever is read.
	notes []note
}

// note is a remark on a field that is told in any case.
type note struct{ field, instead string }

// Options say what is to be imported.
type Options struct {
	// Name of the Application; "" takes the one that the sources have.
	Name string
	// Workload is the name of the Deployment, or of the object or service of another tool, where the sources have several.
	Workload string
}

// Result is what the sources become.
type Result struct {
	// Application is valid as far as the sources are.
	Application *v1.Application
	// Refused is why the API server would refuse the Application, if whoever has imported it has found that out.
	Refused []string
	// Remarks are what the Application does not say, in the order of the sources.
	Remarks []Remark
}

// format is a kind of source by which a team describes a workload.
type format struct {
	apiVersion *regexp.Regexp
	kind       string
	read       func(*session, *document)
}

// formats are the kinds that become an Application.
var formats = []format{
	{regexp.MustCompile(`^apps/v1$`), "Deployment", readDeployment},
	{regexp.MustCompile(`^compose$`), "service", readCompose},
	{regexp.MustCompile(`^rc[.]app[.]stacks/v1(beta2)?$`), "RuntimeComponent", readRuntimeComponent},
	{regexp.MustCompile(`^apps[.]openliberty[.]io/v1(beta2)?$`), "OpenLibertyApplication", readRuntimeComponent},
	{regexp.MustCompile(`^nais[.]io/v1alpha1$`), "Application", readNais},
	{regexp.MustCompile(`^serving[.]knative[.]dev/v1$`), "Service", readKnative},
	{regexp.MustCompile(`^skiperator[.]kartverket[.]no/v1alpha1$`), "Application", readSkiperator},
	{regexp.MustCompile(`^score[.]dev/v1b1$`), "Workload", readScore},
}

// session is one import.
type session struct {
	report
	options Options
	docs    []*document
	app     *v1.Application
}

// Import makes one Application of the sources. The error names each value that cannot be read, and what is ambiguous with the option
// that decides it.
func Import(sources []Source, options Options) (*Result, error) {
	s := &session{options: options, app: &v1.Application{}}
	s.app.APIVersion, s.app.Kind = v1.GroupVersion.String(), "Application"
	sources, err := expandCompose(sources)
	if err != nil {
		return nil, err
	}
	for i, source := range sources {
		doc, err := s.newDocument(i, source)
		if err != nil {
			return nil, err
		}
		s.docs = append(s.docs, doc)
	}
	main, format, err := s.choose()
	if err != nil {
		return nil, err
	}
	format.read(s, main)
	s.nameApplication(main)
	for _, doc := range s.docs {
		doc.reportRest()
	}
	if len(s.errs) > 0 {
		return nil, errors.Join(s.errs...)
	}
	return &Result{Application: s.app, Remarks: s.sorted()}, nil
}

// choose returns the document that describes the workload.
func (s *session) choose() (*document, format, error) {
	type candidate struct {
		doc    *document
		format format
	}
	var all []candidate
	for _, doc := range s.docs {
		for _, format := range formats {
			if format.kind == doc.kind && format.apiVersion.MatchString(doc.apiVersion) {
				all = append(all, candidate{doc, format})
			}
		}
	}
	found := all
	if wanted := cmp.Or(s.options.Workload, s.options.Name); len(all) > 1 && wanted != "" || s.options.Workload != "" {
		found = slices.DeleteFunc(slices.Clone(all), func(c candidate) bool { return c.doc.name != wanted })
	}
	if len(found) == 1 {
		return found[0].doc, found[0].format, nil
	}
	names := make([]string, 0, len(all))
	for _, c := range all {
		names = append(names, c.doc.title())
	}
	switch {
	case len(all) == 0:
		return nil, format{}, fmt.Errorf("found no workload that can become an Application among %d objects%s; give one of: %s",
			len(s.docs), s.insteadOfOthers(), strings.Join(kinds(), ", "))
	case len(found) == 0:
		return nil, format{}, fmt.Errorf("no workload is named %q; there is %s", cmp.Or(s.options.Workload, s.options.Name), strings.Join(names, ", "))
	default:
		return nil, format{}, fmt.Errorf("each Application is one workload, and there are %d: %s; choose one by its name, with --workload",
			len(all), strings.Join(names, ", "))
	}
}

// insteadOf says what to give instead of kinds that do not become an Application.
var insteadOf = map[string]string{
	"StatefulSet":      "an Application is a Deployment, which may have one pod with a claim in spec.files[].persistentVolumeClaim; several pods with a claim each stay a StatefulSet",
	"DaemonSet":        "an Application does not run on each node; it stays a DaemonSet",
	"Rollout":          "give its template as a Deployment; spec.rollout.onFailure undoes a rollout that fails",
	"DeploymentConfig": "give it as a Deployment",
	"CronJob":          "a schedule belongs to an application that runs; alone it stays a CronJob",
	"Job":              "a release command belongs to an application that runs; alone it stays a Job",
	"Pod":              "give it as the template of a Deployment",
	"ReplicaSet":       "give the Deployment that made it",
	"Kustomization":    "give what kubectl kustomize prints",
	"HelmRelease":      "give what helm template prints of its chart",
}

// insteadOfOthers says of the first source of such a kind what to give instead of it.
func (s *session) insteadOfOthers() string {
	for _, doc := range s.docs {
		if instead := insteadOf[doc.kind]; instead != "" {
			return " (" + doc.title() + ": " + instead + ")"
		}
	}
	return ""
}

// kinds returns what a workload may be described by.
func kinds() []string {
	names := make([]string, 0, len(formats))
	for _, format := range formats {
		version := strings.NewReplacer("^", "", "$", "", "[.]", ".", "(beta2)?", "").Replace(format.apiVersion.String())
		names = append(names, format.kind+" ("+version+")")
	}
	return names
}

// applicationName is the form of an Application's name, which is that of a Service.
var applicationName = regexp.MustCompile(`^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$`)

// nameApplication sees to it that the Application has a name that it can have.
func (s *session) nameApplication(main *document) {
	if s.app.Name == "" {
		s.app.Name = cmp.Or(s.options.Name, main.name)
	}
	if !applicationName.MatchString(s.app.Name) {
		s.fail(main, "metadata.name", fmt.Errorf("an Application cannot be named %q: its name is lower-case letters, digits and '-', "+
			"starting with a letter, at most 63 characters; choose another one with --name", s.app.Name))
	}
}
