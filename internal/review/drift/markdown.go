package drift

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/sealward/sealward/internal/review/report"
)

const (
	// markdownBudget keeps the report below what an issue's body may have, in bytes.
	markdownBudget = 60_000
	// widest is how many environments stand side by side; more are split into tables.
	widest = 8
	// longest is how much of one name is shown, in characters.
	longest = 200
	// most is how many environments and unread files are listed.
	most = 40
)

// detail is how much a row says. A report that is too long says less before it
// leaves keys out.
type detail struct{ links, todo, air bool }

// Markdown writes the report as the body of an issue: what is to be done on top, a
// small table of environments, and for each unit only the keys that drift. It stays
// below 60,000 bytes and says what it left out.
func Markdown(w io.Writer, r *Report) error {
	head, tail := headline(r)+overview(r), unread(r)+seen(r)+mark(r)
	budget := markdownBudget - len(head) - len(tail) - 200
	var body string
	for _, d := range []detail{{true, true, true}, {false, true, true}, {}} {
		var all bool
		if body, all = sections(r, d, budget); all {
			break
		}
	}
	_, err := io.WriteString(w, head+body+tail)
	return err
}

// sections writes the units within the budget, and whether all of them fit. The last
// one is cut short, and what is left out is counted.
func sections(r *Report, d detail, budget int) (body string, all bool) {
	var b strings.Builder
	left := 0
	for i := range r.Units {
		u := &r.Units[i]
		rows := u.drifting()
		n := len(rows)
		for n > 0 && left == 0 {
			section := markdownUnit(r, u, rows[:n], d)
			if b.Len()+len(section) <= budget {
				b.WriteString(section)
				break
			}
			// Rows are of about one length: this converges in a few steps.
			n = min(n-1, n*max(0, budget-b.Len())/len(section))
		}
		if left > 0 {
			n = 0
		}
		left += len(rows) - n
	}
	if left > 0 {
		fmt.Fprintf(&b, "%s more did not fit: `action drift --format html` shows all of it.\n", plural(left, "key"))
	}
	return b.String(), left == 0
}

func unread(r *Report) string {
	if len(r.Incomplete) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("\n**Not read:**\n\n")
	for _, s := range r.Incomplete[:min(len(r.Incomplete), most)] {
		fmt.Fprintf(&b, "- %s\n", code(s))
	}
	if n := len(r.Incomplete) - most; n > 0 {
		fmt.Fprintf(&b, "- and %d more\n", n)
	}
	return b.String()
}

// mark is the hidden hash by which a later run knows whether there is news.
func mark(r *Report) string {
	sum := sha256.Sum256([]byte(undated(r)))
	return fmt.Sprintf("\n<!-- sealward:drift %s -->\n", hex.EncodeToString(sum[:8]))
}

// undated is what the report says without ages and links, which change by
// themselves, in an order that does not depend on them.
func undated(r *Report) string {
	var b strings.Builder
	for _, u := range r.Units {
		for _, row := range u.Rows {
			if !row.Drift {
				continue
			}
			b.WriteString(u.Name + "\x00" + row.Key)
			for _, c := range row.Cells {
				b.WriteString("\x00" + c.Env + "\x00" + c.mark())
			}
			b.WriteByte('\n')
		}
	}
	for _, s := range r.Incomplete {
		b.WriteString(s + "\n")
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
		return fmt.Sprintf("> [!WARNING]\n> %s; production lacks %d. The next deploy that needs one fails, or the application falls back without a word.\n\n", drifts(n), production)
	}
	return fmt.Sprintf("> [!IMPORTANT]\n> %s between environments; production lacks none.\n\n", drifts(n))
}

func overview(r *Report) string {
	if len(r.Environments) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("| environment | units | keys | missing | empty |\n|---|--:|--:|--:|--:|\n")
	for _, e := range r.Environments[:min(len(r.Environments), most)] {
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d |\n", code(e.Name), e.Units, e.Keys, e.Missing, e.Empty)
	}
	if n := len(r.Environments) - most; n > 0 {
		fmt.Fprintf(&b, "| and %d more | | | | |\n", n)
	}
	b.WriteString("\n" + legend + "\n\nA key that is meant for some environments alone: `# sealward: only dev` above it, or `drift.only` in `.sealward.yaml`.\n\n")
	return b.String()
}

func markdownUnit(r *Report, u *Unit, rows []Row, d detail) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<details open><summary><b>%s</b>: %s</summary>\n\n", html.EscapeString(clip(u.Name)), plural(len(rows), "key"))
	for at := 0; at < len(u.Environments); at += widest {
		markdownTable(&b, r, u, rows, at, d)
	}
	b.WriteString("</details>\n\n")
	return b.String()
}

// markdownTable writes the rows for the environments from one on, as many as stand
// side by side. What is said of the whole row stands in the first table.
func markdownTable(b *strings.Builder, r *Report, u *Unit, rows []Row, from int, d detail) {
	to := min(from+widest, len(u.Environments))
	since, todo := from == 0, from == 0 && d.todo
	b.WriteString("| key |")
	for _, e := range u.Environments[from:to] {
		fmt.Fprintf(b, " %s |", code(e))
	}
	fmt.Fprintf(b, "%s%s\n|---|%s%s%s\n", when(since, r.sinceTitle()), when(todo, " to do |"), strings.Repeat(":-:|", to-from), when(since, "---|"), when(todo, "---|"))
	for i := range rows {
		row := &rows[i]
		cells := []string{code(row.Key)}
		for _, c := range row.Cells[from:to] {
			if d.links {
				cells = append(cells, r.linked(c))
			} else {
				cells = append(cells, c.mark())
			}
		}
		if since {
			cells = append(cells, day(row.Since))
		}
		if todo {
			cells = append(cells, code(row.todo()))
		}
		if d.air {
			b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
		} else {
			b.WriteString("|" + strings.Join(cells, "|") + "|\n")
		}
	}
	b.WriteByte('\n')
}

func (r *Report) sinceTitle() string {
	if r.Seen {
		return " first seen |"
	}
	return " since |"
}

// day is a date and no age: the text stands for weeks without being written again.
func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.DateOnly)
}

func when(ok bool, s string) string {
	if ok {
		return s
	}
	return ""
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
func code(s string) string { return strings.ReplaceAll(report.Code(clip(s)), "|", "\\|") }

// clip is a name that may stand in a line, cut where it is overlong.
func clip(s string) string {
	s = report.Clean(s)
	if r := []rune(s); len(r) > longest {
		return string(r[:longest]) + "…"
	}
	return s
}
