package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/syntax"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func span(file string, line, col, endLine, endCol int) syntax.Span {
	return syntax.Span{File: file, Start: syntax.Pos{Line: line, Col: col}, End: syntax.Pos{Line: endLine, Col: endCol}}
}

// canary stands for a secret value, which must not pass.
var canary = "canary-" + strings.Repeat("7", 12)

func sample() *review.Report {
	page := "Secrets in clear.\n\n## What\n\nA Secret whose `data` is not sealed.\n\n## Why it matters\n\nWhoever can read the repository\ncan read the value.\n\nAnd more.\n\n## Instead\n\n```sh\nsops -e -i file\n```\n"
	return &review.Report{
		Findings: []review.Finding{
			{Rule: "plaintext-secret", Severity: review.Error, Span: span("overlays/prod/db.yaml", 9, 13, 9, 31),
				Message: "Secret payments/db holds `DATABASE_PASSWORD` in clear", Why: "Whoever can read the repository can read the value.", Hint: "seal it with `sops -e -i overlays/prod/db.yaml`, after a new password is set",
				Key: "stringData.DATABASE_PASSWORD", Subject: canary,
				Related: []review.Related{{Span: span("overlays/dev/db.yaml", 9, 13, 9, 20), Message: "sealed here"}}},
			{Rule: "leaked-token", Severity: review.Error, Span: span("ci/old name.env", 2, 1, 4, 1), Commit: strings.Repeat("ab12", 10),
				Message: "a GitHub token", Why: "It opens the organisation's repositories.", Hint: "revoke it at GitHub", Subject: canary},
			{Rule: "key-drift", Severity: review.Warning, Span: span("envs/dev/app.env", 4, 1, 4, 10), Message: "LOG_LEVEL is missing in prod", Hint: "add it"},
			{Rule: "no-rule", Severity: review.Notice, Span: syntax.Span{File: "x|y`z.yaml"}, Message: "no rule of .sops.yaml matches this file", Hint: "add one"},
		},
		Ignored: []review.Ignored{{Finding: review.Finding{Rule: "leaked-token", Severity: review.Error, Span: span("testdata/a.env", 1, 1, 1, 5), Message: "a token", Subject: canary},
			Reason: "fixtures", By: ".sealward.yaml:3"}},
		Incomplete: []string{"big.yaml was not read: 20 MB are more than the 16 MB that one file may have"},
		Skipped:    []review.Skip{{Path: "logo.png", Reason: "binary"}},
		Scanned:    41, Total: 43, Commits: 3,
		Profile: review.Profile{Name: "flux-sops", Why: "clusters/prod holds a Flux Kustomization"},
		Rules: []*review.Rule{
			{ID: "plaintext-secret", Doc: page, Severity: review.Error, Family: review.Leaks},
			{ID: "key-drift", Doc: "A key is missing.", Severity: review.Warning, Family: review.Drift},
		},
	}
}

