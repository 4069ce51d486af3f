package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// grow writes a healthy repository of about n files: the demo's base, its apps
// copied under new names as often as it takes.
func grow(b *testing.B, dir string, n int) {
	b.Helper()
	base := os.DirFS("../../testdata/demo/base")
	if err := os.CopyFS(dir, base); err != nil {
		b.Fatal(err)
	}
	perApp := 0
	for i := 0; ; i++ {
		to := filepath.Join(dir, "apps", fmt.Sprintf("shop-%04d", i))
		if err := os.CopyFS(to, os.DirFS("../../testdata/demo/base/apps/shop")); err != nil {
			b.Fatal(err)
		}
		if perApp == 0 {
			perApp = countFiles(b, to)
		}
		if (i+2)*perApp >= n {
			break
		}
	}
}

func countFiles(b *testing.B, dir string) int {
	b.Helper()
	n := 0
	err := filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			n++
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return n
}

func git(b *testing.B, dir string, args ...string) {
	b.Helper()
	cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=a", "-c", "user.email=a@example.com"}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

// quietly runs the program and wants it to find nothing.
func quietly(b *testing.B, args ...string) {
	b.Helper()
	var errs strings.Builder
	if code := run(b.Context(), args, func(string) string { return "" }, strings.NewReader(""), io.Discard, &errs); code != exitClean {
		b.Fatalf("exit %d: %s", code, errs.String())
	}
}

// BenchmarkReviewAll reviews a whole directory.
func BenchmarkReviewAll(b *testing.B) {
	for _, n := range []int{100, 1_000, 2_000, 10_000} {
		b.Run(fmt.Sprintf("files=%d", n), func(b *testing.B) {
			dir := b.TempDir()
			grow(b, dir, n)
			b.ReportAllocs()
			for b.Loop() {
				quietly(b, "review", "--all", dir)
			}
		})
	}
}

// BenchmarkReviewChange reviews ten changed files of a git repository, from the
// opening of the repository to the last byte of the report.
func BenchmarkReviewChange(b *testing.B) {
	for _, n := range []int{100, 1_000, 2_000, 10_000} {
		b.Run(fmt.Sprintf("files=%d", n), func(b *testing.B) {
			dir := b.TempDir()
			grow(b, dir, n)
			git(b, dir, "init", "-q", "-b", "main")
			git(b, dir, "add", "-A")
			git(b, dir, "commit", "-q", "-m", "base")
			git(b, dir, "checkout", "-q", "-b", "feature")
			for i := range 10 {
				name := filepath.Join(dir, "apps", fmt.Sprintf("shop-%04d", i%5), "overlays", []string{"dev", "prod"}[i/5], "config.env")
				if err := os.WriteFile(name, []byte("LOG_LEVEL=info\nCURRENCY=USD\nPAGE_SIZE=20\n"), 0o644); err != nil {
					b.Fatal(err)
				}
			}
			git(b, dir, "commit", "-q", "-a", "-m", "change")
			for _, side := range []struct {
				name string
				args []string
			}{
				{"worktree", []string{"review", dir}},
				{"range", []string{"review", "--base", "main", "--head", "feature", dir}},
			} {
				b.Run(side.name, func(b *testing.B) {
					b.ReportAllocs()
					for b.Loop() {
						quietly(b, side.args...)
					}
				})
			}
		})
	}
}
