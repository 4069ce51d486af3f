package rule

import (
	"fmt"

	"github.com/sealward/sealward/internal/leak"
	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/syntax"
)

var unsealedAgain = &review.Rule{
	ID: "unsealed-again", Since: "1.0", Family: review.Leaks, Severity: review.Error, Scope: review.PerChange,
	Doc: `The change puts values in clear that were sealed before.

The keys are the same, and their values are no longer ENC[...]. Values that became templates or references are not
findings.

## Why it matters
A file that was decrypted for editing was committed as it was; its values are now in the history.

## Example
    -password: ENC[AES256_GCM,data:...]
    +password: correct-horse

## What to do
Replace the values at their providers, take the sealed file back (git checkout BASE -- FILE), and edit it with sops edit.
`,
	Check: func(p *review.Pass) error {
		for _, c := range p.Change.Files {
			before, after := p.Base.File(c.Old), p.Tree.File(c.Path)
			if c.Kind == repo.Deleted || before == nil || after == nil || before.Sops() == nil {
				continue
			}
			for _, l := range unsealed(before, after) {
				p.Report(review.Finding{Span: l.Span, Key: l.Path.String(), Subject: l.Value, Class: c.Path,
					Message: fmt.Sprintf("%s was sealed and is now in clear", l.Path),
					Hint:    "Replace the values at their providers, and take the sealed file back from the base."})
			}
		}
		return nil
	},
}

// unsealed returns the leaves of after whose keys before holds sealed. Documents are
// told apart by their keys alone: they move, and files are joined and split.
func unsealed(before, after *review.File) []syntax.Leaf {
	was := map[string]bool{}
	for _, d := range before.Sops().Sealed {
		for _, l := range d.Sealed {
			was[l.Path.String()] = true
		}
	}
	stillSealed := map[string]bool{}
	if s := after.Sops(); s != nil {
		for _, d := range s.Sealed {
			for _, l := range d.Sealed {
				stillSealed[l.Path.String()] = true
			}
		}
	}
	var out []syntax.Leaf
	for _, l := range after.Syntax().Leaves {
		path := l.Path.String()
		if was[path] && !stillSealed[path] && l.Value != "" && l.Kind != syntax.Null && l.Kind != syntax.EmptyMap && l.Kind != syntax.EmptyList &&
			!leak.Placeholder(l.Path.Last(), l.Value) {
			out = append(out, l)
		}
	}
	return out
}
