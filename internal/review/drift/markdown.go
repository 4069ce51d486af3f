package drift

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html"
	"io"
	"net/url"
	"strings"

	"github.com/sealward/sealward/internal/review/report"
)

const (
	// markdownBudget keeps the report below what an issue's body may have, in bytes.
	markdownBudget = 60_000
	// widest is how many environments stand side by side; more are split into tables.
	widest = 8
)

// Markdown writes the report as the body of an issue: what is to be done on top, a
// small table of environments, and for each unit only the keys that drift. It stays
// below 60,000 bytes and says what it left out.
func Markdown(w io.Writer, r *Report) error {
	var body strings.Builder
	left := 0
	for i := range r.Units {
		u := &r.Units[i]
		section := markdownUnit(r, u)
		if section == "" {
			continue
		}
		if body.Len()+len(section) > markdownBudget-6_000 {
			left++
			continue
		}
		body.WriteString(section)
	}
	var b strings.Builder
	b.WriteString(headline(r))
	b.WriteString(overview(r))
	b.WriteString(body.String())
	if left > 0 {
		fmt.Fprintf(&b, "\n%s more did not fit: `action drift --format html` shows all of it.\n", plural(left, "unit"))
	}
	if len(r.Incomplete) > 0 {
		b.WriteString("\n**Not read:**\n\n")
		for _, s := range r.Incomplete[:min(len(r.Incomplete), 20)] {
			fmt.Fprintf(&b, "- %s\n", code(s))
		}
	}
	sum := sha256.Sum256([]byte(undated(r)))
	fmt.Fprintf(&b, "\n<!-- sealward:drift %s -->\n", hex.EncodeToString(sum[:8]))
	_, err := io.WriteString(w, b.String())
	return err
}

// undated is what the report says without the ages, which change every day: the hash
// of it tells whether there is news.
func undated(r *Report) string {
	var b strings.Builder
	for _, u := range r.Units {
		for _, row := range u.drifting() {
			b.WriteString(u.Name + "\x00" + row.Key + "\x00")
			for _, c := range row.Cells {
				b.WriteString(c.Env + c.mark())
			}
		}
	}
	return b.String()
}

func headline(r *Report) string {
	n := r.Count()
	if n == 0 {
		return "> [!NOTE]\n> No drift: every key is in every environment that it is meant for.\n\n"
	}
	production := 0
	for _, e := range r.Environments {
		if e.Production {
			production += e.Missing
		}
	}
	if production > 0 {
		return fmt.Sprintf("> [!WARNING]\n> %s drift; production lacks %d. The next deploy that needs one fails, or the application falls back without a word.\n\n", plural(n, "key"), production)
	}
	return fmt.Sprintf("> [!IMPORTANT]\n> %s drift between environments; production lacks none.\n\n", plural(n, "key"))
}

func overview(r *Report) string {
	if len(r.Environments) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("| environment | units | keys | missing | empty |\n|---|--:|--:|--:|--:|\n")
	for _, e := range r.Environments {
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d |\n", code(e.Name), e.Units, e.Keys, e.Missing, e.Empty)
	}
	b.WriteString("\n" + legend + "\n\nA key that is meant for some environments alone: `# sealward: only dev` above it, or `drift.only` in `.sealward.yaml`.\n\n")
	return b.String()
}

func markdownUnit(r *Report, u *Unit) string {
	rows := u.drifting()
	if len(rows) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "<details open><summary><b>%s</b>: %s</summary>\n\n", html.EscapeString(report.Clean(u.Name)), plural(len(rows), "key"))
	for at := 0; at < len(u.Environments); at += widest {
		markdownTable(&b, r, u, rows, at, min(at+widest, len(u.Environments)))
	}
	b.WriteString("</details>\n\n")
	return b.String()
}

// markdownTable writes the rows for the environments [from, to).
func markdownTable(b *strings.Builder, r *Report, u *Unit, rows []Row, from, to int) {
	b.WriteString("| key |")
	for _, e := range u.Environments[from:to] {
		fmt.Fprintf(b, " %s |", code(e))
	}
	b.WriteString(" since | to do |\n|---|" + strings.Repeat(":-:|", to-from) + "---|---|\n")
	for _, row := range rows {
		fmt.Fprintf(b, "| %s |", code(row.Key))
		for _, c := range row.Cells[from:to] {
			fmt.Fprintf(b, " %s |", r.linked(c))
		}
		fmt.Fprintf(b, " %s | %s |\n", r.age(row.Since), code(row.todo()))
	}
	b.WriteByte('\n')
}

// linked is a cell's mark, with a link to its line where files have an address.
func (r *Report) linked(c Cell) string {
	if r.Link == "" || c.Line == 0 {
		return c.mark()
	}
	return fmt.Sprintf("[%s](%s)", c.mark(), r.href(c))
}

func (r *Report) href(c Cell) string {
	if r.Link == "" || c.Path == "" {
		return ""
	}
	u := r.Link + "/" + (&url.URL{Path: c.Path}).EscapedPath()
	if c.Line > 0 {
		u += fmt.Sprintf("#L%d", c.Line)
	}
	return u
}

// code is a code span that may stand in a table's cell.
func code(s string) string { return strings.ReplaceAll(report.Code(s), "|", "\\|") }
