package syntax

import (
	"math/bits"
	"strings"
	"unicode/utf8"
)

// Eight bytes at a time: most of a file is text that needs no look at every byte.

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// eight returns the eight bytes of text from i on, the first one lowest.
func eight(text string, i int) uint64 {
	b := text[i : i+8]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

// below marks the bytes of x that are less than n (at most 128); a mark above the
// lowest one may be wrong.
func below(x, n uint64) uint64 { return (x - ones*n) &^ x & highs }

// isASCII reports whether text has no byte of 128 or more.
func isASCII(text string) bool {
	i := 0
	for ; i+8 <= len(text); i += 8 {
		if eight(text, i)&highs != 0 {
			return false
		}
	}
	for ; i < len(text); i++ {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// cleanText reports whether text is UTF-8 without the control characters that YAML
// forbids.
func cleanText(text string) bool {
	for i := 0; i < len(text); {
		if i+8 <= len(text) {
			x := eight(text, i)
			if odd := (x | below(x, ' ') | (x + ones)) & highs; odd == 0 {
				i += 8
				continue
			}
		}
		n := cleanRune(text[i:])
		if n == 0 {
			return false
		}
		i += n
	}
	return true
}

// cleanRune returns the length of the code point that text begins with, 0 where it
// may not stand in YAML.
func cleanRune(text string) int {
	c := text[0]
	if c < utf8.RuneSelf {
		if c >= ' ' && c != 0x7F || c == '\n' || c == '\t' || c == '\r' {
			return 1
		}
		return 0
	}
	r, n := utf8.DecodeRuneInString(text)
	if r == utf8.RuneError && n == 1 || r < 0xA0 && r != 0x85 || r == 0xFFFE || r == 0xFFFF {
		return 0
	}
	return n
}

// plainRun returns how many bytes from i on are certainly inside of a word of a
// plain scalar in block style.
func plainRun(text string, i int) int {
	start := i
	for ; i+8 <= len(text); i += 8 {
		x := eight(text, i)
		if ends := (x & highs) | below(x, ' '+1) | below(x^(ones*':'), 1); ends != 0 {
			return i + bits.TrailingZeros64(ends)/8 - start
		}
	}
	return i - start
}

// lastLine returns how many line breaks text has, and the length of what is behind
// the last of them.
func lastLine(text string) (breaks, rest int) {
	n := strings.LastIndexByte(text, '\n')
	if n < 0 {
		return 0, len(text)
	}
	return 1 + strings.Count(text[:n], "\n"), len(text) - n - 1
}
