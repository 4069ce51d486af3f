package github

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Call is one attempt at one request, for metrics.
type Call struct {
	Installation int64  // of the App that asks, or 0
	Op           string // GitHub's own name of the operation, as "pulls/list-files"; few and fixed
	Method       string
	Status       int // 0 where there was no answer
	Attempt      int // from 1
	Took         time.Duration
	Limit        LimitKind // 0, unless the answer was a limit
	Remaining    int       // primary calls left, or -1 where the answer does not say
}

// Options are what all clients need beside a token. The zero Options are right for github.com.
type Options struct {
	BaseURL   string            // of the API; "" is https://api.github.com. An Enterprise Server's ends in /api/v3
	UserAgent string            // "" is "sealward"
	Transport http.RoundTripper // nil is a transport of its own, with the environment's proxy
	Timeout   time.Duration     // of one attempt; 0 is 30 s. A tarball has ten times as long
	Attempts  int               // at most so many for one call; 0 is 4
	Backoff   time.Duration     // before the second attempt, doubled each time; 0 is 500 ms
	MaxWait   time.Duration     // the longest wait for a limit; a longer one is a LimitError at once. 0 is 1 min, negative none
	Pause     time.Duration     // how long a limit is taken to last where GitHub does not say; 0 is 1 min
	Fresh     []time.Duration   // pauses while a new token is not known everywhere yet; nil is 3, 10, 30 s
	Observe   func(Call)        // told of every attempt; may be called from many goroutines
	// Admit is asked before every attempt at a write, for a pace that several processes
	// share. What it returns, best a LimitError, is the call's outcome, and nothing is sent.
	Admit func(context.Context, Call) error
}

func (o Options) filled() Options {
	set := func(p *time.Duration, d time.Duration) {
		if *p == 0 {
			*p = d
		}
	}
	set(&o.Timeout, 30*time.Second)
	set(&o.Backoff, 500*time.Millisecond)
	set(&o.MaxWait, time.Minute)
	set(&o.Pause, time.Minute)
	if o.Attempts == 0 {
		o.Attempts = 4
	}
	if o.UserAgent == "" {
		o.UserAgent = "sealward"
	}
	if o.BaseURL == "" {
		o.BaseURL = "https://api.github.com"
	}
	if o.Fresh == nil {
		o.Fresh = []time.Duration{3 * time.Second, 10 * time.Second, 30 * time.Second}
	}
	if o.Transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConnsPerHost = parallelCalls
		o.Transport = t
	}
	return o
}

// base is the API's URL, which ends in a slash.
func (o Options) base() (*url.URL, error) {
	if strings.Contains(o.BaseURL, "@") {
		return nil, errors.New("the API URL may hold no user or password")
	}
	u, err := url.Parse(o.BaseURL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return nil, fmt.Errorf("API URL %q is not one: give https://api.github.com, or https://HOST/api/v3 of an Enterprise Server", o.BaseURL)
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("the API URL may hold no query or fragment")
	}
	if u.Path == "" || u.Path[len(u.Path)-1] != '/' {
		u.Path += "/"
	}
	return u, nil
}

// What a request is, is said through its context: go-github has no other way in.
type (
	opKey         struct{}
	installKey    struct{}
	repeatableKey struct{}
	slowKey       struct{}
)

// named gives the operation that a request is for.
func named(ctx context.Context, op string) context.Context {
	return context.WithValue(ctx, opKey{}, op)
}

// repeatable marks a write that leads to the same state however often it is made.
func repeatable(ctx context.Context, op string) context.Context {
	return context.WithValue(named(ctx, op), repeatableKey{}, true)
}

// retrier sends requests, and sends them again where that is safe and may help.
//
// A limit is waited for when that is short; it had no effect, so any call may be
// repeated after it. A 5xx or a lost connection leaves open what happened, so then
// only reads and repeatable writes are sent again; other writes fail, and who made
// them looks whether they took effect.
type retrier struct {
	opt    Options
	budget *retryBudget
}

func newRetrier(opt Options) *retrier { return &retrier{opt, &retryBudget{left: maxRetries}} }

// RoundTrip sends a request until there is an answer worth having.
func (t *retrier) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	req = req.Clone(ctx)
	op, _ := ctx.Value(opKey{}).(string)
	for attempt := 1; ; attempt++ {
		call := Call{Op: op, Method: req.Method, Attempt: attempt, Remaining: -1}
		call.Installation, _ = ctx.Value(installKey{}).(int64)
		if err := t.admit(ctx, call); err != nil {
			return nil, err
		}
		resp, lim, err := t.once(req, call)
		wait, again := t.next(req, resp, lim, err, attempt)
		again = again && attempt < t.opt.Attempts && ctx.Err() == nil && rewind(req) && t.budget.take()
		if !again && lim.kind != 0 {
			drain(resp)
			return nil, &LimitError{Op: op, Kind: lim.kind, Status: resp.StatusCode, Until: time.Now().Add(lim.wait)}
		}
		if !again {
			return resp, err
		}
		drain(resp)
		if err := sleep(ctx, jitter(wait)); err != nil {
			return nil, err
		}
	}
}

