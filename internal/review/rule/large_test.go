package rule

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/sealward/sealward/internal/config"
	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/review"
)

// reusing is a file system that reads all files into one buffer, as a work tree does:
// what is kept of a file without a copy is overwritten by the next.
type reusing struct{ fstest.MapFS }

func (r reusing) ReadInto(name string, buf []byte, whole func([]byte, int64) bool) ([]byte, error) {
	data, err := r.ReadFile(name)
	if err != nil {
		return nil, err
	}
	head := data[:min(len(data), 8000)]
	if !whole(head, int64(len(data))) {
		data = head
	}
	buf = buf[:cap(buf)]
	for i := range buf {
		buf[i] = '#'
	}
	return append(buf[:0], data...), nil
}

// A large tree, which is read into memory that is used again, is reviewed as a small
// one is, which is kept: the tree of every case alone, and beside a file of some size.
func TestLargeTreesAreReviewedAlike(t *testing.T) {
	names, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	ballast := &fstest.MapFile{Data: make([]byte, 8<<20), Mode: 0o644} // binary
	found := 0
	for _, name := range names {
		archive, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		small, large := fstest.MapFS{}, fstest.MapFS{"zz.bin": ballast}
		for _, f := range txtar.Parse(archive).Files {
			if section, p, ok := strings.Cut(f.Name, "/"); ok && (section == "tree" || section == "both" || section == "head") {
				file := &fstest.MapFile{Data: []byte(expand(string(f.Data))), Mode: 0o644}
				small[p], large[p] = file, file
			}
		}
		got, want := describeTree(t, reusing{large}), describeTree(t, reusing{small})
		if got != want {
			t.Errorf("%s: as a large tree:\n%s\nas a small one:\n%s", name, got, want)
		}
		found += strings.Count(want, "\n")
	}
	if found < 100 {
		t.Errorf("only %d lines were reported: the cases tell nothing", found)
	}
}

func describeTree(t *testing.T, fsys reusing) string {
	t.Helper()
	opt := review.Options{Mode: review.ReviewTree, Rules: All(), Now: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)}
	if data, err := fsys.ReadFile(config.Name); err == nil {
		if opt.Config, err = config.Parse(config.Name, data); err != nil {
			t.Fatal(err)
		}
	}
	report, err := review.Run(context.Background(), &repo.Change{Head: repo.Snapshot{FS: fsys, Name: "files"}}, opt)
	if err != nil {
		t.Fatal(err)
	}
	return describeReport(report)
}
