package rule

import (
	"fmt"

	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/sops"
)

var partlySealed = &review.Rule{
	ID: "partly-sealed", Since: "1.0", Family: review.Leaks, Severity: review.Error, Scope: review.PerFile, History: true,
	Doc: `A sealed file has a value in clear that its own selector says must be sealed.

The selector in the file's own metadata decides (encrypted_regex and its kin), as it does for sops; numbers and
booleans are sealed too, empty strings and nulls are not. Each YAML document is judged by itself. The
fields that Kubernetes must read are not meant here: see broken-metadata.

## Why it matters
Somebody added the value with an editor instead of sops edit: it is in clear, and the file's MAC no longer holds, so sops and Flux refuse the whole file.

## Example
    data:
      old: ENC[AES256_GCM,...]
      new: correct-horse
    sops: {...}

## What to do
Replace the value at its provider, take the line out, and add it again with

    sops edit FILE
`,
	Check: func(p *review.Pass) error {
		s := p.File.Sops()
		if s == nil {
			return nil
		}
		for _, d := range s.Sealed {
			for _, l := range d.Clear {
				if kubernetes(s, d) && structural(l) {
					continue
				}
				p.Report(review.Finding{Span: l.Span, Key: l.Path.String(), Subject: l.Value,
					Message: fmt.Sprintf("%s is in clear in a sealed file, which %s seals", l.Path, describe(d.Selector)),
					Hint:    "Replace the value at its provider, take the line out, and add it again with: sops edit " + p.File.Path})
			}
		}
		return nil
	},
}

// kubernetes reports whether a sealed document is a Kubernetes object.
func kubernetes(s *sops.File, d sops.Document) bool {
	doc := s.Docs[d.Index]
	_, api := doc.Get("apiVersion")
	_, kind := doc.Get("kind")
	return api && kind
}

// describe says what a selector is, for messages.
func describe(s sops.Selector) string {
	if s.Kind == sops.NoSelector {
		return "its metadata"
	}
	return fmt.Sprintf("its %s %q", s.Kind, s.Value)
}
