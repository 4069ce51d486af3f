// Package repotest makes repositories for tests: out of maps, and real git ones.
package repotest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

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

// Git is a real git repository in a temporary directory, with the branch main.
type Git struct {
	t   testing.TB
	Dir string
	n   int
}

// NewGit makes an empty one.
func NewGit(t testing.TB) *Git {
	t.Helper()
	g := &Git{t: t, Dir: t.TempDir()}
	g.Run("init", "-q", "-b", "main")
	return g
}

// Run runs git and returns what it prints. Identity and dates are fixed, so that
// commit ids are the same at every run.
func (g *Git) Run(args ...string) string {
	g.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = g.Dir
	date := fmt.Sprintf("2026-01-01T00:%02d:%02dZ", g.n/60, g.n%60)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=test", "GIT_AUTHOR_EMAIL=test@example.com",
		"GIT_COMMITTER_NAME=test", "GIT_COMMITTER_EMAIL=test@example.com", "GIT_AUTHOR_DATE="+date, "GIT_COMMITTER_DATE="+date)
	out, err := cmd.CombinedOutput()
	if err != nil {
		g.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// Write writes files into the work tree; an empty content deletes the file.
func (g *Git) Write(files map[string]string) {
	g.t.Helper()
	for p, data := range files {
		name := filepath.Join(g.Dir, filepath.FromSlash(p))
		if data == "" {
			if err := os.Remove(name); err != nil {
				g.t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			g.t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(data), 0o644); err != nil {
			g.t.Fatal(err)
		}
	}
}

// Commit writes files, commits all of the work tree and returns the commit's id.
func (g *Git) Commit(message string, files map[string]string) string {
	g.t.Helper()
	g.n++
	g.Write(files)
	g.Run("add", "-A")
	g.Run("commit", "-q", "--allow-empty", "-m", message)
	return g.Run("rev-parse", "HEAD")
}

// Import feeds a stream to git fast-import, the quick way to a large history. The
// work tree stays as it is.
func (g *Git) Import(stream string) {
	g.t.Helper()
	cmd := exec.Command("git", "fast-import", "--quiet")
	cmd.Dir = g.Dir
	cmd.Stdin = strings.NewReader(stream)
	if out, err := cmd.CombinedOutput(); err != nil {
		g.t.Fatalf("git fast-import: %v\n%s", err, out)
	}
}
