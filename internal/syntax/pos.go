package syntax

import (
	"sort"
	"strings"
	"sync"
	"unicode/utf8"
)

// bom is the byte order mark, which editors do not show: it takes no column.
const bom = "\uFEFF"

// walk is a place that moves forward through a text. Lines end at "\n", as on
// GitHub; an invalid byte is one code point.
type walk struct {
	src   string
	ascii bool // all of src
	at    Pos
}

func newWalk(src string, ascii bool) walk {
	return walk{src: src, ascii: ascii, at: Pos{Line: 1, Col: 1}}
}

// to moves forward to offset, which must not lie behind the walk.
func (w *walk) to(offset int) Pos {
	i, line, col := w.at.Offset, w.at.Line, w.at.Col
	if w.ascii && offset-i > 16 {
		breaks, rest := lastLine(w.src[i:offset])
		if breaks > 0 {
			col = 1
		}
		w.at = Pos{Offset: offset, Line: line + breaks, Col: col + rest}
		return w.at
	}
	for i < offset {
		c := w.src[i]
		switch {
		case c == '\n':
			line, col = line+1, 1
			i++
		case c < utf8.RuneSelf:
			col++
			i++
		default:
			_, n := utf8.DecodeRuneInString(w.src[i:])
			if i > 0 || w.src[:n] != bom {
				col++
			}
			i += n
		}
	}
	w.at = Pos{Offset: i, Line: line, Col: col}
	return Pos{Offset: offset, Line: line, Col: col}
}

// stride is how many bytes lie between two known places, so that looking one up
// costs the same in a file that is a single line.
const stride = 512

// posIndex finds places by offset; it is made when first asked.
type posIndex struct {
	src   string
	ascii bool // that it is, where that is known
	once  sync.Once
	marks []Pos
}

func (x *posIndex) build() {
	x.ascii = x.ascii || isASCII(x.src)
	w := newWalk(x.src, x.ascii)
	x.marks = make([]Pos, 0, len(x.src)/stride+1)
	for w.at.Offset < len(x.src) {
		x.marks = append(x.marks, w.at)
		w.to(min(w.at.Offset+stride, len(x.src)))
	}
}

func (x *posIndex) find(offset int) Pos {
	x.once.Do(x.build)
	w := newWalk(x.src, x.ascii)
	if i := sort.Search(len(x.marks), func(i int) bool { return x.marks[i].Offset > offset }); i > 0 {
		w.at = x.marks[i-1]
	}
	return w.to(offset)
}

// At returns the place of a byte offset into f.Data; one outside of it is taken to
// the nearest end.
func (f *File) At(offset int) Pos {
	if f.index == nil {
		w := newWalk(string(f.Data), false)
		return w.to(max(0, min(offset, len(f.Data))))
	}
	return f.index.find(max(0, min(offset, len(f.index.src))))
}

// Sub returns the span of bytes [start, end) of the leaf's decoded value: exact
// where the source holds those bytes as they are, else the leaf's whole span.
func (f *File) Sub(l Leaf, start, end int) Span {
	token := string(l.Span.Cut(f.Data))
	if start < 0 || end < start || end > len(l.Value) || !l.Anchor.IsZero() {
		return l.Span
	}
	from, okFrom := origin(token, l, start)
	to, okTo := origin(token, l, end)
	if !okFrom || !okTo || to < from {
		return l.Span
	}
	base := l.Span.Start.Offset
	return Span{File: l.Span.File, Start: f.At(base + from), End: f.At(base + to)}
}

// origin returns where in the token the byte at offset i of the value comes from.
func origin(token string, l Leaf, i int) (int, bool) {
	for quote := 0; quote <= 3; quote++ { // three: the long strings of TOML
		if len(token) == len(l.Value)+2*quote && token[quote:quote+len(l.Value)] == l.Value {
			return quote + i, true
		}
	}
	from := strings.LastIndexByte(l.Value[:i], '\n') + 1
	to := len(l.Value)
	if n := strings.IndexByte(l.Value[i:], '\n'); n >= 0 {
		to = i + n
	}
	line := l.Value[from:to]
	if l.Style != Literal {
		at := strings.Index(token, line)
		return at + i - from, at >= 0 && line != "" && !strings.Contains(token[at+1:], line)
	}
	// Line n of a literal block is line n+1 of its token, indentation cut.
	at := 0
	for range strings.Count(l.Value[:from], "\n") + 1 {
		n := strings.IndexByte(token[at:], '\n')
		if n < 0 {
			return 0, false
		}
		at += n + 1
	}
	text, _, _ := strings.Cut(token[at:], "\n")
	text = strings.TrimSuffix(text, "\r")
	return at + len(text) - len(line) + i - from, strings.HasSuffix(text, line)
}
