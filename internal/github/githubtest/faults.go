package githubtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
)

// Fault is a way in which GitHub goes wrong. The first armed fault that fits a
// request is used up by it.
type Fault struct {
	Op     string // the operation, or a prefix that ends in "*"; "" means every operation
	Method string // "" means every method; "write" all but GET
	Skip   int    // let so many fitting requests pass first
	Times  int    // use it up after so many; 0 means once, negative never
	Rate   float64
	// After lets the request take effect before its answer goes wrong.
	After  bool
	Status int // 0 with Hang or Drop
	Header map[string]string
	Body   string
	Hang   time.Duration // says nothing for so long, or until the client goes away; then drops
	Drop   bool          // closes the connection without an answer

	used int
}

// Arm adds faults. With a Rate a fault meets that share of the fitting requests.
func (s *Server) Arm(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range faults {
		s.faults = append(s.faults, &f)
	}
}

// Disarm takes all faults away.
func (s *Server) Disarm() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// take returns the fault that a request meets, or nil.
func (s *Server) take(op string, r *http.Request) *Fault {
	for i, f := range s.faults {
		if !f.fits(op, r.Method) {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			continue
		}
		if f.Rate > 0 && rand.Float64() >= f.Rate {
			continue
		}
		f.used++
		if f.Times >= 0 && f.used >= max(f.Times, 1) && f.Rate == 0 {
			s.faults = append(s.faults[:i:i], s.faults[i+1:]...)
		}
		return f
	}
	return nil
}

func (f *Fault) fits(op, method string) bool {
	if prefix, ok := strings.CutSuffix(f.Op, "*"); ok {
		if !strings.HasPrefix(op, prefix) {
			return false
		}
	} else if f.Op != "" && f.Op != op {
		return false
	}
	if f.Method == "write" {
		return method != http.MethodGet
	}
	return f.Method == "" || f.Method == method
}

func (f *Fault) apply(w http.ResponseWriter, c *call) int {
	if f.Hang > 0 {
		select {
		case <-c.r.Context().Done():
		case <-time.After(f.Hang):
		}
		panic(http.ErrAbortHandler)
	}
	if f.Drop {
		panic(http.ErrAbortHandler)
	}
	for k, v := range f.Header {
		w.Header().Set(k, v)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(f.Status)
	_, _ = w.Write([]byte(f.Body))
	return f.Status
}

// message is an error's body as GitHub writes it.
func message(text, page string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	_ = enc.Encode(object{"message": text, "documentation_url": "https://docs.github.com/" + page})
	return b.String()
}

// PrimaryLimit is the hourly limit used up until the given time, with status 403 or 429.
func PrimaryLimit(status int, reset time.Time) Fault {
	return Fault{
		Status: status,
		Header: map[string]string{"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "0", "X-RateLimit-Used": "5000", "X-RateLimit-Reset": fmt.Sprint(reset.Unix())},
		Body:   message("API rate limit exceeded for installation ID 1.", "rest/overview/rate-limits-for-the-rest-api"),
	}
}

// SecondaryLimit is the limit on the pace of calls, with status 403 or 429.
// retryAfter "" leaves the header out; otherwise it is seconds or an HTTP date.
func SecondaryLimit(status int, retryAfter string) Fault {
	f := Fault{
		Status: status,
		Header: map[string]string{"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "4000", "X-RateLimit-Reset": fmt.Sprint(time.Now().Add(40 * time.Minute).Unix())},
		Body:   message("You have exceeded a secondary rate limit. Please wait a few minutes before you try again.", "free-pro-team@latest/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"),
	}
	if retryAfter != "" {
		f.Header["Retry-After"] = retryAfter
	}
	return f
}

// AbuseLimit is how older servers word the secondary limit.
func AbuseLimit() Fault {
	return Fault{
		Status: http.StatusForbidden,
		Body:   message("You have triggered an abuse detection mechanism. Please wait a few minutes before you try again.", "v3/#abuse-rate-limits"),
	}
}

// Denied is a token without the permission.
func Denied() Fault {
	return Fault{Status: http.StatusForbidden, Body: message("Resource not accessible by integration", "rest")}
}

// Broken is GitHub's own failure: 500, 502, 503 or 504. Some of them are HTML.
func Broken(status int) Fault {
	if status == http.StatusBadGateway {
		return Fault{Status: status, Body: "<html><body><h1>502 Bad Gateway</h1></body></html>"}
	}
	return Fault{Status: status, Body: message("Server Error", "rest")}
}

// LostAnswer lets a request take effect and loses the answer: a 502 after the fact.
func LostAnswer() Fault {
	f := Broken(http.StatusBadGateway)
	f.After, f.Method = true, "write"
	return f
}

// Missing is a 404, as a fresh token gets it for some seconds.
func Missing() Fault {
	return Fault{Status: http.StatusNotFound, Body: message("Not Found", "rest")}
}

// Expired is what a token gets whose hour is over.
func Expired() Fault {
	return Fault{Status: http.StatusUnauthorized, Body: message("Bad credentials", "rest")}
}

// On returns the fault for one operation alone.
func (f Fault) On(op string) Fault {
	f.Op = op
	return f
}

// Repeat returns the fault for so many requests; a negative number is for ever.
func (f Fault) Repeat(times int) Fault {
	f.Times = times
	return f
}

// Writes returns the fault for requests that are no GET.
func (f Fault) Writes() Fault {
	f.Method = "write"
	return f
}

// Sometimes returns the fault for a share of the requests.
func (f Fault) Sometimes(rate float64) Fault {
	f.Rate, f.Times = rate, -1
	return f
}
