package github_test

import (
	"bytes"
	"compress/gzip"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/sealward/sealward/internal/github"
	"github.com/sealward/sealward/internal/github/githubtest"
)

// receiver takes deliveries as the bot does.
type receiver struct {
	*httptest.Server
	mu  sync.Mutex
	got map[string]github.Event
}

func newReceiver(t *testing.T, secrets ...string) *receiver {
	t.Helper()
	v, err := github.NewVerifier(secrets...)
	if err != nil {
		t.Fatal(err)
	}
	in := &receiver{got: map[string]github.Event{}}
	in.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d, err := v.Read(r)
		var refused *github.RefusedError
		if errors.As(err, &refused) {
			http.Error(w, refused.Reason, refused.Status)
			return
		}
		e, err := github.ParseEvent(d.Event, d.Body)
		if err != nil {
			t.Error(err)
		}
		in.mu.Lock()
		defer in.mu.Unlock()
		in.got[d.ID] = e
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(in.Close)
	return in
}

func (in *receiver) ids() []string {
	in.mu.Lock()
	defer in.mu.Unlock()
	var list []string
	for id := range in.got {
		list = append(list, id)
	}
	return list
}

func (in *receiver) only(t *testing.T, event, action string) github.Event {
	t.Helper()
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, e := range in.got {
		if e.Name == event && e.Action == action {
			return e
		}
	}
	t.Errorf("no %s %s came", event, action)
	return github.Event{}
}

func request(secret, body string, change func(http.Header)) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/api/github/webhooks", strings.NewReader(body))
	r.Header = githubtest.Signed(secret, []byte(body))
	r.Header.Set("X-GitHub-Event", "ping")
	r.Header.Set("X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958")
	if change != nil {
		change(r.Header)
	}
	return r
}

func TestOnlySignedDeliveriesAreLetIn(t *testing.T) {
	v, err := github.NewVerifier("first-secret", "second-secret")
	if err != nil {
		t.Fatal(err)
	}
	const body = `{"zen":"Keep it logically awesome."}`
	form := "payload=" + url.QueryEscape(body)
	tests := []struct {
		name   string
		r      *http.Request
		status int // 0 is let in
	}{
		{"the first secret", request("first-secret", body, nil), 0},
		{"the second secret", request("second-secret", body, nil), 0},
		{"a form", request("first-secret", form, func(h http.Header) { h.Set("Content-Type", "application/x-www-form-urlencoded") }), 0},
		{"no SHA-1 needed", request("first-secret", body, func(h http.Header) { h.Del("X-Hub-Signature") }), 0},
		{"another secret", request("third-secret", body, nil), 401},
		{"an empty secret", request("", body, nil), 401},
		{"SHA-1 alone", request("first-secret", body, func(h http.Header) { h.Del("X-Hub-Signature-256") }), 401},
		{"SHA-1 under the new name", request("first-secret", body, func(h http.Header) { h.Set("X-Hub-Signature-256", h.Get("X-Hub-Signature")) }), 401},
		{"half a signature", request("first-secret", body, func(h http.Header) { h.Set("X-Hub-Signature-256", h.Get("X-Hub-Signature-256")[:40]) }), 401},
		{"no hex", request("first-secret", body, func(h http.Header) { h.Set("X-Hub-Signature-256", "sha256="+strings.Repeat("z", 64)) }), 401},
		{"nothing", request("first-secret", body, func(h http.Header) { clear(h) }), 401},
		{"another body", func() *http.Request {
			r := request("first-secret", body, nil)
			r.Body = io.NopCloser(strings.NewReader(body + " "))
			return r
		}(), 401},
		{"no delivery's id", request("first-secret", body, func(h http.Header) { h.Del("X-GitHub-Delivery") }), 400},
		{"a hostile id", request("first-secret", body, func(h http.Header) { h.Set("X-GitHub-Delivery", "a\nb") }), 400},
		{"no event", request("first-secret", body, func(h http.Header) { h.Del("X-GitHub-Event") }), 400},
		{"no JSON", request("first-secret", "hello", nil), 400},
		{"an array", request("first-secret", "[]", nil), 400},
		{"too large", request("first-secret", "{"+strings.Repeat(" ", 25<<20), nil), 413},
		{"too large and silent about it", func() *http.Request {
			r := request("first-secret", "{"+strings.Repeat(" ", 25<<20), nil)
			r.ContentLength = -1
			return r
		}(), 413},
		{"a GET", httptest.NewRequest(http.MethodGet, "/", nil), 405},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := v.Read(tt.r)
			var refused *github.RefusedError
			switch {
			case tt.status == 0 && (err != nil || string(d.Body) != body || d.Event != "ping"):
				t.Errorf("%+v %v", d, err)
			case tt.status != 0 && (!errors.As(err, &refused) || refused.Status != tt.status):
				t.Errorf("%v, want %d", err, tt.status)
			}
		})
	}
	for _, bad := range [][]string{nil, {""}, {"good", ""}, {" "}} {
		if _, err := github.NewVerifier(bad...); err == nil {
			t.Errorf("%q passed for secrets", bad)
		}
	}
}

