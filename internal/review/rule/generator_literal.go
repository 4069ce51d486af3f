package rule

import (
	"fmt"
	"strings"

	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/wiring"
)

var generatorLiteral = &review.Rule{
	ID: "generator-literal", Since: "1.0", Family: review.Leaks, Severity: review.Warning, Scope: review.PerFile, History: true,
	Doc: `A secretGenerator makes a Secret out of values that are in clear in the repository.

Its literals hold secret values, or the files that it reads are plaintext with secret values.

## Why it matters
The Secret that comes out is hashed and named with care, and its values are readable by everybody.

## Example
    secretGenerator:
      - name: db
        literals: [password=correct-horse]

## What to do
Seal the file and name it under files; Flux decrypts files of a secretGenerator.
`,
	Check: func(p *review.Pass) error {
		if !isKustomization(p.File.Path) {
			return nil
		}
		leaksOf(p.File).report(p, func(l leakAt) review.Finding {
			key, _, _ := strings.Cut(l.leaf.Value, "=")
			return review.Finding{Severity: review.Warning, Message: fmt.Sprintf("the literal %s of a secretGenerator is in clear", key)}
		})
		k := wiring.FactsOf(p.File.Syntax()).Kustomization
		for _, g := range k.Secrets {
			plaintextFiles(p, g)
		}
		return nil
	},
}

// plaintextFiles reports the generator's files that hold secrets in clear; where a
// rule of one file says so at the value itself, this names the generator.
func plaintextFiles(p *review.Pass, g wiring.Generator) {
	for _, ref := range g.Files {
		f := p.Tree.File(ref.Target)
		if f == nil || ref.Remote || isExample(ref.Target) || p.Tree.Ignored(ref.Target) {
			continue
		}
		found := leaksOf(f)
		if len(found) == 0 {
			continue
		}
		p.Report(review.Finding{Span: ref.Span, Key: g.Name + "/" + ref.Target,
			Message: fmt.Sprintf("the secretGenerator %s reads %s, which holds %s in clear", g.Name, ref.Target, count(len(found), "secret")),
			Hint:    "Replace the values, and seal the file: Flux decrypts the files of a secretGenerator.",
			Related: []review.Related{{Span: found[0].span, Message: "the first of them"}}})
	}
}
