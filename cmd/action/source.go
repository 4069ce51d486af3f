package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/sealward/sealward/internal/cli"
	"github.com/sealward/sealward/internal/config"
	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/review"
)

// selection is what the command line says is to be reviewed.
type selection struct {
	dir         string // a directory, or a revision
	named       bool   // dir was given and is not the default
	base, head  string
	staged, all bool
}

// check finds the flags that contradict each other.
func (s selection) check() error {
	switch {
	case s.all && s.base != "":
		return cli.Usagef("--all and --base exclude each other: --all has no base")
	case s.all && s.staged:
		return cli.Usagef("--all and --staged exclude each other: --staged is a change")
	case s.staged && (s.base != "" || s.head != ""):
		return cli.Usagef("--staged compares the index with HEAD: leave --base and --head out")
	}
	return nil
}

// source is an opened change, and the mode it is reviewed in.
type source struct {
	change *repo.Change
	mode   review.Mode
	git    *repo.Git // nil outside of a git repository
	root   string    // the directory that paths are relative to; "" where there is none
}

func (s *source) close() {
	if s.git != nil {
		s.git.Close()
	}
}

// side is one side of a comparison, before it is opened: a directory or a commit.
type side struct {
	dir    string
	commit string
	tip    string // the commit, or the one that a directory's changes stand on; "" for no side of a repository
	name   string
}

// open opens what the selection means.
func (a *app) open(ctx context.Context, sel selection) (src *source, err error) {
	src = &source{change: &repo.Change{}}
	defer func() {
		if err != nil {
			src.close()
		}
	}()
	// DIR may be a revision of the repository in the current directory.
	dir := sel.dir
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return src, cli.Usagef("%s is a file: name its directory, or ask what it is taken for with --explain %s", dir, dir)
	}
	if !isDir(dir) {
		if sel.head != "" {
			return src, cli.Usagef("%s is not a directory: with --head, DIR is the repository's directory", dir)
		}
		dir, sel.head = ".", sel.dir
	}
	src.git, err = repo.FindGit(ctx, dir)
	if errors.Is(err, repo.ErrNoGit) && sel.all && sel.head == "" {
		a.say("note: git was not found: %s is read as it is, files that git ignores included", dir)
		err = nil
	}
	if err != nil && !errors.Is(err, repo.ErrNotGit) {
		return src, err
	}
	if src.git != nil && src.git.Root() == "" && sel.head == "" {
		sel.head = "HEAD" // a bare repository has no work tree
	}
	switch {
	case sel.staged:
		return src, a.openStaged(ctx, src, dir)
	case sel.all:
		return src, a.openAll(ctx, src, dir, sel)
	case sel.base == "" && sel.head == "" && src.git == nil:
		a.say("note: %s is in no git repository, so that there is nothing to compare with: the whole directory is reviewed", dir)
		return src, a.openAll(ctx, src, dir, sel)
	case sel.base == "" && sel.head == "" && sel.named && !isTop(src.git, dir):
		a.say("note: %s lies inside of the repository at %s: the whole directory is reviewed; for a change, give --base", dir, src.git.Root())
		return src, a.openAll(ctx, src, dir, sel)
	}
	return src, a.openChange(ctx, src, dir, sel)
}

func (a *app) openStaged(ctx context.Context, src *source, dir string) (err error) {
	if src.git == nil {
		return fmt.Errorf("--staged: %s is in no git repository", dir)
	}
	if src.change.Head, err = src.git.Index(ctx); err != nil {
		return err
	}
	if _, err := src.git.Resolve(ctx, "HEAD"); err != nil {
		return src.compare(ctx) // no commit yet: all that is staged is new
	}
	if src.change.Base, err = src.git.Snapshot(ctx, "HEAD"); err != nil {
		return err
	}
	return src.compare(ctx)
}

