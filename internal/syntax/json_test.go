package syntax_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sealward/sealward/internal/syntax"
)

// jsonLines reads JSON with encoding/json, token by token, duplicate keys kept.
func jsonLines(d *json.Decoder, p syntax.Path, out *[]string) error {
	tok, err := d.Token()
	if err != nil {
		return err
	}
	add := func(value string, kind syntax.Kind, style syntax.Style) {
		*out = append(*out, line(p, value, kind, style))
	}
	switch v := tok.(type) {
	case string:
		add(v, syntax.String, syntax.DoubleQuoted)
	case json.Number:
		kind := syntax.Int
		if strings.ContainsAny(v.String(), ".eE") {
			kind = syntax.Float
		}
		add(v.String(), kind, syntax.Plain)
	case bool:
		add(map[bool]string{true: "true", false: "false"}[v], syntax.Bool, syntax.Plain)
	case nil:
		add("null", syntax.Null, syntax.Plain)
	case json.Delim:
		n := 0
		for ; d.More(); n++ {
			step := syntax.I(n)
			if v == '{' {
				key, err := d.Token()
				if err != nil {
					return err
				}
				step = syntax.K(key.(string))
			}
			if err := jsonLines(d, append(p[:len(p):len(p)], step), out); err != nil {
				return err
			}
		}
		if _, err := d.Token(); err != nil {
			return err
		}
		if n == 0 {
			add("", map[json.Delim]syntax.Kind{'{': syntax.EmptyMap, '[': syntax.EmptyList}[v], syntax.Plain)
		}
	}
	return nil
}

func sameAsJSON(t *testing.T, data []byte) {
	t.Helper()
	f := syntax.ParseAs("f.json", data, syntax.JSON)
	checkLaws(t, f)
	if !json.Valid(data) || !utf8.Valid(data) {
		return
	}
	var want []string
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := jsonLines(d, nil, &want); err != nil {
		return
	}
	if f.Broken != nil {
		if strings.Contains(f.Broken.Error(), "deeper") {
			return
		}
		t.Fatalf("broken: %v\n%q", f.Broken, data)
	}
	if got := ours(f.Docs[0]); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Fatalf("%q\n got %q\nwant %q", data, got, want)
	}
}

func FuzzJSON(f *testing.F) {
	for _, s := range jsonSeeds() {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 1<<16 {
			sameAsJSON(t, data)
		}
	})
}

func TestJSONReference(t *testing.T) {
	for _, s := range jsonSeeds() {
		sameAsJSON(t, []byte(s))
	}
}

func jsonSeeds() []string {
	return []string{
		`{"a": 1, "b": [true, false, null, 1.5e3, -0], "c": {"d": "e\n\u00e9\ud83d\ude00\ud800"}, "a": 2}`, `[]`, `{}`, `{"a": {}, "b": []}`, `"x"`, `12345678901234567890123`,
		" [1,\r\n\t2 ] ", `{"a":1}{"b":2}`, "{\"a\":1}\n{\"b\":2}\n", "// c\n{\"a\": 1, /* d */ \"b\": 2,}", `{"a"`, `[1 2]`, `"\x"`, "\uFEFF{}", `{"a": 01}`, `-`, `[1,]`, `{"": ""}`, "\"a\nb\"",
	}
}

func TestJSON(t *testing.T) {
	tests := []struct {
		name, data string
		broken     string
		want       []string // Doc path=value
	}{
		{"big.json", `{"n": 123456789012345678901234567890, "f": 1.0}`, "", []string{"0 n=123456789012345678901234567890", "0 f=1.0"}},
		{"dup.json", `{"a": "1", "a": "2"}`, "", []string{"0 a=1", "0 a=2"}},
		{"lines.jsonl", "{\"a\": \"1\"}\n{\"a\": \"2\"}\n", "", []string{"0 a=1", "1 a=2"}},
		{"tsconfig.json", "{\n  // why\n  \"strict\": true, /* so */\n}", "", []string{"0 strict=true"}},
		{"empty.json", "", "", nil},
		{"open.json", "{\"user\": \"u\",\n\"password\": \"p\",\n", "not JSON: line 3", []string{"0 user=u", "0 password=p"}},
		{"words.json", "hello there", "not JSON: line 1", nil},
		{"j5.json5", "{a: 'b'}", "not JSON: line 1: found something else where a key in double quotes is expected", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := syntax.Parse(tt.name, []byte(tt.data))
			checkLaws(t, f)
			checkBroken(t, f, tt.broken)
			equalLines(t, leafLines(f), tt.want)
		})
	}
}

func TestJSONComments(t *testing.T) {
	f := syntax.Parse("settings.jsonc", []byte("{\n  // above\n  \"a\": 1, // behind\n  /* in */ \"b\": 2\n}\n"))
	if len(f.Comments) != 3 || f.Comments[1].Text != " behind" {
		t.Fatalf("comments: %v", f.Comments)
	}
	if l, _ := f.Docs[0].Get("a"); l.Comment != " above\n behind" {
		t.Errorf("comment of a: %q", l.Comment)
	}
}
