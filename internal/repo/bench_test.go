package repo_test

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/repo/repotest"
)

// manyFiles is a stream for git fast-import: one commit with n files of about 1.5 KB,
// of which those in changed differ from what another set has.
func manyFiles(n int, mark string, changed map[int]bool) string {
	var s strings.Builder
	s.WriteString("commit refs/heads/" + mark + "\ncommitter test <test@example.com> 1767225600 +0000\ndata 1\nx\n")
	for i := range n {
		var body strings.Builder
		for line := range 40 {
			fmt.Fprintf(&body, "key-%d-%d: value of the line %d\n", i, line, line)
		}
		if changed[i] {
			body.WriteString("new: line\n")
		}
		fmt.Fprintf(&s, "M 100644 inline apps/team-%02d/app-%04d/values.yaml\ndata %d\n%s\n", i%50, i, body.Len(), body.String())
	}
	return s.String()
}

func BenchmarkOpenAndReadCommit5000(b *testing.B) {
	g := repotest.NewGit(b)
	g.Import(manyFiles(5000, "main", nil))
	git := find(b, g.Dir)
	b.ReportAllocs()
	for b.Loop() {
		s, err := git.Snapshot(b.Context(), "main")
		if err != nil {
			b.Fatal(err)
		}
		list, err := s.List()
		if err != nil || len(list) != 5000 {
			b.Fatal(len(list), err)
		}
		for _, e := range list {
			if _, err := fs.ReadFile(s.FS, e.Path); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkOpenAndReadWorkTree5000(b *testing.B) {
	g := repotest.NewGit(b)
	g.Import(manyFiles(5000, "main", nil))
	g.Run("reset", "-q", "--hard")
	git := find(b, g.Dir)
	b.ReportAllocs()
	for b.Loop() {
		s, err := git.WorkTree(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		list, err := s.List()
		if err != nil || len(list) != 5000 {
			b.Fatal(len(list), err)
		}
		for _, e := range list {
			if _, err := fs.ReadFile(s.FS, e.Path); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkCompareCommits2000(b *testing.B) {
	g := repotest.NewGit(b)
	changed := map[int]bool{}
	for i := range 10 {
		changed[i*150] = true
	}
	g.Import(manyFiles(2000, "main", nil) + manyFiles(2000, "topic", changed))
	git := find(b, g.Dir)
	base, err := git.Snapshot(b.Context(), "main")
	if err != nil {
		b.Fatal(err)
	}
	head, err := git.Snapshot(b.Context(), "topic")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		files, err := repo.Compare(b.Context(), base, head)
		if err != nil || len(files) != 10 {
			b.Fatal(len(files), err)
		}
	}
}

// manyCommits is a stream of n commits with one changed file each.
func manyCommits(n int) string {
	var s strings.Builder
	for i := range n {
		fmt.Fprintf(&s, "commit refs/heads/main\ncommitter test <test@example.com> %d +0000\ndata 4\nstep\n", 1767225600+i)
		body := fmt.Sprintf("step: %d\n", i)
		fmt.Fprintf(&s, "M 100644 inline apps/team-%02d/app-%03d/values.yaml\ndata %d\n%s\n", i%20, i%200, len(body), body)
	}
	return s.String()
}

func BenchmarkCommits(b *testing.B) {
	for _, n := range []int{5_000, 50_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			g := repotest.NewGit(b)
			g.Import(manyCommits(n + 1))
			git := find(b, g.Dir)
			from := fmt.Sprintf("main~%d", n)
			b.ReportAllocs()
			for b.Loop() {
				commits, err := git.Commits(b.Context(), from, "main")
				if err != nil || len(commits) != n {
					b.Fatal(len(commits), err)
				}
			}
		})
	}
}
