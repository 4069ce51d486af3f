package rule

import (
	"fmt"
	"path"
	"strings"

	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/wiring"
)

var sopsConfigApplied = &review.Rule{
	ID: "sops-config-applied", Since: "1.0", Family: review.Flux, Severity: review.Warning, Scope: review.PerTree,
	Doc: `A .sops.yaml stands inside a path that Flux applies as it is, without a kustomization.yaml.

Flux leaves .sops.yaml out of what it fetches, unless the source's spec.ignore replaces that default. Where it does, and
does not name .sops.yaml itself, every YAML file below such a path is taken for a manifest.

## Why it matters
.sops.yaml has no kind: the whole Kustomization fails to build.

## Example
    # spec.path: ./clusters/prod, and clusters/prod/.sops.yaml

## What to do
Move it to the root of the repository, or add a kustomization.yaml that lists the manifests.
`,
	Check: func(p *review.Pass) error {
		graph := p.Tree.Wiring()
		if !fetchesEverything(graph) {
			return nil
		}
		said := map[string]bool{}
		for _, k := range graph.FluxKustomizations() {
			c := graph.ClosureOf(k)
			if c == nil {
				continue
			}
			for _, file := range c.Sorted() {
				base := path.Base(file)
				if said[file] || !strings.HasPrefix(base, ".sops.y") || len(graph.ListedBy(file)) > 0 {
					continue
				}
				said[file] = true
				p.Report(review.Finding{Span: fileStart(file), Message: fmt.Sprintf("Kustomization %s takes %s for a manifest", k.Name, file),
					Hint: "Move it to the root, or add a kustomization.yaml that lists the manifests.", Related: []review.Related{{Span: k.Span, Message: "it applies the path " + k.Path}}})
			}
		}
		return nil
	},
}

// fetchesEverything reports whether a source replaces the default of what Flux leaves
// out, and lets .sops.yaml through.
func fetchesEverything(g *wiring.Graph) bool {
	for _, file := range g.Files() {
		for _, r := range g.Facts(file).Remotes {
			if r.Ignore != "" && !strings.Contains(r.Ignore, ".sops") && !strings.Contains(r.Ignore, "/*") {
				return true
			}
		}
	}
	return false
}
