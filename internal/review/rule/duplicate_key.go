package rule

import (
	"fmt"
	"hash/maphash"
	"iter"
	"math/bits"
	"slices"

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
			for before, l := range twice(d.Leaves) {
				reportDuplicate(p, l, before, fmt.Sprintf("%s is there twice", l.Path))
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

// twice yields each leaf whose key stands at a path where one stood before, with the
// last such. A list's elements, and what a merge brought, have no key of their own.
func twice(leaves []syntax.Leaf) iter.Seq2[syntax.Leaf, syntax.Leaf] {
	return func(yield func(before, l syntax.Leaf) bool) {
		// A table of indexes into leaves, plus one, by a hash of their paths.
		table := make([]int32, 1<<bits.Len(uint(2*len(leaves))))
		seed := maphash.MakeSeed()
		for i := range leaves {
			l := &leaves[i]
			if l.Key.IsZero() || !l.Anchor.IsZero() {
				continue
			}
			at := hashPath(seed, l.Path) & uint64(len(table)-1)
			for table[at] != 0 && !slices.Equal(leaves[table[at]-1].Path, l.Path) {
				at = (at + 1) & uint64(len(table)-1)
			}
			if n := table[at]; n != 0 && leaves[n-1].Key != l.Key && !yield(leaves[n-1], *l) {
				return
			}
			table[at] = int32(i + 1)
		}
	}
}

func hashPath(seed maphash.Seed, p syntax.Path) uint64 {
	h := uint64(len(p))
	for _, s := range p {
		h = (h ^ uint64(s.Index) ^ maphash.String(seed, s.Key)) * 0x9E3779B97F4A7C15
	}
	return h >> 20
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
