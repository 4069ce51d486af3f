package repo

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Commits returns the commits that head has and base has not, oldest first, merges
// included: of a merge the files that differ from all its parents, which is what
// the merge itself brought. Where the clone is shallow and the range reaches its
// end, the commits there are come with an error that wraps [ErrShallow]; the oldest of
// them then seem to have added every file they hold. Their trees can be read until
// ctx ends.
func (g *Git) Commits(ctx context.Context, base, head string) ([]Commit, error) {
	from, err := g.Resolve(ctx, base)
	if err != nil {
		return nil, err
	}
	to, err := g.Resolve(ctx, head)
	if err != nil {
		return nil, err
	}
	commits, byID, err := g.revList(ctx, from, to)
	if err != nil || len(commits) == 0 {
		return nil, err
	}
	if err := g.diffTrees(ctx, commits, byID); err != nil {
		return nil, err
	}
	for i := range commits {
		c := &commits[i]
		c.Tree = Snapshot{FS: &commitFS{ctx: ctx, git: g, commit: c.ID, files: c.Files}, Commit: c.ID, Name: short(c.ID)}
	}
	context.AfterFunc(ctx, g.blobs.rest)
	return commits, g.reachesEnd(byID)
}

// revList lists the commits with their time and subject.
func (g *Git) revList(ctx context.Context, from, to string) ([]Commit, map[string]int, error) {
	out, err := g.run(ctx, nil, "rev-list", "--reverse", "--topo-order", "--no-commit-header", "--format=%H%x00%ct%x00%s", to, "^"+from)
	if err != nil {
		return nil, nil, fmt.Errorf("list the commits: %w", err)
	}
	n := bytes.Count(out, []byte("\n"))
	commits, byID := make([]Commit, 0, n), make(map[string]int, n)
	for line := range strings.Lines(string(out)) {
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), "\x00", 3)
		if len(f) != 3 || !isID(f[0]) {
			return nil, nil, fmt.Errorf("list the commits: %w", errAnswer)
		}
		sec, err := strconv.ParseInt(f[1], 10, 64)
		if err != nil {
			return nil, nil, fmt.Errorf("list the commits: %w", errAnswer)
		}
		byID[f[0]] = len(commits)
		commits = append(commits, Commit{ID: f[0], Subject: f[2], When: time.Unix(sec, 0).UTC()})
	}
	return commits, byID, nil
}

// diffTrees fills in what each commit changed, by one process for all of them.
func (g *Git) diffTrees(ctx context.Context, commits []Commit, byID map[string]int) error {
	var in strings.Builder
	for _, c := range commits {
		in.WriteString(c.ID + "\n")
	}
	d := diffTree{commits: commits, byID: byID, paths: map[string]string{}}
	return g.stream(ctx, in.String(), d.read, "diff-tree", "--stdin", "-r", "-z", "-c", "--root", "--raw", "--no-abbrev", "--no-renames", "--no-ext-diff", "--no-textconv")
}

// stream gives git's answer to read while git is still writing it.
func (g *Git) stream(ctx context.Context, stdin string, read func(*bufio.Reader) error, args ...string) error {
	cmd := g.command(ctx, args...)
	var errs firstBytes
	cmd.Stdin, cmd.Stderr = strings.NewReader(stdin), &errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("git %s: %w", args[0], err)
	}
	if err := cmd.Start(); err != nil {
		return gitError(ctx, args[0], err, "")
	}
	readErr := read(bufio.NewReaderSize(out, 64<<10))
	_, _ = io.Copy(io.Discard, out) // so that git can end; it says itself why it did
	if err := cmd.Wait(); err != nil {
		return gitError(ctx, args[0], err, errs.String())
	}
	return readErr
}

// diffTree reads the answer of git diff-tree --stdin -r -z: a commit's id before its
// files, each file a header that begins with as many colons as there are parents, and
// a path.
type diffTree struct {
	commits []Commit
	byID    map[string]int
	paths   map[string]string // each path once: many commits change the same files
}

func (d *diffTree) read(r *bufio.Reader) error {
	var at *Commit
	for {
		tok, err := r.ReadString(0)
		if errors.Is(err, io.EOF) && tok == "" {
			return nil
		}
		if err != nil {
			return fmt.Errorf("git diff-tree: %w", errAnswer)
		}
		tok = strings.TrimSuffix(tok, "\x00")
		if !strings.HasPrefix(tok, ":") {
			i, ok := d.byID[strings.TrimSpace(tok)]
			if !ok {
				return fmt.Errorf("git diff-tree: %w", errAnswer)
			}
			at = &d.commits[i]
			continue
		}
		p, err := r.ReadString(0)
		if err != nil || at == nil {
			return fmt.Errorf("git diff-tree: %w", errAnswer)
		}
		change, wanted, err := rawChange(tok, d.path(strings.TrimSuffix(p, "\x00")))
		if err != nil {
			return err
		}
		if wanted {
			at.Files = append(at.Files, change)
		}
	}
}

