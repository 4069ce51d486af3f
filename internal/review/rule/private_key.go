package rule

import (
	"fmt"

	"github.com/sealward/sealward/internal/env"
	"github.com/sealward/sealward/internal/leak"
	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/sops"
)

var privateKey = &review.Rule{
	ID: "private-key", Since: "1.0", Family: review.Leaks, Severity: review.Error, Scope: review.PerFile, History: true,
	Doc: `A private key stands in clear: an age identity, a PEM, OpenSSH or PGP key, or the credentials of a kubeconfig.

Keys inside base64 are found too. An age identity is turned into its recipient, and the finding lists
which sealed files of this repository it opens. A key that opens only files of a local or development
environment is a warning.

## Why it matters
A private key opens everything that was ever sealed or encrypted for it, in every commit of the history.

## Example
    # created: 2026-01-01T00:00:00Z
    # public key: age1...
    AGE-SECRET-KEY-1...

## What to do
Take the key as known to everybody. For an age identity replace it and re-encrypt every file that it opens:

    bot rotate ENV --force

or comment "/rotate-key ENV --force", then replace the values that the rotation lists as exposed. Keep identities
in the cluster's Secret and in files outside of the repository.
`,
	Check: func(p *review.Pass) error {
		leaksOf(p.File).report(p, func(l leakAt) review.Finding {
			f := review.Finding{Message: fmt.Sprintf("%s in clear%s", l.what(), l.at())}
			recipient, ok := leak.AgeRecipient([]byte(l.value))
			if !ok {
				return f
			}
			describeIdentity(p, recipient, &f)
			return f
		})
		return nil
	},
}

// describeIdentity says what an age identity opens, by its recipient.
func describeIdentity(p *review.Pass, recipient string, f *review.Finding) {
	var opens []*review.File
	local := true
	place, placed := "", false
	for _, s := range p.Tree.SealedFiles() {
		if !opensFile(s.Sops(), recipient) {
			continue
		}
		opens = append(opens, s)
		at, ok := p.Tree.Env().Of(s.Path)
		local = local && ok && env.Local(at.Env)
		if ok && (!placed || env.Rank(at.Env) > env.Rank(place)) {
			place, placed = at.Env, true
		}
		if len(f.Related) < 20 {
			f.Related = append(f.Related, review.Related{Span: s.Sops().Sealed[0].Meta, Message: "this key opens it"})
		}
	}
	short := sops.Recipient{Kind: sops.Age, ID: recipient}.Short()
	f.Message = fmt.Sprintf("the age identity of %s in clear: it opens %s of this repository", short, count(len(opens), "sealed file"))
	if len(opens) > 0 && local {
		f.Severity = review.Warning
	}
	if !placed {
		place = "ENV"
	}
	f.Hint = fmt.Sprintf("Take the key as known to everybody: replace it with /rotate-key %s --force, then replace every value that it could open.", place)
}

func opensFile(s *sops.File, recipient string) bool {
	for _, d := range s.Sealed {
		for _, k := range d.Keys {
			if k.Recipient.Kind == sops.Age && k.Recipient.ID == recipient {
				return true
			}
		}
	}
	return false
}

// count is "1 file", "3 files", "no file".
func count(n int, noun string) string {
	switch n {
	case 0:
		return "no " + noun
	case 1:
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
