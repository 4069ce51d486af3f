package rule

import (
	"fmt"

	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/sops"
)

var fluxNoKey = &review.Rule{
	ID: "flux-no-key", Since: "1.0", Family: review.Flux, Severity: review.Warning, Scope: review.PerTree,
	Doc: `A Flux Kustomization decrypts without a key: spec.decryption has no secretRef, and what it applies is sealed with age or PGP.

With a cloud's KMS the controller's own identity does, so files that have such a recipient are not meant; nor is a
repository where the controller is given a key by a patch.

## Why it matters
The controller has no identity to try: every sealed file fails to decrypt.

## Example
    decryption: {provider: sops}

## What to do
Add secretRef: {name: sops-age} and the Secret with an entry NAME.agekey.
`,
	Check: func(p *review.Pass) error {
		graph := p.Tree.Wiring()
		for _, path := range graph.Files() {
			for _, patch := range graph.Facts(path).Patches {
				if patch.Secret {
					return nil // keys are handed out from above
				}
			}
		}
		for _, k := range graph.FluxKustomizations() {
			c := graph.ClosureOf(k)
			if k.Decryption == "" || k.KeySecret != "" || c == nil || templated(k.KeySecret) {
				continue
			}
			for _, path := range c.Sorted() {
				if f := p.Tree.File(path); f != nil && f.Sops() != nil && onlyKeys(f.Sops()) {
					p.Report(review.Finding{Span: k.KeySpan, Key: k.Name, Message: fmt.Sprintf("Kustomization %s has no key to decrypt %s with", k.Name, path),
						Hint: "Add spec.decryption.secretRef: {name: sops-age}.", Fixes: keyFix(p.Tree, k)})
					break
				}
			}
		}
		return nil
	},
}

// onlyKeys reports whether a file is sealed for age and PGP keys alone.
func onlyKeys(s *sops.File) bool {
	n := 0
	for _, d := range s.Sealed {
		for _, r := range recipientsOf(d) {
			if r.Kind != sops.Age && r.Kind != sops.PGP {
				return false
			}
			n++
		}
	}
	return n > 0
}
