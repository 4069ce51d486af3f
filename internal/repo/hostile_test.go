package repo_test

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/repo/repotest"
)

// trap is a repository whose configuration names programs. Each leaves a mark.
type trap struct {
	*repotest.Git
	marks string // a directory: one file for each program that ran
}

// program writes a script that leaves its mark and then does as little harm as it can.
func (tr trap) program(t *testing.T, name string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	script := fmt.Sprintf("#!/bin/sh\n: > '%s/%s'\ncat 2>/dev/null\nexit 0\n", tr.marks, name)
	if err := os.WriteFile(file, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return file
}

func (tr trap) sprung(t *testing.T) []string {
	t.Helper()
	list, err := os.ReadDir(tr.marks)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, d := range list {
		names = append(names, d.Name())
	}
	return names
}

// newTrap is a repository with everything in it that can name a program: its own
// configuration, an included one, one of the work tree, hooks and attributes.
func newTrap(t *testing.T) trap {
	t.Helper()
	tr := trap{repotest.NewGit(t), t.TempDir()}
	tr.Commit("first", map[string]string{"a.yaml": "a: 1\n", "b.txt": "b\n", ".gitattributes": "*.yaml diff=x merge=x\n*.txt filter=x ident\n", ".gitignore": "*.log\n"})
	tr.Commit("second", map[string]string{"a.yaml": "a: 2\n", "c.yaml": "c: 1\n"})
	tr.Run("tag", "-a", "-m", "v1", "v1")
	for _, key := range []string{
		"core.fsmonitor", "core.sshCommand", "core.gitProxy", "core.askPass", "core.editor", "core.pager", "core.alternateRefsCommand",
		"sequence.editor", "credential.helper", "diff.external", "diff.x.command", "diff.x.textconv", "merge.x.driver", "gpg.program", "gpg.ssh.program",
		"filter.x.clean", "filter.x.smudge", "filter.x.process", "interactive.diffFilter", "uploadpack.packObjectsHook", "pager.log", "pager.diff",
		"remote.origin.uploadpack", "pack.packSizeLimitHook", "browser.x.cmd", "difftool.x.cmd", "trailer.x.command",
	} {
		tr.Run("config", key, tr.program(t, key))
	}
	for _, alias := range []string{"ls-files", "ls-tree", "cat-file", "rev-parse", "rev-list", "diff-tree", "check-ignore", "for-each-ref", "merge-base", "log"} {
		tr.Run("config", "alias."+alias, "!"+tr.program(t, "alias."+alias))
	}
	tr.Run("config", "log.showSignature", "true")
	tr.Run("config", "filter.x.required", "true")
	tr.Run("config", "remote.origin.url", "ext::sh -c "+tr.program(t, "remote.ext"))
	tr.Run("config", "extensions.partialClone", "origin")
	tr.Run("config", "core.repositoryFormatVersion", "1")
	tr.Run("config", "remote.origin.promisor", "true")
	included := filepath.Join(t.TempDir(), "included")
	if err := os.WriteFile(included, []byte("[core]\n\tfsmonitor = "+tr.program(t, "included")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	tr.Run("config", "include.path", included)
	tr.Run("config", "extensions.worktreeConfig", "true")
	tr.Run("config", "--worktree", "core.hooksPath", tr.hooks(t))
	return tr
}

func (tr trap) hooks(t *testing.T) string {
	t.Helper()
	var dir string
	for _, hook := range []string{"pre-commit", "post-checkout", "post-index-change", "reference-transaction", "fsmonitor-watchman", "pre-auto-gc", "post-rewrite"} {
		from := tr.program(t, hook)
		dir = filepath.Join(tr.Dir, ".git", "trap-hooks")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(from, filepath.Join(dir, hook)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// exercise asks everything that can be asked of a repository.
func exercise(t *testing.T, dir string) {
	t.Helper()
	git := find(t, dir)
	ctx := t.Context()
	check := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	read := func(what string, s repo.Snapshot, err error) repo.Snapshot {
		t.Helper()
		check(what, err)
		list, err := s.List()
		check(what, err)
		for _, e := range list {
			if e.Mode.IsRegular() {
				_, err := fs.ReadFile(s.FS, e.Path)
				check(what, err)
			}
		}
		return s
	}
	s, err := git.Snapshot(ctx, "HEAD~1")
	base := read("commit", s, err)
	s, err = git.Index(ctx)
	read("index", s, err)
	s, err = git.WorkTree(ctx)
	work := read("work tree", s, err)
	_, err = repo.Compare(ctx, base, work)
	check("compare", err)
	commits, err := git.Commits(ctx, "HEAD~1", "HEAD")
	check("commits", err)
	for _, c := range commits {
		read("commit of a range", c.Tree, nil)
	}
	_, err = git.MergeBase(ctx, "HEAD", "v1")
	check("merge base", err)
	_, _, err = git.DefaultBranch(ctx)
	check("default branch", err)
	_, err = git.EverHeld(ctx, "a: 1")
	check("ever held", err)
	_, err = git.LineTimes(ctx, "HEAD", "a.yaml")
	check("line times", err)
	versions, _, err := git.Versions(ctx, []string{"a.yaml", "b.txt"}, 10)
	check("versions", err)
	err = git.Contents(ctx, versions, func(_ repo.Version, _ []byte, err error) error { return err })
	check("contents", err)
	ignored, err := git.Ignored(ctx, []string{"x.log", "a.yaml"})
	check("ignored", err)
	if !ignored["x.log"] || ignored["a.yaml"] {
		t.Errorf("ignored: %v", ignored)
	}
}

func TestNothingOfTheRepositoryRuns(t *testing.T) {
	tr := newTrap(t)
	// Files that git would have to look at again, and so to filter: one changed, one touched.
	tr.Write(map[string]string{"a.yaml": "a: 3\n", "b.txt": "b\n", "untracked.yaml": "u: 1\n"})
	exercise(t, tr.Dir)
	if names := tr.sprung(t); len(names) > 0 {
		t.Errorf("these ran: %v", names)
	}
}

// The traps must be able to spring, or the test above shows nothing.
func TestTrapsSpring(t *testing.T) {
	tr := newTrap(t)
	tr.Write(map[string]string{"a.yaml": "a: 3\n", "b.txt": "b\n"})
	for _, args := range [][]string{{"status"}, {"read-tree", "HEAD"}, {"update-ref", "refs/x", "HEAD"}, {"diff", "HEAD~1", "HEAD"},
		{"config", "--unset", "diff.external"}, {"config", "--unset", "diff.x.command"}, {"log", "-p", "--textconv"}, {"fetch", "origin"}} {
		cmd := exec.Command("git", args...)
		cmd.Dir = tr.Dir
		_ = cmd.Run() // some of them fail, with such programs
	}
	sprung := strings.Join(tr.sprung(t), " ")
	for _, name := range []string{"included", "filter.x.", "diff.x.command", "diff.x.textconv", "post-index-change", "reference-transaction"} {
		if !strings.Contains(sprung, name) {
			t.Errorf("%s did not run by git itself; these did: %s", name, sprung)
		}
	}
}

func TestWorkTreeIsWhereTheRepositoryIs(t *testing.T) {
	g := repotest.NewGit(t)
	g.Commit("first", map[string]string{"a.yaml": "a: 1\n"})
	elsewhere := t.TempDir()
	if err := os.WriteFile(filepath.Join(elsewhere, "shadow"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	g.Write(map[string]string{"new.yaml": "n: 1\n"})
	g.Run("config", "core.worktree", elsewhere)
	git := find(t, g.Dir)
	if git.Root() != realPath(t, g.Dir) {
		t.Errorf("the root is %s, want %s", git.Root(), g.Dir)
	}
	s, err := git.WorkTree(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := paths(t, s); got != "a.yaml new.yaml" {
		t.Errorf("the work tree holds %s", got)
	}
}

func realPath(t *testing.T, dir string) string {
	t.Helper()
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	return real
}

// paths lists a snapshot, one path behind the other.
func paths(t *testing.T, s repo.Snapshot) string {
	t.Helper()
	list, err := s.List()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range list {
		out = append(out, e.Path)
	}
	return strings.Join(out, " ")
}

func TestSomebodyElsesRepository(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to give a repository away")
	}
	g := repotest.NewGit(t)
	g.Commit("first", map[string]string{"a.yaml": "a: 1\n"})
	err := filepath.WalkDir(g.Dir, func(p string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(p, 65534, 65534)
	})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("git", "rev-parse", "HEAD")
	cmd.Dir, cmd.Env = g.Dir, []string{"PATH=" + os.Getenv("PATH"), "GIT_CONFIG_GLOBAL=/dev/null"}
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "dubious ownership") {
		t.Fatalf("git itself does not mind: %s", out)
	}
	git := find(t, g.Dir)
	for what, open := range map[string]func() (repo.Snapshot, error){
		"work tree": func() (repo.Snapshot, error) { return git.WorkTree(t.Context()) },
		"index":     func() (repo.Snapshot, error) { return git.Index(t.Context()) },
		"commit":    func() (repo.Snapshot, error) { return git.Snapshot(t.Context(), "HEAD") },
	} {
		s, err := open()
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if data, err := fs.ReadFile(s.FS, "a.yaml"); err != nil || string(data) != "a: 1\n" {
			t.Errorf("%s: %q %v", what, data, err)
		}
	}
}

// Replaced objects and grafts show another history than the one that is pushed.
func TestReplacedHistoryIsNotBelieved(t *testing.T) {
	g := repotest.NewGit(t)
	first := g.Commit("first", map[string]string{"a.yaml": "leak: 1\n"})
	second := g.Commit("second", map[string]string{"a.yaml": "leak: none\n"})
	third := g.Commit("third", map[string]string{"b.yaml": "b: 1\n"})
	g.Run("replace", first, second)
	if err := os.WriteFile(filepath.Join(g.Dir, ".git", "info", "grafts"), []byte(third+" "+first+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	git := find(t, g.Dir)
	s, err := git.Snapshot(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	if data, err := fs.ReadFile(s.FS, "a.yaml"); err != nil || string(data) != "leak: 1\n" {
		t.Errorf("%q %v", data, err)
	}
	commits, err := git.Commits(t.Context(), first, third)
	if err != nil || len(commits) != 2 || commits[0].ID != second {
		t.Errorf("%d commits, %v: the graft was believed", len(commits), err)
	}
}

// A partial clone lacks blobs; they are not fetched behind the back of the user.
func TestPartialCloneFetchesNothing(t *testing.T) {
	origin := repotest.NewGit(t)
	origin.Commit("first", map[string]string{"a.yaml": "a: 1\n", "b.yaml": "b: 1\n"})
	origin.Commit("second", map[string]string{"a.yaml": "a: 2\n"})
	origin.Run("config", "uploadpack.allowFilter", "true")
	tr := trap{marks: t.TempDir()}
	dir := filepath.Join(t.TempDir(), "clone")
	origin.Run("clone", "-q", "--filter=blob:none", "--no-checkout", "file://"+origin.Dir, dir)
	clone := origin.At(dir)
	clone.Run("config", "remote.origin.uploadpack", tr.program(t, "uploadpack"))
	git := find(t, dir)
	s, err := git.Snapshot(t.Context(), "HEAD")
	if err != nil {
		t.Fatal(err)
	}
	if got := paths(t, s); got != "a.yaml b.yaml" {
		t.Errorf("the commit holds %s", got)
	}
	for range 2 {
		if _, err = fs.ReadFile(s.FS, "a.yaml"); err == nil || !strings.Contains(err.Error(), "clone without --filter") {
			t.Errorf("reading what is not there: %v", err)
		}
	}
	if _, err := git.Commits(t.Context(), "HEAD~1", "HEAD"); err != nil {
		t.Errorf("commits: %v", err)
	}
	if names := tr.sprung(t); len(names) > 0 {
		t.Errorf("these ran: %v", names)
	}
}

func TestNoGit(t *testing.T) {
	g := repotest.NewGit(t)
	g.Commit("first", map[string]string{"a.yaml": "a: 1\n"})
	plain := t.TempDir()
	t.Setenv("PATH", t.TempDir())
	if _, err := repo.FindGit(t.Context(), g.Dir); err == nil || !strings.Contains(err.Error(), "install git") {
		t.Errorf("without git: %v", err)
	}
	if _, err := repo.FindGit(t.Context(), plain); err == nil || strings.Contains(err.Error(), "install git") {
		t.Errorf("outside of a repository git is not needed: %v", err)
	}
}
