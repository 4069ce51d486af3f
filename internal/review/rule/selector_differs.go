package rule

import (
	"fmt"

	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/sops"
)

var selectorDiffers = &review.Rule{
	ID: "selector-differs", Since: "1.0", Family: review.Sealing, Severity: review.Notice, Scope: review.PerTree, When: review.OnlyReport,
	Doc: `A sealed file was sealed with another selector than its rule has now.

## Why it matters
The file's own selector governs: what the rule now calls secret may stand in it in clear.

## Example
    # the rule has encrypted_regex: ^(data|stringData)$, the file unencrypted_suffix: _unencrypted

## What to do
Decrypt the file and seal it again, so that the rule's selector is taken.
`,
	Check: func(p *review.Pass) error {
		eachRuled(p.Tree, func(f *review.File, d sops.Document, r *sops.Rules, rule *sops.CreationRule) {
			if sameSelector(d.Selector, rule.Selector) {
				return
			}
			p.Report(review.Finding{Span: d.Meta, Class: fmt.Sprintf("%s#%d %v", r.Name, rule.Index, d.Selector),
				Message: fmt.Sprintf("%s was sealed by %s; rule %d of %s has %s", f.Path, describe(d.Selector), rule.Index+1, r.Name, describe(rule.Selector)),
				Hint:    "Decrypt the file and seal it again, so that the rule's selector is taken.",
				Related: []review.Related{{Span: rule.Span, Message: "the rule"}}})
		})
		return nil
	},
}

// sameSelector takes none for the suffix that sops writes where a rule names nothing.
func sameSelector(a, b sops.Selector) bool {
	standard := sops.Selector{Kind: sops.UnencryptedSuffix, Value: "_unencrypted"}
	if a.Kind == sops.NoSelector {
		a = standard
	}
	if b.Kind == sops.NoSelector {
		b = standard
	}
	return a == b
}
