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

package importing

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Remark is something of a source that the Application does not say, or says otherwise.
type Remark struct {
	// Source is what it is about: the file, if there is one, the kind and the name.
	Source string
	// Field is its path in the source; "" is all of the object.
	Field string
	// Value is what the field says, shortened; "" for what is not shown.
	Value string
	// Instead is what to do.
	Instead string
}

// String returns the remark in one line.
func (r Remark) String() string {
	what := r.Source
	if r.Field != "" {
		what += ", " + r.Field
	}
	if r.Value != "" {
		what += ": " + r.Value
	}
	return what + " – " + r.Instead
}

// report collects what is to be told.
type report struct {
	remarks []remark
	errs    []error
}

// remark is one with what it is sorted by.
type remark struct {
	Remark
	doc int
}

// add adds a remark. A value that may be confidential is not in it.
func (r *report) add(doc *document, field string, value any, instead string) {
	shown := ""
	if value != nil && !confidential(doc, field, value) {
		shown = short(value)
	}
	r.remarks = append(r.remarks, remark{Remark{Source: doc.title(), Field: field, Value: shown, Instead: instead}, doc.index})
}

// fail adds an error that names the field.
func (r *report) fail(doc *document, field string, err error) {
	r.errs = append(r.errs, fmt.Errorf("%s: %s: %w", doc.title(), cmp.Or(field, "."), err))
}

// sorted returns the remarks in the order of the sources, each once.
func (r *report) sorted() []Remark {
	slices.SortStableFunc(r.remarks, func(a, b remark) int { return cmp.Compare(a.doc, b.doc) })
	all := make([]Remark, 0, len(r.remarks))
	for _, next := range r.remarks {
		if !slices.Contains(all, next.Remark) {
			all = append(all, next.Remark)
		}
	}
	return all
}

var confidentialField = regexp.MustCompile(`(?i)(^|[.\]])(env|envVars|environment|variables)(\[|\.|$)|secret|password|token|last-applied`)

// confidentialKey is a field within a value that may have what is not to be shown. The name of a Secret is not.
var confidentialKey = regexp.MustCompile(`(?i)^(env|envVars|environment|variables)$|password|token`)

// confidential reports whether a field's value may be one that is not to be shown, or may have one in it.
func confidential(doc *document, field string, value any) bool {
	return doc.kind == "Secret" || confidentialField.MatchString(field) || hasConfidentialKey(value)
}

func hasConfidentialKey(value any) bool {
	switch value := value.(type) {
	case map[string]any:
		for key, field := range value {
			if confidentialKey.MatchString(key) || hasConfidentialKey(field) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(value, hasConfidentialKey)
	}
	return false
}

// maxValue is how much of a value is shown, in bytes.
const maxValue = 60

// short returns a value as JSON in at most maxValue bytes.
func short(value any) string {
	text := strings.ToValidUTF8(jsonOf(value), "")
	if len(text) <= maxValue {
		return text
	}
	return strings.ToValidUTF8(text[:maxValue], "") + "…"
}

var indexes = regexp.MustCompile(`\[[^\]]*\]`)

// hint returns what to do instead of a field that no part of the import knows: the words of the entry that comes nearest to it.
func (s *session) hint(doc *document, path string) string {
	path = indexes.ReplaceAllString(path, "")
	best, nearest, words := "", 0, noWord(doc, path)
	for _, hints := range []map[string]string{commonHints, hintsOf[doc.kind]} {
		for field, instead := range hints {
			end := 0
			if name, common := strings.CutPrefix(field, "*."); common {
				at := strings.LastIndex("."+path+".", "."+name+".")
				if at < 0 {
					continue
				}
				end = at + len(name)
			} else if end = len(field); path != field && !strings.HasPrefix(path, field+".") {
				continue
			}
			if cmp.Or(cmp.Compare(end, nearest), cmp.Compare(len(field), len(best)), cmp.Compare(field, best)) > 0 {
				best, nearest, words = field, end, instead
			}
		}
	}
	return words
}

// noWord says what to do instead of a field that is not known at all.
func noWord(doc *document, path string) string {
	switch {
	case doc.kind == "Deployment" && strings.HasPrefix(path, "spec.template."):
		return "the pods of an Application do not have it; run the program without it, or keep the Deployment"
	case doc.apiVersion == compose:
		return "an Application has no word for it; run the program without it"
	default:
		return "an Application has no word for it; see whether it is needed, and if so, keep an object of your own beside the Application"
	}
}
