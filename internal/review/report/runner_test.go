package report

import (
	"bufio"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// command is a workflow command as GitHub's runner reads it from a line.
type command struct {
	Cmd   string            `json:"cmd"`
	Props map[string]string `json:"props"`
	Data  string            `json:"data"`
}

// runnerCommands are the commands that the runner acts on.
var runnerCommands = []string{"error", "warning", "notice", "debug", "group", "endgroup", "echo", "add-mask", "add-matcher",
	"remove-matcher", "add-path", "set-env", "set-output", "save-state", "stop-commands", "internal-set-repo-path"}

func isCommand(name string) bool {
	return slices.Contains(runnerCommands, strings.ToLower(name))
}

// readLine is a model of the runner's parser: the "::" form first, then "##[".
func readLine(line string) *command {
	if c := readColons(line); c != nil {
		return c
	}
	return readBracket(line)
}

func readColons(line string) *command {
	line = strings.TrimLeftFunc(line, unicode.IsSpace)
	rest, ok := strings.CutPrefix(line, "::")
	if !ok {
		return nil
	}
	info, data, ok := strings.Cut(rest, "::")
	if !ok {
		return nil
	}
	name, props, _ := strings.Cut(info, " ")
	if !isCommand(name) {
		return nil
	}
	c := &command{Cmd: name, Props: map[string]string{}}
	readProps(c, strings.TrimFunc(props, unicode.IsSpace), ",", strings.NewReplacer("%0D", "\r", "%0A", "\n", "%3A", ":", "%2C", ",", "%25", "%"))
	c.Data = strings.NewReplacer("%0D", "\r", "%0A", "\n", "%25", "%").Replace(data)
	return c
}

func readBracket(line string) *command {
	_, rest, ok := strings.Cut(line, "##[")
	if !ok {
		return nil
	}
	info, data, ok := strings.Cut(rest, "]")
	if !ok {
		return nil
	}
	name, props, _ := strings.Cut(info, " ")
	if !isCommand(name) {
		return nil
	}
	c := &command{Cmd: name, Props: map[string]string{}}
	unescape := strings.NewReplacer("%3B", ";", "%0D", "\r", "%0A", "\n", "%5D", "]", "%25", "%")
	readProps(c, props, ";", unescape)
	c.Data = unescape.Replace(data)
	return c
}

func readProps(c *command, s, sep string, unescape *strings.Replacer) {
	for pair := range strings.SplitSeq(s, sep) {
		name, value, ok := strings.Cut(pair, "=")
		if ok && value != "" {
			c.Props[name] = unescape.Replace(value)
		}
	}
}

// readLog splits a log as the runner does, where "\n", "\r\n" and "\r" end a line,
// and returns the commands in it.
func readLog(log string) []command {
	var out []command
	for line := range strings.SplitSeq(strings.ReplaceAll(log, "\r", "\n"), "\n") {
		if c := readLine(line); c != nil {
			out = append(out, *c)
		}
	}
	return out
}

type lineVector struct {
	Line   string   `json:"line"`
	Parsed *command `json:"parsed"`
}

func vectors[T any](t testing.TB, name string) []T {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []T
	for sc := bufio.NewScanner(f); sc.Scan(); {
		var v T
		if err := json.Unmarshal(sc.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

// The model must agree with the runner before anything is held to the model.
func TestModelAgreesWithRunner(t *testing.T) {
	all := vectors[lineVector](t, "testdata/runner-line-vectors.jsonl")
	if len(all) < 1000 {
		t.Fatalf("%d vectors", len(all))
	}
	for _, v := range all {
		got := readLine(v.Line)
		switch {
		case got == nil && v.Parsed == nil:
		case got == nil || v.Parsed == nil || got.Cmd != v.Parsed.Cmd || got.Data != v.Parsed.Data || !maps.Equal(got.Props, v.Parsed.Props):
			t.Errorf("%q: model %+v, runner %+v", v.Line, got, v.Parsed)
		}
	}
}

// Whatever line the runner was shown, cleaned it is no command, alone or behind
// text of ours; and cleaning twice changes nothing.
func TestCleanDisarmsEveryVector(t *testing.T) {
	armed := 0
	for _, v := range vectors[lineVector](t, "testdata/runner-line-vectors.jsonl") {
		if v.Parsed != nil {
			armed++
		}
		got := Clean(v.Line)
		for _, line := range []string{got, "  " + got, "path.yaml:1:2: " + got} {
			if c := readLine(line); c != nil {
				t.Errorf("%q: still a command: %+v", line, c)
			}
		}
		if again := Clean(got); again != got {
			t.Errorf("%q: cleaned twice %q", got, again)
		}
	}
	if armed < 100 {
		t.Errorf("only %d vectors are commands", armed)
	}
}

func TestClean(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"overlays/prod/app.yaml", "overlays/prod/app.yaml"},
		{"schlüssel/ключ/鍵.env", "schlüssel/ключ/鍵.env"},
		{"a\n::error::x", `a\n::error::x`},
		{"a\r::error::x", `a\r::error::x`},
		{"::error::x", `\::error::x`},
		{"\u00a0::error::x", "\u00a0\\::error::x"},
		{"\u2028::error::x", `\u2028::error::x`},
		{"x##[error]y", `x##[\error]y`},
		{"##[##[error]y", `##[\##[\error]y`},
		{"\x1b[31mred", `\u001b[31mred`},
		{"a\u202egnp.exe", `a\u202egnp.exe`},
		{"a\u200bb\ufeffc", `a\u200bb\ufeffc`},
		{"tag\U000e0041", `tag\U000e0041`},
		{"bad\xffutf8", `bad\xffutf8`},
		{"#\u200b#[error]", `#\u200b#[error]`},
		{"", ""},
	} {
		if got := Clean(tt.in); got != tt.want {
			t.Errorf("Clean(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}
