package rule

import (
	"fmt"
	"path"

	"github.com/sealward/sealward/internal/review"
)

var unlistedFile = &review.Rule{
	ID: "unlisted-file", Since: "1.0", Family: review.Flux, Severity: review.Warning, Scope: review.PerTree,
	Doc: `A sealed manifest stands in a directory with a kustomization.yaml, and nothing lists it.

## Why it matters
It is never applied: the Secret that somebody sealed with care does not reach the cluster.

## Example
    # kustomization.yaml: resources: [deployment.yaml]
    # secret.sops.yaml stands beside it

## What to do
Add the file to resources, or delete it.
`,
	Check: func(p *review.Pass) error {
		graph := p.Tree.Wiring()
		for _, f := range p.Tree.SealedFiles() {
			facts := graph.Facts(f.Path)
			if facts == nil || len(facts.Sealed) == 0 || len(graph.ListedBy(f.Path)) > 0 || templateDir(f.Path) {
				continue
			}
			dir := path.Dir(f.Path)
			if dir == "." {
				dir = ""
			}
			k := graph.KustomizationIn(dir)
			if k == nil || k.Open || namedElsewhere(p.Tree, f) {
				continue
			}
			p.Report(review.Finding{Span: facts.Sealed[0], Message: fmt.Sprintf("%s lists no %s: the sealed object is never applied", k.Path, f.Base()),
				Hint: fmt.Sprintf("Add %s to resources of %s, or delete the file.", f.Base(), k.Path), Fixes: listFix(p.Tree.File(k.Path), f.Base()), Related: []review.Related{{Span: fileStart(k.Path), Message: "the kustomization"}}})
		}
		return nil
	},
}

// meansItsOwn reports whether a file in another directory has a neighbour of f's name:
// each app has its secret.sops.yaml, and lists that one.
func meansItsOwn(t *review.Tree, other, f *review.File) bool {
	dir := path.Dir(other.Path)
	return dir != path.Dir(f.Path) && t.File(path.Join(dir, f.Base())) != nil
}

// namedElsewhere reports whether some file names this one: a script, a ksops generator,
// a HelmRelease, the readme of how to apply it by hand.
func namedElsewhere(t *review.Tree, f *review.File) bool {
	for _, other := range t.Files() {
		if other == f || other.Base() == ".sops.yaml" || meansItsOwn(t, other, f) {
			continue
		}
		for range linesWith(other.Data(), f.Base()) {
			return true
		}
	}
	return false
}
