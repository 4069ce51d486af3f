package drift

import (
	_ "embed"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/sealward/sealward/internal/review/report"
	"github.com/sealward/sealward/internal/review/rule"
)

//go:embed page.html
var pageSource string

// chunk is how many rows one table has: a browser lays out only the tables in sight.
const chunk = 100

// page is what the page shows. Every text in it was cleaned; put escapes it.
type page struct {
	Title, Made  string
	Drift, Rows  int
	Environments []Environment
	Units        []pageUnit
	Incomplete   []string
	Legend       string
}

type pageUnit struct {
	Name         string
	Environments []string
	Drift        int
	Chunks       [][]pageRow
}

type pageRow struct {
	Key, Since, SinceISO, Todo, Search string
	Drift                              bool
	Cells                              []pageCell
}

type pageCell struct {
	Mark, Class, Title, Href string
}

// HTML writes the report as one page that needs nothing else: no network, no file.
func HTML(w io.Writer, r *Report) error {
	p := page{Title: report.Clean(r.Title), Drift: r.Count(), Legend: legend}
	if !r.Now.IsZero() {
		p.Made = r.Now.UTC().Format("2006-01-02 15:04 MST")
	}
	for _, e := range r.Environments {
		e.Name = report.Clean(e.Name)
		p.Environments = append(p.Environments, e)
	}
	for i := range r.Units {
		u := r.unit(&r.Units[i])
		p.Units = append(p.Units, u)
		p.Rows += len(r.Units[i].Rows)
	}
	for _, s := range r.Incomplete {
		p.Incomplete = append(p.Incomplete, report.Clean(s))
	}
	return p.write(w)
}

// unit puts the rows that drift first.
func (r *Report) unit(u *Unit) pageUnit {
	drifting := u.drifting()
	out := pageUnit{Name: report.Clean(u.Name), Drift: len(drifting)}
	for _, e := range u.Environments {
		out.Environments = append(out.Environments, report.Clean(e))
	}
	rows := drifting
	for _, row := range u.Rows {
		if !row.Drift {
			rows = append(rows, row)
		}
	}
	for at := 0; at < len(rows); at += chunk {
		var c []pageRow
		for i := range rows[at:min(at+chunk, len(rows))] {
			c = append(c, r.row(u, &rows[at+i]))
		}
		out.Chunks = append(out.Chunks, c)
	}
	return out
}

func (r *Report) row(u *Unit, row *Row) pageRow {
	out := pageRow{Key: report.Clean(row.Key), Drift: row.Drift, Since: r.age(row.Since), Todo: report.Clean(row.todo())}
	if !row.Since.IsZero() {
		out.SinceISO = row.Since.UTC().Format(time.DateOnly)
	}
	out.Search = strings.ToLower(out.Key + " " + report.Clean(u.Name))
	for _, c := range row.Cells {
		out.Cells = append(out.Cells, r.cell(c))
	}
	return out
}

func (r *Report) cell(c Cell) pageCell {
	class := map[string]string{"✓": "ok", "✗": "no", "∅": "empty", "≠": "odd", "·": "na"}[c.mark()]
	title := fmt.Sprintf("%s: %s", c.Env, c.State)
	if c.State != rule.Missing && c.Line > 0 {
		title += fmt.Sprintf(", %s:%d", c.Path, c.Line)
	}
	if c.Type != "" {
		title += ", type " + c.Type
	}
	if len(c.Sealed) > 0 {
		title += ", sealed for " + strings.Join(c.Sealed, ", ")
	}
	href := r.href(c)
	if href == "" && c.Path != "" {
		href = "./" + (&url.URL{Path: c.Path}).EscapedPath()
	}
	return pageCell{Mark: c.mark(), Class: class, Title: report.Clean(title), Href: href}
}
