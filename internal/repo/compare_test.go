package repo_test

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/repo/repotest"
)

// shown writes a change in one line a file.
func shown(files []repo.FileChange) string {
	var out strings.Builder
	for _, f := range files {
		fmt.Fprintf(&out, "%s %s", f.Kind, f.Path)
		if f.Kind == repo.Renamed {
			fmt.Fprintf(&out, " from %s", f.Old)
		}
		for _, l := range f.Added {
			fmt.Fprintf(&out, " %d-%d", l.First, l.Last)
		}
		out.WriteString("\n")
	}
	return out.String()
}

const compareCases = `
A file that is as it was; one that is changed; one that is new; one that is gone.
-- base/kept --
x
-- head/kept --
x
-- base/changed --
1
2
3
-- head/changed --
1
two
3
four
-- head/fresh --
a
b
-- base/gone --
something
else
-- base/old/moved.yaml --
one: 1
two: 2
-- head/new/moved.yaml --
one: 1
two: 2
-- base/a/edited.yaml --
a: 1
b: 2
c: 3
d: 4
-- head/b/renamed.yaml --
a: 1
b: 2
changed: 3
d: 4
-- base/gone-too --
gone-too
-- head/unlike --
nothing in common
-- want --
modified changed 2-2 4-4
deleted gone
deleted gone-too
added fresh 1-2
renamed b/renamed.yaml from a/edited.yaml 3-3
renamed new/moved.yaml from old/moved.yaml
added unlike 1-1
`

func TestCompare(t *testing.T) {
	ar := txtar.Parse([]byte(compareCases))
	base, head := repotest.Txtar(ar, "base/"), repotest.Txtar(ar, "head/")
	want := string(ar.Files[len(ar.Files)-1].Data)
	g := repotest.NewGit(t)
	commit := func(message, prefix string) {
		g.Run("rm", "-rq", "--ignore-unmatch", ".")
		files := map[string]string{}
		for _, f := range ar.Files {
			if p, ok := strings.CutPrefix(f.Name, prefix); ok {
				files[p] = string(f.Data)
			}
		}
		g.Commit(message, files)
	}
	commit("base", "base/")
	commit("head", "head/")
	git := find(t, g.Dir)
	sorted := func(text string) string {
		lines := strings.Split(strings.TrimSpace(text), "\n")
		slices.Sort(lines)
		return strings.Join(lines, "\n")
	}
	for name, sides := range map[string][2]repo.Snapshot{
		"maps":                {base, head},
		"commits":             {must(git.Snapshot(t.Context(), "HEAD~1")), must(git.Snapshot(t.Context(), "HEAD"))},
		"commit to work tree": {must(git.Snapshot(t.Context(), "HEAD~1")), workTree(t, g)},
		"commit to directory": {must(git.Snapshot(t.Context(), "HEAD~1")), must(repo.OpenDir(g.Dir))},
		"map to commit":       {base, must(git.Snapshot(t.Context(), "HEAD"))},
	} {
		files, err := repo.Compare(t.Context(), sides[0], sides[1])
		if err != nil {
			t.Fatal(err)
		}
		if got := shown(files); sorted(got) != sorted(want) {
			t.Errorf("%s: got\n%swant\n%s", name, got, want)
		}
		if !slices.IsSortedFunc(files, func(a, b repo.FileChange) int { return strings.Compare(a.Path, b.Path) }) {
			t.Errorf("%s: not sorted:\n%s", name, shown(files))
		}
	}
	all, err := repo.Compare(t.Context(), repo.Snapshot{}, head)
	if err != nil || len(all) != 7-1 {
		t.Errorf("against nothing: %s %v", shown(all), err)
	}
	none, err := repo.Compare(t.Context(), base, repo.Snapshot{})
	if err != nil || strings.Count(shown(none), "deleted") != 6 {
		t.Errorf("to nothing: %s %v", shown(none), err)
	}
}

