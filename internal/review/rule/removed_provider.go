package rule

import (
	"fmt"

	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/wiring"
)

var removedProvider = &review.Rule{
	ID: "removed-provider", Since: "1.0", Family: review.References, Severity: review.Error, Scope: review.PerChange,
	Doc: `The change takes away what makes a Secret, and something still reads it.

## Why it matters
Running pods go on until they restart; then they do not start: secret not found.

## Example
    -kind: ExternalSecret
    -metadata: {name: db}
     ...
     secretKeyRef: {name: db, key: password}

## What to do
Take the references out too, or keep the provider.
`,
	Check: func(p *review.Pass) error {
		before, after := p.Base.Wiring(), p.Tree.Wiring()
		for _, path := range after.Files() {
			for _, u := range after.Facts(path).Uses {
				if u.Optional || !before.Provided(u.Secret) || after.Provided(u.Secret) || templated(u.Secret) {
					continue
				}
				p.Report(review.Finding{Span: u.Span, Key: u.Secret, Class: u.Secret,
					Message: fmt.Sprintf("%s reads Secret %s, whose provider the change takes away", u.Object, u.Secret),
					Hint:    "Take the reference out too, or keep the provider.", Related: removedPlace(before, u)})
			}
		}
		return nil
	},
}

func removedPlace(before *wiring.Graph, u wiring.Use) []review.Related {
	var out []review.Related
	for _, pr := range before.Providers(u.Secret) {
		out = append(out, review.Related{Span: pr.Span, Message: "it was made here, before the change"})
	}
	return out
}
