package env

import (
	"slices"
	"strings"
)

// finish names the units and gathers what the map answers with.
func (d *detector) finish() *Map {
	d.nameUnits()
	for p, at := range d.out.places {
		files := d.out.units[at.Unit]
		if files == nil {
			files = map[string]string{}
			d.out.units[at.Unit] = files
		}
		if have, taken := files[at.Env]; !taken || p < have {
			files[at.Env] = p
		}
	}
	d.gatherGroups()
	d.out.dirs = d.dirs
	d.out.own = d.own
	return d.out
}

// tally counts the environments whose files a template would take.
type tally struct {
	envs  []string
	twice bool // two files of one environment: the template tells nothing
}

func (t *tally) add(env string) {
	t.twice = t.twice || slices.Contains(t.envs, env)
	t.envs = append(t.envs, env)
}

// worth is how many siblings the template gathers.
func (t *tally) worth() int {
	if t.twice {
		return 0
	}
	return len(t.envs)
}

// nameUnits gives each path the template that most siblings share: with the one word
// replaced that told its environment; with every word of the path that names that
// environment; and both again without what says that a file is sealed.
func (d *detector) nameUnits() {
	tallies := make(map[string]*tally, len(d.out.places))
	forms := make(map[string][4]string, len(d.out.places))
	for p, at := range d.out.places {
		if at.by == nil {
			continue
		}
		list := d.forms(p, at.by)
		forms[p] = list
		for i, t := range list {
			if slices.Contains(list[:i], t) {
				continue
			}
			if tallies[t] == nil {
				tallies[t] = &tally{}
			}
			tallies[t].add(at.Env)
		}
	}
	for p, list := range forms {
		at := d.out.places[p]
		at.Unit = list[0]
		best := max(tallies[list[0]].worth(), 1)
		for _, t := range list[1:] {
			if n := tallies[t].worth(); n > best {
				at.Unit, best = t, n
			}
		}
		d.out.places[p] = at
	}
}

// forms lists the templates of a path, the nearest to it first.
func (d *detector) forms(p string, m *member) [4]string {
	exact := p[:m.at.start] + "*" + p[m.at.end:]
	full := exact
	if m.twin || d.dirs[parentOf(p)].words+len(d.own[p]) > 1 {
		full = d.everyWord(p, m)
	}
	return [4]string{exact, full, unsealed(exact), unsealed(full)}
}

// everyWord replaces each word of a path that names the member's environment, and
// the word that told it.
func (d *detector) everyWord(p string, m *member) string {
	var b strings.Builder
	from, at := 0, 0
	replace := func(s span) {
		token := p[s.start:s.end]
		w, ok := d.word(token)
		if s == m.at || token == m.raw || ok && !m.twin && w.env == m.word.env {
			b.WriteString(p[from:s.start])
			b.WriteByte('*')
			from = s.end
		}
	}
	for seg := range strings.SplitSeq(p, "/") {
		if _, whole := d.word(seg); whole {
			replace(span{at, at + len(seg)})
		} else {
			for s := range tokens(seg, at) {
				replace(s)
			}
		}
		at += len(seg) + 1
	}
	b.WriteString(p[from:])
	return b.String()
}

// gatherGroups lists the groups of directories.
func (d *detector) gatherGroups() {
	for _, f := range d.families {
		if !f.dirs || f.envs < 2 {
			continue
		}
		var g Group
		for _, m := range f.members {
			if m.accepted && !m.alone {
				g.add(m.path[:m.at.start]+"*"+m.path[m.at.end:], m.env, m.path)
			}
		}
		d.out.groups = append(d.out.groups, g)
	}
	slices.SortFunc(d.out.groups, func(a, b Group) int { return strings.Compare(a.Template, b.Template) })
}

func (g *Group) add(template, env, dir string) {
	if g.Dirs == nil {
		g.Template, g.Dirs = template, map[string]string{}
	}
	g.Dirs[env] = dir
}

// dirOf is the environment's directory of a place that a directory's name told.
func (p place) dirOf() string {
	if p.by != nil && p.by.dir != nil {
		return p.by.dir.path
	}
	return p.dir
}
