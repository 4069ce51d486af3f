package repo_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/repo/repotest"
)

func TestFindGit(t *testing.T) {
	g := repotest.NewGit(t)
	first := g.Commit("first", map[string]string{"a.yaml": "a: 1\n", "sub/dir/b.yaml": "b: 1\n"})
	top := t.TempDir()
	bare := filepath.Join(top, "bare.git")
	g.Run("clone", "-q", "--bare", g.Dir, bare)
	linked := filepath.Join(top, "linked")
	g.Run("worktree", "add", "-q", "-b", "topic", linked)
	super := repotest.NewGit(t)
	super.Run("-c", "protocol.file.allow=always", "submodule", "add", "-q", g.Dir, "module")
	super.Commit("with a module", nil)
	hidden := filepath.Join(top, "hidden") // a bare repository in a directory of work trees
	if err := os.Mkdir(hidden, 0o755); err != nil {
		t.Fatal(err)
	}
	g.Run("clone", "-q", "--bare", g.Dir, filepath.Join(hidden, ".bare"))
	if err := os.WriteFile(filepath.Join(hidden, ".git"), []byte("gitdir: ./.bare\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	main := filepath.Join(hidden, "main")
	g.At(hidden).Run("worktree", "add", "-q", main, "main")
	for name, tt := range map[string]struct {
		dir, root string
		bare      bool
	}{
		"top":                     {g.Dir, g.Dir, false},
		"inside":                  {filepath.Join(g.Dir, "sub", "dir"), g.Dir, false},
		".git":                    {filepath.Join(g.Dir, ".git"), g.Dir, false},
		"bare":                    {bare, "", true},
		"inside of a bare one":    {filepath.Join(bare, "objects"), "", true},
		"linked work tree":        {filepath.Join(linked, "sub"), linked, false},
		"submodule":               {filepath.Join(super.Dir, "module", "sub"), filepath.Join(super.Dir, "module"), false},
		"bare one under .git":     {hidden, "", true},
		"its linked work tree":    {main, main, false},
		"through a symbolic link": {symlink(t, filepath.Join(g.Dir, "sub")), g.Dir, false},
	} {
		t.Run(name, func(t *testing.T) {
			git := find(t, tt.dir)
			want := tt.root
			if want != "" {
				want = realPath(t, want)
			}
			if git.Root() != want {
				t.Errorf("the root is %q, want %q", git.Root(), want)
			}
			s, err := git.Snapshot(t.Context(), "HEAD")
			if err != nil || s.Commit != first {
				t.Errorf("HEAD is %s, want %s: %v", s.Commit, first, err)
			}
			work, err := git.WorkTree(t.Context())
			if tt.bare {
				if err == nil || !strings.Contains(err.Error(), "bare") {
					t.Errorf("the work tree of a bare repository: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := paths(t, work); got != "a.yaml sub/dir/b.yaml" {
				t.Errorf("the work tree holds %s", got)
			}
			if _, err := git.Index(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func symlink(t *testing.T, target string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(target, name); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestFindGitErrors(t *testing.T) {
	if _, err := repo.FindGit(t.Context(), t.TempDir()); !errors.Is(err, repo.ErrNotGit) {
		t.Errorf("no repository: %v", err)
	}
	if _, err := repo.FindGit(t.Context(), filepath.Join(t.TempDir(), "none")); err == nil || !strings.Contains(err.Error(), "no such directory") {
		t.Errorf("no directory: %v", err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, ".git"), []byte("gitdir: nowhere\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := repo.FindGit(t.Context(), dir); err == nil || errors.Is(err, repo.ErrNotGit) {
		t.Errorf("a .git that leads nowhere: %v", err)
	}
}

func TestResolve(t *testing.T) {
	g := repotest.NewGit(t)
	first := g.Commit("first", map[string]string{"a.yaml": "a: 1\n"})
	second := g.Commit("second", map[string]string{"a.yaml": "a: 2\n"})
	g.Run("tag", "-a", "-m", "v1", "v1", first)
	git := find(t, g.Dir)
	for rev, want := range map[string]string{
		"HEAD": second, "main": second, "HEAD~1": first, "v1": first, first[:10]: first, second: second, "refs/heads/main": second,
	} {
		if got, err := git.Resolve(t.Context(), rev); err != nil || got != want {
			t.Errorf("%s is %s, want %s: %v", rev, got, want, err)
		}
	}
	for _, rev := range []string{"", "-h", "--all", "nope", "HEAD:a.yaml", "HEAD~7", strings.Repeat("0", 40), "a\x00b", "main..HEAD"} {
		if got, err := git.Resolve(t.Context(), rev); err == nil {
			t.Errorf("%q is %s", rev, got)
		}
	}
}

func TestDefaultBranch(t *testing.T) {
	g := repotest.NewGit(t)
	git := find(t, g.Dir)
	check := func(want string) {
		t.Helper()
		got, commit, err := git.DefaultBranch(t.Context())
		if got != want || (want == "") != (err != nil) {
			t.Errorf("the default branch is %q, want %q: %v", got, want, err)
		}
		if want == "" {
			return
		}
		if at, err := git.Resolve(t.Context(), want); at != commit || err != nil {
			t.Errorf("%s is at %s, not %s: %v", want, at, commit, err)
		}
	}
	check("")
	first := g.Commit("first", map[string]string{"a": "1\n"})
	check("refs/heads/main")
	g.Run("branch", "master")
	check("refs/heads/main")
	g.Run("update-ref", "refs/remotes/origin/main/nested", first)
	check("refs/heads/main")
	g.Run("update-ref", "-d", "refs/remotes/origin/main/nested")
	g.Run("update-ref", "refs/remotes/origin/master", first)
	check("refs/remotes/origin/master")
	g.Run("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/gone")
	check("refs/remotes/origin/master")
	g.Run("update-ref", "refs/remotes/origin/gone", first)
	check("refs/remotes/origin/HEAD")
}

func TestIgnored(t *testing.T) {
	g := repotest.NewGit(t)
	g.Commit("first", map[string]string{
		".gitignore": "*.env\n!keep.env\nbuild/\n/top\n", "sub/.gitignore": "!special.env\n", "tracked.txt": "x\n", "real/x": "x\n",
	})
	g.Write(map[string]string{".git/info/exclude": "excluded\n"})
	excludes := filepath.Join(t.TempDir(), "ignore")
	if err := os.WriteFile(excludes, []byte("personal\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	g.Run("config", "core.excludesFile", excludes)
	if err := os.Symlink("real", filepath.Join(g.Dir, "link")); err != nil {
		t.Fatal(err)
	}
	git := find(t, g.Dir)
	want := map[string]bool{
		"a.env": true, "keep.env": false, "deep/er/a.env": true, "sub/special.env": false, "sub/other.env": true, "build/x": true, "x/build/y": true, "build/": true,
		"top": true, "sub/top": false, "tracked.txt": false, "excluded": true, "personal": true, ":(glob)a.env": true, ":!x.env": true, "-a.env": true, "\"q\".env": true,
		"a\nb.env": true, "../a.env": false, "/a.env": false, "link/a.env": false, "": false, ".": false, "..": false, "a/../b.env": false, "\xff.env": true,
	}
	var paths []string
	for p := range want {
		paths = append(paths, p)
	}
	got, err := git.Ignored(t.Context(), paths)
	if err != nil {
		t.Fatal(err)
	}
	for p, w := range want {
		if got[p] != w {
			t.Errorf("%q: %v, want %v", p, got[p], w)
		}
	}
	if got, err := git.Ignored(t.Context(), []string{"tracked.txt"}); err != nil || len(got) != 0 {
		t.Errorf("none is ignored: %v %v", got, err)
	}
}

// The user's own ignore file counts, as it does for git status; nothing else of the
// user's configuration does.
func TestPersonalExcludes(t *testing.T) {
	g := repotest.NewGit(t)
	g.Commit("first", map[string]string{"a.yaml": "a: 1\n"})
	g.Write(map[string]string{".DS_Store": "x", "new.yaml": "n: 1\n"})
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, "ignore"), []byte(".DS_Store\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, "config"), []byte("[core]\n\texcludesFile = "+filepath.Join(home, "ignore")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GIT_CONFIG_GLOBAL", filepath.Join(home, "config"))
	s, err := find(t, g.Dir).WorkTree(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := paths(t, s); got != "a.yaml new.yaml" {
		t.Errorf("the work tree holds %s", got)
	}
}

// A hook is told by its environment which index it works on.
func TestIndexOfAHook(t *testing.T) {
	g := repotest.NewGit(t)
	g.Commit("first", map[string]string{"a.yaml": "a: 1\n"})
	other := repotest.NewGit(t)
	other.Commit("first", map[string]string{"other.yaml": "o: 1\n"})
	index, err := os.ReadFile(filepath.Join(g.Dir, ".git", "index"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(g.Dir, ".git", "next-index.lock"), index, 0o600); err != nil {
		t.Fatal(err)
	}
	g.Commit("second", map[string]string{"b.yaml": "b: 1\n"})
	t.Chdir(g.Dir)
	for _, name := range []string{".git/next-index.lock", filepath.Join(g.Dir, ".git", "next-index.lock")} {
		t.Setenv("GIT_INDEX_FILE", name)
		t.Setenv("GIT_DIR", filepath.Join(other.Dir, ".git")) // which is not asked
		s, err := find(t, g.Dir).Index(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := paths(t, s); got != "a.yaml" {
			t.Errorf("%s: the index holds %s", name, got)
		}
		s, err = find(t, other.Dir).Index(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := paths(t, s); got != "other.yaml" {
			t.Errorf("%s: another repository's index holds %s", name, got)
		}
	}
}
