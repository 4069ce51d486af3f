package syntax

import (
	"strconv"
	"strings"
	"unicode"
)

func (s Step) write(b *strings.Builder, first bool) {
	if s.Index >= 0 {
		b.WriteByte('[')
		b.WriteString(strconv.Itoa(s.Index))
		b.WriteByte(']')
		return
	}
	if !first {
		b.WriteByte('.')
	}
	if s.Key == "" || strings.ContainsFunc(s.Key, needsQuotes) {
		b.WriteString(strconv.Quote(s.Key))
		return
	}
	b.WriteString(s.Key)
}

func needsQuotes(r rune) bool {
	return r == '.' || r == '[' || r == ']' || r == '"' || unicode.IsSpace(r) || !unicode.IsPrint(r)
}

// HasPrefix reports whether the path begins with the mapping keys given.
func (p Path) HasPrefix(keys ...string) bool {
	if len(p) < len(keys) {
		return false
	}
	for i, k := range keys {
		if p[i].Index >= 0 || p[i].Key != k {
			return false
		}
	}
	return true
}
