package rule

import (
	"fmt"

	"github.com/sealward/sealward/internal/review"
)

var kilterNoSecrets = &review.Rule{
	ID: "kilter-no-secrets", Since: "1.0", Family: review.Kilter, Severity: review.Error, Scope: review.PerTree, Profiles: []string{review.KilterApps},
	Doc: `An environment of kilter.yaml has no secrets:, and others have.

## Why it matters
Nothing is delivered to that environment, and its deploy stops with missing secrets.

## Example
    environments:
      dev: {secrets: {storefront-env: secrets/dev.env}}
      prod: {namespace: storefront}

## What to do
Add secrets: to the environment, with an env file for each name of appSecrets.
`,
	Check: func(p *review.Pass) error {
		for _, k := range kilterFiles(p.Tree) {
			with := 0
			for _, e := range k.environments {
				if e.hasSecrets {
					with++
				}
			}
			for _, e := range k.environments {
				if !e.hasSecrets && with > 0 {
					p.Report(review.Finding{Span: e.span, Key: e.name, Message: fmt.Sprintf("%s has no secrets:, while %s have", e.name, count(with, "other environment")),
						Hint: fmt.Sprintf("Add environments.%s.secrets with an env file for each name of appSecrets.", e.name)})
				}
			}
		}
		return nil
	},
}
