package rule

import (
	"fmt"
	"slices"

	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/sops"
)

var removedNotRotated = &review.Rule{
	ID: "removed-not-rotated", Since: "1.0", Family: review.Sealing, Severity: review.Error, Scope: review.PerChange,
	Doc: `A recipient was removed from a file, but the file was not re-encrypted.

Every sealed value is byte for byte what it was: the data key is the old one.

## Why it matters
Whoever held the removed key unwrapped the data key once and keeps it: they read the file now and all that is added to it later.

## Example
    sops updatekeys secrets/prod.yaml   # changes who gets the data key, and keeps the data key

## What to do
Make a new data key as well, and replace the values that the removed key could read:

    bot rotate --remove RECIPIENT
`,
	Check: func(p *review.Pass) error {
		eachSealedPair(p, func(before, after *review.File, old, now sops.Document) {
			gone := missing(recipientsOf(old), recipientsOf(now))
			if len(gone) == 0 || len(old.Sealed) == 0 || !sameCiphertext(old, now) {
				return
			}
			p.Report(review.Finding{Span: now.Meta, Key: gone[0].Short(), Class: "removed " + names(gone),
				Message: fmt.Sprintf("%s was removed, but the values are still encrypted with the data key that it holds", names(gone)),
				Hint:    fmt.Sprintf("Run bot rotate --remove %s, which makes a new data key, and replace the values that it could read.", gone[0].ID)})
		})
		return nil
	},
}

// sameCiphertext reports whether every sealed value that both have is unchanged.
func sameCiphertext(old, now sops.Document) bool {
	was := map[string]string{}
	for _, l := range old.Sealed {
		was[l.Path.String()] = l.Value
	}
	same := 0
	for _, l := range now.Sealed {
		switch v, ok := was[l.Path.String()]; {
		case ok && v != l.Value:
			return false
		case ok:
			same++
		}
	}
	return same > 0
}

func recipientsOf(d sops.Document) []sops.Recipient {
	out := make([]sops.Recipient, 0, len(d.Keys))
	for _, k := range d.Keys {
		if !slices.Contains(out, k.Recipient) {
			out = append(out, k.Recipient)
		}
	}
	return out
}

// missing returns what want has and have lacks. PGP keys are known by a long
// fingerprint in one place and a short one in another.
func missing(want, have []sops.Recipient) []sops.Recipient {
	var out []sops.Recipient
	for _, w := range want {
		if !slices.ContainsFunc(have, func(h sops.Recipient) bool { return sameKey(w, h) }) && !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	return out
}

func sameKey(a, b sops.Recipient) bool {
	if a.Kind != b.Kind {
		return false
	}
	if a.ID == b.ID {
		return true
	}
	short, long := a.ID, b.ID
	if len(short) > len(long) {
		short, long = long, short
	}
	return a.Kind == sops.PGP && len(short) >= 16 && long[len(long)-len(short):] == short
}

// names lists recipients, abbreviated.
func names(rs []sops.Recipient) string {
	s := ""
	for i, r := range rs {
		if i > 0 {
			s += ", "
		}
		s += r.Short()
	}
	return s
}
