package syntax

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// yamlReader turns the tokens of YAML into leaves.
type yamlReader struct {
	*build
	*yamlScanner
	depth    int
	anchors  map[string]*anchored
	made     []*anchored // those of the document, in the order of the source
	expanded int         // leaves added by aliases
	dropped  int         // leaves of the document that a merge has overruled
	dirty    bool        // some byte of the file may not stand in YAML
}

func parseYAML(name string, data []byte) *File {
	r := &yamlReader{build: newBuild(name, YAML, data)}
	src := r.build.src
	r.yamlScanner = newYAMLScanner(src)
	r.dirty = !cleanText(src)
	r.stream()
	for _, c := range r.yamlScanner.comments {
		r.comment(c, 1)
	}
	return r.done()
}

// cleanText reports whether text is UTF-8 without the control characters that YAML
// forbids.
func cleanText(text string) bool {
	for i := 0; i < len(text); i++ {
		if c := text[i]; c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0x7F {
			return false
		} else if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(text[i:])
			if r == utf8.RuneError && n == 1 || r < 0xA0 && r != 0x85 || r == 0xFFFE || r == 0xFFFF {
				return false
			}
			i += n - 1
		}
	}
	return true
}

// stream reads document by document. One that does not parse is read line by line,
// and the next marker starts anew.
func (r *yamlReader) stream() {
	for first := true; ; first = false {
		start := r.last
		kind := r.peek()
		switch {
		case r.yamlScanner.err != nil: // behind the last document
		case kind == tokenEnd:
			return
		case kind == tokenDocEnd:
			r.next()
			continue
		case !first:
			start = r.here()
		}
		if len(r.file.Docs) >= maxDocs {
			r.file.Broken = errDocs
			return
		}
		if !r.document(start, first) {
			return
		}
	}
}

// document reads one document that begins at start; implicit is whether it may do
// so without a marker. It returns false where reading must end.
func (r *yamlReader) document(start int, implicit bool) bool {
	for r.peek() == tokenDirective {
		r.next()
		implicit = false
	}
	if r.peek() == tokenDocStart {
		start = r.next().end
	} else if !implicit {
		r.yamlScanner.fail(start, "found more behind the end of a document")
	}
	r.begin(start)
	r.made = r.made[:0]
	firstLeaf := len(r.file.Leaves)
	if r.dirty && !cleanText(r.build.src[start:r.nextMarker(start)]) {
		r.yamlScanner.err = errDirty
	}
	if r.yamlScanner.err == nil {
		r.root()
	}
	switch {
	case r.build.err != nil:
		r.compact(firstLeaf)
		r.end(len(r.build.src), r.build.err)
		return false
	case r.yamlScanner.err != nil:
		return r.broken(start, firstLeaf)
	}
	r.compact(firstLeaf)
	kind := r.peek()
	r.end(r.here(), nil)
	if kind == tokenDocEnd {
		r.next()
	}
	return true
}

func (r *yamlReader) root() {
	r.path = r.path[:0]
	switch r.peek() {
	case tokenDirective, tokenDocStart, tokenDocEnd, tokenEnd:
		return // a document with nothing in it
	}
	r.node(nowhere, true, false)
}

var errDirty = errors.New("it holds invalid UTF-8 or control characters")

// broken reads the document at start line by line instead.
func (r *yamlReader) broken(start, firstLeaf int) bool {
	err := r.yamlScanner.err
	var place *yamlError
	if errors.As(err, &place) {
		place.line = r.file.At(place.at).Line
	}
	end := r.nextMarker(start)
	r.drop(firstLeaf)
	for n := len(r.file.Anchors); n > 0 && r.file.Anchors[n-1].Doc == len(r.file.Docs); n-- {
		r.file.Anchors = r.file.Anchors[:n-1]
	}
	r.dropped, r.depth = 0, 0
	clear(r.anchors)
	r.made = r.made[:0]
	r.restart(start)
	r.yamlScanner.comments = append(r.yamlScanner.comments, r.lines(start, end)...)
	r.restart(end)
	r.end(end, fmt.Errorf("not YAML: %w", err))
	return r.build.err == nil
}

