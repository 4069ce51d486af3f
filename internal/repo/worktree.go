package repo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"time"
)

var errBare = errors.New("the repository is bare: it has no work tree, name a revision")

// WorkTree opens the files that git tracks, without those that are deleted, and those
// that git add would add. A file whose times and size are what git last saw has the
// ID of its blob and is that blob: where a filter (git-lfs, git-crypt, line ends)
// shows something else in the work tree, what git would commit is read. Filters are
// not run, so that a filtered file that is being edited is read as it stands.
// Its files can be read until ctx ends.
func (g *Git) WorkTree(ctx context.Context) (Snapshot, error) {
	if g.root == "" {
		return Snapshot{}, errBare
	}
	var staged []indexEntry
	var others []byte
	if err := both(
		func() (err error) { staged, err = g.staged(ctx); return err },
		func() (err error) { others, err = g.untracked(ctx); return err },
	); err != nil {
		return Snapshot{}, err
	}
	in, err := g.workTree()
	if err != nil {
		return Snapshot{}, err
	}
	in.forget()
	l := workList{in: in, indexTime: g.indexTime()}
	l.addStaged(staged)
	for p := range strings.SplitSeq(string(others), "\x00") {
		l.addOther(p)
	}
	if err := l.filtered(ctx, g); err != nil {
		return Snapshot{}, err
	}
	context.AfterFunc(ctx, g.blobs.rest)
	fsys := newTreeFS(l.entries, func(_ int, e Entry) ([]byte, error) { return g.readWork(ctx, in, e) })
	fsys.readInto = func(e Entry, buf []byte, whole func([]byte, int64) bool) ([]byte, error) {
		return g.readWorkInto(ctx, in, e, buf, whole)
	}
	return Snapshot{FS: fsys, Name: "the work tree"}, nil
}

// untracked lists the files that git add would add, each ended by NUL.
func (g *Git) untracked(ctx context.Context) ([]byte, error) {
	args, err := g.excluding(ctx, "ls-files", "-z", "--others", "--exclude-standard")
	if err != nil {
		return nil, err
	}
	return g.run(ctx, nil, args...)
}

// both runs two things at once, and returns the first's error, or else the second's.
func both(a, b func() error) error {
	done := make(chan error, 1)
	go func() { done <- b() }()
	err := a()
	if errB := <-done; err == nil {
		err = errB
	}
	return err
}

// readWorkInto is readWork into buf. One with an ID is read whole: only all of it
// tells that it is that blob.
func (g *Git) readWorkInto(ctx context.Context, in *rooted, e Entry, buf []byte, whole func([]byte, int64) bool) ([]byte, error) {
	if e.ID == "" {
		return in.readInto(e.Path, anySize, buf, whole)
	}
	if data, err := in.readInto(e.Path, e.Size, buf, nil); err == nil && blobID(data, e.ID) == e.ID {
		return data, nil
	}
	return g.blobs.one(ctx, e.ID)
}

// readWork reads a file of the work tree. One with an ID is that blob, wherever its
// bytes are found.
func (g *Git) readWork(ctx context.Context, in *rooted, e Entry) ([]byte, error) {
	if e.ID == "" {
		return in.read(e.Path, anySize)
	}
	if data, err := in.read(e.Path, e.Size); err == nil && blobID(data, e.ID) == e.ID {
		return data, nil
	}
	return g.blobs.one(ctx, e.ID)
}

// workList gathers the files of a work tree.
type workList struct {
	in        *rooted
	indexTime time.Time
	entries   []Entry
}

// addStaged adds the tracked files, each once though a conflict names it thrice.
func (l *workList) addStaged(staged []indexEntry) {
	for i, s := range staged {
		if i > 0 && staged[i-1].Path == s.Path {
			continue
		}
		if s.Mode == fs.ModeIrregular {
			l.entries = append(l.entries, s.Entry) // a submodule
			continue
		}
		e, info, there := l.onDisk(s.Path)
		switch {
		case !there && s.flags&flagSkip != 0: // a sparse checkout leaves it to the repository
			e = s.Entry
			e.Size = -1
		case !there:
			continue
		case l.unchanged(s, info):
			e.ID = s.ID
		}
		l.entries = append(l.entries, e)
	}
}

// addOther adds an untracked file, or a repository that lies in this one.
func (l *workList) addOther(p string) {
	if nested, ok := strings.CutSuffix(p, "/"); ok {
		l.entries = append(l.entries, Entry{Path: nested, Mode: fs.ModeIrregular})
	} else if p != "" {
		if e, _, ok := l.onDisk(p); ok {
			l.entries = append(l.entries, e)
		}
	}
}

