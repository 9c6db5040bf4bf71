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
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	kjson "sigs.k8s.io/json"
)

// document is a source, and what of it has not been understood yet.
type document struct {
	from, apiVersion, kind, name, namespace string
	index                                   int
	session                                 *session
	// live says that it is an object of a cluster, in which Kubernetes has filled in addresses.
	live bool
	// original has the source without what is nobody's to import. left is what remains of it.
	original, left map[string]any
}

// newDocument returns a source with nothing taken out of it.
func (s *session) newDocument(index int, source Source) (*document, error) {
	doc := &document{from: source.From, index: index, session: s, left: runtime.DeepCopyJSON(normalized(source.Object))}
	doc.apiVersion, _ = doc.left["apiVersion"].(string)
	doc.kind, _ = doc.left["kind"].(string)
	if source.format != "" {
		doc.apiVersion, doc.kind, doc.name = source.format, "service", source.name
		doc.original = runtime.DeepCopyJSON(doc.left)
		for _, note := range source.notes {
			s.add(doc, note.field, nil, note.instead)
		}
		return doc, nil
	}
	metadata, _ := doc.left["metadata"].(map[string]any)
	doc.name, _ = metadata["name"].(string)
	doc.namespace, _ = metadata["namespace"].(string)
	if doc.kind == "" && doc.apiVersion == "score.dev/v1b1" { // has no kind
		doc.kind = "Workload"
	}
	if doc.apiVersion == "" {
		return nil, fmt.Errorf("%s has no apiVersion; give a whole manifest: of a chart what helm template prints, of a kustomization what kubectl kustomize prints", doc.title())
	}
	doc.live = metadata["uid"] != nil || metadata["resourceVersion"] != nil
	dropDefaults(doc.left, defaultsOf(doc.apiVersion, doc.kind))
	doc.original = runtime.DeepCopyJSON(doc.left)
	return doc, nil
}

// normalized returns a copy in which numbers are int64 or float64 and there are no nulls.
func normalized(object map[string]any) map[string]any {
	data, err := json.Marshal(object)
	if err != nil {
		return map[string]any{}
	}
	copied := map[string]any{}
	if kjson.UnmarshalCaseSensitivePreserveInts(data, &copied) != nil {
		return map[string]any{}
	}
	dropNulls(copied)
	return copied
}

func dropNulls(value any) {
	switch value := value.(type) {
	case map[string]any:
		maps.DeleteFunc(value, func(_ string, field any) bool { return field == nil })
		for _, field := range value {
			dropNulls(field)
		}
	case []any:
		for _, item := range value {
			dropNulls(item)
		}
	}
}

// title returns what the source is called in texts.
func (d *document) title() string {
	title := strings.TrimSpace(d.kind + " " + d.name)
	if d.from != "" {
		title = strings.TrimSpace(d.from + ": " + title)
	}
	return title
}

// root returns the document as a part.
func (d *document) root() part { return part{doc: d, fields: d.left} }

// forget takes all that is left of the document: it is said elsewhere, or is nobody's to import.
func (d *document) forget() { clear(d.left) }

// keep has the document stay an object of its own, and says why.
func (d *document) keep(why string) {
	d.session.add(d, "", nil, why)
	d.forget()
}

// part is an object within a document: a cursor. Where there is no such object, it has no fields.
type part struct {
	doc    *document
	path   string
	fields map[string]any
}

func (p part) pathOf(name string) string {
	if p.path == "" {
		return name
	}
	return p.path + "." + name
}

func (p part) has(name string) bool { _, ok := p.fields[name]; return ok }

// in returns the object at the path of names.
func (p part) in(names ...string) part {
	for _, name := range names {
		value, exists := p.fields[name]
		fields, ok := value.(map[string]any)
		if exists && !ok {
			p.doc.session.fail(p.doc, p.pathOf(name), fmt.Errorf("it is %s, and an object is expected; correct it", p.shown(name, value)))
		}
		p = part{p.doc, p.pathOf(name), fields}
	}
	return p
}

// object returns the object of the name, which is made if there is none.
func (p part) object(name string) part {
	if !p.has(name) {
		p.set(name, map[string]any{})
	}
	return p.in(name)
}

// set sets a field, if the part is an object.
func (p part) set(name string, value any) {
	if p.fields != nil {
		p.fields[name] = value
	}
}

// list returns the objects of a list.
func (p part) list(name string) []part {
	value, exists := p.fields[name]
	items, ok := value.([]any)
	if exists && !ok {
		p.doc.session.fail(p.doc, p.pathOf(name), fmt.Errorf("it is %s, and a list is expected; correct it", p.shown(name, value)))
	}
	parts := make([]part, 0, len(items))
	for i, item := range items {
		fields, _ := item.(map[string]any)
		parts = append(parts, part{p.doc, fmt.Sprintf("%s[%d]", p.pathOf(name), i), fields})
	}
	return parts
}

// text takes a text.
func (p part) text(name string) string {
	text, _ := take[string](p, name)
	return text
}

// peek returns a text and leaves it there.
func (p part) peek(name string) string {
	text, _ := p.fields[name].(string)
	return text
}

// drop takes fields that are represented otherwise, or mean nothing.
func (p part) drop(names ...string) {
	for _, name := range names {
		delete(p.fields, name)
	}
}

// dropIf takes a field if it says this.
func (p part) dropIf(name string, value any) {
	if field, ok := p.fields[name]; ok && same(field, value) {
		delete(p.fields, name)
	}
}

// dropEmpty takes a list if nothing is left in its items.
func (p part) dropEmpty(name string) {
	for _, item := range p.list(name) {
		if len(item.fields) > 0 {
			return
		}
	}
	p.drop(name)
}

