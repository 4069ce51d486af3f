package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sealward/sealward/internal/cli"
	"github.com/sealward/sealward/internal/config"
	"github.com/sealward/sealward/internal/env"
	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/review/report"
	"github.com/sealward/sealward/internal/sops"
)

// explainPath says what a path is taken for, and why: environment and unit, its
// siblings, the rule of .sops.yaml, who can open it.
func (a *app) explainPath(src *source, cfg *config.Config, path string) error {
	snap := src.change.Head
	tree, err := review.OpenTree(snap, cfg)
	if err != nil {
		return err
	}
	path = src.pathIn(func(p string) bool { return tree.File(p) != nil }, path)
	file := tree.File(path)
	if file == nil {
		return cli.Usagef("--explain %s: there is no such file in %s%s; paths are relative to its top", path, nameOf(snap), cli.DidYouMean(path, tree.Paths()))
	}
	e := explanation{a: a}
	e.environment(tree.Env(), path)
	e.creationRule(tree.SopsRules(), path)
	e.sealed(file.Sops())
	for _, s := range tree.Incomplete() {
		e.row("incomplete", s)
		a.code = exitFailed
	}
	return nil
}

func nameOf(snap repo.Snapshot) string {
	if snap.Name != "" {
		return snap.Name
	}
	return "the tree"
}

type explanation struct{ a *app }

func (e explanation) row(label, format string, args ...any) {
	if len(args) > 0 {
		format = fmt.Sprintf(format, args...)
	}
	fmt.Fprintf(e.a.stdout, "%-12s %s\n", label, report.Clean(format))
}

func (e explanation) environment(m *env.Map, path string) {
	place, ok := m.Of(path)
	if ok {
		e.row("environment", place.Env)
		e.row("unit", place.Unit)
		siblings := m.Siblings(place.Unit)
		for _, name := range m.Environments() {
			if p := siblings[name]; p != "" && p != path {
				e.row("sibling", "%s: %s", name, p)
			}
		}
	} else {
		e.row("environment", "none")
	}
	e.row("because", m.Why(path))
}

func (e explanation) creationRule(all map[string]*sops.Rules, path string) {
	rules := sops.Nearest(all, path)
	if rules == nil {
		e.row("sops rule", "none: there is no .sops.yaml in this directory or above it")
		return
	}
	rule := rules.Match(path)
	if rule == nil {
		e.row("sops rule", "none: no path_regex of %s matches", rules.Name)
		return
	}
	regex := "which has no path_regex and so matches every path"
	if rule.PathRegex != "" {
		regex = "whose path_regex is " + rule.PathRegex
	}
	e.row("sops rule", "%s:%d, the first that matches, %s", rules.Name, rule.Span.Start.Line, regex)
	for _, r := range rule.Recipients {
		e.row("demands", strings.TrimSpace(r.Recipient.String()+" "+r.Name))
	}
	if rule.Selector.Kind != sops.NoSelector {
		e.row("selector", "%s: %s", rule.Selector.Kind, rule.Selector.Value)
	}
}

func (e explanation) sealed(f *sops.File) {
	if f == nil || len(f.Sealed) == 0 {
		e.row("sealed", "no")
		return
	}
	values := 0
	var recipients []string
	for _, d := range f.Sealed {
		values += len(d.Sealed)
		for _, k := range d.Keys {
			if s := k.Recipient.String(); !slices.Contains(recipients, s) {
				recipients = append(recipients, s)
			}
		}
	}
	e.row("sealed", "yes, %s", plural(values, "value"))
	for _, r := range recipients {
		e.row("opened by", r)
	}
}
