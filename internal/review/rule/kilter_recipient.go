package rule

import (
	"fmt"

	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/sops"
)

var kilterRecipient = &review.Rule{
	ID: "kilter-recipient", Since: "1.0", Family: review.Kilter, Severity: review.Error, Scope: review.PerTree, Profiles: []string{review.KilterApps},
	Doc: `An environment's sopsRecipient in kilter.yaml is invalid, a person's, shared with another environment, or unknown to .sops.yaml.

## Why it matters
The environment's secrets are sealed for somebody else than its cluster: it cannot read them, or others can.

## Example
    environments:
      dev:  {sopsRecipient: age1aaaa...}
      prod: {sopsRecipient: age1aaaa...}

## What to do
Give each environment a key of its own, bot keys init ENV, and name it in both files.
`,
	Check: func(p *review.Pass) error {
		known := map[sops.Recipient]bool{}
		for _, r := range p.Tree.SopsRules() {
			for _, rule := range r.Rules {
				for _, at := range rule.Recipients {
					known[at.Recipient] = true
				}
			}
		}
		roles := rolesOf(p.Tree, p.Config)
		for _, k := range kilterFiles(p.Tree) {
			first := map[sops.Recipient]kilterEnv{}
			for _, e := range k.environments {
				if e.recipient.Value != "" {
					checkKilterRecipient(p, e, first, known, roles)
				}
			}
		}
		return nil
	},
}

func checkKilterRecipient(p *review.Pass, e kilterEnv, first map[sops.Recipient]kilterEnv, known map[sops.Recipient]bool, roles map[sops.Recipient]role) {
	say := func(message, hint string, related ...review.Related) {
		p.Report(review.Finding{Span: e.recipient.Span, Key: e.name, Message: message, Hint: hint, Related: related})
	}
	r, err := sops.ParseRecipient(e.recipient.Value)
	if err != nil || r.Kind != sops.Age {
		say(fmt.Sprintf("the sopsRecipient of %s is no age recipient", e.name), fmt.Sprintf("Put the public half there that bot keys init %s prints.", e.name))
		return
	}
	other, shared := first[r]
	switch {
	case shared:
		say(fmt.Sprintf("%s and %s have one sopsRecipient: whoever holds the key of one reads both", other.name, e.name),
			fmt.Sprintf("Give %s a key of its own: bot keys init %s --force", e.name, e.name), review.Related{Span: other.recipient.Span, Message: other.name})
	case personal(r, roles[r]):
		say(fmt.Sprintf("the sopsRecipient of %s is a person's key", e.name), fmt.Sprintf("Make one for the cluster: bot keys init %s", e.name))
	case len(known) > 0 && !known[r]:
		say(fmt.Sprintf("the sopsRecipient of %s is in no rule of .sops.yaml", e.name), "Name it in the rule of that environment's files, and run sops updatekeys on them.")
	}
	if !shared {
		first[r] = e
	}
}
