package main

import (
	"os"
	"strings"
	"testing"

	"github.com/sealward/sealward/internal/review/rule"
)

func TestDocumentIsFresh(t *testing.T) {
	have, err := os.ReadFile("../../../../" + target)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != document(rule.All()) {
		t.Errorf("%s is not what the catalogue says; run: go run ./internal/review/rule/generate", target)
	}
}

// Every page keeps to the form that the reports and this document count on.
func TestPagesAreWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range rule.All() {
		if seen[r.ID] {
			t.Errorf("%s is there twice", r.ID)
		}
		seen[r.ID] = true
		for what, missing := range map[string]bool{
			"Since": r.Since == "", "Family": r.Family == "", "Severity": r.Severity == 0, "Check": r.Check == nil, "Summary": r.Summary() == "",
			"## Why it matters": !strings.Contains(r.Doc, "\n## Why it matters\n"),
			"## Example":        !strings.Contains(r.Doc, "\n## Example\n"),
			"## What to do":     !strings.Contains(r.Doc, "\n## What to do\n"),
		} {
			if missing {
				t.Errorf("%s has no %s", r.ID, what)
			}
		}
	}
}

func TestDemotedLeavesCodeAlone(t *testing.T) {
	in := "x\n\n## Why\n\n```sh\n# comment\n```\n"
	if got, want := demoted(in), "x\n\n### Why\n\n```sh\n# comment\n```"; got != want {
		t.Errorf("got %q", got)
	}
}
