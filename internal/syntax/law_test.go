package syntax_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/sealward/sealward/internal/syntax"
)

// checkLaws holds a parsed file to what is promised of every file.
func checkLaws(t *testing.T, f *syntax.File) {
	t.Helper()
	checkWindows(t, f)
	checkMemory(t, f)
	last := 0
	for i, l := range f.Leaves {
		where := fmt.Sprintf("leaf %d, %s", i, l.Path)
		checkSpan(t, f, where, l.Span)
		if l.Span.Start.Offset < last {
			t.Fatalf("%s: begins at %d, before the leaf before it at %d", where, l.Span.Start.Offset, last)
		}
		last = l.Span.Start.Offset
		if !l.Key.IsZero() {
			checkSpan(t, f, where+" key", l.Key)
			checkKey(t, f, where, l)
		}
		if len(l.Path) == 0 && f.Format != syntax.YAML && f.Format != syntax.JSON && f.Broken == nil {
			t.Fatalf("%s: has no path", where)
		}
		checkCut(t, f, where, l)
	}
	last = -1
	for i, c := range f.Comments {
		checkSpan(t, f, fmt.Sprintf("comment %d", i), c.Span)
		if c.Span.Start.Offset <= last {
			t.Fatalf("comment %d at %d is not behind the one before it at %d", i, c.Span.Start.Offset, last)
		}
		last = c.Span.Start.Offset
		if !bytes.HasSuffix(c.Span.Cut(f.Data), []byte(c.Text)) {
			t.Fatalf("comment %d: %q is not the end of %q", i, c.Text, c.Span.Cut(f.Data))
		}
	}
	for _, a := range f.Anchors {
		if got := string(a.Span.Cut(f.Data)); got != "&"+a.Name {
			t.Fatalf("anchor %q is cut as %q", a.Name, got)
		}
	}
}

// checkMemory reads a file into memory that others were read into before: it must come
// out as it does from fresh memory.
func checkMemory(t *testing.T, f *syntax.File) {
	t.Helper()
	if len(f.Data) > 1<<16 {
		return
	}
	var m syntax.Memory
	for _, before := range []string{"a: &x {b: [1, 'two', {c: \"3\"}]} # d\ne: *x\nf: |\n  g\n", strings.Repeat("k: v\n", 20), string(f.Data)} {
		m.Parse("before.yaml", []byte(before))
		got, want := m.Parse(f.Name, f.Data), syntax.Parse(f.Name, f.Data)
		if got.Format != want.Format || fmt.Sprint(got.Broken) != fmt.Sprint(want.Broken) || len(got.Docs) != len(want.Docs) {
			t.Fatalf("in used memory: %s, %v, %d documents, want %s, %v, %d", got.Format, got.Broken, len(got.Docs), want.Format, want.Broken, len(want.Docs))
		}
		for i := range got.Docs {
			if g, w := got.Docs[i], want.Docs[i]; g.Span != w.Span || fmt.Sprint(g.Leaves) != fmt.Sprint(w.Leaves) {
				t.Fatalf("in used memory document %d is %v, want %v", i, g, w)
			}
		}
		if fmt.Sprint(got.Leaves, got.Comments, got.Anchors) != fmt.Sprint(want.Leaves, want.Comments, want.Anchors) {
			t.Fatalf("in used memory: %v, want %v", got.Leaves, want.Leaves)
		}
	}
}

