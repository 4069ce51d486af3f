package repo

import "bytes"

// maxEdits bounds the work of comparing lines: where two texts differ in more, all
// lines between the first and the last difference count as added.
const maxEdits = 1_000

// AddedLines returns the lines of after that before does not have, in order.
func AddedLines(before, after []byte) []Lines {
	if len(after) == 0 {
		return nil
	}
	if len(before) > maxCompared || len(after) > maxCompared {
		return []Lines{{1, bytes.Count(after, []byte("\n")) + 1}}
	}
	a, b := bytes.SplitAfter(before, []byte("\n")), bytes.SplitAfter(after, []byte("\n"))
	a, b = trimEmpty(a), trimEmpty(b)
	first := 0
	for first < len(a) && first < len(b) && bytes.Equal(a[first], b[first]) {
		first++
	}
	last := 0
	for last < len(a)-first && last < len(b)-first && bytes.Equal(a[len(a)-1-last], b[len(b)-1-last]) {
		last++
	}
	a, b = a[first:len(a)-last], b[first:len(b)-last]
	switch {
	case len(b) == 0:
		return nil
	case len(a) == 0:
		return []Lines{{first + 1, first + len(b)}}
	}
	return runs(added(number(a, b)), first)
}

func trimEmpty(lines [][]byte) [][]byte {
	if n := len(lines); n > 0 && len(lines[n-1]) == 0 {
		return lines[:n-1]
	}
	return lines
}

// number gives equal lines equal numbers.
func number(a, b [][]byte) (x, y []int) {
	ids := map[string]int{}
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

// added marks the elements of b that are not in a longest common subsequence with a,
// by Myers' algorithm.
func added(a, b []int) []bool {
	trace, ok := shortestEdit(a, b)
	mark := make([]bool, len(b))
	if !ok {
		for i := range mark {
			mark[i] = true
		}
		return mark
	}
	x, y := len(a), len(b)
	for d := len(trace) - 1; d >= 0 && (x > 0 || y > 0); d-- {
		v, k := trace[d], x-y
		prev := k - 1
		if k == -d || k != d && v[k-1+d+1] < v[k+1+d+1] {
			prev = k + 1
		}
		px := v[prev+d+1]
		py := px - prev
		for x > px && y > py {
			x, y = x-1, y-1
		}
		if d > 0 {
			if x == px {
				y--
				mark[y] = true
			} else {
				x--
			}
		}
	}
	return mark
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
