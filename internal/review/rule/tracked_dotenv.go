package rule

import (
	"fmt"

	"github.com/sealward/sealward/internal/review"
)

var trackedDotenv = &review.Rule{
	ID: "tracked-dotenv", Since: "1.0", Family: review.Leaks, Severity: review.Error, Scope: review.PerFile, History: true,
	Doc: `An environment file with secrets in clear is part of the repository.

Meant are .env, .env.prod, prod.env, secrets/prod.env and the like with at least one value that is a
secret by its name and its shape. Files that SOPS, ansible-vault, git-crypt or dotenvx sealed, examples
and files that .gitignore keeps out are not findings.

## Why it matters
An env file is where all of an application's secrets meet: one commit hands out all of them.

## Example
    # secrets/prod.env
    DATABASE_PASSWORD=correct-horse

## What to do
Replace the values at their providers. Seal the file (sops encrypt --in-place secrets/prod.env), or take it out of
Git and name it in .gitignore.
`,
	Check: func(p *review.Pass) error {
		found := leaksOf(p.File)
		if !found.ownedBy(p.Rule.ID) || isExample(p.File.Path) || p.Tree.Ignored(p.File.Path) {
			return nil
		}
		found.report(p, func(l leakAt) review.Finding {
			return review.Finding{Message: fmt.Sprintf("%s is in clear in a tracked env file", l.name())}
		})
		return nil
	},
}

// name is the variable that a leak of an env file is the value of.
func (l leakAt) name() string {
	if l.leaf != nil {
		return l.leaf.Path.Last()
	}
	return l.what()
}
