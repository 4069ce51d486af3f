package syntax

import "strings"

// blockSeq reads the elements of a block list; own is whether it is indented by
// itself, or stands at the column of its key.
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
		if r.err != nil {
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
	if r.bad == nil {
		r.wrong(r.here(), "did not find "+what)
	}
}

// blockMap reads a block mapping; own is the key that it is the value of.
func (r *yamlReader) blockMap(own stretch) {
	r.next()
	m := r.enter(own)
	for r.peek() == tokenKey && r.err == nil {
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
	if r.err == nil && r.peek() != tokenBlockEnd {
		r.expected("the expected key")
		return
	}
	r.next()
	m.leave(r)
}

// flowSeq reads [a, b: c]; a pair in it is a mapping of its own.
func (r *yamlReader) flowSeq(key stretch) {
	open := r.next()
	for i := 0; r.err == nil; i++ {
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
	for i := 0; r.err == nil; i++ {
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
	if r.bad != nil {
		return yamlKey{}
	}
	r.push(K("?"))
	r.node(nowhere, block, block)
	r.pop()
	end := start
	if r.bad == nil {
		r.peek()
	}
	if r.bad == nil && r.err == nil {
		end = r.here()
	}
	text := strings.TrimRight(r.src[start:max(start, end)], " \t\r\n")
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
