package github_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sealward/sealward/internal/github"
	"github.com/sealward/sealward/internal/github/githubtest"
	"github.com/sealward/sealward/internal/repo"
)

// change reads a change that must be whole.
func change(t *testing.T, c *github.Client, rng github.Range) repo.Change {
	t.Helper()
	ch, err := c.Change(context.Background(), rng)
	if err != nil {
		t.Fatal(err)
	}
	if len(ch.Incomplete) > 0 {
		t.Errorf("incomplete: %q", ch.Incomplete)
	}
	return ch
}

func find(t *testing.T, ch repo.Change, path string) repo.FileChange {
	t.Helper()
	for _, f := range ch.Files {
		if f.Path == path {
			return f
		}
	}
	t.Errorf("%s is not among the changed files", path)
	return repo.FileChange{}
}

// The ladder where GitHub shows no patch: two contents; else the whole file, and said so.
func TestFilesWithoutAPatch(t *testing.T) {
	s := githubtest.New(t)
	s.SetLimits(githubtest.Limits{PatchBytes: 200})
	r := s.NewRepo("octo/shop", githubtest.Files{"big": numbered(100, "v"), "latin": "caf\xe9\nx\n", "gone": numbered(100, "g"), "small": "a\n"})
	base := r.Head("main")
	big := numbered(50, "w") + numbered(100, "v") + "tail\n"
	head := r.Commit("feature", "Change", githubtest.Files{"big": big, "latin": "caf\xe9\ny\n", "gone": githubtest.Removed, "small": "b\n"})
	n := r.OpenPull("alice", "feature", "Change")
	rng := github.Range{Repo: "octo/shop", Base: "main", Head: head, Pull: n}
	ch := change(t, reader(t, s, r), rng)
	want := []repo.Lines{{First: 1, Last: 50}, {First: 151, Last: 151}}
	if d := cmp.Diff(want, find(t, ch, "big").Added); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]repo.Lines{{First: 2, Last: 2}}, find(t, ch, "latin").Added); d != "" {
		t.Error(d)
	}
	same(t, "base", ch.Base, r, base)
	if got := s.Count("git/get-blob"); got != 3 { // big, latin, gone
		t.Errorf("%d contents fetched", got)
	}

	s.Arm(githubtest.Broken(500).On("git/get-blob").Repeat(-1))
	ch, err := reader(t, s, r).Change(context.Background(), rng)
	if err != nil || len(ch.Incomplete) != 1 || !strings.Contains(ch.Incomplete[0], `"big"`) {
		t.Errorf("%q %v", ch.Incomplete, err)
	}
	if d := cmp.Diff([]repo.Lines{{First: 1, Last: 151}}, find(t, ch, "big").Added); d != "" {
		t.Error(d)
	}
	if _, err := fs.ReadFile(ch.Base.FS, "gone"); err == nil {
		t.Error("a content that could not be had was read")
	}
}

func TestAPullRequestOfThreeThousandFiles(t *testing.T) {
	s := githubtest.New(t)
	files, edit := githubtest.Files{}, githubtest.Files{}
	for i := range 3100 {
		files[fmt.Sprintf("d%d/%d.yaml", i%40, i)] = numbered(5, fmt.Sprint(i))
		edit[fmt.Sprintf("d%d/%d.yaml", i%40, i)] = numbered(5, fmt.Sprint(i)) + "added: 1\n"
	}
	r := s.NewRepo("octo/shop", files)
	base := r.Head("main")
	head := r.Commit("feature", "Change", edit)
	n := r.OpenPull("alice", "feature", "Change")
	s.Forget()
	start := time.Now()
	ch := change(t, reader(t, s, r), github.Range{Repo: "octo/shop", Base: "main", Head: head, Pull: n})
	t.Log(time.Since(start), s.Calls())
	if len(ch.Files) != 3100 {
		t.Fatalf("%d files", len(ch.Files))
	}
	for _, f := range ch.Files {
		if len(f.Added) != 1 || f.Added[0] != (repo.Lines{First: 6, Last: 6}) {
			t.Fatalf("%+v", f)
		}
	}
	same(t, "base", ch.Base, r, base)
	// GitHub lists 3,000 of them: the other hundred are one call to git.
	if calls := len(s.Requests()); calls > 8+3100/100 || s.Count("git") != 1 {
		t.Errorf("%v", s.Calls())
	}
}

