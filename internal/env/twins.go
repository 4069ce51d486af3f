package env

import (
	"maps"
	"path"
	"sort"
	"strings"
)

// below returns the configuration files below a directory, relative to it, the
// directory's own word in names replaced by "*".
func (d *detector) below(here *dir, raw string) map[string]bool {
	out := map[string]bool{}
	prefix := here.path + "/"
	from := sort.SearchStrings(d.paths, prefix)
	for _, p := range d.paths[from:] {
		rel, ok := strings.CutPrefix(p, prefix)
		if !ok {
			break
		}
		if configures(path.Base(rel)) {
			out[without(rel, raw)] = true
		}
	}
	return out
}

// without replaces the tokens of a path that are equal to raw.
func without(p, raw string) string {
	if !strings.Contains(p, raw) {
		return p
	}
	var b strings.Builder
	from := 0
	at := 0
	for seg := range strings.SplitSeq(p, "/") {
		for s := range tokens(seg, at) {
			if p[s.start:s.end] == raw {
				b.WriteString(p[from:s.start])
				b.WriteByte('*')
				from = s.end
			}
		}
		at += len(seg) + 1
	}
	b.WriteString(p[from:])
	return b.String()
}

// twins accepts directories of other names that hold exactly the files of a known
// sibling: the acceptance environment that calls itself acc, or a customer's. One
// file alone tells nothing, since every overlay has a kustomization.yaml.
func (d *detector) twins(f *family) {
	if !f.whole {
		return
	}
	known := map[*dir]bool{}
	var sets []map[string]bool
	for _, m := range f.members {
		known[m.dir] = true
		if m.accepted {
			if set := d.below(m.dir, m.raw); len(set) > 1 {
				sets = append(sets, set)
			}
		}
	}
	if len(sets) == 0 {
		return
	}
	for _, c := range f.parent.children {
		name := path.Base(c.path)
		if known[c] || c.barred != "" || never(name) || name[0] == '.' || len(c.own) > 0 {
			continue
		}
		set := d.below(c, name)
		for _, s := range sets {
			if maps.Equal(set, s) {
				m := &member{family: f, raw: name, word: word{strings.ToLower(name), medium}, dir: c, path: c.path,
					at: span{len(c.path) - len(name), len(c.path)}, config: true, accepted: true, twin: true}
				f.members = append(f.members, m)
				c.own = append(c.own, m)
				break
			}
		}
	}
	f.count()
}

// beside is what a directory's children that are environments have in common.
type beside struct {
	home  bool         // the directory is one that holds environments, and they bear whole names
	edges map[int]bool // the ends of their names at which the environment's word stands
}

// tell notes a family of environments with its parent.
func (f *family) tell(told map[*dir]beside) map[*dir]beside {
	if told == nil {
		told = map[*dir]beside{}
	}
	b := told[f.parent]
	if b.edges == nil {
		b.edges = map[int]bool{}
	}
	if f.whole {
		b.home = home(path.Base(f.parent.path))
	} else {
		b.edges[f.members[0].edge()] = true
	}
	told[f.parent] = b
	return told
}

// lone accepts, beside environments, a directory whose name has an environment's
// word in the same place and no equal but for the word: prod-us beside prod-eu and
// staging-eu.
func (b beside) lone(parent *dir) {
	for _, c := range parent.children {
		for _, m := range c.own {
			if !m.accepted && !m.family.whole && m.config && m.word.weight > weak && (b.home || b.edges[m.edge()]) {
				m.accepted, m.alone = true, true
			}
		}
	}
}

// edge is which end of the directory's name the word stands at: -1, 1, or 0 for neither.
func (m *member) edge() int {
	switch {
	case m.at.start == len(m.path)-len(path.Base(m.path)):
		return -1
	case m.at.end == len(m.path):
		return 1
	}
	return 0
}

// nameMembers gives each accepted member its environment. Two spellings of one
// environment side by side, prod and production, are two environments.
func (d *detector) nameMembers(f *family) {
	spellings := map[string]map[string]bool{}
	for _, m := range f.members {
		if m.accepted {
			if spellings[m.word.env] == nil {
				spellings[m.word.env] = map[string]bool{}
			}
			spellings[m.word.env][m.raw] = true
		}
	}
	for _, m := range f.members {
		m.env = m.word.env
		if len(spellings[m.word.env]) > 1 {
			m.env = m.raw
		}
	}
}
