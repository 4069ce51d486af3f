package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	gh "github.com/google/go-github/v62/github"
)

// What an [APIError] may be, for errors.Is.
var (
	ErrNotFound     = errors.New("not found")             // 404: absent, or hidden from this token
	ErrDenied       = errors.New("permission denied")     // 403, and no limit
	ErrUnauthorized = errors.New("token not accepted")    // 401
	ErrInvalid      = errors.New("refused as invalid")    // 422: often a race that somebody else won
	ErrConflict     = errors.New("in the way of another") // 409
	ErrServer       = errors.New("GitHub failed")         // 5xx: what happened is open
)

// APIError is an answer that is no success. Its text holds no URL and no body.
type APIError struct {
	Op      string
	Status  int
	Message string // what GitHub said
}

// Error says what was asked, what came back, and what to do where that is known.
func (e *APIError) Error() string {
	s := fmt.Sprintf("%s: %d %s", e.Op, e.Status, e.Message)
	switch {
	case errors.Is(e, ErrDenied):
		if need := permissionFor(e.Op); need != "" {
			s += ": the token needs the permission " + need
		}
	case errors.Is(e, ErrUnauthorized):
		s += ": the token is wrong or its time is over"
	}
	return s
}

// Is matches the errors of this package by status.
func (e *APIError) Is(target error) bool {
	switch target {
	case ErrNotFound:
		return e.Status == http.StatusNotFound || e.Status == http.StatusGone
	case ErrDenied:
		return e.Status == http.StatusForbidden
	case ErrUnauthorized:
		return e.Status == http.StatusUnauthorized
	case ErrInvalid:
		return e.Status == http.StatusUnprocessableEntity
	case ErrConflict:
		return e.Status == http.StatusConflict
	case ErrServer:
		return e.Status >= 500
	}
	return false
}

// apiError turns an error of go-github into one of ours; nil stays nil.
func apiError(op string, err error) error {
	if err == nil {
		return nil
	}
	var limited *LimitError
	if errors.As(err, &limited) {
		return limited
	}
	var resp *gh.ErrorResponse
	if errors.As(err, &resp) && resp.Response != nil {
		return &APIError{op, resp.Response.StatusCode, said(resp)}
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s: %w", op, err)
	}
	// What is left is of the transport. The URL in it may hold a token of codeload's.
	return fmt.Errorf("%s: %w", op, withoutURL(err))
}

// said is GitHub's message with the messages of its parts.
func said(resp *gh.ErrorResponse) string {
	text := resp.Message
	for _, e := range resp.Errors {
		switch {
		case e.Message != "":
			text += "; " + e.Message
		case e.Field != "":
			text += "; " + e.Field + " " + e.Code
		}
	}
	if text == "" {
		text = http.StatusText(resp.Response.StatusCode)
	}
	if r := []rune(text); len(r) > 300 {
		text = string(r[:300]) + "..."
	}
	return strings.Join(strings.Fields(text), " ")
}

func withoutURL(err error) error {
	var u interface{ Unwrap() error }
	if errors.As(err, &u) && strings.Contains(err.Error(), "://") {
		if inner := u.Unwrap(); inner != nil {
			return withoutURL(inner)
		}
	}
	return err
}

// open says whether a failed write may have taken effect all the same: the answer
// was lost, or GitHub failed, or somebody else was faster. Who gets it looks again.
func open(err error) bool {
	var limited *LimitError
	var api *APIError
	switch {
	case err == nil, errors.As(err, &limited), errors.Is(err, context.Canceled):
		return false
	case errors.As(err, &api):
		return api.Status >= 500 || api.Status == http.StatusUnprocessableEntity || api.Status == http.StatusConflict
	}
	return true
}

// permissionFor names the permission that an operation needs, as a workflow file writes it.
func permissionFor(op string) string {
	group, name, _ := strings.Cut(op, "/")
	level := "read"
	for _, verb := range []string{"create", "update", "delete", "add", "remove", "upload"} {
		if strings.HasPrefix(name, verb) {
			level = "write"
		}
	}
	switch group {
	case "git", "repos":
		return "contents: " + level
	case "pulls":
		return "pull-requests: " + level
	case "issues", "reactions":
		return "issues: " + level + " (for a pull request, pull-requests: " + level + ")"
	case "checks":
		return "checks: " + level
	case "code-scanning":
		return "security-events: write"
	case "teams":
		return "members: read"
	}
	return ""
}
