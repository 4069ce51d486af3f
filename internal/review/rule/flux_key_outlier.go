package rule

import (
	"fmt"

	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/wiring"
)

var fluxKeyOutlier = &review.Rule{
	ID: "flux-key-outlier", Since: "1.0", Family: review.Flux, Severity: review.Warning, Scope: review.PerTree,
	Doc: `One Flux Kustomization takes its key from another Secret than the rest of its cluster.

It speaks where at least four others of the same directory agree on one name, and the outlier is alone.

## Why it matters
Most often a typing error: the Secret does not exist, and nothing of that Kustomization is decrypted.

## Example
    decryption: {provider: sops, secretRef: {name: sop-age}}    # the others: sops-age

## What to do
Correct the name, or say with a comment why this one has a key of its own.
`,
	Check: func(p *review.Pass) error {
		byCluster := map[string][]wiring.FluxKustomization{}
		for _, k := range p.Tree.Wiring().FluxKustomizations() {
			if k.KeySecret != "" && !templated(k.KeySecret) {
				dir := cluster(p.Tree, k.File)
				byCluster[dir] = append(byCluster[dir], k)
			}
		}
		for _, ks := range byCluster {
			names := map[string]int{}
			for _, k := range ks {
				names[k.KeySecret]++
			}
			if len(names) != 2 {
				continue
			}
			for _, k := range ks {
				if names[k.KeySecret] == 1 && len(ks) >= 5 {
					p.Report(review.Finding{Span: k.KeySpan, Key: k.Name, Message: fmt.Sprintf("Kustomization %s takes its key from %s, all others of the cluster from another Secret", k.Name, k.KeySecret),
						Hint: "Correct the name, if it is a typing error."})
				}
			}
		}
		return nil
	},
}

// cluster is what a file's cluster is told by: its environment, or the two first
// segments of its path.
func cluster(t *review.Tree, p string) string {
	if place, ok := t.Env().Of(p); ok {
		return place.Env
	}
	n := 0
	for i := range len(p) {
		if p[i] == '/' {
			if n++; n == 2 {
				return p[:i]
			}
		}
	}
	return ""
}
