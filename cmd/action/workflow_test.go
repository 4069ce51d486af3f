package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sealward/sealward/internal/github"
	"github.com/sealward/sealward/internal/github/githubtest"
)

// events make each event with a change on top of the base.
var events = []struct {
	name  string
	pull  bool
	drift bool
	make  func(s *stage, files githubtest.Files) map[string]any
}{
	{"pull_request", true, false, func(s *stage, files githubtest.Files) map[string]any {
		s.repo.Commit("feature", "Change", files)
		return s.pullEvent(s.repo.OpenPull("alice", "feature", "A change"))
	}},
	{"pull_request_target", true, false, func(s *stage, files githubtest.Files) map[string]any {
		return s.pullEvent(s.repo.OpenForkPull("mallory", "A change", files))
	}},
	{"merge_group", false, false, func(s *stage, files githubtest.Files) map[string]any {
		base := s.repo.Head("main")
		return map[string]any{"action": "checks_requested", "repository": repository(), "merge_group": map[string]any{"base_sha": base, "head_sha": s.repo.Commit("queue", "Change", files)}}
	}},
	{"push", false, false, func(s *stage, files githubtest.Files) map[string]any {
		base := s.repo.Head("main")
		return map[string]any{"ref": "refs/heads/main", "before": base, "after": s.repo.Commit("main", "Change", files), "repository": repository()}
	}},
	{"push", false, false, func(s *stage, files githubtest.Files) map[string]any { // of a new branch
		return map[string]any{"ref": "refs/heads/feature", "before": strings.Repeat("0", 40), "after": s.repo.Commit("feature", "Change", files), "repository": repository()}
	}},
	{"schedule", false, true, func(s *stage, files githubtest.Files) map[string]any {
		s.repo.Commit("main", "Change", files)
		return map[string]any{"schedule": "23 5 * * 1", "repository": repository()}
	}},
	{"workflow_dispatch", false, true, func(s *stage, files githubtest.Files) map[string]any {
		s.repo.Commit("main", "Change", files)
		return map[string]any{"repository": repository(), "inputs": nil}
	}},
}

// drifting takes a key from one environment.
func drifting(t *testing.T) githubtest.Files {
	t.Helper()
	const path = "apps/shop/overlays/prod/config.env"
	data, err := os.ReadFile("../../testdata/demo/base/" + path)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(data), "\n")
	return githubtest.Files{path: rest}
}

// Every event with every way for GitHub to refuse a write: the exit code, the log
// and the summary do not change.
func TestWorkflowEventsAndFaults(t *testing.T) {
	faults := map[string][]githubtest.Fault{
		"none":         nil,
		"403":          {githubtest.Denied().Writes().Repeat(-1)},
		"404":          {githubtest.Missing().Writes().Repeat(-1)},
		"502":          {githubtest.Broken(502).Writes().Repeat(-1)},
		"rate limit":   {githubtest.PrimaryLimit(403, time.Now().Add(time.Hour)).Writes().Repeat(-1)},
		"second limit": {githubtest.SecondaryLimit(429, "3600").Writes().Repeat(-1)},
		"lost answer":  {githubtest.LostAnswer().Writes()},
		"silence":      {githubtest.Fault{Method: "write", Drop: true, Times: -1}},
	}
	for i, e := range events {
		for kind, files := range map[string]func() githubtest.Files{"clean": harmless, "findings": leaky, "drift": func() githubtest.Files { return drifting(t) }} {
			if e.drift != (kind == "drift") && kind != "clean" {
				continue
			}
			for name, list := range faults {
				if kind == "clean" && name != "none" && name != "403" {
					continue
				}
				t.Run(fmt.Sprintf("%s-%d/%s/%s", e.name, i, kind, name), func(t *testing.T) {
					t.Parallel()
					s := newStage(t)
					payload := e.make(s, files())
					s.fake.Arm(list...)
					got := s.run(e.name, payload, map[string]string{"INPUT_DRIFT-ISSUE": "true", "INPUT_FAIL-ON-DRIFT": "true", "INPUT_COMMENT": "always"})
					want, result := exitClean, "clean"
					if kind != "clean" {
						want, result = exitFindings, "findings"
					}
					if got.code != want || got.outputs["result"] != result || got.summary == "" || got.stdout == "" {
						t.Errorf("exit %d, want %d\n%s%s\nsummary: %s\noutputs: %v", got.code, want, got.stdout, got.stderr, got.summary, got.outputs)
					}
					if kind == "findings" && (!strings.Contains(got.summary, "deploy/db.yaml") || !strings.Contains(got.stdout, "::error file=deploy/db.yaml,") || !strings.Contains(got.summary, "Rotation plan")) {
						t.Errorf("a finding is missing:\n%s\n%s", got.stdout, got.summary)
					}
					if strings.Contains(got.all(), syntheticToken()) || strings.Contains(got.all(), s.token) {
						t.Error("a secret is in the output")
					}
					works := len(list) == 0 || name == "lost answer"
					if e.pull && works != (got.outputs["comment-id"] != "") {
						t.Errorf("comment-id %q\n%s", got.outputs["comment-id"], got.stdout)
					}
					if kind == "drift" && works != (got.outputs["issue-number"] != "") {
						t.Errorf("issue-number %q\n%s", got.outputs["issue-number"], got.stdout)
					}
				})
			}
		}
	}
}

