package repo

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// treeFS is a file system made of a listing and a way to read one file of it. What
// is no regular file is listed, and cannot be opened.
type treeFS struct {
	entries []Entry // sorted by path
	// read returns the content of the i-th entry, e; the bytes belong to the caller.
	read func(i int, e Entry) ([]byte, error)
	// readInto is read, as [IntoReader] says; nil where it would be no faster.
	readInto func(e Entry, buf []byte, whole func(head []byte, size int64) bool) ([]byte, error)

	// size fills in Size and Mode of an entry; nil where they are known.
	size func(e *Entry) error

	sized  sync.Once
	listed []Entry // entries, with their sizes

	once sync.Once
	dirs map[string][]fs.DirEntry // sorted by name; "." is the root
}

func newTreeFS(entries []Entry, read func(i int, e Entry) ([]byte, error)) *treeFS {
	byPath := func(a, b Entry) int { return strings.Compare(a.Path, b.Path) }
	if !slices.IsSortedFunc(entries, byPath) {
		slices.SortFunc(entries, byPath)
	}
	return &treeFS{entries: entries, read: read}
}

// List implements [Lister].
func (t *treeFS) List() ([]Entry, error) { return slices.Clone(t.list()), nil }

// Names implements [Namer].
func (t *treeFS) Names() []Entry { return slices.Clone(t.entries) }

// list is entries with their sizes, without those that are gone.
func (t *treeFS) list() []Entry {
	if t.size == nil {
		return t.entries
	}
	t.sized.Do(func() {
		for _, e := range t.entries {
			if !errors.Is(t.look(&e), fs.ErrNotExist) {
				t.listed = append(t.listed, e)
			}
		}
	})
	return t.listed
}

// look fills in what is not known of an entry. One that cannot be looked at is listed:
// reading it says what is wrong.
func (t *treeFS) look(e *Entry) error {
	if t.size == nil || e.Size >= 0 {
		return nil
	}
	e.Size = 0
	return t.size(e)
}

// directories makes the directories out of the files.
func (t *treeFS) directories() map[string][]fs.DirEntry {
	t.once.Do(func() {
		t.dirs = map[string][]fs.DirEntry{".": nil}
		for _, e := range t.list() {
			if e.Mode.IsRegular() && fs.ValidPath(e.Path) {
				t.addTo(path.Dir(e.Path), infoOf(e))
			}
		}
		for _, list := range t.dirs {
			slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
		}
	})
	return t.dirs
}

func (t *treeFS) addTo(dir string, info fileInfo) {
	_, known := t.dirs[dir]
	t.dirs[dir] = append(t.dirs[dir], info)
	if !known {
		t.addTo(path.Dir(dir), dirInfo(dir))
	}
}

// find returns the index of a regular file, or -1 for a directory.
func (t *treeFS) find(op, name string) (int, error) {
	i, found := slices.BinarySearchFunc(t.entries, name, func(e Entry, name string) int { return strings.Compare(e.Path, name) })
	var err error
	switch {
	case !utf8.ValidString(name):
		err = errName
	case !fs.ValidPath(name):
		err = fs.ErrInvalid
	case found && t.entries[i].Mode.IsRegular():
		return i, nil
	case found && t.entries[i].Mode&fs.ModeSymlink != 0:
		err = errLink
	case found:
		err = errSpecial
	default:
		if t.isDirectory(name) {
			return -1, nil
		}
		err = fs.ErrNotExist
	}
	return 0, &fs.PathError{Op: op, Path: name, Err: err}
}

// isDirectory reports whether a regular file lies below name.
func (t *treeFS) isDirectory(name string) bool {
	if name == "." {
		return true
	}
	below := name + "/"
	from, _ := slices.BinarySearchFunc(t.entries, below, func(e Entry, below string) int { return strings.Compare(e.Path, below) })
	for _, e := range t.entries[from:] {
		if !strings.HasPrefix(e.Path, below) {
			return false
		}
		if e.Mode.IsRegular() && fs.ValidPath(e.Path) {
			return true
		}
	}
	return false
}

