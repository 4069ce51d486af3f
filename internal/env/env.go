// Package env tells which environment and unit a path stands for, and why.
//
// [Detect] makes a [Map] from a tree's paths alone, in time linear in them; only a
// kilter.yaml is read. What the configuration says comes first, then kilter.yaml,
// then the names of directories and files: a name counts only where a sibling bears
// another environment's name in the same place.
package env

import (
	"cmp"
	"slices"
	"strings"

	"github.com/sealward/sealward/internal/config"
	"github.com/sealward/sealward/internal/syntax"
)

// Place is where a path stands: the environment it belongs to, and the unit (the
// app or component) whose files are siblings over the environments.
type Place struct {
	Env  string // canonical: dev, staging, prod, ...; or as the configuration names it
	Unit string // the path with the environment's segment or token replaced by "*"
}

// Source is the tree that a Map is made from.
type Source interface {
	Paths() []string // every file, sorted
	Syntax(path string) (*syntax.File, error)
}

// Map answers for one tree; it does not change once it is made.
type Map struct {
	places map[string]place
	units  map[string]map[string]string // unit -> environment -> path
	groups []Group
	tree   map[string]bool

	// What the detector looked at, for Why.
	dirs map[string]*dir
	own  map[string][]*member
}

// place is a Place with what told it: a member of a family of names, or the
// configuration's words and the environment's directory.
type place struct {
	Place
	by  *member
	why string
	dir string
}

// Group is a set of sibling directories, each an environment: overlays/* with dev
// at overlays/dev and prod at overlays/prod.
type Group struct {
	Template string            // the directory with the environment's part replaced by "*"
	Dirs     map[string]string // environment -> directory
}

// Detect makes the map of a tree; cfg may be nil. The error is about a kilter.yaml
// that cannot be read, and the map holds all the same what is known without it.
func Detect(src Source, cfg *config.Config) (*Map, error) {
	paths := src.Paths()
	d := newDetector(paths, cfg)
	d.configured()
	err := d.kilter(src)
	d.byName()
	return d.finish(), err
}

// Of returns the place of a path; ok is false where it belongs to no environment.
func (m *Map) Of(path string) (Place, bool) {
	p, ok := m.places[path]
	return p.Place, ok
}

// Siblings returns the files of a unit, by environment, its own included. The map
// must not be changed.
func (m *Map) Siblings(unit string) map[string]string { return m.units[unit] }

// Units returns the units with more than one environment, sorted.
func (m *Map) Units() []string {
	var out []string
	for unit, files := range m.units {
		if len(files) > 1 {
			out = append(out, unit)
		}
	}
	slices.Sort(out)
	return out
}

// Environments returns the environments, least critical first, production last.
func (m *Map) Environments() []string {
	seen := map[string]bool{}
	var out []string
	for _, p := range m.places {
		if !seen[p.Env] {
			seen[p.Env] = true
			out = append(out, p.Env)
		}
	}
	slices.SortFunc(out, byRank)
	return out
}

// byRank orders environments by what is at stake, then by name.
func byRank(a, b string) int { return cmp.Or(cmp.Compare(Rank(a), Rank(b)), strings.Compare(a, b)) }

// Groups returns the directories that are environments, by their template, sorted.
func (m *Map) Groups() []Group { return m.groups }

// Home returns the directories that a unit's files would stand in, by environment,
// whether or not the file is there: its overlays. It is nil where the file's own
// name tells the environment.
func (m *Map) Home(unit string) map[string]string {
	best := -1
	for i, g := range m.groups {
		if strings.HasPrefix(unit, g.Template+"/") && (best < 0 || len(g.Template) > len(m.groups[best].Template)) {
			best = i
		}
	}
	if best < 0 {
		return nil
	}
	for _, file := range m.units[unit] {
		if m.places[file].dirOf() == "" {
			return nil
		}
	}
	return m.groups[best].Dirs
}
