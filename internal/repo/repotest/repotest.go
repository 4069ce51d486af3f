// Package repotest makes repositories for tests: out of maps, and real git ones.
package repotest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/tools/txtar"

	"github.com/sealward/sealward/internal/repo"
)

// Files is a snapshot that holds the files of a map, path to content.
func Files(files map[string]string) repo.Snapshot {
	fsys := fstest.MapFS{}
	for p, data := range files {
		fsys[p] = &fstest.MapFile{Data: []byte(data), Mode: 0o644}
	}
	return repo.Snapshot{FS: fsys, Name: "files"}
}

// Txtar is a snapshot of the files of an archive whose names begin with prefix
// ("base/"), which is cut off.
func Txtar(archive *txtar.Archive, prefix string) repo.Snapshot {
	files := map[string]string{}
	for _, f := range archive.Files {
		if p, ok := strings.CutPrefix(f.Name, prefix); ok && p != "" {
			files[p] = string(f.Data)
		}
	}
	return Files(files)
}

// Git is a real git repository, with the branch main. Nothing of the configuration of
// whoever runs the test takes part.
type Git struct {
	t    testing.TB
	Dir  string // the top of the work tree
	tick int    // seconds since the first commit
}

// NewGit makes an empty repository in a temporary directory.
func NewGit(t testing.TB, args ...string) *Git {
	t.Helper()
	g := &Git{t: t, Dir: t.TempDir()}
	g.Run(append([]string{"init", "-q", "-b", "main"}, args...)...)
	return g
}

// At is another work tree or clone, in dir, with the same clock.
func (g *Git) At(dir string) *Git { return &Git{t: g.t, Dir: dir, tick: g.tick} }

// Run runs git and returns what it prints, without the white space around it.
// Identity and dates are fixed, so that commit ids are the same at every run.
func (g *Git) Run(args ...string) string {
	g.t.Helper()
	return strings.TrimSpace(string(g.Output(args...)))
}

// Output runs git and returns what it prints.
func (g *Git) Output(args ...string) []byte {
	g.t.Helper()
	return g.run(nil, args...)
}

// Import feeds a stream to git fast-import, the quick way to a large history. The
// work tree stays as it is.
func (g *Git) Import(stream string) {
	g.t.Helper()
	g.run([]byte(stream), "fast-import", "--quiet")
}

func (g *Git) run(stdin []byte, args ...string) []byte {
	g.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = g.Dir
	cmd.Stdin = bytes.NewReader(stdin)
	date := fmt.Sprintf("%d +0000", 1767225600+g.tick) // 2026-01-01
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "GIT_") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	cmd.Env = append(cmd.Env, "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=test", "GIT_AUTHOR_EMAIL=test@example.com",
		"GIT_COMMITTER_NAME=test", "GIT_COMMITTER_EMAIL=test@example.com", "GIT_AUTHOR_DATE="+date, "GIT_COMMITTER_DATE="+date)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		g.t.Fatalf("git %s: %v\n%s%s", strings.Join(args, " "), err, out, &errs)
	}
	return out
}

// Write writes files into the work tree.
func (g *Git) Write(files map[string]string) {
	g.t.Helper()
	for p, data := range files {
		name := filepath.Join(g.Dir, filepath.FromSlash(p))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			g.t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(data), 0o644); err != nil {
			g.t.Fatal(err)
		}
	}
}

// Remove deletes files of the work tree.
func (g *Git) Remove(paths ...string) {
	g.t.Helper()
	for _, p := range paths {
		if err := os.Remove(filepath.Join(g.Dir, filepath.FromSlash(p))); err != nil {
			g.t.Fatal(err)
		}
	}
}

// Commit writes files, commits all of the work tree and returns the commit's id.
func (g *Git) Commit(message string, files map[string]string) string {
	g.t.Helper()
	g.tick++
	g.Write(files)
	g.Run("add", "-A")
	g.Run("commit", "-q", "--allow-empty", "-m", message)
	return g.Run("rev-parse", "HEAD")
}
