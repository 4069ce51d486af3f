package githubtest

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
)

// window returns the part of n items that a request's page asks for.
func (c *call) window(n, perPage int) (from, to int, h http.Header) {
	if v, err := strconv.Atoi(c.query.Get("per_page")); err == nil && v > 0 {
		perPage = min(v, 100)
	}
	page := 1
	if v, err := strconv.Atoi(c.query.Get("page")); err == nil && v > 0 {
		page = v
	}
	from = min((page-1)*perPage, n)
	to = min(from+perPage, n)
	last := max((n+perPage-1)/perPage, 1)
	h = http.Header{}
	if page < last {
		h.Set("Link", fmt.Sprintf(`<%s>; rel="next", <%s>; rel="last"`, c.pageURL(page+1), c.pageURL(last)))
	}
	return from, to, h
}

func (c *call) pageURL(page int) string {
	q := url.Values{}
	for k, v := range c.query {
		q[k] = v
	}
	q.Set("page", strconv.Itoa(page))
	return c.s.URL + c.r.URL.Path + "?" + q.Encode()
}

// paged answers one page of a list.
func paged[T any](c *call, list []T, show func(T) object) answer {
	from, to, h := c.window(len(list), 30)
	out := []object{}
	for _, v := range list[from:to] {
		out = append(out, show(v))
	}
	return answer{status: http.StatusOK, body: out, header: h}
}
