package rule

import (
	"fmt"

	"github.com/sealward/sealward/internal/config"
	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/syntax"
)

var envFileNotIgnored = &review.Rule{
	ID: "env-file-not-ignored", Since: "1.0", Family: review.Leaks, Severity: review.Warning, Scope: review.PerTree, Profiles: []string{review.KilterApps},
	Doc: `A plaintext env file that kilter.yaml or the configuration names is not covered by .gitignore.

Git's own rules decide: nested .gitignore files, negation, patterns for directories.

## Why it matters
The next "git add ." commits every secret of that environment.

## Example
    # kilter.yaml: environments: {prod: {secrets: secrets/prod.env}}
    # .gitignore says nothing of secrets/*.env

## What to do
Add the file to .gitignore, and keep an inventory of its names instead: action inventory.
`,
	Check: func(p *review.Pass) error {
		for _, k := range kilterFiles(p.Tree) {
			for _, e := range k.environments {
				for _, l := range e.files() {
					notIgnored(p, k.resolve(l.Value), l.Span)
				}
			}
		}
		for _, glob := range p.Config.Review.EnvFiles {
			notIgnored(p, glob, configSpan(p.Tree))
		}
		return nil
	},
}

func notIgnored(p *review.Pass, path string, at syntax.Span) {
	f := p.Tree.File(path)
	if p.Tree.Ignored(path) || f != nil && f.Sops() != nil {
		return
	}
	p.Report(review.Finding{Span: at, Key: path, Message: fmt.Sprintf("%s holds secrets in clear and .gitignore does not keep it out", path),
		Hint: fmt.Sprintf("Add %s to .gitignore, and commit its names alone: action inventory.", path)})
}

func configSpan(t *review.Tree) syntax.Span {
	if f := t.File(config.Name); f != nil {
		for _, d := range f.Syntax().Docs {
			if ls := d.Under("review", "env-files"); len(ls) > 0 {
				return ls[0].Span
			}
		}
	}
	return fileStart(config.Name)
}
