package rule

import (
	"fmt"
	"strings"

	"github.com/sealward/sealward/internal/env"
	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/syntax"
)

var emptyValue = &review.Rule{
	ID: "empty-value", Since: "1.0", Family: review.Drift, Severity: review.Warning, Scope: review.PerFile, When: review.OnlyChange,
	Doc: `A key of production is empty, or holds a placeholder such as CHANGEME.

Looked at are env files and Secrets of production alone, in a change. An empty value in clear in a sealed file shows too: SOPS
leaves it as it is.

## Why it matters
The key is there, so no check misses it, and the application starts with nothing in it.

## Example
    # overlays/prod/app.env
    PAYMENT_TOKEN=CHANGEME

## What to do
Set the value, or take the key out until there is one.
`,
	Check: func(p *review.Pass) error {
		place, ok := p.Tree.Env().Of(p.File.Path)
		if !ok || !env.Production(place.Env) || isExample(p.File.Path) || strings.HasSuffix(p.File.Path, ".keys") {
			return nil
		}
		set := keysOf(p.File)
		siblings := siblingKeys(p.Tree, place, set)
		for _, key := range set.order {
			l := set.at[key]
			if l.Kind == syntax.Null || l.Key.IsZero() || !placeholderOrEmpty(l.Value) {
				continue
			}
			if l.Value == "" && emptyElsewhere(siblings, key) {
				continue // empty on purpose: it is so in another environment
			}
			what := "is empty"
			if l.Value != "" {
				what = "holds a placeholder"
			}
			name := key[strings.LastIndexByte(key, '/')+1:]
			p.Report(review.Finding{Span: l.Key, Key: key, Message: fmt.Sprintf("%s %s in %s", name, what, place.Env), Hint: "Set the value, or take the key out until there is one."})
		}
		return nil
	},
}

func placeholderOrEmpty(v string) bool {
	switch strings.ToLower(strings.Trim(v, "<>[]{}_-*. ")) {
	case "", "changeme", "change-me", "change_me", "todo", "tbd", "fixme", "placeholder", "replaceme", "replace-me", "replace_me", "xxx", "xxxx", "your-value", "dummy":
		return true
	}
	return false
}

func emptyElsewhere(siblings map[string]*keySet, key string) bool {
	for _, s := range siblings {
		if s.has(key) && s.at[key].Value == "" {
			return true
		}
	}
	return len(siblings) == 0
}
