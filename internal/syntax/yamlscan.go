package syntax

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// The scanner of YAML follows libyaml's, which is what SOPS, Flux and kustomize
// read with: tokens, block structure from the indentation, and keys that are only
// known for keys when their colon comes. Unlike it, it keeps byte offsets.

type tokenKind uint8

const (
	tokenEnd tokenKind = iota // of the stream
	tokenDirective
	tokenDocStart
	tokenDocEnd
	tokenBlockSeq // a block sequence begins
	tokenBlockMap
	tokenBlockEnd
	tokenFlowSeq
	tokenFlowSeqEnd
	tokenFlowMap
	tokenFlowMapEnd
	tokenEntry     // "-"
	tokenFlowEntry // ","
	tokenKey
	tokenValue // ":"
	tokenAlias
	tokenAnchor
	tokenTag
	tokenScalar
)

// yamlToken is one token. A simple key's token carries what its colon made of it:
// the start of a block mapping, and a key.
type yamlToken struct {
	kind  tokenKind
	style Style
	// maybeKey is 1 + the flow level at which the token may prove to be a key.
	maybeKey int32
	opensMap bool
	isKey    bool
	stretch
	value string // of a scalar, an alias, an anchor or a tag
}

// simpleKey is where a key may stand that no "?" announces.
type simpleKey struct {
	possible, required bool
	number             int // of its token, counted from the start
	at, line           int
	counted, runes     int // code points up to an offset, once they matter
}

type yamlScanner struct {
	src       string
	pos       int
	lineStart int // offset
	line      int // breaks passed, as YAML counts them
	flow      int // depth of [ and {
	indent    int // -1 before the first block collection
	indents   []int
	keyOK     bool // a simple key may start here
	keys      []simpleKey
	queue     []yamlToken
	head      int
	taken     int // tokens handed out, those in queue[:head] included
	last      int // end of the last token handed out
	comments  []stretch
	err       error // *yamlError, or a limit
}

func newYAMLScanner(src string) *yamlScanner {
	s := &yamlScanner{src: src}
	if strings.HasPrefix(src, bom) {
		s.pos, s.lineStart = len(bom), len(bom)
	}
	s.restart(s.pos)
	return s
}

// restart begins anew at a line's start, after an error in what stood before.
func (s *yamlScanner) restart(at int) {
	s.pos, s.lineStart, s.last = at, at, at
	s.flow, s.indent, s.indents = 0, -1, s.indents[:0]
	s.keyOK = true
	s.keys = append(s.keys[:0], simpleKey{})
	s.taken += len(s.queue) - s.head
	s.queue, s.head = s.queue[:0], 0
	s.err = nil
	for n := len(s.comments); n > 0 && s.comments[n-1].start >= at; n-- {
		s.comments = s.comments[:n-1]
	}
}

// peek returns the kind of the next token. After an error it is the end of the
// stream.
func (s *yamlScanner) peek() tokenKind {
	for s.err == nil && s.wanting() {
		s.fetch()
	}
	switch {
	case s.err != nil:
		return tokenEnd
	case s.queue[s.head].opensMap:
		return tokenBlockMap
	case s.queue[s.head].isKey:
		return tokenKey
	}
	return s.queue[s.head].kind
}

// next takes the token that peek has told of.
func (s *yamlScanner) next() yamlToken {
	if s.err != nil {
		return yamlToken{stretch: stretch{s.pos, s.pos}}
	}
	t := &s.queue[s.head]
	switch {
	case t.opensMap:
		t.opensMap = false
		return yamlToken{kind: tokenBlockMap, stretch: stretch{t.start, t.start}}
	case t.isKey:
		t.isKey = false
		return yamlToken{kind: tokenKey, stretch: stretch{t.start, t.start}}
	}
	s.head++
	s.taken++
	s.last = t.end
	return *t
}

// here is where the token begins that peek has told of; after an error, where the
// last token ended.
func (s *yamlScanner) here() int {
	if s.err == nil && s.head < len(s.queue) {
		return s.queue[s.head].start
	}
	return s.last
}

// wanting reports whether the token at the head cannot be told yet.
func (s *yamlScanner) wanting() bool {
	if s.head == len(s.queue) {
		s.queue, s.head = s.queue[:0], 0
		return true
	}
	t := &s.queue[s.head]
	level := int(t.maybeKey) - 1
	if level < 0 || level >= len(s.keys) {
		return false
	}
	k := &s.keys[level]
	return k.possible && k.number == s.taken && s.valid(k)
}

func (s *yamlScanner) fail(at int, problem string) {
	if s.err == nil {
		s.err = &yamlError{at: at, problem: problem}
	}
}

// yamlError says where a document stops being YAML; it quotes nothing of it.
type yamlError struct {
	at      int // offset
	line    int // from 1; 0 while it is not known
	problem string
}

func (e *yamlError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.problem) }

func (s *yamlScanner) emit(kind tokenKind, start, end int) *yamlToken {
	s.queue = append(s.queue, yamlToken{kind: kind, stretch: stretch{start, end}})
	return &s.queue[len(s.queue)-1]
}

