package rule

import (
	"fmt"
	"path"

	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/wiring"
)

var neverDecrypted = &review.Rule{
	ID: "never-decrypted", Since: "1.0", Family: review.Flux, Severity: review.Error, Scope: review.PerTree,
	Doc: `A sealed file is used where Flux does not decrypt: in a configMapGenerator, or as a values file of a HelmRelease.

Flux decrypts resources, patches and the files of a secretGenerator.

## Why it matters
The ciphertext itself is applied; the application starts with ENC[...] as its configuration.

## Example
    configMapGenerator:
      - name: app
        files: [config.sops.yaml]

## What to do
Use a secretGenerator, and mount the Secret; for a HelmRelease take the values from it with valuesFrom.
`,
	Check: func(p *review.Pass) error {
		graph := p.Tree.Wiring()
		for _, k := range graph.Kustomizations() {
			for _, g := range k.ConfigMaps {
				for _, r := range g.Files {
					sealedUse(p, r, r.Target, fmt.Sprintf("the configMapGenerator %s", g.Name))
				}
			}
		}
		for _, file := range graph.Files() {
			for _, rel := range graph.Facts(file).Releases {
				for _, r := range rel.ValuesFiles {
					sealedUse(p, r, path.Join(path.Dir(file), r.Target), "HelmRelease "+rel.Name)
					sealedUse(p, r, path.Clean(r.Target), "HelmRelease "+rel.Name)
				}
			}
		}
		return nil
	},
}

func sealedUse(p *review.Pass, r wiring.Ref, target, user string) {
	f := p.Tree.File(target)
	if f == nil || f.Sops() == nil || len(f.Sops().Sealed) == 0 {
		return
	}
	p.Report(review.Finding{Span: r.Span, Key: user + "/" + target, Message: fmt.Sprintf("%s is sealed, and Flux does not decrypt it in %s", target, user),
		Hint: "Use a secretGenerator, or valuesFrom a Secret.", Related: []review.Related{{Span: f.Sops().Sealed[0].Meta, Message: "sealed here"}}})
}
