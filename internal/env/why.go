package env

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/sealward/sealward/internal/config"
)

// Why says in one sentence how the place of a path was found, or that it has none and why.
func (m *Map) Why(file string) string {
	at, ok := m.places[file]
	if !ok {
		return file + " belongs to no environment: " + m.whyNot(file) + "."
	}
	why := at.why
	if at.by != nil {
		why = at.by.why()
	}
	return fmt.Sprintf("%s belongs to environment %s, unit %s: %s.", file, at.Env, at.Unit, why)
}

// why says what told a member's environment.
func (m *member) why() string {
	if m.alone {
		return fmt.Sprintf("the directory %s has %q where its siblings name their environments", m.path, m.raw)
	}
	var siblings []string
	for _, o := range m.family.members {
		if o.accepted && !o.alone && o.env != m.env {
			siblings = append(siblings, path.Base(o.path))
		}
	}
	slices.Sort(siblings)
	beside := some(slices.Compact(siblings))
	switch {
	case m.twin:
		return fmt.Sprintf("the directory %s holds the same files as its siblings %s", m.path, beside)
	case m.dir != nil:
		return fmt.Sprintf("the directory %s stands beside %s", m.path, beside)
	}
	return fmt.Sprintf("%q in its name, where its siblings are %s", m.raw, beside)
}

// some lists the first names, and how many more there are.
func some(names []string) string {
	switch n := len(names); {
	case n == 0:
		return "no other"
	case n == 1:
		return names[0]
	case n <= 4:
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return strings.Join(names[:3], ", ") + " and " + strconv.Itoa(len(names)-3) + " more"
}

// whyNot says what was missing.
func (m *Map) whyNot(file string) string {
	if !m.tree[file] {
		return "it is not in the tree"
	}
	here := m.dirs[path.Dir(file)]
	if here != nil && here.barred != "" {
		return here.barred
	}
	for _, c := range m.own[file] {
		return c.unmatched(path.Base(file))
	}
	for up := here; up != nil; up = up.parent {
		for _, c := range up.own {
			return c.unmatched(up.path)
		}
	}
	return "no part of it is an environment's name; name its environment under environments: in " + config.Name + " if it has one"
}

// unmatched says why a word was not taken for an environment.
func (m *member) unmatched(name string) string {
	others := 0
	for _, o := range m.family.members {
		if o.word.env != m.word.env {
			others++
		}
	}
	if others == 0 {
		return fmt.Sprintf("%q in %s has no sibling of another environment in the same place", m.raw, name)
	}
	return fmt.Sprintf("%q in %s is a common word here, and nothing shows that it means an environment", m.raw, name)
}
