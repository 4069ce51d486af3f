package rule

import (
	"fmt"
	"strings"

	"github.com/sealward/sealward/internal/review"
)

var standingDrift = &review.Rule{
	ID: "standing-drift", Since: "1.0", Family: review.Drift, Severity: review.Warning, Scope: review.PerTree, When: review.OnlyReport,
	Doc: `A key is in some environments of a unit and not in all.

The same comparison as key-drift, over the whole tree; one finding for each key, whatever number of units it drifts in.

## Why it matters
What nobody decided drifts further: the next deploy to the environment that lacks the key fails, or the application falls back without a word.

## Example
    overlays/dev/app.env      DB_HOST, CACHE_URL
    overlays/prod/app.env     DB_HOST

## What to do
Add the key, or say that it is meant for some alone: "# sealward: only dev" above it, or drift.only in .sealward.yaml.
`,
	Check: func(p *review.Pass) error {
		for _, u := range Units(p.Tree, p.Config) {
			for _, row := range u.Rows {
				if len(row.Lacking) == 0 {
					continue
				}
				first := row.cells[row.Present[0]]
				f := review.Finding{Span: first.leaf.Key, Key: u.Unit + "/" + row.Key, Class: row.Name(),
					Message: fmt.Sprintf("%s is in %s, and %s %s it", row.Name(), list(row.Present), list(row.Lacking), lacks(row.Lacking)),
					Hint:    fmt.Sprintf("Add it, or put the comment \"sealward: only %s\" above it.", strings.Join(row.Present, ", "))}
				if f.Span.IsZero() {
					f.Span = first.leaf.Span
				}
				for _, e := range row.Lacking {
					f.Related = append(f.Related, review.Related{Span: fileStart(u.Files[e]), Message: e + " lacks it"})
				}
				p.Report(f)
			}
		}
		return nil
	},
}
