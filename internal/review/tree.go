package review

import (
	"github.com/sealward/sealward/internal/env"
	"github.com/sealward/sealward/internal/sops"
	"github.com/sealward/sealward/internal/syntax"
	"github.com/sealward/sealward/internal/wiring"
)

// Tree is a snapshot as rules see it: everything is read at most once, on demand,
// and safe for concurrent use. Files equal in two trees are parsed once.
type Tree struct{}

// Files returns the files under review, sorted by path: no symbolic links, no
// submodules, nothing that the configuration takes out.
func (t *Tree) Files() []*File { panic("to be written") }

// File returns the file at path, or nil.
func (t *Tree) File(path string) *File { panic("to be written") }

// Paths returns the files' paths, sorted.
func (t *Tree) Paths() []string { panic("to be written") }

// Syntax returns the parsed file at path; it errors as fs.ReadFile does.
func (t *Tree) Syntax(path string) (*syntax.File, error) { panic("to be written") }

// Env returns the map of environments.
func (t *Tree) Env() *env.Map { panic("to be written") }

// Wiring returns how the tree's files are tied together.
func (t *Tree) Wiring() *wiring.Graph { panic("to be written") }

// SopsRules returns every .sops.yaml of the tree, by path.
func (t *Tree) SopsRules() map[string]*sops.Rules { panic("to be written") }

// SealedFiles returns the files with SOPS metadata, sorted by path.
func (t *Tree) SealedFiles() []*File { panic("to be written") }

// Ignored reports whether .gitignore keeps path out of the repository.
func (t *Tree) Ignored(path string) bool { panic("to be written") }

// File is one file of a tree.
type File struct {
	Path string
	Size int64
}

// Data returns the bytes; nil where the file cannot be read, which the report then names.
func (f *File) Data() []byte { panic("to be written") }

// Binary reports whether the content is not text.
func (f *File) Binary() bool { panic("to be written") }

// Syntax returns the parsed content, never nil.
func (f *File) Syntax() *syntax.File { panic("to be written") }

// Sops returns what SOPS wrote in the file, or nil.
func (f *File) Sops() *sops.File { panic("to be written") }
