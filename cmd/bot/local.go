package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sealward/sealward/internal/cli"
	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/rotate"
	"github.com/sealward/sealward/internal/sops"
)

// besideTree is the journal's directory outside of git.
const besideTree = ".sealward-rotation"

// local is a tree on this machine that is rotated in place.
type local struct {
	root    string
	git     *repo.Git // nil outside of a git repository
	journal string    // the directory of the journal
	tree    *rotate.Tree
	absent  []string // tracked, and not on disk
}

// openLocal finds the tree that dir lies in: all of its git repository, else just dir.
func openLocal(ctx context.Context, dir string) (*local, error) {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, cli.Usagef("--repo %s: there is no such directory", dir)
	}
	g, err := repo.FindGit(ctx, dir)
	switch {
	case errors.Is(err, repo.ErrNotGit):
		abs, err := filepath.Abs(dir)
		if err == nil {
			abs, err = filepath.EvalSymlinks(abs)
		}
		return &local{root: abs, journal: filepath.Join(abs, besideTree)}, err
	case err != nil:
		return nil, err
	case g.Root() == "":
		return nil, errors.Join(fmt.Errorf("%s is a bare repository: clone it, and rotate in the clone", dir), g.Close())
	}
	return &local{root: g.Root(), git: g, journal: filepath.Join(g.Dir(), "sealward")}, nil
}

func (l *local) close() {
	if l.git != nil {
		l.git.Close()
	}
}

// read reads the tree as it stands on disk.
func (l *local) read(ctx context.Context) error {
	disk, err := repo.OpenDir(l.root)
	if err != nil {
		return err
	}
	all, err := disk.List()
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(e repo.Entry) bool { return strings.HasPrefix(e.Path, besideTree+"/") })
	var ignored map[string]bool
	if l.git != nil {
		if all, ignored, err = l.sorted(ctx, all); err != nil {
			return err
		}
	}
	snap := repo.Snapshot{Name: l.root, FS: repo.Tree(all, func(e repo.Entry) ([]byte, error) { return fs.ReadFile(disk.FS, e.Path) })}
	if l.tree, err = rotate.ReadTree(snap, ignored); err != nil {
		return err
	}
	for _, path := range l.absent {
		l.tree.Incomplete = append(l.tree.Incomplete, path+" is not checked out (a sparse checkout): rotate in a full one")
	}
	return nil
}

// sorted tells what git tracks, or would track, from what it ignores. Contents are
// always those on disk: what a filter makes of them is git's own business.
func (l *local) sorted(ctx context.Context, all []repo.Entry) ([]repo.Entry, map[string]bool, error) {
	work, err := l.git.WorkTree(ctx)
	if err != nil {
		return nil, nil, err
	}
	known, err := work.List()
	if err != nil {
		return nil, nil, err
	}
	ids := map[string]repo.Entry{}
	var nested []string
	for _, e := range known {
		ids[e.Path] = e
		if e.Mode == fs.ModeIrregular {
			nested = append(nested, e.Path+"/")
		}
	}
	ignored := map[string]bool{}
	var out []repo.Entry
	for _, e := range all {
		if slices.ContainsFunc(nested, func(dir string) bool { return strings.HasPrefix(e.Path, dir) }) {
			continue
		}
		k, tracked := ids[e.Path]
		delete(ids, e.Path)
		e.ID = k.ID
		ignored[e.Path] = !tracked
		out = append(out, e)
	}
	for path, e := range ids {
		if e.Mode.IsRegular() {
			l.absent = append(l.absent, path)
		}
	}
	slices.Sort(l.absent)
	for _, dir := range nested {
		out = append(out, repo.Entry{Path: strings.TrimSuffix(dir, "/"), Mode: fs.ModeIrregular})
	}
	return out, ignored, nil
}

// past is what the history tells of keys.
type past struct {
	keys  []sops.Recipient
	found []rotate.Exposed
	note  string
}

// past searches the history for what keys could read.
func (l *local) past(ctx context.Context, keys []sops.Recipient) (past, error) {
	p := past{keys: keys}
	if l.git == nil || len(keys) == 0 {
		return p, nil
	}
	var err error
	p.found, p.note, err = l.tree.Past(ctx, l.git, keys)
	return p, err
}