// checkKey holds a key's span to cutting out the last step of the path.
func checkKey(t *testing.T, f *syntax.File, where string, l syntax.Leaf) {
	t.Helper()
	token, name := string(l.Key.Cut(f.Data)), l.Path.Last()
	if len(l.Path) == 0 || l.Path[len(l.Path)-1].Index >= 0 {
		t.Fatalf("%s: has key %q, and is no key's value", where, token)
	}
	switch {
	case token == name, strings.HasPrefix(token, "*") && f.Format == syntax.YAML:
	case f.Format == syntax.YAML && yamlDecodes(token, name):
	case f.Format == syntax.JSON && jsonDecodes(token, name):
	case f.Format == syntax.INI && (strings.Contains(token, `\`) || strings.HasSuffix(token, name)): // TOML, properties
	case len(token) >= 2 && token[1:len(token)-1] == name:
	case f.Broken != nil && (yamlDecodes(token, name) || strings.HasPrefix(token, "*")):
	default:
		t.Fatalf("%s: key %q is not %q", where, token, name)
	}
}

// checkWindows holds the documents to being a partition of the leaves.
func checkWindows(t *testing.T, f *syntax.File) {
	t.Helper()
	n := 0
	for i, d := range f.Docs {
		if d.Index != i {
			t.Fatalf("document %d has index %d", i, d.Index)
		}
		checkSpan(t, f, fmt.Sprintf("document %d", i), d.Span)
		for _, l := range d.Leaves {
			if l.Doc != i || n >= len(f.Leaves) || l.Path.String() != f.Leaves[n].Path.String() {
				t.Fatalf("leaf %s of document %d is not leaf %d of the file", l.Path, i, n)
			}
			n++
		}
		if d.Broken != nil && f.Broken == nil {
			t.Fatalf("document %d is broken and the file is not", i)
		}
	}
	if n != len(f.Leaves) {
		t.Fatalf("the documents hold %d of %d leaves", n, len(f.Leaves))
	}
}

func checkSpan(t *testing.T, f *syntax.File, what string, s syntax.Span) {
	t.Helper()
	if s.Start.Offset < 0 || s.End.Offset < s.Start.Offset || s.End.Offset > len(f.Data) {
		t.Fatalf("%s: span %v is out of bounds (%d bytes)", what, s, len(f.Data))
	}
	if s.File != f.Name {
		t.Fatalf("%s: span of file %q", what, s.File)
	}
	for _, p := range []syntax.Pos{s.Start, s.End} {
		if want := place(f.Data, p.Offset); p != want {
			t.Fatalf("%s: place %v, want %v", what, p, want)
		}
		if got := f.At(p.Offset); got != p {
			t.Fatalf("%s: At gives %v, want %v", what, got, p)
		}
	}
}

// place counts from the beginning, slowly and plainly.
func place(data []byte, offset int) syntax.Pos {
	if bytes.HasPrefix(data, []byte("\uFEFF")) && offset >= 3 {
		p := place(data[3:], offset-3)
		p.Offset = offset
		return p
	}
	head := data[:offset]
	line := head[bytes.LastIndexByte(head, '\n')+1:]
	return syntax.Pos{Offset: offset, Line: 1 + bytes.Count(head, []byte("\n")), Col: 1 + utf8.RuneCount(line)}
}

// checkCut holds a leaf to the law of spans: what the span cuts out is the value.
func checkCut(t *testing.T, f *syntax.File, where string, l syntax.Leaf) {
	t.Helper()
	if l.Kind == syntax.EmptyMap || l.Kind == syntax.EmptyList {
		return
	}
	span := l.Span
	if !l.Anchor.IsZero() {
		if token := l.Span.Cut(f.Data); len(token) < 2 || token[0] != '*' {
			t.Fatalf("%s: comes through %q, which is no alias", where, token)
		}
		span = l.Anchor
	}
	token := string(span.Cut(f.Data))
	if !decodesTo(f, l, token) {
		t.Fatalf("%s: %s token %q does not decode to %q", where, f.Format, token, l.Value)
	}
}

func decodesTo(f *syntax.File, l syntax.Leaf, token string) bool {
	if token == l.Value && l.Style == syntax.Plain {
		return true
	}
	if n := len(token); n >= 2 && l.Style != syntax.Plain && token[1:n-1] == l.Value && !strings.ContainsAny(l.Value, `\'"`) {
		return true
	}
	if f.Broken != nil && strings.ContainsFunc(token, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0xfffd }) {
		return true // no reader of YAML decodes this, ours included, so there is nothing to compare with
	}
	switch {
	case (f.Format == syntax.YAML || f.Broken != nil) && l.Style == syntax.Plain && slices.Equal(strings.Fields(token), strings.Fields(l.Value)):
		return true
	case f.Format == syntax.YAML || f.Broken != nil:
		return yamlDecodes(token, l.Value) || f.Broken != nil && jsonDecodes(token, l.Value)
	case f.Format == syntax.JSON:
		return jsonDecodes(token, l.Value)
	case l.Style == syntax.Plain:
		return foldedINI(token, l.Value) || strings.ReplaceAll(token, `\n`, "\n") == l.Value
	}
	inside := token[1 : len(token)-1]
	return inside == l.Value || strings.Contains(inside, `\`) || strings.HasPrefix(inside, `""`) || strings.HasPrefix(inside, `''`)
}

func jsonDecodes(token, value string) bool {
	if !utf8.ValidString(token) {
		return true // encoding/json replaces what is invalid
	}
	var got string
	return json.Unmarshal([]byte(token), &got) == nil && got == value
}

// foldedINI is how lines that go on with a value of INI are joined; the lines of
// properties are joined by a backslash.
func foldedINI(token, value string) bool {
	var lines []string
	for line := range strings.Lines(token) {
		lines = append(lines, strings.TrimSpace(line))
	}
	return strings.Join(lines, "\n") == value || strings.Contains(token, `\`)
}

// yamlDecodes asks yaml.v3 for the value of a token. A block scalar with an
// indicator of indentation counts from its parent, which the token does not show.
func yamlDecodes(token, value string) bool {
	tries := []string{token, " " + token, "[" + token + "]", "{" + token + "}"}
	if strings.Contains(token, `\/`) { // of YAML 1.2, which yaml.v3 refuses
		tries = append(tries, strings.ReplaceAll(token, `\/`, "/"))
	}
	if token != "" && (token[0] == '|' || token[0] == '>') {
		head, body, _ := strings.Cut(token, "\n")
		bare := strings.TrimRight(head, " ")
		bare, _, _ = strings.Cut(bare, " ")
		for n := range 10 {
			h := strings.Map(func(r rune) rune {
				if r >= '1' && r <= '9' {
					return -1
				}
				return r
			}, bare)
			if n > 0 {
				h += fmt.Sprint(n)
			}
			tries = append(tries, h+"\n"+body)
			for depth := range 12 {
				tries = append(tries, strings.Repeat(" ", depth)+"k: "+h+"\n"+body)
			}
		}
	}
	for _, text := range tries {
		var n yaml.Node
		if yaml.Unmarshal([]byte(text), &n) != nil || len(n.Content) != 1 {
			continue
		}
		c := n.Content[0]
		for len(c.Content) > 0 {
			c = c.Content[min(1, len(c.Content)-1)*b2i(c.Kind == yaml.MappingNode && text[0] != '{')]
		}
		if c.Kind == yaml.ScalarNode && c.Value == value {
			return true
		}
	}
	return false
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
