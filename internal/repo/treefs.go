package repo

import (
	"bytes"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// treeFS is a file system made of a listing and a way to read one file of it. What
// is no regular file is listed, and cannot be opened.
type treeFS struct {
	entries []Entry // sorted by path
	read    func(Entry) ([]byte, error)

	once  sync.Once
	files map[string]int           // path -> index into entries, regular files alone
	dirs  map[string][]fs.DirEntry // sorted by name; "." is the root
}

// Tree is a file system made of a listing and a way to read one regular file of it.
// read may be called from many goroutines, and what it returns belongs to the caller.
func Tree(entries []Entry, read func(Entry) ([]byte, error)) fs.FS { return newTreeFS(entries, read) }

func newTreeFS(entries []Entry, read func(Entry) ([]byte, error)) *treeFS {
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Path, b.Path) })
	return &treeFS{entries: entries, read: read}
}

// List implements [Lister].
func (t *treeFS) List() ([]Entry, error) { return t.entries, nil }

func (t *treeFS) index() {
	t.files = make(map[string]int, len(t.entries))
	t.dirs = map[string][]fs.DirEntry{".": nil}
	for i, e := range t.entries {
		if !e.Mode.IsRegular() || !fs.ValidPath(e.Path) {
			continue
		}
		t.files[e.Path] = i
		t.addTo(path.Dir(e.Path), fileInfo{name: path.Base(e.Path), size: e.Size, mode: e.Mode.Perm() | 0o444})
	}
	for _, list := range t.dirs {
		slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	}
}

func (t *treeFS) addTo(dir string, info fileInfo) {
	_, known := t.dirs[dir]
	t.dirs[dir] = append(t.dirs[dir], info)
	if !known {
		t.addTo(path.Dir(dir), fileInfo{name: path.Base(dir), mode: fs.ModeDir | 0o555})
	}
}

// find returns the entry of a file; dir is true for a directory.
func (t *treeFS) find(op, name string) (e Entry, dir bool, err error) {
	if !fs.ValidPath(name) {
		return e, false, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	t.once.Do(t.index)
	if i, ok := t.files[name]; ok {
		return t.entries[i], false, nil
	}
	if _, ok := t.dirs[name]; ok {
		return e, true, nil
	}
	return e, false, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
}

// Open implements [fs.FS].
func (t *treeFS) Open(name string) (fs.File, error) {
	e, dir, err := t.find("open", name)
	if err != nil {
		return nil, err
	}
	if dir {
		return &openDir{info: fileInfo{name: path.Base(name), mode: fs.ModeDir | 0o555}, list: t.dirs[name]}, nil
	}
	data, err := t.read(e)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	info := fileInfo{name: path.Base(name), size: int64(len(data)), mode: e.Mode.Perm() | 0o444}
	return &openFile{info: info, Reader: bytes.NewReader(data)}, nil
}

// ReadFile implements [fs.ReadFileFS]. The bytes belong to the caller.
func (t *treeFS) ReadFile(name string) ([]byte, error) {
	e, dir, err := t.find("read", name)
	switch {
	case err != nil:
		return nil, err
	case dir:
		return nil, &fs.PathError{Op: "read", Path: name, Err: fs.ErrInvalid}
	}
	data, err := t.read(e)
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: name, Err: err}
	}
	return data, nil
}

// ReadDir implements [fs.ReadDirFS].
func (t *treeFS) ReadDir(name string) ([]fs.DirEntry, error) {
	_, dir, err := t.find("readdir", name)
	switch {
	case err != nil:
		return nil, err
	case !dir:
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrInvalid}
	}
	return slices.Clone(t.dirs[name]), nil
}

// Stat implements [fs.StatFS].
func (t *treeFS) Stat(name string) (fs.FileInfo, error) {
	e, dir, err := t.find("stat", name)
	switch {
	case err != nil:
		return nil, err
	case dir:
		return fileInfo{name: path.Base(name), mode: fs.ModeDir | 0o555}, nil
	}
	return fileInfo{name: path.Base(name), size: e.Size, mode: e.Mode.Perm() | 0o444}, nil
}

// fileInfo is both the info and the directory entry of a file. Trees have no times.
type fileInfo struct {
	name string
	size int64
	mode fs.FileMode
}

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
