package rule

import (
	"fmt"
	"slices"

	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/wiring"
)

var danglingKey = &review.Rule{
	ID: "dangling-key", Since: "1.0", Family: review.References, Severity: review.Error, Scope: review.PerTree,
	Doc: `A reference names a key that its Secret does not have.

Every provider of a Secret of that name in the tree is known to the last key, and none has this one. Where one is
open (an ExternalSecret with dataFrom, a generator with an env file, an operator) it is silent; optional
references are too.

## Why it matters
The pod does not start: CreateContainerConfigError, couldn't find key.

## Example
    env:
      - name: PASSWORD
        valueFrom: {secretKeyRef: {name: db, key: pasword}}

## What to do
Correct the key, or add it to the Secret.
`,
	Check: func(p *review.Pass) error {
		graph := p.Tree.Wiring()
		var applied builds
		for _, path := range graph.Files() {
			for _, u := range graph.Facts(path).Uses {
				if u.Key == "" || u.Optional || templated(u.Key) || templated(u.Secret) {
					continue
				}
				providers := providersOf(graph, u)
				if len(providers) == 0 || slices.ContainsFunc(providers, func(pr wiring.Provider) bool { return !pr.Closed || slices.Contains(pr.Keys, u.Key) }) {
					continue
				}
				if applied == nil {
					applied = buildsOf(p.Tree)
				}
				if !slices.ContainsFunc(providers, func(pr wiring.Provider) bool { return sameBuild(applied, u, pr) }) {
					continue
				}
				p.Report(danglingKeyFinding(u, providers))
			}
		}
		return nil
	},
}

// sameBuild reports whether a reference surely means a provider's Secret: in the namespace
// that both name, or in one build. Two apps may each have a Secret of one name, and of
// one of them the operator's is not in the tree.
func sameBuild(b builds, u wiring.Use, pr wiring.Provider) bool {
	if u.Namespace != "" && u.Namespace == pr.Namespace || len(b[u.File]) == 0 || len(b[pr.File]) == 0 {
		return true
	}
	return b.together(u.File, pr.File)
}

func danglingKeyFinding(u wiring.Use, providers []wiring.Provider) review.Finding {
	f := review.Finding{Span: u.Span, Key: u.Secret + "/" + u.Key, Message: fmt.Sprintf("%s refers to the key %s of Secret %s, which has no such key", u.Object, u.Key, u.Secret),
		Hint: "Correct the key, or add it to the Secret."}
	if n := near(u.Key, providers[0].Keys); n != "" {
		f.Hint = fmt.Sprintf("Is %s meant? Else add the key to the Secret.", n)
	}
	for _, pr := range providers {
		f.Related = append(f.Related, review.Related{Span: pr.Span, Message: pr.Kind + " " + pr.Name})
	}
	return f
}

// providersOf returns who may make the Secret that a reference names: of the same
// name, and not surely in another namespace.
func providersOf(g *wiring.Graph, u wiring.Use) []wiring.Provider {
	return slices.DeleteFunc(slices.Clone(g.Providers(u.Secret)), func(pr wiring.Provider) bool {
		return u.Namespace != "" && pr.Namespace != "" && u.Namespace != pr.Namespace
	})
}
