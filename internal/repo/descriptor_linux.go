package repo

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"
	"syscall"
)

// descriptors reads files below one directory by the kernel's own means: four calls
// for a file, and nothing for the garbage collector. Every directory is opened from
// its parent, and no symbolic link is followed.
type descriptors struct {
	top *os.File // keeps the descriptor of the directory open

	mu    sync.Mutex
	dirs  map[string]*directory // by path; "" is the top
	order []string              // of dirs but the top, oldest first
}

// directory is an open one. It is closed when it is neither kept nor in use: its
// number may be another file's after that.
type directory struct {
	fd   int
	uses int // by readers, and one for being kept
}

func newDescriptors(root *os.Root) (*descriptors, error) {
	top, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	d := &descriptors{top: top, dirs: map[string]*directory{}}
	d.dirs[""] = &directory{fd: int(top.Fd()), uses: 1}
	return d, nil
}

func (d *descriptors) close() {
	d.forget()
	d.top.Close()
}

// forget drops all directories but the top; they may be others by now.
func (d *descriptors) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, p := range d.order {
		d.drop(d.dirs[p])
		delete(d.dirs, p)
	}
	d.order = nil
}

// drop gives up one use of a directory; d.mu is held.
func (d *descriptors) drop(dir *directory) {
	if dir.uses--; dir.uses == 0 {
		_ = syscall.Close(dir.fd) // it was read from alone
	}
}

// use returns an open directory, "" or a path without a slash at its end.
func (d *descriptors) use(p string) (*directory, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	dir, err := d.find(p)
	if err == nil {
		dir.uses++
	}
	return dir, err
}

func (d *descriptors) done(dir *directory) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drop(dir)
}

// find opens a directory from its parent, unless it is open; d.mu is held.
func (d *descriptors) find(p string) (*directory, error) {
	if dir, ok := d.dirs[p]; ok {
		return dir, nil
	}
	parent, name := path.Split(p)
	from, err := d.find(parent[:max(0, len(parent)-1)])
	if err != nil {
		return nil, err
	}
	fd, err := openAt(from.fd, name, syscall.O_DIRECTORY)
	if err != nil {
		return nil, err
	}
	if len(d.order) >= keptDirs {
		d.drop(d.dirs[d.order[0]])
		delete(d.dirs, d.order[0])
		d.order = d.order[1:]
	}
	dir := &directory{fd: fd, uses: 1}
	d.dirs[p], d.order = dir, append(d.order, p)
	return dir, nil
}

// openAt opens a name in a directory; it neither follows a link nor waits for a pipe.
func openAt(dir int, name string, flags int) (int, error) {
	for {
		fd, err := syscall.Openat(dir, name, syscall.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK|syscall.O_CLOEXEC|flags, 0)
		switch {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.ELOOP):
			return -1, errGone // a link now
		default:
			return fd, err
		}
	}
}

// descriptor is an open file.
type descriptor int

// open opens a file and tells what it is and how large.
func (d *descriptors) open(p string) (f descriptor, mode fs.FileMode, size int64, err error) {
	parent, name := path.Split(p)
	dir, err := d.use(parent[:max(0, len(parent)-1)])
	if err != nil {
		return 0, 0, 0, err
	}
	fd, err := openAt(dir.fd, name, 0)
	d.done(dir)
	if err != nil {
		return 0, 0, 0, err
	}
	var st syscall.Stat_t
	if err := syscall.Fstat(fd, &st); err != nil {
		_ = syscall.Close(fd)
		return 0, 0, 0, err
	}
	if st.Mode&syscall.S_IFMT != syscall.S_IFREG {
		mode = fs.ModeIrregular
	}
	return descriptor(fd), mode, st.Size, nil
}

func (f descriptor) Read(p []byte) (int, error) {
	for {
		n, err := syscall.Read(int(f), p)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return 0, err
		case n == 0 && len(p) > 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}

func (f descriptor) Close() error { return syscall.Close(int(f)) }

// list returns what a directory holds.
func (d *descriptors) list(p string) ([]os.DirEntry, error) {
	dir, err := d.use(p)
	if err != nil {
		return nil, err
	}
	defer d.done(dir)
	fd, err := openAt(dir.fd, ".", syscall.O_DIRECTORY) // which begins at the first name
	if err != nil {
		return nil, err
	}
	// By its whole name: where the file system does not tell what an entry is, it is
	// looked at by that.
	f := os.NewFile(uintptr(fd), filepath.Join(d.top.Name(), p))
	defer f.Close()
	return f.ReadDir(-1)
}
