package repo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// List returns every file of s, sorted by path: symbolic links and submodules too,
// which cannot be opened, and files whose name is no UTF-8, which cannot either.
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
		out = append(out, Entry{Path: p, Size: info.Size(), Mode: info.Mode()})
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
func OpenDir(dir string) (Snapshot, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Snapshot{}, fmt.Errorf("open the directory %q: %w", dir, rootCause(err))
	}
	var entries []Entry
	if err := walk(root, ".", &entries); err != nil {
		root.Close()
		return Snapshot{}, fmt.Errorf("list %q: %w", dir, err)
	}
	return Snapshot{FS: newTreeFS(entries, readIn(root)), Name: dir}, nil
}

// rootCause drops the operation that an *fs.PathError repeats.
func rootCause(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

func walk(root *os.Root, dir string, out *[]Entry) error {
	f, err := root.Open(dir)
	if err != nil {
		return err
	}
	list, err := f.ReadDir(-1)
	f.Close()
	if err != nil {
		return err
	}
	for _, d := range list {
		p := path.Join(dir, d.Name())
		switch {
		case d.Name() == ".git":
		case d.IsDir():
			if err := walk(root, p, out); err != nil {
				return err
			}
		default:
			info, err := d.Info()
			if errors.Is(err, fs.ErrNotExist) {
				continue // gone since
			}
			if err != nil {
				return err
			}
			*out = append(*out, Entry{Path: p, Size: info.Size(), Mode: listedMode(info.Mode())})
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

var errName = errors.New("the name is not UTF-8; rename the file so that it can be reviewed")

// readIn reads files below root. What is no regular file now, though it was when it
// was listed, is not opened: opening a pipe would wait for ever.
func readIn(root *os.Root) func(Entry) ([]byte, error) {
	return func(e Entry) ([]byte, error) {
		if !utf8.ValidString(e.Path) {
			return nil, errName
		}
		info, err := root.Lstat(e.Path)
		if err != nil {
			return nil, rootCause(err)
		}
		if !info.Mode().IsRegular() {
			return nil, errors.New("it is no longer a regular file")
		}
		data, err := root.ReadFile(e.Path)
		if err != nil {
			return nil, rootCause(err)
		}
		return data, nil
	}
}
