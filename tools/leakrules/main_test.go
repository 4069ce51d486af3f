package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// The files that internal/leak embeds are what this program writes.
func TestPatternsAreFresh(t *testing.T) {
	made := t.TempDir()
	if err := generate(made, io.Discard); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"gitleaks.json", "LICENSE.gitleaks"} {
		got, err := os.ReadFile(filepath.Join("../../internal/leak/patterns", name))
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Join(made, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the rules give; run: go run . in tools/leakrules", name)
		}
	}
}

func TestSplitAssignment(t *testing.T) {
	names, value, ok := splitAssignment(`(?i)[\w.-]{0,50}?(?:acme)(?:[ \t\w.-]{0,20})[\s'"]{0,3}(?:=|>|:{1,3}=|\|\||:|=>|\?=|,)[\x60'"\s=]{0,5}([a-z0-9]{32})(?:[\x60'"\s;]|\\[nr]|$)`)
	if !ok || names != `(?i)acme` || value != `(?i)[a-z0-9]{32}` {
		t.Errorf("got %q, %q, %t", names, value, ok)
	}
	if _, _, ok := splitAssignment(`\b(acme_[a-z0-9]{32})\b`); ok {
		t.Error("a token is taken for an assignment")
	}
}

func TestReach(t *testing.T) {
	cases := []struct {
		expr         string
		keywords     []string
		back, length int
	}{
		{`(gh[pu]_[a-z]{4})(?:\s|$)`, []string{"ghp_", "ghu_"}, 0, 9},
		{`[a-z]{3}\.acme\.[0-9]{5}`, []string{"acme"}, 14, 14},
		{`acme_[a-z]+`, []string{"acme_"}, 0, unbounded},
	}
	for _, c := range cases {
		if back, length := reach(c.expr, c.keywords); back != c.back || length != c.length {
			t.Errorf("reach(%q) = %d, %d, want %d, %d", c.expr, back, length, c.back, c.length)
		}
	}
}
