package rule

import (
	"fmt"

	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/syntax"
	"github.com/sealward/sealward/internal/wiring"
)

var fluxNoDecryption = &review.Rule{
	ID: "flux-no-decryption", Since: "1.0", Family: review.Flux, Severity: review.Error, Scope: review.PerTree,
	Doc: `A Flux Kustomization applies sealed objects and has no decryption.

What it applies is followed through kustomize. A decryption that a parent's patch, a component, the FluxInstance or a partial
document sets counts. Objects that opt out by annotation are not meant.

## Why it matters
Flux refuses a Secret with a sops field, and with it everything that the Kustomization applies.

## Example
    kind: Kustomization
    spec: {path: ./apps/prod, prune: true}      # apps/prod holds sealed Secrets

## What to do
    spec:
      decryption:
        provider: sops
        secretRef: {name: sops-age}
`,
	Check: func(p *review.Pass) error {
		graph := p.Tree.Wiring()
		for _, k := range graph.FluxKustomizations() {
			if graph.Decrypts(k) {
				continue
			}
			c := graph.ClosureOf(k)
			if c == nil {
				continue
			}
			if file, at, n := sealedIn(graph, c); n > 0 {
				p.Report(review.Finding{Span: k.Span, Key: k.Name,
					Message: fmt.Sprintf("Kustomization %s applies %s and has no decryption: Flux refuses all of it", k.Name, count(n, "sealed object")),
					Hint:    "Add spec.decryption: {provider: sops, secretRef: {name: sops-age}}.",
					Fixes:   decryptionFix(p.Tree, k),
					Related: []review.Related{{Span: at, Message: "sealed: " + file}}})
			}
		}
		return nil
	},
}

// sealedIn counts the sealed objects of a closure and returns the first.
func sealedIn(g *wiring.Graph, c *wiring.Closure) (file string, at syntax.Span, n int) {
	for _, path := range c.Sorted() {
		f := g.Facts(path)
		if f == nil || len(f.Sealed) == 0 {
			continue
		}
		if n == 0 {
			file, at = path, f.Sealed[0]
		}
		n += len(f.Sealed)
	}
	return file, at, n
}
