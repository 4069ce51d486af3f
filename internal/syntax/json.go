package syntax

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonReader reads JSON, and forgives what editors' settings have: comments and
// trailing commas. Values in a row (JSON Lines) are documents of their own.
type jsonReader struct {
	*build
	pos   int
	depth int
	bad   error
}

func parseJSON(b *build) *File {
	r := jsonReader{build: b}
	if strings.HasPrefix(r.src, bom) {
		r.pos = len(bom)
	}
	for r.space(); r.pos < len(r.src); r.space() {
		if len(r.file.Docs) >= maxDocs {
			r.fail(errDocs)
			break
		}
		r.begin(r.pos)
		r.value(nowhere)
		if r.bad != nil || r.err != nil {
			break
		}
		r.end(r.pos, nil)
	}
	switch {
	case r.err != nil:
		r.end(len(r.src), r.err)
	case r.bad != nil:
		return r.asLines(fmt.Errorf("not JSON: %w", r.bad))
	}
	return r.done()
}

func (r *jsonReader) wrong(problem string) {
	if r.bad == nil {
		r.bad = fmt.Errorf("line %d: %s", r.file.At(r.pos).Line, problem)
		if problem == "" {
			r.bad = errDepth
		}
	}
}

// space goes to the next token, and keeps the comments on the way.
func (r *jsonReader) space() {
	for r.pos < len(r.src) {
		switch c := r.src[r.pos]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			r.pos++
		case strings.HasPrefix(r.src[r.pos:], "//"):
			end := eol(r.src, r.pos)
			r.comment(stretch{r.pos, end}, 2)
			r.pos = end
		case strings.HasPrefix(r.src[r.pos:], "/*"):
			n := strings.Index(r.src[r.pos+2:], "*/")
			if n < 0 {
				r.wrong("found a comment without its end")
				r.pos = len(r.src)
				return
			}
			r.comment(stretch{r.pos, r.pos + n + 4}, 2)
			r.pos += n + 4
		default:
			return
		}
	}
}

func (r *jsonReader) value(key stretch) {
	if r.bad != nil || r.err != nil {
		return
	}
	if r.depth >= MaxDepth {
		r.wrong("")
		return
	}
	start := r.pos
	if start >= len(r.src) {
		r.wrong("found the end of the file where a value is expected")
		return
	}
	r.depth++
	switch c := r.src[start]; {
	case c == '{':
		r.object(key)
	case c == '[':
		r.array(key)
	case c == '"':
		if text, ok := r.str(); ok {
			r.leaf(text, String, DoubleQuoted, key, stretch{start, r.pos})
		}
	default:
		r.word(key)
	}
	r.depth--
}

func (r *jsonReader) object(key stretch) {
	start := r.pos
	r.pos++
	for n := 0; ; n++ {
		if r.closed('}', n) {
			if n == 0 && r.bad == nil {
				r.leaf("", EmptyMap, Plain, key, stretch{start, r.pos})
			}
			return
		}
		at := r.pos
		if r.src[r.pos] != '"' {
			r.wrong("found something else where a key in double quotes is expected")
			return
		}
		name, ok := r.str()
		if !ok {
			return
		}
		own := stretch{at, r.pos}
		r.space()
		if !strings.HasPrefix(r.src[r.pos:], ":") {
			r.wrong("did not find the ':' behind a key")
			return
		}
		r.pos++
		r.space()
		r.push(K(name))
		r.value(own)
		r.pop()
	}
}

func (r *jsonReader) array(key stretch) {
	start := r.pos
	r.pos++
	for n := 0; ; n++ {
		if r.closed(']', n) {
			if n == 0 && r.bad == nil {
				r.leaf("", EmptyList, Plain, key, stretch{start, r.pos})
			}
			return
		}
		r.push(I(n))
		r.value(nowhere)
		r.pop()
	}
}

// closed goes on to the n-th element of a collection and reports whether the
// collection ends instead, or is broken.
func (r *jsonReader) closed(end byte, n int) bool {
	r.space()
	if r.bad != nil || r.err != nil {
		return true
	}
	if n > 0 && strings.HasPrefix(r.src[r.pos:], ",") {
		r.pos++
		r.space()
	} else if n > 0 && (r.pos >= len(r.src) || r.src[r.pos] != end) {
		r.wrong("did not find the expected ',' or '" + string(rune(end)) + "'")
		return true
	}
	if r.bad != nil {
		return true
	}
	if r.pos >= len(r.src) {
		r.wrong("found the end of the file within a collection")
		return true
	}
	if r.src[r.pos] == end {
		r.pos++
		return true
	}
	return false
}

