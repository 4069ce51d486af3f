package syntax

import (
	"errors"
	"fmt"
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

func parseYAML(b *build) *File {
	r := &yamlReader{build: b}
	src := r.src
	r.yamlScanner = newYAMLScanner(src)
	r.dirty = !cleanText(src)
	r.stream()
	for _, c := range r.comments {
		r.comment(c, 1)
	}
	return r.done()
}

// stream reads document by document. One that does not parse is read line by line,
// and the next marker starts anew.
func (r *yamlReader) stream() {
	for first := true; ; first = false {
		start := r.last
		kind := r.peek()
		switch {
		case r.bad != nil: // behind the last document
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
		r.wrong(start, "found more behind the end of a document")
	}
	r.begin(start)
	r.made = r.made[:0]
	firstLeaf := len(r.file.Leaves)
	if r.dirty && !cleanText(r.src[start:r.nextMarker(start)]) {
		r.bad = errDirty
	}
	if r.bad == nil {
		r.root()
	}
	switch {
	case r.err != nil:
		r.compact(firstLeaf)
		r.end(len(r.src), r.err)
		return false
	case r.bad != nil:
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
	err := r.bad
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
	r.comments = append(r.comments, r.lines(start, end)...)
	r.restart(end)
	r.end(end, fmt.Errorf("not YAML: %w", err))
	return r.err == nil
}

// node reads one value. key is the key that it belongs to; indentless is whether a
// list may stand at its key's own column.
func (r *yamlReader) node(key stretch, block, indentless bool) {
	if r.depth >= MaxDepth {
		r.bad = errDepth
		return
	}
	if r.peek() == tokenAlias {
		r.alias(r.next(), key)
		return
	}
	r.depth++
	p := r.properties()
	switch kind := r.peek(); {
	case r.bad != nil:
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
		r.wrong(r.here(), "did not find the expected value")
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
