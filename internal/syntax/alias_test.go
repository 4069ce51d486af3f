package syntax_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/sealward/sealward/internal/syntax"
)

func TestAliases(t *testing.T) {
	tests := []struct {
		title, data string
		want        []string
	}{
		{"scalar", "a: &x 1\nb: *x\nc: [*x]\n", []string{"0 a=1", "0 b=1", "0 c[0]=1"}},
		{"collection", "a: &x {b: c, d: [e]}\nf: *x\n", []string{"0 a.b=c", "0 a.d[0]=e", "0 f.b=c", "0 f.d[0]=e"}},
		{"of an alias", "a: &x {b: c}\nd: &y {e: *x}\nf: *y\n", []string{"0 a.b=c", "0 d.e.b=c", "0 f.e.b=c"}},
		{"key", "&k a: b\nc: *k\n*k : d\n", []string{"0 a=b", "0 c=a", "0 a=d"}},
		{"empty", "a: &x {}\nb: *x\nc: &y\nd: *y\n", []string{"0 a=", "0 b=", "0 c=", "0 d="}},
		{"named again", "a: &x 1\nb: &x 2\nc: *x\n", []string{"0 a=1", "0 b=2", "0 c=2"}},
		{"of another document", "a: &x 1\n---\nb: *x\n", []string{"0 a=1", "1 b=1"}},
		{"merge", "a: &x {b: 1, c: 2}\nd:\n  b: 3\n  <<: *x\n", []string{"0 a.b=1", "0 a.c=2", "0 d.b=3", "0 d.c=2"}},
		{"merge before own key", "a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  b: 3\n", []string{"0 a.b=1", "0 a.c=2", "0 d.c=2", "0 d.b=3"}},
		{"merge list", "- &x {b: 1}\n- &y {b: 2, c: 3}\n- <<: [*x, *y]\n", []string{"0 [0].b=1", "0 [1].b=2", "0 [1].c=3", "0 [2].b=1", "0 [2].c=3"}},
		{"merge of a merge", "a: &x {b: 1}\nc: &y {<<: *x, d: 2}\ne: {<<: *y, b: 4}\n", []string{"0 a.b=1", "0 c.b=1", "0 c.d=2", "0 e.d=2", "0 e.b=4"}},
		{"merge in place", "a: {<<: {b: 1}, c: 2}\n", []string{"0 a.b=1", "0 a.c=2"}},
		{"merge of a whole subtree", "a: &x {b: {c: 1}}\nd: {<<: *x, b: {e: 2}}\n", []string{"0 a.b.c=1", "0 d.b.e=2"}},
		{"merge of nothing", "a: {<<: {}}\nb: 1\n", []string{"0 a=", "0 b=1"}},
		{"anchor inside a merge", "a: {<<: {b: &x {c: 1}}}\nd: *x\n", []string{"0 a.b.c=1", "0 d.c=1"}},
		{"anchor of the merged", "a: {<<: &x {c: 1}}\nd: *x\n", []string{"0 a.c=1", "0 d.c=1"}},
		{"quoted is no merge", "a: &x {b: 1}\nc: {\"<<\": *x}\n", []string{"0 a.b=1", "0 c.<<.b=1"}},
		{"merge of a scalar", "a: {<<: b, c: 1}\n", []string{"0 a.<<=b", "0 a.c=1"}},
	}
	for _, tt := range tests {
		t.Run(tt.title, func(t *testing.T) {
			f := syntax.Parse("a.yaml", []byte(tt.data))
			checkLaws(t, f)
			checkBroken(t, f, "")
			equalLines(t, leafLines(f), tt.want)
			if f.HasAlias != strings.Contains(tt.data, "*") {
				t.Errorf("HasAlias is %v", f.HasAlias)
			}
		})
	}
}

