package review_test

import (
	"context"
	"errors"
	"io/fs"
	"os/exec"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/sealward/sealward/internal/config"
	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/repo/repotest"
	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/syntax"
)

// words is a rule that finds every leaf of a file whose value begins with "bad".
var words = &review.Rule{ID: "words", Since: "1.0", Family: review.Leaks, Severity: review.Error, Scope: review.PerFile, History: true,
	Doc: "It finds words.\n\n## Why it matters\nIt is a test.\n",
	Check: func(p *review.Pass) error {
		for _, l := range p.File.Syntax().Leaves {
			if strings.HasPrefix(l.Value, "bad") {
				p.Report(review.Finding{Span: l.Span, Key: l.Path.String(), Subject: l.Value, Message: "a bad word at " + l.Path.String()})
			}
		}
		return nil
	}}

func run(t *testing.T, opt review.Options, base, head map[string]string, commits ...map[string]string) *review.Report {
	t.Helper()
	change := &repo.Change{Head: repotest.Files(head)}
	if base == nil {
		opt.Mode = review.ReviewTree
	} else {
		change.Base = repotest.Files(base)
		before := change.Base
		for i, files := range commits {
			tree := repotest.Files(files)
			changed, err := repo.Compare(t.Context(), before, tree)
			if err != nil {
				t.Fatal(err)
			}
			change.Commits = append(change.Commits, repo.Commit{ID: strings.Repeat(string(rune('a'+i)), 40), Files: changed, Tree: tree})
			before = tree
		}
		var err error
		if change.Files, err = repo.Compare(t.Context(), change.Base, change.Head); err != nil {
			t.Fatal(err)
		}
	}
	if opt.Rules == nil {
		opt.Rules = []*review.Rule{words}
	}
	report, err := review.Run(t.Context(), change, opt)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// found writes findings as path:line key, joined by blanks.
func found(r *review.Report) string {
	var out []string
	for _, f := range r.Findings {
		s := f.Span.File + ":" + f.Key
		if f.Commit != "" {
			s += "@" + f.Commit[:1]
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

func TestSubtract(t *testing.T) {
	for _, c := range []struct {
		name       string
		base, head map[string]string
		want       string
	}{
		{"known", map[string]string{"a.yaml": "x: bad1\n"}, map[string]string{"a.yaml": "# moved\nx: bad1\n"}, ""},
		{"a new value under an old key", map[string]string{"a.yaml": "x: bad1\n"}, map[string]string{"a.yaml": "x: bad2\n"}, "a.yaml:x"},
		{"renamed", map[string]string{"a.yaml": "x: bad1\ny: 1\nz: 2\n"}, map[string]string{"b.yaml": "x: bad1\ny: 1\nz: 2\n"}, ""},
		{"another file left alone", map[string]string{"a.yaml": "x: bad1\n"}, map[string]string{"a.yaml": "x: bad1\n", "b.yaml": "y: bad2\n"}, "b.yaml:y"},
		{"deleted", map[string]string{"a.yaml": "x: bad1\n", "b.yaml": "y: 1\n"}, map[string]string{"b.yaml": "y: 1\n"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := found(run(t, review.Options{}, c.base, c.head)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestHistory(t *testing.T) {
	base := map[string]string{"a.yaml": "x: good\n"}
	leaky := map[string]string{"a.yaml": "x: bad1\n"}
	moved := map[string]string{"a.yaml": "x: good\n", "b.yaml": "y: bad1\n"}
	if got := found(run(t, review.Options{}, base, base, leaky, base)); got != "a.yaml:x@a" {
		t.Errorf("added and removed: got %q", got)
	}
	three := map[string]string{"a.yaml": "x: bad1\n", "b.yaml": "x: bad1\n", "c/d.yaml": "y: bad1\n"}
	if got := found(run(t, review.Options{}, base, base, leaky, three, base)); got != "a.yaml:x@a b.yaml:x@b c/d.yaml:y@b" {
		t.Errorf("at three paths: got %q", got)
	}
	if got := found(run(t, review.Options{}, base, base, leaky, base, leaky, base)); got != "a.yaml:x@a" {
		t.Errorf("twice at one path: got %q", got)
	}
	if got := found(run(t, review.Options{}, base, moved, leaky, moved)); got != "b.yaml:y" {
		t.Errorf("moved within the change: got %q, want the place in Head alone", got)
	}
	if got := found(run(t, review.Options{}, leaky, base, leaky, base)); got != "" {
		t.Errorf("in the base already: got %q", got)
	}
}

func TestIgnore(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	day := func(d int) config.Date { return config.Date{Time: time.Date(2026, 6, d, 0, 0, 0, 0, time.UTC)} }
	for _, c := range []struct {
		name string
		cfg  config.Config
		data string
		want string // found, then what was ignored
	}{
		{"by rule and path", config.Config{Ignore: []config.Ignore{{Rule: "words", Path: "*.yaml", Reason: "r"}}}, "x: bad\n", "|words"},
		{"by another rule", config.Config{Ignore: []config.Ignore{{Rule: "other", Reason: "r"}}}, "x: bad\n", "a.yaml:x|"},
		{"until today", config.Config{Ignore: []config.Ignore{{Rule: "words", Reason: "r", Until: day(1)}}}, "x: bad\n", "|words"},
		{"until yesterday", config.Config{Ignore: []config.Ignore{{Rule: "words", Reason: "r", Until: config.Date{Time: time.Date(2026, 5, 30, 0, 0, 0, 0, time.UTC)}}}}, "x: bad\n", "a.yaml:x|"},
		{"by key", config.Config{Ignore: []config.Ignore{{Key: "x", Reason: "r"}}}, "x: bad\ny: bad\n", "a.yaml:y|words"},
		{"a comment on the line", config.Config{}, "x: bad # sealward:allow words it is a test\n", "|words"},
		{"a comment above", config.Config{}, "# sealward:allow words it is a test\nx: bad\n", "|words"},
		{"a comment above a block", config.Config{}, "# sealward:allow words it is a test\nx: |\n  bad\n  text\n", "|words"},
		{"a comment without a reason", config.Config{}, "x: bad # sealward:allow words\n", "a.yaml:x|"},
		{"a comment for another rule", config.Config{}, "x: bad # sealward:allow other why\n", "a.yaml:x|"},
		{"gitleaks' comment", config.Config{}, "x: bad # gitleaks:allow\n", "|words"},
		{"code above is no comment", config.Config{}, "y: sealward:allow words not a comment\nx: bad\n", "a.yaml:x|"},
		{"a rule that is off", config.Config{Review: config.Review{Rules: map[string]string{"words": "off"}}}, "x: bad\n", "|"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := run(t, review.Options{Config: &c.cfg, Now: now}, nil, map[string]string{"a.yaml": c.data})
			got := found(r) + "|"
			for _, i := range r.Ignored {
				got += i.Rule
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestSeverityOfTheConfiguration(t *testing.T) {
	cfg := &config.Config{Review: config.Review{Rules: map[string]string{"words": "notice"}}}
	r := run(t, review.Options{Config: cfg}, nil, map[string]string{"a.yaml": "x: bad\n"})
	if len(r.Findings) != 1 || r.Findings[0].Severity != review.Notice || r.Findings[0].Why != "It is a test." {
		t.Errorf("got %+v", r.Findings)
	}
}

// TestIncomplete: what a rule or a file keeps from being read is named, and nothing
// of the file is.
func TestIncomplete(t *testing.T) {
	panics := &review.Rule{ID: "panics", Severity: review.Error, Scope: review.PerFile, Check: func(p *review.Pass) error { panic(p.File.Syntax().Leaves[0].Value) }}
	fails := &review.Rule{ID: "fails", Severity: review.Error, Scope: review.PerTree, Check: func(*review.Pass) error { return errors.New("it broke") }}
	r := run(t, review.Options{Rules: []*review.Rule{panics, fails}}, nil, map[string]string{"a.yaml": "x: hunter2\n"})
	got := strings.Join(r.Incomplete, "\n")
	if !strings.Contains(got, "panics failed on a.yaml") || !strings.Contains(got, "it broke") || strings.Contains(got, "hunter2") {
		t.Errorf("got %q", got)
	}

	unreadable := repo.Snapshot{FS: brokenFS{fstest.MapFS{"a.yaml": {Data: []byte("x: 1\n")}}}}
	rep, err := review.Run(t.Context(), &repo.Change{Head: unreadable}, review.Options{Mode: review.ReviewTree, Rules: []*review.Rule{words}})
	if err != nil {
		t.Fatal(err)
	}
	if len(rep.Incomplete) != 1 || !strings.HasPrefix(rep.Incomplete[0], "a.yaml was not read") || rep.Scanned != 0 || rep.Total != 1 {
		t.Errorf("got %q, scanned %d of %d", rep.Incomplete, rep.Scanned, rep.Total)
	}
}

// brokenFS lists files and cannot read them.
type brokenFS struct{ fstest.MapFS }

func (brokenFS) ReadFile(name string) ([]byte, error) {
	return nil, &fs.PathError{Op: "read", Path: name, Err: fs.ErrPermission}
}

func TestBinaryAndUTF16(t *testing.T) {
	utf16 := "\xff\xfe"
	for _, r := range "x: bad\n" {
		utf16 += string([]byte{byte(r), 0})
	}
	r := run(t, review.Options{}, nil, map[string]string{"a.yaml": utf16, "b.png": "\x89PNG\x00\x00", "c.tgz": "\x1f\x8b\x00"})
	if got := found(r); got != "a.yaml:x" {
		t.Errorf("text in UTF-16: got %q", got)
	}
	if len(r.Skipped) != 2 || len(r.Incomplete) != 0 || !strings.Contains(r.Skipped[1].Reason, "archive") {
		t.Errorf("skipped %v, incomplete %v", r.Skipped, r.Incomplete)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := review.Run(ctx, &repo.Change{Head: repotest.Files(map[string]string{"a": "b"})}, review.Options{Mode: review.ReviewTree, Rules: []*review.Rule{words}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestGitignore holds our reading of .gitignore to git's own.
func TestGitignore(t *testing.T) {
	g := repotest.NewGit(t)
	files := map[string]string{
		".gitignore":        "*.env\n!keep.env\n/root.txt\nbuild/\ndocs/*.md\n**/deep/*.log\n#comment\n\\#hash\nspace\\ \na/**/z\n",
		"sub/.gitignore":    "!x.env\nonly.txt\n",
		"nested/.gitignore": "*\n!.gitignore\n",
	}
	g.Commit("files", files)
	paths := []string{"a.env", "keep.env", "sub/a.env", "sub/x.env", "sub/only.txt", "only.txt", "root.txt", "sub/root.txt", "build/x", "sub/build/y/z", "build",
		"docs/a.md", "docs/b/c.md", "deep/a.log", "x/deep/a.log", "x/deep/y/a.log", "#hash", "#comment", "nested/any", "nested/.gitignore", "a/z", "a/b/c/z", "secrets/prod.env"}
	tree, err := review.OpenTree(repotest.Files(files), nil)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("git", append([]string{"check-ignore", "--no-index"}, paths...)...)
	cmd.Dir = g.Dir
	out, _ := cmd.Output() // 1 where none is ignored: the loop below shows it
	want := map[string]bool{}
	for p := range strings.Lines(string(out)) {
		want[strings.Trim(strings.TrimSpace(p), `"`)] = true
	}
	if len(want) < 8 {
		t.Fatalf("git says only %v", want)
	}
	for _, p := range paths {
		if got := tree.Ignored(p); got != want[p] {
			t.Errorf("%s: got %v, git says %v", p, got, want[p])
		}
	}
}

// TestShared: a file equal in both trees is read once.
func TestShared(t *testing.T) {
	var reads []string
	counting := &review.Rule{ID: "counts", Severity: review.Error, Scope: review.PerTree, Check: func(p *review.Pass) error {
		for _, f := range p.Tree.Files() {
			review.Once(f, func(f *review.File) *syntax.File { reads = append(reads, f.Path); return f.Syntax() })
		}
		return nil
	}}
	run(t, review.Options{Rules: []*review.Rule{counting}}, map[string]string{"a.yaml": "x: 1\n", "b.yaml": "y: 1\n"}, map[string]string{"a.yaml": "x: 1\n", "b.yaml": "y: 2\n"})
	if len(reads) != 3 {
		t.Errorf("read %v, want a.yaml once and b.yaml twice", reads)
	}
}
