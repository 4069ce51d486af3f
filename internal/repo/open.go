package repo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// List returns every file of s, sorted by path. Symbolic links and submodules are
// listed and cannot be opened; a file whose name is no UTF-8 is listed under its raw
// name, and opening it errors.
func (s Snapshot) List() ([]Entry, error) {
	if l, ok := s.FS.(Lister); ok {
		return l.List()
	}
	var out []Entry
	err := fs.WalkDir(s.FS, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		out = append(out, Entry{Path: p, Size: info.Size(), Mode: listedMode(info.Mode())})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", s.Name, err)
	}
	slices.SortFunc(out, func(a, b Entry) int { return strings.Compare(a.Path, b.Path) })
	return out, nil
}

// OpenDir opens the files below dir, whatever git says of them; .git is left out at
// every level. No symbolic link is followed, and nothing but regular files is opened.
// A directory that may not be entered is listed as a file, so that reading it errors
// and it is not passed over.
func OpenDir(dir string) (Snapshot, error) {
	root, err := openRoot(dir)
	if err != nil {
		return Snapshot{}, fmt.Errorf("open the directory %q: %w", dir, rootCause(err))
	}
	in, err := newRooted(root)
	if err != nil {
		root.Close()
		return Snapshot{}, fmt.Errorf("open the directory %q: %w", dir, rootCause(err))
	}
	var entries []Entry
	if err := walk(in.files, "", &entries); err != nil {
		in.close()
		return Snapshot{}, fmt.Errorf("list %q: %w", dir, rootCause(err))
	}
	fsys := newTreeFS(entries, func(_ int, e Entry) ([]byte, error) { return in.read(e.Path, anySize) })
	fsys.readInto = func(e Entry, buf []byte, whole func([]byte, int64) bool) ([]byte, error) {
		return in.readInto(e.Path, anySize, buf, whole)
	}
	fsys.size = func(e *Entry) error {
		info, err := in.lstat(e.Path)
		if err == nil {
			e.Size, e.Mode = info.Size(), listedMode(info.Mode())
		}
		return rootCause(err)
	}
	return Snapshot{FS: fsys, Name: dir}, nil
}

// openRoot opens a directory, and nothing else: opening a pipe would wait for ever.
func openRoot(dir string) (*os.Root, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, errors.New("it is not a directory")
	}
	return os.OpenRoot(dir)
}

// walk lists a directory. The sizes of its files are not known.
func walk(in *descriptors, dir string, out *[]Entry) error {
	list, err := in.list(dir)
	if err != nil {
		return err
	}
	prefix := dir
	if prefix != "" {
		prefix += "/"
	}
	for _, d := range list {
		switch p := prefix + d.Name(); {
		case d.Name() == ".git":
		case d.IsDir():
			if err := walk(in, p, out); err != nil {
				*out = append(*out, Entry{Path: p})
			}
		default:
			*out = append(*out, Entry{Path: p, Mode: listedMode(d.Type()), Size: -1})
		}
	}
	return nil
}

// listedMode reduces a mode to what Entry tells apart: a device or a pipe is nothing
// that could be read.
func listedMode(m fs.FileMode) fs.FileMode {
	switch {
	case m.IsRegular():
		return m.Perm()
	case m&fs.ModeSymlink != 0:
		return fs.ModeSymlink
	}
	return fs.ModeIrregular
}
