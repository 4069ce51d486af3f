package repo_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/repo/repotest"
)

// told writes commits in one line each: subject, and what happened to which file.
func told(commits []repo.Commit) string {
	var out strings.Builder
	for _, c := range commits {
		out.WriteString(c.Subject + ":")
		for _, f := range c.Files {
			fmt.Fprintf(&out, " %s %s", f.Kind, f.Path)
		}
		out.WriteString("\n")
	}
	return out.String()
}

func TestCommits(t *testing.T) {
	g := repotest.NewGit(t)
	g.Commit("root", map[string]string{"kept.yaml": "k: 1\n", "gone.yaml": "g: 1\n", "moved.yaml": "m: 1\n", "turned": "t\n"})
	g.Commit("leak", map[string]string{"secret.env": "TOKEN=x\n", "kept.yaml": "k: 2\n"})
	g.Remove("secret.env", "gone.yaml", "turned")
	g.Run("mv", "moved.yaml", "new place.yaml")
	if err := os.Symlink("kept.yaml", filepath.Join(g.Dir, "turned")); err != nil {
		t.Fatal(err)
	}
	last := g.Commit("tidy", map[string]string{"odd\nname\xff.yaml": "o: 1\n"})
	git := find(t, g.Dir)
	commits, err := git.Commits(t.Context(), "HEAD~2", "HEAD")
	if err != nil {
		t.Fatal(err)
	}
	want := "leak: modified kept.yaml added secret.env\ntidy: deleted gone.yaml deleted moved.yaml added new place.yaml added odd\nname\xff.yaml deleted secret.env\n"
	if got := told(commits); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	leak := commits[0]
	if data := content(t, leak.Tree, "secret.env"); data != "TOKEN=x\n" {
		t.Errorf("secret.env was %q", data)
	}
	if data := content(t, leak.Tree, "gone.yaml"); data != "g: 1\n" {
		t.Errorf("gone.yaml, which the commit left alone, was %q", data)
	}
	if _, err := fs.ReadFile(commits[1].Tree.FS, "secret.env"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("secret.env is gone: %v", err)
	}
	if id := g.Run("rev-parse", "HEAD~1:secret.env"); leak.Files[1].ID != id || leak.Tree.Commit != leak.ID {
		t.Errorf("secret.env has the ID %s, want %s", leak.Files[1].ID, id)
	}
	if c := commits[1]; c.ID != last || c.When.Unix() != 1767225603 {
		t.Errorf("%s of %v", c.ID, c.When)
	}
	for _, r := range [][2]string{{"HEAD", "HEAD"}, {"HEAD", "HEAD~1"}} {
		if commits, err := git.Commits(t.Context(), r[0], r[1]); err != nil || len(commits) != 0 {
			t.Errorf("%v: %d commits, %v", r, len(commits), err)
		}
	}
}

// A merge brings what its parents have not; what it takes from one of them stands in
// that one's commits.
func TestCommitsOfMerges(t *testing.T) {
	g := repotest.NewGit(t)
	base := g.Commit("root", map[string]string{"a.yaml": "a: 1\n", "b.yaml": "b: 1\n"})
	g.Run("checkout", "-q", "-b", "topic")
	g.Commit("topic", map[string]string{"a.yaml": "a: 2\n"})
	g.Run("checkout", "-q", "main")
	g.Commit("main", map[string]string{"b.yaml": "b: 2\n"})
	g.Run("checkout", "-q", "topic")
	g.Run("merge", "-q", "--no-commit", "--no-ff", "main")
	g.Commit("evil merge", map[string]string{"slipped-in.env": "TOKEN=x\n", "a.yaml": "a: 3\n"})
	g.Remove("slipped-in.env")
	g.Commit("hide it", nil)
	git := find(t, g.Dir)
	commits, err := git.Commits(t.Context(), base, "topic")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(told(commits)), "\n")
	slices.Sort(lines[:2]) // the two branches, in either order
	want := []string{"main: modified b.yaml", "topic: modified a.yaml", "evil merge: modified a.yaml added slipped-in.env", "hide it: deleted slipped-in.env"}
	if !slices.Equal(lines, want) {
		t.Errorf("got %q, want %q", lines, want)
	}
	merge := commits[2]
	if content(t, merge.Tree, "slipped-in.env") != "TOKEN=x\n" || content(t, merge.Tree, "b.yaml") != "b: 2\n" {
		t.Error("the merge's tree is another")
	}
}

func TestCommitsOfOctopus(t *testing.T) {
	g := repotest.NewGit(t)
	base := g.Commit("root", map[string]string{"a": "1\n"})
	for _, name := range []string{"x", "y", "z"} {
		g.Run("checkout", "-q", "-b", name, base)
		g.Commit(name, map[string]string{name: name + "\n"})
	}
	g.Run("checkout", "-q", "main")
	g.Run("merge", "-q", "--no-commit", "x", "y", "z")
	g.Commit("octopus", map[string]string{"extra": "e\n"})
	commits, err := find(t, g.Dir).Commits(t.Context(), base, "main")
	if err != nil || len(commits) != 4 {
		t.Fatal(told(commits), err)
	}
	if got := told(commits[3:]); got != "octopus: added extra\n" {
		t.Errorf("got %s", got)
	}
}

