package leak

import (
	"slices"
	"testing"
)

func TestPatternsCompile(t *testing.T) {
	for _, p := range patterns() {
		p.ready()
		if p.Check != "" && checkNamed(p.Check) == nil {
			t.Errorf("%s: no check is called %q", p.ID, p.Check)
		}
		if p.What == "" || len(p.Keywords) == 0 {
			t.Errorf("%s: needs a name for people and a keyword", p.ID)
		}
		for _, w := range p.Keywords {
			if len(w) < 3 {
				t.Errorf("%s: keyword %q is too short for the matcher", p.ID, w)
			}
		}
		if !p.isVendor() && p.Length == 0 {
			t.Errorf("%s: a token needs a longest length", p.ID)
		}
	}
}

func TestPatternsAreListedOnce(t *testing.T) {
	ids := Patterns()
	if !slices.IsSorted(ids) || len(slices.Compact(slices.Clone(ids))) != len(ids) || len(ids) < 200 {
		t.Errorf("%d ids, want at least 200, sorted and each once", len(ids))
	}
}
