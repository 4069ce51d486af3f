package rule

import (
	"fmt"

	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/syntax"
	"github.com/sealward/sealward/internal/wiring"
)

const (
	// maxPairs is how many pairs LocalOps takes in one app's secret.
	maxPairs = 100
	// maxSecret is how large a Secret may be in Kubernetes, in bytes.
	maxSecret = 1 << 20
)

var tooManyPairs = &review.Rule{
	ID: "too-many-pairs", Since: "1.0", Family: review.Drift, Severity: review.Error, Scope: review.PerFile, Profiles: []string{review.LocalOps},
	Doc: `An app's secret has more than 100 pairs, or more than 1 MiB.

## Why it matters
LocalOps takes 100 pairs in one app's secret, and Kubernetes 1 MiB: the deploy is refused.

## Example
    # app.env with 130 variables

## What to do
Move what is no secret into the configuration, and split the rest.
`,
	Check: func(p *review.Pass) error {
		s := p.File.Syntax()
		if s.Format == syntax.Dotenv {
			overfull(p, fileStart(p.File.Path), p.File.Base(), s.Leaves)
			return nil
		}
		for _, o := range wiring.Objects(s) {
			if o.Is("", "Secret") {
				name, _ := o.Leaf("metadata", "name")
				overfull(p, orSpan(name.Span, fileStart(p.File.Path)), "Secret "+o.Name, append(o.Under("data"), o.Under("stringData")...))
			}
		}
		return nil
	},
}

func overfull(p *review.Pass, at syntax.Span, name string, leaves []syntax.Leaf) {
	n, size := 0, 0
	for _, l := range leaves {
		if !sopsMeta(l.Path.Last()) {
			n++
			size += len(l.Path.Last()) + len(l.Value)
		}
	}
	if n > maxPairs || size > maxSecret {
		p.Report(review.Finding{Span: at, Key: name, Message: fmt.Sprintf("%s has %d pairs of %d KB; at most %d pairs and %d KB are taken", name, n, size>>10, maxPairs, maxSecret>>10),
			Hint: "Move what is no secret into the configuration, and split the rest."})
	}
}
