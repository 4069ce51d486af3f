package rule

import (
	"fmt"
	"strings"

	"github.com/sealward/sealward/internal/env"
	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/review"
)

var nearTypo = &review.Rule{
	ID: "near-typo", Since: "1.0", Family: review.Drift, Severity: review.Warning, Scope: review.PerChange,
	Doc: `The change adds a key to one environment that differs by case or by one letter from a key that it lacks and its siblings have.

Digits are meant: KEY_1 and KEY_2 are two keys.

## Why it matters
The application asks for the one and finds the other nowhere.

## Example
    overlays/dev/app.env     DATABASE_URL=...
    overlays/prod/app.env    + DATABSE_URL=...

## What to do
Correct the name.
`,
	Check: func(p *review.Pass) error {
		for _, c := range p.Change.Files {
			f := p.Tree.File(c.Path)
			if c.Kind == repo.Deleted || f == nil {
				continue
			}
			place, ok := p.Tree.Env().Of(f.Path)
			if !ok {
				continue
			}
			before := &keySet{}
			if b := p.Base.File(c.Old); b != nil {
				before = keysOf(b)
			}
			typos(p, place, before, keysOf(f))
		}
		return nil
	},
}

func typos(p *review.Pass, place env.Place, before, now *keySet) {
	others := siblingKeys(p.Tree, place, now)
	for _, key := range now.order {
		if before.has(key) {
			continue
		}
		for e, set := range others {
			if set.has(key) {
				continue
			}
			if n := typoOf(key, set, now); n != "" {
				l := now.at[key]
				p.Report(review.Finding{Span: orSpan(l.Key, l.Span), Key: key, Class: place.Unit + key, Message: fmt.Sprintf("%s is added, and %s has %s, which is missing here", key, e, n),
					Hint: fmt.Sprintf("Is %s meant?", n), Fixes: renameFix(now.file, l, n), Related: []review.Related{{Span: set.at[n].Key, Message: e}}})
				break
			}
		}
	}
}

// typoOf returns the key of the sibling that the file lacks and that key is nearly.
func typoOf(key string, sibling, own *keySet) string {
	for _, other := range sibling.order {
		if own.has(other) || len(other) < 5 || differInDigits(key, other) {
			continue
		}
		if strings.EqualFold(key, other) || editDistance(key, other, 2) == 1 {
			return other
		}
	}
	return ""
}
