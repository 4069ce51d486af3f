package rule

import (
	"fmt"

	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/syntax"
)

var kilterSharedFile = &review.Rule{
	ID: "kilter-shared-file", Since: "1.0", Family: review.Kilter, Severity: review.Warning, Scope: review.PerTree, Profiles: []string{review.KilterApps},
	Doc: `Two environments of kilter.yaml take their secrets from one file.

## Why it matters
Production's credentials are development's: a leak of one is a leak of both, and a change meant for one reaches the other.

## Example
    environments:
      dev:  {secrets: {storefront-env: secrets/shared.env}}
      prod: {secrets: {storefront-env: secrets/shared.env}}

## What to do
Give each environment a file of its own, with values of its own.
`,
	Check: func(p *review.Pass) error {
		for _, k := range kilterFiles(p.Tree) {
			type use struct {
				env  string
				leaf syntax.Leaf
			}
			first := map[string]use{}
			for _, e := range k.environments {
				for _, l := range e.files() {
					file := k.resolve(l.Value)
					before, seen := first[file]
					switch {
					case !seen:
						first[file] = use{e.name, l}
					case before.env != e.name:
						p.Report(review.Finding{Span: l.Span, Key: e.name + "/" + file, Message: fmt.Sprintf("%s and %s take their secrets from one file, %s", before.env, e.name, file),
							Hint: "Give each environment a file of its own.", Related: []review.Related{{Span: before.leaf.Span, Message: before.env}}})
					}
				}
			}
		}
		return nil
	},
}
