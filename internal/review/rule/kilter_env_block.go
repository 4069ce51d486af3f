package rule

import (
	"fmt"

	"github.com/sealward/sealward/internal/review"
)

var kilterEnvBlock = &review.Rule{
	ID: "kilter-env-block", Since: "1.0", Family: review.Kilter, Severity: review.Warning, Scope: review.PerTree, Profiles: []string{review.KilterApps},
	Doc: `kilter.yaml has an env: block, which Kilter does not ship.

## Why it matters
The variables in it never reach the application, which falls back without a word.

## Example
    env:
      LOG_LEVEL: debug

## What to do
Move the variables into the environments' env files.
`,
	Check: func(p *review.Pass) error {
		for _, k := range kilterFiles(p.Tree) {
			if len(k.env) > 0 {
				l := k.env[0]
				p.Report(review.Finding{Span: l.Key, Key: "env", Message: fmt.Sprintf("the env: block of %s is not shipped: %s in it", k.path, count(len(k.env), "variable")),
					Hint: "Move the variables into the environments' env files."})
			}
		}
		return nil
	},
}
