package rule

import (
	"fmt"

	"github.com/sealward/sealward/internal/review"
)

var inlineSecret = &review.Rule{
	ID: "inline-secret", Since: "1.0", Family: review.Leaks, Severity: review.Error, Scope: review.PerFile, History: true,
	Doc: `A private key or a known token stands in an object that is not made to hold secrets.

A Route's TLS key, a ConfigMap, the values of a HelmRelease, a container's env.value.

## Why it matters
Besides the repository, everybody who may read ConfigMaps or pods in the cluster reads it too.

## Example
    kind: ConfigMap
    data:
      id_rsa: |
        -----BEGIN ... KEY-----

## What to do
Replace the value where it was issued, put the new one into a sealed Secret, and refer to it: valueFrom.secretKeyRef
in a container, valuesFrom in a HelmRelease, externalCertificate in a Route.
`,
	Check: func(p *review.Pass) error {
		leaksOf(p.File).report(p, func(l leakAt) review.Finding {
			return review.Finding{Message: fmt.Sprintf("%s in clear in %s at %s", l.what(), l.object, l.key)}
		})
		return nil
	},
}
