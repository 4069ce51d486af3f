package rule

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sealward/sealward/internal/env"
	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/sops"
	"github.com/sealward/sealward/internal/wiring"
)

var clusterCannotDecrypt = &review.Rule{
	ID: "cluster-cannot-decrypt", Since: "1.0", Family: review.Sealing, Severity: review.Error, Scope: review.PerTree,
	Doc: `A cluster applies a sealed file that none of its recipients opens.

What a cluster applies is followed from its Flux Kustomizations through kustomize. Its recipients are those that the
configuration gives to its environment, else all that a rule of .sops.yaml for that environment names
with a path_regex. A file is a finding if it has none of them.

## Why it matters
The Kustomization stalls at the first such file, and with it all that it applies.

## Example
    # clusters/prod/apps.yaml applies apps/overlays/prod, which lists ../../shared/secret.yaml,
    # and that is sealed for dev alone

## What to do
Add the cluster's recipient to the file's rule in .sops.yaml, and run sops updatekeys FILE.
`,
	Check: func(p *review.Pass) error {
		graph := p.Tree.Wiring()
		keys := clusterKeys(p)
		for _, k := range graph.FluxKustomizations() {
			place, ok := p.Tree.Env().Of(k.File)
			if !ok || len(keys[place.Env]) == 0 {
				continue
			}
			c := graph.ClosureOf(k)
			if c == nil {
				continue
			}
			for _, path := range c.Sorted() {
				cannotOpen(p, k, place.Env, path, keys[place.Env])
			}
		}
		return nil
	},
}

func cannotOpen(p *review.Pass, k wiring.FluxKustomization, e, path string, keys []sops.Recipient) {
	f := p.Tree.File(path)
	if f == nil || f.Sops() == nil {
		return
	}
	for _, d := range f.Sops().Sealed {
		have := recipientsOf(d)
		if len(have) == 0 || slices.ContainsFunc(have, func(r sops.Recipient) bool {
			return r.Kind != sops.Age || slices.ContainsFunc(keys, func(want sops.Recipient) bool { return sameKey(want, r) })
		}) {
			continue // a cloud's key may be open to the cluster by its own rights
		}
		p.Report(review.Finding{Span: d.Meta, Key: e, Class: e + "#" + k.Name + "#" + names(have),
			Message: fmt.Sprintf("%s applies %s, and no recipient of %s opens it: it is sealed for %s", k.Name, path, e, names(have)),
			Hint:    fmt.Sprintf("Add %s to the file's rule in .sops.yaml, and run: sops updatekeys %s", keys[0].Short(), path),
			Related: []review.Related{{Span: k.Span, Message: "the Kustomization that applies it"}}})
	}
}

// clusterKeys are each environment's recipients: from the configuration, else what
// the rules that govern the environment's sealed files agree on.
func clusterKeys(p *review.Pass) map[string][]sops.Recipient {
	keys := map[string][]sops.Recipient{}
	for r, have := range rolesOf(p.Tree, p.Config) {
		if have.sure && have.kind == roleCluster {
			for _, e := range have.envs {
				keys[env.Canonical(e)] = append(keys[env.Canonical(e)], r)
			}
		}
	}
	if len(keys) > 0 {
		return keys
	}
	governed := map[string]map[*sops.CreationRule]bool{}
	eachRuled(p.Tree, func(f *review.File, _ sops.Document, _ *sops.Rules, rule *sops.CreationRule) {
		place, ok := p.Tree.Env().Of(f.Path)
		if !ok || rule.PathRegex == "" {
			return
		}
		if governed[place.Env] == nil {
			governed[place.Env] = map[*sops.CreationRule]bool{}
		}
		governed[place.Env][rule] = true
	})
	for e, rules := range governed {
		keys[e] = union(rules)
	}
	return keys
}

// union is every recipient that a rule of the environment names: a file that has any
// of them may well be open to its cluster.
func union(rules map[*sops.CreationRule]bool) []sops.Recipient {
	var out []sops.Recipient
	for rule := range rules {
		for _, r := range rule.Recipients {
			if !slices.Contains(out, r.Recipient) {
				out = append(out, r.Recipient)
			}
		}
	}
	slices.SortFunc(out, func(a, b sops.Recipient) int {
		return compareFirst(len(a.Kind)-len(b.Kind), strings.Compare(a.ID, b.ID))
	})
	return out
}
