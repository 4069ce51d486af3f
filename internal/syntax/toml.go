package syntax

import (
	"fmt"
	"strings"
)

// tomlReader reads TOML: tables and dotted keys are steps of the path, the elements
// of arrays of tables their indexes.
type tomlReader struct {
	*build
	pos    int
	depth  int
	table  Path
	counts map[string]int // elements of each array of tables so far
	bad    error
}

func (r *tomlReader) wrong(problem string) {
	if r.bad == nil {
		r.bad = fmt.Errorf("line %d: %s", r.file.At(min(r.pos, len(r.src))).Line, problem)
	}
}

func (r *tomlReader) ok() bool { return r.bad == nil && r.err == nil }

func (r *tomlReader) read() {
	r.counts = map[string]int{}
	for r.space(true); r.pos < len(r.src) && r.ok(); r.space(true) {
		if r.src[r.pos] == '[' {
			r.header()
		} else {
			r.path = append(r.path[:0], r.table...)
			r.pair()
		}
		r.space(false)
		if r.ok() && r.pos < len(r.src) && r.src[r.pos] != '\n' {
			r.wrong("did not find the expected end of the line")
		}
	}
}

// space goes to the next token, over line breaks too if lines is set.
func (r *tomlReader) space(lines bool) {
	for r.pos < len(r.src) {
		switch c := r.src[r.pos]; {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n' && lines:
			r.pos++
		case c == '#':
			end := eol(r.src, r.pos)
			r.comment(stretch{r.pos, end}, 1)
			r.pos = end
		default:
			return
		}
	}
}

// header reads [a.b] or [[a.b]].
func (r *tomlReader) header() {
	r.pos++
	list := strings.HasPrefix(r.src[r.pos:], "[")
	closing := "]"
	if list {
		r.pos++
		closing = "]]"
	}
	r.path = r.path[:0]
	r.key()
	if !strings.HasPrefix(r.src[r.pos:], closing) {
		r.wrong("did not find the expected ']'")
		return
	}
	r.pos += len(closing)
	r.table = r.table[:0]
	name := ""
	for i, s := range r.path {
		name += "\x00" + s.Key
		r.table = append(r.table, s)
		n, repeated := r.counts[name]
		switch {
		case list && i == len(r.path)-1:
			r.counts[name] = n + 1
			r.table = append(r.table, I(n))
		case repeated:
			r.table = append(r.table, I(n-1))
		}
	}
}

// key reads a dotted key onto the path, up to what follows it; the stretch is that
// of its last part.
func (r *tomlReader) key() (last stretch) {
	for r.ok() {
		r.space(false)
		start := r.pos
		name := ""
		switch rest := r.src[r.pos:]; {
		case strings.HasPrefix(rest, `"""`) || strings.HasPrefix(rest, "'''"):
			r.wrong("found a key of several lines")
		case strings.HasPrefix(rest, `"`) || strings.HasPrefix(rest, "'"):
			name, _, _ = r.str()
		default:
			for r.pos < len(r.src) && (isAnchorByte(r.src[r.pos]) || r.src[r.pos] >= 0x80) {
				r.pos++
			}
			if name = r.src[start:r.pos]; name == "" {
				r.wrong("did not find the expected key")
			}
		}
		last = stretch{start, r.pos}
		if len(r.path) >= MaxDepth {
			r.bad = errDepth
			return last
		}
		r.push(K(name))
		r.space(false)
		if r.pos >= len(r.src) || r.src[r.pos] != '.' {
			return last
		}
		r.pos++
	}
	return last
}

// pair reads key = value; the path is left as deep as the key made it.
func (r *tomlReader) pair() {
	key := r.key()
	if !r.ok() {
		return
	}
	if r.pos >= len(r.src) || r.src[r.pos] != '=' {
		r.wrong("did not find the expected '='")
		return
	}
	r.pos++
	r.space(false)
	r.value(key)
}

func (r *tomlReader) value(key stretch) {
	if r.pos >= len(r.src) {
		r.wrong("found the end of the file where a value is expected")
		return
	}
	if r.depth++; r.depth > MaxDepth {
		r.bad = errDepth
		return
	}
	start := r.pos
	switch r.src[r.pos] {
	case '"', '\'':
		if text, style, ok := r.str(); ok {
			r.leaf(text, String, style, key, stretch{start, r.pos})
		}
	case '[':
		r.array(key)
	case '{':
		r.inline(key)
	default:
		r.word(key)
	}
	r.depth--
}

