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

// Command structure counts what a reader of Reconcile has to hold in the head. It goes by names alone: a call of a method m counts
// as a call of every method m that internal/ has in the packages which Reconcile's package imports. So it counts a little too
// much, and the same way in every version of the code.
package main

import (
	"cmp"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// function is a function or method of the program.
type function struct {
	name, file, receiver string
	lines                int
	decl                 *ast.FuncDecl
	imports              map[string]bool // of its file, by the last part of the path
}

func (f *function) folder() string { return filepath.Base(filepath.Dir(f.file)) }

// code is what there is in internal/, tests aside.
type code struct {
	files     *token.FileSet
	functions map[string][]*function
	types     map[string]*ast.StructType
	lines     map[string]int             // of each package folder
	imports   map[string]map[string]bool // what each folder imports, by the last part of the path
}

func main() {
	root := flag.String("root", ".", "the checkout to count in")
	list := flag.Bool("list", false, "list the functions that are reached")
	flag.Parse()
	report := func(*function) {}
	if *list {
		report = func(f *function) { _, _ = fmt.Fprintf(os.Stdout, "%s %s.%s %d\n", f.file, f.receiver, f.name, f.lines) }
	}
	if err := run(*root, report); err != nil {
		fmt.Fprintln(os.Stderr, "structure:", err)
		os.Exit(1)
	}
}

func run(root string, report func(*function)) error {
	c, err := read(filepath.Join(root, "internal"))
	if err != nil {
		return err
	}
	start := slices.IndexFunc(c.functions["Reconcile"], func(f *function) bool { return strings.HasSuffix(f.receiver, "Reconciler") })
	if start < 0 {
		return fmt.Errorf("no Reconcile of a Reconciler in %s", root)
	}
	first := c.functions["Reconcile"][start]
	reached := c.reach(first)
	files, lines, folders := map[string]bool{}, 0, map[string]int{}
	for _, f := range reached {
		files[f.file] = true
		lines += f.lines
		folders[filepath.Dir(f.file)]++
		report(f)
	}
	methods, methodFiles := c.methods(first.receiver)
	_, _ = fmt.Fprintf(os.Stdout, "reached from Reconcile: %d functions, %d lines, %d files\n", len(reached), lines, len(files))
	_, _ = fmt.Fprintf(os.Stdout, "methods of %s: %d in %d files\n", first.receiver, methods, methodFiles)
	_, _ = fmt.Fprintf(os.Stdout, "members that hold state: %s\n", strings.Join(c.members(first.receiver), " "))
	_, _ = fmt.Fprintf(os.Stdout, "returns to a file already left, following app: %d\n", c.returns(first))
	for _, folder := range slices.Sorted(maps.Keys(c.lines)) {
		_, _ = fmt.Fprintf(os.Stdout, "%s: %d lines, %d functions reached\n", folder, c.lines[folder], folders[folder])
	}
	return nil
}

// read parses a folder.
func read(root string) (*code, error) {
	c := &code{
		files: token.NewFileSet(), functions: map[string][]*function{}, types: map[string]*ast.StructType{}, lines: map[string]int{},
		imports: map[string]map[string]bool{},
	}
	return c, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(c.files, path, nil, 0)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(filepath.Dir(root), path)
		if err != nil {
			return err
		}
		c.add(file, name)
		return nil
	})
}

func (c *code) add(file *ast.File, name string) {
	folder := filepath.Dir(name)
	c.lines[folder] += c.files.Position(file.FileEnd).Line - 1
	imports := map[string]bool{}
	for _, spec := range file.Imports {
		path, _ := strconv.Unquote(spec.Path.Value)
		imports[filepath.Base(path)] = strings.Contains(path, "/internal/")
	}
	if c.imports[filepath.Base(folder)] == nil {
		c.imports[filepath.Base(folder)] = map[string]bool{}
	}
	maps.Copy(c.imports[filepath.Base(folder)], imports)
	for _, decl := range file.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			if decl.Body == nil {
				continue
			}
			c.functions[decl.Name.Name] = append(c.functions[decl.Name.Name], &function{
				name: decl.Name.Name, file: name, receiver: receiver(decl), decl: decl, imports: imports,
				lines: c.files.Position(decl.End()).Line - c.files.Position(decl.Pos()).Line + 1,
			})
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				if spec, ok := spec.(*ast.TypeSpec); ok {
					if fields, ok := spec.Type.(*ast.StructType); ok && strings.HasSuffix(spec.Name.Name, "Reconciler") {
						c.types[spec.Name.Name] = fields
					}
				}
			}
		}
	}
}

