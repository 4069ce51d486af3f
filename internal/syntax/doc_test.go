package syntax_test

import (
	"strings"
	"testing"

	"github.com/sealward/sealward/internal/syntax"
)

const pod = `kind: Pod
metadata: {name: a, labels: {x: y}}
spec:
  containers:
    - name: web
      env:
        - name: A
          value: b
        - name: C
    - name: job
  empty: []
kind2: z
metadata2: {}
`

func TestDoc(t *testing.T) {
	d := syntax.Parse("a.yaml", []byte(pod)).Docs[0]
	if got := d.Str("metadata", "labels", "x"); got != "y" {
		t.Errorf("Str: %q", got)
	}
	for _, keys := range [][]string{{"nothing"}, {"metadata"}, {"spec", "containers", "name"}, {"kind", "x"}, {}} {
		if l, ok := d.Get(keys...); ok {
			t.Errorf("Get(%q) found %s", keys, l.Path)
		}
	}
	if got := len(d.Under("metadata")); got != 2 {
		t.Errorf("%d leaves under metadata", got)
	}
	if got := len(d.Under("kind")); got != 0 {
		t.Errorf("%d leaves under kind", got)
	}
	if got := len(d.Under()); got != len(d.Leaves) {
		t.Errorf("%d leaves of %d", got, len(d.Leaves))
	}
	items := d.Items("spec", "containers")
	if len(items) != 2 || items[0].Str("name") != "web" || items[1].Str("name") != "job" || items[1].Index != 1 {
		t.Fatalf("items: %+v", items)
	}
	env := items[0].Items("env")
	if len(env) != 2 || env[0].Str("value") != "b" || env[1].Str("name") != "C" || len(env[1].Under()) != 1 {
		t.Errorf("env: %+v", env)
	}
	if got := d.Items("spec", "empty"); len(got) != 0 {
		t.Errorf("items of an empty list: %+v", got)
	}
	scalars := syntax.Parse("a.yaml", []byte("a: [b, c]")).Docs[0].Items("a")
	if len(scalars) != 2 || scalars[1].Str() != "c" {
		t.Errorf("scalars: %+v", scalars)
	}
}

// TestDocOfDuplicates: the last of several keys counts, and all are under it.
func TestDocOfDuplicates(t *testing.T) {
	d := syntax.Parse("a.json", []byte(`{"a": "1", "b": {"c": "2"}, "a": "3", "b": {"c": "4", "d": "5"}}`)).Docs[0]
	if got := d.Str("a") + d.Str("b", "c"); got != "34" {
		t.Errorf("got %q", got)
	}
	if got := len(d.Under("b")); got != 3 {
		t.Errorf("%d leaves under b", got)
	}
	bare := syntax.Doc{Leaves: d.Leaves}
	if got := bare.Str("a"); got != "3" {
		t.Errorf("without runs: %q", got)
	}
}

func TestEmptyDocuments(t *testing.T) {
	for data, want := range map[string]int{
		"": 0, "# c\n": 0, "---\n": 1, "---\n---\n": 2, "a: b\n---\n": 2, "a: b\n...\n": 1, "---\n# c\n---\na: b\n...\n---\nc: d\n": 3, "\n\n---\na: b\n": 1, "...\n...\n": 0,
	} {
		f := syntax.Parse("a.yaml", []byte(data))
		checkLaws(t, f)
		if len(f.Docs) != want || f.Broken != nil {
			t.Errorf("%q: %d documents (%v), want %d", data, len(f.Docs), f.Broken, want)
		}
	}
}

func TestDocSpan(t *testing.T) {
	data := "# c\na: b\n--- # d\nc: d\n...\n# between\n---\n"
	f := syntax.Parse("a.yaml", []byte(data))
	var got []string
	for _, d := range f.Docs {
		got = append(got, string(d.Span.Cut(f.Data)))
	}
	if want := "# c\na: b\n| # d\nc: d\n|\n"; strings.Join(got, "|") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestComments(t *testing.T) {
	data := `# top

# one
# two
a: b # three
list:
  # four
  - name: c # five
      # too deep
    # six
    d: |  # seven
      # no comment
      text
e: "# not" #eight
#ENC[x]
f:
  g: h
    # odd
  i: {j: k, l: m} # nine
`
	f := syntax.Parse("a.yaml", []byte(data))
	checkBroken(t, f, "")
	checkLaws(t, f)
	want := map[string]string{
		"a": " one\n two\n three", "e": "eight", "f.g": "", "f.i.j": " nine", "f.i.l": " nine",
		"list[0].name": " four\n five", "list[0].d": " six\n seven",
	}
	for path, comment := range want {
		for _, l := range f.Leaves {
			if l.Path.String() == path && l.Comment != comment {
				t.Errorf("%s: %q, want %q", path, l.Comment, comment)
			}
		}
	}
	var all []string
	for _, c := range f.Comments {
		all = append(all, c.Text)
	}
	if got := strings.Join(all, "|"); got != " top| one| two| three| four| five| too deep| six| seven|eight|ENC[x]| odd| nine" {
		t.Errorf("all comments: %q", got)
	}
}

func TestSub(t *testing.T) {
	tests := []struct{ name, data, part string }{
		{"a.yaml", "a: some secret here\n", "secret"},
		{"a.yaml", "a: 'some secret here'\n", "secret"},
		{"a.yaml", "a: \"some secret here\\n\"\n", "secret"},
		{"a.yaml", "a: |\n  one\n    two secret x\n  three\n", "secret"},
		{"a.yaml", "a: |\r\n  secret\r\n  secret two\r\n", "two"},
		{"a.yaml", "a: >\n  one\n  two secret\n", "secret"},
		{"a.json", `{"a": "é secret"}`, "secret"},
		{"a.env", "A=\"x\nsecret\"\n", "secret"},
		{"a.toml", "a = '''\nx\nsecret'''\n", "secret"},
	}
	for _, tt := range tests {
		f := syntax.Parse(tt.name, []byte(tt.data))
		l := f.Leaves[0]
		i := strings.Index(l.Value, tt.part)
		got := string(f.Sub(l, i, i+len(tt.part)).Cut(f.Data))
		if got != tt.part && !(l.Style == syntax.Folded && strings.Contains(got, tt.part)) {
			t.Errorf("%q: part %q is cut as %q", tt.data, tt.part, got)
		}
	}
	f := syntax.Parse("a.yaml", []byte("a: |\n    -----BEGIN\n    xyz\n    -----END\n    rest\n"))
	l := f.Leaves[0]
	s := f.Sub(l, 0, strings.Index(l.Value, "\nrest"))
	if got := string(s.Cut(f.Data)); got != "-----BEGIN\n    xyz\n    -----END" {
		t.Errorf("a part of several lines is cut as %q", got)
	}
	if got := f.Sub(l, 5, 99); got != l.Span {
		t.Errorf("a part out of bounds is %v", got)
	}
}

func TestPathString(t *testing.T) {
	for want, p := range map[string]syntax.Path{
		"spec.env[0].name": {syntax.K("spec"), syntax.K("env"), syntax.I(0), syntax.K("name")},
		`a."b.c"."".d`:     {syntax.K("a"), syntax.K("b.c"), syntax.K(""), syntax.K("d")},
		"[1][2]":           {syntax.I(1), syntax.I(2)},
		"":                 nil,
	} {
		if got := p.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
