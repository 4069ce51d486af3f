package wiring

import (
	"path"
	"strings"

	"github.com/sealward/sealward/internal/syntax"
)

// Kustomization is a kustomization.yaml.
type Kustomization struct {
	Path       string
	Component  bool
	Namespace  string
	Renames    bool  // namePrefix, nameSuffix or a name transformer: names are not what they seem
	Refs       []Ref // the files and directories that it lists, in every field
	Secrets    []Generator
	ConfigMaps []Generator
	Open       bool // Helm charts, plugins or remote resources bring more than the tree shows
}

// Ref is an entry of a kustomization that names another file or directory.
type Ref struct {
	Field  string // resources, components, patches, generators, ...
	Target string // relative to the repository's root; as it stands where it is remote
	Span   syntax.Span
	Remote bool
}

// Generator is a secretGenerator or a configMapGenerator.
type Generator struct {
	Name string
	Span syntax.Span
	Keys []GeneratedKey
	// Files are the files that it reads, env files included.
	Files []Ref
}

// GeneratedKey is a key of a generated Secret or ConfigMap. Keys of env files are
// not known here: they stand in the file.
type GeneratedKey struct {
	Key  string
	Span syntax.Span
}

func readKustomization(f *syntax.File, facts *Facts) *Kustomization {
	k := &Kustomization{Path: f.Name}
	if f.Broken != nil || len(f.Docs) == 0 {
		k.Open = true
		return k
	}
	doc := f.Docs[0]
	kind, _ := doc.Get("kind")
	k.Component = kind.Value == "Component"
	secrets, configMaps := map[int]*Generator{}, map[int]*Generator{}
	var order []*Generator
	var orderMaps []*Generator
	for _, l := range doc.Leaves {
		if len(l.Path) == 0 {
			continue
		}
		switch field := l.Path[0].Key; field {
		case "namespace":
			k.Namespace = l.Value
		case "namePrefix", "nameSuffix":
			k.Renames = true
		case "helmCharts", "helmChartInflationGenerator", "transformers", "helmGlobals":
			k.Open = true
			k.list(field, l)
		case "resources", "bases", "components", "generators", "crds", "configurations", "validators", "patchesStrategicMerge":
			k.list(field, l)
		case "patches", "patchesJson6902", "replacements":
			if l.Path.Last() == "path" {
				k.ref(field, l, l.Value)
			}
		case "secretGenerator":
			order = generate(secrets, order, l, f.Name)
		case "configMapGenerator":
			orderMaps = generate(configMaps, orderMaps, l, f.Name)
		}
	}
	for _, g := range order {
		k.Secrets = append(k.Secrets, *g)
	}
	for _, g := range orderMaps {
		k.ConfigMaps = append(k.ConfigMaps, *g)
	}
	for _, field := range []string{"patches", "patchesJson6902", "patchesStrategicMerge"} {
		facts.inlinePatches(doc.Under(field), f.Name)
	}
	return k
}

// list adds an element of a list of paths.
func (k *Kustomization) list(field string, l syntax.Leaf) {
	if len(l.Path) == 2 && l.Path[1].Index >= 0 && l.Kind == syntax.String {
		k.ref(field, l, l.Value)
	}
}

func (k *Kustomization) ref(field string, l syntax.Leaf, target string) {
	if target == "" || strings.Contains(target, "\n") {
		return // an inline patch or generator
	}
	r := Ref{Field: field, Span: l.Span, Target: target, Remote: remote(target)}
	if !r.Remote {
		r.Target = path.Join(path.Dir(k.Path), target)
	}
	k.Open = k.Open || r.Remote
	k.Refs = append(k.Refs, r)
}

// remote reports whether kustomize would fetch the target. A relative path may hold
// "?ref=" of its own only where it names a repository.
func remote(target string) bool {
	return strings.Contains(target, "://") || strings.HasPrefix(target, "git@") || strings.HasPrefix(target, "github.com/") ||
		strings.Contains(target, "?ref=") || strings.Contains(target, ".git//") || strings.HasPrefix(target, "git::") || strings.HasPrefix(target, "ssh:")
}

// generate reads one leaf of a generator into the generator at its index.
func generate(by map[int]*Generator, order []*Generator, l syntax.Leaf, file string) []*Generator {
	p := l.Path
	if len(p) < 3 || p[1].Index < 0 {
		return order
	}
	g := by[p[1].Index]
	if g == nil {
		g = &Generator{Span: l.Span}
		by[p[1].Index] = g
		order = append(order, g)
	}
	switch p[2].Key {
	case "name":
		g.Name, g.Span = l.Value, l.Span
	case "literals":
		key, _, _ := strings.Cut(l.Value, "=")
		g.Keys = append(g.Keys, GeneratedKey{key, l.Span})
	case "files":
		key, file1, named := strings.Cut(l.Value, "=")
		if !named {
			key, file1 = path.Base(l.Value), l.Value
		}
		g.Keys = append(g.Keys, GeneratedKey{key, l.Span})
		g.Files = append(g.Files, Ref{Field: "files", Target: path.Join(path.Dir(file), file1), Span: l.Span, Remote: remote(file1)})
	case "env", "envs":
		g.Files = append(g.Files, Ref{Field: "envs", Target: path.Join(path.Dir(file), l.Value), Span: l.Span, Remote: remote(l.Value)})
	}
	return order
}
