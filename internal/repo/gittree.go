package repo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// Snapshot opens a revision. Its files can be read until ctx ends.
func (g *Git) Snapshot(ctx context.Context, rev string) (Snapshot, error) {
	id, err := g.Resolve(ctx, rev)
	if err != nil {
		return Snapshot{}, err
	}
	fsys, err := g.tree(ctx, id)
	if err != nil {
		return Snapshot{}, err
	}
	context.AfterFunc(ctx, g.blobs.rest)
	return Snapshot{FS: fsys, Commit: id, Name: rev}, nil
}

// tree lists the files of a commit.
func (g *Git) tree(ctx context.Context, id string) (*treeFS, error) {
	out, err := g.run(ctx, nil, "ls-tree", "-r", "-z", "-l", "--full-tree", id)
	if err != nil && ctx.Err() == nil {
		// A partial clone lacks blobs, and so their sizes: reading them says so, one by one.
		out, err = g.run(ctx, nil, "ls-tree", "-r", "-z", "--full-tree", id)
	}
	if err != nil {
		return nil, fmt.Errorf("list the files of commit %s: %w", short(id), err)
	}
	entries, err := parseTree(out)
	if err != nil {
		return nil, fmt.Errorf("list the files of commit %s: %w", short(id), err)
	}
	return g.blobFS(ctx, entries), nil
}

func short(id string) string { return id[:min(12, len(id))] }

// blobFS is a file system of blobs.
func (g *Git) blobFS(ctx context.Context, entries []Entry) *treeFS {
	a := &ahead{ctx: ctx, blobs: &g.blobs}
	t := newTreeFS(entries, a.read)
	a.entries = t.entries
	return t
}

var errAnswer = errors.New("its answer was not understood: git 2.33 or newer is needed")

// parseTree reads what git ls-tree -z prints, sizes or not. Two files of one name
// are an error: a reader would see one of them and miss the other.
func parseTree(out []byte) ([]Entry, error) {
	entries := make([]Entry, 0, bytes.Count(out, []byte{0}))
	seen := make(map[string]bool, cap(entries))
	for len(out) > 0 {
		line, rest, ok := bytes.Cut(out, []byte{0})
		meta, p, tab := bytes.Cut(line, []byte("\t"))
		f := bytes.Fields(meta) // mode type id [size]
		if !ok || !tab || len(f) < 3 || len(p) == 0 {
			return nil, errAnswer
		}
		out = rest
		e := Entry{Path: string(p), Mode: gitMode(string(f[0])), ID: string(f[2])}
		if len(f) > 3 {
			e.Size, _ = strconv.ParseInt(string(f[3]), 10, 64) // a submodule has "-"
		}
		if seen[e.Path] {
			return nil, fmt.Errorf("the tree names %q twice: git fsck tells more", e.Path)
		}
		seen[e.Path] = true
		entries = append(entries, e)
	}
	return entries, nil
}

func gitMode(octal string) fs.FileMode {
	switch octal {
	case "120000":
		return fs.ModeSymlink
	case "160000":
		return fs.ModeIrregular
	case "100755":
		return 0o755
	}
	return 0o644 // git knows no others but the odd ones that it once wrote, such as 100664
}

// Index opens what is staged. A conflict is an error, as it is for git commit. Its
// files can be read until ctx ends.
func (g *Git) Index(ctx context.Context) (Snapshot, error) {
	if g.bare {
		return Snapshot{}, errBare
	}
	staged, err := g.staged(ctx)
	if err != nil {
		return Snapshot{}, err
	}
	entries := make([]Entry, 0, len(staged))
	ids := make([]string, 0, len(staged))
	for _, s := range staged {
		if s.stage != 0 {
			return Snapshot{}, fmt.Errorf("the index has a conflict at %q: resolve it and git add the file", s.Path)
		}
		if s.flags&flagIntent == 0 {
			entries = append(entries, s.Entry)
			ids = append(ids, s.ID)
		}
	}
	sizes, err := g.sizes(ctx, ids)
	if err != nil {
		return Snapshot{}, err
	}
	for i := range entries {
		entries[i].Size = sizes[i]
	}
	context.AfterFunc(ctx, g.blobs.rest)
	return Snapshot{FS: g.blobFS(ctx, entries), Name: "the index"}, nil
}

// sizes asks for the sizes of blobs, in order; of what is not there it is 0.
func (g *Git) sizes(ctx context.Context, ids []string) ([]int64, error) {
	sizes := make([]int64, len(ids))
	if len(ids) == 0 {
		return sizes, nil
	}
	out, err := g.run(ctx, []byte(strings.Join(ids, "\n")+"\n"), "cat-file", "--batch-check=%(objectsize)")
	if err != nil {
		return nil, err
	}
	i := 0
	for line := range bytes.Lines(out) {
		if i < len(sizes) {
			sizes[i], _ = strconv.ParseInt(string(bytes.TrimSpace(line)), 10, 64)
		}
		i++
	}
	if i != len(sizes) {
		return nil, fmt.Errorf("git cat-file: %w", errAnswer)
	}
	return sizes, nil
}