// word reads a number, true, false or null.
func (r *jsonReader) word(key stretch) {
	start := r.pos
	for r.pos < len(r.src) && (isAnchorByte(r.src[r.pos]) || r.src[r.pos] == '+' || r.src[r.pos] == '.') {
		r.pos++
	}
	text := r.src[start:r.pos]
	kind, ok := jsonKind(text)
	if !ok {
		r.pos = start
		r.wrong("found something else where a value is expected")
		return
	}
	r.leaf(text, kind, Plain, key, stretch{start, r.pos})
}

func jsonKind(text string) (Kind, bool) {
	switch text {
	case "null":
		return Null, true
	case "true", "false":
		return Bool, true
	}
	rest := strings.TrimPrefix(text, "-")
	n := digits(rest)
	if n == 0 || n > 1 && rest[0] == '0' {
		return String, false
	}
	if rest = rest[n:]; rest == "" {
		return Int, true
	}
	if rest[0] == '.' {
		n = digits(rest[1:])
		if n == 0 {
			return String, false
		}
		rest = rest[1+n:]
	}
	if rest != "" && (rest[0] == 'e' || rest[0] == 'E') {
		rest = rest[1:]
		if rest != "" && (rest[0] == '+' || rest[0] == '-') {
			rest = rest[1:]
		}
		n = digits(rest)
		return Float, n > 0 && n == len(rest)
	}
	return Float, rest == ""
}

// str reads the string that begins at the quote at hand.
func (r *jsonReader) str() (string, bool) {
	text, n, err := unquoteJSON(r.src[r.pos:])
	if err != nil {
		r.wrong(err.Error())
		return "", false
	}
	r.pos += n
	return text, true
}

var (
	errOpen   = errors.New("found a string without its end")
	errEscape = errors.New("found an unknown escape in a string")
)

// unquoteJSON decodes the string that src begins with, and tells its length.
func unquoteJSON(src string) (string, int, error) {
	i := 1
	for i < len(src) && src[i] != '"' && src[i] != '\\' && src[i] >= ' ' {
		i++
	}
	if i < len(src) && src[i] == '"' {
		return src[1:i], i + 1, nil
	}
	buf := append(make([]byte, 0, i+32), src[1:i]...)
	for i < len(src) {
		switch c := src[i]; {
		case c == '"':
			return string(buf), i + 1, nil
		case c < ' ':
			return "", 0, errOpen
		case c != '\\':
			buf = append(buf, c)
			i++
		default:
			n := 0
			if buf, n = jsonEscape(buf, src[i:]); n == 0 {
				return "", 0, errEscape
			}
			i += n
		}
	}
	return "", 0, errOpen
}

// jsonEscape appends what the escape at the start of src stands for, and tells its
// length, 0 for an unknown one. Half a surrogate pair is the replacement character.
func jsonEscape(buf []byte, src string) ([]byte, int) {
	if len(src) < 2 {
		return buf, 0
	}
	if i := strings.IndexByte(`"\/bfnrt`, src[1]); i >= 0 {
		return append(buf, "\"\\/\b\f\n\r\t"[i]), 2
	}
	r, ok := hexUnit(src)
	if !ok {
		return buf, 0
	}
	if utf16.IsSurrogate(r) {
		if low, ok := hexUnit(src[6:]); ok {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				return utf8.AppendRune(buf, pair), 12
			}
		}
		r = utf8.RuneError
	}
	return utf8.AppendRune(buf, r), 6
}

// hexUnit reads \u and four hexadecimal digits, surrogates included.
func hexUnit(src string) (rune, bool) {
	if len(src) < 6 || src[0] != '\\' || src[1] != 'u' {
		return 0, false
	}
	high, ok1 := hexRune(src, 2, 2)
	low, ok2 := hexRune(src, 4, 2)
	return high<<8 | low, ok1 && ok2
}
