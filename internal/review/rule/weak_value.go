package rule

import (
	"fmt"
	"regexp"

	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/sops"
	"github.com/sealward/sealward/internal/syntax"
)

// shortSecret is how many bytes a password has at least.
const shortSecret = 8

var weakValue = &review.Rule{
	ID: "weak-value", Since: "1.0", Family: review.Sealing, Severity: review.Notice, Scope: review.PerTree, When: review.OnlyReport,
	Doc: `A sealed value is weak, as far as its ciphertext shows: a password of fewer than 8 bytes, or a value whose type differs between environments.

SOPS keeps the length and the type readable; no key is needed, and nothing is decrypted.

## Why it matters
A short password is guessed; a number in one environment and a text in another is often a placeholder.

## Example
    password: ENC[AES256_GCM,data:c2hvcnQ=,...,type:str]   # five bytes

## What to do
Set a longer value with sops edit; make it at random.
`,
	Check: func(p *review.Pass) error {
		for _, f := range p.Tree.SealedFiles() {
			for _, d := range f.Sops().Sealed {
				for _, l := range d.Sealed {
					enc, ok := sops.ParseEnc(l.Value)
					if ok && enc.Type == "str" && enc.Length > 0 && enc.Length < shortSecret && passwordName.MatchString(l.Path.Last()) {
						p.Report(review.Finding{Span: l.Span, Key: l.Path.String(), Class: "short", Message: fmt.Sprintf("%s has only %s", l.Path, count(enc.Length, "byte")),
							Hint: "Set a longer value, made at random: sops edit " + f.Path})
					}
				}
			}
			typeDiffers(p, f)
		}
		return nil
	},
}

var passwordName = regexp.MustCompile(`(?i)(^|[._-])(pass(word|wd|phrase)?|pw|secret|token)$|[a-z](Password|Secret|Token)$|PASSWORD$|SECRET$|TOKEN$`)

// typeDiffers compares the types of one unit's values, from the environment that
// comes first in the alphabet, so that each pair is reported once.
func typeDiffers(p *review.Pass, f *review.File) {
	place, ok := p.Tree.Env().Of(f.Path)
	if !ok {
		return
	}
	own := encTypes(f)
	for e, path := range p.Tree.Env().Siblings(place.Unit) {
		other := p.Tree.File(path)
		if e <= place.Env || other == nil || other.Sops() == nil {
			continue
		}
		for key, there := range encTypes(other) {
			here, both := own[key]
			if !both || here.kind == there.kind {
				continue
			}
			p.Report(review.Finding{Span: there.span, Key: key, Class: "type", Message: fmt.Sprintf("%s is of type %s in %s and of type %s in %s", key, here.kind, place.Env, there.kind, e),
				Hint: "Give both the same type, or quote the value.", Related: []review.Related{{Span: here.span, Message: place.Env}}})
		}
	}
}

type encType struct {
	kind string
	span syntax.Span
}

func encTypes(f *review.File) map[string]encType {
	out := map[string]encType{}
	for _, d := range f.Sops().Sealed {
		for _, l := range d.Sealed {
			if enc, ok := sops.ParseEnc(l.Value); ok && !inList(l.Path) {
				out[l.Path.String()] = encType{enc.Type, l.Span}
			}
		}
	}
	return out
}