// A token that may not read pull requests sees the first 300 patches; git has the rest.
func TestManyFilesWithoutTheirList(t *testing.T) {
	s := githubtest.New(t)
	s.SetLimits(githubtest.Limits{CompareFiles: 3})
	files, edit := githubtest.Files{}, githubtest.Files{}
	for i := range 30 {
		files[fmt.Sprint(i)], edit[fmt.Sprint(i)] = numbered(3, fmt.Sprint(i)), "first\n"+numbered(3, fmt.Sprint(i))
	}
	r := s.NewRepo("octo/shop", files)
	base := r.Head("main")
	head := r.Commit("feature", "Change", edit)
	n := r.OpenPull("alice", "feature", "Change")
	s.Arm(githubtest.Denied().On("pulls/list-files").Repeat(-1))
	ch := change(t, reader(t, s, r), github.Range{Repo: "octo/shop", Base: "main", Head: head, Pull: n})
	same(t, "base", ch.Base, r, base)
	for _, f := range ch.Files {
		if d := cmp.Diff([]repo.Lines{{First: 1, Last: 1}}, f.Added); d != "" {
			t.Error(d)
		}
	}
}

func TestAPullRequestOfThreeHundredCommits(t *testing.T) {
	s := githubtest.New(t)
	r := s.NewRepo("octo/shop", githubtest.Files{"a.env": numbered(20, "k")})
	for i := range 300 {
		r.Commit("feature", fmt.Sprintf("Commit %d", i), githubtest.Files{"a.env": numbered(20, "k") + fmt.Sprintf("V=%d\n", i)})
	}
	n := r.OpenPull("alice", "feature", "Change")
	s.Forget()
	start := time.Now()
	ch := change(t, reader(t, s, r), github.Range{Repo: "octo/shop", Base: "main", Head: r.Head("feature"), Pull: n})
	t.Log(time.Since(start), s.Calls())
	if len(ch.Commits) != 300 {
		t.Fatalf("%d commits", len(ch.Commits))
	}
	for i, c := range ch.Commits {
		if data, err := fs.ReadFile(c.Tree.FS, "a.env"); err != nil || !strings.HasSuffix(string(data), fmt.Sprintf("V=%d\n", i)) {
			t.Fatalf("commit %d: %v", i, err)
		}
	}
	if len(s.Requests()) > 10 {
		t.Errorf("%v", s.Calls())
	}
}

// A hostile .gitattributes leaves files out of the tarball, or changes them in it.
func TestATarballThatHidesFiles(t *testing.T) {
	s := githubtest.New(t)
	r := s.NewRepo("octo/shop", githubtest.Files{"a": "1\n"})
	head := r.Commit("feature", "Hide", githubtest.Files{
		".gitattributes": "hidden.env export-ignore\nsubst.txt export-subst\n", "hidden.env": "PASS" + "WORD=x\n", "subst.txt": "$Format:%H$\n",
	})
	n := r.OpenPull("mallory", "feature", "Change")
	ch := change(t, reader(t, s, r), github.Range{Repo: "octo/shop", Base: "main", Head: head, Pull: n})
	got := contents(t, ch.Head)
	if got["hidden.env"] == "" || got["subst.txt"] != "$Format:%H$\n" {
		t.Errorf("%q", got)
	}
}

