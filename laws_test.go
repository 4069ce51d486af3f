// Package sealward_test holds the laws of the whole repository: tests that read its
// sources and documents, in-process, so that a cached result is one that still holds.
package sealward_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strings"
	"testing"
)

func TestImportsKeepToTheTable(t *testing.T) {
	rows := table(t)
	used := map[string]bool{}
	for _, s := range sources(t) {
		if s.pkg() == "." || helper(s.pkg()) {
			continue
		}
		r, ok := rowOf(rows, s.pkg())
		if !ok {
			t.Errorf("%s: the package %s has no row in docs/architecture.md", s.path, s.pkg())
			continue
		}
		used[r.name] = true
		if s.test {
			continue // what a test may import, TestTestsStayLight says
		}
		for _, imp := range s.imports {
			if problem := judgeImport(rows, r, s.pkg(), imp); problem != "" {
				t.Errorf("%s: %s; the table is in docs/architecture.md", s.path, problem)
			}
		}
	}
	for name := range rows {
		if !used[name] {
			t.Errorf("docs/architecture.md describes %s, and there is no such package", name)
		}
	}
}

// judgeImport says what is wrong with a package's import, or "".
func judgeImport(rows map[string]row, r row, pkg, imp string) string {
	if ours, ok := strings.CutPrefix(imp, module+"/"); ok {
		target, known := rowOf(rows, ours)
		switch {
		case helper(ours):
			return imp + " is for tests alone"
		case !known:
			return imp + " has no row"
		case r.all, target.name == r.name, slices.Contains(r.ours, target.name):
			return ""
		}
		return r.name + " may not import " + ours
	}
	owned := false
	for _, other := range rows {
		for _, a := range other.alone {
			owned = owned || below(imp, a)
		}
	}
	if slices.ContainsFunc(r.alone, func(a string) bool { return below(imp, a) }) {
		return ""
	}
	switch {
	case owned:
		return r.name + " may not import " + imp
	case strings.Contains(strings.Split(imp, "/")[0], "."):
		return imp + " belongs to no row: a new dependency is named there first"
	}
	return ""
}

// The judge must be able to say no.
func TestImportJudgeFindsBreaches(t *testing.T) {
	rows := table(t)
	for _, tt := range []struct {
		pkg, imp string
		ok       bool
	}{
		{"internal/sops", module + "/internal/syntax", true},
		{"internal/sops", "strings", true},
		{"cmd/action", module + "/internal/seal", true},
		{"internal/syntax", module + "/internal/sops", false},
		{"internal/review", module + "/internal/review/rule", false},
		{"internal/review/report", module + "/internal/repo", false},
		{"internal/review", "go.yaml.in/yaml/v3", false},
		{"internal/review", "os/exec", false},
		{"internal/rotate", "github.com/getsops/sops/v3/age", false},
		{"internal/leak", "example.com/unknown", false},
		{"internal/bot", module + "/internal/github/githubtest", false},
		{"internal/review/rule/generate", module + "/internal/leak", true},
	} {
		r, ok := rowOf(rows, tt.pkg)
		if !ok {
			t.Fatalf("no row for %s", tt.pkg)
		}
		if problem := judgeImport(rows, r, tt.pkg, tt.imp); (problem == "") != tt.ok {
			t.Errorf("%s imports %s: %q", tt.pkg, tt.imp, problem)
		}
	}
}

// pure are the packages without I/O; of rotate, the plan.
func isPure(s source) bool {
	for _, p := range []string{"internal/syntax", "internal/leak", "internal/sops", "internal/config", "internal/env", "internal/wiring", "internal/review"} {
		if below(s.pkg(), p) && path.Base(s.pkg()) != "generate" {
			return true
		}
	}
	return s.pkg() == "internal/rotate" && strings.HasPrefix(path.Base(s.path), "plan")
}

