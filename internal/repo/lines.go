package repo

import "bytes"

const (
	// maxEdits bounds the work of comparing a stretch of lines that have no unique line
	// in common: where they differ in more, all of them count as added.
	maxEdits = 512
	// maxSplits bounds how often a stretch is split at its unique lines.
	maxSplits = 24
)

// AddedLines returns the lines of after that before does not have, ascending. Texts
// that are too large or differ too much to be compared line by line are told less
// exactly: then more lines count as added, never fewer.
func AddedLines(before, after []byte) []Lines {
	first, a, b := trim(before, after)
	switch {
	case len(b) == 0:
		return nil
	case len(a) == 0 || len(a) > maxCompared || len(b) > maxCompared:
		return []Lines{{first + 1, first + countLines(b)}}
	}
	x, y := number(lines(a), lines(b))
	d := lineDiff{added: make([]bool, len(y))}
	d.stretch(x, y, 0, maxSplits)
	return runs(d.added, first)
}

// trim cuts the lines that both texts begin with, and end with, and returns how many
// lines it cut at the beginning.
func trim(a, b []byte) (first int, x, y []byte) {
	n := min(len(a), len(b))
	i := 0
	for i < n && a[i] == b[i] {
		i++
	}
	if i == len(a) && i == len(b) {
		return 0, nil, nil
	}
	i = bytes.LastIndexByte(a[:i], '\n') + 1
	first = bytes.Count(a[:i], []byte("\n"))
	a, b = a[i:], b[i:]
	n = min(len(a), len(b))
	j := 0
	for j < n && a[len(a)-1-j] == b[len(b)-1-j] {
		j++
	}
	// What is cut at the end begins with a whole line, on both sides.
	cut := bytes.IndexByte(a[len(a)-j:], '\n') + 1
	if startsLine(a, len(a)-j) && startsLine(b, len(b)-j) {
		cut = 0
	} else if cut == 0 {
		cut = j
	}
	return first, a[:len(a)-j+cut], b[:len(b)-j+cut]
}

func startsLine(text []byte, i int) bool { return i == 0 || text[i-1] == '\n' }

func countLines(text []byte) int {
	n := bytes.Count(text, []byte("\n"))
	if len(text) > 0 && text[len(text)-1] != '\n' {
		n++
	}
	return n
}

func lines(text []byte) [][]byte {
	out := make([][]byte, 0, countLines(text))
	for line := range bytes.Lines(text) {
		out = append(out, line)
	}
	return out
}

// number gives equal lines equal numbers, from 0.
func number(a, b [][]byte) (x, y []int) {
	ids := make(map[string]int, len(a)+len(b))
	of := func(lines [][]byte) []int {
		out := make([]int, len(lines))
		for i, l := range lines {
			id, ok := ids[string(l)]
			if !ok {
				id = len(ids)
				ids[string(l)] = id
			}
			out[i] = id
		}
		return out
	}
	return of(a), of(b)
}

// lineDiff marks what is added.
type lineDiff struct{ added []bool }

// stretch compares a with b, which begins at offset at of the whole. It splits at the
// lines that are in both once (as patience diff does), and compares what is left
// between them by the shortest edit.
func (d *lineDiff) stretch(a, b []int, at, splits int) {
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b, at = a[1:], b[1:], at+1
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	if len(a) == 0 || len(b) == 0 {
		d.mark(at, len(b))
		return
	}
	if len(a)+len(b) > maxEdits && splits > 0 {
		if anchors := uniquePairs(a, b); len(anchors) > 0 {
			i, j := 0, 0
			for _, p := range anchors {
				d.stretch(a[i:p.a], b[j:p.b], at+j, splits-1)
				i, j = p.a+1, p.b+1
			}
			d.stretch(a[i:], b[j:], at+j, splits-1)
			return
		}
	}
	d.shortest(a, b, at)
}

func (d *lineDiff) mark(at, n int) {
	for i := range n {
		d.added[at+i] = true
	}
}

