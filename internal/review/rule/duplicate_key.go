package rule

import (
	"fmt"

	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/syntax"
	"github.com/sealward/sealward/internal/wiring"
)

// dumpSize is from where on a JSON file is taken for a dump that a program wrote, in bytes.
const dumpSize = 64 << 10

var duplicateKey = &review.Rule{
	ID: "duplicate-key", Since: "1.0", Family: review.Drift, Severity: review.Warning, Scope: review.PerFile,
	Doc: `A key is there twice: in one env file or mapping, or in data and stringData of one Secret.

## Why it matters
One of the two values wins, and which one depends on the reader: the shell takes the last, some libraries the first, and in a Secret stringData wins over data.

## Example
    DB_HOST=a
    DB_HOST=b

## What to do
Delete the one that is not meant.
`,
	Check: func(p *review.Pass) error {
		s := p.File.Syntax()
		if s.Broken != nil || s.Format == syntax.JSON && len(s.Data) > dumpSize || isExample(p.File.Path) || s.Format != syntax.Dotenv && s.Format != syntax.YAML && s.Format != syntax.JSON {
			return nil
		}
		for _, d := range s.Docs {
			seen := map[string]syntax.Leaf{}
			for _, l := range d.Leaves {
				if l.Key.IsZero() || !l.Anchor.IsZero() {
					continue // a list's element, or one that a merge brought
				}
				path := l.Path.String()
				before, twice := seen[path]
				seen[path] = l
				if twice && before.Key != l.Key {
					reportDuplicate(p, l, before, fmt.Sprintf("%s is there twice", path))
				}
			}
		}
		for _, o := range wiring.Objects(s) {
			if o.Is("", "Secret") {
				dataAndStringData(p, &o)
			}
		}
		return nil
	},
}

func dataAndStringData(p *review.Pass, o *wiring.Object) {
	data := map[string]syntax.Leaf{}
	for _, l := range o.Under("data") {
		data[l.Path.Last()] = l
	}
	for _, l := range o.Under("stringData") {
		if before, both := data[l.Path.Last()]; both {
			reportDuplicate(p, l, before, fmt.Sprintf("%s of Secret %s is in data and in stringData", l.Path.Last(), objectName(o)))
		}
	}
}

func reportDuplicate(p *review.Pass, l, before syntax.Leaf, message string) {
	p.Report(review.Finding{Span: l.Key, Key: l.Path.String(), Message: message, Hint: "Delete the one that is not meant.", Fixes: duplicateFixes(p.File, l, before),
		Related: []review.Related{{Span: before.Key, Message: "the first one"}}})
}