func (d *diffTree) path(p string) string {
	if known, ok := d.paths[p]; ok {
		return known
	}
	d.paths[p] = p
	return p
}

// rawChange reads a header; links and submodules are no change of a file.
func rawChange(header, p string) (c FileChange, wanted bool, err error) {
	parents := len(header) - len(strings.TrimLeft(header, ":"))
	f := strings.Fields(header[parents:]) // modes of parents and result, ids of both, status
	if len(f) != 2*(parents+1)+1 || p == "" {
		return c, false, fmt.Errorf("git diff-tree: %w", errAnswer)
	}
	result, id := gitMode(f[parents]), f[len(f)-2]
	before := slices.ContainsFunc(f[:parents], func(mode string) bool { return mode != "000000" && gitMode(mode).IsRegular() })
	switch {
	case f[parents] == "000000":
		return FileChange{Kind: Deleted, Path: p, Old: p}, before, nil
	case !before:
		return FileChange{Kind: Added, Path: p, ID: strings.Clone(id)}, result.IsRegular(), nil
	}
	return FileChange{Kind: Modified, Path: p, Old: p, ID: strings.Clone(id)}, result.IsRegular(), nil
}

// reachesEnd reports by an error that the range holds a commit whose parents a
// shallow clone cut off.
func (g *Git) reachesEnd(byID map[string]int) error {
	ends, err := g.shallowEnds()
	if err != nil {
		return err
	}
	for _, id := range ends {
		if _, ok := byID[id]; ok {
			return fmt.Errorf("the history ends at commit %s: %w", short(id), ErrShallow)
		}
	}
	return nil
}

// commitFS is the tree of one commit of many: the files that it changed are read by
// their IDs, and the others are listed when one of them is asked for.
type commitFS struct {
	ctx    context.Context
	git    *Git
	commit string
	files  []FileChange // sorted by path

	once sync.Once
	full *treeFS
	err  error
}

// tree lists all of the commit.
func (c *commitFS) tree() (*treeFS, error) {
	c.once.Do(func() { c.full, c.err = c.git.tree(c.ctx, c.commit) })
	return c.full, c.err
}

// changed reads a file that the commit changed; ok is false for any other.
func (c *commitFS) changed(op, name string) (data []byte, ok bool, err error) {
	i, found := slices.BinarySearchFunc(c.files, name, func(f FileChange, name string) int { return strings.Compare(f.Path, name) })
	if !found || c.files[i].ID == "" || !fs.ValidPath(name) {
		return nil, false, nil
	}
	if data, err = c.git.blobs.one(c.ctx, c.files[i].ID); err != nil {
		err = &fs.PathError{Op: op, Path: name, Err: err}
	}
	return data, true, err
}

// List implements [Lister].
func (c *commitFS) List() ([]Entry, error) {
	t, err := c.tree()
	if err != nil {
		return nil, err
	}
	return t.List()
}

// Open implements [fs.FS].
func (c *commitFS) Open(name string) (fs.File, error) {
	t, err := c.tree()
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return t.Open(name)
}

// ReadFile implements [fs.ReadFileFS].
func (c *commitFS) ReadFile(name string) ([]byte, error) {
	if data, ok, err := c.changed("read", name); ok {
		return data, err
	}
	t, err := c.tree()
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: name, Err: err}
	}
	return t.ReadFile(name)
}

// ReadDir implements [fs.ReadDirFS].
func (c *commitFS) ReadDir(name string) ([]fs.DirEntry, error) {
	t, err := c.tree()
	if err != nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: err}
	}
	return t.ReadDir(name)
}

// Stat implements [fs.StatFS].
func (c *commitFS) Stat(name string) (fs.FileInfo, error) {
	t, err := c.tree()
	if err != nil {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	return t.Stat(name)
}

// EverHeld returns the paths at which some commit of any branch gained or lost the
// text, sorted. It is for what is public, such as a recipient: the text is an
// argument of git. In a shallow clone the paths come with an error that wraps
// [ErrShallow].
func (g *Git) EverHeld(ctx context.Context, text string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	ids, err := g.run(ctx, nil, "rev-list", "--all")
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	seen := map[string]bool{}
	read := func(r *bufio.Reader) error {
		for {
			p, err := r.ReadString(0)
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("git diff-tree: %w", err)
			}
			seen[strings.TrimSuffix(p, "\x00")] = true
		}
	}
	err = g.stream(ctx, string(ids), read, "diff-tree", "--stdin", "-r", "-z", "-m", "--root", "--no-commit-id", "--name-only", "--no-renames", "--no-ext-diff", "--no-textconv", "-S"+text)
	if err != nil {
		return nil, err
	}
	paths := slices.Sorted(maps.Keys(seen))
	if ends, err := g.shallowEnds(); err != nil || len(ends) > 0 {
		return paths, cmp.Or(err, fmt.Errorf("the history is not whole: %w", ErrShallow))
	}
	return paths, nil
}
