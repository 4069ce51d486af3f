package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes untrusted text safe to stand anywhere in a line that a person or a
// workflow runner reads: it has no line break, no control or formatting character
// (direction overrides and escape sequences among them), no invalid UTF-8 and no
// workflow command. What it takes out stays visible as an escape.
func Clean(s string) string {
	if strings.IndexFunc(s, isHidden) >= 0 || !utf8.ValidString(s) {
		var b strings.Builder
		for i := 0; i < len(s); {
			r, n := utf8.DecodeRuneInString(s[i:])
			b.WriteString(visible(r, s[i:i+n]))
			i += n
		}
		s = b.String()
	}
	return inert(s)
}

// isHidden reports whether r ends a line or is not seen: Cc, Cf, U+2028, U+2029.
func isHidden(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

// visible returns raw, the bytes of r, as text that shows.
func visible(r rune, raw string) string {
	switch {
	case r == utf8.RuneError && len(raw) == 1:
		return fmt.Sprintf(`\x%02x`, raw[0])
	case r == '\n':
		return `\n`
	case r == '\r':
		return `\r`
	case r == '\t':
		return `\t`
	case isHidden(r) && r > 0xFFFF:
		return fmt.Sprintf(`\U%08x`, r)
	case isHidden(r):
		return fmt.Sprintf(`\u%04x`, r)
	}
	return raw
}

// inert keeps one line of text from being a workflow command. The runner finds
// "##[name]" anywhere in a line, and "::name::" at its beginning, behind whatever
// Unicode calls white space. Text that went through it once stays as it is.
func inert(line string) string {
	for from := 0; ; {
		i := strings.Index(line[from:], "##[")
		if i < 0 {
			break
		}
		from += i + len("##[")
		if !strings.HasPrefix(line[from:], `\`) {
			line = line[:from] + `\` + line[from:]
		}
	}
	rest := strings.TrimLeftFunc(line, unicode.IsSpace)
	if strings.HasPrefix(rest, "::") {
		return line[:len(line)-len(rest)] + `\` + rest
	}
	return line
}
