package config

import (
	"strings"
	"testing"
	"time"
)

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		glob, path string
		want       bool
	}{
		{"a.yaml", "a.yaml", true},
		{"a.yaml", "x/a.yaml", false},
		{"*.yaml", "a.yaml", true},
		{"*.yaml", "x/a.yaml", false},
		{"**/*.yaml", "a.yaml", true},
		{"**/*.yaml", "x/y/a.yaml", true},
		{"**", "x/y", true},
		{"x/**", "x/y/z", true},
		{"x/**", "x", false},
		{"x/", "x/y/z", true},
		{"x/", "xy/z", false},
		{"x/**/z", "x/z", true},
		{"x/**/z", "x/a/b/z", true},
		{"x/**/z", "x/a/b/zz", false},
		{"**/b/**/d", "a/b/c/b/d", true},
		{"**/b/c", "b/b/c", true},
		{"overlays/{dev,prod}/*.env", "overlays/prod/app.env", true},
		{"overlays/{dev,prod}/*.env", "overlays/staging/app.env", false},
		{"{a,b{c,d}}/x", "bd/x", true},
		{"{a,b{c,d}}/x", "b/x", false},
		{"{a,}b", "b", true},
		{"{a/**,b}/x", "a/q/x", true},
		{"a?c", "abc", true},
		{"a?c", "a/c", false},
		{"a?c", "aéc", true},
		{"[a-c]x", "bx", true},
		{"[!a-c]x", "bx", false},
		{"[^a-c]x", "dx", true},
		{"[]]x", "]x", true},
		{"[a-]x", "-x", true},
		{`\*x`, "*x", true},
		{`\*x`, "ax", false},
		{`[\]]x`, "]x", true},
		{"[a", "[a", true},
		{"a*b*c", "aXbYbZc", true},
		{"a*b*c", "aXbYbZ", false},
		{"*", "", false},
		{"**", "", false},
		{"/x/*", "x/y", true},
		{"./x/*", "x/y", true},
		{".env*", ".env.prod", true},
		{"a**b", "axxb", true},
		{"a**b", "ax/xb", false},
		{"*/*", "a", false},
		{"a/*", "a/", false},
	} {
		if got := Match(c.glob, c.path); got != c.want {
			t.Errorf("Match(%q, %q) = %v, want %v", c.glob, c.path, got, c.want)
		}
	}
}

func TestCheckGlob(t *testing.T) {
	for glob, want := range map[string]string{
		"a/**/*.{yaml,yml}": "", "[a-z]": "", `\[`: "", "[]]": "", "[!]]": "", `{a,\{}`: "",
		"":                          "empty",
		"[a":                        `"["`,
		"{a":                        `"{"`,
		"a}":                        `"}"`,
		`a\`:                        "quotes nothing",
		strings.Repeat("{a,b}", 11): "thousand",
	} {
		err := CheckGlob(glob)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("CheckGlob(%q) = %v, want %q", glob, err, want)
		}
	}
}

// A pattern made to make matchers go back and forth ends in time.
func TestMatchIsBounded(t *testing.T) {
	start := time.Now()
	Match(strings.Repeat("*a", 2000)+"b", strings.Repeat("a", 5000))
	Match(strings.Repeat("**/a/", 500)+"b", strings.Repeat("a/", 5000)+"c")
	Match(strings.Repeat("{a,b}", 40), strings.Repeat("a", 40))
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("took %v", d)
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("a/**/[b-d]*.{x,y}", "a/b/cd.x")
	f.Add(`\{[`, "{[")
	f.Fuzz(func(t *testing.T, glob, path string) {
		first := Match(glob, path)
		if again := Match(glob, path); first != again {
			t.Error("undecided")
		}
		if path != "" && !strings.ContainsAny(path, `*?[]{}\,!^`) && path[0] != '/' && !strings.HasPrefix(path, "./") &&
			!strings.HasSuffix(path, "/") && !Match(path, path) {
			t.Errorf("%q does not match itself", path)
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	for b.Loop() {
		Match("overlays/**/secrets/*.env", "overlays/production/eu/secrets/payments.env")
	}
}
