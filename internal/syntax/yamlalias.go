package syntax

import "sort"

// anchored is what an anchor names: a scalar, or the leaves of a collection.
type anchored struct {
	single   bool // a scalar
	scalar   Leaf
	open     bool // its collection is not read to its end yet
	lost     bool // a list of merged mappings, which is taken apart
	from, to int  // in File.Leaves
	depth    int  // of the path that leads to it
}

// open notes that a collection with an anchor begins, close that it ended.
func (p *properties) open(r *yamlReader) {
	if p.anchor == "" {
		return
	}
	p.target = &anchored{open: true, from: len(r.file.Leaves), depth: len(r.path)}
	r.name(*p, p.target)
}

func (p *properties) close(r *yamlReader) {
	if p.target != nil {
		p.target.open = false
		p.target.to = len(r.file.Leaves)
	}
}

func (r *yamlReader) name(p properties, a *anchored) {
	if r.anchors == nil {
		r.anchors = map[string]*anchored{}
	}
	r.anchors[p.anchor] = a
	r.made = append(r.made, a)
	r.file.Anchors = append(r.file.Anchors, Anchor{
		Name: p.anchor,
		Span: Span{File: r.file.Name, Start: r.file.At(p.at.start), End: r.file.At(p.at.end)},
		Doc:  len(r.file.Docs),
		Path: r.keep(r.path),
	})
}

func (r *yamlReader) target(t yamlToken) *anchored {
	r.file.HasAlias = true
	a := r.anchors[t.value]
	switch {
	case a == nil:
		r.wrong(t.start, "found an alias to an unknown anchor")
	case a.open:
		r.wrong(t.start, loop)
		return nil
	case a.lost:
		r.wrong(t.start, "found an alias to a list of merged mappings")
		return nil
	}
	return a
}

// alias adds the leaves of what the alias names at the path that the reader is at.
func (r *yamlReader) alias(t yamlToken, key stretch) {
	a := r.target(t)
	if a == nil {
		return
	}
	if a.single {
		l := r.leaf(a.scalar.Value, a.scalar.Kind, a.scalar.Style, key, t.stretch)
		l.Anchor = a.scalar.source()
		return
	}
	at := r.span(t.start, t.end)
	for i := a.from; i < a.to && r.err == nil; i++ {
		if r.expanded++; r.expanded > MaxExpanded {
			r.bad = errAlias
			return
		}
		origin := r.file.Leaves[i]
		if origin.Doc < 0 {
			continue
		}
		base := len(r.path)
		r.path = append(r.path, origin.Path[a.depth:]...)
		l := r.leaf(origin.Value, origin.Kind, origin.Style, nowhere, t.stretch)
		r.path = r.path[:base]
		l.Key, l.Span, l.Anchor = origin.Key, at, origin.source()
		if len(origin.Path) == a.depth && key.start >= 0 { // an empty collection
			l.Key = r.span(key.start, key.end)
		}
	}
}

// source is the span where a leaf's text stands.
func (l Leaf) source() Span {
	if l.Anchor.IsZero() {
		return l.Span
	}
	return l.Anchor
}

func (r *yamlReader) aliasKey(t yamlToken) string {
	a := r.target(t)
	switch {
	case a == nil:
		return ""
	case a.single:
		return a.scalar.Value
	}
	return r.src[t.start:t.end]
}

// mapping is a mapping that is being read, for the sake of its merge keys.
type mapping struct {
	key    stretch // its own
	first  int     // its first leaf
	made   int     // anchors before it
	merges [][2]int
}

func (r *yamlReader) enter(key stretch) mapping {
	return mapping{key: key, first: len(r.file.Leaves), made: len(r.made)}
}

// begin opens a key's value, finish closes it.
func (m *mapping) begin(r *yamlReader, key yamlKey) int {
	r.push(K(key.text))
	return len(r.file.Leaves)
}

func (m *mapping) finish(r *yamlReader, key yamlKey, from int) {
	r.pop()
	if key.merge {
		m.merges = append(m.merges, [2]int{from, len(r.file.Leaves)})
	}
}

