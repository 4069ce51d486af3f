package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sealward/sealward/internal/github"
	"github.com/sealward/sealward/internal/github/githubtest"
)

// stage is a repository on the fake GitHub, and a runner's step beside it.
type stage struct {
	t     *testing.T
	fake  *githubtest.Server
	repo  *githubtest.Repo
	token string
	dir   string
}

// tree reads a directory of the demo's as files to seed.
func tree(t *testing.T, dir string) githubtest.Files {
	t.Helper()
	files := githubtest.Files{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(dir, path))
		files[path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{t: t, fake: githubtest.New(t), dir: t.TempDir()}
	s.repo = s.fake.NewRepo("octo/shop", tree(t, "../../testdata/demo/base"))
	s.repo.Grant("alice", "admin")
	s.token = s.fake.ActionsToken("octo/shop", map[string]string{"contents": "read", "pull_requests": "write", "issues": "write"})
	return s
}

// leaky is what a change with one of the plainest accidents adds.
func leaky() githubtest.Files {
	return githubtest.Files{"deploy/db.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData:\n  token: " + syntheticToken() + "\n"}
}

func harmless() githubtest.Files { return githubtest.Files{"docs/notes.md": "Nothing to see here.\n"} }

// ran is what a step left behind.
type ran struct {
	code                    int
	stdout, stderr, summary string
	outputs                 map[string]string
}

func (r ran) all() string { return r.stdout + r.stderr + r.summary + fmt.Sprint(r.outputs) }

// run runs the step once for an event.
func (s *stage) run(event string, payload map[string]any, more map[string]string) ran {
	s.t.Helper()
	return s.runWith(event, payload, more, func(*github.Options) {})
}

// runWith runs the step with other options than the tests' own.
func (s *stage) runWith(event string, payload map[string]any, more map[string]string, with func(*github.Options)) ran {
	s.t.Helper()
	body, err := json.Marshal(payload)
	if err != nil {
		s.t.Fatal(err)
	}
	file := func(name string) string { return filepath.Join(s.dir, name) }
	for _, name := range []string{"output", "summary"} {
		if err := os.WriteFile(file(name), nil, 0o644); err != nil {
			s.t.Fatal(err)
		}
	}
	if err := os.WriteFile(file("event.json"), body, 0o644); err != nil {
		s.t.Fatal(err)
	}
	workspace := file("workspace")
	if err := os.MkdirAll(workspace, 0o755); err != nil {
		s.t.Fatal(err)
	}
	env := map[string]string{
		"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": event, "GITHUB_EVENT_PATH": file("event.json"), "GITHUB_REPOSITORY": "octo/shop",
		"GITHUB_OUTPUT": file("output"), "GITHUB_STEP_SUMMARY": file("summary"), "GITHUB_WORKSPACE": workspace, "GITHUB_REF": "refs/heads/main",
		"GITHUB_SHA": s.repo.Head("main"), "GITHUB_API_URL": s.fake.URL + "/api/v3", "INPUT_GITHUB-TOKEN": s.token,
	}
	for k, v := range more {
		env[k] = v
	}
	var out, errs bytes.Buffer
	a := &app{getenv: environment(env), stdin: strings.NewReader(""), stdout: &out, stderr: &errs}
	opt := github.Options{
		Backoff: time.Millisecond, Pause: time.Millisecond, MaxWait: 50 * time.Millisecond, Timeout: 2 * time.Second, Attempts: 2, Fresh: []time.Duration{},
	}
	with(&opt)
	code := a.workflow(s.t.Context(), opt)
	return ran{code, out.String(), errs.String(), s.read("summary"), parseOutputs(s.t, s.read("output"))}
}

func (s *stage) read(name string) string {
	s.t.Helper()
	data, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(data)
}

// parseOutputs reads the file as the runner does.
func parseOutputs(t *testing.T, text string) map[string]string {
	t.Helper()
	out := map[string]string{}
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines) && lines[i] != ""; i++ {
		name, delimiter, ok := strings.Cut(lines[i], "<<")
		if !ok {
			t.Fatalf("output line %q", lines[i])
		}
		var value []string
		for i++; lines[i] != delimiter; i++ {
			value = append(value, lines[i])
		}
		out[name] = strings.Join(value, "\n")
	}
	return out
}

func repository() map[string]any {
	return map[string]any{"full_name": "octo/shop", "default_branch": "main"}
}

func (s *stage) pullEvent(n int) map[string]any {
	p := s.repo.Pulls()[0]
	for _, q := range s.repo.Pulls() {
		if q.Number == n {
			p = q
		}
	}
	return map[string]any{"action": "synchronize", "repository": repository(), "pull_request": map[string]any{
		"number": n, "state": "open", "head": map[string]any{"sha": p.HeadID, "ref": p.Head}, "base": map[string]any{"sha": s.repo.Head("main"), "ref": "main"},
	}}
}

// rewriteIssue edits the one issue as a person may.
func (s *stage) rewriteIssue(old, with string) {
	s.t.Helper()
	i := s.repo.Issues()[0]
	body, err := json.Marshal(map[string]string{"body": strings.ReplaceAll(i.Body, old, with)})
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodPatch, fmt.Sprintf("%s/api/v3/repos/octo/shop/issues/%d", s.fake.URL, i.Number), bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		s.t.Fatal(resp.Status)
	}
}