// Open implements [fs.FS].
func (t *treeFS) Open(name string) (fs.File, error) {
	i, err := t.find("open", name)
	if err != nil {
		return nil, err
	}
	if i < 0 {
		return &openDir{info: dirInfo(name), list: t.directories()[name]}, nil
	}
	data, err := t.read(i, t.entries[i])
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	e := t.entries[i]
	if err := t.look(&e); err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return openBytes(e, data), nil
}

// ReadFile implements [fs.ReadFileFS]. The bytes belong to the caller.
func (t *treeFS) ReadFile(name string) ([]byte, error) {
	i, err := t.find("read", name)
	if err != nil {
		return nil, err
	}
	if i < 0 {
		return nil, &fs.PathError{Op: "read", Path: name, Err: fs.ErrInvalid}
	}
	data, err := t.read(i, t.entries[i])
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: name, Err: err}
	}
	return data, nil
}

// ReadInto implements [IntoReader].
func (t *treeFS) ReadInto(name string, buf []byte, whole func(head []byte, size int64) bool) ([]byte, error) {
	if t.readInto == nil {
		return t.ReadFile(name)
	}
	i, err := t.find("read", name)
	if err != nil {
		return nil, err
	}
	if i < 0 {
		return nil, &fs.PathError{Op: "read", Path: name, Err: fs.ErrInvalid}
	}
	data, err := t.readInto(t.entries[i], buf, whole)
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: name, Err: err}
	}
	return data, nil
}

// ReadDir implements [fs.ReadDirFS].
func (t *treeFS) ReadDir(name string) ([]fs.DirEntry, error) {
	i, err := t.find("readdir", name)
	switch {
	case err != nil:
		return nil, err
	case i >= 0:
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrInvalid}
	}
	return slices.Clone(t.directories()[name]), nil
}

// Stat implements [fs.StatFS].
func (t *treeFS) Stat(name string) (fs.FileInfo, error) {
	i, err := t.find("stat", name)
	switch {
	case err != nil:
		return nil, err
	case i < 0:
		return dirInfo(name), nil
	}
	e := t.entries[i]
	if err := t.look(&e); err != nil {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	return infoOf(e), nil
}

// fileInfo is both the info and the directory entry of a file. Trees have no times.
type fileInfo struct {
	name string
	size int64
	mode fs.FileMode
}

func infoOf(e Entry) fileInfo {
	return fileInfo{name: path.Base(e.Path), size: e.Size, mode: e.Mode.Perm() | 0o444}
}

func dirInfo(name string) fileInfo { return fileInfo{name: path.Base(name), mode: fs.ModeDir | 0o555} }

func (i fileInfo) Name() string               { return i.name }
func (i fileInfo) Size() int64                { return i.size }
func (i fileInfo) Mode() fs.FileMode          { return i.mode }
func (i fileInfo) Type() fs.FileMode          { return i.mode.Type() }
func (i fileInfo) ModTime() time.Time         { return time.Time{} }
func (i fileInfo) IsDir() bool                { return i.mode.IsDir() }
func (i fileInfo) Sys() any                   { return nil }
func (i fileInfo) Info() (fs.FileInfo, error) { return i, nil }
func (i fileInfo) String() string             { return fs.FormatDirEntry(i) }

type openFile struct {
	info fileInfo
	*bytes.Reader
}

// openBytes opens content that was read already.
func openBytes(e Entry, data []byte) *openFile {
	e.Size = int64(len(data))
	return &openFile{infoOf(e), bytes.NewReader(data)}
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *openFile) Close() error               { return nil }

type openDir struct {
	info fileInfo
	list []fs.DirEntry
}

func (d *openDir) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *openDir) Close() error               { return nil }
func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.info.name, Err: fs.ErrInvalid}
}

func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		list := d.list
		d.list = nil
		return slices.Clone(list), nil
	}
	if len(d.list) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(d.list))
	list := d.list[:n]
	d.list = d.list[n:]
	return slices.Clone(list), nil
}
