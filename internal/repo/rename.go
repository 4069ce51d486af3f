package repo

import (
	"bytes"
	"cmp"
	"context"
	"hash/maphash"
	"io/fs"
	"path"
	"slices"
)

const (
	// renamePairs bounds the pairs of files that are held against each other line by line.
	renamePairs = 10_000
	// renameRead bounds what is read to find renames, in bytes on each side.
	renameRead = 64 << 20
	// renameSize is how large a file may be for its lines to be held against others'.
	renameSize = 1 << 20
)

// renames pairs what is gone with what is new: equal contents first, then those that
// share half of their text or more, the most alike first.
func (c *comparison) renames() error {
	if len(c.gone) > 0 && len(c.new) > 0 {
		c.equal()
		if err := c.alike(); err != nil {
			return err
		}
	}
	for _, e := range c.gone {
		c.out = append(c.out, FileChange{Kind: Deleted, Path: e.Path, Old: e.Path})
	}
	for _, e := range c.new {
		c.out = append(c.out, FileChange{Kind: Added, Path: e.Path, ID: e.ID})
	}
	return nil
}

// equal pairs equal contents, those of the same name first.
func (c *comparison) equal() {
	like := ""
	sizes := [2]map[int64]bool{{}, {}}
	for n, list := range [2][]Entry{c.gone, c.new} {
		for _, e := range list {
			sizes[n][e.Size] = true
			like = cmp.Or(like, e.ID)
		}
	}
	budget := [2]int64{renameRead, renameRead}
	id := func(n int, s Snapshot, e Entry) string {
		if e.ID != "" || !e.Mode.IsRegular() || !sizes[1-n][e.Size] || budget[n] < e.Size || c.ctx.Err() != nil {
			return e.ID
		}
		budget[n] -= e.Size
		data, err := fs.ReadFile(s.FS, e.Path)
		if err != nil {
			return "" // it is like nothing
		}
		return blobID(data, like)
	}
	byID := map[string][]int{}
	for i, e := range c.gone {
		if e.Mode.IsRegular() && e.Size > 0 {
			key := id(0, c.base, e)
			byID[key] = append(byID[key], i)
		}
	}
	delete(byID, "")
	keys := make([]string, len(c.new))
	for i, e := range c.new {
		if e.Mode.IsRegular() && e.Size > 0 {
			keys[i] = id(1, c.head, e)
		}
	}
	pairs := map[int]int{}
	for _, sameName := range []bool{true, false} {
		for i, e := range c.new {
			if _, ok := pairs[i]; ok {
				continue
			}
			from := byID[keys[i]]
			at := slices.IndexFunc(from, func(j int) bool { return !sameName || path.Base(c.gone[j].Path) == path.Base(e.Path) })
			if at >= 0 {
				pairs[i] = from[at]
				byID[keys[i]] = slices.Delete(from, at, at+1)
			}
		}
	}
	c.take(pairs)
}

// take makes renames of pairs: index into new -> index into gone.
func (c *comparison) take(pairs map[int]int) {
	taken := make([]bool, len(c.gone))
	var rest []Entry
	for i, e := range c.new {
		j, ok := pairs[i]
		if !ok {
			rest = append(rest, e)
			continue
		}
		taken[j] = true
		c.out = append(c.out, FileChange{Kind: Renamed, Path: e.Path, Old: c.gone[j].Path, ID: e.ID})
	}
	var left []Entry
	for j, e := range c.gone {
		if !taken[j] {
			left = append(left, e)
		}
	}
	c.gone, c.new = left, rest
}

// likeness is how much two files share.
type likeness struct {
	gone, new int // indices
	share     float64
	sameName  bool
}

// alike pairs what shares half of its text.
func (c *comparison) alike() error {
	candidates := c.candidates()
	if len(candidates) == 0 {
		return nil
	}
	seed := maphash.MakeSeed()
	was := shapes{snap: c.base, entries: c.gone, seed: seed, known: map[int]shape{}, budget: renameRead}
	now := shapes{snap: c.head, entries: c.new, seed: seed, known: map[int]shape{}, budget: renameRead}
	found := candidates[:0]
	for _, l := range candidates {
		if c.ctx.Err() != nil {
			return context.Cause(c.ctx)
		}
		if l.share = share(was.of(l.gone), now.of(l.new)); l.share >= 0.5 {
			found = append(found, l)
		}
	}
	slices.SortStableFunc(found, func(a, b likeness) int {
		if d := cmp.Compare(b.share, a.share); d != 0 {
			return d
		}
		if a.sameName != b.sameName {
			if a.sameName {
				return -1
			}
			return 1
		}
		return 0
	})
	pairs, used := map[int]int{}, map[int]bool{}
	for _, l := range found {
		if _, ok := pairs[l.new]; !ok && !used[l.gone] {
			pairs[l.new], used[l.gone] = l.gone, true
		}
	}
	c.take(pairs)
	return nil
}

// candidates are the pairs worth a look: files of the same name, then any others, as
// far as the bound goes.
func (c *comparison) candidates() []likeness {
	fits := func(a, b Entry) bool {
		small, large := min(a.Size, b.Size), max(a.Size, b.Size)
		return a.Mode.IsRegular() && b.Mode.IsRegular() && large <= renameSize && small > 0 && 2*small >= large
	}
	byName := map[string][]int{}
	for j, a := range c.gone {
		byName[path.Base(a.Path)] = append(byName[path.Base(a.Path)], j)
	}
	var out []likeness
	for i, b := range c.new {
		for _, j := range byName[path.Base(b.Path)] {
			if len(out) < renamePairs && fits(c.gone[j], b) {
				out = append(out, likeness{gone: j, new: i, sameName: true})
			}
		}
	}
	if len(c.gone)*len(c.new) > renamePairs {
		return out
	}
	for i, b := range c.new {
		for j, a := range c.gone {
			if path.Base(a.Path) != path.Base(b.Path) && fits(a, b) {
				out = append(out, likeness{gone: j, new: i})
			}
		}
	}
	return out
}

// shape is a file's lines as a bag: the hash of each and the bytes it has in all.
type shape struct {
	lines map[uint64]int
	size  int
}

// shapes reads files once.
type shapes struct {
	snap    Snapshot
	entries []Entry
	seed    maphash.Seed
	known   map[int]shape
	budget  int64
}

func (s *shapes) of(i int) shape {
	if known, ok := s.known[i]; ok {
		return known
	}
	var made shape
	if s.budget -= s.entries[i].Size; s.budget >= 0 {
		if data, err := fs.ReadFile(s.snap.FS, s.entries[i].Path); err == nil && !isBinary(data) {
			made = shape{lines: map[uint64]int{}, size: len(data)}
			for line := range bytes.Lines(data) {
				made.lines[maphash.Bytes(s.seed, bytes.TrimRight(line, "\r\n"))] += len(line)
			}
		}
	}
	s.known[i] = made
	return made
}

// share is how much of the larger file both have, from 0 to 1.
func share(a, b shape) float64 {
	if a.size == 0 || b.size == 0 {
		return 0
	}
	both := 0
	for line, n := range a.lines {
		both += min(n, b.lines[line])
	}
	return float64(both) / float64(max(a.size, b.size))
}
