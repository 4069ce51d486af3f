package rotate_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/rotate"
	"github.com/sealward/sealward/internal/sops"
)

func bodyPlan(files int) *rotate.Plan {
	c := planCase{names: map[string]string{}}
	p := &rotate.Plan{Request: rotate.Request{Repo: "o/r", Env: "prod", By: "octo`cat", Source: "https://github.com/o/r/pull/1#c"}, Env: "prod",
		Old: []sops.Recipient{c.recipient("old")}, New: []sops.Recipient{c.recipient("new")}, Steps: []string{"Merge."}, Warnings: []string{"a | b"}}
	for i := range files {
		path := fmt.Sprintf("overlays/prod/a|b`c%d.yaml", i)
		p.Files = append(p.Files, rotate.Reseal{Path: path, Docs: 1, Values: 20, Why: "sealed for @octo/team\n## x <b>"})
		for k := range 20 {
			p.Exposed = append(p.Exposed, rotate.Exposed{Path: path, Value: rotate.Value{Object: "ns/shop", Key: fmt.Sprintf("stringData.KEY_%d", k)}, History: k == 3})
		}
	}
	for i := range files / 10 {
		p.Skipped = append(p.Skipped, rotate.Skip{Path: fmt.Sprint("skip", i), Why: strings.Repeat("long ", 50)})
		p.Changes = append(p.Changes, rotate.Change{Path: ".sops.yaml", Line: i + 1, What: "x becomes y"})
	}
	return p
}

// GitHub takes 65,536 characters, and a body that is cut somewhere would lose what a
// person has to do.
func TestBodyStaysWithinBounds(t *testing.T) {
	for _, n := range []int{0, 1, 100, 5000} {
		p := bodyPlan(n)
		not := []rotate.NotRotated{{Path: "kms.yaml", Recipients: p.Old}}
		body := p.Body(not)
		if got := utf8.RuneCountInString(body); got >= 60_000 {
			t.Errorf("%d files: %d characters", n, got)
		}
		if body != p.Body(not) {
			t.Errorf("%d files: two bodies differ", n)
		}
		for _, want := range []string{"1. Merge.", "kms.yaml", p.Old[0].ID, p.New[0].ID, "a \\| b"} {
			if !strings.Contains(body, want) {
				t.Errorf("%d files: no %q", n, want)
			}
		}
		if n > 1000 && (!strings.Contains(body, "more\n") || strings.Count(body, "KEY_") < 100 || !strings.Contains(body, "### Files (5000)")) {
			t.Errorf("%d files: not cut as it should be", n)
		}
	}
}

// Names are anybody's text: they stay in their cell, and call nobody.
func TestBodyIsInert(t *testing.T) {
	body := bodyPlan(2).Body(nil)
	for line := range strings.Lines(body) {
		if strings.HasPrefix(line, "## x") || strings.Contains(line, "<b>") || strings.Contains(line, "@octo/team") {
			t.Errorf("a name got out of its place: %q", line)
		}
		if strings.HasPrefix(line, "| `` overlays") {
			cells := strings.Count(line, "|") - strings.Count(line, `\|`)
			if cells != 5 {
				t.Errorf("%d bars in %q", cells, line)
			}
		}
	}
	if !strings.Contains(body, "| `` overlays/prod/a\\|b`c0.yaml `` | 1 | 20 |") {
		t.Errorf("the file's row is not there:\n%s", body)
	}
}

func TestProposal(t *testing.T) {
	p := bodyPlan(1)
	p.Rules = []repo.Edit{{Path: ".sops.yaml", Data: []byte("r")}}
	a := p.Proposal("base", []repo.Edit{{Path: "z", Data: []byte("z")}}, nil)
	if a.Title != "Rotate the key of prod" || len(a.Edits) != 2 || a.Edits[0].Path != ".sops.yaml" || a.Base != "base" || a.Repo != "o/r" {
		t.Errorf("%+v", a)
	}
	if !strings.HasPrefix(a.Branch, "sealward/rotate-prod-") || a.Branch != p.Proposal("other", nil, nil).Branch {
		t.Errorf("the branch is %s", a.Branch)
	}
	seen := map[string]bool{}
	for _, r := range []rotate.Request{{}, {Env: "prod"}, {Env: "prod", Force: true}, {Env: "prod", To: p.New}, {Env: "prod", Remove: p.New}, {Repo: "prod"}, {Env: "prod", Source: "x"}} {
		if seen[r.Key()] {
			t.Errorf("%+v has the key of another request", r)
		}
		seen[r.Key()] = true
	}
}
