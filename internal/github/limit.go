package github

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// LimitKind tells GitHub's two limits apart.
type LimitKind uint8

// The kinds of a limit.
const (
	Primary   LimitKind = iota + 1 // the hourly number of calls
	Secondary                      // the pace, above all of calls that create something
)

// String is the kind's name.
func (k LimitKind) String() string {
	switch k {
	case Primary:
		return "primary"
	case Secondary:
		return "secondary"
	}
	return "none"
}

// LimitError is a call that GitHub refused because there were too many, and that
// was not worth waiting for. It had no effect.
type LimitError struct {
	Op     string
	Kind   LimitKind
	Status int       // 403 or 429
	Until  time.Time // when to come again
}

// Error says which limit and until when.
func (e *LimitError) Error() string {
	return fmt.Sprintf("%s: GitHub's %s rate limit is used up until %s: try again then", e.Op, e.Kind, e.Until.UTC().Format(time.RFC3339))
}

// limit is what a refused answer says about limits.
type limit struct {
	kind LimitKind
	wait time.Duration // from now
	said bool          // whether GitHub gave the time, or it is ours
}

// peekLimit is how much of an answer is read to tell a limit from a refusal.
const peekLimit = 64 << 10

// limitOf tells whether an answer is a rate limit, and how long it lasts. It may
// read the answer's body, and leaves one that reads the same.
//
// A 429 is always a limit. A 403 is one with Retry-After, with no calls left, or
// where its text says so: secondary limits come without any header at times, and
// then with plenty of primary calls left; those headers say nothing about them.
func limitOf(resp *http.Response, now time.Time, pause time.Duration) (limit, bool) {
	if resp.StatusCode != http.StatusForbidden && resp.StatusCode != http.StatusTooManyRequests {
		return limit{}, false
	}
	text := peekMessage(resp)
	secondary := strings.Contains(text, "secondary rate limit") || strings.Contains(text, "abuse")
	if wait, ok := retryAfter(resp.Header.Get("Retry-After"), now); ok {
		return limit{Secondary, wait, true}, true
	}
	reset, hasReset := resetTime(resp.Header)
	usedUp := resp.Header.Get("X-RateLimit-Remaining") == "0"
	switch {
	case secondary:
		return limit{Secondary, pause, false}, true
	case usedUp && hasReset:
		return limit{Primary, max(reset.Sub(now), 0), true}, true
	case usedUp, strings.Contains(text, "rate limit exceeded"):
		return limit{Primary, pause, false}, true
	case resp.StatusCode == http.StatusTooManyRequests:
		return limit{Secondary, pause, false}, true
	}
	return limit{}, false
}

// retryAfter reads seconds or an HTTP date.
func retryAfter(v string, now time.Time) (time.Duration, bool) {
	if v == "" {
		return 0, false
	}
	if n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 32); err == nil && n >= 0 {
		return time.Duration(n) * time.Second, true
	}
	if t, err := http.ParseTime(v); err == nil {
		return max(t.Sub(now), 0), true
	}
	return 0, false
}

func resetTime(h http.Header) (time.Time, bool) {
	n, err := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64)
	if err != nil || n <= 0 {
		return time.Time{}, false
	}
	return time.Unix(n, 0), true
}

// peekMessage returns what a refusal says, in lower case: its message and the page
// of the manual that it names.
func peekMessage(resp *http.Response) string {
	head, err := io.ReadAll(io.LimitReader(resp.Body, peekLimit))
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(head), resp.Body), resp.Body}
	if err != nil {
		return ""
	}
	var said struct {
		Message string `json:"message"`
		Page    string `json:"documentation_url"`
	}
	if json.Unmarshal(head, &said) != nil {
		return ""
	}
	text := strings.ToLower(said.Message)
	if page := strings.ToLower(said.Page); strings.Contains(page, "secondary-rate-limits") || strings.Contains(page, "abuse-rate-limits") {
		text += " secondary rate limit"
	}
	return text
}
