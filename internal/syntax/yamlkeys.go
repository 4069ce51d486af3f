package syntax

import (
	"strings"
	"unicode/utf8"
)

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
	end := lineEnd(s.text, s.pos)
	name, _, _ := strings.Cut(strings.TrimRight(s.text[s.pos+1:end], " \t"), " ")
	if name != "YAML" && name != "TAG" {
		s.wrong(s.pos, "found an unknown directive")
		return
	}
	s.emit(tokenDirective, s.pos, end)
	s.pos = end
}

func (s *yamlScanner) openFlow(kind tokenKind) {
	s.saveKey()
	s.flow++
	if s.flow > MaxDepth {
		s.bad = errDepth
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
			s.wrong(s.pos, "block sequence entries are not allowed here")
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
			s.wrong(s.pos, "mapping keys are not allowed here")
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
	case s.bad != nil:
		return
	case s.flow == 0:
		if !s.keyOK {
			s.wrong(s.pos, "mapping values are not allowed here")
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
		s.wrong(k.at, "could not find the expected ':'")
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
		s.wrong(k.at, "could not find the expected ':'")
	}
	k.possible = false
	return false
}

// short counts a key's code points, each once however often it is asked.
func (s *yamlScanner) short(k *simpleKey) bool {
	from := max(k.at, k.counted)
	to := min(s.pos, k.at+utf8.UTFMax*(maxKey+1))
	if to > from {
		k.runes += utf8.RuneCountInString(s.text[from:to])
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
		s.bad = errDepth
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
