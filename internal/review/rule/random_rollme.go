package rule

import (
	"fmt"
	"strings"

	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/syntax"
)

var randomRollme = &review.Rule{
	ID: "random-rollme", Since: "1.0", Family: review.References, Severity: review.Notice, Scope: review.PerTree,
	Doc: `A rollme annotation is made with randAlphaNum where Flux or Argo renders the chart.

## Why it matters
The controller renders at every reconciliation, each time with another value: the workload restarts every few minutes.

## Example
    annotations:
      rollme: {{ randAlphaNum 5 | quote }}

## What to do
Use a checksum of the Secret or the configuration: checksum/config: {{ include ... | sha256sum }}.
`,
	Check: func(p *review.Pass) error {
		if len(p.Tree.Wiring().FluxKustomizations()) == 0 && !argo(p.Tree) {
			return nil
		}
		for _, f := range p.Tree.Files() {
			if !strings.HasSuffix(f.Path, ".yaml") && !strings.HasSuffix(f.Path, ".yml") && !strings.HasSuffix(f.Path, ".tpl") {
				continue
			}
			for n, line := range linesWith(f.Data(), "randAlphaNum") {
				if !strings.Contains(strings.ToLower(line), "rollme") {
					continue
				}
				at := f.Syntax().At(lineOffset(f.Data(), n))
				p.Report(review.Finding{Span: syntax.Span{File: f.Path, Start: at, End: at}, Key: fmt.Sprint(n),
					Message: "rollme gets a random value at every render: under Flux or Argo the workload restarts at each reconciliation",
					Hint:    "Use a checksum of the Secret or the configuration instead."})
			}
		}
		return nil
	},
}

func argo(t *review.Tree) bool {
	for _, path := range t.Wiring().Files() {
		for _, a := range t.Wiring().Facts(path).Applied {
			if a.Group == "argoproj.io" && (a.Kind == "Application" || a.Kind == "ApplicationSet") {
				return true
			}
		}
	}
	return false
}
