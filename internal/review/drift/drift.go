// Package drift is the drift report: the keys of every unit over its environments,
// as a matrix, and its renderings for a terminal, an issue, a machine and a browser.
//
// [Build] makes the [Report] of a tree; it reads nothing itself. SOPS leaves the
// names of keys readable, so no key is needed, and no value is looked at but to say
// that it is empty.
package drift

import (
	"cmp"
	"slices"
	"time"

	"github.com/sealward/sealward/internal/config"
	"github.com/sealward/sealward/internal/env"
	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/review/rule"
	"github.com/sealward/sealward/internal/syntax"
)

// Report is the whole report.
type Report struct {
	Units        []Unit
	Environments []Environment // least critical first
	Incomplete   []string
	Title        string    // of the repository, for people; may be empty
	Link         string    // URL prefix of files at the commit, without the slash; may be empty
	Now          time.Time // when it was made; ages count back from it
	Seen         bool      // the dates are of when a report first had the key, and not of Git's history
}

// Environment sums one environment up.
type Environment struct {
	Name                 string
	Keys, Missing, Empty int
	Units                int
	Production           bool
}

// Unit is one app's or component's keys.
type Unit struct {
	Name         string
	Environments []string
	Files        map[string]string // environment -> path
	Rows         []Row
}

// Row is one key.
type Row struct {
	Key   string
	Cells []Cell // in the order of the unit's environments
	Drift bool   // some environment lacks it, has it empty where others do not, or has another type
	// Since is when the drift began, as far as Git's history tells: when the key came
	// into the environments that have it; or when it was first seen. Zero is not known.
	Since time.Time
}

// Cell is one key in one environment.
type Cell struct {
	Env    string
	State  rule.State
	Type   string // of a sealed value: str, int, ...; "" in clear
	Odd    bool   // the type is not the one that most environments have
	Sealed []string
	Path   string
	Line   int // from 1; 0 where the key is missing
}

// Count returns how many keys drift.
func (r *Report) Count() int {
	n := 0
	for _, u := range r.Units {
		for _, row := range u.Rows {
			if row.Drift {
				n++
			}
		}
	}
	return n
}

// Ages tells when lines came into a file: the file's path and its lines, from 1, to
// their times. Lines that it does not know are left out.
type Ages func(path string, lines []int) map[int]time.Time

// Build makes the report of a tree. cfg and ages may be nil.
func Build(t *review.Tree, cfg *config.Config, ages Ages) *Report {
	if cfg == nil {
		cfg = &config.Config{}
	}
	r := &Report{}
	for _, u := range rule.Units(t, cfg) {
		r.Units = append(r.Units, unitOf(&u))
	}
	r.Incomplete = t.Incomplete() // after the files were read
	slices.SortFunc(r.Units, func(a, b Unit) int { return cmp.Compare(a.Name, b.Name) })
	if ages != nil {
		r.date(ages)
	}
	r.sum()
	return r
}

func unitOf(u *rule.Unit) Unit {
	out := Unit{Name: rule.Redact(u.Unit), Environments: u.Environments, Files: u.Files}
	for i := range u.Rows {
		out.Rows = append(out.Rows, rowOf(u, &u.Rows[i]))
	}
	return out
}

func rowOf(u *rule.Unit, in *rule.Row) Row {
	row := Row{Key: rule.Redact(in.Key)} // which somebody may have put a secret in the place of
	common := mostCommon(in, u.Environments)
	empty := 0
	for _, e := range u.Environments {
		c := in.Cell(e)
		cell := Cell{Env: e, State: c.State, Type: c.Type, Path: u.Files[e], Line: line(c.Span)}
		cell.Odd = c.Type != "" && common != "" && c.Type != common
		for _, s := range c.Sealed {
			cell.Sealed = append(cell.Sealed, s.Short())
		}
		if c.State == rule.Empty {
			empty++
		}
		row.Drift = row.Drift || c.State == rule.Missing || cell.Odd
		row.Cells = append(row.Cells, cell)
	}
	row.Drift = row.Drift || empty > 0 && empty < len(in.Present)
	return row
}

func line(s syntax.Span) int { return s.Start.Line }

// mostCommon is the type that most of a key's sealed values have; "" where none is.
func mostCommon(r *rule.Row, envs []string) string {
	n := map[string]int{}
	for _, e := range envs {
		if t := r.Cell(e).Type; t != "" {
			n[t]++
		}
	}
	best := ""
	for t, count := range n {
		if count > n[best] || count == n[best] && t < best {
			best = t
		}
	}
	return best
}

// date fills in since when keys drift: by the youngest of the lines that have the key.
func (r *Report) date(ages Ages) {
	lines := map[string][]int{}
	each := func(f func(row *Row, c *Cell)) {
		for i := range r.Units {
			for j := range r.Units[i].Rows {
				row := &r.Units[i].Rows[j]
				for k := range row.Cells {
					if row.Drift && row.Cells[k].Line > 0 {
						f(row, &row.Cells[k])
					}
				}
			}
		}
	}
	each(func(_ *Row, c *Cell) { lines[c.Path] = append(lines[c.Path], c.Line) })
	known := map[string]map[int]time.Time{}
	for path, list := range lines {
		known[path] = ages(path, list)
	}
	each(func(row *Row, c *Cell) {
		if at, ok := known[c.Path][c.Line]; ok && at.After(row.Since) {
			row.Since = at
		}
	})
}

// Keep leaves out the units that keep refuses, and counts anew.
func (r *Report) Keep(keep func(*Unit) bool) {
	r.Units = slices.DeleteFunc(r.Units, func(u Unit) bool { return !keep(&u) })
	r.Environments = nil
	r.sum()
}

// sum counts for each environment.
func (r *Report) sum() {
	by := map[string]*Environment{}
	for _, u := range r.Units {
		for _, e := range u.Environments {
			if by[e] == nil {
				by[e] = &Environment{Name: e, Production: env.Production(e)}
			}
			by[e].Units++
		}
		for _, row := range u.Rows {
			for _, c := range row.Cells {
				switch c.State {
				case rule.Present:
					by[c.Env].Keys++
				case rule.Empty:
					by[c.Env].Keys++
					by[c.Env].Empty++
				case rule.Missing:
					by[c.Env].Missing++
				}
			}
		}
	}
	for _, e := range by {
		r.Environments = append(r.Environments, *e)
	}
	slices.SortFunc(r.Environments, func(a, b Environment) int {
		return cmp.Or(cmp.Compare(env.Rank(a.Name), env.Rank(b.Name)), cmp.Compare(a.Name, b.Name))
	})
}