func (a *app) openAll(ctx context.Context, src *source, dir string, sel selection) (err error) {
	src.mode = review.ReviewTree
	if sel.head == "" {
		src.change.Head, err = src.openDir(ctx, dir, sel.named)
		return err
	}
	commit, err := src.resolve(ctx, sel.head, dir)
	if err != nil {
		return err
	}
	src.change.Head, err = src.git.Snapshot(ctx, commit)
	return err
}

// openChange opens a change between two sides, each a directory or a revision.
func (a *app) openChange(ctx context.Context, src *source, dir string, sel selection) error {
	head := side{dir: dir, name: "the work tree"}
	if sel.head != "" {
		commit, err := src.resolve(ctx, sel.head, dir)
		if err != nil {
			return err
		}
		head = side{commit: commit, name: sel.head}
	}
	base, err := a.baseOf(ctx, src, dir, sel.base)
	if err != nil {
		return err
	}
	if base.commit != "" && head.dir != "" && sel.named && !isTop(src.git, dir) {
		return cli.Usagef("--base %s is a revision of the repository at %s, and %s only a directory in it: leave DIR out, or give a directory as --base",
			sel.base, src.git.Root(), dir)
	}
	if base.commit != "" {
		if head.tip = head.commit; head.tip == "" {
			if head.tip, err = src.git.Resolve(ctx, "HEAD"); err != nil {
				return err
			}
		}
		if base.commit, err = a.forkPoint(ctx, src, base, head); err != nil {
			return err
		}
	}
	return src.openSides(ctx, base, head, sel)
}