func TestEveryExampleOfGitHubIsTaken(t *testing.T) {
	data, err := os.ReadFile("testdata/webhooks.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	zr, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	var examples []struct {
		Event   string
		Payload json.RawMessage
	}
	if err := json.NewDecoder(zr).Decode(&examples); err != nil || len(examples) != 329 {
		t.Fatalf("%d examples, %v", len(examples), err)
	}
	v, err := github.NewVerifier("secret-of-the-test")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, x := range examples {
		r := request("secret-of-the-test", string(x.Payload), func(h http.Header) { h.Set("X-GitHub-Event", x.Event) })
		d, err := v.Read(r)
		if err != nil {
			t.Errorf("%s: %v", x.Event, err)
			continue
		}
		e, err := github.ParseEvent(d.Event, d.Body)
		if err != nil {
			t.Errorf("%s: %v", x.Event, err)
			continue
		}
		seen[x.Event]++
		ok := e.Sender != "" || x.Event == "security_advisory" || x.Event == "projects_v2_item" || x.Event == "repository_ruleset"
		switch x.Event {
		case "issue_comment":
			ok = e.Comment != nil && e.Comment.ID != 0 && e.Comment.Author != "" && e.Issue.Number == e.Comment.Issue && e.Repo != "" && e.Action != ""
		case "push":
			ok = e.Push != nil && e.Push.Ref != "" && len(e.Push.After) == 40 && e.Repo != ""
		case "pull_request":
			ok = e.Pull != nil && e.Pull.Number != 0 && len(e.Pull.Head) == 40 && e.Pull.Onto != "" && e.Pull.HeadRepo != ""
		case "merge_group":
			_, ok = e.Range()
		case "installation_repositories":
			ok = e.Installation != 0 && len(e.Repos)+len(e.Removed) > 0
		}
		if !ok {
			t.Errorf("%s: %+v", x.Event, e)
		}
	}
	for _, event := range []string{"issue_comment", "push", "pull_request", "merge_group", "installation", "installation_repositories", "ping"} {
		if seen[event] == 0 {
			t.Errorf("there is no example of %s", event)
		}
	}
}