// admit asks whether a write may be sent. To make a token and to fetch by git is none.
func (t *retrier) admit(ctx context.Context, call Call) error {
	read := call.Method == http.MethodGet || call.Method == http.MethodHead || call.Op == opToken || call.Op == opGit
	if read || t.opt.Admit == nil {
		return nil
	}
	return t.opt.Admit(ctx, call)
}

// Operations that are posted and write nothing.
const (
	opToken = "apps/create-installation-access-token"
	opGit   = "git"
)

// next says whether a request may be sent again after this answer, and when.
func (t *retrier) next(req *http.Request, resp *http.Response, lim limit, err error, attempt int) (time.Duration, bool) {
	switch {
	case lim.kind != 0:
		wait := lim.wait
		if !lim.said {
			wait <<= attempt - 1
		}
		return wait, wait <= max(t.opt.MaxWait, 0) && !beyond(req.Context(), time.Now().Add(wait))
	case err == nil && resp.StatusCode < 500:
		return 0, false
	}
	read := req.Method == http.MethodGet || req.Method == http.MethodHead
	return t.opt.Backoff << (attempt - 1), read || req.Context().Value(repeatableKey{}) != nil
}

// once makes one attempt, within its time, and tells of it.
func (t *retrier) once(req *http.Request, call Call) (*http.Response, limit, error) {
	timeout := t.opt.Timeout
	if req.Context().Value(slowKey{}) != nil {
		timeout *= 10
	}
	ctx, cancel := context.WithTimeout(req.Context(), timeout)
	start := time.Now()
	out := req.Clone(ctx)
	out.Header.Set("User-Agent", t.opt.UserAgent)
	resp, err := t.opt.Transport.RoundTrip(out)
	call.Took = time.Since(start)
	var lim limit
	if err != nil {
		cancel()
		if errors.Is(err, context.DeadlineExceeded) && req.Context().Err() == nil {
			err = fmt.Errorf("no answer within %s", timeout)
		}
	} else {
		resp.Body = &cancelBody{resp.Body, cancel}
		lim, _ = limitOf(resp, time.Now(), t.opt.Pause)
		call.Status, call.Limit = resp.StatusCode, lim.kind
		if n, err := strconv.Atoi(resp.Header.Get("X-RateLimit-Remaining")); err == nil {
			call.Remaining = n
		}
		t.budget.answered(resp.StatusCode)
		// go-github keeps books of its own on these, and would refuse calls by them.
		for _, h := range []string{"Limit", "Remaining", "Used", "Reset", "Resource"} {
			resp.Header.Del("X-RateLimit-" + h)
		}
	}
	if t.opt.Observe != nil {
		t.opt.Observe(call)
	}
	return resp, lim, err
}

// cancelBody ends an attempt's time when its answer has been read.
type cancelBody struct {
	io.ReadCloser
	cancel context.CancelFunc
}

// Close closes the body and ends the attempt.
func (b *cancelBody) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}

// maxRetries is how many repetitions a client may have in store, so that an
// outage is not answered with a storm.
const maxRetries = 40

// retryBudget is refilled by answers that are no failure: a tenth of a retry each.
type retryBudget struct {
	mu   sync.Mutex
	left float64
}

func (b *retryBudget) take() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}

func (b *retryBudget) answered(status int) {
	if status >= 500 || status == http.StatusTooManyRequests {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left = min(b.left+0.1, maxRetries)
}

// rewind makes a request's body ready to be sent again.
func rewind(req *http.Request) bool {
	if req.Body == nil || req.Body == http.NoBody {
		return true
	}
	if req.GetBody == nil {
		return false
	}
	body, err := req.GetBody()
	if err != nil {
		return false
	}
	req.Body = body
	return true
}

func drain(resp *http.Response) {
	if resp == nil {
		return
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, peekLimit))
	_ = resp.Body.Close()
}

func beyond(ctx context.Context, t time.Time) bool {
	deadline, ok := ctx.Deadline()
	return ok && t.After(deadline)
}

// jitter spreads callers that were refused together: up to a fifth more.
func jitter(d time.Duration) time.Duration {
	return d + time.Duration(rand.Int64N(int64(d)/5+1))
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

// bearer adds a token to requests for one host, and to none for another: a
// redirect must not carry it away.
type bearer struct {
	next        http.RoundTripper
	host, token string
}

// RoundTrip sends a request with the token.
func (b *bearer) RoundTrip(req *http.Request) (*http.Response, error) {
	if b.token == "" || req.URL.Host != b.host {
		return b.next.RoundTrip(req)
	}
	out := req.Clone(req.Context())
	out.Header.Set("Authorization", "Bearer "+b.token)
	return b.next.RoundTrip(out)
}
