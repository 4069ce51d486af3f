package rule

import (
	"path"
	"strings"

	"github.com/sealward/sealward/internal/env"
	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/syntax"
	"github.com/sealward/sealward/internal/wiring"
)

// keySet is what a file gives an environment: the names of its variables and secrets.
type keySet struct {
	file  *review.File
	order []string
	at    map[string]syntax.Leaf // the leaf that brings the key
}

func (s *keySet) add(key string, l syntax.Leaf) {
	if s.at == nil {
		s.at = map[string]syntax.Leaf{}
	}
	if _, twice := s.at[key]; !twice {
		s.order = append(s.order, key)
	}
	s.at[key] = l
}

func (s *keySet) has(key string) bool {
	_, ok := s.at[key]
	return ok
}

// keysOf reads the keys of a file, of every kind that is compared over environments:
// env files, sealed files of any format, Secrets, ExternalSecrets, SealedSecrets,
// secretGenerators and Kilter's inventories. Other files have none.
func keysOf(f *review.File) *keySet { return review.Once(f, readKeys) }

func readKeys(f *review.File) *keySet {
	set := &keySet{file: f}
	if overrides(f.Path) {
		return set
	}
	s := f.Syntax()
	switch {
	case strings.HasSuffix(f.Path, ".keys"):
		inventoryKeys(set, f)
	case s.Broken != nil:
	case s.Format == syntax.Dotenv:
		for _, l := range s.Leaves {
			if !sopsMeta(l.Path.Last()) {
				set.add(l.Path.Last(), l)
			}
		}
	default:
		objects := wiring.Objects(s)
		for i := range objects {
			objectKeys(set, &objects[i])
		}
		if isKustomization(f.Path) {
			generatorKeys(set, s)
		}
		if len(objects) == 0 {
			sealedKeys(set, f)
		}
	}
	return set
}

// overrides reports files that hold a part of another's keys on purpose.
func overrides(p string) bool {
	b := strings.ToLower(path.Base(p))
	return strings.Contains(b, ".local") || strings.Contains(b, "override") || isExample(p)
}

func sopsMeta(key string) bool { return strings.HasPrefix(key, "sops_") }

// sealedKeys are the leaves of a sealed file that is no manifest. Lists have as many
// elements as an environment needs: what is below one is not compared.
func sealedKeys(set *keySet, f *review.File) {
	sealed := f.Sops()
	if sealed == nil {
		return
	}
	for _, d := range sealed.Sealed {
		for _, group := range [][]syntax.Leaf{d.Sealed, d.Clear, d.Open} {
			for _, l := range group {
				if !inList(l.Path) {
					set.add(strings.Join(l.Path.Keys(), "."), l)
				}
			}
		}
	}
}

func inList(p syntax.Path) bool {
	for _, s := range p {
		if s.Index >= 0 {
			return true
		}
	}
	return false
}

// objectKeys adds an object's keys, told apart by kind and by name, in which the
// environment's own name counts for nothing: app-prod and app-dev are siblings.
func objectKeys(set *keySet, o *wiring.Object) {
	var leaves []syntax.Leaf
	switch {
	case o.Is("", "Secret"):
		leaves = append(o.Under("data"), o.Under("stringData")...)
	case o.Is("bitnami.com", "SealedSecret"):
		leaves = o.Under("spec", "encryptedData")
	case o.Is("external-secrets.io", "ExternalSecret"):
		leaves = externalKeys(o)
	}
	for _, l := range leaves {
		set.add(env.Neutral(o.Name)+"/"+keyOf(l), l)
	}
}

func keyOf(l syntax.Leaf) string {
	if l.Path.Last() == "secretKey" {
		return l.Value
	}
	return l.Path.Last()
}

// externalKeys are the keys that an ExternalSecret's Secret will have.
func externalKeys(o *wiring.Object) []syntax.Leaf {
	if template := o.Under("spec", "target", "template", "data"); len(template) > 0 {
		return template
	}
	var out []syntax.Leaf
	for _, l := range o.Under("spec", "data") {
		if p := o.Rel(l); len(p) == 4 && p[3].Key == "secretKey" {
			out = append(out, l)
		}
	}
	return out
}

// generatorKeys are the keys of a kustomization's secretGenerators.
func generatorKeys(set *keySet, s *syntax.File) {
	for _, d := range s.Docs {
		name := map[int]string{}
		for _, l := range d.Under("secretGenerator") {
			if p := l.Path; len(p) == 3 && p[2].Key == "name" {
				name[p[1].Index] = l.Value
			}
		}
		for _, l := range d.Under("secretGenerator") {
			p := l.Path
			if len(p) != 4 || p[2].Key != "literals" && p[2].Key != "files" {
				continue
			}
			key, file, named := strings.Cut(l.Value, "=")
			if !named && p[2].Key == "files" {
				key = path.Base(file + key)
			}
			set.add(env.Neutral(name[p[1].Index])+"/"+key, l)
		}
	}
}

// inventoryKeys reads Kilter's list of names, one a line.
func inventoryKeys(set *keySet, f *review.File) {
	n := 0
	for line := range strings.Lines(string(f.Data())) {
		n++
		name := strings.TrimSpace(line)
		if name == "" || name[0] == '#' {
			continue
		}
		s := f.Syntax()
		start := s.At(lineOffset(f.Data(), n))
		end := start
		end.Offset += len(strings.TrimRight(line, "\r\n"))
		end.Col += len([]rune(strings.TrimRight(line, "\r\n")))
		span := syntax.Span{File: f.Path, Start: start, End: end}
		set.add(name, syntax.Leaf{Path: syntax.Path{syntax.K(name)}, Key: span, Span: span})
	}
}
