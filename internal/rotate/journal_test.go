package rotate_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sealward/sealward/internal/rotate"
)

// workTree writes files below a directory and returns it.
func workTree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, data := range files {
		p := filepath.Join(root, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(p), 0o755), os.WriteFile(p, []byte(data), 0o640)); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func contents(t *testing.T, root string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(root, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(p, "journal") {
			return err
		}
		data, err := os.ReadFile(p)
		rel, _ := filepath.Rel(root, p)
		out[filepath.ToSlash(rel)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func openJournal(t *testing.T, root string) *rotate.Journal {
	t.Helper()
	j, err := rotate.OpenJournal(root, filepath.Join(root, "journal"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

// stage stages what a map says, in order.
func stage(t *testing.T, j *rotate.Journal, old, fresh map[string]string) {
	t.Helper()
	if err := j.Begin("a rotation", "key"); err != nil {
		t.Fatal(err)
	}
	for _, p := range slices.Sorted(maps.Keys(fresh)) {
		var before []byte
		if data, ok := old[p]; ok {
			before = []byte(data)
		}
		if err := j.Stage(p, before, []byte(fresh[p])); err != nil {
			t.Fatal(err)
		}
	}
}

func TestJournalWritesAndUndoes(t *testing.T) {
	old := map[string]string{"a": "old a", "dir/b": "old b", "c": "stays"}
	fresh := map[string]string{"a": "new a", "dir/b": "new b", "made/d": "new d"}
	want := maps.Clone(old)
	maps.Copy(want, fresh)
	for _, undo := range []bool{false, true} {
		root := workTree(t, old)
		j := openJournal(t, root)
		stage(t, j, old, fresh)
		if got := contents(t, root); !maps.Equal(got, old) {
			t.Fatalf("staging wrote the tree: %v", got)
		}
		if err := j.Commit(); err != nil {
			t.Fatal(err)
		}
		w, err := j.Finish(undo)
		if err != nil || len(w.Left) > 0 {
			t.Fatal(w, err)
		}
		expect := want
		if undo {
			expect = old // nothing was written yet
		}
		if got := contents(t, root); !maps.Equal(got, expect) {
			t.Errorf("undo %v: got %v, want %v", undo, got, expect)
		}
		if info, err := os.Stat(filepath.Join(root, "dir", "b")); err != nil || info.Mode().Perm() != 0o640 {
			t.Errorf("the mode is %v: %v", info.Mode(), err)
		}
		if p, err := rotate.PendingIn(filepath.Join(root, "journal")); p != nil || err != nil {
			t.Errorf("still pending: %v %v", p, err)
		}
	}
}

// Wherever a rotation stops, it can be finished and it can be undone.
func TestJournalFromEveryState(t *testing.T) {
	old := map[string]string{"a": "old a", "b": "old b", "c": "old c"}
	fresh := map[string]string{"a": "new a", "b": "new b", "c": "new c", "d": "new d"}
	for done := range 5 {
		for _, undo := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d written, undo %v", done, undo), func(t *testing.T) {
				root := workTree(t, old)
				j := openJournal(t, root)
				stage(t, j, old, fresh)
				if err := j.Commit(); err != nil {
					t.Fatal(err)
				}
				for i, p := range []string{"a", "b", "c", "d"}[:min(done, 4)] { // as Finish would have
					if err := os.Rename(filepath.Join(root, "journal", "new", fmt.Sprintf("%06d", i)), filepath.Join(root, p)); err != nil {
						t.Fatal(err)
					}
				}
				if p, err := rotate.PendingIn(filepath.Join(root, "journal")); err != nil || p == nil || p.Title != "a rotation" || p.Key != "key" || p.Files != 4 {
					t.Fatalf("pending is %+v: %v", p, err)
				}
				w, err := j.Finish(undo)
				if err != nil || len(w.Left) > 0 {
					t.Fatal(w, err)
				}
				want := fresh
				if undo {
					want = old
				}
				if got := contents(t, root); !maps.Equal(got, want) {
					t.Errorf("got %v, want %v", got, want)
				}
			})
		}
	}
}

// What somebody else has written in between is never overwritten, nor lost.
func TestJournalLeavesOthersWork(t *testing.T) {
	old := map[string]string{"a": "old a", "b": "old b"}
	fresh := map[string]string{"a": "new a", "b": "new b"}
	for _, undo := range []bool{false, true} {
		root := workTree(t, old)
		j := openJournal(t, root)
		stage(t, j, old, fresh)
		if err := os.WriteFile(filepath.Join(root, "b"), []byte("edited"), 0o640); err != nil {
			t.Fatal(err)
		}
		changed, err := j.Check()
		if err != nil || len(changed) != 1 || changed[0].Path != "b" {
			t.Errorf("changed are %v: %v", changed, err)
		}
		if err := j.Commit(); err != nil {
			t.Fatal(err)
		}
		w, err := j.Finish(undo)
		if err != nil || len(w.Left) != 1 || w.Left[0].Path != "b" {
			t.Errorf("left are %v: %v", w.Left, err)
		}
		if got := contents(t, root); got["b"] != "edited" {
			t.Errorf("b is %q", got["b"])
		}
	}
}

func TestJournalRefuses(t *testing.T) {
	root := workTree(t, map[string]string{"real/a": "old", "journal-file": "x"})
	if err := os.Symlink("real", filepath.Join(root, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real/a", filepath.Join(root, "a")); err != nil {
		t.Fatal(err)
	}
	j := openJournal(t, root)
	if err := j.Begin("x", "y"); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"link/a", "a", "real"} {
		if err := j.Stage(p, []byte("old"), []byte("new")); err == nil {
			t.Errorf("%s was staged", p)
		}
	}
	if _, err := rotate.OpenJournal(root, filepath.Join(root, "journal")); !errors.Is(err, rotate.ErrBusy) {
		t.Errorf("a second process: %v", err)
	}
	if _, err := rotate.OpenJournal(root, filepath.Join(root, "journal-file")); err == nil {
		t.Error("a file was taken for the journal")
	}
	for _, text := range []string{"", "{}", `{"Version":1,"Files":[{"Path":"../x"}]}`, `{"Version":1,"Files":[{"Path":"/x"}]}`} {
		if err := os.WriteFile(filepath.Join(root, "journal", "rotation.journal"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := j.Finish(false); err == nil {
			t.Errorf("the manifest %q was accepted", text)
		}
	}
}