// leave resolves the merges: the mapping's own keys win over merged ones, and an
// earlier merged mapping over a later one.
func (m *mapping) leave(r *yamlReader) {
	if m.merges == nil || r.err != nil || r.bad != nil {
		return
	}
	depth := len(r.path)
	owner := map[string][2]int{}
	own := [2]int{-1, -1}
	next := 0
	for i := m.first; i < len(r.file.Leaves); i++ {
		for next < len(m.merges) && i >= m.merges[next][1] {
			next++
		}
		if l := r.file.Leaves[i]; l.Doc >= 0 && (next == len(m.merges) || i < m.merges[next][0]) {
			owner[l.Path[depth].Key] = own
		}
	}
	m.reroot(r, depth)
	for n, span := range m.merges {
		for i := span[0]; i < span[1]; i++ {
			r.merge(&r.file.Leaves[i], depth, n, owner)
		}
	}
	if r.dropped > 0 && !r.alive(m.first) && len(r.file.Leaves) > m.first {
		l := &r.file.Leaves[m.first]
		l.Doc, l.Value, l.Kind, l.Path, l.Key = len(r.file.Docs), "", EmptyMap, r.keep(r.path), Span{}
		if m.key.start >= 0 {
			l.Key = r.span(m.key.start, m.key.end)
		}
		r.dropped--
	}
}

// reroot corrects the depth of the anchors whose leaves the merges move up.
func (m *mapping) reroot(r *yamlReader, depth int) {
	n := 0
	for _, a := range r.made[m.made:] {
		for n < len(m.merges) && a.from >= m.merges[n][1] {
			n++
		}
		if n == len(m.merges) {
			return
		}
		if a.single || a.open || a.from < m.merges[n][0] || a.from == a.to {
			continue
		}
		up := 1
		if p := r.file.Leaves[a.from].Path; len(p) > depth+1 && p[depth+1].Index >= 0 {
			up = 2
		}
		a.depth -= up
		a.lost = a.lost || a.depth < depth
	}
}

func (r *yamlReader) alive(from int) bool {
	for _, l := range r.file.Leaves[from:] {
		if l.Doc >= 0 {
			return true
		}
	}
	return false
}

// merge moves a leaf from below "<<" to the mapping itself, or drops it where the
// key has an owner. What is no mapping stays where it is.
func (r *yamlReader) merge(l *Leaf, depth, n int, owner map[string][2]int) {
	if l.Doc < 0 {
		return
	}
	at, group := depth+1, [2]int{n, 0}
	if len(l.Path) > at && l.Path[at].Index >= 0 {
		group[1] = l.Path[at].Index
		at++
	}
	switch {
	case len(l.Path) > at && l.Path[at].Index < 0:
	case l.Kind == EmptyMap || l.Kind == EmptyList || l.Kind == Null:
		l.Doc = -1
		r.dropped++
		return
	default:
		return
	}
	key := l.Path[at].Key
	if by, taken := owner[key]; taken && by != group {
		l.Doc = -1
		r.dropped++
		return
	}
	owner[key] = group
	base := len(r.path)
	r.path = append(r.path, l.Path[at:]...)
	l.Path = r.keep(r.path)
	r.path = r.path[:base]
}

// compact takes out the leaves that merges have overruled.
func (r *yamlReader) compact(from int) {
	if r.dropped == 0 {
		return
	}
	r.dropped = 0
	gone := make([]int, 0, 8) // positions of dropped leaves
	kept := r.file.Leaves[:from]
	for i, l := range r.file.Leaves[from:] {
		if l.Doc < 0 {
			gone = append(gone, from+i)
			continue
		}
		kept = append(kept, l)
	}
	clear(r.file.Leaves[len(kept):])
	r.file.Leaves = kept
	for _, a := range r.anchors {
		a.from -= sort.SearchInts(gone, a.from)
		a.to -= sort.SearchInts(gone, a.to)
	}
}
