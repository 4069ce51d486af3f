package review

import (
	"io/fs"

	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/syntax"
	"github.com/sealward/sealward/internal/wiring"
)

// scratch is the memory of one worker, into which it reads file after file. What the
// tree must keep of a file is copied out of it.
type scratch struct {
	buf    []byte
	memory syntax.Memory
}

// keptBuffer is how large a buffer is kept from one file to the next, in bytes.
const keptBuffer = 1 << 20

// glance returns a file of the same content as f, for one worker to look at while the
// memory of s is f's. A tree of many files is reviewed through glances: none of them
// leaves anything behind for the garbage collector.
func (s *scratch) glance(f *File) *File {
	return &File{Path: f.Path, Size: f.Size, fsys: f.fsys, log: f.log, scratch: s}
}

// read reads into s what f's content is, or its beginning where that is binary.
func (s *scratch) read(f *File) ([]byte, error) {
	fsys, ok := f.fsys.(repo.IntoReader)
	if !ok {
		return fs.ReadFile(f.fsys, f.Path)
	}
	data, err := fsys.ReadInto(f.Path, s.buf, mayBeText)
	if cap(data) > cap(s.buf) && cap(data) <= keptBuffer {
		s.buf = data[:0]
	}
	return data, err
}

// mayBeText reports whether a file that begins with head has to be read to its end.
func mayBeText(head []byte) bool { return hasUTF16Mark(head) || !isBinary(head) }

// adopt takes over what glance learned of f: its kind and its facts, and its content
// where SOPS sealed it, which many rules ask for.
func (f *File) adopt(glance *File, facts *wiring.Facts) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.facts = func() *wiring.Facts { return facts }
	if f.state != unread {
		return // a rule has read it meanwhile
	}
	f.state = glance.state
	if f.state != text {
		return
	}
	f.sopsSet = glance.sopsSet
	if glance.sops == nil {
		f.state = evicted
		return
	}
	f.data, f.syntax, f.sops = glance.data, glance.syntax, glance.sops
	f.cache.add(f, len(f.data)+leafCost*len(f.syntax.Leaves))
}
