//go:build !linux

package repo

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// descriptors reads files below one directory.
type descriptors struct{ root *os.Root }

func newDescriptors(root *os.Root) (*descriptors, error) { return &descriptors{root}, nil }

func (d *descriptors) close()  {}
func (d *descriptors) forget() {}

// open opens a file and tells what it is and how large.
func (d *descriptors) open(p string) (f *os.File, mode fs.FileMode, size int64, err error) {
	f, err = d.root.OpenFile(filepath.FromSlash(p), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, 0, err
	}
	return f, info.Mode().Type(), info.Size(), nil
}

// list returns what a directory holds.
func (d *descriptors) list(p string) ([]os.DirEntry, error) {
	f, err := d.root.Open(filepath.Join(".", filepath.FromSlash(p)))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.ReadDir(-1)
}
