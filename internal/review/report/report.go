// Package report turns findings into bytes. It reads nothing and calls nobody.
//
// Everything that a finding says may hold text that a stranger chose: a file's
// name, a key. [Clean] is the one way such text gets into a line that a person or
// a workflow runner reads.
package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/syntax"
)

// Renderer writes a report in one format.
type Renderer func(io.Writer, *review.Report) error

// Options are what a rendering depends on besides the report. The zero Options
// are plain text without wrapping, for no known version.
type Options struct {
	Color   bool   // text: ANSI colours
	Width   int    // text: columns to wrap explanations at; 0 does not wrap
	Version string // sarif, json: of the program that made the report
	Budget  int    // markdown: bytes at most; 0 is what a job summary may have
}

// Renderers returns every format by name.
func Renderers(opt Options) map[string]Renderer {
	with := func(f func(io.Writer, *review.Report, Options) error) Renderer {
		return func(w io.Writer, r *review.Report) error { return f(w, r, opt) }
	}
	return map[string]Renderer{
		"text":     with(writeText),
		"github":   with(writeGitHub),
		"json":     with(writeJSON),
		"sarif":    with(writeSARIF),
		"markdown": with(writeMarkdown),
	}
}

// Formats returns the names of [Renderers], the default first.
func Formats() []string { return []string{"text", "github", "json", "sarif", "markdown"} }

// relatedShown is how many related places the formats for people list; the ones
// for machines list all.
const relatedShown = 8

// place writes a span's beginning for people: path:line:column, as far as known.
func place(s syntax.Span) string {
	path := Clean(s.File)
	if s.IsZero() {
		return path
	}
	return fmt.Sprintf("%s:%d:%d", path, s.Start.Line, s.Start.Col)
}

// lastLine is the last line that s covers. A span that ends before the first
// column of a line does not cover that line.
func lastLine(s syntax.Span) int {
	if s.End.Line > s.Start.Line && s.End.Col <= 1 {
		return s.End.Line - 1
	}
	return max(s.End.Line, s.Start.Line)
}

// short abbreviates a commit's id.
func short(commit string) string { return commit[:min(len(commit), 10)] }

// counted writes "1 error" or "3 errors".
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// tally writes how many findings of each severity there are.
func tally(r *review.Report) string {
	var parts []string
	for s := review.Error; s >= review.Notice; s-- {
		if n := r.Count(s); n > 0 {
			parts = append(parts, counted(n, s.String()))
		}
	}
	if len(parts) == 0 {
		return "no findings"
	}
	return strings.Join(parts, ", ")
}

// asides writes what was left out on purpose: ignored findings, skipped files.
func asides(r *review.Report) string {
	var parts []string
	if n := len(r.Ignored); n > 0 {
		parts = append(parts, fmt.Sprintf("%d ignored", n))
	}
	if n := len(r.Skipped); n > 0 {
		parts = append(parts, counted(n, "file")+" skipped")
	}
	if n := len(r.Incomplete); n > 0 {
		parts = append(parts, fmt.Sprintf("%d not read", n))
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// scanned writes how much was read.
func scanned(r *review.Report) string {
	s := fmt.Sprintf("scanned %d of %s", r.Scanned, counted(r.Total, "file"))
	if r.Commits > 0 {
		s += " and " + counted(r.Commits, "commit")
	}
	return s
}

// sortedRules returns the rules that ran, by id, together with stand-ins for
// those that a finding names and that are not among them.
func sortedRules(r *review.Report) []*review.Rule {
	rules := slices.Clone(r.Rules)
	known := map[string]bool{}
	for _, rule := range rules {
		known[rule.ID] = true
	}
	for i := range r.Findings {
		if f := &r.Findings[i]; !known[f.Rule] {
			known[f.Rule] = true
			rules = append(rules, &review.Rule{ID: f.Rule, Severity: f.Severity})
		}
	}
	slices.SortFunc(rules, func(a, b *review.Rule) int { return cmp.Compare(a.ID, b.ID) })
	return rules
}
