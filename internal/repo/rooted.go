package repo

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"sync"
	"unicode/utf8"
)

// maxRead is how large a file of a directory or a commit may be, in bytes. What
// reads a file has stricter limits: this one keeps a stray disk image out of memory.
const maxRead = 64 << 20

var (
	errName    = errors.New("the name is not UTF-8; rename the file so that it can be reviewed")
	errLink    = errors.New("it is a symbolic link, which is not followed")
	errSpecial = errors.New("it is a submodule or a special file, which is not opened")
	errGone    = errors.New("it is no longer a regular file")
	errTooBig  = fmt.Errorf("it is larger than the %d MB that are read of one file", maxRead>>20)
)

// rooted reads below one directory. It keeps the directories of late open: a file's
// directory is looked up once and not for each file in it.
type rooted struct {
	root  *os.Root
	files *descriptors

	mu    sync.Mutex
	dirs  map[string]*os.Root
	order []string // of dirs, oldest first
	plain map[string]bool
}

// anySize is a file of whatever size.
const anySize = -1

// keptDirs bounds the directories that are kept open.
const keptDirs = 128

func newRooted(root *os.Root) (*rooted, error) {
	files, err := newDescriptors(root)
	if err != nil {
		return nil, err
	}
	return &rooted{root: root, files: files, dirs: map[string]*os.Root{}, plain: map[string]bool{".": true}}, nil
}

func (r *rooted) close() error {
	r.forget()
	r.files.close()
	return r.root.Close()
}

// forget drops what was learned of the directories; they may be others by now.
func (r *rooted) forget() {
	r.files.forget()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range r.dirs {
		d.Close()
	}
	clear(r.dirs)
	r.order, r.plain = nil, map[string]bool{".": true}
}

// dir returns an open directory and the name that p has in it.
func (r *rooted) dir(p string) (*os.Root, string) {
	parent, name := path.Split(p)
	if parent == "" {
		return r.root, name
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if d, err := r.open(parent[:len(parent)-1]); err == nil {
		return d, name
	}
	return r.root, p // which says what is wrong
}

// open opens a directory from its parent, which is opened too; r.mu is held.
func (r *rooted) open(dir string) (*os.Root, error) {
	if d, ok := r.dirs[dir]; ok {
		return d, nil
	}
	parent, name := path.Split(dir)
	from := r.root
	if parent != "" {
		var err error
		if from, err = r.open(parent[:len(parent)-1]); err != nil {
			return nil, err
		}
	}
	d, err := from.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	if len(r.order) >= keptDirs {
		r.dirs[r.order[0]].Close()
		delete(r.dirs, r.order[0])
		r.order = r.order[1:]
	}
	r.dirs[dir], r.order = d, append(r.order, dir)
	return d, nil
}

func (r *rooted) lstat(p string) (fs.FileInfo, error) {
	d, name := r.dir(p)
	info, err := d.Lstat(name)
	if errors.Is(err, os.ErrClosed) { // another file pushed it out
		return r.root.Lstat(p)
	}
	return info, err
}

// throughLink reports whether a component of dir is a symbolic link. It remembers.
func (r *rooted) throughLink(dir string) bool {
	r.mu.Lock()
	plain, known := r.plain[dir]
	r.mu.Unlock()
	if known {
		return !plain
	}
	plain = !r.throughLink(path.Dir(dir))
	if plain {
		info, err := r.lstat(dir)
		plain = err != nil || info.Mode()&fs.ModeSymlink == 0
	}
	r.mu.Lock()
	r.plain[dir] = plain
	r.mu.Unlock()
	return !plain
}

// read returns a regular file's content. What is none now, though it was when it was
// listed, is not read, and does not block: opening a pipe would wait for ever. A file
// of another size than wanted is not read either.
func (r *rooted) read(p string, want int64) ([]byte, error) {
	return r.readInto(p, want, nil, nil)
}

// readInto is read into buf where it fits; where whole says no to the beginning, that
// is all that is read.
func (r *rooted) readInto(p string, want int64, buf []byte, whole func(head []byte, size int64) bool) ([]byte, error) {
	if !utf8.ValidString(p) {
		return nil, errName
	}
	f, mode, size, err := r.files.open(p)
	if err != nil {
		return nil, rootCause(err)
	}
	defer f.Close()
	switch {
	case !mode.IsRegular():
		return nil, errGone
	case size > maxRead:
		return nil, errTooBig
	case want != anySize && want != size:
		return nil, errGone
	}
	return readSized(f, int(size), buf, whole)
}

// headSize is how much of a file is read before the rest of it, in bytes: most files
// are no longer.
const headSize = 32 << 10

// readSized reads a file of that size; one that says 0 may have more (as in /proc).
func readSized(f io.Reader, size int, buf []byte, whole func(head []byte, size int64) bool) ([]byte, error) {
	if size == 0 {
		return readUnsized(f)
	}
	if cap(buf) < size {
		buf = make([]byte, size)
	}
	buf = buf[:size]
	first := size
	if whole != nil {
		first = min(size, headSize)
	}
	n, err := readFull(f, buf[:first])
	if err != nil || n < first || first == size || !whole(buf[:n], int64(size)) {
		return buf[:n], err
	}
	more, err := readFull(f, buf[first:])
	return buf[:first+more], err
}

// readFull is io.ReadFull, but that a file may have become shorter.
func readFull(f io.Reader, buf []byte) (int, error) {
	n, err := io.ReadFull(f, buf)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return 0, rootCause(err)
	}
	return n, nil
}

func readUnsized(f io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(f, maxRead+1))
	switch {
	case err != nil:
		return nil, rootCause(err)
	case len(data) > maxRead:
		return nil, errTooBig
	}
	return data, nil
}

// rootCause drops the operation and the path that an *fs.PathError repeats.
func rootCause(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
