package repo_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/repo/repotest"
)

// entry finds a file in a listing.
func entry(t *testing.T, s repo.Snapshot, p string) (repo.Entry, bool) {
	t.Helper()
	list, err := s.List()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if e.Path == p {
			return e, true
		}
	}
	return repo.Entry{}, false
}

func workTree(t *testing.T, g *repotest.Git) repo.Snapshot {
	t.Helper()
	s, err := find(t, g.Dir).WorkTree(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func content(t *testing.T, s repo.Snapshot, p string) string {
	t.Helper()
	data, err := fs.ReadFile(s.FS, p)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// settle lets the index be younger than the files, so that git can trust it.
func settle(t *testing.T, g *repotest.Git) {
	t.Helper()
	time.Sleep(20 * time.Millisecond)
	g.Run("update-index", "--refresh")
	later := time.Now().Add(2 * time.Second)
	if err := os.Chtimes(filepath.Join(g.Dir, ".git", "index"), later, later); err != nil {
		t.Fatal(err)
	}
}

func TestWorkTreeLists(t *testing.T) {
	g := repotest.NewGit(t)
	g.Commit("first", map[string]string{
		".gitignore": "*.log\n", "kept.yaml": "k: 1\n", "deleted.yaml": "d: 1\n", "becomes-dir": "x\n", "dir/becomes-link": "x\n", "becomes-pipe": "x\n",
		"changed.yaml": "c: 1\n", "conflict": "base\n",
	})
	g.Write(map[string]string{"tracked.log": "tracked though ignored\n"})
	g.Run("add", "-f", "tracked.log")
	settle(t, g)
	g.Remove("deleted.yaml", "becomes-dir", "dir/becomes-link", "dir", "becomes-pipe")
	g.Write(map[string]string{
		"becomes-dir/inside.yaml": "i: 1\n", "new.yaml": "n: 1\n", "new.log": "ignored\n", "changed.yaml": "c: 2\n", "intent.yaml": "i: 1\n",
		"nested/file.yaml": "f: 1\n", "elsewhere/becomes-link": "not tracked\n",
	})
	g.Run("add", "-N", "intent.yaml")
	g.At(filepath.Join(g.Dir, "nested")).Run("init", "-q")
	if err := os.Symlink("elsewhere", filepath.Join(g.Dir, "dir")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(g.Dir, "becomes-pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := workTree(t, g)
	want := ".gitignore becomes-dir/inside.yaml becomes-pipe changed.yaml conflict dir elsewhere/becomes-link intent.yaml kept.yaml nested new.yaml tracked.log"
	if got := paths(t, s); got != want {
		t.Errorf("the work tree holds\n%s, want\n%s", got, want)
	}
	for p, mode := range map[string]fs.FileMode{"dir": fs.ModeSymlink, "becomes-pipe": fs.ModeIrregular, "nested": fs.ModeIrregular} {
		if e, _ := entry(t, s, p); e.Mode != mode {
			t.Errorf("%s has mode %v, want %v", p, e.Mode, mode)
		}
		if _, err := fs.ReadFile(s.FS, p); err == nil {
			t.Errorf("%s was read", p)
		}
	}
	for p, known := range map[string]bool{"kept.yaml": true, "tracked.log": true, "changed.yaml": false, "new.yaml": false, "intent.yaml": false} {
		if e, _ := entry(t, s, p); (e.ID != "") != known {
			t.Errorf("%s has the ID %q", p, e.ID)
		}
	}
	if got := content(t, s, "changed.yaml"); got != "c: 2\n" {
		t.Errorf("changed.yaml holds %q", got)
	}
	files, err := repo.Compare(t.Context(), must(find(t, g.Dir).Snapshot(t.Context(), "HEAD")), s)
	if err != nil {
		t.Fatal(err)
	}
	var changes []string
	for _, f := range files {
		changes = append(changes, f.Kind.String()+" "+f.Path)
	}
	if got := strings.Join(changes, ", "); !strings.Contains(got, "modified changed.yaml") || !strings.Contains(got, "deleted deleted.yaml") || strings.Contains(got, "kept") {
		t.Errorf("changes: %s", got)
	}
}

func must(s repo.Snapshot, err error) repo.Snapshot {
	if err != nil {
		panic(err)
	}
	return s
}

// A secret that is put in without a change of size or modification time is seen.
func TestChangeThatLooksLikeNone(t *testing.T) {
	g := repotest.NewGit(t)
	g.Commit("first", map[string]string{"a.yaml": "a: 1\n"})
	settle(t, g)
	name := filepath.Join(g.Dir, "a.yaml")
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(20 * time.Millisecond)
	g.Write(map[string]string{"a.yaml": "a: 2\n"})
	if err := os.Chtimes(name, info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	s := workTree(t, g)
	if e, _ := entry(t, s, "a.yaml"); e.ID != "" || content(t, s, "a.yaml") != "a: 2\n" {
		t.Errorf("%+v %q", e, content(t, s, "a.yaml"))
	}
}

// Git compares times of files that were changed in the moment of git add with care;
// so do we: the index is not younger than the file.
func TestRacyFileIsNotTrusted(t *testing.T) {
	g := repotest.NewGit(t)
	g.Commit("first", map[string]string{"a.yaml": "a: 1\n"})
	info, err := os.Stat(filepath.Join(g.Dir, "a.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(filepath.Join(g.Dir, ".git", "index"), info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	if e, _ := entry(t, workTree(t, g), "a.yaml"); e.ID != "" {
		t.Errorf("trusted: %+v", e)
	}
}

// Where a filter shows something else in the work tree, what git keeps is read: that
// is what others get.
func TestFilteredFiles(t *testing.T) {
	g := repotest.NewGit(t)
	g.Run("config", "filter.upper.clean", "tr a-z A-Z")
	g.Run("config", "filter.upper.smudge", "tr A-Z a-z")
	g.Run("config", "filter.pointer.clean", "wc -c")
	big := strings.Repeat("large file\n", 150_000)
	g.Commit("first", map[string]string{".gitattributes": "*.up filter=upper\n*.bin filter=pointer\ncrlf.txt text eol=crlf\n", "a.up": "hello\n", "big.bin": big, "crlf.txt": "a\r\nb\r\n"})
	settle(t, g)
	s := workTree(t, g)
	if got := content(t, s, "a.up"); got != "HELLO\n" {
		t.Errorf("a.up holds %q, and git has HELLO", got)
	}
	if got := content(t, s, "crlf.txt"); got != "a\nb\n" {
		t.Errorf("crlf.txt holds %q", got)
	}
	if e, _ := entry(t, s, "big.bin"); e.Size > 100 || strings.TrimSpace(content(t, s, "big.bin")) != "1650000" {
		t.Errorf("big.bin: %+v", e)
	}
	if files, err := repo.Compare(t.Context(), must(find(t, g.Dir).Snapshot(t.Context(), "HEAD")), s); err != nil || len(files) > 0 {
		t.Errorf("nothing changed: %v %v", files, err)
	}
}

// What a sparse checkout leaves out is not deleted.
func TestSparseCheckout(t *testing.T) {
	g := repotest.NewGit(t)
	g.Commit("first", map[string]string{"in/a.yaml": "a: 1\n", "out/b.yaml": "b: 1\n"})
	g.Run("sparse-checkout", "set", "in")
	if _, err := os.Stat(filepath.Join(g.Dir, "out")); err == nil {
		t.Fatal("the checkout is not sparse")
	}
	s := workTree(t, g)
	if got := paths(t, s); got != "in/a.yaml out/b.yaml" {
		t.Errorf("the work tree holds %s", got)
	}
	if e, _ := entry(t, s, "out/b.yaml"); content(t, s, "out/b.yaml") != "b: 1\n" || e.Size != 5 {
		t.Errorf("out/b.yaml: %+v", e)
	}
}

func TestIndex(t *testing.T) {
	g := repotest.NewGit(t)
	git := find(t, g.Dir)
	if s, err := git.Index(t.Context()); err != nil || paths(t, s) != "" {
		t.Errorf("an empty index: %v", err)
	}
	g.Commit("first", map[string]string{"a.yaml": "a: 1\n", "gone.yaml": "g: 1\n"})
	g.Write(map[string]string{"a.yaml": "a: 2\n", "b.yaml": "b: 1\n", "intent.yaml": "i: 1\n", "untracked": "u\n"})
	g.Run("rm", "-q", "--cached", "gone.yaml")
	g.Run("add", "a.yaml", "b.yaml")
	g.Run("add", "-N", "intent.yaml")
	g.Write(map[string]string{"a.yaml": "a: 3\n"})
	s, err := git.Index(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := paths(t, s); got != "a.yaml b.yaml" {
		t.Errorf("the index holds %s", got)
	}
	if got := content(t, s, "a.yaml"); got != "a: 2\n" {
		t.Errorf("a.yaml is %q in the index", got)
	}
}

func TestConflict(t *testing.T) {
	g := repotest.NewGit(t)
	g.Commit("first", map[string]string{"a.yaml": "a: 1\n"})
	g.Run("checkout", "-q", "-b", "topic")
	g.Commit("topic", map[string]string{"a.yaml": "a: 2\n"})
	g.Run("checkout", "-q", "main")
	g.Commit("main", map[string]string{"a.yaml": "a: 3\n"})
	g.Run("read-tree", "-m", "main~1", "main", "topic")
	git := find(t, g.Dir)
	if _, err := git.Index(t.Context()); err == nil || !strings.Contains(err.Error(), "a.yaml") {
		t.Errorf("a conflict: %v", err)
	}
	s := workTree(t, g)
	if got := paths(t, s); got != "a.yaml" || content(t, s, "a.yaml") != "a: 3\n" {
		t.Errorf("the work tree holds %s", got)
	}
}

// In a directory anything may stand, and nothing of it makes a review wait or fail.
func TestOpenDirOddities(t *testing.T) {
	dir := t.TempDir()
	write := func(p string) {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, p)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, p), []byte("x\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range []string{"a.yaml", ".git/config", "sub/.git/config", "module/.git", "sub/.github/x.yaml", "bad\xffname.yaml", "bad\xffdir/x"} {
		write(p)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(".", filepath.Join(dir, "loop")); err != nil {
		t.Fatal(err)
	}
	s, err := repo.OpenDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := paths(t, s); got != "a.yaml bad\xffdir/x bad\xffname.yaml loop pipe sub/.github/x.yaml" {
		t.Errorf("the directory holds %q", got)
	}
	for p, want := range map[string]string{"bad\xffname.yaml": "UTF-8", "bad\xffdir/x": "UTF-8", "pipe": "special file", "loop": "symbolic link", "loop/a.yaml": "not exist", "sub/.git/config": "not exist"} {
		if _, err := fs.ReadFile(s.FS, p); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", p, err)
		}
	}
	// What changes its nature after it was listed does not block either.
	if err := os.Remove(filepath.Join(dir, "a.yaml")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "a.yaml"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := fs.ReadFile(s.FS, "a.yaml"); err == nil || !strings.Contains(err.Error(), "regular") {
		t.Errorf("a pipe in the place of a file: %v", err)
	}
	if _, err := repo.OpenDir(filepath.Join(dir, "none")); err == nil {
		t.Error("a directory that is not there was opened")
	}
	if _, err := repo.OpenDir(filepath.Join(dir, "pipe")); err == nil {
		t.Error("a pipe was opened as a directory")
	}
}

// A directory that is swapped for a link on the way out of the tree leads nowhere.
func TestSwappedDirectory(t *testing.T) {
	outside := t.TempDir()
	dir := t.TempDir()
	for _, p := range []string{filepath.Join(outside, "a"), filepath.Join(dir, "sub", "a")} {
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(p), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := repo.OpenDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "sub")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "sub")); err != nil {
		t.Fatal(err)
	}
	if data, err := fs.ReadFile(s.FS, "sub/a"); err == nil {
		t.Errorf("read %q", data)
	}
}

func TestLargeFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "disk.img")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(name, 5<<30); err != nil {
		t.Fatal(err)
	}
	s, err := repo.OpenDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if e, _ := entry(t, s, "disk.img"); e.Size != 5<<30 {
		t.Errorf("%+v", e)
	}
	if _, err := fs.ReadFile(s.FS, "disk.img"); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("a file of 5 GiB: %v", err)
	}
}

// A directory that may not be entered is named, not passed over.
func TestForbiddenDirectory(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may enter any directory")
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "locked"), 0); err != nil {
		t.Fatal(err)
	}
	s, err := repo.OpenDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := paths(t, s); got != "locked" {
		t.Errorf("the directory holds %s", got)
	}
	if _, err := fs.ReadFile(s.FS, "locked"); err == nil {
		t.Error("a locked directory was read")
	}
}
