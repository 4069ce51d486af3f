package rule

import (
	"fmt"

	"github.com/sealward/sealward/internal/review"
)

var neverRefreshed = &review.Rule{
	ID: "never-refreshed", Since: "1.0", Family: review.ESO, Severity: review.Notice, Scope: review.PerTree,
	Doc: `An ExternalSecret has refreshInterval: 0, so it is read once and never again.

## Why it matters
A value that is rotated in the store does not reach the cluster.

## Example
    refreshInterval: "0"

## What to do
Set an interval, such as 1h; where reading once is meant, allow it with a reason.
`,
	Check: func(p *review.Pass) error {
		for _, es := range externals(p.Tree) {
			switch es.Refresh.Value {
			case "0", "0s", "0m", "0h":
				p.Report(review.Finding{Span: es.Refresh.Span, Key: es.Name, Message: fmt.Sprintf("ExternalSecret %s is read once and never again", es.Name), Hint: "Set an interval, such as 1h."})
			}
		}
		return nil
	},
}
