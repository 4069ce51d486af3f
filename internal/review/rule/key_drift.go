package rule

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sealward/sealward/internal/config"
	"github.com/sealward/sealward/internal/env"
	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/syntax"
)

var keyDrift = &review.Rule{
	ID: "key-drift", Since: "1.0", Family: review.Drift, Severity: review.Warning, Scope: review.PerChange,
	Doc: `The change adds a key to one environment and not to its siblings.

Compared are the files that stand at the same place for different environments: env files, files sealed by SOPS,
Secrets, ExternalSecrets, SealedSecrets, secretGenerators and Kilter's inventories. SOPS leaves names readable, so no key
is needed. It is an error where production lacks the key, a notice where only development does.

## Why it matters
The application that needs the variable falls back without a word, or the deploy stops with "missing secrets in NAMESPACE: NAME".

## Example
    overlays/dev/secrets.env     + PAYMENT_TOKEN
    overlays/prod/secrets.env    without it

## What to do
Add the key to the environments that are named, or say that it is meant for some alone: with a comment above the key,
"# sealward: only dev, staging", or in .sealward.yaml:

    drift: {only: {"PAYMENT_TOKEN": "dev, staging"}}
`,
	Check: func(p *review.Pass) error {
		said := map[string]bool{}
		for _, c := range p.Change.Files {
			if c.Kind == repo.Deleted {
				continue
			}
			if f := p.Tree.File(c.Path); f != nil {
				driftOf(p, c, f, said)
			}
		}
		return nil
	},
}

// driftOf reports the keys that a file's change adds; said keeps what was reported of
// a unit, so that a key added to two environments is one finding.
func driftOf(p *review.Pass, c repo.FileChange, f *review.File, said map[string]bool) {
	place, ok := p.Tree.Env().Of(f.Path)
	if !ok {
		return
	}
	now := keysOf(f)
	if len(now.order) == 0 {
		return
	}
	before := &keySet{}
	if b := p.Base.File(c.Old); b != nil {
		before = keysOf(b)
	}
	others := siblingKeys(p.Tree, place, now)
	for _, key := range now.order {
		if before.has(key) {
			continue
		}
		lacking := lackingKey(others, key)
		l := now.at[key]
		lacking = slices.DeleteFunc(lacking, func(e string) bool { return !meant(p.Config, place.Unit, key, l.Comment, e) })
		if len(lacking) > 0 && !said[place.Unit+"\x00"+key] {
			said[place.Unit+"\x00"+key] = true
			have := havingKey(place.Env, others, key)
			finding := driftFinding(have, key, l, lacking, others)
			finding.Fixes = driftFixes(now, key, have, lacking, others, finding.Severity)
			p.Report(finding)
		}
	}
}

// siblingKeys are the keys of the same unit in the other environments, as far as
// there are any to compare: a file that shares no key is of another kind.
func siblingKeys(t *review.Tree, place env.Place, own *keySet) map[string]*keySet {
	out := map[string]*keySet{}
	for e, path := range t.Env().Siblings(place.Unit) {
		f := t.File(path)
		if e == place.Env || f == nil {
			continue
		}
		if set := keysOf(f); slices.ContainsFunc(set.order, own.has) {
			out[e] = set
		}
	}
	return out
}

func lackingKey(others map[string]*keySet, key string) []string {
	var out []string
	for e, set := range others {
		if !set.has(key) {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b string) int {
		return compareFirst(env.Rank(b)-env.Rank(a), strings.Compare(a, b))
	})
	return out
}

func compareFirst(a, b int) int {
	if a != 0 {
		return a
	}
	return b
}

// meant reports whether a key is meant for environment e too: neither a comment at
// the key nor the configuration names others alone.
func meant(cfg *config.Config, unit, key, comment, e string) bool {
	name := key[strings.LastIndexByte(key, '/')+1:]
	if only, ok := onlyComment(comment); ok && !slices.Contains(only, e) {
		return false
	}
	for glob, list := range cfg.Drift.Only {
		if (config.Match(glob, name) || config.Match(glob, unit+"/"+name)) && !slices.Contains(fields(list), e) {
			return false
		}
	}
	return true
}

// onlyComment reads "sealward: only prod, staging" out of a comment.
func onlyComment(comment string) ([]string, bool) {
	for line := range strings.Lines(comment) {
		if _, list, ok := strings.Cut(line, "sealward: only "); ok {
			return fields(list), true
		}
	}
	return nil, false
}

func fields(list string) []string {
	out := strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' || r == '\r' })
	for _, name := range slices.Clone(out) {
		out = append(out, env.Canonical(name))
	}
	return out
}

// havingKey are the environments with a key, e among them.
func havingKey(e string, others map[string]*keySet, key string) []string {
	have := []string{e}
	for e, set := range others {
		if set.has(key) {
			have = append(have, e)
		}
	}
	slices.SortFunc(have, func(a, b string) int { return compareFirst(env.Rank(a)-env.Rank(b), strings.Compare(a, b)) })
	return have
}

func driftFinding(have []string, key string, l syntax.Leaf, lacking []string, others map[string]*keySet) review.Finding {
	span := l.Key
	if span.IsZero() {
		span = l.Span
	}
	name := key[strings.LastIndexByte(key, '/')+1:]
	finding := review.Finding{Span: span, Key: key, Severity: driftSeverity(lacking),
		Message: fmt.Sprintf("%s is added to %s, but %s %s it", name, list(have), list(lacking), lacks(lacking)),
		Hint:    fmt.Sprintf("Add %s to %s, or put the comment \"sealward: only %s\" above it.", name, files(lacking, others), strings.Join(have, ", "))}
	for _, e := range lacking {
		finding.Related = append(finding.Related, review.Related{Span: fileStart(others[e].file.Path), Message: e + " lacks it"})
	}
	return finding
}

func lacks(envs []string) string {
	if len(envs) == 1 {
		return "lacks"
	}
	return "lack"
}

func driftSeverity(lacking []string) review.Severity {
	severity := review.Notice
	for _, e := range lacking {
		switch {
		case env.Production(e):
			return review.Error
		case !env.Local(e):
			severity = review.Warning
		}
	}
	return severity
}

// list is "a", "a and b", "a, b and c".
func list(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

func files(envs []string, others map[string]*keySet) string {
	var paths []string
	for _, e := range envs {
		paths = append(paths, others[e].file.Path)
	}
	return list(paths)
}
