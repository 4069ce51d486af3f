// Package repo gives a repository at one commit as a read-only tree, and a change
// as two of them.
//
// A [Snapshot] comes from a directory, a commit, the index or a tarball; whatever
// it comes from, it is an [fs.FS] that follows no symbolic link and runs nothing
// that the repository's own configuration names. This package alone runs git.
package repo

import (
	"io/fs"
	"time"
)

// Snapshot is a repository's tree at one moment. Every file of it can be opened
// by its slash-separated path; .git is never a part of it.
type Snapshot struct {
	fs.FS         // required; safe for concurrent use
	Commit string // the full commit id, or "" for a directory, the index or a tarball without one
	Name   string // what a person calls it, for messages: a directory, a revision
}

// Entry is one file of a snapshot, as [Snapshot.List] tells it.
type Entry struct {
	Path string      // as the repository has it: it need not be UTF-8
	Size int64       // bytes; 0 where a partial clone does not know it
	Mode fs.FileMode // regular, fs.ModeSymlink, or fs.ModeIrregular for a submodule
	// ID names the content where the snapshot knows it without reading (git's blob
	// id), else "". Equal non-empty IDs are equal contents.
	ID string
}

// Lister is a file system that lists its files, sorted by path, faster than
// fs.WalkDir does.
type Lister interface {
	List() ([]Entry, error)
}

// Namer is a file system that can list its files without looking at each: the Size of
// a regular one may be -1.
type Namer interface {
	Names() []Entry
}

// IntoReader is a file system that reads into the caller's memory, and no more of a
// file than is wanted.
type IntoReader interface {
	// ReadInto reads a file as fs.ReadFile does, into buf where it fits. Where whole
	// is not nil and says no to the beginning of the file (at least 8,000 bytes or all
	// of it) and its size, that beginning may be all that is returned.
	ReadInto(name string, buf []byte, whole func(head []byte, size int64) bool) ([]byte, error)
}

// Kind is what happened to a file.
type Kind uint8

// The kinds of a change to a file.
const (
	Modified Kind = iota
	Added
	Deleted
	Renamed // Old names where it was; the content may differ too
)

// Lines is a run of lines, First and Last included, from 1.
type Lines struct{ First, Last int }

// FileChange is one file that differs between two snapshots.
type FileChange struct {
	Kind  Kind
	Path  string  // in Head; in Base for a deleted one
	Old   string  // in Base: as Path, but for Renamed; "" for Added
	Added []Lines // of Head, ascending; nil for a deleted or a binary file
	ID    string  // names the content in Head where that is known; see Entry.ID
}

// Commit is one commit between Base and Head.
type Commit struct {
	ID      string // full
	Subject string // untrusted text
	When    time.Time
	Files   []FileChange // against the first parent; Added lines are not filled in
	Tree    Snapshot     // at least the changed files as they were in this commit
}

// Change is what a review looks at. Base may be the zero Snapshot: then the whole
// of Head is new.
type Change struct {
	Base, Head Snapshot
	Commits    []Commit // between the two, oldest first
	Files      []FileChange
	Incomplete []string // what could not be read of the change, each a sentence that says why
}

// Edit replaces a file's content; nil Data deletes it.
type Edit struct {
	Path string
	Data []byte
}

// Proposal is a change that a forge is asked to open as a pull request. Branch
// names it: the same request always proposes the same branch.
type Proposal struct {
	Repo    string // owner/name
	Onto    string // the branch it goes into
	Branch  string
	Message string // of the commit
	Title   string
	Body    string // Markdown
	Base    string // the commit that Edits were made against
	Edits   []Edit
}

// PullRequest is a proposal that was opened.
type PullRequest struct {
	Number int
	URL    string
}
