package repo_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/repo/repotest"
)

// file is an entry of a regular file; Linkname carries its content.
func file(name, body string) tar.Header {
	return tar.Header{Typeflag: tar.TypeReg, Name: name, Linkname: body}
}

func TestReadTar(t *testing.T) {
	entries := []tar.Header{
		{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": strings.Repeat("ab", 20)}},
		{Typeflag: tar.TypeDir, Name: "top/", Mode: 0o755},
		file("top/a.yaml", "a: 1\n"),
		file("top/twice.yaml", "first\n"),
		file("top/twice.yaml", "second\n"),
		file("./top/dot.yaml", "dot\n"),
		file("top/"+strings.Repeat("long/", 60)+"name.yaml", "long\n"),
		file("top/bad\xff.yaml", "bad\n"),
		file("top/.git/config", "hidden\n"),
		file("top/sub/.git/config", "hidden\n"),
		{Typeflag: tar.TypeSymlink, Name: "top/link", Linkname: "../../etc/passwd"},
		{Typeflag: tar.TypeLink, Name: "top/hard.yaml", Linkname: "top/a.yaml"},
		{Typeflag: tar.TypeLink, Name: "top/dangling.yaml", Linkname: "top/none"},
		{Typeflag: tar.TypeFifo, Name: "top/pipe"},
		file("top/script", "s\n"),
	}
	for _, zip := range []bool{false, true} {
		s, err := repo.ReadTar(bytes.NewReader(tarball(t, zip, entries...)), 1, nil, repo.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if s.Commit != strings.Repeat("ab", 20) {
			t.Errorf("the commit is %q", s.Commit)
		}
		want := "a.yaml bad\xff.yaml dangling.yaml dot.yaml hard.yaml link " + strings.Repeat("long/", 60) + "name.yaml pipe script twice.yaml"
		if got := paths(t, s); got != want {
			t.Errorf("the archive holds\n%q, want\n%q", got, want)
		}
		for p, want := range map[string]string{"a.yaml": "a: 1\n", "twice.yaml": "second\n", "hard.yaml": "a: 1\n", "dot.yaml": "dot\n"} {
			if got := content(t, s, p); got != want {
				t.Errorf("%s holds %q, want %q", p, got, want)
			}
		}
		for p, want := range map[string]string{"dangling.yaml": "hard link", "link": "symbolic link", "pipe": "special file", "bad\xff.yaml": "UTF-8"} {
			if _, err := fs.ReadFile(s.FS, p); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %v", p, err)
			}
		}
	}
}

func TestReadTarKeeps(t *testing.T) {
	data := tarball(t, true, file("t/a.yaml", "a: 1\n"), file("t/b.png", "png"), file("t/big.yaml", strings.Repeat("x", 3<<20)))
	keep := func(e repo.Entry) bool { return strings.HasSuffix(e.Path, ".yaml") }
	s, err := repo.ReadTar(bytes.NewReader(data), 1, keep, repo.Limits{FileSize: 2 << 20})
	if err != nil {
		t.Fatal(err)
	}
	if got := paths(t, s); got != "a.yaml b.png big.yaml" {
		t.Errorf("the archive holds %s", got)
	}
	if e, _ := entry(t, s, "big.yaml"); e.Size != 3<<20 {
		t.Errorf("big.yaml: %+v", e)
	}
	for p, want := range map[string]string{"b.png": "not kept", "big.yaml": "larger than the 2 MB"} {
		if _, err := fs.ReadFile(s.FS, p); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", p, err)
		}
	}
}

// endless is an archive that never ends: one header after the other.
type endless struct {
	n    int
	rest []byte
}

func (e *endless) Read(p []byte) (int, error) {
	if len(e.rest) == 0 {
		var out bytes.Buffer
		w := tar.NewWriter(&out)
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: fmt.Sprintf("t/%d", e.n), Mode: 0o644}); err != nil {
			return 0, err
		}
		e.n++
		e.rest = out.Bytes()
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

