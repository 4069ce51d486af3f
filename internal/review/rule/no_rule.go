package rule

import (
	"fmt"

	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/sops"
)

var noRule = &review.Rule{
	ID: "no-rule", Since: "1.0", Family: review.Sealing, Severity: review.Notice, Scope: review.PerTree, When: review.OnlyReport,
	Doc: `A sealed file matches no rule of .sops.yaml.

One finding for each configuration, with the files as related places.

## Why it matters
sops updatekeys and the next sops encrypt refuse it, and a rotation has to guess who should read it.

## Example
    # .sops.yaml knows clusters/prod/.*; the file is clusters/production/db.yaml

## What to do
Widen the path_regex of the rule that is meant, or add one.
`,
	Check: func(p *review.Pass) error {
		rules := p.Tree.SopsRules()
		for _, f := range p.Tree.SealedFiles() {
			r := sops.Nearest(rules, f.Path)
			if r == nil || len(r.Rules) == 0 || r.Match(f.Path) != nil || isExample(f.Path) {
				continue
			}
			p.Report(review.Finding{Span: f.Sops().Sealed[0].Meta, Class: r.Name,
				Message: fmt.Sprintf("no rule of %s matches %s", r.Name, f.Path),
				Hint:    "Widen the path_regex of the rule that is meant, or add one."})
		}
		return nil
	},
}
