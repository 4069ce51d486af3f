package sealward_test

import (
	"go/build"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// heavy is what tests pay for with minutes of building: only where the row, or a
// row that imports it, needs it anyway.
var heavy = [...]string{"github.com/getsops/sops/v3", "k8s.io", "modernc.org/sqlite", "github.com/jackc/pgx/v5", "github.com/riverqueue"}

func TestTestsStayLight(t *testing.T) {
	allowed := []string{"internal/seal", "internal/bot", "cmd/bot", "internal/keyring"}
	for _, s := range sources(t) {
		if !s.test && !helper(s.pkg()) {
			continue
		}
		for _, imp := range s.imports {
			for _, h := range heavy {
				if below(imp, h) && !slices.ContainsFunc(allowed, func(p string) bool { return below(s.pkg(), p) }) {
					t.Errorf("%s imports %s: a test that needs it stands in one of %v", s.path, imp, allowed)
				}
			}
		}
	}
}

// forbidden is what the Action must never link, however many packages in between.
var forbidden = [...]string{"github.com/getsops/sops", "k8s.io", "modernc.org", "github.com/jackc", "github.com/riverqueue", "github.com/getkin/kin-openapi",
	"database/sql", module + "/internal/seal", module + "/internal/bot"}

func TestActionLinksNothingHeavy(t *testing.T) {
	links := linked(t, module+"/cmd/action")
	for p, by := range links {
		for _, f := range forbidden {
			if below(p, f) {
				t.Errorf("cmd/action links %s, through %s", p, by)
			}
		}
	}
	for _, must := range []string{module + "/internal/review", "github.com/spf13/cobra", "github.com/spf13/pflag"} {
		if _, ok := links[must]; !ok {
			t.Errorf("the walk of imports did not reach %s: it is broken", must)
		}
	}
}

// linked walks the imports of a package, those of dependencies included, and
// returns for each package one that imports it.
func linked(t *testing.T, from string) map[string]string {
	t.Helper()
	versions := requirements(t)
	by := map[string]string{from: ""}
	for todo := []string{from}; len(todo) > 0; todo = todo[1:] {
		dir, ok := sourceDir(t, versions, todo[0])
		if !ok {
			continue // the standard library
		}
		ctx := build.Default
		ctx.CgoEnabled = false
		p, err := ctx.ImportDir(dir, 0)
		if err != nil {
			t.Fatalf("%s: %v", todo[0], err)
		}
		for _, imp := range p.Imports {
			if _, seen := by[imp]; !seen {
				by[imp] = todo[0]
				todo = append(todo, imp)
			}
		}
	}
	return by
}

// requirements reads go.mod: module path to version.
func requirements(t *testing.T) map[string]string {
	t.Helper()
	data, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require "))
		if len(f) >= 2 && strings.HasPrefix(f[1], "v") {
			out[f[0]] = f[1]
		}
	}
	return out
}

// sourceDir finds a package's directory: ours, or in the module cache. It is false
// for the standard library.
func sourceDir(t *testing.T, versions map[string]string, imp string) (string, bool) {
	t.Helper()
	if below(imp, module) {
		return filepath.FromSlash("." + strings.TrimPrefix(imp, module)), true
	}
	if !strings.Contains(strings.Split(imp, "/")[0], ".") {
		return "", false
	}
	for _, mod := range slices.SortedFunc(maps.Keys(versions), func(a, b string) int { return len(b) - len(a) }) {
		if below(imp, mod) {
			return filepath.Join(moduleCache(), filepath.FromSlash(escaped(mod)+"@"+versions[mod]+strings.TrimPrefix(imp, mod))), true
		}
	}
	t.Fatalf("go.mod has no module for %s", imp)
	return "", false
}

func moduleCache() string {
	if dir := os.Getenv("GOMODCACHE"); dir != "" {
		return dir
	}
	return filepath.Join(filepath.SplitList(build.Default.GOPATH)[0], "pkg", "mod")
}

// escaped writes a module path as the cache does: capitals become !lower.
func escaped(mod string) string {
	var b strings.Builder
	for _, r := range mod {
		if unicode.IsUpper(r) {
			b.WriteByte('!')
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return b.String()
}
