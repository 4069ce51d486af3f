// Package githubtest is a GitHub for tests: a state machine over real bare git
// repositories, behind HTTP.
//
// It answers what GitHub's own description says, and it holds both sides to that
// description: a request of the product that GitHub would not understand, or an
// answer of the fake that GitHub would not give, fails the test. It has GitHub's
// oddities too (patches omitted, lists cut short, two kinds of rate limit) and
// faults on a switch. Tests alone import it.
package githubtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/getkin/kin-openapi/routers"
)

// TB is the part of testing.TB that the fake needs, so that a program can give one too.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Cleanup(f func())
	TempDir() string
}

// object is a JSON object of the API.
type object = map[string]any

// Limits are the bounds where GitHub cuts its answers short.
type Limits struct {
	CompareFiles int // files of a comparison and of a page of a commit
	PullFiles    int // files of a pull request
	PullCommits  int // commits of a pull request
	CommitFiles  int // files of a commit, over its pages
	TreeEntries  int // entries of a recursive tree
	PatchBytes   int // a longer patch is omitted
}

// Server is the fake. Its zero Limits are GitHub's. All methods may be called at any time.
type Server struct {
	URL string // the API's base; URL + "/api/v3" is the same as a GitHub Enterprise Server has it

	t    TB
	spec *spec
	http *httptest.Server

	mu       sync.Mutex // guards everything below, and is held while a request is worked
	limits   Limits
	latency  time.Duration
	offset   time.Duration
	nextID   int64
	users    map[string]*user
	teams    map[string][]string // org/team to members
	repos    map[string]*Repo
	tokens   map[string]*grant
	app      *App
	manifest map[string]object // one-time codes of the App manifest flow
	faults   []*Fault
	log      []Request
	hook     webhook
	async    sync.WaitGroup
}

// Request is one request that the fake was asked, for assertions and budgets.
type Request struct {
	Op     string // GitHub's name of the operation: "pulls/list-files"; "codeload" and "git" for those
	Method string
	Path   string // with the query
	Status int    // 0 while it is being worked, or where no answer was given
	Login  string // who asked
}

// New starts a fake that ends with the test.
func New(t TB) *Server {
	t.Helper()
	spec, err := loadSpec()
	if err != nil {
		t.Fatalf("%v", err)
	}
	s := &Server{
		t: t, spec: spec, limits: Limits{300, 3000, 250, 3000, 100_000, 1 << 20},
		nextID: 1000,
		users:  map[string]*user{}, teams: map[string][]string{}, repos: map[string]*Repo{}, tokens: map[string]*grant{}, manifest: map[string]object{},
	}
	s.http = httptest.NewServer(s)
	s.URL = s.http.URL
	t.Cleanup(s.close)
	return s
}

func (s *Server) close() {
	s.async.Wait()
	s.http.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.repos {
		r.git.close()
	}
}

// SetLimits lowers where answers are cut short; a zero field keeps its bound.
func (s *Server) SetLimits(l Limits) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range []struct{ to, from *int }{
		{&s.limits.CompareFiles, &l.CompareFiles}, {&s.limits.PullFiles, &l.PullFiles}, {&s.limits.PullCommits, &l.PullCommits},
		{&s.limits.CommitFiles, &l.CommitFiles}, {&s.limits.TreeEntries, &l.TreeEntries}, {&s.limits.PatchBytes, &l.PatchBytes},
	} {
		if *p.from != 0 {
			*p.to = *p.from
		}
	}
}

// SetLatency makes every call take at least d.
func (s *Server) SetLatency(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latency = d
}

// Advance moves the fake's clock, which stamps what is made and ends tokens.
func (s *Server) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offset += d
}

// Requests are all requests since the start or the last Forget, in order.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.log...)
}

// Forget empties the list of requests.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = nil
}

// Calls counts the requests by operation.
func (s *Server) Calls() map[string]int {
	n := map[string]int{}
	for _, r := range s.Requests() {
		n[r.Op]++
	}
	return n
}

// Count is how often one operation was asked.
func (s *Server) Count(op string) int { return s.Calls()[op] }

// Writes lists the operations that were asked and are no reads, minting of tokens aside.
func (s *Server) Writes() []string {
	var ops []string
	for _, r := range s.Requests() {
		if r.Method != http.MethodGet && r.Op != "apps/create-installation-access-token" && r.Op != "git" {
			ops = append(ops, r.Op)
		}
	}
	return ops
}

// call is one request on its way through the fake.
type call struct {
	s      *Server
	r      *http.Request
	route  *routers.Route
	op     string
	params map[string]string
	query  url.Values
	body   []byte
	grant  *grant
	repo   *Repo
}

// answer is what a handler gives back. A body of type []byte goes out as it is.
type answer struct {
	status int
	body   any
	header http.Header
}