// TestAliasSpans: the span is the alias, the anchor is the value that it names.
func TestAliasSpans(t *testing.T) {
	f := syntax.Parse("a.yaml", []byte("a: &x\n  b: \"c\"\nd: &y *x\n"))
	checkBroken(t, f, "not YAML") // an alias has no anchor of its own
	f = syntax.Parse("a.yaml", []byte("a: &x\n  b: \"c\"\nd:\n  e: *x\n"))
	l, ok := f.Docs[0].Get("d", "e", "b")
	if !ok {
		t.Fatalf("leaves: %q", leafLines(f))
	}
	for _, c := range []struct {
		what string
		span syntax.Span
		want string
	}{{"span", l.Span, "*x"}, {"anchor", l.Anchor, `"c"`}, {"key", l.Key, "b"}} {
		if got := string(c.span.Cut(f.Data)); got != c.want {
			t.Errorf("%s is %q, want %q", c.what, got, c.want)
		}
	}
	if len(f.Anchors) != 1 || f.Anchors[0].Name != "x" || f.Anchors[0].Path.String() != "a" {
		t.Errorf("anchors: %+v", f.Anchors)
	}
}

func TestAliasLimits(t *testing.T) {
	bomb := "a0: &a0 {x: y, z: w}\n"
	for i := range 40 {
		bomb += fmt.Sprintf("a%d: &a%d [*a%d, *a%d, *a%d]\n", i+1, i+1, i, i, i)
	}
	for _, tt := range []struct{ title, data, broken string }{
		{"cycle", "a: &x\n  b: *x\n", "not YAML: line 2: found an alias to a value that contains it"},
		{"cycle in flow", "&x [a, *x]\n", "not YAML: line 1: found an alias to a value that contains it"},
		{"cycle of merges", "a: &x\n  <<: *x\n", "not YAML: line 2: found an alias to a value that contains it"},
		{"unknown", "a: *x\n", "not YAML: line 1: found an alias to an unknown anchor"},
		{"bomb", bomb, "not YAML: aliases expand too far"},
	} {
		t.Run(tt.title, func(t *testing.T) {
			f := syntax.Parse("a.yaml", []byte(tt.data))
			checkLaws(t, f)
			checkBroken(t, f, tt.broken)
			if len(f.Leaves) > syntax.MaxExpanded {
				t.Errorf("%d leaves", len(f.Leaves))
			}
		})
	}
}

// merger writes random YAML of mappings that merge each other.
type merger struct {
	*rand.Rand
	b     strings.Builder
	names int
}

func (m *merger) mapping(depth int) string {
	var parts []string
	for _, i := range m.Perm(4)[:1+m.IntN(3)] {
		value := fmt.Sprintf("v%d", m.IntN(1000))
		if depth > 0 && m.IntN(3) == 0 {
			value = m.mapping(depth - 1)
		}
		parts = append(parts, fmt.Sprintf("k%d: %s", i, value))
	}
	if m.names > 0 && m.IntN(2) == 0 {
		from := fmt.Sprintf("*a%d", m.IntN(m.names))
		switch m.IntN(4) {
		case 0:
			from = fmt.Sprintf("[%s, *a%d]", from, m.IntN(m.names))
		case 1:
			from = fmt.Sprintf("{k0: inline, <<: %s}", from)
		}
		parts = slices.Insert(parts, m.IntN(len(parts)+1), "<<: "+from)
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func TestMergeReference(t *testing.T) {
	for seed := range uint64(3000) {
		m := merger{Rand: rand.New(rand.NewPCG(seed, 2))}
		for range 1 + m.IntN(4) {
			fmt.Fprintf(&m.b, "r%d: &a%d %s\n", m.names, m.names, m.mapping(2))
			m.names++
		}
		data := m.b.String()
		var doc any
		if err := yaml.Unmarshal([]byte(data), &doc); err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		want := map[string]string{}
		flatten(nil, doc, want)
		f := syntax.Parse("a.yaml", []byte(data))
		checkLaws(t, f)
		got := map[string]string{}
		for _, l := range f.Leaves {
			if _, twice := got[l.Path.String()]; twice {
				t.Fatalf("%s stands twice\n%s", l.Path, data)
			}
			got[l.Path.String()] = l.Value
		}
		if !maps.Equal(got, want) {
			t.Fatalf("%s\n got %v\nwant %v", data, got, want)
		}
	}
}

func flatten(p syntax.Path, v any, out map[string]string) {
	m, ok := v.(map[string]any)
	if !ok {
		out[p.String()] = fmt.Sprint(v)
		return
	}
	for k, v := range m {
		flatten(append(p[:len(p):len(p)], syntax.K(k)), v, out)
	}
}
