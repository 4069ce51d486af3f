package rule

import (
	"bytes"
	"fmt"

	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/syntax"
	"github.com/sealward/sealward/internal/wiring"
)

var appliedEncrypted = &review.Rule{
	ID: "applied-encrypted", Since: "1.0", Family: review.Sealing, Severity: review.Error, Scope: review.PerTree,
	Doc: `Flux applies a file of a secretGenerator still encrypted, and says nothing.

Flux finds sealed files by their text. Minified JSON, and YAML whose mac: is quoted, are not found.

## Why it matters
The Secret in the cluster holds ciphertext; the application starts with it as its password.

## Example
    secretGenerator:
      - name: app
        files: [config.json]     # {"password":"ENC[...]","sops":{"mac":"ENC[...]",...}} on one line

## What to do
Write the file as sops itself does: sops decrypt and sops encrypt once more, without a formatter behind it.
`,
	Check: func(p *review.Pass) error {
		for _, k := range p.Tree.Wiring().Kustomizations() {
			for _, g := range k.Secrets {
				for _, ref := range g.Files {
					f := p.Tree.File(ref.Target)
					if f == nil || ref.Field != "files" || f.Sops() == nil || len(f.Sops().Sealed) == 0 {
						continue
					}
					if why := hiddenFromFlux(f); why != "" {
						reportHidden(p, g, ref, f, why)
					}
				}
			}
		}
		return nil
	},
}

func reportHidden(p *review.Pass, g wiring.Generator, ref wiring.Ref, f *review.File, why string) {
	p.Report(review.Finding{Span: ref.Span, Key: ref.Target,
		Message: fmt.Sprintf("%s is %s: Flux applies it still encrypted in the Secret %s", ref.Target, why, g.Name),
		Hint:    "Decrypt it and encrypt it again with sops, without a formatter behind it.",
		Related: []review.Related{{Span: f.Sops().Sealed[0].Meta, Message: "the metadata that Flux does not see"}}})
}

// hiddenFromFlux says how a sealed file escapes the test that Flux makes of its text:
// the mac's own line, as sops writes it.
func hiddenFromFlux(f *review.File) string {
	data := f.Data()
	mac := f.Sops().Sealed[0].MAC
	switch s := f.Syntax(); {
	case s.Format == syntax.JSON && !bytes.Contains(data, []byte(`"mac": "ENC[`)):
		return "minified JSON"
	case s.Format == syntax.YAML && mac.Style != syntax.Plain && bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) && !bytes.Contains(data, []byte(`"mac": "ENC[`)):
		return "minified JSON"
	case s.Format == syntax.YAML && mac.Style != syntax.Plain && !bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")):
		return "YAML with a quoted mac"
	}
	return ""
}
