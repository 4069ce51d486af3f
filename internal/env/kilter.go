package env

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/sealward/sealward/internal/syntax"
)

// kilter places the files that a kilter.yaml maps to its environments, and the
// inventories of their names beside them (secrets/prod.env.keys), since the files
// themselves are ignored by Git.
func (d *detector) kilter(src Source) error {
	var errs []error
	for _, p := range d.paths {
		if b := path.Base(p); b != "kilter.yaml" && b != "kilter.yml" {
			continue
		}
		f, err := src.Syntax(p)
		if err != nil {
			errs = append(errs, fmt.Errorf("read %q: %w", p, err))
			continue
		}
		if f.Broken != nil {
			errs = append(errs, fmt.Errorf("read %q: %w; its environments are told by file names alone", p, f.Broken))
			continue
		}
		d.mapped(p, secretsOf(f))
	}
	return errors.Join(errs...)
}

// secretsOf reads environments.<env>.secrets, a name or a list of them; environments
// may be a list of mappings with a name, too.
func secretsOf(f *syntax.File) map[string][]string {
	out := map[string][]string{}
	if len(f.Docs) == 0 {
		return out
	}
	d := f.Docs[0]
	names := map[int]string{}
	for _, l := range d.Leaves {
		if p := l.Path; len(p) == 3 && p[0].Key == "environments" && p[1].Index >= 0 && p[2].Key == "name" {
			names[p[1].Index] = l.Value
		}
	}
	for _, l := range d.Leaves {
		p := l.Path
		if len(p) < 2 || p[0].Key != "environments" {
			continue
		}
		env := p[1].Key
		if p[1].Index >= 0 {
			env = names[p[1].Index]
		}
		if env == "" {
			continue
		}
		out[env] = append(out[env], fileNames(p[2:], l)...)
	}
	return out
}

// fileNames returns the file that a leaf below an environment names, if it does.
func fileNames(p syntax.Path, l syntax.Leaf) []string {
	if len(p) == 0 || l.Kind != syntax.String || l.Value == "" || strings.ContainsAny(l.Value, "\n\x00") {
		return nil
	}
	switch p[0].Key {
	case "secrets", "secretsFile", "secrets_file", "envFile", "env_file":
		return []string{l.Value}
	}
	return nil
}

func (d *detector) mapped(kilterFile string, files map[string][]string) {
	dir := path.Dir(kilterFile)
	for _, env := range slices.Sorted(maps.Keys(files)) {
		if _, known := d.word(env); !known {
			d.names[strings.ToLower(env)] = word{env, medium}
			delete(d.known, env)
		}
	}
	for _, env := range slices.Sorted(maps.Keys(files)) {
		canonical := env
		if w, ok := d.word(env); ok {
			canonical = w.env
		}
		for _, name := range files[env] {
			file := path.Join(dir, name)
			for _, p := range []string{file, file + ".keys"} {
				if _, taken := d.out.places[p]; taken || !d.out.tree[p] {
					continue
				}
				unit := kilterFile + "#secrets" + strings.TrimPrefix(p, file)
				if at, _, ok := d.wordOf(p, env); ok {
					unit = p[:at.start] + "*" + p[at.end:]
				}
				d.out.places[p] = place{Place: Place{canonical, unit}, why: kilterFile + " names it as the environment's secrets"}
			}
		}
	}
}