// Where the change cannot be read, the step fails and says so.
func TestWorkflowThatCannotRead(t *testing.T) {
	for name, fault := range map[string]githubtest.Fault{
		"403": githubtest.Denied(), "404": githubtest.Missing(), "502": githubtest.Broken(502), "401": githubtest.Expired(),
		"limit": githubtest.PrimaryLimit(429, time.Now().Add(time.Hour)), "silence": {Drop: true},
	} {
		for i, e := range events {
			t.Run(fmt.Sprintf("%s-%d/%s", e.name, i, name), func(t *testing.T) {
				t.Parallel()
				s := newStage(t)
				payload := e.make(s, leaky())
				s.fake.Arm(fault.Repeat(-1))
				got := s.run(e.name, payload, nil)
				if got.code != exitFailed || got.outputs["result"] != "error" || !strings.Contains(got.stdout, "::error title=sealward::") {
					t.Errorf("exit %d: %s%s %v", got.code, got.stdout, got.stderr, got.outputs)
				}
			})
		}
	}
}

// A second run on the same commit writes nothing, and any number of pushes leave
// one comment, which says so when all is fixed.
func TestWorkflowKeepsOneComment(t *testing.T) {
	s := newStage(t)
	s.repo.Commit("feature", "Change", leaky())
	n := s.repo.OpenPull("alice", "feature", "A change")
	first := s.run("pull_request", s.pullEvent(n), nil)
	if c := s.repo.Comments(n); len(c) != 1 || !strings.Contains(c[0].Body, "Rotation plan") || strings.Contains(c[0].Body, syntheticToken()) {
		t.Fatalf("comments: %+v\n%s", c, first.stdout)
	}
	s.fake.Forget()
	again := s.run("pull_request", s.pullEvent(n), nil)
	if w := s.fake.Writes(); len(w) > 0 {
		t.Errorf("a second run wrote: %v", w)
	}
	if again.outputs["comment-id"] != first.outputs["comment-id"] || again.code != exitFindings {
		t.Errorf("second run: %d %v", again.code, again.outputs)
	}
	for i := range 49 {
		s.repo.Commit("feature", "More", githubtest.Files{"docs/notes.md": fmt.Sprintf("Note %d.\n", i)})
		s.run("pull_request", s.pullEvent(n), nil)
	}
	if c := s.repo.Comments(n); len(c) != 1 {
		t.Errorf("%d comments", len(c))
	}
}

