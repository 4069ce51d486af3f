package sops

import (
	"regexp"
	"testing"
)

func TestSubsumes(t *testing.T) {
	for _, c := range []struct {
		first, second string
		want          bool
	}{
		{"", `a`, true},
		{`.*`, `a\.yaml$`, true},
		{`^.*$`, `a`, true},
		{`.+`, `a`, true},
		{`a`, `a`, true},
		{`.*\.yaml`, `secrets/.*\.yaml$`, true},
		{`\.yaml$`, `secrets/.*\.yaml$`, true},
		{`.*.yaml`, `x\.yaml`, true},
		{`secrets/`, `^clusters/prod/secrets/.*\.yaml$`, true},
		{`^clusters/`, `^clusters/prod/.*`, true},
		{`prod`, `overlays/production/`, true},
		{`\.(yaml|yml)$`, `a/b\.yml$`, true},

		{`\.yaml$`, `secrets/.*\.yaml`, false}, // the second also takes x.yaml.bak
		{`\.yaml$`, `\.yml$`, false},
		{`^secrets/`, `secrets/.*`, false},
		{`prod`, `(prod|dev)/`, false},
		{`Prod`, `(?i)prod`, false},
		{`(?i)prod`, `prod`, true},
		{`overlays/prod/`, `overlays/.*`, false},
		{`\bprod\b`, `prod`, false},
		{`^$`, `a`, false},
		{`a$|^b`, `a$`, false},
		{`[a-z]+\.yaml`, `.*\.yaml`, false},
		{`a?`, `b`, true},
		{`^.*a?$`, `b$`, false}, // true, and not surely seen: silence
		{`(`, `a`, false},
	} {
		a, b := CreationRule{PathRegex: c.first}, CreationRule{PathRegex: c.second}
		a.re, _ = regexp.Compile(c.first)
		a.Broken = a.re == nil
		b.re, _ = regexp.Compile(c.second)
		if c.first == "" {
			a.re = nil
		}
		got := subsumes(a, shapeOf(c.first), b, shapeOf(c.second)) != ""
		if got != c.want {
			t.Errorf("%q before %q: %v, want %v", c.first, c.second, got, c.want)
		}
	}
}

// Where a rule is said to be shadowed, every path that it matches must be matched by
// the rule before.
func FuzzSubsumes(f *testing.F) {
	f.Add(`.*\.yaml`, `a.*\.yaml$`, "a/b.yaml")
	f.Add(`^a`, `^a/.*b`, "a/xb")
	f.Add(`(a|b)$`, `^.?b$`, "b")
	f.Fuzz(func(t *testing.T, first, second, path string) {
		a, errA := regexp.Compile(first)
		b, errB := regexp.Compile(second)
		if errA != nil || errB != nil || first == "" || second == "" || path == "" || regexp.MustCompile(`[\r\n]`).MatchString(path) {
			return
		}
		said := subsumes(CreationRule{PathRegex: first, re: a}, shapeOf(first), CreationRule{PathRegex: second, re: b}, shapeOf(second))
		if said != "" && b.MatchString(path) && !a.MatchString(path) {
			t.Errorf("%q before %q is said to hide it (%s), but not for %q", first, second, said, path)
		}
	})
}
