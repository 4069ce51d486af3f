package rule

import (
	"fmt"

	"github.com/sealward/sealward/internal/review"
)

var kilterUnmapped = &review.Rule{
	ID: "kilter-unmapped", Since: "1.0", Family: review.Kilter, Severity: review.Error, Scope: review.PerTree, Profiles: []string{review.KilterApps},
	Doc: `A name in appSecrets of kilter.yaml has no entry under an environment's secrets.

## Why it matters
The deploy to that environment stops with 400: missing secrets in NAMESPACE: NAME.

## Example
    appSecrets: [storefront-env, payment-env]
    environments:
      prod: {secrets: {storefront-env: secrets/prod.env}}

## What to do
Map the name to an env file in every environment, or take it out of appSecrets.
`,
	Check: func(p *review.Pass) error {
		for _, k := range kilterFiles(p.Tree) {
			for _, e := range k.environments {
				if len(e.mapped) == 0 {
					continue // kilter-no-secrets, or one file that has them all
				}
				for _, name := range k.appSecrets {
					if !e.maps(name.Value) {
						p.Report(review.Finding{Span: name.Span, Key: e.name + "/" + name.Value,
							Message: fmt.Sprintf("%s is not mapped for %s: the deploy stops with \"missing secrets in %s: %s\"", name.Value, e.name, e.namespaceOf(), name.Value),
							Hint:    fmt.Sprintf("Add environments.%s.secrets.%s with its env file, or take the name out of appSecrets.", e.name, name.Value),
							Related: []review.Related{{Span: e.mapped[0].leaf.Span, Message: "the environment's secrets"}}})
					}
				}
			}
		}
		return nil
	},
}
