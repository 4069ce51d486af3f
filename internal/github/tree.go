package github

import (
	"bytes"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sealward/sealward/internal/repo"
)

// tree is a file system of what git's trees name, with contents from a store.
type tree struct {
	list  []repo.Entry // sorted by path
	at    map[string]int
	store *store
	dirs  func() map[string][]fs.DirEntry
}

func newTree(entries map[string]repo.Entry, s *store) *tree {
	t := &tree{at: make(map[string]int, len(entries)), store: s, list: make([]repo.Entry, 0, len(entries))}
	for _, e := range entries {
		t.list = append(t.list, e)
	}
	slices.SortFunc(t.list, func(a, b repo.Entry) int { return strings.Compare(a.Path, b.Path) })
	for i, e := range t.list {
		t.at[e.Path] = i
	}
	t.dirs = sync.OnceValue(t.readDirs)
	return t
}

// List lists the files, sorted by path.
func (t *tree) List() ([]repo.Entry, error) { return slices.Clone(t.list), nil }

// ReadFile returns a file's content.
func (t *tree) ReadFile(name string) ([]byte, error) {
	data, _, err := t.find("read", name)
	return bytes.Clone(data), err
}

func (t *tree) find(op, name string) ([]byte, *repo.Entry, error) {
	i, ok := t.at[name]
	if !ok {
		return nil, nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	}
	e := &t.list[i]
	if !e.Mode.IsRegular() {
		return nil, e, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	data, err := t.store.get(e.ID)
	if err != nil {
		return nil, e, &fs.PathError{Op: op, Path: name, Err: err}
	}
	return data, e, nil
}

// Open opens a file or a directory.
func (t *tree) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	if list, ok := t.dirs()[name]; ok {
		return &openDir{info: info{name: path.Base(name), mode: fs.ModeDir | 0o755}, rest: list}, nil
	}
	data, e, err := t.find("open", name)
	if err != nil {
		return nil, err
	}
	return &openFile{info{path.Base(name), e.Size, e.Mode}, bytes.NewReader(data)}, nil
}

// Stat tells of a file without its content, so that one which was not fetched is
// still known to be there.
func (t *tree) Stat(name string) (fs.FileInfo, error) {
	if i, ok := t.at[name]; ok {
		return info{path.Base(name), t.list[i].Size, t.list[i].Mode}, nil
	}
	if _, ok := t.dirs()[name]; ok {
		return info{name: path.Base(name), mode: fs.ModeDir | 0o755}, nil
	}
	return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
}

func (t *tree) readDirs() map[string][]fs.DirEntry {
	dirs := map[string][]fs.DirEntry{".": nil}
	var add func(name string, e fs.DirEntry)
	add = func(name string, e fs.DirEntry) {
		dir := path.Dir(name)
		if _, known := dirs[dir]; !known {
			dirs[dir] = nil
			add(dir, fs.FileInfoToDirEntry(info{name: path.Base(dir), mode: fs.ModeDir | 0o755}))
		}
		dirs[dir] = append(dirs[dir], e)
	}
	for _, e := range t.list {
		add(e.Path, fs.FileInfoToDirEntry(info{path.Base(e.Path), e.Size, e.Mode}))
	}
	for _, list := range dirs {
		slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	}
	return dirs
}

type info struct {
	name string
	size int64
	mode fs.FileMode
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) Mode() fs.FileMode  { return i.mode }
func (i info) ModTime() time.Time { return time.Time{} }
func (i info) IsDir() bool        { return i.mode.IsDir() }
func (i info) Sys() any           { return nil }

type openFile struct {
	info
	*bytes.Reader
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *openFile) Size() int64                { return f.info.size }
func (f *openFile) Close() error               { return nil }

type openDir struct {
	info
	rest []fs.DirEntry
}

func (d *openDir) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *openDir) Close() error               { return nil }
func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.name, Err: fs.ErrInvalid}
}

func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		n = len(d.rest)
	} else if len(d.rest) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(d.rest))
	list := slices.Clone(d.rest[:n])
	d.rest = d.rest[n:]
	return list, nil
}
