package syntax

import "strings"

// blockText is a block scalar (| or >) while it is scanned.
type blockText struct {
	*yamlScanner
	literal bool
	chomp   byte   // '+' keep, '-' strip, 0 clip
	indent  int    // of the content, in columns; 0 until known
	breaks  []byte // line breaks since the last line of content
	buf     []byte
}

func (s *yamlScanner) block() {
	start := s.pos
	b := blockText{yamlScanner: s, literal: s.text[s.pos] == '|'}
	s.pos++
	if !b.header() {
		return
	}
	end := s.pos
	for end > start+1 && isBlank(s.text, end-1) {
		end--
	}
	if isBlank(s.text, s.pos) || s.pos < len(s.text) && s.text[s.pos] == '#' {
		s.blockComment()
	}
	if n := breakAt(s.text, s.pos); n > 0 {
		s.newline(n)
	} else if s.pos < len(s.text) {
		s.wrong(s.pos, "did not find a comment or line break behind a block scalar's indicator")
		return
	}
	if last := b.content(); last > 0 {
		end = last
	}
	if s.bad != nil {
		return
	}
	if b.chomp == '+' && len(b.breaks) > 0 {
		end = s.lineStart
		b.buf = append(b.buf, b.breaks...)
	}
	style := Folded
	if b.literal {
		style = Literal
	}
	s.scalar(style, start, end, string(b.buf))
}

// header reads the indicators of chomping and indentation, in either order.
func (b *blockText) header() bool {
	for range 2 {
		if b.pos >= len(b.text) {
			return true
		}
		switch c := b.text[b.pos]; {
		case (c == '+' || c == '-') && b.chomp == 0:
			b.chomp = c
		case c == '0' && b.indent == 0:
			b.wrong(b.pos, "found an indentation indicator of 0")
			return false
		case c >= '1' && c <= '9' && b.indent == 0:
			b.indent = max(b.yamlScanner.indent, 0) + int(c-'0')
		default:
			return true
		}
		b.pos++
	}
	return true
}

// blockComment takes the rest of the header's line.
func (s *yamlScanner) blockComment() {
	for isBlank(s.text, s.pos) {
		s.pos++
	}
	if s.pos < len(s.text) && s.text[s.pos] == '#' {
		start := s.pos
		s.pos = lineEnd(s.text, s.pos)
		s.note(stretch{start, s.pos})
	}
}

// content reads the lines, and returns the end of the last one, 0 if there is none.
func (b *blockText) content() (end int) {
	if !b.blankLines() {
		return 0
	}
	lead := ""        // the break behind the last line of content
	indented := false // the last line began with white space
	for b.pos-b.lineStart == b.indent && b.pos < len(b.text) {
		blank := isBlank(b.text, b.pos)
		if !b.literal && lead == "\n" && !indented && !blank {
			if len(b.breaks) == 0 {
				b.buf = append(b.buf, ' ')
			}
		} else {
			b.buf = append(b.buf, lead...)
		}
		b.buf = append(b.buf, b.breaks...)
		b.breaks = b.breaks[:0]
		indented = blank
		start := b.pos
		b.pos = lineEnd(b.text, b.pos)
		b.buf = append(b.buf, b.text[start:b.pos]...)
		lead = ""
		if n := breakAt(b.text, b.pos); n > 0 {
			lead = normalBreak(b.text[b.pos : b.pos+n])
			b.newline(n)
		}
		end = b.pos
		if !b.blankLines() {
			return 0
		}
	}
	if b.chomp != '-' {
		b.buf = append(b.buf, lead...)
	}
	return end
}

// normalBreak is a line break as a scalar's value holds it.
func normalBreak(text string) string {
	if len(text) < 3 {
		return "\n"
	}
	return text
}

// blankLines takes indentation and empty lines up to the next content, and tells
// the indentation where no indicator did.
func (b *blockText) blankLines() bool {
	deepest := 0
	for {
		for (b.indent == 0 || b.pos-b.lineStart < b.indent) && strings.HasPrefix(b.text[b.pos:], " ") {
			b.pos++
		}
		column := b.pos - b.lineStart
		deepest = max(deepest, column)
		if (b.indent == 0 || column < b.indent) && strings.HasPrefix(b.text[b.pos:], "\t") {
			b.wrong(b.pos, "found a tab character where a block scalar is indented")
			return false
		}
		n := breakAt(b.text, b.pos)
		if n == 0 {
			break
		}
		b.breaks = append(b.breaks, normalBreak(b.text[b.pos:b.pos+n])...)
		b.newline(n)
	}
	if b.indent == 0 {
		b.indent = max(deepest, b.yamlScanner.indent+1, 1)
	}
	return true
}

func isAnchorByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '-'
}

// anchor scans &name or *name.
func (s *yamlScanner) anchor(kind tokenKind) {
	s.saveKey()
	s.keyOK = false
	start := s.pos
	s.pos++
	for s.pos < len(s.text) && isAnchorByte(s.text[s.pos]) {
		s.pos++
	}
	name := s.text[start+1 : s.pos]
	if name == "" || !blankOrEnd(s.text, s.pos) && strings.IndexByte("?:,]}%@`", s.text[s.pos]) < 0 {
		s.wrong(start, "found an anchor or alias that is not made of letters, digits, - and _")
		return
	}
	t := s.emit(kind, start, s.pos)
	t.value = name
	s.markKey(t, len(s.keys)-1)
}

// tag scans !tag, !!tag and !<tag>.
func (s *yamlScanner) tag() {
	s.saveKey()
	s.keyOK = false
	start := s.pos
	for s.pos < len(s.text) && !blankOrEnd(s.text, s.pos) {
		s.pos++
	}
	t := s.emit(tokenTag, start, s.pos)
	t.value = s.text[start:s.pos]
	s.markKey(t, len(s.keys)-1)
}