// word reads a number, a date or a boolean.
func (r *tomlReader) word(key stretch) {
	start := r.pos
	for r.pos < len(r.src) && strings.IndexByte(",]}#\r\n", r.src[r.pos]) < 0 {
		r.pos++
	}
	end := r.pos
	for end > start && isBlank(r.src, end-1) {
		end--
	}
	text := r.src[start:end]
	if text == "" {
		r.wrong("did not find the expected value")
		return
	}
	kind := plainKind(text)
	switch text {
	case "inf", "+inf", "-inf", "nan", "+nan", "-nan":
		kind = Float
	}
	if kind == Null {
		kind = String
	}
	r.leaf(text, kind, Plain, key, stretch{start, end})
}

func (r *tomlReader) array(key stretch) {
	start := r.pos
	r.pos++
	for n := 0; ; n++ {
		r.space(true)
		if n > 0 && strings.HasPrefix(r.src[r.pos:], ",") {
			r.pos++
			r.space(true)
		} else if n > 0 && !strings.HasPrefix(r.src[r.pos:], "]") {
			r.wrong("did not find the expected ',' or ']'")
		}
		if !r.ok() {
			return
		}
		if strings.HasPrefix(r.src[r.pos:], "]") {
			r.pos++
			if n == 0 {
				r.leaf("", EmptyList, Plain, key, stretch{start, r.pos})
			}
			return
		}
		r.push(I(n))
		r.value(nowhere)
		r.pop()
	}
}

func (r *tomlReader) inline(key stretch) {
	start, depth := r.pos, len(r.path)
	r.pos++
	for n := 0; ; n++ {
		r.space(true)
		if n > 0 && strings.HasPrefix(r.src[r.pos:], ",") {
			r.pos++
			r.space(true)
		} else if n > 0 && !strings.HasPrefix(r.src[r.pos:], "}") {
			r.wrong("did not find the expected ',' or '}'")
		}
		if !r.ok() {
			return
		}
		if strings.HasPrefix(r.src[r.pos:], "}") {
			r.pos++
			if n == 0 {
				r.leaf("", EmptyMap, Plain, key, stretch{start, r.pos})
			}
			return
		}
		r.pair()
		r.path = r.path[:depth]
	}
}

// str reads a string in any of TOML's four kinds of quotes.
func (r *tomlReader) str() (string, Style, bool) {
	quote := r.src[r.pos : r.pos+1]
	style := SingleQuoted
	if quote == `"` {
		style = DoubleQuoted
	}
	if long := strings.Repeat(quote, 3); strings.HasPrefix(r.src[r.pos:], long) {
		quote = long
	}
	i := r.pos + len(quote)
	for i < len(r.src) && !strings.HasPrefix(r.src[i:], quote) && (len(quote) == 3 || r.src[i] != '\n') {
		if style == DoubleQuoted && r.src[i] == '\\' {
			i++
		}
		i++
	}
	if i >= len(r.src) || r.src[i] == '\n' {
		r.wrong("found a string without its end")
		return "", style, false
	}
	for n := 0; n < 2 && len(quote) == 3 && strings.HasPrefix(r.src[i+1:], quote); n++ {
		i++ // quotes that belong to the text
	}
	text := r.src[r.pos+len(quote) : i]
	r.pos = i + len(quote)
	text, ok := unquoteTOML(text, len(quote) == 3, style)
	if !ok {
		r.wrong("found an unknown escape in a string")
	}
	return text, style, ok
}

// unquoteTOML decodes the inside of a string.
func unquoteTOML(text string, long bool, style Style) (string, bool) {
	if long {
		text = strings.TrimPrefix(strings.TrimPrefix(text, "\r"), "\n")
	}
	if style == SingleQuoted || !strings.Contains(text, `\`) {
		return text, true
	}
	buf := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			buf = append(buf, text[i])
			continue
		}
		if i++; i >= len(text) {
			return "", false
		}
		switch c := text[i]; {
		case strings.IndexByte(`btnfre"\`, c) >= 0:
			buf = append(buf, escapes[c]...)
		case c == 'u' || c == 'U' || c == 'x':
			n := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]
			r, ok := hexRune(text, i+1, n)
			if !ok {
				return "", false
			}
			buf = append(buf, string(r)...)
			i += n
		default:
			rest := strings.TrimLeft(text[i:], " \t\r\n")
			if !long || !strings.Contains(text[i:len(text)-len(rest)], "\n") {
				return "", false
			}
			i = len(text) - len(rest) - 1
		}
	}
	return string(buf), true
}
