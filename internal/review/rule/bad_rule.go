package rule

import (
	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/sops"
)

var badRule = &review.Rule{
	ID: "bad-rule", Since: "1.0", Family: review.Sealing, Severity: review.Warning, Scope: review.PerFile,
	Doc: `A rule in .sops.yaml does not do what it says.

A path_regex that does not compile, more than one selector, no recipients, a rule that an earlier one shadows, or a file
named .sops.yml, which sops does not read.

## Why it matters
sops takes the first rule that matches and says nothing of the others: files are sealed for the wrong keys, or not at all.

## Example
    creation_rules:
      - age: age1...                 # matches every path
      - path_regex: prod/.*          # is never reached
        age: age1...

## What to do
Order rules from the narrow to the wide, give each one selector at most, and call the file .sops.yaml.
`,
	Check: func(p *review.Pass) error {
		switch p.File.Base() {
		case ".sops.yml":
			if p.Tree.File(sibling(p.File.Path, ".sops.yaml")) == nil {
				p.Report(review.Finding{Span: fileStart(p.File.Path), Message: "sops does not read a file named .sops.yml",
					Hint: "Rename it to .sops.yaml."})
			}
		case ".sops.yaml":
			rules, err := sops.ReadRules(p.File.Syntax())
			if err != nil || rules == nil {
				return nil // the tree's own reading of it names the file
			}
			for _, problem := range rules.Problems {
				p.Report(review.Finding{Span: problem.Span, Message: problem.Message, Key: problem.Message,
					Hint: "Order rules from the narrow to the wide, and give each recipients and one selector at most."})
			}
		}
		return nil
	},
}
