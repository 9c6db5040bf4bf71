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
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode"

	v1 "github.com/example/app-operator/api/v1"
)

// What the console of OpenShift knows how to show. OperatorHub shows names and descriptions.
const (
	widget    = "urn:alm:descriptor:com.tectonic.ui:"
	reference = "urn:alm:descriptor:io.kubernetes:"
)

// basic are the fields that a form shows at once; the others are behind "Advanced".
var basic = []string{
	"image", "replicas", "port", "service", "env", "envFrom", "resources", "probes", "autoscaling", "ingress",
}

// known are the fields that have a widget or a meaning of their own, by the end of their path. The longest end counts.
var known = map[string]string{
	"spec.replicas":        widget + "podCount",
	"spec.imagePullPolicy": widget + "imagePullPolicy",

	"resources":       widget + "resourceRequirements",
	"nodeAffinity":    widget + "nodeAffinity",
	"podAffinity":     widget + "podAffinity",
	"podAntiAffinity": widget + "podAntiAffinity",

	"spec.serviceAccount.name":   reference + "ServiceAccount",
	"spec.ingress.tlsSecretName": reference + "Secret",

	"status.conditions": "urn:alm:descriptor:io.kubernetes.conditions",
	"status.url":        "urn:alm:descriptor:org.w3:link",
	"status.replicas":   widget + "podCount",
}

// written are words that are not written as they stand in the names of fields.
var written = map[string]string{
	"cpu": "CPU", "tls": "TLS", "http": "HTTP", "https": "HTTPS", "tcp": "TCP", "grpc": "gRPC", "url": "URL", "ip": "IP",
	"cidr": "CIDR", "id": "ID", "uid": "UID", "gid": "GID", "fs": "FS", "env": "Environment", "args": "Arguments", "api": "API",
}

// field is a field of a Go type, under its name in JSON.
type field struct {
	name string
	of   reflect.Type
}

// members returns the fields of a type in their order, also through pointers, lists and maps.
func members(of reflect.Type) []field {
	for of != nil && slices.Contains([]reflect.Kind{reflect.Pointer, reflect.Slice, reflect.Map}, of.Kind()) {
		of = of.Elem()
	}
	if of == nil || of.Kind() != reflect.Struct {
		return nil
	}
	var found []field
	for member := range of.Fields() {
		name, _, _ := strings.Cut(member.Tag.Get("json"), ",")
		if name == "" && member.Anonymous {
			found = append(found, members(member.Type)...)
			continue
		}
		found = append(found, field{name: name, of: member.Type})
	}
	return found
}

// fields returns a descriptor for each field below the property that the CRD describes, in the order of the Go type, and for
// the fields of those that are objects of our own. What is deeper, in lists or of Kubernetes' own types, consoles show by
// the CRD, whose descriptions they take as well: only the first level has its own here, for catalogs, which have no CRD.
func fields(path string, property object, of reflect.Type) []any {
	typed := members(of)
	position := func(name string) int {
		found := slices.IndexFunc(typed, func(f field) bool { return f.name == name })
		if found < 0 {
			return len(typed)
		}
		return found
	}
	properties := at(property, "properties")
	names := make([]string, 0, len(properties))
	for name := range properties {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(position(a), position(b)), cmp.Compare(a, b))
	})

	var found []any
	for _, name := range names {
		var member field
		if i := position(name); i < len(typed) {
			member = typed[i]
		}
		below := at(properties, name)
		description, _ := below["description"].(string)
		if description == "" {
			continue
		}
		_, relative, nested := strings.Cut(path+"."+name, ".")
		nested = nested && strings.Contains(relative, ".")
		descriptor := object{"path": relative, "displayName": displayName(name)}
		if !nested {
			descriptor["description"] = strings.Join(strings.Fields(description), " ")
		}
		if hints := hints(path+"."+name, below); len(hints) > 0 {
			descriptor["x-descriptors"] = hints
		}
		found = append(found, descriptor)
		if !nested && isOurs(member.of) {
			found = append(found, fields(path+"."+name, below, member.of)...)
		}
	}
	return found
}

// isOurs reports whether the type is an object of this API, or a pointer to one.
func isOurs(of reflect.Type) bool {
	if of != nil && of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	return of != nil && of.Kind() == reflect.Struct && of.PkgPath() == reflect.TypeFor[v1.Application]().PkgPath()
}

// hints returns how a form should show the field, where that does not follow from its type: its widget, and whether it is for
// experts. Groups of fields are the CRD's since OpenShift 4.5.
func hints(path string, property object) []any {
	var found []any
	switch special, kind := meaning(path), property["type"]; {
	case special != "":
		found = append(found, special)
	case property["enum"] != nil:
		values, _ := property["enum"].([]any)
		for _, value := range values {
			found = append(found, fmt.Sprint(widget, "select:", value))
		}
	case kind == "boolean":
		found = append(found, widget+"booleanSwitch")
	}
	part, rest, _ := strings.Cut(path, ".")
	if part == "spec" && !strings.Contains(rest, ".") && !slices.Contains(basic, rest) {
		found = append(found, widget+"advanced")
	}
	return found
}

// meaning returns what known says of the path, or nothing.
func meaning(path string) string {
	for end := path; ; {
		if found, ok := known[end]; ok {
			return found
		}
		_, rest, ok := strings.Cut(end, ".")
		if !ok {
			return ""
		}
		end = rest
	}
}

// displayName returns the words that a field's name is made of, as a person writes them.
func displayName(name string) string {
	runes := []rune(name)
	var words []string
	begin := 0
	for i := 1; i <= len(runes); i++ {
		switch {
		case i == len(runes):
		case unicode.IsLower(runes[i-1]) && unicode.IsUpper(runes[i]):
		case i+1 < len(runes) && unicode.IsUpper(runes[i-1]) && unicode.IsUpper(runes[i]) && unicode.IsLower(runes[i+1]):
		default:
			continue
		}
		words = append(words, word(string(runes[begin:i])))
		begin = i
	}
	return strings.Join(words, " ")
}

func word(text string) string {
	if special, ok := written[strings.ToLower(text)]; ok {
		return special
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
