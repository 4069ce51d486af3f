package syntax

import "iter"

// run is a stretch of a document's leaves whose paths begin with one step.
type run struct {
	step     Step
	from, to int
}

// findRuns returns the runs of leaves, which [Doc.Get] and [Doc.Under] look through
// instead of the leaves.
func findRuns(leaves []Leaf) []run {
	n := 0
	for i, l := range leaves {
		if i == 0 || !sameTop(leaves[i-1].Path, l.Path) {
			n++
		}
	}
	runs := make([]run, 0, n)
	for i, l := range leaves {
		if i == 0 || !sameTop(leaves[i-1].Path, l.Path) {
			r := run{step: I(-2), from: i}
			if len(l.Path) > 0 {
				r.step = l.Path[0]
			}
			runs = append(runs, r)
		}
		runs[len(runs)-1].to = i + 1
	}
	return runs
}

func sameTop(a, b Path) bool {
	if len(a) == 0 || len(b) == 0 {
		return len(a) == len(b)
	}
	return a[0] == b[0]
}

// Get returns the leaf at exactly the mapping keys given; of several, the last, as
// readers of duplicate keys do.
func (d Doc) Get(keys ...string) (Leaf, bool) {
	var found *Leaf
	for leaves := range d.within(keys) {
		for i := len(leaves) - 1; i >= 0; i-- {
			if p := leaves[i].Path; len(p) == len(keys) && p.HasPrefix(keys...) {
				found = &leaves[i]
				break
			}
		}
	}
	if found == nil {
		return Leaf{}, false
	}
	return *found, true
}

// Str returns the value of the leaf at exactly the mapping keys given, or "".
func (d Doc) Str(keys ...string) string {
	l, _ := d.Get(keys...)
	return l.Value
}

// Under returns the leaves below the mapping keys given, in source order. The slice
// may be a window into d.Leaves: it must not be changed.
func (d Doc) Under(keys ...string) []Leaf {
	if len(keys) == 0 {
		return d.Leaves
	}
	var out []Leaf
	for leaves := range d.within(keys) {
		for i := 0; i < len(leaves); i++ {
			from := i
			for i < len(leaves) && len(leaves[i].Path) > len(keys) && leaves[i].Path.HasPrefix(keys...) {
				i++
			}
			switch {
			case i > from && out == nil:
				out = leaves[from:i:i]
			case i > from:
				out = append(out, leaves[from:i]...)
			}
		}
	}
	return out
}

// within yields the stretches of leaves that can hold what is at or below keys.
func (d Doc) within(keys []string) iter.Seq[[]Leaf] {
	return func(yield func([]Leaf) bool) {
		if len(d.runs) == 0 || len(keys) == 0 {
			yield(d.Leaves)
			return
		}
		for _, r := range d.runs {
			if r.step.Index == -1 && r.step.Key == keys[0] && !yield(d.Leaves[r.from:r.to]) {
				return
			}
		}
	}
}

// Item is one element of a list.
type Item struct {
	Index  int
	Leaves []Leaf // with their paths from the document's root

	depth int
}

// Items returns the elements of the list at the mapping keys given, in source order;
// an element that is a lone scalar has one leaf.
func (d Doc) Items(keys ...string) []Item { return items(d.Under(keys...), len(keys)) }

// Get returns the leaf at exactly the mapping keys given below the element; without
// keys, the element itself where it is a scalar. Of several it is the last.
func (it Item) Get(keys ...string) (Leaf, bool) {
	for i := len(it.Leaves) - 1; i >= 0; i-- {
		if p := it.Leaves[i].Path[it.depth:]; len(p) == len(keys) && p.HasPrefix(keys...) {
			return it.Leaves[i], true
		}
	}
	return Leaf{}, false
}

// Str returns the value of the leaf that Get returns, or "".
func (it Item) Str(keys ...string) string {
	l, _ := it.Get(keys...)
	return l.Value
}

// Under returns the leaves below the mapping keys given below the element.
func (it Item) Under(keys ...string) []Leaf {
	var out []Leaf
	for _, l := range it.Leaves {
		if p := l.Path[it.depth:]; len(p) > len(keys) && p.HasPrefix(keys...) {
			out = append(out, l)
		}
	}
	return out
}

// Items returns the elements of a list below the element.
func (it Item) Items(keys ...string) []Item {
	return items(it.Under(keys...), it.depth+len(keys))
}

func items(leaves []Leaf, depth int) []Item {
	var out []Item
	for i := 0; i < len(leaves); {
		step := leaves[i].Path[depth]
		from := i
		for i < len(leaves) && leaves[i].Path[depth] == step {
			i++
		}
		if step.Index >= 0 {
			out = append(out, Item{Index: step.Index, Leaves: leaves[from:i:i], depth: depth + 1})
		}
	}
	return out
}
