package repo

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// Limits bound what an archive may hold; zero means the default.
type Limits struct {
	Files     int   // 200,000
	FileSize  int64 // of one file that is kept, in bytes: 16 MiB
	TotalSize int64 // unpacked, whether kept or not, in bytes: 1 GiB
}

func (l Limits) orDefault() Limits {
	if l.Files == 0 {
		l.Files = 200_000
	}
	if l.FileSize == 0 {
		l.FileSize = 16 << 20
	}
	if l.TotalSize == 0 {
		l.TotalSize = 1 << 30
	}
	return l
}

// ReadTar reads a tarball (gzip or plain) into memory. keep says which paths are
// wanted; nil keeps all. A file that is not kept is listed all the same and cannot be
// opened. strip cuts leading path segments (1 for GitHub's). Links are listed and not
// followed; a name that leads out of the tree is an error, and so is what exceeds lim.
func ReadTar(r io.Reader, strip int, keep func(Entry) bool, lim Limits) (Snapshot, error) {
	lim = lim.orDefault()
	buf := bufio.NewReader(r)
	var in io.Reader = buf
	if magic, _ := buf.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		gz, err := gzip.NewReader(buf)
		if err != nil {
			return Snapshot{}, fmt.Errorf("read the archive: %w", err)
		}
		in = gz
	}
	u := &untar{lim: lim, keep: keep, strip: strip, index: map[string]int{}, data: map[string][]byte{}}
	u.in = tar.NewReader(&bounded{in, lim.TotalSize})
	for {
		h, err := u.in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Snapshot{}, fmt.Errorf("read the archive: %w", err)
		}
		if err := u.add(h); err != nil {
			return Snapshot{}, err
		}
	}
	return Snapshot{FS: newTreeFS(u.entries, u.read), Commit: u.commit, Name: "the archive"}, nil
}

type untar struct {
	in      *tar.Reader
	lim     Limits
	keep    func(Entry) bool
	strip   int
	commit  string
	entries []Entry
	index   map[string]int
	data    map[string][]byte
}

var errNotKept = errors.New("it was not kept when the archive was read")

func (u *untar) read(e Entry) ([]byte, error) {
	data, ok := u.data[e.Path]
	if !ok {
		return nil, errNotKept
	}
	return bytes.Clone(data), nil
}

func (u *untar) add(h *tar.Header) error {
	if h.Typeflag == tar.TypeXGlobalHeader {
		if c := h.PAXRecords["comment"]; u.commit == "" && len(c) >= 40 {
			u.commit = c
		}
		return nil
	}
	e := Entry{Size: h.Size}
	switch h.Typeflag {
	case tar.TypeDir:
		return nil
	case tar.TypeReg:
		e.Mode = fs.FileMode(h.Mode).Perm()
	case tar.TypeSymlink, tar.TypeLink:
		e.Mode = fs.ModeSymlink
	default:
		e.Mode = fs.ModeIrregular
	}
	name, err := u.name(h.Name)
	if err != nil || name == "" {
		return err
	}
	e.Path = name
	if len(u.entries) >= u.lim.Files {
		return fmt.Errorf("read the archive: it has more than the %d files that are read", u.lim.Files)
	}
	if i, twice := u.index[name]; twice { // the last one counts
		u.entries[i] = e
		delete(u.data, name)
	} else {
		u.index[name] = len(u.entries)
		u.entries = append(u.entries, e)
	}
	if !e.Mode.IsRegular() || u.keep != nil && !u.keep(e) {
		return nil
	}
	if e.Size > u.lim.FileSize {
		return nil // listed with its size: the review says that it is too large
	}
	data, err := io.ReadAll(io.LimitReader(u.in, e.Size))
	if err != nil {
		return fmt.Errorf("read the archive: %q: %w", name, err)
	}
	u.data[name] = data
	return nil
}

// name cleans an entry's name and cuts its leading segments.
func (u *untar) name(raw string) (string, error) {
	clean := path.Clean(strings.TrimPrefix(raw, "./"))
	if path.IsAbs(raw) || clean == ".." || strings.HasPrefix(clean, "../") || strings.ContainsRune(raw, 0) {
		return "", fmt.Errorf("read the archive: the name %q leads out of it", raw)
	}
	for range u.strip {
		_, rest, ok := strings.Cut(clean, "/")
		if !ok {
			return "", nil
		}
		clean = rest
	}
	if clean == "." || clean == ".git" || strings.HasPrefix(clean, ".git/") {
		return "", nil
	}
	return clean, nil
}

// bounded fails where more than left bytes are unpacked.
type bounded struct {
	in   io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errors.New("it unpacks to more than is read")
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.in.Read(p)
	b.left -= int64(n)
	return n, err
}