// fetch reads one more token into the queue, and what the indentation makes of it.
func (s *yamlScanner) fetch() {
	s.skipSpace()
	if s.err != nil {
		return
	}
	column := s.pos - s.lineStart
	s.unroll(column)
	if s.pos >= len(s.src) {
		s.unroll(-1)
		s.dropKey()
		s.keyOK = false
		s.line++ // no key goes on behind the end
		s.emit(tokenEnd, s.pos, s.pos)
		return
	}
	c := s.src[s.pos]
	if column == 0 {
		switch {
		case c == '%':
			s.directive()
			return
		case s.marker(s.pos):
			s.document(c)
			return
		}
	}
	s.token(c)
}

func (s *yamlScanner) token(c byte) {
	lone := blankOrEnd(s.src, s.pos+1)
	switch {
	case c == '[':
		s.openFlow(tokenFlowSeq)
	case c == '{' && strings.HasPrefix(s.src[s.pos:], "{{"):
		s.fail(s.pos, "found a template ({{ ... }}) where YAML has a value")
	case c == '{':
		s.openFlow(tokenFlowMap)
	case c == ']':
		s.closeFlow(tokenFlowSeqEnd)
	case c == '}':
		s.closeFlow(tokenFlowMapEnd)
	case c == ',':
		s.dropKey()
		s.keyOK = true
		s.one(tokenFlowEntry)
	case c == '-' && lone:
		s.entry()
	case c == '?' && (lone || s.flow > 0):
		s.key()
	case c == ':' && (lone || s.flow > 0):
		s.colon()
	case c == '*':
		s.anchor(tokenAlias)
	case c == '&':
		s.anchor(tokenAnchor)
	case c == '!':
		s.tag()
	case (c == '|' || c == '>') && s.flow == 0:
		s.dropKey()
		s.keyOK = true
		s.block()
	case c == '\'' || c == '"':
		s.quoted(c)
	case strings.IndexByte(" \t\r\n,[]{}#&*!|>%@`", c) >= 0,
		(c == '?' || c == ':') && (s.flow > 0 || lone), c == '-' && lone:
		s.fail(s.pos, "found a character that cannot start any token")
	default:
		s.plain()
	}
}

// one emits the token of the one character at hand.
func (s *yamlScanner) one(kind tokenKind) *yamlToken {
	s.pos++
	return s.emit(kind, s.pos-1, s.pos)
}

// skipSpace goes to the next token, and keeps the comments on the way.
func (s *yamlScanner) skipSpace() {
	for s.pos < len(s.src) && s.err == nil {
		switch c := s.src[s.pos]; {
		case c == ' ', c == '\t' && (s.flow > 0 || !s.keyOK):
			s.pos++
		case c == '\t':
			if !s.idle() {
				return
			}
		case c == '#':
			start := s.pos
			s.pos = lineEnd(s.src, s.pos)
			s.note(stretch{start, s.pos})
		default:
			n := breakAt(s.src, s.pos)
			if n == 0 {
				return
			}
			s.newline(n)
			if s.flow == 0 {
				s.keyOK = true
			}
		}
	}
}

// idle passes white space where nothing but a comment follows on the line: a tab does
// no harm then, though libyaml mostly refuses it.
func (s *yamlScanner) idle() bool {
	i := s.pos
	for isBlank(s.src, i) {
		i++
	}
	if i < len(s.src) && s.src[i] != '#' && breakAt(s.src, i) == 0 {
		return false
	}
	s.pos = i
	return true
}

func (s *yamlScanner) newline(n int) {
	s.pos += n
	s.lineStart = s.pos
	s.line++
}

func (s *yamlScanner) note(comment stretch) {
	if len(s.comments) >= MaxLeaves {
		s.err = errLeaves
		return
	}
	s.comments = append(s.comments, comment)
}

// marker reports whether a document's marker stands at i, a line's start.
func (s *yamlScanner) marker(i int) bool {
	return strings.HasPrefix(s.src[i:], "---") && blankOrEnd(s.src, i+3) ||
		strings.HasPrefix(s.src[i:], "...") && blankOrEnd(s.src, i+3)
}

// nextMarker returns where the first marker behind a line's start stands, or the
// end.
func (s *yamlScanner) nextMarker(from int) int {
	for i := from; i < len(s.src); {
		i = lineEnd(s.src, i)
		i += breakAt(s.src, i)
		if i < len(s.src) && s.marker(i) {
			return i
		}
	}
	return len(s.src)
}

func (s *yamlScanner) document(c byte) {
	s.unroll(-1)
	s.dropKey()
	s.keyOK = false
	kind := tokenDocStart
	if c == '.' {
		kind = tokenDocEnd
	}
	s.emit(kind, s.pos, s.pos+3)
	s.pos += 3
}

