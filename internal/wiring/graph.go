package wiring

import (
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
)

// Graph joins the facts of a tree. It does not change once it is made, and is safe
// for concurrent use.
type Graph struct {
	facts   map[string]*Facts
	files   []string              // with facts, sorted
	exists  map[string]bool       // every file of the tree, and every directory
	below   map[string][]string   // directory -> the manifests right in it, sorted
	dirs    map[string][]string   // directory -> its directories, sorted
	listed  map[string][]string   // file or directory -> the kustomizations that list it
	makers  map[string][]Provider // Secret -> who makes it
	patches []FluxPatch
	patched map[string]bool // the files that a kustomization applies as patches
	whole   map[string]bool // the names of whole Flux Kustomizations
	foreign map[string]bool // sources that hold another repository

	mu       sync.Mutex
	closures map[string]*Closure
}

// Read makes the graph of a tree.
func Read(src Source) *Graph {
	g := &Graph{facts: map[string]*Facts{}, exists: map[string]bool{"": true}, below: map[string][]string{},
		dirs: map[string][]string{}, listed: map[string][]string{}, makers: map[string][]Provider{}, closures: map[string]*Closure{},
		patched: map[string]bool{}, whole: map[string]bool{}}
	for _, p := range src.Paths() {
		g.place(p)
		if f := src.Facts(p); f != nil {
			g.facts[p] = f
			g.files = append(g.files, p)
		}
	}
	for _, p := range g.files {
		g.join(p, g.facts[p])
	}
	g.foreign = g.foreignSources()
	return g
}

// join enters a file's facts into the indexes.
func (g *Graph) join(p string, f *Facts) {
	g.patches = append(g.patches, f.Patches...)
	for _, pr := range f.Providers {
		g.makers[pr.Name] = append(g.makers[pr.Name], pr)
	}
	for _, k := range f.Flux {
		if !k.Partial {
			g.whole[k.Name] = true
		}
	}
	k := f.Kustomization
	if k == nil {
		return
	}
	for _, r := range k.all() {
		if strings.HasPrefix(r.Field, "patches") {
			g.patched[r.Target] = true
		}
		if !r.Remote {
			g.listed[r.Target] = append(g.listed[r.Target], p)
		}
	}
	for i := range k.Secrets {
		pr := k.Secrets[i].provider(k)
		g.makers[pr.Name] = append(g.makers[pr.Name], pr)
	}
}

// place enters a path into the tree of directories.
func (g *Graph) place(p string) {
	g.exists[p] = true
	dir := dirOf(p)
	if ext := path.Ext(p); ext == ".yaml" || ext == ".yml" || isKustomizationName(p) {
		g.below[dir] = append(g.below[dir], p)
	}
	for d := dir; d != "" && !g.exists[d]; d = dirOf(d) {
		g.exists[d] = true
		g.dirs[dirOf(d)] = append(g.dirs[dirOf(d)], d)
	}
}

func dirOf(p string) string {
	if d := path.Dir(p); d != "." {
		return d
	}
	return ""
}

// all returns every reference of a kustomization, those of its generators included.
func (k *Kustomization) all() []Ref {
	refs := slices.Clone(k.Refs)
	for _, list := range [][]Generator{k.Secrets, k.ConfigMaps} {
		for _, g := range list {
			refs = append(refs, g.Files...)
		}
	}
	return refs
}

// Files returns the files with facts, sorted.
func (g *Graph) Files() []string { return g.files }

// Facts returns what a file tells, or nil.
func (g *Graph) Facts(p string) *Facts { return g.facts[p] }

// Exists reports whether the tree has a file or directory at p.
func (g *Graph) Exists(p string) bool { return g.exists[strings.TrimPrefix(path.Clean("/"+p), "/")] }

// ListedBy returns the kustomizations that list a file, in any field.
func (g *Graph) ListedBy(p string) []string { return g.listed[p] }

// KustomizationIn returns the kustomization of a directory, or nil.
func (g *Graph) KustomizationIn(dir string) *Kustomization {
	for _, name := range []string{"kustomization.yaml", "kustomization.yml", "Kustomization"} {
		if f := g.facts[path.Join(dir, name)]; f != nil && f.Kustomization != nil {
			return f.Kustomization
		}
	}
	return nil
}

// Kustomizations returns every kustomization, sorted by path.
func (g *Graph) Kustomizations() []*Kustomization {
	var out []*Kustomization
	for _, p := range g.files {
		if k := g.facts[p].Kustomization; k != nil {
			out = append(out, k)
		}
	}
	return out
}

