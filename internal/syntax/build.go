package syntax

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The limits of a file. Beyond them it is not read, and Broken says so.
const (
	MaxSize   = 16 << 20  // bytes
	MaxDepth  = 200       // nested collections
	MaxLeaves = 1_000_000 // leaves
	// MaxExpanded is how many leaves the aliases of one file may add.
	MaxExpanded = 10_000
	maxDocs     = 100_000
	// maxSteps bounds the sum of all paths' lengths, and with it the memory.
	maxSteps = 8_000_000
)

var (
	errSize   = fmt.Errorf("the file is larger than the %d MB that are read", MaxSize>>20)
	errDepth  = fmt.Errorf("nested deeper than %d levels", MaxDepth)
	errLeaves = fmt.Errorf("more than %d values or comments", MaxLeaves)
	errDocs   = fmt.Errorf("more than %d documents", maxDocs)
	errAlias  = fmt.Errorf("aliases expand too far: more than %d values", MaxExpanded)
	errUTF16  = errors.New("the file is UTF-16: save it as UTF-8")
)

// build gathers the leaves of a file as a reader comes by them.
type build struct {
	memory *Memory // nil for a file that may be kept
	file   *File
	src    string
	walk   walk
	notes  walk // as walk, for the comments
	path   Path // where the reader is
	arena  []Step
	steps  int
	err    error // the limit that was passed

	open Doc // the document being read
}

func newBuild(m *Memory, name string, f Format, data []byte) *build {
	src := string(data)
	ascii := isASCII(src)
	b := &build{
		memory: m,
		file:   &File{Name: name, Format: f, Data: data, index: &posIndex{src: src, ascii: ascii}},
		src:    src,
		walk:   newWalk(src, ascii),
		notes:  newWalk(src, ascii),
	}
	if m != nil {
		b.file.Leaves, b.arena = m.leaves, m.arena
	}
	return b
}

// span returns [start, end) as a span; calls should go forward through the text,
// which is what they are fast for.
func (b *build) span(start, end int) Span {
	return Span{File: b.file.Name, Start: b.place(start), End: b.place(end)}
}

func (b *build) place(offset int) Pos {
	if offset < b.walk.at.Offset {
		return b.file.index.find(offset)
	}
	return b.walk.to(offset)
}

// stretch is a part of the source in bytes; start below 0 is none.
type stretch struct{ start, end int }

var nowhere = stretch{-1, -1}

// leaf adds a leaf at the path that the reader is at.
func (b *build) leaf(value string, kind Kind, style Style, key, at stretch) *Leaf {
	if len(b.file.Leaves) >= MaxLeaves {
		b.fail(errLeaves)
		return &Leaf{}
	}
	n := len(b.file.Leaves)
	if n == cap(b.file.Leaves) {
		b.grow()
	}
	b.file.Leaves = b.file.Leaves[:n+1]
	l := &b.file.Leaves[n]
	l.Doc, l.Path, l.Value, l.Kind, l.Style = len(b.file.Docs), b.keep(b.path), value, kind, style
	if key.start >= 0 {
		l.Key = b.span(key.start, key.end)
	}
	l.Span = b.span(at.start, at.end)
	return l
}

// grow makes room for as many leaves as the source will likely have: in JSON commas
// part them, else most stand on a line of their own.
func (b *build) grow() {
	n := len(b.file.Leaves)
	if n == 0 {
		mark := "\n"
		if b.file.Format == JSON {
			mark = ","
		}
		n = strings.Count(b.src, mark)
		b.file.Leaves = make([]Leaf, 0, min(n+n/8+4, 1<<18))
		return
	}
	b.file.Leaves = slices.Grow(b.file.Leaves, n/2+8)
}

// drop takes back the leaves from the n-th on.
func (b *build) drop(n int) {
	clear(b.file.Leaves[n:]) // leaf counts on it
	b.file.Leaves = b.file.Leaves[:n]
}

// keep copies a path into memory that many paths share.
func (b *build) keep(p Path) Path {
	if b.steps += len(p); b.steps > maxSteps {
		b.fail(errLeaves)
		return nil
	}
	if len(b.arena)+len(p) > cap(b.arena) {
		room := min(1024, 16+len(b.src)/8)
		if b.memory != nil {
			room = min(keptSteps, max(1024, 2*cap(b.arena)))
		}
		b.arena = make([]Step, 0, max(len(p), room))
	}
	from := len(b.arena)
	b.arena = append(b.arena, p...)
	return Path(b.arena[from:len(b.arena):len(b.arena)])
}

func (b *build) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

func (b *build) push(s Step) { b.path = append(b.path, s) }

func (b *build) pop() { b.path = b.path[:len(b.path)-1] }

// begin opens a document, end closes it at offset and keeps it.
func (b *build) begin(offset int) {
	b.open = Doc{Index: len(b.file.Docs), Span: Span{File: b.file.Name, Start: b.place(offset)}}
}

func (b *build) end(offset int, err error) {
	d := b.open
	d.Span.End = b.place(offset)
	d.Broken = err
	if err != nil && (b.file.Broken == nil || Refused(err) && !Refused(b.file.Broken)) {
		b.file.Broken = err
	}
	b.file.Docs = append(b.file.Docs, d)
}

// done gives the documents their windows, and the leaves their comments.
func (b *build) done() *File {
	f := b.file
	if f.Broken == nil {
		f.Broken = b.err
	}
	if n := len(f.Leaves); b.memory != nil {
		b.memory.keep(b)
	} else if cap(f.Leaves) > 2*n+8 {
		f.Leaves = slices.Clone(f.Leaves)
	}
	from := 0
	for i := range f.Docs {
		to := from
		for to < len(f.Leaves) && f.Leaves[to].Doc == i {
			to++
		}
		f.Docs[i].Leaves = f.Leaves[from:to:to]
		f.Docs[i].runs = findRuns(f.Docs[i].Leaves)
		from = to
	}
	if f.Broken != nil {
		f.Format = Text
	}
	attach(f)
	return f
}
