package wiring

import "strings"

// ClosureOf is the closure of what a Flux Kustomization applies. It is nil where the
// path is not in the tree, and where the source is another repository: a path such as
// ./ or ./deploy means nothing here then.
func (g *Graph) ClosureOf(k FluxKustomization) *Closure {
	if g.foreign[sourceKey(k.Source)] {
		return nil
	}
	return g.Closure(k.Path)
}

// sourceKey is a source's kind and name: the namespace is often left to Flux.
func sourceKey(source string) string {
	kind, rest, _ := strings.Cut(source, "/")
	_, name, _ := strings.Cut(rest, "/")
	return kind + "/" + name
}

// foreignSources tells the sources that hold another repository than the one Flux
// was set up with: the source flux-system, which bootstrap makes. Where that is not
// known by its URL, a source that few take and the tree defines is foreign.
func (g *Graph) foreignSources() map[string]bool {
	urls, uses := map[string]string{}, map[string]int{}
	for _, p := range g.files {
		for _, r := range g.facts[p].Remotes {
			urls[r.Kind+"/"+r.Name] = strings.TrimSuffix(r.URL, ".git")
		}
		for _, k := range g.facts[p].Flux {
			if !k.Partial {
				uses[sourceKey(k.Source)]++
			}
		}
	}
	home := homeSource(uses)
	foreign := map[string]bool{}
	for source, url := range urls {
		if source == home || uses[source] == 0 || url == "" || strings.Contains(url, "${") || url == urls[home] {
			continue
		}
		foreign[source] = urls[home] != "" || uses[source]*2 < uses[home]
	}
	return foreign
}

// homeSource is the source that the repository is most likely to be itself.
func homeSource(uses map[string]int) string {
	const bootstrap = "GitRepository/flux-system"
	if uses[bootstrap] > 0 {
		return bootstrap
	}
	home := ""
	for source, n := range uses {
		if n > uses[home] || n == uses[home] && source < home {
			home = source
		}
	}
	return home
}