// directive takes a line such as %YAML 1.2. What it says matters to no value.
func (s *yamlScanner) directive() {
	s.unroll(-1)
	s.dropKey()
	s.keyOK = false
	end := lineEnd(s.src, s.pos)
	name, _, _ := strings.Cut(strings.TrimRight(s.src[s.pos+1:end], " \t"), " ")
	if name != "YAML" && name != "TAG" {
		s.fail(s.pos, "found an unknown directive")
		return
	}
	s.emit(tokenDirective, s.pos, end)
	s.pos = end
}

func (s *yamlScanner) openFlow(kind tokenKind) {
	s.saveKey()
	s.flow++
	if s.flow > MaxDepth {
		s.err = errDepth
		return
	}
	level := len(s.keys)
	s.keys = append(s.keys, simpleKey{})
	s.keyOK = true
	t := s.one(kind)
	s.markKey(t, level-1)
}

func (s *yamlScanner) closeFlow(kind tokenKind) {
	s.dropKey()
	if s.flow > 0 {
		s.flow--
		s.keys = s.keys[:len(s.keys)-1]
	}
	s.keyOK = false
	s.one(kind)
}

func (s *yamlScanner) entry() {
	if s.flow == 0 {
		if !s.keyOK {
			s.fail(s.pos, "block sequence entries are not allowed here")
			return
		}
		s.roll(tokenBlockSeq)
	}
	s.dropKey()
	s.keyOK = true
	s.one(tokenEntry)
}

func (s *yamlScanner) key() {
	if s.flow == 0 {
		if !s.keyOK {
			s.fail(s.pos, "mapping keys are not allowed here")
			return
		}
		s.roll(tokenBlockMap)
	}
	s.dropKey()
	s.keyOK = s.flow == 0
	s.one(tokenKey)
}

// colon makes a key of the token that may be one, or answers a "?".
func (s *yamlScanner) colon() {
	k := &s.keys[len(s.keys)-1]
	switch {
	case k.possible && s.valid(k):
		t := &s.queue[s.head+k.number-s.taken]
		t.isKey = true
		if column := t.start - s.lineStart; s.flow == 0 && s.indent < column {
			t.opensMap = true
			s.deepen(column)
		}
		k.possible = false
		s.keyOK = false
	case s.err != nil:
		return
	case s.flow == 0:
		if !s.keyOK {
			s.fail(s.pos, "mapping values are not allowed here")
			return
		}
		s.roll(tokenBlockMap)
		s.keyOK = true
	default:
		s.keyOK = false
	}
	s.one(tokenValue)
}

// saveKey notes that the token that follows may be a key.
func (s *yamlScanner) saveKey() {
	if !s.keyOK {
		return
	}
	s.dropKey()
	s.keys[len(s.keys)-1] = simpleKey{
		possible: true,
		required: s.flow == 0 && s.indent == s.pos-s.lineStart,
		number:   s.taken + len(s.queue) - s.head,
		at:       s.pos,
		line:     s.line,
	}
}

// markKey ties a token to the possible key at a flow level, if it is its.
func (s *yamlScanner) markKey(t *yamlToken, level int) {
	if k := s.keys[level]; k.possible && k.number == s.taken+len(s.queue)-1-s.head {
		t.maybeKey = int32(level + 1)
	}
}

func (s *yamlScanner) dropKey() {
	k := &s.keys[len(s.keys)-1]
	if k.possible && k.required {
		s.fail(k.at, "could not find the expected ':'")
	}
	k.possible = false
}

// maxKey is how far behind its start a simple key's colon may stand, in code points.
const maxKey = 1024

// valid reports whether a possible key still is one: on one line, and not too long.
func (s *yamlScanner) valid(k *simpleKey) bool {
	if k.line == s.line && (s.pos-k.at <= maxKey || s.short(k)) {
		return true
	}
	if k.required {
		s.fail(k.at, "could not find the expected ':'")
	}
	k.possible = false
	return false
}

// short counts a key's code points, each once however often it is asked.
func (s *yamlScanner) short(k *simpleKey) bool {
	from := max(k.at, k.counted)
	to := min(s.pos, k.at+utf8.UTFMax*(maxKey+1))
	if to > from {
		k.runes += utf8.RuneCountInString(s.src[from:to])
		k.counted = to
	}
	return k.runes <= maxKey
}

// roll opens a block collection where the indentation has grown.
func (s *yamlScanner) roll(kind tokenKind) {
	if column := s.pos - s.lineStart; s.indent < column {
		s.deepen(column)
		s.emit(kind, s.pos, s.pos)
	}
}

func (s *yamlScanner) deepen(column int) {
	if len(s.indents) >= MaxDepth {
		s.err = errDepth
	}
	s.indents = append(s.indents, s.indent)
	s.indent = column
}

// unroll closes the block collections that are deeper than column.
func (s *yamlScanner) unroll(column int) {
	if s.flow > 0 {
		return
	}
	for s.indent > column {
		s.emit(tokenBlockEnd, s.pos, s.pos)
		s.indent = s.indents[len(s.indents)-1]
		s.indents = s.indents[:len(s.indents)-1]
	}
}
