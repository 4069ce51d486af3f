package syntax

import (
	"fmt"
	"strings"
)

// iniReader reads files of sections. A key before any section is in DEFAULT, where
// SOPS puts it; [a "b"] (git) is two steps.
type iniReader struct {
	*build
	pos     int
	section Path
}

func parseINI(b *build) *File {
	b.begin(0)
	start := 0
	if strings.HasPrefix(b.src, bom) {
		start = len(bom)
	}
	file := withoutPurpose(base(b.file.Name))
	switch {
	case strings.HasSuffix(file, ".toml") || strings.HasSuffix(file, ".lock") || file == "pipfile":
		r := tomlReader{build: b, pos: start}
		if r.read(); r.bad != nil && b.err == nil {
			return b.asLines(fmt.Errorf("not TOML: %w", r.bad))
		}
	case strings.HasSuffix(file, ".properties"):
		r := propertiesReader{build: b, pos: start}
		r.read()
	default:
		r := iniReader{build: b, pos: start, section: Path{K("DEFAULT")}}
		for r.pos < len(r.src) && r.err == nil {
			r.line()
		}
	}
	b.end(len(b.src), b.err)
	return b.done()
}

func (r *iniReader) line() {
	start, end := r.pos, eol(r.src, r.pos)
	r.pos = nextLine(r.src, r.pos)
	at := skipBlanks(r.src, start, end)
	text := strings.TrimRight(r.src[at:end], " \t")
	switch {
	case text == "":
	case text[0] == '#' || text[0] == ';':
		r.comment(stretch{at, end}, 1)
	case text[0] == '[' && r.header(text, at):
	default:
		r.entry(at-start, at, at+len(text))
	}
}

// header reads [section], with what git and TOML may write inside.
func (r *iniReader) header(text string, at int) bool {
	n := strings.LastIndexByte(text, ']')
	if i := strings.Index(text, "]"); i > 0 && i < n {
		if rest := strings.TrimLeft(text[i+1:], " \t"); rest != "" && (rest[0] == '#' || rest[0] == ';') {
			n = i
		}
	}
	if n < 0 {
		return false
	}
	if rest := strings.TrimLeft(text[n+1:], " \t"); rest != "" {
		if rest[0] != '#' && rest[0] != ';' {
			return false
		}
		r.comment(stretch{at + len(text) - len(rest), at + len(text)}, 1)
	}
	name := strings.TrimSpace(text[1:n])
	r.section = Path{K(name)}
	if head, sub, ok := strings.Cut(name, ` "`); ok && strings.HasSuffix(sub, `"`) {
		r.section = Path{K(strings.TrimRight(head, " \t")), K(strings.TrimSuffix(sub, `"`))}
	}
	return true
}

// entry reads a key and its value, and the lines deeper than indent that go on with
// the value.
func (r *iniReader) entry(indent, start, end int) {
	n, width := iniSeparator(r.src[start:end])
	keyEnd := start + n
	for keyEnd > start && isBlank(r.src, keyEnd-1) {
		keyEnd--
	}
	key := stretch{start, keyEnd}
	name := r.src[key.start:key.end]
	if len(name) >= 2 && name[0] == name[len(name)-1] && strings.IndexByte("\"'`", name[0]) >= 0 {
		name = name[1 : len(name)-1]
	}
	r.path = append(append(r.path[:0], r.section...), K(name))
	if width == 0 {
		r.leaf("", Null, Plain, key, stretch{keyEnd, keyEnd})
		return
	}
	at := skipBlanks(r.src, start+n+width, end)
	value := stretch{at, r.cutComment(start+n+width, at, end)}
	if value.start >= value.end {
		value = stretch{start + n + width, start + n + width}
	}
	text := r.src[value.start:value.end]
	if n := len(text); n >= 2 && (text[0] == '"' || text[0] == '\'') && text[n-1] == text[0] {
		style := SingleQuoted
		if text[0] == '"' {
			style = DoubleQuoted
		}
		r.leaf(text[1:n-1], String, style, key, value)
		return
	}
	text, value = r.continued(indent, text, value)
	r.leaf(text, String, Plain, key, value)
}

// iniSeparator finds what parts key and value: the first "=" or ": ", else ":".
func iniSeparator(text string) (at, width int) {
	for i := range len(text) {
		if text[i] == '=' || text[i] == ':' && blankOrEnd(text, i+1) {
			return i, 1
		}
	}
	if i := strings.IndexByte(text, ':'); i > 0 {
		return i, 1
	}
	return len(text), 0
}

// cutComment returns where the value at [at, end) ends; a mark counts behind white
// space, and outside of quotes.
func (r *iniReader) cutComment(from, at, end int) int {
	i := at
	if i < end && (r.src[i] == '"' || r.src[i] == '\'') {
		if n := strings.IndexByte(r.src[i+1:end], r.src[i]); n >= 0 {
			i += n + 2
		}
	}
	for ; i < end; i++ {
		if c := r.src[i]; (c == '#' || c == ';') && i > from && isBlank(r.src, i-1) {
			r.comment(stretch{i, end}, 1)
			for i > at && isBlank(r.src, i-1) {
				i--
			}
			return i
		}
	}
	return end
}

// continued adds the lines that are indented deeper than the key and are no entry of
// their own, as Python's reader does.
func (r *iniReader) continued(indent int, text string, at stretch) (string, stretch) {
	var lines []string
	open := at.start == at.end // a list below its key may hold what looks like entries
	for r.pos < len(r.src) {
		end := eol(r.src, r.pos)
		from := skipBlanks(r.src, r.pos, end)
		line := strings.TrimRight(r.src[from:end], " \t")
		if line == "" || from-r.pos <= indent || strings.IndexByte("#;[", line[0]) >= 0 {
			break
		}
		if _, width := iniSeparator(line); width > 0 && !open {
			break
		}
		if at.start == at.end {
			at.start = from
		} else if lines == nil {
			lines = append(lines, text)
		}
		lines = append(lines, line)
		at.end = from + len(line)
		r.pos = nextLine(r.src, end)
	}
	if lines != nil {
		text = strings.Join(lines, "\n")
	}
	return text, at
}