// shortest marks the elements of b that are not in a longest common subsequence with
// a, by Myers' algorithm.
func (d *lineDiff) shortest(a, b []int, at int) {
	trace, ok := shortestEdit(a, b)
	if !ok {
		d.mark(at, len(b))
		return
	}
	x, y := len(a), len(b)
	for n := len(trace) - 1; n >= 0 && (x > 0 || y > 0); n-- {
		v, k := trace[n], x-y
		prev := k - 1
		if k == -n || k != n && v[k-1+n+1] < v[k+1+n+1] {
			prev = k + 1
		}
		px := v[prev+n+1]
		py := px - prev
		for x > px && y > py {
			x, y = x-1, y-1
		}
		if n > 0 {
			if x == px {
				y--
				d.added[at+y] = true
			} else {
				x--
			}
		}
	}
}

// shortestEdit keeps, for each number of edits d, the furthest x on the diagonals
// -d-1 to d+1 before that edit; ok is false where maxEdits do not suffice.
func shortestEdit(a, b []int) (trace [][]int, ok bool) {
	limit := min(len(a)+len(b), maxEdits)
	v := make([]int, 2*limit+3)
	off := limit + 1
	for d := 0; d <= limit; d++ {
		trace = append(trace, append([]int(nil), v[off-d-1:off+d+2]...))
		for k := -d; k <= d; k += 2 {
			x := v[off+k-1] + 1
			if k == -d || k != d && v[off+k-1] < v[off+k+1] {
				x = v[off+k+1]
			}
			y := x - k
			for x < len(a) && y < len(b) && a[x] == b[y] {
				x, y = x+1, y+1
			}
			v[off+k] = x
			if x >= len(a) && y >= len(b) {
				return trace, true
			}
		}
	}
	return nil, false
}

// pair is a line of a and the same line of b, by index.
type pair struct{ a, b int }

// uniquePairs returns lines that are in a once and in b once, as many of them as
// stand in the same order in both.
func uniquePairs(a, b []int) []pair {
	type place struct{ inA, inB, a, b int }
	places := map[int]*place{}
	for i, line := range a {
		p := places[line]
		if p == nil {
			p = &place{}
			places[line] = p
		}
		p.inA, p.a = p.inA+1, i
	}
	for i, line := range b {
		if p := places[line]; p != nil {
			p.inB, p.b = p.inB+1, i
		}
	}
	var all []pair // in the order of a
	for i, line := range a {
		if p := places[line]; p.inA == 1 && p.inB == 1 {
			all = append(all, pair{i, p.b})
		}
	}
	return longestAscending(all)
}

// longestAscending is the longest subsequence whose b ascend, by patience sorting.
func longestAscending(all []pair) []pair {
	var piles []int // index of the top of each
	before := make([]int, len(all))
	for i, p := range all {
		lo, hi := 0, len(piles)
		for lo < hi {
			mid := (lo + hi) / 2
			if all[piles[mid]].b < p.b {
				lo = mid + 1
			} else {
				hi = mid
			}
		}
		before[i] = -1
		if lo > 0 {
			before[i] = piles[lo-1]
		}
		if lo == len(piles) {
			piles = append(piles, i)
		} else {
			piles[lo] = i
		}
	}
	out := make([]pair, len(piles))
	if len(piles) == 0 {
		return nil
	}
	for i, n := piles[len(piles)-1], len(piles)-1; n >= 0; i, n = before[i], n-1 {
		out[n] = all[i]
	}
	return out
}

// runs joins marked lines; the first of them is line offset+1.
func runs(mark []bool, offset int) []Lines {
	var out []Lines
	for i, m := range mark {
		switch {
		case !m:
		case len(out) > 0 && out[len(out)-1].Last == offset+i:
			out[len(out)-1].Last++
		default:
			out = append(out, Lines{offset + i + 1, offset + i + 1})
		}
	}
	return out
}
