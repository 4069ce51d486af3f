package rule

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/syntax"
)

var exampleDrift = &review.Rule{
	ID: "example-drift", Since: "1.0", Family: review.Drift, Severity: review.Notice, Scope: review.PerTree, When: review.OnlyReport,
	Doc: `An example or an inventory does not have the keys of the file that it stands for.

Compared are x.example, x.sample, x.dist and x.keys with x beside them, where x is in the tree.

## Why it matters
Whoever sets up the next environment from the example forgets the same keys.

## Example
    .env.example    A
    .env            A, B

## What to do
Add the keys to the example; an inventory is written anew by action inventory.
`,
	Check: func(p *review.Pass) error {
		for _, f := range p.Tree.Files() {
			real := realOf(p.Tree, f.Path)
			if real == nil {
				continue
			}
			shown, have := namesOf(f), namesOf(real)
			if len(shown) == 0 || len(have) == 0 {
				continue
			}
			var lacks []string
			for _, name := range have {
				if !slices.Contains(shown, name) {
					lacks = append(lacks, name)
				}
			}
			if len(lacks) > 0 {
				p.Report(review.Finding{Span: fileStart(f.Path), Message: fmt.Sprintf("%s lacks %s of %s: %s", f.Base(), count(len(lacks), "key"), real.Base(), list(lacks[:min(len(lacks), 5)])),
					Hint: "Add the keys, without their values.", Related: []review.Related{{Span: fileStart(real.Path), Message: "the real one"}}})
			}
		}
		return nil
	},
}

func realOf(t *review.Tree, p string) *review.File {
	for _, suffix := range []string{".example", ".sample", ".dist", ".template", ".keys"} {
		if plain, ok := strings.CutSuffix(p, suffix); ok {
			return t.File(plain)
		}
	}
	return nil
}

// namesOf are the variables of an env file, an example of one, or an inventory.
func namesOf(f *review.File) []string {
	if strings.HasSuffix(f.Path, ".keys") {
		return keysOf(f).order
	}
	s := f.Syntax()
	if s.Format != syntax.Dotenv {
		return nil
	}
	var out []string
	for _, l := range s.Leaves {
		if !sopsMeta(l.Path.Last()) {
			out = append(out, l.Path.Last())
		}
	}
	return out
}
