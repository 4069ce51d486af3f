package report

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/sealward/sealward/internal/review"
)

const (
	// annotationsPerLevel is how many annotations of one level GitHub takes from a step.
	annotationsPerLevel = 10
	// annotationSize is how long an annotation's message may be, in characters.
	annotationSize = 4096
)

// writeGitHub writes workflow commands, which become annotations, and below them
// the whole report as a group of the log.
func writeGitHub(w io.Writer, r *review.Report, opt Options) error {
	b := bufio.NewWriter(w)
	for s := review.Error; s >= review.Notice; s-- {
		for _, a := range annotations(r, s) {
			b.WriteString(a.command(s))
			b.WriteByte('\n')
		}
	}
	fmt.Fprintf(b, "::group::%s\n", escapeData("sealward: "+tally(r)))
	if err := b.Flush(); err != nil {
		return err
	}
	if err := writeText(w, r, Options{Color: opt.Color}); err != nil {
		return err
	}
	_, err := io.WriteString(w, "::endgroup::\n")
	return err
}

type annotation struct {
	file, title       string
	line, endLine     int // 0 is unknown
	column, endColumn int
	message           string
}

// annotations returns what is shown of one level. What was not read is an error
// that must not be crowded out, so it comes first.
func annotations(r *review.Report, s review.Severity) []annotation {
	var out []annotation
	if n := len(r.Incomplete); n > 0 && s == review.Error {
		msg := Clean(r.Incomplete[0])
		if n > 1 {
			msg += fmt.Sprintf("\n%d more in the log.", n-1)
		}
		out = append(out, annotation{title: "sealward: the review is incomplete", message: msg})
	}
	left := r.Count(s)
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Severity != s {
			continue
		}
		left--
		a := annotate(f)
		if len(out) == annotationsPerLevel-1 && left > 0 {
			a.message = cut(a.message, annotationSize-100) +
				fmt.Sprintf("\n\n%s more in the summary and in the log.", counted(left, s.String()))
			return append(out, a)
		}
		a.message = cut(a.message, annotationSize)
		out = append(out, a)
	}
	return out
}

func annotate(f *review.Finding) annotation {
	a := annotation{file: f.Span.File, title: f.Rule}
	if !f.Span.IsZero() {
		a.line, a.endLine = f.Span.Start.Line, lastLine(f.Span)
	}
	// GitHub takes columns only for a place within one line.
	if a.line == a.endLine && f.Span.End.Line == a.line {
		a.column, a.endColumn = f.Span.Start.Col, max(f.Span.End.Col, f.Span.Start.Col)
	}
	parts := []string{Clean(f.Message)}
	if f.Commit != "" {
		parts = append(parts, "In commit "+Clean(short(f.Commit))+", which history keeps.")
	}
	parts = append(parts, cleanLines(f.Why), cleanLines(f.Hint))
	parts = append(parts, relatedLines(f)...)
	a.message = strings.Join(nonEmpty(parts), "\n")
	return a
}

// cleanLines cleans text of several lines, line by line.
func cleanLines(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	for i := range lines {
		lines[i] = Clean(strings.TrimRight(lines[i], " \r"))
	}
	return strings.Join(lines, "\n")
}

func nonEmpty(in []string) []string {
	var out []string
	for _, s := range in {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

// cut shortens s to n bytes, which are at least as many as characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n-len("…")], "") + "…"
}

// command writes the annotation as a workflow command.
func (a annotation) command(s review.Severity) string {
	var props []string
	text := func(name, value string) {
		if value != "" {
			props = append(props, name+"="+escapeProperty(Clean(value)))
		}
	}
	number := func(name string, n int) {
		if n > 0 {
			props = append(props, name+"="+strconv.Itoa(n))
		}
	}
	text("file", a.file)
	number("line", a.line)
	number("endLine", a.endLine)
	number("col", a.column)
	number("endColumn", a.endColumn)
	text("title", a.title)
	return "::" + s.String() + " " + strings.Join(props, ",") + "::" + escapeData(a.message)
}

// escapeData writes the data of a workflow command, escapeProperty the value of
// one of its properties, as GitHub's runner reads them back.
func escapeData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(strings.ToValidUTF8(s, "\uFFFD"))
}

func escapeProperty(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(escapeData(s))
}
