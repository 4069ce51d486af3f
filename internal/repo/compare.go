package repo

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"slices"
)

// maxCompared is how large a file may be for its lines to be compared, in bytes; of
// a larger one the lines from the first to the last difference count as added.
const maxCompared = 4 << 20

// Compare tells how head differs from base, renames and added lines included, sorted
// by path. Contents are read only where the snapshots' IDs do not tell. Either may be
// the zero Snapshot. What cannot be read counts as changed: who reviews the change
// reads it again, and says why it cannot be.
func Compare(ctx context.Context, base, head Snapshot) ([]FileChange, error) {
	before, err := listed(base)
	if err != nil {
		return nil, fmt.Errorf("compare: %w", err)
	}
	after, err := listed(head)
	if err != nil {
		return nil, fmt.Errorf("compare: %w", err)
	}
	c := comparison{ctx: ctx, base: base, head: head}
	if err := c.pair(before, after); err != nil {
		return nil, err
	}
	if err := c.renames(); err != nil {
		return nil, err
	}
	for i := range c.out {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		c.lines(&c.out[i])
	}
	slices.SortFunc(c.out, func(a, b FileChange) int { return cmp.Compare(a.Path, b.Path) })
	return c.out, nil
}

// listed are all entries of a snapshot, sorted; the zero Snapshot has none.
func listed(s Snapshot) ([]Entry, error) {
	if s.FS == nil {
		return nil, nil
	}
	list, err := s.List()
	if byPath := func(a, b Entry) int { return cmp.Compare(a.Path, b.Path) }; !slices.IsSortedFunc(list, byPath) {
		list = slices.SortedFunc(slices.Values(list), byPath)
	}
	return list, err
}

type comparison struct {
	ctx        context.Context
	base, head Snapshot
	out        []FileChange
	gone, new  []Entry
}

// pair walks both listings at once.
func (c *comparison) pair(before, after []Entry) error {
	for len(before) > 0 || len(after) > 0 {
		switch {
		case len(after) == 0 || len(before) > 0 && before[0].Path < after[0].Path:
			c.gone = append(c.gone, before[0])
			before = before[1:]
		case len(before) == 0 || after[0].Path < before[0].Path:
			c.new = append(c.new, after[0])
			after = after[1:]
		default:
			if c.ctx.Err() != nil {
				return context.Cause(c.ctx)
			}
			if !c.same(before[0], after[0]) {
				c.out = append(c.out, FileChange{Kind: Modified, Path: after[0].Path, Old: before[0].Path, ID: after[0].ID})
			}
			before, after = before[1:], after[1:]
		}
	}
	return nil
}

// same reports whether the files at one path are equal.
func (c *comparison) same(a, b Entry) bool {
	switch {
	case a.Mode.Type() != b.Mode.Type():
		return false
	case a.ID != "" && b.ID != "":
		return a.ID == b.ID
	case !a.Mode.IsRegular():
		return a.Mode&fs.ModeSymlink == 0 || a.Size == b.Size // neither is read
	case a.Size != b.Size:
		return false
	}
	// One blob id and one content are enough: the other side need not be read.
	var x, y []byte
	var err error
	if b.ID == "" {
		if y, err = fs.ReadFile(c.head.FS, b.Path); err != nil {
			return false
		}
		if a.ID != "" && blobID(y, a.ID) == a.ID {
			return true
		}
	}
	if x, err = fs.ReadFile(c.base.FS, a.Path); err != nil {
		return false
	}
	if b.ID == "" {
		return bytes.Equal(x, y)
	}
	if blobID(x, b.ID) == b.ID {
		return true
	}
	y, err = fs.ReadFile(c.head.FS, b.Path)
	return err == nil && bytes.Equal(x, y)
}

// lines fills in which lines of Head are new.
func (c *comparison) lines(f *FileChange) {
	if f.Kind == Deleted {
		return
	}
	head, err := fs.ReadFile(c.head.FS, f.Path)
	if err != nil || isBinary(head) {
		return // or a link
	}
	var base []byte
	if f.Old != "" {
		base, _ = fs.ReadFile(c.base.FS, f.Old) // unreadable: every line is new
	}
	f.Added = AddedLines(base, head)
}

// isBinary is git's own test: a NUL in the first 8,000 bytes.
func isBinary(data []byte) bool { return bytes.IndexByte(data[:min(len(data), 8000)], 0) >= 0 }

// String is the kind's name.
func (k Kind) String() string {
	switch k {
	case Modified:
		return "modified"
	case Added:
		return "added"
	case Deleted:
		return "deleted"
	case Renamed:
		return "renamed"
	}
	return fmt.Sprintf("Kind(%d)", k)
}
