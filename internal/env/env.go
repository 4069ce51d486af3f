// Package env tells which environment and unit a path stands for, and why.
package env

import (
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
type Map struct{ places map[string]place }

type place struct {
	Place
	why string
}

// Detect makes the map of a tree; cfg may be nil.
func Detect(src Source, cfg *config.Config) (*Map, error) { panic("to be written") }

// Of returns the place of a path; ok is false where it belongs to no environment.
func (m *Map) Of(path string) (Place, bool) { panic("to be written") }

// Siblings returns the files of a unit, by environment, its own included.
func (m *Map) Siblings(unit string) map[string]string { panic("to be written") }

// Units returns the units with more than one environment, sorted.
func (m *Map) Units() []string { panic("to be written") }

// Environments returns the environments, least critical first, production last.
func (m *Map) Environments() []string { panic("to be written") }

// Why says in one sentence how the place of a path was found, or that it has none and why.
func (m *Map) Why(path string) string { panic("to be written") }

// Rank orders environments by how much is at stake: 0 for local and dev up to
// the highest for production. Production reports whether it is that.
func Rank(env string) int        { panic("to be written") }
func Production(env string) bool { panic("to be written") }

// Local reports whether env is a developer's own: local, dev, sandbox, ci, test.
func Local(env string) bool { panic("to be written") }
