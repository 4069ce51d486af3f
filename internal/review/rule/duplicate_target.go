package rule

import (
	"fmt"
	"slices"

	"github.com/sealward/sealward/internal/review"
)

var duplicateTarget = &review.Rule{
	ID: "duplicate-target", Since: "1.0", Family: review.ESO, Severity: review.Error, Scope: review.PerTree,
	Doc: `Two ExternalSecrets of one namespace and build own the same target Secret.

## Why it matters
The operator lets one of them make the Secret and the other fail, and which one is chance.

## Example
    # a.yaml and b.yaml both have target: {name: db}

## What to do
Join them into one, or set creationPolicy: Merge on the second.
`,
	Check: func(p *review.Pass) error {
		owners := ownersByName(p.Tree)
		var doubled []string
		for name, list := range owners {
			if len(list) > 1 {
				doubled = append(doubled, name)
			}
		}
		if len(doubled) == 0 {
			return nil
		}
		slices.Sort(doubled)
		b := buildsOf(p.Tree)
		for _, name := range doubled {
			list := owners[name]
			for i, second := range list {
				for _, first := range list[:i] {
					if first.Namespace != second.Namespace || !b.together(first.File, second.File) || first.Name == second.Name && first.File != second.File {
						continue // the same object in a base and a patch
					}
					p.Report(review.Finding{Span: second.Span, Key: second.Namespace + "/" + name, Message: fmt.Sprintf("ExternalSecrets %s and %s both own Secret %s", first.Name, second.Name, name),
						Hint: "Join them, or set creationPolicy: Merge on one.", Related: []review.Related{{Span: first.Span, Message: "the other owner"}}})
				}
			}
		}
		return nil
	},
}
