package rule

import "github.com/sealward/sealward/internal/review"

var brokenMetadata = &review.Rule{
	ID: "broken-metadata", Since: "1.0", Family: review.Sealing, Severity: review.Error, Scope: review.PerFile,
	Doc: `The metadata that SOPS wrote is damaged, or what Kubernetes must read is sealed or no longer excluded.

A missing mac, an invalid version or date, a data key that is no age or PGP message; and in a Kubernetes object an
apiVersion, kind or metadata that is ENC[...].

## Why it matters
Nobody can decrypt the file any more, or Flux cannot tell what it is: the Kustomization that holds it stalls.

## Example
    sops:
      age: [...]
      lastmodified: "2026-01-01T00:00:00Z"
      # mac is missing

## What to do
Take the metadata back from the last good commit, and edit sealed files with "sops edit" alone. Rules for manifests
should say encrypted_regex: ^(data|stringData)$.
`,
	Check: func(p *review.Pass) error {
		s := p.File.Sops()
		if s == nil {
			return nil
		}
		for _, d := range s.Sealed {
			for _, problem := range d.Problems {
				p.Report(review.Finding{Span: problem.Span, Message: problem.Message, Key: problem.Message,
					Hint: "Take the metadata back from the last good commit: git log -p -- " + p.File.Path})
			}
		}
		return nil
	},
}
