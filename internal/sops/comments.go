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
	var lines map[int]remarks
	switch f.Format {
	case syntax.YAML, syntax.Text: // Text where one document of several does not parse
		lines = yamlComments(f)
	case syntax.Dotenv:
		lines = plainComments(f, "#", false)
	case syntax.INI:
		lines = plainComments(f, "#;", true)
	}
	return func(l syntax.Leaf) [][]string {
		r := lines[startOf(l).Line]
		if r.behind != "" && (!r.first || r.offset == startOf(l).Offset) {
			return append(r.above[:len(r.above):len(r.above)], []string{r.behind})
		}
		return r.above
	}
}

// remarks are the comments in force on a line.
type remarks struct {
	above  [][]string // outermost collection first
	behind string     // on the line itself
	// first says that the comment behind counts for the line's first leaf alone, the
	// one at offset: a flow collection's, which SOPS moves before its first element.
	first  bool
	offset int
}

// startOf is where a leaf begins, its key included.
func startOf(l syntax.Leaf) syntax.Pos {
	if !l.Key.IsZero() {
		return l.Key.Start
	}
	return l.Span.Start
}

// plainComments serves the formats whose comments have lines of their own. SOPS
// reads a comment of INI behind the key that it stands above, so it counts for the
// next key of the section; a section's comment counts for its first key.
func plainComments(f *syntax.File, marks string, ini bool) map[int]remarks {
	out := map[int]remarks{}
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
			out[i+1] = remarks{above: [][]string{behind}}
			behind, above = above, nil
		default:
			out[i+1] = remarks{above: [][]string{above}}
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

// yamlWalk goes through block style by indentation, which is how comments come to
// belong to a collection in YAML at all.
type yamlWalk struct {
	out      map[int]remarks
	comments map[int]syntax.Comment
	leaves   map[int]int  // line -> offset of the first leaf that begins on it
	inside   map[int]bool // lines that begin inside a scalar
	stack    []level
	pending  []level // comment lines that nothing has followed yet, with their indent
	base     int     // offset of the line
}

func yamlComments(f *syntax.File) map[int]remarks {
	w := yamlWalk{
		out: map[int]remarks{}, comments: map[int]syntax.Comment{},
		leaves: map[int]int{}, inside: map[int]bool{},
	}
	for _, c := range f.Comments {
		w.comments[c.Span.Start.Line] = c
	}
	for _, l := range f.Leaves {
		at := startOf(l)
		if have, ok := w.leaves[at.Line]; !ok || at.Offset < have {
			w.leaves[at.Line] = at.Offset
		}
		for n := l.Span.Start.Line + 1; n <= l.Span.End.Line; n++ {
			if n < l.Span.End.Line || l.Span.End.Col > 1 {
				w.inside[n] = true
			}
		}
	}
	for i, line := range bytes.Split(f.Data, []byte("\n")) {
		w.line(i+1, string(line))
		w.base += len(line) + 1
	}
	return w.out
}

func (w *yamlWalk) line(n int, line string) {
	comment, has := w.comments[n]
	code := line
	if has {
		code = line[:min(max(comment.Span.Start.Offset-w.base, 0), len(line))]
	}
	code = strings.TrimRight(code, " \t\r")
	text := strings.TrimLeft(code, " ")
	indent := len(code) - len(text)
	switch {
	case w.inside[n]:
		w.out[n] = remarks{above: w.active()}
		return
	case text == "" && has:
		w.pending = append(w.pending, level{indent: comment.Span.Start.Col - 1, comments: []string{comment.Text}})
		return
	case text == "" || text[0] == '%':
		return
	case text == "---" || text == "..." || strings.HasPrefix(text, "--- "):
		w.stack = nil
		return
	}
	w.entries(text, indent)
	r := remarks{above: w.active()}
	switch {
	case !has:
	case strings.HasSuffix(text, ":"):
		// Behind the key of a collection: it counts for all of it.
		top := &w.stack[len(w.stack)-1]
		top.comments = append(top.comments, comment.Text)
		r.above = w.active()
	default:
		r.behind, r.offset = comment.Text, w.leaves[n]
		r.first = strings.HasSuffix(text, "}") || strings.HasSuffix(text, "]")
	}
	w.out[n] = r
}

// entries enters what a line begins: any number of list elements ("- - a: b"), and
// then a key or a value.
func (w *yamlWalk) entries(text string, indent int) {
	for {
		rest, dash := strings.CutPrefix(text, "-")
		dash = dash && (rest == "" || rest[0] == ' ')
		w.enter(indent, dash)
		next := strings.TrimLeft(rest, " ")
		if !dash || next == "" {
			return
		}
		indent += len(text) - len(next)
		text = next
	}
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
