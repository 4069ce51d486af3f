package report

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/sealward/sealward/internal/review"
)

// The budgets of the places where GitHub shows Markdown, in bytes. Above the first
// the whole job summary is dropped; above the second, which GitHub counts in
// characters, a comment is refused.
const (
	SummaryBudget = 1<<20 - 4096
	CommentBudget = 65_536
)

// writeMarkdown writes a job summary, or a comment.
func writeMarkdown(w io.Writer, r *review.Report, opt Options) error {
	m := markdown{budget: cmp.Or(opt.Budget, SummaryBudget)}
	head := fmt.Sprintf("### %s sealward: %s\n\n", mark(r), tally(r))
	foot := fmt.Sprintf("%s%s.\n", scanned(r), asides(r))
	m.budget -= len(head) + len(foot)

	m.unread(r.Incomplete)
	m.table(r)
	m.ignored(r.Ignored)
	_, err := io.WriteString(w, head+m.b.String()+foot)
	return err
}

func mark(r *review.Report) string {
	switch {
	case len(r.Incomplete) > 0 || r.Count(review.Error) > 0:
		return "❌"
	case len(r.Findings) > 0:
		return "⚠️"
	}
	return "✅"
}

// markdown gathers blocks as long as they fit.
type markdown struct {
	b      strings.Builder
	budget int // what is left, in bytes
}

// room is what is held back for the sentence that says what did not fit.
const room = 512

// add appends s if it fits.
func (m *markdown) add(s string) bool {
	if len(s)+room > m.budget {
		return false
	}
	m.b.WriteString(s)
	m.budget -= len(s)
	return true
}

// must appends one of the few short sentences that room is kept for.
func (m *markdown) must(s string) {
	m.b.WriteString(s)
	m.budget -= len(s)
}

func (m *markdown) unread(sentences []string) {
	if len(sentences) == 0 {
		return
	}
	m.must("> [!CAUTION]\n> The review is incomplete:\n")
	for i, s := range sentences {
		if !m.add("> - " + prose(s) + "\n") {
			m.must(fmt.Sprintf("> - and %d more, which are in the log\n", len(sentences)-i))
			break
		}
	}
	m.must("\n")
}

func (m *markdown) table(r *review.Report) {
	if len(r.Findings) == 0 {
		return
	}
	m.must("| | where | what, why, and what to do |\n|---|---|---|\n")
	for i := range r.Findings {
		f := &r.Findings[i]
		if !m.add(row(f)) {
			m.must(fmt.Sprintf("\n**%s more did not fit here and are in the log.**\n", counted(len(r.Findings)-i, "finding")))
			break
		}
	}
	m.must("\n")
}

// row writes a finding as a row of the table. Its shape tells the severity, not
// its colour alone.
func row(f *review.Finding) string {
	shape := map[review.Severity]string{review.Error: "❌ error", review.Warning: "⚠️ warning", review.Notice: "ℹ️ notice"}[f.Severity]
	cells := []string{"**" + prose(f.Message) + "**"}
	if f.Commit != "" {
		cells = append(cells, "In commit "+Code(short(f.Commit))+", which history keeps.")
	}
	for _, s := range []string{f.Why, f.Hint} {
		if s != "" {
			cells = append(cells, prose(s))
		}
	}
	for i, rel := range f.Related {
		if i == relatedShown && len(f.Related) > relatedShown+1 {
			cells = append(cells, fmt.Sprintf("and %d more places", len(f.Related)-i))
			break
		}
		cells = append(cells, strings.TrimSpace(where(rel.Span.File, rel.Span.Start.Line)+" "+prose(rel.Message)))
	}
	return fmt.Sprintf("| %s<br>%s | %s | %s |\n", shape, cell(Code(f.Rule)), cell(where(f.Span.File, f.Span.Start.Line)), cell(strings.Join(cells, "<br>")))
}

// cell keeps inline Markdown within its cell of a table, where "|" ends even a code span.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

func where(path string, line int) string {
	if line > 0 {
		path = fmt.Sprintf("%s:%d", path, line)
	}
	return Code(path)
}

func (m *markdown) ignored(in []review.Ignored) {
	if len(in) == 0 || !m.add(fmt.Sprintf("<details><summary>%d ignored</summary>\n\n", len(in))) {
		return
	}
	for i := range in {
		g := &in[i]
		line := fmt.Sprintf("- %s at %s: %s (%s)\n", Code(g.Rule), where(g.Span.File, g.Span.Start.Line), prose(g.Reason), prose(g.By))
		if !m.add(line) {
			m.must(fmt.Sprintf("- and %d more\n", len(in)-i))
			break
		}
	}
	m.must("\n</details>\n\n")
}

// Code writes untrusted text as a code span: nothing in it is markup, a
// mention or a link.
func Code(s string) string {
	s = Clean(s)
	fence := strings.Repeat("`", longestRun(s, '`')+1)
	if s == "" || strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") || strings.TrimSpace(s) != s {
		s = " " + s + " "
	}
	return fence + s + fence
}

func longestRun(s string, c byte) int {
	longest, n := 0, 0
	for i := range len(s) {
		if s[i] != c {
			n = 0
			continue
		}
		n++
		longest = max(longest, n)
	}
	return longest
}

// prose writes text that holds untrusted names as Markdown: the code spans that
// our own sentences have stay, everything else that could be markup does not.
func prose(s string) string {
	s = strings.ReplaceAll(strings.TrimSpace(s), "\n", " ")
	parts := strings.Split(Clean(s), "`")
	if len(parts)%2 == 0 { // an odd number of backticks pairs with nothing
		return escapeProse(strings.Join(parts, "'"))
	}
	var b strings.Builder
	for i, p := range parts {
		if i%2 == 1 && p != "" {
			b.WriteString(Code(p))
		} else {
			b.WriteString(escapeProse(p))
		}
	}
	return b.String()
}

// escapeProse escapes what Markdown, HTML and GitHub give a meaning to: markup,
// tags, entities, mentions, references and bare links.
func escapeProse(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; c {
		case '<':
			b.WriteString("&lt;")
		case '>':
			b.WriteString("&gt;")
		case '&':
			b.WriteString("&amp;")
		case '@', '#':
			b.WriteByte(c)
			b.WriteString(breaker)
		case ':', '.', '-':
			if startsLink(s[:i+1]) {
				b.WriteString(breaker)
			}
			b.WriteByte(c)
		case '\\', '*', '_', '[', ']', '(', ')', '!', '~', '`', '$', '{', '}':
			b.WriteByte('\\')
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// breaker ends a word for GitHub's mentions, references and links, and shows nothing.
const breaker = "<!-- -->"

// startsLink reports whether s ends in what GitHub begins a link with.
func startsLink(s string) bool {
	s = strings.ToLower(s[max(0, len(s)-len("https:")):])
	for _, start := range []string{"http:", "https:", "ftp:", "www.", "gh-"} {
		if strings.HasSuffix(s, start) {
			return true
		}
	}
	return false
}
