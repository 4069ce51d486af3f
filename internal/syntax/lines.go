package syntax

import "strings"

// lines reads [start, end) of a file that does not parse: every line that looks like
// a key with its value is a leaf, and the indentation tells its parents. It returns
// the comments.
func (b *build) lines(start, end int) (comments []stretch) {
	r := lineReader{build: b}
	for start < end && b.err == nil && len(r.comments) < MaxLeaves {
		next := min(nextLine(b.src, start), end)
		r.line(start, next)
		start = next
	}
	b.path = b.path[:0]
	return r.comments
}

type lineReader struct {
	*build
	parents  []parent
	comments []stretch
}

type parent struct {
	indent int
	key    string
}

func (r *lineReader) line(start, end int) {
	at := start
	for n := 1; n > 0 && at < end; at += n {
		n = passable(r.src[at:end])
	}
	text := strings.TrimRight(r.src[at:end], " \t\r\n")
	if strings.HasPrefix(text, "#") {
		r.comments = append(r.comments, stretch{at, at + len(text)})
		return
	}
	key, name, rest := lineKey(text)
	if name == "" {
		return
	}
	key.start, key.end = key.start+at, key.end+at
	r.entry(at-start, key, name, stretch{at + rest, at + len(text)})
}

// passable returns how much of what a line begins with says nothing of its key: white
// space, a dash, a bracket before a quote.
func passable(text string) int {
	switch {
	case isBlank(text, 0):
		return 1
	case strings.HasPrefix(text, bom):
		return len(bom)
	case strings.HasPrefix(text, "- "):
		return 2
	case text[0] == '{' || text[0] == '[':
		if rest := strings.TrimLeft(text[1:], " \t"); rest != "" && rest[0] == '"' {
			return 1
		}
	}
	return 0
}

// entry adds the leaf of a key, or notes it as the parent of deeper lines.
func (r *lineReader) entry(indent int, key stretch, name string, at stretch) {
	for n := len(r.parents); n > 0 && r.parents[n-1].indent >= indent; n-- {
		r.parents = r.parents[:n-1]
	}
	quoted := r.src[key.start] == '"'
	value, style, at := r.value(at, quoted)
	text := r.src[at.start:at.end]
	if text == "" || text == "{" || text == "[" || style == Plain && (text[0] == '|' || text[0] == '>') {
		if len(r.parents) < MaxDepth {
			r.parents = append(r.parents, parent{indent, name})
		}
		return
	}
	r.path = r.path[:0]
	for _, p := range r.parents {
		r.push(K(p.key))
	}
	r.push(K(name))
	kind := String
	if style == Plain {
		kind = plainKind(value)
	}
	r.leaf(value, kind, style, key, at)
}

// lineKey finds the key that a line begins with, and where its value starts.
func lineKey(text string) (key stretch, name string, rest int) {
	text = strings.TrimRight(text, " \t")
	if after, ok := strings.CutPrefix(text, "export "); ok {
		key.start = len(text) - len(strings.TrimLeft(after, " \t"))
	}
	key.end = key.start
	quoted := false
	if q := text[key.start:]; q != "" && (q[0] == '"' || q[0] == '\'') {
		n := strings.IndexByte(q[1:], q[0])
		if n < 1 || strings.IndexByte(q[1:n+1], '\\') >= 0 {
			return key, "", 0
		}
		quoted = true
		name = q[1 : n+1]
		key.end += n + 2
	} else {
		for key.end < len(text) && isNameByte(text[key.end]) {
			key.end++
		}
		name = text[key.start:key.end]
	}
	rest = key.end
	for isBlank(text, rest) {
		rest++
	}
	switch {
	case strings.HasPrefix(text[rest:], ":="):
		rest += 2
	case strings.HasPrefix(text[rest:], "=") && !strings.HasPrefix(text[rest:], "=="):
		rest++
	case strings.HasPrefix(text[rest:], ":") && (quoted || blankOrEnd(text, rest+1)):
		rest++
	default:
		return key, "", 0
	}
	for isBlank(text, rest) {
		rest++
	}
	return key, name, rest
}

// isNameByte holds for what the names of settings are made of.
func isNameByte(c byte) bool {
	return isAnchorByte(c) || c == '.' || c == '/' || c == '$' || c == '@' || c >= 0x80
}

// value decodes what stands behind a key; json is whether a comma may end it.
func (r *lineReader) value(at stretch, json bool) (string, Style, stretch) {
	text := r.src[at.start:at.end]
	if text != "" && (text[0] == '"' || text[0] == '\'') {
		q := quotedText{yamlScanner: &yamlScanner{text: text, pos: 1}, quote: text[0], from: 1}
		rest := ""
		if q.scan() {
			rest = strings.TrimLeft(text[q.pos+1:], " \t,;")
		}
		if q.bad == nil && (rest == "" || rest[0] == '#' || rest[0] == '}') {
			if rest != "" && rest[0] == '#' {
				r.comments = append(r.comments, stretch{at.end - len(rest), at.end})
			}
			value := string(append(q.buf, text[q.from:q.pos]...))
			style := DoubleQuoted
			if text[0] == '\'' {
				style = SingleQuoted
			}
			return value, style, stretch{at.start, at.start + q.pos + 1}
		}
	}
	i := strings.Index(text, " #") + 1
	if i > 0 || strings.HasPrefix(text, "#") {
		r.comments = append(r.comments, stretch{at.start + i, at.end})
		text = strings.TrimRight(text[:i], " \t")
	}
	if json {
		text = strings.TrimRight(text, ", \t")
	}
	return text, Plain, stretch{at.start, at.start + len(text)}
}
