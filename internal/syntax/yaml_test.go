package syntax_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/sealward/sealward/internal/syntax"
)

// reference reads YAML with yaml.v3: each document as lines "path = value (kind,
// style)". It stops before the first document that yaml.v3 refuses.
type reference struct {
	lines []string
	seen  map[*yaml.Node]bool
	count int
	err   error
}

var (
	errOdd   = errors.New("a collection is a key")
	errLoop  = errors.New("an alias to itself")
	errLarge = errors.New("aliases expand too far")
	errDeep  = errors.New("too deep")
)

// referenceDocs returns the lines of each document, and whether all were read.
func referenceDocs(data string) (docs []*reference, whole bool) {
	dec := yaml.NewDecoder(strings.NewReader(data))
	for {
		var n yaml.Node
		err := safeDecode(dec, &n)
		if err != nil {
			return docs, errors.Is(err, io.EOF)
		}
		r := &reference{seen: map[*yaml.Node]bool{}}
		if len(n.Content) == 1 {
			r.node(nil, n.Content[0], 0)
		}
		docs = append(docs, r)
	}
}

// safeDecode turns the panics of yaml.v3 into errors.
func safeDecode(dec *yaml.Decoder, n *yaml.Node) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return dec.Decode(n)
}

func (r *reference) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *reference) node(p syntax.Path, n *yaml.Node, depth int) {
	if r.err != nil {
		return
	}
	if depth >= syntax.MaxDepth {
		r.fail(errDeep)
		return
	}
	switch n.Kind {
	case yaml.AliasNode:
		if r.seen[n.Alias] {
			r.fail(errLoop)
			return
		}
		r.seen[n.Alias] = true
		r.node(p, n.Alias, depth)
		delete(r.seen, n.Alias)
	case yaml.ScalarNode:
		r.add(p, n.Value, kindOfNode(n), styleOfNode(n))
	case yaml.SequenceNode:
		if len(n.Content) == 0 {
			r.add(p, "", syntax.EmptyList, syntax.Plain)
		}
		r.seen[n] = true
		for i, c := range n.Content {
			r.node(append(p[:len(p):len(p)], syntax.I(i)), c, depth+1)
		}
		delete(r.seen, n)
	case yaml.MappingNode:
		if len(n.Content) == 0 {
			r.add(p, "", syntax.EmptyMap, syntax.Plain)
		}
		r.seen[n] = true
		r.mapping(p, n, depth)
		delete(r.seen, n)
	}
}

func (r *reference) add(p syntax.Path, value string, kind syntax.Kind, style syntax.Style) {
	if r.count++; r.count > syntax.MaxExpanded {
		r.fail(errLarge)
	}
	if len(p) > 0 || value != "" || kind != syntax.Null { // else a document with nothing in it
		r.lines = append(r.lines, line(p, value, kind, style))
	}
}

func line(p syntax.Path, value string, kind syntax.Kind, style syntax.Style) string {
	return fmt.Sprintf("%s = %q (%d, %d)", p, value, kind, style)
}

// mapping resolves merge keys as the decoder of yaml.v3 does: own keys first, then
// the merged ones, the earlier of a list before the later.
func (r *reference) mapping(p syntax.Path, n *yaml.Node, depth int) {
	own := map[string]bool{}
	merges := false
	for i := 0; i < len(n.Content); i += 2 {
		k := deref(n.Content[i])
		if k == nil || k.Kind != yaml.ScalarNode {
			r.fail(errOdd)
			return
		}
		if isMergeNode(n.Content[i]) {
			merges = true
			continue
		}
		own[k.Value] = true
	}
	if merges {
		r.fail(errOdd) // resolved by a test of its own
		return
	}
	for i := 0; i < len(n.Content); i += 2 {
		r.node(append(p[:len(p):len(p)], syntax.K(deref(n.Content[i]).Value)), n.Content[i+1], depth+1)
	}
}

