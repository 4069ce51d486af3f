package rule

import (
	"fmt"
	"slices"

	"github.com/sealward/sealward/internal/config"
	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/syntax"
)

var silencedReview = &review.Rule{
	ID: "silenced-review", Since: "1.0", Family: review.Leaks, Severity: review.Warning, Scope: review.PerChange,
	Doc: `The change weakens this review: a rule is switched off or lowered, an ignore or an allow comment is added.

The configuration of the base still judges the change; what it adds counts only after the merge.

## Why it matters
Who may switch the alarm off decides what gets in: a second pair of eyes should see it.

## Example
     review:
    -  fail-on: error
    +  fail-on: never

## What to do
Nothing, if it is meant: the reviewer of the change approves it with the rest.
`,
	Check: func(p *review.Pass) error {
		for _, c := range p.Change.Files {
			if c.Path == config.Name || c.Old == config.Name {
				weakened(p)
			}
			if c.Kind != repo.Deleted {
				allowComments(p, c)
			}
		}
		return nil
	},
}

// weakened compares the two configurations, setting by setting.
func weakened(p *review.Pass) {
	before, after := configOf(p.Base), configOf(p.Tree)
	at := func(keys ...string) syntax.Span {
		f := p.Tree.File(config.Name)
		if f == nil {
			return fileStart(config.Name)
		}
		for _, d := range f.Syntax().Docs {
			if ls := d.Under(keys...); len(ls) > 0 {
				return ls[0].Span
			}
			if l, ok := d.Get(keys...); ok {
				return l.Span
			}
		}
		return fileStart(config.Name)
	}
	say := func(span syntax.Span, key, message string) {
		p.Report(review.Finding{Span: span, Key: key, Message: message, Hint: "If it is meant, approve it with the rest of the change."})
	}
	if lower(before.Review.FailOn, after.Review.FailOn, review.Error) {
		say(at("review", "fail-on"), "review.fail-on", fmt.Sprintf("fail-on becomes %s: the review fails on less", after.Review.FailOn))
	}
	for id, set := range after.Review.Rules {
		if ruleLowered(p.Catalogue, id, before.Review.Rules[id], set) {
			say(at("review", "rules", id), "review.rules."+id, fmt.Sprintf("rule %s becomes %s", id, set))
		}
	}
	for i, ig := range after.Ignore {
		if !slices.ContainsFunc(before.Ignore, func(b config.Ignore) bool {
			return b.Rule == ig.Rule && b.Path == ig.Path && b.Key == ig.Key && b.Until.Equal(ig.Until.Time)
		}) {
			say(ig.Span, fmt.Sprintf("ignore[%d]", i), fmt.Sprintf("an ignore is added: rule %q, path %q", ig.Rule, ig.Path))
		}
	}
	for _, g := range after.Review.PathsIgnore {
		if !slices.Contains(before.Review.PathsIgnore, g) {
			say(at("review", "paths-ignore"), "review.paths-ignore", fmt.Sprintf("paths-ignore gets %q: nothing there is reviewed", g))
		}
	}
}

func configOf(t *review.Tree) *config.Config {
	if t != nil {
		if f := t.File(config.Name); f != nil {
			if c, err := config.Parse(config.Name, f.Data()); err == nil {
				return c
			}
		}
	}
	return &config.Config{}
}

// lower reports whether fewer findings fail the review than before; fail-on counts
// the other way round than severities do: "never" is the weakest, "notice" the strictest.
func lower(before, after string, standard review.Severity) bool {
	rank := func(name string) review.Severity {
		if name == "" {
			return standard
		}
		s, err := review.ParseSeverity(name)
		if err != nil {
			return standard
		}
		if s == 0 {
			return review.Error + 1
		}
		return s
	}
	return rank(after) > rank(before)
}

func ruleLowered(catalogue []*review.Rule, id, before, after string) bool {
	standard := review.Severity(0)
	for _, r := range catalogue {
		if r.ID == id {
			standard = r.Severity
		}
	}
	level := func(name string) review.Severity {
		if name == "" {
			return standard
		}
		s, err := review.ParseSeverity(name)
		if err != nil {
			return standard
		}
		return s
	}
	return level(after) < level(before)
}

// allowComments reports the allow comments that the change's own lines bring.
func allowComments(p *review.Pass, c repo.FileChange) {
	f := p.Tree.File(c.Path)
	if f == nil {
		return
	}
	for line, text := range linesWith(f.Data(), "sealward:allow ") {
		a, ok := review.AllowComment(text)
		if !ok || !slices.ContainsFunc(c.Added, func(l repo.Lines) bool { return l.First <= line && line <= l.Last }) {
			continue
		}
		at := f.Syntax().At(lineOffset(f.Data(), line))
		p.Report(review.Finding{Span: syntax.Span{File: c.Path, Start: at, End: at}, Key: "allow " + a.Rule,
			Message: fmt.Sprintf("a comment allows %s here", a.Rule), Hint: "If it is meant, approve it with the rest of the change."})
	}
}
