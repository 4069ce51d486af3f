package rule

import (
	"fmt"

	"github.com/sealward/sealward/internal/review"
)

var undefinedTemplateKey = &review.Rule{
	ID: "undefined-template-key", Since: "1.0", Family: review.ESO, Severity: review.Warning, Scope: review.PerTree,
	Doc: `The template of an ExternalSecret uses a key that its data does not bring.

With dataFrom the keys are not known, and it is silent.

## Why it matters
The operator writes <no value> into the Secret, or fails, by its settings.

## Example
    data: [{secretKey: password, ...}]
    target: {template: {data: {url: "postgres://app:{{ .pasword }}@db"}}}

## What to do
Correct the key, or add it to data.
`,
	Check: func(p *review.Pass) error {
		for _, es := range externals(p.Tree) {
			for _, u := range es.Template {
				p.Report(review.Finding{Span: u.Span, Key: es.Name + "/" + u.Key, Message: fmt.Sprintf("the template of ExternalSecret %s uses %s, which its data does not bring", es.Name, u.Key),
					Hint: "Correct the key, or add it to data."})
			}
		}
		return nil
	},
}
