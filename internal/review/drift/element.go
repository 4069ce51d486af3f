package drift

import (
	"bufio"
	"fmt"
	"html"
	"io"
	"strings"
)

// The page is written by hand and not by html/template, which keeps every exported
// method of the program in the binary: 2.6 MB. All text goes through put, which
// escapes it.

// put writes markup, with texts, escaped, and numbers in its verbs.
func put(b *bufio.Writer, markup string, values ...any) {
	for i, v := range values {
		if s, ok := v.(string); ok {
			values[i] = html.EscapeString(s)
		}
	}
	fmt.Fprintf(b, markup, values...)
}

// write writes the page around its frame. What went wrong with a write is told by Flush.
func (p *page) write(w io.Writer) error {
	b := bufio.NewWriter(w)
	frame, foot, _ := strings.Cut(pageSource, "<!-- body -->\n")
	head, rest, _ := strings.Cut(frame, "<!-- title -->")
	b.WriteString(head)
	put(b, "Drift%s", prefixed(" of ", p.Title))
	b.WriteString(rest)
	p.writeHeader(b)
	for i := range p.Units {
		p.Units[i].write(b)
	}
	b.WriteString(foot)
	return b.Flush()
}

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}

func (p *page) writeHeader(b *bufio.Writer) {
	said := "No drift"
	switch {
	case p.Drift == 1:
		said = "1 key drifts"
	case p.Drift > 1:
		said = fmt.Sprintf("%d keys drift", p.Drift)
	}
	put(b, "<header>\n<h1>%s%s</h1>\n", said, prefixed(" in ", p.Title))
	put(b, "<p class=\"sub\">%d keys over %d environments%s. Names alone: no value is in this page.</p>", p.Rows, len(p.Environments), prefixed(", ", p.Made))
	if len(p.Incomplete) > 0 {
		put(b, "<p class=\"sub bad\">Not read: %s</p>", strings.Join(p.Incomplete, "; "))
	}
	b.WriteString("\n<ul class=\"cards\">\n")
	for _, e := range p.Environments {
		put(b, "<li><b>%s</b><span class=\"n\">%d keys in %d units<br>", e.Name, e.Keys, e.Units)
		if e.Missing > 0 {
			put(b, "<span class=\"bad\">%d missing</span>", e.Missing)
		} else {
			b.WriteString("none missing")
		}
		if e.Empty > 0 {
			put(b, ", %d empty", e.Empty)
		}
		b.WriteString("</span></li>\n")
	}
	b.WriteString("</ul>\n</header>\n<main>\n" + searchBar)
	put(b, "<p class=\"legend\">%s</p>\n", p.Legend)
}

const searchBar = `<div class="tools" role="search">
<input type="search" id="q" placeholder="Search keys and units" aria-label="Search keys and units" autocomplete="off" spellcheck="false">
<label><select id="state" aria-label="Which keys are shown"><option value="drift">Only what drifts</option><option value="">Every key</option><option value="no">Missing somewhere</option><option value="empty">Empty somewhere</option><option value="odd">Of several types</option></select></label>
<output id="count" class="n" aria-live="polite"></output>
</div>
`

func (u *pageUnit) write(b *bufio.Writer) {
	if u.Drift > 0 {
		put(b, "<section>\n<h2>%s<small>%d drift</small></h2>\n", u.Name, u.Drift)
	} else {
		put(b, "<section class=\"even\">\n<h2>%s<small>no drift</small></h2>\n", u.Name)
	}
	for _, rows := range u.Chunks {
		b.WriteString(`<div class="chunk"><table><thead><tr><th scope="col">key</th>`)
		for _, e := range u.Environments {
			put(b, `<th scope="col">%s</th>`, e)
		}
		b.WriteString("<th scope=\"col\" class=\"s\">since</th><th scope=\"col\" class=\"t\">to do</th></tr></thead><tbody>\n")
		for i := range rows {
			rows[i].write(b)
		}
		b.WriteString("</tbody></table></div>\n")
	}
	b.WriteString("</section>\n")
}

func (r *pageRow) write(b *bufio.Writer) {
	class := ""
	if !r.Drift {
		class = "even"
	}
	put(b, `<tr tabindex="-1" data-s="%s" class="%s"><td>%s</td>`, r.Search, class, r.Key)
	for _, c := range r.Cells {
		put(b, `<td class="%s" title="%s">`, c.Class, c.Title)
		if c.Href != "" {
			put(b, `<a href="%s" aria-label="%s">%s</a></td>`, safeLink(c.Href), c.Title, c.Mark)
		} else {
			put(b, `<span>%s</span></td>`, c.Mark)
		}
	}
	put(b, "<td class=\"s\" title=\"%s\">%s</td><td class=\"t\">%s</td></tr>\n", r.SinceISO, r.Since, r.Todo)
}

// safeLink lets through what leads to a page, and nothing that runs.
func safeLink(href string) string {
	for _, start := range []string{"https://", "http://", "./"} {
		if strings.HasPrefix(href, start) {
			return href
		}
	}
	return ""
}
