package repo

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"path"
	"slices"
)

const (
	// maxCompared is how large a file may be for its lines to be compared, in bytes; of
	// a larger one every line counts as added.
	maxCompared = 4 << 20
	// renameCandidates bounds the added and deleted files that are compared with each other.
	renameCandidates = 100
)

// Compare tells how head differs from base, renames and added lines included, sorted
// by path. Contents are read only where the snapshots' IDs do not tell. Either may be
// the zero Snapshot.
func Compare(ctx context.Context, base, head Snapshot) ([]FileChange, error) {
	before, err := listed(base)
	if err != nil {
		return nil, err
	}
	after, err := listed(head)
	if err != nil {
		return nil, err
	}
	c := comparison{ctx: ctx, base: base, head: head}
	if err := c.pair(before, after); err != nil {
		return nil, err
	}
	c.renames()
	for i := range c.out {
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		c.lines(&c.out[i])
	}
	slices.SortFunc(c.out, func(a, b FileChange) int { return cmp.Compare(a.Path, b.Path) })
	return c.out, nil
}

// listed are the regular files of a snapshot, and of the others those names.
func listed(s Snapshot) ([]Entry, error) {
	if s.FS == nil {
		return nil, nil
	}
	return s.List()
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
			same, err := c.same(before[0], after[0])
			if err != nil {
				return err
			}
			if !same {
				c.out = append(c.out, FileChange{Kind: Modified, Path: after[0].Path, Old: before[0].Path, ID: after[0].ID})
			}
			before, after = before[1:], after[1:]
		}
	}
	return nil
}

// same reports whether two files at one path are equal. What cannot be read counts as
// changed: the review names it when it tries.
func (c *comparison) same(a, b Entry) (bool, error) {
	if err := c.ctx.Err(); err != nil {
		return false, context.Cause(c.ctx)
	}
	if a.Mode.Type() != b.Mode.Type() {
		return false, nil
	}
	if a.ID != "" && b.ID != "" {
		return a.ID == b.ID, nil
	}
	if !a.Mode.IsRegular() {
		return a.Mode&fs.ModeSymlink == 0 || a.Size == b.Size, nil // not read either way
	}
	if a.Size != b.Size {
		return false, nil
	}
	x, err := fs.ReadFile(c.base.FS, a.Path)
	if err != nil {
		return false, nil
	}
	y, err := fs.ReadFile(c.head.FS, b.Path)
	return err == nil && bytes.Equal(x, y), nil
}

// renames pairs what is gone with what is new: first equal contents, then the most
// alike of a bounded number.
func (c *comparison) renames() {
	contents := map[Entry][]byte{}
	read := func(s Snapshot, e Entry) []byte {
		if data, ok := contents[e]; ok {
			return data
		}
		var data []byte
		if e.Mode.IsRegular() && e.Size <= maxCompared {
			data, _ = fs.ReadFile(s.FS, e.Path) // unreadable is like nothing
		}
		contents[e] = data
		return data
	}
	c.rename(func(a, b Entry) bool {
		return a.ID != "" && b.ID != "" && a.ID == b.ID || (a.ID == "" || b.ID == "") && a.Size == b.Size && a.Size > 0 &&
			len(c.gone)*len(c.new) <= renameCandidates*renameCandidates && bytes.Equal(read(c.base, a), read(c.head, b))
	})
	if len(c.gone) > 0 && len(c.new) > 0 && len(c.gone) <= renameCandidates && len(c.new) <= renameCandidates {
		c.rename(func(a, b Entry) bool {
			near := path.Base(a.Path) == path.Base(b.Path) || path.Dir(a.Path) == path.Dir(b.Path) || path.Ext(a.Path) == path.Ext(b.Path)
			return near && alike(read(c.base, a), read(c.head, b))
		})
	}
	for _, e := range c.gone {
		c.out = append(c.out, FileChange{Kind: Deleted, Path: e.Path, Old: e.Path})
	}
	for _, e := range c.new {
		c.out = append(c.out, FileChange{Kind: Added, Path: e.Path, ID: e.ID})
	}
}

// rename takes every pair that match holds for, each file once.
func (c *comparison) rename(match func(a, b Entry) bool) {
	c.new = slices.DeleteFunc(c.new, func(b Entry) bool {
		i := slices.IndexFunc(c.gone, func(a Entry) bool { return a.Mode.IsRegular() && b.Mode.IsRegular() && match(a, b) })
		if i < 0 {
			return false
		}
		c.out = append(c.out, FileChange{Kind: Renamed, Path: b.Path, Old: c.gone[i].Path, ID: b.ID})
		c.gone = slices.Delete(c.gone, i, i+1)
		return true
	})
}

// alike reports whether two texts share at least half of their lines.
func alike(a, b []byte) bool {
	if len(a) == 0 || len(b) == 0 || len(a) > 4*len(b) || len(b) > 4*len(a) {
		return false
	}
	have := map[string]int{}
	for line := range bytes.Lines(a) {
		have[string(line)] += len(line)
	}
	shared := 0
	for line := range bytes.Lines(b) {
		if n := len(line); have[string(line)] >= n {
			have[string(line)] -= n
			shared += n
		}
	}
	return shared*2 >= max(len(a), len(b))
}

// lines fills in which lines of Head are new.
func (c *comparison) lines(f *FileChange) {
	if f.Kind == Deleted {
		return
	}
	head, err := fs.ReadFile(c.head.FS, f.Path)
	if err != nil || bytes.IndexByte(head[:min(len(head), 8000)], 0) >= 0 {
		return // unreadable, a link, or binary
	}
	var base []byte
	if f.Old != "" {
		base, _ = fs.ReadFile(c.base.FS, f.Old) // unreadable: every line is new
	}
	f.Added = AddedLines(base, head)
}

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
