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

// nameUnits gives each path the template that most siblings share: with the one word
// replaced that told its environment; with every word of the path that names that
// environment; and both again without what says that a file is sealed. A template
// that takes two files of one environment tells nothing and is left out.
func (d *detector) nameUnits() {
	type form struct{ template, env string }
	count := map[form]int{}
	envs := map[string]int{}
	forms := map[string][]string{}
	for p, at := range d.out.places {
		if at.by == nil {
			continue
		}
		forms[p] = d.forms(p, at.by)
		for i, t := range forms[p] {
			if slices.Contains(forms[p][:i], t) {
				continue
			}
			if count[form{t, at.Env}]++; count[form{t, at.Env}] == 1 {
				envs[t]++
			} else {
				envs[t] = -1 << 30
			}
		}
	}
	for p, list := range forms {
		at := d.out.places[p]
		at.Unit = list[0]
		for _, t := range list[1:] {
			if envs[t] > max(envs[at.Unit], 1) {
				at.Unit = t
			}
		}
		d.out.places[p] = at
	}
}

// forms lists the templates of a path, the nearest to it first.
func (d *detector) forms(p string, m *member) []string {
	exact := p[:m.at.start] + "*" + p[m.at.end:]
	out := []string{exact, exact, unsealed(exact), ""}
	if full := d.everyWord(p, m); full != p {
		out[1] = full
	}
	out[3] = unsealed(out[1])
	return out
}

// everyWord replaces each word of a path that names the member's environment, and
// the word that told it.
func (d *detector) everyWord(p string, m *member) string {
	var b strings.Builder
	from, at := 0, 0
	for seg := range strings.SplitSeq(p, "/") {
		for _, s := range d.words(seg, at) {
			token := p[s.start:s.end]
			w, ok := d.word(token)
			if s == m.at || token == m.raw || ok && !m.twin && w.env == m.word.env {
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

// words splits a segment into its tokens, or leaves it whole where the whole is a word.
func (d *detector) words(seg string, at int) []span {
	if _, ok := d.word(seg); ok {
		return []span{{at, at + len(seg)}}
	}
	return tokens(seg, at)
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