func TestTarballsThatBreak(t *testing.T) {
	for name, tt := range map[string]struct {
		fault githubtest.Fault
		said  bool
	}{
		"once":     {githubtest.Fault{Op: "codeload", Status: 404}, false},
		"no gzip":  {githubtest.Fault{Op: "codeload", Status: 200, Body: "<html>"}, false},
		"for good": {githubtest.Fault{Op: "codeload", Status: 404, Times: -1}, true},
		"refused":  {githubtest.Missing().On("repos/download-tarball-archive").Repeat(-1), true},
	} {
		t.Run(name, func(t *testing.T) {
			s := githubtest.New(t)
			r := s.NewRepo("octo/shop", githubtest.Files{"a": "1\n", "b": "2\n"})
			head := r.Commit("feature", "Change", githubtest.Files{"a": "3\n"})
			s.Arm(tt.fault)
			ch, err := reader(t, s, r).Change(context.Background(), github.Range{Repo: "octo/shop", Base: "main", Head: head})
			if err != nil || (len(ch.Incomplete) > 0) != tt.said {
				t.Fatalf("%q %v", ch.Incomplete, err)
			}
			if got := contents(t, ch.Head); got["a"] != "3\n" || got["b"] != "2\n" {
				t.Errorf("%q", got)
			}
		})
	}
}

func TestTreesThatGitHubCutsShort(t *testing.T) {
	s := githubtest.New(t)
	files := githubtest.Files{}
	for i := range 60 {
		files[fmt.Sprintf("d%d/sub/%d", i%6, i)] = fmt.Sprint(i)
	}
	r := s.NewRepo("octo/shop", files)
	head := r.Commit("feature", "Change", githubtest.Files{"d0/sub/0": "changed", "d5/new": "n"})
	s.SetLimits(githubtest.Limits{TreeEntries: 15})
	ch := change(t, reader(t, s, r), github.Range{Repo: "octo/shop", Base: "main", Head: head})
	if got := len(contents(t, ch.Head)); got != 61 || len(ch.Files) != 2 {
		t.Errorf("%d files, %d of them changed", got, len(ch.Files))
	}
	s.SetLimits(githubtest.Limits{TreeEntries: 5}) // now no way leads to the files of one directory
	got, err := reader(t, s, r).Change(context.Background(), github.Range{Repo: "octo/shop", Base: "main", Head: head})
	if err != nil || len(got.Incomplete) == 0 {
		t.Errorf("%q %v", got.Incomplete, err)
	}
	if _, err := reader(t, s, r).Snapshot(context.Background(), "octo/shop", "feature"); err == nil {
		t.Error("a part of a tree passed for a snapshot")
	}
}

func TestWhatChangesAreMeasuredAgainst(t *testing.T) {
	s := githubtest.New(t)
	r := s.NewRepo("octo/shop", githubtest.Files{"a": "1\n"})
	c := reader(t, s, r)
	zero := strings.Repeat("0", 40)
	one := r.Commit("main", "One", githubtest.Files{"b": "1\n"})
	two := r.Commit("main", "Two", githubtest.Files{"c": "1\n"})
	ch := change(t, c, github.Range{Repo: "octo/shop", Base: one, Head: two})
	if len(ch.Files) != 1 || ch.Base.Commit != one || len(ch.Commits) != 1 {
		t.Errorf("a push: %+v", ch.Files)
	}
	// A new branch, and one that is pushed before main goes on.
	head := r.Commit("feature", "Branch", githubtest.Files{"d": "1\n"})
	r.Commit("main", "Three", githubtest.Files{"e": "1\n"})
	ch = change(t, c, github.Range{Repo: "octo/shop", Base: zero, Head: head})
	if len(ch.Files) != 1 || ch.Base.Commit != two {
		t.Errorf("a new branch: %+v on %s", ch.Files, ch.Base.Commit)
	}
	// A forced push: what was there is not in the history, and may be gone.
	ch = change(t, c, github.Range{Repo: "octo/shop", Base: strings.Repeat("ab", 20), Head: head})
	if len(ch.Files) != 1 || ch.Base.Commit != two {
		t.Errorf("a forced push: %+v on %s", ch.Files, ch.Base.Commit)
	}
	// Merging the base into a branch brings nothing of the base into the change.
	r.MergeInto("feature", "main")
	last := r.Commit("feature", "After the merge", githubtest.Files{"d": "2\n"})
	ch = change(t, c, github.Range{Repo: "octo/shop", Base: "main", Head: last})
	if len(ch.Files) != 1 || ch.Base.Commit != r.Head("main") || len(ch.Commits) != 3 {
		t.Errorf("after a merge: %+v, %d commits", ch.Files, len(ch.Commits))
	}
	// Whole: everything is new.
	ch = change(t, c, github.Range{Repo: "octo/shop", Head: "main", Whole: true})
	if ch.Base.FS != nil || len(contents(t, ch.Head)) != 4 || ch.Head.Commit != r.Head("main") {
		t.Errorf("whole: %+v", ch)
	}
	if _, err := c.Change(context.Background(), github.Range{Repo: "octo/shop", Base: "main", Head: zero}); err == nil {
		t.Error("a deleted branch was read")
	}
	if _, err := c.Change(context.Background(), github.Range{Repo: "octo/shop", Base: "main", Head: "nowhere"}); err == nil {
		t.Error("a branch that is not there was read")
	}
}

