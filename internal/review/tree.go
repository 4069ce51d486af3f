package review

import (
	"cmp"
	"io/fs"
	"slices"
	"sync"

	"github.com/sealward/sealward/internal/config"
	"github.com/sealward/sealward/internal/env"
	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/sops"
	"github.com/sealward/sealward/internal/syntax"
	"github.com/sealward/sealward/internal/wiring"
)

// Tree is a snapshot as rules see it: everything is read on demand, and safe for
// concurrent use. Files equal in two trees are one [File], read and parsed once.
type Tree struct {
	files   []*File
	paths   []string
	skipped []Skip
	size    int64 // of all files, in bytes
	log     *log

	env     func() *env.Map
	wiring  func() *wiring.Graph
	rules   func() map[string]*sops.Rules
	sealed  func() []*File
	ignored func(path string) bool
}

// log gathers, over all trees of a run, what could not be read.
type log struct {
	mu         sync.Mutex
	incomplete map[string]bool
}

func (l *log) say(sentence string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.incomplete == nil {
		l.incomplete = map[string]bool{}
	}
	l.incomplete[sentence] = true
}

// survive, deferred, makes the review incomplete where looking at a file panics. What
// it panicked with is not printed, since it may hold a value of the file.
func (l *log) survive(path string) {
	if recover() != nil {
		l.say(path + " could not be looked at: this is a defect of sealward")
	}
}

