package rule

import (
	"fmt"

	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/wiring"
)

var unknownStore = &review.Rule{
	ID: "unknown-store", Since: "1.0", Family: review.ESO, Severity: review.Warning, Scope: review.PerTree,
	Doc: `An ExternalSecret names a store that the tree does not have, though it has stores.

## Why it matters
The operator finds no store and makes no Secret.

## Example
    secretStoreRef: {name: vualt, kind: ClusterSecretStore}

## What to do
Correct the name, or add the store.
`,
	Check: func(p *review.Pass) error {
		stores, names := map[wiring.Store]bool{}, []string{}
		all := externals(p.Tree)
		for _, path := range p.Tree.Wiring().Files() {
			for _, s := range p.Tree.Wiring().Facts(path).Stores {
				stores[wiring.Store{Kind: s.Kind, Name: s.Name}] = true
				names = append(names, s.Name)
			}
		}
		if len(stores) == 0 {
			return nil
		}
		for _, es := range all {
			kind := es.StoreKind
			if kind == "" {
				kind = "SecretStore"
			}
			if es.Store == "" || templated(es.Store) || stores[wiring.Store{Kind: kind, Name: es.Store}] {
				continue
			}
			hint := "Correct the name, or add the store."
			if n := near(es.Store, names); n != "" {
				hint = fmt.Sprintf("Is %s meant? Else add the store.", n)
			} else if !hasKind(stores, kind) {
				continue // stores of this kind are made elsewhere
			}
			p.Report(review.Finding{Span: es.StoreSpan, Key: es.Name, Message: fmt.Sprintf("ExternalSecret %s names the %s %s, which is not there", es.Name, kind, es.Store), Hint: hint})
		}
		return nil
	},
}

func hasKind(stores map[wiring.Store]bool, kind string) bool {
	for s := range stores {
		if s.Kind == kind {
			return true
		}
	}
	return false
}

// externals returns every ExternalSecret, those inside ClusterExternalSecrets too.
func externals(t *review.Tree) []wiring.ExternalSecret {
	var out []wiring.ExternalSecret
	for _, path := range t.Wiring().Files() {
		if isExample(path) {
			continue
		}
		f := t.Wiring().Facts(path)
		out = append(out, f.External...)
		for _, c := range f.ClusterSecrets {
			out = append(out, c.ExternalSecret)
		}
	}
	return out
}