// node reads one value. key is the key that it belongs to; indentless is whether a
// list may stand at its key's own column.
func (r *yamlReader) node(key stretch, block, indentless bool) {
	if r.depth >= MaxDepth {
		r.yamlScanner.err = errDepth
		return
	}
	if r.peek() == tokenAlias {
		r.alias(r.next(), key)
		return
	}
	r.depth++
	p := r.properties()
	switch kind := r.peek(); {
	case r.yamlScanner.err != nil:
	case kind == tokenScalar:
		t := r.next()
		r.scalarLeaf(p, t, key)
	case kind == tokenEntry && indentless, kind == tokenBlockSeq && block:
		p.open(r)
		r.blockSeq(kind == tokenBlockSeq)
		p.close(r)
	case kind == tokenBlockMap && block:
		p.open(r)
		r.blockMap(key)
		p.close(r)
	case kind == tokenFlowSeq:
		p.open(r)
		r.flowSeq(key)
		p.close(r)
	case kind == tokenFlowMap:
		p.open(r)
		r.flowMap(key)
		p.close(r)
	case p.any():
		r.scalarLeaf(p, yamlToken{stretch: stretch{p.end, p.end}}, key)
	default:
		r.yamlScanner.fail(r.here(), "did not find the expected value")
	}
	r.depth--
}

// empty adds the leaf of a value that is not written.
func (r *yamlReader) empty(key stretch, at int) {
	r.leaf("", Null, Plain, key, stretch{at, at})
}

func (r *yamlReader) scalarLeaf(p properties, t yamlToken, key stretch) {
	kind := kindOf(p.tag, t.style, t.value)
	l := r.leaf(t.value, kind, t.style, key, t.stretch)
	if p.anchor != "" {
		r.name(p, &anchored{single: true, scalar: *l})
	}
}

// properties are the anchor and the tag before a value.
type properties struct {
	anchor, tag string
	at          stretch // of the anchor
	end         int     // of the last of them
	target      *anchored
}

func (p properties) any() bool { return p.end > 0 }

func (r *yamlReader) properties() (p properties) {
	for {
		switch kind := r.peek(); {
		case kind == tokenAnchor && p.anchor == "":
			t := r.next()
			p.anchor, p.at, p.end = t.value, t.stretch, t.end
		case kind == tokenTag && p.tag == "":
			t := r.next()
			p.tag, p.end = t.value, t.end
		default:
			return p
		}
	}
}

func (r *yamlReader) blockSeq(own bool) {
	if own {
		r.next()
	}
	for i := 0; r.peek() == tokenEntry; i++ {
		at := r.next().end
		r.push(I(i))
		switch r.peek() {
		case tokenEntry, tokenBlockEnd:
			r.empty(nowhere, at)
		case tokenKey, tokenValue:
			if own {
				r.node(nowhere, true, false)
				break
			}
			r.empty(nowhere, at)
		default:
			r.node(nowhere, true, false)
		}
		r.pop()
		if r.build.err != nil {
			return
		}
	}
	if !own {
		return
	}
	if r.peek() != tokenBlockEnd {
		r.expected("the expected '-'")
		return
	}
	r.next()
}

func (r *yamlReader) expected(what string) {
	if r.yamlScanner.err == nil {
		r.yamlScanner.fail(r.here(), "did not find "+what)
	}
}

func (r *yamlReader) blockMap(own stretch) {
	r.next()
	m := r.enter(own)
	for r.peek() == tokenKey && r.build.err == nil {
		at := r.next().end
		var key yamlKey
		switch r.peek() {
		case tokenKey, tokenValue, tokenBlockEnd:
			key = yamlKey{stretch: stretch{at, at}}
		default:
			key = r.key(true)
		}
		from := m.begin(r, key)
		if r.peek() == tokenValue {
			at = r.next().end
			switch r.peek() {
			case tokenKey, tokenValue, tokenBlockEnd:
				r.empty(key.stretch, at)
			default:
				r.node(key.stretch, true, true)
			}
		} else {
			r.empty(key.stretch, r.last)
		}
		m.finish(r, key, from)
	}
	if r.build.err == nil && r.peek() != tokenBlockEnd {
		r.expected("the expected key")
		return
	}
	r.next()
	m.leave(r)
}

