package repo_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/repo/repotest"
)

func TestVersions(t *testing.T) {
	g := repotest.NewGit(t)
	git := find(t, g.Dir)
	if got, more, err := git.Versions(t.Context(), []string{"a"}, 10); err != nil || more || len(got) != 0 {
		t.Errorf("in an empty repository: %v %v %v", got, more, err)
	}
	g.Commit("first", map[string]string{"a": "a1\n", "*": "star1\n", "other": "x\n"})
	g.Commit("second", map[string]string{"a": "a2\n"})
	g.Run("checkout", "-q", "-b", "topic")
	g.Commit("third", map[string]string{"a": "a3\n"})
	g.Run("checkout", "-q", "main")
	g.Run("merge", "-q", "-s", "ours", "--no-edit", "topic") // what topic held is in no later tree
	g.Run("rm", "-q", "*")
	g.Commit("gone", nil)
	g.Commit("back", map[string]string{"a": "a1\n"})
	for _, many := range []int{0, 2000} { // by pathspecs, and without
		paths := []string{"a", "*"}
		for i := range many {
			paths = append(paths, fmt.Sprintf("none%d", i))
		}
		versions, more, err := git.Versions(t.Context(), paths, 10)
		if err != nil || more {
			t.Fatal(more, err)
		}
		var got []string
		err = git.Contents(t.Context(), versions, func(v repo.Version, data []byte, err error) error {
			got = append(got, v.Path+"="+strings.TrimSpace(string(data)))
			return err
		})
		slices.Sort(got)
		if want := []string{"*=star1", "a=a1", "a=a2", "a=a3"}; err != nil || !slices.Equal(got, want) {
			t.Errorf("got %q, want %q: %v", got, want, err)
		}
		if got, more, err := git.Versions(t.Context(), paths, 2); err != nil || !more || len(got) != 2 {
			t.Errorf("with a limit: %v %v %v", got, more, err)
		}
	}
}
