package repo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
)

// Git is a local git repository, asked through the git command with everything
// switched off that a repository's configuration could make it run. Its methods may
// be called from many goroutines. [FindGit] opens one.
type Git struct {
	dir       string   // where git runs
	env       []string // of git
	root      string   // the work tree's top, "" for a bare repository
	bare      bool     // as the repository says of itself
	gitDir    string
	commonDir string // of all linked work trees
	indexFile string

	blobs blobs

	mu      sync.Mutex
	work    *rooted
	commits map[string]bool // full ids of commits that git has told of

	excludesMu   sync.Mutex
	excludesFile *string // nil until it was asked for
}

// Root is the work tree's top directory, symbolic links resolved, or "" for a bare
// repository.
func (g *Git) Root() string { return g.root }

// Resolve returns the full commit id of a revision. It asks git once for an id: what a
// name means may change, and a commit does not.
func (g *Git) Resolve(ctx context.Context, rev string) (string, error) {
	g.mu.Lock()
	known := g.commits[rev]
	g.mu.Unlock()
	if known {
		return rev, nil
	}
	if rev == "" || strings.HasPrefix(rev, "-") {
		return "", fmt.Errorf("%q is no revision", rev)
	}
	out, err := g.run(ctx, nil, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}")
	if err != nil {
		if ctx.Err() != nil || errors.Is(err, ErrNoGit) {
			return "", err
		}
		if g.isShallow() {
			return "", fmt.Errorf("there is no commit %q here: %w", rev, ErrShallow)
		}
		return "", fmt.Errorf("there is no commit %q in this repository: name a branch, a tag or a commit (git branch -a lists branches)", rev)
	}
	lines := strings.Fields(string(out)) // an old git repeats --end-of-options
	if len(lines) == 0 || !isID(lines[len(lines)-1]) {
		return "", fmt.Errorf("%q: git rev-parse: its answer was not understood", rev)
	}
	return g.know(lines[len(lines)-1]), nil
}

// know remembers a commit's id, and returns it.
func (g *Git) know(id string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.commits == nil {
		g.commits = map[string]bool{}
	}
	if isID(id) {
		g.commits[id] = true
	}
	return id
}

// isID reports whether s is a full object id.
func isID(s string) bool {
	return (len(s) == 40 || len(s) == 64) && strings.Trim(s, "0123456789abcdef") == ""
}

// defaultBranches are where the default branch is looked for, in this order.
func defaultBranches() []string {
	return []string{"refs/remotes/origin/HEAD", "refs/remotes/origin/main", "refs/remotes/origin/master", "refs/heads/main", "refs/heads/master"}
}

// DefaultBranch returns the revision that changes are measured against, and its commit:
// origin's HEAD, else main or master of origin, else the local ones.
func (g *Git) DefaultBranch(ctx context.Context) (ref, commit string, err error) {
	out, err := g.run(ctx, nil, append([]string{"for-each-ref", "--format=%(refname)%00%(objecttype)%00%(objectname)"}, defaultBranches()...)...)
	if err != nil {
		return "", "", err
	}
	known := map[string]string{}
	for line := range strings.Lines(string(out)) {
		f := strings.Split(strings.TrimSpace(line), "\x00")
		if len(f) == 3 && f[1] == "commit" && isID(f[2]) {
			known[f[0]] = f[2]
		}
	}
	for _, ref := range defaultBranches() {
		if id := known[ref]; id != "" {
			return ref, g.know(id), nil
		}
	}
	return "", "", errors.New("no default branch was found (origin/HEAD, main or master): name the base with --base REV, or review everything with --all")
}

// MergeBase returns the best common ancestor of two revisions. Where a shallow clone
// may hide it the error wraps [ErrShallow].
func (g *Git) MergeBase(ctx context.Context, a, b string) (string, error) {
	var ids [2]string
	for i, rev := range []string{a, b} {
		id, err := g.Resolve(ctx, rev)
		if err != nil {
			return "", err
		}
		ids[i] = id
	}
	out, err := g.run(ctx, nil, "merge-base", ids[0], ids[1])
	switch {
	case err == nil:
		return g.know(strings.TrimSpace(string(out))), nil
	case !exitedWith(err, 1):
		return "", err
	case g.isShallow():
		return "", fmt.Errorf("%s and %s have no common commit here: %w", a, b, ErrShallow)
	}
	return "", fmt.Errorf("%s and %s have no common commit: name the base with --base REV, or review everything with --all", a, b)
}

