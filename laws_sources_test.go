package sealward_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/sealward/sealward"

// source is one Go file.
type source struct {
	path    string // slash-separated, from the root
	test    bool
	file    *ast.File
	imports []string
}

// pkg is the directory of the file, or "." for the root.
func (s source) pkg() string { return path.Dir(s.path) }

// sources parses every Go file of the module; nested modules are their own.
func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	walk(t, func(name string) {
		if !strings.HasSuffix(name, ".go") || strings.HasPrefix(name, "tools/") || strings.Contains("/"+name, "/testdata/") {
			return
		}
		f, err := parser.ParseFile(token.NewFileSet(), filepath.FromSlash(name), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		s := source{path: name, test: strings.HasSuffix(name, "_test.go"), file: f}
		for _, imp := range f.Imports {
			p, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			s.imports = append(s.imports, p)
		}
		out = append(out, s)
	})
	if len(out) < 20 {
		t.Fatalf("only %d sources found: the walk is broken", len(out))
	}
	return out
}

// walk visits every file of the tree that git would track, roughly: .git and what
// the root's .gitignore names stay out.
func walk(t *testing.T, visit func(name string)) {
	t.Helper()
	built := []string{".git", "action", "bot", "dist", "node_modules"}
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case slices.Contains(built, name) && d.IsDir(), d.IsDir() && d.Name() == "node_modules":
			return fs.SkipDir
		case d.Type().IsRegular() && !slices.Contains(built, name) && path.Ext(name) != ".test" && path.Ext(name) != ".prof":
			visit(name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// row is one row of the table in docs/architecture.md.
type row struct {
	name  string
	all   bool     // may import all of ours
	ours  []string // internal/repo, ...
	alone []string // import paths that rows alone may import, and what is below them
}

// table reads the table of packages, which is the law.
func table(t *testing.T) map[string]row {
	t.Helper()
	doc, err := os.ReadFile("docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]row{}
	for line := range strings.Lines(string(doc)) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 6 || !strings.HasPrefix(strings.TrimSpace(cells[1]), "`") {
			continue
		}
		r := row{name: codes(cells[1])[0], all: strings.TrimSpace(cells[3]) == "all", alone: codes(cells[4])}
		for _, c := range codes(cells[3]) {
			r.ours = append(r.ours, "internal/"+strings.Replace(c, "internal/", "", 1))
		}
		rows[r.name] = r
	}
	if len(rows) < 15 {
		t.Fatalf("only %d rows read from docs/architecture.md", len(rows))
	}
	return rows
}

// codes returns what a cell has between backticks.
func codes(cell string) []string {
	var out []string
	for i, part := range strings.Split(cell, "`") {
		if i%2 == 1 {
			out = append(out, part)
		}
	}
	return out
}

// rowOf is the nearest row at or above a package.
func rowOf(rows map[string]row, pkg string) (row, bool) {
	for p := pkg; p != "." && p != "/"; p = path.Dir(p) {
		if r, ok := rows[p]; ok {
			return r, true
		}
	}
	return row{}, false
}

func below(p, prefix string) bool { return p == prefix || strings.HasPrefix(p, prefix+"/") }

// helper reports whether a package is a helper of tests.
func helper(pkg string) bool { return strings.HasSuffix(path.Base(pkg), "test") }

// uses reports whether a file mentions pkg.name.
func uses(f *ast.File, pkg, name string) bool {
	found := false
	ast.Inspect(f, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == name {
			if id, ok := sel.X.(*ast.Ident); ok && id.Name == pkg {
				found = true
			}
		}
		return !found
	})
	return found
}
