package github

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	gh "github.com/google/go-github/v62/github"
	"github.com/sealward/sealward/internal/repo"
)

// maxListings is how many calls one tree may cost where GitHub cuts its listing
// short (at 100,000 entries or 7 MB) and its directories must be listed one by one.
const maxListings = 200

// listing is every file of a tree by path.
type listing struct {
	files map[string]repo.Entry
	trees map[string][]treeLine // every directory that is listed whole, by git's name for it
	cut   []string              // directories that could not be listed whole; "." is the root
	odd   []string              // names that are no paths
}

// lister lists trees of one repository. Directories that two trees share are listed once.
type lister struct {
	c    *Client
	name Name

	mu    sync.Mutex
	known map[string][]*gh.TreeEntry // of listings of one directory below a tree that was cut short
	left  int
}

func (c *Client) newLister(n Name) *lister {
	return &lister{c: c, name: n, known: map[string][]*gh.TreeEntry{}, left: maxListings}
}

// list lists a tree, given by its id or a commit's.
func (l *lister) list(ctx context.Context, id string) (*listing, error) {
	t, err := l.get(ctx, id, true)
	if err != nil {
		return nil, err
	}
	out := &listing{files: make(map[string]repo.Entry, len(t.Entries)), trees: map[string][]treeLine{}}
	if !t.GetTruncated() {
		out.add("", t.Entries)
		out.addTrees(t.GetSHA(), t.Entries)
		return out, nil
	}
	if err := l.descend(ctx, id, "", out); err != nil {
		return nil, err
	}
	slices.Sort(out.cut)
	return out, nil
}

func (l *lister) get(ctx context.Context, id string, recursive bool) (*gh.Tree, error) {
	t, _, err := l.c.api.Git.GetTree(named(ctx, "git/get-tree"), l.name.Owner, l.name.Repo, id, recursive)
	return t, apiError("git/get-tree", err)
}

// descend lists a directory whose recursive listing was cut short: its own entries,
// then each directory in it by itself.
func (l *lister) descend(ctx context.Context, id, dir string, out *listing) error {
	if !l.spend() {
		out.cutAt(&l.mu, dir)
		return nil
	}
	t, err := l.get(ctx, id, false)
	if err != nil {
		return err
	}
	if t.GetTruncated() {
		out.cutAt(&l.mu, dir)
	}
	var subs []*gh.TreeEntry
	for _, e := range t.Entries {
		if e.GetType() == "tree" {
			subs = append(subs, e)
		}
	}
	l.mu.Lock()
	out.add(dir, t.Entries)
	l.mu.Unlock()
	return each(ctx, len(subs), func(ctx context.Context, i int) error {
		return l.below(ctx, subs[i].GetSHA(), dir+subs[i].GetPath()+"/", out)
	})
}

func (l *lister) below(ctx context.Context, id, dir string, out *listing) error {
	l.mu.Lock()
	entries, ok := l.known[id]
	l.mu.Unlock()
	if !ok {
		if !l.spend() {
			out.cutAt(&l.mu, dir)
			return nil
		}
		t, err := l.get(ctx, id, true)
		if err != nil {
			return err
		}
		if t.GetTruncated() {
			return l.descend(ctx, id, dir, out)
		}
		entries = t.Entries
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.known[id] = entries
	out.add(dir, entries)
	return nil
}

func (l *lister) spend() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left--
	return l.left >= 0
}

func (out *listing) cutAt(mu *sync.Mutex, dir string) {
	mu.Lock()
	defer mu.Unlock()
	if dir = strings.TrimSuffix(dir, "/"); dir == "" {
		dir = "."
	}
	out.cut = append(out.cut, dir)
}

// add takes entries over that are files.
func (out *listing) add(dir string, entries []*gh.TreeEntry) {
	for _, e := range entries {
		name := dir + e.GetPath()
		switch {
		case e.GetType() == "tree":
			continue
		case !fs.ValidPath(name) || name == ".":
			out.odd = append(out.odd, name)
			continue
		}
		out.files[name] = repo.Entry{Path: name, Size: int64(e.GetSize()), Mode: modeOf(e.GetMode()), ID: e.GetSHA()}
	}
}

// addTrees notes what stands directly in each directory of a whole listing. The
// name of the root is the tree's own: where a commit was asked for, nobody asks for it.
func (out *listing) addTrees(root string, entries []*gh.TreeEntry) {
	name := map[string]string{".": root}
	for _, e := range entries {
		if e.GetType() == "tree" {
			name[e.GetPath()] = e.GetSHA()
		}
	}
	for _, e := range entries {
		id := name[path.Dir(e.GetPath())]
		out.trees[id] = append(out.trees[id], treeLine{strings.TrimPrefix(e.GetMode(), "0"), path.Base(e.GetPath()), e.GetSHA()})
	}
}

func modeOf(mode string) fs.FileMode {
	switch mode {
	case "120000":
		return fs.ModeSymlink | 0o777
	case "160000":
		return fs.ModeIrregular
	case "100755":
		return 0o755
	}
	return 0o644
}

// incomplete says what of the tree is not in the listing.
func (out *listing) incomplete() []string {
	var list []string
	for _, dir := range out.cut {
		list = append(list, fmt.Sprintf("the directory %q holds more entries than GitHub lists, so files in it were not looked at", dir))
	}
	for _, name := range out.odd {
		list = append(list, fmt.Sprintf("%q is in the tree and is no path of a file, so it was not looked at", name))
	}
	return list
}