// zeros packs n bytes of nothing into a small archive.
func zeros(t *testing.T, n int64) []byte {
	t.Helper()
	var out bytes.Buffer
	gz := gzip.NewWriter(&out)
	tw := tar.NewWriter(gz)
	if err := tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "t/zeros", Size: n, Mode: 0o644}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(tw, zeroReader{}, n); err != nil {
		t.Fatal(err)
	}
	for _, c := range []io.Closer{tw, gz} {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestReadTarRefuses(t *testing.T) {
	good := tarball(t, false, file("t/a.yaml", strings.Repeat("a: 1\n", 1000)))
	zipped := tarball(t, true, file("t/a.yaml", strings.Repeat("a: 1\n", 1000)))
	for name, tt := range map[string]struct {
		in   io.Reader
		lim  repo.Limits
		want string
	}{
		"empty":                {strings.NewReader(""), repo.Limits{}, "cut off"},
		"one byte":             {strings.NewReader("x"), repo.Limits{}, "cut off"},
		"text":                 {strings.NewReader(strings.Repeat("this is no archive\n", 100)), repo.Limits{}, "read the archive"},
		"an HTML page":         {strings.NewReader("<html>" + strings.Repeat("<p>not found", 100)), repo.Limits{}, "read the archive"},
		"gzip of text":         {bytes.NewReader([]byte{0x1f, 0x8b, 8, 0, 0}), repo.Limits{}, "cut off"},
		"cut off":              {bytes.NewReader(good[:2000]), repo.Limits{}, "cut off"},
		"gzip cut off":         {bytes.NewReader(zipped[:len(zipped)/2]), repo.Limits{}, "cut off"},
		"gzip without its sum": {bytes.NewReader(zipped[:len(zipped)-4]), repo.Limits{}, "cut off"},
		"gzip damaged":         {bytes.NewReader(append(bytes.Clone(zipped[:len(zipped)-8]), 1, 2, 3, 4, 5, 6, 7, 8)), repo.Limits{}, "checksum"},
		"parent":               {bytes.NewReader(tarball(t, false, file("t/../../x", "x"))), repo.Limits{}, "leads out"},
		"parent that stays":    {bytes.NewReader(tarball(t, false, file("t/a/../x", "x"))), repo.Limits{}, "leads out"},
		"only a parent":        {bytes.NewReader(tarball(t, false, file("..", "x"))), repo.Limits{}, "leads out"},
		"parent last":          {bytes.NewReader(tarball(t, false, file("t/..", "x"))), repo.Limits{}, "leads out"},
		"absolute":             {bytes.NewReader(tarball(t, false, file("/t/x", "x"))), repo.Limits{}, "leads out"},
		"link target":          {bytes.NewReader(tarball(t, false, tar.Header{Typeflag: tar.TypeLink, Name: "t/x", Linkname: "/etc/passwd"})), repo.Limits{}, "leads out"},
		"file, then directory": {bytes.NewReader(tarball(t, false, file("t/a", "x"), file("t/a/b", "x"))), repo.Limits{}, "a file and a directory"},
		"directory, then file": {bytes.NewReader(tarball(t, false, file("t/a/b/c", "x"), file("t/a", "x"))), repo.Limits{}, "a file and a directory"},
		"long name":            {bytes.NewReader(tarball(t, false, file("t/"+strings.Repeat("a/", 3000)+"x", "x"))), repo.Limits{}, "more than 4096 bytes"},
		"beside the directory": {bytes.NewReader(tarball(t, false, file("x", "x"))), repo.Limits{}, "leading directory"},
		"too many files":       {&endless{}, repo.Limits{Files: 100}, "more than the 100 files"},
		"too much":             {&endless{}, repo.Limits{TotalSize: 1 << 20}, "more than the 1 MB"},
		"bomb":                 {bytes.NewReader(zeros(t, 20<<20)), repo.Limits{TotalSize: 8 << 20}, "more than the 8 MB"},
		"bomb in one file":     {bytes.NewReader(zeros(t, 20<<20)), repo.Limits{TotalSize: 8 << 20, FileSize: 1 << 40}, "more than the 8 MB"},
		"sparse bomb":          {bytes.NewReader(sparse()), repo.Limits{TotalSize: 8 << 20, FileSize: 1 << 40}, "more than the 8 MB"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := repo.ReadTar(tt.in, 1, nil, tt.lim)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "read the archive: ") || strings.Count(err.Error(), "read the archive") > 1 {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// sparse is a file of 1 TiB without a byte in it, as GNU tar packs it.
func sparse() []byte {
	h := make([]byte, 512)
	copy(h, "t/sparse")
	copy(h[100:], "0000644\x00")
	copy(h[124:], "00000000000\x00") // packed size
	copy(h[136:], "00000000000\x00")
	h[156] = 'S'
	copy(h[257:], "ustar  \x00")
	copy(h[386:], "20000000000000")                                      // one hole: offset, 1 TiB in octal is 2 with 13 zeros
	copy(h[386:398], "00000000000\x00")                                  // offset 0
	copy(h[398:410], "00000000000\x00")                                  // length 0
	h[482] = 0                                                           // no more headers
	copy(h[483:495], "\x80\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00") // real size 1 TiB, base 256
	sum := 8 * int(' ')
	for i, b := range h {
		if i < 148 || i >= 156 {
			sum += int(b)
		}
	}
	copy(h[148:], fmt.Sprintf("%06o\x00 ", sum))
	return append(h, make([]byte, 1024)...)
}

// An archive of exactly the limit is within it.
func TestReadTarAtTheLimit(t *testing.T) {
	data := tarball(t, false, file("t/a", "a\n"), file("t/b", "b\n"))
	if _, err := repo.ReadTar(bytes.NewReader(data), 1, nil, repo.Limits{TotalSize: int64(len(data)), Files: 2}); err != nil {
		t.Error(err)
	}
	if _, err := repo.ReadTar(bytes.NewReader(data), 1, nil, repo.Limits{TotalSize: int64(len(data)) - 1, Files: 2}); err == nil {
		t.Error("one byte more than the limit was read")
	}
}

func TestArchiveOfGit(t *testing.T) {
	g := repotest.NewGit(t)
	id := g.Commit("first", map[string]string{"a.yaml": "a: 1\n"})
	s, err := repo.ReadTar(bytes.NewReader(g.Output("archive", "--format=tar.gz", "HEAD")), 0, nil, repo.Limits{})
	if err != nil || s.Commit != id || paths(t, s) != "a.yaml" {
		t.Errorf("%s %s %v", s.Commit, paths(t, s), err)
	}
}

func FuzzReadTar(f *testing.F) {
	f.Add(tarball(f, false, file("t/a.yaml", "a: 1\n"), tar.Header{Typeflag: tar.TypeSymlink, Name: "t/l", Linkname: "x"}), 1)
	f.Add(tarball(f, true, file("a/b", "x"), file("a", "y")), 0)
	f.Add(sparse(), 0)
	f.Fuzz(func(t *testing.T, data []byte, strip int) {
		strip = max(0, min(strip, 5))
		s, err := repo.ReadTar(bytes.NewReader(data), strip, nil, repo.Limits{TotalSize: 1 << 20})
		if err != nil {
			return
		}
		list, err := s.List()
		if err != nil {
			t.Fatal(err)
		}
		total := 0
		for _, e := range list {
			if strings.HasPrefix(e.Path, "/") || strings.Contains("/"+e.Path+"/", "/../") || strings.Contains("/"+e.Path+"/", "/.git/") {
				t.Errorf("%q is listed", e.Path)
			}
			body, err := fs.ReadFile(s.FS, e.Path)
			if err == nil && int64(len(body)) != e.Size {
				t.Errorf("%q: %d bytes, listed as %d", e.Path, len(body), e.Size)
			}
			total += len(body)
		}
		if err := fs.WalkDir(s.FS, ".", func(_ string, _ fs.DirEntry, err error) error { return err }); err != nil {
			t.Error(err)
		}
	})
}