func receiver(decl *ast.FuncDecl) string {
	if decl.Recv == nil || len(decl.Recv.List) == 0 {
		return ""
	}
	kind := decl.Recv.List[0].Type
	if pointer, ok := kind.(*ast.StarExpr); ok {
		kind = pointer.X
	}
	if name, ok := kind.(*ast.Ident); ok {
		return name.Name
	}
	return ""
}

// calls returns the functions that may be called in a body by the calls that count, in the order of the calls.
func (c *code) calls(f *function, counts func(*ast.CallExpr) bool) []*function {
	var all []*function
	ast.Inspect(f.decl.Body, func(node ast.Node) bool {
		call, ok := node.(*ast.CallExpr)
		if !ok || !counts(call) {
			return true
		}
		switch called := call.Fun.(type) {
		case *ast.Ident:
			all = append(all, c.find(called.Name, func(g *function) bool { return g.receiver == "" && g.folder() == f.folder() })...)
		case *ast.SelectorExpr:
			of, ok := called.X.(*ast.Ident)
			if ok && (f.imports[of.Name] || c.imports[f.folder()][of.Name]) {
				all = append(all, c.find(called.Sel.Name, func(g *function) bool { return g.receiver == "" && g.folder() == of.Name })...)
				return true
			}
			within := c.within(f.folder())
			all = append(all, c.find(called.Sel.Name, func(g *function) bool { return g.receiver != "" && within[g.folder()] })...)
		}
		return true
	})
	return all
}

func (c *code) find(name string, which func(*function) bool) []*function {
	return slices.DeleteFunc(slices.Clone(c.functions[name]), func(g *function) bool { return !which(g) })
}

// within returns a folder and those that it imports, directly or not.
func (c *code) within(folder string) map[string]bool {
	all := map[string]bool{folder: true}
	for again := true; again; {
		again = false
		for one := range maps.Clone(all) {
			for name, internal := range c.imports[one] {
				if internal && !all[name] {
					all[name], again = true, true
				}
			}
		}
	}
	return all
}

func anyCall(*ast.CallExpr) bool { return true }

func givesApp(call *ast.CallExpr) bool {
	return slices.ContainsFunc(call.Args, func(argument ast.Expr) bool {
		name, ok := argument.(*ast.Ident)
		return ok && name.Name == "app"
	})
}

// reach returns all functions that may be reached.
func (c *code) reach(first *function) []*function {
	seen := map[*function]bool{first: true}
	reached := []*function{first}
	for i := 0; i < len(reached); i++ {
		for _, next := range c.calls(reached[i], anyCall) {
			if !seen[next] {
				seen[next] = true
				reached = append(reached, next)
			}
		}
	}
	slices.SortFunc(reached, func(a, b *function) int { return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.name, b.name)) })
	return reached
}

// returns counts how often a reader who follows app through the calls, each function once, comes to a file that was left before.
func (c *code) returns(first *function) int {
	seen, left := map[*function]bool{}, map[string]bool{}
	at, count := first.file, 0
	var follow func(f *function)
	follow = func(f *function) {
		if seen[f] {
			return
		}
		seen[f] = true
		if f.file != at {
			left[at] = true
			if left[f.file] {
				count++
			}
			at = f.file
		}
		for _, next := range c.calls(f, givesApp) {
			if seen[next] {
				continue
			}
			if at != f.file { // back from a call, for the next one
				left[at] = true
				count++
				at = f.file
			}
			follow(next)
		}
	}
	follow(first)
	return count
}

func (c *code) methods(of string) (count, in int) {
	files := map[string]bool{}
	for _, named := range c.functions {
		for _, f := range named {
			if f.receiver == of {
				count++
				files[f.file] = true
			}
		}
	}
	return count, len(files)
}

// members returns the fields that are not given by whoever makes the reconciler.
func (c *code) members(of string) []string {
	var names []string
	for _, field := range c.types[of].Fields.List {
		for _, name := range field.Names {
			if !name.IsExported() {
				names = append(names, name.Name)
			}
		}
	}
	return names
}
