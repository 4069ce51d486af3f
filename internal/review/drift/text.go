package drift

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/sealward/sealward/internal/review/report"
	"github.com/sealward/sealward/internal/review/rule"
)

// mark is how a cell is drawn where there is no room for words: a shape for each
// state, told apart without colours.
func (c Cell) mark() string {
	switch {
	case c.State == rule.Missing:
		return "✗"
	case c.State == rule.Empty:
		return "∅"
	case c.State == rule.Elsewhere:
		return "·"
	case c.Odd:
		return "≠"
	}
	return "✓"
}

const legend = "✓ there   ✗ missing   ∅ empty   ≠ of another type   · not meant for it"

// todo says what to do about a row, in one line.
func (r *Row) todo() string {
	var lack, empty, odd []string
	common := ""
	for _, c := range r.Cells {
		switch c.mark() {
		case "✗":
			lack = append(lack, c.Env)
		case "∅":
			empty = append(empty, c.Env)
		case "≠":
			odd = append(odd, c.Env+" has "+c.Type)
		case "✓":
			common = cmp.Or(common, c.Type)
		}
	}
	var parts []string
	if len(lack) > 0 {
		parts = append(parts, "add it to "+strings.Join(lack, ", "))
	}
	if len(empty) > 0 && r.Drift {
		parts = append(parts, "set it in "+strings.Join(empty, ", "))
	}
	if len(odd) > 0 {
		parts = append(parts, "one type: "+strings.Join(odd, ", ")+when(common != "", ", the others "+common))
	}
	return strings.Join(parts, "; ")
}

// age is how long ago the drift began, in words; "" where it is not known.
func (r *Report) age(since time.Time) string {
	if since.IsZero() || r.Now.IsZero() {
		return ""
	}
	switch days := int(r.Now.Sub(since).Hours() / 24); {
	case days < 1:
		return "today"
	case days < 60:
		return fmt.Sprintf("%d d", days)
	case days < 730:
		return fmt.Sprintf("%d mo", days/30)
	default:
		return fmt.Sprintf("%d y", days/365)
	}
}

// drifting are the unit's rows that drift, the oldest drift first.
func (u *Unit) drifting() []Row {
	rows := slices.DeleteFunc(slices.Clone(u.Rows), func(r Row) bool { return !r.Drift })
	slices.SortStableFunc(rows, func(a, b Row) int {
		return cmp.Or(boolCompare(a.Since.IsZero(), b.Since.IsZero()), a.Since.Compare(b.Since), cmp.Compare(a.Key, b.Key))
	})
	return rows
}

// drifting is the number of units with a key that drifts.
func (r *Report) drifting() int {
	n := 0
	for i := range r.Units {
		if slices.ContainsFunc(r.Units[i].Rows, func(row Row) bool { return row.Drift }) {
			n++
		}
	}
	return n
}

func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// Text writes the report for a terminal: a table for each unit with drift.
func Text(w io.Writer, r *Report) error {
	var b strings.Builder
	for i := range r.Units {
		textUnit(&b, r, &r.Units[i])
	}
	for _, s := range r.Incomplete {
		fmt.Fprintf(&b, "incomplete: %s\n", report.Clean(s))
	}
	switch n := r.Count(); {
	case len(r.Units) == 0:
		b.WriteString("no unit with more than one environment was found; action review --explain PATH says what a file is taken for\n")
	case n == 0:
		fmt.Fprintf(&b, "no drift: %s over %s\n", plural(len(r.Units), "unit"), plural(len(r.Environments), "environment"))
	default:
		fmt.Fprintf(&b, "%s\n%s in %s over %s\n", legend, drifts(n), plural(r.drifting(), "unit"), plural(len(r.Environments), "environment"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func textUnit(b *strings.Builder, r *Report, u *Unit) {
	rows := u.drifting()
	if len(rows) == 0 {
		return
	}
	width := 0
	for _, row := range rows {
		width = max(width, len([]rune(report.Clean(row.Key))))
	}
	width = min(width, 60)
	fmt.Fprintf(b, "%s\n  %*s", report.Clean(u.Name), -width, "")
	for _, e := range u.Environments {
		fmt.Fprintf(b, "  %s", report.Clean(e))
	}
	b.WriteByte('\n')
	for _, row := range rows {
		fmt.Fprintf(b, "  %s", pad(report.Clean(row.Key), width))
		for i, e := range u.Environments {
			fmt.Fprintf(b, "  %s", pad(row.Cells[i].mark(), len([]rune(report.Clean(e)))))
		}
		if age := r.age(row.Since); age != "" {
			fmt.Fprintf(b, "  %s", age)
		}
		fmt.Fprintf(b, "  %s\n", report.Clean(row.todo()))
	}
	b.WriteByte('\n')
}

func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-len([]rune(s))))
}

// drifts says how many keys drift.
func drifts(n int) string {
	if n == 1 {
		return "1 key drifts"
	}
	return fmt.Sprintf("%d keys drift", n)
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
