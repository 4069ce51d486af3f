package rule

import (
	"fmt"
	"path"
	"strings"

	"github.com/sealward/sealward/internal/config"
	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/syntax"
)

// guardedByDefault is where the guardrails of the Flux course keep sealed files.
const guardedByDefault = "flux/secrets/**"

var guardedPath = &review.Rule{
	ID: "guarded-path", Since: "1.0", Family: review.Leaks, Severity: review.Error, Scope: review.PerFile, Profiles: []string{review.FluxSOPS},
	Doc: `A file that is not sealed stands where only sealed files may.

Guarded are flux/secrets/** and what review.guarded in .sealward.yaml names. Besides sealed files only kustomization.yaml,
examples, .gitkeep and documentation may stand there.

## Why it matters
A directory that is sealed without exception can be checked at a glance; the first exception hides the next.

## Example
    flux/secrets/prod/db.yaml   in clear

## What to do
Seal the file, or move it to where configuration stands.
`,
	Check: func(p *review.Pass) error {
		globs := p.Config.Review.Guarded
		if len(globs) == 0 {
			globs = []string{guardedByDefault}
		}
		for _, g := range globs {
			if !config.Match(g, p.File.Path) {
				continue
			}
			if s := p.File.Sops(); s != nil && len(s.Sealed) > 0 && len(s.Sealed) == documents(s.File) || mayStandOpen(p.File) {
				return nil
			}
			p.Report(review.Finding{Span: fileStart(p.File.Path), Message: fmt.Sprintf("%s is not sealed, and only sealed files may stand in %s", p.File.Base(), g),
				Hint: "Seal it with sops encrypt --in-place, or move it elsewhere."})
			return nil
		}
		return nil
	},
}

func mayStandOpen(f *review.File) bool {
	b := strings.ToLower(path.Base(f.Path))
	return notData(f.Path) || len(strings.TrimSpace(string(f.Data()))) == 0 || strings.HasSuffix(b, ".pub") || sealedByOthers(f)
}

// sealedByOthers reports files that something else than SOPS sealed.
func sealedByOthers(f *review.File) bool {
	text := string(f.Data())
	for _, head := range []string{"$ANSIBLE_VAULT;", "-----BEGIN AGE ENCRYPTED FILE-----", "-----BEGIN PGP MESSAGE-----", "version https://git-lfs.github.com/", "age-encryption.org/"} {
		if strings.HasPrefix(text, head) {
			return true
		}
	}
	return strings.Contains(text, "kind: SealedSecret") || f.Binary()
}

// documents counts the documents that have anything in them.
func documents(s *syntax.File) int {
	n := 0
	for _, d := range s.Docs {
		if len(d.Leaves) > 0 {
			n++
		}
	}
	return n
}
