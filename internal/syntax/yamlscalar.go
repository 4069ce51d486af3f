package syntax

import (
	"strings"
	"unicode/utf8"
)

// breakAt returns the length of the line break at i, as YAML 1.1 knows them, or 0.
func breakAt(src string, i int) int {
	if i >= len(src) {
		return 0
	}
	switch src[i] {
	case '\n':
		return 1
	case '\r':
		if i+1 < len(src) && src[i+1] == '\n' {
			return 2
		}
		return 1
	case 0xC2: // next line
		if strings.HasPrefix(src[i:], "\u0085") {
			return 2
		}
	case 0xE2: // line and paragraph separator
		if strings.HasPrefix(src[i:], "\u2028") || strings.HasPrefix(src[i:], "\u2029") {
			return 3
		}
	}
	return 0
}

// lineEnd returns where the line that holds i ends, its break left out.
func lineEnd(src string, i int) int {
	for i < len(src) { // most lines are short: a loop beats a search
		if c := src[i]; (c == '\n' || c == '\r' || c >= 0xC2) && breakAt(src, i) > 0 {
			return i
		}
		i++
	}
	return i
}

func blankOrEnd(src string, i int) bool {
	return i >= len(src) || src[i] == ' ' || src[i] == '\t' || breakAt(src, i) > 0
}

func isBlank(src string, i int) bool { return i < len(src) && (src[i] == ' ' || src[i] == '\t') }

// fold is what line breaks between two lines of a flow scalar become: one a space,
// more of them all but the first. Unicode's separators stay.
type fold struct {
	first string
	rest  []byte
}

func (f *fold) add(src string, i, n int) {
	text := src[i : i+n]
	if n < 3 {
		text = "\n"
	}
	if f.first == "" {
		f.first = text
		return
	}
	f.rest = append(f.rest, text...)
}

func (f *fold) flush(buf []byte) []byte {
	switch {
	case f.first == "\n" && len(f.rest) == 0:
		buf = append(buf, ' ')
	case f.first == "\n":
		buf = append(buf, f.rest...)
	default:
		buf = append(append(buf, f.first...), f.rest...)
	}
	f.first, f.rest = "", f.rest[:0]
	return buf
}

func (s *yamlScanner) scalar(style Style, start, end int, value string) {
	t := s.emit(tokenScalar, start, end)
	t.style, t.value = style, value
	s.markKey(t, len(s.keys)-1)
}

// plain scans an unquoted scalar, over several lines where they are indented deeper.
func (s *yamlScanner) plain() {
	s.saveKey()
	s.keyOK = false
	start, end := s.pos, s.pos
	var buf []byte
	var f fold
	for {
		if s.pos == s.lineStart && s.marker(s.pos) || s.pos < len(s.text) && s.text[s.pos] == '#' {
			break
		}
		if word := s.pos; s.word() {
			switch {
			case f.first != "":
				if buf == nil {
					buf = append(buf, s.text[start:end]...)
				}
				buf = append(f.flush(buf), s.text[word:s.pos]...)
			case buf != nil:
				buf = append(buf, s.text[end:s.pos]...)
			}
			end = s.pos
		}
		if !isBlank(s.text, s.pos) && breakAt(s.text, s.pos) == 0 {
			break
		}
		if !s.between(&f) || s.flow == 0 && s.pos-s.lineStart <= s.indent {
			break
		}
	}
	value := s.text[start:end]
	if buf != nil {
		value = string(buf)
	}
	s.scalar(Plain, start, end, value)
	if f.first != "" {
		s.keyOK = true
	}
}

// classes of bytes that may end a word of a plain scalar.
const (
	endsWord   = 1 + iota // white space
	mayEndWord            // a colon, or the first byte of a line break beyond ASCII
	endsInFlow
)

var wordBytes = [256]uint8{
	' ': endsWord, '\t': endsWord, '\n': endsWord, '\r': endsWord,
	':': mayEndWord, 0xC2: mayEndWord, 0xE2: mayEndWord,
	',': endsInFlow, '?': endsInFlow, '[': endsInFlow, ']': endsInFlow, '{': endsInFlow, '}': endsInFlow,
}

// word takes the characters of a plain scalar up to the next blank, break or end.
func (s *yamlScanner) word() bool {
	i := s.pos
	for i < len(s.text) {
		if s.flow == 0 {
			if i += plainRun(s.text, i); i == len(s.text) {
				break
			}
		}
		if class := wordBytes[s.text[i]]; class == endsWord || class == endsInFlow && s.flow > 0 ||
			class == mayEndWord && (s.text[i] == ':' && blankOrEnd(s.text, i+1) || breakAt(s.text, i) > 0) {
			break
		}
		i++
	}
	found := i > s.pos
	s.pos = i
	return found
}

