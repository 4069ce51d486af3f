package github_test

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sealward/sealward/internal/github"
	"github.com/sealward/sealward/internal/github/githubtest"
	"github.com/sealward/sealward/internal/repo"
)

// quick are options that do not make a test wait.
func quick(base string) github.Options {
	return github.Options{BaseURL: base, Backoff: time.Millisecond, Pause: time.Millisecond, MaxWait: time.Second, Timeout: 5 * time.Second, Fresh: []time.Duration{time.Millisecond, time.Millisecond}}
}

func newClient(t *testing.T, s *githubtest.Server, token string) *github.Client {
	t.Helper()
	c, err := github.New(token, quick(s.URL+"/api/v3"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// reader is a client of a workflow that may read.
func reader(t *testing.T, s *githubtest.Server, r *githubtest.Repo) *github.Client {
	t.Helper()
	return newClient(t, s, s.ActionsToken(r.Name(), map[string]string{"contents": "read", "pull_requests": "read"}))
}

func numbered(n int, mark string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%s line %d\n", mark, i+1)
	}
	return b.String()
}

// contents reads a snapshot whole.
func contents(t *testing.T, s repo.Snapshot) map[string]string {
	t.Helper()
	out := map[string]string{}
	list, err := s.FS.(repo.Lister).List()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if !e.Mode.IsRegular() {
			out[e.Path] = e.Mode.Type().String()
			continue
		}
		data, err := fs.ReadFile(s.FS, e.Path)
		if err != nil {
			t.Errorf("%v", err)
		}
		out[e.Path] = string(data)
	}
	return out
}

// same holds a snapshot to what git says that the commit holds.
func same(t *testing.T, what string, s repo.Snapshot, r *githubtest.Repo, rev string) {
	t.Helper()
	for path, got := range contents(t, s) {
		want, ok := r.ReadFile(rev, path)
		if ok && want != got && !strings.HasPrefix(got, "L") && !strings.Contains(got, "\x00") {
			t.Errorf("%s: %s holds %.80q, want %.80q", what, path, got, want)
		}
	}
}

func TestChangeOfAPullRequest(t *testing.T) {
	s := githubtest.New(t)
	r := s.NewRepo("octo/shop", githubtest.Files{
		"kept.yaml": "same: 1\n", "edit.yaml": numbered(30, "old"), "gone.env": "A=1\nB=2\n", "noeol": "one\ntwo", "crlf.txt": "a\r\nb\r\n",
		"dir/moved.txt": numbered(20, "moved"), "exact.txt": numbered(5, "exact"), "mode.sh": "#!/bin/sh\n", "img.png": "\x89PNG\x00\x01",
	})
	edited := strings.Replace(numbered(30, "old"), "old line 3\n", "new line 3\nand more\n", 1)
	edited = strings.Replace(edited, "old line 20\n", "", 1) + "tail\n"
	head := r.Commit("feature", "Change much", githubtest.Files{
		"edit.yaml": edited, "gone.env": githubtest.Removed, "noeol": "one\ntwo\nthree", "crlf.txt": "a\r\nB\r\n", "new/added.txt": "n1\nn2\n", "empty": "",
		"dir/moved.txt": githubtest.Removed, "dir/renamed.txt": numbered(20, "moved") + "extra\n", "exact.txt": githubtest.Removed, "exact2.txt": numbered(5, "exact"),
		"mode.sh": githubtest.Executable("#!/bin/sh\n"), "img.png": "\x89PNG\x00\x02", "link": githubtest.Symlink("kept.yaml"),
	})
	n := r.OpenPull("alice", "feature", "Change")
	// The base branch moves on: line numbers and Base stay those of the merge base.
	base := r.Head("main")
	r.Commit("main", "Meanwhile", githubtest.Files{"edit.yaml": "top\n" + numbered(30, "old"), "kept.yaml": "same: 2\n"})
	s.Forget()
	ch, err := reader(t, s, r).Change(context.Background(), github.Range{Repo: "octo/shop", Base: r.Head("main"), Head: head, Pull: n})
	if err != nil {
		t.Fatal(err)
	}
	if ch.Base.Commit != base || ch.Head.Commit != head || len(ch.Incomplete) != 0 {
		t.Errorf("base %s head %s incomplete %q", ch.Base.Commit, ch.Head.Commit, ch.Incomplete)
	}
	same(t, "base", ch.Base, r, base)
	same(t, "head", ch.Head, r, head)
	if got := contents(t, ch.Base)["kept.yaml"]; got != "same: 1\n" {
		t.Errorf("base is not the merge base: %q", got)
	}
	want := []repo.FileChange{
		{Kind: repo.Modified, Path: "crlf.txt", Old: "crlf.txt", Added: []repo.Lines{{First: 2, Last: 2}}},
		{Kind: repo.Renamed, Path: "dir/renamed.txt", Old: "dir/moved.txt", Added: []repo.Lines{{First: 21, Last: 21}}},
		{Kind: repo.Modified, Path: "edit.yaml", Old: "edit.yaml", Added: []repo.Lines{{First: 3, Last: 4}, {First: 31, Last: 31}}},
		{Kind: repo.Added, Path: "empty"},
		{Kind: repo.Renamed, Path: "exact2.txt", Old: "exact.txt"},
		{Kind: repo.Deleted, Path: "gone.env", Old: "gone.env"},
		{Kind: repo.Modified, Path: "img.png", Old: "img.png"},
		{Kind: repo.Added, Path: "link"},
		{Kind: repo.Modified, Path: "mode.sh", Old: "mode.sh"},
		{Kind: repo.Added, Path: "new/added.txt", Added: []repo.Lines{{First: 1, Last: 2}}},
		{Kind: repo.Modified, Path: "noeol", Old: "noeol", Added: []repo.Lines{{First: 2, Last: 3}}},
	}
	for i := range ch.Files {
		if ch.Files[i].Kind != repo.Deleted && ch.Files[i].ID == "" {
			t.Errorf("%s has no content's name", ch.Files[i].Path)
		}
		ch.Files[i].ID = ""
	}
	if d := cmp.Diff(want, ch.Files); d != "" {
		t.Errorf("files: %s", d)
	}
	if len(ch.Commits) != 1 || ch.Commits[0].ID != head || ch.Commits[0].Subject != "Change much" {
		t.Errorf("commits: %+v", ch.Commits)
	}
	if err := r.Fsck(); err != nil {
		t.Error(err)
	}
	t.Log(s.Calls())
}

func TestChangeReadsEveryCommit(t *testing.T) {
	s := githubtest.New(t)
	r := s.NewRepo("octo/shop", githubtest.Files{"app.env": numbered(50, "k"), "other": "x\n"})
	var ids []string
	var want []map[string]string
	commit := func(files githubtest.Files) {
		ids = append(ids, r.Commit("feature", fmt.Sprintf("Commit %d", len(ids)), files))
		want = append(want, files)
	}
	secret := "PASS" + "WORD=one\n"
	commit(githubtest.Files{"app.env": numbered(50, "k") + secret})
	commit(githubtest.Files{"app.env": numbered(50, "k"), "new.txt": "fresh\n"})
	commit(githubtest.Files{"new.txt": githubtest.Removed, "renamed.txt": "fresh\nmore\nand more\n"})
	commit(githubtest.Files{"bin": "a\x00b"})
	commit(githubtest.Files{"bin": githubtest.Removed, "final": "f\n"})
	n := r.OpenPull("alice", "feature", "Change")
	for _, git := range []bool{true, false} {
		s.Forget()
		if !git { // a server that serves no git: then the API is asked for each commit
			s.Arm(githubtest.Fault{Op: "git", Status: 404, Times: -1})
		}
		readsEveryCommit(t, s, r, n, ids, want)
		if calls := s.Count("repos/get-commit"); git && calls != 0 || !git && calls != 4 {
			t.Errorf("git %t: %d calls for commits; the last one's tree is Head's", git, calls)
		}
		if calls := s.Count("git/get-blob"); calls > 1 { // the binary file
			t.Errorf("git %t: %d calls for contents", git, calls)
		}
	}
}

func readsEveryCommit(t *testing.T, s *githubtest.Server, r *githubtest.Repo, n int, ids []string, want []map[string]string) {
	t.Helper()
	ch, err := reader(t, s, r).Change(context.Background(), github.Range{Repo: "octo/shop", Base: "main", Head: ids[4], Pull: n})
	if err != nil {
		t.Fatal(err)
	}
	if len(ch.Incomplete) > 0 {
		t.Errorf("incomplete: %q", ch.Incomplete)
	}
	if len(ch.Commits) != len(ids) {
		t.Fatalf("%d commits, want %d", len(ch.Commits), len(ids))
	}
	for i, c := range ch.Commits {
		if c.ID != ids[i] {
			t.Errorf("commit %d is %s, want %s", i, c.ID, ids[i])
		}
		for path, content := range want[i] {
			at := slices.IndexFunc(c.Files, func(f repo.FileChange) bool { return f.Path == path || f.Old == path })
			if at < 0 && i < 4 {
				t.Errorf("commit %d does not name %s", i, path)
			}
			if content == githubtest.Removed {
				continue
			}
			got, err := fs.ReadFile(c.Tree.FS, path)
			if err != nil || string(got) != content {
				t.Errorf("commit %d: %s holds %.40q (%v)", i, path, got, err)
			}
		}
	}
}

func TestChangeKeepsItsBudget(t *testing.T) {
	t.Run("one commit", func(t *testing.T) { keepsItsBudget(t, 1) })
	t.Run("25 commits", func(t *testing.T) { keepsItsBudget(t, 25) })
}

func keepsItsBudget(t *testing.T, commits int) {
	t.Helper()
	s := githubtest.New(t)
	files, change := githubtest.Files{}, githubtest.Files{}
	for i := range 50 {
		files[fmt.Sprintf("d/%d.yaml", i)] = numbered(40, "v")
		change[fmt.Sprintf("d/%d.yaml", i)] = numbered(40, "v") + "added\n"
	}
	r := s.NewRepo("octo/shop", files)
	for i := range commits - 1 {
		r.Commit("feature", "On the way", githubtest.Files{fmt.Sprintf("d/%d.yaml", i): "on the way\n"})
	}
	head := r.Commit("feature", "Change", change)
	n := r.OpenPull("alice", "feature", "Change")
	c := reader(t, s, r)
	s.Forget()
	s.SetLatency(20 * time.Millisecond)
	start := time.Now()
	ch, err := c.Change(context.Background(), github.Range{Repo: "octo/shop", Base: "main", Head: head, Pull: n})
	took := time.Since(start)
	if err != nil || len(ch.Files) != 50 || len(ch.Incomplete) > 0 || len(ch.Commits) != commits {
		t.Fatalf("%d files, %q, %v", len(ch.Files), ch.Incomplete, err)
	}
	if calls := len(s.Requests()); calls > 8 {
		t.Errorf("%d calls for 50 files: %v", calls, s.Calls())
	}
	if took > 2*time.Second {
		t.Errorf("50 files took %s", took)
	}
	t.Log(took, s.Calls())
}