// Histories that have nothing in common: the whole of the other is new.
func TestUnrelatedHistories(t *testing.T) {
	g := repotest.NewGit(t)
	g.Commit("root", map[string]string{"a": "1\n"})
	g.Run("checkout", "-q", "--orphan", "other")
	g.Commit("other root", map[string]string{"b": "1\n"})
	git := find(t, g.Dir)
	commits, err := git.Commits(t.Context(), "main", "other")
	if got := told(commits); err != nil || got != "other root: added a added b\n" {
		t.Errorf("%s %v", got, err)
	}
	if _, err := git.MergeBase(t.Context(), "main", "other"); err == nil || errors.Is(err, repo.ErrShallow) || !strings.Contains(err.Error(), "--base") {
		t.Errorf("merge base: %v", err)
	}
}

func TestShallowClone(t *testing.T) {
	g := repotest.NewGit(t)
	for i := range 5 {
		g.Commit(fmt.Sprint("step ", i), map[string]string{"a": fmt.Sprintln(i)})
	}
	g.Run("checkout", "-q", "-b", "topic", "HEAD~3")
	g.Commit("topic", map[string]string{"b": "1\n"})
	dir := filepath.Join(t.TempDir(), "clone")
	g.Run("clone", "-q", "--depth=2", "--no-single-branch", "file://"+g.Dir, dir)
	git := find(t, dir)
	if _, err := git.MergeBase(t.Context(), "origin/main", "origin/topic"); !errors.Is(err, repo.ErrShallow) || !strings.Contains(err.Error(), "git fetch --unshallow") {
		t.Errorf("merge base: %v", err)
	}
	commits, err := git.Commits(t.Context(), "origin/main", "origin/topic")
	if !errors.Is(err, repo.ErrShallow) || len(commits) == 0 {
		t.Errorf("%d commits that reach the end: %v", len(commits), err)
	}
	if _, err := git.Resolve(t.Context(), g.Run("rev-parse", "main~4")); !errors.Is(err, repo.ErrShallow) {
		t.Errorf("a commit that was cut off: %v", err)
	}
	if commits, err := git.Commits(t.Context(), "origin/main~1", "origin/main"); err != nil || len(commits) != 1 {
		t.Errorf("a range within the clone: %d commits, %v", len(commits), err)
	}
	if _, err := git.EverHeld(t.Context(), "1"); !errors.Is(err, repo.ErrShallow) {
		t.Errorf("ever held: %v", err)
	}
	linked := filepath.Join(t.TempDir(), "linked")
	g.At(dir).Run("worktree", "add", "-q", linked, "origin/topic")
	if _, err := find(t, linked).Commits(t.Context(), "origin/main", "HEAD"); !errors.Is(err, repo.ErrShallow) {
		t.Errorf("in a linked work tree: %v", err)
	}
}

func TestEverHeld(t *testing.T) {
	g := repotest.NewGit(t)
	git := find(t, g.Dir)
	if got, err := git.EverHeld(t.Context(), "age1x"); err != nil || len(got) != 0 {
		t.Errorf("in an empty repository: %q %v", got, err)
	}
	g.Commit("first", map[string]string{"z.yaml": "age1x\n", "b.yaml": "b\n"})
	g.Commit("second", map[string]string{"z.yaml": "age1y\n", "odd\nname": "age1x\n"})
	g.Run("checkout", "-q", "-b", "topic")
	g.Commit("third", map[string]string{"c.yaml": "-age1x\n"})
	g.Run("checkout", "-q", "main")
	got, err := git.EverHeld(t.Context(), "age1x")
	if want := []string{"c.yaml", "odd\nname", "z.yaml"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, want %q: %v", got, want, err)
	}
}

// A commit's subject is a person's text: it may hold anything but a line break.
func TestOddSubjects(t *testing.T) {
	g := repotest.NewGit(t)
	first := g.Commit("first", map[string]string{"a": "1\n"})
	for _, subject := range []string{"::error::x", "commit 123", "tab\tand \x1b[31mcolour", "-n", "ünïcode"} {
		g.Commit(subject, nil)
	}
	commits, err := find(t, g.Dir).Commits(t.Context(), first, "HEAD")
	if err != nil || len(commits) != 5 || commits[2].Subject != "tab\tand \x1b[31mcolour" {
		t.Errorf("%q %v", told(commits), err)
	}
}

// A tree that names a file twice shows one reader this and another that.
func TestTreeThatNamesAFileTwice(t *testing.T) {
	g := repotest.NewGit(t)
	g.Commit("first", map[string]string{"a.yaml": "a: 1\n", "b.yaml": "b: 1\n"})
	raw := g.Output("cat-file", "tree", "HEAD^{tree}")
	twice := strings.ReplaceAll(string(raw), "b.yaml", "a.yaml")
	name := filepath.Join(t.TempDir(), "tree")
	if err := os.WriteFile(name, []byte(twice), 0o600); err != nil {
		t.Fatal(err)
	}
	tree := g.Run("hash-object", "-t", "tree", "-w", "--literally", name)
	commit := g.Run("commit-tree", "-m", "twice", tree)
	if _, err := find(t, g.Dir).Snapshot(t.Context(), commit); err == nil || !strings.Contains(err.Error(), `"a.yaml" twice`) {
		t.Errorf("%v", err)
	}
}
