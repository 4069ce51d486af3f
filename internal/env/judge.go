package env

import (
	"path"
	"sort"
	"strings"
)

// judge accepts the members of a family that surely are environments: each must be
// linked to another one of another environment.
func (d *detector) judge(f *family) {
	var known []*member
	first := map[string]*member{} // of each spelling: a file may stand there sealed and in clear
	for _, m := range f.members {
		if m.config && first[m.raw] == nil {
			first[m.raw] = m
			known = append(known, m)
		}
	}
	if distinct(known) < 2 {
		return
	}
	l := linker{detector: d, family: f, files: map[*member]map[string]bool{}}
	for i, a := range known {
		for _, b := range known[:i] {
			if a.accepted && b.accepted || a.word.env == b.word.env {
				continue
			}
			if l.linked(a, b) {
				a.accepted, b.accepted = true, true
			}
		}
	}
	for _, m := range f.members {
		m.accepted = m.config && first[m.raw].accepted
	}
	f.count()
}

func (f *family) count() {
	var accepted []*member
	for _, m := range f.members {
		if m.accepted {
			accepted = append(accepted, m)
		}
	}
	f.envs = distinct(accepted)
}

func distinct(members []*member) int {
	seen := map[string]bool{}
	for _, m := range members {
		seen[m.word.env] = true
	}
	return len(seen)
}

// linker holds the sets of files of a family's directories, made when first asked.
type linker struct {
	*detector
	family *family
	files  map[*member]map[string]bool
	// crowded is the answer of crowd, once it is counted.
	counted, crowded bool
}

// linked says whether two members vouch for each other. Words that mean nothing but
// an environment do; a common word needs a parent that holds environments, or the
// same files below. Inside a program, common words never do.
func (l *linker) linked(a, b *member) bool {
	low, high := min(a.word.weight, b.word.weight), max(a.word.weight, b.word.weight)
	inside := l.family.parent.source
	if inside && low == weak {
		return false
	}
	atHome := home(path.Base(l.family.parent.path))
	switch {
	case low == weak && !atHome && l.crowd():
		return false
	case !l.family.dirs:
		return high == strong || high == medium && !inside || atHome || dotenv(path.Base(a.path))
	}
	switch {
	case l.family.whole && atHome && (high > weak || !inside), low == strong:
		return true
	case high == strong && low == medium && !inside:
		return true
	case high == weak:
		return false
	}
	return l.share(a, b)
}

// crowd reports whether most names of the family's form are no environments at all:
// demo and staging among thirty customers are two customers more.
func (l *linker) crowd() bool {
	if l.counted {
		return l.crowded
	}
	l.counted = true
	f := l.family
	others := -len(f.members)
	if f.dirs {
		for _, c := range f.parent.children {
			if !never(path.Base(c.path)) {
				others++
			}
		}
	} else {
		m := f.members[0]
		before, after := m.path[:m.at.start], m.path[m.at.end:]
		from := sort.SearchStrings(l.paths, before)
		for _, p := range l.paths[from:] {
			if !strings.HasPrefix(p, before) {
				break
			}
			if rest := p[len(before):]; strings.HasSuffix(rest, after) && strings.IndexByte(rest, '/') < 0 {
				others++
			}
		}
	}
	l.crowded = others > len(f.members)+2
	return l.crowded
}

func dotenv(name string) bool { return strings.HasPrefix(name, ".env.") }

// share reports whether two directories hold a configuration file of the same name.
func (l *linker) share(a, b *member) bool {
	fa, fb := l.filesOf(a), l.filesOf(b)
	if len(fb) < len(fa) {
		fa, fb = fb, fa
	}
	for name := range fa {
		if fb[name] {
			return true
		}
	}
	return false
}

func (l *linker) filesOf(m *member) map[string]bool {
	if l.files[m] == nil {
		l.files[m] = l.below(m.dir, m.raw)
	}
	return l.files[m]
}
