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
		if len(other) < 5 || !oneApart(key, other) && !strings.EqualFold(key, other) {
			continue // first, since every pair of keys comes by here
		}
		if !own.has(other) && !differInDigits(key, other) {
			return other
		}
	}
	return ""
}

// oneApart reports whether one byte that is changed, added or taken out makes a of b.
func oneApart(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 || a == b {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) == len(b) {
		return a[i+1:] == b[i+1:]
	}
	return a[i:] == b[i+1:]
}
