package repo

import (
	"context"
	"io"
)

// List returns every file of s, sorted by path.
func (s Snapshot) List() ([]Entry, error) { panic("to be written") }

// OpenDir opens the files below dir, whatever git says of them.
func OpenDir(dir string) (Snapshot, error) { panic("to be written") }

// Limits bound what an archive may hold; zero means the default.
type Limits struct {
	Files     int
	FileSize  int64
	TotalSize int64
}

// ReadTar reads a tarball (gzip or plain) into memory. keep says which paths are
// wanted; nil keeps all. strip cuts leading path segments (1 for GitHub's).
func ReadTar(r io.Reader, strip int, keep func(Entry) bool, lim Limits) (Snapshot, error) {
	panic("to be written")
}

// Compare tells how head differs from base, renames and added lines included.
func Compare(ctx context.Context, base, head Snapshot) ([]FileChange, error) { panic("to be written") }

// Git is a local git repository, asked through the git command with everything
// switched off that a repository's configuration could make it run.
type Git struct{ dir string }

// FindGit opens the repository that dir lies in. It returns [ErrNotGit] where there is none.
func FindGit(ctx context.Context, dir string) (*Git, error) { panic("to be written") }

// Root is the work tree's top directory, or "" for a bare repository.
func (g *Git) Root() string { panic("to be written") }

// Resolve returns the commit id of a revision.
func (g *Git) Resolve(ctx context.Context, rev string) (string, error) { panic("to be written") }

// DefaultBranch returns the revision that changes are measured against: origin's
// HEAD, else main or master; it errors with the way out when there is none.
func (g *Git) DefaultBranch(ctx context.Context) (string, error) { panic("to be written") }

// MergeBase returns the best common ancestor of two revisions.
func (g *Git) MergeBase(ctx context.Context, a, b string) (string, error) { panic("to be written") }

// Snapshot opens a revision.
func (g *Git) Snapshot(ctx context.Context, rev string) (Snapshot, error) { panic("to be written") }

// Index opens what is staged.
func (g *Git) Index(ctx context.Context) (Snapshot, error) { panic("to be written") }

// WorkTree opens the files that git tracks, and those that it would offer to add.
func (g *Git) WorkTree(ctx context.Context) (Snapshot, error) { panic("to be written") }

// Commits returns the commits that head has and base has not, oldest first, merges included.
func (g *Git) Commits(ctx context.Context, base, head string) ([]Commit, error) {
	panic("to be written")
}

// Ignored reports which of the paths .gitignore keeps out of the repository.
func (g *Git) Ignored(ctx context.Context, paths []string) (map[string]bool, error) {
	panic("to be written")
}

// Close ends the helper processes.
func (g *Git) Close() error { panic("to be written") }