// onDisk tells what stands at a path. What cannot be looked at is there: reading it
// says what is wrong.
func (l *workList) onDisk(p string) (e Entry, info fs.FileInfo, ok bool) {
	if l.in.throughLink(path.Dir(p)) {
		return e, nil, false
	}
	info, err := l.in.lstat(p)
	switch {
	case errors.Is(err, fs.ErrNotExist) || isNotDir(err):
		return e, nil, false
	case err != nil:
		return Entry{Path: p}, nil, true
	case info.IsDir():
		return e, nil, false
	}
	return Entry{Path: p, Size: info.Size(), Mode: listedMode(info.Mode())}, info, true
}

// unchanged reports whether a file is what it was when git last looked. One that
// changed in the very moment in which the index was written may look so: it is not
// trusted.
func (l *workList) unchanged(s indexEntry, info fs.FileInfo) bool {
	return info != nil && info.Mode().IsRegular() && s.stage == 0 && s.Mode.IsRegular() && s.size == info.Size() &&
		s.mtime.Before(l.indexTime) && s.mtime.Equal(info.ModTime()) && sameInode(info, s.ctime, s.ino)
}

// largeOnDisk is from what size on a filter is looked for by the blob's own size:
// what git-lfs shows as a disk image is a line of text to git.
const largeOnDisk = 1 << 20

// filtered corrects the sizes of files that are not on disk, and of large ones.
func (l *workList) filtered(ctx context.Context, g *Git) error {
	var at []int
	var ids []string
	for i, e := range l.entries {
		if e.ID != "" && e.Mode.IsRegular() && (e.Size < 0 || e.Size > largeOnDisk) {
			at, ids = append(at, i), append(ids, e.ID)
		}
	}
	sizes, err := g.sizes(ctx, ids)
	for n, i := range at {
		if err == nil {
			l.entries[i].Size = sizes[n]
		}
	}
	return err
}

// indexTime is when the index was written; the zero time trusts nothing.
func (g *Git) indexTime() time.Time {
	info, err := os.Stat(g.indexFile)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// Flags of an entry of the index.
const (
	flagIntent = 1 << 29 // git add --intent-to-add: nothing is staged
	flagSkip   = 1 << 30 // a sparse checkout leaves the file out of the work tree
)

// indexEntry is a file of the index with what it was when git last looked.
type indexEntry struct {
	Entry
	stage        int
	mtime, ctime time.Time
	ino          uint32 // the lower half
	size         int64  // on disk
	flags        uint64
}

// staged reads the index.
func (g *Git) staged(ctx context.Context) ([]indexEntry, error) {
	out, err := g.run(ctx, nil, "ls-files", "-z", "--stage", "--debug")
	if err != nil {
		return nil, err
	}
	return parseIndex(out)
}

// parseIndex reads what git ls-files -z --stage --debug prints: a line that ends in
// NUL, and indented lines on what the file was like. Git does not promise the latter:
// where they look different the files are read and not trusted to be unchanged.
func parseIndex(out []byte) ([]indexEntry, error) {
	var entries []indexEntry
	for len(out) > 0 {
		line, rest, ok := bytes.Cut(out, []byte{0})
		meta, p, tab := bytes.Cut(line, []byte("\t"))
		f := bytes.Fields(meta) // mode id stage
		if !ok || !tab || len(f) != 3 || len(p) == 0 {
			return nil, fmt.Errorf("git ls-files: %w", errAnswer)
		}
		e := indexEntry{Entry: Entry{Path: string(p), Mode: gitMode(string(f[0])), ID: string(f[1])}, size: -1}
		e.stage, _ = strconv.Atoi(string(f[2]))
		out = e.seen(rest)
		entries = append(entries, e)
	}
	return entries, nil
}

// seen reads the indented lines and returns what is behind them.
func (e *indexEntry) seen(out []byte) []byte {
	for bytes.HasPrefix(out, []byte("  ")) {
		line, rest, _ := bytes.Cut(out, []byte("\n"))
		out = rest
		f := strings.Fields(string(line))
		for i := 0; i+1 < len(f); i += 2 {
			switch f[i] {
			case "mtime:":
				e.mtime = seenTime(f[i+1])
			case "ctime:":
				e.ctime = seenTime(f[i+1])
			case "ino:":
				n, _ := strconv.ParseUint(f[i+1], 10, 64)
				e.ino = uint32(n)
			case "size:":
				if n, err := strconv.ParseInt(f[i+1], 10, 64); err == nil {
					e.size = n
				}
			case "flags:":
				e.flags, _ = strconv.ParseUint(f[i+1], 16, 64)
			}
		}
	}
	return out
}

// seenTime reads seconds:nanoseconds.
func seenTime(text string) time.Time {
	s, ns, _ := strings.Cut(text, ":")
	sec, err := strconv.ParseInt(s, 10, 64)
	nsec, err2 := strconv.ParseInt(ns, 10, 64)
	if err != nil || err2 != nil {
		return time.Time{}
	}
	return time.Unix(sec, nsec)
}
