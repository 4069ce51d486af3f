package repo_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/repo/repotest"
)

// A damaged object costs that file and no other.
func TestDamagedObject(t *testing.T) {
	g := repotest.NewGit(t)
	g.Commit("first", map[string]string{"a.yaml": "a: 1\n", "b.yaml": "b: 1\n", "c.yaml": "c: 1\n", "d.yaml": "d: 1\n", "e.yaml": "e: 1\n"})
	git := find(t, g.Dir)
	s, err := git.Snapshot(t.Context(), "HEAD")
	if err != nil {
		t.Fatal(err)
	}
	damage(t, g, "HEAD:c.yaml", func([]byte) []byte { return []byte("x\x9cgarbage") })
	damage(t, g, "HEAD:d.yaml", func(object []byte) []byte { return object[:len(object)-2] })
	for range 3 {
		for p, want := range map[string]string{"a.yaml": "", "b.yaml": "", "c.yaml": "git fsck", "d.yaml": "git cat-file: ", "e.yaml": ""} {
			data, err := fs.ReadFile(s.FS, p)
			if want == "" && (err != nil || string(data) != p[:1]+": 1\n") {
				t.Errorf("%s: %q %v", p, data, err)
			}
			if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("%s: %q %v", p, data, err)
			}
		}
	}
}

// damage changes the file of a loose object.
func damage(t *testing.T, g *repotest.Git, rev string, change func([]byte) []byte) {
	t.Helper()
	id := g.Run("rev-parse", rev)
	name := filepath.Join(g.Dir, ".git", "objects", id[:2], id[2:])
	object, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, change(object), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestCancelEndsProcesses(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
	g := repotest.NewGit(t)
	g.Commit("first", map[string]string{"a.yaml": "a: 1\n"})
	git := find(t, g.Dir)
	ctx, cancel := context.WithCancelCause(t.Context())
	s, err := git.Snapshot(ctx, "HEAD")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fs.ReadFile(s.FS, "a.yaml"); err != nil {
		t.Fatal(err)
	}
	if n := len(children(t)); n != 1 {
		t.Fatalf("%d git processes run, want 1", n)
	}
	why := errors.New("enough")
	cancel(why)
	if _, err := fs.ReadFile(s.FS, "a.yaml"); !errors.Is(err, why) {
		t.Errorf("reading after the end: %v", err)
	}
	if _, err := git.WorkTree(ctx); !errors.Is(err, why) {
		t.Errorf("the work tree after the end: %v", err)
	}
	if _, err := repo.Compare(ctx, repo.Snapshot{}, s); !errors.Is(err, why) {
		t.Errorf("comparing after the end: %v", err)
	}
	for range 200 {
		if len(children(t)) == 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if n := len(children(t)); n != 0 {
		t.Errorf("%d git processes run on", n)
	}
	// Others go on.
	again, err := git.Snapshot(t.Context(), "HEAD")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fs.ReadFile(again.FS, "a.yaml"); err != nil {
		t.Error(err)
	}
	git.Close()
	if n := len(children(t)); n != 0 {
		t.Errorf("%d git processes run on after Close", n)
	}
	if _, err := fs.ReadFile(again.FS, "a.yaml"); err == nil {
		t.Error("a file was read after Close")
	}
}

// A git that does not answer is not waited for once the end has come.
func TestCancelWhileReading(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
	g := repotest.NewGit(t)
	g.Commit("first", map[string]string{"a.yaml": "a: 1\n"})
	ctx, cancel := context.WithCancel(t.Context())
	s, err := find(t, g.Dir).Snapshot(ctx, "HEAD")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fs.ReadFile(s.FS, "a.yaml"); err != nil {
		t.Fatal(err)
	}
	for _, pid := range children(t) {
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan error, 1)
	go func() {
		_, err := fs.ReadFile(s.FS, "a.yaml")
		done <- err
	}()
	time.Sleep(50 * time.Millisecond)
	cancel()
	select {
	case err := <-done:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("reading after the end: %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("reading goes on after the end")
	}
}

// children are the git processes that this one started.
func children(t *testing.T) []int {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, name := range stats {
		data, _ := os.ReadFile(name) // it may have ended
		text := string(data)
		end := strings.LastIndex(text, ")")
		if end < 0 || !strings.Contains(text[:end], "(git") {
			continue
		}
		if f := strings.Fields(text[end+1:]); len(f) > 1 && f[1] == strconv.Itoa(os.Getpid()) && f[0] != "Z" {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name)))
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, pid)
		}
	}
	return pids
}

func TestSHA256(t *testing.T) {
	g := repotest.NewGit(t, "--object-format=sha256")
	g.Commit("first", map[string]string{"a.yaml": "a: 1\n"})
	second := g.Commit("second", map[string]string{"b.yaml": "b: 1\n"})
	if len(second) != 64 {
		t.Fatalf("%s is no SHA-256", second)
	}
	exerciseSHA256(t, g)
}

func exerciseSHA256(t *testing.T, g *repotest.Git) {
	git := find(t, g.Dir)
	commits, err := git.Commits(t.Context(), "HEAD~1", "HEAD")
	if err != nil || len(commits) != 1 || len(commits[0].Files) != 1 {
		t.Fatal(commits, err)
	}
	commit, err := git.Snapshot(t.Context(), "HEAD")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := repo.OpenDir(g.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if files, err := repo.Compare(t.Context(), commit, dir); err != nil || len(files) > 0 {
		t.Error(files, err)
	}
}
