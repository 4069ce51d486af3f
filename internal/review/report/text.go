package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/sealward/sealward/internal/review"
)

// writeText writes the report for a terminal, or for a log.
func writeText(w io.Writer, r *review.Report, opt Options) error {
	p := printer{w: bufio.NewWriter(w), color: opt.Color, width: opt.Width}
	p.findings(r)
	for _, s := range r.Incomplete {
		p.line(p.paint(red, "incomplete: ") + Clean(s))
	}
	if len(r.Incomplete) > 0 {
		p.line("")
	}
	p.line(p.paint(bold, tally(r)) + asides(r))
	p.line(scanned(r))
	return p.w.Flush()
}

// An ink is an ANSI attribute.
type ink string

const (
	bold    ink = "1"
	dim     ink = "2"
	red     ink = "31"
	yellow  ink = "33"
	cyan    ink = "36"
	noPaint ink = ""
)

func severityInk(s review.Severity) ink {
	switch s {
	case review.Error:
		return red
	case review.Warning:
		return yellow
	case review.Notice:
		return cyan
	}
	return noPaint
}

// printer writes lines, none of which is a workflow command.
type printer struct {
	w     *bufio.Writer
	color bool
	width int
}

func (p *printer) paint(i ink, s string) string {
	if !p.color || i == noPaint {
		return s
	}
	return "\x1b[" + string(i) + "m" + s + "\x1b[0m"
}

// line writes one line. Its parts are clean already; together they might form a
// command all the same, such as "#" in front of "#[error]".
func (p *printer) line(s string) {
	p.w.WriteString(inert(s))
	p.w.WriteByte('\n')
}

func (p *printer) findings(r *review.Report) {
	for i := range r.Findings {
		f := &r.Findings[i]
		p.line(fmt.Sprintf("%s: %s: %s  %s", p.paint(bold, place(f.Span)),
			p.paint(severityInk(f.Severity), f.Severity.String()), Clean(f.Message), p.paint(dim, "["+Clean(f.Rule)+"]")))
		if f.Commit != "" {
			p.part("in", "commit "+Clean(short(f.Commit))+", which history keeps")
		}
		p.part("why", f.Why)
		p.part("fix", f.Hint)
		for _, s := range relatedLines(f) {
			p.part("see", s)
		}
		p.line("")
	}
}

// relatedLines writes the related places, each with its message.
func relatedLines(f *review.Finding) []string {
	var out []string
	for i, rel := range f.Related {
		if i == relatedShown && len(f.Related) > relatedShown+1 {
			return append(out, fmt.Sprintf("%d more places, all of them in --format json", len(f.Related)-i))
		}
		out = append(out, strings.TrimSpace(place(rel.Span)+" "+Clean(rel.Message)))
	}
	return out
}

// part writes a labelled, indented and wrapped part of a finding.
func (p *printer) part(label, text string) {
	const indent = len("    why  ")
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		for _, row := range wrap(Clean(strings.TrimRight(line, " \r")), p.width-indent) {
			if row == "" {
				continue
			}
			p.line(fmt.Sprintf("    %s %s", p.paint(dim, fmt.Sprintf("%-4s", label)), row))
			label = ""
		}
	}
}

// wrap breaks a line at blanks into rows of at most width code points, but for
// words that are longer.
func wrap(s string, width int) []string {
	if width < 20 || utf8.RuneCountInString(s) <= width {
		return []string{s}
	}
	var rows []string
	var row strings.Builder
	n := 0
	for word := range strings.FieldsSeq(s) {
		k := utf8.RuneCountInString(word)
		if n > 0 && n+1+k > width {
			rows = append(rows, row.String())
			row.Reset()
			n = 0
		}
		if n > 0 {
			row.WriteByte(' ')
			n++
		}
		row.WriteString(word)
		n += k
	}
	return append(rows, row.String())
}
