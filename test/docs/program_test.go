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

// Package docs compares what the documents say with the program and its manifests. It reads both as text.
package docs

import (
	"bytes"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

const root = "../.."

func read(t *testing.T, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// pages are the documents that are compared. Measurements and decisions are elsewhere, and the API reference is generated.
func pages(t *testing.T) []string {
	t.Helper()
	all := []string{"README.md"}
	for _, pattern := range []string{"docs/*.md", "docs/operations/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("no documents %s (%v)", pattern, err)
		}
		for _, page := range found {
			page, err := filepath.Rel(root, page)
			if err != nil {
				t.Fatal(err)
			}
			if page != "docs/api.md" {
				all = append(all, page)
			}
		}
	}
	return all
}

var fenced = regexp.MustCompile("(?ms)^ *```.*?^ *```$")

// prose returns a page without what is shown as code, with single spaces.
func prose(t *testing.T, page string) string {
	t.Helper()
	return strings.Join(strings.Fields(string(fenced.ReplaceAll(read(t, page), nil))), " ")
}

// source is the program's packages by their folders, as far as they were asked for.
type source map[string][]*ast.File

var parsed = source{}

func (s source) of(t *testing.T, dir string) []*ast.File {
	t.Helper()
	if s[dir] != nil {
		return s[dir]
	}
	names, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		s[dir] = append(s[dir], file)
	}
	return s[dir]
}

// valueOf returns the value of a constant of the package in the folder.
func valueOf(t *testing.T, dir, name string) constant.Value {
	t.Helper()
	value := evaluate(t, dir, ast.NewIdent(name))
	if value == nil {
		t.Fatalf("%s has no constant %s, or none that can be read", dir, name)
	}
	return value
}

// units are the constants of package time.
var units = map[string]time.Duration{
	"Millisecond": time.Millisecond, "Second": time.Second, "Minute": time.Minute, "Hour": time.Hour,
}

// evaluate returns the value of an expression of constants, or nil.
func evaluate(t *testing.T, dir string, expression ast.Expr) constant.Value {
	t.Helper()
	switch expression := expression.(type) {
	case *ast.BasicLit:
		return constant.MakeFromLiteral(expression.Value, expression.Kind, 0)
	case *ast.BinaryExpr:
		x, y := evaluate(t, dir, expression.X), evaluate(t, dir, expression.Y)
		if x == nil || y == nil {
			return nil
		}
		if expression.Op == token.SHL {
			bits, _ := constant.Uint64Val(y)
			return constant.Shift(x, token.SHL, uint(bits))
		}
		return constant.BinaryOp(x, expression.Op, y)
	case *ast.SelectorExpr:
		in, ok := expression.X.(*ast.Ident)
		if !ok {
			return nil
		}
		if unit, ok := units[expression.Sel.Name]; ok && in.Name == "time" {
			return constant.MakeInt64(int64(unit))
		}
		return evaluate(t, "internal/"+in.Name, expression.Sel)
	case *ast.Ident:
		if expression.Name == "true" || expression.Name == "false" {
			return constant.MakeBool(expression.Name == "true")
		}
		return declared(t, dir, expression.Name)
	default:
		return nil
	}
}

// declared returns the value of the constant, or nil if there is none.
func declared(t *testing.T, dir, name string) constant.Value {
	t.Helper()
	var value constant.Value
	for _, file := range parsed.of(t, dir) {
		ast.Inspect(file, func(node ast.Node) bool {
			spec, ok := node.(*ast.ValueSpec)
			if !ok {
				return true
			}
			for i, found := range spec.Names {
				if found.Name == name && i < len(spec.Values) {
					value = evaluate(t, dir, spec.Values[i])
				}
			}
			return true
		})
	}
	return value
}

func duration(t *testing.T, dir, name string) time.Duration {
	t.Helper()
	value, exact := constant.Int64Val(valueOf(t, dir, name))
	if !exact {
		t.Fatalf("%s of %s is no duration", name, dir)
	}
	return time.Duration(value)
}

// number writes a number as a sentence has it.
func number(value float64) string { return strconv.FormatFloat(value, 'f', -1, 64) }

// flags returns the defaults of the program's own flags by name; "" where the default is not a constant.
func flags(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, dir := range []string{"cmd", "internal/election"} {
		for _, file := range parsed.of(t, dir) {
			ast.Inspect(file, func(node ast.Node) bool {
				call, ok := node.(*ast.CallExpr)
				if !ok {
					return true
				}
				if method, ok := call.Fun.(*ast.SelectorExpr); ok && isSet(method.X) {
					addFlag(t, all, dir, method.Sel.Name, call.Args)
				}
				return true
			})
		}
	}
	if len(all) < 10 {
		t.Fatalf("found only these flags: %v", all)
	}
	return all
}

