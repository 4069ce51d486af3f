package leak

import (
	"bytes"
	"strings"
)

// readValue reads the value that begins at i.
func (s *scan) readValue(a *assignment, i int) bool {
	c := s.peek(i)
	if c != 0 && strings.IndexByte("bBuUrRN@L", c) >= 0 && (s.peek(i+1) == '"' || s.peek(i+1) == '\'') {
		i++
		c = s.peek(i)
	}
	if c == '\\' && (s.peek(i+1) == '"' || s.peek(i+1) == '\'') {
		return s.readEscaped(a, i+2)
	}
	if c == '"' || c == '\'' || c == '`' {
		return s.readQuoted(a, i+1, c)
	}
	if s.kind == kindCode || s.kind == kindDocs {
		return false
	}
	scheme := schemeOf(string(s.data[i:min(len(s.data), i+10)]))
	return s.readBare(a, s.skipBlanks(i+scheme))
}

// readQuoted reads up to the closing quote on the same line.
func (s *scan) readQuoted(a *assignment, i int, quote byte) bool {
	for k := i; k < len(s.data) && k-i < maxValue; k++ {
		switch c := s.data[k]; {
		case c == '\\' && k+1 < len(s.data):
			k++
		case c == quote:
			a.valueStart, a.valueEnd, a.quoted = i, k, true
			return k > i
		case c == '\n':
			return false
		}
	}
	return false
}

// readEscaped reads a string within a string: \"value\".
func (s *scan) readEscaped(a *assignment, i int) bool {
	rest := s.data[i:min(len(s.data), i+maxValue)]
	end := bytes.IndexAny(rest, "\\\n\"")
	a.valueStart, a.valueEnd, a.quoted = i, i+end, true
	return end > 0 && rest[end] == '\\'
}

// readBare reads a value without quotes: the rest of the line less a comment,
// or up to what ends it in a shell, a flow map, a connection string, a query.
func (s *scan) readBare(a *assignment, i int) bool {
	rest := s.data[i:min(len(s.data), i+maxValue)]
	if end := bytes.IndexAny(rest, "\r\n"); end >= 0 {
		rest = rest[:end]
	}
	tight, around := s.peek(i-1) == '=', s.openQuote(a.nameStart)
	end := len(rest)
	for k, c := range rest {
		if around != 0 && c == around || s.endsBare(rest, k, c, tight) {
			end = k
			break
		}
	}
	rest = bytes.TrimRight(rest[:end], " \t")
	rest = trimClosers(rest)
	a.valueStart, a.valueEnd = i, i+len(rest)
	return len(rest) > 0
}

// openQuote returns the quote that is open before at on its line, or 0: the
// assignment stands within a string.
func (s *scan) openQuote(at int) byte {
	from, _ := s.line(at, 200)
	open := byte(0)
	for _, c := range s.data[from:at] {
		switch {
		case open == 0 && (c == '"' || c == '\'' || c == '`'):
			open = c
		case c == open:
			open = 0
		}
	}
	return open
}

// endsBare reports whether a bare value ends before the byte c at k.
func (s *scan) endsBare(rest []byte, k int, c byte, tight bool) bool {
	switch c {
	case ' ', '\t':
		next := bytes.TrimLeft(rest[k:], " \t")
		return tight || s.kind == kindShell || len(next) > 0 && (next[0] == '#' || bytes.HasPrefix(next, []byte("//")) || next[0] == ';' || next[0] == '\\' || bytes.HasPrefix(next, []byte("--")))
	case '"', '\'', '<', '>', '`':
		return s.kind != kindConfig || k > 0 && !tight && (c == '"' || c == '\'' || c == '`') || c == '<' && k > 0 && bytes.HasPrefix(rest[k:], []byte("</"))
	case ';':
		return k+1 == len(rest) || s.kind == kindShell || isNextPair(rest[k+1:])
	case '&':
		return k+1 < len(rest) && (s.kind == kindShell || isNextPair(rest[k+1:]))
	case ',':
		return k+1 == len(rest) || isNextPair(rest[k+1:])
	case '|', ')':
		return s.kind == kindShell
	}
	return false
}

// isNextPair reports whether another name=value or name: value follows.
func isNextPair(rest []byte) bool {
	rest = bytes.TrimLeft(rest, " \t")
	for i, c := range rest {
		switch {
		case isNameByte(c) || c == ' ' && i > 0 || c == '"' || c == '\'':
		case c == '=' || c == ':':
			return i > 0
		default:
			return i == 0 && (c == '}' || c == ']')
		}
		if i > 40 {
			return false
		}
	}
	return false
}

// trimClosers takes off closing brackets that the value does not open, and
// commas and semicolons.
func trimClosers(v []byte) []byte {
	for len(v) > 0 {
		switch v[len(v)-1] {
		case ',', ';':
		case ')':
			if bytes.IndexByte(v, '(') >= 0 {
				return v
			}
		case ']':
			if bytes.IndexByte(v, '[') >= 0 {
				return v
			}
		case '}':
			if bytes.IndexByte(v, '{') >= 0 {
				return v
			}
		default:
			return v
		}
		v = v[:len(v)-1]
	}
	return v
}
