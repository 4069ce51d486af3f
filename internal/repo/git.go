package repo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// ErrNotGit is what [FindGit] returns outside of a repository.
var ErrNotGit = errors.New("not a git repository")

// ErrShallow is wrapped where a shallow clone lacks the commits that were asked for.
var ErrShallow = errors.New("the clone is shallow and lacks commits: run git fetch --unshallow, or check out with fetch-depth: 0")

// Git is a local git repository, asked through the git command with everything
// switched off that a repository's configuration could make it run. Its methods may
// be called from many goroutines.
type Git struct {
	dir  string // where git runs
	root string // the work tree's top, "" for a bare repository

	mu      sync.Mutex
	readers []*blobReader // idle
	closed  bool
	work    *os.Root
}

// guards are the settings that keep a repository's own configuration from running
// anything, and from reaching the network for objects that are not there.
var guards = []string{
	"core.fsmonitor=false", "core.hooksPath=/dev/null", "core.sshCommand=false", "core.askPass=false", "core.editor=false", "core.pager=cat",
	"core.attributesFile=/dev/null", "credential.helper=", "protocol.allow=never", "diff.external=", "log.showSignature=false", "gpg.program=false",
	"submodule.recurse=false", "core.untrackedCache=false", "core.quotePath=false", "core.precomposeUnicode=false", "gc.auto=0", "maintenance.auto=false", "safe.directory=*",
}

// kept are the variables of the environment that git is given. GIT_INDEX_FILE and
// the object directories are what a hook runs with.
var kept = []string{"PATH", "HOME", "TMPDIR", "SystemRoot", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH"}

func (g *Git) command(ctx context.Context, args ...string) *exec.Cmd {
	full := []string{"--no-optional-locks", "--no-replace-objects", "--literal-pathspecs", "--no-pager"}
	for _, s := range guards {
		full = append(full, "-c", s)
	}
	cmd := exec.CommandContext(ctx, "git", append(full, args...)...)
	cmd.Dir = g.dir
	cmd.Env = []string{"LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0", "GIT_NO_LAZY_FETCH=1", "GIT_ALLOW_PROTOCOL=", "GIT_ATTR_NOSYSTEM=1", "GIT_OPTIONAL_LOCKS=0"}
	for _, name := range kept {
		if v, ok := os.LookupEnv(name); ok {
			cmd.Env = append(cmd.Env, name+"="+v)
		}
	}
	return cmd
}

// run returns what git prints. Its error is git's own first line.
func (g *Git) run(ctx context.Context, stdin []byte, args ...string) ([]byte, error) {
	cmd := g.command(ctx, args...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), &out, &errs
	if err := cmd.Run(); err != nil {
		return out.Bytes(), gitError(ctx, args, err, errs.String())
	}
	return out.Bytes(), nil
}

// commandError is a git command that failed.
type commandError struct {
	command string
	message string // git's first line
	err     error
}

func (e *commandError) Error() string {
	if e.message == "" {
		return fmt.Sprintf("git %s: %v", e.command, e.err)
	}
	return fmt.Sprintf("git %s: %s", e.command, e.message)
}

func (e *commandError) Unwrap() error { return e.err }

func gitError(ctx context.Context, args []string, err error, stderr string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errors.Is(err, exec.ErrNotFound) {
		return errors.New("git was not found: install git, or review directories with --base DIR DIR")
	}
	line, _, _ := strings.Cut(strings.TrimSpace(stderr), "\n")
	line = strings.TrimPrefix(strings.TrimPrefix(line, "fatal: "), "error: ")
	return &commandError{args[0], line, err}
}

// FindGit opens the repository that dir lies in. It returns [ErrNotGit] where there is none.
func FindGit(ctx context.Context, dir string) (*Git, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open %q: %w", dir, err)
	}
	if info, err := os.Stat(abs); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("open %q: there is no such directory", dir)
	}
	g := &Git{dir: abs}
	out, err := g.run(ctx, nil, "rev-parse", "--is-bare-repository")
	if err != nil {
		var ce *commandError
		if errors.As(err, &ce) && strings.Contains(ce.message, "not a git repository") {
			return nil, fmt.Errorf("%q: %w", dir, ErrNotGit)
		}
		return nil, err
	}
	if strings.TrimSpace(string(out)) == "true" {
		return g, nil
	}
	out, err = g.run(ctx, nil, "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, err
	}
	g.root = strings.TrimSuffix(string(out), "\n")
	g.dir = g.root
	return g, nil
}

