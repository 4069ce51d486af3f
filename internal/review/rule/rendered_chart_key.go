package rule

import (
	"fmt"

	"github.com/sealward/sealward/internal/review"
)

var renderedChartKey = &review.Rule{
	ID: "rendered-chart-key", Since: "1.0", Family: review.Leaks, Severity: review.Error, Scope: review.PerFile, History: true,
	Doc: `A rendered Helm chart was committed with the private keys that the chart generated.

Charts such as Cilium's make a CA when they are rendered; "helm template > chart.yaml" writes its key into the file.

## Why it matters
Whoever reads the repository can sign certificates that the cluster trusts.

## Example
    # Source: cilium/templates/cilium-ca-secret.yaml
    kind: Secret
    data:
      ca.key: LS0tLS1CRUdJTi...

## What to do
Make a new CA. Have cert-manager or the chart's certificate job make it in the cluster (for Cilium:
hubble.tls.auto.method=certmanager), or seal the rendered Secret.
`,
	Check: func(p *review.Pass) error {
		leaksOf(p.File).report(p, func(l leakAt) review.Finding {
			return review.Finding{Message: fmt.Sprintf("a rendered chart holds %s in clear: %s at %s", l.what(), l.object, l.key), Class: p.File.Path + l.object}
		})
		return nil
	},
}