// shallowEnds are the commits whose parents a shallow clone cut off.
func (g *Git) shallowEnds() ([]string, error) {
	data, err := os.ReadFile(filepath.Join(g.commonDir, "shallow"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read where the shallow clone ends: %w", rootCause(err))
	}
	return strings.Fields(string(data)), nil
}

func (g *Git) isShallow() bool {
	ends, err := g.shallowEnds()
	return err != nil || len(ends) > 0
}

// Ignored reports which of the paths .gitignore and the other exclude files keep out
// of the repository, whether they are tracked or not. Paths are relative to the top,
// slash-separated; one that leads out of the work tree, or through a symbolic link, is
// not git's and counts as not ignored.
func (g *Git) Ignored(ctx context.Context, paths []string) (map[string]bool, error) {
	ignored := map[string]bool{}
	if len(paths) == 0 || g.root == "" {
		return ignored, nil
	}
	work, err := g.workTree()
	if err != nil {
		return nil, err
	}
	var in strings.Builder
	for _, p := range paths {
		clean := strings.TrimSuffix(p, "/")
		if clean == "" || clean == "." || path.Clean(clean) != clean || path.IsAbs(clean) || clean == ".." || strings.HasPrefix(clean, "../") ||
			strings.Contains(clean, "\x00") || work.throughLink(path.Dir(clean)) {
			continue
		}
		in.WriteString("./" + p + "\x00") // without ./, git may take it for pathspec magic
	}
	args, err := g.excluding(ctx, "check-ignore", "--stdin", "-z", "--no-index")
	if err != nil || in.Len() == 0 {
		return ignored, err
	}
	out, err := g.run(ctx, []byte(in.String()), args...)
	if err != nil && !exitedWith(err, 1) { // 1: none is ignored
		return nil, err
	}
	for p := range strings.SplitSeq(string(out), "\x00") {
		if p != "" {
			ignored[strings.TrimPrefix(p, "./")] = true
		}
	}
	return ignored, nil
}

// excluding is a command line under which git also heeds the exclude file that the
// user's own configuration names, though it reads nothing else of it.
func (g *Git) excluding(ctx context.Context, args ...string) ([]string, error) {
	g.excludesMu.Lock()
	defer g.excludesMu.Unlock()
	if g.excludesFile == nil {
		name := g.askExcludes(ctx)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		g.excludesFile = &name
	}
	if *g.excludesFile == "" {
		return args, nil
	}
	return append([]string{"-c", "core.excludesFile=" + *g.excludesFile}, args...), nil
}

// askExcludes reads core.excludesFile of all configurations; git config runs nothing.
func (g *Git) askExcludes(ctx context.Context) string {
	cmd := g.command(ctx, "config", "--includes", "--type=path", "--get", "core.excludesFile")
	cmd.Env = nil
	for _, kv := range g.env {
		if !strings.HasPrefix(kv, "GIT_CONFIG_") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	for _, name := range []string{"GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"} {
		if v, ok := os.LookupEnv(name); ok {
			cmd.Env = append(cmd.Env, name+"="+v)
		}
	}
	out, err := cmd.Output()
	if err != nil {
		return "" // not set, or not readable: git's default is as good
	}
	name := strings.TrimSuffix(string(out), "\n")
	if name != "" && !filepath.IsAbs(name) {
		name = filepath.Join(g.root, name)
	}
	return name
}

// workTree is the work tree, opened.
func (g *Git) workTree() (*rooted, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.work == nil {
		root, err := openRoot(g.root)
		if err != nil {
			return nil, fmt.Errorf("open the work tree: %w", rootCause(err))
		}
		if g.work, err = newRooted(root); err != nil {
			root.Close()
			return nil, fmt.Errorf("open the work tree: %w", rootCause(err))
		}
	}
	return g.work, nil
}

// Close ends the helper processes. Snapshots cannot be read any more.
func (g *Git) Close() error {
	g.blobs.close()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.work == nil {
		return nil
	}
	return g.work.close()
}
