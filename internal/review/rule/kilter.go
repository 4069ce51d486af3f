package rule

import (
	"path"
	"slices"

	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/syntax"
)

// kilterFile is a kilter.yaml: the names of the secrets that the app wants, and for
// each environment the env files that provide them.
type kilterFile struct {
	path         string
	appSecrets   []syntax.Leaf
	environments []kilterEnv
	env          []syntax.Leaf // an env: block anywhere: Kilter does not ship it
}

type kilterEnv struct {
	name       string
	span       syntax.Span // of the first thing that it says
	namespace  string
	recipient  syntax.Leaf
	secrets    syntax.Leaf // secrets: FILE, where one file has them all; else zero
	mapped     []kilterSecret
	hasSecrets bool
}

// kilterSecret maps a name to its env file.
type kilterSecret struct {
	name string
	leaf syntax.Leaf
}

// kilterFiles reads every kilter.yaml of a tree.
func kilterFiles(t *review.Tree) []*kilterFile {
	var out []*kilterFile
	for _, f := range t.Files() {
		if b := f.Base(); b == "kilter.yaml" || b == "kilter.yml" {
			out = append(out, review.Once(f, readKilter))
		}
	}
	return out
}

func readKilter(f *review.File) *kilterFile {
	k := &kilterFile{path: f.Path}
	s := f.Syntax()
	if s.Broken != nil {
		return k
	}
	byName := map[string]int{}
	for _, l := range s.Leaves {
		p := l.Path
		switch {
		case len(p) >= 2 && p[0].Key == "appSecrets":
			if p[1].Index >= 0 && len(p) == 2 || len(p) == 3 && p[2].Key == "name" {
				k.appSecrets = append(k.appSecrets, l)
			}
		case len(p) >= 2 && p[0].Key == "env", len(p) >= 4 && p[0].Key == "environments" && p[2].Key == "env":
			k.env = append(k.env, l)
		case len(p) >= 2 && p[0].Key == "environments" && p[1].Index < 0:
			i, ok := byName[p[1].Key]
			if !ok {
				i = len(k.environments)
				byName[p[1].Key] = i
				k.environments = append(k.environments, kilterEnv{name: p[1].Key, span: l.Key})
			}
			k.environments[i].read(p[2:], l)
		}
	}
	return k
}

// read takes one leaf below environments.ENV.
func (e *kilterEnv) read(rel syntax.Path, l syntax.Leaf) {
	switch {
	case len(rel) == 1 && rel[0].Key == "namespace":
		e.namespace = l.Value
	case len(rel) == 1 && rel[0].Key == "sopsRecipient":
		e.recipient = l
	case len(rel) >= 1 && rel[0].Key == "secrets":
		e.hasSecrets = true
		switch {
		case len(rel) == 1 && l.Kind == syntax.String:
			e.secrets = l
		case len(rel) == 2 && rel[1].Index < 0:
			e.mapped = append(e.mapped, kilterSecret{rel[1].Key, l})
		case len(rel) == 3 && rel[1].Index < 0 && (rel[2].Key == "file" || rel[2].Key == "path"):
			e.mapped = append(e.mapped, kilterSecret{rel[1].Key, l})
		}
	}
}

// files are the leaves that name an env file.
func (e *kilterEnv) files() []syntax.Leaf {
	var out []syntax.Leaf
	if e.secrets.Value != "" {
		out = append(out, e.secrets)
	}
	for _, m := range e.mapped {
		if m.leaf.Value != "" && m.leaf.Kind == syntax.String {
			out = append(out, m.leaf)
		}
	}
	return out
}

func (e *kilterEnv) maps(name string) bool {
	return slices.ContainsFunc(e.mapped, func(m kilterSecret) bool { return m.name == name })
}

// resolve is the path of a file that the kilter.yaml names, from the root.
func (k *kilterFile) resolve(file string) string { return path.Join(path.Dir(k.path), file) }

// namespaceOf is how the deploy names where a secret is missing.
func (e *kilterEnv) namespaceOf() string {
	if e.namespace != "" {
		return e.namespace
	}
	return e.name
}

// near returns the name of the list that is most like name, if one is near enough.
func near(name string, list []string) string {
	best, at := "", 3
	for _, other := range list {
		if other == name {
			continue
		}
		if d := editDistance(name, other, at); d < at {
			best, at = other, d
		}
	}
	if best != "" && at*3 > len(name) {
		return ""
	}
	return best
}

// editDistance is Levenshtein's, where it is below limit; else limit.
func editDistance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	prev := make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
		}
		prev = row
	}
	return min(prev[len(b)], limit)
}

// KilterEnvFiles are the env files that the kilter.yaml files of a tree name, there or
// not, from the root.
func KilterEnvFiles(t *review.Tree) []string {
	var out []string
	for _, k := range kilterFiles(t) {
		for i := range k.environments {
			for _, l := range k.environments[i].files() {
				out = append(out, k.resolve(l.Value))
			}
		}
	}
	return out
}