func deref(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func isMergeNode(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Value == "<<" && n.ShortTag() == "!!merge"
}

func kindOfNode(n *yaml.Node) syntax.Kind {
	switch n.ShortTag() {
	case "!!int":
		return syntax.Int
	case "!!float":
		return syntax.Float
	case "!!bool":
		return syntax.Bool
	case "!!null":
		return syntax.Null
	}
	return syntax.String
}

func styleOfNode(n *yaml.Node) syntax.Style {
	switch {
	case n.Style&yaml.SingleQuotedStyle != 0:
		return syntax.SingleQuoted
	case n.Style&yaml.DoubleQuotedStyle != 0:
		return syntax.DoubleQuoted
	case n.Style&yaml.LiteralStyle != 0:
		return syntax.Literal
	case n.Style&yaml.FoldedStyle != 0:
		return syntax.Folded
	}
	return syntax.Plain
}

// ours reads one document the same way.
func ours(d syntax.Doc) []string {
	var out []string
	for _, l := range d.Leaves {
		if len(l.Path) == 0 && l.Value == "" && l.Kind == syntax.Null {
			continue
		}
		out = append(out, line(l.Path, l.Value, l.Kind, l.Style))
	}
	return out
}

// flowKey reports whether a flow collection may be a key: yaml.v3 forgets that it may
// be one when it has more than two tokens, and so errs elsewhere than we do.
func flowKey(data string) bool {
	for line := range strings.FieldsFuncSeq(data, func(r rune) bool { return strings.ContainsRune("\n\r\u0085\u2028\u2029", r) }) {
		depth := 0
		for i, c := range line {
			rest := strings.TrimSpace(line[i+1-b2i(c > 127):])
			switch {
			case c == '[' || c == '{':
				depth++
			case c != ']' && c != '}':
			case strings.HasPrefix(rest, ":"):
				return true
			default:
				if depth = max(0, depth-1); depth == 0 && strings.Trim(rest, ",]}") != "" {
					return true
				}
			}
		}
	}
	return false
}

// sameAsReference holds our reading of YAML to yaml.v3's: what it reads, we read
// equally. (We may read more: a document behind a broken one, a bare escape.)
func sameAsReference(t *testing.T, data string) {
	t.Helper()
	if flowKey(data) {
		return
	}
	f := syntax.ParseAs("f.yaml", []byte(data), syntax.YAML)
	docs, whole := referenceDocs(data)
	if whole && f.Broken == nil && len(f.Docs) != len(docs) {
		t.Fatalf("%d documents, want %d\n%q", len(f.Docs), len(docs), data)
	}
	for i, want := range docs {
		if want.err != nil {
			continue
		}
		if i >= len(f.Docs) {
			t.Fatalf("document %d is missing\n%q", i, data)
		}
		if err := f.Docs[i].Broken; err != nil {
			t.Fatalf("document %d is broken: %v\n%q\nwant %q", i, err, data, want.lines)
		}
		if got := ours(f.Docs[i]); strings.Join(got, "\n") != strings.Join(want.lines, "\n") {
			t.Fatalf("document %d of\n%q\n got %q\nwant %q", i, data, got, want.lines)
		}
	}
}

func FuzzYAML(f *testing.F) {
	for _, s := range yamlSeeds() {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, data string) {
		if len(data) > 1<<16 {
			return
		}
		checkLaws(t, syntax.ParseAs("f.yaml", []byte(data), syntax.YAML))
		if utf8.ValidString(data) && !strings.Contains(data, "{{") && !strings.Contains(data, "\uFEFF") && !strings.ContainsFunc(data, isControl) {
			sameAsReference(t, data)
		}
	})
}

func isControl(r rune) bool {
	return r < ' ' && r != '\n' && r != '\r' && r != '\t' || r >= 0x7f && r < 0xa0 && r != 0x85 || r == 0xfffe || r == 0xffff
}

func TestYAMLReference(t *testing.T) {
	for _, s := range yamlSeeds() {
		t.Run("", func(t *testing.T) {
			checkLaws(t, syntax.ParseAs("f.yaml", []byte(s), syntax.YAML))
			sameAsReference(t, s)
		})
	}
}

func yamlSeeds() []string {
	return []string{
		"", "a", "a: b", "- a\n- b\n", "a:\n- b\n-\n- - c\n  - d\n", "a: |\n  b\n   c\n\n", "a: >-\n  b\n  c\n\n  d\n   e\n",
		"a: |+\n  b\n\n\nc: d", "a: |2\n    b\n   c\n", "a: >1-\n   b\n", "---\n---\na: b\n...\n---\n# c\n", "a: 'b''c\n  d'\n",
		"a: \"b\\n\\\n   c \\x41\\u00e9\\U0001F600 \\\n  \\  d\n\n  e\"\n", "a: b\n  c\n\n  d # e\nf: g", "{a: b, c: [d, {e: f}], g, h: }",
		"[a: b, ? c : d, : e]", "? a\n: b\n? - c\n: - d\n", "&a x: &b y\nz: *b\n*a : 1\n", "a: !!str 1\nb: !x 'c'\nc: ! 2\n",
		"a: &x\n  b: c\nd: *x\n", "a:\r\n  b: c\r\n  d: |\r\n    e\r\n    f\r\n", "\uFEFFa: b\n", "%YAML 1.1\n%TAG ! tag:x,2000:\n---\na: b\n",
		"a: b: c", "a:\tb\n", "a:\n\tb: c", "- ? a\n  : b\n", "a: 1\nb: 0x1F\nc: 1e3\nd: .5\ne: ~\nf: true\ng: 2001-01-01\nh: 0o7\ni: 1_000\nj: -.inf\nk: 08\nl: +1.\n",
		"a: [\n b,\n c # d\n ]\n", "a: {\"b\":1, 'c':2}\n", "\"a\" : b\n", "a: \"b\n---\nc\"", "a\u2028b: c\u0085d: e", "- a: b\n  c: d\n-\n  e: f\n- # x\n  g: h\n",
		"a: |\n\nb: |-\n\n  \nc: >+\n", "é: ü\nñ:\n  - ö: ß\n    x: y\n", "a: -\n", "a: ?b\nc: :d\ne: -f\n", "a: [?b, :c, -d]\n", "- |\n a\n- >\n b\n",
		"a: #b\n", "a: b#c\n", "a: 'x' # y\n", "a: &anchor\n- b\n", "a: !!map {b: c}\n", "a: &e\nb: *e\n", "key: |  # comment\n  text\n", "x:\n  y:\n z: 1\n",
	}
}
