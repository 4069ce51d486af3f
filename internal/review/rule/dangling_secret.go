package rule

import (
	"fmt"
	"strings"

	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/wiring"
)

var danglingSecret = &review.Rule{
	ID: "dangling-secret", Since: "1.0", Family: review.References, Severity: review.Error, Scope: review.PerTree, When: review.OnlyChange,
	Doc: `A reference names a Secret that nothing in the tree makes, while one of nearly that name is made.

Operators and charts make Secrets that no file shows, so a name alone that is not found is no finding: there must be a near
one. Where the change took the provider away, removed-provider says so.

## Why it matters
The pod does not start: secret not found.

## Example
    # Secret storefront-db is there
    secretKeyRef: {name: storefont-db, key: password}

## What to do
Correct the name.
`,
	Check: func(p *review.Pass) error {
		graph := p.Tree.Wiring()
		for _, path := range graph.Files() {
			for _, u := range graph.Facts(path).Uses {
				if u.Optional || graph.Provided(u.Secret) || templated(u.Secret) || len(u.Secret) < 5 {
					continue
				}
				if n := nearProvided(u.Secret, graph); n != "" {
					p.Report(review.Finding{Span: u.Span, Key: u.Secret, Message: fmt.Sprintf("%s refers to Secret %s, which nothing makes", u.Object, u.Secret),
						Hint: fmt.Sprintf("Is %s meant?", n)})
				}
			}
		}
		return nil
	},
}

// nearProvided finds the one name that differs by a single edit, and not in a digit:
// app-1 and app-2 are two Secrets.
func nearProvided(name string, g *wiring.Graph) string {
	for _, other := range g.Secrets() {
		if editDistance(name, other, 2) == 1 && !differInDigits(name, other) && !strings.HasPrefix(other, name) && !strings.HasPrefix(name, other) {
			return other
		}
	}
	return ""
}

// differInDigits reports whether two names are equal when digits are left out.
func differInDigits(a, b string) bool {
	letters := func(s string) string {
		return strings.Map(func(r rune) rune {
			if '0' <= r && r <= '9' {
				return -1
			}
			return r
		}, s)
	}
	return letters(a) == letters(b)
}

// templated reports whether a name is filled in later, by Flux, Helm or kustomize.
func templated(s string) bool {
	return strings.Contains(s, "${") || strings.Contains(s, "{{") || strings.Contains(s, "$(")
}
