package repo

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Snapshot opens a revision.
func (g *Git) Snapshot(ctx context.Context, rev string) (Snapshot, error) {
	id, err := g.Resolve(ctx, rev)
	if err != nil {
		return Snapshot{}, err
	}
	entries, err := g.lsTree(ctx, id)
	if err != nil {
		return Snapshot{}, err
	}
	return Snapshot{FS: newTreeFS(entries, g.readBlob(ctx)), Commit: id, Name: rev}, nil
}

func (g *Git) lsTree(ctx context.Context, id string) ([]Entry, error) {
	out, err := g.run(ctx, nil, "ls-tree", "-r", "-z", "-l", "--full-tree", id)
	if err != nil {
		return nil, err
	}
	entries := make([]Entry, 0, bytes.Count(out, []byte{0}))
	for line := range bytes.SplitSeq(out, []byte{0}) {
		meta, p, ok := bytes.Cut(line, []byte("\t"))
		if !ok {
			continue
		}
		f := bytes.Fields(meta) // mode type id size
		if len(f) != 4 {
			return nil, errors.New("git ls-tree: its answer was not understood")
		}
		size, _ := strconv.ParseInt(string(f[3]), 10, 64)
		entries = append(entries, Entry{Path: string(p), Size: size, Mode: gitMode(string(f[0])), ID: string(f[2])})
	}
	return entries, nil
}

func gitMode(octal string) fs.FileMode {
	switch octal {
	case "100644", "100664":
		return 0o644
	case "100755":
		return 0o755
	case "120000":
		return fs.ModeSymlink
	}
	return fs.ModeIrregular
}

// Index opens what is staged.
func (g *Git) Index(ctx context.Context) (Snapshot, error) {
	staged, err := g.staged(ctx)
	if err != nil {
		return Snapshot{}, err
	}
	entries := make([]Entry, 0, len(staged))
	ids := make([]string, 0, len(staged))
	for _, s := range staged {
		entries = append(entries, s.Entry)
		ids = append(ids, s.ID)
	}
	sizes, err := g.sizes(ctx, ids)
	if err != nil {
		return Snapshot{}, err
	}
	for i := range entries {
		entries[i].Size = sizes[i]
	}
	return Snapshot{FS: newTreeFS(entries, g.readBlob(ctx)), Name: "the index"}, nil
}

// indexEntry is a file of the index with what it was when git last looked.
type indexEntry struct {
	Entry
	mtime time.Time
	size  int64
}

// staged reads the index, with each file's time and size. In a conflict the file
// stands there up to three times: what it is to become is the work tree's business,
// and the first is taken.
func (g *Git) staged(ctx context.Context) ([]indexEntry, error) {
	out, err := g.run(ctx, nil, "ls-files", "-z", "--stage", "--debug")
	if err != nil {
		return nil, err
	}
	var entries []indexEntry
	for len(out) > 0 {
		head, rest, ok := bytes.Cut(out, []byte{0})
		meta, p, tab := bytes.Cut(head, []byte("\t"))
		f := bytes.Fields(meta)
		if !ok || !tab || len(f) != 3 {
			return nil, errors.New("git ls-files: its answer was not understood")
		}
		e := indexEntry{Entry: Entry{Path: string(p), Mode: gitMode(string(f[0])), ID: string(f[1])}}
		out = e.debug(rest)
		if n := len(entries); n == 0 || entries[n-1].Path != e.Path {
			entries = append(entries, e)
		}
	}
	return entries, nil
}

// debug reads the five lines that --debug prints behind an entry and returns the rest.
func (e *indexEntry) debug(out []byte) []byte {
	for range 5 {
		line, rest, ok := bytes.Cut(out, []byte("\n"))
		if !ok || !bytes.HasPrefix(line, []byte("  ")) {
			return out
		}
		out = rest
		text := strings.TrimSpace(string(line))
		switch {
		case strings.HasPrefix(text, "mtime: "):
			s, ns, _ := strings.Cut(text[len("mtime: "):], ":")
			sec, _ := strconv.ParseInt(s, 10, 64)
			nsec, _ := strconv.ParseInt(ns, 10, 64)
			e.mtime = time.Unix(sec, nsec)
		case strings.HasPrefix(text, "size: "):
			e.size, _ = strconv.ParseInt(strings.Fields(text)[1], 10, 64)
		}
	}
	return out
}

// sizes asks for the sizes of blobs, in order.
func (g *Git) sizes(ctx context.Context, ids []string) ([]int64, error) {
	out, err := g.run(ctx, []byte(strings.Join(ids, "\n")+"\n"), "cat-file", "--batch-check=%(objectsize)")
	if err != nil {
		return nil, err
	}
	sizes := make([]int64, len(ids))
	i := 0
	for line := range strings.Lines(string(out)) {
		if i < len(sizes) {
			sizes[i], _ = strconv.ParseInt(strings.TrimSpace(line), 10, 64) // a submodule has none here
		}
		i++
	}
	return sizes, nil
}

