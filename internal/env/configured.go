package env

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/sealward/sealward/internal/config"
)

// claim is a glob that the configuration gives to an environment.
type claim struct {
	env, glob string
	fixed     []string // the directories before the glob's first wildcard
	prefix    string   // the same as a path, "" or with a slash behind
}

// claims lists the configuration's globs, the most particular first.
func claims(cfg *config.Config) []claim {
	if cfg == nil {
		return nil
	}
	var out []claim
	for _, env := range slices.Sorted(maps.Keys(cfg.Environments)) {
		for _, glob := range cfg.Environments[env].Paths {
			c := claim{env: env, glob: glob}
			parts := strings.Split(strings.TrimPrefix(strings.TrimPrefix(glob, "./"), "/"), "/")
			for _, p := range parts[:len(parts)-1] {
				if strings.ContainsAny(p, `*?[{\`) {
					break
				}
				c.fixed = append(c.fixed, p)
			}
			if len(c.fixed) > 0 {
				c.prefix = strings.Join(c.fixed, "/") + "/"
			}
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b claim) int { return len(b.glob) - len(a.glob) })
	return out
}

// configured places what the configuration names.
func (d *detector) configured() {
	all := claims(d.cfg)
	if len(all) == 0 {
		return
	}
	groups := map[string]*Group{}
	for _, p := range d.paths {
		for _, c := range all {
			if !strings.HasPrefix(p, c.prefix) || !config.Match(c.glob, p) {
				continue
			}
			unit, dir := d.claimed(p, c, all)
			d.out.places[p] = place{
				Place: Place{Env: c.env, Unit: unit}, dir: dir,
				why: fmt.Sprintf("%s gives %s to it", config.Name, c.glob),
			}
			if dir != "" {
				template := unit[:len(unit)-len(p)+len(dir)]
				if groups[template] == nil {
					groups[template] = &Group{}
				}
				groups[template].add(template, c.env, dir)
			}
			break
		}
	}
	for _, g := range groups {
		if len(g.Dirs) > 1 {
			d.out.groups = append(d.out.groups, *g)
		}
	}
}

// claimed names the unit of a path that the configuration gives to an environment,
// and the environment's directory, "" where there is none: by the word in the path
// that names the environment; else by where the claim differs from another
// environment's; else by what follows the claim's fixed directories.
func (d *detector) claimed(p string, c claim, all []claim) (unit, dir string) {
	if at, isDir, ok := d.wordOf(p, c.env); ok {
		if isDir {
			dir = p[:at.end]
		}
		return p[:at.start] + "*" + p[at.end:], dir
	}
	best := 0
	for _, o := range all {
		if o.env == c.env || len(o.fixed) != len(c.fixed) {
			continue
		}
		parts, differ := make([]string, len(c.fixed)), 0
		end := 0
		for i := range c.fixed {
			if parts[i] = c.fixed[i]; o.fixed[i] != c.fixed[i] {
				parts[i] = "*"
				differ++
				end = i + 1
			}
		}
		if differ > 0 && (best == 0 || differ < best) {
			best = differ
			unit = strings.Join(parts, "/") + "/" + p[len(c.prefix):]
			dir = strings.Join(c.fixed[:end], "/")
		}
	}
	if best == 1 {
		// With one directory replaced the template keeps every other offset.
		return unit, dir
	}
	if best > 1 {
		return unit, ""
	}
	return "*/" + p[len(c.prefix):], ""
}

// wordOf finds the part of a path that names an environment: a directory, else a
// token of the file's name, else a token of a directory's.
func (d *detector) wordOf(p, env string) (at span, isDir, ok bool) {
	names := func(s string) bool {
		if strings.EqualFold(s, env) {
			return true
		}
		w, known := d.word(s)
		e, same := d.word(env)
		return known && same && w.env == e.env
	}
	dirEnd := len(p) - len(path.Base(p))
	from := 0
	var inDir, inFile []span
	for seg := range strings.SplitSeq(p, "/") {
		if from < dirEnd && names(seg) {
			return span{from, from + len(seg)}, true, true
		}
		for s := range tokens(seg, from) {
			if !names(p[s.start:s.end]) {
				continue
			}
			if from < dirEnd {
				inDir = append(inDir, s)
			} else {
				inFile = append(inFile, s)
			}
		}
		from += len(seg) + 1
	}
	for _, s := range append(inFile, inDir...) {
		return s, false, true
	}
	return span{}, false, false
}