// between takes the blanks and breaks between the words of a plain scalar.
func (s *yamlScanner) between(f *fold) bool {
	for {
		if isBlank(s.text, s.pos) {
			if f.first != "" && s.text[s.pos] == '\t' && s.pos-s.lineStart <= s.indent {
				s.wrong(s.pos, "found a tab character that violates indentation")
				return false
			}
			s.pos++
			continue
		}
		n := breakAt(s.text, s.pos)
		if n == 0 {
			return true
		}
		f.add(s.text, s.pos, n)
		s.newline(n)
	}
}

// quoted scans a scalar in single or double quotes.
func (s *yamlScanner) quoted(quote byte) {
	s.saveKey()
	s.keyOK = false
	start := s.pos
	s.pos++
	q := quotedText{yamlScanner: s, quote: quote, from: s.pos}
	if !q.scan() {
		return
	}
	end := s.pos
	s.pos++
	value := s.text[q.from:end]
	if q.buf != nil {
		value = string(append(q.buf, value...))
	}
	style := SingleQuoted
	if quote == '"' {
		style = DoubleQuoted
	}
	s.scalar(style, start, s.pos, value)
}

// quotedText is the inside of a quoted scalar: what is decoded, and from where on
// the source stands for itself.
type quotedText struct {
	*yamlScanner
	quote byte
	buf   []byte
	from  int
}

// take decodes nothing up to upTo, and goes on behind it at next.
func (q *quotedText) take(upTo, next int) {
	if q.buf == nil {
		q.buf = make([]byte, 0, upTo-q.from+32)
	}
	q.buf = append(q.buf, q.text[q.from:upTo]...)
	q.from, q.pos = next, next
}

// scan goes to the closing quote.
func (q *quotedText) scan() bool {
	open := q.pos - 1
	for q.pos < len(q.text) {
		switch c := q.text[q.pos]; {
		case c == q.quote && c == '\'' && q.pos+1 < len(q.text) && q.text[q.pos+1] == '\'':
			q.take(q.pos+1, q.pos+2)
		case c == q.quote:
			return true
		case c == '\\' && q.quote == '"':
			if !q.escape() {
				return false
			}
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c >= 0xC2 && breakAt(q.text, q.pos) > 0:
			if !q.blanks(false) {
				return false
			}
		default:
			q.pos++
		}
	}
	q.wrong(open, "found the end of the file within a quoted scalar")
	return false
}

// blanks takes white space, and folds it where it holds a line break; the one that
// an escape has joined away is behind already where joined is set.
func (q *quotedText) blanks(joined bool) bool {
	start := q.pos
	var f fold
	broken := joined
	for {
		if isBlank(q.text, q.pos) {
			q.pos++
			continue
		}
		n := breakAt(q.text, q.pos)
		if n == 0 {
			break
		}
		if joined { // the escaped break took the place of the first
			f.rest = f.rest[:len(f.rest):len(f.rest)]
			text := q.text[q.pos : q.pos+n]
			if n < 3 {
				text = "\n"
			}
			f.rest = append(f.rest, text...)
		} else {
			f.add(q.text, q.pos, n)
		}
		broken = true
		q.newline(n)
		if q.marker(q.pos) {
			q.wrong(q.pos, "found a document marker within a quoted scalar")
			return false
		}
	}
	switch {
	case !broken:
	case joined:
		q.buf = append(q.buf, f.rest...)
		q.from = q.pos
	default:
		end := q.pos
		q.take(start, end)
		q.buf = f.flush(q.buf)
	}
	return true
}

// escapes are the one-letter escapes of double quotes.
var escapes = [256]string{
	'0': "\x00", 'a': "\a", 'b': "\b", 't': "\t", '\t': "\t", 'n': "\n", 'v': "\v", 'f': "\f", 'r': "\r",
	'e': "\x1b", ' ': " ", '"': `"`, '\'': "'", '\\': `\`, '/': "/", 'N': "\u0085", '_': "\u00a0", 'L': "\u2028", 'P': "\u2029",
}

func (q *quotedText) escape() bool {
	at := q.pos
	if n := breakAt(q.text, at+1); n > 0 {
		q.take(at, at+1)
		q.newline(n)
		q.from = q.pos
		if q.marker(q.pos) {
			q.wrong(q.pos, "found a document marker within a quoted scalar")
			return false
		}
		return q.blanks(true)
	}
	if at+1 >= len(q.text) {
		q.pos = len(q.text)
		return true
	}
	c := q.text[at+1]
	if text := escapes[c]; text != "" {
		q.take(at, at+2)
		q.buf = append(q.buf, text...)
		return true
	}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]
	r, ok := hexRune(q.text, at+2, digits)
	if digits == 0 || !ok {
		q.wrong(at, "found an unknown escape in a double-quoted scalar")
		return false
	}
	q.take(at, at+2+digits)
	q.buf = utf8.AppendRune(q.buf, r)
	return true
}

// hexRune reads n hexadecimal digits as one code point.
func hexRune(src string, at, n int) (rune, bool) {
	if n == 0 || at+n > len(src) {
		return 0, false
	}
	var r uint32
	for _, c := range []byte(src[at : at+n]) {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | uint32(c)
	}
	return rune(r), r <= utf8.MaxRune && (r < 0xD800 || r > 0xDFFF)
}
