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

// maxName is how long a name in an archive may be, in bytes.
const maxName = 4096

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
// opened; so is one above the limit of a file's size. strip cuts leading path segments
// (1 for GitHub's). Symbolic links are listed and not followed; a hard link is the file
// that it names. Where a name is there twice the last one counts. The commit is the one
// that git archive writes into the header.
//
// A name that leads out of the archive, more than the limits allow, and an archive that
// is cut off are errors.
func ReadTar(r io.Reader, strip int, keep func(Entry) bool, lim Limits) (Snapshot, error) {
	lim = lim.orDefault()
	buf := bufio.NewReaderSize(r, 64<<10)
	magic, err := buf.Peek(2)
	if err != nil {
		return Snapshot{}, archiveError(io.ErrUnexpectedEOF)
	}
	in := &bounded{in: buf, left: lim.TotalSize, total: lim.TotalSize}
	if bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		gz, err := gzip.NewReader(buf)
		if err != nil {
			return Snapshot{}, archiveError(err)
		}
		in.in = gz
	}
	u := &untar{lim: lim, keep: keep, strip: strip, in: tar.NewReader(in), files: map[string]*packed{}}
	if err := u.all(); err != nil {
		return Snapshot{}, err
	}
	// What is behind the end holds the checksum of gzip, and shows whether it is whole.
	if _, err := io.Copy(io.Discard, in); err != nil {
		return Snapshot{}, archiveError(err)
	}
	fsys, err := u.fs()
	if err != nil {
		return Snapshot{}, err
	}
	return Snapshot{FS: fsys, Commit: u.commit, Name: "the archive"}, nil
}

func archiveError(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return errors.New("read the archive: it is cut off: fetch it again")
	}
	return fmt.Errorf("read the archive: %w", err)
}

// packed is a file of an archive.
type packed struct {
	Entry
	data []byte
	err  error // why there is no data
}

type untar struct {
	in     *tar.Reader
	lim    Limits
	keep   func(Entry) bool
	strip  int
	commit string
	files  map[string]*packed
	kept   int64 // bytes
	seen   int   // entries
}

var (
	errNotKept  = errors.New("it was not kept when the archive was read")
	errHardLink = errors.New("it is a hard link to a file that is not in the archive")
)

func (u *untar) all() error {
	for {
		h, err := u.in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return archiveError(err)
		}
		if err := u.add(h); err != nil {
			return err
		}
	}
}

// fs makes a file system of the files. A name may be a file or a directory, not both.
func (u *untar) fs() (*treeFS, error) {
	entries := make([]Entry, 0, len(u.files))
	dirs := map[string]bool{".": true}
	for name, f := range u.files {
		entries = append(entries, f.Entry)
		for dir := path.Dir(name); !dirs[dir]; dir = path.Dir(dir) {
			dirs[dir] = true
		}
	}
	for name := range u.files {
		if dirs[name] {
			return nil, fmt.Errorf("read the archive: %q is a file and a directory in it", name)
		}
	}
	return newTreeFS(entries, func(_ int, e Entry) ([]byte, error) {
		f := u.files[e.Path]
		return bytes.Clone(f.data), f.err
	}), nil
}

func (u *untar) add(h *tar.Header) error {
	switch h.Typeflag {
	case tar.TypeXGlobalHeader:
		if id := strings.TrimSpace(h.PAXRecords["comment"]); u.commit == "" && isID(id) {
			u.commit = id
		}
		return nil
	case tar.TypeDir:
		_, err := u.name(h.Name)
		return err
	}
	name, err := u.name(h.Name)
	if err != nil {
		return err
	}
	if name == "" {
		return fmt.Errorf("read the archive: %q lies outside of the leading directory", h.Name)
	}
	if hidden(name) {
		return nil
	}
	if u.seen++; u.seen > u.lim.Files {
		return fmt.Errorf("read the archive: it has more than the %d files that are read", u.lim.Files)
	}
	u.files[name], err = u.file(h, name)
	return err
}

// file reads one entry.
func (u *untar) file(h *tar.Header, name string) (*packed, error) {
	f := &packed{Entry: Entry{Path: name}}
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeGNUSparse, tar.TypeCont:
		f.Mode, f.Size = fs.FileMode(h.Mode).Perm(), h.Size
		return f, u.content(f)
	case tar.TypeLink:
		target, err := u.name(h.Linkname)
		if err != nil {
			return nil, err
		}
		if to := u.files[target]; to != nil {
			f.Mode, f.Size, f.data, f.err = to.Mode, to.Size, to.data, to.err
		} else {
			f.err = errHardLink
		}
	case tar.TypeSymlink:
		f.Mode = fs.ModeSymlink
		f.Size = int64(len(h.Linkname))
	default:
		f.Mode = fs.ModeIrregular
	}
	return f, nil
}

// content reads what the entry holds, if it is wanted.
func (u *untar) content(f *packed) error {
	switch {
	case u.keep != nil && !u.keep(f.Entry):
		f.err = errNotKept
		return nil
	case f.Size > u.lim.FileSize:
		f.err = fmt.Errorf("it is larger than the %d MB that are read of one file", u.lim.FileSize>>20)
		return nil
	}
	if u.kept += f.Size; u.kept > u.lim.TotalSize { // sparse files are more than is read of the archive
		return archiveError(tooLarge(u.lim.TotalSize))
	}
	f.data = make([]byte, f.Size)
	if _, err := io.ReadFull(u.in, f.data); err != nil {
		return archiveError(err)
	}
	return nil
}

// name cleans an entry's name and cuts its leading segments; nothing may be left.
func (u *untar) name(raw string) (string, error) {
	if len(raw) > maxName {
		return "", fmt.Errorf("read the archive: a name has more than %d bytes", maxName)
	}
	if path.IsAbs(raw) || strings.ContainsRune(raw, 0) || strings.HasPrefix(raw, "../") || strings.Contains(raw, "/../") || strings.HasSuffix("/"+raw, "/..") {
		return "", fmt.Errorf("read the archive: the name %q leads out of it", raw)
	}
	clean := path.Clean(raw)
	for range u.strip {
		_, rest, ok := strings.Cut(clean, "/")
		if !ok {
			return "", nil
		}
		clean = rest
	}
	if clean == "." {
		return "", nil
	}
	return clean, nil
}

// hidden reports whether a name lies in a .git.
func hidden(name string) bool { return strings.Contains("/"+name+"/", "/.git/") }

// bounded fails where more is read than it has left.
type bounded struct {
	in          io.Reader
	left, total int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		// It is too large only if there is something more.
		var one [1]byte
		if n, err := io.ReadFull(b.in, one[:]); n == 0 {
			return 0, err
		}
		return 0, tooLarge(b.total)
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.in.Read(p)
	b.left -= int64(n)
	return n, err
}

func tooLarge(limit int64) error {
	return fmt.Errorf("it unpacks to more than the %d MB that are read", limit>>20)
}
