package rule

import (
	"fmt"

	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/wiring"
)

var manualSecret = &review.Rule{
	ID: "manual-secret", Since: "1.0", Family: review.ESO, Severity: review.Error, Scope: review.PerTree,
	Doc: `A hand-made Secret has the name that an ExternalSecret of the same namespace and build owns.

Two files are of one build where one kustomization applies both.

## Why it matters
Flux and the operator overwrite each other's Secret for ever; the application reads now the one, now the other.

## Example
    # external-secret.yaml makes Secret db; secret.yaml is a Secret db too

## What to do
Delete the hand-made Secret, or give the ExternalSecret another target.
`,
	Check: func(p *review.Pass) error {
		owners := ownersByName(p.Tree)
		if len(owners) == 0 {
			return nil
		}
		builds := buildsOf(p.Tree)
		for _, path := range p.Tree.Wiring().Files() {
			for _, pr := range p.Tree.Wiring().Facts(path).Providers {
				if pr.Kind != "Secret" && pr.Kind != "SealedSecret" || isExample(path) {
					continue
				}
				for _, es := range owners[pr.Name] {
					if pr.Namespace != es.Namespace || !builds.together(pr.File, es.File) {
						continue
					}
					p.Report(review.Finding{Span: pr.Span, Key: pr.Namespace + "/" + pr.Name, Message: fmt.Sprintf("%s %s is made by hand, and ExternalSecret %s owns that name", pr.Kind, pr.Name, es.Name),
						Hint: "Delete the hand-made Secret, or give the ExternalSecret another target.", Related: []review.Related{{Span: es.Span, Message: "the owner"}}})
				}
			}
		}
		return nil
	},
}

// ownersByName are the ExternalSecrets that own their target, by its name.
func ownersByName(t *review.Tree) map[string][]wiring.ExternalSecret {
	out := map[string][]wiring.ExternalSecret{}
	for _, path := range t.Wiring().Files() {
		for _, es := range t.Wiring().Facts(path).External {
			if es.Owns && es.Target != "" && !templated(es.Target) {
				out[es.Target] = append(out[es.Target], es)
			}
		}
	}
	return out
}

// builds tells which files are applied together.
type builds map[string]map[string]bool // file -> the roots that reach it

// buildsOf follows every kustomization that no other lists, and every path of Flux.
func buildsOf(t *review.Tree) builds {
	graph := t.Wiring()
	b := builds{}
	reach := func(root string, c *wiring.Closure) {
		if c == nil {
			return
		}
		for f := range c.Files {
			if b[f] == nil {
				b[f] = map[string]bool{}
			}
			b[f][root] = true
		}
	}
	for _, k := range graph.FluxKustomizations() {
		reach(k.Path, graph.ClosureOf(k))
	}
	for _, k := range graph.Kustomizations() {
		if dir := dirname(k.Path); len(graph.ListedBy(dir)) == 0 {
			reach(dir, graph.Closure(dir))
		}
	}
	return b
}

// together reports whether some build reads both files.
func (b builds) together(a, c string) bool {
	if a == c {
		return true
	}
	for root := range b[a] {
		if b[c][root] {
			return true
		}
	}
	return false
}