// empty takes all of the object.
func (p part) empty() { clear(p.fields) }

// remark takes a field, and says what to do instead of it.
func (p part) remark(name, instead string) {
	value, ok := p.fields[name]
	if !ok {
		return
	}
	delete(p.fields, name)
	p.doc.session.add(p.doc, p.pathOf(name), value, instead)
}

// note says something of a field that stays, or was taken.
func (p part) note(name string, value any, instead string) {
	path := p.path
	if name != "" {
		path = p.pathOf(name)
	}
	p.doc.session.add(p.doc, path, value, instead)
}

// shown returns a value for an error, if it may be shown.
func (p part) shown(name string, value any) string {
	if confidential(p.doc, p.pathOf(name), value) {
		return "something else"
	}
	return short(value)
}

// unread adds the error of a value that is not of its type, without what it says if that may be confidential: the error of a decoder
// quotes numbers.
func (p part) unread(path string, value any, err error) {
	if confidential(p.doc, path, value) {
		p.doc.session.fail(p.doc, path, errors.New("something in it is not what is expected there, such as a number without quotes in place of a text; correct it"))
		return
	}
	p.doc.session.fail(p.doc, path, fmt.Errorf("%s cannot be read: %w; correct it", short(value), err))
}

// take takes a field and returns it as a value of a type. What of it the type does not have stays.
func take[T any](p part, name string) (T, bool) {
	var value T
	field, ok := p.fields[name]
	if !ok {
		return value, false
	}
	value, rest, err := decode[T](field)
	if err != nil {
		p.unread(p.pathOf(name), field, err)
		delete(p.fields, name)
		return value, false
	}
	if rest == nil {
		delete(p.fields, name)
	} else {
		p.fields[name] = rest
	}
	return value, true
}

// whole takes all of the part and returns it as a value of a type.
func whole[T any](p part) (T, bool) {
	var value T
	if p.fields == nil {
		return value, false
	}
	value, rest, err := decode[T](p.fields)
	if err != nil {
		p.unread(p.path, p.fields, err)
		return value, false
	}
	clear(p.fields)
	if rest, ok := rest.(map[string]any); ok {
		maps.Copy(p.fields, rest)
	}
	return value, true
}

// decode returns decoded JSON as a value of a type, and what of it the type does not have.
func decode[T any](field any) (value T, rest any, err error) {
	data, err := json.Marshal(field)
	if err != nil {
		return value, nil, err
	}
	if err := kjson.UnmarshalCaseSensitivePreserveInts(data, &value); err != nil {
		return value, nil, err
	}
	if data, err = json.Marshal(value); err != nil {
		return value, nil, err
	}
	var back any
	if err := kjson.UnmarshalCaseSensitivePreserveInts(data, &back); err != nil {
		return value, nil, err
	}
	return value, lost(field, back), nil
}

// lost returns what of a value is not in what was made of it, or nil. What is empty or zero says nothing.
func lost(value, back any) any {
	switch value := value.(type) {
	case map[string]any:
		known, _ := back.(map[string]any)
		rest := map[string]any{}
		for name, field := range value {
			if of := lost(field, known[name]); of != nil {
				rest[name] = of
			}
		}
		if len(rest) > 0 {
			return rest
		}
		return nil
	case []any:
		known, _ := back.([]any)
		if len(known) != len(value) && len(value) > 0 {
			return value
		}
		rest := make([]any, len(value))
		found := false
		for i := range value {
			rest[i] = lost(value[i], known[i])
			found = found || rest[i] != nil
		}
		if found {
			return rest
		}
		return nil
	}
	if back == nil && !isZero(value) {
		return value
	}
	return nil
}

func isZero(value any) bool {
	return value == nil || value == "" || value == false || same(value, 0)
}

// isEmpty reports whether a value has nothing in it.
func isEmpty(value any) bool {
	switch value := value.(type) {
	case string:
		return value == ""
	case []any:
		return len(value) == 0
	case map[string]any:
		return len(value) == 0
	}
	return false
}

// same reports whether two values are the same as JSON.
func same(a, b any) bool {
	return reflect.DeepEqual(a, b) || jsonOf(a) == jsonOf(b) || jsonOf(generic(a)) == jsonOf(generic(b))
}

// generic returns a value as decoded JSON, in which the order of fields is no matter.
func generic(value any) any {
	var decoded any
	if json.Unmarshal([]byte(jsonOf(value)), &decoded) != nil {
		return value
	}
	return decoded
}

func jsonOf(value any) string {
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(data)
}

// reportRest adds a remark for each value that is left of the document. What nobody has touched is one remark.
func (d *document) reportRest() {
	d.reportValue("", d.left, d.original)
	d.forget()
}

func (d *document) reportValue(path string, left, original any) {
	if ofKubernetes(d.apiVersion, d.kind) && isEmpty(left) {
		return
	}
	if path != "" && left != nil && same(left, original) {
		d.session.add(d, path, left, d.session.hint(d, path))
		return
	}
	switch left := left.(type) {
	case map[string]any:
		was, _ := original.(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(left)) {
			at := name
			if path != "" {
				at = path + "." + name
			}
			d.reportValue(at, left[name], was[name])
		}
	case []any:
		was, _ := original.([]any)
		for i, item := range left {
			var before any
			if i < len(was) {
				before = was[i]
			}
			d.reportValue(fmt.Sprintf("%s[%d]", path, i), item, before)
		}
	case nil:
	default:
		d.session.add(d, path, left, d.session.hint(d, path))
	}
}