func (l *log) sentences() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]string, 0, len(l.incomplete))
	for s := range l.incomplete {
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

// treeOptions are what newTree needs beside the snapshot.
type treeOptions struct {
	config  *config.Config
	cache   *cache
	log     *log
	ignored func(path string) bool // nil: ask the tree's own .gitignore files
	// names lists files without looking at each, where the snapshot can.
	names bool
	// share returns the file of another tree that is known to be equal, or nil.
	share func(repo.Entry) *File
}

// newTree lists a snapshot. The zero Snapshot is the empty tree.
func newTree(snap repo.Snapshot, opt treeOptions) (*Tree, error) {
	t := &Tree{log: opt.log}
	if snap.FS != nil {
		entries, err := opt.list(snap)
		if err != nil {
			return nil, err
		}
		from := &origin{fsys: snap.FS, cache: opt.cache, log: opt.log}
		t.files = make([]*File, 0, len(entries))
		for _, e := range entries {
			t.add(from, e, opt)
		}
	}
	byPath := func(a, b *File) int { return cmp.Compare(a.Path, b.Path) }
	if !slices.IsSortedFunc(t.files, byPath) {
		slices.SortFunc(t.files, byPath)
	}
	t.paths = make([]string, len(t.files))
	for i, f := range t.files {
		t.paths[i] = f.Path
	}
	t.lazy(opt)
	return t, nil
}

func (opt *treeOptions) list(snap repo.Snapshot) ([]repo.Entry, error) {
	if n, ok := snap.FS.(repo.Namer); ok && opt.names {
		return n.Names(), nil
	}
	return snap.List()
}

func (t *Tree) add(from *origin, e repo.Entry, opt treeOptions) {
	switch {
	case e.Mode&fs.ModeSymlink != 0:
		t.skipped = append(t.skipped, Skip{e.Path, "a symbolic link, which is not followed"})
		return
	case !e.Mode.IsRegular():
		t.skipped = append(t.skipped, Skip{e.Path, "a submodule or special file"})
		return
	case matchAny(opt.config.Review.PathsIgnore, e.Path):
		t.skipped = append(t.skipped, Skip{e.Path, "taken out by paths-ignore"})
		return
	}
	var f *File
	if opt.share != nil {
		f = opt.share(e)
	}
	if f == nil {
		f = &File{Path: e.Path, Size: e.Size, from: from}
	}
	t.files, t.size = append(t.files, f), t.size+e.Size
	if e.Size < 0 {
		t.size += unknownSize
	}
}

// lazy sets up what is read of the tree as a whole, once, when a rule first asks.
func (t *Tree) lazy(opt treeOptions) {
	t.env = sync.OnceValue(func() *env.Map {
		m, err := env.Detect(t, opt.config)
		if err != nil {
			t.log.say("environments could not be told: " + err.Error())
		}
		return m
	})
	t.wiring = sync.OnceValue(func() *wiring.Graph {
		t.survey(func(f *File) bool { return wiring.MayBeManifest(f.Path) })
		return wiring.Read(t)
	})
	t.rules = sync.OnceValue(t.readRules)
	t.sealed = sync.OnceValue(t.findSealed)
	t.ignored = opt.ignored
	if t.ignored == nil {
		t.ignored = sync.OnceValue(func() func(string) bool { return readGitignore(t) })()
	}
}

// Incomplete says, so far, what could not be read.
func (t *Tree) Incomplete() []string { return t.log.sentences() }

// Files returns the files under review, sorted by path: no symbolic links, no
// submodules, nothing that the configuration takes out.
func (t *Tree) Files() []*File { return t.files }

// File returns the file at path, or nil.
func (t *Tree) File(path string) *File {
	if i, found := slices.BinarySearch(t.paths, path); found {
		return t.files[i]
	}
	return nil
}

// Paths returns the files' paths, sorted.
func (t *Tree) Paths() []string { return t.paths }

// Syntax returns the parsed file at path. It errors where there is none.
func (t *Tree) Syntax(path string) (*syntax.File, error) {
	f := t.File(path)
	if f == nil {
		return nil, &fs.PathError{Op: "read", Path: path, Err: fs.ErrNotExist}
	}
	return f.Syntax(), nil
}

// Data returns the bytes of the file at path, nil where there is none.
func (t *Tree) Data(path string) []byte {
	if f := t.File(path); f != nil {
		return f.Data()
	}
	return nil
}

// Facts returns what the file at path tells of Flux, kustomize and Secrets, nil where
// it cannot tell anything.
func (t *Tree) Facts(path string) *wiring.Facts {
	f := t.File(path)
	if f == nil {
		return nil
	}
	return f.keepFacts()
}

// Env returns the map of environments.
func (t *Tree) Env() *env.Map { return t.env() }

// Wiring returns how the tree's files are tied together.
func (t *Tree) Wiring() *wiring.Graph { return t.wiring() }

// SopsRules returns every .sops.yaml of the tree, by path. One that cannot be read
// is named in the report, and left out.
func (t *Tree) SopsRules() map[string]*sops.Rules { return t.rules() }

// SealedFiles returns the files with SOPS metadata, sorted by path.
func (t *Tree) SealedFiles() []*File { return t.sealed() }

// Skipped reports whether the snapshot has something at path that is not reviewed: a
// symbolic link, a submodule, what the configuration takes out.
func (t *Tree) Skipped(path string) bool {
	return slices.ContainsFunc(t.skipped, func(s Skip) bool { return s.Path == path })
}

// Ignored reports whether .gitignore keeps path out of the repository.
func (t *Tree) Ignored(path string) bool { return t.ignored(path) }

func (t *Tree) readRules() map[string]*sops.Rules {
	rules := map[string]*sops.Rules{}
	for _, f := range t.files {
		if f.Base() != ".sops.yaml" {
			continue
		}
		r, err := sops.ReadRules(f.Syntax())
		if err != nil {
			t.log.say(f.Path + " was not understood, so no file was held to it: " + err.Error())
			continue
		}
		if r != nil {
			rules[f.Path] = r
		}
	}
	return rules
}

func (t *Tree) findSealed() []*File {
	t.survey(func(*File) bool { return true })
	var sealed []*File
	for _, f := range t.files {
		if s := f.Sops(); s != nil && len(s.Sealed) > 0 {
			sealed = append(sealed, f)
		}
	}
	return sealed
}