// ServeHTTP answers one request: found in the description, counted, delayed,
// faulted, held to the description, permitted, worked, and held to it again.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if s.besideAPI(w, r, body) {
		return
	}
	u := *r.URL
	for _, p := range []*string{&u.Path, &u.RawPath} {
		*p = strings.TrimPrefix(*p, "/api/v3")
	}
	route, params := s.spec.find(r.Method, &u)
	if route == nil {
		s.t.Errorf("GitHub has no %s %s, or the fake was not cut for it", r.Method, u.Path)
		http.NotFound(w, r)
		return
	}
	c := &call{s: s, r: r, route: route, op: route.Operation.OperationID, params: params, query: r.URL.Query(), body: body}
	at := s.record(c.op, r, "")
	status := s.serve(w, c)
	s.mu.Lock()
	defer s.mu.Unlock()
	if at < len(s.log) {
		s.log[at].Status = status
		if c.grant != nil {
			s.log[at].Login = c.grant.login
		}
	}
}

func (s *Server) record(op string, r *http.Request, login string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, Request{Op: op, Method: r.Method, Path: r.URL.RequestURI(), Login: login})
	return len(s.log) - 1
}

func (s *Server) serve(w http.ResponseWriter, c *call) int {
	s.mu.Lock()
	wait := s.latency
	fault := s.take(c.op, c.r)
	s.mu.Unlock()
	time.Sleep(wait)
	if fault != nil && !fault.After {
		return fault.apply(w, c)
	}
	if err := c.checkRequest(); err != nil {
		s.t.Errorf("%s %s is not what GitHub's %s takes: %v", c.r.Method, c.r.URL.Path, c.op, err)
		return c.send(w, fail(http.StatusBadRequest, "Bad Request"))
	}
	a := s.work(c)
	if fault != nil {
		return fault.apply(w, c)
	}
	return c.send(w, a)
}

func (s *Server) work(c *call) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a, ok := s.permit(c); !ok {
		return a
	}
	h := handlers[c.op]
	if h == nil {
		s.t.Errorf("the fake does not know %s", c.op)
		return fail(http.StatusNotFound, "Not Found")
	}
	return h(s, c)
}

// send writes an answer, once it is complete and fits the description.
func (c *call) send(w http.ResponseWriter, a answer) int {
	h := w.Header()
	for k, v := range a.header {
		h[k] = v
	}
	raw, isRaw := a.body.([]byte)
	if !isRaw && a.body != nil {
		b, err := json.Marshal(fill(c.answerSchema(a.status), a.body))
		if err != nil {
			c.s.t.Errorf("%s: %v", c.op, err)
		}
		raw = b
		h.Set("Content-Type", "application/json; charset=utf-8")
	}
	if a.status < 300 && !isRaw {
		if err := c.checkAnswer(a.status, h, raw); err != nil {
			c.s.t.Errorf("the fake's answer to %s is not what GitHub gives: %v\n%.2000s", c.op, err, raw)
		}
	}
	h.Set("X-RateLimit-Limit", "5000")
	h.Set("X-RateLimit-Remaining", "4900")
	h.Set("X-RateLimit-Reset", fmt.Sprint(time.Now().Add(time.Hour).Unix()))
	h.Set("X-GitHub-Request-Id", "FAKE:"+c.op)
	w.WriteHeader(a.status)
	_, _ = io.Copy(w, bytes.NewReader(raw))
	return a.status
}

func ok(body any) answer      { return answer{status: http.StatusOK, body: body} }
func created(body any) answer { return answer{status: http.StatusCreated, body: body} }
func noContent() answer       { return answer{status: http.StatusNoContent} }

func fail(status int, message string, details ...object) answer {
	o := object{"message": message, "documentation_url": "https://docs.github.com/rest"}
	if len(details) > 0 {
		o["errors"] = details
	}
	return answer{status: status, body: o}
}

func notFound() answer { return fail(http.StatusNotFound, "Not Found") }

// decode reads the request's body into v.
func (c *call) decode(v any) {
	if len(c.body) == 0 {
		return
	}
	if err := json.Unmarshal(c.body, v); err != nil {
		c.s.t.Errorf("%s: %v", c.op, err)
	}
}

func (s *Server) clock() time.Time { return time.Now().Add(s.offset).UTC().Truncate(time.Second) }

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func (s *Server) id() int64 {
	s.nextID++
	return s.nextID
}

func (s *Server) must(err error) {
	if err != nil {
		s.t.Errorf("fake GitHub: %v", err)
	}
}

// temp makes a folder that lives as long as the test.
func (s *Server) temp() string {
	dir, err := os.MkdirTemp(s.t.TempDir(), "git")
	if err != nil {
		s.t.Fatalf("%v", err)
	}
	return dir
}
