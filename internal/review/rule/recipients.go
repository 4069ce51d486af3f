package rule

import (
	"fmt"

	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/sops"
	"github.com/sealward/sealward/internal/syntax"
)

var missingRecipient = &review.Rule{
	ID: "missing-recipient", Since: "1.0", Family: review.Sealing, Severity: review.Error, Scope: review.PerTree,
	Doc: `A sealed file lacks a recipient that its rule in .sops.yaml demands.

Compared are the file's recipients with those of the first rule that matches its path, key groups included. Files that lack
the same recipients of the same rule are one finding.

## Why it matters
Whoever holds that key, often the cluster itself, cannot decrypt the file, and learns of it when the deploy stops.

## Example
    # .sops.yaml got a second recipient; files that were sealed before have one

## What to do
Re-encrypt the files to what the rule says:

    sops updatekeys FILE

or, for all files at once, bot rotate --add RECIPIENT.
`,
	Check: func(p *review.Pass) error {
		eachRuled(p.Tree, func(f *review.File, d sops.Document, r *sops.Rules, rule *sops.CreationRule) {
			want := ruleRecipients(rule)
			gone := missing(want, recipientsOf(d))
			if len(gone) == 0 || templateDir(f.Path) {
				return // nothing reads an archive, so nobody updates its keys
			}
			p.Report(review.Finding{Span: d.Meta, Key: names(gone), Class: fmt.Sprintf("%s#%d lacks %s", r.Name, rule.Index, names(gone)),
				Message: fmt.Sprintf("%s is not sealed for %s, which rule %d of %s demands", f.Path, names(gone), rule.Index+1, r.Name),
				Hint:    "Run: sops updatekeys " + f.Path,
				Related: []review.Related{{Span: spanOf(rule, gone[0]), Message: "the rule names it here"}}})
		})
		return nil
	},
}

var staleRecipient = &review.Rule{
	ID: "stale-recipient", Since: "1.0", Family: review.Sealing, Severity: review.Warning, Scope: review.PerTree, When: review.ChangeTouching,
	Doc: `A sealed file has a recipient that its rule in .sops.yaml no longer names.

In a change it is reported only where the change touches the file or the rule.

## Why it matters
Whoever holds that key, such as a member who left, can still read the file.

## Example
    # the recipient was taken out of .sops.yaml; the files were not re-encrypted

## What to do
Re-encrypt with a new data key, and replace the values that the holder could read:

    bot rotate --remove RECIPIENT
`,
	Check: func(p *review.Pass) error {
		eachRuled(p.Tree, func(f *review.File, d sops.Document, r *sops.Rules, rule *sops.CreationRule) {
			want := ruleRecipients(rule)
			if len(want) == 0 {
				return
			}
			stale := missing(recipientsOf(d), want)
			if len(stale) == 0 {
				return
			}
			p.Report(review.Finding{Span: d.Meta, Key: names(stale), Class: fmt.Sprintf("%s#%d has %s", r.Name, rule.Index, names(stale)),
				Message: fmt.Sprintf("%s is still sealed for %s, which rule %d of %s does not name", f.Path, names(stale), rule.Index+1, r.Name),
				Hint:    fmt.Sprintf("Run bot rotate --remove %s, and replace the values that it could read.", stale[0].ID),
				Related: []review.Related{{Span: rule.Span, Message: "the rule"}}})
		})
		return nil
	},
}

// eachRuled calls f for each sealed document whose path a rule governs.
func eachRuled(t *review.Tree, f func(*review.File, sops.Document, *sops.Rules, *sops.CreationRule)) {
	rules := t.SopsRules()
	if len(rules) == 0 {
		return
	}
	for _, file := range t.SealedFiles() {
		r := sops.Nearest(rules, file.Path)
		if r == nil || isExample(file.Path) {
			continue
		}
		rule := r.Match(file.Path)
		if rule == nil {
			continue
		}
		for _, d := range file.Sops().Sealed {
			f(file, d, r, rule)
		}
	}
}

func ruleRecipients(rule *sops.CreationRule) []sops.Recipient {
	out := make([]sops.Recipient, len(rule.Recipients))
	for i, r := range rule.Recipients {
		out[i] = r.Recipient
	}
	return out
}

func spanOf(rule *sops.CreationRule, r sops.Recipient) syntax.Span {
	for _, have := range rule.Recipients {
		if have.Recipient == r {
			return have.Span
		}
	}
	return rule.Span
}
