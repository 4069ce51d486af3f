package review

import (
	"io/fs"
	"reflect"

	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/syntax"
	"github.com/sealward/sealward/internal/wiring"
)

// scratch is the memory of one worker, into which it reads file after file. What the
// tree must keep of a file is copied out of it.
type scratch struct {
	buf    []byte
	memory syntax.Memory
	rules  map[reflect.Type]any // see Memory
}

// Memory returns memory of a rule's own that is used for one file after the other. It
// is the caller's until it returns, and as it was left for the file before.
func Memory[T any](f *File) *T {
	s := f.from.scratch
	if s == nil {
		return new(T)
	}
	key := reflect.TypeFor[T]()
	if kept, ok := s.rules[key].(*T); ok {
		return kept
	}
	if s.rules == nil {
		s.rules = map[reflect.Type]any{}
	}
	made := new(T)
	s.rules[key] = made
	return made
}

// keptBuffer is how large a buffer is kept from one file to the next, in bytes.
const keptBuffer = 1 << 20

// glance returns a file of the same content as f, for one worker to look at while the
// memory of s is f's. A tree of many files is reviewed through glances: none of them
// leaves anything behind for the garbage collector.
func (s *scratch) glance(f *File) *File {
	return &File{Path: f.Path, Size: f.Size, from: &origin{fsys: f.from.fsys, log: f.from.log, scratch: s}}
}

// read reads into s what f's content is, or its beginning where that is binary.
func (s *scratch) read(f *File) ([]byte, error) {
	fsys, ok := f.from.fsys.(repo.IntoReader)
	if !ok {
		return fs.ReadFile(f.from.fsys, f.Path)
	}
	data, err := fsys.ReadInto(f.Path, s.buf, func(head []byte, size int64) bool {
		f.Size = size
		return size <= maxFile && mayBeText(head)
	})
	if cap(data) > cap(s.buf) && cap(data) <= keptBuffer {
		s.buf = data[:0]
	}
	if err != nil && f.Size < 0 {
		_ = f.measure() // the reason may be that it is too large
	}
	return data, err
}

// mayBeText reports whether a file that begins with head has to be read to its end.
func mayBeText(head []byte) bool { return hasUTF16Mark(head) || !isBinary(head) }

// smallTree is how many bytes the files of a small tree have at most.
const smallTree = 4 << 20

// unknownSize is what a file counts for whose size is not known.
const unknownSize = 16 << 10

// small reports whether the tree's files may be kept once read; those of a larger one
// are glanced at.
func (t *Tree) small() bool { return t.size <= smallTree }

// survey looks at every file that which picks and nobody has read yet, and notes what
// rules ask of all files of a tree.
func (t *Tree) survey(which func(*File) bool) {
	scratches := make([]scratch, workers(len(t.files)))
	parallel(len(t.files), func(worker, i int) {
		f := t.files[i]
		if !which(f) || !f.found(unread) {
			return
		}
		defer t.log.survive(f.Path)
		if t.small() {
			f.adopt(f)
		} else {
			f.adopt(scratches[worker].glance(f))
		}
	})
}

// adopt takes over what a glance at f tells: its kind, its facts and signs, and its
// content where SOPS sealed it, which many rules ask for. Where f glances at itself it
// keeps all of it.
func (f *File) adopt(glance *File) {
	glance.Sops()
	signs, facts := glance.look(), glance.keepFacts()
	if f == glance {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.facts = func() *wiring.Facts { return facts }
	if f.state != unread {
		return // a rule has read it meanwhile
	}
	f.state, f.signs = glance.state, signs
	if f.state != text {
		return
	}
	f.mention, f.sopsSet = glance.mention, glance.sopsSet
	if glance.sops == nil {
		f.state = evicted
		return
	}
	f.content = content{data: glance.data, syntax: glance.syntax, sops: glance.sops}
	f.from.cache.add(f, len(f.data)+leafCost*len(f.syntax.Leaves))
}
