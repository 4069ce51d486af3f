package github_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sealward/sealward/internal/github"
	"github.com/sealward/sealward/internal/github/githubtest"
)

func TestLimitsInEveryShape(t *testing.T) {
	soon := func() string { return time.Now().Add(2 * time.Hour).UTC().Format(http.TimeFormat) }
	tests := []struct {
		name  string
		fault githubtest.Fault
		kind  github.LimitKind
		wait  time.Duration // at least, less a minute; 0 where the call succeeds in the end
	}{
		{"primary by 403", githubtest.PrimaryLimit(403, time.Now().Add(40*time.Minute)), github.Primary, 39 * time.Minute},
		{"primary by 429", githubtest.PrimaryLimit(429, time.Now().Add(40*time.Minute)), github.Primary, 39 * time.Minute},
		{"primary, over already", githubtest.PrimaryLimit(403, time.Now().Add(-time.Minute)), 0, 0},
		{"secondary by 403 with seconds", githubtest.SecondaryLimit(403, "3600"), github.Secondary, 59 * time.Minute},
		{"secondary by 429 with seconds", githubtest.SecondaryLimit(429, "3600"), github.Secondary, 59 * time.Minute},
		{"secondary with a date", githubtest.SecondaryLimit(403, soon()), github.Secondary, 119 * time.Minute},
		{"secondary, short", githubtest.SecondaryLimit(429, "0"), 0, 0},
		{"secondary by 403 without Retry-After", githubtest.SecondaryLimit(403, ""), 0, 0},
		{"secondary by 429 without Retry-After", githubtest.SecondaryLimit(429, ""), 0, 0},
		{"abuse", githubtest.AbuseLimit(), 0, 0},
		{"429 and nothing else", githubtest.Fault{Status: 429}, 0, 0},
		{"429 in HTML", githubtest.Fault{Status: 429, Body: "<html>"}, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := githubtest.New(t)
			s.NewRepo("octo/shop", githubtest.Files{"a": "1"})
			c := newClient(t, s, s.ActionsToken("octo/shop", nil))
			s.Arm(tt.fault)
			start := time.Now()
			_, err := c.Repository(context.Background(), "octo/shop")
			if took := time.Since(start); took > 3*time.Second {
				t.Errorf("it took %s", took)
			}
			var limited *github.LimitError
			if tt.wait == 0 {
				if err != nil || s.Count("repos/get") != 2 {
					t.Errorf("%d calls, %v; want a second call that succeeds", s.Count("repos/get"), err)
				}
				return
			}
			if !errors.As(err, &limited) || limited.Kind != tt.kind || time.Until(limited.Until) < tt.wait {
				t.Errorf("got %v, want the %s limit for %s", err, tt.kind, tt.wait)
			}
			if s.Count("repos/get") != 1 {
				t.Errorf("%d calls for a limit that lasts", s.Count("repos/get"))
			}
		})
	}
}

func TestADeniedCallIsNoLimit(t *testing.T) {
	s := githubtest.New(t)
	r := s.NewRepo("octo/shop", githubtest.Files{"a": "1"})
	r.NewIssue("alice", "t", "b")
	c := newClient(t, s, s.ActionsToken("octo/shop", map[string]string{"contents": "read"}))
	_, _, err := c.KeepComment(context.Background(), github.Sticky{Repo: "octo/shop", Issue: 1, Mark: "review", Body: "x", Create: true})
	if !errors.Is(err, github.ErrDenied) || !strings.Contains(err.Error(), "pull-requests: write") {
		t.Errorf("got %v", err)
	}
	if n := s.Count("issues/create-comment"); n != 1 {
		t.Errorf("%d attempts at what is denied", n)
	}
}

