package leak

import (
	"bytes"
	"strings"
)

// Bounds of what is read around a name, in bytes.
const (
	maxName  = 64   // to either side of the keyword
	maxGap   = 60   // between name and value
	maxValue = 2048 // of a value
)

// assignment is a name and a value as they stand in the text.
type assignment struct {
	nameStart, nameEnd   int
	valueStart, valueEnd int
	quoted               bool
	loose                bool // nothing but white space between them
	comment              bool // commented out
}

// readName reads the identifier around a keyword at [start, end) and, if a
// value is assigned to it, has the two judged. Each identifier is read once.
func (s *scan) readName(start, end int) {
	if start < s.seen {
		return
	}
	from, to := start, end
	for from > 0 && start-from < maxName && isNameByte(s.data[from-1]) {
		from--
	}
	for to < len(s.data) && to-end < maxName && isNameByte(s.data[to]) {
		to++
	}
	s.seen = to
	s.work.names += to - from
	for to > end && !isWordByte(s.data[to-1]) {
		to--
	}
	for from < start && !isWordByte(s.data[from]) {
		from++
	}
	a := assignment{nameStart: from, nameEnd: to}
	if s.findValue(&a) || s.findPair(&a) {
		s.work.names += a.valueEnd - a.nameEnd
		s.weighAssignment(a)
	}
}

// isNameByte reports whether c may stand in a name.
func isNameByte(c byte) bool {
	return isWordByte(c) || c == '-' || c == '.' || c >= 0x80
}

// peek returns the byte at i, or 0 behind the end.
func (s *scan) peek(i int) byte {
	if i < 0 || i >= len(s.data) {
		return 0
	}
	return s.data[i]
}

func (s *scan) skipBlanks(i int) int {
	for k := 0; k < maxGap && (s.peek(i) == ' ' || s.peek(i) == '\t'); k++ {
		i++
	}
	return i
}

// findValue reads what is assigned to the name, in the notations of
// configuration files and programs: name=value, "name": "value", name => value,
// name := value, f("name", "value"), <name>value</name>, set name value.
func (s *scan) findValue(a *assignment) bool {
	i, closed := s.closeName(a.nameEnd)
	i = s.skipBlanks(i)
	c := s.peek(i)
	switch {
	case c == '=' && s.peek(i+1) == '=', c == '!' && s.peek(i+1) == '=', c == ':' && s.peek(i+1) == ':' && s.peek(i+2) != '=':
		return false // a comparison, a scope
	case c == '=', c == ':':
		i = s.afterSeparator(i)
	case (c == '?' || c == '|' || c == '+') && bytes.HasPrefix(bytes.TrimLeft(s.data[i:min(len(s.data), i+3)], "?|+"), []byte("=")):
		i += bytes.IndexByte(s.data[i:], '=') + 1
	case c == ',' && closed:
		i++
	case c == '>' && (s.peek(a.nameStart-1) == '<' || closed):
		return s.readElement(a, i+1)
	case i > a.nameEnd && i == s.skipBlanks(a.nameEnd) && s.opensLine(a.nameStart):
		a.loose = true
	default:
		return false
	}
	return s.readValue(a, s.skipBlanks(i))
}

// closeName steps over the quotes and brackets that end a quoted name.
func (s *scan) closeName(i int) (next int, closed bool) {
	for k := 0; k < 4; k++ {
		switch c := s.peek(i); {
		case c == '\\' && (s.peek(i+1) == '"' || s.peek(i+1) == '\''):
			i, closed = i+2, true
		case c == '"', c == '\'', c == '`':
			i, closed = i+1, true
		case c == ']' && closed:
			i++
		default:
			return i, closed
		}
	}
	return i, closed
}

// afterSeparator steps over =, :, :=, =>, ::= and a type between : and =.
func (s *scan) afterSeparator(i int) int {
	colon := s.peek(i) == ':'
	for k := 0; k < 3 && (s.peek(i) == '=' || s.peek(i) == ':' || s.peek(i) == '>'); k++ {
		i++
	}
	if !colon || s.kind != kindCode {
		return i
	}
	// password: string = "..."
	rest := s.data[i:min(len(s.data), i+maxGap)]
	if at := bytes.IndexAny(rest, "=\n\"'(,"); at > 0 && rest[at] == '=' && at+1 < len(rest) && rest[at+1] != '>' {
		return i + at + 1
	}
	return i
}

// opensLine reports whether a name stands where a directive's name stands: first
// on its line, or behind "set", "ENV", "--".
func (s *scan) opensLine(start int) bool {
	if s.kind != kindConfig && s.kind != kindShell {
		return false
	}
	if s.peek(start-1) == '-' {
		return true
	}
	from, _ := s.line(start, 40)
	switch strings.ToLower(strings.TrimSpace(string(s.data[from:start]))) {
	case "", "set", "env", "arg", "machine", "enable", "sql", "username", "identity", "\"", "'":
		return true
	}
	return false
}

