package report

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sealward/sealward/internal/review"
)

func assertNothingHidden(t testing.TB, format, out string) {
	t.Helper()
	if !utf8.ValidString(out) {
		t.Errorf("%s: invalid UTF-8: %q", format, out)
	}
	if i := strings.IndexFunc(out, func(r rune) bool { return r != '\n' && isHidden(r) }); i >= 0 {
		t.Errorf("%s: hidden character at %q", format, out[i:min(len(out), i+20)])
	}
}

func TestMarkdownEscapes(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"plain text, v1.2-rc", "plain text, v1.2-rc"},
		{"<img src=x onerror=alert(1)>", `&lt;img src=x onerror=alert\(1\)&gt;`},
		{"[x](https://evil) @org/team #12", `\[x\]\(https<!-- -->://evil\) @<!-- -->org/team #<!-- -->12`},
		{"www.evil.com GH-12", "www<!-- -->.evil.com GH<!-- -->-12"},
		{"run `sops a|b`", "run `sops a|b`"},
		{"odd ` tick <b>", "odd ' tick &lt;b&gt;"},
		{"a\n\n# title", `a  #<!-- --> title`},
		{"**x** __y__ ~~z~~ $x$", `\*\*x\*\* \_\_y\_\_ \~\~z\~\~ \$x\$`},
	} {
		if got := prose(tt.in); got != tt.want {
			t.Errorf("prose(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
	for _, tt := range []struct{ in, want string }{
		{"a.yaml", "`a.yaml`"},
		{"a`b", "``a`b``"},
		{"`a``", "``` `a`` ```"},
		{"a|b", "`a|b`"},
		{"", "`  `"},
	} {
		if got := Code(tt.in); got != tt.want {
			t.Errorf("Code(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

// FuzzHostileNames: whatever files and keys are called, no format lets a command
// through that is not its own, nor a hidden character, nor the secret.
func FuzzHostileNames(f *testing.F) {
	for _, v := range vectors[lineVector](f, "testdata/runner-line-vectors.jsonl")[:60] {
		f.Add(v.Line, v.Line, "k")
	}
	f.Add("a\n::error::x", "m ##", "[error]x")
	f.Add("#", "#[error]x", "\u2028::stop-commands::t")
	f.Add("a\r\n##[set-output name=x]y", "\x1b]0;t\a", "\xff\xfe")
	f.Add("<script>", "`|`", "</details>")
	f.Fuzz(func(t *testing.T, path, message, hint string) {
		r := &review.Report{
			Findings: []review.Finding{{Rule: "key-drift", Severity: review.Error, Span: span(path, 1, 1, 1, 2), Message: message,
				Hint: hint, Why: message, Key: path, Commit: path, Subject: canary, Related: []review.Related{{Span: span(path, 2, 1, 2, 2), Message: hint}}}},
			Incomplete: []string{path + message},
			Ignored:    []review.Ignored{{Finding: review.Finding{Rule: "r", Span: span(path, 1, 1, 1, 1), Message: message}, Reason: hint, By: path}},
			Skipped:    []review.Skip{{Path: path, Reason: message}},
		}
		for _, format := range Formats() {
			out := render(t, format, r, Options{Width: 40})
			assertNothingHidden(t, format, out)
			var names []string
			for _, c := range readLog(out) {
				names = append(names, c.Cmd)
			}
			var want []string
			if format == "github" {
				want = []string{"error", "error", "group", "endgroup"}
			}
			if !slices.Equal(names, want) {
				t.Errorf("%s: commands %q, want %q in:\n%s", format, names, want, out)
			}
			if format == "markdown" {
				assertOwnTags(t, out)
			}
		}
	})
}

// assertOwnTags checks that outside of code spans there are no tags but ours.
func assertOwnTags(t testing.TB, out string) {
	t.Helper()
	for _, own := range []string{"<br>", "<details><summary>1 ignored</summary>", "</details>", breaker} {
		out = strings.ReplaceAll(out, own, "")
	}
	for line := range strings.Lines(out) {
		if i := strings.IndexByte(outsideCode(line), '<'); i >= 0 {
			t.Errorf("a foreign tag in %q", line)
		}
	}
}

// outsideCode cuts the code spans out of a line, as CommonMark finds them.
func outsideCode(line string) string {
	var b strings.Builder
	for line != "" {
		i := strings.IndexByte(line, '`')
		if i < 0 {
			break
		}
		if i > 0 && line[i-1] == '\\' {
			b.WriteString(line[:i+1])
			line = line[i+1:]
			continue
		}
		b.WriteString(line[:i])
		n := len(line[i:]) - len(strings.TrimLeft(line[i:], "`"))
		rest := line[i+n:]
		end := closing(rest, n)
		if end < 0 {
			b.WriteString(line[i : i+n])
			line = rest
			continue
		}
		line = rest[end+n:]
	}
	b.WriteString(line)
	return b.String()
}

// closing finds a run of exactly n backticks.
func closing(s string, n int) int {
	for i := 0; i < len(s); {
		k := len(s[i:]) - len(strings.TrimLeft(s[i:], "`"))
		if k == n {
			return i
		}
		i += max(k, 1)
	}
	return -1
}
