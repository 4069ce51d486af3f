package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sealward/sealward/internal/github"
	"github.com/sealward/sealward/internal/github/githubtest"
)

// readOnly is the token that GitHub gives a run for a fork: it may write nothing.
func (s *stage) readOnly() {
	s.token = s.fake.ActionsToken("octo/shop", map[string]string{"contents": "read", "pull_requests": "read", "issues": "read"})
}

// A fork's pull request has a token that only reads: each channel on GitHub says that
// it is missing, and every finding is in the exit code, the diff, the log and the summary.
func TestWorkflowOfAFork(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.readOnly()
	files := githubtest.Files{}
	for i := range 8 {
		for path, data := range leaky() {
			files[strings.Replace(path, "db", fmt.Sprintf("db-%d", i), 1)] = data
		}
	}
	n := s.repo.OpenForkPull("mallory", "A change", files)
	got := s.run("pull_request", s.pullEvent(n), map[string]string{"INPUT_COMMENT": "always", "INPUT_SARIF-FILE": "a.sarif"})
	if got.code != exitFindings || got.outputs["result"] != "findings" || got.outputs["comment-id"] != "" {
		t.Errorf("exit %d, outputs %v", got.code, got.outputs)
	}
	for path := range files {
		if !strings.Contains(got.summary, path) || !strings.Contains(got.stdout, "::error file="+path+",") {
			t.Errorf("%s is missing:\n%s\n%s", path, got.stdout, got.summary)
		}
	}
	if !strings.Contains(got.stdout, "::notice title=sealward::no comment: ") {
		t.Errorf("nothing says that there is no comment:\n%s", got.stdout)
	}
	if c := s.repo.Comments(n); len(c) > 0 {
		t.Errorf("%d comments by a token that only reads", len(c))
	}
	if s.read("workspace/a.sarif") == "" {
		t.Error("no SARIF")
	}
}