// Root is the work tree's top directory, or "" for a bare repository.
func (g *Git) Root() string { return g.root }

// Resolve returns the commit id of a revision.
func (g *Git) Resolve(ctx context.Context, rev string) (string, error) {
	if rev == "" || strings.HasPrefix(rev, "-") {
		return "", fmt.Errorf("%q is no revision", rev)
	}
	out, err := g.run(ctx, nil, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}")
	if err != nil {
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		if shallow, _ := g.isShallow(ctx); shallow {
			return "", fmt.Errorf("there is no commit %q here: %w", rev, ErrShallow)
		}
		return "", fmt.Errorf("there is no commit %q in this repository: name a branch, a tag or a commit (git branch -a lists branches)", rev)
	}
	lines := strings.Fields(string(out))
	return lines[len(lines)-1], nil
}

// DefaultBranch returns the revision that changes are measured against: origin's
// HEAD, else main or master of origin, else the local ones.
func (g *Git) DefaultBranch(ctx context.Context) (string, error) {
	for _, ref := range []string{"refs/remotes/origin/HEAD", "refs/remotes/origin/main", "refs/remotes/origin/master", "refs/heads/main", "refs/heads/master"} {
		if _, err := g.run(ctx, nil, "rev-parse", "--verify", "--quiet", ref+"^{commit}"); err == nil {
			return ref, nil
		} else if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
	}
	return "", errors.New("no default branch was found (origin/HEAD, main or master): name the base with --base REV, or review everything with --all")
}

// MergeBase returns the best common ancestor of two revisions.
func (g *Git) MergeBase(ctx context.Context, a, b string) (string, error) {
	ids := []string{}
	for _, rev := range []string{a, b} {
		id, err := g.Resolve(ctx, rev)
		if err != nil {
			return "", err
		}
		ids = append(ids, id)
	}
	out, err := g.run(ctx, nil, "merge-base", ids[0], ids[1])
	if err != nil {
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		if shallow, _ := g.isShallow(ctx); shallow {
			return "", fmt.Errorf("%s and %s have no common commit here: %w", a, b, ErrShallow)
		}
		return "", fmt.Errorf("%s and %s have no common commit: name the base with --base REV, or review everything with --all", a, b)
	}
	return strings.TrimSpace(string(out)), nil
}

func (g *Git) isShallow(ctx context.Context) (bool, error) {
	out, err := g.run(ctx, nil, "rev-parse", "--is-shallow-repository")
	return strings.TrimSpace(string(out)) == "true", err
}

// Ignored reports which of the paths .gitignore keeps out of the repository.
func (g *Git) Ignored(ctx context.Context, paths []string) (map[string]bool, error) {
	ignored := map[string]bool{}
	if len(paths) == 0 || g.root == "" {
		return ignored, nil
	}
	out, err := g.run(ctx, []byte(strings.Join(paths, "\x00")+"\x00"), "check-ignore", "--stdin", "-z", "--no-index")
	var exit *exec.ExitError
	if err != nil && !(errors.As(err, &exit) && exit.ExitCode() == 1) { // 1: none is ignored
		return nil, err
	}
	for p := range strings.SplitSeq(string(out), "\x00") {
		if p != "" {
			ignored[p] = true
		}
	}
	return ignored, nil
}

// Close ends the helper processes.
func (g *Git) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	for _, r := range g.readers {
		r.stop()
	}
	g.readers = nil
	if g.work != nil {
		return g.work.Close()
	}
	return nil
}
