package drift

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/sealward/sealward/internal/config"
	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/review/rule"
)

var update = flag.Bool("update", false, "rewrite the want sections of testdata")

var now = time.Date(2030, 6, 15, 12, 0, 0, 0, time.UTC)

func build(t *testing.T, files fstest.MapFS, cfg *config.Config, ages Ages) *Report {
	t.Helper()
	tree, err := review.OpenTree(repo.Snapshot{FS: files}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	r := Build(tree, cfg, ages)
	r.Now = now
	return r
}

func text(t *testing.T, render func(io.Writer, *Report) error, r *Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := render(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Each case is a tree, and the report that it has for a terminal.
func TestCases(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) < 10 {
		t.Fatalf("%d cases, %v", len(names), err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files, cfg, want := fstest.MapFS{}, &config.Config{}, -1
			for i, f := range ar.Files {
				switch f.Name {
				case "want":
					want = i
				case config.Name:
					if cfg, err = config.Parse(f.Name, f.Data); err != nil {
						t.Fatal(err)
					}
				default:
					files[f.Name] = &fstest.MapFile{Data: f.Data}
				}
			}
			got := text(t, Text, build(t, files, cfg, nil))
			if want >= 0 && string(ar.Files[want].Data) == got {
				return
			}
			if !*update {
				t.Fatalf("got\n%s\nto accept it: go test ./internal/review/drift -update", got)
			}
			if want < 0 {
				want = len(ar.Files)
				ar.Files = append(ar.Files, txtar.File{Name: "want"})
			}
			ar.Files[want].Data = []byte(got)
			if err := os.WriteFile(name, txtar.Format(ar), 0o644); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// grown is a report of one unit with rows x environments, some of which drift in
// each row.
func grown(rows, environments int) *Report {
	r := &Report{Now: now, Link: "https://github.com/example/gitops/blob/main"}
	u := Unit{Name: "apps/shop/overlays/*/secret.sops.yaml", Files: map[string]string{}}
	for e := range environments {
		name := fmt.Sprintf("env-%02d", e)
		u.Environments = append(u.Environments, name)
		u.Files[name] = "apps/shop/overlays/" + name + "/secret.sops.yaml"
		r.Environments = append(r.Environments, Environment{Name: name, Units: 1, Keys: rows})
	}
	for i := range rows {
		row := Row{Key: fmt.Sprintf("APPLICATION_SETTING_%04d", i), Drift: true, Since: now.AddDate(0, 0, -i)}
		for j, e := range u.Environments {
			c := Cell{Env: e, State: rule.Present, Path: u.Files[e], Line: i + 1}
			if (i+j)%3 == 0 {
				c.State, c.Line = rule.Missing, 0
			}
			row.Cells = append(row.Cells, c)
		}
		u.Rows = append(u.Rows, row)
	}
	r.Units = []Unit{u}
	return r
}

func TestMarkdownStaysWithinTheBudget(t *testing.T) {
	many := grown(3, 2)
	for i := range 5_000 {
		u := many.Units[0]
		u.Name = fmt.Sprintf("apps/%04d/overlays/*/app.env", i)
		many.Units = append(many.Units, u)
	}
	unread := grown(800, 6)
	for i := range 900 {
		unread.Incomplete = append(unread.Incomplete, strings.Repeat("é", 4000)+fmt.Sprint(i))
	}
	long := grown(50, 6)
	for i := range long.Units[0].Rows {
		long.Units[0].Rows[i].Key = strings.Repeat("|", 50_000)
	}
	for name, tt := range map[string]struct {
		r   *Report
		all bool
	}{
		"800 rows, 6 environments": {grown(800, 6), true},
		"40 rows with links":       {grown(40, 6), true},
		"200 rows, 12":             {grown(200, 12), true},
		"5,000 rows":               {grown(5_000, 6), false},
		"60 environments":          {grown(2_000, 60), false},
		"many units":               {many, false},
		"much unread":              {unread, false},
		"long names":               {long, true},
	} {
		got := text(t, Markdown, tt.r)
		if len(got) >= markdownBudget {
			t.Errorf("%s: %d bytes", name, len(got))
		}
		if len(got) < markdownBudget/3 && !tt.all {
			t.Errorf("%s: only %d bytes, though not all of it is there", name, len(got))
		}
		if left := strings.Contains(got, "more did not fit"); left == tt.all {
			t.Errorf("%s: says that something was left out: %v, want %v", name, left, !tt.all)
		}
		if !strings.Contains(got, "<!-- sealward:drift ") || strings.Count(got, "<details") != strings.Count(got, "</details>") {
			t.Errorf("%s: is cut off", name)
		}
	}
}

// What is left out is counted to the key.
func TestMarkdownCountsWhatItLeavesOut(t *testing.T) {
	got := text(t, Markdown, grown(5_000, 6))
	m := regexp.MustCompile(`(?m)^(\d+) keys more did not fit`).FindStringSubmatch(got)
	if m == nil {
		t.Fatal("nothing is said of what was left out")
	}
	shown := strings.Count(got, "`APPLICATION_SETTING_")
	if fmt.Sprint(5_000-shown) != m[1] || shown < 500 {
		t.Errorf("%d are shown and %s left out, of 5000", shown, m[1])
	}
}

// Above eight environments a table is split, and each part has every key.
func TestMarkdownSplitsWideTables(t *testing.T) {
	got := text(t, Markdown, grown(20, 12))
	if n := strings.Count(got, "| key |"); n != 2 {
		t.Errorf("%d tables, want 2", n)
	}
	if n := strings.Count(got, "| `APPLICATION_SETTING_0007` |"); n != 2 {
		t.Errorf("the key stands in %d tables, want 2", n)
	}
	for line := range strings.Lines(got) {
		if cells := strings.Count(line, " | "); cells > widest+3 {
			t.Errorf("%d cells stand side by side: %s", cells, line)
		}
	}
}

var hidden = regexp.MustCompile(`<!-- sealward:drift ([0-9a-f]{16}) -->`)

// The hash changes with the drift and with nothing else: the days that pass, when
// lines are said to have come, and where links lead are no news.
func TestHashTellsNewsOnly(t *testing.T) {
	hash := func(r *Report) string {
		m := hidden.FindStringSubmatch(text(t, Markdown, r))
		if m == nil {
			t.Fatal("there is no hash")
		}
		return m[1]
	}
	want := hash(grown(30, 3))
	later := grown(30, 3)
	later.Now, later.Link, later.Title = now.AddDate(1, 2, 3), "https://example.com/blob/abc", "elsewhere"
	for i := range later.Units[0].Rows {
		row := &later.Units[0].Rows[i]
		row.Since = now.AddDate(0, 0, -(i*7)%11)
		for j := range row.Cells {
			if row.Cells[j].Line > 0 {
				row.Cells[j].Line += 40
			}
		}
	}
	if got := hash(later); got != want {
		t.Errorf("days, ages, lines and links change the hash from %s to %s", want, got)
	}
	for name, change := range map[string]func(r *Report){
		"a key was added":   func(r *Report) { r.Units[0].Rows[0].Cells[0].State = rule.Present },
		"a key was emptied": func(r *Report) { r.Units[0].Rows[0].Cells[1].State = rule.Empty },
		"a key drifts less": func(r *Report) { r.Units[0].Rows[0].Drift = false },
		"another key":       func(r *Report) { r.Units[0].Rows[0].Key = "OTHER" },
		"another unit":      func(r *Report) { r.Units[0].Name = "other" },
		"not all was read":  func(r *Report) { r.Incomplete = []string{"x: too large"} },
	} {
		r := grown(30, 3)
		change(r)
		if hash(r) == want {
			t.Errorf("%s, and the hash is the same", name)
		}
	}
}

// hostile are names that mean something to where they are shown.
var hostile = []string{
	"::error::forged", "##[error]forged", "a|b", "`tick`", "<script>alert(1)</script>", "<!-- sealward:drift 0000000000000000 -->",
	"javascript:alert(1)", "a\u2028b", "\u202egpj.exe", "\x1b[31mred", "[x](http://example.com)", "@everyone", `"><img src=x onerror=alert(1)>`, "</details>", "\\|",
}

func TestHostileNamesStayNames(t *testing.T) {
	r := grown(len(hostile), 2)
	for i, name := range hostile {
		r.Units[0].Rows[i].Key = name
	}
	for i, name := range hostile {
		u := grown(1, 2).Units[0]
		u.Name, u.Environments, u.Rows[0].Cells[0].Env = name, []string{name, "prod"}, name
		u.Rows[0].Cells[0].Path = name
		r.Units = append(r.Units, u)
		r.Environments = append(r.Environments, Environment{Name: name, Keys: i})
		r.Incomplete = append(r.Incomplete, name+": too large")
	}
	r.Title = "<script>title</script>"
	for format, render := range map[string]func(io.Writer, *Report) error{"text": Text, "markdown": Markdown, "html": HTML} {
		got := text(t, render, r)
		for _, bad := range []string{"##[error", "\u2028", "\u202e", "\x1b", "<script>alert", "<script>title", "<img"} {
			in := got
			if format == "markdown" && strings.HasPrefix(bad, "<") {
				in = outsideCode.ReplaceAllString(got, "")
			}
			if format == "text" && strings.HasPrefix(bad, "<") {
				continue // a terminal shows it as it is
			}
			if strings.Contains(in, bad) {
				t.Errorf("%s has %q", format, bad)
			}
		}
		for line := range strings.Lines(got) {
			if strings.HasPrefix(strings.TrimSpace(line), "::") {
				t.Errorf("%s forges a command: %q", format, line)
			}
		}
	}
	md := text(t, Markdown, r)
	if n := len(hidden.FindAllString(outsideCode.ReplaceAllString(md, ""), -1)); n != 1 {
		t.Errorf("%d hashes outside of code, want 1", n)
	}
	if page := text(t, HTML, r); strings.Contains(page, `href="javascript:`) {
		t.Error("the page links to a script")
	}
}

// outsideCode matches the code spans of Markdown, of one or two ticks.
var outsideCode = regexp.MustCompile("``[^\n]*?``|`[^`\n]*`")

func TestJSONFields(t *testing.T) {
	files := fstest.MapFS{
		"overlays/dev/app.env":  {Data: []byte("A=1\nB=2\nC=3\n")},
		"overlays/prod/app.env": {Data: []byte("A=1\nC=\n")},
	}
	began := now.AddDate(0, -2, 0)
	ages := func(path string, lines []int) map[int]time.Time {
		if path == "overlays/dev/app.env" {
			return map[int]time.Time{2: began, 3: began}
		}
		return nil
	}
	var got struct {
		Version, Drift int
		Environments   []struct {
			Name                        string
			Units, Keys, Missing, Empty int
		}
		Units []struct {
			Unit  string
			Files map[string]string
			Keys  []struct {
				Key, Since string
				Drift      bool
				In         map[string]struct {
					State string
					Line  int
				}
			}
		}
		Incomplete []string
	}
	raw := text(t, JSON, build(t, files, &config.Config{}, ages))
	if err := json.Unmarshal([]byte(raw), &got); err != nil {
		t.Fatal(err)
	}
	if got.Version != 1 || got.Drift != 2 || got.Incomplete == nil || len(got.Units) != 1 || len(got.Environments) != 2 {
		t.Fatalf("got %+v", got)
	}
	if e := got.Environments[1]; e.Name != "prod" || e.Units != 1 || e.Keys != 2 || e.Missing != 1 || e.Empty != 1 {
		t.Errorf("prod: %+v", e)
	}
	u := got.Units[0]
	if u.Unit != "overlays/*/app.env" || u.Files["dev"] != "overlays/dev/app.env" || len(u.Keys) != 3 {
		t.Fatalf("unit: %+v", u)
	}
	b := u.Keys[1]
	if b.Key != "B" || !b.Drift || b.Since != began.Format(time.RFC3339) || b.In["prod"].State != "missing" || b.In["dev"].State != "present" || b.In["dev"].Line != 2 {
		t.Errorf("B: %+v", b)
	}
	if c := u.Keys[2]; !c.Drift || c.In["prod"].State != "empty" || c.In["prod"].Line != 2 {
		t.Errorf("C: %+v", c)
	}
	if a := u.Keys[0]; a.Drift || a.Since != "" {
		t.Errorf("A: %+v", a)
	}
}

// An empty report is a whole one, in every format, and its lists are lists.
func TestEmptyReport(t *testing.T) {
	r := build(t, fstest.MapFS{"README.md": {Data: []byte("x")}}, nil, nil)
	for format, want := range map[string]string{"text": "no unit with more than one environment", "markdown": "No drift", "html": "No drift", "json": `"units": []`} {
		render := map[string]func(io.Writer, *Report) error{"text": Text, "markdown": Markdown, "html": HTML, "json": JSON}[format]
		if got := text(t, render, r); !strings.Contains(got, want) || strings.Contains(got, "null") && format == "json" {
			t.Errorf("%s: no %q in\n%s", format, want, got)
		}
	}
}

// The ages are asked for once a file, and only for what drifts.
func TestAgesAreAskedForOnceAFile(t *testing.T) {
	files := fstest.MapFS{
		"overlays/dev/app.env":   {Data: []byte("A=1\nB=2\nD=4\n")},
		"overlays/prod/app.env":  {Data: []byte("A=1\n")},
		"overlays/dev/same.env":  {Data: []byte("A=1\n")},
		"overlays/prod/same.env": {Data: []byte("A=1\n")},
	}
	asked := map[string][]int{}
	r := build(t, files, nil, func(path string, lines []int) map[int]time.Time {
		if asked[path] != nil {
			t.Errorf("%s is asked for twice", path)
		}
		asked[path] = lines
		return map[int]time.Time{2: now.AddDate(0, 0, -3), 3: now.AddDate(-3, 0, 0)}
	})
	if len(asked) != 1 || len(asked["overlays/dev/app.env"]) != 2 {
		t.Errorf("asked for %v", asked)
	}
	out := text(t, Text, r)
	if d, b := strings.Index(out, "  D "), strings.Index(out, "  B "); d < 0 || b < d || !strings.Contains(out, "3 y") || !strings.Contains(out, "3 d") {
		t.Errorf("the oldest drift is not first:\n%s", out)
	}
}

func TestPageNeedsNothingElse(t *testing.T) {
	r := grown(250, 4)
	r.Link = ""
	page := text(t, HTML, r)
	for _, bad := range []string{"http://", "https://", "<link", "@import", "url(", "src=", "ZgotmplZ"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	if n := strings.Count(page, "<table>"); n != 3 {
		t.Errorf("%d tables for 250 rows, want 3", n)
	}
	r.Link = "https://example.com/blob/main"
	if page := text(t, HTML, r); !strings.Contains(page, `href="https://example.com/blob/main/apps/shop/overlays/env-01/secret.sops.yaml#L1"`) {
		t.Error("no link to the line")
	}
}

// No value gets into a report, whatever the format and the state of its key.
func TestNoValueInAnyFormat(t *testing.T) {
	canary := "correct-horse-" + strings.Repeat("x7", 10)
	files := fstest.MapFS{
		"overlays/dev/app.env":      {Data: []byte("A=" + canary + "\nB=" + canary + "\n# " + canary + "\n")},
		"overlays/prod/app.env":     {Data: []byte("A=" + canary + "\n")},
		"overlays/dev/secret.yaml":  {Data: []byte("apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  A: " + canary + "\n  B: |\n    " + canary + "\n")},
		"overlays/prod/secret.yaml": {Data: []byte("apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  A: " + canary + "\n")},
	}
	r := build(t, files, nil, nil)
	if r.Count() != 2 {
		t.Fatalf("%d keys drift, want 2", r.Count())
	}
	for _, render := range []func(io.Writer, *Report) error{Text, Markdown, HTML, JSON} {
		if strings.Contains(text(t, render, r), canary) {
			t.Error("a value is in the report")
		}
	}
}
