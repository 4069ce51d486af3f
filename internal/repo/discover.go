package repo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// ErrNotGit is what [FindGit] returns outside of a repository.
var ErrNotGit = errors.New("not a git repository")

// FindGit opens the repository that dir lies in: a work tree, a linked work tree, a
// submodule or a bare repository. It returns [ErrNotGit] where there is none, and
// needs no git to say so.
//
// Git is told the repository and its work tree outright, so that core.worktree
// cannot point elsewhere, and that somebody else's ownership is no obstacle: nothing
// that the repository configures is run.
func FindGit(ctx context.Context, dir string) (*Git, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open %q: %w", dir, err)
	}
	if info, err := os.Stat(abs); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("open %q: there is no such directory", dir)
	}
	if abs, err = filepath.EvalSymlinks(abs); err != nil {
		return nil, fmt.Errorf("open %q: %w", dir, rootCause(err))
	}
	found, ok := discover(abs)
	if !ok {
		return nil, fmt.Errorf("%q: %w", dir, ErrNotGit)
	}
	g := &Git{dir: found.top, env: append(environment(), "GIT_DIR="+found.gitDir)}
	if err := g.describe(ctx); err != nil {
		return nil, err
	}
	if found.workTree && !g.bare {
		g.root = found.top
		g.env = append(g.env, "GIT_WORK_TREE="+g.root)
	}
	g.indexFile = filepath.Join(g.gitDir, "index")
	for _, kv := range hookEnv(found) {
		g.env = append(g.env, kv)
		if name, ok := strings.CutPrefix(kv, "GIT_INDEX_FILE="); ok {
			g.indexFile = name
		}
	}
	g.blobs.git = g
	return g, nil
}

// describe asks git for what it knows of the repository, and so finds out whether it
// can read it at all.
func (g *Git) describe(ctx context.Context) error {
	out, err := g.run(ctx, nil, "rev-parse", "--is-bare-repository", "--path-format=absolute", "--git-dir", "--git-common-dir")
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(lines) != 3 {
		return errors.New("git rev-parse: its answer was not understood: git 2.33 or newer is needed, and a path without line breaks")
	}
	g.bare, g.gitDir, g.commonDir = lines[0] == "true", lines[1], lines[2]
	return nil
}

// place is where a repository was found.
type place struct {
	top      string // where git runs
	gitDir   string // a directory, or the file that names one
	workTree bool
}

// discover looks for a repository in dir and above it, as git does.
func discover(dir string) (place, bool) {
	for {
		if dot := filepath.Join(dir, ".git"); isGitDir(dot) || isGitFile(dot) {
			return place{top: dir, gitDir: dot, workTree: true}, true
		}
		if isGitDir(dir) {
			if filepath.Base(dir) == ".git" {
				return place{top: filepath.Dir(dir), gitDir: dir, workTree: true}, true
			}
			return place{top: dir, gitDir: dir}, true
		}
		up := filepath.Dir(dir)
		if up == dir {
			return place{}, false
		}
		dir = up
	}
}

// isGitDir reports whether dir looks like a repository, or like the part of one that
// belongs to a linked work tree.
func isGitDir(dir string) bool {
	exists := func(name string) bool {
		_, err := os.Lstat(filepath.Join(dir, name))
		return err == nil
	}
	return exists("HEAD") && (exists("objects") && exists("refs") || exists("commondir"))
}

// isGitFile reports whether name is a file that says where the repository is.
func isGitFile(name string) bool {
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() || info.Size() > 64<<10 {
		return false
	}
	data, err := os.ReadFile(name)
	return err == nil && bytes.HasPrefix(data, []byte("gitdir:"))
}

// environment is what git is given of the environment, and what is fixed.
func environment() []string {
	env := fixedEnv()
	for _, name := range []string{"PATH", "HOME", "XDG_CONFIG_HOME", "TMPDIR", "SystemRoot"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// hookEnv are the variables by which git tells a hook which index and which objects
// it works on. They speak of the repository that the process runs in, and of no other.
func hookEnv(at place) []string {
	cwd, err := os.Getwd()
	if err != nil {
		return nil
	}
	if real, err := filepath.EvalSymlinks(cwd); err == nil {
		cwd = real
	}
	if here, ok := discover(cwd); !ok || here != at {
		return nil
	}
	var env []string
	for _, name := range []string{"GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_QUARANTINE_PATH"} {
		if v := os.Getenv(name); v != "" {
			if !filepath.IsAbs(v) {
				v = filepath.Join(cwd, v)
			}
			env = append(env, name+"="+v)
		}
	}
	if v := os.Getenv("GIT_ALTERNATE_OBJECT_DIRECTORIES"); v != "" {
		env = append(env, "GIT_ALTERNATE_OBJECT_DIRECTORIES="+v)
	}
	return env
}