func TestPurePackagesDoNoIO(t *testing.T) {
	files := 0
	for _, s := range sources(t) {
		if s.test || helper(s.pkg()) || !isPure(s) {
			continue
		}
		files++
		for _, imp := range s.imports {
			if imp == "os" || below(imp, "os") || imp == "net" || imp == "net/http" || imp == "syscall" || imp == "io/ioutil" || imp == "log" || imp == "crypto/rand" {
				t.Errorf("%s is pure and imports %s", s.path, imp)
			}
		}
		for _, clock := range []string{"Now", "Since", "Until", "Sleep", "After", "Tick"} {
			if uses(s.file, "time", clock) {
				t.Errorf("%s is pure and calls time.%s", s.path, clock)
			}
		}
	}
	if files < 15 {
		t.Errorf("only %d pure files found", files)
	}
}

// An identity's text is asked for by the sealer, by the keyring that stores it, and
// by the command that hands it to a child process on the operator's behalf.
func TestIdentitiesAreExposedInFewPlaces(t *testing.T) {
	for _, s := range sources(t) {
		allowed := below(s.pkg(), "internal/seal") || below(s.pkg(), "internal/keyring") ||
			s.pkg() == "cmd/bot" && strings.Contains(path.Base(s.path), "exec")
		if s.test || allowed {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if sel, ok := call.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "Expose" {
					t.Errorf("%s calls Expose: only internal/seal, internal/keyring and cmd/bot's exec may", s.path)
				}
			}
			return true
		})
	}
}

func TestNoInitAndNoMutableGlobals(t *testing.T) {
	all := sources(t)
	globals := map[string]map[string]bool{} // package -> its variables
	for _, s := range all {
		if globals[s.pkg()] == nil {
			globals[s.pkg()] = map[string]bool{}
		}
		for _, d := range s.file.Decls {
			if gen, ok := d.(*ast.GenDecl); ok && gen.Tok == token.VAR && !s.test {
				declare(globals[s.pkg()], gen)
			}
		}
	}
	for _, s := range all {
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || s.test {
				continue
			}
			if f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s has an init", s.path)
			}
			for _, name := range assigned(f) {
				if globals[s.pkg()][name] {
					t.Errorf("%s: %s assigns to the global %s", s.path, f.Name.Name, name)
				}
			}
		}
	}
}

// declare adds the names that a node declares, itself and within.
func declare(names map[string]bool, n ast.Node) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ValueSpec:
			for _, id := range n.Names {
				names[id.Name] = true
			}
		case *ast.Field:
			for _, id := range n.Names {
				names[id.Name] = true
			}
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				for _, left := range n.Lhs {
					if id, ok := left.(*ast.Ident); ok {
						names[id.Name] = true
					}
				}
			}
		case *ast.RangeStmt:
			for _, e := range []ast.Expr{n.Key, n.Value} {
				if id, ok := e.(*ast.Ident); ok && n.Tok == token.DEFINE {
					names[id.Name] = true
				}
			}
		}
		return true
	})
}

// assigned returns the names that a function assigns to and does not declare.
func assigned(f *ast.FuncDecl) []string {
	own := map[string]bool{}
	declare(own, f)
	var out []string
	add := func(e ast.Expr) {
		if id, ok := e.(*ast.Ident); ok && id.Name != "_" && !own[id.Name] {
			out = append(out, id.Name)
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, left := range n.Lhs {
				add(left)
			}
		case *ast.IncDecStmt:
			add(n.X)
		}
		return true
	})
	return out
}

// The search for assignments must find one.
func TestAssignmentsToGlobalsAreSeen(t *testing.T) {
	src := "package p\nvar g, h int\nfunc f() { h := 1; h++; g = 2; for i := range 3 { g += i } }\n"
	file, err := parser.ParseFile(token.NewFileSet(), "p.go", src, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := assigned(file.Decls[1].(*ast.FuncDecl)); !slices.Equal(got, []string{"g", "g"}) {
		t.Errorf("found %q", got)
	}
}