func TestAPullRequestFromAFork(t *testing.T) {
	s := githubtest.New(t)
	r := s.NewRepo("octo/shop", githubtest.Files{"a": "1\n"})
	n := r.OpenForkPull("mallory", "From a fork", githubtest.Files{"b": "one\n"}, githubtest.Files{"b": "two\n"})
	head := r.Pulls()[0].HeadID
	ch := change(t, reader(t, s, r), github.Range{Repo: "octo/shop", Base: "main", Head: head, Pull: n})
	if len(ch.Files) != 1 || len(ch.Commits) != 2 || contents(t, ch.Commits[0].Tree)["b"] != "one\n" {
		t.Errorf("%+v", ch)
	}
}

func TestAWorkspaceSavesTheTarball(t *testing.T) {
	s := githubtest.New(t)
	r := s.NewRepo("octo/shop", githubtest.Files{"a": "1\n", "b": "2\n", "sub/c": "3\n"})
	head := r.Commit("feature", "Change", githubtest.Files{"a": "changed\n"})
	dir := t.TempDir()
	for path, data := range map[string]string{"a": "changed\n", "b": "edited in the workspace\n", "sub/c": "3\n"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, path)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, path), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ch := change(t, reader(t, s, r), github.Range{Repo: "octo/shop", Base: "main", Head: head, Workspace: os.DirFS(dir)})
	if got := contents(t, ch.Head); got["b"] != "2\n" || got["a"] != "changed\n" {
		t.Errorf("%q: the commit is reviewed, not what lies about", got)
	}
	if s.Count("codeload") != 0 || s.Count("git/get-blob") != 1 {
		t.Errorf("%v", s.Calls())
	}
}

