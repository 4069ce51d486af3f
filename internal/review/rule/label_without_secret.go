package rule

import (
	"fmt"
	"strings"

	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/syntax"
)

// secretLabel is how namespaces ask for central secrets.
const secretLabel = "secrets/"

var labelWithoutSecret = &review.Rule{
	ID: "label-without-secret", Since: "1.0", Family: review.ESO, Severity: review.Warning, Scope: review.PerTree,
	Doc: `A namespace asks for a secret by a secrets/... label that no ClusterExternalSecret selects.

## Why it matters
The namespace is labelled, everybody thinks that the secret comes, and it never does.

## Example
    kind: Namespace
    metadata: {labels: {secrets/regisrty: "true"}}

## What to do
Correct the label, or add the ClusterExternalSecret.
`,
	Check: func(p *review.Pass) error {
		namespaces, clusterSecrets := central(p.Tree)
		if len(clusterSecrets) == 0 {
			return nil
		}
		selected := map[string]bool{}
		var known []string
		for _, c := range clusterSecrets {
			if c.Expression {
				return nil // expressions are not decided here
			}
			for _, sel := range c.Selectors {
				for key, value := range sel {
					selected[key+"="+value] = true
					known = append(known, key)
				}
			}
		}
		for _, n := range namespaces {
			for label, value := range n.Labels {
				if !strings.HasPrefix(label, secretLabel) || selected[label+"="+value] || value == "false" {
					continue
				}
				hint := "Correct the label, or add the ClusterExternalSecret."
				if like := near(label, known); like != "" {
					hint = fmt.Sprintf("Is %s meant? Else add the ClusterExternalSecret.", like)
				}
				p.Report(review.Finding{Span: n.LabelSpans[label], Key: n.Name + "/" + label, Message: fmt.Sprintf("no ClusterExternalSecret selects the label %s of namespace %s", label, n.Name), Hint: hint})
			}
		}
		return nil
	},
}

// orSpan is the first span, or the second where the first is none.
func orSpan(a, b syntax.Span) syntax.Span {
	if a.IsZero() {
		return b
	}
	return a
}
