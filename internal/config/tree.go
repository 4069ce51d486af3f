package config

import (
	"bytes"

	"github.com/sealward/sealward/internal/syntax"
)

// node is one value of the file with its place: a scalar, a mapping or a list.
type node struct {
	key    string      // under which its mapping holds it
	at     syntax.Span // of the key, or of the value in a list
	leaf   *syntax.Leaf
	fields []*node
	items  []*node
	twice  syntax.Span // of the same key again
	last   *node       // the child that a leaf was put into last
}

// treeOf builds the tree from a document's leaves, in the order of the source.
func treeOf(f *syntax.File, d syntax.Doc) *node {
	root := &node{at: d.Span}
	index := map[*node]map[string]*node{}
	for i := range d.Leaves {
		l := &d.Leaves[i]
		n := root
		for depth, step := range l.Path {
			n = n.child(index, step, func() syntax.Span { return keySpan(f, l, depth) })
		}
		if n.leaf != nil || len(n.fields)+len(n.items) > 0 {
			n.again(keySpan(f, l, len(l.Path)-1))
		}
		n.leaf = l
	}
	return root
}

func (n *node) child(index map[*node]map[string]*node, step syntax.Step, at func() syntax.Span) *node {
	if step.Index >= 0 {
		if step.Index == len(n.items)-1 {
			return n.items[step.Index]
		}
		item := &node{at: at()}
		n.items = append(n.items, item)
		return item
	}
	c := index[n][step.Key]
	switch {
	case c == nil:
		c = &node{key: step.Key, at: at()}
		n.fields = append(n.fields, c)
		if index[n] == nil {
			index[n] = map[string]*node{}
		}
		index[n][step.Key] = c
	case n.last != c:
		c.again(at())
	}
	n.last = c
	return c
}

func (n *node) again(at syntax.Span) {
	if n.twice.IsZero() {
		n.twice = at
	}
}

// keySpan is the place of the key at a depth of a leaf's path. Leaves know their
// last key only: the keys above are looked for backwards from there.
func keySpan(f *syntax.File, l *syntax.Leaf, depth int) syntax.Span {
	here := l.Key
	if here.IsZero() || l.Path[len(l.Path)-1].Index >= 0 {
		here = l.Span
	}
	if depth == len(l.Path)-1 || l.Path[depth].Index >= 0 || here.Start.Offset > len(f.Data) {
		return here
	}
	before := f.Data[:here.Start.Offset]
	for end := depth + 1; end > depth; end-- {
		for i := len(l.Path) - 2; i >= depth; i-- {
			if l.Path[i].Index >= 0 {
				continue
			}
			cut := bytes.LastIndex(before, []byte(l.Path[i].Key))
			if cut < 0 {
				return here
			}
			before = before[:cut]
		}
	}
	start := len(before)
	return syntax.Span{File: f.Name, Start: f.At(start), End: f.At(start + len(l.Path[depth].Key))}
}
