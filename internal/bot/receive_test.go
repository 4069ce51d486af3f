package bot

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sealward/sealward/internal/github"
	"github.com/sealward/sealward/internal/github/githubtest"
)

// post delivers a body, with whatever change to its header.
func (w *world) post(event, guid string, body []byte, change func(http.Header)) (int, string) {
	w.t.Helper()
	r, err := http.NewRequest(http.MethodPost, w.hook.URL, bytes.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	for k, v := range githubtest.Signed(testSecret, body) {
		r.Header[k] = v
	}
	r.Header.Set("X-GitHub-Event", event)
	r.Header.Set("X-GitHub-Delivery", guid)
	if change != nil {
		change(r.Header)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, strings.TrimSpace(string(text))
}

// commentEvent is the delivery of a comment.
func (w *world) commentEvent(id int64, login, body string) []byte {
	w.t.Helper()
	data, err := json.Marshal(map[string]any{
		"action": "created", "installation": map[string]any{"id": w.in}, "sender": map[string]any{"login": login, "type": "User"},
		"repository": map[string]any{"id": 1, "full_name": w.repo.Name(), "default_branch": "main"},
		"issue":      map[string]any{"number": w.issue, "state": "open", "user": map[string]any{"login": "alice"}},
		"comment":    map[string]any{"id": id, "body": body, "user": map[string]any{"login": login, "type": "User"}, "html_url": "https://github.invalid/c"},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return data
}

const guid = "72d3162e-cc78-11e3-81ab-4c9367dc0958"

func TestEveryExampleOfGitHubIsAcceptedOrIgnored(t *testing.T) {
	w := newWorld(t)
	file, err := os.Open("../github/testdata/webhooks.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	zr, err := gzip.NewReader(file)
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
	answers := map[string]int{}
	for i, x := range examples {
		status, text := w.post(x.Event, guid+strings.Repeat("x", i%50)+x.Event[:1]+time.Duration(i).String(), x.Payload, nil)
		if status != http.StatusAccepted {
			t.Errorf("%s: %d %s", x.Event, status, text)
		}
		answers[text]++
	}
	if answers["accepted"] < 5 || answers["ignored"] < 200 {
		t.Errorf("%v", answers)
	}
	if n := w.counter("sealward_webhook_deliveries_total", nil); n != 329 {
		t.Errorf("%v deliveries counted", n)
	}
	if n := w.counter("sealward_webhook_ack_seconds", nil); n != 329 {
		t.Errorf("%v acknowledgements counted", n)
	}
}

func TestADeliveryIsTakenOnce(t *testing.T) {
	w := newWorld(t)
	body := w.commentEvent(5, "alice", "/rotate-key prod")
	for i, want := range []string{"accepted", "taken before", "taken before"} {
		if status, text := w.post("issue_comment", guid, body, nil); status != 202 || text != want {
			t.Errorf("%d: %d %s", i, status, text)
		}
	}
	// The same comment under another delivery makes no other job.
	if status, text := w.post("issue_comment", "72d3162e-cc78-11e3-81ab-4c9367dc0959", body, nil); status != 202 || text != "accepted" {
		t.Errorf("%d %s", status, text)
	}
	if jobs := w.jobs(); len(jobs) != 2 {
		t.Errorf("%+v", jobs)
	}
	fresh, n, err := w.bot.Replay(context.Background(), "issue_comment", guid, body)
	if fresh || err != nil {
		t.Errorf("%t %d %v", fresh, n, err)
	}
	if fresh, n, err = w.bot.Replay(context.Background(), "issue_comment", "", body); !fresh || n != 2 || err != nil {
		t.Errorf("%t %d %v", fresh, n, err)
	}
	if jobs := w.jobs(); len(jobs) != 2 {
		t.Errorf("%+v", jobs)
	}
}

func TestAStoreThatIsDownIsSaid(t *testing.T) {
	w := newWorld(t)
	if err := w.store.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if status, _ := w.post("issue_comment", guid, w.commentEvent(5, "alice", "/rotate-key prod"), nil); status != http.StatusServiceUnavailable {
		t.Errorf("%d", status)
	}
	if err := w.bot.Ready(context.Background()); err == nil {
		t.Error("ready")
	}
}

func TestWhatEventsAskFor(t *testing.T) {
	w := newWorld(t)
	w.bot.self = "sealward[bot]"
	comment := func(change func(*github.Event)) github.Event {
		e := github.Event{
			Name: "issue_comment", Action: "created", Installation: 1, Repo: "o/r", Sender: "alice", Issue: &github.EventIssue{Number: 3},
			Comment: &github.Comment{ID: 5, Issue: 3, Author: "alice", Body: "/rotate-key prod"},
		}
		change(&e)
		return e
	}
	push := func(ref string) github.Event {
		return github.Event{Name: "push", Installation: 1, Repo: "o/r", DefaultBranch: "main", Push: &github.EventPush{Ref: ref, After: "abc"}}
	}
	pull := func(action, branch, from string) github.Event {
		return github.Event{Name: "pull_request", Action: action, Installation: 1, Repo: "o/r", Pull: &github.EventPull{Number: 4, Branch: branch, HeadRepo: from}}
	}
	tests := []struct {
		name string
		e    github.Event
		want string
	}{
		{"a command", comment(func(*github.Event) {}), "greet command"},
		{"edited", comment(func(e *github.Event) { e.Action = "edited" }), ""},
		{"deleted", comment(func(e *github.Event) { e.Action = "deleted" }), ""},
		{"by a bot", comment(func(e *github.Event) { e.Comment.Bot = true }), ""},
		{"by ourselves", comment(func(e *github.Event) { e.Sender, e.Comment.Author = "sealward[bot]", "sealward[bot]" }), ""},
		{"sent by another", comment(func(e *github.Event) { e.Sender = "mallory" }), ""},
		{"no command", comment(func(e *github.Event) { e.Comment.Body = "> /rotate-key prod" }), ""},
		{"any event of ourselves", func() github.Event { e := push("refs/heads/main"); e.Sender = "sealward[bot]"; return e }(), ""},
		{"not installed", comment(func(e *github.Event) { e.Installation = 0 }), ""},
		{"a push to the default branch", push("refs/heads/main"), "base"},
		{"a push to another", push("refs/heads/x"), ""},
		{"a tag", push("refs/tags/main"), ""},
		{"a rotation's pull request", pull("closed", "sealward/rotate-prod-0123456789ab", "o/r"), "pull"},
		{"reopened", pull("reopened", "sealward/rotate-prod-0123456789ab", "o/r"), "pull"},
		{"opened", pull("opened", "sealward/rotate-prod-0123456789ab", "o/r"), ""},
		{"of a fork", pull("closed", "sealward/rotate-prod-0123456789ab", "mallory/r"), ""},
		{"another branch", pull("closed", "feature", "o/r"), ""},
		{"installed", github.Event{Name: "installation", Action: "created", Installation: 1}, "installation"},
		{"repositories", github.Event{Name: "installation_repositories", Action: "removed", Installation: 1}, "installation"},
		{"renamed", github.Event{Name: "repository", Action: "renamed", Installation: 1, Repo: "o/r"}, "installation"},
		{"unknown", github.Event{Name: "star", Action: "created", Installation: 1}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := kindsOf(w.bot.jobsOf(tt.e, guid)).String(); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestAnswersAreQuick(t *testing.T) {
	w := newWorld(t)
	body := w.commentEvent(5, "alice", strings.Repeat("Lorem ipsum.\n", 4000)+"/rotate-key prod")
	start := time.Now()
	const n = 40
	for i := range n {
		if status, _ := w.post("issue_comment", guid+time.Duration(i).String(), body, nil); status != 202 {
			t.Fatal(status)
		}
	}
	if each := time.Since(start) / n; each > 250*time.Millisecond {
		t.Errorf("%s for each delivery", each)
	}
	if w.hub.Count("repos/get") != 0 || len(w.hub.Requests()) != 0 {
		t.Errorf("GitHub was asked: %v", w.hub.Requests())
	}
}