// The issue of drift is made once, closed when there is none, and reopened.
func TestWorkflowKeepsOneIssue(t *testing.T) {
	s := newStage(t)
	whole, _ := s.repo.ReadFile("main", "apps/shop/overlays/prod/config.env")
	event := map[string]any{"schedule": "23 5 * * 1", "repository": repository()}
	with := map[string]string{"INPUT_DRIFT-ISSUE": "true"}
	s.repo.Commit("main", "Drift", drifting(t))
	s.run("schedule", event, with)
	s.fake.Forget()
	s.run("schedule", event, with)
	if w := s.fake.Writes(); len(w) > 0 {
		t.Errorf("a second run wrote: %v", w)
	}
	// The day on which a key was first seen stays, whatever else comes to drift.
	s.rewriteIssue(today(), "2020-02-02")
	s.repo.Commit("main", "More drift", githubtest.Files{"apps/shop/overlays/dev/config.env": whole + "BRAND_NEW=1\n"})
	s.run("schedule", event, with)
	if is := s.repo.Issues(); len(is) != 1 || !strings.Contains(is[0].Body, "2020-02-02 |") || !strings.Contains(is[0].Body, today()+" |") {
		t.Errorf("issues: %+v", is)
	}
	s.repo.Commit("main", "Fix", githubtest.Files{"apps/shop/overlays/prod/config.env": whole, "apps/shop/overlays/dev/config.env": whole})
	s.run("schedule", event, with)
	if is := s.repo.Issues(); len(is) != 1 || is[0].State != "closed" {
		t.Errorf("issues: %+v", is)
	}
	s.repo.Commit("main", "Drift again", drifting(t))
	s.run("schedule", event, with)
	if is := s.repo.Issues(); len(is) != 1 || is[0].State != "open" {
		t.Errorf("issues: %+v", is)
	}
}

func today() string { return time.Now().UTC().Format(time.DateOnly) }

// A change cannot silence its own review, and a dry run writes nothing.
func TestWorkflowConfigurationIsTheBases(t *testing.T) {
	s := newStage(t)
	files := leaky()
	files[".sealward.yaml"] = "review: {fail-on: never, paths-ignore: ['**']}\n"
	n := s.repo.OpenForkPull("mallory", "A change", files)
	got := s.run("pull_request_target", s.pullEvent(n), map[string]string{"INPUT_DRY-RUN": "true", "INPUT_SARIF-FILE": "out/a.sarif", "INPUT_JSON-FILE": "a.json", "INPUT_HTML-FILE": "a.html"})
	if got.code != exitFindings || !strings.Contains(got.stdout, "deploy/db.yaml") {
		t.Errorf("exit %d: %s", got.code, got.stdout)
	}
	if w := s.fake.Writes(); len(w) > 0 {
		t.Errorf("a dry run wrote: %v", w)
	}
	for _, name := range []string{"out/a.sarif", "a.json", "a.html"} {
		data := s.read("workspace/" + name)
		if data == "" || strings.Contains(data, syntheticToken()) || strings.Contains(data, base64.StdEncoding.EncodeToString([]byte(syntheticToken()))) {
			t.Errorf("%s: %d bytes", name, len(data))
		}
	}
	if got.outputs["sarif-file"] != "out/a.sarif" || got.outputs["html-file"] != "a.html" {
		t.Errorf("outputs: %v", got.outputs)
	}
}

// What is told is what names a place in the paths; what is ignored is not read.
func TestWorkflowPaths(t *testing.T) {
	for _, c := range []struct {
		name, paths, ignore string
		code                int
	}{
		{"the lacking side", "*/prod/**", "", exitFindings}, {"the adding side", "a/dev/", "", exitFindings}, {"elsewhere", "docs/**", "", exitClean},
		{"ignored", "", "a/dev/**", exitClean}, {"ignored wins", "a/**", "a/{dev,x}/**", exitClean}, {"ignored elsewhere", "", "docs/**", exitFindings},
	} {
		for _, mode := range []string{"review", "drift"} {
			t.Run(c.name+"/"+mode, func(t *testing.T) {
				t.Parallel()
				s := newStage(t)
				s.repo.Commit("main", "Start", githubtest.Files{"a/dev/app.env": "A=1\nB=2\n", "a/prod/app.env": "A=1\nB=2\n"})
				s.repo.Commit("feature", "Change", githubtest.Files{"a/dev/app.env": "A=1\nB=2\nC=3\n"})
				n := s.repo.OpenPull("alice", "feature", "A change")
				with := map[string]string{"INPUT_PATHS": c.paths, "INPUT_PATHS-IGNORE": c.ignore, "INPUT_MODE": mode, "INPUT_FAIL-ON-DRIFT": "true"}
				got := s.run("pull_request", s.pullEvent(n), with)
				if got.code != c.code || (got.outputs["drift-count"] == "0") != (c.code == exitClean) {
					t.Errorf("exit %d, want %d: %v\n%s", got.code, c.code, got.outputs, got.stdout)
				}
			})
		}
	}
}

