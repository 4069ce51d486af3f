package sops

import (
	"bytes"
	"strings"

	"github.com/sealward/sealward/internal/syntax"
)

// commentsOf returns, for any leaf of f, the comments that SOPS holds against a
// selector of comments: those before the leaf and before each collection around
// it, since the sibling before; and the one behind the leaf on its line.
func commentsOf(f *syntax.File) func(syntax.Leaf) [][]string {
	switch f.Format {
	case syntax.YAML:
		lines := yamlComments(f)
		return func(l syntax.Leaf) [][]string { return lines[lineOf(l)] }
	case syntax.Dotenv:
		lines := plainComments(f, "#", false)
		return func(l syntax.Leaf) [][]string { return lines[lineOf(l)] }
	case syntax.INI:
		lines := plainComments(f, "#;", true)
		return func(l syntax.Leaf) [][]string { return lines[lineOf(l)] }
	}
	return func(syntax.Leaf) [][]string { return nil }
}

// lineOf is the line that a leaf begins on.
func lineOf(l syntax.Leaf) int {
	if !l.Key.IsZero() {
		return l.Key.Start.Line
	}
	return l.Span.Start.Line
}

// plainComments serves the formats whose comments have lines of their own. SOPS
// reads a comment of INI behind the key that it stands above, so it counts for the
// next key of the section; a section's comment counts for its first key.
func plainComments(f *syntax.File, marks string, ini bool) map[int][][]string {
	out := map[int][][]string{}
	var above, behind []string
	for i, line := range strings.Split(string(f.Data), "\n") {
		text := strings.TrimSuffix(line, "\r")
		if ini {
			text = strings.TrimSpace(text)
		}
		switch {
		case text == "":
		case strings.IndexByte(marks, text[0]) >= 0:
			comment := text[1:]
			if ini {
				comment = strings.TrimLeft(text, text[:1]+" ")
			}
			above = append(above, comment)
		case ini && text[0] == '[':
			behind, above = above, nil
		case ini:
			out[i+1] = [][]string{behind}
			behind, above = above, nil
		default:
			out[i+1] = [][]string{above}
			above = nil
		}
	}
	return out
}

// level is a collection that the walk over YAML's lines is in.
type level struct {
	indent   int
	list     bool
	comments []string // in force for the entry that the walk is at
}

// yamlComments reads block style by indentation, which is how comments come to
// belong to a collection in YAML at all. A line inside a flow collection or a
// scalar of several lines belongs to the entry that began it.
func yamlComments(f *syntax.File) map[int][][]string {
	w := yamlWalk{out: map[int][][]string{}, inside: insideScalar(f)}
	for i, line := range bytes.Split(f.Data, []byte("\n")) {
		w.line(i+1, strings.TrimSuffix(string(line), "\r"))
	}
	return w.out
}

type yamlWalk struct {
	out     map[int][][]string
	inside  map[int]int // line -> column up to which it is in a scalar of earlier lines
	stack   []level
	pending []level // comment lines not yet before anything, with their indent
}

func (w *yamlWalk) line(n int, line string) {
	if w.inside[n] > 0 {
		w.out[n] = w.active()
		return
	}
	text := strings.TrimLeft(line, " ")
	indent := len(line) - len(text)
	switch {
	case text == "" || text[0] == '%':
		return
	case text == "---" || text == "..." || strings.HasPrefix(text, "--- "):
		w.stack = nil
		return
	case text[0] == '#':
		w.pending = append(w.pending, level{indent: indent, comments: []string{text[1:]}})
		return
	}
	code, comment := cutComment(text)
	for {
		rest, dash := strings.CutPrefix(code, "-")
		dash = dash && (rest == "" || rest[0] == ' ')
		w.enter(indent, dash)
		if !dash {
			break
		}
		next := strings.TrimLeft(rest, " ")
		if next == "" {
			break
		}
		indent += len(code) - len(next)
		code = next
	}
	top := &w.stack[len(w.stack)-1]
	if comment == "" {
		w.out[n] = w.active()
		return
	}
	if key := strings.TrimSpace(code); strings.HasSuffix(key, ":") {
		top.comments = append(top.comments, comment)
		w.out[n] = w.active()
		return
	}
	w.out[n] = append(w.active(), []string{comment})
}

// enter moves to an entry at indent: deeper collections end, and the comments since
// the entry before come into force, but for those that stood deeper than it.
func (w *yamlWalk) enter(indent int, list bool) {
	for len(w.stack) > 0 {
		top := w.stack[len(w.stack)-1]
		if top.indent < indent || top.indent == indent && (top.list == list || !top.list && list) {
			break
		}
		w.stack = w.stack[:len(w.stack)-1]
	}
	if n := len(w.stack); n == 0 || w.stack[n-1].indent != indent || w.stack[n-1].list != list {
		w.stack = append(w.stack, level{indent: indent, list: list})
	}
	top := &w.stack[len(w.stack)-1]
	top.comments = nil
	for _, c := range w.pending {
		if c.indent <= indent {
			top.comments = append(top.comments, c.comments...)
		}
	}
	w.pending = nil
}

func (w *yamlWalk) active() [][]string {
	out := make([][]string, 0, len(w.stack)+1)
	for _, l := range w.stack {
		out = append(out, append([]string(nil), l.comments...))
	}
	return out
}

// cutComment splits a line of YAML at its comment, "#" cut, quotes heeded.
func cutComment(line string) (code, comment string) {
	var quote byte
	for i := range len(line) {
		c := line[i]
		switch {
		case quote == '"' && c == '"' && line[i-1] != '\\', quote == '\'' && c == '\'':
			quote = 0
		case quote != 0:
		case c == '"' || c == '\'':
			if i == 0 || strings.IndexByte(" \t[{,:-", line[i-1]) >= 0 {
				quote = c
			}
		case c == '#' && i > 0 && (line[i-1] == ' ' || line[i-1] == '\t'):
			return strings.TrimRight(line[:i], " \t"), line[i+1:]
		}
	}
	return line, ""
}

// insideScalar marks the lines that begin inside a scalar of several lines.
func insideScalar(f *syntax.File) map[int]int {
	in := map[int]int{}
	for _, l := range f.Leaves {
		for n := l.Span.Start.Line + 1; n <= l.Span.End.Line; n++ {
			if n < l.Span.End.Line || l.Span.End.Col > 1 {
				in[n] = l.Span.End.Col
			}
		}
	}
	return in
}