// WorkTree opens the files that git tracks, and those that it would offer to add.
// A file whose time and size are what git last saw has the ID of its blob.
func (g *Git) WorkTree(ctx context.Context) (Snapshot, error) {
	if g.root == "" {
		return Snapshot{}, errors.New("the repository is bare: it has no work tree, name a revision")
	}
	staged, err := g.staged(ctx)
	if err != nil {
		return Snapshot{}, err
	}
	others, err := g.run(ctx, nil, "ls-files", "-z", "--others", "--exclude-standard")
	if err != nil {
		return Snapshot{}, err
	}
	root, err := g.workRoot()
	if err != nil {
		return Snapshot{}, err
	}
	indexTime := g.indexTime(ctx)
	entries := make([]Entry, 0, len(staged))
	for _, s := range staged {
		if e, ok := onDisk(root, s, indexTime); ok {
			entries = append(entries, e)
		}
	}
	for p := range strings.SplitSeq(string(others), "\x00") {
		if p == "" || strings.HasSuffix(p, "/") { // a repository inside of this one
			continue
		}
		if e, ok := onDisk(root, indexEntry{Entry: Entry{Path: p}}, indexTime); ok {
			entries = append(entries, e)
		}
	}
	return Snapshot{FS: newTreeFS(entries, readIn(root)), Name: "the work tree"}, nil
}

func (g *Git) workRoot() (*os.Root, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.work == nil {
		root, err := os.OpenRoot(g.root)
		if err != nil {
			return nil, fmt.Errorf("open the work tree: %w", rootCause(err))
		}
		g.work = root
	}
	return g.work, nil
}

func (g *Git) indexTime(ctx context.Context) time.Time {
	name := os.Getenv("GIT_INDEX_FILE")
	if name == "" {
		out, err := g.run(ctx, nil, "rev-parse", "--git-path", "index")
		if err != nil {
			return time.Time{}
		}
		name = strings.TrimSuffix(string(out), "\n")
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(g.dir, name)
	}
	info, err := os.Stat(name)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// onDisk tells what stands in the work tree at an entry's path. A file changed in the
// very moment that the index was written may look unchanged: its ID is not trusted.
func onDisk(root *os.Root, s indexEntry, indexTime time.Time) (Entry, bool) {
	if s.Mode == fs.ModeIrregular {
		return s.Entry, true // a submodule
	}
	info, err := root.Lstat(s.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return Entry{}, false
	}
	e := Entry{Path: s.Path, Mode: fs.ModeIrregular}
	if err != nil {
		e.Mode = 0o644 // opening it says what is wrong
		return e, true
	}
	if info.IsDir() {
		return Entry{}, false
	}
	e.Mode, e.Size = listedMode(info.Mode()), info.Size()
	if s.ID != "" && e.Mode.IsRegular() && s.size == info.Size() && s.mtime.Equal(info.ModTime()) && s.mtime.Before(indexTime) {
		e.ID = s.ID
	}
	return e, true
}

// readBlob reads blobs by a pool of git processes.
func (g *Git) readBlob(ctx context.Context) func(Entry) ([]byte, error) {
	return func(e Entry) ([]byte, error) { return g.blob(ctx, e.ID) }
}

func (g *Git) blob(ctx context.Context, id string) ([]byte, error) {
	r, err := g.reader(ctx)
	if err != nil {
		return nil, err
	}
	data, err := r.read(id)
	if err != nil && !errors.Is(err, errNoBlob) && !errors.Is(err, errBigBlob) {
		r.stop()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		r.stop()
	} else {
		g.readers = append(g.readers, r)
	}
	return data, err
}

// blobReader is one "git cat-file --batch". It is used by one caller at a time.
type blobReader struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

var errNoBlob = errors.New("the object is not in this clone: fetch it with git fetch --refetch, or clone without --filter")

// maxBlob is how large a blob may be, in bytes.
const maxBlob = 64 << 20

var errBigBlob = fmt.Errorf("it is larger than the %d MB that are read of one file", maxBlob>>20)

func (g *Git) reader(ctx context.Context) (*blobReader, error) {
	g.mu.Lock()
	if n := len(g.readers); n > 0 {
		r := g.readers[n-1]
		g.readers = g.readers[:n-1]
		g.mu.Unlock()
		return r, nil
	}
	closed := g.closed
	g.mu.Unlock()
	if closed {
		return nil, errors.New("the repository was closed")
	}
	cmd := g.command(ctx, "cat-file", "--batch")
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, gitError(ctx, []string{"cat-file"}, err, "")
	}
	return &blobReader{cmd, in, bufio.NewReaderSize(out, 1<<16)}, nil
}

func (r *blobReader) read(id string) ([]byte, error) {
	if _, err := io.WriteString(r.in, id+"\n"); err != nil {
		return nil, fmt.Errorf("git cat-file: %w", err)
	}
	head, err := r.out.ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("git cat-file: %w", err)
	}
	f := strings.Fields(head) // id type size, or id missing
	if len(f) != 3 || f[1] != "blob" {
		if len(f) == 3 {
			return nil, fmt.Errorf("git cat-file: %s is a %s", f[0], f[1])
		}
		return nil, errNoBlob
	}
	size, err := strconv.Atoi(f[2])
	if err != nil {
		return nil, fmt.Errorf("git cat-file: %w", err)
	}
	if size > maxBlob {
		if _, err := io.CopyN(io.Discard, r.out, int64(size)+1); err != nil {
			return nil, fmt.Errorf("git cat-file: %w", err)
		}
		return nil, errBigBlob
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(r.out, data); err != nil {
		return nil, fmt.Errorf("git cat-file: %w", err)
	}
	if _, err := r.out.ReadByte(); err != nil { // the line break behind it
		return nil, fmt.Errorf("git cat-file: %w", err)
	}
	return data, nil
}

// stop ends the process, whatever it is writing.
func (r *blobReader) stop() {
	r.in.Close()
	_ = r.cmd.Process.Kill() // it may have ended by itself
	_ = r.cmd.Wait()         // and says then that it was killed
}