func (r *yamlReader) flowSeq(key stretch) {
	open := r.next()
	for i := 0; r.build.err == nil; i++ {
		if i > 0 && r.peek() == tokenFlowEntry {
			r.next()
		} else if i > 0 && r.peek() != tokenFlowSeqEnd {
			r.expected("the expected ',' or ']'")
			return
		}
		if kind := r.peek(); kind == tokenFlowSeqEnd {
			end := r.next().end
			if i == 0 {
				r.leaf("", EmptyList, Plain, key, stretch{open.start, end})
			}
			return
		} else if kind == tokenEnd {
			r.expected("the expected ',' or ']'")
			return
		}
		r.push(I(i))
		if r.peek() == tokenKey {
			m := r.enter(nowhere)
			r.flowPair(&m, tokenFlowSeqEnd)
			m.leave(r)
		} else {
			r.node(nowhere, false, false)
		}
		r.pop()
	}
}

func (r *yamlReader) flowMap(key stretch) {
	open := r.next()
	m := r.enter(key)
	for i := 0; r.build.err == nil; i++ {
		if i > 0 && r.peek() == tokenFlowEntry {
			r.next()
		} else if i > 0 && r.peek() != tokenFlowMapEnd {
			r.expected("the expected ',' or '}'")
			return
		}
		if kind := r.peek(); kind == tokenFlowMapEnd {
			end := r.next().end
			if i == 0 {
				r.leaf("", EmptyMap, Plain, key, stretch{open.start, end})
			}
			m.leave(r)
			return
		} else if kind == tokenEnd {
			r.expected("the expected ',' or '}'")
			return
		}
		r.flowPair(&m, tokenFlowMapEnd)
	}
}

// flowPair reads a key and its value up to a comma or closing bracket.
func (r *yamlReader) flowPair(m *mapping, closing tokenKind) {
	var key yamlKey
	switch r.peek() {
	case tokenKey:
		at := r.next().end
		switch r.peek() {
		case tokenValue, tokenFlowEntry, closing:
			key = yamlKey{stretch: stretch{at, at}}
		default:
			key = r.key(false)
		}
	case tokenValue:
		at := r.here()
		key = yamlKey{stretch: stretch{at, at}}
	default:
		key = r.key(false)
	}
	from := m.begin(r, key)
	at := r.last
	if r.peek() == tokenValue {
		at = r.next().end
		switch r.peek() {
		case tokenFlowEntry, closing:
		default:
			r.node(key.stretch, false, false)
			at = -1
		}
	}
	if at >= 0 {
		r.empty(key.stretch, at)
	}
	m.finish(r, key, from)
}

// yamlKey is a mapping's key: its text, and whether it merges ("<<").
type yamlKey struct {
	text  string
	merge bool
	stretch
}

// key reads a key. A collection as a key is told by its source, and its own values
// are leaves below "?".
func (r *yamlReader) key(block bool) yamlKey {
	start := r.here()
	if r.peek() == tokenAlias {
		t := r.next()
		return yamlKey{text: r.aliasKey(t), stretch: t.stretch}
	}
	p := r.properties()
	switch kind := r.peek(); {
	case kind == tokenScalar:
		return r.scalarKey(p, r.next())
	case p.any() && (kind == tokenKey || kind == tokenValue || kind == tokenBlockEnd ||
		kind == tokenFlowEntry || kind == tokenFlowMapEnd || kind == tokenFlowSeqEnd):
		return r.scalarKey(p, yamlToken{stretch: stretch{p.end, p.end}})
	}
	if r.yamlScanner.err != nil {
		return yamlKey{}
	}
	r.push(K("?"))
	r.node(nowhere, block, block)
	r.pop()
	end := start
	if r.yamlScanner.err == nil {
		r.peek()
	}
	if r.yamlScanner.err == nil && r.build.err == nil {
		end = r.here()
	}
	text := strings.TrimRight(r.build.src[start:max(start, end)], " \t\r\n")
	return yamlKey{text: text, stretch: stretch{start, start + len(text)}}
}

func (r *yamlReader) scalarKey(p properties, t yamlToken) yamlKey {
	if p.anchor != "" {
		r.push(K(t.value))
		l := Leaf{Value: t.value, Kind: kindOf(p.tag, t.style, t.value), Style: t.style, Span: r.span(t.start, t.end)}
		r.name(p, &anchored{single: true, scalar: l})
		r.pop()
	}
	merge := t.value == "<<" && (p.tag == "" && t.style == Plain || p.tag == "!!merge")
	return yamlKey{text: t.value, merge: merge, stretch: t.stretch}
}
