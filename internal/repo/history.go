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

// Commits returns the commits that head has and base has not, oldest first, merges
// included: of a merge the files that differ from all its parents, which is what
// the merge itself brought. Where the clone is shallow and the range reaches its
// end, the commits there are come with an error that wraps [ErrShallow].
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
		c.Tree = Snapshot{FS: g.commitFiles(ctx, c.Files), Commit: c.ID, Name: c.ID[:min(12, len(c.ID))]}
	}
	return commits, g.reachesEnd(ctx, byID)
}

// revList lists the commits with their time and subject.
func (g *Git) revList(ctx context.Context, from, to string) ([]Commit, map[string]int, error) {
	out, err := g.run(ctx, nil, "rev-list", "--reverse", "--topo-order", "--no-commit-header", "--format=%H%x00%ct%x00%s", to, "^"+from)
	if err != nil {
		return nil, nil, err
	}
	var commits []Commit
	byID := map[string]int{}
	for line := range bytes.Lines(out) {
		f := strings.SplitN(strings.TrimSuffix(string(line), "\n"), "\x00", 3)
		if len(f) != 3 {
			return nil, nil, errors.New("git rev-list: its answer was not understood")
		}
		sec, _ := strconv.ParseInt(f[1], 10, 64)
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
	args := []string{"diff-tree", "--stdin", "-r", "-z", "-c", "--root", "--raw", "--no-abbrev", "--no-renames", "--no-ext-diff", "--no-textconv"}
	cmd := g.command(ctx, args...)
	var errs bytes.Buffer
	cmd.Stdin, cmd.Stderr = strings.NewReader(in.String()), &errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return gitError(ctx, args, err, "")
	}
	readErr := readDiffTree(bufio.NewReaderSize(out, 1<<16), commits, byID)
	_, _ = io.Copy(io.Discard, out) // so that git can end
	if err := cmd.Wait(); err != nil {
		return gitError(ctx, args, err, errs.String())
	}
	return readErr
}

// readDiffTree reads the answer: NUL-terminated, a commit's id before its files, each
// file a header that begins with as many colons as there are parents, and a path.
func readDiffTree(r *bufio.Reader, commits []Commit, byID map[string]int) error {
	var at *Commit
	for {
		tok, err := r.ReadString(0)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("git diff-tree: %w", err)
		}
		tok = strings.TrimSuffix(tok, "\x00")
		if !strings.HasPrefix(tok, ":") {
			i, ok := byID[strings.TrimSpace(tok)]
			if !ok {
				return errors.New("git diff-tree: its answer was not understood")
			}
			at = &commits[i]
			continue
		}
		p, err := r.ReadString(0)
		if err != nil || at == nil {
			return errors.New("git diff-tree: its answer was not understood")
		}
		if c, ok := rawChange(tok, strings.TrimSuffix(p, "\x00")); ok {
			at.Files = append(at.Files, c)
		}
	}
}

// rawChange reads a header; links and submodules are no change of a file.
func rawChange(header, p string) (FileChange, bool) {
	parents := len(header) - len(strings.TrimLeft(header, ":"))
	f := strings.Fields(header[parents:]) // modes of parents and result, ids of both, status
	if len(f) != 2*(parents+1)+1 {
		return FileChange{}, false
	}
	status := f[len(f)-1]
	c := FileChange{Kind: Modified, Path: p, Old: p, ID: f[len(f)-2]}
	switch {
	case strings.HasSuffix(status, "D"):
		c.Kind, c.ID = Deleted, ""
		return c, true
	case strings.HasSuffix(status, "A"):
		c.Kind, c.Old = Added, ""
	}
	return c, gitMode(f[parents]).IsRegular()
}

// commitFiles are the changed files as a commit has them.
func (g *Git) commitFiles(ctx context.Context, files []FileChange) fs.FS {
	var entries []Entry
	for _, f := range files {
		if f.Kind != Deleted {
			entries = append(entries, Entry{Path: f.Path, Mode: 0o644, ID: f.ID})
		}
	}
	return newTreeFS(entries, g.readBlob(ctx))
}

// reachesEnd reports by an error that the range holds a commit whose parents a
// shallow clone cut off.
func (g *Git) reachesEnd(ctx context.Context, byID map[string]int) error {
	out, err := g.run(ctx, nil, "rev-parse", "--git-path", "shallow")
	if err != nil {
		return err
	}
	name := strings.TrimSuffix(string(out), "\n")
	if !filepath.IsAbs(name) {
		name = filepath.Join(g.dir, name)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil // the clone is whole
	}
	for id := range strings.FieldsSeq(string(data)) {
		if _, ok := byID[id]; ok {
			return fmt.Errorf("the range ends at commit %s: %w", id[:min(12, len(id))], ErrShallow)
		}
	}
	return nil
}

// EverHeld returns the paths that at some commit of any branch gained or lost the
// text, sorted. It is for names such as recipients; limit bounds the commits looked at.
func (g *Git) EverHeld(ctx context.Context, text string) ([]string, error) {
	out, err := g.run(ctx, nil, "log", "--all", "-S"+text, "--format=", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-textconv")
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) && len(out) == 0 {
			return nil, nil // no commit yet
		}
		return nil, err
	}
	seen := map[string]bool{}
	var paths []string
	for p := range strings.SplitSeq(string(out), "\x00") {
		if p = strings.TrimLeft(p, "\n"); p != "" && !seen[p] {
			seen[p] = true
			paths = append(paths, p)
		}
	}
	return paths, nil
}
