package syntax

import "strings"

// propertiesReader reads Java's properties. A dotted name is one step for each part.
type propertiesReader struct {
	*build
	pos int
}

func (r *propertiesReader) read() {
	for r.pos < len(r.src) && r.err == nil {
		r.line()
	}
}

func (r *propertiesReader) line() {
	start, end := r.pos, eol(r.src, r.pos)
	r.pos = nextLine(r.src, r.pos)
	start = skipBlanks(r.src, start, end)
	if start == end {
		return
	}
	if r.src[start] == '#' || r.src[start] == '!' {
		r.comment(stretch{start, end}, 1)
		return
	}
	for continues(r.src[start:end]) && r.pos < len(r.src) {
		end = eol(r.src, r.pos)
		r.pos = nextLine(r.src, r.pos)
	}
	keyEnd := start
	for keyEnd < end && strings.IndexByte("=: \t", r.src[keyEnd]) < 0 {
		if r.src[keyEnd] == '\\' && keyEnd+1 < end {
			keyEnd++
		}
		keyEnd++
	}
	at := skipBlanks(r.src, keyEnd, end)
	if at < end && (r.src[at] == '=' || r.src[at] == ':') {
		at++
	}
	if from := skipBlanks(r.src, at, end); from < end {
		at = from
	} else {
		end = at
	}
	r.path = r.path[:0]
	for _, part := range strings.SplitN(unescapeProperty(r.src[start:keyEnd]), ".", MaxDepth) {
		r.push(K(part))
	}
	r.leaf(unescapeProperty(r.src[at:end]), String, Plain, stretch{start, keyEnd}, stretch{at, end})
}

// continues reports whether a line ends in an odd number of backslashes.
func continues(line string) bool {
	n := len(line) - len(strings.TrimRight(line, `\`))
	return n%2 == 1
}

// unescapeProperty decodes what a backslash escapes, joined lines included.
func unescapeProperty(text string) string {
	if !strings.Contains(text, `\`) {
		return text
	}
	buf := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			buf = append(buf, text[i])
			continue
		}
		i++
		switch c := text[i]; c {
		case 'n', 't', 'r', 'f':
			buf = append(buf, escapes[c]...)
		case 'u':
			if r, ok := hexRune(text, i+1, 4); ok {
				buf = append(buf, string(r)...)
				i += 4
				continue
			}
			buf = append(buf, c)
		case '\r', '\n':
			if c == '\r' && i+1 < len(text) && text[i+1] == '\n' {
				i++
			}
			for isBlank(text, i+1) {
				i++
			}
		default:
			buf = append(buf, c)
		}
	}
	return string(buf)
}
