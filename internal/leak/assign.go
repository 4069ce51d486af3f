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
}

// readName reads the identifier around a keyword at [start, end) and, if a
// value is assigned to it, has the two judged. Each identifier is read once.
func (s *scan) readName(start, end int) {
	if start < s.seen || !s.affords(forNames, start, end-start) {
		return
	}
	for end > start && !isWordByte(s.data[end-1]) {
		end-- // keywords may reach over the name's end
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
	for to > start && !isWordByte(s.data[to-1]) {
		to--
	}
	for from < start && !isWordByte(s.data[from]) {
		from++
	}
	if s.follows(from, "--- ") || s.follows(from, "checksum/") || s.follows(from, "::") && isUpper(s.data[from]) {
		return // a test's outcome (--- PASS: TestX), a hash that Helm puts on pods, a type (AWS::IAM::AccessKey)
	}
	a := assignment{nameStart: from, nameEnd: to}
	if s.findValue(&a) || s.findPair(&a) {
		s.spend(forNames, start, 2*(a.valueEnd-a.nameStart))
		s.work.names += a.valueEnd - a.nameEnd
		s.weighAssignment(a)
	}
}

// follows reports whether text stands right before at.
func (s *scan) follows(at int, text string) bool {
	return at >= len(text) && string(s.data[at-len(text):at]) == text
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
	if at, ok := s.sqlLiteral(a, i); ok {
		return s.readValue(a, at)
	}
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
	case s.peek(a.nameStart-1) == '<' && i > a.nameEnd: // <name attribute="x">value</name>
		if at := bytes.IndexAny(s.data[i:min(len(s.data), i+maxGap)], ">\n<"); at > 0 && s.data[i+at] == '>' && s.data[i+at-1] != '/' {
			return s.readElement(a, i+at+1)
		}
		return false
	case i > a.nameEnd && i == s.skipBlanks(a.nameEnd) && s.opensLine(a.nameStart):
		a.loose = true
		if isDigit(c) && s.peek(i+1) == ' ' { // enable secret 5 $1$...
			i += 2
		}
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

// directives are words that a name may follow on its line, with its value
// behind it and nothing but blanks between: ENV NAME value.
var directives = wordSet(`set env arg machine enable sql username user login identity proxy_set_header fastcgi_param uwsgi_param add_header header requestheader
	setenv export`)

// opensLine reports whether a name stands where a directive's name stands: first
// on its line, behind a directive, or behind "--".
func (s *scan) opensLine(start int) bool {
	if s.kind != kindConfig && s.kind != kindShell {
		return false
	}
	if s.logins {
		return true
	}
	if s.peek(start-1) == '-' {
		return true
	}
	from, _ := s.line(start, 60)
	before := strings.Fields(strings.ToLower(string(s.data[from:start])))
	return len(before) == 0 || len(before) <= 2 && directives[before[0]]
}

// sqlLiteral knows SQL's PASSWORD 'x', PASSWORD('x') and IDENTIFIED BY 'x'.
func (s *scan) sqlLiteral(a *assignment, i int) (int, bool) {
	if i == a.nameEnd && s.peek(i) != '(' {
		return 0, false
	}
	name := s.data[a.nameStart:a.nameEnd]
	if len(name) > len("identified by") || !bytes.EqualFold(name, []byte("password")) && !bytes.EqualFold(name, []byte("identified by")) {
		return 0, false
	}
	if s.peek(i) == '(' {
		i++
	}
	return i, s.peek(i) == '\''
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
var pairNames = []string{"value", "val", "defaultvalue", "default", "string", "content", "data", "text", "stringvalue", "param-value", "init-value", "env-entry-value"}

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
	if s.peek(i) == '>' {
		i++ // <property name="x"><value>
	}
	if s.peek(s.skipBlanks(i)) == '{' && s.follows(a.nameStart, "variable \"") {
		return s.findDefault(a, i)
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

// findDefault reads the default of Terraform's variable "name" { ... }.
func (s *scan) findDefault(a *assignment, i int) bool {
	block := s.data[i:min(len(s.data), i+400)]
	if end := bytes.IndexByte(block, '}'); end >= 0 {
		block = block[:end]
	}
	s.work.names += len(block)
	if !s.affords(forNames, i, len(block)) {
		return false
	}
	at := bytes.Index(block, []byte("default"))
	if at < 0 {
		return false
	}
	next := s.skipBlanks(i + at + len("default"))
	return s.peek(next) == '=' && s.readValue(a, s.skipBlanks(next+1))
}

// weighAssignment has a name and its value judged.
func (s *scan) weighAssignment(a assignment) {
	value := string(s.data[a.valueStart:a.valueEnd])
	if scheme := schemeOf(value); scheme > 0 {
		a.valueStart += scheme
		value = value[scheme:]
	}
	c := candidate{name: string(s.data[a.nameStart:a.nameEnd]), value: value, quoted: a.quoted, kind: s.kind}
	c.sure = (s.logins || s.personal && !a.loose) && classify(c.name) == classPassword
	if a.loose && directivePasswords[strings.ToLower(c.name)] {
		c.sure = s.purpose != forReading
	}
	c.login = s.kind == kindMarkup && s.purpose == forUse && s.userBefore(a.nameStart, value) && classify(c.name) == classPassword
	f, ok := assess(c)
	if !ok || f.rank == byName && (a.loose && !c.sure && !c.isLoose() || s.commented(a.nameStart) && !c.isRandom(12)) {
		return
	}
	f.Start, f.End = a.valueStart, a.valueEnd
	s.report(f)
}

// schemeOf returns the length of the word that names an HTTP authentication
// scheme before a credential, with its blank, or 0.
func schemeOf(value string) int {
	for _, scheme := range []string{"bearer ", "token ", "basic ", "apikey ", "api-key ", "digest ", "key "} {
		if len(value) > len(scheme) && strings.EqualFold(value[:len(scheme)], scheme) {
			return len(scheme)
		}
	}
	return 0
}

// isLoose is what a value must be behind a name and a blank alone.
func (c *candidate) isLoose() bool {
	f := featuresOf(c.value)
	if strings.HasSuffix(c.value, "/tcp") || strings.HasSuffix(c.value, "/udp") {
		return false // a service and its port
	}
	return f.spaces == 0 && (f.digits > 0 || f.hard > 0) && f.letters > 0 && wordShare(c.value) < 0.8
}

// directivePasswords are directives that take a password and nothing else.
var directivePasswords = wordSet(`requirepass masterauth --requirepass --masterauth bindpw rootpw sentinel.auth-pass`)

// commented reports whether the line is commented out before at.
func (s *scan) commented(at int) bool {
	from, _ := s.line(at, 100)
	head := bytes.TrimLeft(s.data[from:at], " \t")
	return bytes.HasPrefix(head, []byte("#")) || bytes.HasPrefix(head, []byte("//")) || bytes.HasPrefix(head, []byte(";")) || bytes.HasPrefix(head, []byte("* ")) || bytes.HasPrefix(head, []byte("<!--"))
}