// Where GitHub takes a write and never answers, the channel is given up in time.
func TestWorkflowTimesOut(t *testing.T) {
	t.Parallel()
	for _, e := range events[:2] {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			payload := e.make(s, leaky())
			s.fake.Arm(githubtest.Fault{Method: "write", Hang: time.Minute, Times: -1})
			start := time.Now()
			got := s.run(e.name, payload, map[string]string{"INPUT_SUGGESTIONS": "false"})
			if got.code != exitFindings || !strings.Contains(got.summary, "deploy/db.yaml") || !strings.Contains(got.stdout, "::notice title=sealward::no comment: ") {
				t.Errorf("exit %d\n%s", got.code, got.stdout)
			}
			if took := time.Since(start); took > 30*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
	t.Run("reading", func(t *testing.T) {
		t.Parallel()
		s := newStage(t)
		s.repo.Commit("feature", "Change", leaky())
		payload := s.pullEvent(s.repo.OpenPull("alice", "feature", "A change"))
		s.fake.Arm(githubtest.Fault{Hang: time.Minute, Times: -1})
		got := s.runWith("pull_request", payload, nil, func(o *github.Options) { o.Timeout = 200 * time.Millisecond })
		if got.code != exitFailed || got.outputs["result"] != "error" || !strings.Contains(got.stdout, "::error title=sealward::") {
			t.Errorf("exit %d\n%s", got.code, got.stdout)
		}
	})
}

// A change of as many files as GitHub lists at all is reviewed to its last file.
func TestWorkflowOfManyFiles(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	files := githubtest.Files{}
	for i := range 2999 {
		files[fmt.Sprintf("a/%d/%04d.yaml", i%40, i)] = fmt.Sprintf("kind: ConfigMap\nmetadata: {name: c%d}\n", i)
	}
	files["zz/last.yaml"] = leaky()["deploy/db.yaml"]
	s.repo.Commit("feature", "Change", files)
	payload := s.pullEvent(s.repo.OpenPull("alice", "feature", "A change"))
	s.fake.Forget()
	got := s.run("pull_request", payload, nil)
	whole := strings.Contains(got.stdout, "::error file=zz/last.yaml,")
	if got.code != exitFindings || !whole {
		t.Errorf("exit %d, the last file is found: %t\n%.3000s", got.code, whole, got.stdout)
	}
	if calls := len(s.fake.Requests()); calls > 8+3000/100 {
		t.Errorf("%d calls: %v", calls, s.fake.Calls())
	}
}

// More commits than GitHub lists of a pull request are all looked at: what an early
// one leaked and the next one removed is found.
func TestWorkflowOfManyCommits(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	leak := map[int]string{0: "deploy/first.yaml", 150: "deploy/middle.yaml", 297: "deploy/late.yaml"}
	for i := range 300 {
		files := githubtest.Files{"docs/notes.md": fmt.Sprintf("Note %d.\n", i)}
		if path := leak[i]; path != "" {
			files[path] = fmt.Sprintf("apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData:\n  PASSWORD: kV%03dxQ9mZ7pLw4RtB%dnYs\n", i, i*31)
		}
		if path := leak[i-1]; path != "" {
			files[path] = githubtest.Removed
		}
		s.repo.Commit("feature", fmt.Sprintf("Change %d", i), files)
	}
	got := s.run("pull_request", s.pullEvent(s.repo.OpenPull("alice", "feature", "A change")), nil)
	for _, path := range leak {
		if !strings.Contains(got.stdout, path) || !strings.Contains(got.summary, path) {
			t.Errorf("%s is missing", path)
		}
	}
	if got.code != exitFindings {
		t.Errorf("exit %d", got.code)
	}
	if t.Failed() {
		t.Logf("%.4000s", got.stdout)
	}
}

// The whole step keeps to its budget: eight calls, and one more for a hundred files.
func TestWorkflowKeepsItsBudget(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	files := leaky()
	for i := range 49 {
		files[fmt.Sprintf("d/%d.yaml", i)] = fmt.Sprintf("kind: ConfigMap\nmetadata: {name: c%d}\n", i)
	}
	s.repo.Commit("feature", "Change", files)
	payload := s.pullEvent(s.repo.OpenPull("alice", "feature", "A change"))
	s.fake.Forget()
	s.fake.SetLatency(20 * time.Millisecond)
	start := time.Now()
	got := s.run("pull_request", payload, nil)
	t.Log(time.Since(start), s.fake.Calls())
	if got.code != exitFindings || got.outputs["comment-id"] == "" {
		t.Errorf("exit %d, outputs %v", got.code, got.outputs)
	}
	if calls := len(s.fake.Requests()); calls > 9 {
		t.Errorf("%d calls for 50 files: %v", calls, s.fake.Calls())
	}
}

// Any number of findings fits every channel: GitHub refuses nothing and cuts nothing.
func TestWorkflowOfManyFindings(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	const perFile, total = 500, 50_000
	files := githubtest.Files{}
	for i := range total / perFile {
		var b strings.Builder
		b.WriteString("apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData:\n")
		for j := range perFile {
			fmt.Fprintf(&b, "  PASSWORD_%d: kV%03dxQ9%03dmZ7pLw4RtB%dnYs\n", j, i, j, i*31+j*7)
		}
		files[fmt.Sprintf("deploy/%03d.yaml", i)] = b.String()
	}
	s.repo.Commit("feature", "Change", files)
	n := s.repo.OpenPull("alice", "feature", "A change")
	got := s.run("pull_request", s.pullEvent(n), map[string]string{"INPUT_SARIF-FILE": "a.sarif", "INPUT_JSON-FILE": "a.json"})
	if got.code != exitFindings || got.outputs["findings-count"] != fmt.Sprint(total) {
		t.Errorf("exit %d, %s findings", got.code, got.outputs["findings-count"])
	}
	if len(got.summary) == 0 || len(got.summary) >= 1<<20 {
		t.Errorf("a summary of %d bytes", len(got.summary))
	}
	if c := s.repo.Comments(n); len(c) != 1 || len(c[0].Body) > 65_536 {
		t.Errorf("%d comments", len(c))
	}
	for _, r := range s.fake.Requests() {
		if r.Status >= 400 && r.Status != 404 {
			t.Errorf("%s was answered with %d", r.Op, r.Status)
		}
	}
	for _, level := range []string{"error", "warning", "notice"} {
		if n := strings.Count(got.stdout, "\n::"+level+" "); n > 10 {
			t.Errorf("%d annotations of level %s", n, level)
		}
	}
	outputsFit(t, got)
	sarifFits(t, s.read("workspace/a.sarif"))
}

// outputsFit holds the outputs to what a job may have: all of them set, 1 MB together.
func outputsFit(t *testing.T, got ran) {
	t.Helper()
	size := 0
	for _, o := range outputList() {
		value, ok := got.outputs[o.name]
		if !ok {
			t.Errorf("the output %s is not set", o.name)
		}
		size += len(o.name) + len(value)
	}
	if size >= 1<<20 || !json.Valid([]byte(got.outputs["findings"])) {
		t.Errorf("outputs of %d bytes", size)
	}
}

func sarifFits(t *testing.T, text string) {
	t.Helper()
	var doc struct {
		Version string
		Runs    []struct {
			Results []struct{ RuleID string }
		}
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Version != "2.1.0" || len(doc.Runs) != 1 || len(doc.Runs[0].Results) == 0 || len(doc.Runs[0].Results) > 25_000 {
		t.Errorf("SARIF %q of %d runs", doc.Version, len(doc.Runs))
	}
}
