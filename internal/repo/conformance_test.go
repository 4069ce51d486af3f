package repo_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/repo/repotest"
)

// tree is what every kind of snapshot is made of, and must give back to the byte.
func tree() map[string]string {
	files := map[string]string{
		"README.md":                 "# read me\n",
		".sealward.yaml":            "review: {}\n",
		"empty":                     "",
		"-leading-dash":             "x\n",
		"a b/with space.yaml":       "a: 1\n",
		"quote\"and'quote":          "q\n",
		"line\nbreak/na\tme.yaml":   "n\n",
		"ünïcode/ключ.yaml":         "k: v\n",
		":(glob)magic*":             "m\n",
		"crlf.env":                  "A=1\r\nB=2\r\n",
		"binary":                    "\x00\x01\xff\xfe",
		"no-newline":                "x",
		"big":                       strings.Repeat("0123456789abcdef\n", 200_000),
		"a/deep/er/path/values.yml": "v: 1\n",
	}
	for i := range 40 {
		files[fmt.Sprintf("many/%02d/values.yaml", i)] = fmt.Sprintf("n: %d\n", i)
	}
	return files
}

// kinds opens the same files as every kind of snapshot. Each holds the symbolic
// links "link-in", "link-out" and "link-dir" too.
func kinds(t *testing.T) map[string]repo.Snapshot {
	t.Helper()
	files := tree()
	g := repotest.NewGit(t)
	g.Commit("first", map[string]string{"other": "x\n"})
	g.Write(files)
	secret := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(secret, []byte("outside\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"link-in": "README.md", "link-out": secret, "link-dir": filepath.Dir(secret)} {
		if err := os.Symlink(target, filepath.Join(g.Dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	g.Run("rm", "-q", "-f", "other")
	g.Commit("second", nil)
	git := find(t, g.Dir)
	out := map[string]repo.Snapshot{}
	open := func(name string, s repo.Snapshot, err error) {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out[name] = s
	}
	dir, err := repo.OpenDir(g.Dir)
	open("directory", dir, err)
	work, err := git.WorkTree(t.Context())
	open("work tree", work, err)
	commit, err := git.Snapshot(t.Context(), "HEAD")
	open("commit", commit, err)
	index, err := git.Index(t.Context())
	open("index", index, err)
	commits, err := git.Commits(t.Context(), "HEAD~1", "HEAD")
	if err != nil || len(commits) != 1 {
		t.Fatal(len(commits), err)
	}
	open("commit of a range", commits[0].Tree, nil)
	plain, err := repo.ReadTar(bytes.NewReader(g.Output("archive", "--format=tar", "--prefix=top/", "HEAD")), 1, nil, repo.Limits{})
	open("tar", plain, err)
	gz, err := repo.ReadTar(bytes.NewReader(g.Output("archive", "--format=tar.gz", "--prefix=top/", "HEAD")), 1, nil, repo.Limits{})
	open("tar.gz", gz, err)
	return out
}

func find(t testing.TB, dir string) *repo.Git {
	t.Helper()
	git, err := repo.FindGit(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { git.Close() })
	return git
}

func TestSnapshotsAgree(t *testing.T) {
	files := tree()
	for name, s := range kinds(t) {
		t.Run(name, func(t *testing.T) {
			t.Run("listing", func(t *testing.T) { checkListing(t, s, files) })
			t.Run("contents", func(t *testing.T) { checkContents(t, s, files) })
			t.Run("links", func(t *testing.T) { checkLinks(t, s) })
			t.Run("concurrent", func(t *testing.T) { checkConcurrent(t, s, files) })
			t.Run("fstest", func(t *testing.T) {
				if err := fstest.TestFS(s.FS, slices.Collect(maps.Keys(files))...); err != nil {
					t.Error(err)
				}
			})
			t.Run("errors", func(t *testing.T) { checkErrors(t, s) })
		})
	}
}

func checkListing(t *testing.T, s repo.Snapshot, files map[string]string) {
	list, err := s.List()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.IsSortedFunc(list, func(a, b repo.Entry) int { return strings.Compare(a.Path, b.Path) }) {
		t.Error("the listing is not sorted")
	}
	got := map[string]bool{}
	for _, e := range list {
		got[e.Path] = true
		if strings.Contains("/"+e.Path+"/", "/.git/") {
			t.Errorf("%q is listed", e.Path)
		}
		if strings.HasPrefix(e.Path, "link-") {
			if e.Mode != fs.ModeSymlink {
				t.Errorf("%q has mode %v", e.Path, e.Mode)
			}
			continue
		}
		if want := int64(len(files[e.Path])); !e.Mode.IsRegular() || e.Size != want {
			t.Errorf("%q: mode %v, %d bytes, want %d", e.Path, e.Mode, e.Size, want)
		}
	}
	for p := range files {
		if !got[p] {
			t.Errorf("%q is missing", p)
		}
	}
	if len(list) != len(files)+3 {
		t.Errorf("%d entries, want %d", len(list), len(files)+3)
	}
}

func checkContents(t *testing.T, s repo.Snapshot, files map[string]string) {
	for _, p := range slices.Sorted(maps.Keys(files)) {
		for range 2 {
			data, err := fs.ReadFile(s.FS, p)
			if err != nil || string(data) != files[p] {
				t.Errorf("%q: %d bytes, want %d, %v", p, len(data), len(files[p]), err)
			}
			clear(data) // the bytes are ours
		}
	}
}

func checkLinks(t *testing.T, s repo.Snapshot) {
	for _, p := range []string{"link-in", "link-out", "link-dir/outside", "../outside", "/etc/passwd", "a/../README.md", ""} {
		if data, err := fs.ReadFile(s.FS, p); err == nil {
			t.Errorf("%q was read: %q", p, data)
		}
	}
}

func checkConcurrent(t *testing.T, s repo.Snapshot, files map[string]string) {
	paths := slices.Sorted(maps.Keys(files))
	var wg sync.WaitGroup
	for n := range 16 {
		wg.Go(func() {
			for i := range paths {
				p := paths[(i+n)%len(paths)]
				data, err := fs.ReadFile(s.FS, p)
				if err != nil || string(data) != files[p] {
					t.Errorf("%q: %d bytes, %v", p, len(data), err)
				}
			}
			if _, err := s.List(); err != nil {
				t.Error(err)
			}
			if _, err := fs.ReadDir(s.FS, "many"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func checkErrors(t *testing.T, s repo.Snapshot) {
	_, err := fs.ReadFile(s.FS, "no/such/file")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := fs.ReadFile(s.FS, "many"); err == nil {
		t.Error("a directory was read")
	}
	if _, err := fs.ReadDir(s.FS, "README.md"); err == nil {
		t.Error("a file was listed")
	}
	if _, err := fs.Stat(s.FS, "link-in"); err == nil || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "symbolic link") {
		t.Errorf("a link: %v", err)
	}
	if _, err := s.FS.Open("\xff"); err == nil || !strings.Contains(err.Error(), "UTF-8") {
		t.Errorf("a name that is no UTF-8: %v", err)
	}
}

// IDs are git's own, and so the same wherever the content is known by one.
func TestIDsAreEqualWhereContentsAre(t *testing.T) {
	all := kinds(t)
	ids := map[string]string{}
	list, err := all["commit"].List()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		ids[e.Path] = e.ID
	}
	for name, s := range all {
		list, err := s.List()
		if err != nil {
			t.Fatal(err)
		}
		known := 0
		for _, e := range list {
			if e.ID != "" {
				known++
				if e.ID != ids[e.Path] {
					t.Errorf("%s: %q has the ID %s, want %s", name, e.Path, e.ID, ids[e.Path])
				}
			}
		}
		if (name == "index" || name == "commit" || name == "commit of a range") && known != len(list) {
			t.Errorf("%s: %d of %d files have an ID", name, known, len(list))
		}
	}
	for a, x := range all {
		for b, y := range all {
			if files, err := repo.Compare(t.Context(), x, y); err != nil || len(files) > 0 {
				t.Errorf("%s to %s: %v %v", a, b, files, err)
			}
		}
	}
}

// tarball packs entries.
func tarball(t testing.TB, zip bool, entries ...tar.Header) []byte {
	t.Helper()
	var out bytes.Buffer
	var w interface {
		Write([]byte) (int, error)
		Close() error
	} = nopCloser{&out}
	if zip {
		w = gzip.NewWriter(&out)
	}
	tw := tar.NewWriter(w)
	for _, h := range entries {
		body := h.Linkname
		if h.Typeflag == tar.TypeReg {
			h.Linkname, h.Size = "", int64(len(body))
		} else {
			body = ""
		}
		if h.Mode == 0 && h.Typeflag != tar.TypeXGlobalHeader {
			h.Mode = 0o644
		}
		if err := tw.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := tw.Write([]byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

type nopCloser struct{ *bytes.Buffer }

func (nopCloser) Close() error { return nil }
