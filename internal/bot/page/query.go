package page

import (
	"net/url"
	"strconv"
	"strings"
)

// Query is what of the lists is shown.
type Query struct {
	Repo  string // a part of repositories' names, "" is all
	State string // of rotations: "" is all, "open" those under way, or one state's name
	// Rotations and Repositories are pages of the two lists, from 1.
	Rotations, Repositories int
}

// ParseQuery reads a Query from the page's address. What makes no sense is left out.
func ParseQuery(values url.Values) Query {
	q := Query{Repo: clip(strings.TrimSpace(values.Get("repo")), 200), Rotations: number(values.Get("rotations")), Repositories: number(values.Get("repositories"))}
	if s := values.Get("state"); s == underWay || known(s) {
		q.State = s
	}
	return q
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 1_000_000 {
		return 1
	}
	return n
}

// address is the page's own address for a query, with a place to go to.
func (q Query) address(at string) string {
	v := url.Values{}
	for _, p := range []struct{ name, value string }{{"repo", q.Repo}, {"state", q.State}, {"rotations", page(q.Rotations)}, {"repositories", page(q.Repositories)}} {
		if p.value != "" {
			v.Set(p.name, p.value)
		}
	}
	u := url.URL{Path: Path, RawQuery: v.Encode(), Fragment: at}
	return u.String()
}

func page(n int) string {
	if n <= 1 {
		return ""
	}
	return strconv.Itoa(n)
}

// pager is the links below a list that does not fit on one page.
type pager struct {
	Label          string
	From, To, Of   int
	Page, Pages    int
	Previous, Next string // addresses, "" where there is none
}

// cut returns the part of a list that a page of it has, and the links to the others. A
// page beyond the last one is the last one.
func cut[T any](list []T, at, size int, label string, link func(page int) string) ([]T, pager) {
	pages := max(1, (len(list)+size-1)/size)
	at = min(max(at, 1), pages)
	from, to := (at-1)*size, min(at*size, len(list))
	p := pager{Label: label, From: from + 1, To: to, Of: len(list), Page: at, Pages: pages}
	if at > 1 {
		p.Previous = link(at - 1)
	}
	if at < pages {
		p.Next = link(at + 1)
	}
	return list[from:to], p
}
