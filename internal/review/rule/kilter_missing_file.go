package rule

import (
	"fmt"

	"github.com/sealward/sealward/internal/review"
)

var kilterMissingFile = &review.Rule{
	ID: "kilter-missing-file", Since: "1.0", Family: review.Kilter, Severity: review.Warning, Scope: review.PerTree, Profiles: []string{review.KilterApps},
	Doc: `kilter.yaml maps a secret to a file that is neither there, nor ignored by Git, nor known by an inventory.

## Why it matters
It is most likely a typing error, and shows when the environment is deployed for the first time.

## Example
    environments: {prod: {secrets: {storefront-env: secrets/pord.env}}}

## What to do
Correct the path, or commit the inventory of the file's names: action inventory.
`,
	Check: func(p *review.Pass) error {
		for _, k := range kilterFiles(p.Tree) {
			for _, e := range k.environments {
				for _, l := range e.files() {
					file := k.resolve(l.Value)
					if p.Tree.File(file) != nil || p.Tree.File(file+".keys") != nil || p.Tree.Ignored(file) {
						continue
					}
					p.Report(review.Finding{Span: l.Span, Key: l.Path.String(),
						Message: fmt.Sprintf("%s of %s is not there, not ignored by Git, and has no inventory", file, e.name),
						Hint:    "Correct the path, or commit the inventory of the file's names: action inventory."})
				}
			}
		}
		return nil
	},
}