// Closure is all that building a directory reads.
type Closure struct {
	Files map[string]bool // resources, patches, files of generators
	Open  bool            // something outside of the tree, or a plugin, takes part
}

// Sorted returns the files, sorted.
func (c *Closure) Sorted() []string { return slices.Sorted(maps.Keys(c.Files)) }

// Closure follows the kustomization of a directory; in a directory without one it
// takes what Flux would: every manifest below, and the kustomizations found there. A
// directory that is not in the tree has a nil closure.
func (g *Graph) Closure(dir string) *Closure {
	dir = strings.TrimPrefix(path.Clean("/"+dir), "/")
	if !g.exists[dir] {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if c := g.closures[dir]; c != nil {
		return c
	}
	c := &Closure{Files: map[string]bool{}}
	g.follow(dir, c, map[string]bool{})
	g.closures[dir] = c
	return c
}

// follow adds what building dir reads. seen holds the directories that were
// entered: a cycle is an error of kustomize's, and ends here.
func (g *Graph) follow(dir string, c *Closure, seen map[string]bool) {
	if seen[dir] {
		return
	}
	seen[dir] = true
	k := g.KustomizationIn(dir)
	if k == nil {
		g.generated(dir, c, seen)
		return
	}
	c.Files[k.Path] = true
	c.Open = c.Open || k.Open
	for _, r := range k.all() {
		switch {
		case r.Remote:
		case g.facts[r.Target] == nil && g.isDir(r.Target):
			g.follow(r.Target, c, seen)
		case g.exists[r.Target]:
			c.Files[r.Target] = true
			g.ksops(r, c)
		}
	}
}

func (g *Graph) isDir(p string) bool {
	return g.exists[p] && (len(g.below[p]) > 0 || len(g.dirs[p]) > 0 || p == "")
}

// ksops marks the closure as open where a generator names a plugin, such as ksops.
func (g *Graph) ksops(r Ref, c *Closure) {
	if r.Field == "generators" || r.Field == "transformers" {
		c.Open = true
	}
}

// generated is what Flux makes of a directory without a kustomization.yaml.
func (g *Graph) generated(dir string, c *Closure, seen map[string]bool) {
	for _, f := range g.below[dir] {
		c.Files[f] = true
	}
	for _, d := range g.dirs[dir] {
		g.follow(d, c, seen)
	}
}

// FluxKustomizations returns every whole one, in the order of files.
func (g *Graph) FluxKustomizations() []FluxKustomization {
	var out []FluxKustomization
	for _, p := range g.files {
		for _, k := range g.facts[p].Flux {
			if !k.Partial {
				out = append(out, k)
			}
		}
	}
	return out
}

// Decrypts reports whether a Flux Kustomization decrypts what it applies: by its own
// spec, by a patch on it (of its parent, of the kustomization that lists it, of the
// FluxInstance), or by a part of it that is defined elsewhere. Where a patch names no
// target it counts for all: this errs on the silent side.
func (g *Graph) Decrypts(k FluxKustomization) bool {
	if k.Decryption != "" {
		return true
	}
	for _, patch := range g.patches {
		if patch.File == k.File && k.Patched && g.onlyOwn(k) {
			continue // its own patches are on what it applies, not on itself
		}
		if patch.Name == "" || patch.Name == k.Name || g.patched[patch.File] && !g.whole[patch.Name] {
			return true // the entry's target selects, and the patch's own name is a stand-in
		}
	}
	return false
}

// onlyOwn reports whether the file's patches all belong to k itself.
func (g *Graph) onlyOwn(k FluxKustomization) bool {
	n := 0
	for _, other := range g.facts[k.File].Flux {
		if other.Patched {
			n++
		}
	}
	return n == 1 && len(g.facts[k.File].Flux) == 1
}

// Providers returns who makes the Secret of that name, generators included. The list
// must not be changed.
func (g *Graph) Providers(name string) []Provider { return g.makers[name] }

// Provided reports whether anything makes the Secret of that name.
func (g *Graph) Provided(name string) bool { return len(g.makers[name]) > 0 }

// Secrets returns the names of all Secrets that something makes, sorted.
func (g *Graph) Secrets() []string { return slices.Sorted(maps.Keys(g.makers)) }

func (gen *Generator) provider(k *Kustomization) Provider {
	p := Provider{File: k.Path, Kind: "secretGenerator", Namespace: k.Namespace, Name: gen.Name, Span: gen.Span, Closed: true}
	for _, key := range gen.Keys {
		p.Keys = append(p.Keys, key.Key)
	}
	for _, f := range gen.Files {
		p.Closed = p.Closed && f.Field != "envs" // their keys stand in the file
	}
	return p
}