func TestFilesThatAreNotWanted(t *testing.T) {
	s := githubtest.New(t)
	r := s.NewRepo("octo/shop", githubtest.Files{"a.yaml": "1\n", "img.png": "\x89PNG\x00", "sub": githubtest.Submodule(strings.Repeat("12", 20)), "link": githubtest.Symlink("a.yaml")})
	head := r.Commit("feature", "Change", githubtest.Files{"img.png": "\x89PNG\x00\x01", "sub": githubtest.Submodule(strings.Repeat("34", 20)), "a.yaml": "2\n"})
	r.Commit("feature", "More", githubtest.Files{"a.yaml": "3\n"})
	_ = head
	keep := func(e repo.Entry) bool { return strings.HasSuffix(e.Path, ".yaml") }
	ch := change(t, reader(t, s, r), github.Range{Repo: "octo/shop", Base: "main", Head: r.Head("feature"), Keep: keep})
	if len(ch.Files) != 3 || s.Count("git/get-blob") != 0 {
		t.Errorf("%+v %v", ch.Files, s.Calls())
	}
	if _, err := fs.ReadFile(ch.Head.FS, "img.png"); err == nil {
		t.Error("what was not wanted was read")
	}
	if info, err := fs.Stat(ch.Head.FS, "img.png"); err != nil || info.Size() != 6 {
		t.Errorf("%v %v", info, err)
	}
	for _, f := range ch.Commits[0].Files {
		if f.Path == "sub" {
			t.Error("a submodule's commit passed for a file")
		}
	}
	whole := change(t, reader(t, s, r), github.Range{Repo: "octo/shop", Base: "main", Head: r.Head("feature"), Keep: keep, Whole: true})
	if err := fstest.TestFS(repo.Tree(nil, nil)); err != nil {
		t.Error(err)
	}
	if got, err := fs.ReadFile(whole.Head.FS, "a.yaml"); string(got) != "3\n" || err != nil {
		t.Errorf("%q %v", got, err)
	}
}

// Whatever fails for good: an error, or a change that says what is missing, and
// never a change that looks whole.
func TestFailuresAreNeverSilent(t *testing.T) {
	ops := []string{"repos/compare-commits-with-basehead", "git/get-tree", "repos/download-tarball-archive", "codeload", "repos/get-commit", "git/get-blob", "git*"}
	faults := map[string]githubtest.Fault{
		"404": githubtest.Missing(), "403": githubtest.Denied(), "503": githubtest.Broken(503), "401": githubtest.Expired(),
		"rate": githubtest.PrimaryLimit(403, time.Now().Add(time.Hour)), "slow": githubtest.SecondaryLimit(429, "3000"), "cut": {Drop: true},
	}
	s := githubtest.New(t)
	s.SetLimits(githubtest.Limits{PatchBytes: 200})
	r := s.NewRepo("octo/shop", githubtest.Files{"a": "1\n", "big": numbered(100, "v")})
	r.Commit("feature", "One", githubtest.Files{"big": numbered(100, "w"), "a": "2\n"})
	head := r.Commit("feature", "Two", githubtest.Files{"big": numbered(100, "x")})
	rng := github.Range{Repo: "octo/shop", Base: "main", Head: head, Pull: r.OpenPull("alice", "feature", "Change")}
	for name, fault := range faults {
		for _, op := range ops {
			s.Disarm()
			s.Arm(fault.On(op).Repeat(-1))
			ch, err := reader(t, s, r).Change(context.Background(), rng)
			if said := fmt.Sprint(err, ch.Incomplete); strings.Contains(said, "ghs_") || strings.Contains(said, "token=") || strings.Contains(said, "://") {
				t.Errorf("%s fails with %s: a token or an address is told: %s", op, name, said)
			}
			if err != nil {
				continue
			}
			broken := len(ch.Incomplete) > 0
			for _, snap := range append([]repo.Snapshot{ch.Head}, trees(ch)...) {
				list, _ := snap.List()
				for _, e := range list {
					if _, err := fs.ReadFile(snap.FS, e.Path); err != nil {
						broken = true // whoever reads it is told
					}
				}
			}
			if !broken {
				t.Errorf("%s fails with %s and nobody is told", op, name)
			}
		}
	}
	s.Disarm()
	s.Arm(githubtest.PrimaryLimit(403, time.Now().Add(time.Hour)).On("repos/compare-commits-with-basehead").Repeat(-1))
	var limited *github.LimitError
	if _, err := reader(t, s, r).Change(context.Background(), rng); !errors.As(err, &limited) {
		t.Errorf("%v", err)
	}
}

func trees(ch repo.Change) []repo.Snapshot {
	var list []repo.Snapshot
	for _, c := range ch.Commits {
		list = append(list, c.Tree)
	}
	if ch.Base.FS != nil {
		list = append(list, ch.Base)
	}
	return list
}
