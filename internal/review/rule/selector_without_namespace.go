package rule

import (
	"fmt"
	"slices"

	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/wiring"
)

var selectorWithoutNamespace = &review.Rule{
	ID: "selector-without-namespace", Since: "1.0", Family: review.ESO, Severity: review.Notice, Scope: review.PerTree, When: review.OnlyReport,
	Doc: `A ClusterExternalSecret selects no namespace of the tree.

It speaks where the tree has Namespace objects; namespaces that are made elsewhere are not known.

## Why it matters
The secret is made nowhere.

## Example
    namespaceSelectors: [{matchLabels: {secrets/registry: "true"}}]    # no Namespace carries the label

## What to do
Label the namespaces that need the secret, or correct the selector.
`,
	Check: func(p *review.Pass) error {
		namespaces, clusterSecrets := central(p.Tree)
		if len(namespaces) == 0 {
			return nil
		}
		for _, c := range clusterSecrets {
			if !slices.ContainsFunc(namespaces, c.Selects) {
				p.Report(review.Finding{Span: orSpan(c.Selector, c.Span), Key: c.Name, Message: fmt.Sprintf("ClusterExternalSecret %s selects no namespace of the tree", c.Name),
					Hint: "Label the namespaces that need the secret, or correct the selector."})
			}
		}
		return nil
	},
}

// central returns the namespaces and the ClusterExternalSecrets of a tree.
func central(t *review.Tree) (ns []wiring.Namespace, cs []wiring.ClusterExternalSecret) {
	for _, path := range t.Wiring().Files() {
		if isExample(path) {
			continue
		}
		f := t.Wiring().Facts(path)
		ns = append(ns, f.Namespaces...)
		cs = append(cs, f.ClusterSecrets...)
	}
	return ns, cs
}
