package rule

import (
	"fmt"
	"slices"

	"github.com/sealward/sealward/internal/review"
)

var missingEnvFile = &review.Rule{
	ID: "missing-env-file", Since: "1.0", Family: review.Drift, Severity: review.Warning, Scope: review.PerTree, When: review.OnlyReport,
	Doc: `Most environments have a file of a unit's keys, and one that is there has none.

It speaks where at least two thirds of three or more environments have the file, and the overlay of the one that lacks it exists.

## Why it matters
The environment was set up and this file forgotten: the application gets none of its keys there.

## Example
    overlays/dev/secrets.env, overlays/staging/secrets.env; overlays/prod has other files and not this one

## What to do
Add the file, or take the environment out of the unit in .sealward.yaml.
`,
	Check: func(p *review.Pass) error {
		environments := p.Tree.Env()
		for _, unit := range environments.Units() {
			files, home := environments.Siblings(unit), environments.Home(unit)
			if len(home) < 3 || len(files)*3 < len(home)*2 || len(files) == len(home) {
				continue
			}
			var have []string
			for _, path := range files {
				if f := p.Tree.File(path); f != nil && len(keysOf(f).order) > 0 {
					have = append(have, path)
				}
			}
			if len(have) < len(files) {
				continue // not a file of keys
			}
			slices.Sort(have)
			for e, dir := range home {
				if files[e] == "" {
					p.Report(review.Finding{Span: fileStart(have[0]), Key: unit + "/" + e, Message: fmt.Sprintf("%s has no file like %s, which %d of %d environments have", e, have[0], len(files), len(home)),
						Hint: fmt.Sprintf("Add the file below %s, or configure the environments of this unit.", dir)})
				}
			}
		}
		return nil
	},
}