// baseOf reads --base: a directory, a revision, or the default branch.
func (a *app) baseOf(ctx context.Context, src *source, dir, spec string) (side, error) {
	if spec == "" {
		branch, commit, err := src.git.DefaultBranch(ctx)
		if err != nil {
			if _, noCommit := src.git.Resolve(ctx, "HEAD"); noCommit != nil {
				a.say("note: the repository has no commit yet: all of it is new")
				return side{}, nil
			}
			return side{}, err
		}
		return side{commit: commit, name: branch}, nil
	}
	if isDir(spec) {
		if src.git != nil && !strings.ContainsAny(spec, `./\`) {
			if _, err := src.git.Resolve(ctx, spec); err == nil {
				return side{}, cli.Usagef("--base %s is a directory and a revision: write ./%s for the one or refs/heads/%s for the other", spec, spec, spec)
			}
		}
		return side{dir: spec, name: spec}, nil
	}
	commit, err := src.resolve(ctx, spec, dir)
	return side{commit: commit, name: spec}, err
}

// forkPoint is where head left base, so that what happened on base since then is
// not taken for the change's doing.
func (a *app) forkPoint(ctx context.Context, src *source, base, head side) (string, error) {
	fork, err := src.git.MergeBase(ctx, base.commit, head.tip)
	if err != nil {
		if ctx.Err() != nil {
			return "", err
		}
		a.say("note: %s and %s have no common ancestor that is known here (a shallow clone lacks it): compared with %s itself", base.name, head.name, base.name)
		return base.commit, nil
	}
	if fork == head.tip && base.commit != head.tip && head.commit != "" {
		a.say("note: %s is contained in %s: there is nothing between them; swap --base and --head for the other direction", head.name, base.name)
	}
	return fork, nil
}

// openSides opens both sides and what lies between. Git is asked for all of it at once.
func (s *source) openSides(ctx context.Context, base, head side, sel selection) error {
	var between, opened error
	var asking sync.WaitGroup
	if base.commit != "" {
		asking.Go(func() { s.change.Commits, between = s.git.Commits(ctx, base.commit, head.tip) })
		asking.Go(func() { s.change.Base, opened = s.git.Snapshot(ctx, base.commit) })
	} else {
		s.change.Base, opened = s.openSide(ctx, base, true)
	}
	var err error
	if opened == nil || base.commit != "" {
		s.change.Head, err = s.openSide(ctx, head, sel.named)
	}
	asking.Wait()
	switch {
	case opened != nil:
		return opened
	case err != nil:
		return err
	case errors.Is(between, repo.ErrShallow):
		s.change.Incomplete = append(s.change.Incomplete, "not every commit in between was read: "+between.Error())
	case between != nil:
		return between
	}
	return s.compare(ctx)
}

// openSide opens one side; no side at all is the empty tree.
func (s *source) openSide(ctx context.Context, at side, named bool) (repo.Snapshot, error) {
	switch {
	case at.commit != "":
		return s.git.Snapshot(ctx, at.commit)
	case at.dir != "":
		return s.openDir(ctx, at.dir, named)
	}
	return repo.Snapshot{}, nil
}

// openDir opens a directory: as a work tree, without what git ignores, where it is
// the top of one or none was named; else just as it is.
func (s *source) openDir(ctx context.Context, dir string, named bool) (repo.Snapshot, error) {
	if s.git != nil && s.git.Root() != "" && (!named || isTop(s.git, dir)) {
		s.root = s.git.Root()
		return s.git.WorkTree(ctx)
	}
	s.root = dir
	return repo.OpenDir(dir)
}

func (s *source) compare(ctx context.Context) (err error) {
	s.change.Files, err = repo.Compare(ctx, s.change.Base, s.change.Head)
	return err
}

// resolve finds a revision, and says what else it could have been.
func (s *source) resolve(ctx context.Context, spec, dir string) (string, error) {
	if s.git == nil {
		return "", fmt.Errorf("%q is no directory, and no revision either: %s is in no git repository", spec, dir)
	}
	commit, err := s.git.Resolve(ctx, spec)
	if err != nil {
		return "", fmt.Errorf("%q is neither a directory nor a revision of the repository at %s: %w", spec, s.git.Root(), err)
	}
	return commit, nil
}

// pathIn returns the path of a file as the tree names it: as it was given, or, where
// the tree has no such file, what it is seen from the current directory.
func (s *source) pathIn(has func(string) bool, path string) string {
	clean := filepath.ToSlash(filepath.Clean(path))
	if has(clean) || s.root == "" {
		return clean
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return clean
	}
	root, err := filepath.Abs(s.root)
	if err != nil {
		return clean
	}
	if rel, err := filepath.Rel(root, abs); err == nil && has(filepath.ToSlash(rel)) {
		return filepath.ToSlash(rel)
	}
	return clean
}

func isDir(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// isTop reports whether dir is the top of g's work tree.
func isTop(g *repo.Git, dir string) bool {
	if g == nil || g.Root() == "" {
		return false
	}
	a, errA := os.Stat(g.Root())
	b, errB := os.Stat(dir)
	return errA == nil && errB == nil && os.SameFile(a, b)
}

// maxConfig is how large a configuration may be, in bytes.
const maxConfig = 1 << 20

// readConfig reads the file that was named, else Base's: a change cannot silence
// its own review. A whole tree is its own base.
func (a *app) readConfig(name string, src *source) (*config.Config, error) {
	if name != "" {
		data, err := readBounded(os.DirFS(filepath.Dir(name)), filepath.Base(name))
		if err != nil {
			return nil, fmt.Errorf("--config: read %q: %w", name, err)
		}
		return config.Parse(name, data)
	}
	from := src.change.Base
	if src.mode != review.ReviewChange {
		from = src.change.Head
	}
	if from.FS == nil {
		return &config.Config{}, nil
	}
	data, err := readBounded(from.FS, config.Name)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := fs.Stat(src.change.Head.FS, config.Name); err == nil {
			a.say("note: %s is new in this change: it counts once it is merged", config.Name)
		}
		return &config.Config{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", config.Name, err)
	}
	return config.Parse(config.Name, data)
}

func readBounded(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err == nil && len(data) > maxConfig {
		err = fmt.Errorf("it is larger than the %d KiB that a configuration may have", maxConfig>>10)
	}
	return data, err
}
