package rule

import (
	"fmt"

	"github.com/sealward/sealward/internal/review"
)

var orphanCiphertext = &review.Rule{
	ID: "orphan-ciphertext", Since: "1.0", Family: review.Leaks, Severity: review.Error, Scope: review.PerFile,
	Doc: `Values are ENC[...] of SOPS, but the document has no SOPS metadata.

The sops block was deleted, or a sealed value was copied into a file that is not sealed.

## Why it matters
Without the metadata nobody can decrypt the value: the application is given the text ENC[...] itself.

## Example
    data:
      password: ENC[AES256_GCM,data:...,type:str]
    # and no sops: block

## What to do
Take the sops block back from the last good commit. A sealed value cannot be moved to another file or key: set it
there with sops edit.
`,
	Check: func(p *review.Pass) error {
		s := p.File.Sops()
		if s == nil || isExample(p.File.Path) {
			return nil
		}
		for _, l := range s.Orphans {
			p.Report(review.Finding{Span: l.Span, Key: l.Path.String(), Class: fmt.Sprintf("%s#%d", p.File.Path, l.Doc),
				Message: fmt.Sprintf("%s is ciphertext of SOPS without its metadata: nobody can decrypt it", l.Path),
				Hint:    "Take the sops block back from the last good commit, or set the value with: sops edit " + p.File.Path})
		}
		return nil
	},
}
