package githubtest

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// GitHub's own description, cut by tools/github-openapi/cut.mjs.
//
//go:embed testdata/github-openapi.json.gz
var description []byte

// spec is GitHub's description with a router over it. It is read once a process
// and does not change.
type spec struct {
	doc    *openapi3.T
	routes []specRoute
}

type specRoute struct {
	re    *regexp.Regexp
	names []string
	route *routers.Route
}

var loadSpec = sync.OnceValues(func() (*spec, error) {
	zr, err := gzip.NewReader(bytes.NewReader(description))
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(zr)
	if err != nil {
		return nil, err
	}
	doc, err := openapi3.NewLoader().LoadFromData(data)
	if err != nil {
		return nil, fmt.Errorf("read GitHub's description: %w", err)
	}
	doc.Servers = nil
	s := &spec{doc: doc}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			s.add(path, method, item, op)
		}
	}
	slices.SortFunc(s.routes, func(a, b specRoute) int { return closer(a.route.Path, b.route.Path) })
	return s, nil
})

// closer orders paths so that the one which says more is tried first: literal
// segments before placeholders, long paths before short ones.
func closer(a, b string) int {
	x, y := strings.Split(a, "/"), strings.Split(b, "/")
	for i := range min(len(x), len(y)) {
		openX, openY := strings.HasPrefix(x[i], "{"), strings.HasPrefix(y[i], "{")
		switch {
		case openX && !openY:
			return 1
		case openY && !openX:
			return -1
		case !openX && x[i] != y[i]:
			return strings.Compare(x[i], y[i])
		}
	}
	return len(y) - len(x)
}

var placeholder = regexp.MustCompile(`\\\{(\w+)\\\}`)

func (s *spec) add(path, method string, item *openapi3.PathItem, op *openapi3.Operation) {
	var names []string
	expr := placeholder.ReplaceAllStringFunc(regexp.QuoteMeta(path), func(m string) string {
		name := strings.Trim(m, `\{}`)
		names = append(names, name)
		switch name {
		case "ref", "path", "basehead", "branch": // may hold slashes
			return "(.+)"
		}
		return "([^/]+)"
	})
	s.routes = append(s.routes, specRoute{
		re:    regexp.MustCompile("^" + expr + "$"),
		names: names,
		route: &routers.Route{Spec: s.doc, Path: path, PathItem: item, Method: method, Operation: op},
	})
}

// find returns the operation that a request asks for, with its path's parameters.
func (s *spec) find(method string, u *url.URL) (*routers.Route, map[string]string) {
	for _, r := range s.routes {
		if r.route.Method != method {
			continue
		}
		m := r.re.FindStringSubmatch(u.EscapedPath())
		if m == nil {
			continue
		}
		params := map[string]string{}
		for i, name := range r.names {
			v, err := url.PathUnescape(m[i+1])
			if err != nil {
				return nil, nil
			}
			params[name] = v
		}
		return r.route, params
	}
	return nil, nil
}

// operations names every operation of the description.
func (s *spec) operations() []string {
	var ids []string
	for _, r := range s.routes {
		ids = append(ids, r.route.Operation.OperationID)
	}
	sort.Strings(ids)
	return ids
}

func options() *openapi3filter.Options {
	return &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, SkipSettingDefaults: true}
}

func (c *call) input() *openapi3filter.RequestValidationInput {
	return &openapi3filter.RequestValidationInput{
		Request: c.r, PathParams: c.params, QueryParams: c.query, Route: c.route, Options: options(),
	}
}

// checkRequest holds a request to the description: known query parameters, a
// body of the right shape.
func (c *call) checkRequest() error {
	c.r.Body = io.NopCloser(bytes.NewReader(c.body))
	if err := openapi3filter.ValidateRequest(c.r.Context(), c.input()); err != nil {
		return err
	}
	known := map[string]bool{}
	for _, p := range c.route.Operation.Parameters {
		if p.Value.In == "query" {
			known[p.Value.Name] = true
		}
	}
	for name := range c.query {
		if !known[name] {
			return fmt.Errorf("query parameter %q is not in GitHub's description", name)
		}
	}
	return nil
}

// checkAnswer holds an answer of the fake itself to the description.
func (c *call) checkAnswer(status int, h http.Header, body []byte) error {
	opts := options()
	opts.IncludeResponseStatus = true
	in := &openapi3filter.ResponseValidationInput{RequestValidationInput: c.input(), Status: status, Header: h, Options: opts}
	in.SetBodyBytes(body)
	return openapi3filter.ValidateResponse(c.r.Context(), in)
}

// answerSchema is the JSON schema of the operation's answer with that status, or nil.
func (c *call) answerSchema(status int) *openapi3.Schema {
	r := c.route.Operation.Responses.Status(status)
	if r == nil || r.Value == nil {
		return nil
	}
	m := r.Value.Content.Get("application/json")
	if m == nil || m.Schema == nil {
		return nil
	}
	return m.Schema.Value
}

// fill adds to v what the schema requires and the fake's state does not know: the
// many URLs, counters and switches that no client of ours reads.
func fill(schema *openapi3.Schema, v any) any {
	if schema == nil {
		return v
	}
	switch v := v.(type) {
	case object:
		fillObject(schema, v)
	case []object:
		for _, o := range v {
			fill(itemsOf(schema), o)
		}
	}
	return v
}

func itemsOf(schema *openapi3.Schema) *openapi3.Schema {
	if schema.Items == nil {
		return nil
	}
	return schema.Items.Value
}

func fillObject(schema *openapi3.Schema, o object) {
	for _, part := range schema.AllOf {
		fillObject(part.Value, o)
	}
	for _, choice := range [...]openapi3.SchemaRefs{schema.AnyOf, schema.OneOf} {
		if len(choice) > 0 {
			fillObject(pick(choice, o), o)
		}
	}
	for name, prop := range schema.Properties {
		if v, ok := o[name]; ok {
			fill(prop.Value, v)
		}
	}
	for _, name := range schema.Required {
		if _, ok := o[name]; !ok && schema.Properties[name] != nil {
			o[name] = blank(schema.Properties[name].Value)
		}
	}
}

// pick chooses the alternative that knows most of the fields that o has.
func pick(choice openapi3.SchemaRefs, o object) *openapi3.Schema {
	best, most := choice[0].Value, -1
	for _, c := range choice {
		n := 0
		for name := range o {
			if c.Value.Properties[name] != nil {
				n++
			}
		}
		if n > most {
			best, most = c.Value, n
		}
	}
	return best
}

// blank is the least value that fits a schema.
func blank(schema *openapi3.Schema) any {
	switch {
	case schema.Nullable:
		return nil
	case len(schema.Enum) > 0:
		return schema.Enum[0]
	case schema.Type.Is("string"):
		switch schema.Format {
		case "uri":
			return "https://github.invalid/"
		case "date-time":
			return "2026-01-02T03:04:05Z"
		}
		return ""
	case schema.Type.Is("integer"), schema.Type.Is("number"):
		return 0
	case schema.Type.Is("boolean"):
		return false
	case schema.Type.Is("array"):
		return []object{}
	case len(schema.AnyOf) > 0:
		return blank(schema.AnyOf[0].Value)
	case len(schema.OneOf) > 0:
		return blank(schema.OneOf[0].Value)
	}
	o := object{}
	fillObject(schema, o)
	return o
}
