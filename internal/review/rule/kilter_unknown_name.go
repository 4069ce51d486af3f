package rule

import (
	"fmt"
	"slices"

	"github.com/sealward/sealward/internal/review"
)

var kilterUnknownName = &review.Rule{
	ID: "kilter-unknown-name", Since: "1.0", Family: review.Kilter, Severity: review.Warning, Scope: review.PerTree, Profiles: []string{review.KilterApps},
	Doc: `An environment's secrets map a name that appSecrets does not have.

## Why it matters
Nobody asks for it, so the file is never delivered; most often it is a typing error.

## Example
    appSecrets: [storefront-env]
    environments: {prod: {secrets: {storefrnt-env: secrets/prod.env}}}

## What to do
Correct the name, or add it to appSecrets.
`,
	Check: func(p *review.Pass) error {
		for _, k := range kilterFiles(p.Tree) {
			if len(k.appSecrets) == 0 {
				continue
			}
			var names []string
			for _, l := range k.appSecrets {
				names = append(names, l.Value)
			}
			for _, e := range k.environments {
				for _, m := range e.mapped {
					if slices.Contains(names, m.name) {
						continue
					}
					hint := "Add it to appSecrets, or take the entry out."
					if n := near(m.name, names); n != "" {
						hint = fmt.Sprintf("Is %s meant? Else add it to appSecrets.", n)
					}
					p.Report(review.Finding{Span: m.leaf.Key, Key: e.name + "/" + m.name, Message: fmt.Sprintf("%s of %s is not in appSecrets", m.name, e.name), Hint: hint})
				}
			}
		}
		return nil
	},
}