func isSet(receiver ast.Expr) bool {
	name, ok := receiver.(*ast.Ident)
	return ok && name.Name == "fs"
}

// addFlag adds what a call of a flag.FlagSet defines.
func addFlag(t *testing.T, all map[string]string, dir, method string, args []ast.Expr) {
	t.Helper()
	text := func(expression ast.Expr) string {
		value := evaluate(t, dir, expression)
		switch {
		case value == nil:
			return ""
		case value.Kind() == constant.String:
			return constant.StringVal(value)
		case method == "DurationVar":
			nanoseconds, _ := constant.Int64Val(value)
			return time.Duration(nanoseconds).String()
		default:
			return value.String()
		}
	}
	switch method {
	case "Func":
		all[text(args[0])] = ""
	case "StringVar", "BoolVar", "IntVar", "DurationVar":
		all[text(args[1])] = text(args[2])
	}
}

// alertRule is a rule of config/prometheus.
type alertRule struct {
	Alert         string `json:"alert"`
	Expr          string `json:"expr"`
	For           string `json:"for"`
	KeepFiringFor string `json:"keep_firing_for"`
}

func alertRules(t *testing.T) map[string]alertRule {
	t.Helper()
	var object struct {
		Spec struct {
			Groups []struct {
				Rules []alertRule `json:"rules"`
			} `json:"groups"`
		} `json:"spec"`
	}
	if err := yaml.Unmarshal(read(t, "config/prometheus/prometheus_rule.yaml"), &object); err != nil {
		t.Fatal(err)
	}
	all := map[string]alertRule{}
	for _, group := range object.Spec.Groups {
		for _, rule := range group.Rules {
			all[rule.Alert] = rule
		}
	}
	return all
}

var (
	window = regexp.MustCompile(`\[([0-9]+[a-z])\]`)
	beyond = regexp.MustCompile(`> ([0-9]+)\s*$`)
)

// minutesIn reads a duration as Prometheus has it.
func minutesIn(text string) float64 {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		value, _ := strconv.Atoi(days)
		return float64(value) * 24 * 60
	}
	value, _ := time.ParseDuration(text)
	return value.Minutes()
}

// held is for how many minutes the rule has to hold.
func (r alertRule) held() string { return number(minutesIn(r.For)) }

// within is how many minutes the expression looks back.
func (r alertRule) within() float64 {
	match := window.FindStringSubmatch(r.Expr)
	if match == nil {
		return 0
	}
	return minutesIn(match[1])
}

// withWindow is after how many minutes the alert comes at the latest.
func (r alertRule) withWindow() string { return number(minutesIn(r.For) + r.within()) }

// threshold is what the expression's value is above.
func (r alertRule) threshold() string {
	match := beyond.FindStringSubmatch(r.Expr)
	if match == nil {
		return ""
	}
	return match[1]
}

// managerDeployment is the Deployment of config/manager.
func managerDeployment(t *testing.T) *appsv1.Deployment {
	t.Helper()
	for document := range bytes.SplitSeq(read(t, "config/manager/manager.yaml"), []byte("\n---\n")) {
		deployment := &appsv1.Deployment{}
		if err := yaml.Unmarshal(document, deployment); err != nil {
			t.Fatal(err)
		}
		if deployment.Kind == "Deployment" {
			return deployment
		}
	}
	t.Fatal("config/manager has no Deployment")
	return nil
}

func portOf(t *testing.T, container corev1.Container, name string) string {
	t.Helper()
	for _, port := range container.Ports {
		if port.Name == name {
			return strconv.Itoa(int(port.ContainerPort))
		}
	}
	t.Fatalf("the container has no port %s", name)
	return ""
}

// lintedLines is how long the linter lets a function be.
func lintedLines(t *testing.T) string {
	t.Helper()
	var config struct {
		Linters struct {
			Settings struct {
				Funlen struct {
					Lines int `json:"lines"`
				} `json:"funlen"`
			} `json:"settings"`
		} `json:"linters"`
	}
	if err := yaml.Unmarshal(read(t, ".golangci.yml"), &config); err != nil {
		t.Fatal(err)
	}
	return strconv.Itoa(config.Linters.Settings.Funlen.Lines)
}
