package syntax_test

import (
	"strings"
	"testing"

	"github.com/sealward/sealward/internal/syntax"
)

func TestApply(t *testing.T) {
	data := []byte("0123456789")
	got, err := syntax.Apply(data, []syntax.Replace{{Start: 8, End: 10, Text: "x"}, {Start: 2, End: 4, Text: ""}, {Start: 5, End: 5, Text: "a"}, {Start: 5, End: 5, Text: "b"}, {Start: 0, End: 1, Text: "long"}})
	if err != nil || string(got) != "long14ab567x" || string(data) != "0123456789" {
		t.Errorf("got %q, %v", got, err)
	}
	for _, bad := range [][]syntax.Replace{
		{{Start: 0, End: 3}, {Start: 2, End: 4}}, {{Start: -1, End: 0}}, {{Start: 3, End: 2}}, {{Start: 0, End: 11}}, {{Start: 0, End: 5}, {Start: 3, End: 3}},
	} {
		if got, err := syntax.Apply(data, bad); err == nil {
			t.Errorf("%v gave %q", bad, got)
		}
	}
}

// TestEncode writes values over every kind of token and reads them back, all else
// unchanged.
func TestEncode(t *testing.T) {
	files := map[string]string{
		"a.yaml":       "p: plain # c\ns: 'single'\nd: \"double\"\nl:\n  block: |\n    text\n    more\n  folded: >-\n    text\nn: 5\nnull:\nf: {x: y, z: [w]}\nlast: e\n",
		"a.json":       "{\"a\": \"b\", \"n\": 5, \"l\": [\"x\"]}\n",
		"a.env":        "A=b # c\nC='d'\nE=\"f\"\nG=\n",
		"sealed.env":   "A=b\nsops_mac=x\n",
		"a.ini":        "[a]\nb = c ; d\ne = \"f\"\n",
		"a.toml":       "a = \"b\"\nc = 'd'\n",
		"a.properties": "a.b=c\n",
	}
	values := []string{"new", "two words", "a: b", "# x", "12", "true", "", "it's", `say "x"`, "one\ntwo\n", "tab\tx", "{x}", "- a", "é", "a #b", "'", "\\", "x,y", "*a", "null", "a\\nb", "\x7f", "trail ", " lead", "\n"}
	wrote := 0
	for name, data := range files {
		f := syntax.Parse(name, []byte(data))
		checkBroken(t, f, "")
		for i, l := range f.Leaves {
			for _, v := range values {
				text, err := f.Encode(v, l)
				if err != nil {
					if name == "a.yaml" || name == "a.json" {
						t.Errorf("%s %s = %q: %v", name, l.Path, v, err)
					}
					continue
				}
				wrote++
				out, err := syntax.Apply(f.Data, []syntax.Replace{syntax.Over(l.Span, text)})
				if err != nil {
					t.Fatal(err)
				}
				again := syntax.Parse(name, out)
				if len(again.Leaves) != len(f.Leaves) || again.Leaves[i].Value != v {
					t.Errorf("%s %s = %q was written as %q", name, l.Path, v, text)
				}
			}
		}
	}
	if wrote < 400 {
		t.Errorf("only %d values could be written", wrote)
	}
}

// TestEncodeKeepsStyle: what need not change does not.
func TestEncodeKeepsStyle(t *testing.T) {
	f := syntax.Parse("a.yaml", []byte("p: plain\ns: 'single'\nd: \"double\"\nb: |\n  text\nn: 5\nx: &x y\nz: *x\n"))
	for path, want := range map[string]string{"p": "v", "s": "'v'", "d": `"v"`, "b": "|-\n  v\n", "n": "v"} {
		l, _ := f.Docs[0].Get(path)
		if got, err := f.Encode("v", l); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", path, got, err, want)
		}
	}
	l, _ := f.Docs[0].Get("z")
	if got, err := f.Encode("v", l); err == nil || !strings.Contains(err.Error(), "alias") {
		t.Errorf("over an alias: %q, %v", got, err)
	}
	if l, _ := f.Docs[0].Get("n"); true {
		if got, _ := f.Encode("7", l); got != "7" {
			t.Errorf("a number over a number: %q", got)
		}
	}
	if l, _ := f.Docs[0].Get("p"); true {
		if got, _ := f.Encode("7", l); got != `"7"` {
			t.Errorf("digits over a string: %q", got)
		}
	}
}