// readElement reads the text of an XML element that begins at i.
func (s *scan) readElement(a *assignment, i int) bool {
	if s.kind == kindCode || s.kind == kindDocs {
		return false
	}
	if bytes.HasPrefix(s.data[i:], []byte("<![CDATA[")) {
		i += len("<![CDATA[")
	}
	rest := s.data[i:min(len(s.data), i+maxValue)]
	end := bytes.IndexByte(rest, '<')
	if close := bytes.Index(rest, []byte("]]>")); close >= 0 && close < end {
		end = close
	}
	if end <= 0 {
		return false
	}
	for end > 0 && rest[end-1] <= ' ' {
		end--
	}
	skip := 0
	for skip < end && rest[skip] <= ' ' {
		skip++
	}
	a.valueStart, a.valueEnd, a.quoted = i+skip, i+end, true
	return end > skip && bytes.IndexByte(rest[skip:end], '\n') < 0
}

// pairNames are what the value of a name is called where the two stand side by
// side: {name: X, value: Y}, <add key="X" value="Y"/>.
var pairNames = []string{"value", "val", "defaultvalue", "default", "string", "content", "data", "text", "stringvalue"}

// findPair reads the value that stands beside a name, not behind it.
func (s *scan) findPair(a *assignment) bool {
	i, closed := s.closeName(a.nameEnd)
	if rest := s.data[i:min(len(s.data), i+40)]; bytes.HasPrefix(rest, []byte("</")) {
		at := bytes.IndexByte(rest, '>')
		if at < 0 {
			return false
		}
		i, closed = i+at+1, true
	}
	if s.kind == kindCode || !closed && s.peek(i) != '\n' && s.peek(i) != '\r' {
		return false
	}
	for k := 0; k < 80 && (s.peek(i) == ',' || s.peek(i) == ' ' || s.peek(i) == '\t' || s.peek(i) == '\n' || s.peek(i) == '\r'); k++ {
		i++
	}
	open := s.peek(i) == '<'
	for k := 0; k < 2 && (s.peek(i) == '<' || s.peek(i) == '"' || s.peek(i) == '\''); k++ {
		i++
	}
	for _, name := range pairNames {
		end := i + len(name)
		if end >= len(s.data) || !equalFold(s.data[i:end], name) {
			continue
		}
		next, _ := s.closeName(end)
		next = s.skipBlanks(next)
		switch c := s.peek(next); {
		case c == '>' && open:
			return s.readElement(a, next+1)
		case c == '=' || c == ':':
			return s.readValue(a, s.skipBlanks(next+1))
		}
	}
	return false
}

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
	return s.readBare(a, i)
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
		return s.kind != kindConfig || k > 0 && (c == '"' || c == '\'' || c == '`') && bytes.Count(rest[:k], []byte{c}) == 0 && !tight || c == '<' && k > 0 && bytes.HasPrefix(rest[k:], []byte("</"))
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

// weighAssignment has a name and its value judged, vendors' patterns first.
func (s *scan) weighAssignment(a assignment) {
	value := string(s.data[a.valueStart:a.valueEnd])
	if value == "" || len(value) < 4 {
		return
	}
	c := candidate{name: string(s.data[a.nameStart:a.nameEnd]), value: value, quoted: a.quoted, kind: s.kind}
	place := found{Match{Start: a.valueStart, End: a.valueEnd}, byVendor}
	if p := vendor(c); p != nil {
		place.Rule, place.What, place.Severity = p.ID, p.What, p.severity()
		s.report(place)
		return
	}
	v := judge(c)
	if v.rule == "" || a.loose && !c.isLoose() || s.commented(a.nameStart) && !c.isRandom(12) {
		return
	}
	place.Rule, place.Severity, place.rank = v.rule, v.severity, byName
	s.report(place)
}

// isLoose is what a value must be behind a name and a blank alone.
func (c *candidate) isLoose() bool {
	f := featuresOf(c.value)
	return f.spaces == 0 && (f.digits > 0 || f.hard > 0) && f.letters > 0 && wordShare(c.value) < 0.8
}

// commented reports whether the line is commented out before at.
func (s *scan) commented(at int) bool {
	from, _ := s.line(at, 100)
	head := bytes.TrimLeft(s.data[from:at], " \t")
	return bytes.HasPrefix(head, []byte("#")) || bytes.HasPrefix(head, []byte("//")) || bytes.HasPrefix(head, []byte(";")) || bytes.HasPrefix(head, []byte("* ")) || bytes.HasPrefix(head, []byte("<!--"))
}
