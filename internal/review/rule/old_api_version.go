package rule

import (
	"fmt"
	"strings"

	"github.com/sealward/sealward/internal/review"
)

var oldAPIVersion = &review.Rule{
	ID: "old-api-version", Since: "1.0", Family: review.ESO, Severity: review.Notice, Scope: review.PerTree, When: review.OnlyReport,
	Doc: `An ExternalSecret uses an API version that the operator has retired.

v1alpha1 is gone, and v1beta1 is no longer served by current releases.

## Why it matters
After the operator's next upgrade the object cannot be applied.

## Example
    apiVersion: external-secrets.io/v1beta1

## What to do
Write apiVersion: external-secrets.io/v1.
`,
	Check: func(p *review.Pass) error {
		for _, es := range externals(p.Tree) {
			if v := es.APIVersion; strings.HasSuffix(v, "/v1beta1") || strings.HasSuffix(v, "/v1alpha1") {
				p.Report(review.Finding{Span: es.APISpan, Key: es.Name, Class: v, Message: fmt.Sprintf("%s uses %s", es.Name, v), Hint: "Write apiVersion: external-secrets.io/v1."})
			}
		}
		return nil
	},
}