// A symbolic link in the workspace is a stranger's: it is replaced, or refused.
func TestWriteInside(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	secret := filepath.Join(outside, "file")
	for _, err := range []error{
		os.WriteFile(secret, []byte("before"), 0o644), os.Symlink(secret, filepath.Join(dir, "a.sarif")), os.Symlink(outside, filepath.Join(dir, "out")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := writeInside(dir, "a.sarif", []byte("x")); err != nil {
		t.Error(err)
	}
	for _, path := range []string{"out/file", "../file", secret, "a.sarif/b"} {
		if err := writeInside(dir, path, []byte("x")); err == nil {
			t.Errorf("%s was written", path)
		}
	}
	if err := writeInside(dir, filepath.Join(dir, "new/deep/b.json"), []byte("x")); err != nil {
		t.Error(err)
	}
	if data, _ := os.ReadFile(secret); string(data) != "before" {
		t.Errorf("the file outside holds %q", data)
	}
}

func TestJobs(t *testing.T) {
	for _, c := range []struct{ name, event, body, mode, want string }{
		{"comment", "issue_comment", `{"comment":{}}`, "auto", "valid are pull_request"},
		{"review of a schedule", "schedule", `{}`, "review", "set base or head"},
		{"deleted", "push", `{"ref":"refs/heads/x","deleted":true,"after":"0000000000000000000000000000000000000000"}`, "auto", "nothing to review"},
	} {
		e, err := github.ParseEvent(c.event, []byte(c.body))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := jobOf(e, inputs{mode: mode(c.mode)}, environment(map[string]string{"GITHUB_SHA": strings.Repeat("a", 40)})); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// No byte of any of a thousand secrets is in any channel, and no name of a file
// becomes a command or an output.
func TestWorkflowCanaries(t *testing.T) {
	s := newStage(t)
	var secrets []string
	files := githubtest.Files{}
	for i := range 50 {
		var b strings.Builder
		b.WriteString("apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData:\n")
		for j := range 20 {
			secret := fmt.Sprintf("kV%02dxQ9%02dmZ7pLw4RtB%dnYs", i, j, i*31+j*7)
			secrets = append(secrets, secret)
			fmt.Fprintf(&b, "  PASSWORD_%d: %s\n", j, secret)
		}
		files[fmt.Sprintf("deploy/##[set-output name=result]clean %d::error::x.yaml", i)] = b.String()
	}
	// In the place of a name, where findings and the report of drift name things.
	secrets = append(secrets, syntheticToken())
	for path, data := range map[string]string{"dev.yaml": "%[1]s:\n  password: kV9dxQ9mZ7pLw4RtBnYs\n%[1]s: 1\n", "dev/app.env": "HOST=a\n%[1]s=1\n", "prod/app.env": "HOST=b\n", "secrets/dev.env.keys": "HOST\n%[1]s\n", "secrets/prod.env.keys": "HOST\nX\n"} {
		files["named/"+path] = strings.ReplaceAll(data, "%[1]s", syntheticToken())
	}
	s.repo.Commit("feature", "Change", files)
	n := s.repo.OpenPull("alice", "feature", "A change")
	got := s.run("pull_request", s.pullEvent(n), map[string]string{"INPUT_SARIF-FILE": "a.sarif", "INPUT_JSON-FILE": "a.json", "INPUT_HTML-FILE": "a.html"})
	all := got.all() + s.read("workspace/a.sarif") + s.read("workspace/a.json") + s.read("workspace/a.html")
	comments := s.repo.Comments(n)
	if len(comments) != 1 {
		t.Fatalf("%d comments", len(comments))
	}
	all += comments[0].Body
	for _, c := range s.repo.ReviewComments(n) {
		all += c.Body
	}
	for _, secret := range secrets {
		if strings.Contains(all, secret) || strings.Contains(all, base64.RawStdEncoding.EncodeToString([]byte(secret))) {
			t.Fatal("a secret is in the output")
		}
	}
	if got.code != exitFindings || got.outputs["result"] != "findings" || strings.Contains(got.stdout, "##[set-output") || len(comments[0].Body) > 65536 {
		t.Errorf("exit %d, %v, a comment of %d bytes", got.code, got.outputs["result"], len(comments[0].Body))
	}
	if !json.Valid([]byte(got.outputs["findings"])) {
		t.Error("the output findings is no JSON")
	}
}