func TestFailuresOfReads(t *testing.T) {
	tests := []struct {
		name  string
		fault githubtest.Fault
		ok    bool
		calls int
	}{
		{"502 twice", githubtest.Broken(502).Repeat(2), true, 3},
		{"503 for ever", githubtest.Broken(503).Repeat(-1), false, 4},
		{"500", githubtest.Broken(500), true, 2},
		{"connection closed", githubtest.Fault{Drop: true}, true, 2},
		{"silence", githubtest.Fault{Hang: time.Minute}, true, 2},
		{"404", githubtest.Missing(), false, 1},
		{"401", githubtest.Expired(), false, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := githubtest.New(t)
			s.NewRepo("octo/shop", githubtest.Files{"a": "1"})
			var mu sync.Mutex
			var seen []github.Call
			opt := quick(s.URL)
			opt.Timeout = 100 * time.Millisecond
			opt.Observe = func(c github.Call) {
				mu.Lock()
				defer mu.Unlock()
				seen = append(seen, c)
			}
			c, err := github.New(s.ActionsToken("octo/shop", nil), opt)
			if err != nil {
				t.Fatal(err)
			}
			s.Arm(tt.fault)
			_, err = c.Repository(context.Background(), "octo/shop")
			if (err == nil) != tt.ok || s.Count("repos/get") != tt.calls || len(seen) != tt.calls {
				t.Errorf("%v after %d calls (%d observed), want ok %t after %d", err, s.Count("repos/get"), len(seen), tt.ok, tt.calls)
			}
			if err != nil && (strings.Contains(err.Error(), "http://") || strings.Contains(err.Error(), "<html>")) {
				t.Errorf("the error shows an URL or a page: %v", err)
			}
			for i, c := range seen {
				if c.Op != "repos/get" || c.Attempt != i+1 {
					t.Errorf("observed %+v", c)
				}
			}
		})
	}
}

func TestAnOutageIsNotAnsweredWithAStorm(t *testing.T) {
	s := githubtest.New(t)
	s.NewRepo("octo/shop", githubtest.Files{"a": "1"})
	c := newClient(t, s, s.ActionsToken("octo/shop", nil))
	s.Arm(githubtest.Broken(503).Repeat(-1))
	for range 100 {
		if _, err := c.Repository(context.Background(), "octo/shop"); !errors.Is(err, github.ErrServer) {
			t.Fatalf("%v", err)
		}
	}
	if n := s.Count("repos/get"); n > 150 {
		t.Errorf("%d calls for 100 questions in an outage", n)
	}
}

func TestTheDeadlineEndsWaiting(t *testing.T) {
	s := githubtest.New(t)
	s.NewRepo("octo/shop", githubtest.Files{"a": "1"})
	opt := quick(s.URL)
	opt.MaxWait = time.Hour
	c, err := github.New(s.ActionsToken("octo/shop", nil), opt)
	if err != nil {
		t.Fatal(err)
	}
	s.Arm(githubtest.SecondaryLimit(403, "30"))
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	start := time.Now()
	_, err = c.Repository(ctx, "octo/shop")
	var limited *github.LimitError
	if !errors.As(err, &limited) || time.Since(start) > 900*time.Millisecond {
		t.Errorf("%v after %s: a wait that is longer than the deadline is no use", err, time.Since(start))
	}
	s.Arm(githubtest.Fault{Hang: time.Minute})
	ctx, cancel = context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err = c.Repository(ctx, "octo/shop"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestWhereTheAPIIs(t *testing.T) {
	for _, bad := range []string{"ftp://x", "nonsense", "https://u:p@h/api/v3", "https://h/?x=1", "://"} {
		if _, err := github.New("t", github.Options{BaseURL: bad}); err == nil || strings.Contains(err.Error(), "u:p") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, name := range []string{"", "a", "a/b/c", "../x", "a/..", "a b/c", "a/b?x", "a/b#x", "a%2f/b"} {
		if _, err := github.ParseName(name); err == nil {
			t.Errorf("%q passed for a repository", name)
		}
	}
	if n, err := github.ParseName("Octo-Cat/my.repo_1"); err != nil || fmt.Sprint(n) != "Octo-Cat/my.repo_1" {
		t.Errorf("%v %v", n, err)
	}
}
