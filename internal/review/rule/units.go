package rule

import (
	"cmp"
	"slices"
	"strings"

	"github.com/sealward/sealward/internal/config"
	"github.com/sealward/sealward/internal/env"
	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/sops"
	"github.com/sealward/sealward/internal/syntax"
)

// Unit is an app's or component's keys over its environments: what the drift report
// shows as one matrix.
type Unit struct {
	Unit         string
	Environments []string          // least critical first
	Files        map[string]string // environment -> path
	Rows         []Row             // sorted by key
}

// Row is one key of a unit.
type Row struct {
	Key     string
	Present []string // environments that have it
	Lacking []string // environments that should and do not
	cells   map[string]cell
}

type cell struct {
	leaf syntax.Leaf
	file *review.File
}

// Name is the key as people know it, without the object that it belongs to.
func (r *Row) Name() string { return r.Key[strings.LastIndexByte(r.Key, '/')+1:] }

// State is what a key is in one environment.
type State string

// The states of a key.
const (
	Present   State = "present"
	Missing   State = "missing"
	Empty     State = "empty"
	Elsewhere State = "not meant for it"
)

// Cell is what the report shows of a key in one environment.
type Cell struct {
	State  State
	Span   syntax.Span // of the key; zero where it is missing
	Type   string      // str, int, ... of a sealed value, or of one in clear
	Sealed []sops.Recipient
}

// Cell returns the key's state in an environment.
func (r *Row) Cell(e string) Cell {
	c, ok := r.cells[e]
	switch {
	case !ok && slices.Contains(r.Lacking, e):
		return Cell{State: Missing}
	case !ok:
		return Cell{State: Elsewhere}
	}
	out := Cell{State: Present, Span: c.leaf.Key, Type: typeOf(c.leaf)}
	if out.Span.IsZero() {
		out.Span = c.leaf.Span
	}
	if c.leaf.Value == "" && !strings.HasSuffix(c.file.Path, ".keys") {
		out.State = Empty
	}
	if s := c.file.Sops(); s != nil && sops.Sealed(c.leaf.Value) {
		for _, d := range s.Sealed {
			if d.Index == c.leaf.Doc {
				out.Sealed = recipientsOf(d)
			}
		}
	}
	return out
}

// Types returns the types that the key's values have, more than one where they differ.
func (r *Row) Types() []string {
	var out []string
	for _, c := range r.cells {
		if t := typeOf(c.leaf); t != "" && !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	slices.Sort(out)
	return out
}

func typeOf(l syntax.Leaf) string {
	if enc, ok := sops.ParseEnc(l.Value); ok {
		return enc.Type
	}
	return ""
}

// Units compares the keys of every unit of a tree over its environments. Files that
// share no key with another of their unit are of another kind and left out.
func Units(t *review.Tree, cfg *config.Config) []Unit {
	environments := t.Env()
	var out []Unit
	for _, name := range environments.Units() {
		if u, ok := unitOf(t, cfg, name, environments.Siblings(name)); ok {
			out = append(out, u)
		}
	}
	return out
}

func unitOf(t *review.Tree, cfg *config.Config, name string, files map[string]string) (Unit, bool) {
	sets := map[string]*keySet{}
	for e, path := range files {
		if f := t.File(path); f != nil {
			if set := keysOf(f); len(set.order) > 0 {
				sets[e] = set
			}
		}
	}
	for e, set := range sets {
		if !sharesKey(sets, e, set) {
			delete(sets, e)
		}
	}
	if len(sets) < 2 {
		return Unit{}, false
	}
	u := Unit{Unit: name, Files: map[string]string{}}
	for e, set := range sets {
		u.Environments = append(u.Environments, e)
		u.Files[e] = set.file.Path
	}
	slices.SortFunc(u.Environments, func(a, b string) int { return cmp.Or(cmp.Compare(env.Rank(a), env.Rank(b)), cmp.Compare(a, b)) })
	u.Rows = rowsOf(cfg, &u, sets)
	return u, true
}

func sharesKey(sets map[string]*keySet, e string, set *keySet) bool {
	for other, o := range sets {
		if other != e && slices.ContainsFunc(o.order, set.has) {
			return true
		}
	}
	return false
}

func rowsOf(cfg *config.Config, u *Unit, sets map[string]*keySet) []Row {
	rows := map[string]*Row{}
	comments := map[string]string{}
	for _, e := range u.Environments {
		for _, key := range sets[e].order {
			if rows[key] == nil {
				rows[key] = &Row{Key: key, cells: map[string]cell{}}
			}
			l := sets[e].at[key]
			rows[key].cells[e] = cell{l, sets[e].file}
			rows[key].Present = append(rows[key].Present, e)
			comments[key] += l.Comment + "\n"
		}
	}
	out := make([]Row, 0, len(rows))
	for key, r := range rows {
		for _, e := range u.Environments {
			if !sets[e].has(key) && meant(cfg, u.Unit, key, comments[key], e) {
				r.Lacking = append(r.Lacking, e)
			}
		}
		out = append(out, *r)
	}
	slices.SortFunc(out, func(a, b Row) int { return cmp.Compare(a.Key, b.Key) })
	return out
}