func TestEventsOfTheFake(t *testing.T) {
	s := githubtest.New(t)
	app := s.NewApp("sealward")
	r := s.NewRepo("octo/shop", githubtest.Files{"a": "1"})
	id := app.Install(githubtest.AppPermissions(), r)
	in := newReceiver(t, "older-secret", app.Secret)
	s.Webhook(in.URL, app.Secret)
	head := r.Commit("feature", "Change", githubtest.Files{"a": "2", "b": "x"})
	n := r.OpenPull("alice", "feature", "Change")
	r.Comment("alice", n, "/rotate-key prod")
	fork := r.OpenForkPull("mallory", "From a fork", githubtest.Files{"c": "1"})
	merge := r.Merge(n, "alice")
	if e := in.only(t, "issue_comment", "created"); e.Comment.Body != "/rotate-key prod" || e.Installation != id || !e.Issue.Pull || e.Sender != "alice" || e.SenderBot {
		t.Errorf("%+v", e)
	}
	if e := in.only(t, "pull_request", "closed"); e.Pull.State != github.StateMerged || e.Pull.MergeCommit != merge || e.Pull.Head != head {
		t.Errorf("%+v", e.Pull)
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	pushes, forks := 0, 0
	for _, e := range in.got {
		if e.Push != nil {
			pushes++
			rng, ok := e.Range()
			if !ok || rng.Head != e.Push.After || e.Push.Branch() == "" || rng.Whole {
				t.Errorf("%+v %+v", e.Push, rng)
			}
		}
		if e.Pull != nil && e.Pull.Number == fork {
			forks++
			if e.Pull.HeadRepo != "mallory/shop" || e.Repo != "octo/shop" {
				t.Errorf("%+v", e.Pull)
			}
		}
	}
	if pushes != 2 || forks != 1 {
		t.Errorf("%d pushes, %d of the fork", pushes, forks)
	}
}

func TestRangesOfEvents(t *testing.T) {
	zero := strings.Repeat("0", 40)
	tests := []struct {
		name, event, body string
		want              github.Range
		ok                bool
	}{
		{"a pull request", "pull_request", `{"repository":{"full_name":"o/r"},"pull_request":{"number":7,"head":{"sha":"h"},"base":{"sha":"b"}}}`, github.Range{Repo: "o/r", Base: "b", Head: "h", Pull: 7}, true},
		{"a push", "push", `{"repository":{"full_name":"o/r"},"ref":"refs/heads/x","before":"b","after":"h"}`, github.Range{Repo: "o/r", Base: "b", Head: "h"}, true},
		{"a new branch", "push", `{"repository":{"full_name":"o/r","default_branch":"main"},"ref":"refs/heads/x","before":"` + zero + `","after":"h"}`, github.Range{Repo: "o/r", Base: zero, Head: "h"}, true},
		{"the first push", "push", `{"repository":{"full_name":"o/r","default_branch":"main"},"ref":"refs/heads/main","before":"` + zero + `","after":"h"}`, github.Range{Repo: "o/r", Base: zero, Head: "h", Whole: true}, true},
		{"a deleted branch", "push", `{"repository":{"full_name":"o/r"},"ref":"refs/heads/x","before":"b","after":"` + zero + `"}`, github.Range{}, false},
		{"a merge group", "merge_group", `{"repository":{"full_name":"o/r"},"merge_group":{"head_sha":"h","base_sha":"b"}}`, github.Range{Repo: "o/r", Base: "b", Head: "h"}, true},
		{"a schedule", "schedule", `{"repository":{"full_name":"o/r"}}`, github.Range{}, false},
		{"odd shapes", "push", `{"repository":"x","ref":7,"commits":{"a":1},"after":["x"]}`, github.Range{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, err := github.ParseEvent(tt.event, []byte(tt.body))
			got, ok := e.Range()
			if err != nil || ok != tt.ok || ok && (got.Repo != tt.want.Repo || got.Base != tt.want.Base || got.Head != tt.want.Head || got.Pull != tt.want.Pull || got.Whole != tt.want.Whole) {
				t.Errorf("%+v %t %v", got, ok, err)
			}
		})
	}
}

func FuzzEvent(f *testing.F) {
	f.Add("push", []byte(`{"ref":"refs/heads/x","commits":[{"added":["a"],"removed":[1]}],"repository":{"id":"x"}}`))
	f.Add("issue_comment", []byte(`{"comment":{"id":1e400,"user":null},"issue":[]}`))
	f.Add("pull_request", []byte(`null`))
	f.Fuzz(func(t *testing.T, name string, body []byte) {
		e, err := github.ParseEvent(name, body)
		if err == nil {
			e.Range()
		}
	})
}

func FuzzDelivery(f *testing.F) {
	f.Add("sha256="+strings.Repeat("0", 64), "application/json", []byte(`{}`))
	f.Add("sha256=", "application/x-www-form-urlencoded", []byte(`payload=%7B%7D`))
	f.Fuzz(func(t *testing.T, signature, kind string, body []byte) {
		v, err := github.NewVerifier("fuzz-secret")
		if err != nil {
			t.Fatal(err)
		}
		r := request("x", string(body), func(h http.Header) {
			h.Set("X-Hub-Signature-256", signature)
			h.Set("Content-Type", kind)
		})
		mac := hmac.New(sha256.New, []byte("fuzz-secret"))
		mac.Write(body)
		right := signature == "sha256="+hex.EncodeToString(mac.Sum(nil))
		if _, err := v.Read(r); err == nil && !right {
			t.Errorf("%q let %q in", signature, body)
		}
	})
}
