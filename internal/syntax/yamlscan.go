package syntax

import (
	"fmt"
	"strings"
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
	text      string
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
	bad       error // *yamlError, or a limit
}

func newYAMLScanner(src string) *yamlScanner {
	s := &yamlScanner{text: src}
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
	s.bad = nil
	for n := len(s.comments); n > 0 && s.comments[n-1].start >= at; n-- {
		s.comments = s.comments[:n-1]
	}
}

// peek returns the kind of the next token. After an error it is the end of the
// stream.
func (s *yamlScanner) peek() tokenKind {
	for s.bad == nil && s.wanting() {
		s.fetch()
	}
	switch {
	case s.bad != nil:
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
	if s.bad != nil {
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
	if s.bad == nil && s.head < len(s.queue) {
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

func (s *yamlScanner) wrong(at int, problem string) {
	if s.bad == nil {
		s.bad = &yamlError{at: at, problem: problem}
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
	if s.bad != nil {
		return
	}
	column := s.pos - s.lineStart
	s.unroll(column)
	if s.pos >= len(s.text) {
		s.unroll(-1)
		s.dropKey()
		s.keyOK = false
		s.line++ // no key goes on behind the end
		s.emit(tokenEnd, s.pos, s.pos)
		return
	}
	c := s.text[s.pos]
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
	lone := blankOrEnd(s.text, s.pos+1)
	switch {
	case c == '[':
		s.openFlow(tokenFlowSeq)
	case c == '{' && strings.HasPrefix(s.text[s.pos:], "{{"):
		s.wrong(s.pos, "found a template ({{ ... }}) where YAML has a value")
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
		s.wrong(s.pos, "found a character that cannot start any token")
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
	for s.pos < len(s.text) && s.bad == nil {
		switch c := s.text[s.pos]; {
		case c == ' ', c == '\t' && (s.flow > 0 || !s.keyOK):
			s.pos++
		case c == '\t':
			if !s.idle() {
				return
			}
		case c == '#':
			start := s.pos
			s.pos = lineEnd(s.text, s.pos)
			s.note(stretch{start, s.pos})
		default:
			n := breakAt(s.text, s.pos)
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
	for isBlank(s.text, i) {
		i++
	}
	if i < len(s.text) && s.text[i] != '#' && breakAt(s.text, i) == 0 {
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
		s.bad = errLeaves
		return
	}
	s.comments = append(s.comments, comment)
}

// marker reports whether a document's marker stands at i, a line's start.
func (s *yamlScanner) marker(i int) bool {
	return strings.HasPrefix(s.text[i:], "---") && blankOrEnd(s.text, i+3) ||
		strings.HasPrefix(s.text[i:], "...") && blankOrEnd(s.text, i+3)
}

// nextMarker returns where the first marker behind a line's start stands, or the
// end.
func (s *yamlScanner) nextMarker(from int) int {
	for i := from; i < len(s.text); {
		i = lineEnd(s.text, i)
		i += breakAt(s.text, i)
		if i < len(s.text) && s.marker(i) {
			return i
		}
	}
	return len(s.text)
}
