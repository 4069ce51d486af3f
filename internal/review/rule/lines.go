package rule

import (
	"bytes"
	"iter"
)

// linesWith yields the lines of data, from 1, that hold text.
func linesWith(data []byte, text string) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		if !bytes.Contains(data, []byte(text)) {
			return
		}
		n := 0
		for line := range bytes.Lines(data) {
			if n++; bytes.Contains(line, []byte(text)) && !yield(n, string(line)) {
				return
			}
		}
	}
}

// lineOffset is where a line begins, in bytes.
func lineOffset(data []byte, line int) int {
	at := 0
	for ; line > 1; line-- {
		i := bytes.IndexByte(data[at:], '\n')
		if i < 0 {
			return at
		}
		at += i + 1
	}
	return at
}