func render(t testing.TB, format string, r *review.Report, opt Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := Renderers(opt)[format](&b, r); err != nil {
		t.Fatalf("%s: %v", format, err)
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	for _, format := range Formats() {
		t.Run(format, func(t *testing.T) {
			got := render(t, format, sample(), Options{Width: 80, Version: "1.2.3"})
			name := filepath.Join("testdata", "sample."+format)
			if *update {
				if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s differs; if that is meant, run: go test ./internal/review/report -update\n%s", name, got)
			}
			if strings.Contains(got, canary) {
				t.Error("the secret itself is in the output")
			}
		})
	}
}

func TestFormatsAndRenderersAgree(t *testing.T) {
	all := Renderers(Options{})
	for _, name := range Formats() {
		if all[name] == nil {
			t.Errorf("no renderer %q", name)
		}
	}
	if len(all) != len(Formats()) {
		t.Errorf("%d renderers, %d names", len(all), len(Formats()))
	}
}

func TestEmptyReport(t *testing.T) {
	for _, format := range Formats() {
		got := render(t, format, &review.Report{Scanned: 7, Total: 7}, Options{})
		if !strings.Contains(got, "7") && format != "sarif" {
			t.Errorf("%s does not say what was scanned: %s", format, got)
		}
		if strings.Contains(got, "null") {
			t.Errorf("%s: null where a list belongs: %s", format, got)
		}
	}
}

func TestColours(t *testing.T) {
	if got := render(t, "text", sample(), Options{}); strings.Contains(got, "\x1b") {
		t.Error("colours though none were asked for")
	}
	if got := render(t, "text", sample(), Options{Color: true}); !strings.Contains(got, "\x1b[31merror\x1b[0m") {
		t.Error("no colours")
	}
}

func TestWrap(t *testing.T) {
	text := strings.Repeat("word ", 40) + strings.Repeat("x", 60)
	for _, row := range wrap(text, 30) {
		if n := utf8.RuneCountInString(row); n > 30 && strings.Contains(row, " ") {
			t.Errorf("%d wide: %q", n, row)
		}
	}
	if got := strings.Join(wrap(text, 30), " "); got != text {
		t.Errorf("words changed: %q", got)
	}
}

func many(n int, s review.Severity) *review.Report {
	r := &review.Report{Scanned: 1, Total: 1}
	for i := range n {
		r.Findings = append(r.Findings, review.Finding{Rule: "leaked-token", Severity: s, Span: span("a.env", i+1, 1, i+1, 9),
			Message: fmt.Sprintf("number %d", i), Hint: strings.Repeat("long hint ", 1000)})
	}
	return r
}

func TestGitHubLimits(t *testing.T) {
	for _, tt := range []struct{ n, want int }{{1, 1}, {10, 10}, {11, 10}, {300, 10}} {
		r := many(tt.n, review.Error)
		var shown []command
		for _, c := range readLog(render(t, "github", r, Options{})) {
			if c.Cmd == "error" {
				shown = append(shown, c)
			}
			if n := utf8.RuneCountInString(c.Data); n > annotationSize {
				t.Errorf("%d findings: a message of %d characters", tt.n, n)
			}
		}
		if len(shown) != tt.want {
			t.Errorf("%d findings: %d annotations, want %d", tt.n, len(shown), tt.want)
			continue
		}
		more := fmt.Sprintf("%s more in the summary and in the log.", counted(tt.n-10, "error"))
		if last := shown[len(shown)-1].Data; strings.HasSuffix(last, more) != (tt.n > 10) {
			t.Errorf("%d findings: the last annotation ends %q", tt.n, last[len(last)-80:])
		}
	}
}

func TestGitHubIncompleteIsNeverCrowdedOut(t *testing.T) {
	r := many(50, review.Error)
	r.Incomplete = []string{"x was not read", "y was not read"}
	got := readLog(render(t, "github", r, Options{}))
	if got[0].Cmd != "error" || got[0].Data != "x was not read\n1 more in the log." {
		t.Errorf("first annotation: %+v", got[0])
	}
	if n := slices.IndexFunc(got, func(c command) bool { return c.Cmd == "group" }); n != annotationsPerLevel {
		t.Errorf("%d annotations", n)
	}
}

func TestGitHubColumnsWithinOneLineOnly(t *testing.T) {
	r := &review.Report{Findings: []review.Finding{
		{Rule: "r", Severity: review.Error, Span: span("a", 3, 2, 3, 9), Message: "m"},
		{Rule: "r", Severity: review.Error, Span: span("a", 3, 2, 5, 1), Message: "m"},
		{Rule: "r", Severity: review.Error, Span: span("a", 3, 2, 4, 1), Message: "m"},
		{Rule: "r", Severity: review.Error, Span: syntax.Span{File: "a"}, Message: "m"},
	}}
	got := readLog(render(t, "github", r, Options{}))
	want := []map[string]string{
		{"file": "a", "line": "3", "endLine": "3", "col": "2", "endColumn": "9", "title": "r"},
		{"file": "a", "line": "3", "endLine": "4", "title": "r"},
		{"file": "a", "line": "3", "endLine": "3", "title": "r"},
		{"file": "a", "title": "r"},
	}
	for i, w := range want {
		if fmt.Sprint(got[i].Props) != fmt.Sprint(w) {
			t.Errorf("%d: %v, want %v", i, got[i].Props, w)
		}
	}
}

func TestJSONKeepsNamesExactly(t *testing.T) {
	name := "dir/\n::error::##[error]\u202e\U000e0041<b>&|`.yaml"
	r := &review.Report{Findings: []review.Finding{{Rule: "r", Severity: review.Notice, Span: span(name, 1, 1, 1, 1), Message: name}}}
	for _, format := range []string{"json", "sarif"} {
		got := render(t, format, r, Options{})
		if !json.Valid([]byte(got)) {
			t.Fatalf("%s: not JSON", format)
		}
		assertNothingHidden(t, format, got)
	}
	var back struct {
		Findings []struct{ Path, Message string } `json:"findings"`
	}
	if err := json.Unmarshal([]byte(render(t, "json", r, Options{})), &back); err != nil {
		t.Fatal(err)
	}
	if back.Findings[0].Path != name || back.Findings[0].Message != name {
		t.Errorf("read back %q", back.Findings[0].Path)
	}
}

func TestSARIFResultLimit(t *testing.T) {
	r := many(sarifResults+3, review.Warning)
	for i := range r.Findings {
		r.Findings[i].Hint = ""
	}
	var log sarifLog
	if err := json.Unmarshal([]byte(render(t, "sarif", r, Options{})), &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	if len(run.Results) != sarifResults {
		t.Errorf("%d results", len(run.Results))
	}
	if n := run.Invocations[0].Notifications; len(n) != 1 || !strings.Contains(n[0].Message.Text, "3 more were left out") || !strings.Contains(n[0].Message.Text, "leaked-token 3") {
		t.Errorf("notifications: %+v", n)
	}
	seen := map[string]bool{}
	for _, res := range run.Results {
		fp := res.Fingerprints["primaryLocationLineHash"]
		if seen[fp] {
			t.Fatalf("fingerprint %q twice", fp)
		}
		seen[fp] = true
	}
}

func TestRelativeURI(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"a/b.yaml", "a/b.yaml"},
		{"a b/ü.yaml", "a%20b/%C3%BC.yaml"},
		{"http://evil/x", "http%3A//evil/x"},
		{"c:x", "c%3Ax"},
		{"a?b#c%d", "a%3Fb%23c%25d"},
		{"bad\xff\n", "bad%FF%0A"},
	} {
		if got := relativeURI(tt.in); got != tt.want {
			t.Errorf("relativeURI(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestMarkdownBudget(t *testing.T) {
	r := many(2000, review.Error)
	for i := range 3000 {
		r.Incomplete = append(r.Incomplete, fmt.Sprintf("file %d was not read", i))
		r.Ignored = append(r.Ignored, review.Ignored{Finding: r.Findings[0], Reason: "why not"})
	}
	for _, budget := range []int{SummaryBudget, CommentBudget, 5000} {
		got := render(t, "markdown", r, Options{Budget: budget})
		if len(got) > budget {
			t.Errorf("budget %d: %d bytes", budget, len(got))
		}
		if !strings.Contains(got, "did not fit here") || !strings.Contains(got, "scanned 1 of 1 file") {
			t.Errorf("budget %d: does not say what is missing: ...%s", budget, got[len(got)-300:])
		}
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWriteErrorsAreReturned(t *testing.T) {
	for name, f := range Renderers(Options{}) {
		if err := f(failing{}, sample()); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestPascal(t *testing.T) {
	if got := pascal("leaked-token"); got != "LeakedToken" {
		t.Errorf("pascal = %q", got)
	}
}