// Of several files that one may have come from, the one of the same name counts, and
// each is taken once.
func TestRenamesChooseWell(t *testing.T) {
	body := "a: 1\nb: 2\nc: 3\nd: 4\n"
	base := map[string]string{"dev/one.yaml": body, "dev/two.yaml": body, "dev/three.yaml": body + "e: 5\n"}
	head := map[string]string{"prod/two.yaml": body, "prod/one.yaml": body, "prod/three.yaml": body + "e: 6\n", "prod/four.yaml": body}
	files, err := repo.Compare(t.Context(), repotest.Files(base), repotest.Files(head))
	want := "added prod/four.yaml 1-4\nrenamed prod/one.yaml from dev/one.yaml\nrenamed prod/three.yaml from dev/three.yaml 5-5\nrenamed prod/two.yaml from dev/two.yaml\n"
	if got := shown(files); err != nil || got != want {
		t.Errorf("got\n%swant\n%s%v", got, want, err)
	}
}

// A whole directory that moves is found however large it is, and in little time.
func TestLargeMove(t *testing.T) {
	base, head := map[string]string{}, map[string]string{}
	for i := range 3000 {
		base[fmt.Sprintf("old/%04d.yaml", i)] = fmt.Sprintf("n: %d\n", i)
		head[fmt.Sprintf("new/%04d.yaml", i)] = fmt.Sprintf("n: %d\n", i)
	}
	files, err := repo.Compare(t.Context(), repotest.Files(base), repotest.Files(head))
	if err != nil || len(files) != 3000 {
		t.Fatal(len(files), err)
	}
	for _, f := range files {
		if f.Kind != repo.Renamed || f.Path[4:] != f.Old[4:] {
			t.Fatalf("%s %s from %s", f.Kind, f.Path, f.Old)
		}
	}
}

// unreadable has files that cannot be read.
type unreadable struct{ fs.FS }

func (u unreadable) Open(name string) (fs.File, error) {
	if strings.HasPrefix(name, "locked") {
		return nil, fs.ErrPermission
	}
	return u.FS.Open(name)
}

// backwards lists its files in the wrong order.
type backwards struct{ fs.FS }

func (b backwards) List() ([]repo.Entry, error) {
	list, err := repo.Snapshot{FS: b.FS}.List()
	slices.Reverse(list)
	return list, err
}

func TestCompareSortsForItself(t *testing.T) {
	head := repotest.Files(map[string]string{"a": "a\n", "b": "b\n", "c": "c\n"})
	head.FS = backwards{head.FS}
	got, err := repo.Compare(t.Context(), repotest.Files(map[string]string{"a": "a\n", "b": "b\n"}), head)
	if err != nil || shown(got) != "added c 1-1\n" {
		t.Errorf("%s %v", shown(got), err)
	}
}

// What cannot be read counts as changed, so that the review reads it again and says so.
func TestUnreadableCountsAsChanged(t *testing.T) {
	files := map[string]string{"a": "a\n", "locked": "l\n"}
	base, head := repotest.Files(files), repotest.Files(files)
	head.FS = unreadable{head.FS}
	got, err := repo.Compare(t.Context(), base, head)
	if err != nil || shown(got) != "modified locked\n" {
		t.Errorf("%s %v", shown(got), err)
	}
}

// Binary files have no lines; links and submodules are told by name.
func TestCompareOddities(t *testing.T) {
	g := repotest.NewGit(t)
	g.Commit("first", map[string]string{"bin": "\x00\x01", "text": "a\n", "empty": ""})
	g.Commit("second", map[string]string{"bin": "\x00\x02", "text": "a\n", "new-empty": ""})
	git := find(t, g.Dir)
	files, err := repo.Compare(t.Context(), must(git.Snapshot(t.Context(), "HEAD~1")), must(git.Snapshot(t.Context(), "HEAD")))
	if got := shown(files); err != nil || got != "modified bin\nadded new-empty\n" {
		t.Errorf("%s %v", got, err)
	}
}
