package syntax

import (
	"bytes"
	"slices"
	"strings"
)

// comment keeps a comment whose mark is n bytes long; comments come in the order of
// the source.
func (b *build) comment(at stretch, n int) {
	if len(b.file.Comments) >= MaxLeaves {
		b.fail(errLeaves)
		return
	}
	if at.start < b.notes.at.Offset {
		b.notes.at = b.file.index.find(at.start)
	}
	span := Span{File: b.file.Name, Start: b.notes.to(at.start), End: b.notes.to(at.end)}
	b.file.Comments = append(b.file.Comments, Comment{Span: span, Text: b.src[at.start+n : at.end]})
}

// attach gives each leaf the comments that belong to it. Leaves on one line share
// the comments above that line.
func attach(f *File) {
	if len(f.Comments) == 0 {
		return
	}
	a := attacher{file: f, lines: make(map[int]int, len(f.Comments)), headLine: -1, behind: -2}
	for i, c := range f.Comments {
		a.lines[c.Span.Start.Line] = i
	}
	for i := range f.Leaves {
		if l := &f.Leaves[i]; l.Anchor.IsZero() {
			l.Comment = a.of(l)
		}
	}
}

type attacher struct {
	file  *File
	lines map[int]int // line -> comment

	headLine, behind int // of the leaf before
	head, text       string
}

func (a *attacher) of(l *Leaf) string {
	at, last, behind := l.Key.Start, l.Span.End.Line, -1
	if l.Key.IsZero() {
		at = l.Span.Start
	}
	if l.Style == Literal || l.Style == Folded {
		last = l.Span.Start.Line
	}
	if i, ok := a.lines[last]; ok && a.file.Comments[i].Span.Start.Offset >= l.Span.Start.Offset {
		behind = i
	}
	if at.Line == a.headLine && behind == a.behind {
		return a.text
	}
	if at.Line != a.headLine {
		a.headLine, a.head = at.Line, a.above(at)
	}
	a.behind, a.text = behind, a.head
	if behind >= 0 {
		a.text = strings.TrimPrefix(a.head+"\n"+a.file.Comments[behind].Text, "\n")
	}
	return a.text
}

// above joins the comment lines right above a place's line.
func (a *attacher) above(at Pos) string {
	start := bytes.LastIndexByte(a.file.Data[:at.Offset], '\n') + 1
	indent := skipBlanks(string(a.file.Data[start:at.Offset]), 0, at.Offset-start) + 1
	var parts []string
	for line := at.Line - 1; ; line-- {
		i, ok := a.lines[line]
		if !ok || a.file.Comments[i].Span.Start.Col > indent || !ownLine(a.file, a.file.Comments[i]) {
			break
		}
		parts = append(parts, a.file.Comments[i].Text)
	}
	slices.Reverse(parts)
	return strings.Join(parts, "\n")
}

// ownLine reports whether nothing but white space stands before the comment.
func ownLine(f *File, c Comment) bool {
	for i := c.Span.Start.Offset - 1; i >= 0 && f.Data[i] != '\n'; i-- {
		if f.Data[i] != ' ' && f.Data[i] != '\t' && f.Data[i] != '\r' && f.Data[i] < 0x80 {
			return false
		}
	}
	return true
}
