package rule

import (
	"fmt"
	"slices"

	"github.com/sealward/sealward/internal/config"
	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/sops"
)

var personalKeyOnly = &review.Rule{
	ID: "personal-key-only", Since: "1.0", Family: review.Sealing, Severity: review.Error, Scope: review.PerTree,
	Doc: `A file that a cluster must read is sealed for people alone.

Speaks only where recipients in .sealward.yaml gives at least one cluster a key: then a file that Flux applies needs a
cluster's recipient, and ssh, PGP and people's keys do not do.

## Why it matters
It opens on the author's laptop, so the mistake shows in the cluster alone, when the deploy stops.

## Example
    sops:
      age: [{recipient: ssh-ed25519 AAAA...}]

## What to do
Add the cluster's recipient to the rule in .sops.yaml, and run sops updatekeys FILE.
`,
	Check: func(p *review.Pass) error {
		if !slices.ContainsFunc(p.Config.Recipients, func(r config.Recipient) bool { return r.Role == roleCluster }) {
			return nil
		}
		roles := rolesOf(p.Tree, p.Config)
		applied := appliedFiles(p.Tree)
		for _, f := range p.Tree.SealedFiles() {
			if !applied[f.Path] {
				continue
			}
			for _, d := range f.Sops().Sealed {
				if rs := recipientsOf(d); len(rs) > 0 && !slices.ContainsFunc(rs, func(r sops.Recipient) bool { return !personal(r, roles[r]) }) {
					p.Report(review.Finding{Span: d.Meta, Class: names(rs),
						Message: fmt.Sprintf("%s is applied by a cluster, and only people's keys open it: %s", f.Path, names(rs)),
						Hint:    "Add the cluster's recipient to the rule in .sops.yaml, and run: sops updatekeys " + f.Path})
				}
			}
		}
		return nil
	},
}

func personal(r sops.Recipient, have role) bool {
	if have.sure {
		return have.kind == rolePerson
	}
	return r.SSH() || r.Plugin() || r.Kind == sops.PGP
}

// appliedFiles are the files that some Flux Kustomization of the tree applies.
func appliedFiles(t *review.Tree) map[string]bool {
	out := map[string]bool{}
	graph := t.Wiring()
	for _, k := range graph.FluxKustomizations() {
		if c := graph.ClosureOf(k); c != nil {
			for f := range c.Files {
				out[f] = true
			}
		}
	}
	return out
}
